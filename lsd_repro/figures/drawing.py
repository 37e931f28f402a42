"""What all figures are drawn with."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Optional

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lsd_repro.hints import Array, Floats, Picture, Values
from lsd_repro.material.files import PathLike, write_whole

NAMES = {"student": "Student-t", "gaussian": "Gaussian", "tv": "total variation", "none": "no prior"}
COLOURS = {"gaussian": "#d95f02", "student": "#1b6ca8"}
DPI = 90
# Of a figure in a lesson, which is read in a column of 900 pixels at 100 dots an inch.
LESSON_WIDTH = 9.0  # inches
LINE = 112  # characters of a headline


def save(path: PathLike, figure: Figure) -> None:
    """Write a figure as PNG, whole or not at all."""
    with write_whole(path) as part:
        figure.savefig(part, format="png", dpi=DPI)


def bare(axes: Axes, title: Optional[str] = None, **kwargs: Any) -> None:
    """Axes without ticks, under a title."""
    axes.set_xticks([])
    axes.set_yticks([])
    if title is not None:
        axes.set_title(title, **kwargs)


def show(axes: Axes, picture: Picture, title: Optional[str] = None, **kwargs: Any) -> None:
    """A picture in 0..255, clipped."""
    axes.imshow(np.clip(picture, 0, 255) / 255, interpolation="nearest")
    bare(axes, title, **kwargs)


def tiles(patches: Floats, columns: int, gap: int = 1, paper: float = 1.0) -> Floats:
    """Patches (n, size, size, 3) in 0..1 on one sheet, row by row."""
    n, size = patches.shape[:2]
    rows = -(-n // columns)
    sheet = np.full((rows * (size + gap) + gap, columns * (size + gap) + gap, 3), paper)
    for index, patch in enumerate(patches):
        row, column = divmod(index, columns)
        top, left = gap + row * (size + gap), gap + column * (size + gap)
        sheet[top:top + size, left:left + size] = patch
    return sheet


def colour(index: int, count: int) -> tuple[float, float, float, float]:
    """One of so many lines' colours."""
    return colormaps["viridis"](0.9 * index / max(count - 1, 1))


def table(axes: Axes, values: Sequence[Sequence[float]], rows: Sequence[str], columns: Sequence[str], title: str,
          low: float, high: float) -> None:
    """Numbers in cells, coloured from `low` to `high`."""
    cells = np.asarray(values, float)
    axes.imshow(cells, cmap="cividis", vmin=low, vmax=high, aspect="auto")
    axes.set_xticks(range(len(columns)), columns, fontsize=8)
    axes.set_yticks(range(len(rows)), rows, fontsize=8)
    for (row, column), value in np.ndenumerate(cells):
        axes.text(column, row, f"{value:.3f}", ha="center", va="center", fontsize=9,
                  color="white" if value < (low + high) / 2 else "black")
    axes.set_title(title, fontsize=10)


def lesson(height: float, headline: str, **grid: Any) -> tuple[Figure, Array]:
    """A figure as wide as a page of a lesson, and its axes.

    Parameters
    ----------
    height : float
        In inches.
    headline : str
        What the figure shows; wrapped.
    **grid
        As for `matplotlib.figure.Figure.subplots`.

    Returns
    -------
    figure : Figure
    axes : array of Axes, 2-D
    """
    figure = Figure((LESSON_WIDTH, height), dpi=100, layout="constrained")
    figure.suptitle(textwrap.fill(headline, LINE), fontsize=11)
    return figure, figure.subplots(squeeze=False, **grid)


def strip(headline: str, pictures: Mapping[str, Picture], columns: Optional[int] = None) -> Figure:
    """Pictures of one size in rows, each under its own title.

    Parameters
    ----------
    headline : str
    pictures : dict of str to array (height, width, 3)
        From title to picture in 0..255.
    columns : int, optional
        In a row (default: all).
    """
    columns = columns or len(pictures)
    rows = -(-len(pictures) // columns)
    height, width = next(iter(pictures.values())).shape[:2]
    lines = 1 + max(title.count("\n") for title in pictures)
    figure, axes = lesson(0.6 + rows * (LESSON_WIDTH / columns * height / width + 0.2 * lines), headline,
                          nrows=rows, ncols=columns)
    for one in axes.ravel():
        one.axis("off")
    for one, (title, picture) in zip(axes.ravel(), pictures.items()):
        show(one, picture, title, fontsize=9)
    return figure


def curves(axes: Axes, x: Values, lines: Mapping[str, Values], title: Optional[str], xlabel: str,
           ylabel: str, **style: Any) -> None:
    """A line for each entry of a dict from label to values, in the colours of `colour`."""
    for index, (label, values) in enumerate(lines.items()):
        axes.plot(x, values, color=colour(index, len(lines)), label=label, **{"lw": 1.8, **style})
    axes.set_title(title or "", fontsize=10)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.grid(alpha=0.3)
