"""How fast a step is, and how much memory it takes, beside others that compute the same."""

import numpy as np
from matplotlib.figure import Figure

from lsd_repro.bench import summary
from lsd_repro.bench.contenders import OURS, PLAIN
from lsd_repro.figures.drawing import COLOURS

PARTS = "network", "prior", "whole"
LIMIT = "matrix products at the SGEMM rate"
PYTORCH = "PyTorch, fastest layout"
STYLES = {OURS: {"color": COLOURS["student"], "marker": "o"}, PLAIN: {"color": "#7f7f7f", "marker": "s"},
          PYTORCH: {"color": COLOURS["gaussian"], "marker": "^"}}
NETWORKS = {"shipped": "the small network that ships", "full": "VGG-16 at full width"}


def step(result):
    """Times by part, time and memory by size, for each network.

    Parameters
    ----------
    result : dict
        From `lsd_repro.bench.measure.measure`, with at least one whole race.
    """
    races = [race for race in result["races"] if race["rounds"]]
    widths = list(dict.fromkeys(race["width"] for race in races if race["width"]))
    sizes = [race["size"] for race in races if race["part"] == "whole"]
    size = summary.TARGET_SIZE if summary.TARGET_SIZE in sizes else max(sizes)
    figure = Figure((13, 0.9 + 4.2 * len(widths)), layout="constrained")
    figure.suptitle(f"A gradient step on {result['machine']['processor']}, {result['threads']} threads: "
                    f"medians of {result['repeats']} rounds in alternation, whiskers: quartiles")
    rows = figure.subplots(len(widths), 3, squeeze=False, width_ratios=(1.5, 1, 1))
    for (bars, times, memory), width in zip(rows, widths):
        of_width = [race for race in races if race["width"] in (width, None)]
        parts(bars, [race for race in of_width if race["size"] == size])
        bars.set_title(f"{NETWORKS[width]}, {size[0]}x{size[1]}", fontsize=10)
        whole = sorted((race for race in of_width if race["part"] == "whole"), key=pixels)
        by_size(times, whole, lambda race, name: seconds_per_megapixel(race, summary.seconds(race, name)))
        by_size(times, whole, lambda race, _: seconds_per_megapixel(race, summary.gemm_seconds(race)), [LIMIT])
        times.set_ylabel("seconds per megapixel")
        times.set_title("whole step: flat if the cost grows with pixels", fontsize=10)
        by_size(memory, whole, peak)
        memory.set_ylabel("peak memory of the process (GiB)")
        memory.set_title("whole step: memory", fontsize=10)
    handles, labels = rows[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


def parts(axes, races):
    """Times by part, relative to PyTorch's fastest (to plain Theano without it)."""
    races = sorted(races, key=lambda race: PARTS.index(race["part"]))
    for index, name in enumerate((OURS, PLAIN, PYTORCH)):
        found = [summary.ratio(race, contender(race, name), reference(race)) for race in races]
        at = [place + 0.26 * (index - 1) for place, one in enumerate(found) if one]
        found = [one for one in found if one]
        if not found:
            continue
        middle, low, high = np.transpose(found)
        axes.bar(at, middle, 0.24, yerr=(middle - low, high - middle), capsize=2, color=STYLES[name]["color"],
                 label=name)
        for x, one in zip(at, found):
            axes.annotate(f"{one.median:.2f}", (x, one.high), (0, 3), textcoords="offset points", ha="center",
                          fontsize=8)
    for place, race in enumerate(races):
        times, least = summary.seconds(race, reference(race)), summary.gemm_seconds(race)
        if times is not None and least is not None:
            axes.hlines(summary.spread(least / times).median, place - 0.4, place + 0.4, color="black", lw=1.5,
                        label=None if place else LIMIT)
    axes.set_xticks(range(len(races)), [race["part"] for race in races])
    axes.set_ylabel("time (PyTorch: 1)" if any(map(summary.pytorch, races)) else "time (plain Theano: 1)")
    axes.grid(alpha=0.3, axis="y")


def by_size(axes, races, value, names=(OURS, PLAIN, PYTORCH)):
    """A line for each contender over the pictures' sizes; `value` is None where there is none."""
    for name in names:
        found = [(pixels(race), value(race, contender(race, name))) for race in races]
        found = [(x, y) for x, y in found if y is not None]
        if found:
            style = STYLES.get(name, {"color": "black", "marker": "_"})
            axes.plot(*zip(*found), label=name, **style)
    axes.set_xscale("log")
    axes.set_xticks([pixels(race) for race in races], ["x".join(map(str, race["size"])) for race in races], fontsize=8)
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)


def contender(race, name):
    """The contender that a label stands for."""
    return summary.pytorch(race) if name == PYTORCH else name


def reference(race):
    return summary.pytorch(race) or PLAIN


def pixels(race):
    return race["size"][0] * race["size"][1] / 1e6


def seconds_per_megapixel(race, seconds):
    return None if seconds is None else np.median(seconds) / pixels(race)


def peak(race, name):
    """Peak memory of a contender in GiB."""
    return None if summary.seconds(race, name) is None else race["contenders"][name]["peak MiB"] / 1024
