"""Video frames between the optimised ones, at 25 a second: `Player`.

What is shown is a frame behind what is dreamt, as in 2015: the film up to a frame can only be shown once that is
finished.  If a frame is late, the last picture stays; if several wait, the film plays faster.
"""

import io
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, Callable, Optional

from PIL import Image

from lsd_repro.hints import Pixels
from lsd_repro.live import journal
from lsd_repro.material.files import PathLike
from lsd_repro.program2015 import FRAMES_PER_SECOND

JPEG_QUALITY = 85
CATCH_UP = 0.5  # seconds
HURRY = 0.5  # how much faster for each waiting frame


def jpeg(picture: Pixels) -> bytes:
    """A picture (H, W, 3) of uint8 as JPEG, bytes."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


class Player(threading.Thread):
    """A thread that turns segments into video frames.

    2015 quirk: a frame behind.

    Parameters
    ----------
    out : path
        The run's folder.
    video_shape : (int, int)
        Height and width.
    show : callable
        Called with each video frame, as JPEG, in this thread.
    watched : callable
        Whether anybody is watching; unseen frames are not drawn.
    """

    def __init__(self, out: PathLike, video_shape: tuple[int, int], show: Callable[[bytes], Any],
                 watched: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.out, self.video_shape, self.show, self.watched = out, video_shape, show, watched
        self.waiting: deque[journal.Segment] = deque()
        self.last: Optional[int] = None
        self.wake = threading.Event()
        self.playing = threading.Event()
        self.playing.set()

    def add(self, segments: Iterable[journal.Segment]) -> None:
        """Take note of finished segments; known ones may be among them."""
        for segment in segments:
            if self.last is None or segment.index > self.last:
                self.waiting.append(segment)
                self.last = segment.index
                self.wake.set()

    def run(self) -> None:
        self.shown = 0.0
        while True:
            self.wake.wait()
            self.wake.clear()
            self.due = time.monotonic()
            while self.waiting:
                segment = self.waiting.popleft()
                try:
                    a, b = (journal.read_frame(self.out, index) for index in (segment.index - 1, segment.index))
                except OSError:
                    continue  # no longer kept
                for frame in journal.video_frames(a, b, segment, self.video_shape, self.pace(segment.k)):
                    self.show(jpeg(frame))

    def pace(self, k: int) -> Iterator[int]:
        """The indices of the `k` frames of a segment, each when it is due, without those that nobody would see."""
        for index in range(k):
            if not self.playing.is_set():
                self.playing.wait()
                self.due = time.monotonic()
            now = time.monotonic()
            # If drawing takes longer than there is time for, frames are dropped.
            self.due = max(self.due, now - CATCH_UP) + 1 / FRAMES_PER_SECOND / (1 + HURRY * len(self.waiting))
            if self.due > now:
                time.sleep(self.due - now)
            elif now - self.shown < CATCH_UP:
                continue
            if self.watched():
                self.shown = time.monotonic()
                yield index
