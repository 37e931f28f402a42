"""The stream's loop, offline: scenes -> optimised frames -> a film; resumable.

A run lives in one folder::

    run.json                 every parameter, and the versions of what computed it
    frames/frame0000.png     the start image, then one PNG per optimised frame
    state/frame0000.npy      the same frames unrounded, for the film and for comparison
    state/latest.npz         picture and moments after the last finished frame
    film.mp4, contact.png    made at the end

Every file is written whole or not at all, and of a frame's files latest.npz comes last: what
it calls finished is on the disk.
"""

import contextlib
import hashlib
import itertools
import json
import platform
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

import numpy as np
from tqdm import tqdm

from lsd_repro.errors import InputError
from lsd_repro.film import write
from lsd_repro.film.blend import blended, blended_plainly
from lsd_repro.film.caption import draw_caption
from lsd_repro.film.zoom import zoom_picture
from lsd_repro.material import files
from lsd_repro.program2015 import FRAMES_PER_SECOND

CONTACT_PICTURES = 6


def optimise_frame(step, scene, program, on_step):
    """One turn of the stream's loop: zoom, reset Adam, take the steps.

    2015 quirk: moments reset at every frame (of the stream, not of the stills).

    Parameters
    ----------
    step : GradientStep
    scene : Scene
        What to show.
    program : Program
        Sets zoom, steps, at which octaves they are taken, and whether Adam is reset.
    on_step : callable
        Called with the Terms of each step after it is taken.
    """
    if program.video_frames_per_frame:
        step.picture = 255 * zoom_picture(step.picture / 255, program.video_frames_per_frame)
    if program.reset_moments:
        step.reset_moments()
    for scale, steps in program.octaves or [(None, program.steps_per_frame)]:
        if scale:
            step.network_scale = scale
        for _ in range(steps):
            on_step(step.step(scene.c0, scene.c1))


def video_frames(frames, scenes, program, plain=False):
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


def parameters(program, scenes, start, network, prior, dtype, seed):
    """Everything that decides what a run computes, as run.json keeps it.

    Parameters
    ----------
    program : Program
    scenes : sequence of Scene
    start : ndarray, shape (height, width, 3)
    network : NetworkWeights
    prior : PatchPrior or None
        None for total variation.
    dtype : str
    seed : int

    Returns
    -------
    dict
        Arrays are represented by their SHA-256.
    """
    return {
        **asdict(program), "scenes": [list(scene) for scene in scenes], "dtype": dtype, "seed": seed,
        "start": digest(start), "prior kind": prior.kind if prior else "tv",
        "prior": digest(prior.filters, prior.mean) if prior else None,
        "network": digest(*network.weights, *network.biases, network.average_image)}


def digest(*arrays):
    """SHA-256 of arrays, their shapes and types."""
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(f"{array.shape} {array.dtype}".encode())
        sha.update(np.ascontiguousarray(array))
    return sha.hexdigest()


def versions():
    """Versions of Python and of the packages that a run's result depends on."""
    packages = "lsd_repro", "Theano-PyMC", "Lasagne", "numpy", "scipy", "scikit-image", "Pillow", "imageio-ffmpeg"
    found = {"Python": platform.python_version()}
    for package in packages:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def make_film(out, scenes, program, make_step, parameters, resume=False):
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
        From `parameters`; kept in run.json.  A run resumes only under equal ones.
    resume : bool
        Continue the run in `out`.  The result is the same, bit for bit, as without the
        interruption.

    Raises
    ------
    InputError
        If `out` is not empty, holds no run to resume, or one with other parameters.
    """
    out = Path(out)
    done = open_run(out, parameters, resume)
    if done is None or done < len(scenes):
        optimise(out, make_step(), scenes, program, done)
    frames = Frames(out, len(scenes) + 1)
    if program.video_frames_per_frame:
        total = len(scenes) * program.video_frames_per_frame
        write.write_film(out / "film.mp4", tqdm(video_frames(frames, scenes, program), "film", total, unit="frame"),
                         (program.video_width, program.video_height), FRAMES_PER_SECOND)
    write.write_png(out / "contact.png", contact_sheet(frames, scenes))


def open_run(out, parameters, resume):
    """Begin a run in a folder, or find out how far the one there has come.

    Returns
    -------
    int or None
        Finished frames (0: the start image alone is saved); None if nothing is.
    """
    open_record(out, parameters, resume)
    for folder in ("frames", "state"):
        files.make_folder(out / folder)
    if not (out / "state" / "latest.npz").exists():
        return None
    with np.load(out / "state" / "latest.npz") as state:
        return int(state["done"])


def open_record(out, parameters, resume):
    """Write run.json into an empty folder, or see that the one there says the same.

    Parameters
    ----------
    out : Path
    parameters : dict
        Everything that decides what the run computes.
    resume : bool
        Whether there must be a run.json, or must be nothing.

    Raises
    ------
    InputError
        If `out` is not empty, holds no run to resume, or one with other parameters.
    """
    record = out / "run.json"
    # As JSON has it, so that what was written compares equal to what is read.
    parameters = json.loads(json.dumps(parameters))
    if not resume:
        check_empty(out)
        text = json.dumps({"parameters": parameters, "versions": versions()}, indent=2)
        files.make_folder(out)
        files.write_bytes(record, text.encode())
        return
    try:
        earlier = dict(json.loads(record.read_text())["parameters"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{out} holds no run to resume (run.json: {error}); leave out --resume") from error
    changed = [key for key in sorted({*earlier, *parameters}) if earlier.get(key) != parameters.get(key)]
    if changed:
        differences = "; ".join(f"{key} was {_short(earlier.get(key))}, is {_short(parameters.get(key))}"
                                for key in changed)
        raise InputError(f"{out} can't be resumed with other parameters: {differences}. "
                         "Use the same as before, or another --out without --resume")


def check_empty(out):
    """InputError unless a folder (Path) is empty or absent."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} exists and is not an empty folder: choose another --out, "
                         "or --resume to go on with the run there")


def _short(value):
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def optimise(out, step, scenes, program, done):
    """Optimise the frames that remain, saving each.

    2015 quirk: named by the step (by the frame here).
    """
    if done is None:
        done = 0
        save_frame(out, 0, step)
    else:
        with np.load(out / "state" / "latest.npz") as state:
            step.restore(state)
    steps = program.steps_per_frame
    with tqdm(total=len(scenes) * steps, initial=done * steps, unit="step", desc="dreaming") as bar:
        for index, scene in enumerate(scenes[done:], done + 1):

            def on_step(terms):
                check_finite(terms.loss, f"frame {index}")
                bar.set_postfix_str(f"{scene.caption}: loss {terms.loss:.2f}, logit {terms.target:.2f}")
                bar.update()

            optimise_frame(step, scene, program, on_step)
            save_frame(out, index, step)


def check_finite(loss, where):
    """InputError if a loss is not finite."""
    if not np.isfinite(loss):
        raise InputError(f"{where}: the loss is {loss}; a smaller learning rate or prior strength may help")


def save_frame(out, index, step):
    picture = step.picture
    files.write_array(_frame_file(out, index), picture)
    write.write_png(out / "frames" / f"frame{index:04d}.png", write.as_still(picture))
    files.write_arrays(out / "state" / "latest.npz", done=index, **step.state())


def _frame_file(out, index):
    return Path(out) / "state" / f"frame{index:04d}.npy"


class Frames:
    """The optimised frames of a run, (height, width, 3) in 0..255, read as they are asked for."""

    def __init__(self, out, count):
        self._out, self._count = out, count

    def __len__(self):
        return self._count

    def __getitem__(self, index):
        file = _frame_file(self._out, index)
        try:
            return np.load(file)
        except (OSError, ValueError) as error:
            raise InputError(f"{file} can't be read ({error}); run again into another --out") from error


def contact_sheet(frames, scenes):
    """The last frame of every scene; of a single scene, frames from start to end."""
    ends = [index for index, (scene, following) in enumerate(itertools.zip_longest(scenes, scenes[1:]), 1)
            if scene != following]
    if len(ends) == 1:
        ends = sorted({round(index) for index in np.linspace(1, len(scenes), CONTACT_PICTURES)})
        captions = [f"{scenes[0].caption}, frame {index}" for index in ends]
    else:
        captions = [scenes[index - 1].caption for index in ends]
    return write.contact_sheet([write.as_still(frames[index]) for index in ends], captions)
