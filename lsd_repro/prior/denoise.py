"""Denoising by a patch prior, the standard test of one: noisy picture -> estimate.

======================  ===================================================================
`denoise`               all overlapping patches estimated once, or EPLL's schedule of rounds
`wiener`                the Gaussian: mean and mode alike
`joint_mean`            the joint Student-t: posterior mean
`joint_scale`           the joint Student-t: posterior mean at the likeliest scale
`joint_mode`            the joint Student-t: posterior mode
`component_mean`        2015's energy, a Student-t for each component: posterior mean
`component_mode`        2015's energy: posterior mode
======================  ===================================================================

The filters of a prior are orthogonal, so in their directions noise stays white and what
is known of a patch is a variance for each.  A *rule* takes these variances and that of
the noise, and returns a function that shrinks the coefficients of noisy patches.

The direction of the largest variance, which is nearly that of the patch's mean, is
left as it is, as 2015's Gaussian energy does.

A joint Student-t is a Gaussian whose scale is random, one for the whole patch; given
the scale, the estimate is Wiener's (Portilla et al. 2003).  The energy of the 2015 program sums a term
for each component: up to a constant, minus the log-density of independent Student-t's, of
v degrees of freedom and divided by (v + 1) / 2.

References
----------
* J. Portilla, V. Strela, M. J. Wainwright, E. P. Simoncelli, "Image denoising using
  scale mixtures of Gaussians in the wavelet domain", IEEE Trans. Image Processing 12 (2003).
"""

from collections.abc import Sequence
from typing import Callable, NamedTuple, Optional

import numpy as np

from lsd_repro.errors import InputError
from lsd_repro.hints import Floats
from lsd_repro.prior.density import mean_patch, whitening
from lsd_repro.prior.store import PatchPrior
from lsd_repro.program2015 import STUDENT_SCALE

# Weights of the patches' estimates beside the noisy picture's, 1, in the rounds of EPLL
# (Zoran & Weiss 2011); in each, the noise is taken to have its variance divided by the weight.
EPLL = 1, 4, 8, 16, 32
# Scales of a Gaussian scale mixture, relative to the prior's; a factor of 1.7 apart.
SCALES = np.geomspace(1e-4, 1e5, 40)
# A coefficient has a scale of its own, of which it alone tells; here 1.4 apart.
COMPONENT_SCALES = np.geomspace(1e-6, 1e8, 96)
# Weights, relative to the largest, along the path of possible modes.
MODE_STEPS = np.geomspace(1e-8, 1, 50)
# Entries of the table of a component's rule, and the largest coefficient in it: that of a
# patch from black to white, and the noise beyond.
TABLE, LARGEST = 400, 1e4
# Starting points for a component's mode, as fractions of the coefficient, and steps from the best.
FRACTIONS, MODE_ITERATIONS = np.linspace(0, 1, 101), 30
POSITIONS = 1 << 12  # patches at a time, so few that they stay in the cache
ORTHOGONAL = 1e-3
# From noisy coefficients (k, n) to estimates of that shape.
Shrink = Callable[[Floats], Floats]
# From variances of the components, that of the noise, and degrees of freedom; see `wiener`.
Rule = Callable[..., Shrink]


class Axes(NamedTuple):
    """The coordinates in which a prior's components are uncorrelated.

    Attributes
    ----------
    mean : float32 array, shape (d, 1)
        Mean patch, 0..255.
    directions : float32 array, shape (d, d)
        Orthonormal columns, from the largest variance (DC) to the smallest.
    variances : float64 array, shape (d,)
        In squared grey levels; a Student-t's are those of its scale matrix.
    """

    mean: Floats
    directions: Floats
    variances: Floats


def axes(prior: PatchPrior) -> Axes:
    """The `Axes` of a PatchPrior; InputError if its filters are not orthogonal."""
    filters = whitening(prior)
    norms = np.linalg.norm(filters, axis=0)
    order = np.argsort(norms, kind="stable")
    directions = (filters / norms)[:, order]
    if np.abs(directions.T @ directions - np.eye(len(norms))).max() > ORTHOGONAL:
        raise InputError("the prior's filters are not orthogonal, which denoising needs; "
                         "fit a prior with 'lsd-repro prior fit'")
    return Axes(mean_patch(prior).reshape(-1, 1).astype(np.float32), directions.astype(np.float32),
                1 / norms[order] ** 2)


def denoise(noisy: Floats, sigma: float, prior: PatchPrior, rule: Rule,
            schedule: Optional[Sequence[float]] = None, nu: Optional[float] = None) -> Floats:
    """Estimate a picture from one with white Gaussian noise.

    Parameters
    ----------
    noisy : array, shape (height, width, channels)
        Grey levels 0..255, and beyond by the noise.
    sigma : float
        Standard deviation of the noise, in grey levels.
    prior : PatchPrior
        Of as many channels.
    rule : callable
        One of this module's.
    schedule : sequence of float, optional
        Such as `EPLL`: rounds, by the weight of the estimate.  Default: each patch is estimated
        once, from the noisy picture.
    nu : float, optional
        Degrees of freedom, for a prior that has none of its own.

    Returns
    -------
    float32 array, shape (height, width, channels)
        Not clipped.

    Raises
    ------
    InputError
        If the picture is smaller than a patch, has another number of channels, or `sigma` is not above 0.

    Notes
    -----
    Half quadratic splitting (Zoran & Weiss 2011): with picture x, estimates of all its overlapping
    patches, averaged to a, under noise of variance sigma^2 / beta; then
    x = (noisy + beta a) / (1 + beta), with the next beta.

    References
    ----------
    * D. Zoran, Y. Weiss, "From learning models of natural image patches to whole
      image restoration", ICCV 2011.
    """
    height, width, channels = noisy.shape
    size = prior.patch_size
    if channels != prior.channels:
        raise InputError(f"the picture has {channels} channels, the prior is for {prior.channels}")
    if min(height, width) < size:
        raise InputError(f"a {width}x{height} picture is smaller than a patch of {size}x{size}")
    if not sigma > 0:
        raise InputError(f"sigma {sigma}: noise must have a standard deviation above 0")
    nu = prior.degrees_of_freedom if nu is None else nu
    own = axes(prior)
    first = np.ascontiguousarray(noisy.transpose(2, 0, 1), np.float32)

    def estimate(picture, noise):
        return _averaged(picture, size, own, rule(own.variances[1:], noise, nu))

    if schedule is None:
        picture = estimate(first, sigma ** 2)
    else:
        picture = first
        for beta in schedule:
            picture = (first + beta * estimate(picture, sigma ** 2 / beta)) / (1 + beta)
    return picture.transpose(1, 2, 0)


def _averaged(picture, size, own, shrink):
    """Shrink all patches of a picture (channels, height, width), and average them where they overlap."""
    channels, height, width = picture.shape
    rows, columns = height - size + 1, width - size + 1
    total = np.zeros_like(picture)
    count = np.zeros((height, width), np.float32)
    step = max(POSITIONS // columns, 1)
    for top in range(0, rows, step):
        high = min(step, rows - top)
        places = [(i, j, (slice(None), slice(top + i, top + i + high), slice(j, j + columns)))
                  for i in range(size) for j in range(size)]
        patches = np.empty((size, size, channels, high, columns), np.float32)
        for i, j, place in places:
            patches[i, j] = picture[place]
        coefficients = own.directions.T @ (patches.reshape(len(own.mean), -1) - own.mean)
        coefficients[1:] = shrink(coefficients[1:])
        patches = (own.directions @ coefficients + own.mean).reshape(patches.shape)
        for i, j, place in places:
            total[place] += patches[i, j]
            count[place[1:]] += 1
    return total / count


def wiener(variances: Floats, noise: float, nu: Optional[float] = None) -> Shrink:
    """The mean, and mode, of a Gaussian.

    Parameters
    ----------
    variances : array, shape (k,)
        Of the components.
    noise : float
        Variance of the noise.
    nu : float, optional
        Degrees of freedom, for the other rules.

    Returns
    -------
    callable
        From noisy coefficients (k, n), float32, to estimates of that shape.
    """
    gain = _column(variances / (variances + noise))
    return lambda coefficients: gain * coefficients


def joint_mean(variances: Floats, noise: float, nu: float) -> Shrink:
    """The posterior mean of a joint Student-t, by quadrature over its scale; see `wiener`."""
    log_weights, gains = _scales(variances, noise, nu)

    def shrink(coefficients):
        weights = log_weights(coefficients)
        weights -= weights.max(axis=0)
        np.exp(weights, out=weights)
        weights /= weights.sum(axis=0)
        return coefficients * (gains @ weights)
    return shrink


def joint_scale(variances: Floats, noise: float, nu: float) -> Shrink:
    """The mean of a joint Student-t at the likeliest of its scales given the patch; see `wiener`.

    So EPLL takes the likeliest component of its mixture.
    """
    log_weights, gains = _scales(variances, noise, nu)
    return lambda coefficients: coefficients * gains[:, log_weights(coefficients).argmax(axis=0)]


def _scales(variances, noise, nu):
    """Log-probability of each of `SCALES` given coefficients (up to a constant), and Wiener's gains (k, scales) at them."""
    scaled = variances[:, None] * SCALES
    precisions = 1 / (scaled + noise)
    constant = _column(log_scale_density(SCALES, nu) + np.log(precisions).sum(axis=0) / 2)
    halves = (-precisions.T / 2).astype(np.float32)
    gains = (scaled * precisions).astype(np.float32)
    return lambda coefficients: halves @ coefficients ** 2 + constant, gains


def log_scale_density(scales: Floats, nu: float) -> Floats:
    """Log-density of log(scale), up to a constant: that of nu over a chi-square variable, which makes a Gaussian a t."""
    return -nu / 2 * (np.log(scales) + 1 / scales)


def joint_mode(variances: Floats, noise: float, nu: float) -> Shrink:
    """The posterior mode of a joint Student-t; see `wiener`.

    The mode is Wiener's estimate for variances divided by some weight.  Along this path, from the largest
    weight (the mean patch) to none (the noisy one), the best of `MODE_STEPS` is taken, and a step of EM from
    there: the weight is (nu + k) / (nu + d), d being the estimate's Mahalanobis distance.
    """
    k = len(variances)
    weights = (nu + k) / nu * MODE_STEPS
    shrunk = weights * noise / (variances[:, None] + weights * noise)
    misfits = (shrunk.T ** 2 / (2 * noise)).astype(np.float32)
    distances = (((1 - shrunk) ** 2).T / variances).astype(np.float32)
    spread = _column(variances)

    def shrink(coefficients):
        squares = coefficients ** 2
        apart = distances @ squares
        best = (misfits @ squares + np.float32((nu + k) / 2) * np.log1p(apart / np.float32(nu))).argmin(axis=0)
        weight = (nu + k) / (nu + np.take_along_axis(apart, best[None], 0))
        return coefficients * (spread / (spread + np.float32(noise) * weight))
    return shrink


def component_mean(variances: Floats, noise: float,
                   nu: Optional[float] = None) -> Shrink:
    """The posterior mean of independent Student-t's, 2015's energy as a density; see `wiener`.

    Their degrees of freedom are the energy's v, whatever `nu`.
    """
    at = _entries(noise)[:, None]
    gains = np.empty((len(variances), TABLE), np.float32)
    for row, variance in zip(gains, variances):
        scaled = COMPONENT_SCALES * variance
        precisions = 1 / (scaled + noise)
        weights = (log_scale_density(COMPONENT_SCALES, STUDENT_SCALE)
                   + np.log(precisions) / 2 - at ** 2 * precisions / 2)
        weights = np.exp(weights - weights.max(axis=1, keepdims=True))
        row[:] = weights @ (scaled * precisions) / weights.sum(axis=1)
    return _tabulated(gains, noise)


def component_mode(variances: Floats, noise: float,
                   nu: Optional[float] = None) -> Shrink:
    """The posterior mode of independent Student-t's, 2015's energy as a density; see `component_mean`."""
    at = _entries(noise)
    starts = at[:, None] * FRACTIONS
    misfits = (starts - at[:, None]) ** 2 / (2 * noise)
    gains = np.empty((len(variances), TABLE), np.float32)
    for row, variance in zip(gains, variances):
        spread = STUDENT_SCALE * variance
        best = (misfits + (STUDENT_SCALE + 1) / 2 * np.log1p(starts ** 2 / spread)).argmin(axis=1)
        x = at * FRACTIONS[best]
        for _ in range(MODE_ITERATIONS):
            x = at / (1 + noise * (STUDENT_SCALE + 1) / (spread + x ** 2))
        row[:] = x / at
    return _tabulated(gains, noise)


def _entries(noise):
    """The coefficients of a table: evenly spaced below the noise, geometrically above; near 0 for 0, lest gains be 0 / 0."""
    unit, last = _spacing(noise)
    return unit * np.maximum(np.sinh(np.linspace(0, last, TABLE)), 1e-3)


def _spacing(noise):
    unit = np.sqrt(noise) / 4
    return unit, np.arcsinh(LARGEST / unit)


def _tabulated(gains, noise):
    """The rule that multiplies by gains, which are known (k, TABLE) at the size of the coefficients in `_entries`."""
    unit, last = _spacing(noise)
    starts = np.arange(len(gains), dtype=np.int32)[:, None] * TABLE
    flat = gains.ravel()

    # Several times as fast as numpy.interp, which has to search.
    def shrink(coefficients):
        place = np.arcsinh(np.abs(coefficients) * np.float32(1 / unit))
        place *= np.float32((TABLE - 1) / last)
        np.minimum(place, np.float32(TABLE - 1.01), out=place)
        index = place.astype(np.int32)
        place -= index
        index += starts
        gain = flat.take(index)
        index += 1
        gain += place * (flat.take(index) - gain)
        return coefficients * gain
    return shrink


def _column(values):
    return np.asarray(values, np.float32)[:, None]
