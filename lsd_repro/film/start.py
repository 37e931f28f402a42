"""The start image: the user's file, a photo that scikit-image ships, or noise."""

from typing import Optional

import numpy as np
from PIL import Image, ImageOps
from scipy import fft

from lsd_repro.errors import InputError, OptionError
from lsd_repro.hints import Pixels
from lsd_repro.material.files import PathLike
from lsd_repro.material.photos import read_photo

SHIPPED_PHOTO = "coffee"
NOISE = "noise"  # a file of this name is ./noise
# Grey levels: mean, and standard deviation of each channel, wide enough to give a dream some
# colour to begin with.
NOISE_MEAN, NOISE_SPREAD = 118.0, 50.0
# Amplitudes fall as this power of the frequency. In photos it is about 1, but such noise is so
# grainy that the first frames of a film do little but remove the grain.
NOISE_EXPONENT = 1.5
# Share of the width that the largest clouds have; larger ones would make a picture of one colour.
NOISE_LARGEST = 0.25


def load_start(path: Optional[PathLike] = None, size: Optional[tuple[int, int]] = None, seed: int = 0) -> Pixels:
    """Load a start image, and fit it to a size.

    Parameters
    ----------
    path : str or Path, optional
        A picture file, or `NOISE`; without one, a photo that scikit-image ships.
    size : (width, height), optional
        The picture is cropped about its centre to this aspect ratio and resampled
        (Lanczos).  Without it the picture keeps its own size, as in 2015.
    seed : int
        Of the noise.

    Returns
    -------
    ndarray, shape (height, width, 3), uint8
        RGB.

    Raises
    ------
    InputError
        If the file can't be read as a picture.
    """
    if path == NOISE:
        return noise(size, seed)  # type: ignore[arg-type]  # whoever wants noise gives a size
    if path is None:
        # Not at the top: scikit-image's data module is slow to import.
        from skimage import data
        picture = getattr(data, SHIPPED_PHOTO)()
    else:
        try:
            picture = read_photo(path)
        except InputError as error:
            raise OptionError("start", str(error)) from error
    if size is not None and picture.shape[1::-1] != tuple(size):
        picture = np.asarray(ImageOps.fit(Image.fromarray(picture), size, Image.Resampling.LANCZOS))
    return picture


def noise(size: tuple[int, int], seed: int) -> Pixels:
    """Coloured noise with structure at all scales: clouds, not grain.

    Parameters
    ----------
    size : (width, height)
    seed : int
        The same seed gives the same picture.

    Returns
    -------
    ndarray, shape (height, width, 3), uint8
        Clipped; each channel on its own.
    """
    width, height = size
    white = np.random.default_rng(seed).normal(size=(height, width, 3))
    frequency = np.hypot(fft.fftfreq(height)[:, None], fft.rfftfreq(width))
    frequency = np.maximum(frequency, 1 / (NOISE_LARGEST * width))
    frequency[0, 0] = np.inf  # the mean is set below
    fallen = fft.rfft2(white, axes=(0, 1)) / frequency[..., None] ** NOISE_EXPONENT
    clouds = fft.irfft2(fallen, (height, width), axes=(0, 1))
    spread = clouds.std((0, 1))
    spread[spread == 0] = 1  # a single pixel has none
    return np.clip(np.rint(NOISE_MEAN + NOISE_SPREAD * clouds / spread), 0, 255).astype(np.uint8)
