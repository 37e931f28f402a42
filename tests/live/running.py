"""``lsd-repro live`` as a user starts it."""

import contextlib
import os
import re
import signal
import subprocess
import sys

from interruptible import heed_ctrl_c


@contextlib.contextmanager
def running(out, *arguments):
    """Start it on a free port; yields the process, which has its address in ``url``, and ends it."""
    command = [sys.executable, "-m", "lsd_repro.cli.main", "live", "--port", "0", "--out", str(out), *map(str, arguments)]
    process = subprocess.Popen(command,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heed_ctrl_c,
                               env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        for line in process.stdout:
            found = re.search(r"http://\S+/", line)
            if found:
                process.url = found.group()
                break
        else:
            raise AssertionError(f"it ended: {process.communicate()[1]}")
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate()
