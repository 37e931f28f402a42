"""The start image: a file of the user's, or a photo that scikit-image ships."""

import warnings

import numpy as np
from PIL import Image, ImageOps

from lsd_repro.errors import InputError

SHIPPED_PHOTO = "coffee"


def load_start(path=None, size=None):
    """Load a start image, and fit it to a size.

    Parameters
    ----------
    path : str, optional
        A picture file; without one, a photo that scikit-image ships.
    size : (width, height), optional
        The picture is cropped about its centre to this aspect ratio and resampled
        (Lanczos).  Without it the picture keeps its own size, as in 2015.

    Returns
    -------
    ndarray, shape (height, width, 3), uint8
        RGB.

    Raises
    ------
    InputError
        If the file can't be read as a picture.
    """
    if path is None:
        from skimage import data
        picture = Image.fromarray(getattr(data, SHIPPED_PHOTO)())
    else:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                with Image.open(path) as file:
                    picture = ImageOps.exif_transpose(file).convert("RGB")
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError,
                Image.DecompressionBombWarning) as error:
            raise InputError(f"start image {path}: can't be read as a picture ({error}); "
                             "give a JPEG or PNG file with --start") from error
    if size is not None and picture.size != tuple(size):
        picture = ImageOps.fit(picture, size, Image.Resampling.LANCZOS)
    return np.asarray(picture)
