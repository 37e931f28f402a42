"""Statistics of frames and the yardstick for them, against what is known beforehand."""

import numpy as np
import pytest
from scipy.stats import wasserstein_distance
from skimage import color, data

from lsd_repro.compare import statistics
from lsd_repro.errors import InputError


def power_law(exponent, shape=(300, 500), seed=0):
    """Noise whose power is the given power of the frequency."""
    radius = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1]))
    radius[0, 0] = np.inf
    spectrum = np.fft.rfft2(np.random.default_rng(seed).normal(size=shape)) * radius ** (exponent / 2)
    plane = np.fft.irfft2(spectrum, shape)
    return 128 + 40 * plane / plane.std()


@pytest.mark.parametrize("exponent", [-1, -2, -3])
def test_the_slope_of_a_power_law_is_found(exponent):
    power = statistics.radial_spectrum(power_law(exponent))
    assert statistics.spectral_slope(power) == pytest.approx(exponent, abs=0.1)


def test_white_noise_has_its_variance_at_every_frequency():
    plane = np.random.default_rng(0).normal(100, 10, (400, 600))
    np.testing.assert_allclose(statistics.radial_spectrum(plane), 100, rtol=0.2)
    assert np.mean(statistics.radial_spectrum(plane)) == pytest.approx(100, rel=0.05)


@pytest.mark.parametrize("shape", [(128, 128), (272, 480), (472, 840)])
@pytest.mark.parametrize("direction", [0, 0.5, 1.5])
def test_a_wave_is_found_at_its_frequency_whatever_size_and_direction(shape, direction):
    rows, columns = np.indices(shape)
    wave = 128 + 50 * np.sin(2 * np.pi / 9 * (rows * np.sin(direction) + columns * np.cos(direction)))
    highest = statistics.radial_spectrum(wave).argmax()
    assert statistics.EDGES[highest] <= 1 / 9 < statistics.EDGES[highest + 1]


def test_brightness_alone_does_not_reach_the_spectrum():
    np.testing.assert_allclose(statistics.radial_spectrum(np.full((200, 300), 200.0)), statistics.ROUNDING)


def test_distance_of_quantiles_is_the_wasserstein_distance():
    rng = np.random.default_rng(0)
    lightness = [color.rgb2lab(photo)[..., 0].ravel() for photo in (data.coffee(), data.chelsea())]
    for one, other in (lightness, (rng.normal(0, 1, 50_000), rng.exponential(2, 30_000)),
                       (np.clip(rng.normal(0, 1, 50_000), -1, 1), rng.uniform(-1, 1, 30_000))):
        found = statistics.distances(*(statistics.quantiles(values)[np.newaxis] for values in (one, other)))
        assert found.shape == (1, 1)
        assert found[0, 0] == pytest.approx(wasserstein_distance(one, other), rel=0.01)


def test_colours_are_those_of_cie_lab():
    # sRGB's red under D65, and middle grey, as tables of colour conversions have them.
    picture = np.empty((200, 200, 3), np.uint8)
    picture[:50], picture[50:] = (255, 0, 0), (119, 119, 119)
    found = statistics.colours(picture)
    for name, red, grey in (("lightness L", 53.24, 50.03), ("colour a", 80.09, 0), ("colour b", 67.20, 0),
                            ("chroma", 104.55, 0)):
        low, high = sorted((red, grey))
        assert found[name][0] == pytest.approx(low, abs=0.02) and found[name][-1] == pytest.approx(high, abs=0.02)
        assert found[name].mean() == pytest.approx(red / 4 + grey * 3 / 4, rel=0.02, abs=0.02)
    away = np.hypot(104.55, 53.24 - 50.03)  # of red from grey; a quarter is 3/4 of that from the mean, the rest 1/4
    assert found["spread of colours"][0] == pytest.approx(np.sqrt(0.25 * 0.75 ** 2 + 0.75 * 0.25 ** 2) * away, rel=1e-3)


def test_clipped_values_are_counted_in_percent():
    picture = np.random.default_rng(0).integers(1, 255, (200, 100, 3), np.uint8)
    picture[:50] = 0
    picture[50:60, :, 1] = 255
    found = statistics.measure(picture)
    assert found["clipped to 0"] == pytest.approx(25)
    assert found["clipped to 255"] == pytest.approx(100 * 10 / 200 / 3)


def test_contrast_of_patches_is_their_standard_deviation():
    plane = np.full((130, 141), 50.0)
    plane[::2, :24] = 70  # three patches a row with a deviation of 10
    plane[128:], plane[:, 136:] = 0, 255  # no whole patches, left out
    found = statistics.patch_contrast(plane)
    assert found.shape == (16 * 17,)
    np.testing.assert_allclose(np.unique(found, return_counts=True), [[0, 10], [16 * 14, 16 * 3]])


def test_kurtosis_is_none_for_gaussian_noise_and_large_for_rare_spots():
    rng = np.random.default_rng(0)
    np.testing.assert_allclose(statistics.band_kurtosis(rng.normal(size=(600, 800))), 0, atol=0.3)
    assert statistics.band_kurtosis((rng.random((600, 800)) < 0.0005).astype(float)).min() > 3
    wave = 10 * np.sin(np.arange(800) / 60)  # too long for the finest band
    assert statistics.band_kurtosis(rng.normal(size=(600, 800)) + wave)[0] == pytest.approx(0, abs=0.1)


def test_noise_flattens_the_spectrum_of_a_photo_and_blur_steepens_it():
    photo = color.rgb2gray(data.coffee()) * 255
    slope = [statistics.spectral_slope(statistics.radial_spectrum(plane)) for plane in (
        photo + np.random.default_rng(0).normal(0, 20, photo.shape), photo, (photo[1:] + photo[:-1]) / 2)]
    assert slope[0] > slope[1] + 0.2 and slope[1] > slope[2] + 0.05


def test_the_best_class_of_each_half():
    logits = np.zeros((4, 5, 3))
    logits[2, 2:], logits[1, :2] = 6, 4  # with five rows, the bottom has three
    logits[3, 0, 0] = 9
    best = statistics.best_classes(logits)
    assert best.indices == (2, 1)
    assert best.logit == pytest.approx((6 + 4) / 2 - logits.mean())
    assert best.share == pytest.approx((1 + 5 / 6) / 2)
    single = statistics.best_classes(logits[:, :1])
    assert single.indices == (1, 1) and single.share == pytest.approx(2 / 3)


def test_a_frame_is_at_no_distance_from_itself_and_distances_are_mutual():
    found = [statistics.measure(photo) for photo in (data.coffee(), data.chelsea(), data.coffee())]
    for name in found[0]:
        vectors = np.array([one[name] for one in found])
        between = statistics.distances(vectors, vectors)
        assert between[0, 2] == 0 and between[0, 1] == between[1, 0] > 0


def test_energies_and_logits_become_statistics():
    logits = np.zeros((3, 4, 4))
    logits[1] = 3
    found = statistics.measure(data.coffee(), {1: 4.5, 8: 5.5}, logits)
    assert [found[f"prior energy, scale {scale}"] for scale in (1, 8)] == [4.5, 5.5]
    assert found["logit of the best class"] == pytest.approx(2) and found["share of the best class"] == 100
    assert all(vector.ndim == 1 and np.isfinite(vector).all() for vector in found.values())


def scalars(*values):
    return np.array(values, float)[:, np.newaxis]


def test_judged_by_hand():
    judgement = statistics.judge(scalars(3, 20), scalars(0, 1, 2, 10))
    np.testing.assert_allclose(judgement.ours, [2.5, 18.5])
    np.testing.assert_allclose(judgement.theirs, [2, 1, 2, 9])
    assert judgement.outside.tolist() == [False, True]
    # Left out, 10 is 9 away from 0, 1, 2, and those are at most 1.5 from each other.
    assert statistics.left_out(scalars(0, 1, 2, 10)).tolist() == [False, False, False, True]


def test_a_frame_like_theirs_is_outside_about_once_in_thirteen():
    rng = np.random.default_rng(0)
    outside = [statistics.judge(rng.normal(size=(1, 3)), rng.normal(size=(12, 3))).outside[0] for _ in range(2000)]
    assert 0.055 < np.mean(outside) < 0.10  # 1/13 is 0.077, and its standard error 0.006


def test_pictures_with_nothing_to_compare_are_refused():
    noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    statistics.check("frame.png", noise)
    with pytest.raises(InputError, match="frame.png: 128x127 is too small.*at least 128x128"):
        statistics.check("frame.png", noise[:127])
    with pytest.raises(InputError, match="frame.png: a single colour"):
        statistics.check("frame.png", np.full((200, 200, 3), (0, 90, 255), np.uint8))


def test_no_theano_is_needed(python):
    done = python("import sys; import lsd_repro.compare.statistics; assert 'theano' not in sys.modules")
    assert done.returncode == 0, done.stderr


def test_colourfulness_is_that_of_its_formula_and_of_grey_none():
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (40, 50, 3)).astype(np.uint8)
    red, green, blue = (picture[..., i].astype(float) for i in range(3))
    rg, yb = red - green, 0.5 * (red + green) - blue
    expected = (rg.var() + yb.var()) ** 0.5 + 0.3 * (rg.mean() ** 2 + yb.mean() ** 2) ** 0.5
    assert statistics.colourfulness(picture) == pytest.approx(expected)
    assert statistics.colourfulness(np.repeat(picture[..., :1], 3, axis=2)) == 0
