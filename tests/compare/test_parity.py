from pathlib import Path

import numpy as np
import pytest

from lsd_repro.compare import parity
from lsd_repro.errors import InputError
from lsd_repro.front.parity import replay

GOLDEN = Path(__file__).parents[1] / "golden"


def test_stream_of_2015_is_replayed_exactly():
    deviations = replay(GOLDEN / "stream.npz")
    quantities = {d.quantity for d in deviations}
    assert {"gradient", "all losses", "picture after step 15", "zoomed frame 2", "video frame 39",
            "student energy, scale 1", "gaussian energy, scale 32"} <= quantities
    assert [d for d in deviations if not d.within] == [] and deviations.within


def test_stills_of_2015_are_replayed_exactly():
    deviations = parity.replay(GOLDEN / "stills.npz")
    assert {"gradient", "all prior terms", "picture after step 3"} <= {d.quantity for d in deviations}
    assert [d for d in deviations if not d.within] == []


def test_stream_in_float32_drifts_no_further_than_2015s_own():
    deviations = parity.replay(GOLDEN / "stream.npz", float32=True)
    assert {"gradient, 9 values in 10", "mean drift after step 15"} <= {d.quantity for d in deviations}
    assert [d for d in deviations if not d.within] == []


def test_a_deviation_beyond_the_limit_is_seen(tmp_path):
    with np.load(GOLDEN / "stream.npz") as file:
        arrays = dict(file)
    # One step of one frame: the replay of a changed file stays short.
    arrays.update(schedule=arrays["schedule"][:1], steps_per_frame=np.int32(1), losses=arrays["losses"][:1],
                  prior_terms=arrays["prior_terms"][:1] * (1 + 1e-8), x_after_step=arrays["x_after_step"][:1] + 0.01,
                  x_after_step_ids=np.array([0]), optimised_frames=arrays["optimised_frames"][:1],
                  zoomed_frames=arrays["zoomed_frames"][:1] + 1e-4, video_frames=arrays["video_frames"][:0],
                  video_frame_ids=arrays["video_frame_ids"][:0])
    np.savez(tmp_path / "changed.npz", **arrays)
    deviations = parity.replay(tmp_path / "changed.npz")
    assert [d.quantity for d in deviations if not d.within] == [
        "all prior terms", "picture after step 1", "zoomed frame 0"]
    assert "BEYOND" in parity.table(deviations)


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN / "stream.npz") as file:
        return dict(file)


def without(*names):
    return lambda arrays: {name: array for name, array in arrays.items() if name not in names}


def with_(**others):
    return lambda arrays: {**arrays, **others}


NOT_GOLDEN = {
    "text": (b"nonsense", "not a zip file"), "empty": (b"", "not a zip file"), "absent": (None, "No such file"),
    "another archive": (lambda _: {"a": 1}, "it has no program, start_image, mean, stride, classes and 41 more"),
    "no program": (without("program"), "it has no program"), "no stride": (without("stride"), "it has no stride"),
    "no losses": (without("losses"), "it has no losses"), "no steps": (without("steps_per_frame"), "it has no steps_per_frame"),
    "no frames": (without("video_frames"), "it has no video_frames"),
    "a program of none": (with_(program="x"), "'x', none of train"),
    "a number for a picture": (with_(start_image=3), "its start_image is int64 of shape ()"),
    "a stride of 0": (with_(stride=0), "its stride is less than 1"),
    "half a class": (with_(classes=np.ones(2)), "its classes is float64"),
    "pickled": (with_(program=np.array([{}], object)), "pickled")}


@pytest.mark.parametrize("content, words", NOT_GOLDEN.values(), ids=NOT_GOLDEN)
def test_a_file_that_is_not_golden_is_named_with_what_it_lacks(tmp_path, golden, content, words):
    path = tmp_path / "other.npz"
    if callable(content):
        np.savez(path, **content(golden))
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        parity.Golden(path)
    assert str(caught.value).startswith(f"{path}: not a golden file (") and words in str(caught.value)


def test_a_golden_file_beyond_memory_is_a_line(tmp_path, monkeypatch):
    def read(*_):
        raise MemoryError

    monkeypatch.setattr(parity.arrays, "read_npz", read)
    with pytest.raises(InputError, match="does not fit into memory"):
        parity.Golden(tmp_path / "large.npz")


def test_a_prior_can_come_from_a_folder(tmp_path):
    with np.load(GOLDEN / "stream.npz") as file:
        arrays = dict(file)
    for name in [name for name in arrays if "prior_filters" in name or "prior_mean" in name]:
        np.save(tmp_path / f"{name}.npy", arrays.pop(name))
    np.savez(tmp_path / "bare.npz", **arrays)
    with pytest.raises(InputError, match="bare.npz holds no prior.*prior_dir="):
        parity.Golden(tmp_path / "bare.npz")
    assert set(parity.Golden(tmp_path / "bare.npz", tmp_path).priors) == {"student", "gaussian"}


def test_the_drift_is_drawn_where_the_file_records_it(monkeypatch):
    asked = []

    def replay(path, prior_dir, float32):
        asked.append(float32)
        return [parity.Deviation(f"drift after step {step}", "grey levels", step / 10, 1) for step in range(6)]

    monkeypatch.setattr(parity, "replay", replay)
    figure = parity.draw_drift(GOLDEN / "stream.npz")
    assert sorted(asked) == [False, True]
    _, ours, exact, _ = figure.axes[0].lines
    np.testing.assert_allclose(ours.get_ydata(), np.arange(6) / 10)
    np.testing.assert_allclose(exact.get_ydata(), np.arange(6) / 10)
    with pytest.raises(InputError, match="no drift"):
        parity.draw_drift(GOLDEN / "stills.npz")
