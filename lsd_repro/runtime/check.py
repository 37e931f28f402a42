"""What is missing here for Theano, as messages that say what to install.

==========================  ===================================================
`problems`                  before it is imported
`problems_before_install`   before pip has installed it
==========================  ===================================================

Nothing old is imported here.
"""

import importlib.util
import sys

from lsd_repro.errors import StackError
from lsd_repro.runtime import device
from lsd_repro.runtime.flags import user_flags
from lsd_repro.runtime.toolchain import find_blas, find_compiler, find_headers

# Theano-PyMC 1.1.2 was released for 3.7 to 3.9; up to 3.13 it was tried, mended.
OLDEST_PYTHON, NEWEST_PYTHON = (3, 9), (3, 13)

REINSTALL = ("install lsd_repro again, which brings the versions that it needs "
             "(in the checkout: python -m lsd_repro.runtime.install)")


def problems() -> list[str]:
    """List what keeps Theano from working here.

    Returns
    -------
    list of str
        One message for each missing thing, saying what to install; empty if all is there.
    """
    found = _failures(check_python, check_installed, user_flags, device.asked, find_compiler, find_headers, find_blas)
    return found or device.problems(device.asked())


def problems_before_install() -> list[str]:
    """List what would keep Theano from working whatever pip installs; the Makefile asks."""
    return _failures(check_python, user_flags, find_compiler, find_headers)


def _failures(*checks):
    messages = []
    for check in checks:
        try:
            check()
        except StackError as error:
            if str(error) not in messages:  # flags that cannot be parsed fail every check
                messages.append(str(error))
    return messages


def check_python() -> None:
    """Raise `StackError` on a Python that Theano-PyMC 1.1.2 does not run on."""
    if not OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON:
        raise StackError(
            f"Python {sys.version_info[0]}.{sys.version_info[1]} cannot run Theano-PyMC 1.1.2: "
            "make a virtual environment with Python 3.9 to 3.13 and install lsd_repro there "
            "(Debian/Ubuntu: python3-venv; Fedora: python3.13; macOS: brew install python@3.13; "
            "anywhere: uv venv --seed --python 3.13)")


def check_installed() -> None:
    """Raise `StackError` where pip has not installed Theano and what it needs."""
    missing = [name for name in ("theano", "lasagne", "scipy", "pkg_resources") if not importlib.util.find_spec(name)]
    if missing:
        raise StackError(f"not installed here: {', '.join(missing)}; {REINSTALL}")
