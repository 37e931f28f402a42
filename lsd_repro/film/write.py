"""Pictures, films and contact sheets, each file written whole or not at all.

`write_png` and `write_film` write a file; `contact_sheet` lays pictures out on one page,
and `as_still` rounds the optimised picture as the second 2015 program did.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any, Callable, Optional

import numpy as np
from PIL import Image, ImageDraw

from lsd_repro.errors import InputError
from lsd_repro.film import encoder
from lsd_repro.film.caption import font, shortened
from lsd_repro.hints import Picture, Pixels
from lsd_repro.material.files import PathLike, write_whole
from lsd_repro.program2015 import STILL_RANGE

PAPER, INK = 255, 32  # grey levels of a contact sheet


def write_png(path: PathLike, picture: Pixels) -> None:
    """Write a picture, whole or not at all; see `write_whole`.

    Parameters
    ----------
    path : str or Path
    picture : (H, W, 3) array of uint8
    """
    _check_picture(picture, picture.shape)
    with write_whole(path) as part:
        Image.fromarray(picture).save(part, format="PNG")


def write_film(path: PathLike, frames: Iterable[Pixels], size: tuple[int, int], fps: float,
               progress: Optional[Callable[[int], Any]] = None) -> None:
    """Write an H.264 film (MP4), whole or not at all.

    The same frames give the same bytes.

    Parameters
    ----------
    path : str or Path
    frames : iterable of (height, width, 3) arrays of uint8
        Taken one at a time.  Whatever it raises, Ctrl-C included, ends the encoder,
        leaves no file behind and is passed on (an OSError as an InputError).
    size : (int, int)
        Width and height; both even, since the film halves its colour resolution.
    fps : int or float
        Frames a second.
    progress : callable, optional
        Called with the number of frames written, after each.

    Raises
    ------
    InputError
        An odd size, no frames, or a file that can't be written.
    ValueError
        A frame of another size or dtype.
    """
    width, height = size
    if width % 2 or height % 2:
        raise InputError(f"a film must be of even width and height, not {width}x{height}")
    count = 0
    with write_whole(path) as part:
        part.touch()  # ffmpeg would report a missing folder only at the first frame
        sink = encoder.start(part, (width, height), fps)
        try:
            for frame in frames:
                _check_picture(frame, (height, width, 3))
                if count == 0:
                    sink.send(None)  # starts ffmpeg
                encoder.send(sink, frame)
                count += 1
                if progress is not None:
                    progress(count)
        finally:
            sink.close()
        if count == 0:
            raise InputError(f"no frames for {path}")
        encoder.check_film(part, count)


def contact_sheet(pictures: Sequence[Pixels], captions: Sequence[str], columns: Optional[int] = None,
                  width: int = 1280) -> Pixels:
    """Pictures in a grid, each with its caption below, dark on white.

    Parameters
    ----------
    pictures : sequence of (H, W, 3) arrays of uint8
        All of one size.
    captions : sequence of str
        One for each picture; too long ones end in an ellipsis.
    columns : int, optional
        By default as many as rows, or one more.
    width : int, optional
        Of the sheet, in pixels.

    Returns
    -------
    (height, width, 3) array of uint8
        As high as its rows need.

    Raises
    ------
    ValueError
        No pictures, another number of captions, or sizes that differ.
    """
    if not pictures or len(pictures) != len(captions):
        raise ValueError(f"{len(pictures)} pictures and {len(captions)} captions")
    for picture in pictures:
        _check_picture(picture, pictures[0].shape)
    columns = min(columns or math.ceil(math.sqrt(len(pictures))), len(pictures))
    rows = -(-len(pictures) // columns)
    margin = width // 80
    cell_width = (width - (columns + 1) * margin) // columns
    cell_height = round(cell_width * pictures[0].shape[0] / pictures[0].shape[1])
    # Large enough to read on a page that shows the sheet at two thirds of its size.
    typeface = font(max(12, min(cell_width // 12, width // 56)))
    line_height = sum(typeface.getmetrics()) + margin // 2
    sheet = Image.new("RGB", (width, margin + rows * (cell_height + line_height + margin)),
                      (PAPER,) * 3)
    draw = ImageDraw.Draw(sheet)
    for number, (picture, text) in enumerate(zip(pictures, captions)):
        row, column = divmod(number, columns)
        left = margin + column * (cell_width + margin)
        top = margin + row * (cell_height + line_height + margin)
        scaled = Image.fromarray(picture).resize((cell_width, cell_height), Image.Resampling.LANCZOS)
        sheet.paste(scaled, (left, top))
        draw.text((left + cell_width / 2, top + cell_height + margin // 2),
                  shortened(text, typeface, cell_width), fill=(INK,) * 3, font=typeface,
                  anchor="ma")
    return np.array(sheet)


def as_still(picture: Picture) -> Pixels:
    """The optimised picture as the second 2015 program saved it: clipped, then rounded.

    2015 quirk: rounded PNGs.

    Parameters
    ----------
    picture : (H, W, 3) array of float, 0..255

    Returns
    -------
    (H, W, 3) array of uint8
    """
    return np.round(np.clip(picture, *STILL_RANGE)).astype(np.uint8)


def _check_picture(picture, shape):
    if picture.dtype != np.uint8 or picture.shape != shape or picture.shape[2:] != (3,):
        raise ValueError(f"a uint8 picture of shape {tuple(shape)} is needed, not "
                         f"{picture.dtype} of shape {picture.shape}")
