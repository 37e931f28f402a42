"""What a VGG-16 or VGG-19 is made of, and the checks of it (no Theano).

==================  ========================================================
`NetworkWeights`    the arrays of a network and the names of its classes
`check`             raises an InputError unless this is such a network
`check_shapes`      the same from shapes alone, before anything is read
==================  ========================================================
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lsd_repro.errors import InputError
from lsd_repro.hints import Floats
from lsd_repro.material.arrays import digest
from lsd_repro.network.layers import GROUPS, LayerSpec, convolutions, vgg_layers


@dataclass(frozen=True, eq=False)
class NetworkWeights:
    """The parameters of a VGG-16 or VGG-19 of any width, and what its classes are called.

    Attributes
    ----------
    weights : tuple of 16 or 19 arrays
        float32, C order, as Lasagne has them: (out, in, height, width), to be
        applied as cross-correlations.  The last three are fc6, fc7 and fc8.
    biases : tuple of as many arrays
        float32, (out,).
    average_image : array
        float32, (height, width, 3) or (1, 1, 3), RGB in 0..255.
    descriptions : tuple of str
        One for each class, such as ``"spider web, spider's web"``.
    names : tuple of str
        WordNet ids such as ``"n04275548"``, one for each class, or empty.
    """

    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]
    average_image: Floats
    descriptions: tuple[str, ...]
    names: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[int, ...]:
        """tuple of 5 int: convolutions before each max-pool; tells VGG-16 from VGG-19."""
        return GROUPS[len(self.weights)]

    @cached_property
    def digest(self) -> str:
        """str: SHA-256 of the parameters."""
        return digest(*self.weights, *self.biases, self.average_image)

    @cached_property
    def layers(self) -> tuple[LayerSpec, ...]:
        """tuple of LayerSpec: from ``conv1_1`` to ``fc8``."""
        return vgg_layers(self.groups, list(map(len, self.weights)), self.fc6_size)

    @property
    def fc6_size(self) -> int:
        """int: height and width of fc6's filters, 7 in the networks of 2014."""
        return self.weights[-3].shape[2]

    @property
    def mean(self) -> float:
        """float: what is subtracted from every pixel and channel.

        2015 quirk: scalar mean.  It is taken over all entries of the average image, not per
        channel; as in 2015 the sum is in float32 and in the order of the file (columns first),
        so that a file written and read back gives the same number to the last bit.
        """
        return float(self.average_image.ravel(order="F").mean(dtype=np.float32))

    @property
    def parameter_count(self) -> int:
        """int: weights and biases; 138,357,544 for the VGG-16 of 2014."""
        return sum(array.size for array in self.weights + self.biases)


def check(network: NetworkWeights, mend: str, damaged: str) -> None:
    """Check shapes and values of a network, naming the first layer at fault.

    Parameters
    ----------
    network : NetworkWeights
    mend, damaged : str
        What a message ends with: what file to take instead, and what to do about a broken one.

    Raises
    ------
    InputError
    """
    check_shapes([weights.shape for weights in network.weights], [biases.shape for biases in network.biases], mend)
    for layer, weights, biases in zip(convolutions(network.layers), network.weights, network.biases):
        for what, array in (("weights", weights), ("biases", biases)):
            _check_finite(array, f"{layer.name}: {what}", damaged)

    average = network.average_image
    if average.ndim != 3 or average.shape[2] != 3 or not average.size:
        raise InputError(f"the average image has shape {average.shape} and not (height, width, 3); {mend}")
    _check_finite(average, "the average image", damaged)
    classes = len(network.weights[-1])
    if len(network.descriptions) != classes:
        raise InputError(f"fc8 has {classes} classes, but {len(network.descriptions)} are described; {mend}")
    if network.names and len(network.names) != classes:
        raise InputError(f"fc8 has {classes} classes, but {len(network.names)} are named; {mend}")


def check_shapes(weights: Sequence[tuple[int, ...]], biases: Sequence[tuple[int, ...]], mend: str) -> None:
    """Check that arrays of these shapes make a VGG-16 or VGG-19; an InputError names the first layer at fault.

    Parameters
    ----------
    weights : sequence of (out, in, height, width)
    biases : sequence of (out,)
    mend : str
        See `check`.
    """
    if not (len(weights) == len(biases) and len(weights) in GROUPS):
        raise InputError(f"no VGG-16 or VGG-19: {len(weights)} weights and {len(biases)} biases, "
                         f"{' or '.join(map(str, GROUPS))} of each expected")
    kind, channels, before = f"no VGG-{len(weights)}", 3, "the RGB picture"
    for layer, shape, bias_shape in zip(convolutions(vgg_layers(GROUPS[len(weights)])), weights, biases):
        name = layer.name
        if len(shape) != 4 or 0 in shape:
            raise InputError(f"{name}: weights have shape {tuple(shape)} and not (out, in, height, width); {mend}")
        out, into, height, width = shape
        size = height if name == "fc6" else layer.kernel
        if (height, width) != (size, size):
            raise InputError(f"{kind}: {name} has {height}x{width} filters and not {size}x{size}; {mend}")
        if into != channels:
            raise InputError(f"{kind}: {name} takes {into} channels, but {before} has {channels}; {mend}")
        if tuple(bias_shape) != (out,):
            raise InputError(f"{name}: {out} filters but biases of shape {tuple(bias_shape)}; {mend}")
        channels, before = out, name


def _check_finite(array, what, damaged):
    # Least and largest value see every NaN and infinity, without a mask as large as the array.
    if not (np.isfinite(array.min()) and np.isfinite(array.max())):
        raise InputError(f"{what} hold NaN or infinity: damaged, or training diverged; {damaged}")
