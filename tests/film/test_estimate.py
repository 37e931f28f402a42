import time
from dataclasses import replace

import numpy as np
import pytest

from lsd_repro.film import estimate
from lsd_repro.film.schedule import Scene
from lsd_repro.program2015 import STILLS, STREAM
from lsd_repro.step.target import Classes

PROGRAM = replace(STREAM, width=64, height=48, video_width=64, video_height=48, video_frames_per_frame=10, steps_per_frame=4)


class SlowStep:
    """Takes long for the first step, and a tenth of a second for each other."""

    def __init__(self):
        self.picture = np.zeros((48, 64, 3), np.float32)
        self.seconds = 0.5

    def step(self, target):
        time.sleep(self.seconds)
        self.seconds = 0.1
        self.picture = self.picture + 1


def test_pace_is_that_of_later_steps_and_of_the_film():
    pace = estimate.measure(SlowStep(), Scene(Classes(1, 2), "a"), PROGRAM)
    assert 0.1 <= pace.step < 0.2
    assert 0 < pace.video_frame < 0.3
    assert estimate.Pace(2.0, 0.5).seconds(PROGRAM, 3, 5) == 3 * 4 * 2 + 5 * 10 * 0.5


def test_stills_have_no_film():
    assert estimate.measure(SlowStep(), Scene(Classes(1, 2), "a"), STILLS).video_frame == 0


@pytest.mark.parametrize("seconds, words", [(0.4, "0 s"), (89, "89 s"), (100, "2 min"), (5399, "90 min"), (9000, "2.5 h")])
def test_durations_in_words(seconds, words):
    assert estimate.in_words(seconds) == words
