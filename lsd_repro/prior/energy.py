"""The energy of a picture, as symbolic expressions.

An energy is a function from a symbolic picture (1, 3, height, width) in 0..255 to a
symbolic scalar.  `patch_energy` makes one of a `PatchPrior`, `total_variation` is
another, and `multiscale` makes one that looks at several scales.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple, Optional, Protocol, Union

from lsd_repro.errors import InputError
from lsd_repro.prior.store import PatchPrior
from lsd_repro.program2015 import GREY_OFFSET, PATCH_SIZE, STUDENT_SCALE
from lsd_repro.runtime.load import T, TensorVariable, theano

# Grey levels; far below what is visible, it gives total variation a gradient where
# neighbours are equal.
TV_SMOOTHING = 0.1


class Energy(Protocol):
    """From a symbolic picture (1, 3, height, width) in 0..255 to a symbolic scalar."""

    def __call__(self, x: TensorVariable, /) -> TensorVariable: ...


def check_scales(height: int, width: int, scales: Sequence[int], patch_size: int = PATCH_SIZE) -> None:
    """Refuse scales at which the pooled picture is smaller than a patch.

    Parameters
    ----------
    height, width : int
        Size of the picture in pixels.
    scales : sequence of int
        Mean-pooling factors.
    patch_size : int

    Raises
    ------
    InputError
        Naming all scales that don't fit.
    """
    coarse = [scale for scale in scales if min(height, width) // scale < patch_size]
    if coarse:
        least = max(coarse) * patch_size
        raise InputError(f"prior scale {' and '.join(map(str, coarse))}: a {width}x{height} picture, pooled, is smaller than a "
                         f"patch of {patch_size}x{patch_size} pixels; take a size of at least {least}x{least}, or leave such "
                         "scales out of prior_scales=")


def mean_pool(x: TensorVariable, factor: Union[int, TensorVariable]) -> TensorVariable:
    """Average blocks of ``factor`` x ``factor`` pixels, from the top left corner.

    2015 quirk: cropped blocks.  Rows and columns that don't fill a block are lost.

    Parameters
    ----------
    x : symbolic tensor, shape (1, 3, height, width)
    factor : int or symbolic int

    Returns
    -------
    symbolic tensor, shape (1, 3, height // factor, width // factor)
    """
    if isinstance(factor, int) and factor == 1:
        return x
    block = (factor, factor) if isinstance(factor, int) else T.stack([factor, factor])
    return T.signal.pool.pool_2d(x, block, ignore_border=True, mode="average_exc_pad")


def deviations(x: TensorVariable, prior: PatchPrior) -> TensorVariable:
    """Filter responses of every patch, minus their mean under the prior.

    2015 quirk: flipped prior filters.  They are applied by true convolution.
    2015 quirk: grey 128.

    Parameters
    ----------
    x : symbolic tensor, shape (1, 3, height, width)
        Picture in 0..255.
    prior : PatchPrior

    Returns
    -------
    symbolic tensor, shape (1, 192, height - 7, width - 7)
        For patches of 8x8.
    """
    filters = prior.filters.transpose(3, 2, 0, 1).astype(theano.config.floatX)
    mean = prior.mean.astype(theano.config.floatX)
    responses = T.nnet.conv2d(x - GREY_OFFSET, T.constant(filters), filter_shape=filters.shape,
                              border_mode="valid", filter_flip=True)
    return responses - T.constant(mean).dimshuffle("x", 0, "x", "x")


def student_energy(x: TensorVariable, prior: PatchPrior, axis: Optional[int] = None) -> TensorVariable:
    """Student-t energy per patch component: mean of ``log(1 + (z - mu)^2 / v)``.

    2015 quirk: energy per component.  It is averaged over positions and components, and is not
    the joint log-density of a multivariate t (see `lsd_repro.prior.density` for that).  Written as
    in 2015 (train.py, line 117); Theano makes log1p of it.

    Parameters
    ----------
    x : symbolic tensor, shape (1, 3, height, width)
        Picture in 0..255, at least as large as a patch.
    prior : PatchPrior
    axis : int, optional
        1 averages over the components alone: a map (1, positions down, positions across).

    Returns
    -------
    symbolic scalar, or map
    """
    return T.log(1.0 + deviations(x, prior) ** 2 / STUDENT_SCALE).mean(axis)


def gaussian_energy(x: TensorVariable, prior: PatchPrior, axis: Optional[int] = None) -> TensorVariable:
    """Gaussian energy per patch component: mean of ``(z - mu)^2``, without the DC component.

    2015 quirk: Gaussian without DC, the direction of least precision.

    Parameters
    ----------
    x, axis
        As for `student_energy`.
    prior : PatchPrior
        Filters sorted by falling norm, so that DC comes last.

    Returns
    -------
    symbolic scalar, or map
    """
    return (deviations(x, prior)[:, :-1] ** 2).mean(axis)


ENERGIES = {"student": student_energy, "gaussian": gaussian_energy}


def patch_energy(prior: PatchPrior) -> "partial[TensorVariable]":
    """The energy of a patch prior; its kind chooses between `student_energy` and `gaussian_energy`.

    Parameters
    ----------
    prior : PatchPrior

    Returns
    -------
    function
        From a symbolic picture to a symbolic scalar (or a map, with ``axis=1``).
    """
    return partial(ENERGIES[prior.kind], prior=prior)


def total_variation(x: TensorVariable) -> TensorVariable:
    """Total variation per pixel: mean length of the gradient over pixels and channels.

    Not of 2015: activation maximisation has since used it as its regulariser, so it is the
    baseline for the patch priors.

    Parameters
    ----------
    x : symbolic tensor, shape (1, 3, height, width)
        Picture in 0..255.

    Returns
    -------
    symbolic scalar
        In grey levels.

    References
    ----------
    .. [1] L. Rudin, S. Osher and E. Fatemi, Nonlinear total variation based noise
       removal algorithms, Physica D 60, 1992.
    .. [2] A. Mahendran and A. Vedaldi, Understanding deep image representations by
       inverting them, CVPR 2015.
    """
    down = x[:, :, 1:, :-1] - x[:, :, :-1, :-1]
    across = x[:, :, :-1, 1:] - x[:, :, :-1, :-1]
    return T.sqrt(down ** 2 + across ** 2 + TV_SMOOTHING ** 2).mean()


class Multiscale(NamedTuple):
    """An energy that is the mean of another over scales of the mean-pooled picture: a function, too.

    Attributes
    ----------
    energy : function
        From a symbolic picture to a symbolic scalar.
    scales : tuple of int
        Mean-pooling factors.
    """

    energy: Energy
    scales: tuple[Union[int, TensorVariable], ...]

    def __call__(self, x: TensorVariable) -> TensorVariable:
        # There is at least one: the sum is no plain 0.
        return sum(  # type: ignore[return-value]
            self.energy(mean_pool(x, scale)) for scale in self.scales) / float(len(self.scales))


def multiscale(energy: Energy, scales: Sequence[Union[int, TensorVariable]]) -> Multiscale:
    """An energy that is the mean of another over scales of the mean-pooled picture.

    2015 quirk: equal weights.

    Parameters
    ----------
    energy : function
        From a symbolic picture to a symbolic scalar.
    scales : sequence of int
        Mean-pooling factors; see `check_scales`.

    Returns
    -------
    Multiscale
        A function from a symbolic picture to a symbolic scalar.
    """
    return Multiscale(energy, tuple(scales))
