"""A step in tiles is the step of the whole picture, to rounding: there are no seams to be seen."""

import numpy as np
import pytest
from skimage import data
from small_network import small_network

from lsd_repro.dream.activation import LayerObjective
from lsd_repro.dream.step import GradientStep
from lsd_repro.dream.tiled import TiledStep
from lsd_repro.dream.tiles import grid, spans
from lsd_repro.errors import InputError
from lsd_repro.material import shipped
from lsd_repro.network.receptive import layer_named, least_side
from lsd_repro.prior import store
from lsd_repro.prior.energy import multiscale, patch_energy, total_variation

NETWORK = small_network(np.random.default_rng(3))
# Neither side is a multiple of anything, and both are several tiles long.
PHOTO = data.astronaut()[:470, :611 - 100]
TILE, PRIOR_SCALES = 288, (1, 4, 8)
PRIOR = store.load_kind(shipped.path(shipped.PRIORS), "student")
CASES = {
    "classes": dict(network_scales=(1,)), "stills": dict(network_scales=(1, 2)), "octaves": dict(network_scales=None),
    "norm": dict(network_scales=(1, 2), layer=LayerObjective("conv4_2")),
    "channel": dict(network_scales=(1,), layer=LayerObjective("conv5_1", 3)),
    "guide": dict(network_scales=(1,), layer=LayerObjective("pool4", None, data.coffee()[100:148, 200:264]))}


def both(case, dtype="float64"):
    whole = GradientStep(NETWORK, multiscale(patch_energy(PRIOR), PRIOR_SCALES), PHOTO, 5.0, 3.0, dtype=dtype, **CASES[case])
    tiled = TiledStep(NETWORK, patch_energy(PRIOR), PHOTO, 5.0, 3.0, prior_scales=PRIOR_SCALES, patch_size=8, tile=TILE,
                      dtype=dtype, **CASES[case])
    return whole, tiled


@pytest.mark.parametrize("case", CASES)
def test_gradient_and_steps_in_tiles_are_those_of_the_whole_picture(case):
    whole, tiled = both(case)
    for scale in (2, 1) if case == "octaves" else (1,):
        if case == "octaves":
            whole.network_scale = tiled.network_scale = scale
        terms, gradient, _ = whole.evaluate(7, 3)
        found, tile_gradient = tiled.evaluate(7, 3)
        np.testing.assert_allclose(found, terms, rtol=1e-10)
        np.testing.assert_allclose(tile_gradient, gradient, rtol=0, atol=1e-11 * abs(gradient).max())
    for _ in range(3):
        np.testing.assert_allclose(tiled.step(7, 3), whole.step(7, 3), rtol=1e-9)
    np.testing.assert_allclose(tiled.picture, whole.picture, atol=1e-3)
