"""Replays arrays that the 2015 program itself computed, and reports the deviations.

A golden file holds a small network and prior, a start image, and what the unmodified
program (Theano 0.7, Lasagne of April 2015, float64) made of them: energies, logits,
loss and gradient at the start, then every loss, and pictures along the way.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Optional

import numpy as np
from matplotlib.figure import Figure

from lsd_repro.errors import InputError
from lsd_repro.figures.parity import drift
from lsd_repro.film import stream
from lsd_repro.film.schedule import Scene
from lsd_repro.film.zoom import between, zoom_picture
from lsd_repro.hints import Array, Floats, Picture
from lsd_repro.material import arrays, files
from lsd_repro.network.matconvnet import NetworkWeights
from lsd_repro.prior import store
from lsd_repro.prior.energy import multiscale, patch_energy
from lsd_repro.program2015 import STILLS, STREAM
from lsd_repro.step.evaluate import compile_energies, to_graph
from lsd_repro.step.gradient import GradientStep, Terms
from lsd_repro.step.target import Classes

# In float64 the programs agree to rounding; the limits leave room for another BLAS.
LIMITS_64 = {"relative": 1e-9, "grey levels": 1e-3}
# In float32 only the start can be held to rounding.  Then the update, close to a sign
# step, drifts apart wherever a gradient is near 0: as far as the 2015 program drifts
# from itself, times this.
LIMIT_32 = 1e-5
# Where rounding decides a ReLU or a max-pool, the gradient differs for good in all pixels that
# see it; which these are changes with the processor and the number of threads.
SHARE_32 = 0.9
DRIFT_FACTOR = 1.5

# The programs of 2015, by the names of their files.
PROGRAMS = {"train": STREAM, "train_image": STILLS}
LAYERS = 16
# What a golden file has, and how many axes each has; one of a film has more.
AXES = {"program": 0, "start_image": 3, "mean": 0, "stride": 0, "classes": 1, "loss_at_start": 0, "network_term_at_start": 0,
        "prior_term_at_start": 0, "grad_at_start": 4, "logits_at_start": 4, "losses": 1, "prior_terms": 1, "x_after_step": 5,
        "x_after_step_ids": 1, **{f"W{i:02d}": 4 for i in range(LAYERS)}, **{f"b{i:02d}": 1 for i in range(LAYERS)}}
AXES_OF_A_FILM = {"schedule": 2, "steps_per_frame": 0, "video_frames_per_frame": 0, "video_shape": 1}
AXES_OF_ITS_FRAMES = {"optimised_frames": 4, "zoomed_frames": 4, "video_frames": 4, "video_frame_ids": 1}
# Whole numbers, and the least that each can be.
LEAST = {"classes": 0, "schedule": 0, "x_after_step_ids": 0, "video_frame_ids": 0, "stride": 1, "steps_per_frame": 1,
         "video_frames_per_frame": 1, "video_shape": 1}
NAMED = 5


class Deviation(NamedTuple):
    """How far a quantity is from the golden one.

    Attributes
    ----------
    quantity : str
    unit : {"relative", "grey levels"}
        'relative' is to the golden array's largest magnitude.
    value, limit : float
    """

    quantity: str
    unit: str
    value: float
    limit: float

    @property
    def within(self) -> bool:
        return self.value <= self.limit


class Golden:
    """A golden file: its arrays by name, and what they describe.

    Parameters
    ----------
    path : path
    prior_dir : path, optional
        Priors to use where the file has none; see `lsd_repro.prior.store.load`.

    Raises
    ------
    InputError
        If the file is not a golden file, or has no prior and none is given.
    """

    def __init__(self, path: files.PathLike, prior_dir: Optional[files.PathLike] = None) -> None:
        try:
            self._arrays = arrays.read_npz(path)
            self._check()
        except arrays.UNREADABLE as error:
            raise InputError(f"{path}: not a golden file ({arrays.reason(error)}); "
                             "tests/golden/ of the source code has two") from error
        self.program = PROGRAMS[str(self["program"])]
        self.network = NetworkWeights(
            weights=tuple(self[f"W{i:02d}"] for i in range(LAYERS)), biases=tuple(self[f"b{i:02d}"] for i in range(LAYERS)),
            average_image=np.full((1, 1, 3), self["mean"], np.float32),
            descriptions=tuple(map(str, range(len(self["b15"])))), names=())
        self.start = self["start_image"]
        self.stride = int(self["stride"])
        if "student_prior_filters" not in self and prior_dir is None:
            raise InputError(f"{path} holds no prior: give the folder of its .npy files, prior_dir=")
        self.priors = store.load(path if "student_prior_filters" in self or prior_dir is None else prior_dir)
        if "schedule" in self:
            self.program = replace(
                self.program, steps_per_frame=int(self["steps_per_frame"]),
                video_frames_per_frame=int(self["video_frames_per_frame"]),
                video_height=int(self["video_shape"][0]), video_width=int(self["video_shape"][1]))
            pairs: Any = self["schedule"]
        else:
            pairs = [self["classes"]] * len(self["prior_terms"])
        self.scenes = [Scene(Classes(int(bottom), int(top)), "") for bottom, top in pairs]

    def _check(self):
        """ValueError unless the arrays are there that are used below, of as many axes."""
        needed = {**AXES, **(AXES_OF_A_FILM if "schedule" in self else {}),
                  **(AXES_OF_ITS_FRAMES if "zoomed_frames" in self else {})}
        missing = [name for name in needed if name not in self]
        if missing:
            more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
            raise ValueError(f"it has no {', '.join(missing[:NAMED])}{more}")
        for name, axes in needed.items():
            found = self[name]
            if found.ndim != axes or (name in LEAST and found.dtype.kind not in "iu"):
                raise ValueError(f"its {name} is {found.dtype} of shape {found.shape}")
            if name in LEAST and (found < LEAST[name]).any():
                raise ValueError(f"its {name} is less than {LEAST[name]}")
        if str(self["program"]) not in PROGRAMS:
            raise ValueError(f"its program is {str(self['program'])[:40]!r}, none of {', '.join(PROGRAMS)}")

    def __contains__(self, name: str) -> bool:
        return name in self._arrays

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def named(self, prefix: str) -> list[str]:
        """Names that begin with `prefix`."""
        return sorted(name for name in self._arrays if name.startswith(prefix))

    def sample(self, array: Picture, axes: tuple[int, int]) -> Picture:
        """Every stride-th row and column of an array; `axes` are those of rows and columns."""
        index = [slice(None)] * array.ndim
        for axis in axes:
            index[axis] = slice(None, None, self.stride)
        return array[tuple(index)]


def relative(ours: Floats, golden: Floats, share: float = 1.0) -> float:
    """Deviation within which a share of all values is, relative to the largest finite magnitude of the golden array."""
    finite = np.isfinite(golden)
    return float(np.quantile(np.abs(ours - golden)[finite], share) / np.abs(golden[finite]).max())


def each_relative(ours: Floats, golden: Floats) -> float:
    """Largest deviation of an entry, relative to that entry of the golden array."""
    return float(np.abs((ours - golden) / golden).max())


def largest(ours: Floats, golden: Floats) -> float:
    """Largest absolute deviation."""
    return float(np.abs(np.asarray(ours, float) - golden).max())


def mean(ours: Picture, golden: Floats) -> float:
    """Mean absolute deviation."""
    return float(np.abs(np.asarray(ours, float) - golden).mean())


def replay(path: files.PathLike, prior_dir: Optional[files.PathLike] = None, float32: bool = False) -> list[Deviation]:
    """Recompute everything in a golden file.

    Parameters
    ----------
    path : path
        The .npz file.
    prior_dir : path, optional
        Folder of prior .npy files, for a golden file without a prior.
    float32 : bool
        Compute in float32 (default: float64): then the start is held to 1e-5, and
        later pictures to 1.5 times the drift between the 2015 program's own
        float32 and float64, where the file records it.

    Returns
    -------
    list of Deviation
    """
    golden = Golden(path, prior_dir)
    program = golden.program
    energy = multiscale(patch_energy(golden.priors["student"]), program.prior_scales)
    step = GradientStep(golden.network, energy, golden.start, program.learning_rate, program.prior_strength,
                        program.network_scales, dtype="float32" if float32 else "float64")
    deviations = at_start(golden, step, LIMIT_32 if float32 else LIMITS_64["relative"])
    compare = along_the_way_32 if float32 else along_the_way_64
    return deviations + compare(golden, *run(golden, step))


def at_start(golden: Golden, step: GradientStep, limit: float) -> list[Deviation]:
    """Deviations of everything that the file has about the start image."""
    found = []

    def add(quantity, ours, theirs, share=1.0):
        if np.isfinite(theirs).any():
            value = relative(np.asarray(ours), np.asarray(theirs), share)
            found.append(Deviation(quantity, "relative", value, limit))

    for kind, prior in sorted(golden.priors.items()):
        names = golden.named(f"energy_{kind}_p")
        scales = [int(name.rsplit("p", 1)[1]) for name in names]
        values = compile_energies(patch_energy(prior), scales, step.dtype)(golden.start)
        for scale, value, name in sorted(zip(scales, values, names)):
            add(f"{kind} energy, scale {scale}", value, golden[name])
    terms, gradient, logits = step.evaluate(*map(int, golden["classes"]))
    add("logits", logits, golden["logits_at_start"])
    add("loss", terms.loss, golden["loss_at_start"])
    add("class term", terms.class_term, golden["network_term_at_start"])
    add("prior term", terms.prior_term, golden["prior_term_at_start"])
    sampled = golden.sample(to_graph(gradient, gradient.dtype.name), (2, 3))
    if sampled.dtype == np.float32:
        add("gradient, 9 values in 10", sampled, golden["grad_at_start"], SHARE_32)
    else:
        add("gradient", sampled, golden["grad_at_start"])
    return found


def run(golden: Golden, step: GradientStep) -> tuple[list[Terms], list[Picture], list[Picture]]:
    """Run the schedule.

    Returns
    -------
    terms : list of Terms
        Of every step, before its update.
    pictures : list of ndarray
        After the steps that the file has, (height, width, 3) in 0..255.
    frames : list of ndarray
        Optimised frames in 0..255, the start image first.
    """
    wanted = set(map(int, golden["x_after_step_ids"]))
    terms: list[Terms] = []
    pictures: list[Picture] = []
    frames: list[Picture] = [step.picture]

    def on_step(_, step_terms):
        if len(terms) in wanted:
            pictures.append(step.picture)
        terms.append(step_terms)

    for _ in stream.frames(step, [(scene, golden.program) for scene in golden.scenes], on_step):
        frames.append(step.picture)
    return terms, pictures, frames


def along_the_way_64(golden: Golden, terms: list[Terms], pictures: list[Picture],
                     frames: list[Picture]) -> list[Deviation]:
    """Deviations of losses, pictures and film; in float64 nothing may drift."""
    found = []

    def add(quantity, unit, measure, ours, theirs):
        found.append(Deviation(quantity, unit, measure(np.asarray(ours), theirs), LIMITS_64[unit]))

    if np.isfinite(golden["losses"]).all():
        add("all losses", "relative", each_relative, [t.loss for t in terms], golden["losses"])
    add("all prior terms", "relative", each_relative, [t.prior_term for t in terms], golden["prior_terms"])
    for index, ours, theirs in zip(golden["x_after_step_ids"], pictures, golden["x_after_step"]):
        add(f"picture after step {index + 1}", "grey levels", largest,
            golden.sample(to_graph(ours, ours.dtype.name), (2, 3)), theirs)
    if "zoomed_frames" not in golden:
        return found
    k = golden.program.video_frames_per_frame
    # The file has these on the 0..1 scale.
    for name in ("optimised_frames", "zoomed_frames"):
        for index, theirs in enumerate(golden[name]):
            ours = frames[index] if name == "optimised_frames" else zoom_picture(frames[index], k)
            quantity = f"{name[:-1].replace('_', ' ')} {index}"
            add(quantity, "grey levels", largest, golden.sample(ours, (0, 1)), 255 * theirs)
    shape = golden.program.video_height, golden.program.video_width
    for i, theirs in zip(map(int, golden["video_frame_ids"]), golden["video_frames"]):
        first = i // k
        ours = between(frames[first], frames[first + 1], i, first * k, (first + 1) * k, shape)
        add(f"video frame {i}", "grey levels", largest, golden.sample(ours, (0, 1)), 255 * theirs)
    return found


def along_the_way_32(golden: Golden, terms: list[Terms], pictures: list[Picture],
                     frames: list[Picture]) -> list[Deviation]:
    """Drift of the pictures, against the 2015 program's own between float32 and float64."""
    if "float32_self_drift" not in golden:
        return []
    return [
        Deviation(f"mean drift after step {index + 1}", "grey levels",
                  mean(golden.sample(to_graph(ours, ours.dtype.name), (2, 3)), theirs), DRIFT_FACTOR * float(drift))
        for index, ours, theirs, drift in zip(
            golden["x_after_step_ids"], pictures, golden["x_after_step"], golden["float32_self_drift"])]


def draw_drift(path: files.PathLike, prior_dir: Optional[files.PathLike] = None) -> Figure:
    """Replay a golden file in both precisions, and draw how far each is from it after each step.

    Parameters
    ----------
    path, prior_dir : path
        As for `replay`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        If the file does not record how far 2015's own float32 drifts.
    """
    golden = Golden(path, prior_dir)
    if "float32_self_drift" not in golden:
        raise InputError(f"{path} has no drift of 2015's float32 to draw; the stream's golden file has")
    found = {float32: [d.value for d in replay(path, prior_dir, float32) if "after step" in d.quantity]
             for float32 in (True, False)}
    return drift(np.asarray(golden["x_after_step_ids"]) + 1, golden["float32_self_drift"], found[True], found[False])


def table(deviations: Sequence[Deviation]) -> str:
    """Deviations as lines of text, one each, those beyond their limit marked."""
    width = max(len(d.quantity) for d in deviations)
    lines = [f"{'quantity':{width}}  {'deviation':>9}  {'limit':>8}  unit"]
    for d in deviations:
        lines.append(f"{d.quantity:{width}}  {d.value:9.1e}  {d.limit:8.1e}  {d.unit}"
                     + ("" if d.within else "  BEYOND THE LIMIT"))
    return "\n".join(lines)
