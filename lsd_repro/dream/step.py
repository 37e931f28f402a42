"""The gradient step: built once, compiled once, holding the picture and Adam's moments."""

from typing import NamedTuple

import numpy as np

from lsd_repro.dream.adam import adam2015
from lsd_repro.dream.objective import class_term, target_logit
from lsd_repro.network import vgg16
from lsd_repro.prior.energy import check_scales, mean_pool, multiscale_energy
from lsd_repro.stack import T, theano


class Moments(NamedTuple):
    """Adam's shared variables: first and second moment, and the number of the next step."""

    m: object
    v: object
    t: object


class Terms(NamedTuple):
    """The loss of a picture and what it is made of; symbolic, or numbers.

    Attributes
    ----------
    loss : scalar
        ``class_term + prior_term``.
    class_term : scalar
        Mean over network scales.
    prior_term : scalar
        Prior strength times the energy.
    target : scalar
        Mean logit of the classes aimed at, over their halves and the network scales.
    """

    loss: object
    class_term: object
    prior_term: object
    target: object


def to_graph(picture, dtype):
    """(H, W, 3) picture -> (1, 3, H, W), contiguous."""
    return np.ascontiguousarray(np.asarray(picture, dtype).transpose(2, 0, 1)[np.newaxis])


def from_graph(x):
    """(1, 3, H, W) -> (H, W, 3) picture, contiguous."""
    return np.ascontiguousarray(x[0].transpose(1, 2, 0))


def check_size(height, width, fc6_size, prior_scales, network_scales):
    """Refuse, before anything is compiled, a picture too small for a scale or the network.

    Raises
    ------
    InputError
    """
    check_scales(height, width, prior_scales)
    for scale in network_scales:
        vgg16.map_size(height // scale, width // scale, fc6_size)


def symbolic_terms(x, size, network, layers, prior, c0, c1, prior_strength, prior_scales, network_scales):
    """The loss of a picture, from network and prior.

    Parameters
    ----------
    x : symbolic tensor, shape (1, 3, height, width)
    size : (height, width)
    network : NetworkWeights
    layers : OrderedDict
        From `lsd_repro.network.vgg16.build`.
    prior : PatchPrior
    c0, c1 : symbolic int
        Classes of the bottom and the top half.
    prior_strength : float
    prior_scales, network_scales : sequence of int

    Returns
    -------
    Terms
    """
    fc6_size = network.weights[13].shape[2]
    full_rows, _ = vgg16.map_size(*size, fc6_size)
    class_terms, targets = [], []
    for scale in network_scales:
        rows, _ = vgg16.map_size(size[0] // scale, size[1] // scale, fc6_size)
        logits = vgg16.class_logits(layers, mean_pool(x, scale), network.mean)
        targets.append(target_logit(logits, rows, c0, c1, full_rows))
        class_terms.append(class_term(logits, targets[-1]))
    network_part = sum(class_terms) / float(len(class_terms))
    prior_part = prior_strength * multiscale_energy(x, prior, prior_scales)
    return Terms(network_part + prior_part, network_part, prior_part, sum(targets) / (2.0 * len(targets)))


class GradientStep:
    """A picture, and steps of the 2015 Adam on it.

    Parameters
    ----------
    network : NetworkWeights
    prior : PatchPrior
    picture : ndarray, shape (height, width, 3)
        Start, in 0..255.
    learning_rate : float
        In grey levels.
    prior_strength : float
    prior_scales, network_scales : sequence of int
        Mean-pooling factors at which prior and network see the picture.
    dtype : {"float32", "float64"}

    Raises
    ------
    InputError
        If the picture is too small for the network or for a scale.
    """

    def __init__(self, network, prior, picture, learning_rate, prior_strength, prior_scales,
                 network_scales, dtype="float32"):
        size = picture.shape[:2]
        check_size(*size, network.weights[13].shape[2], prior_scales, network_scales)
        self.dtype = dtype
        with theano.config.change_flags(floatX=dtype):
            start = to_graph(picture, dtype)
            self._x = theano.shared(start, "x", broadcastable=(True, False, False, False))
            zeros = np.zeros_like(start)
            self._moments = Moments(
                theano.shared(zeros, "m", broadcastable=self._x.broadcastable),
                theano.shared(zeros, "v", broadcastable=self._x.broadcastable),
                theano.shared(np.asarray(1, dtype), "t"))
            self._classes = T.iscalar("c0"), T.iscalar("c1")
            layers = vgg16.build(network)
            self._terms = symbolic_terms(self._x, size, network, layers, prior, *self._classes,
                                         prior_strength, prior_scales, network_scales)
            self._gradient = T.grad(self._terms.loss, self._x)
            self._logits = vgg16.class_logits(layers, self._x, network.mean)
            updates = adam2015(self._gradient, self._x, self._moments, learning_rate)
            # In the stills no half is left for c0 (see `target_logit`).
            self._step = theano.function(self._classes, list(self._terms), updates=updates,
                                         on_unused_input="ignore")

    def step(self, c0, c1):
        """Take one step towards class c0 in the bottom half and c1 in the top half.

        Returns
        -------
        Terms
            Of the picture before the step, as the 2015 program printed them.
        """
        return Terms(*map(float, self._step(c0, c1)))

    def evaluate(self, c0, c1):
        """What a step would see, without taking it.

        Returns
        -------
        terms : Terms
        gradient : ndarray, shape (1, 3, height, width)
        logits : ndarray, shape (1, classes, rows, columns)
            Of the unpooled picture.
        """
        with theano.config.change_flags(floatX=self.dtype):
            function = theano.function(self._classes, [*self._terms, self._gradient, self._logits],
                                       on_unused_input="ignore")
        *terms, gradient, logits = function(c0, c1)
        return Terms(*map(float, terms)), gradient, logits

    @property
    def picture(self):
        """(height, width, 3) array in 0..255; setting it leaves the moments as they are."""
        return from_graph(self._x.get_value(borrow=True))

    @picture.setter
    def picture(self, picture):
        self._x.set_value(to_graph(picture, self.dtype))

    def reset_moments(self):
        """Start Adam afresh, as the stream did at every frame."""
        m, v, t = self._moments
        for moment in (m, v):
            moment.set_value(np.zeros_like(moment.get_value(borrow=True)))
        t.set_value(np.asarray(1, self.dtype))

    def state(self):
        """Picture and moments as a dict of arrays, for `restore`."""
        return {variable.name: variable.get_value() for variable in (self._x, *self._moments)}

    def restore(self, state):
        """Go on, to the bit, from what `state` returned."""
        for variable in (self._x, *self._moments):
            variable.set_value(np.asarray(state[variable.name], self.dtype))


def energies(picture, prior, scales, dtype="float32"):
    """Energy of a picture under a prior at each scale.

    Parameters
    ----------
    picture : ndarray, shape (height, width, 3)
        In 0..255.
    prior : PatchPrior
    scales : sequence of int

    Returns
    -------
    list of float
    """
    check_scales(*picture.shape[:2], scales)
    with theano.config.change_flags(floatX=dtype):
        x = T.tensor4("x", dtype)
        function = theano.function([x], [multiscale_energy(x, prior, [scale]) for scale in scales])
        return [float(value) for value in function(to_graph(picture, dtype))]
