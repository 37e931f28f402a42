"""Medians and ratios of what was measured, and the targets held against them."""

from typing import NamedTuple

import numpy as np

from lsd_repro.bench.contenders import OURS


class Spread(NamedTuple):
    """Median and quartiles over rounds."""

    median: float
    low: float
    high: float

    def __str__(self):
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


class Target(NamedTuple):
    """The most that our whole step may take of PyTorch's, at the stream's size."""

    width: str
    what: str
    limit: float


# For 2 threads.
TARGETS = (Target("full", "time", 0.45), Target("shipped", "time", 0.15),
           Target("full", "peak memory", 0.5), Target("shipped", "peak memory", 0.5))
TARGET_SIZE = [840, 472]


def title(race):
    """What a race was about."""
    return " ".join(filter(None, [race["part"], race["width"], "x".join(map(str, race["size"]))]))


def spread(values):
    """Median and quartiles of numbers, one for each round."""
    return Spread(*np.percentile(values, (50, 25, 75)))


def seconds(race, name):
    """The times of a contender, round by round; None if it did not take part, or failed."""
    found = race["contenders"].get(name, {"failed": "left out"})
    return None if "failed" in found else np.array(found["seconds"])


def pytorch(race):
    """The name of PyTorch's fastest contender by the median; None without any."""
    times = {name: seconds(race, name) for name in race["contenders"] if name.startswith("PyTorch")}
    times = {name: np.median(values) for name, values in times.items() if values is not None}
    return min(times, key=times.get) if times else None


def ratio(race, name, other):
    """Time of one contender over that of another, in the same round; None without either."""
    ours, theirs = seconds(race, name), seconds(race, other)
    return None if ours is None or theirs is None else spread(ours / theirs)


def gemm_seconds(race):
    """What the arithmetic takes at the largest rate of matrix products, round by round; None without a rate."""
    rates = [found["values"] for found in race["sgemm"].values() if "failed" not in found]
    return race["operations"] / np.max(rates, axis=0) if rates else None


def gemm_fraction(race, name):
    """Which part of a contender's time the arithmetic would take at the rate of matrix products."""
    ours, least = seconds(race, name), gemm_seconds(race)
    return None if ours is None or least is None else spread(least / ours)


def memory_ratio(race, name, other):
    """Peak memory of one contender over that of another."""
    if other is None or seconds(race, name) is None or seconds(race, other) is None:
        return None
    return race["contenders"][name]["peak MiB"] / race["contenders"][other]["peak MiB"]


def verdicts(result):
    """What became of each target that was measured.

    Parameters
    ----------
    result : dict
        From `lsd_repro.bench.measure.measure`.

    Returns
    -------
    list of str
        A sentence each; for a time that was missed, with the limit that binds.
    """
    found = []
    for target in TARGETS:
        for race in result["races"]:
            if (race["part"], race["width"], race["size"]) != ("whole", target.width, TARGET_SIZE):
                continue
            rival = pytorch(race)
            if race["rounds"] and rival and seconds(race, OURS) is not None:
                found.append(verdict(target, race, rival))
    return found


def verdict(target, race, rival):
    """A sentence on a target; see `verdicts`."""
    of_time = target.what == "time"
    value = ratio(race, OURS, rival).median if of_time else memory_ratio(race, OURS, rival)
    text = f"{target.width}, {target.what} of the whole step: {value:.2f} of {rival} (target {target.limit:g}): "
    if value <= target.limit:
        return text + "met"
    text += "missed"
    least = gemm_seconds(race)
    if not of_time or least is None:
        return text
    possible = spread(least / seconds(race, rival)).median
    fraction = gemm_fraction(race, OURS).median
    if possible > target.limit:
        return text + (f"; matrix products bind: at the SGEMM rate measured, the arithmetic alone takes {possible:.2f} "
                       f"of PyTorch's time (and {fraction:.2f} of ours)")
    return text + (f"; matrix products do not bind: at the SGEMM rate measured, the arithmetic takes {possible:.2f} of "
                   f"PyTorch's time, but only {fraction:.2f} of ours")
