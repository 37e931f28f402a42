"""Photos, one in memory at a time: folders of them, and the five that scikit-image and matplotlib ship."""

import io
import logging
import re
import warnings
from pathlib import Path
from typing import Any, Optional

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from lsd_repro.errors import InputError
from lsd_repro.hints import Pixels
from lsd_repro.material.files import PathLike

# Those of Pillow's formats that hold photos. Not EPS, for which it starts another program.
FORMATS = "JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF", "JPEG2000", "PPM", "TGA"
# What Pillow's decoders raise on files that are broken or no pictures at all.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)
MEGAPIXELS = 178  # where Pillow takes a picture for a bomb
PAPER = 255  # grey level that shows through what is transparent, as in most viewers
NAMED = 5  # files that are named of those left out
# Colour photos in scikit-image's wheel, and one in matplotlib's.
SHIPPED_PHOTOS = "astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg"
SHIPPED_PORTRAIT = "grace_hopper.jpg"

log = logging.getLogger(__name__)


def in_order(path: Path) -> tuple[list[Any], str]:
    """A key to sort paths by, numbers in them by their value: frame9999.png comes before frame10000.png."""
    text = path.as_posix()
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", text)], text


def find_photos(folder: PathLike) -> list[Path]:
    """Paths of the pictures in a folder and below, in order; the log names the other files.

    Raises
    ------
    InputError
        If `folder` is not a folder, or holds no photos.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: not a folder; give one with photos")
    files = sorted((path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")), key=in_order)
    suffixes = {suffix for suffix, kind in Image.registered_extensions().items() if kind in FORMATS}
    paths = [path for path in files if path.suffix.lower() in suffixes]
    others = [str(path.relative_to(folder)) for path in files if path.suffix.lower() not in suffixes]
    left_out = ""
    if others:
        more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
        left_out = f"left out, as Pillow reads no such photos: {', '.join(others[:NAMED])}{more}"
    if not paths:
        raise InputError(f"{folder}: no photos in it" + (f" ({left_out})" if left_out else "")
                         + "; give a folder that has some, such as .jpg, .png, .webp or .tif")
    if left_out:
        log.warning("%s: %s", folder, left_out)
    return paths


def read_photo(path: PathLike, channels: int = 3) -> Pixels:
    """A photo in 8 bits, RGB or grey, as a viewer shows it.

    Turned the way up it was taken (EXIF orientation), in sRGB (an ICC profile is converted from), and on white where
    it is transparent. Grey becomes RGB, or RGB grey (the luma of BT.601); of an animation it is the first picture.

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
        If there is no such file, it is broken, no picture or too large; or grey of more than 8 bits, which has no
        scale to convert by.
    """
    path = Path(path)
    try:
        if not path.exists():
            raise InputError("no such file; check the name")
        if not path.is_file():
            raise InputError("a folder or a device; name a file")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                if image.mode[0] in "IF":
                    raise InputError(f"grey values of more than 8 bits (mode {image.mode}); convert it to an 8-bit .jpg or .png")
                picture = np.asarray(_on_paper(_in_srgb(ImageOps.exif_transpose(image))).convert("RGB" if channels == 3 else "L"))
        return picture.reshape(*picture.shape[:2], channels)
    except InputError as error:
        raise InputError(f"{path}: not a usable photo: {error}") from None
    except UnidentifiedImageError as error:
        raise InputError(f"{path}: not a usable photo: Pillow knows no such format; convert it to .jpg or .png") from error
    except (Image.DecompressionBombError, MemoryError) as error:
        raise InputError(f"{path}: not a usable photo: it is too large; scale it down to {MEGAPIXELS} megapixels at the most") \
            from error
    except BROKEN as error:
        raise InputError(f"{path}: not a usable photo: {error}; open it elsewhere and save it as .jpg or .png") from error


def _in_srgb(image: Image.Image) -> Image.Image:
    """A picture's colours in sRGB, with its alpha if it has any."""
    profile, transparent = image.info.get("icc_profile"), _is_transparent(image)
    image = image.convert("RGBA") if transparent else image
    if not profile:
        return image
    colours = image.convert("RGB") if transparent or image.mode == "P" else image
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        to_srgb = ImageCms.buildTransform(given, ImageCms.createProfile("sRGB"), colours.mode, "RGB")
    except (ImageCms.PyCMSError, OSError):
        return image  # a broken profile, or of other channels: as viewers do
    if colours.mode == "RGB":
        # Through its own tables sRGB, by whatever name, would come back a grey level off here and there.
        ladder = Image.fromarray(np.stack(np.meshgrid(*[np.arange(0, 256, 51, dtype=np.uint8)] * 3), -1).reshape(1, -1, 3))
        moved = np.abs(np.asarray(ImageCms.applyTransform(ladder, to_srgb), int) - np.asarray(ladder))
        if moved.max() <= 1:
            return image
    seen = ImageCms.applyTransform(colours, to_srgb)
    assert seen is not None  # as it is not in place
    if transparent:
        seen.putalpha(image.getchannel("A"))
    return seen


def _on_paper(image: Image.Image) -> Image.Image:
    """A picture without alpha."""
    if image.mode != "RGBA":
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, (PAPER,) * 4), image)


def _is_transparent(image: Image.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info


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
