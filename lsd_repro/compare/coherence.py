"""Whether two pictures have the same detail, and not merely as much of it.

Power tells how much detail there is at each frequency.  Coherence tells how much of it the
pictures have in common: there, and at the same place.
"""

from collections.abc import Iterator

import numpy as np
from scipy import fft

from lsd_repro.compare.statistics import EDGES, ring_means, rings, spectrum
from lsd_repro.hints import Floats


def coherence(one: Floats, other: Floats) -> Floats:
    r"""Squared coherence of two pictures at each of `lsd_repro.compare.statistics.FREQUENCIES`.

    Parameters
    ----------
    one, other : float array, shape (height, width)
        Of one size; both sides at least `lsd_repro.compare.statistics.LEAST_SIDE`.

    Returns
    -------
    float64 array, in 0..1
        1: there one is the other, but for its strength.  Noise of power N added to a signal of power S
        leaves S / (S + N).  Pictures that have nothing to do with each other still get about 1 over
        the number of frequencies in the ring: a fifth at the coarsest, next to nothing at the finest.

    Raises
    ------
    ValueError
        If the shapes differ.

    Notes
    -----
    :math:`|\langle A B^* \rangle|^2 / (\langle |A|^2 \rangle \langle |B|^2 \rangle)` with the pictures' spectra
    A and B and means over the rings between `lsd_repro.compare.statistics.EDGES`: the square of what
    microscopists call Fourier ring correlation [1]_.

    References
    ----------
    .. [1] W. O. Saxton and W. Baumeister, The correlation averaging of a regularly arranged bacterial cell
       envelope protein, Journal of Microscopy 127, 1982.
    """
    if one.shape != other.shape:
        raise ValueError(f"pictures of different shapes: {one.shape} and {other.shape}")
    a, b = spectrum(one), spectrum(other)
    # Of real pictures each ring's mean is real: for every frequency it holds the opposite one.
    common = ring_means((a * b.conj()).real)
    return common ** 2 / (ring_means(np.square(np.abs(a))) * ring_means(np.square(np.abs(b))))


def bands(plane: Floats) -> Iterator[Floats]:
    """A picture (height, width) under the window of `spectrum`, and of it what lies between two of `EDGES`, band by band.

    The sum over all pixels of the product of two pictures' bands is the sum of their common power over that ring (Parseval):
    squared, and divided by the sums of their squares, it is `coherence`. But pixels, unlike frequencies, lie somewhere, so that
    a sum over them can be drawn anew, block by block.

    Yields
    ------
    float64 array, shape (height, width)
        One for each of `lsd_repro.compare.statistics.FREQUENCIES`.
    """
    # Of a real picture, half of the frequencies tell the other half.
    half = plane.shape[1] // 2 + 1
    whole, ring = spectrum(plane)[:, :half], rings(plane.shape)[:, :half]
    for index in range(1, len(EDGES)):
        yield fft.irfft2(np.where(ring == index, whole, 0), plane.shape)
