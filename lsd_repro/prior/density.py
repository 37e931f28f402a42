"""The joint density that a prior's filters stand for: likelihood, marginals, samples.

The 2015 program sums a term per component (`lsd_repro.prior.energy`); the filters come
from a density of whole patches, in which the components of the Student-t are
uncorrelated but not independent: where one is large, the others tend to be, too.
"""

from typing import Any, Optional

import numpy as np
from scipy import stats

from lsd_repro.hints import Floats
from lsd_repro.prior.em import best_nu, log_likelihood
from lsd_repro.prior.store import PatchPrior
from lsd_repro.program2015 import GREY_OFFSET, STUDENT_SCALE


def deviations(prior: PatchPrior, patches: Floats) -> Floats:
    """Filter responses minus their mean: patches with an identity scale matrix.

    Parameters
    ----------
    prior : PatchPrior
    patches : array, shape (n, size, size, 3)
        RGB, 0..255.

    Returns
    -------
    float64 array, shape (n, d)
    """
    return (patches.reshape(len(patches), -1) - GREY_OFFSET) @ whitening(prior) - prior.mean


def whitening(prior: PatchPrior) -> Floats:
    """The filters as a matrix (d, d) that acts on a patch's entries: rows, columns, channels."""
    filters = prior.filters[::-1, ::-1].astype(np.float64)
    return filters.reshape(-1, filters.shape[-1])


def degrees_of_freedom(prior: PatchPrior, patches: Floats) -> float:
    """Degrees of freedom of a Student-t prior; the likeliest for the patches where it has none of its own."""
    if prior.degrees_of_freedom is not None:
        return prior.degrees_of_freedom
    z = deviations(prior, patches)
    return best_nu((z ** 2).sum(axis=1), z.shape[1], 1.0)


def mean_log_likelihood(prior: PatchPrior, patches: Floats, nu: Optional[float] = None) -> float:
    """Mean log-density of patches under a prior, in nats per patch.

    Parameters
    ----------
    prior : PatchPrior
    patches : array, shape (n, size, size, 3)
        RGB, 0..255, dithered.
    nu : float, optional
        Degrees of freedom, for a Student-t.

    Returns
    -------
    float
    """
    squares = (deviations(prior, patches) ** 2).sum(axis=1)
    filters = whitening(prior)
    half_log_det = -np.linalg.slogdet(filters)[1]
    d = len(filters)
    if prior.kind == "student":
        return float(log_likelihood(squares, half_log_det, d, nu))  # type: ignore[arg-type]  # given for a Student-t
    return float(-squares.mean() / 2 - half_log_det - d / 2 * np.log(2 * np.pi))


def marginal(prior: PatchPrior, nu: Optional[float] = None) -> Any:
    """The density of one component (z - mu) under a prior.

    Returns
    -------
    scipy.stats frozen distribution
    """
    return stats.t(nu) if prior.kind == "student" else stats.norm()


def sample_patches(prior: PatchPrior, count: int, rng: np.random.Generator, nu: Optional[float] = None) -> Floats:
    """Draw patches from a prior's density.

    Parameters
    ----------
    prior : PatchPrior
    count : int
    rng : numpy.random.Generator
    nu : float, optional
        Degrees of freedom, for a Student-t.

    Returns
    -------
    float64 array, shape (count, size, size, 3)
        Not clipped to 0..255.
    """
    filters = whitening(prior)
    z = rng.normal(size=(count, len(filters)))
    if prior.kind == "student":
        freedom: Any = nu  # given for a Student-t
        z /= np.sqrt(rng.chisquare(freedom, (count, 1)) / freedom)
    patches = np.linalg.solve(filters.T, (z + prior.mean).T).T + GREY_OFFSET
    return patches.reshape(count, prior.patch_size, prior.patch_size, prior.channels)


def mean_patch(prior: PatchPrior) -> Floats:
    """The mean patch (size, size, channels) of a prior, 0..255."""
    entries = np.linalg.solve(whitening(prior).T, prior.mean.astype(np.float64)) + GREY_OFFSET
    return entries.reshape(prior.patch_size, prior.patch_size, prior.channels)


def penalty(kind: str, z: Floats) -> tuple[Floats, Floats]:
    """What the 2015 program's energy charges for the response of one filter, and how hard it pushes back.

    Parameters
    ----------
    kind : {"student", "gaussian"}
    z : array
        Responses minus their mean.

    Returns
    -------
    energy, derivative : array
        Of the shape of `z`; `lsd_repro.prior.energy` averages the first.
    """
    z = np.asarray(z, np.float64)
    if kind == "student":
        return np.log1p(z ** 2 / STUDENT_SCALE), 2 * z / (STUDENT_SCALE + z ** 2)
    return z ** 2, 2 * z
