"""One frame of 2015, predicted: the figure of ``lsd-repro transition``."""

import textwrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.ndimage import uniform_filter

from lsd_repro.figures import drawing

SHARE = 4  # a close-up is this many times as small as the picture
HEADLINE = 105  # characters
OURS, WRONG, CEILING = "#1b6ca8", "#d95f02", "0.35"


def transition(pictures: dict[str, np.ndarray], numbers: dict[str, Any], ceiling: str, blur: int) -> Figure:
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


def busiest(change: np.ndarray, height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns of the window of that size in which a change (h, w, 3) is largest."""
    energy = uniform_filter((change ** 2).sum(axis=2), (height, width), mode="constant")
    top, left = height // 2, width // 2
    inside = energy[top:change.shape[0] - height + top + 1, left:change.shape[1] - width + left + 1]
    y, x = np.unravel_index(inside.argmax(), inside.shape)
    return slice(y, y + height), slice(x, x + width)


def finding(numbers: dict[str, Any], ceiling: str, blur: int) -> str:
    """What the correlations say, in a sentence; that the change shows the class only if the intervals say so."""
    target = numbers["target"]
    value, low, _ = numbers["arms"][target]["correlation"][blur]
    wrong = [numbers["arms"][name]["correlation"][blur] for name in numbers["wrong"]]
    text = f"Correlation of our change with 2015's, at a blur of {blur} pixels: {value:.2f} towards {target}"
    if wrong:
        others = sorted(one[0] for one in wrong)
        named = numbers["wrong"][0] if len(wrong) == 1 else f"{len(wrong)} other classes"
        text += f", {others[0]:.2f}" + (f" to {others[-1]:.2f}" if len(others) > 1 else "") + f" towards {named}"
    if ceiling in numbers["arms"]:
        text += f", {numbers['arms'][ceiling]['correlation'][blur][0]:.2f} at best"
    if wrong and low > max(high for _, _, high in wrong):
        text = f"The frame of 2015 itself says {target}. {text}"
    return text


def coherences(axes: Axes, numbers: dict[str, Any], ceiling: str) -> None:
    """Signed roots of the coherence with 2015's change by frequency: the target, ceiling and wrong classes, with intervals."""
    frequencies = numbers["frequencies"]
    lines = [(ceiling, "at best: ours against ours, begun half a grey level beside", CEILING, "--")]
    lines += [(numbers["target"], f"{numbers['target']}, ours against 2015's", OURS, "-")]
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
