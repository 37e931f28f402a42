"""The start image: a file of the user's, or a photo that scikit-image ships."""

import numpy as np
from PIL import Image, ImageOps

from lsd_repro.errors import InputError
from lsd_repro.prior.patches import read_photo

SHIPPED_PHOTO = "coffee"


def load_start(path=None, size=None):
    """Load a start image, and fit it to a size.

    Parameters
    ----------
    path : str or Path, optional
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
        # Not at the top: scikit-image's data module is slow to import.
        from skimage import data
        picture = getattr(data, SHIPPED_PHOTO)()
    else:
        try:
            picture = read_photo(path)
        except InputError as error:
            raise InputError(f"--start {error}") from error
    if size is not None and picture.shape[1::-1] != tuple(size):
        picture = np.asarray(ImageOps.fit(Image.fromarray(picture), size, Image.Resampling.LANCZOS))
    return picture
