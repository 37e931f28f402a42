"""Priors compared at the same price: what each gives where it costs the dream equally much.

An energy has no natural unit, so a difference between two priors at "the same strength" may be one of
strength. Each prior is therefore taken at the strength at which the dreaming network's logit is the same, on
average over the blocks: `SHARE` of what it is without a prior. Between the strengths that were dreamt,
every measure is interpolated linearly.

Only numbers come in and go out; nothing here knows pictures.
"""

from collections.abc import Sequence
from typing import NamedTuple, Optional

import numpy as np
from scipy import stats

from lsd_repro.compare.ablation import ALL, NONE, ONE, Arm
from lsd_repro.hints import Floats

# Chosen before anything was judged.
SHARE = 0.9
CONFIDENCE = 0.95
RESAMPLES = 9999
# What is asked: (kind, scales) less (kind, scales). The first three were chosen beforehand, too; the last
# when dreams had been seen, because at one scale the answer turned out to be another.
CONTRASTS = (
    (("student", ALL), ("gaussian", ALL)),
    (("student", ALL), ("tv", ALL)),
    (("student", ALL), ("student", ONE)),
    (("student", ONE), ("gaussian", ONE)),
)


Family = tuple[str, str]  # kind and scales of a prior


def families(arms: Sequence[Arm]) -> dict[Family, list[int]]:
    """Columns of each (kind, scales), by rising strength; no prior comes first in each.

    Returns
    -------
    dict of (kind, scales) to list of int
    """
    found: dict[Family, list[int]] = {}
    for column, arm in sorted(enumerate(arms), key=lambda pair: pair[1].strength):
        if arm.kind != "none":
            found.setdefault((arm.kind, arm.scales), [arms.index(NONE)]).append(column)
    return found


def level_at(logits: Floats, price: float) -> Optional[float]:
    """Where along the strengths the mean logit falls to a price for the last time.

    Parameters
    ----------
    logits : array, shape (blocks, levels)
        Of a family, no prior first.
    price : float

    Returns
    -------
    float or None
        A level and a fraction: 1.25 lies a quarter of the way from level 1 to 2. None if the logit is above
        the price even at the last level.
    """
    means = np.mean(logits, axis=0)
    if means[-1] > price:
        return None
    above = np.flatnonzero(means > price)
    level = above[-1] if len(above) else 0
    return float(level + (means[level] - price) / (means[level] - means[level + 1]))


def interpolated(values: Floats, level: float) -> Floats:
    """Values (blocks, levels) at a level with a fraction: (blocks,)."""
    low = min(int(level), values.shape[1] - 2)
    return values[:, low] + (level - low) * (values[:, low + 1] - values[:, low])


class Contrast(NamedTuple):
    """A difference between two priors by one judge.

    Attributes
    ----------
    difference : float
        Mean over the blocks of the first prior less the second.
    low, high : float
        Bootstrap interval of `CONFIDENCE`, classes resampled (BCa).
    same_sign : int
        In how many classes the difference has the sign of the mean.
    classes : int
    p : float
        Of a t test on the means of the classes.
    """

    difference: float
    low: float
    high: float
    same_sign: int
    classes: int
    p: float


def contrast(first: Floats, second: Floats, classes: Sequence[int], seed: int = 0) -> Optional[Contrast]:
    """Compare two priors over the same blocks.

    Starts of one class are no independent witnesses of what another class would show: what is resampled
    are the classes, each with the mean of its blocks.

    Parameters
    ----------
    first, second : array, shape (blocks,)
        NaN where the judge says nothing.
    classes : sequence, of length blocks
        Which class each block is of.
    seed : int

    Returns
    -------
    Contrast or None
        None with fewer than three classes that were judged.
    """
    difference, judged = np.subtract(first, second), np.asarray(classes)
    known = np.isfinite(difference)
    means = np.array([difference[known & (judged == one)].mean() for one in np.unique(judged[known])])
    if len(means) < 3:
        return None
    if np.ptp(means) == 0:
        return Contrast(float(means[0]), float(means[0]), float(means[0]), len(means), len(means), float(means[0] == 0))
    interval = stats.bootstrap((means,), np.mean, confidence_level=CONFIDENCE, n_resamples=RESAMPLES, method="BCa",
                               random_state=np.random.default_rng(seed)).confidence_interval
    return Contrast(float(means.mean()), float(interval.low), float(interval.high),
                    int(np.sum(np.sign(means) == np.sign(means.mean()))), len(means),
                    float(stats.ttest_1samp(means, 0).pvalue))


def holm(ps: Sequence[float], level: float = 1 - CONFIDENCE) -> list[bool]:
    """Which of several p values stand when all are asked at once (Holm 1979): list of bool.

    References
    ----------
    .. [1] S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6, 1979.
    """
    stands = [False] * len(ps)
    for rank, index in enumerate(np.argsort(ps)):
        if ps[index] > level / (len(ps) - rank):
            break
        stands[index] = True
    return stands


class Comparison(NamedTuple):
    """All contrasts by all judges.

    Attributes
    ----------
    price : float
        The logit at which priors were compared.
    levels : dict of (kind, scales) to float or None
        From `level_at`.
    matched : dict of (kind, scales) to dict of str to float array (blocks,)
        Every measure at the price; families that never cost so much are missing.
    contrasts : dict of (first, second, judge) to Contrast
    stands : dict of the same to bool
        From `holm`, over all of them.
    """

    price: float
    levels: dict[Family, Optional[float]]
    matched: dict[Family, dict[str, Floats]]
    contrasts: dict[tuple[Family, Family, str], Contrast]
    stands: dict[tuple[Family, Family, str], bool]


def compare(arms: Sequence[Arm], measures: dict[str, Floats], logit: str, judges: Sequence[str],
            classes: Sequence[int]) -> Comparison:
    """Compare the priors of a study.

    Parameters
    ----------
    arms : list of Arm
    measures : dict of str to array, shape (blocks, arms)
    logit : str
        Which measure is the price.
    judges : sequence of str
        Which measures decide; those that are not there are left out.
    classes : sequence
        The class of each block.

    Returns
    -------
    Comparison
    """
    price = SHARE * measures[logit][:, arms.index(NONE)].mean()
    columns = families(arms)
    levels = {family: level_at(measures[logit][:, some], price) for family, some in columns.items()}
    matched = {family: {name: interpolated(values[:, columns[family]], level) for name, values in measures.items()}
               for family, level in levels.items() if level is not None}
    asked = {(first, second, judge): contrast(matched[first][judge], matched[second][judge], classes)
             for first, second in CONTRASTS if first in matched and second in matched
             for judge in judges if judge in measures}
    found = {key: value for key, value in asked.items() if value is not None}
    return Comparison(float(price), levels, matched, found, dict(zip(found, holm([one.p for one in found.values()]))))


def strength_at(strengths: Sequence[float], level: float) -> float:
    """The strength at a level; below the first strength in proportion, above it by its logarithm."""
    if level <= 1:
        return float(level * strengths[0])
    return float(np.exp(np.interp(level, np.arange(1, len(strengths) + 1), np.log(strengths))))
