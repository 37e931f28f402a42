"""The step of a picture that is one tile: network, prior and update compiled into one function.

The function keeps picture, moments and settings in Theano's shared variables, works in place, and shares what network
and prior have in common: nothing passes through Python between two steps.
"""

from collections import OrderedDict
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Literal, NamedTuple, Optional, Union

import numpy as np

from lsd_repro.hints import Array, Floats
from lsd_repro.network import vgg16
from lsd_repro.network.weights import NetworkWeights
from lsd_repro.ops.compiling import compile_function
from lsd_repro.prior.energy import Energy, mean_pool
from lsd_repro.runtime.load import T, TensorVariable, theano
from lsd_repro.step import activation
from lsd_repro.step.adam import Moments, Update
from lsd_repro.step.evaluate import guide_map
from lsd_repro.step.objective import Aim, Objective, aim_2015, aim_own_halves, class_term
from lsd_repro.step.target import Channel, Classes, Target

ANY: Literal["any"] = "any"  # network scale, to be set between steps
Scales = Union[Sequence[int], Literal["any"]]


class SymbolicTerms(NamedTuple):
    """`Terms`, before they are computed."""

    loss: TensorVariable
    class_term: TensorVariable
    prior_term: TensorVariable
    target: TensorVariable


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




class Held(MutableMapping[str, Any]):
    """Values of shared variables, by their names; what is read may be the variable's own memory."""

    def __init__(self, *variables: Any) -> None:
        self._variables = {variable.name: variable for variable in variables}

    def __getitem__(self, name: str) -> Array:
        return self._variables[name].get_value(borrow=True)

    def __setitem__(self, name: str, value: Any) -> None:
        variable = self._variables[name]
        variable.set_value(np.asarray(value, variable.dtype))

    def __delitem__(self, name: str) -> None:
        raise TypeError("a compiled function needs all its variables")

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)


class Whole:
    """Steps and what they see, of a picture that is looked at as a whole.

    Parameters
    ----------
    held : dict
        Arrays x (1, 3, height, width), m, v and t, its moments; and learning_rate, prior_strength and network_scale.
    network, energy, network_scales, objective, update, target
        As for `lsd_repro.step.gradient.GradientStep`.

    Attributes
    ----------
    held : Held
        The same, as the steps go on.
    """

    def __init__(self, held: dict[str, Any], network: NetworkWeights, energy: Energy,
                 network_scales: Scales, objective: Objective, update: Update, target: Target) -> None:
        self._dtype = held["x"].dtype.name
        variables = {name: theano.shared(np.asarray(value, "int64" if name == "network_scale" else self._dtype), name,
                                         broadcastable=(True, False, False, False) if np.ndim(value) else ())
                     for name, value in held.items()}
        self.held = Held(*variables.values())
        x, moments = variables["x"], Moments(*(variables[name] for name in ("m", "v", "t")))
        scales: Sequence[Any] = [variables["network_scale"]] if network_scales == ANY else network_scales
        with theano.config.change_flags(floatX=self._dtype):
            raised, layers = symbolic(target), vgg16.build(network)
            height, width = held["x"].shape[2:]
            self._numbers, self._fixed = raised.numbers, vgg16.fixed_filters(layers)
            self._terms = symbolic_terms(x, (height, width), network, layers, energy, raised, variables["prior_strength"],
                                         scales, objective, guide_map(target, network))
            self._gradient = T.grad(self._terms.loss, x)
            self._map = vgg16.layer_map(layers, target.layer, x, network.mean)
            updates = update(self._gradient, x, moments, variables["learning_rate"])
            # In the stills no half is left for the bottom class (see `cut_2015`).
            self._step = compile_function(self._numbers, list(self._terms), updates=updates, givens=self._fixed,
                                          on_unused_input="ignore")

    def step(self, numbers: Sequence[int]) -> list[Array]:
        """Take a step; returns the terms."""
        return self._step(*numbers)

    def evaluate(self, numbers: Sequence[int]) -> tuple[list[Array], Floats, Floats]:
        """Terms, gradient and map, without a step."""
        *terms, gradient, shown = self._evaluation(*numbers)
        return terms, gradient, shown

    @cached_property
    def _evaluation(self):
        # Compiled when it is first asked for: most films never do.
        with theano.config.change_flags(floatX=self._dtype):
            return compile_function(self._numbers, [*self._terms, self._gradient, self._map], givens=self._fixed,
                                    on_unused_input="ignore")
