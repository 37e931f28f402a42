"""What a worker does: one dream -> the bytes of a picture, and what is to be said of it.

A compiled step is kept for dreams to come that differ only in what can be set on it.
"""

import io
import os
import socket
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Union

from lsd_repro import __version__
from lsd_repro.errors import InputError, StackError
from lsd_repro.runtime.openblas import instruct_openblas

if TYPE_CHECKING:
    from lsd_repro.production.load import Inputs
    from lsd_repro.production.spec import Spec
    from lsd_repro.step.gradient import GradientStep

# Parameters of a run that a compiled step can be given anew, or that it has nothing to do with.  Whatever is not
# among them is taken to be compiled in.
SET_ANEW = frozenset({
    "learning_rate", "prior_strength", "scenes", "start", "seed", "classes", "steps_per_frame", "frames_per_class",
    "reset_moments", "video_frames_per_frame", "video_width", "video_height", "caption_leads"})
# Each holds some hundred MB.
MOST_STEPS = 2
TOPIC = "lsd_repro atlas"


class Task(NamedTuple):
    """What a worker is told of a dream.

    Attributes
    ----------
    name : str
    spec : Spec
    scene : str or None
        As `lsd_repro.atlas.plan.Dream` has it.
    parameters : dict
        What the worker's own must be equal to.
    version : str
        Of the lsd_repro that asks.
    """

    name: str
    spec: "Spec"
    scene: Optional[str]
    parameters: dict[str, Any]
    version: str


class Dreamt(NamedTuple):
    """A picture, and what is to be said of it.

    Attributes
    ----------
    picture : bytes
        A PNG.
    facts : dict
        The terms of the last step, how long it took, and what computed it.
    """

    picture: bytes
    facts: dict[str, Any]


class Failed(NamedTuple):
    """Why there is no picture, and would be none elsewhere."""

    reason: str


class Unfit(NamedTuple):
    """Why this worker cannot dream what it was asked for, though others might."""

    reason: str
    host: str


class Steps:
    """Compiled steps, the latest few."""

    def __init__(self) -> None:
        self._made: OrderedDict[str, GradientStep] = OrderedDict()

    def at_start(self, inputs: "Inputs", parameters: dict[str, Any]) -> "GradientStep":
        """The step of a run, at its start."""
        from lsd_repro.production.build import build

        key = compiled_in(parameters)
        step = self._made.pop(key, None)
        if step is None:
            while len(self._made) >= MOST_STEPS:
                self._made.popitem(last=False)
            step = build(inputs, watch=iter, say=lambda _: None)
        self._made[key] = step
        step.learning_rate = inputs.program.learning_rate
        step.prior_strength = inputs.program.prior_strength
        step.picture = inputs.start
        step.reset_moments()
        return step


def compiled_in(parameters: dict[str, Any]) -> str:
    """What tells dreams apart that cannot share a compiled step."""
    from lsd_repro.atlas.plan import digest

    by_octaves, objective = bool(parameters["octaves"]), parameters["objective"]
    fixed = {name: value for name, value in parameters.items() if name not in SET_ANEW}
    # Which channel it is, a step is told each time.
    return digest({**fixed, "octaves": by_octaves, "network_scales": None if by_octaves else parameters["network_scales"],
                   "objective": objective and [objective[0], objective[1] is not None]})


# Theano's functions are not for two threads at once; a worker may have been given several.
_one_at_a_time = threading.Lock()
_steps = Steps()


def dream(task: Task) -> Union[Dreamt, Failed, Unfit]:
    """What Dask calls in a worker: `dreamt`, after telling the client what is dreamt."""
    from distributed import get_worker

    with _one_at_a_time:
        get_worker().log_event(TOPIC, {"worker": get_worker().address, "dream": task.name})
        return dreamt(task, _steps)


def dreamt(task: Task, steps: Steps) -> Union[Dreamt, Failed, Unfit]:
    """Dream one dream.

    Parameters
    ----------
    task : Task
    steps : Steps
        What was compiled for dreams before.

    Returns
    -------
    Dreamt, Failed or Unfit
    """
    if task.version != __version__:
        return _unfit(f"it has lsd_repro {__version__}, not {task.version}: install the same there")
    # Before numpy is imported.
    instruct_openblas()
    begun = time.perf_counter()
    try:
        # Brings in Theano, which can lack something here.
        from lsd_repro.atlas import plan
        from lsd_repro.production.load import load

        inputs = load(task.spec, say=lambda _: None)
        scenes = plan.scenes_of(task.scene, inputs)
    except InputError as error:
        return _unfit(str(error))
    parameters = plan.with_scenes(inputs.parameters, scenes)
    others = sorted(key for key in parameters.keys() | task.parameters.keys() if parameters.get(key) != task.parameters.get(key))
    if others:
        return _unfit(f"what it would dream of differs in {', '.join(others)}: give it the same files")
    try:
        step = steps.at_start(inputs, parameters)
        terms = _take(step, scenes, inputs.program)
    except StackError as error:
        return _unfit(str(error))
    except InputError as error:
        return Failed(str(error))
    return Dreamt(_png(step.picture), {"terms": terms._asdict(), "seconds": time.perf_counter() - begun, **_computed_by()})


def _unfit(reason):
    return Unfit(reason, socket.gethostname())


def _take(step, scenes, program):
    """The frames of a film that is not filmed; the terms of its last step."""
    from lsd_repro.film.stream import frames

    *_, last = frames(step, [(scene, program) for scene in scenes])
    return last.terms


def _png(picture):
    from PIL import Image

    from lsd_repro.film.write import as_still

    file = io.BytesIO()
    Image.fromarray(as_still(picture)).save(file, "PNG")
    return file.getvalue()


def _computed_by():
    from lsd_repro.runtime import provenance

    return {"worker": {"host": socket.gethostname(), "process": os.getpid()},
            "versions": provenance.versions(), "machine": provenance.machine()}
