"""The constants of the 2015 program (317070/Twitch-plays-LSD-neural-net, July 2015).

Two programs were published: the stream and the stills.  Their constants stand
here side by side, and no other module has a magic number of 2015; `lsd_repro.presets`
has programs of ours.
"""

from dataclasses import dataclass
from typing import Optional

# The network sees x minus one scalar, the mean of the average image's entries;
# groups of 3x3 convolutions of VGG-16 (Simonyan & Zisserman 2014, configuration D).
VGG16_GROUPS = (2, 2, 3, 3, 3)
# Configuration E, which the program could read, too.
VGG19_GROUPS = (2, 2, 4, 4, 4)

# The patch prior: 8x8 RGB patches, 192 filters, grey level 128 subtracted.
PATCH_SIZE = 8
GREY_OFFSET = 128.0
# Scale of the Student-t energy: log(1 + (z - mu)^2 / STUDENT_SCALE) per component.
STUDENT_SCALE = 0.665248

# Adam as the program had it: BETA1 and BETA2 weigh the NEW gradient.
BETA1 = 0.9
BETA2 = 0.999
EPSILON = 1e-8

# The stream: 5 % zoom a second, a hundredth of a degree of rotation a video frame.
FRAMES_PER_SECOND = 25
ZOOM_PER_SECOND = 1.05
ROTATION_PER_FRAME = 0.01  # degrees
# How much the time of the last frame weighs in the average that sets k live.
NEWEST_WEIGHT = 0.9

# The caption's font height and the corner of its text, in pixels; its black border lies outside.
CAPTION_HEIGHT = 20
CAPTION_CORNER = (5, 5)

# The chat: how many messages wait, how long a subject is held, and for how many there is room.
QUEUE_LENGTH = 100
HOLD_SECONDS = 60
HALVES = 2

# The stills were written as round(clip(x, 0.1, 254.9)).
STILL_RANGE = (0.1, 254.9)


@dataclass(frozen=True)
class Program:
    """What distinguishes one program from another.

    Attributes
    ----------
    width, height : int
        Size of the optimised picture, which the start image set in 2015.
    learning_rate : float
        Grey levels; nearly the size of every step.
    prior_strength : float
        Weight of the mean prior energy in the loss.
    prior_scales, network_scales : tuple of int
        Mean-pooling factors at which prior and network see the picture.
    steps_per_frame : int
        Gradient steps between two optimised frames.
    reset_moments : bool
        Whether Adam starts afresh at every frame.
    video_frames_per_frame : int
        Video frames between two optimised frames; the stills had none, and no film.  In 2015 this was
        25 times the 7 to 8 s that the steps of a frame took.  The stream's 193 is measured:
        of `BEFORE_1850` and 1850, the only two frames known to follow one another, the first
        correlates with the second 0.931 if zoomed by 193, 0.921 by 192 and 0.920 by 194.
    video_width, video_height : int
        Size of the film.
    caption_leads : bool
        Whether a new caption comes a frame before the picture that was dreamt under it, as in
        2015: the text was handed over with the last picture of the classes before.
    classes : tuple of str
        What is shown unless the user says otherwise; empty: drawn at random.
    frames_per_class : int
        Optimised frames for each entry of `classes`.
    """

    width: int
    height: int
    learning_rate: float
    prior_strength: float
    prior_scales: tuple[int, ...]
    network_scales: tuple[int, ...]
    steps_per_frame: int
    reset_moments: bool
    video_frames_per_frame: int
    video_width: int
    video_height: int
    caption_leads: bool
    classes: tuple[str, ...]
    frames_per_class: int

    @property
    def has_film(self) -> bool:
        """Whether there are video frames between the optimised ones."""
        return self.video_frames_per_frame > 0

    @property
    def parts(self) -> tuple[tuple[Optional[int], int], ...]:
        """Network scale, if it is another than before, and steps of each part of a frame: in 2015 there was one."""
        return ((None, self.steps_per_frame),)


STREAM = Program(
    width=840, height=472, learning_rate=5.0, prior_strength=10.0,
    prior_scales=(1, 4, 8, 16, 32), network_scales=(1,),
    steps_per_frame=10, reset_moments=True,
    video_frames_per_frame=193, video_width=1024, video_height=576, caption_leads=True,
    classes=(), frames_per_class=8)

STREAM_START = "image7.jpg"  # in the author's repository

STILLS = Program(
    width=1920, height=1080, learning_rate=5.0, prior_strength=1000.0,
    prior_scales=(1, 2, 5, 11, 23, 47, 95), network_scales=(3, 4),
    steps_per_frame=1, reset_moments=False,
    video_frames_per_frame=0, video_width=0, video_height=0, caption_leads=False,
    classes=("volcano",), frames_per_class=100)

# The frames that the author published (blog of 2 July 2015), by name: the step in
# the file's name, and what to ask for.  The names are WordNet terms that belong to one
# class of VGG-16 each.  In 5920, rabbits are above and clocks below; which of the
# rabbits the chat meant is not recorded, nor is what 5290 shows (the post leaves it out).
PUBLISHED = {
    "bee": (270, "bee"),
    "spider-web": (760, "spider web"),
    "tree-frog": (1710, "tree frog"),
    "pizza": (1850, "pizza"),
    "cheeseburger": (2070, "cheeseburger"),
    "gondola": (2230, "gondola"),
    "volcano": (2540, "volcano"),
    "bubble": (3110, "bubble"),
    "broccoli": (4260, "broccoli"),
    "golf-ball": (5290, "golf ball"),
    "rabbit-clock": (5920, "analog clock+wood rabbit"),
    "kit-fox": (7270, "kit fox"),
}

# What we call a frame from the history of the author's site: the one just before 1850, of pizza, too.
BEFORE_1850 = "blog-pizza-before-1850"
