"""The stream's loop, offline: scenes -> optimised frames -> a film; resumable.

The run's folder is `lsd_repro.film.run`'s; beside it, film.mp4 and contact.png are made at the end.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional, Union

import numpy as np

from lsd_repro.film import encoder, run, write
from lsd_repro.film.blend import blended, blended_plainly
from lsd_repro.film.caption import draw_caption
from lsd_repro.film.schedule import Scene
from lsd_repro.film.zoom import zoom_picture
from lsd_repro.hints import Array, Picture, Pixels
from lsd_repro.material import files
from lsd_repro.material.files import PathLike
from lsd_repro.material.lock import one_at_a_time
from lsd_repro.program2015 import FRAMES_PER_SECOND, Program
from lsd_repro.runtime.progress import tqdm

if TYPE_CHECKING:
    from lsd_repro.step.gradient import GradientStep, Terms

CONTACT_PICTURES = 6


class Frame(NamedTuple):
    """An optimised frame; its picture is the step's.

    Attributes
    ----------
    index : int
        The first is 1: the start image is 0.
    scene : Scene
        What it shows.
    terms : Terms
        Of its last step.
    """

    index: int  # type: ignore[assignment]  # in place of a tuple's method, which nobody asks for
    scene: Scene
    terms: "Terms"


def frames(step: "GradientStep", turns: Iterable[tuple[Scene, Program]],
           on_step: Callable[[Scene, "Terms"], Any] = lambda *_: None, done: int = 0) -> Iterator[Frame]:
    """The stream's loop: frame after frame, each when it is asked for.

    Parameters
    ----------
    step : GradientStep
        Holds a frame's picture until the next frame is asked for.  What interrupts a frame leaves the step as it was
        before that frame.
    turns : iterable of (Scene, Program)
        As `optimise_frame` takes them, one for each frame.
    on_step : callable
        Called with the scene and the Terms of each step after it is taken.
    done : int
        Frames that came before.

    Yields
    ------
    Frame

    Raises
    ------
    InputError
        If the loss is no longer finite.
    """
    for index, (scene, program) in enumerate(turns, done + 1):
        terms: Any = None  # a frame has at least one step
        before = step.state()

        def noted(latest):
            nonlocal terms
            run.check_finite(latest.loss, f"frame {index}")
            terms = latest
            on_step(scene, latest)

        try:
            optimise_frame(step, scene, program, noted)
        except BaseException:
            step.restore(before)
            raise
        yield Frame(index, scene, terms)


def optimise_frame(step: "GradientStep", scene: Scene, program: Program, on_step: Callable[["Terms"], Any]) -> None:
    """One turn of the stream's loop: zoom, reset Adam, take the steps.

    2015 quirk: moments reset at every frame (of the stream, not of the stills).

    Parameters
    ----------
    step : GradientStep
    scene : Scene
        What to show.
    program : Program
        Sets zoom, steps, at which network scales they are taken, and whether Adam is reset.
    on_step : callable
        Called with the Terms of each step after it is taken.
    """
    if program.has_film:
        step.picture = zoom_picture(step.picture, program.video_frames_per_frame)
    if program.reset_moments:
        step.reset_moments()
    for scale, steps in program.parts:
        if scale:
            step.network_scale = scale
        for _ in range(steps):
            on_step(step.step(scene.target))


def video_frames(frames: Union[Sequence[Picture], run.Frames], scenes: Sequence[Scene], program: Program,
                 plain: bool = False) -> Iterator[Pixels]:
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


@one_at_a_time
def make_film(out: PathLike, scenes: Sequence[Scene], program: Program, make_step: Callable[[], "GradientStep"],
              parameters: dict[str, Any], resume: bool = False, earlier: Sequence[Picture] = (),
              on_frame: Callable[[Frame], Any] = lambda _: None, progress: bool = True) -> None:
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
        Returns the GradientStep at the start image; called only when steps remain.
    parameters : dict
        From `lsd_repro.film.run.parameters`; kept in run.json.  A run resumes only under equal ones.
    resume : bool
        Continue the run in `out`.  The result is the same, bit for bit, as without the
        interruption.
    earlier : sequence of ndarray, shape (height, width, 3)
        The start image and the frames that the step has behind it, if it has any: unless resuming, they are written and
        the others follow.
    on_frame : callable
        Called with each Frame once it is saved.
    progress : bool
        Whether to show how far it is.

    Raises
    ------
    InputError
        If `out` is not empty, holds no run to resume, or one with other parameters; or if films can't be encoded.
    """
    out = Path(out)
    if program.has_film:
        encoder.check()
    run.open_record(out, parameters, resume)
    for folder in ("frames", "state"):
        files.make_folder(out / folder)
    saved = run.read_latest(out)
    run.check_room(out, program, len(scenes) - (saved[0] if saved else 0), np.dtype(parameters["dtype"]).itemsize)
    if saved is None or saved[0] < len(scenes):
        optimise(out, make_step(), scenes, program, saved, earlier, on_frame, progress)
    frames = run.Frames(out, len(scenes) + 1, (program.height, program.width))
    if program.has_film:
        total = len(scenes) * program.video_frames_per_frame
        shown = tqdm(video_frames(frames, scenes, program), "film", total, unit="frame", disable=not progress)
        write.write_film(out / "film.mp4", shown, (program.video_width, program.video_height), FRAMES_PER_SECOND)
    write.write_png(out / "contact.png", contact_sheet(frames, scenes))


def optimise(out: Path, step: "GradientStep", scenes: Sequence[Scene], program: Program,
             saved: Optional[tuple[int, dict[str, Array]]], earlier: Sequence[Picture] = (),
             on_frame: Callable[[Frame], Any] = lambda _: None, progress: bool = True) -> None:
    """Optimise the frames that remain after what `lsd_repro.film.run.read_latest` found, saving each; see `make_film`.

    2015 quirk: named by the step (by the frame here).
    """
    if saved is None:
        pictures = earlier or [step.picture]
        done = len(pictures) - 1
        for index, picture in enumerate(pictures):
            run.save_picture(out, index, picture)
        run.save_state(out, done, step)
    else:
        done, state = saved
        run.restore(out, step, state)
    steps = program.steps_per_frame
    with tqdm(total=len(scenes) * steps, initial=done * steps, unit="step", desc="dreaming", disable=not progress) as bar:
        for frame in frames(step, [(scene, program) for scene in scenes[done:]], partial(show_step, bar), done):
            run.save_picture(out, frame.index, step.picture)
            run.save_state(out, frame.index, step)
            on_frame(frame)


def show_step(bar: tqdm, scene: Scene, terms: "Terms") -> None:
    """Move a bar on by a step."""
    bar.set_postfix_str(f"{scene.caption}: loss {terms.loss:.2f}, target {terms.target:.2f}")
    bar.update()


def contact_sheet(frames: Union[Sequence[Picture], run.Frames], scenes: Sequence[Scene]) -> Pixels:
    """The last frame of every scene; of a single scene, frames from start to end."""
    ends = [index for index, (scene, following) in enumerate(itertools.zip_longest(scenes, scenes[1:]), 1)
            if scene != following]
    if len(ends) == 1:
        ends = sorted({round(index) for index in np.linspace(1, len(scenes), CONTACT_PICTURES)})
        captions = [f"{scenes[0].caption}, frame {index}" for index in ends]
    else:
        captions = [scenes[index - 1].caption for index in ends]
    return write.contact_sheet([write.as_still(frames[index]) for index in ends], captions)
