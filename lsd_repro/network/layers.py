"""The layers of a VGG-16 or VGG-19 up to the logits: the one table of them, which all others read (no Theano).

================  ============================================================
`LayerSpec`       what one layer is
`vgg_layers`      the table
`convolutions`    its layers with parameters; `weight_layers_of`, their names
`map_side`        how long a side of a picture is when it has passed them
`least_side`      how small a picture can be for them
================  ============================================================
"""

from collections.abc import Sequence
from typing import NamedTuple, Optional, TypedDict

from lsd_repro.program2015 import VGG16_GROUPS, VGG19_GROUPS

# Convolutions before each max-pool, by the number of layers with parameters.
GROUPS = {16: VGG16_GROUPS, 19: VGG19_GROUPS}


class Size(TypedDict):
    """How large a network is: channels of the five groups, of fc6 and fc7, and of fc8; side of fc6's filters."""

    widths: tuple[int, ...]
    fc: int
    classes: int
    fc6: int


# As published.
FULL: Size = {"widths": (64, 128, 256, 512, 512), "fc": 4096, "classes": 1000, "fc6": 7}


class LayerSpec(NamedTuple):
    """A layer.

    Attributes
    ----------
    name : str
    kind : {"conv", "relu", "pool"}
        A max-pool, if it is one.
    into, channels : int
        Of the maps that it takes and makes.
    kernel : int
        Side of its filters, or of what it pools.
    pad : int
        Zeros before the first row (and column) and after the last.
    stride : int
        Between neighbours of the map that it makes, in the one that it takes.
    """

    name: str
    kind: str
    into: int
    channels: int
    kernel: int
    pad: int
    stride: int

    def map_side(self, side: int) -> int:
        """Rows (or columns) of the map that it makes of one with so many.

        2015 quirk: dropped odd rows.
        """
        return (side + 2 * self.pad - self.kernel) // self.stride + 1


def vgg_layers(groups: Sequence[int] = VGG16_GROUPS, channels: Optional[Sequence[int]] = None,
               fc6: int = FULL["fc6"]) -> tuple[LayerSpec, ...]:
    """The layers from ``conv1_1`` to ``fc8``.

    Parameters
    ----------
    groups : sequence of 5 int
        Convolutions before each max-pool, such as `VGG16_GROUPS`.
    channels : sequence of int, optional
        Of the map of each convolution, fc6 to fc8 included.  Default: as published.
    fc6 : int
        Side of fc6's filters.

    References
    ----------
    .. [1] K. Simonyan and A. Zisserman, Very Deep Convolutional Networks for
       Large-Scale Image Recognition, 2014 (configurations D and E).
    """
    left = iter(channels_of(groups, FULL["widths"], FULL["fc"], FULL["classes"]) if channels is None else channels)
    layers, into = [], 3

    def add(name, kind, channels, kernel, pad=0, stride=1):
        nonlocal into
        layers.append(LayerSpec(name, kind, into, channels, kernel, pad, stride))
        into = channels

    for group, count in enumerate(groups, 1):
        for i in range(1, count + 1):
            add(f"conv{group}_{i}", "conv", next(left), 3, pad=1)
            add(f"relu{group}_{i}", "relu", into, 1)
        add(f"pool{group}", "pool", into, 2, stride=2)
    for number, kernel in ((6, fc6), (7, 1)):
        add(f"fc{number}", "conv", next(left), kernel)
        add(f"relu{number}", "relu", into, 1)
    add("fc8", "conv", next(left), 1)
    return tuple(layers)


def channels_of(groups: Sequence[int], widths: Sequence[int], fc: int, classes: int) -> list[int]:
    """Channels of each convolution, from those of the five groups, of fc6 and fc7, and of fc8."""
    return [width for width, count in zip(widths, groups) for _ in range(count)] + [fc, fc, classes]


def convolutions(layers: Sequence[LayerSpec]) -> tuple[LayerSpec, ...]:
    """Those that have parameters, in the order of `NetworkWeights.weights`."""
    return tuple(layer for layer in layers if layer.kind == "conv")


def weight_layers_of(groups: Sequence[int]) -> tuple[str, ...]:
    """Names of the layers that have parameters, in the order of `NetworkWeights.weights`."""
    return tuple(layer.name for layer in convolutions(vgg_layers(groups)))


def map_side(layers: Sequence[LayerSpec], side: int) -> int:
    """Rows (or columns) of the last layer's map, for so many in the picture; less than 1 if it is too small."""
    for layer in layers:
        side = layer.map_side(side)
    return side


def least_side(layers: Sequence[LayerSpec], last: str = "fc8") -> int:
    """The smallest width or height, in pixels, of which a layer's map has an entry."""
    side = 1
    for layer in reversed(layers[:[layer.name for layer in layers].index(last) + 1]):
        side = (side - 1) * layer.stride + layer.kernel - 2 * layer.pad
    return side
