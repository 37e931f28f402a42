"""The energy of a picture under a patch prior, as symbolic expressions."""

from math import log

from lsd_repro.errors import InputError
from lsd_repro.program2015 import GAUSSIAN_COMPONENTS, GREY_OFFSET, PATCH_SIZE, STUDENT_SCALE
from lsd_repro.stack import T, theano


def check_scales(height, width, scales):
    """Refuse scales at which the pooled picture is smaller than a patch.

    Parameters
    ----------
    height, width : int
        Size of the picture in pixels.
    scales : sequence of int
        Mean-pooling factors.

    Raises
    ------
    InputError
        Naming the first scale that does not fit.
    """
    for scale in scales:
        if min(height, width) // scale < PATCH_SIZE:
            raise InputError(
                f"prior scale {scale}: a {width}x{height} picture pooled by {scale} is "
                f"{width // scale}x{height // scale}, smaller than a patch of {PATCH_SIZE}x{PATCH_SIZE}; "
                f"take a size of at least {scale * PATCH_SIZE}x{scale * PATCH_SIZE} or leave out the scale")


def mean_pool(x, factor):
    """Average blocks of ``factor`` x ``factor`` pixels, from the top left corner.

    Rows and columns that don't fill a block are cropped.

    Parameters
    ----------
    x : symbolic tensor, shape (1, 3, height, width)
    factor : int

    Returns
    -------
    symbolic tensor, shape (1, 3, height // factor, width // factor)
    """
    if factor == 1:
        return x
    return T.signal.pool.pool_2d(x, (factor, factor), ignore_border=True, mode="average_exc_pad")


def deviations(x, prior):
    """Filter responses of every patch, minus their mean under the prior.

    The filters are applied by true convolution (flipped in both directions), as
    the 2015 program did.

    Parameters
    ----------
    x : symbolic tensor, shape (1, 3, height, width)
        Picture in 0..255.
    prior : PatchPrior

    Returns
    -------
    symbolic tensor, shape (1, 192, height - 7, width - 7)
    """
    filters = prior.filters.transpose(3, 2, 0, 1).astype(theano.config.floatX)
    mean = prior.mean.astype(theano.config.floatX)
    responses = T.nnet.conv2d(x - GREY_OFFSET, T.constant(filters), filter_shape=filters.shape,
                              border_mode="valid", filter_flip=True)
    return responses - T.constant(mean).dimshuffle("x", 0, "x", "x")


def student_energy(x, prior):
    """Student-t energy per patch component: mean of ``log(1 + (z - mu)^2 / v)``.

    Averaged over positions and components; not the joint log-density of a
    multivariate t (see `lsd_repro.prior.fit` for that).

    Parameters
    ----------
    x : symbolic tensor, shape (1, 3, height, width)
        Picture in 0..255, at least 8x8.
    prior : PatchPrior

    Returns
    -------
    symbolic scalar
    """
    # Of log(1 + ...) Theano would make log1p, which takes four times as long.
    return T.log(STUDENT_SCALE + deviations(x, prior) ** 2).mean() - log(STUDENT_SCALE)


def gaussian_energy(x, prior):
    """Gaussian energy per patch component: mean of ``(z - mu)^2``, without the DC component.

    Parameters
    ----------
    x : symbolic tensor, shape (1, 3, height, width)
        Picture in 0..255, at least 8x8.
    prior : PatchPrior
        Filters sorted by falling norm, so that DC comes last.

    Returns
    -------
    symbolic scalar
    """
    return (deviations(x, prior)[:, :GAUSSIAN_COMPONENTS] ** 2).mean()


ENERGIES = {"student": student_energy, "gaussian": gaussian_energy}


def multiscale_energy(x, prior, scales):
    """Mean over scales of the prior's energy of the mean-pooled picture.

    Parameters
    ----------
    x : symbolic tensor, shape (1, 3, height, width)
        Picture in 0..255.
    prior : PatchPrior
        Its kind chooses between `student_energy` and `gaussian_energy`.
    scales : sequence of int
        Mean-pooling factors; see `check_scales`.

    Returns
    -------
    symbolic scalar
    """
    energy = ENERGIES[prior.kind]
    return sum(energy(mean_pool(x, scale), prior) for scale in scales) / float(len(scales))
