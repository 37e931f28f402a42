"""Our frames beside 2015's."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from lsd_repro.hints import Floats, Picture

OURS, THEIRS = "#1b6ca8", "#d95f02"
WIDTH = 5.4  # inches: at this width the text can still be read on a phone
# Distances further from 1 than these are drawn at the edge.
NEAREST, FURTHEST = 0.05, 100.0
BINS = 40
FINE = np.linspace(0, 1, 5001)  # too few quantiles would make steps of a density


def overview(names: Sequence[str], ours: Sequence[Picture], theirs: Sequence[Picture]) -> Figure:
    """Distances of all frames to 2015's by every statistic.

    Parameters
    ----------
    names : list of str
    ours, theirs : list of array
        Per statistic, the distances of `lsd_repro.compare.statistics.Judgement`.
    """
    figure = Figure((WIDTH, 1.3 + 0.28 * len(names)), layout="constrained")
    axes = figure.subplots()
    axes.axvspan(NEAREST, 1, color="#f3ece4", zorder=0)
    for row, (one, other) in enumerate(zip(ours, theirs)):
        largest = other.max() or 1e-12  # 0: 2015's are all alike
        for distances, height, colour, marker in ((other, row + 0.15, THEIRS, "|"), (one, row - 0.15, OURS, "o")):
            axes.plot(np.clip(distances / largest, NEAREST, FURTHEST), np.full(len(distances), height), marker,
                      color=colour, ms=9 if marker == "|" else 5, alpha=0.8)
    axes.set_xscale("log")
    axes.set_xlim(left=NEAREST)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xlabel("distance (1: the furthest of 2015's own)")
    axes.grid(axis="x", alpha=0.3)
    _legend(figure)
    return figure


def spectra(frequencies: Floats, ours: Floats, theirs: Floats) -> Figure:
    """Power spectra in decibels, (n, frequencies) each, at so many cycles per pixel."""
    figure = Figure((WIDTH, 4.4), layout="constrained")
    axes = figure.subplots()
    _lines(axes, frequencies, ours, theirs)
    axes.set_xscale("log", base=2)
    ticks = 2.0 ** np.arange(-6, 0)
    axes.set_xticks(ticks, [f"1/{round(1 / tick)}" for tick in ticks])
    axes.set_xlabel("cycles per pixel")
    axes.set_ylabel("power of brightness (dB)")
    axes.grid(alpha=0.3)
    _legend(figure)
    return figure


def colours(quantiles: Floats, ours: dict[str, Floats], theirs: dict[str, Floats]) -> Figure:
    """Densities of the colour distributions.

    Parameters
    ----------
    quantiles : array (quantiles,)
        Shares of the values that are below.
    ours, theirs : dict of str to array (n, quantiles)
    """
    figure = Figure((WIDTH, 5.2), layout="constrained")
    for axes, name in zip(figure.subplots(2, 2).ravel(), ours):
        both = np.concatenate([ours[name], theirs[name]])
        edges = np.linspace(both.min(), both.max(), BINS + 1)
        densities = [[np.histogram(np.interp(FINE, quantiles, frame), edges, density=True)[0] for frame in frames]
                     for frames in (ours[name], theirs[name])]
        _lines(axes, (edges[1:] + edges[:-1]) / 2, *map(np.array, densities))
        axes.set_title(name, fontsize=11)
        axes.set_yticks([])
        axes.set_ylim(bottom=0)
    _legend(figure)
    return figure


def energies(scales: Sequence[int], ours: Floats, theirs: Floats) -> Figure:
    """Energies of a prior, (n, scales) each."""
    figure = Figure((WIDTH, 4.0), layout="constrained")
    axes = figure.subplots()
    _lines(axes, range(len(scales)), ours, theirs, marker="o", ms=4)
    axes.set_xticks(range(len(scales)), [str(scale) for scale in scales])
    axes.set_xlabel("frame pooled by")
    axes.set_ylabel("energy per filter (low is natural)")
    axes.grid(alpha=0.3)
    _legend(figure)
    return figure


def headed(figure: Figure, headline: str) -> Figure:
    """A figure of these under a headline, for a page that has no headings of its own."""
    for legend in figure.legends:
        legend.remove()
    _legend(figure, "outside lower right")
    figure.suptitle(headline, fontsize=10)
    return figure


def _lines(axes, x, ours, theirs, **style):
    """A line per frame, ours above, and the range of 2015's behind."""
    axes.fill_between(x, theirs.min(axis=0), theirs.max(axis=0), color=THEIRS, alpha=0.15, lw=0)
    axes.plot(x, theirs.T, color=THEIRS, lw=0.8, alpha=0.7, **style)
    axes.plot(x, ours.T, color=OURS, lw=1.5, alpha=0.8, **style)


def _legend(figure, where="outside upper right"):
    handles = [figure.axes[0].plot([], [], marker, color=colour, lw=2.5)[0]
               for marker, colour in (("o-", OURS), ("|-", THEIRS))]
    figure.legend(handles, ["ours", "2015's"], loc=where, ncols=2, frameon=False)
