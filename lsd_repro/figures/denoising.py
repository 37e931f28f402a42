"""The figure of ``lsd-repro prior denoise``."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lsd_repro.figures import drawing
from lsd_repro.hints import Picture

COLUMNS = 5
FAR = 2.5  # dB below the median
KINDS = {"gaussian": drawing.COLOURS["gaussian"], "student": drawing.COLOURS["student"], "2015": "#7a3e9d"}


def denoising(numbers: dict[str, Any], methods: dict[str, Any], sigmas: Sequence[int],
              example: Mapping[str, Picture]) -> Figure:
    """A crop denoised in each way, above the mean PSNR of each on all pictures.

    Parameters
    ----------
    numbers : dict
        As in ``denoising.json``.
    methods : dict
        From name to `lsd_repro.compare.denoising.Method`.
    sigmas : sequence of int
    example : dict
        From title to picture (side, side, 3) in 0..255.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = -(-len(example) // COLUMNS)
    columns = -(-len(example) // rows)
    figure = Figure((11, 2.75 * rows + 3.4), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(2.75 * rows, 3.4))
    cells = above.subplots(rows, columns, squeeze=False).ravel()
    for cell in cells:
        cell.axis("off")
    for cell, (title, picture) in zip(cells, example.items()):
        drawing.show(cell, picture, "\n".join(textwrap.fill(line, 26) for line in title.split("\n")), fontsize=9)
    figure.suptitle(finding(numbers, methods, sigmas), fontsize=11)
    levels(below.subplots(1, len(sigmas), sharey=True, squeeze=False)[0], numbers, methods, sigmas)
    return figure


def finding(numbers: dict[str, Any], methods: dict[str, Any], sigmas: Sequence[int]) -> str:
    """What the means say, in a line: the best method, and how far it is from the worst and from the best published one."""
    sigma = sigmas[len(sigmas) // 2]
    means = {name: numbers["mean PSNR"][name][sigma] for name in methods}
    best, worst = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
    text = f'At sigma {sigma} "{methods[best].label}" is best'
    if best != worst:
        text += f', {means[best] - means[worst]:.1f} dB above "{methods[worst].label}"'
    known = {name: values[sigma] for name, values in numbers["published"].items() if sigma in values}
    if known:
        first = max(known, key=known.__getitem__)
        text += f" and {known[first] - means[best]:.1f} dB below {first}"
    return text


def levels(axes: Sequence[Axes], numbers: dict[str, Any], methods: dict[str, Any], sigmas: Sequence[int]) -> None:
    """Mean PSNR of each method, a panel for each level of noise, and the published ones as lines; an arrow is out of sight."""
    places = range(len(methods))[::-1]
    for one, sigma in zip(axes, sigmas):
        means = [numbers["mean PSNR"][name][sigma] for name in methods]
        # One that falls far behind would push the others together.
        lowest = np.median(means) - FAR
        for place, name, mean in zip(places, methods, means):
            far = mean < lowest
            one.plot(max(mean, lowest), place, "<" if far else "o", color=KINDS[name.partition("-")[0]], ms=7)
            one.annotate(f"{mean:.2f}", (max(mean, lowest), place), xytext=(0, 7), textcoords="offset points",
                         ha="center", fontsize=8)
        for style, (name, known) in zip(("-", ":"), numbers["published"].items()):
            if sigma in known:
                one.axvline(known[sigma], color="0.4", ls=style, lw=1.2, label=f"{name}, published")
        one.margins(x=0.12)
        one.set_ylim(-0.6, len(methods) - 0.2)
        one.set_title(f"sigma {sigma}", fontsize=10)
        one.set_xlabel(f"mean PSNR of {len(numbers['pictures'])} pictures, dB")
        one.grid(axis="x", alpha=0.3)
    axes[0].set_yticks(list(places), [method.label for method in methods.values()], fontsize=9)
    if numbers["published"]:
        axes[0].figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9,
                              frameon=False)
