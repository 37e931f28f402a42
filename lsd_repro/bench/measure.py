"""The races of ``lsd-repro bench``, kept in a JSON file round by round, with a table and a figure of it.

The file holds every number that was measured; `lsd_repro.bench.table` makes medians and
ratios of them.
"""

import json
import os
import platform
from collections.abc import Iterator, Sequence
from contextlib import closing
from importlib import metadata
from pathlib import Path
from typing import Any, Callable, Optional

from lsd_repro.bench import contenders, film, problem, table, worker
from lsd_repro.bench.race import race
from lsd_repro.errors import InputError, OptionError
from lsd_repro.figures import bench as figures
from lsd_repro.figures import drawing
from lsd_repro.material import arrays, files
from lsd_repro.material.lock import one_at_a_time
from lsd_repro.program2015 import PATCH_SIZE, STREAM
from lsd_repro.runtime import toolchain
from lsd_repro.runtime.openblas import kernels
from lsd_repro.runtime.provenance import versions

FILE, FILM_FILE = "bench.json", "bench-film.json"
CONDITIONS = "machine", "versions", "threads", "repeats"

Size = tuple[int, int]
Report = Callable[[str], None]


def step_pages(out: files.PathLike, *args: Any, **kwargs: Any) -> str:
    """Measure the step into ``bench.json``, ``bench.png`` and ``bench.md``, and return the table.

    Parameters and errors are those of `measure`.
    """
    return write_step_pages(out, measure(out, *args, **kwargs))


def write_step_pages(out: files.PathLike, result: dict[str, Any]) -> str:
    """Write ``bench.png`` and ``bench.md`` of what `measure` returned, and return the table."""
    drawing.save(Path(out) / "bench.png", figures.step(**table.drawn(result)))
    return _write_text(Path(out) / "bench.md", table.markdown(result))


def film_pages(out: files.PathLike, *args: Any, **kwargs: Any) -> str:
    """Measure the film into ``bench-film.json`` and ``bench-film.md``, and return the table.

    Parameters are those of `measure_film`.
    """
    return _write_text(Path(out) / "bench-film.md", table.film_markdown(measure_film(out, *args, **kwargs)))


def _write_text(path, text):
    files.write_bytes(path, text.encode())
    return text


@one_at_a_time
def measure(out: files.PathLike, sizes: Sequence[Size], widths: Sequence[str], repeats: int, threads: int,
            apart: bool = False, resume: bool = False, report: Report = lambda text: None) -> dict[str, Any]:
    """Race the contenders for every part of the step, at every size and width.

    Parameters
    ----------
    out : path
        Folder for ``bench.json``, which is written after every round.
    sizes : sequence of (width, height)
    widths : sequence of {"shipped", "full"}
    repeats : int
        Rounds.
    threads : int
    apart : bool
        As in `lsd_repro.bench.contenders.for_step`.
    resume : bool
        Keep the races that ``bench.json`` holds whole, and run those that it lacks.
    report : callable
        Called with a line of text as things go.

    Returns
    -------
    dict
        What ``bench.json`` holds.

    Raises
    ------
    InputError
        If a picture is too small, there is nothing to resume, or it was measured under
        other conditions.
    """
    for size in sizes:
        check_size(*size)
    path = Path(out) / FILE
    result = {**conditions(repeats, threads), "races": []}
    if resume:
        result["races"] = [one for one in earlier(path, result) if one["rounds"] == repeats]
    files.make_folder(out)
    known = [(one["part"], one["width"], one["size"]) for one in result["races"]]
    for part, width, size in wanted(sizes, widths):
        if (part, width, list(size)) in known:
            continue
        one: dict[str, Any] = {
            "part": part, "width": width, "size": list(size), "operations": problem.operations(part, width, size),
            "rounds": 0, "contenders": {}, "sgemm": {}}
        result["races"].append(one)

        def line(text):
            report(f"{table.title(one)}: {text}")

        steps = race(contenders.for_step(part, width, size, apart), repeats, threads, one["contenders"], report=line)
        products = race(contenders.for_sgemm(), repeats, threads, one["sgemm"], agree=False,
                        report=lambda text: line(f"SGEMM of {text}"))
        with closing(steps), closing(products):
            for one["rounds"], _ in zip(steps, products):
                files.write_json(path, result)
    return result


@one_at_a_time
def measure_film(out: files.PathLike, frames: int, repeats: int, threads: int,
                 report: Report = lambda text: None) -> dict[str, Any]:
    """Race the ways of computing video frames, into ``bench-film.json``.

    Parameters
    ----------
    out : path
    frames : int
        Video frames of the film that each writes in each round.
    repeats, threads, report
        As in `measure`.

    Returns
    -------
    dict
        What ``bench-film.json`` holds.
    """
    files.make_folder(out)
    result = {**conditions(repeats, threads), "frames": frames, "contenders": {}}
    with closing(race(film.contenders(frames), repeats, threads, result["contenders"], report=report)) as rounds:
        for result["rounds"] in rounds:
            files.write_json(Path(out) / FILM_FILE, result)
    return result


def check_size(width: int, height: int) -> None:
    """InputError for a picture that is too small for the stream's prior; any network then has room."""
    least = max(STREAM.prior_scales) * PATCH_SIZE
    if min(width, height) < least:
        raise OptionError("sizes", f"{width}x{height}: the prior of the stream needs at least {least}x{least}")


def wanted(sizes: Sequence[Size], widths: Sequence[str]) -> Iterator[tuple[str, Optional[str], Size]]:
    """(part, width, size) of all races; the prior alone has no width."""
    for size in sorted(sizes):
        yield "prior", None, size
        for width in widths:
            yield "network", width, size
            yield "whole", width, size


def conditions(repeats: int, threads: int) -> dict[str, Any]:
    """What numbers depend on; nothing that tells one machine of a kind from another."""
    found = versions()
    if contenders.has_torch():
        found["torch"] = metadata.version("torch")
    memory = worker.total_memory()
    return {"machine": {"processor": processor(), "cores": os.cpu_count(),
                        "OpenBLAS kernel": kernels(toolchain.find_blas().path), "system": platform.system(),
                        "memory GiB": memory and round(memory / 2 ** 30)},
            "versions": found, "threads": threads, "repeats": repeats}


def processor() -> str:
    """The model name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def earlier(path: Path, now: dict[str, Any]) -> list[dict[str, Any]]:
    """The races in a file, if it was written under the conditions of `now`."""
    try:
        found = json.loads(path.read_text())
        changed = [name for name in CONDITIONS if found[name] != now[name]]
        races = found["races"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{path} holds no measurements to resume ({arrays.reason(error)}); leave out resume=True") from error
    if changed:
        raise InputError(f"{path} was measured with other {' and '.join(changed)}: leave out resume=True, "
                         "or choose another out=")
    return races
