"""MATLAB's .mat of version 7.3, which is HDF5 -> a network's variables, as `matfile.load` has those of older versions.

===========  =============================================================================
MATLAB       in the file
===========  =============================================================================
array        a dataset, its dimensions in reverse; as a column of memory both are the same
string       a dataset of UTF-16's numbers
cell         a dataset of references
struct       a group (a 1x1 struct; others aren't needed here)
empty        a dataset of its dimensions, with the attribute ``MATLAB_empty``
===========  =============================================================================

What of these it is, is said by the attribute ``MATLAB_class``.
"""

import math
from typing import Any

import numpy as np

from lsd_repro.convert import hdf5
from lsd_repro.convert.stored import MAX_PARAMETERS
from lsd_repro.errors import InputError
from lsd_repro.material.files import PathLike
from lsd_repro.network.matfile import AGAIN, FIELDS, VARIABLES

# A network's classes have two names each; the deepest in it is an array in a cell in a layer, or in one cell more.
MOST_VALUES, DEEPEST, LONGEST = 50_000, 6, 65_536
NUMBERS = {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)} | {"single", "double"}


def load(path: PathLike) -> dict[str, Any]:
    """Read a network's variables.

    Returns
    -------
    dict of str to value
        As `lsd_repro.network.matfile.load`, of structs the fields in `FIELDS` alone; fractions are float32.

    Raises
    ------
    InputError
        If h5py is not installed, or the file holds more than any VGG, goes round in circles or is damaged.
    """
    h5py = hdf5.load_h5py("a .mat file of MATLAB 7.3")
    with h5py.File(path, "r") as file:
        return _Values(h5py, file).members(file, VARIABLES, "", 0)


class _Values:
    """Values of an open file, and how many were read."""

    def __init__(self, h5py, file):
        self.h5py, self.file = h5py, file
        self.count = self.entries = 0

    def members(self, group, names, path, depth):
        found = {name: hdf5.member(self.h5py, group, name) for name in names}
        return {name: self.value(item, f"{path}{name}", depth) for name, item in found.items() if item is not None}

    def value(self, item, path, depth):
        """What a group or a dataset stands for; None if it is nothing that a network needs."""
        self.count += 1
        if depth > DEEPEST or self.count > MOST_VALUES:
            raise InputError(f"{path}: cells and structs go on without end, or have more in them than any network")
        kind = self.about(item, "MATLAB_class", "S").decode("latin-1")
        if isinstance(item, self.h5py.Group):
            return self.members(item, FIELDS, path + ".", depth + 1) if kind == "struct" else None
        if not isinstance(item, self.h5py.Dataset) or item.shape is None:
            return None
        hdf5.plain(item, path)
        if kind == "cell":
            return self.cell(item, path, depth)
        if kind == "char":
            return self.text(item, path)
        return self.array(item, path) if kind in NUMBERS and item.dtype.kind in "fiu" else None

    def cell(self, dataset, path, depth):
        if self.about(dataset, "MATLAB_empty", "iu"):
            return []
        if self.h5py.check_ref_dtype(dataset.dtype) is not self.h5py.Reference:
            return None
        # In memory, MATLAB's order and this are the same.
        references = self.numbers(dataset, path, MOST_VALUES).ravel()
        if not all(references):
            raise InputError(f"{path}: a cell points to nothing: damaged; {AGAIN}")
        return [self.value(self.file[to], f"{path}{{{i}}}", depth + 1) for i, to in enumerate(references, 1)]

    def text(self, dataset, path):
        if self.about(dataset, "MATLAB_empty", "iu"):
            return ""
        if dataset.dtype.kind != "u" or dataset.dtype.itemsize != 2 or dataset.shape[1:] != (1,):
            return None
        return self.numbers(dataset, path, LONGEST).astype("<u2").tobytes().decode("utf-16-le", "replace")

    def array(self, dataset, path):
        if self.about(dataset, "MATLAB_empty", "iu"):
            return np.zeros((0, 0), np.float32)
        found = self.numbers(dataset, path, MAX_PARAMETERS)
        if found.dtype.kind == "f":
            with np.errstate(over="ignore"):  # a later check reports infinities
                found = found.astype(np.float32, copy=False)
        return found.T

    def numbers(self, dataset, path, most):
        """A dataset, unless it has more entries than it may, alone or with all before it."""
        entries = math.prod(dataset.shape)
        self.entries += entries
        if entries > most or self.entries > MAX_PARAMETERS:
            raise InputError(f"{path} has {entries:,} entries, more than it has in any VGG: not read")
        return hdf5.read(dataset, path)

    def about(self, item, name, kinds):
        """An attribute that is one short string or number; else an empty string."""
        if self.h5py.h5a.exists(item.id, name.encode()):
            attribute = self.h5py.h5a.open(item.id, name.encode())
            if attribute.shape == () and attribute.dtype.kind in kinds and attribute.dtype.itemsize <= 64:
                return item.attrs[name]
        return b""
