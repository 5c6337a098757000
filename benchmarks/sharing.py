"""A training step with threads as a user gets them, beside one with a single thread: each in a process of its own.

The processes take turns, so that what else the machine does meets both. `python -m benchmarks.sharing KIT CASE BATCH
THREADS` is one of them: it answers each line of its input with the seconds of a step, THREADS being 0 for the default.
"""

import math
import subprocess
import sys
import time
from contextlib import ExitStack

from benchmarks.limits import SETS
from benchmarks.networks import work
from benchmarks.peers import ours

CASES = (("article", 64), ("LeNet-5", 1), ("LeNet-5", 64), ("CIFAR-like", 16))
LIMIT = 1.25
"""A step with threads may take at most so many times as long as without. The aim is 1.1; a step of one image, which has
no threads in either process, differs by 1.12 from one run to the next."""


def answer(kit: str, case: str, batch: int, threads: int) -> None:
    """Time a step, the second of two, whenever a line is read."""
    import tinygrad_cnn as tg

    if threads:
        tg.set_num_threads(threads)
    step = ours(work(case, batch), kit).step
    step()
    for _ in sys.stdin:
        step()
        start = time.perf_counter()
        step()
        print(time.perf_counter() - start, flush=True)


def ratio(kit: str, case: str, batch: int, rounds: int = 25) -> float:
    """The time of a step with the threads a user gets over that with one: the quotient of the least."""
    command = [sys.executable, "-m", "benchmarks.sharing", kit, case, str(batch)]
    with ExitStack() as stack:
        peers = [
            stack.enter_context(subprocess.Popen([*command, n], stdin=-1, stdout=-1, text=True)) for n in ("0", "1")
        ]
        times: list[list[float]] = [[], []]
        for _ in range(rounds):
            for peer, series in zip(peers, times, strict=True):
                assert peer.stdin is not None
                assert peer.stdout is not None
                peer.stdin.write("\n")
                peer.stdin.flush()
                series.append(float(peer.stdout.readline()))
    with_threads, alone = map(min, times)
    return with_threads / alone


def failures() -> list[str]:
    """A line for each case in which threads make a step slower."""
    found = []
    for kit in SETS:
        for case, batch in CASES:
            measured = math.inf
            for _ in range(3):  # where other processes computed meanwhile, once more
                if measured > LIMIT:
                    measured = min(measured, ratio(kit, case, batch))
            print(f"{kit}: {case}, {batch} images, default threads over one: {measured:.2f}, at most {LIMIT}")
            if measured > LIMIT:
                found.append(f"{kit}: {case}, {batch} images: {measured:.2f} times as long with the default threads")
    return found


if __name__ == "__main__":
    answer(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
