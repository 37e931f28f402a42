"""The ablation of the prior: its dreams, its judges and its page."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import reference
from PIL import Image
from scipy.special import log_softmax
from skimage import data
from small_network import small_network

from lsd_repro.compare import ablation, ablation_measures, ablation_page
from lsd_repro.compare.ablation import ALL, NONE, ONE, Arm
from lsd_repro.errors import InputError
from lsd_repro.film.schedule import Scene
from lsd_repro.material import shipped
from lsd_repro.prior import store
from lsd_repro.program2015 import STUDENT_SCALE
from lsd_repro.step.target import Classes

PROGRAM = replace(ablation.PROGRAM, width=128, height=128, prior_scales=(1, 4), steps_per_frame=2, frames_per_class=1)
SCENES = [Scene(Classes(index, index), f"creature {index}") for index in (3, 4, 7)]
OPTIONS = {"kinds": ("student", "tv"), "scales": (ALL,), "strengths": (10.0, 1000.0)}


@pytest.fixture(scope="module")
def network():
    return small_network(np.random.default_rng(3))


@pytest.fixture(scope="module")
def priors():
    return store.load(shipped.path(shipped.PRIORS))


@pytest.fixture(scope="module")
def page(tmp_path_factory, network, priors):
    """A finished run: its folder and its numbers."""
    out = tmp_path_factory.mktemp("ablation") / "out"
    return out, ablation_page.ablation(out, network, priors, SCENES, 1, OPTIONS, PROGRAM)


@pytest.fixture(scope="module")
def again(page, network, priors):
    """The run, resumed with one dream lost and a seed more: the study, and the dreams that were made."""
    out, _ = page
    lost = next(out.glob("pictures/*creature-4-seed0/tv*10.png"))
    before = lost.read_bytes()
    lost.unlink()
    made, dream = [], ablation.dream
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ablation, "dream", lambda steps, block, arm, *rest: (
            made.append((block, arm)), dream(steps, block, arm, *rest))[1])
        study = ablation.dream_all(out, network, priors, SCENES, 1, ("tv",), OPTIONS["scales"], (10.0,), PROGRAM, resume=True)
    return study, made, lost, before


def test_every_kind_at_each_choice_of_scales_and_each_strength():
    found = ablation.arms(strengths=(2.0, 10.0))
    assert len(found) == len({arm.name for arm in found}) == 13
    assert found[0] == NONE
    assert {tuple(arm) for arm in found[1:]} == {
        (kind, scales, strength) for kind in ("gaussian", "student", "tv") for scales in (ONE, ALL) for strength in (2, 10)}


def test_blocks_are_whole_seeds_first():
    found = ablation.blocks(SCENES, 2)
    assert [block.seed for block in found] == [0, 0, 0, 1, 1, 1]
    assert [block.folder_name for block in found[:4]] == [
        "003-creature-3-seed0", "004-creature-4-seed0", "007-creature-7-seed0", "003-creature-3-seed1"]
    assert len({block.folder_name for block in found}) == 6


def test_weights_even_out_the_push(priors):
    """The root mean square of each gradient, by central differences in numpy."""
    picture = data.astronaut()[60:76, 180:196].astype(float)
    energies = {
        "student": lambda x: np.log1p(reference.deviations(priors["student"], x) ** 2 / STUDENT_SCALE).mean(),
        "tv": lambda x: np.sqrt((x[1:, :-1] - x[:-1, :-1]) ** 2 + (x[:-1, 1:] - x[:-1, :-1]) ** 2 + 0.1 ** 2).mean()}

    def push(kind, scales):
        slopes = np.empty(picture.size)
        for index in range(picture.size):
            nudge = np.zeros(picture.size)
            nudge[index] = 1e-3
            up, down = (np.mean([energies[kind](reference.mean_pool(picture + sign * nudge.reshape(picture.shape), scale))
                                 for scale in scales]) for sign in (1, -1))
            slopes[index] = (up - down) / 2e-3
        return np.sqrt(np.mean(slopes ** 2))

    weights = ablation.relative_weights(priors, picture, {ONE: (1,), ALL: (1, 2)}, [("student", ALL), ("tv", ONE)])
    assert weights["student", ALL] == 1
    assert weights["tv", ONE] * push("tv", (1,)) == pytest.approx(push("student", (1, 2)), rel=1e-3)


def test_a_prior_lowers_its_own_energy_more_the_stronger_it_is(page):
    _, numbers = page
    for kind in OPTIONS["kinds"]:
        energy = [numbers["means"][arm.name][f"energy, {kind}"]
                  for arm in (NONE, Arm(kind, ALL, 10.0), Arm(kind, ALL, 1000.0))]
        assert energy[0] > energy[1] > energy[2]


def test_measures_are_those_of_the_pictures(page, network, priors):
    out, numbers = page
    pictures = [np.asarray(Image.open(path)) for path in sorted(out.glob("pictures/*/student-*-10.png"))]
    assert len(pictures) == 3
    means = numbers["means"]["student, all scales, strength 10"]
    assert means["logit, dreaming network"] == pytest.approx(np.mean([
        reference.logits(network, picture.astype(float))[scene.target.bottom].mean()
        for picture, scene in zip(pictures, SCENES)]), rel=1e-3, abs=1e-3)
    assert means["energy, student"] == pytest.approx(np.mean([
        np.log1p(reference.deviations(priors["student"], reference.mean_pool(picture.astype(float), scale)) ** 2
                 / STUDENT_SCALE).mean() for picture in pictures for scale in (1, 4)]), rel=1e-4)
    assert means["clipped"] == pytest.approx(np.mean([
        100 * np.isin(picture, (0, 255)).mean() for picture in pictures]))


def test_photos_are_at_no_distance_from_themselves():
    photo = data.astronaut()[:256, :256]
    noise = np.random.default_rng(0).integers(0, 256, photo.shape, np.uint8)
    for judge in ablation_measures.photo_judges([photo]).values():
        assert judge(photo, 0) == pytest.approx(0, abs=1e-9)
        assert judge(noise, 0) > 1


def test_class_evidence_is_the_mean_log_of_the_softmax():
    logits = np.random.default_rng(0).normal(size=(5, 2, 3))
    expected = np.mean([log_softmax(logits[:, row, column])[2] for row in range(2) for column in range(3)])
    assert ablation_measures.log_probability(logits, 2) == pytest.approx(expected)


def test_another_judge_is_taken_from_its_file(page, again):
    study, *_ = again
    cells = {f"{block.folder_name}/{arm.file_name}": {"EfficientNet-lite0": -float(block.scene.target.bottom)}
             for block in study.blocks[:2] for arm in study.arms}
    (study.out / ablation_measures.JUDGED).write_text(json.dumps(cells))
    found = ablation_measures.measure(study, {})
    assert list(found) == ["EfficientNet-lite0"]
    np.testing.assert_array_equal(found["EfficientNet-lite0"], [[-3, -3], [-4, -4], [np.nan, np.nan]])
    (study.out / ablation_measures.JUDGED).unlink()


def test_page_has_figures_and_numbers(page):
    out, numbers = page
    saved = json.loads((out / "prior-ablation.json").read_text())
    assert saved["dreams"] == 15 and saved["classes"] == [scene.caption for scene in SCENES]
    assert saved["means"]["none"]["energy, tv"] == pytest.approx(numbers["means"]["none"]["energy, tv"], rel=1e-5)
    for name in ("prior-ablation", "prior-ablation-curves"):
        with Image.open(out / f"{name}.png") as figure:
            assert np.asarray(figure.convert("L")).std() > 5


def test_tables_in_the_documentation_are_those_of_the_numbers():
    root = Path(__file__).resolve().parents[2]
    text = (root / "docs" / "why-student-t.md").read_text("utf-8").split("\n")
    gallery = root / "data" / "gallery"
    table = ablation_page.markdown(json.loads((gallery / "prior-ablation.json").read_text()))
    assert (gallery / "prior-ablation.md").read_text("utf-8") == table
    assert len(table.split("\n")) > 20 and set(table.split("\n")) <= set(text)
    means = json.loads((gallery / "prior-ablation-trunk.json").read_text())["means"]
    for label, arm in (("no prior", "none"), ("Gaussian", "gaussian, all scales, strength 50"),
                       ("Student-t", "student, all scales, strength 50"), ("total variation", "tv, all scales, strength 50")):
        shown = [f"{means[arm][name]:.2f}" for name in (
            "logit, dreaming network", "EfficientNet-lite0", "other network", "energy, gaussian", "energy, student",
            "energy, other")]
        assert f"| {label} | {' | '.join(shown)} |" in text


def test_a_prior_that_never_costs_the_price_is_named(page):
    _, numbers = page
    family, *_ = numbers["at the price"]
    for value, said in ((None, True), ({"strength": 1.0}, False)):
        values = value and {**numbers["means"]["none"], **value}
        table = ablation_page.markdown({**numbers, "at the price": {family: values}, "contrasts": []})
        assert (f"does not cost so much of the logit: {family}." in table) == said


def test_resuming_makes_only_what_is_missing_and_the_same(again):
    study, made, lost, before = again
    assert made == [(study.blocks[1], Arm("tv", ALL, 10.0))]
    assert lost.read_bytes() == before


def test_what_cannot_be_studied_is_refused(page, network, priors):
    out, _ = page
    with pytest.raises(InputError, match="not an empty folder"):
        ablation.dream_all(out, network, priors, SCENES, 1, program=PROGRAM)
    with pytest.raises(InputError, match="steps_per_frame was"):
        ablation.dream_all(out, network, priors, SCENES, 1, program=replace(PROGRAM, steps_per_frame=3), resume=True)
    with pytest.raises(InputError, match="one class each"):
        ablation.dream_all(out, network, priors, [Scene(Classes(1, 2), "both")], 1, program=PROGRAM)
    with pytest.raises(InputError, match="prior scale 32"):
        ablation.dream_all(out / "other", network, priors, SCENES, 1, program=replace(ablation.PROGRAM, width=128))
    with pytest.raises(InputError, match="has no gaussian"):
        ablation_page.ablation(out, network, {"student": priors["student"]}, SCENES, 1)
