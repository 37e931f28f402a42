from functools import partial

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from lsd_repro.runtime.load import T, theano
from lsd_repro.step.objective import (
    Aim,
    aim_2015,
    aim_own_halves,
    aim_weighed,
    class_term,
    everywhere,
    log_likelihood_term,
    logit_alone_term,
    one_half_term,
    probability_term,
)
from lsd_repro.step.target import Classes

LOGITS = np.random.default_rng(0).normal(size=(1, 6, 5, 4))
TARGET = Classes(2, 4)


def compute(expressions, logits=LOGITS):
    """Numbers that expressions of symbolic logits come to, in Python: what counts is what the graphs say."""
    symbol = T.dtensor4()
    return [float(value) for value in theano.function([symbol], expressions(symbol), mode="FAST_COMPILE")(logits)]


def evaluate(full_rows):
    aim = aim_2015(TARGET, LOGITS.shape[2], full_rows)
    assert len(aim.halves) == (2 if 1 < full_rows < 10 else 1)
    return compute(lambda logits: [aim(logits), class_term(logits, aim)])


def test_bottom_half_aims_at_c0_and_top_half_at_c1():
    target, term = evaluate(full_rows=5)
    assert target == pytest.approx(LOGITS[0, 2, 2:].mean() + LOGITS[0, 4, :2].mean())
    assert term == pytest.approx(LOGITS.mean() - target)


def test_halves_are_cut_where_the_unpooled_map_has_its_middle():
    target, _ = evaluate(full_rows=8)
    assert target == pytest.approx(LOGITS[0, 2, 4:].mean() + LOGITS[0, 4, :4].mean())


def test_an_empty_bottom_half_counts_nothing():
    target, term = evaluate(full_rows=20)
    assert target == pytest.approx(LOGITS[0, 4].mean())
    assert np.isfinite(term)


@pytest.mark.parametrize("full_rows, bottom, expected", [
    (5, True, LOGITS[0, 2, 2:].mean()), (5, False, LOGITS[0, 4, :2].mean()), (20, True, 0), (1, False, 0)])
def test_a_target_in_one_half_alone_even_if_that_is_empty(full_rows, bottom, expected):
    term, = compute(lambda logits: [one_half_term(logits, aim_2015(TARGET, 5, full_rows), bottom)])
    assert term == pytest.approx(LOGITS.mean() - expected)


def test_a_single_row_is_all_bottom():
    target, _ = evaluate(full_rows=1)
    assert target == pytest.approx(LOGITS[0, 2].mean())


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_own_halves_share_the_middle_row_of_an_odd_number(rows):
    shown = LOGITS[:, :, :rows]
    below, above = {1: ([0], [0]), 2: ([1], [0]), 5: ([2, 3, 4], [0, 1, 2])}[rows]
    aim = aim_own_halves(TARGET)
    assert len(aim.halves) == 2
    expected = shown[0, 2, below].mean() + shown[0, 4, above].mean()
    assert compute(lambda logits: [aim(logits)], shown) == pytest.approx([expected])


@pytest.mark.parametrize("objective", [
    class_term, log_likelihood_term, partial(one_half_term, bottom=True), partial(one_half_term, bottom=False)])
def test_parts_with_weights_add_up_to_the_whole(objective):
    whole, = compute(lambda logits: [objective(logits, aim_2015(TARGET, 5, 5))])
    weights = np.full((5, 4), 1 / 20), np.zeros((5, 4)), np.zeros((5, 4))
    weights[1][2:], weights[2][:2] = 1 / 12, 1 / 8
    parts = [compute(lambda logits: [objective(logits, aim_weighed(TARGET, *(weight[rows] for weight in weights)))],
                     LOGITS[:, :, rows])[0] for rows in (slice(0, 3), slice(3, 5))]
    assert sum(parts) == pytest.approx(whole)


def bottom(scores):
    return scores[0, 2, 2:].mean()


BOTTOM = Aim(everywhere, bottom, None)


@pytest.mark.parametrize("objective, scores", [
    (logit_alone_term, LOGITS), (probability_term, softmax(LOGITS, axis=1)),
    (log_likelihood_term, log_softmax(LOGITS, axis=1))])
def test_other_objectives_aim_at_the_logits_or_their_softmax(objective, scores):
    assert compute(lambda logits: [objective(logits, BOTTOM)]) == pytest.approx([-bottom(scores)])


def test_log_likelihood_pushes_where_the_probability_is_low_and_rests_where_it_is_high():
    logits = T.dtensor4()
    aim = Aim(everywhere, lambda scores: scores[0, 2].mean(), None)
    gradient = theano.function([logits], T.grad(log_likelihood_term(logits, aim), logits))
    for offset, expected in ((-1000.0, -1.0), (1000.0, 0.0)):
        shifted = LOGITS.copy()
        shifted[0, 2] += offset
        # d/dl of -log p is p - 1, also where the exponentials would overflow.
        np.testing.assert_allclose(gradient(shifted)[0, 2] * 20, expected, atol=1e-12)
