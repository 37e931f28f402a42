"""Photos, one in memory at a time: folders of them, and the five that scikit-image and matplotlib ship."""

from pathlib import Path
from typing import Optional

import numpy as np
from PIL import Image, ImageOps

from lsd_repro.errors import InputError
from lsd_repro.hints import Pixels
from lsd_repro.material.files import PathLike

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png")
# What Pillow's decoders raise on files that are broken or no pictures at all.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)
# Colour photos in scikit-image's wheel, and one in matplotlib's.
SHIPPED_PHOTOS = "astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg"
SHIPPED_PORTRAIT = "grace_hopper.jpg"


def find_photos(folder: PathLike) -> list[Path]:
    """Paths of the ``.jpg``, ``.jpeg`` and ``.png`` files in a folder and below, sorted.

    Raises
    ------
    InputError
        If `folder` is not a folder, or holds no photos.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: not a folder; give one with .jpg or .png photos")
    paths = sorted(path for path in folder.rglob("*")
                   if path.suffix.lower() in PHOTO_SUFFIXES and path.is_file())
    if not paths:
        raise InputError(f"{folder}: no .jpg or .png photos in it; give a folder that has some")
    return paths


def read_photo(path: PathLike, channels: int = 3) -> Pixels:
    """A photo in 8 bits, RGB or grey, the way up it was taken (EXIF orientation).

    Grey becomes RGB, or RGB grey (the luma of BT.601), alpha is dropped (not composited),
    CMYK and palettes are converted by Pillow.

    Parameters
    ----------
    path : str or path
    channels : {3, 1}

    Returns
    -------
    uint8 array, shape (H, W, channels)

    Raises
    ------
    InputError
        If the file is broken, or grey of more than 8 bits, which has no scale to
        convert by.
    """
    try:
        with Image.open(path) as image:
            if image.mode[0] in "IF":
                raise InputError(f"grey values of more than 8 bits (mode {image.mode})")
            picture = np.asarray(ImageOps.exif_transpose(image).convert("RGB" if channels == 3 else "L"))
            return picture.reshape(*picture.shape[:2], channels)
    except BROKEN as error:
        raise InputError(f"{path}: not a usable photo ({error}); "
                         "convert it to an 8-bit .jpg or .png") from error


def photo_paths(folder: Optional[PathLike] = None) -> list[Path]:
    """Photos of a folder; without one, five that scikit-image and matplotlib ship.

    Raises
    ------
    InputError
        As `find_photos`.
    """
    if folder is not None:
        return find_photos(folder)
    # Not at the top: slow to import.
    import matplotlib
    import skimage
    return [Path(skimage.data_dir) / name for name in SHIPPED_PHOTOS] + [
        Path(matplotlib.get_data_path()) / "sample_data" / SHIPPED_PORTRAIT]
