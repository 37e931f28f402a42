"""The zoom and the film."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from lsd_repro.figures.drawing import colour, curves, lesson, show
from lsd_repro.hints import Floats, Picture


def zoomed(before: Picture, after: Picture, corners: Floats, turn: float) -> Figure:
    """A picture and what the zoom makes of it.

    Parameters
    ----------
    before, after : array (height, width, 3)
        In 0..255.
    corners : array (4, 2)
        Where the corners (x, y) of `after` come from in `before`.
    turn : float
        In degrees.
    """
    scale = np.hypot(*(corners[1] - corners[0])) / (before.shape[1] - 1)
    figure, (axes,) = lesson(3.0, f"The zoom keeps {scale ** 2:.0%} of the picture's area, turned by {turn:.1f} "
                                  "degrees", ncols=2)
    show(axes[0], before, "before: the frame is what is kept", fontsize=10)
    axes[0].add_patch(Polygon(corners, fill=False, ec="white", lw=2))
    show(axes[1], after, "after", fontsize=10)
    return figure


def spectra(frequencies: Floats, decibels: dict[str, Floats], reference: str) -> Figure:
    """Power spectra, and how far each is below one of them.

    Parameters
    ----------
    frequencies : array (n,)
        Cycles per pixel.
    decibels : dict of str to array (n,)
    reference : str
        The one that the others are compared with.
    """
    differences = {name: values - decibels[reference] for name, values in decibels.items() if name != reference}
    figure, (axes,) = lesson(3.8, f"At {frequencies[-1]:.2f} cycles per pixel, against {reference}: " + ", ".join(
        f"{name} {values[-1]:+.1f} dB" for name, values in differences.items()), ncols=2)
    shades = {name: colour(index, len(decibels)) for index, name in enumerate(decibels)}
    for one, lines, title in ((axes[0], decibels, "power (dB)"), (axes[1], differences, f"against {reference} (dB)")):
        for name, values in lines.items():
            one.plot(frequencies, values, ".-", color=shades[name], label=name)
        _octaves(one)
        one.set_xlabel("cycles per pixel")
        one.set_title(title, fontsize=10)
        one.grid(alpha=0.3)
    axes[0].legend(fontsize=9)
    return figure


def common(frequencies: Sequence[float], coherences: dict[str, Floats], frequency: int) -> Figure:
    """How much of their detail pairs of pictures have in common.

    Parameters
    ----------
    frequencies : sequence of float
        Cycles per pixel.
    coherences : dict of str to array (n,)
        By pair; see `lsd_repro.compare.coherence`.
    frequency : int
        Which of `frequencies` the headline quotes.
    """
    figure, axes = lesson(3.4, f"In common at {frequencies[frequency]:.2f} cycles per pixel: " + "; ".join(
        f"{name}, {values[frequency]:.0%}" for name, values in coherences.items()))
    axes = axes[0, 0]
    curves(axes, frequencies, coherences, None, "cycles per pixel", "coherence (1: the same detail)", marker=".")
    _octaves(axes)
    axes.set_ylim(0, 1.05)
    axes.legend(fontsize=9)
    return figure


def sharpness(indices: Sequence[int], decibels: Floats, frequency: float) -> Figure:
    """How the finest detail of the film comes and goes between two optimised frames.

    Parameters
    ----------
    indices : sequence of int
        Of video frames.
    decibels : array (n,)
        Their power at `frequency`.
    frequency : float
        Cycles per pixel.
    """
    decibels = np.asarray(decibels)
    worst = int(np.argmin(decibels))
    figure, axes = lesson(2.9, f"The film's fine detail is weakest at video frame {indices[worst]}, "
                               f"{decibels.max() - decibels[worst]:.1f} dB below its strongest")
    axes = axes[0, 0]
    axes.plot(indices, decibels, "o-", color=colour(0, 2))
    axes.set_xlabel("video frame, from one optimised frame to the next")
    axes.set_ylabel(f"power at {frequency:.2f}\ncycles per pixel (dB)")
    axes.grid(alpha=0.3)
    return figure


def losses(terms: list[Any], steps_per_frame: int) -> Figure:
    """The loss and its parts over several frames.

    Parameters
    ----------
    terms : list of lsd_repro.step.gradient.Terms
        Of every step.
    steps_per_frame : int
    """
    frames = len(terms) // steps_per_frame
    starts = np.array([terms[frame * steps_per_frame].loss for frame in range(1, frames)])
    before = np.array([terms[frame * steps_per_frame - 1].loss for frame in range(1, frames)])
    jumps = starts - before
    figure, axes = lesson(3.4, f"At {np.sum(jumps > 0)} of {frames - 1} new frames the loss jumps up; "
                               f"the jumps are of {jumps.min():.1f} to {jumps.max():.1f}")
    axes = axes[0, 0]
    lines = {"loss": [t.loss for t in terms], "class term": [t.class_term for t in terms],
             "prior term": [t.prior_term for t in terms]}
    curves(axes, range(1, len(terms) + 1), lines, None, "step (a dotted line: zoom, and Adam set back)", "", marker=".")
    for frame in range(1, frames):
        axes.axvline(frame * steps_per_frame + 0.5, color="black", lw=0.8, ls=":")
    axes.legend(fontsize=9)
    return figure


def _octaves(axes):
    axes.set_xscale("log", base=2)
    ticks = 2.0 ** np.arange(-6, 0)
    axes.set_xticks(ticks, [f"1/{round(1 / tick)}" for tick in ticks])
