"""The denoising test: its measures, its record, and the published run."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import stats
from skimage import data
from skimage.metrics import peak_signal_noise_ratio

from lsd_repro.cli.main import parser
from lsd_repro.compare import denoising
from lsd_repro.errors import InputError
from lsd_repro.material import fetch, photos, shipped

TEXT = Path(__file__).resolve().parents[2] / "docs" / "denoising.md"
GALLERY = Path(__file__).resolve().parents[2] / "data" / "gallery"
METHODS = ("gaussian", "student")


def needs(what):
    return pytest.mark.skipif(fetch.fetched(what) is None, reason=f"needs pictures: lsd-repro fetch {what}")


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for place, name in enumerate(("astronaut", "coffee", "chelsea")):
        Image.fromarray(getattr(data, name)()[100:140, 150:200 + place]).save(folder / f"{name}.png")
    return folder


def test_psnr_is_scikit_images():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 256, (2, 30, 40)).astype(np.uint8)
    assert denoising.psnr(a, b) == pytest.approx(peak_signal_noise_ratio(a, b))


def test_noise_has_its_sigma_and_every_level_the_same_draw(tmp_path, pictures):
    denoising.page(tmp_path / "out", pictures=pictures, sigmas=(10, 50), methods=["gaussian"])
    noisy = json.loads((tmp_path / "out" / "denoising.json").read_text())["PSNR"]["noisy"]
    for low, high in zip(noisy["10"], noisy["50"]):
        assert low == pytest.approx(20 * np.log10(255 / 10), abs=0.3)
        assert low - high == pytest.approx(20 * np.log10(5), abs=1e-3)


@pytest.mark.parametrize("colour", [False, True])
def test_a_page_has_table_figure_and_every_psnr(tmp_path, pictures, colour):
    text = denoising.page(tmp_path / "out", colour, pictures=pictures, sigmas=(25,), methods=METHODS)
    numbers = json.loads((tmp_path / "out" / "denoising.json").read_text())
    assert numbers["pictures"] == ["astronaut.png", "chelsea.png", "coffee.png"] and numbers["channels"] == (3 if colour else 1)
    for name in METHODS:
        each = numbers["PSNR"][name]["25"]
        assert len(each) == 3 and min(each) > 20 * np.log10(255 / 25) + 3
        assert numbers["mean PSNR"][name]["25"] == pytest.approx(np.mean(each), abs=1e-3)
        assert f"| {denoising.METHODS[name].label} | {np.mean(each):.2f} |" in text
    assert (tmp_path / "out" / "denoising.md").read_text() == text + "\n"
    with Image.open(tmp_path / "out" / "denoising.png") as figure:
        assert min(figure.size) > 300
    # Published figures are for the 68 pictures alone.
    assert numbers["published"] == {} and "BM3D" not in text


def test_the_figure_shows_the_pictures_that_were_named(pictures):
    prior = {"gaussian": denoising.store.load_kind(shipped.path(shipped.PRIORS), "gaussian")}
    shown = denoising.example(prior, {}, 3, None, pictures / "chelsea.png", side=30)
    np.testing.assert_array_equal(shown["clean"], data.chelsea()[105:135, 161:191])


def test_a_run_goes_on_where_it_broke_off(tmp_path, pictures, monkeypatch):
    options = dict(pictures=pictures, sigmas=(25, 50), methods=METHODS)
    denoising.page(tmp_path / "whole", **options)
    read = photos.read_photo

    def broken(path, channels=3):
        if path.name == "coffee.png":
            raise KeyboardInterrupt
        return read(path, channels)

    with monkeypatch.context() as patch:
        patch.setattr(photos, "read_photo", broken)
        with pytest.raises(KeyboardInterrupt):
            denoising.page(tmp_path / "halved", **options)
    assert len(json.loads((tmp_path / "halved" / "values.json").read_text())["student"]["50"]) == 2
    with pytest.raises(InputError, match="not an empty folder.*resume=True"):
        denoising.page(tmp_path / "halved", **options)
    with pytest.raises(InputError, match="seed was 0, is 1"):
        denoising.page(tmp_path / "halved", **options, seed=1, resume=True)
    denoising.page(tmp_path / "halved", **options, resume=True)
    assert (tmp_path / "halved" / "denoising.json").read_bytes() == (tmp_path / "whole" / "denoising.json").read_bytes()


@pytest.mark.parametrize("content", ["{", "[1]", "[" * 200_000,
                                     '{"noisy": {"25": [20.0]}}', '{"noisy": {"25": [20.0]}, "student": {"25": []}}'])
def test_a_spoilt_record_is_an_input_error(tmp_path, content):
    (tmp_path / "values.json").write_text(content)
    with pytest.raises(InputError, match="values.json: can't be read"):
        denoising.read(tmp_path / "values.json", ("noisy", "student"), (25,))


def test_the_command_knows_every_method():
    args = parser().parse_args(["prior", "denoise", "--methods", *denoising.METHODS])
    assert args.methods == list(denoising.METHODS) and tuple(args.sigmas) == denoising.SIGMAS
    with pytest.raises(SystemExit):
        parser().parse_args(["prior", "denoise", "--methods", "bm3d"])


def test_a_difference_is_of_the_same_pictures_with_its_interval():
    rng = np.random.default_rng(0)
    a, b = rng.normal(30, 3, (2, 12))
    values = {"a": {"25": list(a)}, "b": {"25": list(b)}}
    expected = stats.t.interval(0.95, 11, np.mean(a - b), np.std(a - b, ddof=1) / 12 ** 0.5)
    mean, low, high = denoising.difference(values, "a", "b", 25)
    assert mean == pytest.approx(np.mean(a) - np.mean(b)) and (low, high) == pytest.approx(expected)


def test_missing_pictures_and_priors_are_input_errors(tmp_path, pictures, monkeypatch):
    monkeypatch.setenv(fetch.CACHE_VARIABLE, str(tmp_path / "empty"))
    for colour, what in ((False, "bsd68"), (True, "cbsd68")):
        with pytest.raises(InputError, match=f"'lsd-repro fetch {what}'.*pictures="):
            denoising.page(tmp_path / "out", colour)
    with pytest.raises(InputError, match="priors.npz: .*for RGB patches, grey ones are needed.*of such patches"):
        denoising.page(tmp_path / "out", prior=shipped.path(shipped.PRIORS), pictures=pictures)
    with pytest.raises(InputError, match="priors-grey.npz: .*for grey patches, RGB ones are needed.*of such patches"):
        denoising.page(tmp_path / "out", True, prior=shipped.path(shipped.GREY_PRIORS), pictures=pictures)


def test_degrees_of_freedom_are_estimated_where_a_prior_has_none():
    found = denoising.store.load(shipped.path(shipped.GREY_PRIORS), 1)
    own = found["student"].degrees_of_freedom
    assert denoising.degrees_of_freedom(found, 1) == own
    without = {"student": found["student"]._replace(degrees_of_freedom=None)}
    assert denoising.degrees_of_freedom(without, 1) == pytest.approx(own, rel=0.5)
    assert denoising.degrees_of_freedom({"gaussian": found["gaussian"]}, 1) is None


def test_the_run_in_the_gallery_is_of_the_set_and_adds_up():
    for name, files in (("denoising.json", fetch.SETS["bsd68"]), ("denoising-colour.json", fetch.SETS["cbsd68"])):
        numbers = json.loads((GALLERY / name).read_text())
        count = len(numbers["pictures"])
        assert numbers["pictures"] == [file.name for file in files][:count] and f"{count} " in TEXT.read_text("utf-8")
        for method, means in numbers["mean PSNR"].items():
            for sigma, mean in means.items():
                assert len(numbers["PSNR"][method][sigma]) == count
                assert mean == pytest.approx(np.mean(numbers["PSNR"][method][sigma]), abs=1e-3)


@needs("bsd68")
def test_the_first_berkeley_picture_comes_out_as_published(tmp_path):
    folder = tmp_path / "one"
    folder.mkdir()
    first = fetch.fetched("bsd68") / fetch.SETS["bsd68"][0].name
    (folder / first.name).write_bytes(first.read_bytes())
    denoising.page(tmp_path / "out", pictures=folder, sigmas=(25,), methods=METHODS)
    found = json.loads((tmp_path / "out" / "denoising.json").read_text())["PSNR"]
    published = json.loads((GALLERY / "denoising.json").read_text())["PSNR"]
    for name in METHODS:
        assert found[name]["25"][0] == pytest.approx(published[name]["25"][0], abs=0.01)


@needs("bsd68")
@needs("cbsd68")
def test_the_colour_pictures_are_the_grey_ones_in_the_same_order():
    for grey, colour in list(zip(fetch.SETS["bsd68"], fetch.SETS["cbsd68"]))[::20]:
        a = np.asarray(Image.open(fetch.fetched("bsd68") / grey.name)).astype(float)
        b = np.asarray(Image.open(fetch.fetched("cbsd68") / colour.name)) @ [0.299, 0.587, 0.114]
        assert np.abs(a - b).max() < 1


def test_no_training_picture_is_a_test_picture():
    assert not {file.name for file in fetch.SETS["bsds-train"]} & {file.name for file in fetch.SETS["cbsd68"]}
