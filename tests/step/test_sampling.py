"""Pictures drawn from a prior's energy."""

import numpy as np
import pytest

from lsd_repro.prior.fit import fit_gaussian
from lsd_repro.step.sampling import filtered, sample_picture, spectral_root, stiffness

SIZE = (24, 20)


@pytest.fixture(scope="module")
def prior():
    """Of 3x3 patches of a smooth texture."""
    rng = np.random.default_rng(0)
    texture = sum(np.roll(rng.normal(0, 20, (300, 300, 3)), (i, j), (0, 1)) for i in range(3) for j in range(3)) + 120
    windows = np.lib.stride_tricks.sliding_window_view(texture, (3, 3), (0, 1)).transpose(0, 1, 3, 4, 2)
    return fit_gaussian(windows.reshape(-1, 3, 3, 3)[::7])


def quadratic(prior, picture):
    """Half the squared filter responses over a periodic picture, each pixel counted once."""
    filters = prior.filters[::-1, ::-1].astype(float)
    padded = np.pad(picture, ((0, 2), (0, 2), (0, 0)), mode="wrap")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (0, 1)).transpose(0, 1, 3, 4, 2)
    return (np.tensordot(windows, filters, 3) ** 2).sum() / 2 / 9


def test_spectral_root_whitens_the_quadratic_energy(prior):
    root = spectral_root(prior, SIZE)
    noise = np.random.default_rng(1).normal(size=(*SIZE, 3))
    assert quadratic(prior, filtered(root, noise)) == pytest.approx((noise ** 2).sum() / 2, rel=1e-3)


def test_samples_of_a_gaussian_have_its_energy(prior):
    # Each component, but for the border, has a mean square of about 1 under the prior.
    picture = sample_picture(prior, (48, 48), steps=60, seed=2)
    windows = np.lib.stride_tricks.sliding_window_view(picture - 128, (3, 3), (0, 1)).transpose(0, 1, 3, 4, 2)
    z = np.tensordot(windows, prior.filters[::-1, ::-1].astype(float), 3) - prior.mean
    middle = (z[8:-8, 8:-8] ** 2).mean()
    start = sample_picture(prior, (48, 48), steps=0, seed=2)
    assert 0.5 < middle < 2
    assert picture.shape == start.shape and np.abs(picture - start).mean() > 1


def test_sampling_is_seeded(prior):
    np.testing.assert_array_equal(sample_picture(prior, SIZE, steps=3, seed=4), sample_picture(prior, SIZE, steps=3, seed=4))
    assert not np.array_equal(sample_picture(prior, SIZE, steps=3, seed=5), sample_picture(prior, SIZE, steps=3, seed=4))


@pytest.mark.parametrize("scales", [(1,), (1, 2, 4)])
def test_sampling_is_stable_at_several_scales(prior, scales):
    picture = sample_picture(prior, (48, 48), scales, steps=150, seed=6)
    # Grey levels of the texture's size, where a diverging chain would run to infinity.
    assert 20 < picture.std() < 200


def test_one_scale_is_whitened_to_a_stiffness_of_about_1(prior):
    assert stiffness(spectral_root(prior, SIZE), (1,), prior, SIZE) == pytest.approx(1, abs=0.3)
