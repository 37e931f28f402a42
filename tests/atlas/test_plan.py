"""What a sweep's dreams are, and what they are called."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from small_network import small_network
from sweeps import FIXED, planned, write, write_guide

from lsd_repro.atlas import plan
from lsd_repro.errors import InputError
from lsd_repro.network import matconvnet
from lsd_repro.presets import DEMO


def knowing(folder, names):
    """Write a network whose last classes are those."""
    network = small_network(np.random.default_rng(5))
    described = (*network.descriptions[:-len(names)], *reversed(names))
    matconvnet.write(folder / "small.mat", replace(network, descriptions=described))


def test_all_classes_are_crossed_with_what_is_swept(tmp_path):
    found = planned(write(tmp_path, 'classes = "all"\nseed = [0, 1]\nprior-strength = [2, 10]'))
    assert len(found) == len({dream.name for dream in found}) == len({dream.digest for dream in found}) == 20 * 2 * 2
    assert {(dream.settings["classes"], dream.parameters["seed"], dream.parameters["prior_strength"]) for dream in found} == {
        (f"creature {index}", seed, strength) for index in range(20) for seed in (0, 1) for strength in (2, 10)}
    for dream in found:
        (c0, c1, caption), = dream.parameters["scenes"]
        assert c0 == c1 and caption == f"creature {c0}" and dream.descriptions == [f"{caption}, beast number {c0}"]
        assert (dream.parameters["width"], dream.parameters["steps_per_frame"]) == (264, 2)


def test_names_are_readable_files_names_and_do_not_depend_on_the_sweep(tmp_path):
    both = planned(write(tmp_path, 'classes = ["creature 3", "creature 4+creature 5"]\nseed = [0, 7]'))
    assert [re.sub("[0-9a-f]{12}$", "#", dream.name) for dream in both] == [
        "creature-3_strength-14_seed-0_#", "creature-4-creature-5_strength-14_seed-0_#",
        "creature-3_strength-14_seed-7_#", "creature-4-creature-5_strength-14_seed-7_#"]
    assert [dream.descriptions for dream in both[:2]] == [
        [f"creature {index}, beast number {index}" for index in own] for own in ([3], [4, 5])]
    alone, = planned(write(tmp_path, "", FIXED + 'classes = "creature 3"\nseed = 7'))
    assert alone[:4] == both[2][:4]


def test_the_same_dream_is_dreamt_once_however_it_is_asked_for(tmp_path):
    found = planned(write(tmp_path, 'classes = ["creature 3", "3", "creature 3+creature 3"]\nprior-strength = [2, 2.0]'))
    assert len(found) == 1 and found[0].settings["classes"] == "creature 3"


def test_without_classes_it_is_those_of_the_preset_or_one_by_the_seed(tmp_path):
    drawn = planned(write(tmp_path, "seed = [1, 2, 3, 4]"))
    assert len(drawn) == 4 and len({dream.settings["classes"] for dream in drawn}) > 1
    knowing(tmp_path, DEMO.classes)
    shown = planned(write(tmp_path, ""))
    assert [dream.settings["classes"] for dream in shown] == list(DEMO.classes)
    knowing(tmp_path, DEMO.classes[1:])
    assert [dream.settings["classes"] for dream in planned(tmp_path / "sweep.toml")] == list(DEMO.classes[1:])


def test_a_layer_is_one_dream_of_each_combination_named_after_it(tmp_path):
    found = planned(write(tmp_path, 'objective = ["layer:conv5_2:17", "layer:conv5_2:017", "layer:conv4_1"]\nseed = [0, 7]',
                          FIXED.replace("frames = 1", "frames = 2")))
    assert [re.sub("[0-9a-f]{12}$", "#", dream.name) for dream in found] == [
        "conv5-2-17_strength-14_seed-0_#", "conv5-2-17_strength-14_seed-7_#",
        "conv4-1_strength-14_seed-0_#", "conv4-1_strength-14_seed-7_#"]
    assert [(dream.settings["classes"], dream.settings["objective"]) for dream in found[1:3]] == [
        ("conv5_2, channel 17", "layer:conv5_2:17"), ("conv4_1", "layer:conv4_1")]
    for dream, (layer, channel) in zip(found[1:3], (["conv5_2", 17], ["conv4_1", None])):
        assert dream.parameters["objective"] == [layer, channel] and dream.descriptions == []
        assert dream.parameters["scenes"] == [[channel or 0, channel or 0, dream.settings["classes"]]] * 2


def test_classes_and_layers_take_turns_in_a_sweep_that_names_no_class(tmp_path):
    knowing(tmp_path, DEMO.classes)
    either = planned(write(tmp_path, 'objective = ["class", "layer:conv4_1"]'))
    assert [dream.settings["classes"] for dream in either] == [*DEMO.classes, "conv4_1"]
    assert [dream.settings["objective"] for dream in either[3:]] == ["class", "layer:conv4_1"]
    plain = planned(write(tmp_path, ""))
    assert [dream.digest for dream in plain] == [dream.digest for dream in either[:4]]


def test_another_guide_is_another_dream_whatever_the_file_is_called(tmp_path):
    path = write(tmp_path, 'guide = ["one.png", "two.png", "same.png"]\nobjective = ["class", "layer:conv3_1"]')
    for name, seed in (("one", 1), ("two", 2), ("same", 1)):
        write_guide(tmp_path / f"{name}.png", seed)
    first = planned(path)
    assert [(dream.settings["guide"], dream.settings["objective"]) for dream in first] == [
        (f"{name}.png", f"layer:{layer}") for name in ("one", "two") for layer in ("conv4_3", "conv3_1")]
    assert first[0].spec.guide == str(tmp_path / "one.png")
    write_guide(tmp_path / "two.png", 3)
    again = planned(path)
    assert len({dream.digest for dream in first + again}) == 6 and [dream.digest for dream in again[:2]] == [
        dream.digest for dream in first[:2]]


@pytest.mark.parametrize("swept, words", [
    ('guide = ["one.png"]\nclasses = "all"', "leave out classes, or guide .at guide one.png"),
    ('guide = ["one.png"]\nobjective = ["layer:conv5_2", "layer:conv5_2:3"]', "no channel .at .*objective layer:conv5_2:3"),
    ('guide = ["one.png"]\nobjective = ["layer:conv1_2"]', "choose objective=layer:conv3_1"),
    ('guide = ["sweep.toml"]', "guide=.*sweep.toml"),
])
def test_a_guide_that_goes_with_nothing_is_refused(tmp_path, swept, words):
    path = write(tmp_path, swept)
    write_guide(tmp_path / "one.png", 1)
    with pytest.raises(InputError, match=f"sweep.toml: .*{words}"):
        planned(path)


def test_files_are_looked_for_beside_the_sweep_from_wherever_it_is_called(tmp_path, monkeypatch):
    path = write(tmp_path, "", FIXED + 'classes = "3"\n')
    here, = planned(path)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert planned(path) == [here]
    assert here.spec.weights == str(tmp_path / "small.mat") and here.settings["weights"] == "small.mat"


def test_what_decides_a_picture_decides_its_name_and_nothing_else_does(tmp_path):
    def digest(**changes):
        fixed = {"weights": "small.mat", "size": "264x256", "classes": "3", **changes}
        found, = planned(write(tmp_path, "", "\n".join(f"{key} = {json.dumps(value)}" for key, value in fixed.items())))
        return found.digest

    others = [digest(**{key: value}) for key, value in {
        "seed": 1, "steps": 3, "frames": 2, "learning-rate": 1, "prior-strength": 3, "prior-kind": "tv",
        "video-frames": 3, "float64": True, "size": "264x264", "network-scales": [1, 2], "weights": "small",
        "preset": "stream", "classes": "4", "tile": 256}.items()]
    shutil.copy(tmp_path / "small.mat", tmp_path / "copy.mat")
    assert digest(weights="copy.mat") == digest() and len({digest(), *others}) == len(others) + 1


def test_digests_are_of_content_and_not_of_order():
    assert plan.digest({"a": 1, "b": (2, 3)}) == plan.digest({"b": [2, 3], "a": 1}) != plan.digest({"a": 1, "b": [3, 2]})


def test_an_atlas_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(plan, "MAX_DREAMS", 10)
    with pytest.raises(InputError, match="sweep.toml: more than 10 dreams"):
        planned(write(tmp_path, 'classes = "all"'))
