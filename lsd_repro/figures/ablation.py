"""What priors do to dreams: pictures, trade-offs, and differences with their intervals."""

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from lsd_repro.figures.drawing import COLOURS, NAMES, show
from lsd_repro.hints import Floats, Picture

TV_COLOUR, NONE_COLOUR = "#4d8f3a", "#555555"
STYLES = {"all scales": ("-", "o"), "one scale": ("--", "s")}
COLUMNS = 3


def name(family: tuple[str, str]) -> str:
    """What a (kind, scales) is called."""
    kind, scales = family
    return f"{NAMES[kind]}, {scales}"


def colour(kind: str) -> str:
    return {**COLOURS, "tv": TV_COLOUR}[kind]

Family = tuple[str, str]  # kind and scales of a prior


def dreams(rows: Mapping[str, Mapping[str, Picture]], headline: str) -> Figure:
    """Dreams side by side, a class in each row.

    Parameters
    ----------
    rows : dict of str to dict of str to array (height, width, 3)
        From class to pictures by their titles, the same titles in each.
    headline : str
    """
    columns = len(next(iter(rows.values())))
    figure = Figure((2.1 * columns, 2.05 * len(rows) + 1.0), layout="constrained")
    figure.suptitle(textwrap.fill(headline, 17 * columns), fontsize=12)
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for index, (line, (label, pictures)) in enumerate(zip(axes, rows.items())):
        for one, (title, picture) in zip(line, pictures.items()):
            show(one, picture, title if index == 0 else None, fontsize=10)
        line[0].set_ylabel(label, fontsize=10)
    return figure


def trade_offs(curves: dict[Family, dict[str, Floats]], price: float, labels: dict[str, str], headline: str) -> Figure:
    """What each judge says against what the dreaming network says, along the strengths of each prior.

    Parameters
    ----------
    curves : dict of (kind, scales) to dict of str to array (levels,)
        Means over the blocks, no prior first; "logit" is the abscissa.
    price : float
        The logit at which priors are compared.
    labels : dict of str to str
        Of the judges to show.
    headline : str
    """
    figure, axes = _panels(len(labels), headline, 2.9)
    for one, (judge, label) in zip(axes, labels.items()):
        for (kind, scales), values in curves.items():
            line, marker = STYLES[scales]
            one.plot(values["logit"], values[judge], line, marker=marker, ms=4, lw=1.6, color=colour(kind),
                     label=name((kind, scales)))
        start = next(iter(curves.values()))
        one.plot(start["logit"][0], start[judge][0], "D", ms=6, color=NONE_COLOUR, label=NAMES["none"])
        one.axvline(price, color="#bbbbbb", lw=1, zorder=0)
        one.set_title(textwrap.fill(label, 40), fontsize=10)
        one.grid(alpha=0.3)
        one.set_xlabel("logit of the dreaming network", fontsize=9)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9)
    return figure


def differences(contrasts: dict[tuple[Family, Family, str], Any], stands: dict[tuple[Family, Family, str], bool],
                labels: dict[str, str], better: dict[str, int], headline: str) -> Figure:
    """Differences between priors, judge by judge, with their intervals.

    Parameters
    ----------
    contrasts : dict of (first, second, judge) to Contrast
    stands : dict of the same to bool
        Whether it stands when all are asked at once.
    labels : dict of str to str
        Of the judges.
    better : dict of str to {1, -1}
        Whether more is better.
    headline : str
    """
    pairs = list(dict.fromkeys((first, second) for first, second, _ in contrasts))
    shown = [judge for judge in labels if any(key[2] == judge for key in contrasts)]
    figure, axes = _panels(len(shown), headline, 0.9 + 0.42 * len(pairs))
    for index, (one, judge) in enumerate(zip(axes, shown)):
        one.axvline(0, color="black", lw=0.8)
        for row, pair in enumerate(pairs):
            key = (*pair, judge)
            if key in contrasts:
                found = contrasts[key]
                tone = "#1b6ca8" if found.difference * better[judge] > 0 else "#d95f02"
                face = tone if stands[key] else "white"
                one.plot([found.low, found.high], [row, row], color=tone, lw=2)
                one.plot(found.difference, row, "o", ms=7, color=tone, markerfacecolor=face)
        one.set_ylim(len(pairs) - 0.5, -0.5)
        one.set_yticks(range(len(pairs)), [f"{name(first)}\nless {name(second)}" for first, second in pairs]
                       if index % COLUMNS == 0 else [""] * len(pairs), fontsize=8)
        one.set_title(textwrap.fill(labels[judge], 40) + (", more is better" if better[judge] > 0 else ", less is better"),
                      fontsize=9)
        one.grid(alpha=0.3, axis="x")
    return figure


def _panels(count, headline, height):
    rows = -(-count // COLUMNS)
    figure = Figure((4.2 * COLUMNS, height * rows + 0.9), layout="constrained")
    figure.suptitle(textwrap.fill(headline, 110), fontsize=12)
    axes = np.atleast_1d(figure.subplots(rows, COLUMNS, squeeze=False)).ravel()
    for one in axes[count:]:
        one.axis("off")
    return figure, axes
