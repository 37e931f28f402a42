"""The stream's loop against the clock, in a process of its own: `main`.

As in 2015, k, the number of video frames from one frame to the next, is the time between
frames times 25: an average in which the last one weighs nine tenths.
"""

import math
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Callable

from lsd_repro.chat.messages import Message
from lsd_repro.chat.picking import Chat
from lsd_repro.chat.vocabulary import vocabulary
from lsd_repro.errors import InputError
from lsd_repro.film.run import restore
from lsd_repro.film.schedule import Scene
from lsd_repro.film.stream import frames
from lsd_repro.film.write import as_still
from lsd_repro.live.journal import Journal, Segment
from lsd_repro.live.options import Options
from lsd_repro.live.slot import Slot
from lsd_repro.material.files import PathLike
from lsd_repro.material.lock import alone
from lsd_repro.program2015 import FRAMES_PER_SECOND, HOLD_SECONDS, NEWEST_WEIGHT, Program

if TYPE_CHECKING:
    from lsd_repro.step.gradient import GradientStep

# Seconds.  Somebody alone at the page should see what comes of a suggestion.
HOLD = {"live": 10, "demo": 10, "stream": HOLD_SECONDS}
TRACE = 40  # steps that the state tells of: more than are taken between two looks at it
SEGMENTS = 4
LISTED = 8  # messages
LONGEST_SEGMENT = 1000  # video frames


class Stopped(BaseException):
    """Raised between two steps when the run is to end."""


def main(options: Options, slot_path: PathLike, pipe: Connection) -> None:
    """Dream until told to stop; the target of a process.

    2015 quirk: k from the clock.

    Parameters
    ----------
    options : Options
    slot_path : path
        Where to make the Slot.
    pipe : multiprocessing.Connection
        First sends what is dreamt, as a dict, or ``{"error": message}``, which can also come
        later.  Receives dicts: ``say`` (a list of user and text), ``strength``, ``zoom``, ``pause``.  When
        it closes, the run ends.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to both processes; the other tells this one
    from lsd_repro.production.build import build
    from lsd_repro.production.load import load

    try:
        inputs = load(options.spec)
        parameters = {name: value for name, value in inputs.parameters.items() if name != "scenes"}
        with alone(options.out):
            journal = Journal(options.out, parameters, options.resume, options.keep)
            _Dreamer(inputs.program, inputs.network.descriptions, lambda: build(inputs), journal, options).run(slot_path, pipe)
    except Stopped:
        pass
    except InputError as error:
        pipe.send({"error": str(error)})


class _Dreamer:
    """What the two threads of the process share: one listens, one dreams."""

    def __init__(self, program: Program, descriptions: Sequence[str], make_step: "Callable[[], GradientStep]",
                 journal: Journal, options: Options) -> None:
        self.program, self.descriptions, self.make_step, self.journal = program, descriptions, make_step, journal
        hold = HOLD[options.spec.preset] if options.hold is None else options.hold
        self.chat = Chat(vocabulary(descriptions), options.spec.seed, hold)
        if journal.saved:
            self.chat.scene = journal.saved["scene"]
        self.lock = threading.Lock()
        self.strength, self.zoom = program.prior_strength, 1.0
        self.running, self.stopped = threading.Event(), False
        self.running.set()
        self.paused_for = 0.0
        self.phase, self.at_step, self.steps_taken = "compiling", 0, 0
        self.k = program.video_frames_per_frame
        self.trace: deque[list[float]] = deque(maxlen=TRACE)

    def run(self, slot_path, pipe):
        program, journal = self.program, self.journal
        pipe.send({"size": [program.height, program.width], "video": [program.video_height, program.video_width],
                   "steps": program.steps_per_frame, "descriptions": list(self.descriptions)})
        self.slot = Slot(slot_path, (program.height, program.width), create=True)
        threading.Thread(target=self.listen, args=(pipe,), daemon=True).start()
        self.step = self.make_step()
        if journal.saved:
            restore(journal.out, self.step, journal.saved["state"])
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
        self.scene = self.take_turn()
        frames_a_second = FRAMES_PER_SECOND / self.k
        begun = time.monotonic()
        for index, scene, _ in frames(self.step, self.turns(), self.on_step, self.journal.done):
            self.scene = self.take_turn()
            caption = self.scene.caption if self.program.caption_leads else scene.caption
            self.journal.add(self.step, Segment(index, self.k, self.speed, caption), self.scene)
            now = time.monotonic()
            took, begun, self.paused_for = now - begun - self.paused_for, now, 0.0
            frames_a_second = (1 - NEWEST_WEIGHT) * frames_a_second + NEWEST_WEIGHT / max(took, 1e-3)
            self.k = min(math.ceil(FRAMES_PER_SECOND / frames_a_second), LONGEST_SEGMENT)

    def turns(self) -> Iterator[tuple[Scene, Program]]:
        """What each frame is to show, and the program with the zoom of the moment, for as long as anyone asks."""
        while True:
            self.speed, self.at_step = self.zoom, 0
            yield self.scene, replace(
                self.program, video_frames_per_frame=self.speed * self.k)  # type: ignore[arg-type]  # only the zoom looks at it

    def take_turn(self):
        with self.lock:
            return self.chat.turn(time.monotonic())[0]

    def on_step(self, _, terms):
        """Show the step, and wait here during a pause."""
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
