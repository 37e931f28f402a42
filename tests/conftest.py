"""Fixtures that several test files share, and what pytest needs to know beforehand.

Of 2015's own files a clone has none.  Tests of them take what ``lsd-repro fetch priors frames`` has
fetched, or, where the variable ``LSD_REPRO_SHARED`` names a folder, its ``original`` (the priors) and
``frames-2015``; without either they are skipped, and say so.
"""

import gc
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from lsd_repro.material import fetch
from lsd_repro.runtime.openblas import instruct_openblas

# As the command line does, before any test imports numpy: runs in this process and in
# others are held against each other to the bit.
instruct_openblas()

# pytest-xdist's processes share the cores.
workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
if workers > 1:
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, os.cpu_count() // workers)))

# A graph is a hundred thousand objects, which mostly stay: to look through them all at every
# 700th takes a third of the time in which Theano rewrites one.
gc.set_threshold(50_000, 20, 20)

SHARED = {"priors": "original", "frames": "frames-2015"}


@pytest.fixture(scope="session")
def python_in():
    """Run code in a fresh interpreter, in a folder, without the user's Theano settings.

    ``python_in(folder, code, *options, **environment)`` returns the `subprocess.CompletedProcess`.
    """

    def run(folder, code, *options, **environment):
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("THEANO")}
        # The same lsd_repro as this process has, installed or not.
        path = os.pathsep.join(entry for entry in sys.path if entry)
        environment = {**inherited, "PYTHONPATH": path, "THEANORC": str(Path(folder, "none")), **environment}
        return subprocess.run([sys.executable, *options, "-c", code], cwd=folder, env=environment,
                              capture_output=True, text=True)

    return run


@pytest.fixture
def python(tmp_path, python_in):
    """`python_in` in an empty folder: ``python(code, *options, **environment)``."""
    return partial(python_in, tmp_path)


@pytest.fixture
def of_2015():
    """The folder of 2015's own ``priors`` or ``frames``; where they are not here the test is skipped."""

    def folder(what):
        shared = os.environ.get("LSD_REPRO_SHARED")
        found = Path(shared, SHARED[what]) if shared else fetch.fetched(what)
        if found is None or not found.is_dir():
            pytest.skip(f"2015's own {what} are not here: lsd-repro fetch {what}" + (f" ({found})" if found else ""))
        return found

    return folder
