"""A run's folder: what was asked for, the frames, and where to go on.

A run lives in one folder::

    run.json                 every parameter, the versions of what computed it, the machine
    frames/frame0000.png     the start image, then one PNG per optimised frame
    state/frame0000.npy      the same frames unrounded, for the film and for comparison
    state/latest.npz         picture and moments after the last finished frame

Every file is written whole or not at all, latest.npz last of a frame's files: what
it says is finished is on the disk.
"""

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from lsd_repro.errors import InputError
from lsd_repro.film import write
from lsd_repro.film.schedule import Scene
from lsd_repro.hints import Array, Picture
from lsd_repro.material import arrays, files
from lsd_repro.material.arrays import digest
from lsd_repro.material.files import PathLike
from lsd_repro.network.weights import NetworkWeights
from lsd_repro.prior.store import PatchPrior
from lsd_repro.program2015 import Program
from lsd_repro.runtime import provenance
from lsd_repro.step.target import CLASSES, Classes, Guide, Target

if TYPE_CHECKING:
    from lsd_repro.step.gradient import GradientStep

# What reading a damaged run.json raises.
UNREADABLE = OSError, ValueError, TypeError, RecursionError
# The frames do not depend on it; what comes after them does.
FILM_BYTES = 0.04  # a pixel of a video frame: the demo's film has 0.037
GB = 10 ** 9
ANEW = "delete it, and resume=True dreams the run anew; or choose another out=, without resume=True"


def parameters(program: Program, scenes: Sequence[Scene], start: Picture, network: NetworkWeights,
               prior: Optional[PatchPrior], dtype: str, seed: int, target: Target = CLASSES,
               tile: Optional[int] = None) -> dict[str, Any]:
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
    target : Target
        What is raised, if not the scenes' classes.
    tile : int, optional

    Returns
    -------
    dict
        Arrays are represented by their SHA-256.
    """
    return {
        **asdict(program), "scenes": [scene.as_list() for scene in scenes], "dtype": dtype, "seed": seed,
        "start": digest(start), "prior kind": prior.kind if prior else "tv",
        "prior": digest(prior.filters, prior.mean) if prior else None,
        "network": network.digest,
        "objective": None if isinstance(target, Classes) else [target.layer, *(target.numbers or [None])],
        "guide": digest(target.picture) if isinstance(target, Guide) else None, "tile": tile}


def open_record(out: Path, parameters: dict[str, Any], resume: bool) -> None:
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
        files.make_folder(out)
        files.write_json(record, {"parameters": parameters, **_computed_by()})
        return
    try:
        earlier, computed_by = _kept(record)
    except UNREADABLE as error:
        if record.exists():
            mend = "delete it and leave out resume=True, or choose another out="
        else:
            mend = "leave out resume=True" + ", and choose another out=" * _holds_something(out)
        raise InputError(f"{out} holds no run to resume (run.json: {arrays.reason(error)}); {mend}") from error
    changed = [key for key in sorted({*earlier, *parameters}) if _said(earlier.get(key)) != _said(parameters.get(key))]
    if changed:
        differences = "; ".join(f"{key} was {_short(earlier.get(key))}, is {_short(parameters.get(key))}"
                                for key in changed)
        raise InputError(f"{out} can't be resumed with other parameters: {differences}. "
                         "Use the same as before, or another out= without resume=True")
    for part, now in _computed_by().items():
        others = [f"{key} was {_short(was)}, is {_short(now.get(key))}"
                  for key, was in computed_by[part].items() if was != now.get(key)]
        if others:
            print(f"{out}: what is added may differ by rounding from what is there ({part}: {'; '.join(others)})",
                  file=sys.stderr)


def _said(value):
    """A parameter that is empty is one that is not there: a record need not know it."""
    return None if value == [] else value


def _computed_by():
    return json.loads(json.dumps({"versions": provenance.versions(), "machine": provenance.machine()}))


def check_room(out: Path, program: Program, frames: int, itemsize: int) -> None:
    """InputError if the disk has no room for a run's frames and film.

    Parameters
    ----------
    out : Path
        There already.
    program : Program
    frames : int
        Optimised frames still to be written.
    itemsize : int
        Bytes of a number of theirs.
    """
    picture = 3 * program.width * program.height
    film = frames * program.video_frames_per_frame * program.video_width * program.video_height * FILM_BYTES
    # A frame unrounded and as a PNG; picture and moments twice, as the old ones go once the new are whole.
    needed = int(frames * picture * (itemsize + 1) + 2 * 3 * picture * itemsize + film)
    free = shutil.disk_usage(out).free
    if needed > free:
        raise InputError(f"{out}: the run needs about {needed / GB:.2g} GB and the disk has {free / GB:.2g} GB free: make room, "
                         "choose another folder, or dream fewer or smaller frames")


def _kept(record):
    """What a run.json says of a run, and of what computed it."""
    kept = json.loads(record.read_text("utf-8"))
    if not isinstance(kept, dict) or not isinstance(kept.get("parameters"), dict):
        raise ValueError("it has no parameters")
    return dict(kept["parameters"]), {part: dict(kept.get(part) or {}) for part in _computed_by()}


def check_empty(out: Path) -> None:
    """InputError unless a folder (Path) is empty or absent."""
    if not _holds_something(out):
        return
    try:
        _kept(out / "run.json")
        otherwise = "resume=True to go on with the run there"
    except (FileNotFoundError, NotADirectoryError):
        otherwise = ""
    except UNREADABLE as error:
        otherwise = f"delete it, as its run can't be resumed (run.json: {arrays.reason(error)})"
    raise InputError(f"{out} exists and is not an empty folder: choose another out=" + f", or {otherwise}" * bool(otherwise))


def _holds_something(out):
    return out.exists() and (not out.is_dir() or any(out.iterdir()))


def _short(value):
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def check_finite(loss: float, where: str) -> None:
    """InputError if a loss is not finite."""
    if not np.isfinite(loss):
        raise InputError(f"{where}: the loss is {loss}; a smaller learning rate or prior strength may help")


def save_picture(out: Path, index: int, picture: Picture) -> None:
    """Save a frame (0: the start image), unrounded and as a PNG."""
    files.write_array(_frame_file(out, index), picture)
    write.write_png(out / "frames" / f"frame{index:04d}.png", write.as_still(picture))


def save_state(out: Path, done: int, step: "GradientStep", **more: Any) -> None:
    """Save where to go on after the last finished frame, and what else that takes; its picture has been saved."""
    files.write_arrays(out / "state" / "latest.npz", done=done, **more, **step.state())


def read_latest(out: PathLike) -> Optional[tuple[int, dict[str, Array]]]:
    """How far a run has come, and where to go on.

    Returns
    -------
    (int, dict of str to ndarray) or None
        Finished frames (0: the start image alone is saved) and the step's state, with what else was saved; None if
        nothing is.

    Raises
    ------
    InputError
        If the file can't be read.
    """
    latest = Path(out) / "state" / "latest.npz"
    if not latest.exists():
        return None
    try:
        state = arrays.read_npz(latest)
        done = state.pop("done")
        if done.shape or done.dtype.kind not in "iu" or done < 0:
            raise ValueError(f"{done} finished frames")
        return int(done), state
    except arrays.UNREADABLE as error:
        raise InputError(f"{latest} can't be used ({arrays.reason(error)}): {ANEW}") from error


def restore(out: PathLike, step: "GradientStep", state: dict[str, Array]) -> None:
    """Have a step go on from a state; InputError if it is another step's."""
    own, latest = step.state(), Path(out) / "state" / "latest.npz"
    for name, value in own.items():
        if name not in state:
            raise InputError(f"{latest} can't be used ({name} is missing): {ANEW}")
        if (state[name].shape, state[name].dtype) != (value.shape, value.dtype):
            raise InputError(f"{latest} can't be used ({name} is {state[name].dtype} of shape {state[name].shape}, not "
                             f"{value.dtype} of {value.shape}): {ANEW}")
    step.restore(state)


def _frame_file(out, index):
    return Path(out) / "state" / f"frame{index:04d}.npy"


class Frames:
    """The optimised frames of a run, (height, width, 3) in 0..255, read as they are asked for.

    Parameters
    ----------
    out : path
    count : int
        The start image is one of them.
    shape : (int, int)
        Height and width.
    """

    def __init__(self, out: PathLike, count: int, shape: tuple[int, int]) -> None:
        self._out, self._count, self._shape = out, count, (*shape, 3)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Picture:
        file = _frame_file(self._out, index)
        try:
            frame = arrays.read_npy(file)
            if frame.shape != self._shape or frame.dtype.kind != "f":
                raise ValueError(f"{frame.dtype} of shape {frame.shape}, not floating point of {self._shape}")
        except arrays.UNREADABLE as error:
            raise InputError(f"{file} can't be read ({arrays.reason(error)}); run again into another out=") from error
        return frame
