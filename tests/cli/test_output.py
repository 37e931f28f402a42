"""Output that has nowhere to go: a reader that has left, a disk that is full; and what is said while a bar is shown."""

import contextlib
import io
import logging
import os
import re
import subprocess
import sys
import warnings

import pytest

from lsd_repro.cli import commands
from lsd_repro.cli.main import main
from lsd_repro.errors import InputError
from lsd_repro.runtime import progress

needs_full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")


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


@needs_full
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


@needs_full
@pytest.mark.parametrize("place, status", [(left, 141), (full, 2)])
def test_a_message_that_cannot_be_shown_changes_no_status_but_for_a_reader_that_left(monkeypatch, place, status):
    with place() as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        assert main(["classes", "--weights", "nowhere.mat"]) == status


@needs_full
@pytest.mark.parametrize("ending, status, words", [
    ("--help | true", 141, ""), ("--help > /dev/full", 2, "lsd-repro: can't write to standard output: No space left on device\n"),
    ("classes --weights nowhere.mat 2> /dev/full", 2, "")])
def test_nor_does_python_add_anything_at_its_end(tmp_path, ending, status, words):
    line = f"'{sys.executable}' -m lsd_repro.cli.main {ending}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)})
    assert (done.returncode, done.stderr) == (status, words)


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True

    def lines(self):
        """As they are seen."""
        return [re.sub(r".*(\r|\x1b\[K)(?=.)", "", line.rstrip("\r\n")) for line in self.getvalue().split("\n")]


def saying(say):
    """A command that says something while a bar is shown, and then fails with the bar still there."""
    def run(_):
        bar = iter(progress.tqdm(range(9), "dreaming"))
        next(bar)
        say("a message")
        next(bar)
        raise InputError("the end")
    return run


SAYING = {"print": lambda text: print(text, file=sys.stderr), "the log": logging.getLogger("lsd_repro.test").warning,
          "a warning": lambda text: warnings.warn_explicit(text, UserWarning, "a.py", 1)}


@pytest.mark.parametrize("say", SAYING.values(), ids=SAYING)
def test_what_is_said_on_a_terminal_is_not_glued_to_a_bar(monkeypatch, say):
    terminal = Terminal()
    monkeypatch.setattr(logging.getLogger("lsd_repro"), "propagate", False)  # pytest's handlers are above
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(warnings, "showwarning", lambda message, *_: print(message, file=sys.stderr))
    monkeypatch.setattr(commands, "run_classes", saying(say))
    assert main(["classes"]) == 2
    said = terminal.lines()
    assert "a message" in said and said[-2:] == ["lsd-repro: the end", ""]
    assert said[-3].startswith("dreaming:  ")


def test_bars_are_a_line_now_and_then_where_there_is_no_terminal(monkeypatch):
    def run(_):
        for number in progress.tqdm(range(30), "dreaming", unit="step"):
            now[0] += 10 * (number < 10)
        for _ in progress.tqdm(range(30), "seeing", leave=False):
            pass
        return 0

    now, said = [0.0], io.StringIO()
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(sys, "stderr", said)
    monkeypatch.setattr(commands, "run_classes", run)
    assert main(["classes"]) == 0
    lines = said.getvalue().splitlines()
    assert "\r" not in said.getvalue() and 2 <= len(lines) <= 5
    assert re.fullmatch(r"dreaming: 30/30 \[.*step/s\]", lines[-1])


def test_what_the_encoding_of_the_output_lacks_is_spelt(monkeypatch):
    def run(_):
        print("done, see d\u00f6n")
        return 0

    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", ascii_only)
    monkeypatch.setattr(commands, "run_classes", run)
    assert main(["classes"]) == 0
    assert ascii_only.buffer.getvalue() == b"done, see d\\xf6n\n"
