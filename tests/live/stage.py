"""What the tests of the live page share: a step that costs nothing, and a server whose dream the test plays."""

import asyncio
import contextlib
import multiprocessing
from dataclasses import replace

import numpy as np

from lsd_repro.live import server
from lsd_repro.live.options import Options
from lsd_repro.live.slot import Slot
from lsd_repro.presets import LIVE
from lsd_repro.production.spec import Spec
from lsd_repro.step.gradient import Terms

DESCRIPTIONS = ("bee", "spider web, spider's web", "web site, site", "gondola")
PROGRAM = replace(LIVE, width=48, height=36, video_width=64, video_height=48, steps_per_frame=2, video_frames_per_frame=3)
STATE = {"phase": "dreaming", "done": 0, "step": 1, "scene": [0, 0, ""], "waiting": [], "held": 0, "strength": 2, "zoom": 1,
         "k": 25, "trace": [[1, 2.0, 3.0]], "segments": []}


class Step:
    """Looks like a GradientStep, and moves the picture a little."""

    def __init__(self):
        self.picture = np.random.default_rng(0).uniform(0, 255, (PROGRAM.height, PROGRAM.width, 3)).astype(np.float32)
        self.prior_strength, self.taken, self.strengths = 2.0, [], []

    def reset_moments(self):
        pass

    def step(self, target):
        self.taken.append(target.numbers)
        self.strengths.append(self.prior_strength)
        self.picture = np.clip(self.picture + np.sin(self.picture + target.bottom), 0, 255).astype(np.float32)
        return Terms(1.0, 2.0, 3.0, 4.0)

    def state(self):
        return {"x": self.picture}

    def restore(self, state):
        self.picture = state["x"]


def options(out, **changes):
    return Options(**{"spec": Spec("live", seed=1), "out": str(out), "hold": 0.0, "keep": 50, "resume": False,
                      "host": "127.0.0.1", "port": 0, "open": False, "viewers": 8, "irc": None, "irc_nick": None,
                      "irc_tell": False, **changes})


@contextlib.asynccontextmanager
async def serving(tmp_path, address=None, **changes):
    """A server of a dream of one picture; yields it, the slot to write to, and the dreamer's end of the pipe."""
    pipe, theirs = multiprocessing.Pipe()
    slot = Slot(tmp_path / "slot", (PROGRAM.height, PROGRAM.width), create=True)
    slot.write(STATE, np.zeros((PROGRAM.height, PROGRAM.width, 3), np.uint8))
    dream = {"size": [PROGRAM.height, PROGRAM.width], "video": [PROGRAM.video_height, PROGRAM.video_width], "steps": 2,
             "descriptions": list(DESCRIPTIONS)}
    live = server.Live(options(**{"out": tmp_path, **changes}), dream, str(tmp_path / "slot"), pipe)
    task = asyncio.ensure_future(live.serve(address))
    try:
        await until(lambda: live.url or task.done())
        if task.done():
            task.result()
        yield live, slot, theirs
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        theirs.close()


async def until(true, seconds=10):
    """Wait until a function returns something true."""
    for _ in range(int(seconds / 0.02)):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen")
