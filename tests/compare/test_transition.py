"""The known transition of 2015, and those that stand in for it where the author's frames are not at hand."""

import contextlib
import io
import json
import re
import shutil
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from skimage import data
from small_network import small_network

from lsd_repro.cli.main import main
from lsd_repro.compare import change, parity, transition, transition_arms, transition_numbers
from lsd_repro.compare.transition_arms import CEILING, Arm
from lsd_repro.errors import InputError
from lsd_repro.film.zoom import zoom_picture
from lsd_repro.material import shipped
from lsd_repro.network import known, matconvnet
from lsd_repro.prior import store
from lsd_repro.program2015 import STREAM

GOLDEN = Path(__file__).parents[1] / "golden" / "stream.npz"
OUTPUTS = "transition.html", "transition.json", "transition.png"
TERMS = ("pizza, pizza pie", "lion, king of beasts", "bee", "volcano", "spider web, spider's web", "brain coral", "gondola",
         "king penguin, Aptenodytes patagonica")


def frame(of_2015, name):
    path = of_2015("frames") / name
    if not path.is_file():
        pytest.skip(f"{path} is not here: lsd-repro fetch frames")
    return np.asarray(Image.open(path))


def write(path, picture):
    Image.fromarray(picture).save(path)
    return str(path)


# The author's frames.


@pytest.mark.slow
def test_what_ten_steps_changed_is_pizza_and_nothing_else(of_2015):
    before, after = (frame(of_2015, name) for name in (transition.BEFORE, transition.AFTER))
    network = matconvnet.read(shipped.network())
    arms = transition_arms.quick_arms(network.descriptions)
    found = transition.transition(before, after, network, store.load(of_2015("priors")), arms)
    result = transition_numbers.numbers(found, arms)
    at_2 = {name: one["correlation"][2] for name, one in result["arms"].items()}
    assert at_2["pizza"][0] > 0.45 and len(result["wrong"]) == 5
    assert max(at_2[name][0] for name in result["wrong"]) < 0.3
    assert at_2[CEILING][0] > 0.85
    assert [one["verdict"] for one in result["questions"]] == [transition_numbers.CONFIRMED] * 2
    size, theirs = (result["arms"]["pizza"][name][0] for name in ("size", "size of theirs"))
    assert size == pytest.approx(theirs, rel=0.05)


# Without them: a transition that the 2015 program computed, of a small network.


def test_in_float64_a_transition_of_the_2015_program_is_made_exactly():
    golden = parity.Golden(GOLDEN)
    scene = golden.scenes[0]
    arm = Arm(scene, golden.program)
    ours = transition.dream(transition.Steps(golden.network, golden.priors, "float64"), arm, golden.start)
    zoomed = zoom_picture(golden.start.astype(float), golden.program.video_frames_per_frame)
    # The file has every third row and column of the next frame.
    theirs = 255 * golden["optimised_frames"][1].astype(float)
    np.testing.assert_allclose(255 * golden["zoomed_frames"][0], golden.sample(zoomed, (0, 1)), atol=1e-3)
    sums = change.measure(golden.sample(ours, (0, 1)), theirs, golden.sample(zoomed, (0, 1)))
    found = change.estimate(sums, np.ones((1, sums.pixels.size)))
    np.testing.assert_allclose(found.correlation, 1, atol=1e-6)
    np.testing.assert_allclose(found.coherence, 1, atol=1e-6)
    assert found.size[0] == pytest.approx(found.their_size[0], rel=1e-6) and found.size[0] > 5


# The arms.


def test_each_arm_differs_from_2015_in_one_thing():
    arms = transition_arms.all_arms(TERMS)
    first = arms["pizza"]
    assert asdict(first.program) == asdict(STREAM) and next(iter(arms)) == "pizza"

    def flat(arm):
        values = arm._asdict()
        return {**asdict(values.pop("program")), **values}

    own = flat(first)
    differences = {name: {key: value for key, value in flat(arm).items() if value != own[key]} for name, arm in arms.items()}
    assert differences.pop("pizza") == {}
    assert {name: list(one) for name, one in differences.items() if len(one) > 1} == {
        "5 steps of 10": ["learning_rate", "steps_per_frame"], "20 steps of 2.5": ["learning_rate", "steps_per_frame"]}
    assert differences["20 steps"] == {"steps_per_frame": 20} and differences["learning rate 2.5"] == {"learning_rate": 2.5}
    assert differences["no prior"] == {"prior_strength": 0} and differences["prior strength 30"] == {"prior_strength": 30}
    assert differences["k = 194"] == {"video_frames_per_frame": 194} and differences[CEILING] == {"dithered": True}
    assert len(differences) == 1 + 5 + 16
    # Arms that share a compiled step stand together: each is compiled once.
    compiled = [arm.compiled for arm in arms.values()]
    assert sum(one != other for one, other in zip(compiled, compiled[1:])) == len(set(compiled)) - 1 == 5


def test_a_class_that_the_network_lacks_is_replaced_and_the_target_asked_for():
    assert transition_arms.default_wrong(TERMS) == list(transition_arms.WRONG)
    without = TERMS[:2] + TERMS[3:]
    assert transition_arms.default_wrong(without) == ["king penguin", "spider web", "lion", "brain coral", "2"]
    assert list(transition_arms.quick_arms(without, wrong=["2"])) == ["pizza", CEILING, "volcano"]
    assert transition_arms.default_wrong(TERMS, "lion+bee") == ["king penguin", "spider web", "brain coral", "0", "3"]
    with pytest.raises(InputError, match="target=: no class is called 'pizza'"):
        transition_arms.quick_arms(TERMS[1:])
    with pytest.raises(InputError, match="wrong=bee: it is there already"):
        transition_arms.quick_arms(TERMS, wrong=["bee", "bee"])
    with pytest.raises(InputError, match="wrong=pizza pie: it is there already"):
        transition_arms.quick_arms(TERMS, wrong=["pizza pie"])


# What the picture says.


def verdict(own, **others):
    """Of scores with a spread of 0.01 that all arms share, and one of 0.001 of their own."""
    rng = np.random.default_rng(0)
    shared = rng.normal(0, 0.01, 400)

    def draws(value):
        return value + np.concatenate([[0], shared + rng.normal(0, 0.001, 400)])

    scores = {name: draws(value) for name, value in others.items()}
    return transition_numbers.question("steps", "size", "10 steps", draws(own), scores)


@pytest.mark.parametrize("scores, expected, says", [
    ({"five": 0.4, "twenty": 0.49}, transition_numbers.CONFIRMED, "10 steps confirmed"),
    ({"five": 0.4, "twenty": 0.5}, transition_numbers.FAVOURED, "favours 10 steps; cannot tell it from twenty"),
    ({"five": 0.51, "twenty": 0.52}, transition_numbers.OTHER, "favours twenty"),
    ({"five": 0.5, "twenty": 0.5005}, transition_numbers.UNTOLD, "cannot tell")])
def test_a_verdict_is_of_paired_differences(scores, expected, says):
    found = verdict(0.5, **scores)
    assert (found["verdict"], found["says"]) == (expected, says)
    for name, score in scores.items():
        value, low, high = found["differences"][name]
        assert value == pytest.approx(0.5 - score) and low < value < high and high - low < 0.01


def test_every_changed_constant_is_asked_about_by_its_measures():
    arms = transition_arms.all_arms(TERMS)
    counts = change.draws(4, 0, 50)
    rng = np.random.default_rng(1)
    before, theirs, noise = rng.uniform(0, 255, (3, 130, 140, 3))

    def estimates(share):
        return change.estimate(change.measure(before + (theirs - before) * share + 0.1 * noise, theirs, before), counts)

    near, far = estimates(1), estimates(0.5)
    found = transition.Transition(before, {}, {name: far if name == "20 steps" else near for name in arms},
                                  {k: np.full(51, 0.9 if k == 193 else 0.8) for k in (192, 193, 194)})
    asked = {(one["subject"], one["measure"]): one for one in transition_numbers.questions(found, arms)}
    assert {about for about, _ in asked} == {"zoom", *transition_numbers.SUBJECTS}
    assert asked["zoom", transition_numbers.ZOOM]["says"] == "k = 193 confirmed"
    steps = asked["steps", transition_numbers.MEASURES["size"].label]
    assert set(steps["differences"]) == {"5 steps", "20 steps"}
    assert steps["says"] == "favours 10 steps; cannot tell it from 5 steps"
    ratio = far.size[0] / far.their_size[0]
    own = near.size[0] / near.their_size[0]
    assert steps["differences"]["20 steps"][0] == pytest.approx(abs(np.log(ratio)) - abs(np.log(own)))
    assert asked["betas", transition_numbers.MEASURES["direction"].label]["verdict"] == transition_numbers.UNTOLD


def test_genuine_weights_are_known_from_first_to_last_and_expected_to_come_near():
    blue = known.OXFORD[16]
    first = np.zeros((64, 3, 3, 3))
    first[0, 2] = np.reshape(blue.blue, (3, 3))
    biases = np.zeros(64)
    biases[:5] = blue.biases
    rest = [np.broadcast_to(0, (size, 1)) for size in [64] * 12 + [4096, 4096, 1000]]
    genuine = SimpleNamespace(weights=[first, *rest], biases=[biases])
    assert transition.is_genuine(genuine)
    # The trunk that ships has the first layer, too.
    assert not transition.is_genuine(matconvnet.read(shipped.network("trunk")))
    assert not transition.is_genuine(SimpleNamespace(weights=[first + 1, *rest], biases=[biases]))
    assert "0.9" in transition_numbers.expectation()
    for interval, words in (([0.95, 0.92, 0.97], "as expected"), ([0.5, 0.4, 0.6], "less than expected"),
                            ([0.9, 0.85, 0.95], "cannot tell")):
        assert words in transition_numbers.came_true({"share of the ceiling": {2: interval}})


# The command.


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    """Of a pair that the small network can be asked about, and its files."""
    folder = tmp_path_factory.mktemp("pair")
    matconvnet.write(folder / "small.mat", small_network(np.random.default_rng(5)))
    photo = data.coffee()
    return {"--before": write(folder / "before.png", photo[:256, :264]),
            "--after": write(folder / "after.png", photo[4:260, 2:266]),
            "--weights": str(folder / "small.mat"), "--class": "creature 3"}


def run(options, *flags, **other):
    """Exit status, and what was printed to either stream."""
    out, error = io.StringIO(), io.StringIO()
    arguments = [word for pair in {**options, **other}.items() for word in pair]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        status = main(["transition", *arguments, *flags])
    return status, out.getvalue(), error.getvalue()


@pytest.fixture(scope="module")
def quick(tmp_path_factory, options):
    out = tmp_path_factory.mktemp("quick") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transition, "is_genuine", lambda network: True)
        status, printed, _ = run(options, "--quick", **{"--out": str(out)})
    assert status == 0
    return out, printed


def test_quick_makes_three_arms_and_says_what_made_them(options, quick):
    out, printed = quick
    lines = printed.splitlines()
    assert lines[0] == "Weights: small.mat. Prior: ours (priors.npz)."
    assert lines[1] == transition_numbers.expectation() and "of the ceiling (" in lines[-2]
    result = json.loads((out / "transition.json").read_text())
    assert list(result["arms"]) == ["creature 3", CEILING, "creature 0"]
    assert {path.suffix for path in (out / "arms").iterdir()} == {".npy"} and len(list((out / "arms").iterdir())) == 3
    for name in OUTPUTS:
        assert (out / name).stat().st_size > 1000
    page = (out / "transition.html").read_text()
    assert "<script" not in page and page.count("<img") == 1 + 2 * 3 and "creature 0" in page
    # Read again, the numbers make the table that was printed.
    assert transition_numbers.text(transition_numbers.read(out / "transition.json")) in printed
    # Ten steps of 5 grey levels, from the picture's own zoom.
    assert 5 < result["arms"]["creature 3"]["size"][0] < 50
    assert result["arms"][CEILING]["correlation"]["2"][0] > result["arms"]["creature 0"]["correlation"]["2"][0]


def test_interrupted_and_resumed_it_comes_to_the_same_bytes(tmp_path, monkeypatch, options, quick):
    whole, _ = quick
    out = tmp_path / "out"
    dream, made = transition.dream, []

    def broken(steps, arm, *rest):
        if made:
            raise KeyboardInterrupt
        made.append(arm)
        return dream(steps, arm, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(transition, "dream", broken)
        status, _, error = run(options, "--quick", **{"--out": str(out)})
    assert status == 130 and "--resume" in error
    status, _, error = run(options, "--quick", **{"--out": str(out)})
    assert status == 2 and "--resume" in error
    monkeypatch.setattr(transition, "dream", lambda steps, arm, *rest: (made.append(arm), dream(steps, arm, *rest))[1])
    assert run(options, "--quick", "--resume", **{"--out": str(out)})[0] == 0
    assert len(made) == 3
    for name in [*OUTPUTS, *(f"arms/{path.name}" for path in (whole / "arms").iterdir())]:
        assert (out / name).read_bytes() == (whole / name).read_bytes(), name


def test_all_arms_have_their_rows_and_keep_what_quick_has_made(tmp_path, monkeypatch, options, quick):
    out = tmp_path / "out"
    shutil.copytree(quick[0], out)
    made = []

    def dream(steps, arm, before, seed, on_step):
        made.append(arm)
        return np.random.default_rng(len(made)).uniform(0, 255, before.shape).astype(np.float32)

    monkeypatch.setattr(transition, "dream", dream)
    status, printed, _ = run(options, "--resume", **{"--out": str(out)})
    assert status == 0 and len(made) == 23 - 3
    result = json.loads((out / "transition.json").read_text())
    page = (out / "transition.html").read_text()
    assert len(result["arms"]) == 23 and len(result["wrong"]) == 5
    for name in result["arms"]:
        assert f'<th scope="row">{name}</th>' in page and f"\n{name} " in printed
    for one in result["questions"]:
        assert one["says"] in page and f"{one['subject']}, by {one['measure']}: {one['says']}" in printed


@pytest.mark.parametrize("other, flags, words", [
    ({"--class": "pizza"}, (), "--class: no class is called 'pizza'"),
    ({"--wrong": "creature 3"}, (), "--wrong creature 3: it is there already"),
    ({"--after": "absent.png"}, (), "absent.png: not a usable photo"),
    ({"--prior": "student.npz"}, (), "--prior has no gaussian prior.*--quick"),
    ({"--after": "large.png"}, ("--quick",), "--before has 264x256 pixels and --after 270x256"),
    ({"--before": "short.png", "--after": "short.png"}, ("--quick",), "prior scale 32"),
    ({"--weights": "huge"}, ("--quick",), "huge: there is no such file"),
])
def test_bad_input_is_one_line_before_anything_is_made(tmp_path, monkeypatch, options, other, flags, words):
    monkeypatch.chdir(tmp_path)
    store.save("student.npz", store.load(shipped.path(shipped.PRIORS))["student"], None, "a test")
    write("large.png", data.coffee()[:256, :270])
    write("short.png", data.coffee()[:200, :264])
    status, _, error = run(options, *flags, **other)
    assert status == 2 and len(error.strip().splitlines()) == 1 and not Path("out").exists()
    assert re.search(words, error), error


def test_without_the_authors_frames_their_command_is_named(tmp_path, monkeypatch, options):
    monkeypatch.setenv("LSD_REPRO_CACHE", str(tmp_path))
    for missing in "--before", "--after":
        given = {name: value for name, value in options.items() if name != missing}
        status, _, error = run(given)
        assert status == 2 and "lsd-repro fetch frames" in error and missing in error


def test_a_run_goes_on_with_the_same_pictures_alone(tmp_path, options, quick):
    status, _, error = run(options, "--quick", "--resume", **{"--after": options["--before"], "--out": str(quick[0])})
    assert status == 2 and "after was" in error
    out = tmp_path / "out"
    shutil.copytree(quick[0], out)
    kept = next((out / "arms").iterdir())
    np.save(kept, np.zeros((3, 3)))
    status, _, error = run(options, "--quick", "--resume", **{"--out": str(out)})
    assert status == 2 and kept.name in error and "dreams it anew" in error
