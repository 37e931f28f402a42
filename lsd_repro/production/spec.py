"""What a run is asked for: `Spec`.

The command line, the live page, an atlas and Python make one and hand it on: `lsd_repro.production.check.check` says
what can be said of it at once, `lsd_repro.production.load.load` reads what it names, and
`lsd_repro.production.build.build` compiles the step.
"""

from dataclasses import dataclass, field, fields
from typing import Any, Callable, Optional

from lsd_repro.errors import OptionError
from lsd_repro.presets import PRESETS
from lsd_repro.production import values

PRIOR_KINDS = "student", "gaussian", "tv"


def _option(read: Callable[[Any], Any], default: Any = None, many: bool = False) -> Any:
    """A field whose values `read` checks; many: one value or several of its kind."""
    return field(default=default, metadata={"read": values.several(read) if many else read, "one": read, "many": many})


@dataclass(frozen=True)
class Spec:
    """What a run is asked for; the fields are the options of ``lsd-repro frames``, by the same names.

    A value may also be text, as on the command line.  None leaves it to the preset.

    Attributes
    ----------
    preset : {"demo", "stream", "stills", "live"}
        The program; see `lsd_repro.presets`.
    classes : tuple of str
        What to show, one after the other, as `lsd_repro.film.schedule.parse_classes` takes it; empty: the program's.
    schedule : str, optional
        A file, instead.
    chat : str, optional
        A chat's log, which chooses instead.
    objective : str
        ``class``, or a layer, as `lsd_repro.step.activation.read` takes it.
    guide : str, optional
        A picture, for the same.
    tile : int, optional
        Side in pixels of what is looked at at once; None: the whole picture.
    start : str, optional
        A picture, or ``noise``.
    size : (int, int), optional
        Width and height; None: the program's, or that of `start` unless the film is as wide as the picture.
    frames : int, optional
        Optimised frames for each class; with a chat, those of the film.
    steps : int, optional
        Gradient steps of a frame.
    network_scales : tuple of int, optional
        At each step the network sees the picture at all of these.
    octaves : tuple of (int, int), optional
        Instead: network scale and steps of each part of a frame.
    learning_rate : float, optional
        Grey levels per step.
    weights : str, optional
        As `lsd_repro.material.shipped.network` takes it; None: what goes with the preset.
    prior : str, optional
        A file of priors, or a folder; None: the one that ships.
    prior_kind : {"student", "gaussian", "tv"}
    prior_scales : tuple of int, optional
        The prior looks at the picture pooled by each of these.
    prior_strength : float, optional
        Weight of the prior's energy.
    float64 : bool
        Whether to compute in float64.
    seed : int
        Of the start noise, of the class where none is named, and of a chat's draws.
    video_frames : int, optional
        Video frames between two optimised ones.

    Raises
    ------
    OptionError
        For a value that no run could have.
    """

    preset: str = _option(values.one_of(PRESETS), "demo")
    classes: tuple[str, ...] = _option(values.class_name, (), many=True)
    schedule: Optional[str] = _option(values.path)
    chat: Optional[str] = _option(values.path)
    objective: str = _option(values.text, "class")
    guide: Optional[str] = _option(values.path)
    tile: Optional[int] = _option(values.whole(1))
    start: Optional[str] = _option(values.path)
    size: Optional[tuple[int, int]] = _option(values.pair("x", "width and height, such as 840x472"))
    frames: Optional[int] = _option(values.whole(1))
    steps: Optional[int] = _option(values.whole(1))
    network_scales: Optional[tuple[int, ...]] = _option(values.whole(1), many=True)
    octaves: Optional[tuple[tuple[int, int], ...]] = _option(values.pair(":", "scale and steps, such as 2:5"), many=True)
    learning_rate: Optional[float] = _option(values.not_negative)
    weights: Optional[str] = _option(values.path)
    prior: Optional[str] = _option(values.path)
    prior_kind: str = _option(values.one_of(PRIOR_KINDS), "student")
    prior_scales: Optional[tuple[int, ...]] = _option(values.whole(1), many=True)
    prior_strength: Optional[float] = _option(values.not_negative)
    float64: bool = _option(values.flag, False)
    seed: int = _option(values.whole(0, 2 ** 64), 0)
    video_frames: Optional[int] = _option(values.whole(1))

    def __post_init__(self) -> None:
        for name, one in OPTIONS.items():
            value = getattr(self, name)
            if value is one.default or (one.default == () and isinstance(value, (list, tuple)) and not value):
                object.__setattr__(self, name, one.default)
                continue
            try:
                object.__setattr__(self, name, one.metadata["read"](value))
            except ValueError as error:
                raise OptionError(name, str(error)) from None


OPTIONS = {one.name: one for one in fields(Spec)}
