"""The programs that a user can name: 2015's, and ours (not of 2015)."""

from dataclasses import dataclass, fields, replace
from typing import Optional

from lsd_repro.program2015 import STILLS, STREAM, Program


@dataclass(frozen=True)
class Preset(Program):
    """A program with what 2015 did not have.

    Attributes
    ----------
    octaves : tuple of (int, int)
        Network scale and steps of each part of a frame; the network then sees the picture at that scale alone, instead
        of at `network_scales`. The steps add up to `steps_per_frame`. Empty, as in 2015: no parts.
    start : {"photo", "noise"}
        What the film starts from unless the user says otherwise.
    """

    octaves: tuple[tuple[int, int], ...] = ()
    start: str = "photo"

    def __post_init__(self) -> None:
        if self.octaves and sum(steps for _, steps in self.octaves) != self.steps_per_frame:
            raise ValueError(f"octaves {self.octaves} do not add up to {self.steps_per_frame} steps a frame")

    @property
    def parts(self) -> tuple[tuple[Optional[int], int], ...]:
        """Network scale, if it is another than before, and steps of each part of a frame."""
        return self.octaves or super().parts

    @classmethod
    def of(cls, program: Program) -> "Preset":
        """A program of 2015 as a preset."""
        return cls(**{field.name: getattr(program, field.name) for field in fields(program)})


# The prior strength and the classes were chosen by looking at what the
# network that ships dreams under the prior that ships (the classes out of PUBLISHED); the first octave draws
# what is large; size and length keep a film within minutes on two cores.
DEMO = replace(
    Preset.of(STREAM), width=800, height=450, prior_strength=14.0, octaves=((2, 4), (1, 6)), start="noise",
    video_width=800, video_height=450, caption_leads=False,
    classes=("volcano", "tree frog", "kit fox", "pizza"),
    frames_per_class=4)

# The live page, for the small network that ships, small enough for a frame every
# second or two on two cores; prior strength by looking, again.
LIVE = replace(
    Preset.of(STREAM), width=480, height=272, prior_strength=2.0,
    video_frames_per_frame=25, video_width=480, video_height=272, caption_leads=False)

PRESETS = {"demo": DEMO, "live": LIVE, "stream": Preset.of(STREAM), "stills": Preset.of(STILLS)}

OF_2015 = "stream", "stills"

# Those of which a film is made offline.
FILMED = "demo", "stream"

# Prior strengths of our presets for the networks that ship, under the Student-t that ships; by looking, again: at the other
# one's strength the small network dreams grey, and the large one grain.
STRENGTHS = {"small": LIVE.prior_strength, "trunk": DEMO.prior_strength}

# Networks that go with a preset, where another than the default one does; `lsd_repro.material.shipped.network` has the names.
WEIGHTS = {"live": "small"}
