"""Makes the C library keep the memory that arrays give back.

A step makes and frees maps of tens of megabytes.  glibc returns such pieces to the
system, which then has to clear every page again: up to a fifth of the time of a step.
"""

import ctypes
import os
import sys

# glibc's malloc.h
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
# The largest that every glibc takes.  What is larger goes back: kept, it would be split up among smaller ones, and
# more memory be needed for the next of its size.
KEPT = 32 * 2 ** 20
# With any of these a user has settled it.
SETTINGS = "MALLOC_MMAP_MAX_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES"


def keep_freed() -> None:
    """Keep freed pieces of up to `KEPT` bytes from now on, unless the environment has settings for malloc.

    Only glibc can be told to; other C libraries are left alone.
    """
    if sys.platform != "linux" or any(name in os.environ for name in SETTINGS):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(M_MMAP_THRESHOLD, KEPT)
        mallopt(M_TRIM_THRESHOLD, -1)  # never
