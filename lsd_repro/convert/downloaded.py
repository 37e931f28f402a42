"""What `lsd_repro.material.fetch` asks of downloaded weights: are they a VGG-16, and how do they become a .mat file."""

from pathlib import Path

from lsd_repro.convert import reader
from lsd_repro.errors import InputError
from lsd_repro.network import matconvnet
from lsd_repro.network.known import recognised

# Asked before anything is downloaded.
check_library = reader.check_library


class WrongContents(InputError):
    """A file does not hold what it should."""


def check(path: Path) -> None:
    """InputError unless a .mat file holds a VGG-16."""
    matconvnet.read(path)


def convert(downloaded: Path, path: Path) -> str:
    """Convert weights in another format to a .mat file.

    Parameters
    ----------
    downloaded : Path
        In any format that `lsd_repro.convert.reader` reads.
    path : Path
        The .mat file.

    Returns
    -------
    str
        What they are.

    Raises
    ------
    WrongContents
        If they are no VGG, or not Oxford's of 2014 by their known entries.
    InputError
        If `path` can't be written.
    """
    try:
        network, findings = reader.read(downloaded)
    except InputError as error:
        raise WrongContents(str(error)) from error
    if not recognised(network.weights[0], network.biases[0], len(network.weights)):
        raise WrongContents(f"{downloaded}: {findings[0]}")
    matconvnet.write(path, network)
    return findings[0]
