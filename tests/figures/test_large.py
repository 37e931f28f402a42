"""Pictures at their own size."""

import io

import numpy as np
from IPython.core.formatters import DisplayFormatter
from PIL import Image

from lsd_repro.figures import large
from lsd_repro.figures.drawing import strip


def decoded(jpeg):
    return np.asarray(Image.open(io.BytesIO(jpeg.data)), float)


def test_a_picture_keeps_its_size_and_its_colours():
    ramp = np.broadcast_to(np.linspace(-20, 280, 240)[:, np.newaxis], (120, 240, 3))
    shown = large.picture(ramp)
    assert (shown.width, shown.height) == (240, 120)
    assert np.abs(decoded(shown) - np.clip(ramp, 0, 255)).mean() < 1


def test_a_figure_is_as_wide_as_a_lesson():
    shown = large.photographic(strip("a square", {"grey": np.full((20, 20, 3), 128.0)}))
    assert shown.width == decoded(shown).shape[1] == 900
    middle = decoded(shown)[shown.height // 2, 450]
    np.testing.assert_allclose(middle, 128, atol=2)


def test_a_notebook_takes_it_for_a_jpeg():
    data, _ = DisplayFormatter().format(large.picture(np.zeros((8, 16, 3))))
    assert set(data) == {"image/jpeg", "text/plain"}
    assert data["text/plain"] == "<JPEG of 16x8>"
