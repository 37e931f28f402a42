"""What the transition says: numbers with their intervals, and what 2015's picture can confirm of 2015's constants.

A question sets 2015's own way against others, by one measure, named beforehand. Arms are compared in pairs, in the same
draws of blocks: a difference counts if its 95 % interval excludes zero. 2015's way is

* *confirmed* if it is nearer to 2015's picture than every other;
* *favoured* if it is nearer than some, and the rest can't be told from it;
* otherwise another way is favoured, if one is nearer, or else the picture *cannot tell*.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple, Optional

import numpy as np

from lsd_repro.compare.change import BLURS, Estimates, interval
from lsd_repro.compare.statistics import FREQUENCIES
from lsd_repro.compare.transition import Transition
from lsd_repro.compare.transition_arms import CEILING, Arm
from lsd_repro.hints import Floats
from lsd_repro.material.files import PathLike

BLUR = 2  # pixels: what most is judged by; finer detail depends on what 8 bits round off
# With 2015's own network, what the rounded start leaves open should be nearly all that is missing.
EXPECTED = 0.9
CONFIRMED, FAVOURED, OTHER, UNTOLD = "confirmed", "favours 2015", "favours another", "cannot tell"


class Measure(NamedTuple):
    """How near an arm is to 2015's picture: in words, and from its estimates to an array (draws,), larger for nearer."""

    label: str
    score: Any


MEASURES = {
    "direction": Measure(f"correlation of the change at blur {BLUR}", lambda one: one.correlation[:, BLURS.index(BLUR)]),
    "detail": Measure("correlation of the change, unblurred", lambda one: one.correlation[:, 0]),
    "size": Measure("ratio of the changes' sizes (its logarithm's distance from 0)",
                    lambda one: -np.abs(np.log(one.size / one.their_size))),
    "ends": Measure("share of values at 0 or 255, from 2015's", lambda one: -np.abs(one.ends - one.their_ends)),
}
ZOOM = "correlation of the zoomed picture with the one after"
# What an arm differs in from the first, and what that is judged by.
SUBJECTS = {
    "class": ("direction",), "halves": ("direction",), "betas": ("direction", "size"), "clip": ("ends", "direction"),
    "kind of prior": ("direction", "detail"), "strength of the prior": ("direction", "detail"), "steps": ("size", "direction"),
    "learning rate": ("size", "direction"), "steps at one reach": ("direction", "size")}


def numbers(found: Transition, arms: dict[str, Arm]) -> dict[str, Any]:
    """A transition's numbers, each as value, lower and upper end of its 95 % interval.

    Parameters
    ----------
    found : Transition
    arms : dict of str to Arm

    Returns
    -------
    dict
        ``"zoom"`` from k, and ``"arms"`` from their names to dicts of ``"correlation"`` and ``"same sign"`` from blur,
        ``"coherence"``, the signed root at each of ``"frequencies"``, ``"size"`` and ``"size of theirs"`` in grey levels,
        ``"ends"`` and ``"ends of theirs"``, shares. From blur again, ``"share of the ceiling"``, and ``"above the wrong
        classes"``, the target's correlation less their mean. ``"questions"`` are from `questions`.
    """
    first, wrong = next(iter(arms)), wrong_classes(arms)
    estimates = found.estimates
    own = estimates[first].correlation
    result = {
        "target": first, "wrong": wrong, "frequencies": FREQUENCIES.tolist(),
        "zoom": {k: interval(values) for k, values in found.zoom.items()},
        "arms": {name: described(one) for name, one in estimates.items()}}
    if CEILING in estimates:
        result["share of the ceiling"] = by_blur(own / estimates[CEILING].correlation)
    if wrong:
        result["above the wrong classes"] = by_blur(own - np.mean([estimates[name].correlation for name in wrong], axis=0))
    result["questions"] = questions(found, arms)
    return result


def read(path: PathLike) -> dict[str, Any]:
    """The numbers that ``lsd-repro transition`` wrote, as `numbers` has them, with ``"made by"`` and ``"seed"``."""
    result = json.loads(Path(path).read_text("utf-8"))
    for holder in (result, *result["arms"].values()):
        holder.update({what: {int(key): value for key, value in holder[what].items()}
                       for what in ("zoom", "correlation", "same sign", "share of the ceiling", "above the wrong classes")
                       if what in holder})
    return result


def described(one: Estimates) -> dict[str, Any]:
    """An arm's estimates as `numbers` has them."""
    return {"correlation": by_blur(one.correlation), "same sign": by_blur(one.same_sign),
            "coherence": [interval(values) for values in one.coherence.T],
            "size": interval(one.size), "size of theirs": interval(one.their_size),
            "ends": interval(one.ends), "ends of theirs": interval(one.their_ends)}


def by_blur(values: Floats) -> dict[int, list[float]]:
    """From each of `lsd_repro.compare.change.BLURS` to the interval of its column of (draws, blurs)."""
    return {blur: interval(column) for blur, column in zip(BLURS, values.T)}


def wrong_classes(arms: dict[str, Arm]) -> list[str]:
    """Names of the arms that aim at other classes than the first."""
    target = next(iter(arms.values())).scene
    return [name for name, arm in arms.items() if arm.scene != target]


def questions(found: Transition, arms: dict[str, Arm]) -> list[dict[str, Any]]:
    """Each subject's verdict by each of its measures.

    Parameters
    ----------
    found : Transition
    arms : dict of str to Arm
        The first is 2015's way.

    Returns
    -------
    list of dict
        ``"subject"``, ``"measure"``, ``"2015"`` (what it had), ``"differences"``, from other ways to the interval of how much
        nearer 2015's is, ``"verdict"``, and ``"says"``, the same in words.
    """
    first = next(iter(arms))
    asked: dict[str, list[str]] = {}
    for name, arm in arms.items():
        changed = subject(arms[first], arm)
        if changed:
            asked.setdefault(changed, []).append(name)
    k = arms[first].program.video_frames_per_frame
    result = [question("zoom", ZOOM, f"k = {k}", found.zoom[k],
                       {f"k = {other}": values for other, values in found.zoom.items() if other != k})]
    for about, measures in SUBJECTS.items():
        for measure in measures if about in asked else ():
            label, score = MEASURES[measure]
            result.append(question(about, label, had(about, arms[first]), score(found.estimates[first]),
                                   {name: score(found.estimates[name]) for name in asked[about]}))
    return result


def subject(first: Arm, arm: Arm) -> Optional[str]:
    """What of `SUBJECTS` an arm differs in from the first; None for the ceiling, for k, and for the first itself."""
    if arm.scene != first.scene:
        return "class"
    if arm.halves != first.halves:
        return "halves"
    if arm.update != first.update:
        return "clip" if arm.update == "no clip" else "betas"
    if arm.kind != first.kind:
        return "kind of prior"
    if arm.program.prior_strength != first.program.prior_strength:
        return "strength of the prior"
    other_steps = arm.program.steps_per_frame != first.program.steps_per_frame
    other_rate = arm.program.learning_rate != first.program.learning_rate
    return {(True, True): "steps at one reach", (True, False): "steps", (False, True): "learning rate"}.get(
        (other_steps, other_rate))


def had(about: str, arm: Arm) -> str:
    """What an arm has, of one of `SUBJECTS`, in words."""
    program = arm.program
    steps, rate = f"{program.steps_per_frame} steps", f"{program.learning_rate:g}"
    return {"class": arm.scene.caption, "halves": "both halves", "betas": "0.9 and 0.999 of the new gradient",
            "clip": "clipped to 0..255", "kind of prior": "Student-t", "strength of the prior": f"{program.prior_strength:g}",
            "steps": steps, "learning rate": rate, "steps at one reach": f"{steps} of {rate}"}[about]


def question(about: str, measure: str, own: str, score: Floats, others: dict[str, Floats]) -> dict[str, Any]:
    """One entry of `questions`, from scores (draws,)."""
    differences = {name: interval(score - other) for name, other in others.items()}
    nearer = [name for name, (_, low, _) in differences.items() if low > 0]
    further = [name for name, (_, _, high) in differences.items() if high < 0]
    untold = [name for name in differences if name not in nearer + further]
    if further:
        verdict, says = OTHER, f"favours {min(further, key=lambda name: differences[name][0])}"
    elif not untold:
        verdict, says = CONFIRMED, f"{own} confirmed"
    elif nearer:
        verdict, says = FAVOURED, f"favours {own}; cannot tell it from {', '.join(untold)}"
    else:
        verdict, says = UNTOLD, UNTOLD
    return {"subject": about, "measure": measure, "2015": own, "differences": differences, "verdict": verdict, "says": says}


def expectation() -> str:
    """What 2015's own network should come to, to be said beforehand."""
    return (f"expected of 2015's network: at blur {BLUR}, a change that correlates with 2015's at least {EXPECTED:g} times as "
            "much as the ceiling allows")


def came_true(result: dict[str, Any]) -> str:
    """Whether what `expectation` says has come, from `numbers`."""
    share, low, high = result["share of the ceiling"][BLUR]
    return (f"{share:.3f} of the ceiling ({low:.3f} to {high:.3f}): as expected" if low >= EXPECTED else
            f"{share:.3f} of the ceiling ({low:.3f} to {high:.3f}): "
            + ("less than expected" if high < EXPECTED else "the picture cannot tell whether as expected"))


def text(result: dict[str, Any]) -> str:
    """The numbers as tables for a terminal."""
    lines = ["zoomed picture against the one after: " + ", ".join(
        f"{value:.3f} at k = {k}" for k, (value, _, _) in result["zoom"].items()), ""]
    heading = "correlation of the changes at blur"
    width = max(map(len, [heading, *result["arms"]]))
    lines.append(f"{heading:{width}}  " + "  ".join(f"{blur:>5}" for blur in BLURS)
                 + f"  {f'95 % at {BLUR}':>14}  same sign   size  2015's")
    for name, one in result["arms"].items():
        _, low, high = one["correlation"][BLUR]
        same, size, theirs = (values[0] for values in (one["same sign"][0], one["size"], one["size of theirs"]))
        lines.append(f"{name:{width}}  " + "  ".join(f"{one['correlation'][blur][0]:5.3f}" for blur in BLURS)
                     + f"  {low:5.3f} to {high:5.3f}  {same:9.3f}  {size:5.1f}  {theirs:6.1f}")
    for what in ("share of the ceiling", "above the wrong classes"):
        if what in result:
            lines.append(f"{what:{width}}  " + "  ".join(f"{value:5.3f}" for value, _, _ in result[what].values())
                         + "  {1:5.3f} to {2:5.3f}".format(*result[what][BLUR]))
    lines += ["", "what 2015's picture says"]
    lines += [f"{one['subject']}, by {one['measure']}: {one['says']}" for one in result["questions"]]
    return "\n".join(lines)
