"""One frame of 2015, predicted: the figure of ``lsd-repro transition``, and those of its lesson.

What the pictures are held against is ``theirs`` here: 2015's, or that of a transition of our own.
"""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Optional

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.ndimage import uniform_filter

from lsd_repro.figures import drawing
from lsd_repro.hints import Floats, Picture

SHARE = 4  # a close-up is this many times as small as the picture
HEADLINE = 105  # characters
OURS, WRONG, CEILING = "#1b6ca8", "#d95f02", "0.35"


def transition(pictures: Mapping[str, Picture], numbers: dict[str, Any], ceiling: str, blur: int) -> Figure:
    """Before and after, whole and close up, above the detail that the changes have in common.

    Parameters
    ----------
    pictures : dict of str to array (height, width, 3)
        From title to picture in 0..255: before (zoomed), after as in 2015, after as ours.
    numbers : dict
        From `lsd_repro.compare.transition_numbers.numbers`.
    ceiling : str
        The name of that arm.
    blur : int
        At which the headline speaks of correlation.

    Returns
    -------
    matplotlib.figure.Figure
    """
    before, theirs, _ = pictures.values()
    height, width = theirs.shape[:2]
    close = busiest(np.subtract(theirs, before, dtype=float), height // SHARE, width // SHARE)
    row = 11 / 3 * height / width
    figure = Figure((11, 2 * row + 4.7), layout="constrained")
    figure.suptitle(textwrap.fill(finding(numbers, ceiling, blur), HEADLINE), fontsize=11)
    above, below = figure.subfigures(2, 1, height_ratios=(2 * row + 0.5, 4.0))
    cells = above.subplots(2, 3)
    for (whole, part), (title, picture) in zip(cells.T, pictures.items()):
        drawing.show(whole, picture, title, fontsize=10)
        drawing.show(part, picture[close])
    cells[1, 1].set_xlabel(f"close up, {SHARE} times as large: where 2015's picture changed most", fontsize=9)
    coherences(below.subplots(), numbers, ceiling)
    return figure


def busiest(change: Floats, height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns of the window of that size in which a change (h, w, 3) is largest."""
    energy = uniform_filter((change ** 2).sum(axis=2), (height, width), mode="constant")
    top, left = height // 2, width // 2
    inside = energy[top:change.shape[0] - height + top + 1, left:change.shape[1] - width + left + 1]
    y, x = np.unravel_index(inside.argmax(), inside.shape)
    return slice(y, y + height), slice(x, x + width)


def finding(numbers: dict[str, Any], ceiling: str, blur: int, theirs: str = "2015's") -> str:
    """What the correlations say, in a sentence; that the change shows the class only if the intervals say so."""
    target = numbers["target"]
    value, low, _ = numbers["arms"][target]["correlation"][blur]
    wrong = [numbers["arms"][name]["correlation"][blur] for name in numbers["wrong"]]
    text = f"Correlation of our change with {theirs}, at a blur of {blur} pixels: {value:.2f} towards {target}"
    if wrong:
        others = sorted(one[0] for one in wrong)
        named = numbers["wrong"][0] if len(wrong) == 1 else f"{len(wrong)} other classes"
        text += f", {others[0]:.2f}" + (f" to {others[-1]:.2f}" if len(others) > 1 else "") + f" towards {named}"
    if ceiling in numbers["arms"]:
        text += f", {numbers['arms'][ceiling]['correlation'][blur][0]:.2f} at best"
    if wrong and low > max(high for _, _, high in wrong):
        text = f"The picture itself says {target}. {text}"
    return text


def coherences(axes: Axes, numbers: dict[str, Any], ceiling: str, theirs: str = "2015's") -> None:
    """Signed roots of the coherence with their change by frequency: the target, ceiling and wrong classes, with intervals."""
    frequencies = numbers["frequencies"]
    lines: list[tuple[str, Optional[str], str, str]] = [
        (ceiling, "at best: ours against ours, begun half a grey level beside", CEILING, "--")]
    lines += [(numbers["target"], f"{numbers['target']}, ours against {theirs}", OURS, "-")]
    lines += [(name, None, WRONG, "-") for name in numbers["wrong"][1:]]
    lines += [(name, ", ".join(numbers["wrong"]), WRONG, "-") for name in numbers["wrong"][:1]]
    for name, label, colour, style in lines:
        if name in numbers["arms"]:
            value, low, high = np.array(numbers["arms"][name]["coherence"]).T
            wrong = colour == WRONG
            axes.plot(frequencies, value, style, color=colour, lw=1 if wrong else 2, label=label)
            axes.fill_between(frequencies, low, high, color=colour, alpha=0.07 if wrong else 0.2, lw=0)
    axes.axhline(0, color="0.7", lw=0.8)
    axes.set_xscale("log", base=2)
    ticks = 2.0 ** np.arange(-6, 0)
    axes.set_xticks(ticks, [f"1/{round(1 / tick)}" for tick in ticks])
    axes.set_xlabel("cycles per pixel (coarse to fine)")
    axes.set_ylabel("correlation of the changes\nat this frequency")
    axes.set_title("Detail that the changes have in common, with 95 % intervals", fontsize=10)
    axes.set_ylim(top=1.2)  # room for the legend
    axes.set_yticks(np.arange(0, 1.1, 0.2))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, frameon=False, loc="upper left", ncols=3)


def changes(zoomed: Picture, pictures: Mapping[str, Picture]) -> Figure:
    """What was made of a zoomed picture, above what that changed, where the first of them changed most.

    Parameters
    ----------
    zoomed : array (height, width, 3)
    pictures : dict of str to array (height, width, 3)
        From title to what was made of it.
    """
    columns = 1 + len(pictures)
    height, width = zoomed.shape[:2]
    row = drawing.LESSON_WIDTH / columns * height / width
    close = busiest(np.subtract(next(iter(pictures.values())), zoomed, dtype=float), height // SHARE, width // SHARE)
    figure, (above, below) = drawing.lesson(
        0.8 + 2 * row, f"1/{SHARE} of the pictures' width and height. Above the pictures, below what the steps changed: nothing "
                       "where it is grey", nrows=2, ncols=columns)
    drawing.show(above[0], zoomed[close], "before, zoomed", fontsize=9)
    below[0].axis("off")
    for whole, part, (title, picture) in zip(above[1:], below[1:], pictures.items()):
        drawing.show(whole, picture[close], title, fontsize=9)
        drawing.show(part, 128.0 + np.subtract(picture, zoomed)[close])
    return figure


def agreement(numbers: dict[str, Any], ceiling: str, blur: int, theirs: str = "2015's") -> Figure:
    """How much our changes have in common with theirs, by blur and by frequency.

    Parameters
    ----------
    numbers : dict
        From `lsd_repro.compare.transition_numbers.numbers`.
    ceiling : str
        The name of that arm.
    blur : int
        At which the headline speaks of correlation.
    theirs : str
        What ours are held against.
    """
    figure, ((left, right),) = drawing.lesson(4.6, finding(numbers, ceiling, blur, theirs), ncols=2, width_ratios=(2, 3))
    styles = {ceiling: (CEILING, "--"), numbers["target"]: (OURS, "-"), **dict.fromkeys(numbers["wrong"], (WRONG, "-"))}
    for name, (colour, style) in styles.items():
        interval(left, numbers["arms"][name]["correlation"], style, colour)
    left.set_xlabel("blur of both changes (pixels)")
    left.set_ylabel("correlation of the changes")
    coherences(right, numbers, ceiling, theirs)
    right.legend(fontsize=8, frameon=False, loc="upper left")
    right.set_ylim(top=1.45)  # half as wide, it is three lines high
    left.set_ylim(right.get_ylim())
    left.set_yticks(right.get_yticks())
    left.grid(alpha=0.3)
    return figure


def steps_and_zoom(numbers: dict[str, Any], names: Sequence[str], theirs: str = "2015's") -> Figure:
    """By how much the picture before has to be zoomed, and how large the change is that some arms make.

    Parameters
    ----------
    numbers : dict
        From `lsd_repro.compare.transition_numbers.numbers`.
    names : sequence of str
        Of arms, the target first.
    theirs : str
        What ours are held against.
    """
    zoom, arms = numbers["zoom"], numbers["arms"]
    best = max(zoom, key=lambda k: zoom[k][0])
    own, their = (arms[names[0]][what] for what in ("size", "size of theirs"))
    figure, ((left, right),) = drawing.lesson(
        3.2, f"Zoomed by {best} video frames, the picture before comes nearest to the one after. Size of the change: ours "
             f"{own[0]:.1f} grey levels, {theirs} {their[0]:.1f}", ncols=2)
    interval(left, zoom, "o-", OURS)
    left.set_xticks(list(zoom))
    left.set_xlabel("video frames that the picture before is zoomed by")
    left.set_ylabel("its correlation with the one after")
    rows = range(len(names))
    for row, name in zip(rows, names):
        value, low, high = arms[name]["size"]
        right.errorbar(value, row, xerr=[[value - low], [high - value]], fmt="o", color=OURS if row == 0 else WRONG, capsize=3)
    right.axvspan(*their[1:], color=CEILING, alpha=0.3, lw=0)
    right.axvline(their[0], color=CEILING)
    right.set_yticks(rows, names)
    right.set_ylim(len(names) - 0.5, -0.5)
    right.set_xlabel(f"size of the change (grey levels); line: {theirs}")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    return figure


def differences(questions: Sequence[dict[str, Any]], measure: str) -> Figure:
    """How much nearer to 2015's picture its own way is than others, by one measure.

    Parameters
    ----------
    questions : sequence of dict
        From `lsd_repro.compare.transition_numbers.questions`.
    measure : str
        Those of other measures are left out.
    """
    rows = {f"{one['subject']}: {name}": found for one in questions if one["measure"] == measure
            for name, found in one["differences"].items()}
    further = sum(low > 0 for _, low, _ in rows.values())
    nearer = sum(high < 0 for _, _, high in rows.values())
    figure, ((axes,),) = drawing.lesson(
        1.2 + 0.25 * len(rows), f"By {measure}, {further} of {len(rows)} other ways are further from 2015's picture than "
                                f"2015's own, {nearer} are nearer, and {len(rows) - further - nearer} can't be told from it")
    for row, (value, low, high) in enumerate(rows.values()):
        colour = OURS if low > 0 else WRONG if high < 0 else CEILING
        axes.errorbar(value, row, xerr=[[value - low], [high - value]], fmt="o", color=colour, capsize=3, ms=4)
    axes.axvline(0, color="black", lw=0.8)
    axes.set_yticks(range(len(rows)), rows, fontsize=9)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xscale("symlog", linthresh=0.01)
    axes.set_xlabel(f"{measure}: how much more 2015's own way has, with 95 % intervals")
    axes.grid(axis="x", alpha=0.3)
    return figure


def interval(axes: Axes, values: dict[int, Sequence[float]], style: str, colour: str) -> None:
    """A line of values over their keys, and their intervals as a band."""
    value, low, high = np.array(list(values.values())).T
    axes.plot(list(values), value, style, color=colour, lw=1.5)
    axes.fill_between(list(values), low, high, color=colour, alpha=0.15, lw=0)
