from types import SimpleNamespace

import numpy as np

from lsd_repro.step.trace import at_limits, follow, movement, reversals

PICTURES = [np.array([[[0.0, 10.0, 250.0]]]), np.array([[[5.0, 5.0, 255.0]]]), np.array([[[0.0, 0.0, 255.0]]])]


def test_follow_keeps_the_start_and_every_step():
    step = SimpleNamespace(picture=np.zeros((1, 1, 3)))

    def forward(c0, c1):
        step.picture = step.picture + c0 + c1
        return float(step.picture.mean())

    step.step = forward
    trace = follow(step, 2, 3, 4)
    assert [picture[0, 0, 0] for picture in trace.pictures] == [0, 5, 10, 15, 20]
    assert trace.terms == [5, 10, 15, 20]


def test_movement_is_the_mean_distance():
    np.testing.assert_allclose(movement(PICTURES), [5, 10 / 3])


def test_reversals_are_moves_back():
    # The first goes up and down, the second down twice, the third up and stays.
    np.testing.assert_allclose(reversals(PICTURES), [1 / 3])


def test_limits_count_both_ends():
    np.testing.assert_allclose(at_limits(PICTURES), [1 / 3, 1 / 3, 1])
