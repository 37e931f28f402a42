"""A contender's process, from the side of the one who asks it for steps."""

import json
import os
import subprocess
import sys
import tempfile

from lsd_repro.bench.worker import MIB, NO_MEMORY

MARGIN = 2 ** 30  # bytes left to the rest of the machine


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

    def __init__(self, contender, threads):
        self.contender = contender
        self._environment = {**os.environ, **contender.environment, **{
            f"{library}_NUM_THREADS": str(threads) for library in ("OMP", "OPENBLAS", "MKL")}}
        self._process = self._messages = None

    def start(self):
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

    def step(self):
        """Have it take a step, starting it if it is not there; returns its answer."""
        if self._process is None:
            self.start()
        try:
            self._process.stdin.write("step\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # why it went is found out below
        return self._answer()

    def stop(self):
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


def available_memory():
    """Bytes that can be had without pushing anything out of memory; None where the system doesn't tell."""
    return _memory("MemAvailable")


def total_memory():
    """Bytes of memory of this machine; None where the system doesn't tell."""
    return _memory("MemTotal")


def _memory(field):
    try:
        with open("/proc/meminfo") as file:
            return next((int(line.split()[1]) * 1024 for line in file if line.startswith(f"{field}:")), None)
    except OSError:
        return None
