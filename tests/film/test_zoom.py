"""The zoom against the 2015 program's own arrays, scipy's interpolation and closed forms."""

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from lsd_repro.compare import transition
from lsd_repro.film.zoom import between, kept_corners, to_uint8, zoom_picture
from lsd_repro.material.photos import read_photo
from lsd_repro.program2015 import STREAM

GOLDEN = Path(__file__).parents[1] / "golden" / "stream.npz"


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN) as arrays:
        return dict(arrays)


def smooth_picture(height, width, seed=0):
    noise = np.random.default_rng(seed).uniform(size=(height, width, 3))
    smooth = gaussian_filter(noise, (4, 4, 0))
    return 255 * (smooth - smooth.min()) / np.ptp(smooth)


def blob(height, width, x, y):
    """A bright spot centred on the coordinates (x, y)."""
    ys, xs = np.mgrid[:height, :width]
    spot = np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / (2 * 4 ** 2))
    return np.repeat(spot[..., np.newaxis], 3, axis=2)


def centre_of_mass(frame):
    ys, xs = np.mgrid[:frame.shape[0], :frame.shape[1]]
    weight = frame[..., 0].astype(float)
    return (xs * weight).sum() / weight.sum(), (ys * weight).sum() / weight.sum()


def source_coordinates(k, fit, picture_shape, video_shape):
    """FACTS-2015 section 7 in plain trigonometry: where each output pixel comes from."""
    zoom = 1.05 ** (k / 25)
    angle = np.deg2rad(0.01 * k)
    ys, xs = np.mgrid[:video_shape[0], :video_shape[1]].astype(float)
    dx, dy = xs - video_shape[1] / 2, ys - video_shape[0] / 2
    x = (dx * np.cos(angle) + dy * np.sin(angle)) / (zoom * fit) + picture_shape[1] / 2
    y = (-dx * np.sin(angle) + dy * np.cos(angle)) / (zoom * fit) + picture_shape[0] / 2
    return y, x


def bilinear(picture, coordinates, **border):
    return np.stack([map_coordinates(picture[..., c], coordinates, order=1, **border)
                     for c in range(3)], axis=2)


def test_zoom_equals_2015(golden):
    zoomed = zoom_picture(golden["start_image"], int(golden["video_frames_per_frame"]))
    stride = int(golden["stride"])
    assert np.abs(zoomed[::stride, ::stride] - 255 * golden["zoomed_frames"][0]).max() < 255e-6


def test_between_two_frames_of_the_stream_lie_193_video_frames(of_2015):
    before, after = (read_photo(of_2015("frames") / name).astype(np.float64) for name in (transition.BEFORE, transition.AFTER))

    def correlation(k):
        pair = [picture - picture.mean(axis=(0, 1)) for picture in (zoom_picture(before, k), after)]
        return np.corrcoef(*map(np.ravel, pair))[0, 1]

    found = {k: correlation(k) for k in (0, 192, 193, 194)}
    assert max(found, key=found.get) == 193 == STREAM.video_frames_per_frame
    assert found[193] > 0.93 and found[192] < 0.922 and found[194] < 0.921 and abs(found[0]) < 0.13


def test_first_video_frame_equals_2015(golden):
    start = golden["start_image"]
    k = int(golden["video_frames_per_frame"])
    frame = between(start, np.zeros_like(start), 0, 0, k, tuple(golden["video_shape"]))
    stride = int(golden["stride"])
    assert golden["video_frame_ids"][0] == 0
    assert np.abs(frame[::stride, ::stride] - 255 * golden["video_frames"][0]).max() < 255e-6


def test_zoom_by_no_frames_is_the_identity():
    picture = smooth_picture(30, 41).astype(np.float32)
    zoomed = zoom_picture(picture, 0)
    assert zoomed.dtype == np.float32
    np.testing.assert_allclose(zoomed, picture, atol=255e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_zoom_rounds_where_2015_did(dtype):
    picture = (1.1 * smooth_picture(40, 50) - 10).astype(dtype)
    expected = np.float32(255) * np.clip(picture / dtype(255), 0, 1).astype(np.float32)
    assert (expected != np.clip(picture, 0, 255)).any()
    np.testing.assert_array_equal(zoom_picture(picture, 0), expected)


def test_zoom_clips_the_picture_first_but_not_the_result():
    step = np.zeros((40, 40, 3))
    step[:, 20:] = 255
    expected = zoom_picture(step, 10)
    np.testing.assert_array_equal(zoom_picture(3 * step - 255, 10), expected)
    assert expected.min() < -1 and expected.max() > 256


def test_zoom_repeats_the_edge():
    picture = np.full((20, 30, 3), 128.0)
    picture[0] = 230
    shrunk = zoom_picture(picture, -200)
    np.testing.assert_allclose(shrunk[0], 230, atol=1e-4)


def test_zoom_keeps_centre_fixed():
    # (W/2, H/2), of a picture whose middle lies elsewhere: at ((W-1)/2, (H-1)/2).
    x, y = centre_of_mass(zoom_picture(blob(120, 160, 80, 60), 100))
    assert x == pytest.approx(80, abs=1e-3) and y == pytest.approx(60, abs=1e-3)


def test_zoom_moves_outwards_and_turns_clockwise_on_screen():
    k = 150
    x, y = centre_of_mass(zoom_picture(blob(200, 240, 160, 100), k))
    radius, angle = 40 * 1.05 ** (k / 25), np.deg2rad(0.01 * k)
    assert x == pytest.approx(120 + radius * np.cos(angle), abs=0.01)
    assert y == pytest.approx(100 + radius * np.sin(angle), abs=0.01)  # y runs downwards


def test_zoom_there_and_back_is_nearly_the_identity():
    picture = smooth_picture(90, 110)
    back = zoom_picture(zoom_picture(picture, 25), -25)
    interior = slice(12, -12)
    assert np.abs(back - picture)[interior, interior].max() < 1.3


@pytest.mark.parametrize("video_shape", [(72, 96), (72, 120), (90, 96), (48, 64)])
def test_between_equals_scipy(video_shape):
    a, b = smooth_picture(66, 90, 1), smooth_picture(66, 90, 2)
    first, i, last = 40, 52, 60
    fit = min(video_shape[0] / 66, video_shape[1] / 90)
    forward = bilinear(a, source_coordinates(i - first, fit, (66, 90), video_shape), mode="nearest")
    y, x = source_coordinates(i - last, fit, (66, 90), video_shape)
    backward = bilinear(b, (y, x), mode="nearest")
    covered = ((x >= 0) & (x <= 89) & (y >= 0) & (y <= 65))[..., np.newaxis]
    assert 0 < covered.mean() < 1
    expected = np.where(covered, 0.4 * forward + 0.6 * backward, forward)

    frame = between(a, b, i, first, last, video_shape)
    assert frame.dtype == np.float32 and frame.shape == (*video_shape, 3)
    np.testing.assert_allclose(frame, expected, atol=255e-6)


def test_between_shows_the_older_frame_where_the_newer_does_not_reach():
    black, white = np.zeros((60, 80, 3)), np.full((60, 80, 3), 255.0)
    frame = between(black, white, 5, 0, 100, (60, 80))
    assert np.isfinite(frame).all()
    assert (frame[0] == 0).all() and (frame[:, -1] == 0).all()
    np.testing.assert_allclose(frame[30, 40], 0.05 * 255, atol=255e-6)


def test_zoom_and_film_agree():
    # Zoomed on by k and shown at video frame k, or moved there by the film: the same, but
    # for bicubic against bilinear.
    picture = smooth_picture(60, 80)
    zoomed = zoom_picture(picture, 20)
    shown = between(picture, picture, 20, 0, 1000, (60, 80))
    newer_absent = between(picture, np.full_like(picture, np.nan), 20, 0, 1000, (60, 80))
    assert np.abs(newer_absent - zoomed).max() < 2.5
    assert np.isfinite(shown).all()


def test_between_rejects_other_shapes_and_times():
    with pytest.raises(ValueError, match=r"\(4, 5, 3\) and \(5, 4, 3\)"):
        between(np.zeros((4, 5, 3)), np.zeros((5, 4, 3)), 0, 0, 1, (4, 4))
    for i in (-1, 10):
        with pytest.raises(ValueError, match=f"{i} is not in 0..9"):
            between(np.zeros((4, 5, 3)), np.zeros((4, 5, 3)), i, 0, 10, (4, 4))


def test_video_frames_are_truncated_not_rounded():
    frame = np.array([-50, 0, 0.9999, 1.5, 254.999, 255, 400])
    np.testing.assert_array_equal(to_uint8(frame), [0, 0, 0, 1, 254, 255, 255])
    assert to_uint8(frame).dtype == np.uint8


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_grey_level_survives_the_film(dtype):
    levels = np.arange(256).reshape(16, 16, 1).repeat(3, axis=2)
    picture = levels.astype(dtype)
    np.testing.assert_array_equal(to_uint8(between(picture, picture, 0, 0, 10, (16, 16))), levels)


def test_kept_corners_are_where_the_corners_come_from():
    y, x = source_coordinates(190, 1.0, (60, 90), (60, 90))
    expected = [(x[row, column], y[row, column]) for row, column in ((0, 0), (0, -1), (-1, -1), (-1, 0))]
    np.testing.assert_allclose(kept_corners((60, 90), 190), expected)
