"""Canvases -> the trunk's pool5 maps, and the teacher's logits."""

from collections.abc import Sequence
from pathlib import Path
from typing import Callable

import numpy as np
import torch
from tqdm import tqdm

from lsd_repro.dream.step import compile_logits
from lsd_repro.material.files import PathLike
from lsd_repro.network.known import AVERAGE_COLOUR
from lsd_repro.network.matconvnet import NetworkWeights
from lsd_repro.train import canvases, judge

CHANNELS = 512
CELLS = canvases.SIDE // 32


def compile_pool5(weights: Sequence[np.ndarray], biases: Sequence[np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """Compile the trunk: from a picture (height, width, 3) in 0..255 to pool5 (512, height // 32, width // 32)."""
    # Identity layers stand in for fc6 to fc8: pool5 is nowhere below 0.
    same = np.eye(CHANNELS, dtype=np.float32)[:, :, None, None]
    zero = np.zeros(CHANNELS, np.float32)
    return compile_logits(NetworkWeights((*weights, same, same, same), (*biases, zero, zero, zero),
                                         average_image(), ("",) * CHANNELS))


def average_image() -> np.ndarray:
    return np.array(AVERAGE_COLOUR, np.float32)[None, None]


def extract(out: PathLike, plan: Sequence[canvases.Canvas],
            pool5: Callable[[np.ndarray], np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """Compute features of canvases, a hundred to a file; resumes where it was interrupted.

    Parameters
    ----------
    out : path
        Folder of the files, for this plan alone.
    plan : list of Canvas
    pool5 : function
        From `compile_pool5`.

    Returns
    -------
    pool5 : float16 tensor, shape (n, 512, 8, 8)
    logits : float16 tensor, shape (n, 1000)
        The teacher's.
    """
    teacher = judge.load()
    Path(out).mkdir(parents=True, exist_ok=True)
    files = [Path(out) / f"{start:05d}.npz" for start in range(0, len(plan), 100)]
    for start, file in enumerate(tqdm(files, desc="features", unit="hundred")):
        if file.exists():
            continue
        pictures = [canvases.draw(canvas) for canvas in plan[100 * start:][:100]]
        maps = np.stack([pool5(picture) for picture in pictures]).astype(np.float16)
        logits = np.concatenate([teacher(np.stack(pictures[i:i + 10]).transpose(0, 3, 1, 2)).numpy()
                                 for i in range(0, len(pictures), 10)]).astype(np.float16)
        part = file.with_suffix(".part.npz")
        np.savez(part, pool5=maps, teacher=logits)
        part.replace(file)
    found = [np.load(file) for file in files]
    return tuple(torch.from_numpy(np.concatenate([arrays[name] for arrays in found])) for name in ("pool5", "teacher"))
