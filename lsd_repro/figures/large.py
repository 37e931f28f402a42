"""Pictures at their own size, as JPEG: a dream as PNG would be a megabyte.

`picture` takes an array and `photographic` a figure of photos; either is what a notebook's cell ends with.
"""

import io
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from lsd_repro.hints import Floats

QUALITY = 75  # of a dream, which is all detail, more would cost much and show nothing


class Jpeg(NamedTuple):
    """A picture that a notebook shows.

    Attributes
    ----------
    data : bytes
    width, height : int
    """

    data: bytes
    width: int
    height: int

    def _repr_jpeg_(self):
        return self.data

    def __repr__(self) -> str:
        return f"<JPEG of {self.width}x{self.height}>"


def picture(values: Floats) -> Jpeg:
    """A picture, pixel for pixel.

    Parameters
    ----------
    values : array (height, width, 3)
        In 0..255; values outside are clipped.
    """
    return _compressed(Image.fromarray(np.rint(np.clip(values, 0, 255)).astype(np.uint8)))


def photographic(figure: Figure) -> Jpeg:
    """A figure that consists of photos more than of lines.

    Parameters
    ----------
    figure : Figure
        Drawn at its own dots an inch.
    """
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=figure.dpi)
    return _compressed(Image.open(drawn).convert("RGB"))


def _compressed(image):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    return Jpeg(file.getvalue(), *image.size)
