import numpy as np
import pytest
from reference import deviations, mean_pool
from skimage import data

from lsd_repro import shipped
from lsd_repro.errors import InputError
from lsd_repro.prior import store
from lsd_repro.prior.energy import check_scales, multiscale_energy
from lsd_repro.stack import T, theano


@pytest.fixture(scope="module")
def priors():
    return store.load(shipped.path(shipped.PRIORS))


@pytest.fixture(scope="module")
def photo():
    return data.coffee()[100:143, 200:250].astype(float)


def compiled(prior, scales):
    """Energy and gradient of an (h, w, 3) picture."""
    with theano.config.change_flags(floatX="float64"):
        x = T.dtensor4()
        energy = multiscale_energy(x, prior, scales)
        function = theano.function([x], [energy, T.grad(energy, x)])
    return lambda picture: function(picture.transpose(2, 0, 1)[None])


def test_student_energy_is_that_of_numpy_over_scales(priors, photo):
    expected = [np.log(1 + deviations(priors["student"], mean_pool(photo, scale)) ** 2 / 0.665248).mean()
                for scale in (1, 3)]
    assert expected[0] != pytest.approx(expected[1], rel=0.01)
    energy, _ = compiled(priors["student"], (1, 3))(photo)
    assert energy == pytest.approx(np.mean(expected), rel=1e-12)


def test_gaussian_energy_leaves_out_the_dc_component(priors, photo):
    squares = deviations(priors["gaussian"], mean_pool(photo, 2)) ** 2
    energy, _ = compiled(priors["gaussian"], (2,))(photo)
    assert energy == pytest.approx(squares[:, :191].mean(), rel=1e-12)
    assert energy != pytest.approx(squares.mean(), rel=1e-6)


@pytest.mark.parametrize("kind", ["student", "gaussian"])
def test_gradient_is_that_of_finite_differences(priors, photo, kind):
    function = compiled(priors[kind], (1, 3))
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
    with pytest.raises(InputError, match=r"scale 32: .*300x255.*9x7"):
        check_scales(255, 300, (1, 32))
