"""What each layer of a VGG-16 or VGG-19 does to the size of its maps, and how much of the picture it sees (no Theano).

=================  ==========================================================
`layer_table`      the layers with their sizes, strides and receptive fields
`layer_named`      one of them
`least_side`       how small a picture can be for it
`layer_named`      one of them, of a picture that is large enough for it
`as_text`          the same, to print
`seen`             the pixels that one entry of a map can depend on
`side_within`      how large a square around its middle holds most of a gradient
=================  ==========================================================
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lsd_repro.errors import InputError
from lsd_repro.network.weights import NetworkWeights, layers_of


class Layer(NamedTuple):
    """A layer with parameters, or a max-pool.

    Attributes
    ----------
    name : str
    kernel : int
        Side of its filters, or of what it pools.
    channels, rows, columns : int
        Of its map.
    stride : int
        Pixels of the picture between neighbours in the map.
    field : int
        Side of the receptive field: the pixels of the picture that an entry can depend on.
    start : int
        First row (and column) of the first entry's field; negative in the padding.
    parameters : int
    """

    name: str
    kernel: int
    channels: int
    rows: int
    columns: int
    stride: int
    field: int
    start: int
    parameters: int


def layer_table(network: NetworkWeights, height: int, width: int) -> list[Layer]:
    """The layers of a network, for a picture of some size.

    Parameters
    ----------
    network : NetworkWeights
    height, width : int
        Of the picture, in pixels.

    Returns
    -------
    list of Layer
        From ``conv1_1`` to ``fc8``.
    """
    layers = []
    parameters = zip(network.weights, network.biases)
    channels, rows, columns, stride, field, start = 3, height, width, 1, 1, 0
    for name, kind in layers_of(network.groups):
        if kind == "relu":
            continue
        weight, bias = next(parameters) if kind == "conv" else (np.empty((channels, 0, 2, 2)), np.empty(0))
        channels, _, kernel, _ = weight.shape
        pad = 1 if name.startswith("conv") else 0
        field += (kernel - 1) * stride
        start -= pad * stride
        if kind == "pool":
            stride, rows, columns = 2 * stride, rows // 2, columns // 2
        else:
            rows, columns = rows + 2 * pad - kernel + 1, columns + 2 * pad - kernel + 1
        layers.append(Layer(name, kernel, channels, rows, columns, stride, field, start, weight.size + bias.size))
    return layers


def layer_named(network: NetworkWeights, name: str, height: int, width: int) -> Layer:
    """One of the layers, by its name.

    Parameters
    ----------
    network : NetworkWeights
    name : str
    height, width : int
        Of the picture, in pixels.

    Returns
    -------
    Layer

    Raises
    ------
    InputError
        If there is no such layer, or the picture is too small for a single entry of its map.
    """
    layers = {layer.name: layer for layer in layer_table(network, height, width)}
    if name not in layers:
        raise InputError(f"the network has no layer {name[:60]!r}: it has {', '.join(layers)}")
    if min(layers[name].rows, layers[name].columns) < 1:
        least = least_side(network, name)
        raise InputError(f"a {width}x{height} picture is too small for {name} of this network: it needs at least {least}x{least}")
    return layers[name]


def least_side(network: NetworkWeights, name: str) -> int:
    """The smallest width or height, in pixels, of which a layer's map has an entry."""
    # fc6 takes as many entries off as its filters are wide, less one: of no picture at all, too.
    layer, = (layer for layer in layer_table(network, 0, 0) if layer.name == name)
    return layer.stride * (1 - layer.rows)


def as_text(layers: Sequence[Layer]) -> str:
    """The layers as lines of text: map, stride, receptive field and parameters of each."""
    lines = [f"{'layer':8} {'kernel':>6}  {'map':>14}  {'stride':>6}  {'sees':>9}  {'parameters':>11}"]
    for layer in layers:
        shape = f"{layer.channels} x {layer.rows} x {layer.columns}"
        lines.append(f"{layer.name:8} {layer.kernel:>4}x{layer.kernel}  {shape:>14}  {layer.stride:>6}  "
                     f"{f'{layer.field}x{layer.field}':>9}  {layer.parameters:>11,}")
    return "\n".join(lines)


def seen(layer: Layer, row: int, column: int) -> tuple[int, int, int, int]:
    """The receptive field of one entry of a layer's map.

    Returns
    -------
    top, left, bottom, right : int
        Pixels from top to bottom - 1 and from left to right - 1; some may lie outside of
        the picture.
    """
    top, left = (layer.start + index * layer.stride for index in (row, column))
    return top, left, top + layer.field, left + layer.field


def side_within(gradient: np.ndarray, box: tuple[int, int, int, int], share: float) -> float:
    """Side of the smallest square, concentric with a box, that holds a share of a gradient.

    Parameters
    ----------
    gradient : array, shape (height, width, 3)
    box : (top, left, bottom, right)
        As from `seen`.
    share : float
        Of the sum of squares.

    Returns
    -------
    float
        In pixels.
    """
    power = (np.asarray(gradient, np.float64) ** 2).sum(axis=2)
    top, left, bottom, right = box
    down, across = np.indices(power.shape) + 0.5
    distance = np.maximum(abs(down - (top + bottom) / 2), abs(across - (left + right) / 2))
    order = np.argsort(distance, axis=None)
    reached = np.searchsorted(np.cumsum(power.ravel()[order]), share * power.sum())
    # Half a pixel, as a pixel is in the square as a whole.
    return 2 * float(distance.ravel()[order[reached]]) + 1
