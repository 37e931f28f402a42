"""Maximum likelihood of the multivariate Student-t, by EM.

Everything runs over blocks of samples in float64, whatever their own precision: beyond the
samples, memory holds vectors of length n and d x d matrices, nothing larger.
"""

from collections.abc import Iterator
from typing import Any, Callable, NamedTuple, Optional

import numpy as np
from scipy.linalg import solve_triangular
from scipy.optimize import brentq
from scipy.special import digamma, gammaln

from lsd_repro.errors import InputError
from lsd_repro.hints import Floats

BLOCK_ROWS = 4096
# Below, hyperplanes through the samples hold enough of them that the t's
# likelihood has no maximum (Kent & Tyler 1991).
SAMPLES_PER_DIMENSION = 2
# Degrees of freedom at the lower end mean that samples coincide; at the upper end
# the t can't be told from a Gaussian.
NU_RANGE = (0.02, 1e4)


class StudentFit(NamedTuple):
    """What `student_t_em` found.

    Attributes
    ----------
    mean : float64 array, shape (d,)
    scale : float64 array, shape (d, d)
        The scale matrix; nu / (nu - 2) times it is the covariance if nu > 2.
    degrees_of_freedom : float
    log_likelihoods : float64 array
        Mean over the samples, in nats, at the start and after each iteration.
    stopped : str
        Which criterion ended it.
    """

    mean: Floats
    scale: Floats
    degrees_of_freedom: float
    log_likelihoods: Floats
    stopped: str


def student_t_em(x: Floats, tolerance: float = 1e-6, max_iterations: int = 300,
                 progress: Optional[Callable[[int, float, float], Any]] = None) -> StudentFit:
    """Maximum likelihood of a multivariate t with free degrees of freedom.

    Parameters
    ----------
    x : array, shape (n, d)
        Samples, of any float type.
    tolerance : float
        EM stops when an iteration raises the mean log-likelihood by less than this, in nats
        per sample.
    max_iterations : int
        EM stops after this many in any case.
    progress : callable, optional
        Called with (iteration, mean log-likelihood, nu) after each.

    Returns
    -------
    StudentFit

    Raises
    ------
    InputError
        If there are too few samples, they aren't finite, don't span all dimensions, or
        coincide so much that the degrees of freedom run to 0.

    Notes
    -----
    ECME [1]_: given mean and scale matrix, nu maximises the likelihood itself, not its
    EM bound.  The scatter is divided by the sum of the weights, not by n [2]_: the same
    fixed point, reached in fewer iterations (parameter expansion [3]_).  No iteration
    lowers the likelihood.

    References
    ----------
    .. [1] C. Liu, D. B. Rubin, "ML estimation of the t distribution using EM and its
       extensions, ECM and ECME", Statistica Sinica 5 (1995).
    .. [2] J. T. Kent, D. E. Tyler, Y. Vardi, "A curious likelihood identity for the
       multivariate t-distribution", Comm. in Statistics - Simulation 23 (1994).
    .. [3] C. Liu, D. B. Rubin, Y. N. Wu, "Parameter expansion to accelerate EM: the
       PX-EM algorithm", Biometrika 85 (1998).
    """
    n, d = check_samples(x)
    weights = _starting_weights(x)
    mean, scatter = weighted_moments(x, weights)
    scale = scatter / weights.sum()
    distances, half_log_det = mahalanobis(x, mean, scale)
    nu = best_nu(distances, d, 1.0)
    values = [log_likelihood(distances, half_log_det, d, nu)]
    stopped = f"after the {max_iterations} iterations allowed, not converged"
    for iteration in range(1, max_iterations + 1):
        weights = (nu + d) / (nu + distances)
        mean, scatter = weighted_moments(x, weights)
        scale = scatter / weights.sum()
        distances, half_log_det = mahalanobis(x, mean, scale)
        nu = best_nu(distances, d, nu)
        values.append(log_likelihood(distances, half_log_det, d, nu))
        if progress is not None:
            progress(iteration, values[-1], nu)
        if values[-1] - values[-2] < tolerance:
            stopped = f"log-likelihood rose by less than {tolerance:g} nats per sample"
            break
    return StudentFit(mean, scale, nu, np.array(values), stopped)


def check_samples(x: Floats) -> tuple[int, int]:
    """n and d of samples, or an InputError if n is too small for a fit."""
    n, d = x.shape
    if n < SAMPLES_PER_DIMENSION * d:
        raise InputError(f"{n} patches are too few for {d} dimensions; draw at least "
                         f"{SAMPLES_PER_DIMENSION * d}, better a hundred times that, or add photos")
    return n, d


def singular() -> InputError:
    """The error for a scatter that lacks dimensions."""
    return InputError("the patches don't vary in all dimensions (their scatter is singular); "
                      "dither them and use photos that are not flat")


def _coinciding():
    return InputError("the degrees of freedom of the Student-t run to 0, since many patches "
                      "(nearly) coincide; dither them and use photos that are not flat")


def blocks(n: int) -> Iterator[slice]:
    return (slice(start, start + BLOCK_ROWS) for start in range(0, n, BLOCK_ROWS))


def weighted_moments(x: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Weighted mean (d,), and weighted scatter (d, d) about it, not normalised."""
    mean = sum(weights[rows] @ x[rows].astype(np.float64) for rows in blocks(len(x)))
    mean /= weights.sum()
    if not np.isfinite(mean).all():
        raise InputError("the patches have values that are not finite")
    scatter = np.zeros((len(mean), len(mean)))
    for rows in blocks(len(x)):
        centred = x[rows] - mean
        centred *= np.sqrt(weights[rows])[:, None]
        scatter += centred.T @ centred
    return mean, scatter


def _starting_weights(x):
    """Weights (n,) that keep far samples from ruling the first scale matrix.

    At low degrees of freedom the largest samples are many orders of magnitude out, and
    the sample covariance is theirs alone, singular to rounding.
    """
    median = np.array([np.median(column) for column in x.T])
    squared = np.concatenate([((x[rows] - median) ** 2).sum(axis=1) for rows in blocks(len(x))])
    middle = np.median(squared)
    if middle == 0:
        raise _coinciding()
    return 1 / np.maximum(squared / middle, 1)


def mahalanobis(x: Floats, mean: Floats, scale: Floats) -> tuple[Floats, float]:
    """Squared distances (n,) from the mean under the scale matrix, and log|scale| / 2."""
    d = len(mean)
    try:
        factor = np.linalg.cholesky(scale)
    except np.linalg.LinAlgError:
        raise singular() from None
    pivots = np.diag(factor)
    if pivots.min() ** 2 <= d * np.finfo(np.float64).eps * np.diag(scale).max():
        raise singular()
    distances = np.empty(len(x))
    for rows in blocks(len(x)):
        solved = solve_triangular(factor, (x[rows] - mean).T, lower=True,
                                  overwrite_b=True, check_finite=False)
        distances[rows] = np.einsum("ij,ij->j", solved, solved)
    return distances, np.log(pivots).sum()


def log_likelihood(distances: Floats, half_log_det: float, d: int, nu: float) -> float:
    """Mean log-density of the t, in nats."""
    return (gammaln((nu + d) / 2) - gammaln(nu / 2) - d / 2 * np.log(nu * np.pi) - half_log_det
            - (nu + d) / 2 * np.log1p(distances / nu).mean())


def best_nu(distances: Floats, d: int, nu: float) -> float:
    """The degrees of freedom in NU_RANGE that maximise the likelihood, uphill from `nu`."""
    def slope(log_nu):  # of the mean log-density, times 2 / nu
        nu = np.exp(log_nu)
        ratio = distances / nu
        return (digamma((nu + d) / 2) - digamma(nu / 2) - d / nu
                + ((nu + d) / nu * ratio / (1 + ratio) - np.log1p(ratio)).mean())

    lowest, highest = np.log(NU_RANGE)
    here = np.log(nu)
    direction = 1 if slope(here) > 0 else -1
    limit = highest if direction > 0 else lowest
    while here != limit:
        there = np.clip(here + direction * np.log(2), lowest, highest)
        if (slope(there) > 0) != (direction > 0):
            return float(np.exp(brentq(slope, here, there, xtol=1e-10)))
        here = there
    if limit == lowest:
        raise _coinciding()
    return NU_RANGE[1]
