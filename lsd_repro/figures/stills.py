"""The stills program."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from lsd_repro.figures.drawing import curves, lesson


def strengths(logits: dict[str, Sequence[float]], energies: dict[str, Sequence[float]]) -> Figure:
    """What network and prior get at several prior strengths, step by step.

    Parameters
    ----------
    logits, energies : dict of str to sequence of float
        By strength: the mean logit of the class, and the energy of the prior, before each step.
    """
    figure, (axes,) = lesson(3.5, "Before the last step: " + "; ".join(
        f"{name}: logit {values[-1]:.1f}, energy {energies[name][-1]:.2f}" for name, values in logits.items()), ncols=2)
    steps = np.arange(1, len(next(iter(logits.values()))) + 1)
    curves(axes[0], steps, logits, "mean logit of the class", "step", "")
    curves(axes[1], steps, energies, "energy of the prior (low is natural)", "step", "")
    axes[0].legend(fontsize=9)
    return figure
