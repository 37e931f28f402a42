"""Prepares a run, for the command line, the live page and notebooks alike.

`adjusted` changes a program; `prepare` brings together all that a run needs, having checked that it goes;
`lsd_repro.film.stream.make_film` then makes the film, or `make_films` one after the other::

    run = prepare(adjusted(DEMO, frames_per_class=1), classes=["spider web"])
    make_film("out/web", run.scenes, run.program, run.make_step, run.parameters)
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Callable, NamedTuple, Optional, Union

import numpy as np
from PIL import Image
from tqdm import tqdm

from lsd_repro.dream import activation
from lsd_repro.dream.step import GradientStep
from lsd_repro.dream.target import Classes
from lsd_repro.dream.tiled import TiledStep
from lsd_repro.dream.tiles import spans
from lsd_repro.errors import InputError
from lsd_repro.film import estimate, run, schedule, stream
from lsd_repro.film.start import NOISE, load_start
from lsd_repro.material import shipped
from lsd_repro.material.files import PathLike
from lsd_repro.material.photos import read_photo
from lsd_repro.network import matconvnet, receptive
from lsd_repro.network.layers import least_side
from lsd_repro.network.weights import NetworkWeights
from lsd_repro.prior import store
from lsd_repro.prior.energy import check_scales, multiscale, patch_energy, total_variation
from lsd_repro.program2015 import Program

# Maps of the first group of layers that are in memory at the same time, at the least.
MAPS_AT_ONCE = 2
TILE = 1024  # pixels, of which VGG-16's tiles have 384 in common with the next
GUIDE_SIDE = 224  # pixels, of the longer side: what VGG-16 was trained on
TILES_SHOWN_AFTER = 5  # seconds
# A second for each would be thirty years.
MOST_STEPS = 10 ** 9


class Production(NamedTuple):
    """All that a run needs.

    Attributes
    ----------
    scenes : list of Scene
        One for each optimised frame.
    program : Program
        With the size of the picture.
    make_step : callable
        Compiles the Step at the start image; one in tiles is what the argument `watch` is for.
    parameters : dict
        For run.json.
    descriptions : tuple of str
        The network's class descriptions.
    start : ndarray, shape (height, width, 3)
        The start image.
    """

    scenes: list
    program: Program
    make_step: Callable
    parameters: dict
    descriptions: tuple
    start: np.ndarray


def adjusted(program: Program, octaves: Optional[Sequence[tuple[int, int]]] = None,
             network_scales: Optional[Sequence[int]] = None, steps_per_frame: Optional[int] = None,
             **changes) -> Program:
    """A program with some of its constants changed; None leaves one as it is.

    Parameters
    ----------
    program : Program
    octaves : sequence of (int, int), optional
        Network scale and steps of each part of a frame.
    network_scales : sequence of int, optional
        Instead of octaves, those of the program included: at each step the network sees the picture at all of these.
    steps_per_frame : int, optional
        Instead of octaves, those of the program included.
    **changes
        Other fields of Program.

    Returns
    -------
    Program

    Raises
    ------
    InputError
        For octaves together with network scales or steps.
    """
    at_once = {"--network-scales": network_scales, "--steps": steps_per_frame}
    given = [option for option, value in at_once.items() if value is not None]
    if octaves is not None:
        if given:
            raise InputError(f"--octaves says at which scale each step is taken: leave out {' and '.join(given)}")
        changes.update(octaves=tuple(octaves), steps_per_frame=sum(steps for _, steps in octaves))
    elif given:
        changes.update(octaves=(), network_scales=network_scales and tuple(network_scales), steps_per_frame=steps_per_frame)
    return replace(program, **{name: value for name, value in changes.items() if value is not None})


def prepare(program: Program, classes: Sequence[str] = (), path: Optional[PathLike] = None,
            choose: Optional[Callable[[Program, Sequence[str]], list[schedule.Scene]]] = None,
            weights: Union[PathLike, NetworkWeights, None] = None, prior: Optional[PathLike] = None,
            prior_kind: str = "student", start: Optional[PathLike] = None, size: Optional[tuple[int, int]] = None, seed: int = 0,
            dtype: str = "float32", keep_octaves: bool = False, objective: str = activation.CLASS,
            guide: Optional[PathLike] = None, tile: Optional[int] = None) -> Production:
    """Read what a run needs, and check that it goes.

    Parameters
    ----------
    program : Program
        Its size is that of the start image, where one is given and `size` is not, unless the film is as wide as
        the picture.
    classes : sequence of str
        As in `lsd_repro.film.schedule.parse_classes`.
    path : path, optional
        A schedule file.
    choose : callable, optional
        Chooses the scenes instead of `classes` and `path`, from the program and the class descriptions.
    weights : str, path or NetworkWeights, optional
        As in `lsd_repro.material.shipped.network`, or what has been read already.
    prior : path, optional
        Default: the one that ships.
    prior_kind : {"student", "gaussian", "tv"}
    start : path or "noise", optional
        Default: the program's.
    size : (int, int), optional
        Width and height of the picture.
    seed : int
    dtype : {"float32", "float64"}
    keep_octaves : bool
        Whether octaves at which the picture is too small for the network are an error; else the finest takes
        their steps.
    objective : str
        As in `lsd_repro.dream.activation.read`; with a layer there are no classes, nor other scenes.
    guide : path, optional
        A picture, for the same.
    tile : int, optional
        Side in pixels of what is looked at at once; None: the whole picture.

    Returns
    -------
    Production

    Raises
    ------
    InputError
        For whatever can't be read or doesn't go together.
    """
    network = weights if isinstance(weights, NetworkWeights) else matconvnet.read(shipped.network(weights))
    target = activation.read(objective, network, _read_guide(guide) if guide else None)
    if not isinstance(target, Classes) and (classes or path or choose):
        raise InputError("what a layer sees is not a class: leave out --classes, --schedule and --chat, or "
                         f"{'--guide' if guide else '--objective'}")
    scaled = program.video_width == program.width
    start = start or program.start
    size = size or (None if start not in (None, NOISE) and not scaled else (program.width, program.height))
    if size:
        _check_room(*size, program, network, tile)
    start = load_start(start, size, seed)
    height, width = start.shape[:2]
    _check_room(width, height, program, network, tile)
    program = replace(program, height=height, width=width)
    if scaled:
        # An even size, as H.264 wants it.
        program = replace(program, video_height=height // 2 * 2, video_width=width // 2 * 2)
    if prior_kind == "tv":
        if prior:
            raise InputError("--prior-kind tv (total variation) has no filters: leave out --prior")
    else:
        prior = store.load_kind(prior or shipped.path(shipped.PRIORS), prior_kind)
    # Total variation needs a neighbour.
    patch_size = prior.patch_size if prior else 2
    check_scales(height, width, program.prior_scales, patch_size)
    if isinstance(target, Classes):
        scenes = (choose(program, network.descriptions) if choose else
                  schedule.scenes(classes, path, program, network.descriptions, seed))
    else:
        scenes = schedule.plan([schedule.Scene(target, target.name)], program.frames_per_class)
    if not keep_octaves:
        octaves = fitting(program.octaves, min(height, width), least_side(network.layers, target.layer))
        program = replace(program, octaves=octaves)
    for scale in [scale for scale, _ in program.octaves] or program.network_scales:
        seen = receptive.layer_named(network, target.layer, height // scale, width // scale)
        if tile is not None:
            spans(height // scale, seen.rows, seen.stride, seen.start, seen.field, tile)

    def make_step(watch=_show_tiles):
        print("compiling (a minute or so the first time; Theano keeps the result)", file=sys.stderr)
        energy = multiscale(patch_energy(prior) if prior else total_variation, program.prior_scales)
        in_tiles = {} if tile is None else {"patch_size": patch_size, "tile": tile, "watch": watch}
        return (TiledStep if in_tiles else GradientStep)(
            network, energy, start, program.learning_rate, program.prior_strength,
            None if program.octaves else program.network_scales, dtype, target=target, **in_tiles)

    parameters = run.parameters(program, scenes, start, network, prior, dtype, seed, target, tile)
    return Production(scenes, program, make_step, parameters, network.descriptions, start)


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


def make_films(folders: Sequence[Path], production: Production, resume: bool) -> None:
    """Make a film of an equal part of a production's scenes in each folder, all with one step.

    Says first how long they will take, and after each that it is done.

    Parameters
    ----------
    folders : sequence of Path
    production : Production
    resume : bool
        Those after the one that was interrupted have not begun.

    Raises
    ------
    InputError
        As `lsd_repro.film.stream.make_film`.
    """
    if not resume:
        for folder in folders:
            run.check_empty(folder)
    scenes, program, make_step, parameters, _, start = production
    count = len(scenes) // len(folders)
    to_come = len(scenes) - sum(done for done, _ in filter(None, map(run.read_latest, folders)))
    if to_come:
        step = make_step()
        pace = estimate.measure(step, scenes[0], program)
        print(f"{to_come} frames of {program.steps_per_frame} steps, and {len(folders)} films: about "
              f"{estimate.in_words(pace.seconds(program, to_come, len(scenes)))} at {pace.step:.2g} s a step and "
              f"{pace.video_frame:.2g} s a video frame", file=sys.stderr)

    def from_the_start():
        step.picture = start
        step.reset_moments()
        return step

    for index, folder in enumerate(folders):
        own = scenes[index * count:(index + 1) * count]
        stream.make_film(folder, own, program, from_the_start, {**parameters, "scenes": [scene.as_list() for scene in own]},
                         resume and folder.exists())
        print(f"done, see {folder}")


def _read_guide(path):
    try:
        guide = Image.fromarray(read_photo(path))
    except InputError as error:
        raise InputError(f"--guide {error}") from error
    guide.thumbnail((GUIDE_SIDE, GUIDE_SIDE), Image.Resampling.LANCZOS)
    return np.asarray(guide)


def _show_tiles(tiles):
    # Most steps take less.
    return tqdm(tiles, "tiles", leave=False, delay=TILES_SHOWN_AFTER)


def _check_room(width, height, program, network, tile):
    """InputError for a picture whose first maps alone are larger than the machine's memory, or steps without end."""
    finest = min([scale for scale, _ in program.octaves] or program.network_scales)
    seen = [min(side // finest, tile or side) for side in (width, height)]
    maps = 4 * MAPS_AT_ONCE * network.weights[0].shape[0] * seen[0] * seen[1]
    needed = max(maps, 12 * 4 * width * height)  # picture, gradient and moments
    if hasattr(os, "sysconf") and needed > os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"):
        mend = "choose a smaller --size"
        if needed == maps:
            mend = "choose a smaller --tile" if tile else f"{mend}, or --tile {TILE}"
        raise InputError(f"a picture of {_short(width)}x{_short(height)} needs {_short(needed >> 30)} GiB of memory at the "
                         f"least, more than there is: {mend}")
    steps = program.steps_per_frame * program.frames_per_class
    if steps > MOST_STEPS:
        raise InputError(f"{_short(steps)} steps for a class are too many: choose fewer --steps or --frames")


def _short(number):
    return f"{number:,}" if number < 1e9 else f"1e{len(str(number)) - 1}"
