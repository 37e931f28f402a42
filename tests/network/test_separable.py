"""Filters as coefficients, against sums written out."""

import math

import numpy as np
import pytest

from lsd_repro.errors import InputError
from lsd_repro.network.separable import BLOCK, expand, project


@pytest.fixture
def rng():
    return np.random.default_rng(12)


def test_every_weight_is_the_sum_over_both_functions_rounded_once(rng):
    coefficients = rng.standard_normal((BLOCK + 3, 2, 3, 3)).astype(np.float32)
    basis = rng.standard_normal((7, 3)).astype(np.float32)
    filters = expand(coefficients, basis)
    assert filters.dtype == np.float32 and filters.flags.c_contiguous
    c, b = coefficients.tolist(), basis.tolist()
    exact = [[[[math.fsum(c[o][i][k][m] * b[y][k] * b[x][m] for k in range(3) for m in range(3))
                for x in range(7)] for y in range(7)] for i in range(2)] for o in range(BLOCK + 3)]
    # Doubles may round the other way at a tie of single precision.
    np.testing.assert_array_max_ulp(filters, np.array(exact, np.float32), 1)
    assert np.mean(filters != np.array(exact, np.float32)) < 0.001


def test_the_first_index_is_of_rows():
    coefficients = np.zeros((1, 1, 2, 2), np.float32)
    coefficients[0, 0, 0, 1] = 3
    basis = np.array([[1, 10], [2, 20], [4, 40]], np.float32)
    np.testing.assert_array_equal(expand(coefficients, basis)[0, 0], np.outer([3, 6, 12], [10, 20, 40]))


def test_projection_is_numpys_least_squares_over_the_plane(rng):
    basis = rng.standard_normal((5, 2)).astype(np.float32)
    planes = np.stack([np.outer(basis[:, k], basis[:, m]).ravel() for k in range(2) for m in range(2)], axis=1)
    coefficients = rng.standard_normal((4, 3, 2, 2))
    # A little outside the basis, within the tolerance.
    filters = coefficients.reshape(12, 4) @ planes.T
    filters += 2e-5 * np.abs(filters).max() * rng.uniform(-1, 1, filters.shape)
    filters = filters.reshape(4, 3, 5, 5).astype(np.float32)
    found, *_ = np.linalg.lstsq(planes, filters.reshape(12, 25).T.astype(float), rcond=None)
    np.testing.assert_allclose(project(filters, basis), found.T.reshape(4, 3, 2, 2), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("basis, message", [
    (np.ones((7, 1)), "no sums of the basis's 1 functions"),
    (np.zeros((7, 2)), "no sums of the basis's 2 functions"),
    (np.full((7, 1), np.nan), "a basis holds NaN"),
    (np.ones((5, 1)), r"shape \(5, 1\) doesn't fit filters of 7 x 7"),
    (np.ones(7), r"shape \(7,\) doesn't fit"),
])
def test_filters_outside_the_basis_are_refused(rng, basis, message):
    with pytest.raises(InputError, match=message):
        project(rng.standard_normal((2, 2, 7, 7)).astype(np.float32), basis.astype(np.float32))
