"""Processes that a test can interrupt."""

import signal


def heed_ctrl_c():
    """For Popen's ``preexec_fn``: a shell starts its background jobs with SIGINT ignored, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
