"""What an option's value may be: each function takes text or a Python value, and returns what a `Spec` holds.

All raise ValueError with a message that says what is wrong, and not of which option.
"""

import operator
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Callable

# Bytes that every common file system takes.
LONGEST_NAME, LONGEST_PATH = 255, 4095
MAX_COUNT = 10 ** 12  # of anything that is counted here
SHOWN = 40  # characters of what was given, in a message


def whole(least: int, most: int = MAX_COUNT) -> Callable[[Any], int]:
    """A reader of whole numbers of at least `least` and at most `most`."""
    def read(value):
        try:
            number = int(value) if isinstance(value, str) else operator.index(value)
        except (TypeError, ValueError):
            number = None
        if number is None or isinstance(value, bool):
            raise ValueError(f"{shown(value)!r} is not a whole number")
        if number < least:
            raise ValueError(f"{shown(value)}: must be at least {least}")
        if number > most:
            raise ValueError(f"{shown(value)}: must be at most {most}")
        return number
    return read


def not_negative(value: Any) -> float:
    """A finite number of at least 0."""
    try:
        number = float("nan" if isinstance(value, bool) else value)
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not 0 <= number < float("inf"):
        raise ValueError(f"{shown(value)}: must be a number of at least 0")
    return number


def pair(separator: str, meaning: str) -> Callable[[Any], tuple[int, int]]:
    """A reader of two whole numbers of at least 1: as text with `separator` between them, or as a sequence."""
    def read(value):
        parts = value.lower().split(separator) if isinstance(value, str) else _items(value)
        if len(parts) != 2 or not all(str(part).strip() for part in parts):
            raise ValueError(f"{shown(value)!r} is not {meaning}")
        return whole(1)(parts[0]), whole(1)(parts[1])
    return read


def path(value: Any) -> str:
    """The name of a file."""
    try:
        text = os.fspath(value)
        name = os.fsencode(text)
        text.encode()
    except UnicodeEncodeError:
        encoding = sys.getfilesystemencoding()
        if encoding != "utf-8" and _is_utf8(text):
            raise ValueError(f"the locale's {encoding} can't spell this file's name: "
                             "set PYTHONUTF8=1, or LC_ALL=C.UTF-8") from None
        raise ValueError("a file name that is not UTF-8: rename the file") from None
    except (TypeError, AttributeError):
        raise ValueError(f"{shown(value)!r} is not the name of a file") from None
    if "\0" in text:
        raise ValueError("a file name can't hold a NUL")
    if len(name) > LONGEST_PATH or max(map(len, name.split(os.fsencode(os.sep)))) > LONGEST_NAME:
        raise ValueError(f"{text[:SHOWN]}...: longer than a file name can be")
    return text


def _is_utf8(text):
    """Whether the bytes of a file's name are UTF-8, whatever they were taken for."""
    try:
        return bool(text.encode("utf-8", "surrogateescape").decode("utf-8"))
    except UnicodeError:
        return False


def one_of(names: Iterable[str]) -> Callable[[Any], str]:
    """A reader of one of several names."""
    def read(value):
        if not isinstance(value, str) or value not in names:
            raise ValueError(f"{shown(value)!r} is none of {', '.join(names)}")
        return value
    return read


def text(value: Any) -> str:
    """Text."""
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)!r} is not text")
    return value


def class_name(value: Any) -> str:
    """What a class is asked for by: its name, or its index."""
    return value if isinstance(value, str) else str(whole(-MAX_COUNT)(value))


def flag(value: Any) -> bool:
    """True or false."""
    if value not in (True, False):
        raise ValueError(f"{shown(value)!r} is neither True nor False")
    return bool(value)


def several(read: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    """A reader of one value or more of the same kind; of one it need not be a sequence."""
    def read_all(value):
        return tuple(read(one) for one in (_items(value) or [value]))
    return read_all


def shown(value: Any) -> str:
    """The beginning of a value, for a message."""
    return str(value)[:SHOWN]


def _items(value: Any) -> Sequence[Any]:
    """The entries of a sequence or array; none of what is neither."""
    return list(value) if isinstance(value, Iterable) and not isinstance(value, (str, bytes)) else []
