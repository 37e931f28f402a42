"""The ablation of the prior."""

from dataclasses import replace

import numpy as np
import pytest
import reference
from skimage import data
from small_network import small_network

from lsd_repro.compare import ablation
from lsd_repro.dream.step import compile_gradient
from lsd_repro.errors import InputError
from lsd_repro.film.schedule import Scene
from lsd_repro.material import shipped
from lsd_repro.prior import store
from lsd_repro.prior.energy import multiscale, total_variation

PROGRAM = replace(ablation.PROGRAM, width=72, height=64, prior_scales=(1, 4), steps_per_frame=2, frames_per_class=2)
START = data.astronaut()[40:104, 180:252]
SCENE = Scene(3, 3, "creature 3")


@pytest.fixture(scope="module")
def network():
    return small_network(np.random.default_rng(3))


@pytest.fixture(scope="module")
def priors():
    return store.load(shipped.path(shipped.PRIORS))


@pytest.fixture(scope="module")
def done(tmp_path_factory, network, priors):
    out = tmp_path_factory.mktemp("ablation") / "out"
    return out, ablation.ablate(out, network, priors, START, SCENE, (2.0,), PROGRAM)


def test_every_prior_at_one_scale_and_at_all():
    found = ablation.variants((1, 4), (2.0, 10.0))
    assert len(found) == len({variant.name for variant in found}) == 13
    assert found[0].kind == "none"
    assert {(v.kind, len(v.scales), v.strength) for v in found[1:]} == {
        (kind, count, strength) for kind in ("gaussian", "student", "tv") for count in (1, 2) for strength in (2, 10)}


def test_numbers_are_those_of_the_picture(done, network, priors):
    _, dreams = done
    assert len(dreams) == 7
    for dream in dreams.values():
        picture = dream.picture.astype(float)
        assert dream.logit == pytest.approx(reference.logits(network, picture)[3].mean(), rel=1e-3, abs=1e-3)
        expected = np.mean([np.log(1 + reference.deviations(priors["student"], reference.mean_pool(picture, scale)) ** 2
                                   / 0.665248).mean() for scale in (1, 4)])
        assert dream.energy == pytest.approx(expected, rel=1e-4)


def test_variants_differ(done):
    _, dreams = done
    pictures = [dream.picture for dream in dreams.values()]
    for index, picture in enumerate(pictures):
        assert all(np.abs(picture - other).mean() > 0.1 for other in pictures[:index])


def test_weights_even_out_the_push(priors):
    weights = ablation.relative_weights(priors, START, (1, 4))
    push = np.sqrt(np.mean(compile_gradient(multiscale(total_variation, (1, 4)))(START) ** 2)) * weights["tv"]
    student = np.sqrt(np.mean(compile_gradient(multiscale(
        ablation.energies(priors)["student"], (1, 4)))(START) ** 2))
    assert weights["student"] == 1 and push == pytest.approx(student, rel=1e-5)


def test_resuming_computes_only_what_is_missing_and_the_same(done, network, priors, monkeypatch):
    out, dreams = done
    lost = list(dreams)[2]
    (out / "state" / f"{lost.file_name}.npz").unlink()
    made = []
    dream = ablation.dream
    monkeypatch.setattr(ablation, "dream", lambda variant, *rest: made.append(variant) or dream(variant, *rest))
    again = ablation.ablate(out, network, priors, START, SCENE, (2.0,), PROGRAM, resume=True)
    assert made == [lost]
    for variant in dreams:
        np.testing.assert_array_equal(again[variant].picture, dreams[variant].picture)


def test_another_run_in_the_folder_is_refused(done, network, priors):
    out, _ = done
    with pytest.raises(InputError, match="not an empty folder"):
        ablation.ablate(out, network, priors, START, SCENE, (2.0,), PROGRAM)
    with pytest.raises(InputError, match="strengths was"):
        ablation.ablate(out, network, priors, START, SCENE, (3.0,), PROGRAM, resume=True)
