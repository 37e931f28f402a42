"""The stream in one file: it computes what 2015 computed, by itself, and leaves a film."""

import ast
import importlib.util
import re
import sys
from itertools import islice
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image
from small_network import small_network

from lsd_repro.compare.parity import LIMITS_64, Golden
from lsd_repro.network import matconvnet
from lsd_repro.ops import REWRITES
from lsd_repro.ops.compiling import register
from lsd_repro.program2015 import STREAM
from lsd_repro.runtime.load import theano

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "examples" / "repro2015.py"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A .mat file, read faster than those that ship; its classes are called "creature 0, beast number 0" and so on."""
    path = tmp_path_factory.mktemp("weights") / "network.mat"
    matconvnet.write(path, small_network(np.random.default_rng(0)))
    return path


@pytest.fixture
def example():
    spec = importlib.util.spec_from_file_location("repro2015", SOURCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_stream_is_that_of_2015(example, monkeypatch):
    golden = Golden(ROOT / "tests" / "golden" / "stream.npz")
    assert (example.STEPS_PER_FRAME, example.FILM_FRAMES, example.FILM_SIZE) == (
        STREAM.steps_per_frame, STREAM.video_frames_per_frame, (STREAM.video_height, STREAM.video_width))
    example.STEPS_PER_FRAME = k = int(golden["steps_per_frame"])
    example.FILM_FRAMES = int(golden["video_frames_per_frame"])
    example.FILM_SIZE = tuple(golden["video_shape"])
    prior = golden.priors["student"]
    # As it runs by itself: no Ops of ours, which other tests may have made known to Theano; once asked for what it
    # doesn't know, Theano would refuse to learn it later.
    register()
    plain = theano.compile.get_default_mode().excluding(*REWRITES)
    monkeypatch.setattr(theano.compile.mode, "instantiated_default_mode", plain)

    # A frame, and the first step of the next one, when it was zoomed and Adam reset.
    with theano.config.change_flags(floatX="float64"):
        steps = list(islice(example.stream(golden.network, (prior.filters, prior.mean), golden.start, golden["schedule"]), k + 1))
    losses, pictures = zip(*steps)
    np.testing.assert_allclose(losses, golden["losses"][:k + 1], rtol=LIMITS_64["relative"])

    def assert_alike(picture, theirs):
        np.testing.assert_allclose(golden.sample(picture, (0, 1)), theirs, rtol=0, atol=LIMITS_64["grey levels"])

    compared = [index for index in golden["x_after_step_ids"] if index <= k]
    assert compared == [0, 1, 4, 5]
    for index, theirs in zip(compared, golden["x_after_step"]):
        assert_alike(pictures[index], theirs[0].transpose(1, 2, 0))

    start, frame = golden.start, pictures[k - 1]
    for before, theirs in zip((start, frame), golden["zoomed_frames"]):
        assert_alike(example.zoomed(before), 255 * theirs)
    shown = [index for index in golden["video_frame_ids"] if index < example.FILM_FRAMES]
    assert shown == [0, 1, 10, 19]
    for index, theirs in zip(shown, golden["video_frames"]):
        assert_alike(255 * example.film_frame(start, frame, index), 255 * theirs)


def test_it_takes_nothing_from_the_package_but_weights_and_theano():
    imported = {node.module for node in ast.walk(ast.parse(SOURCE.read_text("utf-8")))
                if isinstance(node, ast.ImportFrom) and node.module.startswith("lsd_repro")}
    assert imported == {"lsd_repro.network.matconvnet", "lsd_repro.runtime.load"}
    assert "import lsd_repro" not in SOURCE.read_text("utf-8")


def test_the_lines_that_it_names_are_those_of_the_page_on_2015():
    named = set(re.findall(r"[\w/]+\.py, lines? [\d-]+", SOURCE.read_text("utf-8")))
    assert len(named) > 30
    page = (ROOT / "docs" / "2015.md").read_text("utf-8")
    assert [line for line in sorted(named) if f"[{line}]" not in page] == []


def test_it_leaves_pictures_and_a_film(example, weights, monkeypatch, tmp_path, capsys):
    asked = []

    def stream(network, prior, start, schedule):
        asked.append((start.shape, schedule))
        for grey in (10, 20.6, 30, 200):
            yield 1.5, np.full(start.shape, grey)

    example.STEPS_PER_FRAME, example.FILM_FRAMES, example.FILM_SIZE = 2, 3, (64, 128)
    monkeypatch.setattr(example, "stream", stream)
    monkeypatch.setattr(sys, "argv", ["repro2015.py", "--weights", str(weights), "--classes", "Creature 7+beast number 3",
                                      "--frames", "2", "--out", str(tmp_path / "out")])
    example.main()
    assert asked == [((338, 600, 3), [[7, 3], [7, 3]])]
    first, second = (np.array(Image.open(path)) for path in sorted((tmp_path / "out").glob("result*.png")))
    assert (first == 21).all() and (second == 200).all()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["film.mp4", "result0002.png", "result0004.png"]
    assert imageio_ffmpeg.count_frames_and_secs(str(tmp_path / "out" / "film.mp4"))[0] == 6
    assert "step 1: loss 1.50\n" in capsys.readouterr().out


@pytest.mark.parametrize("options, message", [
    (["--classes", "nonesuch"], "the network has no class 'nonesuch'"),
    (["--weights", "missing.mat"], "missing.mat"),
    (["--prior", "missing.npz"], "missing.npz"),
    (["--start", "missing.jpg"], "missing.jpg"),
    (["--frames", "0"], "--frames: must be at least 1"),
    (["--start", "small.png"], "small.png is smaller than 256 pixels"),
])
def test_bad_input_is_one_line(example, weights, monkeypatch, tmp_path, capsys, options, message):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (300, 255)).save("small.png")
    monkeypatch.setattr(sys, "argv", ["repro2015.py", "--weights", str(weights), "--classes", "creature 1", *options])
    with pytest.raises(SystemExit) as left:
        example.main()
    assert left.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
