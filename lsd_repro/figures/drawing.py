"""What all figures are drawn with."""

import numpy as np
from matplotlib import colormaps

from lsd_repro.files import write_whole

NAMES = {"student": "Student-t", "gaussian": "Gaussian", "tv": "total variation", "none": "no prior"}
COLOURS = {"gaussian": "#d95f02", "student": "#1b6ca8"}
DPI = 90


def save(path, figure):
    """Write a figure as PNG, whole or not at all."""
    with write_whole(path) as part:
        figure.savefig(part, format="png", dpi=DPI)


def bare(axes, title=None, **kwargs):
    axes.set_xticks([])
    axes.set_yticks([])
    if title is not None:
        axes.set_title(title, **kwargs)


def show(axes, picture, title=None, **kwargs):
    """A picture in 0..255, clipped."""
    axes.imshow(np.clip(picture, 0, 255) / 255, interpolation="nearest")
    bare(axes, title, **kwargs)


def tiles(patches, columns, gap=1, paper=1.0):
    """Patches (n, size, size, 3) in 0..1 on one sheet, row by row."""
    n, size = patches.shape[:2]
    rows = -(-n // columns)
    sheet = np.full((rows * (size + gap) + gap, columns * (size + gap) + gap, 3), paper)
    for index, patch in enumerate(patches):
        row, column = divmod(index, columns)
        top, left = gap + row * (size + gap), gap + column * (size + gap)
        sheet[top:top + size, left:left + size] = patch
    return sheet


def colour(index, count):
    return colormaps["viridis"](0.9 * index / max(count - 1, 1))


def table(axes, values, rows, columns, title, low, high):
    values = np.asarray(values, float)
    axes.imshow(values, cmap="cividis", vmin=low, vmax=high, aspect="auto")
    axes.set_xticks(range(len(columns)), columns, fontsize=8)
    axes.set_yticks(range(len(rows)), rows, fontsize=8)
    for (row, column), value in np.ndenumerate(values):
        axes.text(column, row, f"{value:.3f}", ha="center", va="center", fontsize=9,
                  color="white" if value < (low + high) / 2 else "black")
    axes.set_title(title, fontsize=10)
