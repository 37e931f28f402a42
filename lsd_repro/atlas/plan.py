"""What an atlas is to hold: a sweep's dreams, each with all that decides it."""

import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Optional

from lsd_repro.atlas.options import asked
from lsd_repro.atlas.sweep import ALL, MAX_DREAMS, Sweep, combinations
from lsd_repro.errors import InputError
from lsd_repro.film import schedule
from lsd_repro.film.start import NOISE, SHIPPED_PHOTO
from lsd_repro.material import files, shipped
from lsd_repro.production.load import Inputs, load
from lsd_repro.production.spec import Spec
from lsd_repro.step.target import Classes

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
    spec : Spec
        For a worker; all dreams that differ only in their classes share it.
    """

    name: str
    digest: str
    parameters: dict[str, Any]
    settings: dict[str, Any]
    descriptions: list[str]
    scene: Optional[str]
    spec: Spec


def dreams(sweep: Sweep) -> list[Dream]:
    """The dreams of a sweep, having checked that they go; equal ones once.

    Parameters
    ----------
    sweep : Sweep

    Returns
    -------
    list of Dream

    Raises
    ------
    InputError
        Naming the file.
    """
    found: dict[str, Dream] = {}
    for options in combinations(sweep):
        try:
            plan = load(asked(_located(options, sweep.path.parent)), say=lambda _: None)  # the page says what is in force
            scenes = _scenes(sweep.classes, plan)
        except InputError as error:
            swept = ", ".join(f"{key} {_text(options[key])}" for key in sweep.swept)
            raise InputError(f"{sweep.path}: {error}" + f" (at {swept})" * bool(swept)) from error
        for scene in scenes:
            dream = _dream(plan, scene, options)
            found.setdefault(dream.digest, dream)
        if len(found) > MAX_DREAMS:
            raise InputError(f"{sweep.path}: more than {MAX_DREAMS:,} dreams: cross fewer or shorter lists")
    return list(found.values())


def digest(parameters: dict[str, Any]) -> str:
    """SHA-256 of a dream's parameters, in whatever order."""
    return hashlib.sha256(json.dumps(files.plain(parameters), sort_keys=True).encode()).hexdigest()


def scenes_of(scene: Optional[str], plan: Inputs) -> list[schedule.Scene]:
    """The scenes of a dream's frames, called by the classes' own names, whatever they were asked for by.

    Parameters
    ----------
    scene : str or None
        As a `Dream` has it.
    plan : Inputs

    Returns
    -------
    list of Scene
    """
    if scene is None:
        return plan.scenes
    return schedule.plan(schedule.parse_classes([scene], plan.network.descriptions), plan.program.frames_per_class)


def with_scenes(parameters: dict[str, Any], scenes: Sequence[schedule.Scene]) -> dict[str, Any]:
    """Parameters of a run with other scenes than its own, as JSON has them."""
    return files.plain({**parameters, "scenes": [scene.as_list() for scene in scenes]})


def _located(options, folder):
    """Options with the files that they name, which are looked for beside the sweep's own file."""
    return {key: os.path.abspath(folder / value) if isinstance(value, str) and value not in FILES.get(key, (value,)) else value
            for key, value in options.items()}


def _scenes(classes, plan) -> list[Optional[str]]:
    descriptions = plan.network.descriptions
    if not isinstance(plan.target, Classes):
        if classes is not None:
            raise InputError("what a layer sees is not a class: leave out classes, or "
                             f"{'guide' if plan.spec.guide else 'objective'}")
        return [None]
    if classes == ALL:
        return [str(index) for index in range(len(descriptions))]
    if classes is None:
        found = schedule.scenes(None, None, replace(plan.program, frames_per_class=1), descriptions, plan.spec.seed)
    else:
        found = schedule.parse_classes(classes, descriptions)
    return ["{}+{}".format(*scene.target.numbers) for scene in found]


def _dream(plan, scene, options):
    scenes = scenes_of(scene, plan)
    parameters = with_scenes(plan.parameters, scenes)
    first = scenes[0]
    layer = ":".join(str(part) for part in parameters["objective"] or () if part is not None)
    settings = _settings(first.caption, layer, options, plan)
    words = re.sub(r"[^a-z0-9]+", "-", (layer or first.caption).lower()).strip("-")[:60]
    own = digest(parameters)
    name = f"{words}_strength-{settings['prior-strength']:g}_seed-{settings['seed']}_{own[:DIGITS]}"
    descriptions = [] if layer else [plan.network.descriptions[index] for index in dict.fromkeys(first.target.numbers)]
    return Dream(name, own, parameters, settings, descriptions, scene and "{}+{}".format(*first.target.numbers), plan.spec)


def _settings(caption, layer, options, plan):
    """The options in force, those of the sweep that are not known here after them."""
    spec, program = plan.spec, plan.program
    octaves = " ".join(f"{scale}:{steps}" for scale, steps in program.octaves)
    found = {"classes": caption, **({"objective": f"layer:{layer}"} if layer else {}),
             "size": f"{program.width}x{program.height}", "weights": NETWORK, "prior": "shipped",
             "prior-kind": spec.prior_kind, "prior-strength": program.prior_strength,
             "learning-rate": program.learning_rate, "steps": program.steps_per_frame, "frames": program.frames_per_class,
             **({"octaves": octaves} if octaves else {"network-scales": _text(program.network_scales)}),
             "video-frames": program.video_frames_per_frame,
             "start": NOISE if program.start == NOISE else SHIPPED_PHOTO, "seed": spec.seed}
    return {**found, **{key: _text(value) for key, value in options.items() if key not in found or key in FILES}}


def _text(value):
    if isinstance(value, (list, tuple)):
        return " ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else value
