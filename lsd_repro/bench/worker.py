"""A contender in a process of its own: ``python -m lsd_repro.bench.worker FACTORY ARGUMENTS LIMIT``.

It is asked for one step at a time, by a line on standard input, and answers each with a
line of JSON; the first answer comes unasked, when it is ready.  It ends with its input.
"""

import contextlib
import importlib
import json
import os
import resource
import sys
import time
from pathlib import Path

MIB = 2 ** 20
NO_MEMORY = "not enough memory"


def main(factory, arguments, limit):
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


def make(factory, **arguments):
    """Call a factory given as ``module:function``; it returns the function that takes a step."""
    module, name = factory.split(":")
    return getattr(importlib.import_module(module), name)(**arguments)


def protect_the_machine(limit):
    """Fail at `limit` bytes (0: none); and if memory runs out all the same, be the first to go."""
    if limit:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    with contextlib.suppress(OSError):  # Linux only
        Path("/proc/self/oom_score_adj").write_text("1000")


def memory():
    """Peak and present resident memory of this process, in MiB."""
    try:
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    except OSError:  # no Linux
        unit = 1 if sys.platform == "darwin" else 1024
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MIB
        return {"peak": peak, "resident": peak}
    # Not ru_maxrss, which begins with what the parent had when it started this process.
    return {name: int(status[field].split()[0]) / 1024 for name, field in (("peak", "VmHWM"), ("resident", "VmRSS"))}


def reason(error):
    """Why a step failed, in a line; running out of memory has a different exception in each library."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    if isinstance(error, MemoryError) or "allocate" in text:
        return NO_MEMORY
    return text[:300]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
