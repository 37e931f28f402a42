"""What an atlas is to hold: a sweep's dreams, each with all that decides it."""

import functools
import hashlib
import json
import os
import re
from collections.abc import Sequence
from typing import Any, Callable, NamedTuple, Optional

from lsd_repro.atlas.sweep import ALL, MAX_DREAMS, Sweep, combinations
from lsd_repro.errors import InputError
from lsd_repro.film import production, schedule
from lsd_repro.film.start import NOISE, SHIPPED_PHOTO
from lsd_repro.material import files, shipped
from lsd_repro.network import matconvnet

# Options that name files, and what stands in a file's place.
FILES = {"weights": tuple(shipped.NETWORKS), "prior": (), "start": (NOISE,), "guide": ()}
DIGITS = 12  # of a digest, in names
NETWORK = next(name for name, file in shipped.NETWORKS.items() if file == shipped.NETWORK)


class Dream(NamedTuple):
    """One picture of an atlas.

    Attributes
    ----------
    name : str
        Of its files.
    digest : str
        Of its parameters.
    parameters : dict
        Everything that decides the picture, as `lsd_repro.film.run.parameters` has it.
    settings : dict of str to str or number
        The same for people: by the names of options, after "classes" all that are in force.
    descriptions : list of str
        Of its class, or of both; empty if a layer is raised.
    scene : str or None
        Indices of its classes, ``bottom+top``; None: the layer's own.
    arguments : dict
        Of `lsd_repro.film.production.prepare`, for a worker; all dreams that differ only in their classes share it.
    """

    name: str
    digest: str
    parameters: dict
    settings: dict
    descriptions: list
    scene: Optional[str]
    arguments: dict


def dreams(sweep: Sweep, prepared: Callable[[dict[str, Any]], dict[str, Any]]) -> list[Dream]:
    """The dreams of a sweep, having checked that they go; equal ones once.

    Parameters
    ----------
    sweep : Sweep
    prepared : callable
        From options, by name, to arguments of `lsd_repro.film.production.prepare` other than classes.  Raises
        InputError for options that it does not understand.

    Returns
    -------
    list of Dream

    Raises
    ------
    InputError
        Naming the file.
    """
    found = {}
    for options in combinations(sweep):
        try:
            arguments = prepared(_located(options, sweep.path.parent))
            plan = prepare(arguments)
            scenes = _scenes(sweep.classes, plan, arguments["seed"])
        except InputError as error:
            swept = ", ".join(f"{key} {_text(options[key])}" for key in sweep.swept)
            raise InputError(f"{sweep.path}: {error}" + f" (at {swept})" * bool(swept)) from error
        for scene in scenes:
            dream = _dream(plan, scene, options, arguments)
            found.setdefault(dream.digest, dream)
        if len(found) > MAX_DREAMS:
            raise InputError(f"{sweep.path}: more than {MAX_DREAMS:,} dreams: cross fewer or shorter lists")
    return list(found.values())


def prepare(arguments: dict[str, Any]) -> production.Production:
    """What `lsd_repro.film.production.prepare` makes of arguments, reading a network anew only where it is another."""
    path = shipped.network(arguments["weights"])
    state = os.stat(path)
    return production.prepare(**{**arguments, "weights": _read(path, state.st_mtime_ns, state.st_size)})


@functools.lru_cache(maxsize=1)
def _read(path, *_):
    return matconvnet.read(path)


def digest(parameters: dict[str, Any]) -> str:
    """SHA-256 of a dream's parameters, in whatever order."""
    return hashlib.sha256(json.dumps(files.plain(parameters), sort_keys=True).encode()).hexdigest()


def scenes_of(scene: Optional[str], plan: production.Production) -> list[schedule.Scene]:
    """The scenes of a dream's frames, called by the classes' own names, whatever they were asked for by.

    Parameters
    ----------
    scene : str or None
        As a `Dream` has it.
    plan : Production

    Returns
    -------
    list of Scene
    """
    if scene is None:
        return plan.scenes
    return schedule.plan(schedule.parse_classes([scene], plan.descriptions), plan.program.frames_per_class)


def with_scenes(parameters: dict[str, Any], scenes: Sequence[schedule.Scene]) -> dict[str, Any]:
    """Parameters of a production with other scenes than its own, as JSON has them."""
    return files.plain({**parameters, "scenes": [scene.as_list() for scene in scenes]})


def _located(options, folder):
    """Options with the files that they name, which are looked for beside the sweep's own file."""
    return {key: os.path.abspath(folder / value) if isinstance(value, str) and value not in FILES.get(key, (value,)) else value
            for key, value in options.items()}


def _scenes(classes, plan, seed) -> list[Optional[str]]:
    if plan.parameters["objective"]:
        if classes is not None:
            raise InputError("what a layer sees is not a class: leave out classes, or "
                             f"{'guide' if plan.parameters['guide'] else 'objective'}")
        return [None]
    if classes == ALL:
        return [str(index) for index in range(len(plan.descriptions))]
    if classes is None:
        program = production.adjusted(plan.program, frames_per_class=1)
        found = schedule.scenes(None, None, program, plan.descriptions, seed)
    else:
        found = schedule.parse_classes(classes, plan.descriptions)
    return ["{}+{}".format(*scene.target.numbers) for scene in found]


def _dream(plan, scene, options, arguments):
    scenes = scenes_of(scene, plan)
    parameters = with_scenes(plan.parameters, scenes)
    first = scenes[0]
    layer = ":".join(str(part) for part in parameters["objective"] or () if part is not None)
    settings = _settings(first.caption, layer, options, arguments, plan.program)
    words = re.sub(r"[^a-z0-9]+", "-", (layer or first.caption).lower()).strip("-")[:60]
    own = digest(parameters)
    name = f"{words}_strength-{settings['prior-strength']:g}_seed-{settings['seed']}_{own[:DIGITS]}"
    descriptions = [] if layer else [plan.descriptions[index] for index in dict.fromkeys(first.target.numbers)]
    return Dream(name, own, parameters, settings, descriptions, scene and "{}+{}".format(*first.target.numbers), arguments)


def _settings(caption, layer, options, arguments, program):
    """The options in force, those of the sweep that are not known here after them."""
    octaves = " ".join(f"{scale}:{steps}" for scale, steps in program.octaves)
    found = {"classes": caption, **({"objective": f"layer:{layer}"} if layer else {}),
             "size": f"{program.width}x{program.height}", "weights": NETWORK, "prior": "shipped",
             "prior-kind": arguments["prior_kind"], "prior-strength": program.prior_strength,
             "learning-rate": program.learning_rate, "steps": program.steps_per_frame, "frames": program.frames_per_class,
             **({"octaves": octaves} if octaves else {"network-scales": _text(program.network_scales)}),
             "video-frames": program.video_frames_per_frame, "start": program.start or SHIPPED_PHOTO, "seed": arguments["seed"]}
    return {**found, **{key: _text(value) for key, value in options.items() if key not in found or key in FILES}}


def _text(value):
    if isinstance(value, (list, tuple)):
        return " ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else value
