"""What can be compared between frames when pixels can't: statistics, and a yardstick for them.

The random state of the 2015 stream is lost, so no frame of ours can be one of 2015's.
What can be asked is: are our frames as close to 2015's as those are to each other?

* `measure` makes a vector of a frame for every statistic: a spectrum, the quantiles of a
  distribution, or a single number.
* `distances` between two frames is the mean absolute difference of these vectors.  Of
  quantiles this is the Wasserstein distance (earth mover's, in one dimension).
* `judge` takes as the distance of a frame the median of its distances to 2015's frames;
  for one of those, to the others.  Ours is *outside* if its distance exceeds the largest
  that one of 2015's has.

Nothing is resampled: sizes may differ, since everything counts in pixels of the frame
itself (frequencies in cycles per pixel, bands in pixels, energies per patch).

This module needs no Theano: it is given energies and logits.
"""

from collections.abc import Sequence
from typing import NamedTuple, Optional

import numpy as np
from scipy import fft, stats
from scipy.ndimage import gaussian_filter
from scipy.spatial.distance import cdist
from skimage import color

from lsd_repro.errors import InputError
from lsd_repro.hints import Complex, Floats, Integers, Picture, Truths, Values
from lsd_repro.program2015 import PATCH_SIZE

# Cycles per pixel: three bins an octave, from waves of 64 pixels to the finest.
EDGES = np.geomspace(1 / 64, 1 / 2, 16)
FREQUENCIES = np.sqrt(EDGES[1:] * EDGES[:-1])
# A Hann window blurs a spectrum by two cycles a picture; below this side that would
# reach the lowest bin.
LEAST_SIDE = 128
# Variance of rounding to 8 bits: what lies below is not the picture's.
ROUNDING = 1 / 12
QUANTILES = (np.arange(200) + 0.5) / 200
# Pixels; each band is the difference between this blur and that of twice the width.
BANDS = 1, 2, 4, 8
LEAST_GENUINE = 3


def check(name: str, picture: Picture) -> None:
    """Refuse a picture (height, width, 3) that has nothing to compare; InputError naming it."""
    height, width = picture.shape[:2]
    if min(height, width) < LEAST_SIDE:
        raise InputError(f"{name}: {width}x{height} is too small to compare: its spectrum needs at least "
                         f"{LEAST_SIDE}x{LEAST_SIDE}; give the frame itself, not a thumbnail")
    if np.ptp(picture, axis=(0, 1)).max() == 0:
        raise InputError(f"{name}: a single colour, with nothing to compare; give a frame")


def measure(picture: Picture, energies: Optional[dict[int, float]] = None,
            logits: Optional[Floats] = None) -> dict[str, Floats]:
    """All statistics of a frame.

    Parameters
    ----------
    picture : uint8 array, shape (height, width, 3)
        RGB, as `check` accepts it.
    energies : dict of int to float, optional
        From a scale to the prior's energy at it.
    logits : array, shape (classes, rows, columns), optional
        What a network makes of the picture.

    Returns
    -------
    dict of str to float64 array, 1-D
        By the name of the statistic.
    """
    luma = 255 * color.rgb2gray(picture)
    power = radial_spectrum(luma)
    found = {"power spectrum": 10 * np.log10(power), "spectral slope": [spectral_slope(power)], **colours(picture),
             "clipped to 0": [100 * np.mean(picture == 0)], "clipped to 255": [100 * np.mean(picture == 255)],
             "patch contrast": quantiles(patch_contrast(luma)), "kurtosis of bands": band_kurtosis(luma)}
    if energies is not None:
        found.update((f"prior energy, scale {scale}", [energy]) for scale, energy in energies.items())
    if logits is not None:
        best = best_classes(logits)
        found.update({"logit of the best class": [best.logit], "share of the best class": [100 * best.share]})
    return {name: np.asarray(value, np.float64) for name, value in found.items()}


def radial_spectrum(plane: Floats) -> Floats:
    """Power of a picture at each of `FREQUENCIES`, whatever the direction.

    Parameters
    ----------
    plane : float array, shape (height, width)
        Both at least `LEAST_SIDE`.

    Returns
    -------
    float64 array
        Variance that a pixel of white noise would have: mean periodogram over the rings
        between `EDGES`, under a Hann window.  `ROUNDING` is added.
    """
    return ring_means(np.square(np.abs(spectrum(plane)))) + ROUNDING


def spectrum(plane: Floats) -> Complex:
    """Fourier transform of a picture (height, width) under a Hann window; white noise keeps its variance."""
    window = np.outer(*(np.hanning(side + 2)[1:-1] for side in plane.shape))
    # The window's own mean is taken off, lest the mean leak into the lowest bin.
    return fft.fft2((plane - np.average(plane, weights=window)) * window) / np.sqrt((window ** 2).sum())


def ring_means(values: Floats) -> Floats:
    """Means of what belongs to the frequencies of a `spectrum` over the rings between `EDGES`."""
    ring = rings(values.shape)
    sums, counts = (np.bincount(ring.ravel(), weights, len(EDGES) + 1)[1:-1] for weights in (values.ravel(), None))
    return sums / counts


def rings(shape: Sequence[int]) -> Integers:
    """The ring, counted from 1, of each frequency of a `spectrum`; 0 and ``len(EDGES)`` lie outside of all."""
    return np.digitize(np.hypot(fft.fftfreq(shape[0])[:, np.newaxis], fft.fftfreq(shape[1])), EDGES)


def spectral_slope(power: Floats) -> float:
    """Exponent of the power law that fits a spectrum best; about -2 for photos."""
    return np.polyfit(np.log10(FREQUENCIES), np.log10(power), 1)[0]


def quantiles(values: Floats) -> Floats:
    """The inverse of a distribution's cumulative function, at `QUANTILES`."""
    return np.quantile(values, QUANTILES)


def colours(picture: Picture) -> dict[str, Values]:
    """In CIE Lab: quantiles of lightness, a (green to red), b (blue to yellow) and chroma, and the colours' spread."""
    lab = color.rgb2lab(picture)
    lightness, a, b = np.moveaxis(lab, -1, 0)
    return {"lightness L": quantiles(lightness), "colour a": quantiles(a), "colour b": quantiles(b),
            "chroma": quantiles(np.hypot(a, b)), "spread of colours": [np.sqrt(lab.var(axis=(0, 1)).sum())]}


def colourfulness(picture: Picture) -> float:
    """How colourful people find a picture, from 0 (grey) to about 110 (extremely).

    Parameters
    ----------
    picture : uint8 array, shape (height, width, 3)
        RGB.

    References
    ----------
    .. [1] D. Hasler and S. Süsstrunk, Measuring colourfulness in natural images, Human Vision
       and Electronic Imaging VIII, 2003.
    """
    red, green, blue = np.moveaxis(picture.astype(np.float64), -1, 0)
    one, other = red - green, (red + green) / 2 - blue
    spread, shift = (np.hypot(moment(one), moment(other)) for moment in (np.std, np.mean))
    return float(spread + 0.3 * shift)


def patch_contrast(plane: Floats, size: int = PATCH_SIZE) -> Floats:
    """Standard deviation within each patch of size x size, side by side from the top left."""
    rows, columns = (side // size for side in plane.shape)
    patches = plane[:rows * size, :columns * size].reshape(rows, size, columns, size)
    return patches.std(axis=(1, 3)).ravel()


def band_kurtosis(plane: Floats) -> Floats:
    """Excess kurtosis of the responses to each of `BANDS`: 0 for Gaussian noise, above for rare, large edges."""
    blurred = [gaussian_filter(plane, width) for width in (*BANDS, 2 * BANDS[-1])]
    return np.array([stats.kurtosis(fine - coarse, axis=None) for fine, coarse in zip(blurred, blurred[1:])])


class BestClasses(NamedTuple):
    """The class that a network sees most of in each half of a frame; the program aimed at halves.

    Attributes
    ----------
    indices : (int, int)
        Class of the bottom half, then of the top half.
    logit : float
        Mean logit of these classes in their halves, over the mean of all logits.
    share : float
        Fraction of the map in which no other class has a larger logit.
    """

    indices: tuple[int, ...]
    logit: float
    share: float


def halves(logits: Floats) -> tuple[Floats, Floats]:
    """Bottom and top half of a logit map (classes, rows, columns), cut as the objective cuts it; of a single row, it twice."""
    rows = logits.shape[1]
    return logits[:, rows // 2:], logits[:, :rows // 2] if rows > 1 else logits


def best_classes(logits: Floats) -> BestClasses:
    """The best class of each half of a logit map (classes, rows, columns); see `BestClasses`."""
    both = halves(logits)
    indices = tuple(int(half.mean(axis=(1, 2)).argmax()) for half in both)
    found = zip(indices, both)
    logit, share = zip(*((half[index].mean(), (half.argmax(axis=0) == index).mean()) for index, half in found))
    return BestClasses(indices, float(np.mean(logit) - logits.mean()), float(np.mean(share)))


def distances(one: Floats, other: Floats) -> Floats:
    """Mean absolute difference between each of one's vectors (n, k) and each of the other's (m, k): (n, m)."""
    return cdist(one, other, "cityblock") / one.shape[1]


class Judgement(NamedTuple):
    """How close our frames are to 2015's by one statistic.

    Attributes
    ----------
    ours : float array, shape (n,)
        Median distance of each of our frames to 2015's.
    theirs : float array, shape (m,)
        Median distance of each of 2015's frames to the others.
    """

    ours: Floats
    theirs: Floats

    @property
    def outside(self) -> Truths:
        """Which of ours are further from 2015's frames than any of those from the others."""
        return self.ours > self.theirs.max()


def judge(ours: Floats, theirs: Floats) -> Judgement:
    """Hold our frames against 2015's by one statistic.

    Parameters
    ----------
    ours : array, shape (n, k)
        A vector per frame; see `measure`.
    theirs : array, shape (m, k)

    Returns
    -------
    Judgement
    """
    between = distances(theirs, theirs)
    np.fill_diagonal(between, np.nan)
    return Judgement(np.median(distances(ours, theirs), axis=1), np.nanmedian(between, axis=1))


def left_out(theirs: Floats) -> Floats:
    """Which of 2015's frames (m, k) would be outside, were they ours: each judged by the others."""
    return np.array([judge(theirs[i:i + 1], np.delete(theirs, i, axis=0)).outside[0] for i in range(len(theirs))])
