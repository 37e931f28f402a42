"""Canvases -> the trunk's pool5 maps, and the teacher's maps of their parts."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Callable, NamedTuple

import numpy as np
from torch.nn import functional as F

from lsd_repro.hints import Floats, Integers, Picture
from lsd_repro.material.files import PathLike
from lsd_repro.network.known import AVERAGE_COLOUR
from lsd_repro.network.matconvnet import NetworkWeights
from lsd_repro.runtime.progress import tqdm
from lsd_repro.step.evaluate import compile_logits
from lsd_repro.train import canvases, judge
from lsd_repro.train.canvases import CELLS, Part, Pictures

CHANNELS = 512
FILE = 100  # canvases a file


class Features(NamedTuple):
    """What the read-out is trained on, a place being a cell of a canvas.

    Attributes
    ----------
    pool5 : float16 array, shape (n, 512, 10, 10)
    teacher : float16 array, shape (n, 10, 10, 1280)
        The teacher's embedding at each place.
    label : int16 array, shape (n, 10, 10)
        Index of the class, or -1.
    """

    pool5: Floats
    teacher: Floats
    label: Integers


def compile_pool5(weights: Sequence[Floats], biases: Sequence[Floats]) -> Callable[[Picture], Floats]:
    """Compile the trunk: from a picture (height, width, 3) in 0..255 to pool5 (512, height // 32, width // 32)."""
    # Identity layers stand in for fc6 to fc8: pool5 is nowhere below 0.
    same = np.eye(CHANNELS, dtype=np.float32)[:, :, None, None]
    zero = np.zeros(CHANNELS, np.float32)
    return compile_logits(NetworkWeights((*weights, same, same, same), (*biases, zero, zero, zero),
                                         average_image(), ("",) * CHANNELS))


def average_image() -> Floats:
    return np.array(AVERAGE_COLOUR, np.float32)[None, None]


def teacher_map(look: judge.Look, parts: Sequence[Part]) -> tuple[Floats, Integers]:
    """What a teacher makes of the parts of a canvas, each laid over the cells that it fills.

    Parameters
    ----------
    look : function
        From a picture (1, 3, height, width) to maps (1, channels, h, w), such as `lsd_repro.train.judge.load_maps`'s.
    parts : sequence of Part
        Which fill the canvas.

    Returns
    -------
    maps : float16 array, shape (CELLS, CELLS, channels)
    labels : int16 array, shape (CELLS, CELLS)
    """
    found: Any = None
    labels = np.empty((CELLS, CELLS), np.int16)
    for part in parts:
        seen = look(part.view.transpose(2, 0, 1)[None])
        size = part.rows.stop - part.rows.start, part.columns.stop - part.columns.start
        seen = F.interpolate(seen, size, mode="area" if seen.shape[2] >= size[0] else "bilinear")[0]
        if found is None:
            found = np.empty((CELLS, CELLS, len(seen)), np.float16)
        found[part.rows, part.columns] = seen.permute(1, 2, 0).numpy()
        labels[part.rows, part.columns] = part.label
    return found, labels


def extract(out: PathLike, pictures: Pictures, count: int, pool5: Callable[[Picture], Floats]) -> Features:
    """Draw canvases and compute their features, a hundred to a file; resumes where it was interrupted.

    Parameters
    ----------
    out : path
        Folder of the files, for these pictures alone.
    pictures : Pictures
    count : int
        Of canvases, rounded up to hundreds.
    pool5 : function
        From `compile_pool5`.

    Returns
    -------
    Features
        Mapped from files, since they may be larger than memory.
    """
    look = judge.load_maps()
    Path(out).mkdir(parents=True, exist_ok=True)
    files = [Path(out) / f"{start:05d}.npz" for start in range(-(-count // FILE))]
    for start, file in enumerate(tqdm(files, desc="features", unit="hundred")):
        if file.exists():
            continue
        rng = random.Random(start)
        found = []
        for _ in range(FILE):
            canvas, parts = canvases.draw(pictures, rng)
            found.append((pool5(canvas).astype(np.float16), *teacher_map(look, parts)))
        part = file.with_suffix(".part.npz")
        arrays: dict[str, Any] = dict(zip(Features._fields, map(np.stack, zip(*found))))
        np.savez(part, **arrays)
        part.replace(file)
    return gather(out, files)


def gather(out: PathLike, files: Sequence[Path]) -> Features:
    """Lay the arrays of all files one after the other, in a file each that is mapped."""
    whole = {}
    for start, file in enumerate(files):
        with np.load(file) as arrays:
            for name in Features._fields:
                if name not in whole:
                    whole[name] = np.lib.format.open_memmap(
                        Path(out) / f"{name}.npy", "w+", arrays[name].dtype, (FILE * len(files), *arrays[name].shape[1:]))
                whole[name][FILE * start:][:FILE] = arrays[name]
    return Features(**whole)
