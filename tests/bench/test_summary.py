"""Medians, ratios and verdicts of known times."""

import copy

import pytest
from fake_result import PEAKS, TIMES, complete, race, result, without_pytorch

from lsd_repro.bench import summary

STREAM = 840, 472


@pytest.fixture
def whole():
    return race("whole", "full", STREAM, TIMES, PEAKS)


def test_ratios_are_of_the_same_round(whole):
    # 10/20, 12/18, 8/40; the ratio of the medians would be another one.
    assert summary.ratio(whole, "ours", "plain Theano") == pytest.approx((0.5, 0.35, 7 / 12))


def test_pytorch_is_its_fastest_layout(whole):
    assert summary.pytorch(whole) == "PyTorch channels_last"
    whole["contenders"]["PyTorch channels_last"]["failed"] = "not enough memory"
    assert summary.pytorch(whole) == "PyTorch NCHW"
    whole["contenders"]["PyTorch NCHW"]["failed"] = "not enough memory"
    assert summary.pytorch(whole) is None
    assert summary.ratio(whole, "ours", summary.pytorch(whole)) is None


def test_limit_is_the_largest_rate_of_each_round(whole):
    assert list(summary.gemm_seconds(whole)) == [4, 4, 2]
    assert summary.gemm_fraction(whole, "ours") == pytest.approx((1 / 3, (0.25 + 1 / 3) / 2, (0.4 + 1 / 3) / 2))
    whole["sgemm"]["PyTorch"]["failed"] = "out of luck"
    assert summary.gemm_seconds(whole) == pytest.approx([400 / 90, 400 / 95, 5])


def test_memory_is_compared_with_the_fastest(whole):
    assert summary.memory_ratio(whole, "ours", summary.pytorch(whole)) == pytest.approx(0.3)
    assert summary.memory_ratio(whole, "ours", "plain Theano") == pytest.approx(0.5)


def test_verdicts_name_the_limit_that_binds(whole):
    missed, memory = summary.verdicts(result([whole]))
    assert memory == "full, peak memory of the whole step: 0.30 of PyTorch channels_last (target 0.5): met"
    # Time 0.5 of PyTorch's, where the arithmetic would take 4/20.
    assert missed.startswith("full, time of the whole step: 0.50 of PyTorch channels_last (target 0.45): missed; "
                             "matrix products do not bind")
    assert "takes 0.20 of PyTorch's time, but only 0.33 of ours" in missed

    slow = copy.deepcopy(whole)
    slow["operations"] *= 3
    bound, _ = summary.verdicts(result([slow]))
    assert "missed; matrix products bind" in bound and "alone takes 0.60 of PyTorch's time (and 1.00 of ours)" in bound

    fast = copy.deepcopy(whole)
    fast["contenders"]["ours"]["seconds"] = [8.9, 8.9, 8.9]
    assert summary.verdicts(result([fast]))[0].endswith("met")


def test_verdicts_are_on_the_streams_size_with_pytorch_only():
    assert len(summary.verdicts(complete())) == 4
    assert summary.verdicts(without_pytorch()) == []
    assert summary.verdicts(result([race("whole", "full", (480, 272), TIMES, PEAKS)])) == []
