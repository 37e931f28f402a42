"""Weights in few bits, against sums over plain Python numbers and against brute force."""

import numpy as np
import pytest

from lsd_repro.network.quantise import dequantise, quantise, significant


@pytest.fixture
def filters():
    """Gaussian, heavy-tailed, tiny, huge, one-sided, constant and empty channels."""
    rng = np.random.default_rng(8)
    gaussian = rng.standard_normal((7, 6, 3, 3))
    gaussian[1] = rng.standard_t(2, (6, 3, 3))
    gaussian[2] *= 1e-30
    gaussian[3] *= 1e30
    gaussian[4] = np.abs(gaussian[4]) + 3
    gaussian[5], gaussian[6] = -0.7, 0
    return gaussian.astype(np.float32)


@pytest.mark.parametrize("bits", [2, 3, 5, 8])
def test_codes_are_the_nearest_to_each_value(filters, bits):
    codes, scale = quantise(filters, bits)
    most = 2 ** (bits - 1) - 1
    assert codes.dtype == np.int8 and codes.shape == filters.shape and scale.dtype == np.float32
    for channel, its_codes, step in zip(filters.astype(float), codes.astype(float), scale.astype(float)):
        assert np.abs(its_codes).max() <= most
        clipped = np.clip(channel, -most * step, most * step)
        assert (np.abs(clipped - its_codes * step) <= 0.5001 * step).all()


@pytest.mark.parametrize("bits", [2, 3, 5, 8])
def test_scale_has_about_the_least_squared_error_of_all(filters, bits):
    most = 2 ** (bits - 1) - 1
    codes, scale = quantise(filters, bits)

    def error(channel, step):
        return np.sum((channel - np.clip(np.rint(channel / step), -most, most) * step) ** 2)

    for channel, its_codes, step in zip(filters[:6].astype(float), codes, scale.astype(float)):
        widest = np.abs(channel).max() / most
        least = min(error(channel, widest * ratio) for ratio in np.linspace(0.05, 1.1, 500))
        power = np.sum(channel ** 2)
        ours = np.sum((channel - its_codes * step) ** 2)
        assert ours <= error(channel, widest) * 1.0001 + 1e-12 * power
        assert np.sqrt(ours / power) <= 1.1 * np.sqrt(least / power) + 0.002


def test_channels_of_zeros_and_of_one_value_are_exact_or_nearly_so(filters):
    codes, scale = quantise(filters, 8)
    found = dequantise(codes, scale)
    assert scale[6] == 0 and not found[6].any()
    np.testing.assert_allclose(found[5], filters[5], rtol=1e-6)


def test_dequantised_filters_are_float32_in_c_order_whatever_the_codes_have():
    codes = np.asfortranarray(np.arange(-12, 12, dtype=np.int8).reshape(2, 3, 2, 2))
    found = dequantise(codes, np.array([0.5, 2], np.float32))
    assert found.dtype == np.float32 and found.flags.c_contiguous
    np.testing.assert_array_equal(found, [codes[0] / 2, codes[1] * 2.0])


def test_significant_bits_are_those_of_half_precision_at_11():
    values = np.random.default_rng(9).uniform(1e-3, 6e4, 5000).astype(np.float32)
    np.testing.assert_array_equal(significant(values, 11), values.astype(np.float16).astype(np.float32))
    np.testing.assert_array_equal(significant(values, 24), values)
