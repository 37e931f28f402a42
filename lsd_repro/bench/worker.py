"""A contender in a process of its own, from both sides.

``python -m lsd_repro.bench.worker FACTORY ARGUMENTS LIMIT`` is that process.  It is asked for
one step at a time, by a line on standard input, and answers each with a line of JSON; the
first answer comes unasked, when it is ready.  It ends with its input.  `Worker` asks.
"""

import contextlib
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Optional

from lsd_repro.bench.contenders import Contender

MIB = 2 ** 20
MARGIN = 2 ** 30  # bytes left to the rest of the machine
NO_MEMORY = "not enough memory"


class Failed(Exception):
    """A contender failed; the message says why."""


class OutOfMemory(Failed):
    """It would have needed more memory than there is."""


class Worker:
    """A contender's process.

    Parameters
    ----------
    contender : Contender
    threads : int
    """

    def __init__(self, contender: Contender, threads: int) -> None:
        self.contender = contender
        self._environment = {**os.environ, **contender.environment, **{
            f"{library}_NUM_THREADS": str(threads) for library in ("OMP", "OPENBLAS", "MKL")}}
        self._process: Any = None  # a Popen and the file of its messages, while it is up
        self._messages: Any = None

    def start(self) -> dict[str, Any]:
        """Bring it up; returns its first answer."""
        self._messages = tempfile.TemporaryFile("w+")  # noqa: SIM115 (stop closes it)
        available = available_memory()
        limit = 0 if available is None else max(available - MARGIN, MIB)
        # In a session of its own, Ctrl-C does not reach it: it goes when it is stopped.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lsd_repro.bench.worker", self.contender.factory,
             json.dumps(self.contender.arguments), str(limit)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._messages, text=True, env=self._environment,
            start_new_session=True)
        return self._answer()

    def step(self) -> dict[str, Any]:
        """Have it take a step, starting it if it is not there; returns its answer."""
        if self._process is None:
            self.start()
        try:
            self._process.stdin.write("step\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # why it went is found out below
        return self._answer()

    def stop(self) -> None:
        """End it, if it is there, in the middle of whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._messages.close()
            self._process = None

    def _answer(self):
        line = self._process.stdout.readline()
        answer = json.loads(line) if line.endswith("\n") else {"failed": self._last_words()}
        if "failed" in answer:
            self.stop()
            raise (OutOfMemory if answer["failed"].startswith(NO_MEMORY) else Failed)(answer["failed"])
        return answer

    def _last_words(self):
        code = self._process.wait()
        if code == -9:
            return f"{NO_MEMORY}, it seems: the system killed it"
        self._messages.seek(0)
        words = " ".join(self._messages.read().split())[-300:]
        return f"ended with status {code}" + (f": {words}" if words else "")


def available_memory() -> Optional[int]:
    """Bytes that can be had without pushing anything out of memory; None where the system doesn't tell."""
    return _memory("MemAvailable")


def total_memory() -> Optional[int]:
    """Bytes of memory of this machine; None where the system doesn't tell."""
    return _memory("MemTotal")


def _memory(field):
    try:
        with open("/proc/meminfo") as file:
            return next((int(line.split()[1]) * 1024 for line in file if line.startswith(f"{field}:")), None)
    except OSError:
        return None


def main(factory: str, arguments: str, limit: str) -> int:
    """Be a contender's process; returns its exit status."""
    # Whatever libraries print must not get between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(**what):
        print(json.dumps(what), file=answers, flush=True)

    protect_the_machine(int(limit))
    try:
        step = make(factory, **json.loads(arguments))
        answer(value=step(), **memory())
        for _ in sys.stdin:
            begin = time.perf_counter()
            value = step()
            answer(seconds=time.perf_counter() - begin, value=value, **memory())
    except Exception as error:
        answer(failed=reason(error))
        return 1
    return 0


def make(factory: str, **arguments: Any) -> Callable[[], float]:
    """Call a factory given as ``module:function``; it returns the function that takes a step."""
    module, name = factory.split(":")
    return getattr(importlib.import_module(module), name)(**arguments)


def protect_the_machine(limit: int) -> None:
    """Fail at `limit` bytes (0: none); and if memory runs out all the same, be the first to go."""
    if limit:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    with contextlib.suppress(OSError):  # Linux only
        Path("/proc/self/oom_score_adj").write_text("1000")


def memory() -> dict[str, float]:
    """Peak and present resident memory of this process, in MiB."""
    try:
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    except OSError:  # no Linux
        unit = 1 if sys.platform == "darwin" else 1024
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MIB
        return {"peak": peak, "resident": peak}
    # Not ru_maxrss, which begins with what the parent had when it started this process.
    return {name: int(status[field].split()[0]) / 1024 for name, field in (("peak", "VmHWM"), ("resident", "VmRSS"))}


def reason(error: Exception) -> str:
    """Why a step failed, in a line; running out of memory has a different exception in each library."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    if isinstance(error, MemoryError) or "allocate" in text:
        return NO_MEMORY
    return text[:300]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
