"""The 2015 Adam beside others."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from lsd_repro.figures.drawing import colour, curves, lesson
from lsd_repro.hints import Floats, Picture


def memory(betas: dict[str, float], steps: int = 12) -> Figure:
    """How much the gradient of so many steps ago weighs in the mean that a step follows.

    Parameters
    ----------
    betas : dict of str to float
        By update: the weight of the new gradient.
    steps : int
    """
    ages = np.arange(steps)
    weights = {name: beta * (1 - beta) ** ages for name, beta in betas.items()}
    figure, axes = lesson(3.2, "The newest gradient makes up " + ", ".join(
        f"{beta:.0%} of the mean in {name}" for name, beta in betas.items()))
    axes = axes[0, 0]
    width = 0.8 / len(betas)
    for index, (name, values) in enumerate(weights.items()):
        axes.bar(ages + (index - (len(betas) - 1) / 2) * width, values, width, color=colour(index, len(betas)),
                 label=name)
    axes.set_xticks(ages)
    axes.set_xlabel("age of a gradient, in steps")
    axes.set_ylabel("its weight in the mean")
    axes.legend(fontsize=9)
    return figure


def trajectories(losses: dict[str, Floats], movements: dict[str, Floats],
                 reversals: dict[str, Floats]) -> Figure:
    """Loss, movement and turning back, step by step.

    Parameters
    ----------
    losses : dict of str to array (steps,)
        By update.
    movements : dict of str to array (steps,)
        Mean distance of a value in each step, grey levels.
    reversals : dict of str to array (steps - 1,)
        Share of values that reverse the step before.
    """
    figure, (axes,) = lesson(3.5, "Loss reached: " + ", ".join(
        f"{values[-1]:.1f} by {name}" for name, values in losses.items()), ncols=3)
    steps = np.arange(1, len(next(iter(losses.values()))) + 1)
    curves(axes[0], steps, losses, "loss before the step", "step", "")
    curves(axes[1], steps, movements, "mean movement (grey levels)", "step", "")
    axes[1].set_ylim(bottom=0)
    percent = {name: 100 * values for name, values in reversals.items()}
    curves(axes[2], steps[1:], percent, "values that turn back (%)", "step", "")
    axes[2].set_ylim(bottom=0)
    axes[0].legend(fontsize=9)
    return figure


def by_rate(factors: Sequence[float], losses: dict[str, Sequence[float]]) -> Figure:
    """How far down each update gets at several learning rates.

    Parameters
    ----------
    factors : sequence of float
        Of the learning rate, as multiples of the one that is usual for the update.
    losses : dict of str to sequence of float
        By update: the last loss at each.
    """
    best = {name: int(np.argmin(values)) for name, values in losses.items()}
    figure, axes = lesson(3.6, "Lowest loss: " + ", ".join(
        f"{losses[name][index]:.1f} by {name} at {factors[index]:g} times its rate" for name, index in best.items()))
    axes = axes[0, 0]
    curves(axes, factors, losses, None, "learning rate, as a multiple of the usual one", "loss before the last step",
           marker="o")
    axes.set_xscale("log", base=2)
    axes.set_xticks(factors, [f"{factor:g}" for factor in factors])
    axes.legend(fontsize=9)
    return figure


def paths(pictures: Mapping[str, Sequence[Picture]], places: Sequence[tuple[int, int]], channel: int = 1) -> Figure:
    """What becomes of single values under several updates.

    Parameters
    ----------
    pictures : dict of str to list of arrays (height, width, 3)
        By update: the start, then the picture after each step.
    places : sequence of (row, column)
    channel : int
    """
    turns = {}
    for name, seen in pictures.items():
        moves = np.sign(np.diff([[one[place][channel] for place in places] for one in seen], axis=0))
        turns[name] = int((moves[1:] * moves[:-1] < 0).sum())
    figure, (axes,) = lesson(3.2, f"{len(places)} values of the picture turn " + ", ".join(
        f"{count} times under {name}" for name, count in turns.items()), ncols=len(pictures), sharey=True)
    for one, (name, seen) in zip(axes, pictures.items()):
        values = {str(place): [picture[place][channel] for picture in seen] for place in places}
        curves(one, range(len(seen)), values, name, "steps taken", "", marker=".")
    axes[0].set_ylabel("grey level")
    return figure


def clip(clipped: Picture, free: Picture, shares: dict[str, Floats]) -> Figure:
    """What the clip to 0..255 does to a dream.

    Parameters
    ----------
    clipped, free : array (height, width, 3)
        The dream with the clip and without it.
    shares : dict of str to array (steps + 1,)
        Share of values at or beyond the limits, with and without the clip.
    """
    outside = np.mean((free < 0) | (free > 255))
    figure, (axes,) = lesson(3.4, f"Without the clip {outside:.1%} of the values end beyond black and white, "
                                  f"as far as {free.min():.0f} and {free.max():.0f}", ncols=2)
    low, high = np.floor(min(free.min(), 0)), np.ceil(max(free.max(), 255))
    edges = np.linspace(low, high, 120)
    for index, (name, picture) in enumerate((("with the clip", clipped), ("without", free))):
        axes[0].hist(picture.ravel(), edges, histtype="step", lw=1.8, color=colour(index, 2), label=name, log=True)
    for limit in (0, 255):
        axes[0].axvline(limit, color="black", lw=0.8, ls=":")
    axes[0].set_title("values of the last picture", fontsize=10)
    axes[0].set_xlabel("grey level")
    axes[0].set_ylabel("values")
    axes[0].legend(fontsize=9)
    steps = range(len(next(iter(shares.values()))))
    curves(axes[1], steps, {name: 100 * values for name, values in shares.items()},
           "values at the limits or beyond (%)", "steps taken", "")
    axes[1].set_ylim(bottom=0)
    return figure
