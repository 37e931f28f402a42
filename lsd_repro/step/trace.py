"""A dream recorded step by step, and what its pictures show (only `follow` needs a compiled step)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lsd_repro.hints import Floats, Picture

if TYPE_CHECKING:
    from lsd_repro.step.gradient import GradientStep, Terms


class Trace(NamedTuple):
    """A record of steps.

    Attributes
    ----------
    pictures : list of arrays (height, width, 3)
        The start, then the picture after each step.
    terms : list of lsd_repro.step.gradient.Terms
        Of the picture before each step.
    """

    pictures: list[Floats]
    terms: "list[Terms]"


def follow(step: "GradientStep", bottom: int, top: int, count: int) -> Trace:
    """Take steps, and record them.

    Parameters
    ----------
    step : GradientStep
    bottom, top : int
        Classes of the bottom and of the top half.
    count : int

    Returns
    -------
    Trace
    """
    pictures, terms = [step.picture], []
    for _ in range(count):
        terms.append(step.step(bottom, top))
        pictures.append(step.picture)
    return Trace(pictures, terms)


def movement(pictures: Sequence[Picture]) -> Floats:
    """Mean distance that a value moves at each step, in grey levels."""
    return np.array([np.abs(after - before).mean() for before, after in zip(pictures, pictures[1:])])


def reversals(pictures: Sequence[Picture]) -> Floats:
    """Share of values that reverse the step before, for each step from the second on."""
    moves = [np.sign(after - before) for before, after in zip(pictures, pictures[1:])]
    return np.array([np.mean(before * after < 0) for before, after in zip(moves, moves[1:])])


def at_limits(pictures: Sequence[Picture], low: float = 0.0, high: float = 255.0) -> Floats:
    """Share of values at or beyond the limits, in each picture."""
    return np.array([np.mean((picture <= low) | (picture >= high)) for picture in pictures])
