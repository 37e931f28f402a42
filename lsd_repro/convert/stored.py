"""What a file claims to hold, and reading it if that makes a network."""

import math
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple

import numpy as np

from lsd_repro.errors import InputError
from lsd_repro.hints import Floats
from lsd_repro.network.layers import GROUPS, weight_layers_of
from lsd_repro.network.weights import check_shapes

# The most parameters that are read; VGG-19 has 143,667,240.
MAX_PARAMETERS = 200_000_000
FORMATS = "Keras's .h5, Caffe's .caffemodel, Frossard's .npz, PyTorch's .pth and .safetensors, MATLAB 7.3's .mat"
KINDS = f"a VGG-16 or VGG-19 is read from {FORMATS}"
TOP = ["fc6", "fc7", "fc8"]


class Array(NamedTuple):
    """An array in a file, not read yet.

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy.dtype
    read : callable
        Returns the array.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    read: Callable[[], Floats]


class Stored(NamedTuple):
    """The layers in a file, and in which conventions.

    Attributes
    ----------
    arrays : dict of str to (Array, Array)
        Weights and biases by layer, such as ``conv1_1``; those that are there.
    channels_last : bool
        True: (height, width, in, out) and (in, out), fc6's inputs being in the order rows,
        columns, channels, as Keras and TensorFlow have them.  False: (out, in, height, width)
        and (out, in), in the order channels, rows, columns, as Caffe and PyTorch do.
    order : {"BGR", "RGB"}
        Of the colours that files of this kind take.
    normalised : bool
        Whether they take 0..1, centred and divided colour by colour (torchvision), and not
        grey levels minus their mean.
    where : str
        Of what part of the file, if it holds more than the network.
    """

    arrays: dict[str, tuple[Array, Array]]
    channels_last: bool
    order: str
    normalised: bool = False
    where: str = ""


def quoted(name: str) -> str:
    """A name from a file, for a message of one line."""
    return repr(name if len(name) <= 80 else name[:77] + "...")


def only_one(parts: Mapping[str, Mapping[str, Any]]) -> str:
    """Find the part of a file that is a whole VGG.

    Parameters
    ----------
    parts : mapping of str to mapping
        Layers such as ``conv1_1`` by the part that they belong to; at least one part.

    Returns
    -------
    str
        The part; if none is whole, that with most layers.

    Raises
    ------
    InputError
        If there are two.
    """
    whole = [where for where, layers in parts.items() if not _missing(layers)]
    if len(whole) > 1:
        places = ", ".join(quoted(where) if where else "the top level" for where in whole[:4])
        raise InputError(f"holds {len(whole)} VGGs ({places}{', ...' if len(whole) > 4 else ''}): "
                         "save the one that is meant in a file of its own")
    return whole[0] if whole else max(parts, key=lambda where: len(parts[where]))


def read_layers(stored: Stored) -> tuple[tuple[Floats, ...], tuple[Floats, ...]]:
    """Read all layers, once their shapes are known to be a VGG's.

    Parameters
    ----------
    stored : Stored

    Returns
    -------
    weights, biases : tuple of arrays
        float32, (out, in, height, width) in C order, and (out,); the colours as they are.

    Raises
    ------
    InputError
        If a layer is missing, has another shape, is no floating-point array, or all together are too large.
    """
    names, missing = _names(stored.arrays), _missing(stored.arrays)
    if missing == TOP:
        raise InputError("fc6, fc7 and fc8 are missing: this is the network without its top, which knows no classes; "
                         "the file with top is wanted (Keras's without 'notop' in its name)")
    if missing:
        raise InputError(f"no VGG-{len(names)}: {', '.join(missing[:3])}{' and more' if missing[3:] else ''} not found")
    shapes, channels = [], 3
    for name in names:
        shapes.append(_shape(name, stored, channels))
        channels = shapes[-1][0]
    arrays = [stored.arrays[name] for name in names]
    check_shapes(shapes, [biases.shape for _, biases in arrays], KINDS)
    total = sum(math.prod(array.shape) for pair in arrays for array in pair)
    if total > MAX_PARAMETERS:
        raise InputError(f"has {total:,} parameters, and a VGG-19 only 143,667,240: not read")
    return (tuple(_oihw(weights, shape, stored.channels_last) for (weights, _), shape in zip(arrays, shapes)),
            tuple(_single(biases.read()) for _, biases in arrays))


def _names(layers):
    return weight_layers_of(GROUPS[19 if "conv5_4" in layers else 16])


def _missing(layers):
    return [name for name in _names(layers) if name not in layers]


def _shape(name, stored, channels):
    """The (out, in, height, width) that a layer's weights come to, after one with so many channels."""
    for what, array in zip(("weights", "biases"), stored.arrays[name]):
        if array.dtype.kind != "f":
            raise InputError(f"{name}: {what} are of type {array.dtype} and no floating-point numbers")
    shape, biases = (tuple(array.shape) for array in stored.arrays[name])
    if len(shape) not in (2, 4) or 0 in shape:
        raise InputError(f"{name}: weights have shape {shape}; {KINDS}")
    if biases != (shape[-1 if stored.channels_last else 0],):
        raise InputError(f"{name}: weights have shape {shape}, but biases {biases}; {KINDS}")
    if len(shape) == 2:
        out, into = shape[::-1] if stored.channels_last else shape
        side = math.isqrt(into // channels) if name == "fc6" else 1
        if into != side * side * channels:
            raise InputError(f"no VGG: {name} takes {into} inputs, "
                             f"which {channels} channels{' of a square' if name == 'fc6' else ''} don't make")
        return out, channels, side, side
    if stored.channels_last:
        height, width, into, out = shape
        return out, into, height, width
    return shape


def _oihw(array, shape, channels_last):
    """Read weights of a known shape as (out, in, height, width)."""
    found = array.read()
    if channels_last:
        out, into, height, width = shape
        return _single(found.reshape(height, width, into, out).transpose(3, 2, 0, 1))
    return _single(found.reshape(shape))


def _single(array):
    with np.errstate(over="ignore"):  # a later check reports infinities
        return np.ascontiguousarray(array, np.float32)
