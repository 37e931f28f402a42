"""The Tiny-ImageNet archive as arrays, and the augmentation of a batch."""

import io
import tarfile
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from lsd_repro.hints import Pixels
from lsd_repro.runtime.progress import tqdm


class Split(NamedTuple):
    """Images (n, 3, 64, 64) uint8 RGB and their class indices (n,) int64."""

    images: torch.Tensor
    labels: torch.Tensor


def read_archive(path: str) -> tuple[Split, Split, list[str], list[str]]:
    """Read a tar archive of ``classes.tsv``, ``train/WNID/*`` and ``val/WNID/*``.

    Parameters
    ----------
    path : str
        The .tar.gz file; ``classes.tsv`` holds ``wnid<TAB>description`` lines,
        whose order is the order of the classes.

    Returns
    -------
    train, val : Split
    wnids, descriptions : list of str
    """
    files: dict[str, list[tuple[str, Pixels]]] = {"train": [], "val": []}
    with tarfile.open(path) as archive:
        for member in tqdm(archive, desc="reading", unit=" files"):
            parts = member.name.lstrip("./").split("/")
            if parts[0] == "classes.tsv":
                text = archive.extractfile(member).read().decode()  # type: ignore[union-attr]  # a file
            elif member.isfile() and parts[0] in files:
                data: Any = archive.extractfile(member)  # a file, so there is one
                jpeg = Image.open(io.BytesIO(data.read()))
                files[parts[0]].append((parts[1], np.asarray(jpeg.convert("RGB"))))
    wnids, descriptions = zip(*(line.split("\t", 1) for line in text.splitlines()))
    index = {wnid: i for i, wnid in enumerate(wnids)}

    def split(pairs):
        images = np.stack([picture for _, picture in pairs]).transpose(0, 3, 1, 2)
        labels = np.array([index[wnid] for wnid, _ in pairs])
        return Split(torch.from_numpy(np.ascontiguousarray(images)), torch.from_numpy(labels))

    return split(files["train"]), split(files["val"]), list(wnids), list(descriptions)


def augment(batch: torch.Tensor, generator: torch.Generator, max_shift: float = 0.1,
            zoom: tuple[float, float] = (0.8, 1.15), max_noise: float = 20.0) -> torch.Tensor:
    """Randomly mirror, shift and scale each picture, and add Gaussian noise.

    Colours stay as they are: a network that saw them jittered ignores colour,
    and its dreams are grey. The noise teaches it not to rely on the faint
    high-frequency pixel patterns that gradient ascent would otherwise draw.

    Parameters
    ----------
    batch : Tensor, shape (n, 3, h, w)
        Grey levels, float.
    generator : torch.Generator
        Source of all randomness.
    max_shift : float
        Largest shift, as a fraction of the picture's side.
    zoom : pair of float
        Range of the side of the part shown, relative to the picture's.
    max_noise : float
        Each picture's noise has a standard deviation drawn from [0, max_noise].

    Returns
    -------
    Tensor, shape (n, 3, h, w)
    """
    n = len(batch)

    def uniform(low, high, *shape):
        return low + (high - low) * torch.rand(shape, generator=generator)

    side = uniform(*zoom, n)
    mirror = torch.where(uniform(-1, 1, n) < 0, -1.0, 1.0)
    affine = torch.zeros(n, 2, 3)
    affine[:, 0, 0] = side * mirror
    affine[:, 1, 1] = side
    affine[:, :, 2] = uniform(-2 * max_shift, 2 * max_shift, n, 2)
    grid = F.affine_grid(affine, batch.shape, align_corners=False)
    moved = F.grid_sample(batch, grid, padding_mode="reflection", align_corners=False)
    noise = torch.randn(moved.shape, generator=generator)
    return moved + noise * uniform(0, max_noise, n, 1, 1, 1)
