"""The gradient step: built once, compiled once, holding the picture and Adam's moments."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Callable, NamedTuple, Optional, Protocol, Union

import numpy as np

from lsd_repro.hints import Array, Floats, Picture
from lsd_repro.network import vgg16
from lsd_repro.network.receptive import layer_named
from lsd_repro.network.weights import NetworkWeights
from lsd_repro.ops.compiling import compile_function
from lsd_repro.prior.energy import Energy, mean_pool, multiscale, patch_energy
from lsd_repro.prior.store import PatchPrior
from lsd_repro.runtime.load import T, TensorVariable, theano
from lsd_repro.step import activation
from lsd_repro.step.adam import Moments, Update, adam2015
from lsd_repro.step.objective import Aim, Objective, aim_2015, aim_own_halves, class_term
from lsd_repro.step.target import CLASSES, Channel, Classes, Guide, Target, numbers_for


class Terms(NamedTuple):
    """The loss of a picture and what it is made of; symbolic, or numbers.

    Attributes
    ----------
    loss : scalar
        ``class_term + prior_term``.
    class_term : scalar
        What the network adds: the mean over network scales.
    prior_term : scalar
        Prior strength times the energy.
    target : scalar
        Mean logit of the classes aimed at, over their halves and the network scales; or the activation of a layer.
    """

    loss: float
    class_term: float
    prior_term: float
    target: float


class SymbolicTerms(NamedTuple):
    """`Terms`, before they are computed."""

    loss: TensorVariable
    class_term: TensorVariable
    prior_term: TensorVariable
    target: TensorVariable


def to_graph(picture: Picture, dtype: str) -> Floats:
    """(H, W, 3) picture -> (1, 3, H, W), contiguous."""
    return np.ascontiguousarray(np.asarray(picture, dtype).transpose(2, 0, 1)[np.newaxis])


def from_graph(x: Floats) -> Floats:
    """(1, 3, H, W) -> (H, W, 3) picture, contiguous."""
    return np.ascontiguousarray(x[0].transpose(1, 2, 0))


def symbolic(target: Target) -> Target:
    """A target with symbolic integers for its numbers, from which a graph for others like it can be built."""
    if isinstance(target, Classes):
        return Classes(T.iscalar("bottom"), T.iscalar("top"))
    return replace(target, number=T.iscalar("channel")) if isinstance(target, Channel) else target


def symbolic_terms(x: TensorVariable, size: tuple[int, int], network: NetworkWeights, layers: OrderedDict[str, Any],
                   energy: Energy, target: Target, prior_strength: Union[float, TensorVariable],
                   network_scales: Sequence[Union[int, TensorVariable]],
                   objective: Objective = class_term, shown: Optional[Floats] = None) -> SymbolicTerms:
    """The loss of a picture, from network and prior.

    Parameters
    ----------
    x : symbolic tensor, shape (1, 3, height, width)
    size : (height, width)
    network : NetworkWeights
    layers : OrderedDict
        From `lsd_repro.network.vgg16.build`.
    energy : function
        From a symbolic picture to a symbolic scalar; see `lsd_repro.prior.energy`.
    target : Target
        What to raise; its numbers may be symbolic.
    prior_strength : symbolic scalar or float
    network_scales : sequence of int or symbolic int
        A number fixes where 2015 would cut the map; see `cut_2015`. A symbolic one can change
        from step to step, and its maps are cut at their own middle.
    objective : function
        From logits and an Aim to a symbolic scalar; see `lsd_repro.step.objective`.  For classes.
    shown : ndarray, optional
        From `guide_map`.

    Returns
    -------
    Terms
    """
    pooled = [mean_pool(x, scale) for scale in network_scales]
    if not isinstance(target, Classes):
        scores = activation.scores(target, network, layers, shown)
        targets = [activation.value(target, scores(seen).mean()) for seen in pooled]
        class_terms = [-value for value in targets]
    else:
        aims = [_aim(size, network.fc6_size, target, scale) for scale in network_scales]
        logits = [vgg16.class_logits(layers, seen, network.mean) for seen in pooled]
        targets = [aim(scores) / float(len(aim.halves)) for aim, scores in zip(aims, logits)]
        class_terms = [objective(scores, aim) for aim, scores in zip(aims, logits)]
    # Neither sum is a plain 0: there is at least one scale.
    network_part: Any = sum(class_terms) / float(len(class_terms))
    raised: Any = sum(targets) / float(len(targets))
    prior_part = prior_strength * energy(x)
    return SymbolicTerms(network_part + prior_part, network_part, prior_part, raised)


def _aim(size: tuple[int, int], fc6_size: int, target: Classes, scale: Union[int, TensorVariable]) -> Aim:
    """Where a target lies in the map at a network scale."""
    full_rows, _ = vgg16.map_size(*size, fc6_size)
    if not isinstance(scale, int):
        return aim_own_halves(target)
    rows, _ = vgg16.map_size(size[0] // scale, size[1] // scale, fc6_size)
    return aim_2015(target, rows, full_rows)


class Step(Protocol):
    """What whoever drives a step needs of it: `GradientStep` and `lsd_repro.step.tiled.TiledStep` have it."""

    dtype: str
    picture: Picture
    learning_rate: float
    prior_strength: float
    network_scale: int

    def step(self, *aim: Union[Target, int]) -> Terms:
        """As `GradientStep.step`."""

    def evaluate(self, *aim: Union[Target, int]) -> tuple[Terms, Floats, Floats]:
        """As `GradientStep.evaluate`."""

    def reset_moments(self) -> None:
        """As `GradientStep.reset_moments`."""

    def state(self) -> dict[str, Array]:
        """As `GradientStep.state`."""

    def restore(self, state: dict[str, Array]) -> None:
        """As `GradientStep.restore`."""


class GradientStep:
    """A picture, and steps of the 2015 Adam on it.

    Parameters
    ----------
    network : NetworkWeights
    energy : function
        The prior: from a symbolic picture to a symbolic scalar, such as
        `lsd_repro.prior.energy.multiscale` returns.  Whether the picture is large
        enough for its scales is up to the caller to check (`check_scales`).
    picture : ndarray, shape (height, width, 3)
        Start, in 0..255.
    learning_rate : float
        In grey levels; can be set later, too.
    prior_strength : float
        Weight of the energy in the loss; can also be set later.
    network_scales : sequence of int, or None
        Mean-pooling factors at which the network sees the picture. None: at one alone, `network_scale`,
        which can be set between steps (not of 2015).
    dtype : {"float32", "float64"}
    objective : function
        The class term, from `lsd_repro.step.objective`.
    update : function
        How a gradient becomes a step, from `lsd_repro.step.adam`.
    target : Target
        What kind of target it is compiled for: any two classes, any channel of a layer, a layer, or a guide (only
        the first is of 2015's stream).

    Raises
    ------
    InputError
        If the picture is too small for the network, or for that layer.
    """

    def __init__(self, network: NetworkWeights, energy: Energy, picture: Picture,
                 learning_rate: float, prior_strength: float, network_scales: Optional[Sequence[int]] = (1,),
                 dtype: str = "float32", objective: Objective = class_term,
                 update: Update = adam2015, target: Target = CLASSES) -> None:
        size = picture.shape[:2]
        self.dtype = dtype
        self._network, self._target = network, target
        for scale in network_scales or [1]:
            layer_named(network, target.layer, *(side // scale for side in size))
        self._scale = theano.shared(np.int64(1), "network_scale")
        with theano.config.change_flags(floatX=dtype):
            start = to_graph(picture, dtype)
            self._x = theano.shared(start, "x", broadcastable=(True, False, False, False))
            zeros = np.zeros_like(start)
            self._moments = Moments(
                theano.shared(zeros, "m", broadcastable=self._x.broadcastable),
                theano.shared(zeros, "v", broadcastable=self._x.broadcastable),
                theano.shared(np.asarray(1, dtype), "t"))
            raised = symbolic(target)
            self._numbers = raised.numbers
            self._strength = theano.shared(np.asarray(prior_strength, dtype), "prior_strength")
            layers = vgg16.build(network)
            self._terms = symbolic_terms(self._x, (size[0], size[1]), network, layers, energy, raised, self._strength,
                                         network_scales or [self._scale], objective, guide_map(target, network))
            self._gradient = T.grad(self._terms.loss, self._x)
            self._map = vgg16.layer_map(layers, target.layer, self._x, network.mean)
            self._rate = theano.shared(np.asarray(learning_rate, dtype), "learning_rate")
            updates = update(self._gradient, self._x, self._moments, self._rate)
            # In the stills no half is left for the bottom class (see `cut_2015`).
            self._fixed = vgg16.fixed_filters(layers)
            self._step = compile_function(self._numbers, list(self._terms), updates=updates, givens=self._fixed,
                                          on_unused_input="ignore")

    def step(self, *aim: Union[Target, int]) -> Terms:
        """Take one step towards a target.

        Parameters
        ----------
        *aim
            A Target of the kind that this was compiled for; or two int, short for `Classes` of the two.

        Returns
        -------
        Terms
            2015 quirk: loss before the step.  The terms are those of the picture before it.
        """
        return Terms(*map(float, self._step(*numbers_for(self._target, aim))))

    def evaluate(self, *aim: Union[Target, int]) -> tuple[Terms, Floats, Floats]:
        """What a step would see, without taking it; parameters as of `step`.

        Returns
        -------
        terms : Terms
        gradient : ndarray, shape (height, width, 3)
            Of the loss with respect to the picture.
        logits : ndarray, shape (1, classes, rows, columns)
            Of the unpooled picture; or the map of the layer that is raised.
        """
        *terms, gradient, shown = self._evaluation(*numbers_for(self._target, aim))
        return Terms(*map(float, terms)), from_graph(gradient), shown

    @cached_property
    def _evaluation(self):
        # Compiled when it is first asked for: most films never do.
        with theano.config.change_flags(floatX=self.dtype):
            return compile_function(self._numbers, [*self._terms, self._gradient, self._map], givens=self._fixed,
                                    on_unused_input="ignore")

    @property
    def picture(self) -> Floats:
        """(height, width, 3) array in 0..255; setting it leaves the moments as they are."""
        return from_graph(self._x.get_value(borrow=True))

    @picture.setter
    def picture(self, picture: Picture) -> None:
        self._x.set_value(to_graph(picture, self.dtype))

    @property
    def learning_rate(self) -> float:
        """Of the steps to come."""
        return float(self._rate.get_value())

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        self._rate.set_value(np.asarray(rate, self.dtype))

    @property
    def prior_strength(self) -> float:
        """Weight of the prior's energy in the loss."""
        return float(self._strength.get_value())

    @prior_strength.setter
    def prior_strength(self, strength: float) -> None:
        self._strength.set_value(np.asarray(strength, self.dtype))

    @property
    def network_scale(self) -> int:
        """Mean-pooling factor at which the network sees the picture, if `network_scales` is None.

        Raises
        ------
        InputError
            If the pooled picture is too small for the network.
        """
        return int(self._scale.get_value())

    @network_scale.setter
    def network_scale(self, scale: int) -> None:
        layer_named(self._network, self._target.layer, *(side // scale for side in self._x.get_value(borrow=True).shape[2:]))
        self._scale.set_value(np.int64(scale))

    def reset_moments(self) -> None:
        """Start Adam afresh.  2015 quirk: moments reset at every frame (of the stream)."""
        m, v, t = self._moments
        for moment in (m, v):
            moment.set_value(np.zeros_like(moment.get_value(borrow=True)))
        t.set_value(np.asarray(1, self.dtype))

    def state(self) -> dict[str, Array]:
        """Picture and moments as a dict of arrays, for `restore`."""
        return {variable.name: variable.get_value() for variable in (self._x, *self._moments)}

    def restore(self, state: dict[str, Array]) -> None:
        """Continue, bit for bit, from what `state` returned."""
        for variable in (self._x, *self._moments):
            variable.set_value(np.asarray(state[variable.name], self.dtype))


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
