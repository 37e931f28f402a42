"""Whether two changes of one picture are alike, and how sure that is.

A *change* is the picture after the steps of a frame minus the picture before, zoomed. Two of them are compared by

* their correlation, over all pixels and channels, after each of `BLURS`: each channel is blurred, and its mean over the
  picture is taken off;
* the share of values that went the same way, in the same blurs;
* the signed root of their coherence (`lsd_repro.compare.coherence`), in brightness;
* their size: the standard deviation, each channel's about its own mean;
* the share of the pictures' values that lie at either end, 0 or 255.

All of it is made of sums over pixels. They are kept by block, so that blocks can be drawn again with replacement: the
bootstrap (Hall 1985), with blocks that are large beside what neighbouring pixels share. Whoever draws the same blocks for
several changes can compare them in pairs.
"""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage import color

from lsd_repro.compare.coherence import bands
from lsd_repro.hints import Floats, Integers, Picture, Truths

BLURS = 0, 1, 2, 4, 8  # pixels, standard deviation
BLOCK = 59, 60  # height and width in pixels; they divide the stream's 472x840
DRAWS = 2000
INTERVAL = 2.5, 97.5  # percentiles


class Sums(NamedTuple):
    """Sums over the blocks of a pair of changes, blocks last.

    Attributes
    ----------
    pixels : array (blocks,)
    moments : array (blurs, channels, 5, blocks)
        See `moments`.
    same : array (blurs, blocks)
        Values that went the same way.
    bands : array (frequencies, 3, blocks)
        Squares of ours, of theirs, and products.
    ends : array (2, blocks)
        Values at 0 or 255, of ours and of theirs.
    """

    pixels: Floats
    moments: Floats
    same: Floats
    bands: Floats
    ends: Floats


class Estimates(NamedTuple):
    """What the sums come to, once for each draw of blocks.

    Attributes
    ----------
    correlation, same_sign : array (draws, blurs)
    coherence : array (draws, frequencies)
        Signed root: -1..1.
    size, their_size : array (draws,)
        In grey levels.
    ends, their_ends : array (draws,)
        Shares.
    """

    correlation: Floats
    same_sign: Floats
    coherence: Floats
    size: Floats
    their_size: Floats
    ends: Floats
    their_ends: Floats


def measure(ours: Picture, theirs: Picture, zoomed: Picture) -> Sums:
    """Compare what came of a picture here and there.

    Parameters
    ----------
    ours, theirs : array, shape (height, width, 3)
        The pictures after, in 0..255.
    zoomed : array, shape (height, width, 3)
        What both began with: not rounded, not clipped.

    Returns
    -------
    Sums
    """
    a, b = (np.subtract(picture, zoomed, dtype=np.float64) for picture in (ours, theirs))
    # All filters but those of brightness see one channel at a time.
    blurred = [[gaussian_filter(change, (blur, blur, 0)) for change in (a, b)] for blur in BLURS]
    grey = [color.rgb2gray(change) for change in (a, b)]
    return Sums(
        in_blocks(np.ones(a.shape[:2])),
        np.array([moments(*pair) for pair in blurred]),
        np.array([in_blocks((np.sign(x) == np.sign(y)).sum(axis=2, dtype=float)) for x, y in blurred]),
        np.array([[in_blocks(product) for product in (x * x, y * y, x * y)] for x, y in zip(*map(bands, grey))]),
        np.array([in_blocks(at_ends(picture).sum(axis=2, dtype=float)) for picture in (ours, theirs)]))


def at_ends(picture: Picture) -> Truths:
    """Which values are 0 or 255 once the picture is rounded to 8 bits."""
    rounded = np.rint(picture)
    return (rounded <= 0) | (rounded >= 255)


def in_blocks(plane: Floats) -> Floats:
    """Sums of (..., height, width) over blocks of about `BLOCK`, row by row: (..., blocks)."""
    for axis, size in zip((-2, -1), BLOCK):
        side = plane.shape[axis]
        count = max(1, round(side / size))
        plane = np.add.reduceat(plane, np.arange(count) * side // count, axis)
    return plane.reshape(*plane.shape[:-2], -1)


def moments(x: Picture, y: Picture) -> Floats:
    """Sums of x, y, x^2, y^2 and xy of two pictures (height, width, 3) by channel and block: (3, 5, blocks)."""
    x, y = (np.moveaxis(np.asarray(one, np.float64), 2, 0) for one in (x, y))
    return np.stack([in_blocks(values) for values in (x, y, x * x, y * y, x * y)], axis=1)


def draws(blocks: int, seed: int, count: int = DRAWS) -> Integers:
    """How often each block counts: once in the first row, then as often as it was drawn; (1 + count, blocks)."""
    drawn = np.random.default_rng(seed).multinomial(blocks, np.full(blocks, 1 / blocks), size=count)
    return np.vstack([np.ones(blocks, int), drawn])


def estimate(sums: Sums, counts: Integers) -> Estimates:
    """What sums come to.

    Parameters
    ----------
    sums : Sums
    counts : array, shape (draws, blocks)
        From `draws`.

    Returns
    -------
    Estimates
    """
    pixels, moment, same, band, ends = (one @ counts.T for one in sums)
    x2, y2, xy = centred(moment, pixels)
    shares = np.concatenate([same, ends]) / (3 * pixels)
    return Estimates(
        correlation=(xy / np.sqrt(x2 * y2)).T, same_sign=shares[:-2].T,
        coherence=(band[:, 2] / np.sqrt(band[:, 0] * band[:, 1])).T,
        size=np.sqrt(x2[0] / (3 * pixels)), their_size=np.sqrt(y2[0] / (3 * pixels)), ends=shares[-2], their_ends=shares[-1])


def correlation(x: Picture, y: Picture, counts: Integers) -> Floats:
    """Correlation of two pictures (height, width, 3), each channel about its own mean: (draws,)."""
    x2, y2, xy = centred(moments(x, y) @ counts.T, in_blocks(np.ones(x.shape[:2])) @ counts.T)
    return xy / np.sqrt(x2 * y2)


def centred(moment: Floats, pixels: Floats) -> tuple[Floats, Floats, Floats]:
    """Sums of squares and products about each channel's mean, over all channels.

    Parameters
    ----------
    moment : array (..., channels, 5, draws)
        From `moments`.
    pixels : array (draws,)

    Returns
    -------
    x2, y2, xy : array (..., draws)
    """
    x, y, x2, y2, xy = np.moveaxis(moment, -2, 0)
    return tuple((product - one * other / pixels).sum(axis=-2) for product, one, other in ((x2, x, x), (y2, y, y), (xy, x, y)))


def interval(values: Floats) -> list[float]:
    """The value of the picture itself, which comes first, and the middle 95 % of those of the draws."""
    return [float(values[0]), *map(float, np.percentile(values[1:], INTERVAL))]
