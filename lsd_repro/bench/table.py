"""What a measurement says: medians and ratios over rounds, as markdown, and as what its figure draws."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Callable, NamedTuple, Optional

import numpy as np

from lsd_repro.bench.contenders import KEEP, KEEPING, OURS, PLAIN
from lsd_repro.hints import Floats, Values
from lsd_repro.program2015 import STREAM

Result = dict[str, Any]  # what `lsd_repro.bench.measure.measure` returns
Race = dict[str, Any]  # one of its "races"

HEAD = ("| network, size | part | ours, s | / plain Theano | / PyTorch | SGEMM limit / ours "
        "| ours, peak MiB | / plain Theano | / PyTorch |",
        "|---|---|---|---|---|---|---|---|---|")
# In figures.
PARTS = "network", "prior", "whole"
FASTEST = "PyTorch, fastest layout"
NAMES = OURS, PLAIN, FASTEST
NETWORKS = {"shipped": "the small network that ships", "full": "VGG-16 at full width"}


class Spread(NamedTuple):
    """Median and quartiles over rounds."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


def title(race: Race) -> str:
    """What a race was about."""
    return " ".join(filter(None, [race["part"], race["width"], "x".join(map(str, race["size"]))]))


def spread(values: Values) -> Spread:
    """Median and quartiles of numbers, one for each round."""
    return Spread(*np.percentile(values, (50, 25, 75)))


def seconds(race: Race, name: Optional[str]) -> Optional[Floats]:
    """The times of a contender, round by round; None if it did not take part, or failed."""
    found = race["contenders"].get(name, {"failed": "left out"})
    return None if "failed" in found else np.array(found["seconds"])


def pytorch(race: Race) -> Optional[str]:
    """The name of PyTorch's fastest contender by the median; None without any."""
    times = {name: seconds(race, name) for name in race["contenders"] if name.startswith("PyTorch")}
    medians = {name: np.median(values) for name, values in times.items() if values is not None}
    return min(medians, key=medians.__getitem__) if medians else None


def ratio(race: Race, name: Optional[str], other: Optional[str]) -> Optional[Spread]:
    """Time of one contender over that of another, in the same round; None without either."""
    ours, theirs = seconds(race, name), seconds(race, other)
    return None if ours is None or theirs is None else spread(ours / theirs)


def gemm_seconds(race: Race) -> Optional[Floats]:
    """What the arithmetic takes at the largest rate of matrix products, round by round; None without a rate."""
    rates = [found["values"] for found in race["sgemm"].values() if "failed" not in found]
    return race["operations"] / np.max(rates, axis=0) if rates else None


def gemm_fraction(race: Race, name: str) -> Optional[Spread]:
    """Which part of a contender's time the arithmetic would take at the rate of matrix products."""
    ours, least = seconds(race, name), gemm_seconds(race)
    return None if ours is None or least is None else spread(least / ours)


def memory_ratio(race: Race, name: str, other: Optional[str]) -> Optional[float]:
    """Peak memory of one contender over that of another."""
    if other is None or seconds(race, name) is None or seconds(race, other) is None:
        return None
    return race["contenders"][name]["peak MiB"] / race["contenders"][other]["peak MiB"]


def markdown(result: Result) -> str:
    """Table and notes.

    Parameters
    ----------
    result : dict
        From `lsd_repro.bench.measure.measure`.

    Returns
    -------
    str
    """
    races = [race for race in result["races"] if race["rounds"]]
    lines = [f"{conditions(result)} Ratios are of times in the same round: below 1, ours takes less.", "",
             *HEAD, *map(row, races), "",
             "PyTorch is eager, in whichever memory layout (NCHW or channels_last, for network and prior apart) is "
             "fastest. The SGEMM limit is the time that the arithmetic of the convolutions would take at the largest "
             f"rate of matrix products measured in the same round. GFLOP/s: {rates(races)}; scipy's is the one that "
             f"Theano uses (its OpenBLAS kernel: {result['machine']['OpenBLAS kernel']})."]
    if any(keeping(races)):
        lines += ["", "PyTorch gives a step's maps back to the system, which has to clear their pages every time. "
                      f"\"{KEEPING.capitalize()}\" is PyTorch that was made to keep them "
                      f"({', '.join('='.join(setting) for setting in KEEP.items())})."]
    if not any(pytorch(race) for race in races):
        lines += ["", "PyTorch was not here and is left out: pip install 'lsd_repro[bench]' brings it "
                      "(Python 3.10 or newer)."]
    notes = [*keeping(races), *apart(races), *failures(races),
             *unfinished(races, result["repeats"])]
    lines += ["", *(f"* {text}" for text in notes)]
    return "\n".join(lines).rstrip() + "\n"


def film_markdown(result: Result) -> str:
    """Video frames a second, as a table.

    Parameters
    ----------
    result : dict
        From `lsd_repro.bench.measure.measure_film`.

    Returns
    -------
    str
    """
    lines = [conditions(result), "", "| computed by | video frames a second | peak MiB |", "|---|---|---|"]
    for name, found in result["contenders"].items():
        if "failed" in found:
            lines.append(f"| {name} | {found['failed']} | - |")
        else:
            rate = spread([result["frames"] / seconds for seconds in found["seconds"]])
            lines.append(f"| {name} | {rate.median:.1f} ({rate.low:.1f} to {rate.high:.1f}) "
                         f"| {found['peak MiB']:.0f} |")
    return "\n".join(lines) + "\n"


def conditions(result: Result) -> str:
    """What was measured on, and how."""
    return (f"{result['machine']['processor']}, {result['threads']} threads, medians of {result['repeats']} rounds in "
            "alternation (quartiles).")


def row(race: Race) -> str:
    """A race in the table."""
    rival = pytorch(race)
    ours = seconds(race, OURS)
    peak = None if ours is None else race["contenders"][OURS]["peak MiB"]
    size = "x".join(map(str, race["size"]))
    cells = [f"{race['width']}, {size}" if race["width"] else size, race["part"],
             None if ours is None else f"{spread(ours).median:.3g}",
             ratio(race, OURS, PLAIN), ratio(race, OURS, rival), gemm_fraction(race, OURS),
             None if peak is None else f"{peak:.0f}", *(
                 None if value is None else f"{value:.2f}"
                 for value in (memory_ratio(race, OURS, other) for other in (PLAIN, rival)))]
    return "| " + " | ".join("-" if cell is None else str(cell) for cell in cells) + " |"


def rates(races: Iterable[Race]) -> str:
    """The range over all rounds of the rate of each library."""
    found: dict[str, list[float]] = {}
    for race in races:
        for library, one in race["sgemm"].items():
            found.setdefault(library, []).extend(rate / 1e9 for rate in one["values"])
    return ", ".join(f"{library} {min(some):.0f} to {max(some):.0f}" for library, some in found.items() if some)


def keeping(races: Iterable[Race]) -> Iterator[str]:
    """A line on each PyTorch that keeps freed memory."""
    for race in races:
        for name in race["contenders"]:
            found = ratio(race, OURS, name)
            if found and name.startswith(KEEPING):
                memory = memory_ratio(race, OURS, name)
                yield f"{title(race)}: {found} of the time and {memory:.2f} of the memory of {name}"


def apart(races: Iterable[Race]) -> Iterator[str]:
    """A line on each measurement of one of our Ops without the others."""
    for race in races:
        for name in race["contenders"]:
            found = ratio(race, name, PLAIN)
            if found and name not in (OURS, PLAIN) and "PyTorch" not in name:
                yield f"{title(race)}: {name} takes {found} of plain Theano's time"


def failures(races: Iterable[Race]) -> Iterator[str]:
    """A line on each contender that could not be measured."""
    for race in races:
        for name, found in [*race["contenders"].items(), *((f"SGEMM of {k}", v) for k, v in race["sgemm"].items())]:
            if "failed" in found:
                yield f"{title(race)}: {name} left out: {found['failed']}"


def unfinished(races: Iterable[Race], repeats: int) -> Iterator[str]:
    """A line on each race that was broken off."""
    for race in races:
        if race["rounds"] < repeats:
            yield f"{title(race)}: broken off after {race['rounds']} of {repeats} rounds"


def drawn(result: Result) -> dict[str, Any]:
    """What `lsd_repro.figures.bench.step` draws of a measurement, by its parameters.

    Parameters
    ----------
    result : dict
        With at least one whole race.
    """
    races = [race for race in result["races"] if race["rounds"]]
    sizes = [race["size"] for race in races if race["part"] == "whole"]
    size = [STREAM.width, STREAM.height]
    size = size if size in sizes else max(sizes)
    networks = []
    for width in dict.fromkeys(race["width"] for race in races if race["width"]):
        of_width = [race for race in races if race["width"] in (width, None)]
        at_size = [race for part in PARTS for race in of_width if (race["part"], race["size"]) == (part, size)]
        whole = sorted((race for race in of_width if race["part"] == "whole"), key=pixels)
        networks.append({
            "title": f"{NETWORKS[width]}, {size[0]}x{size[1]}",
            "unit": "PyTorch" if any(map(pytorch, at_size)) else PLAIN,
            "parts": {race["part"]: bars(race) for race in at_size},
            "least": {race["part"]: least(race) for race in at_size},
            "seconds": {name: by_size(whole, lambda race: median(seconds(race, contender(race, name))))
                        for name in NAMES},
            "least seconds": by_size(whole, lambda race: median(gemm_seconds(race))),
            "GiB": {name: by_size(whole, lambda race: peak_gib(race, contender(race, name)))
                    for name in NAMES}})
    title = (f"A gradient step on {result['machine']['processor']}, {result['threads']} threads: "
             f"medians of {result['repeats']} rounds in alternation, whiskers: quartiles")
    return {"title": title, "networks": networks}


def bars(race: Race) -> dict[str, Spread]:
    """Times of those that the figure names, relative to PyTorch's fastest (to plain Theano's without it)."""
    found = {name: ratio(race, contender(race, name), pytorch(race) or PLAIN) for name in NAMES}
    return {name: one for name, one in found.items() if one}


def least(race: Race) -> Optional[float]:
    """What matrix products at their largest rate would take, in the same unit as `bars`."""
    times, products = seconds(race, pytorch(race) or PLAIN), gemm_seconds(race)
    return None if times is None or products is None else spread(products / times).median


def by_size(races: Sequence[Race], value: Callable[[Race], Optional[float]]) -> dict[tuple[int, int], float]:
    """A number of each race, by the size of its picture, where there is one."""
    found = {tuple(race["size"]): value(race) for race in races}
    return {size: number for size, number in found.items() if number is not None}


def median(values: Optional[Floats]) -> Optional[float]:
    """The median; None of None."""
    return None if values is None else float(np.median(values))


def contender(race: Race, name: str) -> Optional[str]:
    """The contender that a name in a figure stands for."""
    return pytorch(race) if name == FASTEST else name


def pixels(race: Race) -> int:
    """Of its picture."""
    return race["size"][0] * race["size"][1]


def peak_gib(race: Race, name: Optional[str]) -> Optional[float]:
    """Peak memory of a contender in GiB; None if it did not take part, or failed."""
    return None if seconds(race, name) is None else race["contenders"][name]["peak MiB"] / 1024
