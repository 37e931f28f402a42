"""Where the files of ``data/`` lie: beside the package in a checkout, inside it in a wheel."""

from pathlib import Path

from lsd_repro.errors import InputError

PACKAGE = Path(__file__).resolve().parent

NETWORK = "vgg16-small.mat"
PRIORS = "priors.npz"


def path(name):
    """Find a file that ships with the package.

    Parameters
    ----------
    name : str
        File name within ``data/``.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    InputError
        If it is not there.
    """
    found = folder() / name
    if not found.is_file():
        raise InputError(f"the shipped file {name} is not in {folder()}: the installation is incomplete; "
                         "install lsd_repro again from a complete checkout or wheel")
    return found


def folder():
    """The folder of the shipped files, which need not exist."""
    checkout = PACKAGE.parent
    return checkout / "data" if (checkout / "setup.py").is_file() else PACKAGE / "data"
