"""Freed memory is kept for the next step.

By default glibc gives large arrays back to the system when they are freed, and every step of a training loop has
all their pages made anew, and zeroed: an eighth to a fifth of a large step's time. `keep_freed_memory` lets arrays
of up to 32 MiB (the most that glibc allows) and up to 1 GiB of freed memory stay with the process. Elsewhere it does
nothing.
"""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h of glibc; mallopt(3)


def keep_freed_memory(most: int = 1 << 30, largest: int = 32 << 20) -> bool:
    """Keep up to `most` freed bytes in the process, from arrays of up to `largest`; whether the system can."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(M_MMAP_THRESHOLD, largest)) and bool(mallopt(M_TRIM_THRESHOLD, most))
