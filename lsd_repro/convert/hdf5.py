"""HDF5 from anyone: what lies in the file itself, and no more bytes than it should have.

================  ============================================================
`load_h5py`       the library, or an InputError
`member`          one member of a group
`below`           all that lies below a group
`plain`           whether a dataset is stored as it is; an InputError if elsewhere
`read`            a dataset that MATLAB may have compressed
================  ============================================================

HDF5 can link to other files, go round in circles, and unfold a few bytes to any size.
"""

import math
import zlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Optional

import numpy as np

from lsd_repro.convert import library
from lsd_repro.convert.stored import quoted
from lsd_repro.errors import InputError
from lsd_repro.hints import Array

# How many members a group may have, and how many things a file: a network has some hundred.
MOST_MEMBERS, MOST_OBJECTS = 1000, 20_000
# MATLAB's own files know the first alone.
DEFLATE, SHUFFLE, CHECKSUM = 1, 2, 3
# MATLAB's chunks are far smaller.
MOST_CHUNK, MOST_CHUNKS = 256 << 20, 1_000_000


def load_h5py(what: str) -> ModuleType:
    """The library that reads `what`, or an InputError."""
    return library.load("h5py", "h5py>=3.8,<4", what)


def member(h5py: ModuleType, group: Any, name: str) -> Optional[Any]:
    """A member of a group that lies in this file; None if there is none."""
    if isinstance(group.get(name, getlink=True), h5py.HardLink):
        return group[name]
    return None


def below(h5py: ModuleType, group: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """Path and value of all that lies below a group in this file, to a depth.

    Raises
    ------
    InputError
        If a group, or all together, have more members than any network's, or paths meet or go round in circles.
    """
    seen = {h5py.h5o.get_info(group.id).addr}

    def walk(group, path, depth):
        if len(group) > MOST_MEMBERS:
            raise InputError(f"{quoted(path)} has {len(group):,} members: no file of a network")
        for name in group:
            found = member(h5py, group, name)
            if found is None:
                continue
            address = h5py.h5o.get_info(found.id).addr
            if address in seen:
                raise InputError(f"{quoted(path + name)} leads to what lies elsewhere in the file, too, perhaps in circles: "
                                 "no file of a network")
            seen.add(address)
            if len(seen) > MOST_OBJECTS:
                raise InputError(f"holds more than {MOST_OBJECTS:,} groups and arrays: no file of a network")
            yield f"{path}{name}", found
            if isinstance(found, h5py.Group) and depth:
                yield from walk(found, f"{path}{name}/", depth - 1)

    return walk(group, "", depth)


def plain(dataset: Any, what: str) -> bool:
    """Whether a dataset is neither compressed nor filtered otherwise; an InputError if it is kept in another file."""
    if dataset.is_virtual or dataset.external:
        raise InputError(f"{what} is kept in another file, which is not opened")
    return not dataset.id.get_create_plist().get_nfilters()


def read(dataset: Any, what: str) -> Array:
    """Read a dataset, compressed or not, of a shape that is known to fit into memory.

    Compressed chunks are unfolded here, each to its size and no further: HDF5's own library goes on to the end.

    Raises
    ------
    InputError
        If its chunks are too large or too many, damaged, or compressed otherwise than by gzip.
    """
    if dataset.chunks is None or not dataset.size:
        return dataset[()]
    size = math.prod(dataset.chunks) * dataset.dtype.itemsize
    count = math.prod(-(-side // chunk) for side, chunk in zip(dataset.shape, dataset.chunks))
    if size > MOST_CHUNK or count > MOST_CHUNKS:
        raise InputError(f"{what} is stored as {count:,} chunks of {size:,} bytes, which is not read")
    if plain(dataset, what):
        return dataset[()]
    settings = dataset.id.get_create_plist()
    filters = [settings.get_filter(i)[0] for i in range(settings.get_nfilters())]
    if filters not in ([DEFLATE], [SHUFFLE, DEFLATE], [DEFLATE, CHECKSUM], [SHUFFLE, DEFLATE, CHECKSUM]):
        raise InputError(f"{what} is compressed otherwise than by gzip: not read")
    found = np.empty(dataset.shape, dataset.dtype)
    for part in dataset.iter_chunks():
        chunk = np.frombuffer(_unfolded(dataset, part, filters, size, what), dataset.dtype).reshape(dataset.chunks)
        found[part] = chunk[tuple(slice(each.stop - each.start) for each in part)]
    return found


def _unfolded(dataset, part, filters, size, what):
    """The bytes of one chunk, in an order that numpy knows."""
    start = tuple(each.start for each in part)
    stored = dataset.id.get_chunk_info_by_coord(start)
    # Deflate adds little even to what can't be compressed.
    if stored.byte_offset is None or stored.size > size + size // 100 + 1024:
        raise InputError(f"{what}: a part is missing or too long: damaged")
    mask, data = dataset.id.read_direct_chunk(start)
    for i, code in reversed(list(enumerate(filters))):
        if mask >> i & 1:  # it would have made this chunk longer
            continue
        if code == CHECKSUM:
            data = data[:-4]
        elif code == DEFLATE:
            data = zlib.decompressobj().decompress(data, size + 1)
        elif len(data) == size:
            data = np.frombuffer(data, np.uint8).reshape(dataset.dtype.itemsize, -1).T.tobytes()
    if len(data) != size:
        raise InputError(f"{what}: a part has another length than it says: damaged")
    return data
