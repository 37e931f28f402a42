"""What ``import lsd_repro`` offers."""

import inspect
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_network import small_network

import lsd_repro
from lsd_repro.cli.main import main
from lsd_repro.compare.parity import Deviation
from lsd_repro.front import parity, prior
from lsd_repro.front.film import dream
from lsd_repro.front.network import load_network
from lsd_repro.network import matconvnet
from lsd_repro.production.spec import OPTIONS

PACKAGE = Path(lsd_repro.__file__).parent
OPTIONS_OF_A_FILM = {"size": (264, 256), "frames": 2, "steps": 2, "video_frames": 2}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "small.mat"
    matconvnet.write(path, small_network(np.random.default_rng(5)))
    return path


@pytest.fixture(scope="module")
def by_command(tmp_path_factory, weights):
    """The folder of a film that the command line made, as bytes by name."""
    out = tmp_path_factory.mktemp("film") / "run"
    assert main(["frames", "--weights", str(weights), "--classes", "creature 3", "creature 4+creature 5", "--size", "264x256",
                 "--frames", "2", "--steps", "2", "--video-frames", "2", "--out", str(out)]) == 0
    return contents(out)


def contents(folder):
    found = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    record = json.loads(found.pop("run.json"))
    return {**found, "run.json": {part: record[part] for part in ("parameters", "versions")}}


def asked(weights):
    return dream(["creature 3", "creature 4+creature 5"], weights=weights, progress=False, **OPTIONS_OF_A_FILM)


def distance(jpeg, path):
    """Mean distance of what a notebook shows to a picture that was saved, in grey levels."""
    image = Image.open(io.BytesIO(jpeg))
    assert image.format == "JPEG"
    return np.abs(np.asarray(image, float) - np.asarray(Image.open(path))).mean()


def test_importing_brings_no_library_and_names_are_brought_when_used(python):
    done = python("import sys, time; begun = time.process_time()\n"
                  "import lsd_repro\n"
                  "print(time.process_time() - begun < 0.1, {'numpy', 'theano', 'lsd_repro.front'} & set(sys.modules))\n"
                  "print(set(lsd_repro.__all__) <= set(dir(lsd_repro)))\n"
                  "lsd_repro.load_prior()\n"
                  "print('lsd_repro.front' in sys.modules)")
    assert done.stdout.split("\n") == ["True set()", "True", "True", ""], done.stderr


def test_no_exported_name_is_a_folders_or_modules_whose_import_would_take_its_place():
    assert {path.stem for path in PACKAGE.iterdir()}.isdisjoint(lsd_repro.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        lsd_repro.nothing  # noqa: B018


def test_every_option_of_a_film_is_a_keyword_of_the_same_default():
    keywords = {name: parameter.default for name, parameter in inspect.signature(dream).parameters.items()}
    assert keywords.pop("device") is None and keywords.pop("progress") is True
    assert keywords == {name: option.default for name, option in OPTIONS.items()}


def test_a_film_is_saved_as_the_command_line_does_to_the_byte(tmp_path, capsys, weights, by_command):
    film = asked(weights)
    film.save(tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == by_command
    # What was dreamt is not dreamt again, and goes anywhere.
    film.save(tmp_path / "again")
    assert contents(tmp_path / "again") == by_command
    frames = list(film)
    assert [frame.caption for frame in frames] == ["creature 3"] * 2 + ["creature 4 & creature 5"] * 2
    for frame in frames:
        np.testing.assert_array_equal(frame.picture, np.load(tmp_path / "run" / "state" / f"frame{frame.index:04d}.npy"))
        # JPEG blurs what is noise, but no other frame is as near.
        away = [distance(frame._repr_jpeg_(), path) for path in sorted((tmp_path / "run" / "frames").glob("*.png"))]
        assert np.argmin(away) == frame.index and len(away) == 5
        assert frame.picture.dtype == np.float32
        assert frame.terms.loss == pytest.approx(frame.terms.class_term + frame.terms.prior_term, rel=1e-5)
    assert distance(film._repr_jpeg_(), tmp_path / "run" / "contact.png") < 5
    assert capsys.readouterr() == ("", "")


def test_an_interrupted_film_goes_on_where_it_was_in_memory_and_in_its_folder(tmp_path, monkeypatch, weights, by_command):
    film = asked(weights)
    assert film._repr_jpeg_() is None
    first = next(iter(film))
    assert repr(film).endswith("1 dreamt>")
    interrupted = interrupt(film, monkeypatch, steps=3)
    with pytest.raises(KeyboardInterrupt):
        list(film)
    monkeypatch.undo()
    assert len(interrupted) == 4 and repr(film).endswith("2 dreamt>")
    interrupt(film, monkeypatch, steps=1)
    with pytest.raises(KeyboardInterrupt):
        film.save(tmp_path / "run")
    monkeypatch.undo()
    film.save(tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == by_command
    again = list(film)
    np.testing.assert_array_equal(again[0].picture, first.picture)
    assert again[0].terms is None and again[-1].terms.target > 0
    # Two who look at it in turn see the same frames.
    film.save(tmp_path / "elsewhere")
    for one, other in zip(film, film):
        assert one is other
    assert contents(tmp_path / "elsewhere") == by_command


def interrupt(film, monkeypatch, steps):
    """Have the step raise KeyboardInterrupt after so many steps; the calls."""
    calls, own = [], film._step.step

    def step(*aim):
        calls.append(aim)
        if len(calls) > steps:
            raise KeyboardInterrupt
        return own(*aim)

    monkeypatch.setattr(film._step, "step", step)
    return calls


@pytest.mark.parametrize("options, words", [
    ({"classes": "creture 3"}, "no class is called 'creture 3'; did you mean .*creature 3"),
    ({"classes": 20}, "no class 20: the indices are 0 to 19"), ({"classes": -1}, "no class -1: the indices"),
    ({"classes": [3, "creature 20"]}, "creature 20"), ({"learning_rate": -1}, "learning_rate=-1: must be"),
    ({"size": 264}, "size='264' is not width and height"), ({"size": (255, 300)}, "256x256"),
    ({"classes": "3", "schedule": "list.txt"}, "not both"), ({"start": "absent.png"}, "absent.png"),
    ({"octaves": [(2, 1)], "steps": 2}, "leave out"), ({"device": "gpu"}, "cpu")])
def test_wrong_arguments_raise_at_once(weights, options, words):
    with pytest.raises(ValueError, match=words):
        dream(**{"weights": weights, "progress": False, **options})


def test_a_name_alone_is_one_class_and_an_index_is_its_class(weights):
    by_name, by_index = (dream(one, weights=weights, frames=1, progress=False) for one in ("creature 7", np.int64(7)))
    assert len(by_name) == len(by_index) == 1
    assert by_name.inputs.parameters == by_index.inputs.parameters and by_name.inputs.scenes[0].target.numbers == (7, 7)


@pytest.mark.parametrize("picture", [np.zeros((300, 300)), np.zeros((300, 300, 4)), np.full((300, 300, 3), "a")])
def test_what_is_no_picture_is_refused(weights, picture):
    for look in (load_network(weights).logits, prior.load_prior().energy, prior.load_prior().map):
        with pytest.raises(ValueError, match="a picture is"):
            look(picture)


def test_logits_of_a_picture_too_small_are_refused(weights):
    with pytest.raises(ValueError, match="too small"):
        load_network(weights).logits(np.zeros((16, 16, 3)))


def test_a_prior_that_was_fitted_is_saved_and_read(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(photos / "noise.png")
    fitted = prior.fit_prior(photos, "gaussian", patches=500, patch=3, progress=False)
    fitted.save(tmp_path / "mine.npz")
    read = prior.load_prior(tmp_path / "mine.npz", "gaussian")
    np.testing.assert_array_equal(read.prior.filters, fitted.prior.filters)
    with pytest.raises(ValueError, match="student"):
        prior.load_prior(tmp_path / "mine.npz")
    with pytest.raises(ValueError, match="none of student, gaussian"):
        prior.load_prior(kind="laplace")


def test_parity_prints_as_the_command_line_has_it(monkeypatch):
    rows = [Deviation("loss", "relative", 1e-12, 1e-9), Deviation("gradient", "relative", 1e-3, 1e-9)]
    monkeypatch.setattr(parity.parity, "replay", lambda *options: rows)
    found = parity.replay("golden.npz")
    assert list(found) == rows and not found.within and "BEYOND" in str(found).splitlines()[2]
