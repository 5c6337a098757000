"""One program, run in PyTorch and here: what it returns must agree, or what it raises be of the same kind."""

import numpy as np
import torch

import tinygrad_cnn as tg

BOTH = (tg, torch)


def leaf(t, values, **options):
    return t.tensor(values, dtype=t.float64, requires_grad=True, **options)


def outcome(program, t):
    """What a program returns, as plain values, or the exception it raises."""
    try:
        return plain(program(t))
    except Exception as error:
        return error


def plain(value):
    if isinstance(value, (tg.Tensor, torch.Tensor)):
        return ("tensor", value.detach().numpy().tolist(), str(value.detach().numpy().dtype), value.requires_grad)
    if isinstance(value, (tuple, list)):
        return tuple(plain(v) for v in value)
    return value


def check_same(program):
    ours, theirs = (outcome(program, t) for t in BOTH)
    if isinstance(theirs, Exception):
        expected = type(theirs)
        assert isinstance(ours, expected), f"PyTorch raises {theirs!r}, here: {ours!r}"
    else:
        assert not isinstance(ours, Exception), ours
        assert close(ours, theirs), f"{ours} != {theirs}"


def close(a, b):
    if isinstance(b, tuple):
        return isinstance(a, tuple) and len(a) == len(b) and all(close(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(b, (float, list)):
        return np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True)
    return a == b


def outcome_kind(call):
    try:
        call()
    except Exception as error:
        return type(error).__name__
    return "nothing raised"
