"""Pictures to judge a prior by: photos it was not fitted on, and degraded copies of them."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from lsd_repro.errors import InputError
from lsd_repro.hints import Floats, Picture, Pixels
from lsd_repro.material.photos import read_photo

NOISE = 20.0  # grey levels, standard deviation
BLUR = 2.0  # pixels, standard deviation
JPEG_QUALITY = 10


def crops(paths: Sequence[Path], side: int) -> Pixels:
    """All crops of side x side from a list of photos, edge to edge from the top left.

    Returns
    -------
    uint8 array, shape (n, side, side, 3)

    Raises
    ------
    InputError
        If a photo can't be read, or none is large enough.
    """
    found: list[Pixels] = []
    for path in paths:
        photo = read_photo(path)
        rows, columns = photo.shape[0] // side, photo.shape[1] // side
        blocks = photo[:rows * side, :columns * side].reshape(rows, side, columns, side, 3)
        found.extend(blocks.swapaxes(1, 2).reshape(-1, side, side, 3))
    if not found:
        raise InputError(f"none of the {len(paths)} photos is {side} pixels wide and high; give larger ones")
    return np.stack(found)


def noisy(picture: Picture, rng: np.random.Generator) -> Pixels:
    """With Gaussian noise of 20 grey levels, as 8 bits."""
    return np.clip(np.rint(picture + rng.normal(0, NOISE, picture.shape)), 0, 255).astype(np.uint8)


def smooth_noise(picture: Picture, size: float, rng: np.random.Generator) -> Floats:
    """With smooth Gaussian noise of 20 grey levels whose blobs are about `size` pixels; clipped, not rounded."""
    noise = gaussian_filter(rng.normal(size=picture.shape), (size / 2, size / 2, 0))
    return np.clip(picture + NOISE * noise / noise.std(), 0, 255)


def blurred(picture: Picture) -> Pixels:
    """Blurred by a Gaussian of 2 pixels, as 8 bits."""
    return np.rint(gaussian_filter(picture.astype(float), (BLUR, BLUR, 0))).astype(np.uint8)


def jpeg(picture: Pixels) -> Pixels:
    """Compressed as JPEG of quality 10, and read back."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=JPEG_QUALITY)
    return np.asarray(Image.open(file))


def white_noise(shape: tuple[int, ...], rng: np.random.Generator) -> Pixels:
    """Uniform noise, no picture at all."""
    return rng.integers(0, 256, shape, np.uint8)


def degradations(pictures: Pixels, seed: int = 0) -> dict[str, Picture]:
    """What can be done to pictures.

    Parameters
    ----------
    pictures : uint8 array, shape (n, height, width, 3)
    seed : int

    Returns
    -------
    dict of str to uint8 array
        Of the shape of `pictures`.
    """
    rng = np.random.default_rng(seed)
    return {"noise": np.stack([noisy(picture, rng) for picture in pictures]),
            "white noise": white_noise(pictures.shape, rng),
            "JPEG": np.stack([jpeg(picture) for picture in pictures]),
            "blur": np.stack([blurred(picture) for picture in pictures])}
