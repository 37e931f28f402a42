"""The numbers that the README quotes are those that `make priors` and `make bench` wrote."""

import json
import re
from pathlib import Path

import pytest

from lsd_repro.bench import table

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
TEXT = " ".join(README.split())
BENCH = ROOT / "data" / "gallery" / "bench.json"


def numbers(name):
    return json.loads((ROOT / "data" / "gallery" / f"prior-{name}.json").read_text())


def quotes():
    """Sentences of the README, with the numbers filled in."""
    show, compare, ablation = numbers("show"), numbers("compare"), numbers("ablation")
    beyond = {kind: show[kind]["responses beyond, observed and by the model"]["20"] for kind in ("gaussian", "student")}
    gain = show["student"]["nats per pixel"] - show["gaussian"]["nats per pixel"]
    yield f"five photos that were not fitted, a share of {beyond['gaussian'][0]:.2g} lies beyond 20"
    yield f"where the Gaussian expects {beyond['gaussian'][1]:.2g};"
    yield f"scale lie {beyond['student'][0]:.2g}, and it expects {beyond['student'][1]:.2g}"
    yield f"the patches are {gain:.2f} nats likelier under the t"
    assert len(show["photos"]) == 5

    energy = {family: values["energy, student"] for family, values in ablation["at the price"].items()}
    several = energy["Student-t, all scales"]
    yield f"In {ablation['dreams']} dreams, at equal logit"
    yield f"even under the Student-t ({energy['Gaussian, all scales']:.2f} against {several:.2f})"
    yield f"full of noise (energy {ablation['means']['none']['energy, student']:.2f}); at equal logit the Student-t brings it to " \
          f"{energy['Student-t, one scale']:.2f} when it looks at the finest scale only, and to {several:.2f} when it looks at five"

    auc = compare["auc, photos below"]
    yield f"with noise (AUC {auc['ours student']['noise']['by scale'][0]:.2f}), but more than with blur " \
          f"(AUC {auc['ours student']['blur']['by scale'][0]:.2f})"
    over_all = [auc[name]["noise"]["all scales"] for name in ("total variation", "ours student", "ours gaussian")]
    yield "(AUC {:.2f} over all scales; Student-t {:.2f}, Gaussian {:.2f})".format(*over_all)

    correlation, roots = compare["scale matrix correlations"]["2015 student"], compare["root eigenvalues"]
    yield f"correlates {correlation['ours student']:.3f} with that of our t fit, and {correlation['ours gaussian']:.3f} with"
    yield f"direction has {roots['2015 student']['smallest']:.3f} grey levels where ours has " \
          f"{roots['ours student']['smallest']:.3f}"


@pytest.mark.parametrize("sentence", list(quotes()))
def test_readme_quotes_what_was_measured(sentence):
    assert sentence in TEXT


@pytest.mark.skipif(not BENCH.exists(), reason="make bench has not been run")
def test_speed_is_what_make_bench_measured():
    measured = table.markdown(json.loads(BENCH.read_text()))
    assert BENCH.with_suffix(".md").read_text("utf-8") == measured
    _, quoted, _ = re.split("<!-- /?bench -->", README)
    assert "whole" in quoted
    for line in quoted.strip().split("\n"):
        assert line in measured.split("\n")
