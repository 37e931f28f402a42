"""What a worker dreams is what ``lsd-repro frames`` dreams, whatever the worker dreamt before."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sweeps import FIXED, planned, run, write, write_guide

from lsd_repro import __version__
from lsd_repro.atlas import sweep, worker
from lsd_repro.material import files
from lsd_repro.production import build
from lsd_repro.runtime.load import theano

# One after the other on the same worker.
SWEPT = """classes = ["creature 3", "creature 4+creature 9"]
prior-strength = [1, 40.5]"""


def task(dream, **changes):
    return worker.Task(dream.name, dream.spec, dream.scene, dream.parameters, __version__)._replace(**changes)


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """Dreams, and what one worker made of them."""
    folder = tmp_path_factory.mktemp("several")
    fixed = FIXED.replace("steps = 2\n", "").replace("frames = 1", "frames = 2") + "learning-rate = 3\noctaves = ['2:1', '1:1']"
    dreams = planned(write(folder, SWEPT, fixed))
    steps = worker.Steps()
    made = [worker.dreamt(task(dream), steps) for dream in dreams]
    assert all(isinstance(one, worker.Dreamt) for one in made)
    return folder, dreams, made


def test_a_dream_is_the_last_frame_of_the_film_of_the_same_options_to_the_byte(several):
    folder, dreams, made = several
    options = ("--weights", folder / "small.mat", "--size", "264x256", "--frames", 2, "--video-frames", 2, "--learning-rate", 3,
               "--prior-strength", 40.5, "--octaves", "2:1", "1:1", "--classes", "creature 4+creature 9",
               "--out", folder / "film")
    assert run("frames", *options) == 0
    film = (folder / "film" / "frames" / "frame0002.png").read_bytes()
    number, = (number for number, dream in enumerate(dreams) if dream.scene == "4+9" and dream.settings["prior-strength"] == 40.5)
    assert number > 0 and made[number].picture == film
    assert len({hashlib.sha256(one.picture).hexdigest() for one in made}) == len(made) == 4


def test_a_kept_step_is_shared_by_what_is_set_on_it_and_remembers_nothing(several):
    _, dreams, made = several
    compiled = []
    with pytest.MonkeyPatch.context() as patch:
        # In reverse, so that each comes after another than before.
        patch.setattr(worker, "MOST_STEPS", 1)
        own = theano.function
        patch.setattr(theano, "function", lambda *args, **kwargs: (compiled.append(args), own(*args, **kwargs))[1])
        steps = worker.Steps()
        again = [worker.dreamt(task(dream), steps) for dream in reversed(dreams)]
    assert len(compiled) == 1
    for one, other in zip(reversed(again), made):
        assert one.picture == other.picture and one.facts["terms"] == other.facts["terms"]


@pytest.mark.slow  # compiles a step for each film
@pytest.mark.parametrize("swept", [
    'objective = ["layer:conv4_2:3", "layer:conv4_2:17", "layer:conv4_2"]', 'guide = ["one.png", "two.png"]',
    'objective = ["class", "layer:conv3_2:5", "layer:conv3_2:6"]\ntile = [256]'], ids=["layers", "guides", "tiles"])
def test_layers_guides_and_tiles_are_as_frames_has_them(tmp_path, monkeypatch, capsys, swept):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(build, "TILES_SHOWN_AFTER", 0)
    # Total variation takes a smaller picture than the prior.
    path = write(tmp_path, swept, FIXED.replace("264x256", "320x64") + 'prior-kind = "tv"')
    for seed, name in enumerate(("one", "two")):
        write_guide(tmp_path / f"{name}.png", seed)
    steps = worker.Steps()
    made = [worker.dreamt(task(dream), steps) for dream in planned(path)]
    # A worker shares its terminal with the client's bar.
    assert capsys.readouterr().err == ""
    assert len({one.picture for one in made}) == len(made)
    for number, (options, one) in enumerate(zip(sweep.combinations(sweep.read(path)), made)):
        assert run("frames", *(f"--{key}={value}" for key, value in options.items()), "--out", f"film{number}") == 0
        assert one.picture == Path(f"film{number}/frames/frame0001.png").read_bytes()


def test_channels_of_a_layer_share_a_step_and_other_layers_guides_and_tiles_do_not(tmp_path):
    for seed, name in enumerate(("one", "two")):
        write_guide(tmp_path / f"{name}.png", seed)

    def keys(swept):
        return [worker.compiled_in(dream.parameters) for dream in planned(write(tmp_path, swept))]

    one, other = keys('objective = ["layer:conv4_2:3", "layer:conv4_2:17"]')
    assert one == other
    others = (*keys('objective = ["class", "layer:conv4_2", "layer:conv4_1:3"]'), *keys('guide = ["one.png", "two.png"]'),
              *keys('objective = ["class", "layer:conv4_2:3"]\ntile = [256, 264]'))
    assert len({one, *others}) == 1 + len(others) == 10


@pytest.mark.parametrize("fixed", ["float64 = true", 'prior-kind = "tv"', "network-scales = [1, 2]", 'size = "256x264"'])
def test_what_is_compiled_in_has_a_step_of_its_own(several, fixed):
    folder, dreams, _ = several
    key = fixed.split(" ")[0]
    lines = [line for line in FIXED.splitlines() if not line.startswith(key)]
    plain, = planned(write(folder, "", FIXED + "classes = '3'", "plain.toml"))
    other, = planned(write(folder, "", "\n".join([*lines, fixed, "classes = '3'"]), "other.toml"))
    seed, = planned(write(folder, "", FIXED + "classes = '4'\nseed = 3\nlearning-rate = 2", "seed.toml"))
    assert worker.compiled_in(plain.parameters) == worker.compiled_in(seed.parameters) != worker.compiled_in(other.parameters)


def test_the_facts_are_those_of_the_last_step(several):
    _, dreams, made = several
    for one in made:
        terms = one.facts["terms"]
        assert terms["loss"] == pytest.approx(terms["class_term"] + terms["prior_term"], rel=1e-5)
        assert one.facts["seconds"] > 0 and one.facts["versions"]["lsd_repro"] == __version__
    assert files.plain(made[0].facts)["machine"]["device"] == "cpu"


def test_a_worker_with_other_material_or_another_version_refuses(several, tmp_path):
    _, dreams, _ = several
    dream = dreams[0]
    refused = worker.dreamt(task(dream, version="0.0.9"), worker.Steps())
    assert isinstance(refused, worker.Unfit) and f"lsd_repro {__version__}, not 0.0.9" in refused.reason
    gone = replace(dream.spec, weights=tmp_path / "gone.mat")
    refused = worker.dreamt(task(dream, spec=gone), worker.Steps())
    assert isinstance(refused, worker.Unfit) and "gone.mat" in refused.reason
    write(tmp_path, "")
    from small_network import small_network

    from lsd_repro.network import matconvnet

    matconvnet.write(tmp_path / "small.mat", small_network(np.random.default_rng(6)))
    other = replace(dream.spec, weights=tmp_path / "small.mat")
    refused = worker.dreamt(task(dream, spec=other), worker.Steps())
    assert isinstance(refused, worker.Unfit) and "differs in network:" in refused.reason
    write_guide(tmp_path / "guide.png", 1)
    guided, = planned(write(tmp_path, "", FIXED + 'guide = "guide.png"'))
    write_guide(tmp_path / "guide.png", 2)
    refused = worker.dreamt(task(guided), worker.Steps())
    assert isinstance(refused, worker.Unfit) and "differs in guide:" in refused.reason


def test_a_dream_that_is_no_number_fails_and_the_next_does_not(several):
    folder, dreams, made = several
    steps = worker.Steps()
    parameters = {**dreams[0].parameters, "prior_strength": 1e39}
    failed = worker.dreamt(task(dreams[0], spec=replace(dreams[0].spec, prior_strength=1e39), parameters=parameters), steps)
    assert isinstance(failed, worker.Failed) and "frame 1: the loss is" in failed.reason
    assert worker.dreamt(task(dreams[0]), steps).picture == made[0].picture
