"""Whole pictures sampled from a patch prior alone: Langevin sampling of its energy.

The 2015 program never asked what its prior would draw by itself; this answers it.
A picture's density is taken as ``exp(-a n E)``: E is the energy, n the number of the
picture's entries (each lies in 64 patches of 192 components, of which one per entry is
counted), and ``a`` is that of the density of one component.
"""

from collections.abc import Sequence
from typing import Any, Callable, Optional

import numpy as np

from lsd_repro.hints import Complex, Floats, Picture
from lsd_repro.prior.density import mean_patch
from lsd_repro.prior.energy import multiscale, patch_energy
from lsd_repro.prior.store import PatchPrior
from lsd_repro.program2015 import STUDENT_SCALE
from lsd_repro.step.evaluate import compile_gradient

# Of the largest step at which the Gaussian would not yet diverge; its variance along the
# stiffest direction comes out 14 % too large.
STEP = 0.125
POWER_ITERATIONS = 25
PROBE = 20.0  # grey levels, about


def sample_picture(prior: PatchPrior, size: tuple[int, int], scales: Sequence[int] = (1,), steps: int = 300,
                   seed: int = 0, progress: Optional[Callable[[], Any]] = None) -> Floats:
    """Draw a picture from a patch prior by Langevin sampling.

    Parameters
    ----------
    prior : PatchPrior
    size : (height, width)
    scales : sequence of int
        Mean-pooling factors of the energy.
    steps : int
    seed : int
    progress : callable, optional
        Called after each step.

    Returns
    -------
    ndarray, shape (height, width, 3)
        Grey levels, not clipped.

    Notes
    -----
    Unadjusted Langevin steps, preconditioned by the covariance of the Gaussian whose
    quadratic energy has the prior's filters [1]_: without it, the finest filters would
    force steps at which the coarse structure needs millions of them.  The start is a
    sample of that Gaussian.

    References
    ----------
    .. [1] G. Roberts and O. Stramer, Langevin diffusions and Metropolis-Hastings
       algorithms, Methodology and Computing in Applied Probability 4, 2002.
    """
    rng = np.random.default_rng(seed)
    root = spectral_root(prior, size, scales)
    # A component's density is exp(-z^2 / 2), or that of a t whose degrees of freedom are v.
    exponent = 0.5 if prior.kind == "gaussian" else (STUDENT_SCALE + 1) / 2
    weight = exponent * 3 * size[0] * size[1]
    gradient = compile_gradient(multiscale(patch_energy(prior), scales))
    step = 2 * STEP / stiffness(root, scales, prior, size)
    base = mean_patch(prior).mean((0, 1))
    x = base + filtered(root, rng.normal(size=(*size, 3)))
    for _ in range(steps):
        x -= step * filtered(root, filtered(root, weight * gradient(x)))
        x += np.sqrt(2 * step) * filtered(root, rng.normal(size=x.shape))
        if progress is not None:
            progress()
    return x


def spectral_root(prior: PatchPrior, size: tuple[int, int], scales: Sequence[int] = (1,)) -> Complex:
    """Symmetric root of the covariance of the Gaussian picture, at each frequency.

    The filters, slid over a periodic picture, give a quadratic energy; its Hessian is
    block-diagonal in the Fourier domain, a 3x3 matrix of the channels per frequency.
    A filter on the picture pooled by s acts as one with s times as large pixels, if it
    is slid over all positions instead of every s-th (the mean over both is about equal).

    Returns
    -------
    complex array, shape (height, width // 2 + 1, 3, 3)
    """
    precision: Any = 0
    for scale in scales:
        pixel = np.full((scale, scale, 1), 1 / scale ** 2)
        for index in range(prior.filters.shape[-1]):
            response = np.fft.rfft2(np.kron(prior.filters[..., index].astype(np.float64), pixel), size, axes=(0, 1))
            precision = precision + response[..., :, None].conj() * response[..., None, :]
    values, vectors = np.linalg.eigh(precision / len(scales) / prior.patch_size ** 2)
    return (vectors / np.sqrt(values)[..., None, :]) @ vectors.conj().swapaxes(-1, -2)


def stiffness(root: Complex, scales: Sequence[int], prior: PatchPrior, size: tuple[int, int]) -> float:
    """Largest eigenvalue of the preconditioned Hessian of the prior's quadratic energy.

    1 at a single scale but for the border; more at several, since pooling mixes
    frequencies and the preconditioner does not.  By power iteration on the gradient,
    which is linear.
    """
    if prior.kind == "student":  # in the Gaussian's order, whose energy leaves out the last, softest component
        prior = prior._replace(kind="gaussian", filters=prior.filters[..., ::-1], mean=prior.mean[::-1])
    gradient = compile_gradient(multiscale(patch_energy(prior), scales))
    weight = 0.5 * 3 * size[0] * size[1]
    origin = gradient(np.zeros((*size, 3))).astype(np.float64)
    direction: Floats = np.random.default_rng(0).normal(size=(*size, 3))
    for _ in range(POWER_ITERATIONS):
        direction *= PROBE / np.sqrt(np.mean(direction ** 2))
        direction = filtered(root, weight * (gradient(filtered(root, direction)) - origin))
    return float(np.sqrt(np.mean(direction ** 2)) / PROBE)


def filtered(root: Complex, picture: Picture) -> Floats:
    """A picture (height, width, 3) with `spectral_root` applied."""
    spectrum = np.fft.rfft2(picture, axes=(0, 1))
    return np.fft.irfft2((root @ spectrum[..., None])[..., 0], picture.shape[:2], axes=(0, 1))
