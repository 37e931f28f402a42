"""The transition's page: one HTML file without scripts, all pictures inside; beside it every number, and a figure."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np

from lsd_repro import __version__
from lsd_repro.compare import report_parts, transition
from lsd_repro.compare.change import BLOCK, BLURS, DRAWS
from lsd_repro.compare.report_parts import number
from lsd_repro.compare.transition import Transition
from lsd_repro.compare.transition_arms import CEILING, TARGET, WRONG, all_arms, default_wrong, quick_arms
from lsd_repro.compare.transition_numbers import BLUR, numbers
from lsd_repro.figures import drawing
from lsd_repro.figures import transition as figures
from lsd_repro.hints import Picture
from lsd_repro.material import files
from lsd_repro.material.lock import one_at_a_time
from lsd_repro.network.weights import NetworkWeights
from lsd_repro.prior.store import PatchPrior

TITLE = "Do ten steps of ours change a picture of 2015 as the ten steps of 2015 did?"


@one_at_a_time
def page(out: files.PathLike, before: Picture, after: Picture, network: NetworkWeights, priors: dict[str, PatchPrior],
         target: str = TARGET, wrong: Optional[Sequence[str]] = None, quick: bool = False, seed: int = 0,
         made_by: str = "", resume: bool = False) -> dict[str, Any]:
    """Make the transition by all arms; write ``transition.html``, ``transition.json`` and ``transition.png``.

    Parameters
    ----------
    out : path
        Folder; must be empty or absent, unless resuming.
    before, after : uint8 array, shape (height, width, 3)
    network, priors
        As for `lsd_repro.compare.transition.transition`.
    target : str
        What the steps aimed at; see `lsd_repro.film.schedule.parse_classes`.
    wrong : sequence of str, optional
        What they did not; default: `lsd_repro.compare.transition_arms.default_wrong`.
    quick : bool
        Only the target, the ceiling and the first wrong class.
    seed : int
    made_by : str
        Which network and prior these are, for the page.
    resume : bool
        Go on with what `out` holds; more arms may be asked for than before.

    Returns
    -------
    dict
        From `lsd_repro.compare.transition_numbers.numbers`.

    Raises
    ------
    InputError
        For whatever can't be compared or dreamt, or as `lsd_repro.film.run.open_record`.
    """
    out = Path(out)
    instead = [] if wrong else [name for name in WRONG if name not in default_wrong(network.descriptions, target)]
    wrong = wrong or default_wrong(network.descriptions, target)
    arms = (quick_arms(network.descriptions, target, wrong[:1]) if quick else all_arms(network.descriptions, target, wrong))
    transition.check(before, after, network, priors, arms)
    transition.record(out, before, after, network, priors, next(iter(arms.values())).program, seed, resume)
    if instead:
        print(f"in place of {', '.join(instead)}, which the network lacks or which is aimed at: others of its classes",
              file=sys.stderr)
    kept = out / "arms"
    files.make_folder(kept)
    found = transition.transition(before, after, network, priors, arms, seed, kept)
    result = numbers(found, arms)
    files.write_json(out / "transition.json", {"made by": made_by, "seed": seed, **result}, files.DIGITS)
    shown = pictures(found, after, result["target"])
    drawing.save(out / "transition.png", figures.transition(shown, result, CEILING, BLUR))
    files.write_bytes(out / "transition.html", html(result, shown, made_by).encode(errors="replace"))
    return result


def pictures(found: Transition, after: Picture, target: str) -> dict[str, Picture]:
    """Before, after as in 2015, and after as ours, by their titles."""
    return {"before, zoomed": found.zoomed, f"after, as 2015 made it: {target}": after,
            "after, as we make it": found.pictures[target]}


def html(result: dict[str, Any], shown: dict[str, Picture], made_by: str) -> str:
    """The whole page; every text in it is escaped.

    Parameters
    ----------
    result : dict
        From `lsd_repro.compare.transition_numbers.numbers`.
    shown : dict of str to array (height, width, 3)
        From `pictures`.
    made_by : str

    Returns
    -------
    str
    """
    environment = report_parts.templates()
    environment.filters.update(number=number, within=within)
    whole = figures.transition(shown, result, CEILING, BLUR)
    return environment.get_template("transition.html").render(
        title=TITLE, version=__version__, made_by=made_by, result=result, blurs=BLURS, block=BLOCK, draws=DRAWS,
        finding=figures.finding(result, CEILING, BLUR), picture=report_parts.figure(whole),
        sides={title: report_parts.pictures(np.clip(np.rint(one), 0, 255).astype(np.uint8)) for title, one in shown.items()})


def within(values: Sequence[float]) -> str:
    """A value and its interval."""
    value, low, high = map(number, values)
    return f"{value} ({low} to {high})"
