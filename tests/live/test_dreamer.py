"""The loop against the clock, with a step that costs nothing."""

import multiprocessing
import threading
import time
from dataclasses import replace

import pytest
from stage import DESCRIPTIONS, PROGRAM, Step, options

from lsd_repro.live import dreamer
from lsd_repro.live.journal import Journal
from lsd_repro.live.slot import Slot


class Run:
    """A dreamer in a thread, and what the other process has of it."""

    def __init__(self, tmp_path, program=PROGRAM, **changes):
        args = options(tmp_path / "run", **changes)
        self.step = Step()
        journal = Journal(args.out, {}, args.resume, args.keep)
        self.dreamer = dreamer._Dreamer(program, DESCRIPTIONS, lambda: self.step, journal, args)
        self.pipe, theirs = multiprocessing.Pipe()
        self.thread = threading.Thread(target=self.dream, args=(tmp_path / "slot", theirs))
        self.thread.start()
        self.first = self.pipe.recv()
        while not (tmp_path / "slot").exists():
            time.sleep(0.01)
        time.sleep(0.05)
        self.slot = Slot(tmp_path / "slot", self.first["size"])

    def dream(self, slot_path, pipe):
        with pytest.raises(dreamer.Stopped):
            self.dreamer.run(slot_path, pipe)

    def until(self, true):
        for _ in range(1000):
            left = self.slot.read()
            if left and true(left[1]):
                return left[1]
            time.sleep(0.01)
        raise AssertionError("it did not happen")

    def end(self):
        self.pipe.close()
        self.thread.join(10)
        assert not self.thread.is_alive()


@pytest.fixture
def start(tmp_path):
    runs = []

    def run(**changes):
        runs.append(Run(tmp_path, **changes))
        return runs[-1]

    yield run
    for one in runs:
        if one.thread.is_alive():
            one.end()


def test_a_suggestion_is_dreamt_from_the_next_frame_on_and_captioned(start):
    run = start()
    assert run.first["descriptions"] == list(DESCRIPTIONS)
    run.until(lambda state: state["done"] > 1)
    run.pipe.send({"say": ["ann", "gondola+bee"]})
    run.until(lambda state: state["scene"] == [3, 0, "gondola & bee"])
    state = run.until(lambda state: any(segment[3] for segment in state["segments"]))
    assert {segment[3] for segment in state["segments"]} <= {"", "gondola & bee"}
    run.end()
    begun = run.step.taken.index((3, 0))
    assert begun % PROGRAM.steps_per_frame == 0 and set(run.step.taken[begun:]) == {(3, 0)}


@pytest.mark.parametrize("leads", [False, True])
def test_captions_lead_by_a_frame_where_they_did_in_2015(start, leads):
    run = start(program=replace(PROGRAM, caption_leads=leads))
    run.pipe.send({"pause": True})
    run.until(lambda state: state["phase"] == "paused")
    run.pipe.send({"say": ["ann", "gondola"]})
    time.sleep(0.2)
    run.pipe.send({"pause": False})
    run.until(lambda state: state["scene"][2] and state["done"] > 3)
    run.end()
    first = next(segment for segment in run.dreamer.journal.segments if segment.caption)
    dreamt_first = run.step.taken.index((3, 3)) // PROGRAM.steps_per_frame + 1
    assert first.index == dreamt_first - leads


def test_a_pause_stops_the_steps_and_does_not_count_as_time_of_a_frame(start):
    run = start()
    run.until(lambda state: state["done"] > 2)
    run.pipe.send({"pause": True})
    run.until(lambda state: state["phase"] == "paused")
    taken = len(run.step.taken)
    time.sleep(1.5)
    assert len(run.step.taken) == taken
    run.pipe.send({"pause": False})
    done = run.until(lambda state: state["phase"] == "dreaming")["done"]
    assert run.until(lambda state: state["done"] > done + 1)["k"] < 25


def test_strength_and_zoom_take_effect(start):
    run = start()
    run.pipe.send({"strength": 7.5, "zoom": 0.0})
    run.until(lambda state: any(segment[2] == 0 for segment in state["segments"]))
    run.end()
    assert run.step.strengths[0] == 2 and run.step.strengths[-1] == 7.5


def test_k_is_what_the_clock_says(start, monkeypatch):
    monkeypatch.setattr(Step, "step", lambda self, target, plain=Step.step: time.sleep(0.1) or plain(self, target))
    run = start()
    # Two steps of 0.1 s: 5 video frames, and more for the rest of the work.
    state = run.until(lambda state: state["done"] > 5)
    assert 5 <= state["k"] <= 20


def test_floods_do_not_stop_the_dream_and_a_hundred_messages_wait(start):
    run = start(hold=60.0)
    run.pipe.send({"say": ["ann", "bee+bee"]})
    run.until(lambda state: state["held"] > 0)
    for index in range(5000):
        run.pipe.send({"say": ["eve", f"<b>gondola {index}</b>"]})
    done = run.until(lambda state: state["waiting"] and state["waiting"][-1][1] == "<b>gondola 4999</b>")["done"]
    assert len(run.dreamer.chat.waiting) == 100
    run.until(lambda state: state["done"] > done)


def test_a_run_resumes_with_what_was_shown(start):
    run = start()
    run.pipe.send({"say": ["ann", "gondola"]})
    run.until(lambda state: state["scene"][2] and state["segments"] and state["segments"][-1][3])
    run.end()
    done = run.dreamer.journal.done
    again = start(resume=True)
    first = again.until(lambda state: True)
    assert first["scene"] == [3, 3, "@ann: gondola"] and first["done"] >= done
    again.until(lambda state: state["done"] > done)
