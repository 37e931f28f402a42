"""Patches -> `PatchPrior`: mean and scale of a joint density, turned into whitening filters.

The Gaussian is the sample mean and covariance.  The Student-t is the maximum
likelihood of the joint multivariate t with free degrees of freedom, by EM.  Both then
go the same way: eigenvectors over root eigenvalues, in 2015's order and layout.
"""

from collections.abc import Sequence
from typing import Any, Callable, Optional

import numpy as np

from lsd_repro import __version__
from lsd_repro.hints import Floats
from lsd_repro.material.files import PathLike
from lsd_repro.material.photos import find_photos
from lsd_repro.prior.density import whitening
from lsd_repro.prior.em import check_samples, singular, student_t_em, weighted_moments
from lsd_repro.prior.patches import sample_patches
from lsd_repro.prior.store import PatchPrior
from lsd_repro.program2015 import GREY_OFFSET, PATCH_SIZE

KINDS = "student", "gaussian"


def fit_folder(folder: PathLike, count: int = 200_000, seed: int = 0, kinds: Sequence[str] = KINDS,
               patch_size: int = PATCH_SIZE, on_photo: Optional[Callable[[int, int], Any]] = None,
               on_iteration: Optional[Callable[[int, float, float], Any]] = None,
               channels: int = 3) -> tuple[dict[str, PatchPrior], str, list[str]]:
    """Fit priors on a folder of photos.

    Parameters
    ----------
    folder : str or path
    count : int
        Patches to draw.
    seed : int
        Of positions and dither.
    kinds : sequence of {"student", "gaussian"}
    patch_size : int
        Side of a patch, in pixels.
    on_photo : callable, optional
        Called with (photos read so far, photos) before each.
    on_iteration : callable, optional
        As `student_t_em`'s ``progress``.
    channels : {3, 1}
        RGB, as in 2015, or grey.

    Returns
    -------
    priors : dict
        From kind to PatchPrior.
    provenance : str
        Numbers of photos and patches, seed, and how the fit ended; for `store.save`.
    skipped : list of str
        A line for each photo left out.

    Raises
    ------
    InputError
        As `find_photos`, `sample_patches`, `fit_gaussian` and `student_t_em`.
    """
    sample = sample_patches(find_photos(folder), count, np.random.default_rng(seed), patch_size, on_photo, channels)
    provenance = (
        f"lsd_repro {__version__}: {len(sample.patches)} patches of {patch_size}x{patch_size} "
        f"{'RGB' if channels == 3 else 'grey'} "
        f"from {sample.photos_used} photos ({len(sample.skipped)} skipped), seed {seed}, "
        f"dithered by +-0.5, {sample.flat} (near-)constant ones left out.")
    priors = {}
    if "gaussian" in kinds:
        priors["gaussian"] = fit_gaussian(sample.patches)
        provenance += " Gaussian: sample mean and covariance."
    if "student" in kinds:
        fit = student_t_em(_as_rows(sample.patches), progress=on_iteration)
        priors["student"] = whitening_prior("student", fit.mean, fit.scale, fit.degrees_of_freedom, channels)
        provenance += (f" Student-t: nu {fit.degrees_of_freedom:.4f}, {len(fit.log_likelihoods) - 1} iterations of EM, "
                       f"log-likelihood {fit.log_likelihoods[-1]:.4f} nats per patch, stopped: {fit.stopped}.")
    return priors, provenance, sample.skipped


def fit_gaussian(patches: Floats) -> PatchPrior:
    """The Gaussian prior: sample mean and covariance.

    Parameters
    ----------
    patches : array, shape (n, size, size, channels)
        RGB or grey, 0..255, dithered.

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
    check_samples(x)
    mean, scatter = weighted_moments(x, np.ones(len(x)))
    return whitening_prior("gaussian", mean, scatter / (len(x) - 1), channels=patches.shape[-1])


def fit_student(patches: Floats, tolerance: float = 1e-6, max_iterations: int = 300,
                progress: Optional[Callable[[int, float, float], Any]] = None) -> PatchPrior:
    """The Student-t prior: maximum likelihood by `student_t_em`.

    Parameters
    ----------
    patches : array, shape (n, size, size, channels)
        RGB or grey, 0..255, dithered.
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
    return whitening_prior("student", fit.mean, fit.scale, fit.degrees_of_freedom, patches.shape[-1])


def whitening_prior(kind: str, mean: Floats, scale: Floats, degrees_of_freedom: Optional[float] = None,
                    channels: int = 3) -> PatchPrior:
    """Filters that whiten a density, in 2015's order and layout.

    2015 quirk: opposite orders.

    Parameters
    ----------
    kind : {"student", "gaussian"}
    mean : array, shape (d,)
        Mean patch, grey levels 0..255, d = size * size * channels.
    scale : array, shape (d, d)
        Scale or covariance matrix.
    degrees_of_freedom : float, optional
    channels : {3, 1}

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
    since the sign of an eigenvector otherwise depends on the LAPACK.
    """
    d = len(mean)
    size = int(round((d / channels) ** 0.5))
    eigenvalues, vectors = np.linalg.eigh(scale)
    if eigenvalues[0] <= d * np.finfo(np.float64).eps * eigenvalues[-1]:
        raise singular()
    vectors *= np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(d)])
    columns = vectors / np.sqrt(eigenvalues)
    if kind == "student":  # eigh sorts rising, so norms fall: the Gaussian's order
        columns = columns[:, ::-1]
    filters = columns.reshape(size, size, channels, d)[::-1, ::-1]
    return PatchPrior(kind, np.ascontiguousarray(filters, np.float32),
                      (columns.T @ (mean - GREY_OFFSET)).astype(np.float32),
                      degrees_of_freedom)


def scale_matrix(prior: PatchPrior) -> Floats:
    """The scale (covariance) matrix that a prior's filters whiten, undoing `whitening_prior`.

    Returns
    -------
    float64 array, shape (d, d)
        In the order of a patch's own entries: rows, columns, channels.
    """
    filters = whitening(prior)
    return np.linalg.inv(filters @ filters.T)


def _as_rows(patches):
    return patches.reshape(len(patches), -1)
