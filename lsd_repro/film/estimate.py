"""How long films will take, estimated from a few timed steps and video frames."""

import itertools
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lsd_repro.film import write
from lsd_repro.film.schedule import Scene
from lsd_repro.film.stream import video_frames
from lsd_repro.program2015 import FRAMES_PER_SECOND, Program

if TYPE_CHECKING:
    from lsd_repro.step.gradient import GradientStep

# Video frames to time: enough for the encoder to get going.
VIDEO_FRAMES = 25


class Pace(NamedTuple):
    """Seconds that a step takes on average over the parts of a frame, and a video frame."""

    step: float
    video_frame: float

    def seconds(self, program: Program, frames: int, films: int) -> float:
        """For this many optimised frames still to come, and this many frames to film."""
        return (frames * program.steps_per_frame * self.step
                + films * program.video_frames_per_frame * self.video_frame)


def measure(step: "GradientStep", scene: Scene, program: Program) -> Pace:
    """Time a step, and the film between two frames.

    Parameters
    ----------
    step : GradientStep
        Moves on by two steps at each network scale: the first one allocates its maps.
    scene : Scene
    program : Program

    Returns
    -------
    Pace
    """
    before = step.picture.copy()
    seconds = 0.0
    for scale, steps in program.parts:
        if scale:
            step.network_scale = scale
        step.step(scene.target)
        seconds += steps * _timed(lambda: step.step(scene.target))
    a_step = seconds / program.steps_per_frame
    count = min(VIDEO_FRAMES, program.video_frames_per_frame)
    if not count:
        return Pace(a_step, 0.0)
    filmed = itertools.islice(video_frames([before, step.picture], [scene], program), count)
    size = program.video_width, program.video_height
    with tempfile.TemporaryDirectory() as folder:
        all_frames = _timed(lambda: write.write_film(Path(folder) / "film.mp4", filmed, size, FRAMES_PER_SECOND))
    return Pace(a_step, all_frames / count)


def _timed(action):
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def in_words(seconds: float) -> str:
    """Such as ``40 s``, ``12 min`` or ``2.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"
