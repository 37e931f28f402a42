"""The text in the corner."""

import numpy as np
import pytest
from PIL import ImageFont

from lsd_repro.film.caption import caption, draw_caption, font, shortened

GREY = 77


def box_of(frame, background=GREY):
    """Rows and columns of the smallest rectangle that holds everything drawn."""
    drawn = (frame != background).any(axis=2)
    rows, columns = np.flatnonzero(drawn.any(1)), np.flatnonzero(drawn.any(0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def plain(height=60, width=400):
    return np.full((height, width, 3), GREY, np.uint8)


def test_caption_of_one_class_is_its_name():
    assert caption(["spider web"]) == "spider web"


def test_caption_of_two_classes_joins_their_names():
    assert caption(["king penguin", "gondola"]) == "king penguin & gondola"


def test_text_has_its_corner_at_5_5_and_a_border_around():
    rows, columns = box_of(draw_caption(plain(), "pizza"))
    assert (rows.start, columns.start) == (4, 4)


def test_box_is_black_and_white_only_with_a_black_border():
    frame = draw_caption(plain(), "king penguin & gondola")
    box = frame[box_of(frame)]
    assert set(np.unique(box)) == {0, 255}
    assert (box[..., 0] == box[..., 1]).all() and (box[..., 0] == box[..., 2]).all()
    for edge in (box[0], box[-1], box[:, 0], box[:, -1]):
        assert (edge == 0).all()


def test_the_picture_around_the_box_is_untouched():
    frame = np.random.default_rng(0).integers(0, 256, (80, 300, 3)).astype(np.uint8)
    before = frame.copy()
    captioned = draw_caption(frame, "volcano")
    np.testing.assert_array_equal(frame, before)
    rows, columns = box_of(draw_caption(plain(80, 300), "volcano"))
    captioned[rows, columns] = before[rows, columns]
    np.testing.assert_array_equal(captioned, before)


def test_font_is_20_pixels_high():
    # DejaVu Sans: capitals 0.729 em high, by the font's own tables.
    box = draw_caption(plain(), "H")
    white = np.flatnonzero((box == 255).all(axis=2).any(axis=1))
    assert np.ptp(white) + 1 == pytest.approx(0.729 * 20, abs=1)


def test_float_frames_get_ones_where_bytes_get_255():
    as_bytes = draw_caption(np.zeros((60, 400, 3), np.uint8), "pizza")
    as_float = draw_caption(np.zeros((60, 400, 3), np.float32), "pizza")
    assert as_float.dtype == np.float32
    np.testing.assert_array_equal(as_bytes, 255 * as_float)


@pytest.mark.parametrize("text", ["", "  \n"])
def test_no_text_no_box(text):
    np.testing.assert_array_equal(draw_caption(plain(), text), plain())


def test_accents_are_drawn():
    assert (draw_caption(plain(), "Löwe") != draw_caption(plain(), "Lowe")).any()


@pytest.mark.parametrize("text", ["\u5bcc\u58eb\u5c71", "\U0001f355", "a\x00b", "\u05d0\u05d1"])
def test_what_the_font_lacks_is_drawn_as_something(text):
    frame = draw_caption(plain(), text)
    assert (frame[box_of(frame)] == 255).any()


def test_line_breaks_become_spaces():
    np.testing.assert_array_equal(draw_caption(plain(), "spider\n web"),
                                  draw_caption(plain(), "spider web"))


def test_long_text_ends_in_an_ellipsis_inside_the_frame():
    frame = draw_caption(plain(60, 200), "hippopotamus " * 20)
    rows, columns = box_of(frame)
    assert 150 < columns.stop <= 196
    assert rows == box_of(draw_caption(plain(60, 200), "pizza"))[0]


def test_shortened_text_fits_and_starts_alike():
    typeface = font(20)
    assert isinstance(typeface, ImageFont.FreeTypeFont)
    short = shortened("hippopotamus amphibius", typeface, 120)
    assert short.endswith("\u2026") and "hippopotamus amphibius".startswith(short[:-1])
    assert typeface.getlength(short) <= 120
    assert shortened("bee", typeface, 120) == "bee"


def test_a_tiny_frame_cuts_the_box_off():
    frame = draw_caption(plain(8, 9), "pizza")
    assert frame.shape == (8, 9, 3)
    assert (frame[:4] == GREY).all() and (frame[:, :4] == GREY).all()
    np.testing.assert_array_equal(draw_caption(plain(3, 3), "pizza"), plain(3, 3))
