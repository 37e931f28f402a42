"""Contenders that cost nothing, for the race's workers to import."""

import os
import signal
import sys

from lsd_repro.bench.contenders import Contender


def contender(name, factory, **arguments):
    """One of the factories below, for a worker that can import what this process can."""
    path = os.pathsep.join([os.path.dirname(__file__), *filter(None, sys.path)])
    return Contender(name, f"trivial_contenders:{factory}", arguments, {"PYTHONPATH": path})


def steady(value, log=None, entry=None):
    """Return `value` at every step; append `entry` to a file, if one is given."""
    def step():
        if log:
            with open(log, "a") as file:
                file.write(f"{entry}\n")
        return value
    return step


def broken():
    raise ValueError("no such\nthing")


def failing(at, how, value):
    """Go well, until the step with this number (from 0, the first being the warm-up)."""
    count = 0

    def step():
        nonlocal count
        if count == at:
            {"raise": _raise, "kill": lambda: os.kill(os.getpid(), signal.SIGKILL), "leave": _leave,
             "memory": lambda: bytearray(1 << 50)}[how]()
        count += 1
        return value
    return step


def _raise():
    raise RuntimeError("out of luck")


def _leave():
    print("last words", file=sys.stderr)
    os._exit(3)


def chatty():
    print("from Python")
    os.system("echo from a library")
    return lambda: print("at a step") or 1.0


def threads():
    return lambda: float(os.environ["OMP_NUM_THREADS"] + os.environ["OPENBLAS_NUM_THREADS"])


def megabytes(count):
    """Touch `count` MiB once, and let go of them."""
    def step():
        bytearray(count << 20)[::4096] = b"x" * (count << 8)
        return 1.0
    return step
