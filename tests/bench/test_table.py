"""Medians and ratios of known times, and what is shown of them."""

import numpy as np
import pytest
from fake_result import PEAKS, TIMES, complete, race, result, without_pytorch

from lsd_repro.bench import contenders, table
from lsd_repro.figures import bench as figures


@pytest.fixture
def whole():
    return race("whole", "full", (840, 472), TIMES, PEAKS)


def test_ratios_are_of_the_same_round(whole):
    # 10/20, 12/18, 8/40; the ratio of the medians would be another one.
    assert table.ratio(whole, "ours", "plain Theano") == pytest.approx((0.5, 0.35, 7 / 12))


def test_pytorch_is_its_fastest_layout(whole):
    assert table.pytorch(whole) == "PyTorch channels_last"
    whole["contenders"]["PyTorch channels_last"]["failed"] = "not enough memory"
    assert table.pytorch(whole) == "PyTorch NCHW"
    whole["contenders"]["PyTorch NCHW"]["failed"] = "not enough memory"
    assert table.pytorch(whole) is None
    assert table.ratio(whole, "ours", table.pytorch(whole)) is None


def test_limit_is_the_largest_rate_of_each_round(whole):
    assert list(table.gemm_seconds(whole)) == [4, 4, 2]
    assert table.gemm_fraction(whole, "ours") == pytest.approx((1 / 3, (0.25 + 1 / 3) / 2, (0.4 + 1 / 3) / 2))
    whole["sgemm"]["PyTorch"]["failed"] = "out of luck"
    assert table.gemm_seconds(whole) == pytest.approx([400 / 90, 400 / 95, 5])


def test_memory_is_compared_with_the_fastest(whole):
    assert table.memory_ratio(whole, "ours", table.pytorch(whole)) == pytest.approx(0.3)
    assert table.memory_ratio(whole, "ours", "plain Theano") == pytest.approx(0.5)


def test_a_row_has_times_ratios_limit_and_memory():
    lines = table.markdown(result([race("whole", "full", (840, 472), TIMES, PEAKS)])).split("\n")
    assert ("| full, 840x472 | whole | 10 | 0.50 (0.35 to 0.58) | 0.50 (0.45 to 0.55) | 0.33 (0.29 to 0.37) "
            "| 300 | 0.50 | 0.30 |") in lines
    assert lines[0].startswith("Abacus, 2 threads, medians of 3 rounds")
    assert any("GFLOP/s: scipy 80 to 95, PyTorch 100 to 200" in line and "Beads" in line for line in lines)
    rows = [line for line in lines if line.startswith("|")]
    assert len({line.count("|") for line in rows}) == 1


def test_ops_apart_are_held_against_plain_theano():
    times = {**TIMES, "fused prior only": (15, 15, 15)}
    text = table.markdown(result([race("whole", "full", (840, 472), times, {**PEAKS, "fused prior only": 1.0})]))
    assert "* whole full 840x472: fused prior only takes 0.75 (0.56 to 0.79) of plain Theano's time" in text
    assert "channels_last takes" not in text


def test_pytorch_that_keeps_memory_is_no_rival_but_is_shown():
    name = f"{contenders.KEEPING} PyTorch NCHW"
    found = result([race("whole", "full", (840, 472), {**TIMES, name: (10, 10, 10)}, {**PEAKS, name: 1200.0})])
    assert table.pytorch(found["races"][0]) == "PyTorch channels_last"
    text = table.markdown(found)
    assert "* whole full 840x472: 1.00 (0.90 to 1.10) of the time and 0.25 of the memory of " + name in text
    assert "made to keep them" in text and "made to keep them" not in table.markdown(complete())


def test_what_was_left_out_is_said():
    text = table.markdown(without_pytorch())
    assert "PyTorch was not here" in text
    one = race("whole", "full", (1920, 1080), TIMES, PEAKS)
    one["contenders"]["plain Theano"]["failed"] = "not enough memory"
    text = table.markdown(result([one]))
    assert "* whole full 1920x1080: plain Theano left out: not enough memory" in text
    assert "| 10 | - | 0.50" in text and "PyTorch was not here" not in text
    one["contenders"]["ours"]["failed"] = "out of luck"
    assert "| full, 1920x1080 | whole | - | - | - | - | - | - | - |" in table.markdown(result([one]))


def test_a_race_that_was_broken_off_says_so():
    one = race("whole", "full", (840, 472), TIMES, PEAKS)
    assert "broken off" not in table.markdown(result([one]))
    one["rounds"] = 2
    assert "* whole full 840x472: broken off after 2 of 3 rounds\n" in table.markdown(result([one]))


def test_a_film_has_frames_a_second():
    found = {**result([]), "frames": 50, "contenders": {
        "one": {"seconds": [5.0, 10.0, 2.5], "values": [50] * 3, "peak MiB": 100.0},
        "other": {"seconds": [], "values": [], "peak MiB": 0.0, "failed": "out of luck"}}}
    lines = table.film_markdown(found).split("\n")
    assert "| one | 10.0 (7.5 to 15.0) | 100 |" in lines and "| other | out of luck | - |" in lines


@pytest.mark.parametrize("make", [complete, without_pytorch])
def test_figure_shows_parts_sizes_and_memory(make):
    found = make()
    figure = figures.step(**table.drawn(found))
    figure.canvas.draw()
    bars, times, memory = figure.axes[:3]
    assert len(figure.axes) == 6
    pytorch = make is complete
    heights = [bar.get_height() for container in bars.containers if hasattr(container, "patches")
               for bar in container.patches]
    # Ours and plain Theano to the reference, for network, prior and whole; the reference itself.
    expected = [0.5] * 3 + [1.0] * 3 + [1.0] * 3 if pytorch else [0.5] * 3 + [1.0] * 3
    assert heights == pytest.approx(expected)
    x, y = times.lines[0].get_data()
    np.testing.assert_allclose(x, [0.13056, 0.39648])
    np.testing.assert_allclose(y, [10 / 0.13056, 10 / 0.39648])
    np.testing.assert_allclose(memory.lines[0].get_ydata(), [300 / 1024] * 2)
    assert bars.get_ylabel() == ("time (PyTorch: 1)" if pytorch else "time (plain Theano: 1)")


def test_figure_goes_without_what_failed():
    found = complete()
    for one in found["races"]:
        one["contenders"]["plain Theano"]["failed"] = "not enough memory"
        one["sgemm"] = {}
    figures.step(**table.drawn(found)).canvas.draw()
