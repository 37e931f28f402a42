"""`tqdm`: progress bars for a terminal or a notebook, whichever this is; elsewhere, as in a file, a line now and then."""

import sys
import time
import warnings
from typing import Any, TextIO
from weakref import WeakSet

with warnings.catch_warnings():
    # A notebook without ipywidgets gets a terminal's bar, which is no reason for a warning in its output.
    warnings.simplefilter("ignore")
    from tqdm import auto

__all__ = ["end", "tqdm"]

SECONDS = 30  # from one line to the next
LINE = "{desc}: {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_fmt}{postfix}]"
IN_NOTEBOOK = auto.notebook_tqdm is not auto.std_tqdm

_open: "WeakSet[tqdm]" = WeakSet()


class tqdm(auto.tqdm):
    """tqdm's own, but for what it does where there is no terminal."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        lines = not IN_NOTEBOOK and not sys.stderr.isatty()
        if lines:
            # Nested bars have lines of their own anyway.
            options = {"file": _Lines(sys.stderr), "position": 0, **options}
        super().__init__(*arguments, **options)
        if lines and self.total is not None and not options.get("bar_format"):
            self.bar_format = LINE
        _open.add(self)


def end() -> None:
    """End the bars that are still there, so that what is said next has a line of its own."""
    for bar in list(_open):
        bar.close()


class _Lines:
    """A file to which the states of a bar are lines: one every `SECONDS`, and the last."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._state, self._next = file, "", time.monotonic() + SECONDS

    def write(self, text: str) -> None:
        state = text.replace("\r", "").strip()
        if state:
            self._state = state
        if self._state and (text == "\n" or time.monotonic() >= self._next):
            self._file.write(self._state + "\n")
            self._state, self._next = "", time.monotonic() + SECONDS

    def flush(self) -> None:
        self._file.flush()
