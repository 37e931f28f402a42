"""Coherence against mixtures of signal and noise whose shares are known."""

import numpy as np
import pytest

from lsd_repro.compare.coherence import coherence
from lsd_repro.compare.statistics import EDGES, FREQUENCIES, radial_spectrum

SHAPE = 300, 400
# From this ring on there are hundreds of frequencies to average over.
MANY = 7


def white(seed):
    return np.random.default_rng(seed).normal(0, 30, SHAPE)


def test_a_picture_and_a_fainter_brighter_copy_of_it_agree_at_all_frequencies():
    np.testing.assert_allclose(coherence(white(0), 0.2 * white(0) + 90), 1, atol=1e-9)


@pytest.mark.parametrize("noise", [0.5, 1.0, 2.0])
def test_noise_leaves_the_share_of_the_signal(noise):
    signal = white(0)
    found = coherence(signal, signal + noise * white(1))
    np.testing.assert_allclose(found[MANY:], 1 / (1 + noise ** 2), atol=0.06)


def test_strangers_have_next_to_nothing_in_common_although_they_have_the_same_power():
    found = coherence(white(0), white(1))
    assert found[MANY:].max() < 0.05
    np.testing.assert_allclose(radial_spectrum(white(0))[MANY:], radial_spectrum(white(1))[MANY:], rtol=0.15)


def test_detail_redrawn_above_a_frequency_is_seen_there_alone():
    cut = EDGES[10]
    one, other = (np.fft.fft2(white(seed)) for seed in (0, 1))
    fine = np.hypot(np.fft.fftfreq(SHAPE[0])[:, None], np.fft.fftfreq(SHAPE[1])) > cut
    redrawn = np.fft.ifft2(np.where(fine, other, one)).real
    found = coherence(white(0), redrawn)
    # The window smears a ring by two frequencies.
    assert found[cut > FREQUENCIES][:-1].min() > 0.95
    assert found[cut < FREQUENCIES][1:].max() < 0.05


def test_the_same_detail_elsewhere_is_not_the_same():
    moved = np.roll(white(0), 3, axis=1)
    assert coherence(white(0), moved)[-3:].max() < 0.1


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"\(300, 400\) and \(300, 401\)"):
        coherence(np.zeros(SHAPE), np.zeros((300, 401)))
