"""What went wrong, in words for the person who can mend it."""


class InputError(ValueError):
    """Bad input: the message names the file or option and what to do about it.

    The command line prints the message alone and exits with 2.
    """


class OptionError(InputError):
    """A value that an option can't have; `option` is its name, and `reason` what is wrong with the value.

    The command line writes the name ``--prior-kind``, Python ``prior_kind``.
    """

    def __init__(self, option: str, reason: str) -> None:
        super().__init__(option, reason)
        self.option, self.reason = option, reason

    def __str__(self) -> str:
        return f"{self.option}: {self.reason}"


class StackError(InputError):
    """Something that Theano needs is missing on this machine; the message says what to install."""
