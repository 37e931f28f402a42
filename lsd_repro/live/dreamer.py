"""The stream's loop against the clock, in a process of its own: `main`.

As in 2015, k, the number of video frames from one frame to the next, is the time between
frames times 25: an average in which the last one weighs nine tenths.
"""

import math
import os
import signal
import threading
import time
from argparse import Namespace
from collections import deque
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

from lsd_repro.chat.messages import Message
from lsd_repro.chat.picking import Chat
from lsd_repro.chat.vocabulary import vocabulary
from lsd_repro.errors import InputError
from lsd_repro.film.run import check_finite
from lsd_repro.film.stream import optimise_frame
from lsd_repro.film.write import as_still
from lsd_repro.live.journal import Journal, Segment
from lsd_repro.live.slot import Slot
from lsd_repro.material.files import PathLike
from lsd_repro.program2015 import FRAMES_PER_SECOND, HOLD_SECONDS, NEWEST_WEIGHT

# Seconds.  Somebody alone at the page should see what comes of a suggestion.
HOLD = {"live": 10, "demo": 10, "stream": HOLD_SECONDS}
TRACE = 40  # steps that the state tells of: more than are taken between two looks at it
SEGMENTS = 4
LISTED = 8  # messages
LONGEST_SEGMENT = 1000  # video frames


class Stopped(BaseException):
    """Raised between two steps when the run is to end."""


def main(args: Namespace, prepared: dict[str, Any], slot_path: PathLike, pipe: Connection) -> None:
    """Dream until told to stop; the target of a process.

    2015 quirk: k from the clock.

    Parameters
    ----------
    args : argparse.Namespace
        Options of ``lsd-repro live``.
    prepared : dict
        What to dream: arguments of `lsd_repro.film.production.prepare`.
    slot_path : path
        Where to make the Slot.
    pipe : multiprocessing.Connection
        First sends what is dreamt, as a dict, or ``{"error": message}``, which can also come
        later.  Receives dicts: ``say`` (a list of user and text), ``strength``, ``zoom``, ``pause``.  When
        it closes, the run ends.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to both processes; the other tells this one
    from lsd_repro.film import production

    try:
        plan = production.prepare(**prepared)
        parameters = {name: value for name, value in plan.parameters.items() if name != "scenes"}
        _Dreamer(plan, Journal(args.out, parameters, args.resume, args.keep), args).run(slot_path, pipe)
    except Stopped:
        pass
    except InputError as error:
        pipe.send({"error": str(error)})


class _Dreamer:
    """What the two threads of the process share: one listens, one dreams."""

    def __init__(self, plan, journal, args):
        self.program, self.journal, self.make_step = plan.program, journal, plan.make_step
        self.descriptions = plan.descriptions
        self.chat = Chat(vocabulary(self.descriptions), args.seed, HOLD[args.preset] if args.hold is None else args.hold)
        if journal.saved:
            self.chat.scene = journal.saved["scene"]
        self.lock = threading.Lock()
        self.strength, self.zoom = plan.program.prior_strength, 1.0
        self.running, self.stopped = threading.Event(), False
        self.running.set()
        self.paused_for = 0.0
        self.phase, self.at_step, self.steps_taken = "compiling", 0, 0
        self.k = plan.program.video_frames_per_frame
        self.trace = deque(maxlen=TRACE)

    def run(self, slot_path, pipe):
        program, journal = self.program, self.journal
        pipe.send({"size": [program.height, program.width], "video": [program.video_height, program.video_width],
                   "steps": program.steps_per_frame, "descriptions": list(self.descriptions)})
        self.slot = Slot(slot_path, (program.height, program.width), create=True)
        threading.Thread(target=self.listen, args=(pipe,), daemon=True).start()
        self.step = self.make_step()
        if journal.saved:
            self.step.restore(journal.saved["state"])
        else:
            journal.begin(self.step, self.chat.scene)
        self.dream()

    def listen(self, pipe):
        """Take what the other process says, immediately: however much it is, that process must not wait."""
        while True:
            try:
                said = pipe.recv()
            except (EOFError, OSError):
                self.stopped = True
                self.running.set()
                if self.phase == "compiling":
                    os._exit(0)  # there is nothing to lose yet, and compiling can take a minute
                return
            with self.lock:
                if "say" in said:
                    self.chat.hear(Message(time.monotonic(), *said["say"]))
                self.strength = said.get("strength", self.strength)
                self.zoom = said.get("zoom", self.zoom)
            if "pause" in said:
                (self.running.clear if said["pause"] else self.running.set)()

    def dream(self):
        """Frame after frame, until told to stop."""
        self.phase = "dreaming"
        scene, _ = self.take_turn()
        frames_a_second = FRAMES_PER_SECOND / self.k
        begun = time.monotonic()
        while True:
            zoom, self.at_step = self.zoom, 0
            optimise_frame(self.step, scene, replace(self.program, video_frames_per_frame=zoom * self.k), self.on_step)
            following, _ = self.take_turn()
            caption = following.caption if self.program.caption_leads else scene.caption
            self.journal.add(self.step, Segment(self.journal.done + 1, self.k, zoom, caption), following)
            now = time.monotonic()
            took, begun, self.paused_for = now - begun - self.paused_for, now, 0.0
            frames_a_second = (1 - NEWEST_WEIGHT) * frames_a_second + NEWEST_WEIGHT / max(took, 1e-3)
            self.k = min(math.ceil(FRAMES_PER_SECOND / frames_a_second), LONGEST_SEGMENT)
            scene = following

    def take_turn(self):
        with self.lock:
            return self.chat.turn(time.monotonic())

    def on_step(self, terms):
        """Show the step, and wait here during a pause."""
        check_finite(terms.loss, f"frame {self.journal.done + 1}")
        self.at_step += 1
        self.steps_taken += 1
        self.trace.append([self.steps_taken, round(terms.loss, 4), round(terms.target, 4)])
        self.publish()
        if not self.running.is_set():
            self.phase, since = "paused", time.monotonic()
            self.publish()
            self.running.wait()
            self.paused_for += time.monotonic() - since
            self.phase = "dreaming"
        if self.stopped:
            raise Stopped
        self.step.prior_strength = self.strength

    def publish(self):
        with self.lock:
            scene, waiting = self.chat.scene, [[said.user, said.text] for said in list(self.chat.waiting)[-LISTED:]]
            held = max(0.0, self.chat.held_until - time.monotonic())
        state = {"phase": self.phase, "done": self.journal.done, "step": self.at_step, "scene": scene.as_list(),
                 "waiting": waiting, "held": round(held, 1), "strength": self.strength, "zoom": self.zoom, "k": self.k,
                 "trace": list(self.trace), "segments": self.journal.segments[-SEGMENTS:]}
        self.slot.write(state, as_still(self.step.picture))
