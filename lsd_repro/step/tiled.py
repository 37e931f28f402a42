"""The step in tiles, for pictures whose maps are larger than memory.

It is the step that `lsd_repro.step.whole` takes, from the same expressions, one tile at a time, exact but for rounding
(`lsd_repro.step.tiles` says why).  The picture, its gradient and Adam's moments are in memory as a whole; of the
network's maps, those of a tile.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Callable

import numpy as np

from lsd_repro.hints import Floats
from lsd_repro.network import vgg16
from lsd_repro.network.receptive import layer_named
from lsd_repro.network.weights import NetworkWeights
from lsd_repro.ops.compiling import compile_function
from lsd_repro.prior.energy import Energy, Multiscale, check_scales, mean_pool
from lsd_repro.runtime.load import T, TensorVariable, theano
from lsd_repro.step import activation
from lsd_repro.step.adam import Moments, Update
from lsd_repro.step.evaluate import guide_map
from lsd_repro.step.objective import Objective, aim_weighed, cut_2015, cut_own
from lsd_repro.step.target import Classes, Target
from lsd_repro.step.tiles import Tile, grid
from lsd_repro.step.whole import ANY, Scales, symbolic


class Tiled:
    """Steps and what they see, of a picture that is looked at one tile at a time.

    Parameters
    ----------
    held : dict
        Arrays x (1, 3, height, width), m, v and t, its moments; and learning_rate, prior_strength and network_scale.
    network, network_scales, objective, update, target, patch_size, tile, watch
        As for `lsd_repro.step.gradient.GradientStep`.
    energy : Multiscale
        The prior, from `lsd_repro.prior.energy.multiscale`.

    Attributes
    ----------
    held : dict
        The same, as the steps go on.

    Raises
    ------
    InputError
        If the picture, or the tile, is too small for network or prior.
    """

    def __init__(self, held: dict[str, Any], network: NetworkWeights, energy: Multiscale,
                 network_scales: Scales, objective: Objective, update: Update, target: Target,
                 patch_size: int, tile: int, watch: Callable[[list[Tile]], Iterable[Tile]]) -> None:
        self.held, self._dtype = held, held["x"].dtype.name
        self._network, self._target, self._tile, self._watch = network, target, tile, watch
        self._network_scales, self._patch_size = network_scales, patch_size
        self._prior_scales: list[Any] = list(energy.scales)
        height, width = held["x"].shape[2:]
        check_scales(height, width, self._prior_scales, patch_size)
        for scale in self._scales():
            self._network_tiles(scale)
        with theano.config.change_flags(floatX=self._dtype):
            self._of_network = _compile_network(network, objective, target)
            self._of_prior = _compile_prior(energy.energy)
            self._update = _compile_update(update)

    def step(self, numbers: Sequence[int]) -> list[float]:
        """Take a step; returns the terms."""
        terms, gradient = self._evaluate(numbers)
        x, m, v = (self.held[name] for name in "xmv")
        for top in range(0, gradient.shape[2], self._tile):
            band = np.s_[:, :, top:top + self._tile]
            x[band], m[band], v[band], t = self._update(
                gradient[band], x[band], m[band], v[band], self.held["t"], self._number(self.held["learning_rate"]))
        self.held["t"] = t
        return terms

    def evaluate(self, numbers: Sequence[int]) -> tuple[list[float], Floats, Floats]:
        """Terms, gradient and map, without a step."""
        terms, gradient = self._evaluate(numbers)
        tiles, size = self._network_tiles(1)
        shown: Any = None
        for tile in tiles:
            part = self._map(self.held["x"][tile.pixels(1)])
            if shown is None:
                shown = np.empty((*part.shape[:2], *size), self._dtype)
            shown[tile.entries()] = part[tile.own_entries()]
        return terms, gradient, shown

    @cached_property
    def _map(self):
        # Compiled when it is first asked for: most films never do.
        with theano.config.change_flags(floatX=self._dtype):
            x, layers = _picture("x"), vgg16.build(self._network)
            return compile_function([x], vgg16.layer_map(layers, self._target.layer, x, self._network.mean),
                                    givens=vgg16.fixed_filters(layers))

    def _scales(self):
        return [int(self.held["network_scale"])] if self._network_scales == ANY else self._network_scales

    def _evaluate(self, numbers):
        total = np.zeros_like(self.held["x"])
        scales = self._scales()
        parts = [self._add_network(scale, numbers, total, 1 / len(scales)) for scale in scales]
        class_term, target = (sum(part) / len(scales) for part in zip(*parts))
        weight = self.held["prior_strength"] / len(self._prior_scales)
        prior_term = weight * sum(self._add_prior(scale, total, weight) for scale in self._prior_scales)
        return [class_term + prior_term, class_term, prior_term, target], total

    def _add_network(self, scale, numbers, total, weight):
        """Class term and target at a scale; adds the gradient, times a weight, to a total."""
        tiles, size = self._network_tiles(scale)
        everywhere, bottom, top, halves = self._weights(size)
        gradient = np.zeros_like(total)
        term = target = 0.0
        for tile in self._watch(tiles):
            pixels = tile.pixels(scale)
            tile_term, tile_target, tile_gradient = self._of_network(
                self.held["x"][pixels], scale, *numbers, *map(tile.own, (everywhere, bottom, top)))
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
        everywhere, bottom, top = (np.zeros(size, self._dtype) for _ in range(3))
        everywhere[:] = 1 / everywhere.size
        if not isinstance(self._target, Classes):
            return everywhere, bottom, top, 1
        height, width = self._pooled_size(1)
        full_rows, _ = vgg16.map_size(height, width, self._network.fc6_size)
        start, stop = cut_own(size[0]) if self._network_scales == ANY else cut_2015(full_rows)
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
            tile_energy, gradient = self._of_prior(self.held["x"][pixels], scale)
            share = tile.down.entries * tile.across.entries / np.prod(places)
            energy += share * float(tile_energy)
            gradient *= self._number(weight * share)
            total[pixels] += gradient
        return energy

    def _pooled_size(self, scale):
        return tuple(side // scale for side in self.held["x"].shape[2:])

    def _number(self, value):
        return np.asarray(value, self._dtype)


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
