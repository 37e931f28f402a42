"""Two changes compared: against numpy written out, and blocks against pictures put together anew."""

import numpy as np
import pytest
from skimage import color

from lsd_repro.compare import change
from lsd_repro.compare.coherence import coherence
from lsd_repro.compare.statistics import EDGES

SHAPE = 150, 190, 3
ONCE = np.ones((1, 9))  # blocks of 50x63 and 50x64


def pictures(seed=0):
    """Ours, theirs, and the picture before: both changes are half the same."""
    rng = np.random.default_rng(seed)
    before, common, one, other = rng.normal(0, 30, (4, *SHAPE))
    # Channels differ in their means, which must not count.
    before = np.clip(before + [100, 128, 160], 0, 255)
    return np.clip(before + common + one + [0, 20, 40], 0, 255), np.clip(before + common + other, 0, 255), before


def blurred(plane, sigma):
    """By a Gaussian, mirrored at the edges, a row and a column at a time."""
    if sigma == 0:
        return plane
    reach = 4 * sigma
    kernel = np.exp(-np.arange(-reach, reach + 1) ** 2 / (2 * sigma ** 2))
    kernel /= kernel.sum()
    for axis in 0, 1:
        padded = np.pad(plane, [(reach, reach) if axis == own else (0, 0) for own in (0, 1)], "symmetric")
        plane = np.apply_along_axis(np.convolve, axis, padded, kernel, "valid")
    return plane


def correlated(x, y):
    x, y = (one - one.mean((0, 1)) for one in (x, y))
    return np.corrcoef(x.ravel(), y.ravel())[0, 1]


def test_correlation_and_signs_at_every_blur_are_numpys():
    ours, theirs, before = pictures()
    found = change.estimate(change.measure(ours, theirs, before), ONCE)
    for index, blur in enumerate(change.BLURS):
        x, y = (np.stack([blurred((one - before)[..., c], blur) for c in range(3)], axis=2) for one in (ours, theirs))
        assert found.correlation[0, index] == pytest.approx(correlated(x, y), abs=1e-6)
        assert found.same_sign[0, index] == pytest.approx(np.mean(((x > 0) == (y > 0)) & ((x < 0) == (y < 0))), abs=1e-4)
    assert 0.4 < found.correlation[0, 0] < 0.6


def test_size_and_ends_are_numpys():
    ours, theirs, before = pictures()
    found = change.estimate(change.measure(ours, theirs, before), ONCE)
    for size, ends, one in ((found.size, found.ends, ours), (found.their_size, found.their_ends, theirs)):
        assert size[0] == pytest.approx(np.sqrt(np.mean(np.var(one - before, axis=(0, 1)))))
        assert 0.001 < ends[0] == pytest.approx(np.mean((one < 0.5) | (one > 254.5)))


def test_squared_it_is_the_coherence_and_it_knows_which_way():
    ours, theirs, before = pictures()
    found = change.estimate(change.measure(ours, theirs, before), ONCE).coherence[0]
    np.testing.assert_allclose(found ** 2, coherence(*(color.rgb2gray(one - before) for one in (ours, theirs))), atol=1e-9)
    assert len(found) == len(EDGES) - 1
    against = change.estimate(change.measure(before + theirs - ours, ours - theirs + before, before), ONCE).coherence[0]
    np.testing.assert_allclose(against, -1)


def test_blocks_drawn_again_are_a_picture_put_together_of_them():
    rng = np.random.default_rng(3)
    height, width = 2 * change.BLOCK[0], 2 * change.BLOCK[1]
    x, noise = rng.normal(0, 1, (2, height, width, 3))
    y = x + noise * np.linspace(0, 4, width)[:, np.newaxis]  # blocks are not alike
    counts = np.array([[1, 1, 1, 1], [2, 0, 1, 1], [0, 3, 0, 1]])
    found = change.correlation(x, y, counts)
    for row, value in zip(counts, found):
        parts = [np.hstack([one for one, times in zip(blocks(picture), row) for _ in range(times)]) for picture in (x, y)]
        assert value == pytest.approx(correlated(*parts))
    assert np.ptp(found) > 0.05


def blocks(picture):
    halves = np.split(picture, 2, axis=0)
    return [block for half in halves for block in np.split(half, 2, axis=1)]


def test_draws_are_seeded_and_the_picture_itself_comes_first():
    counts = change.draws(112, 5)
    assert counts.shape == (change.DRAWS + 1, 112) and (counts[0] == 1).all() and (counts.sum(axis=1) == 112).all()
    np.testing.assert_array_equal(counts, change.draws(112, 5))
    assert (counts != change.draws(112, 6)).any()
    # A block is left out by one draw in e.
    assert np.mean(counts[1:] == 0) == pytest.approx(np.exp(-1), abs=0.01)
    assert change.interval(np.array([7.0, *range(101)])) == [7, 2.5, 97.5]


def test_intervals_are_as_wide_as_independent_pictures_scatter():
    rng = np.random.default_rng(4)
    values, widths = [], []
    counts = change.draws(20, 0, 300)
    for _ in range(30):
        x, noise = rng.normal(size=(2, 236, 300, 3))
        value, low, high = change.interval(change.correlation(x, x + 2 * noise, counts))
        values.append(value)
        widths.append(high - low)
    assert np.mean(widths) == pytest.approx(2 * 1.96 * np.std(values), rel=0.4)
