"""Indices of every mixture read and write what they do in PyTorch."""

import numpy as np
import pytest
import torch

import tinygrad_cnn as tg

PARTS = (
    0, -1, slice(None), slice(1, None), slice(0, 1), None, Ellipsis, [0, 1], [1, 0], True, ("t", [0, 1]), ("t", 1),
    ("t", [[0, 1], [1, 0]]), ("t", [True, False]), ("t", [0]),
)  # fmt: skip


def outcome(t, shape, parts, write):
    x = t.arange(int(np.prod(shape))).reshape(shape)
    index = tuple(t.tensor(part[1]) if isinstance(part, tuple) else part for part in parts)
    try:
        if write:
            x[index] = -1
            return x.tolist()
        return x[index].tolist()
    except IndexError:
        return IndexError


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("write", [False, True])
def test_indices_are_read_as_pytorch_reads_them(seed, write):
    rng = np.random.default_rng(seed)
    for _ in range(150):
        shape = ((2, 2), (2, 2, 2), (2, 2, 2, 2))[rng.integers(3)]
        parts = tuple(PARTS[k] for k in rng.integers(len(PARTS), size=rng.integers(1, len(shape) + 2)))
        if sum(part is Ellipsis for part in parts) > 1:  # PyTorch reads a second one in several ways
            continue
        ours, theirs = (outcome(t, shape, parts, write) for t in (tg, torch))
        assert ours == theirs, (shape, parts)
