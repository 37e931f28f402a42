"""Priors compared at the same price."""

import numpy as np
import pytest
from scipy import stats

from lsd_repro.compare import ablation_contrasts as contrasts
from lsd_repro.compare.ablation import ALL, ONE, arms

CLASSES = np.repeat(np.arange(8), 3)


def test_families_start_without_a_prior_and_rise():
    found = contrasts.families(arms(("student", "tv"), (ONE,), (30.0, 10.0)))
    assert found == {("student", ONE): [0, 2, 1], ("tv", ONE): [0, 4, 3]}


@pytest.mark.parametrize("logits, price, expected", [
    ([10, 8, 4], 9, 0.5), ([10, 8, 4], 7, 1.25), ([10, 12, 9, 5], 10.5, 1.5), ([10, 9.5], 9, None), ([10, 8, 9], 9.5, 0.25)])
def test_level_is_where_the_mean_logit_falls_to_the_price(logits, price, expected):
    blocks = np.array([np.add(logits, 1), np.subtract(logits, 1)])
    assert contrasts.level_at(blocks, price) == (None if expected is None else pytest.approx(expected))
    if expected is not None:
        assert contrasts.interpolated(blocks, expected).mean() == pytest.approx(price)


def test_strength_of_a_level():
    assert contrasts.strength_at([10, 1000], 0.5) == 5
    assert contrasts.strength_at([10, 1000], 1) == 10
    assert contrasts.strength_at([10, 1000], 1.5) == pytest.approx(100)


def test_contrast_counts_classes_and_not_starts():
    rng = np.random.default_rng(0)
    own = rng.normal(1, 1, 8)
    found = contrasts.contrast(np.repeat(own, 3) + 5, np.full(24, 5.0), CLASSES)
    assert found.difference == pytest.approx(own.mean())
    assert found.same_sign == (own > 0).sum() and found.classes == 8
    assert found.p == pytest.approx(2 * stats.t.sf(abs(own.mean()) / (own.std(ddof=1) / np.sqrt(8)), 7))
    assert found.low < own.mean() < found.high
    # Three times as many starts of the same classes are no better evidence.
    assert found.high - found.low > 2 * own.std() / np.sqrt(8)


def test_interval_covers_the_truth_nearly_as_often_as_it_says(monkeypatch):
    monkeypatch.setattr(contrasts, "RESAMPLES", 400)
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(100):
        found = contrasts.contrast(np.repeat(rng.normal(2, 1, 8), 3), np.zeros(24), CLASSES)
        covered += found.low <= 2 <= found.high
    assert 80 <= covered <= 99


def test_contrast_leaves_out_what_a_judge_does_not_know():
    first = np.arange(24.0)
    first[:3] = np.nan
    assert contrasts.contrast(first, np.zeros(24), CLASSES).classes == 7
    assert contrasts.contrast(np.where(CLASSES < 2, first, np.nan), np.zeros(24), CLASSES) is None
    assert contrasts.contrast(np.full(24, 2.0), np.zeros(24), CLASSES)[:3] == (2, 2, 2)


def test_holm_by_hand():
    # 0.001 <= 0.05/4, 0.016 <= 0.05/3, 0.03 > 0.05/2: it and all above fall
    assert contrasts.holm([0.03, 0.001, 0.016, 0.04]) == [False, True, True, False]
    assert contrasts.holm([]) == []


def test_priors_that_differ_in_strength_only_do_not_differ_at_one_price():
    """The Gaussian does the same at ten times the strength: other numbers at each strength, none at the price."""
    found = arms(("gaussian", "student", "tv"), (ALL,), (1.0, 10.0, 100.0))
    rng = np.random.default_rng(2)
    base = rng.normal(0, 0.3, (24, 1))
    logit = {"none": 20, "student": [16, 12, 8], "gaussian": [20, 16, 12], "tv": [16, 12, 8]}
    values = np.array([[logit["none"]] + logit["gaussian"] + logit["student"] + logit["tv"]], float) + base
    judged = values / 2
    judged[:, 7:] -= 3 + rng.normal(0, 0.2, (24, 3))
    compared = contrasts.compare(found, {"logit": values, "judge": judged}, "logit", ["judge", "absent"], CLASSES)
    assert compared.price == pytest.approx(0.9 * 20 + 0.9 * base.mean())
    same, worse = (compared.contrasts[("student", ALL), (kind, ALL), "judge"] for kind in ("gaussian", "tv"))
    assert abs(same.difference) < 1e-9
    # half a level from no prior (without its handicap) to the first strength
    assert worse.difference == pytest.approx(1.5, abs=0.3)
    assert compared.stands[("student", ALL), ("tv", ALL), "judge"]
    assert not any(ONE in (first[1], second[1]) for first, second, _ in compared.contrasts)
