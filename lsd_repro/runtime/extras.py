"""The libraries that only some commands need; setup.py's extras bring them."""

import importlib.util
from collections.abc import Sequence

from lsd_repro.errors import InputError


def check(what: str, names: Sequence[str]) -> None:
    """InputError unless libraries are installed.

    Parameters
    ----------
    what : str
        What needs them, for the message to begin with.
    names : sequence of str
        Of the modules, by which pip knows them, too.
    """
    missing = [name for name in names if not importlib.util.find_spec(name)]
    if missing:
        raise InputError(f"{what} needs {' and '.join(missing)}, not installed here: pip install {' '.join(missing)}")
