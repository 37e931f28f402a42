"""What the read-out is taught at each place of a canvas."""

from typing import NamedTuple, Optional

import numpy as np
import torch
from torch.nn import functional as F

from lsd_repro.hints import Integers
from lsd_repro.train.features import Features

# Share of the label, where a place has one, in a distribution over the classes. The rest is the teacher's word.
LABEL = 0.5
# Above 1: the teacher's word is taken as less sure than it was.
TEMPERATURE = 1.5
# A window attends to its middle as a Gaussian of this standard deviation does, in cells.
MIDDLE = 1.2


class Places(NamedTuple):
    """Places of some canvases: windows of pool5, and what the teacher says of them.

    Attributes
    ----------
    maps : float32 tensor, shape (n, 512, 10, 10)
        pool5 of whole canvases.
    rows, columns : int64 tensor
        Where windows begin.
    embedding : tensor, shape (n * rows * columns, channels)
        The teacher's, averaged over the middle of each window.
    label : int64 tensor, shape (n * rows * columns,)
        Index of the class of the middle, or -1.
    fresh : bool tensor, shape (n * rows * columns,)
        Whether nothing in the window is of a class to keep for testing.
    """

    maps: torch.Tensor
    rows: torch.Tensor
    columns: torch.Tensor
    embedding: torch.Tensor
    label: torch.Tensor
    fresh: torch.Tensor


def middle(cells: int, size: int, starts: torch.Tensor) -> torch.Tensor:
    """How much each cell of a side counts for windows: (windows, cells), rows sum to 1."""
    distance = torch.arange(cells) - (starts[:, None] + (size - 1) / 2)
    weight = torch.exp(-0.5 * (distance / MIDDLE) ** 2) * (distance.abs() < (size - 1) / 2)
    return weight / weight.sum(1, keepdim=True)


def places(features: Features, chosen: Integers, size: int, rows: torch.Tensor, columns: torch.Tensor,
           kept: Optional[torch.Tensor] = None) -> Places:
    """Cut windows out of canvases.

    Parameters
    ----------
    features : Features
    chosen : int array
        Which canvases.
    size : int
        Side of the windows, in cells.
    rows, columns : int64 tensor
        Where they begin.
    kept : bool tensor, shape (1000,), optional
        Classes to keep for testing.

    Returns
    -------
    Places
    """
    teacher = torch.from_numpy(features.teacher[chosen]).float()
    label = torch.from_numpy(features.label[chosen].astype(np.int64))
    cells = label.shape[1]
    embedding = torch.einsum("nhwc,ih,jw->nijc", teacher, middle(cells, size, rows), middle(cells, size, columns))

    def windows(values, side):
        first = (size - side) // 2
        cut = values.unfold(1, side, 1).unfold(2, side, 1)
        return cut[:, rows + first][:, :, columns + first].flatten(3)

    # Of one label is a window whose middle 3 x 3 cells are.
    centre = windows(label, 3)
    of_one = (centre == centre[..., :1]).all(3)
    fresh = torch.ones(centre.shape[:3], dtype=torch.bool)
    if kept is not None:
        seen = windows(label, size)
        fresh = ~((seen >= 0) & kept[seen]).any(3)
    return Places(torch.from_numpy(features.pool5[chosen]).float(), rows, columns, embedding.flatten(0, 2),
                  torch.where(of_one, centre[..., 0], -1).flatten(), fresh.flatten())


def distributions(logits: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """The teacher's logits (n, classes) and labels (n,) as distributions over the classes: (n, classes)."""
    found = F.softmax(logits / TEMPERATURE, 1)
    known = label >= 0
    found[known] = (1 - LABEL) * found[known] + LABEL * F.one_hot(label[known], logits.shape[1])
    return found
