"""What went wrong, in words for the person who can mend it."""


class InputError(ValueError):
    """Bad input: the message names the file or option and what to do about it.

    An option is named as Python has it, ``prior_kind=``. The command line prints the message alone, with options as they
    are typed there, ``prior-kind`` after two hyphens, and exits with 2.
    """


class OptionError(InputError):
    """A value that an option can't have.

    Parameters
    ----------
    option : str
        Its name in Python.
    reason : str
        The value, and what is wrong with it.
    """

    def __init__(self, option: str, reason: str) -> None:
        super().__init__(option, reason)
        self.option, self.reason = option, reason

    def __str__(self) -> str:
        return f"{self.option}={self.reason}"


class StackError(InputError):
    """Something that Theano needs is missing on this machine; the message says what to install."""
