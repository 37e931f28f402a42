"""Reads what a spec names, and sees that it goes together: `load`."""

import functools
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Callable, NamedTuple, Optional

import numpy as np
from PIL import Image

from lsd_repro.chat import logs, replay
from lsd_repro.chat.vocabulary import vocabulary
from lsd_repro.errors import InputError, OptionError
from lsd_repro.film import run, schedule
from lsd_repro.film.schedule import Scene
from lsd_repro.film.start import NOISE, load_start
from lsd_repro.hints import Picture
from lsd_repro.material import shipped
from lsd_repro.material.files import PathLike
from lsd_repro.material.photos import read_photo
from lsd_repro.network import matconvnet, receptive
from lsd_repro.network.layers import least_side
from lsd_repro.network.weights import NetworkWeights
from lsd_repro.presets import PRESETS, WEIGHTS, Preset
from lsd_repro.prior import store
from lsd_repro.prior.energy import check_scales
from lsd_repro.prior.store import PatchPrior
from lsd_repro.production.check import check, short
from lsd_repro.production.spec import Spec
from lsd_repro.step import activation
from lsd_repro.step.target import Classes, Target
from lsd_repro.step.tiles import spans

# Maps of the first group of layers that are in memory at the same time, at the least.
MAPS_AT_ONCE = 2
TILE = 1024  # pixels, of which VGG-16's tiles have 384 in common with the next
GUIDE_SIDE = 224  # pixels, of the longer side: what VGG-16 was trained on


class Inputs(NamedTuple):
    """All that a run needs.

    Attributes
    ----------
    spec : Spec
    program : Preset
        With the size of the picture.
    scenes : list of Scene
        One for each optimised frame.
    network : NetworkWeights
    prior : PatchPrior or None
        None for total variation.
    start : ndarray, shape (height, width, 3)
        The start image.
    target : Target
        What is raised; `CLASSES` if the scenes say which.
    """

    spec: Spec
    program: Preset
    scenes: list[Scene]
    network: NetworkWeights
    prior: Optional[PatchPrior]
    start: Picture
    target: Target

    @property
    def dtype(self) -> str:
        """{"float32", "float64"}: what it is computed in."""
        return "float64" if self.spec.float64 else "float32"

    @property
    def patch_size(self) -> int:
        """int: side in pixels of what the prior looks at; total variation needs a neighbour."""
        return self.prior.patch_size if self.prior else 2

    @property
    def parameters(self) -> dict[str, Any]:
        """dict: for run.json."""
        return run.parameters(self.program, self.scenes, self.start, self.network, self.prior, self.dtype, self.spec.seed,
                              self.target, self.spec.tile)


def say(text: str) -> None:
    """Tell the user how far it is."""
    print(text, file=sys.stderr)


def load(spec: Spec, say: Callable[[str], Any] = say) -> Inputs:
    """Read what a run needs, and check that it goes.

    Parameters
    ----------
    spec : Spec
    say : callable
        Is told what a chat's log holds.

    Returns
    -------
    Inputs

    Raises
    ------
    InputError
        As `lsd_repro.production.check.check`; or for whatever can't be read or doesn't go together.
    """
    program, size, tile = check(spec), spec.size, spec.tile
    lost = PRESETS[spec.preset].octaves
    if lost and not program.octaves:
        say(f"without the octaves {' '.join(f'{scale}:{steps}' for scale, steps in lost)} of {spec.preset}: steps or network "
            "scales are given in their place")
    network = read_network(spec.weights or WEIGHTS.get(spec.preset))
    target = activation.read(spec.objective, network, _read_guide(spec.guide) if spec.guide else None)
    if not isinstance(target, Classes) and (spec.classes or spec.schedule or spec.chat):
        raise InputError("what a layer sees is not a class: leave out classes=, schedule= and chat=, or "
                         f"{'guide=' if spec.guide else 'objective='}")
    scaled = program.video_width == program.width
    wanted = spec.start or (NOISE if program.start == NOISE else None)
    size = size or (None if wanted not in (None, NOISE) and not scaled else (program.width, program.height))
    if size:
        _check_room(*size, program, network, tile)
    start = load_start(wanted, size, spec.seed)
    height, width = start.shape[:2]
    _check_room(width, height, program, network, tile)
    program = replace(program, height=height, width=width)
    if scaled:
        # An even size, as H.264 wants it.
        program = replace(program, video_height=height // 2 * 2, video_width=width // 2 * 2)
    prior = None if spec.prior_kind == "tv" else store.load_kind(spec.prior or shipped.path(shipped.PRIORS), spec.prior_kind)
    scenes = _scenes(spec, program, network, target, say)
    if not spec.octaves:
        octaves = fitting(program.octaves, min(height, width), least_side(network.layers, target.layer))
        program = replace(program, octaves=octaves)
    inputs = Inputs(spec, program, scenes, network, prior, start, target)
    check_scales(height, width, program.prior_scales, inputs.patch_size)
    scales = [scale for scale, _ in program.octaves] or program.network_scales
    _check_sides(width, height, scales, least_side(network.layers, target.layer))
    for scale in scales:
        seen = receptive.layer_named(network, target.layer, height // scale, width // scale)
        if tile is not None:
            spans(height // scale, seen.rows, seen.stride, seen.start, seen.field, tile)
    return inputs


def read_network(wanted: Optional[PathLike] = None) -> NetworkWeights:
    """Read a network; the last one that was read, if it is the same file, is not read again.

    Parameters
    ----------
    wanted : str or path, optional
        As `lsd_repro.material.shipped.network` takes it.

    Returns
    -------
    NetworkWeights

    Raises
    ------
    InputError
        If it can't be read.
    """
    path = shipped.network(wanted)
    state = os.stat(path)
    return _read(os.fspath(path), state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=1)
def _read(path, *_):
    return matconvnet.read(path)


def _scenes(spec, program, network, target, say):
    if not isinstance(target, Classes):
        return schedule.plan([schedule.Scene(target, target.name)], program.frames_per_class)
    if spec.chat:
        log = logs.read_log(spec.chat)
        say(f"{spec.chat}: {log.summary()}")
        return replay.scenes(log.messages, vocabulary(network.descriptions), program, spec.seed, spec.frames)
    return schedule.scenes(spec.classes, spec.schedule, program, network.descriptions, spec.seed)


def fitting(octaves: Sequence[tuple[int, int]], side: int, least: int) -> tuple[tuple[int, int], ...]:
    """Octaves without those at which a picture is too small for the network; the last takes their steps.

    Parameters
    ----------
    octaves : sequence of (int, int)
        Scale and steps.
    side : int
        The picture's shorter one.
    least : int
        The network's smallest picture.

    Returns
    -------
    tuple of (int, int)
    """
    if not octaves:
        return ()
    *coarse, (finest, steps) = octaves
    kept = [(scale, count) for scale, count in coarse if side // scale >= least]
    left_out = sum(count for _, count in coarse) - sum(count for _, count in kept)
    return (*kept, (finest, steps + left_out))


def _read_guide(path):
    try:
        guide = Image.fromarray(read_photo(path))
    except InputError as error:
        raise OptionError("guide", str(error)) from error
    guide.thumbnail((GUIDE_SIDE, GUIDE_SIDE), Image.Resampling.LANCZOS)
    return np.asarray(guide)


def _check_sides(width, height, scales, least):
    """InputError that names all scales at which a picture is too small for the network."""
    coarse = [scale for scale in sorted(set(scales)) if min(width, height) // scale < least]
    if coarse:
        raise InputError(f"a {width}x{height} picture is too small for the network at scale {' and '.join(map(str, coarse))}: "
                         f"its shorter side must have at least {max(coarse) * least} pixels; choose a larger size=, or leave "
                         "such scales out of network_scales= or octaves=")


def _check_room(width, height, program, network, tile):
    """InputError for a picture whose first maps alone are larger than the machine's memory."""
    finest = min([scale for scale, _ in program.octaves] or program.network_scales)
    seen = [min(side // finest, tile or side) for side in (width, height)]
    maps = 4 * MAPS_AT_ONCE * network.weights[0].shape[0] * seen[0] * seen[1]
    needed = max(maps, 12 * 4 * width * height)  # picture, gradient and moments
    if hasattr(os, "sysconf") and needed > os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"):
        mend = "choose a smaller size="
        if needed == maps:
            mend = "choose a smaller tile=" if tile else f"{mend}, or tile={TILE}"
        raise InputError(f"a picture of {short(width)}x{short(height)} needs {short(needed >> 30)} GiB of memory at the "
                         f"least, more than there is: {mend}")
