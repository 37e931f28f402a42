"""What each layer of a VGG-16 or VGG-19 does to the size of its maps, and how much of the picture it sees (no Theano).

=================  ==========================================================
`layer_table`      the layers with their sizes, strides and receptive fields
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
from lsd_repro.hints import Floats
from lsd_repro.network.layers import least_side
from lsd_repro.network.weights import NetworkWeights


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
    rows, columns, stride, field, start = height, width, 1, 1, 0
    for spec in network.layers:
        if spec.kind == "relu":
            continue
        rows, columns = spec.map_side(rows), spec.map_side(columns)
        field += (spec.kernel - 1) * stride
        start -= spec.pad * stride
        stride *= spec.stride
        parameters = spec.channels * (spec.into * spec.kernel ** 2 + 1) if spec.kind == "conv" else 0
        layers.append(Layer(spec.name, spec.kernel, spec.channels, rows, columns, stride, field, start, parameters))
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
        least = least_side(network.layers, name)
        raise InputError(f"a {width}x{height} picture is too small for {name} of this network: it needs at least {least}x{least}")
    return layers[name]


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


def side_within(gradient: Floats, box: tuple[int, int, int, int], share: float) -> float:
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
