"""Waiting for what another process does."""

import time


def wait_until(true, seconds=120):
    """What `true` returns, once it is; fails when the time is up."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = true()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen")
