"""The summary of a measurement as markdown."""

from lsd_repro.bench import summary
from lsd_repro.bench.contenders import KEEP, KEEPING, OURS, PLAIN

HEAD = ("| network, size | part | ours, s | / plain Theano | / PyTorch | SGEMM limit / ours "
        "| ours, peak MiB | / plain Theano | / PyTorch |",
        "|---|---|---|---|---|---|---|---|---|")


def markdown(result):
    """Table, notes and verdicts.

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
    if not any(summary.pytorch(race) for race in races):
        lines += ["", "PyTorch was not here and is left out: pip install 'lsd_repro[bench]' brings it "
                      "(Python 3.10 or newer)."]
    notes = [*summary.verdicts(result), *keeping(races), *apart(races), *failures(races),
             *unfinished(races, result["repeats"])]
    lines += ["", *(f"* {text}" for text in notes)]
    return "\n".join(lines).rstrip() + "\n"


def film_markdown(result):
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
            rate = summary.spread([result["frames"] / seconds for seconds in found["seconds"]])
            lines.append(f"| {name} | {rate.median:.1f} ({rate.low:.1f} to {rate.high:.1f}) "
                         f"| {found['peak MiB']:.0f} |")
    return "\n".join(lines) + "\n"


def conditions(result):
    """What was measured on, and how."""
    return (f"{result['machine']['processor']}, {result['threads']} threads, medians of {result['repeats']} rounds in "
            "alternation (quartiles).")


def row(race):
    """A race in the table."""
    rival = summary.pytorch(race)
    ours = summary.seconds(race, OURS)
    peak = None if ours is None else race["contenders"][OURS]["peak MiB"]
    size = "x".join(map(str, race["size"]))
    cells = [f"{race['width']}, {size}" if race["width"] else size, race["part"],
             None if ours is None else f"{summary.spread(ours).median:.3g}",
             summary.ratio(race, OURS, PLAIN), summary.ratio(race, OURS, rival), summary.gemm_fraction(race, OURS),
             None if peak is None else f"{peak:.0f}", *(
                 None if value is None else f"{value:.2f}"
                 for value in (summary.memory_ratio(race, OURS, other) for other in (PLAIN, rival)))]
    return "| " + " | ".join("-" if cell is None else str(cell) for cell in cells) + " |"


def rates(races):
    """The range over all rounds of the rate of each library."""
    found = {}
    for race in races:
        for library, one in race["sgemm"].items():
            found.setdefault(library, []).extend(rate / 1e9 for rate in one["values"])
    return ", ".join(f"{library} {min(some):.0f} to {max(some):.0f}" for library, some in found.items() if some)


def keeping(races):
    """A line on each PyTorch that keeps freed memory."""
    for race in races:
        for name in race["contenders"]:
            found = summary.ratio(race, OURS, name)
            if found and name.startswith(KEEPING):
                memory = summary.memory_ratio(race, OURS, name)
                yield f"{summary.title(race)}: {found} of the time and {memory:.2f} of the memory of {name}"


def apart(races):
    """A line on each measurement of one of our Ops without the others."""
    for race in races:
        for name in race["contenders"]:
            found = summary.ratio(race, name, PLAIN)
            if found and name not in (OURS, PLAIN) and "PyTorch" not in name:
                yield f"{summary.title(race)}: {name} takes {found} of plain Theano's time"


def failures(races):
    """A line on each contender that could not be measured."""
    for race in races:
        for name, found in [*race["contenders"].items(), *((f"SGEMM of {k}", v) for k, v in race["sgemm"].items())]:
            if "failed" in found:
                yield f"{summary.title(race)}: {name} left out: {found['failed']}"


def unfinished(races, repeats):
    """A line on each race that was broken off."""
    for race in races:
        if race["rounds"] < repeats:
            yield f"{summary.title(race)}: broken off after {race['rounds']} of {repeats} rounds"
