"""What the page of a comparison is put together from: templates, pictures as data URIs, and numbers as text."""

import base64
import io
from collections.abc import Sequence
from typing import NamedTuple

import jinja2
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from lsd_repro import hints

THUMBNAIL_WIDTH = 480
CLOSE_UP = 208
JPEG_QUALITY = 85
FIGURE_DPI = 150


class Picture(NamedTuple):
    """A data URI, and the pixels that it has across and down."""

    uri: str
    width: int
    height: int


class Pictures(NamedTuple):
    """A frame as the page shows it."""

    thumbnail: Picture
    close_up: Picture


def templates() -> jinja2.Environment:
    """The templates, which escape every text, and fail for what they are not given."""
    return jinja2.Environment(loader=jinja2.PackageLoader(__package__), autoescape=True,
                              undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def pictures(frame: hints.Pixels) -> Pictures:
    """A frame (height, width, 3), uint8, made small, and its centre pixel for pixel."""
    whole = Image.fromarray(frame)
    small = whole.copy()
    small.thumbnail((THUMBNAIL_WIDTH, THUMBNAIL_WIDTH), Image.Resampling.LANCZOS)
    left, top = ((side - min(side, CLOSE_UP)) // 2 for side in whole.size)
    centre = whole.crop((left, top, left + min(whole.width, CLOSE_UP), top + min(whole.height, CLOSE_UP)))
    return Pictures(_jpeg(small), _jpeg(centre))


def figure(drawn: Figure) -> Picture:
    """A matplotlib Figure as a picture."""
    file = io.BytesIO()
    drawn.savefig(file, format="png", dpi=FIGURE_DPI)
    return Picture(_uri("png", file), *Image.open(file).size)


def number(value: float) -> str:
    """Three significant digits, without exponents."""
    return np.format_float_positional(value, 3, fractional=False, trim="-").replace("-", "\N{MINUS SIGN}")


def spread(values: hints.Values, unit: str = "") -> str:
    """Median and range of some numbers."""
    middle = number(float(np.median(values))) + (unit if unit == "%" else f" {unit}" if unit else "")
    return middle if len(values) == 1 else f"{middle} ({number(min(values))} to {number(max(values))})"


def listed(names: Sequence[str]) -> str:
    """Words in a sentence."""
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]


def _jpeg(picture):
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=JPEG_QUALITY)
    return Picture(_uri("jpeg", file), *picture.size)


def _uri(kind, file):
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
