"""Caffe's .caffemodel: layers of either message type.

A .caffemodel is a protocol buffer.  The few fields needed are found by hand, in the
memory-mapped file: Google's library would need Caffe's schema and hold the network
twice, once as the file and once as a message.

The fields (caffe.proto): NetParameter.layers = 2 (V1LayerParameter: name = 4, blobs = 6) and
layer = 100 (LayerParameter: name = 1, blobs = 7); BlobProto: num, channels, height, width = 1 to 4
or shape = 7 (dim = 1), data = 5, double_data = 8.
"""

import contextlib
import math
import mmap
from collections.abc import Iterator

import numpy as np

from lsd_repro.convert.stored import FORMATS, Array, Stored
from lsd_repro.errors import InputError
from lsd_repro.material.files import PathLike
from lsd_repro.network.layers import GROUPS, weight_layers_of

# Field of the layers in a network -> fields of name and blobs in a layer.
LAYERS = {2: (4, 6), 100: (1, 7)}
VARINT, EIGHT_BYTES, BYTES, FOUR_BYTES = 0, 1, 2, 5
# More than any message read here has.
MOST_FIELDS = 10_000
NONE = f"of none of the formats that are read ({FORMATS}), or damaged"


@contextlib.contextmanager
def opened(path: PathLike) -> Iterator[Stored]:
    """Open such a file; yields a `Stored`."""
    with open(path, "rb") as file:
        # Not closed by hand: a mapping can't be while parts of it are in use.
        whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    arrays = {}
    wanted = set(weight_layers_of(GROUPS[19]))
    for number, layer in _fields(whole):
        if number in LAYERS and not isinstance(layer, int):
            name, blobs = _layer(layer, *LAYERS[number])
            if name in wanted and len(blobs) == 2:
                arrays[name] = _weights(blobs[0], name), _biases(blobs[1])
    if not arrays:
        raise InputError(f"is {NONE}")
    yield Stored(arrays, channels_last=False, order="BGR")


def _layer(layer, name_field, blobs_field):
    name, blobs = "", []
    for number, value in _fields(layer):
        if isinstance(value, int):
            continue
        if number == name_field:
            name = bytes(value[:100]).decode("utf-8", "replace")
        elif number == blobs_field:
            blobs.append(value)
    return name, blobs


def _weights(blob, name):
    array = _blob(blob)
    # Of old, a matrix had four dimensions, too.
    return array._replace(shape=array.shape[2:]) if name.startswith("fc") and array.shape[:2] == (1, 1) else array


def _biases(blob):
    array = _blob(blob)
    return array._replace(shape=(math.prod(array.shape),))


def _blob(blob):
    """An array that lies in the file."""
    dims, old, kind, data = None, {}, "<f4", []
    for number, value in _fields(blob):
        if number in (5, 8):
            kind = "<f4" if number == 5 else "<f8"
            data.append(value)
        elif number == 7:
            dims = [dim for field, some in _fields(value) if field == 1 for dim in _varints(some)]
        elif number <= 4:
            old[number] = value
    shape = tuple(dims if dims is not None else (old.get(number, 1) for number in (1, 2, 3, 4)))
    if len(data) != 1 or isinstance(data[0], int) or math.prod(shape) * int(kind[2:]) != len(data[0]):
        raise InputError(f"is {NONE}: an array of shape {shape[:8]} has another number of entries")
    # A copy, as the file is closed before it is needed.
    return Array(shape, np.dtype(kind), lambda: np.frombuffer(data[0], kind).copy())


def _fields(message):
    """Number and value of each field of a message: an int or a memoryview."""
    position, count = 0, 0
    while position < len(message):
        key, position = _varint(message, position)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, position = _varint(message, position)
        else:
            if kind == BYTES:
                length, position = _varint(message, position)
            elif kind in (EIGHT_BYTES, FOUR_BYTES):
                length = 8 if kind == EIGHT_BYTES else 4
            else:
                raise InputError(f"is {NONE}")
            if length > len(message) - position:
                raise InputError(f"is {NONE}: cut off, or no protocol buffer")
            value = message[position:position + length]
            position += length
        count += 1
        if count > MOST_FIELDS:
            raise InputError(f"is {NONE}: more than {MOST_FIELDS:,} fields in one message")
        yield number, value


def _varint(message, position):
    """A whole number of 7 bits a byte, and where it ends."""
    value = 0
    for i in range(10):
        if position + i >= len(message):
            break
        byte = message[position + i]
        value |= (byte & 127) << 7 * i
        if byte < 128:
            return value, position + i + 1
    raise InputError(f"is {NONE}: cut off, or no protocol buffer")


def _varints(value):
    """Whole numbers, packed or a single one."""
    if isinstance(value, int):
        return [value]
    found: list[int] = []
    position = 0
    while position < len(value) and len(found) < 9:
        number, position = _varint(value, position)
        found.append(number)
    return found
