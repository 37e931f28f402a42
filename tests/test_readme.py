"""The README is short, and the numbers that it and the pages quote are those that were measured."""

import json
import re
from pathlib import Path

import pytest

from lsd_repro.bench import table

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PRIORS = " ".join((ROOT / "docs" / "priors.md").read_text("utf-8").split())
SPEED = (ROOT / "docs" / "speed.md").read_text("utf-8")
EXACTNESS = (ROOT / "docs" / "exactness.md").read_text("utf-8")
BENCH = ROOT / "data" / "gallery" / "bench.json"
TRANSITION = ROOT / "data" / "gallery" / "transition.json"


def test_readme_is_read_in_five_minutes():
    # Code, tables and all; a link's address counts with the word before it.
    assert len(README.split()) <= 1200


def numbers(name):
    return json.loads((ROOT / "data" / "gallery" / f"prior-{name}.json").read_text())


def quotes():
    """Sentences of the page on priors, with the numbers filled in."""
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
    yield (f"full of noise (energy {ablation['means']['none']['energy, student']:.2f}); at equal logit the Student-t brings "
           f"it to {energy['Student-t, one scale']:.2f} when it looks at the finest scale only, and to "
           f"{several:.2f} when it looks at five")

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
def test_pages_quote_what_was_measured(sentence):
    assert sentence in PRIORS


def test_readme_quotes_the_parity_table():
    # A row of the README's excerpt has the numbers that the full table has.
    full = [line.split("|")[1:] for line in EXACTNESS.splitlines() if line.startswith("| ") and line.endswith("|")]
    rows = {cells[0].strip(): [cell.strip() for cell in cells[1:4]] for cells in full if len(cells) == 5}
    excerpt = README.split("## Is it exact?")[1].split("## ")[0]
    quoted = [line.split("|")[1:5] for line in excerpt.splitlines() if "e-" in line and line.startswith("| ")]
    assert len(quoted) == 5
    for name, *values in quoted:
        name, values = name.strip(), [value.strip() for value in values]
        if name.startswith("zoomed"):
            assert values == rows["video frames (grey levels)"]
            continue
        start = name.split("(")[0].strip()
        assert any(found.startswith(start) and values == other for found, other in rows.items()), name


@pytest.mark.skipif(not TRANSITION.exists(), reason="the transition of 2015 has not been measured")
def test_pages_quote_what_the_transition_says():
    result = json.loads(TRANSITION.read_text("utf-8"))

    def correlations(blur):
        at = {name: one["correlation"][blur][0] for name, one in result["arms"].items()}
        wrong = sorted(at[name] for name in result["wrong"])
        return f"{at['pizza']:.2f}", f"{at['ceiling']:.2f}", f"{wrong[0]:.2f} to {wrong[-1]:.2f}"

    assert "\n{} (at best {}; towards five other classes {}).\n".format(*correlations("2")) in README
    ours, ceiling, wrong = (" | ".join(values) for values in zip(*map(correlations, ("0", "1", "2", "4", "8"))))
    assert f"| towards pizza | {ours} |" in EXACTNESS and f"lowest to highest | {wrong} |" in EXACTNESS
    assert f"half a grey level beside | {ceiling} |" in EXACTNESS
    assert len(result["arms"]) == 23 and len(result["questions"]) == 17
    for one in result["questions"]:
        assert f"| {one['subject']} | {one['2015']} | {one['measure']} | {one['says']} |" in EXACTNESS


@pytest.mark.skipif(not BENCH.exists(), reason="make bench has not been run")
def test_speed_is_what_make_bench_measured():
    measured = table.markdown(json.loads(BENCH.read_text()))
    assert BENCH.with_suffix(".md").read_text("utf-8") == measured
    _, quoted, _ = re.split("<!-- /?bench -->", SPEED)
    assert "whole" in quoted
    for line in quoted.strip().split("\n"):
        assert line in measured.split("\n")
