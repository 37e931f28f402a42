"""The one known transition of the stream, made once more: from a frame of 2015 to the next, which is known, too.

The picture before is zoomed, Adam is reset, ten steps are taken: `lsd_repro.film.stream.frames`, as in a film. What
comes of it is held against what came of it in 2015 by the *change*, the picture after minus the zoomed one
(`lsd_repro.compare.change`), for each of the arms of `lsd_repro.compare.transition_arms`.

How near to 2015 could one come at all? Of the picture before, 8 bits are known, and ten nearly sign-sized steps amplify what was
rounded off. So one more arm starts from the picture before with noise of half a grey level; how near it comes to the arm
without is the *ceiling*.
"""

import re
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

import numpy as np

from lsd_repro.compare import change, statistics
from lsd_repro.compare.transition_arms import Arm
from lsd_repro.errors import InputError
from lsd_repro.film.run import open_record
from lsd_repro.film.stream import frames
from lsd_repro.film.zoom import zoom_picture
from lsd_repro.hints import Floats, Picture
from lsd_repro.material import arrays, files
from lsd_repro.material.arrays import digest
from lsd_repro.network import known
from lsd_repro.network.vgg16 import map_size
from lsd_repro.network.weights import NetworkWeights
from lsd_repro.prior.energy import check_scales, multiscale, patch_energy
from lsd_repro.prior.store import PatchPrior
from lsd_repro.program2015 import BEFORE_1850, PUBLISHED, Program
from lsd_repro.runtime.progress import tqdm
from lsd_repro.step.adam import Update, adam2015, adam_published
from lsd_repro.step.gradient import GradientStep, Terms
from lsd_repro.step.objective import Objective, class_term, one_half_term

# The pictures, as `lsd-repro fetch frames` names them.
BEFORE, AFTER = f"{BEFORE_1850}.png", f"result{PUBLISHED['pizza'][0]}.png"
DITHER = 0.5  # grey levels: what rounding to 8 bits takes away
UPDATES: dict[str, Update] = {
    "2015": adam2015, "published": adam_published, "no clip": partial(adam2015, limits=(-np.inf, np.inf))}
HALVES: dict[str, Objective] = {
    "both": class_term, "bottom": partial(one_half_term, bottom=True), "top": partial(one_half_term, bottom=False)}


class Steps:
    """Gradient steps, compiled when an arm asks for one that the arm before it did not have."""

    def __init__(self, network: NetworkWeights, priors: dict[str, PatchPrior], dtype: str = "float32") -> None:
        self._network, self._priors, self._dtype = network, priors, dtype
        self._kind: Any = None
        self._made: Any = None  # a GradientStep of that kind

    def at(self, arm: Arm, start: Picture) -> GradientStep:
        """The step of an arm, at a start."""
        program = arm.program
        kind = arm.compiled, program.prior_scales, program.network_scales, start.shape
        if kind != self._kind:
            self._made = None  # its maps need not be in memory any more
            self._made = GradientStep(
                self._network, multiscale(patch_energy(self._priors[arm.kind]), program.prior_scales), start,
                program.learning_rate, program.prior_strength, program.network_scales, self._dtype,
                HALVES[arm.halves], UPDATES[arm.update])
            self._kind = kind
        self._made.picture = start
        self._made.learning_rate, self._made.prior_strength = program.learning_rate, program.prior_strength
        return self._made


def dream(steps: Steps, arm: Arm, before: Picture, seed: int = 0,
          on_step: Callable[[Terms], Any] = lambda terms: None) -> Picture:
    """What an arm makes of the picture before: zoomed, and some steps on.

    Parameters
    ----------
    steps : Steps
    arm : Arm
    before : array, shape (height, width, 3)
        In 0..255.
    seed : int
        Of the noise, where the arm is dithered.
    on_step : function
        Called with the Terms of each step.

    Returns
    -------
    float array, shape (height, width, 3)
    """
    start = np.asarray(before, np.float64)
    if arm.dithered:
        start = np.clip(start + np.random.default_rng(seed).uniform(-DITHER, DITHER, start.shape), 0, 255)
    step = steps.at(arm, start)
    for _ in frames(step, [(arm.scene, arm.program)], lambda _, terms: on_step(terms)):
        pass
    return step.picture


def dream_all(arms: dict[str, Arm], network: NetworkWeights, priors: dict[str, PatchPrior], before: Picture, seed: int = 0,
              out: Optional[Path] = None, dtype: str = "float32") -> Iterator[tuple[str, Picture]]:
    """What each arm makes of the picture before; see `dream`.

    Parameters
    ----------
    arms : dict of str to Arm
    network, priors, before, seed, dtype
    out : Path, optional
        Where each picture is kept as soon as it is done, and taken from if it is there.

    Yields
    ------
    str, array
        The arm's name, and the picture after.

    Raises
    ------
    InputError
        If a loss is not finite, or a kept picture can't be read.
    """
    steps = Steps(network, priors, dtype)
    with tqdm(total=sum(arm.program.steps_per_frame for arm in arms.values()), unit="step", desc="dreaming") as bar:
        for name, arm in arms.items():
            kept = out and out / (_file_name(name, arm) + ".npy")
            if kept and kept.exists():
                bar.update(arm.program.steps_per_frame)
                yield name, _kept(kept, before.shape)
                continue

            bar.set_postfix_str(name)
            try:
                picture = dream(steps, arm, before, seed, lambda _: bar.update())
            except InputError as error:
                raise InputError(f"{name}: {error}") from error
            if kept:
                files.write_array(kept, picture)
            yield name, picture


def _file_name(name, arm):
    """Of the class's index, too: networks describe their classes as they like."""
    return "{}-{}-".format(*arm.scene.target.numbers) + re.sub(r"[^\w.]+", "-", name.lower()).strip("-")


def _kept(path, shape):
    try:
        picture = arrays.read_npy(path)
        if picture.shape != shape or picture.dtype.kind != "f":
            raise ValueError(f"{picture.dtype} of shape {picture.shape}, not floating point of {shape}")
        return picture
    except arrays.UNREADABLE as error:
        raise InputError(f"{path} can't be read ({arrays.reason(error)}): delete it, and resume=True dreams it anew") from error


class Transition(NamedTuple):
    """What came of the arms.

    Attributes
    ----------
    zoomed : array, shape (height, width, 3)
        The picture before as the first arm zooms it.
    pictures : dict of str to array, shape (height, width, 3)
        After each arm's steps.
    estimates : dict of str to lsd_repro.compare.change.Estimates
        Each arm's change against 2015's; the ceiling is the first arm's against that of the dithered start.
    zoom : dict of int to array (draws,)
        Correlation of the zoomed picture with the one after by video frames, for the first arm's k and its neighbours.
    """

    zoomed: Picture
    pictures: dict[str, Picture]
    estimates: dict[str, change.Estimates]
    zoom: dict[int, Floats]


def transition(before: Picture, after: Picture, network: NetworkWeights, priors: dict[str, PatchPrior],
               arms: dict[str, Arm], seed: int = 0, out: Optional[Path] = None, dtype: str = "float32") -> Transition:
    """Make the transition once more by each arm, and hold it against what 2015 made.

    Parameters
    ----------
    before, after : uint8 array, shape (height, width, 3)
    network : NetworkWeights
    priors : dict of str to PatchPrior
        From `lsd_repro.prior.store.load`.
    arms : dict of str to Arm
        From `lsd_repro.compare.transition_arms`.
    seed : int
        Of the dithering, and of the blocks that the bootstrap draws.
    out, dtype
        As for `dream_all`.

    Returns
    -------
    Transition

    Raises
    ------
    InputError
        As `check` and `dream_all`.
    """
    check(before, after, network, priors, arms)
    counts = change.draws(change.in_blocks(np.ones(after.shape[:2])).size, seed)
    first, *_ = arms
    k = arms[first].program.video_frames_per_frame
    starts = {near: zoom_picture(before.astype(np.float64), near) for near in (k - 1, k, k + 1)}
    zoom = {near: change.correlation(start, after, counts) for near, start in starts.items()}
    pictures, estimates = {}, {}
    for name, picture in dream_all(arms, network, priors, before, seed, out, dtype):
        pictures[name] = picture
        # Rounded, as 2015's picture is.
        pair = (pictures[first], np.rint(picture)) if arms[name].dithered else (picture, after)
        # Whoever takes another k for true sees another change in 2015's pictures.
        start = starts[arms[name].program.video_frames_per_frame]
        estimates[name] = change.estimate(change.measure(pair[0], pair[1], start), counts)
    return Transition(starts[k], pictures, estimates, zoom)


def check(before: Picture, after: Picture, network: NetworkWeights, priors: dict[str, PatchPrior],
          arms: dict[str, Arm]) -> None:
    """Refuse what can't be compared, or dreamt.

    Raises
    ------
    InputError
        If the pictures differ in size, are too small to be compared or for network and prior, or if an arm's prior is missing.
    """
    if before.shape != after.shape:
        sizes = ["{1}x{0}".format(*picture.shape) for picture in (before, after)]
        raise InputError(f"before= has {sizes[0]} pixels and after= {sizes[1]}: give two optimised frames of one stream")
    for name, picture in (("before=", before), ("after=", after)):
        statistics.check(name, picture)
    for name, arm in arms.items():
        if arm.kind not in priors:
            raise InputError(f"prior= has no {arm.kind} prior for the arm '{name}': give a file with both kinds, or quick=True")
        check_scales(before.shape[0], before.shape[1], arm.program.prior_scales, priors[arm.kind].patch_size)
    map_size(before.shape[0], before.shape[1], network.fc6_size)


def record(out: Path, before: Picture, after: Picture, network: NetworkWeights, priors: dict[str, PatchPrior],
           program: Program, seed: int, resume: bool) -> None:
    """Open the folder of a run, for any arms that change a program; see `lsd_repro.film.run.open_record`."""
    open_record(out, {**asdict(program), "before": digest(before), "after": digest(after), "network": network.digest,
                      "priors": {kind: digest(one.filters, one.mean) for kind, one in sorted(priors.items())},
                      "seed": seed}, resume)


def is_genuine(network: NetworkWeights) -> bool:
    """Whether this is Oxford's network of 2014 from its first layer to its last, as far as shapes and that first layer tell."""
    return (known.recognised(network.weights[0], network.biases[0], len(network.weights)) is not None
            and [len(weights) for weights in network.weights[-3:]] == [4096, 4096, 1000])
