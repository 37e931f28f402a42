"""What ``lsd-repro bench`` leaves behind: numbers, a figure and a table."""

from pathlib import Path

from lsd_repro.bench import measure, table
from lsd_repro.figures import bench as figures
from lsd_repro.figures import drawing
from lsd_repro.material import files


def step(out, *args, **kwargs):
    """Measure the step into ``bench.json``, ``bench.png`` and ``bench.md``.

    Parameters and errors are those of `lsd_repro.bench.measure.measure`.

    Returns
    -------
    str
        The table.
    """
    result = measure.measure(out, *args, **kwargs)
    drawing.save(Path(out) / "bench.png", figures.step(result))
    return _write(Path(out) / "bench.md", table.markdown(result))


def film(out, *args, **kwargs):
    """Measure the film into ``bench-film.json`` and ``bench-film.md``.

    Parameters are those of `lsd_repro.bench.measure.measure_film`.

    Returns
    -------
    str
        The table.
    """
    return _write(Path(out) / "bench-film.md", table.film_markdown(measure.measure_film(out, *args, **kwargs)))


def _write(path, text):
    files.write_bytes(path, text.encode())
    return text
