"""What a file claims to hold, and reading it if that makes a network."""

import math
from typing import Any, Callable, NamedTuple

import numpy as np

from lsd_repro.errors import InputError
from lsd_repro.hints import Floats
from lsd_repro.network.layers import GROUPS, weight_layers_of
from lsd_repro.network.weights import check_shapes

# The most parameters that are read; VGG-19 has 143,667,240.
MAX_PARAMETERS = 200_000_000
KINDS = "the help of 'lsd-repro convert' says which files are read"
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
    """

    arrays: dict[str, tuple[Array, Array]]
    channels_last: bool
    order: str
    normalised: bool = False


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
    names = weight_layers_of(GROUPS[19 if "conv5_4" in stored.arrays else 16])
    missing = [name for name in names if name not in stored.arrays]
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
