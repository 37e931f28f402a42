"""Two runs never write into one folder; whoever comes second is told of the first."""

import os
import subprocess
import sys

import pytest

from lsd_repro.cli.main import main
from lsd_repro.errors import InputError
from lsd_repro.material import files
from lsd_repro.material.lock import alone

HOLD = """
import sys
from lsd_repro.material.lock import alone
with alone("out"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who holds a lock")
def test_the_second_is_told_who_was_first(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sweep.toml").write_text('[fixed]\nweights = "small"\n[swept]\nclasses = ["0"]\n')
    with alone("out"):
        for command in (["frames", "--weights", "small", "--classes", "0"], ["atlas", "sweep.toml"]):
            assert main([*command, "--out", "out"]) == 2
            assert f"out is being written to by process {os.getpid()}: wait for it" in capsys.readouterr().err
    assert not os.path.exists("out")  # nothing was written


def test_a_lock_goes_with_its_process(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    first = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    assert first.stdout.readline() == b"held\n"
    with pytest.raises(InputError, match="being written to by"), alone("out"):
        pass
    first.kill()
    first.communicate()
    with alone("out"):
        pass


def test_what_a_killed_run_left_half_written_is_removed(tmp_path):
    with files.write_whole(tmp_path / "frame.png") as part:
        name = part.name
        part.touch()
    left, own = tmp_path / name, tmp_path / "download.part"
    left.touch()
    own.touch()
    with alone(tmp_path):
        assert left.exists()  # it may be anyone's folder
    (tmp_path / "run.json").touch()
    with alone(tmp_path):
        assert not left.exists() and own.exists()
