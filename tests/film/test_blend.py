"""The film's own C code against scikit-image, which `test_zoom` holds against 2015 and scipy."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from lsd_repro.film import _blend
from lsd_repro.film.blend import blended, blended_plainly


def noise(height, width, seed):
    """The hardest texture: neighbours differ by up to 255, so coordinates must be right."""
    return np.random.default_rng(seed).uniform(0, 255, (height, width, 3)).astype(np.float32)


# The last: so far zoomed that little of the second picture is left in the frame.
@pytest.mark.parametrize("k, video_shape", [
    (7, (66, 90)), (190, (66, 90)), (25, (81, 110)), (25, (72, 140)), (25, (90, 96)), (25, (40, 64)), (1200, (66, 90))])
def test_every_byte_is_within_one_of_scikit_image(k, video_shape):
    a, b = noise(66, 90, 1), noise(66, 90, 2)
    ours = np.array(list(blended(a, b, k, video_shape)))
    theirs = np.array(list(blended_plainly(a, b, k, video_shape)))
    assert ours.shape == (k, *video_shape, 3) and ours.dtype == np.uint8
    difference = np.abs(ours.astype(int) - theirs)
    assert difference.max() <= 1
    # Truncated to the other side of a whole number, and not a warp that is a little off.
    assert (difference > 0).mean() < 2e-5


@pytest.mark.parametrize("k", [5, 60, 190])
def test_the_second_picture_covers_the_same_pixels_as_scikit_image_says(k):
    black, white = np.zeros((48, 64, 3), np.float32), np.full((48, 64, 3), 255, np.float32)
    for ours, theirs in zip(blended(black, white, k, (60, 80)), blended_plainly(black, white, k, (60, 80))):
        np.testing.assert_array_equal(ours > 0, theirs > 0)


def test_the_first_video_frame_is_the_first_picture():
    picture = np.random.default_rng(0).integers(0, 256, (40, 52, 3)).astype(np.float32)
    first = next(blended(picture, noise(40, 52, 1), 9, (40, 52)))
    np.testing.assert_array_equal(first, picture)


def test_every_grey_level_survives_zoom_and_blend():
    levels = np.repeat(np.arange(256, dtype=np.float32), 3).reshape(256, 1, 1, 3)
    for level in levels:
        picture = np.broadcast_to(level, (12, 17, 3))
        assert all((frame == level).all() for frame in blended(picture, picture, 4, (20, 30)))


def test_values_outside_0_255_are_clipped():
    a = np.array([-40, 300, 255.9], np.float32) * np.ones((9, 9, 1), np.float32)
    assert all((frame == [0, 255, 255]).all() for frame in blended(a, a, 3, (9, 9)))


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1)])
def test_pictures_of_a_single_row_or_column(shape):
    a, b = noise(*shape, 1), noise(*shape, 2)
    for ours, theirs in zip(blended(a, b, 6, (8, 12)), blended_plainly(a, b, 6, (8, 12))):
        assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_layout_and_precision_of_the_pictures_do_not_matter():
    a, b = noise(30, 40, 1), noise(30, 40, 2)
    expected = list(blended(a, b, 5, (36, 48)))
    np.testing.assert_array_equal(list(blended(np.asfortranarray(a), b.astype(np.float64), 5, (36, 48))), expected)


def test_films_made_side_by_side_in_threads_are_the_same():
    pictures = [noise(60, 80, seed) for seed in range(9)]

    def film(index):
        return np.array(list(blended(pictures[index], pictures[index + 1], 20, (72, 96))))

    alone = [film(index) for index in range(8)]
    with ThreadPoolExecutor(4) as threads:
        np.testing.assert_array_equal(list(threads.map(film, range(8))), alone)


@pytest.mark.parametrize("blend", [blended, blended_plainly])
def test_memory_does_not_grow_with_the_number_of_frames(blend):
    a, b = noise(60, 80, 1), noise(60, 80, 2)

    def peak(k):
        tracemalloc.start()
        for _ in blend(a, b, k, (72, 96)):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(2)  # what is loaded and kept once
    assert peak(60) < peak(4) + 72 * 96 * 3


@pytest.mark.parametrize("blend", [blended, blended_plainly])
def test_frames_of_different_shapes_are_refused(blend):
    with pytest.raises(ValueError, match=r"\(4, 5, 3\) and \(5, 4, 3\)"):
        next(blend(noise(4, 5, 0), noise(5, 4, 0), 2, (4, 4)))


def test_the_c_code_refuses_buffers_of_another_size():
    frame = np.zeros((4, 5, 3), np.uint8)
    picture, to_input = np.zeros((4, 5, 4), np.float32), np.zeros((2, 3))
    good = (frame, (4, 5), picture, to_input, picture, to_input, (3, 4), 0.5)
    _blend.blend(*good)
    for position, bad in ((0, frame[:3]), (1, (5, 5)), (2, picture[:2]), (3, to_input[:1]),
                          (4, picture.astype(np.float64)), (5, np.eye(3)), (6, (4, 4)), (6, (-2, -6)), (6, (0, 0))):
        with pytest.raises(ValueError, match="sizes"):
            _blend.blend(*good[:position], bad, *good[position + 1:])


def test_without_its_c_code_the_film_says_how_to_build_it(python):
    result = python("import sys; sys.modules['lsd_repro.film._blend'] = None\n"
                    "from lsd_repro.errors import InputError\n"
                    "try: import lsd_repro.film.stream\n"
                    "except InputError as error: print(error)")
    assert "make" in result.stdout and "build_ext" in result.stdout, result.stderr
