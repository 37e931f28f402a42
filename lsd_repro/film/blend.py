"""The video frames between two optimised ones, as bytes: `blended`, and the plain `blended_plainly`.

Both yield ``to_uint8(between(a, b, ...))`` frame by frame.  `blended_plainly` is just
that, with scikit-image, as in 2015.  `blended` does it in one pass of our own C code
(``blend.c``): the channels share their coordinates, and nothing but bytes is written.
It rounds in other places, so about three values in a million are truncated to the next
grey level.
"""

from collections.abc import Iterable, Iterator
from typing import Optional

import numpy as np

from lsd_repro.errors import InputError
from lsd_repro.film.zoom import between, moves, to_uint8
from lsd_repro.hints import Picture, Pixels

try:
    from lsd_repro.film import _blend
except ImportError as error:
    # Now, and not after hours of dreaming.
    raise InputError("lsd_repro's C code is not built here: install lsd_repro again (in the checkout: "
                     f"make, or python setup.py build_ext --inplace) ({error})") from error


def blended(a: Picture, b: Picture, k: int, video_shape: tuple[int, int], speed: float = 1.0,
            indices: Optional[Iterable[int]] = None) -> Iterator[Pixels]:
    """Yield the video frames from `a` on, to the last before `b`.

    Parameters
    ----------
    a, b : (H, W, 3) array of float, 0..255
        Optimised frames.
    k : int
        Video frames from `a` to `b`.
    video_shape : (int, int)
        Height and width of the film.
    speed : float
        Of the zoom, as a multiple of 2015's.
    indices : iterable of int, optional
        Which of the `k` frames to yield, taken one at a time; by default all.

    Yields
    ------
    (h, w, 3) array of uint8

    Raises
    ------
    ValueError
        If the shapes of `a` and `b` differ.
    """
    if a.shape != b.shape:
        raise ValueError(f"frames of different shapes: {a.shape} and {b.shape}")
    shape = a.shape[0], a.shape[1]
    a, b = _as_vectors(a), _as_vectors(b)
    for i in range(k) if indices is None else indices:
        to_a, to_b, share = moves(i, 0, k, shape, video_shape, speed)
        frame = np.empty((*video_shape, 3), np.uint8)
        _blend.blend(frame, (video_shape[0], video_shape[1]), a, to_a[:2], b, to_b[:2], shape, share)
        yield frame


def blended_plainly(a: Picture, b: Picture, k: int, video_shape: tuple[int, int]) -> Iterator[Pixels]:
    """`blended`, computed by scikit-image."""
    for i in range(k):
        yield to_uint8(between(a, b, i, 0, k, video_shape))


def _as_vectors(picture):
    """A picture as ``blend.c`` reads it: four floats a pixel, the last row and column twice."""
    return np.ascontiguousarray(np.pad(picture, ((0, 1), (0, 1), (0, 1)), mode="edge"), np.float32)
