"""Patches -> `PatchPrior`: mean and scale of a joint density, turned into whitening filters.

The Gaussian is the sample mean and covariance.  The Student-t is the maximum
likelihood of the joint multivariate t with free degrees of freedom, by EM.  Both then
go the same way: eigenvectors over root eigenvalues, in 2015's order and layout.

Everything runs over blocks of patches in float64, whatever the precision of the
patches: beside them there are vectors of n and matrices of d x d, nothing larger.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import solve_triangular
from scipy.optimize import brentq
from scipy.special import digamma, gammaln

from lsd_repro import __version__
from lsd_repro.errors import InputError
from lsd_repro.prior.patches import find_photos, sample_patches
from lsd_repro.prior.store import PatchPrior
from lsd_repro.program2015 import GREY_OFFSET, PATCH_SIZE

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

    mean: np.ndarray
    scale: np.ndarray
    degrees_of_freedom: float
    log_likelihoods: np.ndarray
    stopped: str


def fit_folder(folder, count=200_000, seed=0, progress=None):
    """Fit both priors on a folder of photos.

    Parameters
    ----------
    folder : str or path
    count : int
        Patches to draw.
    seed : int
        Of positions and dither.
    progress : callable, optional
        Called with one line of text as the work goes on.

    Returns
    -------
    student, gaussian : PatchPrior
    provenance : str
        Numbers of photos and patches, seed, and how the fit ended; for `store.save`.

    Raises
    ------
    InputError
        As `find_photos`, `sample_patches`, `fit_gaussian` and `fit_student`.
    """
    say = progress or (lambda text: None)
    sample = sample_patches(find_photos(folder), count, np.random.default_rng(seed),
                            progress=lambda seen, photos: say(f"photo {seen + 1} of {photos}"))
    gaussian = fit_gaussian(sample.patches)
    fit = student_t_em(_as_rows(sample.patches), progress=lambda iteration, value, nu: say(
        f"EM {iteration}: log-likelihood {value:.4f} per patch, nu {nu:.4f}"))
    student = whitening_prior("student", fit.mean, fit.scale, fit.degrees_of_freedom)
    provenance = (
        f"lsd_repro {__version__}: {len(sample.patches)} patches of {PATCH_SIZE}x{PATCH_SIZE} RGB "
        f"from {sample.photos_used} photos ({len(sample.skipped)} skipped), seed {seed}, "
        f"dithered by +-0.5, {sample.flat} (near-)constant ones left out. "
        "Gaussian: sample mean and covariance. "
        f"Student-t: nu {fit.degrees_of_freedom:.4f}, {len(fit.log_likelihoods) - 1} iterations of EM, "
        f"log-likelihood {fit.log_likelihoods[-1]:.4f} nats per patch, stopped: {fit.stopped}.")
    return student, gaussian, provenance


def fit_gaussian(patches):
    """The Gaussian prior: sample mean and covariance.

    Parameters
    ----------
    patches : array, shape (n, size, size, 3)
        RGB, 0..255, dithered.

    Returns
    -------
    PatchPrior
        Filters from the largest norm to the smallest (DC last).

    Raises
    ------
    InputError
        If there are too few patches, or they don't span all dimensions.
    """
    x = _as_rows(patches)
    _check_samples(x)
    mean, scatter = _weighted_moments(x, np.ones(len(x)))
    return whitening_prior("gaussian", mean, scatter / (len(x) - 1))


def fit_student(patches, tolerance=1e-6, max_iterations=300, progress=None):
    """The Student-t prior: maximum likelihood by `student_t_em`.

    Parameters
    ----------
    patches : array, shape (n, size, size, 3)
        RGB, 0..255, dithered.
    tolerance, max_iterations, progress
        As for `student_t_em`.

    Returns
    -------
    PatchPrior
        Filters from the smallest norm (DC) to the largest.

    Raises
    ------
    InputError
        As `student_t_em`.
    """
    fit = student_t_em(_as_rows(patches), tolerance, max_iterations, progress)
    return whitening_prior("student", fit.mean, fit.scale, fit.degrees_of_freedom)


def student_t_em(x, tolerance=1e-6, max_iterations=300, progress=None):
    """Maximum likelihood of a multivariate t with free degrees of freedom.

    Parameters
    ----------
    x : array, shape (n, d)
        Samples, of any float type.
    tolerance : float
        EM stops when an iteration raises the mean log-likelihood by less, in nats per
        sample.
    max_iterations : int
        EM stops after so many in any case.
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
    n, d = _check_samples(x)
    weights = _starting_weights(x)
    mean, scatter = _weighted_moments(x, weights)
    scale = scatter / weights.sum()
    distances, half_log_det = _mahalanobis(x, mean, scale)
    nu = _best_nu(distances, d, 1.0)
    values = [_log_likelihood(distances, half_log_det, d, nu)]
    stopped = f"after the {max_iterations} iterations allowed, not converged"
    for iteration in range(1, max_iterations + 1):
        weights = (nu + d) / (nu + distances)
        mean, scatter = _weighted_moments(x, weights)
        scale = scatter / weights.sum()
        distances, half_log_det = _mahalanobis(x, mean, scale)
        nu = _best_nu(distances, d, nu)
        values.append(_log_likelihood(distances, half_log_det, d, nu))
        if progress is not None:
            progress(iteration, values[-1], nu)
        if values[-1] - values[-2] < tolerance:
            stopped = f"log-likelihood rose by less than {tolerance:g} nats per sample"
            break
    return StudentFit(mean, scale, nu, np.array(values), stopped)


def whitening_prior(kind, mean, scale, degrees_of_freedom=None):
    """Filters that whiten a density, in 2015's order and layout.

    Parameters
    ----------
    kind : {"student", "gaussian"}
    mean : array, shape (d,)
        Mean patch, grey levels 0..255, d = size * size * 3.
    scale : array, shape (d, d)
        Scale or covariance matrix.
    degrees_of_freedom : float, optional

    Returns
    -------
    PatchPrior
        With W = U lambda^(-1/2): ``convolve(patch - 128, filters) - mean`` has the
        identity as its scale matrix.

    Raises
    ------
    InputError
        If `scale` is singular.

    Notes
    -----
    2015 program: the Student-t's components go from the smallest norm (DC) to the
    largest, the Gaussian's the other way.  Convolution flips the filter in both spatial
    directions, so they are stored flipped.  Each filter's largest entry is positive,
    since the sign of an eigenvector is otherwise left to the LAPACK at hand.
    """
    d = len(mean)
    size = int(round((d / 3) ** 0.5))
    eigenvalues, vectors = np.linalg.eigh(scale)
    if eigenvalues[0] <= d * np.finfo(np.float64).eps * eigenvalues[-1]:
        raise _singular()
    vectors *= np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(d)])
    whitening = vectors / np.sqrt(eigenvalues)
    if kind == "student":  # eigh sorts rising, so norms fall: the Gaussian's order
        whitening = whitening[:, ::-1]
    filters = whitening.reshape(size, size, 3, d)[::-1, ::-1]
    return PatchPrior(kind, np.ascontiguousarray(filters, np.float32),
                      (whitening.T @ (mean - GREY_OFFSET)).astype(np.float32),
                      degrees_of_freedom)


def scale_matrix(prior):
    """The scale (covariance) matrix that a prior's filters whiten, undoing `whitening_prior`.

    Returns
    -------
    float64 array, shape (d, d)
        In the order of a patch's own entries: rows, columns, channels.
    """
    filters = prior.filters[::-1, ::-1].astype(np.float64)
    whitening = filters.reshape(-1, filters.shape[-1])
    return np.linalg.inv(whitening @ whitening.T)


def _as_rows(patches):
    return patches.reshape(len(patches), -1)


def _check_samples(x):
    n, d = x.shape
    if n < SAMPLES_PER_DIMENSION * d:
        raise InputError(f"{n} patches are too few for {d} dimensions; draw at least "
                         f"{SAMPLES_PER_DIMENSION * d}, better a hundred times that, or add photos")
    return n, d


def _singular():
    return InputError("the patches don't vary in all dimensions (their scatter is singular); "
                      "dither them and use photos that are not flat")


def _coinciding():
    return InputError("the degrees of freedom of the Student-t run to 0, since many patches "
                      "(nearly) coincide; dither them and use photos that are not flat")


def _blocks(n):
    return (slice(start, start + BLOCK_ROWS) for start in range(0, n, BLOCK_ROWS))


def _weighted_moments(x, weights):
    """Weighted mean (d,), and weighted scatter (d, d) about it, not normalised."""
    mean = sum(weights[rows] @ x[rows].astype(np.float64) for rows in _blocks(len(x)))
    mean /= weights.sum()
    if not np.isfinite(mean).all():
        raise InputError("the patches have values that are not finite")
    scatter = np.zeros((len(mean), len(mean)))
    for rows in _blocks(len(x)):
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
    squared = np.concatenate([((x[rows] - median) ** 2).sum(axis=1) for rows in _blocks(len(x))])
    middle = np.median(squared)
    if middle == 0:
        raise _coinciding()
    return 1 / np.maximum(squared / middle, 1)


def _mahalanobis(x, mean, scale):
    """Squared distances (n,) from the mean under the scale matrix, and log|scale| / 2."""
    d = len(mean)
    try:
        factor = np.linalg.cholesky(scale)
    except np.linalg.LinAlgError:
        raise _singular() from None
    pivots = np.diag(factor)
    if pivots.min() ** 2 <= d * np.finfo(np.float64).eps * np.diag(scale).max():
        raise _singular()
    distances = np.empty(len(x))
    for rows in _blocks(len(x)):
        solved = solve_triangular(factor, (x[rows] - mean).T, lower=True,
                                  overwrite_b=True, check_finite=False)
        distances[rows] = np.einsum("ij,ij->j", solved, solved)
    return distances, np.log(pivots).sum()


def _log_likelihood(distances, half_log_det, d, nu):
    """Mean log-density of the t, in nats."""
    return (gammaln((nu + d) / 2) - gammaln(nu / 2) - d / 2 * np.log(nu * np.pi) - half_log_det
            - (nu + d) / 2 * np.log1p(distances / nu).mean())


def _best_nu(distances, d, nu):
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
