"""Output that has nowhere to go: a reader that has left, a disk that is full."""

import contextlib
import io
import os
import subprocess
import sys

import pytest

from lsd_repro.cli.main import main

pytestmark = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")


@contextlib.contextmanager
def left():
    """A pipe whose reader has left."""
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as stream:
        yield stream
        with contextlib.suppress(OSError):
            stream.close()


@contextlib.contextmanager
def full():
    with open("/dev/full", "w") as stream:
        yield stream


COMMANDS = {"classes": ["classes", "--weights", "small"], "help": ["--help"], "an action's help": ["prior", "fit", "--help"],
            "version": ["--version"]}


@pytest.mark.parametrize("place, status, words", [(left, 141, ""), (full, 2, "can't write to standard output: No space left")])
@pytest.mark.parametrize("buffered", (True, False))
@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_what_cannot_be_printed_is_a_line_at_the_most(monkeypatch, arguments, buffered, place, status, words):
    said = io.StringIO()
    with place() as stream:
        stream.reconfigure(write_through=not buffered)
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "stderr", said)
        assert main(arguments) == status
    assert words in said.getvalue() and len(said.getvalue().splitlines()) == bool(words)


@pytest.mark.parametrize("place, status", [(left, 141), (full, 2)])
def test_a_message_that_cannot_be_shown_changes_no_status_but_for_a_reader_that_left(monkeypatch, place, status):
    with place() as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        assert main(["classes", "--weights", "nowhere.mat"]) == status


@pytest.mark.parametrize("ending, status, words", [
    ("--help | true", 141, ""), ("--help > /dev/full", 2, "lsd-repro: can't write to standard output: No space left on device\n"),
    ("classes --weights nowhere.mat 2> /dev/full", 2, "")])
def test_nor_does_python_add_anything_at_its_end(tmp_path, ending, status, words):
    line = f"'{sys.executable}' -m lsd_repro.cli.main {ending}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)})
    assert (done.returncode, done.stderr) == (status, words)
