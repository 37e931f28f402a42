"""Why the logit: what different objectives push, and what they dream."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from lsd_repro.figures.drawing import LESSON_WIDTH, colour, curves, lesson, show
from lsd_repro.hints import Floats, Picture


def pushes(logits: Floats, by_objective: dict[str, Floats]) -> Figure:
    """How hard each objective pushes the logit of its class.

    Parameters
    ----------
    logits : array (n,)
        Of the class; all other logits are 0.
    by_objective : dict of str to array (n,)
        Minus the derivative of the loss with respect to that logit.
    """
    ranges = [(name, f"{np.min(push):.2g}", f"{np.max(push):.2g}") for name, push in by_objective.items()]
    figure, axes = lesson(3.4, "The push on the class as the network's belief in it grows: " + "; ".join(
        f"{name} " + (f"{low} throughout" if low == high else f"{low} to {high}") for name, low, high in ranges))
    axes = axes[0, 0]
    curves(axes, logits, by_objective, None, "logit of the class (all others are 0)", "push on that logit")
    axes.legend(fontsize=9)
    return figure


def dreams(start: Picture, pictures: Mapping[str, Picture], logits: dict[str, float],
           probabilities: dict[str, float]) -> Figure:
    """The same dream under several objectives.

    Parameters
    ----------
    start : array (height, width, 3)
    pictures : dict of str to array (height, width, 3)
        By objective.
    logits, probabilities : dict of str to float
        Means of the class over the picture.
    """
    low, *_, high = sorted(logits, key=logits.__getitem__)
    columns = 3
    rows = -(-(1 + len(pictures)) // columns)
    figure, axes = lesson(0.4 + rows * (0.5 + LESSON_WIDTH / columns * start.shape[0] / start.shape[1]),
                          f"The same start, prior and steps: the class's mean logit ends at {logits[low]:.0f} where the {low} "
                          f"is raised, at {logits[high]:.0f} where the {high} is",
                          nrows=rows, ncols=columns)
    axes = axes.ravel()
    for one in axes[1 + len(pictures):]:
        one.axis("off")
    show(axes[0], start, "the start", fontsize=10)
    for one, (name, picture) in zip(axes[1:], pictures.items()):
        show(one, picture, f"raising the {name}", fontsize=10)
        one.set_xlabel(f"logit {logits[name]:.1f},  p = {probabilities[name]:.3f}", fontsize=10)
    return figure


def rise(logits: dict[str, Sequence[float]], probabilities: dict[str, Sequence[float]],
         energies: dict[str, Sequence[float]]) -> Figure:
    """What becomes of a class step by step under several objectives.

    Parameters
    ----------
    logits, probabilities : dict of str to sequence of steps + 1 numbers
        By objective: means of the class over the picture.
    energies : dict of str to sequence of steps numbers
        The prior's, before each step.
    """
    found = []
    for name, values in probabilities.items():
        above = np.flatnonzero(np.asarray(values) > 0.5)
        found.append(f"raising the {name} " + (f"in {above[0]} steps" if len(above) else "never"))
    figure, (axes,) = lesson(3.5, "The mean probability passes one half: " + ", ".join(found), ncols=3)
    for one, lines, title in zip(axes, (logits, probabilities, energies),
                                 ("logit of the class", "its probability", "energy of the prior (low is natural)")):
        curves(one, np.arange(len(next(iter(lines.values())))), lines, title, "steps taken", "")
    axes[0].set_ylabel("mean over the picture")
    axes[0].legend(fontsize=9)
    return figure


def odds(own: dict[str, float], others: dict[str, float]) -> Figure:
    """What made a class more likely: its own logit, or the other classes.

    Parameters
    ----------
    own : dict of str to float
        By objective: rise of the logit of the class.
    others : dict of str to float
        Rise of the log-sum-exp of all other logits; `own` minus this is the rise of the log-odds.
    """
    rises = {name: own[name] - others[name] for name in own}
    figure, axes = lesson(3.2, "How much of the rise of the log-odds is the fall of the others: " + ", ".join(
        f"{name} " + (f"{max(-others[name], 0) / rise:.0%}" if rise > 1 else "(hardly a rise)")
        for name, rise in rises.items()))
    axes = axes[0, 0]
    rows = np.arange(len(own))
    for offset, values, label, shade in ((-0.2, own, "its own logit", 0), (0.2, others, "all others (log-sum-exp)", 1)):
        axes.barh(rows + offset, list(values.values()), 0.4, color=colour(shade, 2), label=label)
    axes.set_yticks(rows, [f"raising the {name}" for name in own])
    axes.invert_yaxis()
    axes.axvline(0, color="black", lw=0.8)
    axes.set_xlabel("rise from the start to the last picture")
    axes.grid(axis="x", alpha=0.3)
    axes.legend(fontsize=9)
    return figure


def gradients(headline: str, by_title: dict[str, Floats], same_scale: bool = False) -> Figure:
    """Gradients as pictures: grey is 0, and a pixel's colour is the way it is pushed.

    Parameters
    ----------
    headline : str
    by_title : dict of str to array (height, width, 3)
        Gradients of a loss; the way down is drawn.
    same_scale : bool
        One scale for all, that of the first, and not each its own.
    """
    figure, (axes,) = lesson(0.9 + 8.6 / len(by_title) * _aspect(by_title), headline, ncols=len(by_title))
    scales = [np.percentile(np.abs(gradient), 99) for gradient in by_title.values()]
    for one, scale, (title, gradient) in zip(axes, scales, by_title.items()):
        # In nine levels, of which the middle one swallows the faintest values: noise in full depth would
        # triple the file.
        levels = np.rint(-4 * gradient / (scales[0] if same_scale else scale))
        show(one, 127.5 + 127.5 * levels / 4, title, fontsize=10)
        one.set_xlabel(f"root mean square {np.sqrt(np.mean(gradient ** 2)):.1e}", fontsize=9)
    return figure


def _aspect(pictures):
    height, width = next(iter(pictures.values())).shape[:2]
    return height / width
