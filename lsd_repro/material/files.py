"""Files that are written whole or not at all."""

import os
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from lsd_repro.errors import InputError


@contextmanager
def write_whole(path):
    """Write a file under another name and, once it is whole, put it in its place.

    Parameters
    ----------
    path : str or Path
        What lies there stays untouched until the ``with`` block is left without an
        exception, and is then replaced in one go.

    Yields
    ------
    Path
        Where to write meanwhile: beside `path`, with ``.part`` added.  Removed on any
        exception.

    Raises
    ------
    InputError
        For any OSError (no such folder, disk full, read-only), with path and reason.
    """
    path = Path(path)
    part = path.with_name(path.name + ".part")
    try:
        yield part
        os.replace(part, path)
    except OSError as error:
        raise InputError(f"can't write {path}: {error.strerror or error}; "
                         "name a place in a folder that exists and has room") from error
    finally:
        # Gone already where all went well.
        try:
            part.unlink()
        except OSError:
            pass


def make_folder(path):
    """Make a folder, and those above it, unless it is there; InputError if that fails."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"can't make the folder {path}: {error.strerror or error}") from error


def write_bytes(path, data):
    """Write `data` (bytes) to `path`, whole or not at all; see `write_whole`."""
    with write_whole(path) as part:
        part.write_bytes(data)


def write_array(path, array):
    """Write an array as .npy to `path`, whole or not at all; see `write_whole`."""
    with write_whole(path) as part, open(part, "wb") as file:
        np.save(file, array, allow_pickle=False)


def write_arrays(path, **arrays):
    """Write named arrays as .npz to `path`, whole or not at all; see `write_whole`."""
    with write_whole(path) as part, open(part, "wb") as file:
        np.savez(file, **arrays)
