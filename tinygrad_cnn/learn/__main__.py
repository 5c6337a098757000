"""The process in which `apart` has a learner's file judged; it limits itself before it runs the file."""

import sys
from collections.abc import Sequence
from pathlib import Path

from tinygrad_cnn.files import write_atomically
from tinygrad_cnn.learn.apart import can_limit_memory
from tinygrad_cnn.learn.exercise import load
from tinygrad_cnn.learn.judging import check_source

WRITTEN = 2**26
"""So many bytes may a file have that the learner's code writes, what it prints included."""


def _limit(memory: float) -> None:
    """From now on this process may take so many GiB more than it has."""
    import resource

    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + int(memory * 2**30)
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (WRITTEN, WRITTEN))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(arguments: Sequence[str]) -> None:
    """Judge one file, and write the result."""
    name, file, written, memory = arguments
    exercise = load(name)
    source = Path(file).read_text(encoding="utf-8")
    if can_limit_memory():
        _limit(float(memory))
    sys.path.insert(0, str(Path(file).parent))
    result = check_source(exercise, source, file)
    write_atomically(written, result.to_json().encode())


if __name__ == "__main__":
    main(sys.argv[1:])
