"""Pictures to judge a prior by."""

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from lsd_repro.compare.pictures import crops, degradations, smooth_noise
from lsd_repro.errors import InputError
from lsd_repro.material.photos import photo_paths


def test_shipped_photos_are_colour_photos():
    paths = photo_paths()
    assert len(paths) == 5
    for path in paths:
        picture = np.asarray(Image.open(path).convert("RGB")).astype(int)
        assert min(picture.shape[:2]) >= 256 and np.abs(picture[..., 0] - picture[..., 2]).mean() > 5


def test_crops_lie_edge_to_edge_from_the_top_left(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (70, 50, 3), np.uint8)
    Image.fromarray(picture).save(tmp_path / "a.png")
    found = crops(photo_paths(tmp_path), 20)
    assert found.shape == (6, 20, 20, 3)
    np.testing.assert_array_equal(found[3], picture[20:40, 20:40])


def test_photos_too_small_for_a_crop_are_an_error(tmp_path):
    Image.fromarray(np.zeros((9, 30, 3), np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="none of the 1 photos is 20 pixels"):
        crops(photo_paths(tmp_path), 20)


def test_degradations_do_what_they_are_called():
    picture = crops(photo_paths(), 128)[:2]
    found = degradations(picture)
    assert {kind: value.dtype == np.uint8 and value.shape == picture.shape for kind, value in found.items()} == dict.fromkeys(
        ("noise", "white noise", "JPEG", "blur"), True)
    inner = (picture > 80) & (picture < 175)
    assert np.std((found["noise"] - picture.astype(float))[inner]) == pytest.approx(20, rel=0.05)
    assert found["white noise"].std() == pytest.approx(256 / 12 ** 0.5, rel=0.02)
    expected = gaussian_filter(picture[0, ..., 1].astype(float), 2)
    np.testing.assert_allclose(found["blur"][0, ..., 1], expected, atol=0.51)
    assert 1 < np.abs(found["JPEG"] - picture.astype(float)).mean() < 15


def test_smooth_noise_has_its_strength_and_its_size():
    grey = np.full((600, 600, 3), 128.0)
    for size in (1, 8, 32):
        noise = smooth_noise(grey, size, np.random.default_rng(0)) - grey
        assert noise.std() == pytest.approx(20, rel=0.02)
        # A Gaussian filter of width w leaves a correlation of exp(-(d / 2w)^2) at distance d: 1/e at d = size.
        shift = np.corrcoef(noise[size:].ravel(), noise[:-size].ravel())[0, 1]
        assert shift == pytest.approx(np.exp(-1), abs=0.12)
