"""What went wrong, in words for the person who can mend it."""


class InputError(ValueError):
    """Bad input: the message names the file or option and what to do about it.

    The command line prints the message alone and exits with 2.
    """


class StackError(InputError):
    """Something that Theano needs is missing on this machine; the message says what to install."""
