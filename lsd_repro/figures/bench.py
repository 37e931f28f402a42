"""How fast a step is, and how much memory it takes, beside others that compute the same."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lsd_repro.figures.drawing import COLOURS

LIMIT = "matrix products at the SGEMM rate"
# Of contenders, in their order.
STYLES: tuple[dict[str, Any], ...] = ({"color": COLOURS["student"], "marker": "o"}, {"color": "#7f7f7f", "marker": "s"},
          {"color": COLOURS["gaussian"], "marker": "^"})
LIMIT_STYLE: dict[str, Any] = {"color": "black", "marker": "_"}

Size = tuple[int, int]


def step(title: str, networks: Sequence[dict[str, Any]]) -> Figure:
    """Times by part, time and memory by size, for each network.

    Parameters
    ----------
    title : str
    networks : sequence of dict
        A row each: its ``"title"``; ``"parts"``, times of contenders (median, low, high) by part and
        by name, in the ``"unit"`` that this names; ``"least"``, by part, what matrix products alone
        take (or None) in this unit; and for the whole step, by name and by size (width, height),
        ``"seconds"`` and ``"GiB"``, and by size ``"least seconds"``.
    """
    figure = Figure((13, 0.9 + 4.2 * len(networks)), layout="constrained")
    figure.suptitle(title)
    rows = figure.subplots(len(networks), 3, squeeze=False, width_ratios=(1.5, 1, 1))
    for (bars, times, memory), network in zip(rows, networks):
        parts(bars, network["parts"], list(network["seconds"]), network["least"])
        bars.set_title(network["title"], fontsize=10)
        bars.set_ylabel(f"time ({network['unit']}: 1)")
        sizes = sorted({size for values in network["seconds"].values() for size in values}, key=megapixels)
        by_size(times, sizes, {**network["seconds"], LIMIT: network["least seconds"]}, per_megapixel=True)
        times.set_ylabel("seconds per megapixel")
        times.set_title("whole step: flat if the cost grows with pixels", fontsize=10)
        by_size(memory, sizes, network["GiB"])
        memory.set_ylabel("peak memory of the process (GiB)")
        memory.set_title("whole step: memory", fontsize=10)
    handles, labels = rows[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


def parts(axes: Axes, found: dict[str, dict[str, Any]], names: list[str], least: dict[str, Any]) -> None:
    """Bars by part and by name; see `step`."""
    for index, name in enumerate(names):
        values = [(place + 0.26 * (index - 1), of_part[name]) for place, of_part in enumerate(found.values())
                  if name in of_part]
        if not values:
            continue
        at = [x for x, _ in values]
        middle, low, high = np.transpose([spread for _, spread in values])
        axes.bar(at, middle, 0.24, yerr=(middle - low, high - middle), capsize=2, color=STYLES[index]["color"],
                 label=name)
        for x, value, top in zip(at, middle, high):
            axes.annotate(f"{value:.2f}", (x, top), (0, 3), textcoords="offset points", ha="center", fontsize=8)
    for place, part in enumerate(found):
        if least[part] is not None:
            axes.hlines(least[part], place - 0.4, place + 0.4, color="black", lw=1.5, label="" if place else LIMIT)
    axes.set_xticks(range(len(found)), list(found))
    axes.grid(alpha=0.3, axis="y")


def by_size(axes: Axes, sizes: list[Size], lines: dict[str, dict[Size, float]], per_megapixel: bool = False) -> None:
    """A line for each name over the pictures' sizes."""
    for (name, values), style in zip(lines.items(), (*STYLES, LIMIT_STYLE)):
        if values:
            x = [megapixels(size) for size in values]
            axes.plot(x, np.divide(list(values.values()), x if per_megapixel else 1), label=name, **style)
    axes.set_xscale("log")
    axes.set_xticks([megapixels(size) for size in sizes], ["{}x{}".format(*size) for size in sizes], fontsize=8)
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)


def megapixels(size: Size) -> float:
    """Of a picture (width, height)."""
    return size[0] * size[1] / 1e6
