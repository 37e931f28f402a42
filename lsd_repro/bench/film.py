"""The film: video frames a second, with caption and H.264, by each way of computing them."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Callable

from lsd_repro.bench import problem
from lsd_repro.bench.contenders import Contender
from lsd_repro.film.schedule import Scene
from lsd_repro.film.stream import video_frames
from lsd_repro.film.write import write_film
from lsd_repro.film.zoom import zoom_picture
from lsd_repro.hints import Pixels
from lsd_repro.program2015 import FRAMES_PER_SECOND, STREAM
from lsd_repro.step.target import Classes

# From optimised frames, scenes and a program to video frames; ours is the first.
PATHS: dict[str, Callable[..., Iterator[Pixels]]] = {"ours": video_frames, "scikit-image": partial(video_frames, plain=True)}


def contenders(frames: int) -> list[Contender]:
    """One for each path; the number of each is that of the frames written."""
    return [Contender(path, "lsd_repro.bench.film:make", {"path": path, "frames": frames}) for path in PATHS]


def make(path: str, frames: int) -> Callable[[], int]:
    """Prepare two optimised frames of the stream's size.

    Parameters
    ----------
    path : str
        Of `PATHS`.
    frames : int
        Video frames between the two.

    Returns
    -------
    function
        Writes the film between them at the stream's film size, and returns the number
        of its frames.
    """
    program = replace(STREAM, video_frames_per_frame=frames)
    first = problem.picture((STREAM.width, STREAM.height))
    pair = [first, zoom_picture(first, frames)]
    scenes = [Scene(Classes(*problem.CLASSES), "analog clock & wood rabbit")]

    def write():
        with tempfile.TemporaryDirectory() as folder:
            write_film(Path(folder, "film.mp4"), PATHS[path](pair, scenes, program),
                       (program.video_width, program.video_height), FRAMES_PER_SECOND)
        return frames

    return write
