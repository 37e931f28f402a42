"""Makes a film of a live run's kept frames: ``python -m lsd_repro.live.saving OUT LAST WIDTH HEIGHT``.

It runs in a process of its own, so that neither the dream nor the page waits, and prints the
share that is done, line by line.
"""

import os
import sys
from pathlib import Path
from typing import Any, Callable, Optional

from lsd_repro.film.write import write_film
from lsd_repro.live import journal
from lsd_repro.material import files
from lsd_repro.material.files import PathLike
from lsd_repro.program2015 import FRAMES_PER_SECOND


def film_file(out: PathLike, last: int) -> Path:
    """Where the film that ends at a frame lies."""
    return Path(out) / "films" / f"film{last:06d}.mp4"


def save(out: PathLike, last: int, size: tuple[int, int], report: Optional[Callable[[float], Any]] = None) -> Path:
    """Write the film of the kept frames up to number `last`.

    Parameters
    ----------
    out : path
        The run's folder.
    last : int
    size : (int, int)
        Width and height.
    report : callable, optional
        Called with the share that is done.

    Returns
    -------
    Path
    """
    segments = [segment for segment in journal.read_segments(out)
                if segment.index <= last and journal.frame_file(out, segment.index - 1).exists()]
    total, path = sum(segment.k for segment in segments), film_file(out, last)
    files.make_folder(path.parent)
    write_film(path, _frames(out, segments, size), size, FRAMES_PER_SECOND,
               report and (lambda count: report(count / total)))
    return path


def _frames(out, segments, size):
    b = None
    for segment in segments:
        try:
            a = journal.read_frame(out, segment.index - 1) if b is None else b
            b = journal.read_frame(out, segment.index)
        except FileNotFoundError:
            b = None  # the dream goes on meanwhile, and the first frames may be gone
            continue
        yield from journal.video_frames(a, b, segment, size[::-1])


if __name__ == "__main__":
    os.nice(10)
    shown = -1.0

    def report(share):
        global shown
        if share - shown >= 0.01:
            shown = share
            print(f"{share:.3f}", flush=True)

    out, last, width, height = sys.argv[1], *map(int, sys.argv[2:])
    save(out, last, (width, height), report)
