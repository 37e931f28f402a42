"""What is asked for, and what is decided before a run begins."""

import contextlib
import io
import shlex
from dataclasses import replace

import numpy as np
import pytest

from lsd_repro.cli import options
from lsd_repro.cli.options import SAID
from lsd_repro.errors import InputError, OptionError
from lsd_repro.presets import DEMO, PRESETS, Preset
from lsd_repro.production import load
from lsd_repro.production.check import check
from lsd_repro.production.spec import OPTIONS, Spec
from lsd_repro.program2015 import STREAM


def test_a_presets_octaves_that_do_not_fit_leave_their_steps_to_the_finest():
    octaves = (4, 3), (2, 2), (1, 6)
    for side, expected in ((900, octaves), (500, ((2, 2), (1, 9))), (300, ((1, 11),)), (200, ((1, 11),))):
        assert load.fitting(octaves, side, least=224) == expected
    assert load.fitting((), 300, least=224) == ()


def test_a_program_keeps_what_is_not_asked_for():
    assert check(Spec("stream", prior_strength=3)) == replace(Preset.of(STREAM), prior_strength=3.0)
    assert [check(Spec(name)) for name in PRESETS] == list(PRESETS.values())


@pytest.mark.parametrize("given, strength", [
    ({}, 14), ({"weights": "small"}, 2), ({"preset": "live"}, 2), ({"preset": "live", "weights": "trunk"}, 14),
    ({"preset": "stream", "weights": "small"}, 10), ({"weights": "small", "prior_strength": 5}, 5),
    # Of another network or prior nothing is known.
    ({"weights": "vgg16.mat"}, 14),
    ({"weights": "small", "prior": "other.npz"}, 14), ({"weights": "small", "prior_kind": "tv"}, 14)])
def test_the_prior_is_as_strong_as_the_network_that_ships_wants_it(given, strength):
    assert check(Spec(**given)).prior_strength == strength


@pytest.mark.parametrize("given, said", [({"steps": 7}, True), ({"network_scales": [1]}, True), ({}, False),
                                         ({"steps": 7, "preset": "live"}, False)])
def test_octaves_that_are_given_up_are_named(given, said):
    heard = []
    load.load(Spec(weights="small", classes=["0"], **given), heard.append)
    assert heard == ["without the octaves 2:4 1:6 of demo: steps or network scales are given in their place"] * said


def test_octaves_bring_their_steps_and_steps_or_scales_end_octaves():
    assert check(Spec("stream", octaves=[(3, 2), (1, 5)])).steps_per_frame == 7
    assert check(Spec(steps=3)).octaves == ()
    by_scales = check(Spec(network_scales=[1, 2]))
    assert by_scales.octaves == () and by_scales.network_scales == (1, 2)
    assert by_scales.steps_per_frame == DEMO.steps_per_frame
    with pytest.raises(InputError, match="leave out network_scales= and steps="):
        check(Spec(octaves=[(1, 2)], network_scales=[1], steps=2))


def test_text_and_pythons_own_values_are_the_same_spec(tmp_path):
    text = Spec(classes="pizza", size="480x272", octaves=["2:4", "1:6"], network_scales="3", frames="2", learning_rate="5",
                start=str(tmp_path))
    assert text == Spec(classes=["pizza"], size=np.array([480, 272]), octaves=[(2, 4), (1, 6)], network_scales=3,
                        frames=np.int64(2), learning_rate=5, start=tmp_path)
    assert hash(text) and text == replace(text) and Spec(classes=7) == Spec(classes=["7"])


@pytest.mark.parametrize("option, value, words", [
    ("size", 480, "width and height"), ("size", (480, 272, 3), "width and height"), ("size", (480, 0), "at least 1"),
    ("learning_rate", -1, "at least 0"), ("learning_rate", True, "number"), ("prior_strength", float("nan"), "number"),
    ("frames", 1.5, "whole"), ("frames", True, "whole"), ("steps", 0, "at least 1"), ("preset", "film", "demo, live"),
    ("prior_kind", "laplace", "student"), ("classes", [1.5], "whole"), ("octaves", [2, 4], "scale and steps"),
    ("octaves", [], "scale and steps"), ("float64", "yes", "True"), ("start", 3, "file"), ("objective", 3, "text")])
def test_a_value_that_no_run_could_have_is_refused_by_the_name_of_its_option(option, value, words):
    with pytest.raises(OptionError, match=f"^{option}=.*{words}") as caught:
        Spec(**{option: value})
    assert caught.value.option == option


def test_the_command_line_says_something_of_every_option():
    assert {*SAID, "preset"} == OPTIONS.keys()


def test_a_run_takes_the_size_of_the_start_image_but_a_film_as_large_as_its_picture_keeps_its_own(tmp_path):
    from PIL import Image

    path = tmp_path / "start.png"
    Image.new("RGB", (300, 280)).save(path)
    stream = load.load(Spec("stream", weights="small", start=path, prior_kind="tv"))
    demo = load.load(Spec(weights="small", start=path))
    assert (stream.program.width, stream.program.height, stream.program.video_width) == (300, 280, STREAM.video_width)
    assert (demo.program.width, demo.program.height, demo.program.video_width) == (DEMO.width, DEMO.height, DEMO.video_width)
    assert len(stream.scenes) == STREAM.frames_per_class and stream.parameters["prior kind"] == "tv"


def test_small_pictures_do_without_the_coarse_scales_of_the_prior():
    with pytest.raises(InputError, match="prior scale 16 and 32: a 120x96 picture"):
        load.load(Spec(weights="small", size=(120, 96)))
    small = load.load(Spec(weights="small", size=(120, 96), prior_scales=(1, 4)))
    assert small.program.prior_scales == (1, 4) and small.parameters["prior_scales"] == (1, 4)


def examples():
    """What each command's help shows, with its options parsed, of those that dream."""
    from lsd_repro.cli.main import parser

    for command in ("frames", "live", "stills", "reproduce"):
        shown = io.StringIO()
        with contextlib.redirect_stdout(shown), pytest.raises(SystemExit):
            parser().parse_args([command, "--help"])
        example = " ".join(shown.getvalue().split("example: lsd-repro ")[1].split())
        yield pytest.param(parser().parse_args(shlex.split(example)), id=example)


@pytest.mark.parametrize("args", list(examples()))
def test_what_the_help_of_a_command_shows_can_be_dreamt(args):
    inputs = load.load(options.spec(args))
    assert inputs.scenes and inputs.program.width >= 480


def test_a_picture_larger_than_memory_is_refused_before_it_is_made():
    with pytest.raises(InputError, match="GiB of memory"):
        load.load(Spec("stills", weights="small", size=(1 << 20, 1 << 20)))
