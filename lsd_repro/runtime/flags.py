"""The settings of Theano: what the user made them, and how to add some."""

import configparser
import contextlib
import os
import shlex
from collections.abc import Iterator
from typing import Any, Optional

from lsd_repro.errors import StackError


def user_flags() -> dict[str, str]:
    """Read the Theano settings that the user made.

    Returns
    -------
    dict
        Option name, as in ``THEANO_FLAGS`` (``"blas__ldflags"``), to value.

    Raises
    ------
    StackError
        If ``THEANO_FLAGS`` or a ``.theanorc`` cannot be read or parsed.
    """
    flags = {}
    # As Theano orders them: later files over earlier ones, the environment over all.
    for name in os.getenv("THEANORC", "~/.theanorc").split(os.pathsep):
        parser = _parsed(os.path.expanduser(name))
        for section in parser.sections():
            for option, value in parser.items(section):
                if section == "global":
                    # Option names in .theanorc are case-insensitive.
                    flags["floatX" if option == "floatx" else option] = value
                else:
                    flags[f"{section}__{option}"] = value
    splitter = shlex.shlex(os.getenv("THEANO_FLAGS", ""), posix=True)
    splitter.whitespace = ","
    splitter.whitespace_split = True
    try:
        for pair in splitter:
            name, _, value = pair.strip().partition("=")
            flags[name] = value
    except ValueError as error:
        raise StackError(f"THEANO_FLAGS cannot be parsed ({error}); it reads "
                         "name=value,name=value with quotes closed") from error
    return flags


def _parsed(path):
    parser = configparser.RawConfigParser()
    # As for Theano, one that isn't there, or that the user can't see, says nothing.
    if not os.path.exists(path) or path == os.devnull:
        return parser
    if not os.path.isfile(path):
        raise StackError(f"{path} is not a valid .theanorc: it is no file; correct THEANORC, or remove it")
    try:
        with open(path, encoding="utf-8") as file:
            parser.read_file(file)
    except OSError as error:
        raise StackError(f"{path}, Theano's settings, can't be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise StackError(f"{path} is not a valid .theanorc: it is not UTF-8 text; save it as UTF-8") from error
    except configparser.Error as error:
        raise StackError(f"{path} is not a valid .theanorc: {' '.join(str(error).split())}") from error
    return parser


def overridden(text: Optional[str], flags: dict[str, Any]) -> str:
    """`text`, as in ``THEANO_FLAGS``, with `flags` (a dict) after it, where they win."""
    return ",".join([*filter(None, [text]), *(f'{name}="{value}"' for name, value in flags.items())])


@contextlib.contextmanager
def around(before: dict[str, Any], after: dict[str, Any]) -> Iterator[None]:
    """Put `before` in front of the user's flags in ``THEANO_FLAGS``, and `after` behind them.

    Theano reads the variable once, at import; it is put back afterwards.
    """
    theirs = os.environ.get("THEANO_FLAGS")
    os.environ["THEANO_FLAGS"] = overridden(overridden("", before) + f",{theirs or ''}", after)
    try:
        yield
    finally:
        if theirs is None:
            del os.environ["THEANO_FLAGS"]
        else:
            os.environ["THEANO_FLAGS"] = theirs
