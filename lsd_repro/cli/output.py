"""What a command prints may have nowhere to go: a reader that has left (``| head``), a disk that is full.

Commands print as always; `to_the_end` has such a failure end them as it ends Unix's own tools.  It also keeps apart what is
said on standard error and progress bars, and spells what the terminal's encoding lacks.
"""

import contextlib
import functools
import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any, Callable, Optional, TextIO

# What a shell reports of a program that SIGPIPE killed, as it does cat: its reader had seen enough.
READER_LEFT = 141
CANNOT_WRITE = 2
PROGRESS = "lsd_repro.runtime.progress"  # which brings tqdm, so only if a command has brought it
ERASED = "\r\x1b[K"  # the line that the cursor of a terminal is in


class _Ended(Exception):
    """Standard output, or for a reader that left also standard error, takes no more; the cause is the OSError."""


class _Stream:
    """A standard stream whose failures are an `_Ended`, which nobody takes for another file's."""

    def __init__(self, stream: TextIO, is_output: bool) -> None:
        self._stream, self._is_output, self._in_bar = stream, is_output, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        if self._in_bar and text.strip() and text[0] not in "\r\x1b":
            self._put(ERASED)
        # tqdm begins a bar with a carriage return, and goes from line to line by nothing but controls.
        if text:
            self._in_bar = text[0] == "\r" or (self._in_bar and text[0] == "\x1b")
        self._put(text)
        return len(text)

    def _put(self, text):
        try:
            self._attempt(self._stream.write, text)
        except UnicodeEncodeError:
            encoding = self._stream.encoding
            self._attempt(self._stream.write, text.encode(encoding, "backslashreplace").decode(encoding))

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        self._attempt(self._stream.flush)

    def _attempt(self, function, *arguments):
        try:
            function(*arguments)
        except OSError as error:
            # Of what is wrong with standard error nobody can be told, and no dream should end for it.
            if self._is_output or isinstance(error, BrokenPipeError):
                raise _Ended from error


def to_the_end(run: Callable[..., int]) -> Callable[..., int]:
    """Decorate what prints, and returns or exits with a status, which is another if what it printed didn't get through.

    Returns
    -------
    callable
        Returns, in place of the status, `READER_LEFT` in silence if a reader went away, and `CANNOT_WRITE` after a line on
        standard error if standard output can't be written for another reason.
    """
    @functools.wraps(run)
    def running(argv: Optional[Any] = None) -> int:
        with contextlib.ExitStack() as streams:
            # A stream that was closed before Python started is None, which not every library is ready for.
            out, err = (stream or streams.enter_context(open(os.devnull, "w")) for stream in (sys.stdout, sys.stderr))
            with contextlib.redirect_stdout(_Stream(out, True)), contextlib.redirect_stderr(_Stream(err, False)):
                try:
                    try:
                        return run(argv)
                    finally:
                        sys.stdout.flush()
                        sys.stderr.flush()
                except _Ended as ended:
                    return _said(ended.__cause__, err)
                finally:
                    _let_go(out)
                    _let_go(err)

    return running


@contextlib.contextmanager
def ended_bars() -> Iterator[None]:
    """Progress bars that an exception leaves standing end before anything is said of it."""
    try:
        yield
    finally:
        if PROGRESS in sys.modules:
            sys.modules[PROGRESS].end()


def _said(error, err):
    if isinstance(error, BrokenPipeError):
        return READER_LEFT
    with contextlib.suppress(OSError):
        print(f"lsd-repro: can't write to standard output: {error.strerror or error}", file=err)
    return CANNOT_WRITE


def _let_go(stream):
    """Throw away what a stream can't be rid of: at its end Python would try again, and show a traceback."""
    try:
        stream.flush()
    except OSError:
        with contextlib.suppress(OSError), open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())
