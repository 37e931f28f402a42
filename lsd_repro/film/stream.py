"""The stream's loop, offline: scenes -> optimised frames -> a film; resumable.

The run's folder is `lsd_repro.film.run`'s; beside it, film.mp4 and contact.png are made at the end.
"""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Optional, Union

import numpy as np
from tqdm import tqdm

from lsd_repro.film import run, write
from lsd_repro.film.blend import blended, blended_plainly
from lsd_repro.film.caption import draw_caption
from lsd_repro.film.schedule import Scene
from lsd_repro.film.zoom import zoom_picture
from lsd_repro.material import files
from lsd_repro.material.files import PathLike
from lsd_repro.program2015 import FRAMES_PER_SECOND, Program

if TYPE_CHECKING:
    from lsd_repro.dream.step import Step, Terms

CONTACT_PICTURES = 6


def optimise_frame(step: "Step", scene: Scene, program: Program, on_step: Callable[["Terms"], Any]) -> None:
    """One turn of the stream's loop: zoom, reset Adam, take the steps.

    2015 quirk: moments reset at every frame (of the stream, not of the stills).

    Parameters
    ----------
    step : Step
    scene : Scene
        What to show.
    program : Program
        Sets zoom, steps, at which octaves they are taken, and whether Adam is reset.
    on_step : callable
        Called with the Terms of each step after it is taken.
    """
    if program.video_frames_per_frame:
        step.picture = zoom_picture(step.picture, program.video_frames_per_frame)
    if program.reset_moments:
        step.reset_moments()
    for scale, steps in program.octaves or [(None, program.steps_per_frame)]:
        if scale:
            step.network_scale = scale
        for _ in range(steps):
            on_step(step.step(scene.target))


def video_frames(frames: Union[Sequence[np.ndarray], run.Frames], scenes: Sequence[Scene], program: Program,
                 plain: bool = False) -> Iterator[np.ndarray]:
    """Yield the video frames between optimised frames, with their captions.

    2015 quirk: a frame behind.  2015 quirk: leading caption.

    Parameters
    ----------
    frames : sequence of ndarray, shape (height, width, 3)
        Optimised frames in 0..255, the start image first.
    scenes : sequence of Scene
        One for each pair of neighbouring frames.
    program : Program
        Sets the film's size, the video frames per optimised frame, and whether a caption
        comes a frame early (the last one then stays).
    plain : bool
        Warp and blend with scikit-image, as in 2015: slow, and equal to within a grey level.

    Yields
    ------
    ndarray, shape (video_height, video_width, 3), uint8
    """
    blend = blended_plainly if plain else blended
    shape = program.video_height, program.video_width
    captioned = [*scenes[1:], scenes[-1]] if program.caption_leads else scenes
    for index, scene in enumerate(captioned):
        for frame in blend(frames[index], frames[index + 1], program.video_frames_per_frame, shape):
            yield draw_caption(frame, scene.caption)


def make_film(out: PathLike, scenes: Sequence[Scene], program: Program, make_step: Callable[[], "Step"],
              parameters: dict[str, Any], resume: bool = False) -> None:
    """Run the stream over a plan of scenes and write frames, film and contact sheet.

    2015 quirk: deleted results (refused here).

    Parameters
    ----------
    out : path
        The run's folder; must be empty or absent, unless resuming.
    scenes : sequence of Scene
        One for each optimised frame.
    program : Program
    make_step : callable
        Returns the Step at the start image; called only when steps remain.
    parameters : dict
        From `lsd_repro.film.run.parameters`; kept in run.json.  A run resumes only under equal ones.
    resume : bool
        Continue the run in `out`.  The result is the same, bit for bit, as without the
        interruption.

    Raises
    ------
    InputError
        If `out` is not empty, holds no run to resume, or one with other parameters.
    """
    out = Path(out)
    run.open_record(out, parameters, resume)
    for folder in ("frames", "state"):
        files.make_folder(out / folder)
    saved = run.read_latest(out)
    if saved is None or saved[0] < len(scenes):
        optimise(out, make_step(), scenes, program, saved)
    frames = run.Frames(out, len(scenes) + 1, (program.height, program.width))
    if program.video_frames_per_frame:
        total = len(scenes) * program.video_frames_per_frame
        write.write_film(out / "film.mp4", tqdm(video_frames(frames, scenes, program), "film", total, unit="frame"),
                         (program.video_width, program.video_height), FRAMES_PER_SECOND)
    write.write_png(out / "contact.png", contact_sheet(frames, scenes))


def optimise(out: Path, step: "Step", scenes: Sequence[Scene], program: Program,
             saved: Optional[tuple[int, dict[str, np.ndarray]]]) -> None:
    """Optimise the frames that remain after what `lsd_repro.film.run.read_latest` found, saving each.

    2015 quirk: named by the step (by the frame here).
    """
    if saved is None:
        done = 0
        run.save_frame(out, 0, step)
    else:
        done, state = saved
        run.restore(out, step, state)
    steps = program.steps_per_frame
    with tqdm(total=len(scenes) * steps, initial=done * steps, unit="step", desc="dreaming") as bar:
        for index, scene in enumerate(scenes[done:], done + 1):

            def on_step(terms):
                run.check_finite(terms.loss, f"frame {index}")
                bar.set_postfix_str(f"{scene.caption}: loss {terms.loss:.2f}, target {terms.target:.2f}")
                bar.update()

            optimise_frame(step, scene, program, on_step)
            run.save_frame(out, index, step)


def contact_sheet(frames: Union[Sequence[np.ndarray], run.Frames], scenes: Sequence[Scene]) -> np.ndarray:
    """The last frame of every scene; of a single scene, frames from start to end."""
    ends = [index for index, (scene, following) in enumerate(itertools.zip_longest(scenes, scenes[1:]), 1)
            if scene != following]
    if len(ends) == 1:
        ends = sorted({round(index) for index in np.linspace(1, len(scenes), CONTACT_PICTURES)})
        captions = [f"{scenes[0].caption}, frame {index}" for index in ends]
    else:
        captions = [scenes[index - 1].caption for index in ends]
    return write.contact_sheet([write.as_still(frames[index]) for index in ends], captions)
