"""A VGG-16 or VGG-19 with seeded random weights: for measurements and tests, where the trained one is not needed."""

from collections.abc import Sequence

import numpy as np

from lsd_repro.network.layers import channels_of, convolutions, vgg_layers
from lsd_repro.network.weights import NetworkWeights
from lsd_repro.program2015 import VGG16_GROUPS


def weight_shapes(widths: Sequence[int], fc: int, classes: int, fc6: int,
                  groups: Sequence[int] = VGG16_GROUPS) -> list[tuple[int, ...]]:
    """Shapes (out, in, height, width) of the arrays of weights.

    Parameters
    ----------
    widths : sequence of 5 int
        Channels of the five groups of convolutions.
    fc, classes : int
        Outputs of fc6 and fc7, and of fc8.
    fc6 : int
        Height and width of fc6's filters.
    groups : tuple of 5 int
        Convolutions in each group.
    """
    layers = vgg_layers(groups, channels_of(groups, widths, fc, classes), fc6)
    return [(layer.channels, layer.into, layer.kernel, layer.kernel) for layer in convolutions(layers)]


def random_network(rng: np.random.Generator, widths: Sequence[int], fc: int, classes: int, fc6: int,
                   groups: Sequence[int] = VGG16_GROUPS) -> NetworkWeights:
    """Make a `NetworkWeights`; He-scaled, so that signals keep their size on the way up.

    Parameters
    ----------
    rng : numpy.random.Generator
    widths, fc, classes, fc6, groups
        As for `weight_shapes`.
    """
    shapes = weight_shapes(widths, fc, classes, fc6, groups)
    return NetworkWeights(
        weights=tuple((rng.standard_normal(shape, np.float32) * np.float32(np.sqrt(2 / np.prod(shape[1:]))))
                      for shape in shapes),
        biases=tuple(rng.standard_normal(shape[0], np.float32) * np.float32(0.1) for shape in shapes),
        average_image=rng.uniform(90, 140, (8, 8, 3)).astype(np.float32),
        descriptions=tuple(f"creature {i}, beast number {i}" for i in range(classes)),
        names=tuple(f"n{i:08d}" for i in range(classes)))
