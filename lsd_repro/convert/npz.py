"""numpy's .npz, with the names of the file that Davi Frossard published: ``conv1_1_W``, ``conv1_1_b``, ... ``fc8_b``."""

import contextlib
import zipfile
from collections.abc import Iterator

import numpy as np

from lsd_repro.convert.stored import Array, Stored
from lsd_repro.errors import InputError
from lsd_repro.material.files import PathLike
from lsd_repro.network.layers import GROUPS, weight_layers_of


@contextlib.contextmanager
def opened(path: PathLike) -> Iterator[Stored]:
    """Open such a file; yields a `Stored`.

    Member by member, because numpy's own `load` allocates whatever shape a member claims.
    """
    with zipfile.ZipFile(path) as archive:
        members = set(archive.namelist())
        names = [name for name in weight_layers_of(GROUPS[19]) if {f"{name}_W.npy", f"{name}_b.npy"} <= members]
        yield Stored({name: (_array(archive, f"{name}_W.npy"), _array(archive, f"{name}_b.npy")) for name in names},
                     channels_last=True, order="RGB")


def _array(archive, member):
    with archive.open(member) as stream:
        # In later versions the header itself can be large; savez writes the first where that suffices.
        if np.lib.format.read_magic(stream) != (1, 0):
            raise InputError(f"{member} is no plain array of numbers")
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)

    def read():
        with archive.open(member) as stream:
            return np.lib.format.read_array(stream, allow_pickle=False)

    return Array(shape, dtype, read)
