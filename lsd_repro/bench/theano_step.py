"""The contenders in Theano: which of our Ops take part is for ``THEANO_FLAGS`` to say."""

from typing import Any, Callable, Optional

import numpy as np

from lsd_repro.bench import problem
from lsd_repro.hints import Floats
from lsd_repro.network import vgg16
from lsd_repro.ops.compiling import compile_function
from lsd_repro.prior.energy import multiscale, patch_energy
from lsd_repro.program2015 import STREAM
from lsd_repro.runtime.load import T, theano
from lsd_repro.step.evaluate import to_graph
from lsd_repro.step.gradient import GradientStep
from lsd_repro.step.target import Classes
from lsd_repro.step.whole import symbolic_terms


def make(part: str, width: Optional[str], size: tuple[int, int]) -> Callable[[], float]:
    """Compile a part of the stream's step.

    Parameters
    ----------
    part : {"network", "prior", "whole"}
        Class term and its gradient, the prior's term and its gradient, or
        `GradientStep.step`.
    width : {"shipped", "full"}
        Of the network.
    size : (width, height)
        Of the picture.

    Returns
    -------
    function
        Computes the part once and returns its term of the loss.
    """
    if part != "whole":
        compute = value_and_gradient(part, width, size)
        return lambda: float(compute()[0])
    step = GradientStep(problem.network(width), multiscale(patch_energy(problem.prior()), STREAM.prior_scales),
                        problem.picture(size), STREAM.learning_rate, STREAM.prior_strength, STREAM.network_scales)
    return lambda: step.step(*problem.CLASSES).loss


def value_and_gradient(part: str, width: Optional[str], size: tuple[int, int]) -> Callable[[], list[Floats]]:
    """Compile "network" or "prior": a function that returns its term of the loss and the gradient."""
    width_in_pixels, height = size
    picture = problem.picture(size)
    x = theano.shared(to_graph(picture, "float32"), broadcastable=(True, False, False, False))
    energy = multiscale(patch_energy(problem.prior()), STREAM.prior_scales)
    fixed = {}
    if part == "prior":
        strength: Any = np.float32(STREAM.prior_strength)  # numpy leaves the product to Theano, which its hints don't know
        term = strength * energy(x)
    else:
        network = problem.network(width)
        layers = vgg16.build(network)
        fixed = vgg16.fixed_filters(layers)
        term = symbolic_terms(x, (height, width_in_pixels), network, layers, energy, Classes(*problem.CLASSES),
                              STREAM.prior_strength, STREAM.network_scales).class_term
    return compile_function([], [term, T.grad(term, x)], givens=fixed)
