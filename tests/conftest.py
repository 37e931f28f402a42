"""Fixtures that several test files share."""

import os
import subprocess
import sys

import pytest

from lsd_repro.runtime.openblas import instruct_openblas

# As the command line does, before any test imports numpy: runs in this process and in
# others are held against each other to the bit.
instruct_openblas()


@pytest.fixture
def python(tmp_path):
    """Run code in a fresh interpreter, in an empty folder, without the user's Theano settings.

    ``python(code, *options, **environment)`` returns the `subprocess.CompletedProcess`.
    """

    def run(code, *options, **environment):
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("THEANO")}
        # The same lsd_repro as this process has, installed or not.
        path = os.pathsep.join(entry for entry in sys.path if entry)
        environment = {**inherited, "PYTHONPATH": path, "THEANORC": str(tmp_path / "none"), **environment}
        return subprocess.run([sys.executable, *options, "-c", code], cwd=tmp_path, env=environment,
                              capture_output=True, text=True)

    return run
