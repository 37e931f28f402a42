"""The finished frames of a live run, on disk.

A run lives in one folder::

    run.json                  every parameter, and the versions of what computes it
    journal.jsonl             a line for each finished frame: how the film gets there, and its caption
    frames/frame000001.png    the frames; only the last several hundred are kept
    state/latest.npz          picture and moments after the last finished frame, and what is shown

Every file but the journal is written whole or not at all, and of a frame's files state/latest.npz comes last: what it
calls finished is on disk.
"""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

import numpy as np
from PIL import Image

from lsd_repro.errors import InputError
from lsd_repro.film import run, write
from lsd_repro.film.blend import blended
from lsd_repro.film.caption import draw_caption
from lsd_repro.film.schedule import Scene
from lsd_repro.hints import Picture, Pixels
from lsd_repro.material import arrays, files
from lsd_repro.material.files import PathLike
from lsd_repro.step.target import Classes

if TYPE_CHECKING:
    from lsd_repro.step.gradient import GradientStep


class Segment(NamedTuple):
    """The film from one frame to the next.

    Attributes
    ----------
    index : int
        Of the frame where it ends.
    k : int
        Its video frames.
    speed : float
        Of the zoom, as a multiple of 2015's.
    caption : str
    """

    index: int  # type: ignore[assignment]  # in place of a tuple's method, which nobody asks for
    k: int
    speed: float
    caption: str


class Journal:
    """A live run's folder.

    Parameters
    ----------
    out : path
    parameters : dict
        As in `lsd_repro.film.run.open_record`.
    resume : bool
    keep : int
        Frames to keep.

    Attributes
    ----------
    done : int
        Number of finished frames.
    saved : dict or None
        When resuming: the step's ``state``, and the ``scene``.
    segments : list of Segment
        Those that lead to frames still kept.
    """

    def __init__(self, out: PathLike, parameters: dict[str, Any], resume: bool, keep: int) -> None:
        self.out, self.keep = Path(out), keep
        run.open_record(self.out, parameters, resume)
        for folder in ("frames", "state"):
            files.make_folder(self.out / folder)
        self.done = 0
        self.saved: Any = None
        latest, earlier = self.out / "state" / "latest.npz", self.out / "latest.npz"
        if earlier.exists() and not latest.exists():
            os.replace(earlier, latest)  # where version 0.1 had it
        found = run.read_latest(self.out)
        if found:
            self.done, state = found
            try:
                scene = json.loads(str(state.pop("scene")))
                self.saved = {"state": state, "scene": Scene(Classes(int(scene[0]), int(scene[1])), str(scene[2]))}
            except (*arrays.UNREADABLE, IndexError) as error:
                raise InputError(f"{latest} can't be used ({arrays.reason(error)}): {run.ANEW}") from error
        # A frame that was being saved when the run was interrupted is dreamt again.
        self.segments = [segment for segment in read_segments(self.out) if segment.index <= self.done]
        lines = "".join(json.dumps(segment) + "\n" for segment in self.segments)
        files.write_bytes(self.out / "journal.jsonl", lines.encode())
        self.segments = self.segments[-keep:]

    def begin(self, step: "GradientStep", scene: Scene) -> None:
        """Save the start image, as frame 0."""
        write.write_png(frame_file(self.out, 0), write.as_still(step.picture))
        self._save(0, step, scene)

    def add(self, step: "GradientStep", segment: Segment, scene: Scene) -> None:
        """Save a finished frame, the segment that leads to it, and the scene that comes next."""
        write.write_png(frame_file(self.out, segment.index), write.as_still(step.picture))
        with open(self.out / "journal.jsonl", "a", encoding="utf-8") as journal:
            journal.write(json.dumps(segment) + "\n")
        self._save(segment.index, step, scene)
        self.segments = [*self.segments, segment][-self.keep:]
        gone = segment.index - self.keep - 1
        if gone >= 0:
            frame_file(self.out, gone).unlink(missing_ok=True)

    def _save(self, done, step, scene):
        run.save_state(self.out, done, step, scene=json.dumps(scene.as_list()))
        self.done = done


def frame_file(out: PathLike, index: int) -> Path:
    """Where a frame is kept."""
    return Path(out) / "frames" / f"frame{index:06d}.png"


def read_segments(out: PathLike) -> list[Segment]:
    """The segments of a live run, without a truncated last line; none if there is no journal."""
    try:
        lines = (Path(out) / "journal.jsonl").read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    segments = []
    for line in lines:
        try:
            segments.append(Segment(*json.loads(line)))
        except (ValueError, TypeError):
            break
    return segments


def read_frame(out: PathLike, index: int) -> Picture:
    """A kept frame, (H, W, 3) of uint8."""
    with Image.open(frame_file(out, index)) as image:
        return np.asarray(image.convert("RGB"))


def video_frames(a: Picture, b: Picture, segment: Segment, video_shape: tuple[int, int],
                 indices: Optional[Iterable[int]] = None) -> Iterator[Pixels]:
    """Yield captioned video frames, all or those of `indices`, of a segment that leads from frame `a` to frame `b`."""
    for frame in blended(a, b, segment.k, video_shape, segment.speed, indices):
        yield draw_caption(frame, segment.caption)
