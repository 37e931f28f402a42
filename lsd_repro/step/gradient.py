"""The gradient step: built once, compiled once, holding the picture and Adam's moments."""

from collections.abc import Iterable
from typing import Callable, NamedTuple, Optional, Union

import numpy as np

from lsd_repro.hints import Array, Floats, Picture
from lsd_repro.network.receptive import layer_named
from lsd_repro.network.weights import NetworkWeights
from lsd_repro.prior.energy import Energy, Multiscale
from lsd_repro.program2015 import PATCH_SIZE
from lsd_repro.step.adam import Update, adam2015
from lsd_repro.step.evaluate import from_graph, to_graph
from lsd_repro.step.objective import Objective, class_term
from lsd_repro.step.target import CLASSES, Target, numbers_for
from lsd_repro.step.tiled import Tiled
from lsd_repro.step.tiles import Tile
from lsd_repro.step.whole import ANY, Scales, Whole

STATE = "x", "m", "v", "t"


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


class GradientStep:
    """A picture, and steps of the 2015 Adam on it.

    A picture that is one tile is compiled into one function, `lsd_repro.step.whole.Whole`; several tiles share functions of
    one tile each, `lsd_repro.step.tiled.Tiled`, from the same expressions. A single tile goes the first way because its
    gradient is summed in another order there, on which the bytes of films depend, and because it is faster.

    Parameters
    ----------
    network : NetworkWeights
    energy : function
        The prior: from a symbolic picture to a symbolic scalar, such as
        `lsd_repro.prior.energy.multiscale` returns (in tiles it must be one of those).  Whether the picture is large
        enough for its scales is up to the caller to check (`check_scales`).
    picture : ndarray, shape (height, width, 3)
        Start, in 0..255.
    learning_rate : float
        In grey levels; can be set later, too.
    prior_strength : float
        Weight of the energy in the loss; can also be set later.
    network_scales : sequence of int, or "any"
        Mean-pooling factors at which the network sees the picture. "any" (not of 2015): one alone, `network_scale`, which
        can be set between steps.
    dtype : {"float32", "float64"}
    objective : function
        The class term, from `lsd_repro.step.objective`; in tiles every term of it must be a mean by its Aim.
    update : function
        How a gradient becomes a step, from `lsd_repro.step.adam`.
    target : Target
        What kind of target it is compiled for: any two classes, any channel of a layer, a layer, or a guide (only
        the first is of 2015's stream).
    tile : int, optional
        For pictures whose maps are larger than memory: side in pixels, after mean pooling, of what is looked at at once.
    patch_size : int
        Side in pixels of what the prior looks at; needed for tiles (2 for total variation).
    watch : function, optional
        From the list of tiles to the same, or to an iterable that shows how far they are.

    Raises
    ------
    InputError
        If the picture is too small for the network or that layer; or the tile for network or prior.
    """

    def __init__(self, network: NetworkWeights, energy: Energy, picture: Picture, learning_rate: float, prior_strength: float,
                 network_scales: Scales = (1,), dtype: str = "float32",
                 objective: Objective = class_term, update: Update = adam2015, target: Target = CLASSES, *,
                 tile: Optional[int] = None, patch_size: int = PATCH_SIZE,
                 watch: Callable[[list[Tile]], Iterable[Tile]] = iter) -> None:
        self.dtype = dtype
        self._network, self._target = network, target
        x = to_graph(picture, dtype)
        held = {"x": x, "m": np.zeros_like(x), "v": np.zeros_like(x), "t": np.asarray(1, dtype),
                "learning_rate": learning_rate, "prior_strength": prior_strength, "network_scale": 1}
        for scale in (1,) if network_scales == ANY else network_scales:
            self._check_scale(x, int(scale))
        compiled: Union[Whole, Tiled]
        if tile is None:
            compiled = Whole(held, network, energy, network_scales, objective, update, target)
        elif not isinstance(energy, Multiscale):
            raise TypeError("in tiles the energy must be one that multiscale returns, as each scale has tiles of its own")
        else:
            compiled = Tiled(held, network, energy, network_scales, objective, update, target, patch_size, tile, watch)
        self._compiled, self._held = compiled, compiled.held

    def _check_scale(self, x, scale):
        layer_named(self._network, self._target.layer, *(side // scale for side in x.shape[2:]))

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
        return Terms(*map(float, self._compiled.step(numbers_for(self._target, aim))))

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
        terms, gradient, shown = self._compiled.evaluate(numbers_for(self._target, aim))
        return Terms(*map(float, terms)), from_graph(gradient), shown

    @property
    def picture(self) -> Floats:
        """(height, width, 3) array in 0..255; setting it leaves the moments as they are."""
        return from_graph(self._held["x"])

    @picture.setter
    def picture(self, picture: Picture) -> None:
        self._held["x"] = to_graph(picture, self.dtype)

    @property
    def learning_rate(self) -> float:
        """Of the steps to come."""
        return float(self._held["learning_rate"])

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        self._held["learning_rate"] = rate

    @property
    def prior_strength(self) -> float:
        """Weight of the prior's energy in the loss."""
        return float(self._held["prior_strength"])

    @prior_strength.setter
    def prior_strength(self, strength: float) -> None:
        self._held["prior_strength"] = strength

    @property
    def network_scale(self) -> int:
        """Mean-pooling factor at which the network sees the picture, if `network_scales` is "any".

        Raises
        ------
        InputError
            If the pooled picture is too small for the network.
        """
        return int(self._held["network_scale"])

    @network_scale.setter
    def network_scale(self, scale: int) -> None:
        self._check_scale(self._held["x"], scale)
        self._held["network_scale"] = scale

    def reset_moments(self) -> None:
        """Start Adam afresh.  2015 quirk: moments reset at every frame (of the stream)."""
        for moment in ("m", "v"):
            self._held[moment] = np.zeros_like(self._held[moment])
        self._held["t"] = np.asarray(1, self.dtype)

    def state(self) -> dict[str, Array]:
        """Picture and moments as a dict of arrays, for `restore`."""
        return {name: np.array(self._held[name]) for name in STATE}

    def restore(self, state: dict[str, Array]) -> None:
        """Continue, bit for bit, from what `state` returned."""
        for name in STATE:
            self._held[name] = np.array(state[name], self.dtype)
