"""The gradient step in tiles, for pictures whose maps are larger than memory.

`TiledStep` takes the step that `lsd_repro.step.step.GradientStep` takes: from the same expressions, one tile at a time,
exact but for rounding (`lsd_repro.step.tiles` says why).  The picture, its gradient and Adam's
moments are in memory as a whole; of the network's maps, those of a tile.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Callable, Optional, Union

import numpy as np

from lsd_repro.hints import Array, Floats, Picture
from lsd_repro.network import vgg16
from lsd_repro.network.receptive import layer_named
from lsd_repro.network.weights import NetworkWeights
from lsd_repro.ops.compiling import compile_function
from lsd_repro.prior.energy import Energy, Multiscale, check_scales, mean_pool
from lsd_repro.runtime.load import T, TensorVariable, theano
from lsd_repro.step import activation
from lsd_repro.step.adam import Moments, Update, adam2015
from lsd_repro.step.objective import Objective, aim_weighed, class_term, cut_2015, cut_own
from lsd_repro.step.step import Terms, from_graph, guide_map, symbolic, to_graph
from lsd_repro.step.target import CLASSES, Classes, Target, numbers_for
from lsd_repro.step.tiles import Tile, grid


class TiledStep:
    """As `lsd_repro.step.step.GradientStep`, one tile at a time.

    Parameters
    ----------
    network, picture, learning_rate, prior_strength, network_scales, dtype, objective, update, target
        As for `GradientStep`; an objective whose every term is a mean by its Aim, as all of
        `lsd_repro.step.objective` are.
    energy : Multiscale
        The prior, from `lsd_repro.prior.energy.multiscale`.
    patch_size : int
        Pixels that it looks at at once (2 for total variation).
    tile : int
        Side in pixels, after mean pooling, of what is looked at at once.
    watch : function, optional
        Returns the list of tiles that it is given, or an iterable that shows how far they are.

    Raises
    ------
    InputError
        If the picture, or the tile, is too small for network or prior.
    """

    def __init__(self, network: NetworkWeights, energy: Multiscale, picture: Picture,
                 learning_rate: float, prior_strength: float, network_scales: Optional[Sequence[int]] = (1,),
                 dtype: str = "float32", objective: Objective = class_term,
                 update: Update = adam2015, target: Target = CLASSES, *,
                 patch_size: int, tile: int, watch: Callable[[list[Tile]], Iterable[Tile]] = iter) -> None:
        self.dtype, self.learning_rate, self.prior_strength = dtype, learning_rate, prior_strength
        self._network, self._target, self._tile, self._watch = network, target, tile, watch
        self._network_scales, self._scale = network_scales, 1
        self._prior_scales: Sequence[Any] = energy.scales
        self._patch_size = patch_size
        self._t: Any = None
        self._x = to_graph(picture, dtype)
        self.reset_moments()
        scales: Any = energy.scales  # numbers, here
        check_scales(picture.shape[0], picture.shape[1], scales, patch_size)
        for scale in network_scales or [1]:
            self._network_tiles(scale)
        with theano.config.change_flags(floatX=dtype):
            self._of_network = _compile_network(network, objective, target)
            self._of_prior = _compile_prior(energy.energy)
            self._update = _compile_update(update)

    def step(self, *aim: Union[Target, int]) -> Terms:
        """As `GradientStep.step`."""
        terms, gradient = self._evaluate(numbers_for(self._target, aim))
        for top in range(0, gradient.shape[2], self._tile):
            band = np.s_[:, :, top:top + self._tile]
            self._x[band], self._m[band], self._v[band], t = self._update(
                gradient[band], self._x[band], self._m[band], self._v[band], self._t, self._number(self.learning_rate))
        self._t = t
        return terms

    def evaluate(self, *aim: Union[Target, int]) -> tuple[Terms, Floats, Floats]:
        """As `GradientStep.evaluate`."""
        terms, gradient = self._evaluate(numbers_for(self._target, aim))
        tiles, size = self._network_tiles(1)
        shown: Any = None
        for tile in tiles:
            part = self._map(self._x[tile.pixels(1)])
            if shown is None:
                shown = np.empty((*part.shape[:2], *size), self.dtype)
            shown[tile.entries()] = part[tile.own_entries()]
        return terms, from_graph(gradient), shown

    @cached_property
    def _map(self):
        # Compiled when it is first asked for: most films never do.
        with theano.config.change_flags(floatX=self.dtype):
            x, layers = _picture("x"), vgg16.build(self._network)
            return compile_function([x], vgg16.layer_map(layers, self._target.layer, x, self._network.mean),
                                    givens=vgg16.fixed_filters(layers))

    def _evaluate(self, numbers):
        total = np.zeros_like(self._x)
        scales = self._network_scales or [self._scale]
        parts = [self._add_network(scale, numbers, total, 1 / len(scales)) for scale in scales]
        class_term, target = (sum(part) / len(scales) for part in zip(*parts))
        weight = self.prior_strength / len(self._prior_scales)
        prior_term = weight * sum(self._add_prior(scale, total, weight) for scale in self._prior_scales)
        return Terms(class_term + prior_term, class_term, prior_term, target), total

    def _add_network(self, scale, numbers, total, weight):
        """Class term and target at a scale; adds the gradient, times a weight, to a total."""
        tiles, size = self._network_tiles(scale)
        everywhere, bottom, top, halves = self._weights(size)
        gradient = np.zeros_like(total)
        term = target = 0.0
        for tile in self._watch(tiles):
            pixels = tile.pixels(scale)
            tile_term, tile_target, tile_gradient = self._of_network(
                self._x[pixels], scale, *numbers, *map(tile.own, (everywhere, bottom, top)))
            term, target = term + float(tile_term), target + float(tile_target) / halves
            gradient[pixels] += tile_gradient
        if activation.is_root(self._target):
            root: Any = activation.value(self._target, target)
            term, weight, target = -root, weight / (2 * root), root
        gradient *= self._number(weight)
        total += gradient
        return term, target

    def _network_tiles(self, scale):
        """Tiles of the picture pooled by `scale`, and the size of the whole map."""
        size = self._pooled_size(scale)
        layer = layer_named(self._network, self._target.layer, *size)
        map_size = layer.rows, layer.columns
        return grid(size, map_size, layer.stride, layer.start, layer.field, self._tile), map_size

    def _weights(self, size):
        """What each place of the map counts for: everywhere, in the bottom and in the top half; and the number of halves."""
        everywhere, bottom, top = (np.zeros(size, self.dtype) for _ in range(3))
        everywhere[:] = 1 / everywhere.size
        if not isinstance(self._target, Classes):
            return everywhere, bottom, top, 1
        height, width = self._pooled_size(1)
        full_rows, _ = vgg16.map_size(height, width, self._network.fc6_size)
        start, stop = cut_2015(full_rows) if self._network_scales else cut_own(size[0])
        halves = [half for half in (bottom[start:], top[:stop]) if half.size]
        for half in halves:
            half[:] = 1 / half.size
        return everywhere, bottom, top, len(halves)

    def _add_prior(self, scale, total, weight):
        """Energy at a scale; adds its gradient, times a weight, to a total."""
        size, patch = self._pooled_size(scale), self._patch_size
        places = size[0] - patch + 1, size[1] - patch + 1
        energy = 0.0
        for tile in grid(size, places, 1, 0, patch, self._tile):
            pixels = tile.pixels(scale)
            tile_energy, gradient = self._of_prior(self._x[pixels], scale)
            share = tile.down.entries * tile.across.entries / np.prod(places)
            energy += share * float(tile_energy)
            gradient *= self._number(weight * share)
            total[pixels] += gradient
        return energy

    def _pooled_size(self, scale):
        return tuple(side // scale for side in self._x.shape[2:])

    def _number(self, value):
        return np.asarray(value, self.dtype)

    @property
    def picture(self) -> Floats:
        """(height, width, 3) array in 0..255; setting it leaves the moments as they are."""
        return from_graph(self._x)

    @picture.setter
    def picture(self, picture: Picture) -> None:
        self._x = to_graph(picture, self.dtype)

    @property
    def network_scale(self) -> int:
        """As `GradientStep.network_scale`."""
        return self._scale

    @network_scale.setter
    def network_scale(self, scale: int) -> None:
        self._network_tiles(scale)
        self._scale = scale

    def reset_moments(self) -> None:
        """As `GradientStep.reset_moments`."""
        self._m, self._v, self._t = np.zeros_like(self._x), np.zeros_like(self._x), self._number(1)

    def state(self) -> dict[str, Array]:
        """As `GradientStep.state`."""
        return {"x": self._x.copy(), "m": self._m.copy(), "v": self._v.copy(), "t": self._t}

    def restore(self, state: dict[str, Array]) -> None:
        """As `GradientStep.restore`."""
        self._x, self._m, self._v, self._t = (np.array(state[name], self.dtype) for name in "xmvt")


def _picture(name: str) -> TensorVariable:
    return T.TensorType(theano.config.floatX, (True, False, False, False))(name)


def _compile_network(network: NetworkWeights, objective: Objective, target: Target) -> Callable[..., Any]:
    """From a tile, a scale, a target's numbers and what each place counts for, to term, target (or its square) and gradient."""
    x, scale, raised = _picture("x"), T.lscalar("scale"), symbolic(target)
    everywhere, *_ = weights = T.matrices("everywhere", "bottom", "top")
    layers = vgg16.build(network)
    seen = mean_pool(x, scale)
    if isinstance(raised, Classes):
        logits, aim = vgg16.class_logits(layers, seen, network.mean), aim_weighed(raised, *weights)
        term, value = objective(logits, aim), aim(logits)
    else:
        value = (everywhere * activation.scores(raised, network, layers, guide_map(target, network))(seen)).sum()
        term = -value
    return compile_function([x, scale, *raised.numbers, *weights], [term, value, T.grad(term, x)],
                            givens=vgg16.fixed_filters(layers), on_unused_input="ignore")


def _compile_prior(energy: Energy) -> Callable[..., Any]:
    """From a tile and a scale to energy and gradient."""
    x, scale = _picture("x"), T.lscalar("scale")
    value = energy(mean_pool(x, scale))
    return compile_function([x, scale], [value, T.grad(value, x)])


def _compile_update(update: Update) -> Callable[..., Any]:
    """From gradient, picture, moments and learning rate to the next picture and moments."""
    gradient, x, m, v = map(_picture, ("gradient", "x", "m", "v"))
    t, rate = T.scalars("t", "learning_rate")
    updates = update(gradient, x, Moments(m, v, t), rate)
    return compile_function([gradient, x, m, v, t, rate], [updates.get(variable, variable) for variable in (x, m, v, t)],
                            on_unused_input="ignore")
