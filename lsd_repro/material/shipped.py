"""Where the files of ``data/`` lie: beside the package in a checkout, inside it in a wheel."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from lsd_repro.errors import InputError

if TYPE_CHECKING:  # it imports numpy
    from lsd_repro.material.files import PathLike

PACKAGE = Path(__file__).resolve().parents[1]

SMALL = "vgg16-small.mat"
TRUNK = "vgg16-trunk.mat"
NETWORKS = {"small": SMALL, "trunk": TRUNK}
DEFAULT = "trunk"  # where none is asked for
NETWORK = NETWORKS[DEFAULT]
PRIORS = "priors.npz"
GREY_PRIORS = "priors-grey.npz"


def path(name: str) -> Path:
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


def network(wanted: "Optional[PathLike]" = None) -> "PathLike":
    """Find the file of a network, shipped or not.

    Parameters
    ----------
    wanted : str or path-like, optional
        A name in `NETWORKS`, or a file; write ``./small`` for a file of that name.
        Default: `NETWORK`.

    Returns
    -------
    path-like

    Raises
    ------
    InputError
        If there is no such file.
    """
    if wanted is None:
        return path(NETWORK)
    if wanted in NETWORKS:
        return path(NETWORKS[wanted])
    if not os.path.exists(wanted):
        raise InputError(f"{wanted}: there is no such file, and it is not {' or '.join(NETWORKS)}, "
                         "which are the networks that ship")
    return wanted


def folder() -> Path:
    """The folder of the shipped files, which need not exist."""
    checkout = PACKAGE.parent
    return checkout / "data" if (checkout / "setup.py").is_file() else PACKAGE / "data"
