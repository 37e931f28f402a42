"""What ``lsd-repro prior ablate`` leaves behind: figures, and a JSON of every number."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np
from matplotlib.figure import Figure

from lsd_repro.compare import ablation_contrasts as contrasts
from lsd_repro.compare import ablation_measures
from lsd_repro.compare.ablation import NONE, PROGRAM, Study, dream_all
from lsd_repro.compare.ablation_contrasts import Comparison
from lsd_repro.compare.ablation_measures import JUDGES, LOGIT
from lsd_repro.errors import InputError
from lsd_repro.figures import ablation as figures
from lsd_repro.figures import drawing
from lsd_repro.film.schedule import Scene
from lsd_repro.hints import Floats
from lsd_repro.material import files
from lsd_repro.material.photos import photo_paths
from lsd_repro.network.weights import NetworkWeights
from lsd_repro.prior.store import PatchPrior
from lsd_repro.program2015 import Program

ROWS = 4  # classes whose dreams are shown


def ablation(out: files.PathLike, network: NetworkWeights, found: dict[str, PatchPrior], scenes: Sequence[Scene], seeds: int,
             options: Optional[dict[str, Any]] = None, program: Program = PROGRAM, resume: bool = False,
             other: Optional[NetworkWeights] = None, judge_prior: Optional[PatchPrior] = None,
             photos: Optional[files.PathLike] = None) -> dict[str, Any]:
    """The ablation: its dreams, what judges say of them, three figures and the numbers (``prior-ablation.json``).

    Parameters
    ----------
    out, network, scenes, seeds, program, resume
        As `lsd_repro.compare.ablation.dream_all` has them.
    found : dict of str to PatchPrior
        Both kinds.
    options : dict, optional
        Of "kinds", "scales" and "strengths", those that are not `dream_all`'s own.
    other : NetworkWeights, optional
        A network that knows some of the classes, and does not dream.
    judge_prior : PatchPrior, optional
        To judge by as well, such as the author's.
    photos : path, optional
        Folder of photos to compare dreams with; see `photo_paths`.

    Returns
    -------
    dict
        The numbers.

    Raises
    ------
    InputError
        As `dream_all`, or if a kind of prior is missing.
    """
    missing = {"student", "gaussian"} - set(found)
    if missing:
        raise InputError(f"the ablation needs both kinds of prior, the file has no {missing.pop()}; "
                         "fit one with 'lsd-repro prior fit'")
    study = dream_all(out, network, found, scenes, seeds, program=program, resume=resume, **(options or {}))
    aimed = [block.scene.target.numbers[0] for block in study.blocks]  # both halves show it
    descriptions = {c: network.descriptions[c] for c in aimed}
    judges = ablation_measures.judges(network, descriptions, other, found, program.prior_scales, program.height,
                                      photo_paths(photos), judge_prior)
    measures = ablation_measures.measure(study, judges)
    labels = {name: judge.label for name, judge in JUDGES.items() if name in measures and np.isfinite(measures[name]).any()}
    compared = contrasts.compare(study.arms, measures, LOGIT, list(labels), aimed)
    numbers = ablation_numbers(study, measures, compared)
    for name, figure in ablation_figures(study, measures, compared, labels).items():
        drawing.save(Path(out) / f"{name}.png", figure)
    files.write_json(Path(out) / "prior-ablation.json", numbers, files.DIGITS)
    files.write_bytes(Path(out) / "prior-ablation.md", markdown(numbers).encode())
    return numbers


def markdown(numbers: dict[str, Any]) -> str:
    """The numbers as two tables in Markdown: each prior at the price, and the contrasts.

    Parameters
    ----------
    numbers : dict
        From `ablation_numbers`, or read from their JSON.
    """
    priced = {family: values for family, values in numbers["at the price"].items() if values}
    pairs = list(dict.fromkeys((one["first"], one["second"]) for one in numbers["contrasts"]))
    contrast = {(one["first"], one["second"], one["judge"]): one for one in numbers["contrasts"]}
    judges = [judge for judge in JUDGES if judge in numbers["means"]["none"]]
    lines = [_row("at equal logit", "no prior", *priced), _row(*["---"] * (len(priced) + 2)),
             _row("strength", "", *(f"{values['strength']:.1f}" for values in priced.values()))]
    lines += [_row(JUDGES[judge].label, *(f"{values[judge]:.2f}" for values in (numbers["means"]["none"], *priced.values())))
              for judge in judges]
    if pairs:
        lines += ["", _row("difference, 95 % interval", *(f"{first} less {second}" for first, second in pairs)),
                  _row(*["---"] * (len(pairs) + 1))]
        lines += [_row(JUDGES[judge].label, *(_cell(contrast.get((*pair, judge))) for pair in pairs)) for judge in judges]
    cheap = [family for family, values in numbers["at the price"].items() if not values]
    if cheap:
        lines += ["", f"Left out, as even the greatest strength does not cost so much of the logit: {'; '.join(cheap)}."]
    return "\n".join(lines) + "\n"


def _row(*cells):
    return "| " + " | ".join(cells) + " |"


def _cell(one):
    """A contrast, with a star if it stands when all are asked at once."""
    if one is None:
        return ""
    return f"{one['difference']:+.2f} ({one['low']:+.2f} to {one['high']:+.2f})" + (" *" if one["stands (Holm)"] else "")


def ablation_numbers(study: Study, measures: dict[str, Floats], compared: Comparison) -> dict[str, Any]:
    """What ``prior-ablation.json`` holds."""
    columns = contrasts.families(study.arms)
    strengths = {family: [study.arms[column].strength for column in some[1:]] for family, some in columns.items()}
    return {
        "classes": list(dict.fromkeys(block.scene.caption for block in study.blocks)),
        "seeds": 1 + max(block.seed for block in study.blocks), "dreams": len(study.blocks) * len(study.arms),
        "weights at strength 1": {figures.name(family): weight for family, weight in study.weights.items()},
        "means": {arm.name: {name: np.nanmean(values[:, column]) for name, values in measures.items()
                             if np.isfinite(values[:, column]).any()} for column, arm in enumerate(study.arms)},
        "price": {"logit": compared.price, "share of the logit without a prior": contrasts.SHARE},
        "at the price": {figures.name(family): None if level is None else {
            "strength": contrasts.strength_at(strengths[family], level),
            **{name: np.nanmean(values) for name, values in compared.matched[family].items() if np.isfinite(values).any()}}
            for family, level in compared.levels.items()},
        "contrasts": [{
            "first": figures.name(first), "second": figures.name(second), "judge": judge,
            **one._asdict(), "stands (Holm)": compared.stands[first, second, judge]}
            for (first, second, judge), one in compared.contrasts.items()]}


def ablation_figures(study: Study, measures: dict[str, Floats], compared: Comparison,
                     labels: dict[str, str]) -> dict[str, Figure]:
    """Figures of an ablation, by the names of their files."""
    columns = contrasts.families(study.arms)
    curves = {family: {"logit": measures[LOGIT][:, some].mean(axis=0),
                       **{judge: np.nanmean(measures[judge][:, some], axis=0) for judge in labels}}
              for family, some in columns.items()}
    found = {"prior-ablation-curves": figures.trade_offs(
        curves, compared.price, labels,
        "What judges say of the dreams, as the prior grows stronger and the dreaming network less sure "
        f"(grey line: {contrasts.SHARE:.0%} of its logit without a prior)")}
    shown = {family: study.arms[columns[family][max(1, round(level))]]
             for family, level in compared.levels.items() if level is not None}
    rows = {block.scene.caption: {"no prior": study.picture(block, NONE), **{
        f"{figures.name(family).replace(', ', chr(10))}\nstrength {arm.strength:g}": study.picture(block, arm)
        for family, arm in shown.items()}} for block in study.blocks[:ROWS] if block.seed == 0}
    found["prior-ablation"] = figures.dreams(rows, "The same dreams, each prior at the strength dreamt that is nearest "
                                                   "to where it costs a tenth of the logit")
    if compared.contrasts:
        count = sum(compared.stands.values())
        found["prior-ablation-contrasts"] = figures.differences(
            compared.contrasts, compared.stands, labels, {name: JUDGES[name].better for name in labels},
            "Differences at equal logit, with 95 % intervals over classes; blue: for the first, orange: against it; "
            f"filled: {count} of {len(compared.contrasts)} that stand when all are asked at once")
    return found
