import json

import numpy as np
import pytest

from lsd_repro.compare import devices


def test_deviation_is_that_of_numpy():
    theirs = np.array([1.0, -4.0, 2.0])
    found = devices.deviation(theirs + [0, 0, 3e-9], theirs)
    assert found["largest"] == pytest.approx(3e-9 / 4) and found["rms"] == pytest.approx(3e-9 / 4 / np.sqrt(3))
    assert found["within"]
    assert not devices.deviation(theirs + [0, 0, 5e-9], theirs)["within"]


def test_float32_is_held_to_the_mean_as_ties_make_the_largest_fragile():
    theirs = np.ones(10000, np.float32)
    one_tie = theirs.copy()
    one_tie[0] += 5e-4
    assert devices.deviation(one_tie, theirs)["within"]
    assert not devices.deviation(theirs + np.float32(1e-4), theirs)["within"]
    assert not devices.deviation(theirs.astype(float), theirs)["within"]


def test_ties_may_send_a_gradient_in_float32_elsewhere():
    theirs = np.ones(10000, np.float32)
    ties = theirs.copy()
    ties[::10] += 2e-3
    assert not devices.deviation(ties, theirs)["within"] and devices.deviation(ties, theirs, gradient=True)["within"]
    assert not devices.deviation(theirs + np.float32(2e-3), theirs, gradient=True)["within"]
    assert not devices.deviation(ties.astype(float), theirs.astype(float), gradient=True)["within"]


@pytest.mark.slow
def test_cpu_verifies_against_itself(tmp_path):
    out = tmp_path / "verification.json"
    result = devices.verify("cpu", out, steps=2, size=(272, 256), gradient_size=(264, 256))
    assert json.loads(out.read_text()) == result
    assert result["within the limits"]
    assert {one["quantity"]: one["dtype"] for one in result["deviations"]} == {
        f"{name} {dtype}": dtype for name in ("gradient", "logits", "loss") for dtype in ("float32", "float64")}
    for side in ("cpu", "device"):
        assert len(result["seconds per step"][side]) == 2 and min(result["seconds per step"][side]) > 0
    assert result["versions"]["Theano-PyMC"] and "GPU path" in result["pieces"]
    text = devices.table(result)
    assert "gradient float64" in text and "272x256" in text and "BEYOND" not in text


def test_deviation_beyond_its_limit_is_told(tmp_path, monkeypatch):
    def measured(name, *_):
        gradient = np.array([1.0, 2.0 if name == "cpu" else 2.1])
        return {"gradient float64": gradient}, [0.5]

    monkeypatch.setattr(devices, "_measure_apart", measured)
    result = devices.verify("cuda", tmp_path / "verification.json")
    assert not result["within the limits"]
    assert "BEYOND" in devices.table(result)
