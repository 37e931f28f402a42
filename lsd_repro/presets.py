"""The programs that a user can name: 2015's, and ours (not of 2015)."""

from dataclasses import replace

from lsd_repro.program2015 import STILLS, STREAM

# The prior strength and the classes were chosen by looking at what the
# network that ships dreams under the prior that ships (the classes out of PUBLISHED); the first octave draws
# what is large; size and length keep a film within minutes on two cores.
DEMO = replace(
    STREAM, width=800, height=450, prior_strength=14.0, octaves=((2, 4), (1, 6)), start="noise",
    video_width=800, video_height=450, caption_leads=False,
    classes=("volcano", "tree frog", "kit fox", "pizza"),
    frames_per_class=4)

# The live page, for the small network that ships, small enough for a frame every
# second or two on two cores; prior strength by looking, again.
LIVE = replace(
    STREAM, width=480, height=272, prior_strength=2.0,
    video_frames_per_frame=25, video_width=480, video_height=272, caption_leads=False)

PRESETS = {"demo": DEMO, "live": LIVE, "stream": STREAM, "stills": STILLS}

OF_2015 = "stream", "stills"

# Those of which a film is made offline.
FILMED = "demo", "stream"

# Prior strengths of our presets for the networks that ship, under the Student-t that ships; by looking, again: at the other
# one's strength the small network dreams grey, and the large one grain.
STRENGTHS = {"small": LIVE.prior_strength, "trunk": DEMO.prior_strength}

# Networks that go with a preset, where another than the default one does; `lsd_repro.material.shipped.network` has the names.
WEIGHTS = {"live": "small"}
