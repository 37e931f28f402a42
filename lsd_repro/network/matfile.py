"""A network's .mat file as such: MATLAB's variables, structs, cells and strings.

===========================  ===============================================
`load`, `save`               a file <-> its variables
`struct_of`, `texts_of`,     a variable's part, or an InputError
`single_of`
`cell_of`, `row_of`          Python -> what scipy writes as MATLAB would
`naming`                     puts the file's name before an error's message
===========================  ===============================================

scipy writes these files, but doesn't read them here: one wrong byte in the type of
an element ends its reader, and Python, with a segmentation fault.  This one knows
what MatConvNet's files hold and follows "MAT-File Format" (The MathWorks), level 5.
"""

import contextlib
import math
import mmap
import os
import struct
import zlib

import numpy as np
import scipy.io

from lsd_repro.errors import InputError

AGAIN = "download it again, or copy it again from where it is whole"
OTHER = ("the file wanted is MatConvNet's imagenet-vgg-verydeep-16.mat, "
         "or the small network that ships with this package")
INCOMPLETE = f"no MatConvNet network ({OTHER}), or incomplete ({AGAIN})"

# A file is a header, then elements: kind, length, data.
HEADER = 128
MATRIX, COMPRESSED = 14, 15
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
LETTERS = {1: "latin1", 2: "latin1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
# Classes of arrays.
CELL, STRUCT, CHAR, NUMERIC = 1, 2, 4, range(6, 16)
COMPLEX_FLAG = 0x800


@contextlib.contextmanager
def naming(path):
    """Put the file's name before the message of an InputError."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{os.fspath(path)}: {error}") from error.__cause__


def load(path):
    """Read the variables of a .mat file of version 5 (MATLAB's ``-v6`` and ``-v7``).

    Returns
    -------
    dict of str to value
        Cells are lists, structs dicts, strings str and real arrays read-only ndarrays,
        which are views of the file where it isn't compressed.  All else is None.
    """
    try:
        with open(path, "rb") as stream:
            if not os.fstat(stream.fileno()).st_size:
                raise InputError(f"is empty; {AGAIN}")
            data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise InputError(f"cannot be opened: {error.strerror}") from error
    order = _byte_order(data)
    variables = {}
    try:
        for kind, start, stop in _top_level(data, order):
            part = data
            if kind == COMPRESSED:
                part = _decompressed(data, start, stop)
                kind, start, stop, _ = _element(part, order, 0, len(part))
            if kind != MATRIX:
                raise _damaged(start)
            name, value = _array(part, order, start, stop)
            variables[name] = value
    except MemoryError as error:
        raise InputError("does not fit into memory: the VGG-16 of 528 MiB needs 1.3 GiB free") from error
    except (RecursionError, zlib.error) as error:
        raise InputError(f"is damaged ({error}); {AGAIN}") from error
    return variables


def _damaged(position):
    return InputError(f"is damaged near byte {position:,}; {AGAIN}")


def _byte_order(data):
    """``"<"`` or ``">"``, from the header."""
    head = data[:520]
    if head.startswith(b"MATLAB 7.3") or b"\x89HDF" in (head[:4], head[512:516]):
        raise InputError("is a MATLAB 7.3 (HDF5) file; save it from MATLAB with save(..., '-v7')")
    if len(data) <= HEADER and head.startswith(b"MATLAB 5.0"):
        raise InputError(f"is truncated: it has {len(data)} bytes, which is no more than its header; {AGAIN}")
    if head[126:128] not in (b"IM", b"MI"):
        raise InputError(f"is not a .mat file; {OTHER}")
    return "<" if head[126:128] == b"IM" else ">"


def _top_level(data, order):
    """(kind, start, stop) of each variable, once it is sure that the file has them whole."""
    variables, position = [], HEADER
    while position < len(data):
        kind, length = struct.unpack(order + "II", data[position:position + 8].ljust(8, b"\0"))
        if position + 8 <= len(data) and kind not in (MATRIX, COMPRESSED):
            raise _damaged(position)
        variables.append((kind, position + 8, position + 8 + length))
        position += 8 + length
    if position != len(data):
        raise InputError(f"is truncated: it has {len(data):,} bytes and should have {position:,} or more; {AGAIN}")
    return variables


def _decompressed(data, start, stop):
    """The bytes of a compressed variable, once zlib found its checksum right."""
    inflate, plain, chunk = zlib.decompressobj(), bytearray(), 2 ** 16
    for position in range(start, stop, chunk):
        plain += inflate.decompress(data[position:min(position + chunk, stop)])
    if not inflate.eof:
        raise _damaged(start)
    return plain


def _element(data, order, position, end):
    """(kind, start, stop, position of the next) of the element at a position."""
    if end - position < 8:
        raise _damaged(position)
    kind, length = struct.unpack_from(order + "II", data, position)
    start, room = position + 8, end - position - 8
    if kind >> 16:  # up to four bytes stand in the tag itself
        kind, length, start, room = kind & 0xFFFF, kind >> 16, position + 4, 4
    if length > room:
        raise _damaged(position)
    stop = start + length
    return kind, start, stop, min(stop + -(stop - position) % 8, end)


def _array(data, order, start, end):
    """(name, value) of the MATLAB array whose elements lie from start to end."""
    if start == end:
        return "", np.zeros((0, 0))
    _, first, last, position = _element(data, order, start, end)
    if last - first != 8:
        raise _damaged(start)
    flags, = struct.unpack_from(order + "I", data, first)
    kind, first, last, position = _element(data, order, position, end)
    if NUMBERS.get(kind) not in ("i4", "u4") or (last - first) % 4:
        raise _damaged(position)
    shape = struct.unpack_from(f"{order}{(last - first) // 4}i", data, first)
    if len(shape) < 2 or min(shape) < 0:
        raise _damaged(position)
    _, first, last, position = _element(data, order, position, end)
    name = data[first:last].decode("latin1")

    kind = flags & 0xFF
    if kind == CELL:
        return name, _arrays(data, order, position, end, math.prod(shape))
    if kind == STRUCT:
        _, first, last, position = _element(data, order, position, end)
        width = int.from_bytes(data[first:last], "little" if order == "<" else "big")
        _, first, last, position = _element(data, order, position, end)
        if width == 0 or (last - first) % width:
            raise _damaged(position)
        fields = [data[i:i + width].split(b"\0")[0].decode("latin1") for i in range(first, last, width)]
        values = _arrays(data, order, position, end, math.prod(shape) * len(fields))
        return name, dict(zip(fields, values)) if math.prod(shape) == 1 else None
    if kind == CHAR and math.prod(shape) == 0:
        return name, ""
    if kind == CHAR and shape[0] == 1:
        kind, first, last, _ = _element(data, order, position, end)
        if kind not in LETTERS:
            raise _damaged(position)
        codec = LETTERS[kind] + ({"<": "-le", ">": "-be"}[order] if kind in (4, 17, 18) else "")
        return name, data[first:last].decode(codec, errors="replace")
    if kind in NUMERIC and not flags & COMPLEX_FLAG:
        kind, first, last, _ = _element(data, order, position, end)
        dtype = np.dtype(order + NUMBERS[kind]) if kind in NUMBERS else None
        if dtype is None or last - first != math.prod(shape) * dtype.itemsize:
            raise _damaged(position)
        return name, np.frombuffer(data, dtype, math.prod(shape), first).reshape(shape, order="F")
    return name, None


def _arrays(data, order, position, end, count):
    """The values of the arrays that a cell or struct holds."""
    values = []
    while position < end:
        kind, first, last, position = _element(data, order, position, end)
        if kind != MATRIX:
            raise _damaged(first)
        values.append(_array(data, order, first, last)[1])
    if len(values) != count:
        raise _damaged(end)
    return values


def struct_of(value, name):
    """A struct; for anything else, an error."""
    if not isinstance(value, dict):
        raise InputError(f"{name} is missing or no struct: {INCOMPLETE}")
    return value


def texts_of(value, name):
    """A cell of strings as a tuple."""
    if not isinstance(value, list):
        raise InputError(f"{name} is missing or no cell of strings, so classes have no names; {OTHER}")
    for i, entry in enumerate(value):
        if not isinstance(entry, str):
            raise InputError(f"{name}: entry {i} is no string; {OTHER}")
    return tuple(entry.strip() for entry in value)


def single_of(value, what):
    """A real array of any type as float32; MATLAB stores whole numbers as integers."""
    if not isinstance(value, np.ndarray):
        raise InputError(f"{what} is missing or holds no real numbers; {OTHER}")
    with np.errstate(over="ignore", invalid="ignore"):  # a later check reports infinities
        return value.astype(np.float32, copy=False)


def cell_of(values):
    """A row of values as a MATLAB cell."""
    cell = np.empty((1, len(values)), object)
    for i, value in enumerate(values):
        cell[0, i] = value
    return cell


def row_of(*numbers):
    """A row of doubles, which is what MATLAB takes a list of numbers for."""
    return np.array([numbers], np.float64)


def save(path, variables, compress=False):
    """Write variables to a .mat file, which appears whole or not at all.

    Dicts become structs.
    """
    part = f"{os.fspath(path)}.part"
    try:
        with open(part, "wb") as stream:
            scipy.io.savemat(stream, variables, do_compression=compress)
        os.replace(part, path)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):  # gone, if all went well
            os.remove(part)
