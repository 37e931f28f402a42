"""What can be said of a spec without reading a file: `check`."""

from dataclasses import replace

from lsd_repro.errors import InputError
from lsd_repro.material import shipped
from lsd_repro.presets import OF_2015, PRESETS, STRENGTHS, WEIGHTS, Preset
from lsd_repro.production.spec import Spec

# A second for each would be thirty years.
MOST_STEPS = 10 ** 9


def check(spec: Spec) -> Preset:
    """See that options go together.

    Parameters
    ----------
    spec : Spec

    Returns
    -------
    Preset
        The preset with what the spec changes of it, but for the picture's size, which depends on the start image.

    Raises
    ------
    InputError
        For options that exclude one another, or steps without end.
    """
    if spec.chat and (spec.classes or spec.schedule):
        raise InputError(f"let the chat {spec.chat} choose, or classes= or schedule=, not both")
    if spec.classes and spec.schedule:
        raise InputError(f"give classes or the schedule {spec.schedule}, not both")
    if spec.prior_kind == "tv" and spec.prior:
        raise InputError("prior_kind=tv (total variation) has no filters: leave out prior=")
    program = _changed(PRESETS[spec.preset], spec)
    steps = program.steps_per_frame * program.frames_per_class
    if steps > MOST_STEPS:
        raise InputError(f"{short(steps)} steps for a class are too many: choose fewer steps= or frames=")
    return program


def _changed(program, spec):
    at_once = {"network_scales=": spec.network_scales, "steps=": spec.steps}
    given = [option for option, value in at_once.items() if value is not None]
    strength = spec.prior_strength
    if strength is None and spec.preset not in OF_2015 and spec.prior is None and spec.prior_kind == "student":
        strength = STRENGTHS.get(spec.weights or WEIGHTS.get(spec.preset, shipped.DEFAULT))
    changes = {"learning_rate": spec.learning_rate, "prior_scales": spec.prior_scales, "prior_strength": strength,
               "frames_per_class": spec.frames, "video_frames_per_frame": spec.video_frames}
    if spec.octaves is not None:
        if given:
            raise InputError(f"octaves= says at which scale each step is taken: leave out {' and '.join(given)}")
        changes.update(octaves=spec.octaves, steps_per_frame=sum(steps for _, steps in spec.octaves))
    elif given:
        # The program's own octaves included.
        changes.update(octaves=(), network_scales=spec.network_scales, steps_per_frame=spec.steps)
    return replace(program, **{name: value for name, value in changes.items() if value is not None})


def short(number: int) -> str:
    """A number in few characters."""
    return f"{number:,}" if number < 1e9 else f"1e{len(str(number)) - 1}"
