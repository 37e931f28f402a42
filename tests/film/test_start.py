import warnings

import numpy as np
import pytest
from PIL import Image

from lsd_repro.errors import InputError
from lsd_repro.film.start import load_start, noise


def test_without_a_file_a_shipped_photo_is_cropped_to_the_aspect_ratio():
    start = load_start(size=(48, 48))
    assert start.shape == (48, 48, 3) and start.dtype == np.uint8
    assert start.std() > 10


def test_a_file_keeps_its_own_size_unless_told(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (30, 50, 3)).astype(np.uint8)
    Image.fromarray(picture).save(tmp_path / "a.png")
    np.testing.assert_array_equal(load_start(tmp_path / "a.png"), picture)
    assert load_start(tmp_path / "a.png", (20, 24)).shape == (24, 20, 3)


def test_cropping_is_about_the_centre(tmp_path):
    picture = np.zeros((20, 60, 3), np.uint8)
    picture[:, 20:40] = 255
    Image.fromarray(picture).save(tmp_path / "a.png")
    np.testing.assert_array_equal(load_start(tmp_path / "a.png", (20, 20)), picture[:, 20:40])


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK"])
def test_other_colour_modes_become_rgb(tmp_path, mode):
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    Image.new("RGB", (20, 10), (204, 204, 204)).convert(mode).save(path)
    assert np.abs(load_start(path).astype(int) - 204).max() < 4


def test_noise_is_drawn_by_its_seed():
    first = load_start("noise", (96, 64), seed=3)
    assert first.shape == (64, 96, 3) and first.dtype == np.uint8
    np.testing.assert_array_equal(load_start("noise", (96, 64), seed=3), first)
    assert np.abs(load_start("noise", (96, 64), seed=4).astype(int) - first).mean() > 20


def test_noise_of_a_single_pixel_is_of_the_mean():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (noise((1, 1), 0) == 118).all()


def test_noise_is_clouds_in_colour():
    from lsd_repro.compare.statistics import radial_spectrum, spectral_slope

    picture = noise((256, 256), 0).astype(float)
    for channel in range(3):
        assert spectral_slope(radial_spectrum(picture[..., channel])) == pytest.approx(-3, abs=0.2)
        assert picture[..., channel].mean() == pytest.approx(118, abs=4)
        assert picture[..., channel].std() == pytest.approx(50, abs=4)
    assert np.ptp(picture, axis=2).mean() > 40, "the channels go along with each other"


def test_a_picture_of_that_name_is_reached_by_its_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.full((10, 12, 3), 9, np.uint8)).save("noise", format="PNG")
    assert load_start("./noise").max() == 9


def test_a_truncated_picture_is_refused_by_name(tmp_path):
    Image.fromarray(np.zeros((90, 90, 3), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:60])
    with pytest.raises(InputError, match="cut.png"):
        load_start(tmp_path / "cut.png")
