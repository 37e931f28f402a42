"""Numbers about priors, and the pages made of them."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from lsd_repro.compare import prior_pages, priors
from lsd_repro.errors import InputError
from lsd_repro.figures import priors as figures
from lsd_repro.material import shipped
from lsd_repro.prior import store
from lsd_repro.prior.energy import patch_energy
from lsd_repro.prior.fit import scale_matrix

SHIPPED = str(shipped.path(shipped.PRIORS))
GOLDEN = str(Path(__file__).resolve().parents[1] / "golden" / "stream.npz")


@pytest.fixture
def photos(tmp_path):
    """Two photos, for speed."""
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(data.coffee()[:256, :256]).save(folder / "coffee.png")
    Image.fromarray(data.astronaut()[:256, :256]).save(folder / "astronaut.png")
    return folder


def test_auc_is_the_share_of_pairs_ranked_right():
    rng = np.random.default_rng(0)
    natural, degraded = rng.integers(0, 9, 40), rng.integers(3, 12, 30)
    pairs = (natural[:, None] < degraded).mean() + (natural[:, None] == degraded).mean() / 2
    assert priors.auc(natural, degraded) == pytest.approx(pairs)
    assert priors.auc([1, 2], [3, 4]) == 1 and priors.auc([3, 4], [1, 2]) == 0


def test_photos_have_less_energy_than_noise_and_more_than_blur():
    found = store.load(SHIPPED)
    sets = priors.picture_sets()
    sets = {kind: pictures[::4] for kind, pictures in sets.items()}
    energies = {kind: patch_energy(prior) for kind, prior in found.items()}
    ranked = priors.rankings(priors.energy_table(energies, sets), energies, sets)
    for kind in energies:
        assert ranked[kind]["noise"]["by scale"][0] > 0.99
        assert ranked[kind]["white noise"]["all scales"] > 0.99
        assert ranked[kind]["blur"]["by scale"][0] < 0.2


def test_scale_correlations_are_numpys():
    found = priors.entries([SHIPPED, f"golden={GOLDEN}"])
    assert [entry.label for entry in found] == [
        "priors student", "priors gaussian", "golden student", "golden gaussian"]
    table = priors.scale_correlations(found)
    a, b = (scale_matrix(found[index].prior).ravel() for index in (0, 2))
    assert [table[0, 2], table[2, 0]] == pytest.approx([np.corrcoef(a, b)[0, 1]] * 2)
    np.testing.assert_allclose(np.diag(table), 1)


def test_two_priors_of_one_name_are_an_error(tmp_path):
    with pytest.raises(InputError, match="two priors are called 'priors gaussian'.*NAME=FILE"):
        priors.entries([SHIPPED, SHIPPED])
    with pytest.raises(InputError, match="absent"):
        priors.entries(["mine=absent.npz"])


def test_spectrum_is_the_root_of_the_eigenvalues():
    prior = store.load(SHIPPED)["gaussian"]
    expected = np.sqrt(np.linalg.eigvalsh(scale_matrix(prior)))[::-1]
    np.testing.assert_allclose(priors.spectrum(prior), expected, rtol=1e-3)


def test_compare_leaves_four_figures_and_their_numbers(tmp_path, photos):
    out = tmp_path / "out"
    numbers = prior_pages.compare([SHIPPED, f"golden={GOLDEN}"], out, photos=photos,
                                  dreams=[photos / "coffee.png"])
    saved = json.loads((out / "prior-compare.json").read_text())
    assert saved["pictures"] == {"photos": 8, "noise": 8, "white noise": 8, "JPEG": 8, "blur": 8, "dreams": 4}
    assert saved["scale matrix correlations"]["priors student"]["golden student"] == pytest.approx(
        numbers["scale matrix correlations"]["priors student"]["golden student"], rel=1e-5)
    assert set(saved["auc, photos below"]) == {*saved["priors"], "total variation"}
    assert {path.name for path in out.glob("*.png")} == {
        f"prior-compare-{name}.png" for name in ("filters", "energies", "ranking", "maps")}
    for path in out.glob("*.png"):
        with Image.open(path) as figure:
            assert 700 < figure.width < 1300 and figure.height < 1000
            assert np.asarray(figure.convert("L")).std() > 30


def test_headlines_of_a_comparison_are_read_off_its_numbers():
    aucs = {"a": {"noise": 0.9, "blur": 0.2}, "b": {"noise": 0.8, "blur": 0.45}}
    assert headline(figures.compared_rankings(aucs)).startswith(
        "Every prior tells photos from noise (AUC at least 0.80), from blur at most with 0.45")
    energies = {"a": {"photos": np.array([2.0, 2]), "noise": np.array([3.0, 1]), "blur": np.array([1.0, 1]),
                      "x": np.array([1.0, 3])},
                "b": {"photos": np.array([1.0, 2]), "noise": np.array([2.0, 1]), "blur": np.array([0.5, 1]),
                      "x": np.array([2.0, 3])}}
    assert headline(figures.compared_energies(energies, (1, 4))).endswith("below photos: blur; above: noise")
    even, peak = np.ones((10, 10)), np.zeros((10, 10))
    peak[0, 0] = 1
    assert "strongest tenth of positions has 10% to 100% of it" in headline(
        figures.energy_maps(np.zeros((4, 4, 3)), {"even": [even], "peak": [peak]}, (1,)))


def headline(figure):
    """Its text, unwrapped."""
    return " ".join(figure.get_suptitle().split())


def test_show_leaves_figures_and_numbers(tmp_path, photos, monkeypatch):
    monkeypatch.setattr(prior_pages, "SAMPLE_STEPS", 2)
    monkeypatch.setattr(prior_pages, "SAMPLE_SIDE", 128)
    prior_pages.show(SHIPPED, tmp_path / "out", photos)
    saved = json.loads((tmp_path / "out" / "prior-show.json").read_text())
    assert saved["photos"] == ["astronaut.png", "coffee.png"]
    assert saved["student"]["degrees of freedom are the prior's own"] is True
    assert saved["student"]["nats per pixel"] > saved["gaussian"]["nats per pixel"]
    assert {path.name for path in (tmp_path / "out").glob("*.png")} == {
        "prior-filters-student.png", "prior-filters-gaussian.png", "prior-samples.png", "prior-tails.png"}
