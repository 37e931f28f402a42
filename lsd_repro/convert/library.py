"""Libraries that only some formats need."""

import importlib
from types import ModuleType

from lsd_repro.errors import InputError


def load(name: str, requirement: str, what: str) -> ModuleType:
    """Import a library, or say how to get it.

    Parameters
    ----------
    name : str
        Of the module.
    requirement : str
        What pip is to install.
    what : str
        What it reads.

    Returns
    -------
    module

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(f"reading {what} needs {name}, which is not installed: pip install '{requirement}'") from error
