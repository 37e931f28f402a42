"""What energies, networks and layers say of a picture, as compiled functions."""

from collections.abc import Sequence
from typing import Callable, Optional

import numpy as np

from lsd_repro.hints import Floats, Picture
from lsd_repro.network import vgg16
from lsd_repro.network.weights import NetworkWeights
from lsd_repro.ops.compiling import compile_function
from lsd_repro.prior.energy import Energy, multiscale, patch_energy
from lsd_repro.prior.store import PatchPrior
from lsd_repro.runtime.load import T, TensorVariable, theano
from lsd_repro.step.target import Guide, Target


def to_graph(picture: Picture, dtype: str) -> Floats:
    """(H, W, 3) picture -> (1, 3, H, W), contiguous."""
    return np.ascontiguousarray(np.asarray(picture, dtype).transpose(2, 0, 1)[np.newaxis])


def from_graph(x: Floats) -> Floats:
    """(1, 3, H, W) -> (H, W, 3) picture, contiguous."""
    return np.ascontiguousarray(x[0].transpose(1, 2, 0))


def compile_energies(energy: Energy, scales: Sequence[int],
                     dtype: str = "float32") -> Callable[[Picture], Floats]:
    """Compile an energy for pictures of any size, at each of several scales.

    Parameters
    ----------
    energy : function
        From a symbolic picture to a symbolic scalar.
    scales : sequence of int
        Mean-pooling factors.
    dtype : {"float32", "float64"}

    Returns
    -------
    function
        From a picture (height, width, 3) in 0..255 to an array of one energy per scale.
    """
    return _compile(lambda x: [multiscale(energy, [scale])(x) for scale in scales], dtype)


def compile_energy_map(prior: PatchPrior, dtype: str = "float32") -> Callable[[Picture], Floats]:
    """Compile the energy of a patch prior at every position.

    Parameters
    ----------
    prior : PatchPrior
    dtype : {"float32", "float64"}

    Returns
    -------
    function
        From a picture (height, width, 3) in 0..255 to an array
        (height - patch_size + 1, width - patch_size + 1), whose mean is the energy.
    """
    energy = patch_energy(prior)
    return _compile(lambda x: energy(x, axis=1)[0], dtype)


def compile_gradient(energy: Energy,
                     dtype: str = "float32") -> Callable[[Picture], Floats]:
    """Compile the gradient of an energy.

    Parameters
    ----------
    energy : function
        From a symbolic picture to a symbolic scalar.
    dtype : {"float32", "float64"}

    Returns
    -------
    function
        From a picture (height, width, 3) in 0..255 to an array (height, width, 3).
    """
    gradient = _compile(lambda x: T.grad(energy(x), x), dtype)
    return lambda picture: from_graph(gradient(picture))


def compile_logits(network: NetworkWeights,
                   expression: Callable[[TensorVariable, TensorVariable], TensorVariable] = lambda logits, x: logits[0],
                   inputs: Sequence[TensorVariable] = ()) -> Callable[..., Floats]:
    """Compile the class logits of a network, or what an expression makes of them.

    Parameters
    ----------
    network : NetworkWeights
    expression : function
        From symbolic logits (1, classes, rows, columns) and the symbolic picture that they are of to a symbolic result.
    inputs : sequence of symbolic variables
        What else `expression` contains.

    Returns
    -------
    function
        From a picture (height, width, 3) in 0..255, and values of `inputs`, to an array; left to itself
        (classes, rows, columns).
    """
    def result(layers, x):
        return expression(vgg16.class_logits(layers, x, network.mean), x)

    with theano.config.change_flags(floatX="float32"):
        return _compile_seen(network, result, inputs)


def guide_map(target: Target, network: NetworkWeights) -> Optional[Floats]:
    """What the layer shows of a guide's picture, (channels, rows, columns) in Theano's floatX; None for another target."""
    if not isinstance(target, Guide):
        return None
    return _compile_seen(network, lambda layers, x: vgg16.layer_map(layers, target.layer, x, network.mean)[0])(target.picture)


def _compile_seen(network, expression, inputs=()):
    """Compile what a function makes of a network's layers and a symbolic picture, in floatX."""
    dtype = theano.config.floatX
    x = T.TensorType(dtype, (True, False, False, False))("x")
    layers = vgg16.build(network)
    function = compile_function([x, *inputs], expression(layers, x), givens=vgg16.fixed_filters(layers))
    return lambda picture, *values: function(to_graph(picture, dtype), *values)


def _compile(expressions, dtype):
    """Compile what a function makes of a symbolic picture."""
    with theano.config.change_flags(floatX=dtype):
        x = T.TensorType(dtype, (True, False, False, False))("x")
        function = compile_function([x], expressions(x))
    return lambda picture: np.asarray(function(to_graph(picture, dtype)))
