"""The text in the corner: `caption` words it, `draw_caption` draws it.

The stream's caption was ``@user: term`` for one class and ``term & term`` for two;
without a chat there is no user to name.
"""

from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lsd_repro.hints import Floats, Pixels
from lsd_repro.program2015 import CAPTION_CORNER, CAPTION_HEIGHT

BORDER = 1  # pixels of black around the text
ELLIPSIS = "\u2026"

Frame = TypeVar("Frame", Pixels, Floats)


def caption(names: Sequence[str]) -> str:
    """The words for the classes shown: ``term``, or ``term & term``.

    Parameters
    ----------
    names : sequence of str
        One name, or two.

    Returns
    -------
    str
    """
    return " & ".join(names)


def draw_caption(frame: Frame, text: str) -> Frame:
    """A copy of `frame` with `text` in its upper left corner.

    2015 quirk: caption box.  White on black, without anti-aliasing, the text's corner at (5, 5) and
    a border of one black pixel around it.  DejaVu Sans stands in for 2015's Helvetica, which
    may not be redistributed.

    Parameters
    ----------
    frame : (H, W, 3) array of uint8, or of float on the 0..1 scale
    text : str
        Accents, Greek, Cyrillic and the like are drawn; a character that DejaVu Sans
        lacks (Chinese, emoji) becomes the font's empty box.  Line breaks and other runs of white
        space become one space.  A text too long for the frame ends in an ellipsis.
        Without any text there is no box.

    Returns
    -------
    (H, W, 3) array of the dtype of `frame`

    Notes
    -----
    In a frame smaller than the box, the box is cut off at the frame's edge.
    """
    captioned = frame.copy()
    left, top = (side - BORDER for side in CAPTION_CORNER)
    # The same distance from the right edge as from the left.
    box = _box(text, frame.shape[1] - 2 * left)
    white = 255 if frame.dtype == np.uint8 else 1
    area = captioned[top:top + box.shape[0], left:left + box.shape[1]]
    area[:] = white * box[:area.shape[0], :area.shape[1], np.newaxis]
    return captioned


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, `size` pixels high; matplotlib ships it, so it is always available.

    Parameters
    ----------
    size : int

    Returns
    -------
    PIL.ImageFont.FreeTypeFont
    """
    import matplotlib  # slow, and not needed before the first caption

    path = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
    # Pillow's other layout engine depends on a library that not every machine has.
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)


def shortened(text: str, typeface: ImageFont.FreeTypeFont, width: float) -> str:
    """`text` on one line, cut short with an ellipsis if it is wider than `width`.

    Parameters
    ----------
    text : str
    typeface : PIL.ImageFont.FreeTypeFont
    width : int
        Pixels.

    Returns
    -------
    str
    """
    line = " ".join(text.split())
    short = line
    while len(line) > 1 and typeface.getlength(short) > width:
        line = line[:-1]
        short = line.rstrip() + ELLIPSIS
    return short


# A film draws the same few captions thousands of times.
@lru_cache(maxsize=16)
def _box(text, width):
    """The caption's box, at most `width` wide: bool, True where it is white."""
    typeface = font(CAPTION_HEIGHT)
    line = shortened(text, typeface, width - 2 * BORDER)
    if not line:
        return np.zeros((0, 0), bool)
    ascent, descent = typeface.getmetrics()
    size = (int(np.ceil(typeface.getlength(line))) + 2 * BORDER, ascent + descent + 2 * BORDER)
    image = Image.new("1", size)  # one bit a pixel: nothing to anti-alias with
    ImageDraw.Draw(image).text((BORDER, BORDER), line, fill=1, font=typeface)
    box = np.array(image)
    # Glyphs may reach a pixel beyond their nominal width.
    for edge in (box[:BORDER], box[-BORDER:], box[:, :BORDER], box[:, -BORDER:]):
        edge[:] = False
    box.flags.writeable = False
    return box
