"""Rules against densities integrated and maximised by scipy, and pictures against patches one by one."""

import numpy as np
import pytest
from scipy import optimize, stats

from lsd_repro.errors import InputError
from lsd_repro.material import shipped
from lsd_repro.prior import denoise, store
from lsd_repro.prior.density import mean_patch, penalty
from lsd_repro.prior.fit import scale_matrix, whitening_prior
from lsd_repro.program2015 import STUDENT_SCALE

VARIANCES, NOISE, NU = np.array([30.0, 4.0]), 9.0, 0.7
# Below the noise, about it and far above.
COEFFICIENTS = np.array([[0.5, -6, 20, 150, 3], [-1, 2, 14, -60, 0]], np.float32)


@pytest.fixture(scope="module")
def grey():
    return store.load(shipped.path(shipped.GREY_PRIORS), channels=1)


def small_prior(kind, channels=1, size=3, seed=0):
    """A prior of 3x3 patches whose mean direction has by far the largest variance."""
    d = size * size * channels
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(d, d))
    return whitening_prior(kind, rng.uniform(100, 130, d), root @ root.T * 20 + 1e9 * np.ones((d, d)) / d,
                           NU if kind == "student" else None, channels)


def likelihood(points, coefficients):
    return np.exp(-((points - coefficients) ** 2).sum(axis=-1) / (2 * NOISE))


def test_axes_are_those_of_the_scale_matrix(grey):
    for prior in grey.values():
        own = denoise.axes(prior)
        assert (np.diff(own.variances) <= 0).all()
        rebuilt = own.directions * own.variances @ own.directions.T
        np.testing.assert_allclose(rebuilt, scale_matrix(prior), atol=1e-5 * own.variances[0])
        np.testing.assert_allclose(own.mean.reshape(8, 8, 1), mean_patch(prior), rtol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_wiener_is_the_conditional_mean_of_a_gaussian(channels):
    prior = small_prior("gaussian", channels)
    noisy = np.random.default_rng(1).uniform(0, 255, (3, 3, channels))
    covariance, mean = scale_matrix(prior), mean_patch(prior).ravel()
    # Beside 1e9, what is added for the direction that is left alone is nothing.
    joint = covariance + 400 * np.eye(len(covariance))
    expected = mean + covariance @ np.linalg.solve(joint, noisy.ravel() - mean)
    found = denoise.denoise(noisy, 20, prior, denoise.wiener)
    np.testing.assert_allclose(found.ravel(), expected, atol=0.02)


def test_every_pixel_is_the_average_over_all_patches_that_hold_it(monkeypatch):
    monkeypatch.setattr(denoise, "POSITIONS", 12)  # two strips of patches, the last one short
    prior = small_prior("student")
    noisy = np.random.default_rng(1).uniform(0, 255, (7, 8, 1)).astype(np.float32)
    total, count = np.zeros_like(noisy), np.zeros_like(noisy)
    for row in range(5):
        for column in range(6):
            place = slice(row, row + 3), slice(column, column + 3)
            total[place] += denoise.denoise(noisy[place], 20, prior, denoise.joint_mean)
            count[place] += 1
    np.testing.assert_allclose(denoise.denoise(noisy, 20, prior, denoise.joint_mean), total / count, rtol=1e-4)


def test_rounds_of_epll_weigh_estimate_and_noisy_picture():
    prior = small_prior("gaussian")
    noisy = np.random.default_rng(1).uniform(0, 255, (3, 3, 1)).astype(np.float32)
    first = (noisy + denoise.denoise(noisy, 20, prior, denoise.wiener)) / 2
    second = (noisy + 4 * denoise.denoise(first, 10, prior, denoise.wiener)) / 5
    np.testing.assert_allclose(denoise.denoise(noisy, 20, prior, denoise.wiener, (1, 4)), second, rtol=1e-5)


def test_joint_mean_is_the_integral_over_the_density():
    density = stats.multivariate_t(shape=np.diag(VARIANCES), df=NU)
    found = denoise.joint_mean(VARIANCES, NOISE, NU)(COEFFICIENTS)
    for coefficients, one in zip(COEFFICIENTS.T, found.T):
        # Beyond 8 standard deviations of the noise there is nothing.
        lines = [np.linspace(-24, 24, 601) + middle for middle in coefficients]
        points = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1)
        weights = density.pdf(points) * likelihood(points, coefficients)
        expected = (weights[..., None] * points).sum(axis=(0, 1)) / weights.sum()
        np.testing.assert_allclose(one, expected, atol=0.02)


def test_joint_scale_is_the_likeliest_scale():
    """A t is a Gaussian with variances times an inverse gamma variable."""
    found = denoise.joint_scale(VARIANCES, NOISE, NU)(COEFFICIENTS)
    for coefficients, one in zip(COEFFICIENTS.T, found.T):
        def unlikely(log_scale):
            scale = np.exp(log_scale)
            return -(stats.norm.logpdf(coefficients, scale=np.sqrt(scale * VARIANCES + NOISE)).sum()
                     + stats.invgamma.logpdf(scale, NU / 2, scale=NU / 2) + log_scale)
        best = min((optimize.minimize_scalar(unlikely, bounds=(low, low + 4), method="bounded")
                    for low in range(-9, 9, 2)), key=lambda result: result.fun)
        # The nearest of the scales is within a third of it.
        low, high = (coefficients * s * VARIANCES / (s * VARIANCES + NOISE) for s in np.exp(best.x) * np.array([1 / 1.35, 1.35]))
        assert (np.abs(one) >= np.abs(low) - 1e-3).all() and (np.abs(one) <= np.abs(high) + 1e-3).all()


def test_joint_mode_is_the_maximum_of_the_posterior():
    density = stats.multivariate_t(shape=np.diag(VARIANCES), df=NU)
    found = denoise.joint_mode(VARIANCES, NOISE, NU)(COEFFICIENTS)
    for coefficients, one in zip(COEFFICIENTS.T, found.T):
        def unlikely(x):
            return -density.logpdf(x) + ((x - coefficients) ** 2).sum() / (2 * NOISE)
        best = min(optimize.minimize(unlikely, share * coefficients, method="Nelder-Mead",
                                     options={"xatol": 1e-6, "fatol": 1e-9}).fun
                   for share in (0, 0.2, 0.5, 1))
        assert best - 1e-6 <= unlikely(one) < best + 0.01


def test_component_mean_is_the_integral_over_each_density():
    found = denoise.component_mean(VARIANCES, NOISE)(COEFFICIENTS)
    for (component, place), one in np.ndenumerate(found):
        points = np.linspace(-24, 24, 4001) + COEFFICIENTS[component, place]
        weights = (stats.t.pdf(points, STUDENT_SCALE, scale=np.sqrt(VARIANCES[component]))
                   * likelihood(points[:, None], COEFFICIENTS[component, place]))
        assert one == pytest.approx((weights * points).sum() / weights.sum(), abs=0.02)


def test_component_mode_is_the_best_trade_with_2015s_energy():
    found = denoise.component_mode(VARIANCES, NOISE)(COEFFICIENTS)
    for (component, place), one in np.ndenumerate(found):
        given = COEFFICIENTS[component, place]

        def cost(x):
            energy, _ = penalty("student", x / np.sqrt(VARIANCES[component]))
            return (STUDENT_SCALE + 1) / 2 * energy + (x - given) ** 2 / (2 * NOISE)
        assert cost(one) <= cost(given * np.linspace(0, 1, 20_001)).min() + 1e-3


def test_2015s_energy_is_a_student_t_of_each_component():
    z = np.linspace(-30, 30, 7)
    energy, _ = penalty("student", z)
    difference = stats.t.logpdf(z, STUDENT_SCALE) + (STUDENT_SCALE + 1) / 2 * energy
    np.testing.assert_allclose(difference, difference[0])


@pytest.mark.parametrize("rule", ["wiener", "joint_mean", "joint_scale", "joint_mode", "component_mean", "component_mode"])
def test_rules_are_odd_and_shrink(rule):
    apply = getattr(denoise, rule)(VARIANCES, NOISE, NU)
    many = np.random.default_rng(0).normal(0, 30, (2, 500)).astype(np.float32)
    many[:, 0] = 0
    found = apply(many)
    assert found.dtype == np.float32 and found[:, 0].tolist() == [0, 0]
    np.testing.assert_allclose(apply(-many), -found)
    assert (np.abs(found) <= np.abs(many) * (1 + 1e-5)).all()


def test_hardly_any_noise_leaves_the_picture(grey):
    picture = np.random.default_rng(0).integers(0, 256, (20, 20, 1)).astype(np.float32)
    for rule in (denoise.wiener, denoise.joint_mean, denoise.component_mode):
        found = denoise.denoise(picture, 0.01, grey["student"], rule)
        np.testing.assert_allclose(found, picture, atol=0.1)


def test_what_does_not_fit_is_an_input_error(grey):
    prior = grey["gaussian"]
    with pytest.raises(InputError, match="3 channels, the prior is for 1"):
        denoise.denoise(np.zeros((9, 9, 3)), 25, prior, denoise.wiener)
    with pytest.raises(InputError, match="7x9 picture is smaller than a patch of 8x8"):
        denoise.denoise(np.zeros((9, 7, 1)), 25, prior, denoise.wiener)
    with pytest.raises(InputError, match="sigma 0: .*above 0"):
        denoise.denoise(np.zeros((9, 9, 1)), 0, prior, denoise.wiener)
    skewed = prior.filters.copy()
    skewed[..., 1] += skewed[..., 0]
    with pytest.raises(InputError, match="not orthogonal.*prior fit"):
        denoise.axes(prior._replace(filters=skewed))
