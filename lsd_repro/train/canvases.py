"""Folders of pictures -> a plan of canvases, and the canvases.

A canvas is a square of `SIDE` pixels: one picture, or four of a kind in a mosaic. Pictures of 64 pixels are
blurred when they are enlarged; sharp pictures are blurred as much every now and then, so that blur can't
give the class away.
"""

import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from lsd_repro.errors import InputError
from lsd_repro.material.files import PathLike

SIDE = 256
SMALL = 64
SUFFIXES = ".jpg", ".jpeg", ".png"
# A folder's canvases a round grow with the root of its pictures, to no more than this.
MOST_A_ROUND = 4
# Share of canvases of sharp pictures that are made blurred; share of a folder's canvases that are mosaics.
BLURRED, MOSAICS = 0.3, 0.3
SMALL_MOSAICS = 0.67
LEAST_PORTION = 0.7
HELD_OUT = 12  # one picture of a kind in this many


class Canvas(NamedTuple):
    """What to draw.

    Attributes
    ----------
    paths : tuple of path
        One or four.
    kind : str
        WordNet id, or name, of what the pictures show.
    small : bool
        Whether the pictures have `SMALL` pixels.
    seed : int
        Of the part that is shown, of blur and mirroring.
    """

    paths: tuple
    kind: str
    small: bool
    seed: int


def plan(folders: Sequence[PathLike], seed: int) -> tuple[list[Canvas], list[Canvas]]:
    """Decide on canvases, in rounds that visit every kind of picture: of any length, training on the first is fair.

    Parameters
    ----------
    folders : sequence of path
        Searched for pictures at any depth. The kind of a picture is the WordNet id that its name begins with, else
        the name of the folder that it lies in.
    seed : int

    Returns
    -------
    train, val : list of Canvas
        No picture is in both.
    """
    kinds = {}
    for folder in folders:
        for path in sorted(Path(folder).rglob("*")):
            if path.suffix.lower() in SUFFIXES:
                kinds.setdefault((str(folder), kind_of(path)), []).append(path)
    if not kinds:
        raise InputError(f"no {', '.join(SUFFIXES)} files in {', '.join(map(str, folders))}")
    rng = random.Random(seed)
    train, val = [], []
    for (_, kind), paths in sorted(kinds.items()):
        rng.shuffle(paths)
        with Image.open(paths[0]) as first:
            small = min(first.size) <= SMALL
        held_out = len(paths) // HELD_OUT
        val += [Canvas((path,), kind, small, rng.getrandbits(32)) for path in paths[:held_out]]
        paths = paths[held_out:]
        a_round = min(MOST_A_ROUND, max(1, round((len(paths) / 60) ** 0.5)))
        mosaics = SMALL_MOSAICS if small else MOSAICS
        number = 0
        while paths:
            count = 4 if len(paths) >= 4 and rng.random() < mosaics else 1
            chosen, paths = tuple(paths[:count]), paths[count:]
            train.append((number // a_round + rng.random(), Canvas(chosen, kind, small, rng.getrandbits(32))))
            number += 1
    rng.shuffle(val)
    return [canvas for _, canvas in sorted(train)], val


def kind_of(path: Path) -> str:
    """WordNet id of a picture, from its name or a folder's; without one, its folder's name."""
    for name in (path.name, path.parent.name):
        found = re.match(r"n\d{8}", name)
        if found:
            return found.group()
    return path.parent.name


def draw(canvas: Canvas, side: int = SIDE) -> np.ndarray:
    """A canvas as an array (side, side, 3), uint8 RGB."""
    rng = random.Random(canvas.seed)
    if len(canvas.paths) == 1:
        return np.asarray(_square(canvas.paths[0], side, rng))
    whole = Image.new("RGB", (side, side))
    half = side // 2
    for path, corner in zip(canvas.paths, ((0, 0), (half, 0), (0, half), (half, half))):
        whole.paste(_square(path, half, rng), corner)
    return np.asarray(whole)


def _square(path, side, rng):
    """A random square of a picture, mirrored or not, blurred as if it had been small or not."""
    with Image.open(path) as file:
        picture = file.convert("RGB")
    portion = round(min(picture.size) * rng.uniform(LEAST_PORTION, 1))
    left, top = (rng.randrange(length - portion + 1) for length in picture.size)
    square = picture.crop((left, top, left + portion, top + portion))
    if min(picture.size) > SMALL and rng.random() < BLURRED:
        square = square.resize((SMALL, SMALL), Image.Resampling.LANCZOS)
    if rng.random() < 0.5:
        square = ImageOps.mirror(square)
    return square.resize((side, side), Image.Resampling.LANCZOS)
