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


def test_a_file_that_is_not_golden_is_named(tmp_path):
    for content in (b"nonsense", b""):
        (tmp_path / "other.npz").write_bytes(content)
        with pytest.raises(InputError, match="other.npz: not a golden file"):
            parity.replay(tmp_path / "other.npz")


def test_a_prior_can_come_from_a_folder(tmp_path):
    with np.load(GOLDEN / "stream.npz") as file:
        arrays = dict(file)
    for name in [name for name in arrays if "prior_filters" in name or "prior_mean" in name]:
        np.save(tmp_path / f"{name}.npy", arrays.pop(name))
    np.savez(tmp_path / "bare.npz", **arrays)
    with pytest.raises(InputError, match="bare.npz holds no prior.*--prior-dir"):
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
