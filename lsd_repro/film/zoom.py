"""The slow zoom: `zoom_picture`, `between`, `moves`, `to_uint8`.

The stream drifts into its picture: 5 % a second, turning a hundredth of a degree
with every video frame.  The same similarity transform advances the working picture
(`zoom_picture`) and fills the film between two optimised frames (`between`).

Pictures are (H, W, 3) in 0..255.  A quirk of 2015: in between they were on the 0..1
scale, in the picture's own precision on the way there and in float32 on the way back,
and so they are here (`_to_unit`, `_from_unit`), for the same bits.
"""

import numpy as np
from skimage.transform import warp

from lsd_repro.hints import Floats, Picture, Pixels
from lsd_repro.program2015 import FRAMES_PER_SECOND, ROTATION_PER_FRAME, ZOOM_PER_SECOND

ZOOM_PER_FRAME = ZOOM_PER_SECOND ** (1 / FRAMES_PER_SECOND)

# skimage's names for the two interpolations of 2015.
BILINEAR, BICUBIC = 1, 3

Size = tuple[int, int]  # height, width


def zoom_picture(picture: Picture, k: float) -> Floats:
    """Zoom the working picture by `k` video frames, to continue from.

    Parameters
    ----------
    picture : (H, W, 3) array of float, 0..255
        Values outside 0..255 are clipped first.
    k : float
        Video frames to advance by; 0 leaves the picture as it is.

    Returns
    -------
    (H, W, 3) array of float32
        Not clipped: the bicubic filter overshoots 0..255 a little at edges, and the
        2015 program carried on with that.

    Notes
    -----
    Bicubic; beyond the picture its edge is repeated.

    2015 quirk: zoom about half the width.  2015 quirk: unclipped overshoot.
    """
    shape = picture.shape[:2]
    return _from_unit(_warped(np.clip(_to_unit(picture), 0, 1), _to_input(k, 1.0, shape, shape), shape,
                              order=BICUBIC, mode="edge"))


def between(a: Picture, b: Picture, i: int, a_index: int, b_index: int, video_shape: Size) -> Floats:
    """Video frame `i` between the optimised frames `a` and `b`.

    `a` is moved forward to time `i`, `b` back; the two are blended linearly in
    time.  Moved back, `b` shrinks: where it no longer covers the frame, `a` stands
    alone.

    2015 quirk: bicubic picture, bilinear film.  2015 quirk: older frame at the margin.

    Parameters
    ----------
    a, b : (H, W, 3) array of float, 0..255
        Optimised frames, as handed to the stream (before `zoom_picture`).
    i : int
        Index of the video frame, ``a_index <= i < b_index``.
    a_index, b_index : int
        Video indices at which `a` and `b` lie.
    video_shape : (int, int)
        Height and width of the film.  The picture fills it as far as its own
        aspect ratio goes; beyond that its edge is repeated (and `b` is absent).

    Returns
    -------
    (h, w, 3) array of float32, 0..255

    Raises
    ------
    ValueError
        If the shapes of `a` and `b` differ or `i` is not between the two.
    """
    if a.shape != b.shape:
        raise ValueError(f"frames of different shapes: {a.shape} and {b.shape}")
    to_a, to_b, share = moves(i, a_index, b_index, (a.shape[0], a.shape[1]), video_shape)
    forward = _warped(_to_unit(a), to_a, video_shape, order=BILINEAR, mode="edge")
    if share == 0:
        return _from_unit(forward)
    backward = _warped(_to_unit(b), to_b, video_shape, order=BILINEAR, mode="constant", cval=np.nan)
    blend = (1 - share) * forward + share * backward
    return _from_unit(np.where(np.isnan(backward), forward, blend))


def moves(i: int, a_index: int, b_index: int, shape: Size, video_shape: Size,
          speed: float = 1.0) -> tuple[Floats, Floats, float]:
    """How the optimised frames `a` and `b` move to become video frame `i`, and mix.

    Parameters
    ----------
    i, a_index, b_index : int
        As in `between`.
    shape, video_shape : (int, int)
        Height and width of the optimised frames, and of the film.
    speed : float
        Of the zoom, as a multiple of 2015's.

    Returns
    -------
    to_a, to_b : (3, 3) array
        From (x, y) of the video frame to (x, y) of `a` and of `b`.
    share : float
        Weight of `b`; that of `a` is the rest.

    Raises
    ------
    ValueError
        If `i` is not between the two.
    """
    if not a_index <= i < b_index:
        raise ValueError(f"video frame {i} is not in {a_index}..{b_index - 1}")
    fit = min(video_shape[0] / shape[0], video_shape[1] / shape[1])
    to_a, to_b = (_to_input(speed * (i - index), fit, shape, video_shape) for index in (a_index, b_index))
    return to_a, to_b, (i - a_index) / (b_index - a_index)


def to_uint8(frame: Picture) -> Pixels:
    """A video frame as it goes out.

    2015 quirk: truncated bytes, not rounded ones.

    Parameters
    ----------
    frame : array of float, 0..255
        Values outside are clipped.

    Returns
    -------
    array of uint8
    """
    return np.clip(frame, 0, 255).astype(np.uint8)


def kept_corners(shape: Size, k: float) -> Floats:
    """Where the corners of a zoomed picture come from.

    Parameters
    ----------
    shape : (height, width)
    k : float
        Video frames that `zoom_picture` advances by.

    Returns
    -------
    array, shape (4, 2)
        (x, y) in the picture before, of the corner pixels from the upper left clockwise.
    """
    height, width = shape
    right, bottom = width - 1, height - 1
    corners = np.array([[0, 0, 1], [right, 0, 1], [right, bottom, 1], [0, bottom, 1]])
    return (corners @ _to_input(k, 1.0, shape, shape).T)[:, :2]


def _to_unit(picture):
    return picture / 255


def _from_unit(picture):
    return 255 * picture.astype(np.float32)


def _to_input(k, fit, shape, output_shape):
    """Where a picture's pixels come from, `k` video frames later and `fit` times as large."""
    height, width = shape
    scale = 1 / (ZOOM_PER_FRAME ** k * fit)
    angle = -np.deg2rad(ROTATION_PER_FRAME * k)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)],
                             [np.sin(angle), np.cos(angle)]])
    # Output (x, y) to input (x, y), centre to centre.  The centre is (W/2, H/2), half a
    # pixel off the middle (W-1)/2 of the pixel grid, as in 2015.
    to_input = np.eye(3)
    to_input[:2, :2] = turn
    to_input[:2, 2] = (np.array([width, height]) / 2
                       - turn @ np.array([output_shape[1], output_shape[0]]) / 2)
    return to_input


def _warped(picture, to_input, output_shape, **interpolation):
    # skimage computes coordinates in the picture's precision: in float32 they are wrong
    # by 1e-5 of a picture's width, which shows as 2e-5 in the result.
    return warp(np.asarray(picture, np.float64), to_input, output_shape=tuple(output_shape),
                clip=False, preserve_range=True, **interpolation)
