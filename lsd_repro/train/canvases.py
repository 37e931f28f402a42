"""Folders of pictures -> canvases: squares that show one picture or four.

A canvas is measured in cells of `CELL` pixels, which pool5 makes one place each. A dream shows several
things at several sizes in colours that no photo has, so most canvases are mosaics of four parts of unequal
size, and some parts have their contrast and colours raised. The teacher sees each part alone, and as it was.
"""

import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from lsd_repro.errors import InputError
from lsd_repro.hints import Floats, Pixels
from lsd_repro.material.files import PathLike

CELL = 32
CELLS = 10  # a side
SUFFIXES = ".jpg", ".jpeg", ".png"
LEAST_SIDE = 48
# A JPEG is decoded to no less than this, which is more than is shown of it.
DECODED = 512
# Up to this side a picture is small, and fills no more than so many cells.
SMALL, SMALL_CELLS = 64, 30
# Share of canvases that show one picture; where a mosaic may be cut.
WHOLE = 0.4
CUTS = 3, 4, 5, 5, 6, 7
# Least share of a picture's length that is shown.
PORTION = 0.65
# Share of parts whose contrast and colours are raised, and by how much at most; share of canvases with noise.
RAISED, CONTRAST, COLOUR = 0.35, 1.8, 2.0
NOISY, NOISE = 0.2, 20.0


class Pictures(NamedTuple):
    """What canvases are drawn from.

    Attributes
    ----------
    paths : list of path
    labels : list of int
        Index of the class, or -1 where only the teacher can tell.
    shares : float array
        Cumulative: how often each is taken, relative to all.
    """

    paths: list[Path]
    labels: list[int]
    shares: Floats


class Part(NamedTuple):
    """A picture in a canvas.

    Attributes
    ----------
    rows, columns : slice
        The cells that it fills.
    label : int
        Index of its class, or -1.
    view : uint8 array, shape (height, width, 3)
        What the teacher sees of it: about 7 x 7 cells, whatever it fills.
    """

    rows: slice
    columns: slice
    label: int
    view: Pixels


def find(folders: Mapping[PathLike, float], wnids: Sequence[str]) -> Pictures:
    """Find pictures, at any depth.

    Parameters
    ----------
    folders : dict of path to float
        How often each picture of a folder is to be shown, relative to those of other folders.
    wnids : sequence of str
        WordNet ids of the classes. A picture whose `kind_of` is none of them has no label.

    Returns
    -------
    Pictures

    Raises
    ------
    InputError
        If there are none.
    """
    index = {wnid: i for i, wnid in enumerate(wnids)}
    found = [(path, index.get(kind_of(path), -1), uses) for folder, uses in folders.items()
             for path in sorted(Path(folder).rglob("*")) if path.suffix.lower() in SUFFIXES]
    if not found:
        raise InputError(f"no {', '.join(SUFFIXES)} files in {', '.join(map(str, folders))}")
    paths, labels, uses = zip(*found)
    return Pictures(list(paths), list(labels), np.cumsum(uses) / np.sum(uses))


def kind_of(path: Path) -> str:
    """WordNet id of a picture, from its name or a folder's; without one, its folder's name."""
    for name in (path.name, path.parent.name):
        found = re.match(r"n\d{8}", name)
        if found:
            return found.group()
    return path.parent.name


def draw(pictures: Pictures, rng: random.Random) -> tuple[Pixels, list[Part]]:
    """Draw a canvas at random.

    Parameters
    ----------
    pictures : Pictures
    rng : random.Random

    Returns
    -------
    canvas : uint8 array, shape (CELLS * CELL, CELLS * CELL, 3)
        RGB.
    parts : list of Part
        One, or four.
    """
    whole = np.empty((CELLS * CELL, CELLS * CELL, 3), np.uint8)
    parts = []
    cuts = [(0, CELLS)] * 2 if rng.random() < WHOLE else [(0, rng.choice(CUTS), CELLS) for _ in range(2)]
    for top, bottom in zip(cuts[0], cuts[0][1:]):
        for left, right in zip(cuts[1], cuts[1][1:]):
            shown, view, label = _part(pictures, bottom - top, right - left, rng)
            whole[top * CELL:bottom * CELL, left * CELL:right * CELL] = shown
            parts.append(Part(slice(top, bottom), slice(left, right), label, view))
    if rng.random() < NOISY:
        noise = np.random.default_rng(rng.getrandbits(32)).normal(0, rng.uniform(0, NOISE), whole.shape)
        whole = np.clip(whole + noise, 0, 255).astype(np.uint8)
    return whole, parts


def _part(pictures, rows, columns, rng):
    """A part of a picture that fills cells: as the canvas shows it, as the teacher sees it, and its label."""
    while True:
        picture, label = _open(pictures, rng)
        if min(picture.size) >= (LEAST_SIDE if rows * columns <= SMALL_CELLS else SMALL + 1):
            break
    width, height = picture.size
    unit = min(width / columns, height / rows) * rng.uniform(PORTION, 1)
    across, down = max(8, round(unit * columns)), max(8, round(unit * rows))
    left, top = rng.randrange(width - across + 1), rng.randrange(height - down + 1)
    part = picture.crop((left, top, left + across, top + down))
    if rng.random() < 0.5:
        part = ImageOps.mirror(part)
    usual = 7 / (rows * columns) ** 0.5
    view = part.resize([CELL * max(1, round(length * usual)) for length in (columns, rows)], Image.Resampling.BICUBIC)
    shown = part.resize((columns * CELL, rows * CELL), Image.Resampling.LANCZOS)
    if rng.random() < RAISED:
        shown = ImageEnhance.Contrast(shown).enhance(rng.uniform(1, CONTRAST))
        shown = ImageEnhance.Color(shown).enhance(rng.uniform(1, COLOUR))
    return np.asarray(shown), np.asarray(view), label


def _open(pictures, rng):
    """A picture by its share, and its label; one that can't be read is passed over."""
    while True:
        index = min(int(np.searchsorted(pictures.shares, rng.random())), len(pictures.paths) - 1)
        try:
            with Image.open(pictures.paths[index]) as file:
                if file.format == "JPEG":
                    file.draft("RGB", (DECODED, DECODED))
                return file.convert("RGB"), pictures.labels[index]
        except OSError as error:
            print(f"{pictures.paths[index]}: {error}")


def centre(path: PathLike, side: int = 256) -> Pixels:
    """The middle square of a picture, to measure accuracy on: (side, side, 3), uint8 RGB."""
    with Image.open(path) as file:
        return np.asarray(ImageOps.fit(file.convert("RGB"), (side, side), Image.Resampling.BICUBIC))
