"""The latest picture and state, from one process to another: `Slot`.

A file mapped into both, with two places.  The writer fills one while the other can be read, then swaps them:
it never waits.  A reader too slow to copy a place before it is filled again takes the newer one.
"""

import json
import mmap
import struct
from typing import Any, Optional

import numpy as np

from lsd_repro.hints import Picture, Pixels
from lsd_repro.material.files import PathLike

STATE_BYTES = 2 ** 16
NUMBER = struct.Struct("=Q")
LENGTH = struct.Struct("=I")


class Slot:
    """One end of it.

    Parameters
    ----------
    path : path
    size : (int, int)
        Height and width of the pictures.
    create : bool
        Make the file, which is for the writer to do.
    """

    def __init__(self, path: PathLike, size: tuple[int, int], create: bool = False) -> None:
        self._shape = (*size, 3)
        self._place = LENGTH.size + STATE_BYTES + size[0] * size[1] * 3
        if create:
            with open(path, "wb") as file:
                file.truncate(NUMBER.size + 2 * self._place)
        with open(path, "r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)

    @property
    def number(self) -> int:
        """How often something has been written."""
        return NUMBER.unpack_from(self._memory)[0]

    def write(self, state: dict[str, Any], picture: Picture) -> None:
        """Leave a JSON-like dict of less than 64 kB, and a picture (H, W, 3) of uint8."""
        number = self.number + 1
        text = json.dumps(state).encode()
        if len(text) > STATE_BYTES or picture.shape != self._shape or picture.dtype != np.uint8:
            raise ValueError(f"{len(text)} bytes of state, {picture.dtype} picture of shape {picture.shape} for {self._shape}")
        start = self._start(number)
        LENGTH.pack_into(self._memory, start, len(text))
        start += LENGTH.size
        self._memory[start:start + len(text)] = text
        start += STATE_BYTES
        self._memory[start:start + picture.size] = np.ascontiguousarray(picture).data.cast("B")
        NUMBER.pack_into(self._memory, 0, number)

    def read(self, seen: int = 0) -> Optional[tuple[int, dict[str, Any], Pixels]]:
        """What was written last: (number, state, picture); None if that is number `seen`, or nothing yet."""
        while True:
            number = self.number
            if number in (0, seen):
                return None
            start = self._start(number)
            place = bytes(self._memory[start:start + self._place])
            # The next would go to the other place, the one after it to this.
            if self.number == number:
                length, = LENGTH.unpack_from(place)
                state = json.loads(place[LENGTH.size:LENGTH.size + length])
                picture = np.frombuffer(place, np.uint8, offset=LENGTH.size + STATE_BYTES).reshape(self._shape)
                return number, state, picture

    def _start(self, number):
        return NUMBER.size + number % 2 * self._place
