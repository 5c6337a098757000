"""The peak memory of a training step, each peer in a process of its own.

`python -m benchmarks.memory PEER CASE BATCH` prints it in MiB.
"""

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import beside, networks, peers


def status(field: str) -> float:
    """A field of this process's status, in MiB (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))


def of_step(peer: str, case: str, batch: int) -> float:
    """MiB that three steps take above what the process had before them."""
    command = [sys.executable, "-m", "benchmarks.memory", peer, case, str(batch)]
    return float(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def growth(steps: int, kernels: str = "numpy") -> float:
    """MiB that the process has grown by from step steps / 10 to step `steps`: the article's network, one image."""
    peer = peers.ours(networks.work("article", 1), kernels)
    for _ in range(steps // 10):
        peer.step()
    before = status("VmRSS")
    for _ in range(steps - steps // 10):
        peer.step()
    return status("VmRSS") - before


def step_of(peer: str, case: str, batch: int) -> Callable[[], Any]:
    """A training step of a network or a program by one of the peers."""
    package, build = {**peers.MINE, **peers.FAST}[peer]
    if case in networks.NETWORKS:
        return build(networks.work(case, batch)).step
    if peer in peers.MINE:
        return beside.running(importlib.import_module("tinygrad_cnn"), case, batch, kernels=package).step
    last = peer == "PyTorch channels_last"
    return beside.running(importlib.import_module("torch"), case, batch, channels_last=last).step


if __name__ == "__main__":
    name, case, batch = sys.argv[1], sys.argv[2], int(sys.argv[3])
    for few in (1, 8, 16):  # libraries, threads and compiled code, which differs by the number of images, do not count
        step_of(name, case, few)()
    step = step_of(name, case, batch)
    Path("/proc/self/clear_refs").write_text("5")  # the peak is measured from here on
    start = status("VmRSS")
    for _ in range(3):
        step()
    print(json.dumps(status("VmHWM") - start))
