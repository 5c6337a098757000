"""LeNet on MNIST's 60,000 images to 99% on the test set: the same script under this framework and under PyTorch.

`python -m benchmarks.accuracy DIR [--threads N] [--seeds N] [--kernels numba]`; DIR holds the four files of MNIST.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

import tinygrad_cnn
import tinygrad_cnn.data
from benchmarks.networks import NETWORKS
from benchmarks.peers import model_of
from tinygrad_cnn.datasets import load_full


def seconds_to(goal: float, lib: Any, data: Any, arrays: dict[bool, tuple[Any, Any]], seed: int, most: int = 12) -> Any:
    """Seconds, epochs and the accuracy reached, data loading and evaluation included."""
    functional = lib.nn.functional
    lib.manual_seed(seed)
    model = model_of(lib, NETWORKS["LeNet-5"][1])
    sets = {train: data.TensorDataset(lib.tensor(x), lib.tensor(y)) for train, (x, y) in arrays.items()}
    optimiser = lib.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    start = time.perf_counter()
    for epoch in range(1, most + 1):
        for x, y in data.DataLoader(sets[True], batch_size=64, shuffle=True):
            optimiser.zero_grad()
            functional.cross_entropy(model(x), y).backward()
            optimiser.step()
        right = 0
        with lib.no_grad():
            for x, y in data.DataLoader(sets[False], batch_size=500):
                right += int((model(x).argmax(1) == y).sum().item())
        accuracy = right / len(arrays[False][1])
        print(
            f"{lib.__name__}, seed {seed}: epoch {epoch}, {100 * accuracy:.2f} %, {time.perf_counter() - start:.1f} s",
            flush=True,
        )
        optimiser.param_groups[0]["lr"] *= 0.6
        if accuracy >= goal:
            break
    return time.perf_counter() - start, epoch, accuracy


def main() -> None:
    """Both, in turns, seed by seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=1, help="so many runs of each, from other random weights")
    parser.add_argument("--kernels", choices=("numpy", "numba"), default="numpy")
    chosen = parser.parse_args()
    digits = load_full(chosen.folder)
    arrays = {}
    for train, images, labels in (
        (True, digits.train_images, digits.train_labels),
        (False, digits.test_images, digits.test_labels),
    ):
        scaled = (images[:, None].astype(np.float32) / 255 - 0.1307) / 0.3081  # mean and deviation of the pixels
        arrays[train] = (scaled.astype(np.float32), labels)
    tinygrad_cnn.set_num_threads(chosen.threads)
    tinygrad_cnn.set_kernels(chosen.kernels)
    import torch
    import torch.utils.data

    torch.set_num_threads(chosen.threads)
    runs: dict[str, list[tuple[float, int]]] = {"tinygrad_cnn": [], "PyTorch": []}
    for seed in range(chosen.seeds):
        for name, lib, data in (
            ("tinygrad_cnn", tinygrad_cnn, tinygrad_cnn.data),
            ("PyTorch", torch, torch.utils.data),
        ):
            seconds, epochs, _ = seconds_to(0.99, lib, data, arrays, seed)
            runs[name].append((seconds, epochs))
    for name, series in runs.items():
        total, epochs = np.sum(series, axis=0)
        print(f"{name}: {total / len(series):.1f} s and {epochs / len(series):.1f} epochs, {total / epochs:.2f} s each")
    ours, theirs = (sum(seconds for seconds, _ in series) for series in runs.values())
    print(f"ratio {theirs / ours:.2f}")


if __name__ == "__main__":
    main()
