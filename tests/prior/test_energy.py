from itertools import product

import numpy as np
import pytest
import reference
from graphs import KINDS, compile_graph, fused_ops
from reference import deviations
from skimage import data

from lsd_repro.errors import InputError
from lsd_repro.material import shipped
from lsd_repro.prior import store
from lsd_repro.prior.energy import check_scales, mean_pool, multiscale, patch_energy, total_variation
from lsd_repro.prior.fit import fit_gaussian
from lsd_repro.runtime.load import T, theano


@pytest.fixture(scope="module")
def priors():
    return store.load(shipped.path(shipped.PRIORS))


@pytest.fixture(scope="module")
def photo():
    return data.coffee()[100:143, 200:250].astype(float)


def compiled(energy, scales, graph="plain"):
    """Energy and gradient of an (h, w, 3) picture."""
    with theano.config.change_flags(floatX="float64"):
        x = T.TensorType("float64", (True, False, False, False))("x")
        energy = multiscale(energy, scales)(x)
        function = compile_graph(graph, [x], [energy, T.grad(energy, x)])
    assert len(fused_ops(function)) == (len(scales) if graph == "fused" else 0)
    return lambda picture: function(picture.transpose(2, 0, 1)[None])


@pytest.mark.parametrize("graph", KINDS)
def test_student_energy_is_that_of_numpy_over_scales(graph, priors, photo):
    expected = [np.log(1 + deviations(priors["student"], reference.mean_pool(photo, scale)) ** 2 / 0.665248).mean()
                for scale in (1, 3)]
    assert expected[0] != pytest.approx(expected[1], rel=0.01)
    energy, _ = compiled(patch_energy(priors["student"]), (1, 3), graph)(photo)
    assert energy == pytest.approx(np.mean(expected), rel=1e-12)


@pytest.mark.parametrize("graph", KINDS)
def test_gaussian_energy_leaves_out_the_dc_component(graph, priors, photo):
    squares = deviations(priors["gaussian"], reference.mean_pool(photo, 2)) ** 2
    energy, _ = compiled(patch_energy(priors["gaussian"]), (2,), graph)(photo)
    assert energy == pytest.approx(squares[:, :191].mean(), rel=1e-12)
    assert energy != pytest.approx(squares.mean(), rel=1e-6)


@pytest.mark.parametrize("kind, graph", [*product(("student", "gaussian"), KINDS), ("tv", "plain")])
def test_gradient_is_that_of_finite_differences(priors, photo, kind, graph):
    function = compiled(total_variation if kind == "tv" else patch_energy(priors[kind]), (1, 3), graph)
    _, gradient = function(photo)
    step = 1e-4
    for row, column, channel in ((0, 0, 0), (20, 25, 1), (41, 47, 2), (42, 49, 2)):
        nudged = [photo.copy(), photo.copy()]
        nudged[0][row, column, channel] += step
        nudged[1][row, column, channel] -= step
        slope = (function(nudged[0])[0] - function(nudged[1])[0]) / (2 * step)
        assert gradient[0, channel, row, column] == pytest.approx(slope, rel=1e-5, abs=1e-10)


def test_a_scale_that_leaves_less_than_a_patch_is_named():
    check_scales(256, 300, (1, 32))
    with pytest.raises(InputError, match=r"scale 32: .*300x255.*8x8"):
        check_scales(255, 300, (1, 32))


def test_total_variation_is_the_mean_gradient_length(photo):
    down, across = np.diff(photo, axis=0)[:, :-1], np.diff(photo, axis=1)[:-1]
    energy, _ = compiled(total_variation, (1,))(photo)
    assert energy == pytest.approx(np.hypot(down, across).mean(), rel=1e-3)


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_pooling_crops_from_the_top_left_as_in_2015(photo, factor):
    x = T.dtensor4()
    pooled = mean_pool(x, factor).eval({x: photo.transpose(2, 0, 1)[None]})[0].transpose(1, 2, 0)
    height, width = photo.shape[0] // factor, photo.shape[1] // factor
    assert pooled.shape == (height, width, 3) and (photo.shape[0] % factor or photo.shape[1] % factor or factor == 1)
    corner = photo[(height - 1) * factor:height * factor, (width - 1) * factor:width * factor]
    np.testing.assert_allclose(pooled[-1, -1], corner.mean(axis=(0, 1)), rtol=1e-12)


def test_other_patch_sizes_have_an_energy(photo):
    patches = sample_patches_of(photo, 6)
    prior = fit_gaussian(patches)
    energy, _ = compiled(patch_energy(prior), (1,))(photo)
    assert prior.patch_size == 6
    # Over all patches a Gaussian whitens to a mean square of 1, less or more for what DC had.
    assert energy == pytest.approx(1, abs=0.2)
    with pytest.raises(InputError, match="smaller than a patch of 6x6"):
        check_scales(40, 40, (7,), prior.patch_size)


def sample_patches_of(photo, size):
    """All patches of a picture, with a little noise."""
    windows = np.lib.stride_tricks.sliding_window_view(photo, (size, size), (0, 1)).transpose(0, 1, 3, 4, 2)
    patches = windows.reshape(-1, size, size, 3)
    return patches + np.random.default_rng(0).normal(0, 0.3, patches.shape)
