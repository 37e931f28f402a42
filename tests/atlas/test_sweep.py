"""What a sweep's file may say."""

import pytest
from sweeps import FIXED, run, write

from lsd_repro.atlas import cluster, sweep


def test_every_combination_is_one_and_the_last_list_varies_fastest(tmp_path):
    path = write(tmp_path, 'seed = [3, 4]\nprior-strength = [1, 2.5]\noctaves = [["2:1", "1:2"], "1:3"]', "frames = 2")
    found = list(sweep.combinations(sweep.read(path)))
    assert len(found) == 8
    assert found[:3] == [{"frames": 2, "seed": 3, "prior-strength": 1, "octaves": ["2:1", "1:2"]},
                         {"frames": 2, "seed": 3, "prior-strength": 1, "octaves": "1:3"},
                         {"frames": 2, "seed": 3, "prior-strength": 2.5, "octaves": ["2:1", "1:2"]}]
    assert list(sweep.combinations(sweep.read(write(tmp_path, "", "")))) == [{}]


@pytest.mark.parametrize("fixed, swept, expected", [
    ("", "", None), ("", 'classes = "all"', "all"), ('classes = "all"', "", "all"), ('classes = "pizza"', "", ["pizza"]),
    ("", 'classes = ["pizza", "lion+bee"]', ["pizza", "lion+bee"])])
def test_classes_stand_in_either_table(tmp_path, fixed, swept, expected):
    assert sweep.read(write(tmp_path, swept, fixed)).classes == expected


@pytest.mark.parametrize("text, words", [
    (b"seed = ]", ["not TOML", "line 1"]),
    (b"\xff\xfe", ["not UTF-8"]),
    (b"a = " + b"[" * 50_000, ["not TOML"]),
    (b"#" * (2 << 20), ["larger than 1 MiB"]),
    (b"seed = 1", ["'seed'", "[fixed] and [swept]"]),
    (b"[swep]\nseed = [1]", ["'swep'", "[fixed] and [swept]"]),
    (b"swept = 3", ["swept must be a table"]),
    (b"[[swept]]\nseed = [1]", ["swept must be a table"]),
    (b"[fixed]\nseed = 1\n[swept]\nseed = [1]", ["seed", "both"]),
    (b"[swept]\nseed = 1", ["[swept] seed", "list"]),
    (b"[swept]\nseed = []", ["[swept] seed", "at least one"]),
    (b"[swept]\noctaves = [[]]", ["[swept] octaves", "empty"]),
    (b"[fixed]\nseed = 2015-06-24", ["[fixed] seed", "text, a number"]),
    (b"[fixed.seed]\na = 1", ["[fixed] seed", "text, a number"]),
    (b"[swept]\nclasses = [3]", ["classes", "3 is not the name"]),
    (b"[fixed]\nclasses = ['creature 1']", ["classes", "a list in [swept]"]),
    (b"[swept]\nseed = [" + b"1," * 400 + b"]\nsteps = [" + b"1," * 400 + b"]", ["100,000 combinations"]),
    (b"[fixed]\nsede = 1", ["'sede'", "did you mean seed?"]),
    (b"[fixed]\nclass = 'pizza'", ["'class'", "did you mean classes?"]),
    (b"[fixed]\nout = 'elsewhere'", ["'out'", "A sweep knows"]),
    (b"[fixed]\nsize = '60x'", ["size", "'60x'", "840x472"]),
    (b"[fixed]\nsize = 60", ["size", "'60'"]),
    (b"[swept]\nseed = [1, -1]", ["seed", "at least 0", "at seed -1"]),
    (b"[fixed]\nseed = 1.5", ["seed", "whole number"]),
    (b"[fixed]\nseed = true", ["seed", "a value"]),
    (b"[fixed]\nseed = [1, 2]", ["seed", "[swept]"]),
    (b"[fixed]\nfloat64 = 1", ["float64", "true or false"]),
    (b"[fixed]\nprior-strength = nan", ["prior-strength", "at least 0"]),
    (b"[fixed]\nprior-strength = -1.0", ["prior-strength", "at least 0"]),
    (b"[fixed]\nprior-kind = 'laplace'", ["prior-kind", "laplace", "student"]),
    (b"[fixed]\npreset = 'stills'", ["preset", "stills"]),
    (b"[fixed]\noctaves = ['2:5', '1']", ["octaves", "'1'"]),
    (b"[fixed]\noctaves = ['2:5', '1:5']\nsteps = 4", ["octaves", "leave out --steps"]),
    (b"[fixed]\nweights = '--help'", ["--help", "no such file"]),
    (b"[fixed]\nweights = 'absent.mat'", ["absent.mat", "no such file"]),
    (b"[fixed]\nprior = 'absent.npz'", ["absent.npz"]),
    (b"[fixed]\nstart = 'absent.png'", ["absent.png"]),
    (b"[fixed]\nstart = \"x\\u0000y\"", ["start", "NUL"]),
    (b"[fixed]\nobjective = 'layer:conv5_2'\nclasses = 'pizza'", ["leave out classes, or objective"]),
    (b"[fixed]\n[swept]\nobjective = ['class', 'layer:conv5_2']\nclasses = 'all'", ["classes", "at objective layer:conv5_2"]),
    (b"[fixed]\nobjective = 'neuron'", ["--objective neuron", "layer:NAME"]),
    (b"[fixed]\n[swept]\nobjective = ['layer:conv5_2:0', 'layer:conv7_1']", ["conv7_1", "it has conv1_1", "at objective"]),
    (b"[fixed]\nobjective = 'layer:conv5_2:512'", ["--objective", "channels 0 to"]),
    (b"[fixed]\nguide = 'absent.png'", ["--guide", "absent.png"]),
    (b"[fixed]\nguide = true", ["guide must be a value"]),
    (b"[fixed]\ntile = 0", ["tile", "at least 1"]),
    (b"[fixed]\n[swept]\ntile = [1024, 100]", ["--tile 100", "at tile 100"]),
    (b"[swept]\nsize = ['300x300', '255x300']", ["scale 32", "256x256", "at size 255x300"]),
    (b"[swept]\nclasses = ['no such thing']", ["no class is called 'no such thing'"]),
    (b"[swept]\nclasses = ['pizza', 'lion+bee+ant']", ["at most two"]),
    (b"[swept]\nclasses = ['pizza', '']", ["lacks the name"]),
    (b"[swept]\nclasses = ['coral']\nseed = [7]", ["'coral' fits", "at seed 7"]),
])
def test_a_bad_sweep_is_one_clear_line_before_anything_is_made(tmp_path, monkeypatch, capsys, text, words):
    monkeypatch.chdir(tmp_path)
    # Small, and of known classes, unless the sweep says otherwise.
    if b"weights" not in text:
        text = text.replace(b"[fixed]\n", b"[fixed]\nweights = 'small'\n")
    (tmp_path / "bad.toml").write_bytes(text)
    assert run("atlas", "bad.toml", "--out", "out") == 2
    message = capsys.readouterr().err
    assert message.startswith("lsd-repro: ") and message.count("\n") == 1 and len(message) < 700
    for word in ("bad.toml", *words):
        assert word in message
    assert [path.name for path in tmp_path.iterdir()] == ["bad.toml"]


def test_an_absent_sweep_and_contradicting_options_are_said(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(cluster, "SECONDS_TO_CONNECT", 1)
    assert run("atlas", tmp_path / "absent.toml") == 2
    assert "absent.toml: No such file" in capsys.readouterr().err
    assert run("atlas", write(tmp_path, ""), "--workers", 2, "--scheduler", "tcp://127.0.0.1:1") == 2
    assert "leave one out" in capsys.readouterr().err
    assert run("atlas", write(tmp_path, "", FIXED), "--scheduler", "127.0.0.1:1", "--out", tmp_path / "out") == 2
    assert "--scheduler 127.0.0.1:1: no Dask scheduler" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
