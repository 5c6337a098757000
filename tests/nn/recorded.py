"""Layers that PyTorch has, too, run on the same numbers: what it gave is in from_pytorch.json.

`tests/parity/test_layers_recorded.py` compares that file with PyTorch; it writes it anew if the environment has RECORD.
"""

import math
from pathlib import Path

RECORDED = Path(__file__).parent / "from_pytorch.json"

NORMS = [
    ("BatchNorm1d", (3,), {}, (4, 3)),
    ("BatchNorm1d", (3,), {"momentum": 0.3, "eps": 0.1}, (2, 3, 5)),
    ("BatchNorm2d", (2,), {"affine": False, "momentum": None}, (3, 2, 2, 3)),
    ("BatchNorm2d", (2,), {"track_running_stats": False}, (3, 2, 2, 3)),
    ("BatchNorm3d", (2,), {"momentum": 0.5}, (2, 2, 2, 1, 3)),
    ("InstanceNorm1d", (2,), {}, (3, 2, 5)),
    ("InstanceNorm1d", (2,), {"affine": True}, (2, 5)),
    ("InstanceNorm2d", (2,), {"affine": True, "track_running_stats": True, "momentum": 0.4}, (3, 2, 2, 3)),
    ("InstanceNorm3d", (2,), {"track_running_stats": True, "eps": 0.1}, (2, 2, 2, 2, 2)),
    ("GroupNorm", (2, 4), {}, (3, 4, 2, 2)),
    ("GroupNorm", (4, 4), {"affine": False, "eps": 0.1}, (3, 4, 5)),
    ("GroupNorm", (1, 3), {}, (2, 3)),
    ("LayerNorm", (3,), {}, (2, 4, 3)),
    ("LayerNorm", ([4, 3],), {"bias": False, "eps": 0.1}, (2, 4, 3)),
    ("LayerNorm", ([4, 3],), {"elementwise_affine": False}, (2, 4, 3)),
    ("RMSNorm", (3,), {}, (2, 4, 3)),
    ("RMSNorm", ([4, 3],), {"eps": 0.1, "elementwise_affine": False}, (2, 4, 3)),
    ("LocalResponseNorm", (3,), {"alpha": 0.5, "beta": 0.6, "k": 1.5}, (2, 5, 3)),
    ("LocalResponseNorm", (2,), {}, (2, 5, 2, 2)),
]
"""The layer, its arguments, and the shape of what goes in: twice in training, once in evaluation."""

RECURRENT = [
    (kind, options, shape, begun)
    for kind in ("RNN", "LSTM", "GRU")
    for options, shape, begun in (
        ({}, (4, 2, 3), False),
        ({"num_layers": 2, "bidirectional": True}, (4, 2, 3), True),
        ({"batch_first": True, "bias": False}, (2, 4, 3), True),
        ({"bidirectional": True, "batch_first": True}, (4, 3), True),
        ({"num_layers": 2}, (4, 3), False),
        ({"num_layers": 2, "bidirectional": True, "packed": (4, 3, 1)}, (4, 3, 3), True),
        ({"packed": (2, 4, 1)}, (4, 3, 3), False),
    )
]
RECURRENT += [("RNN", {"nonlinearity": "relu", "bidirectional": True}, (4, 2, 3), True)]
RECURRENT += [("LSTM", {"proj_size": 1, "num_layers": 2, "bidirectional": True}, (4, 2, 3), begun) for begun in (0, 1)]
RECURRENT += [("LSTM", {"proj_size": 1, "packed": (2, 4, 1)}, (4, 3, 3), True)]
CELLS = [
    ("RNNCell", {}, (2, 3)),
    ("RNNCell", {"nonlinearity": "relu", "bias": False}, (3,)),
    ("LSTMCell", {}, (2, 3)),
    ("LSTMCell", {"bias": False}, (3,)),
    ("GRUCell", {}, (2, 3)),
    ("GRUCell", {}, (3,)),
]


def numbers(torch, shape, seed):
    """Numbers of no pattern, float64."""
    size = math.prod(shape)
    values = [math.sin(1.3 * k + 0.7 * k * k + seed) for k in range(size)]
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


def filled(torch, layer):
    """The layer in float64, with numbers of its own as parameters."""
    layer = layer.double()
    for seed, p in enumerate(layer.parameters()):
        p.data = numbers(torch, tuple(p.shape), seed)
    return layer


def told(parts):
    """All numbers of some tensors."""
    return [[float(v) for v in part.detach().reshape(-1).tolist()] for part in parts]


def gradients(torch, outputs, inputs):
    """Of a weighted sum of the outputs."""
    total = sum((y * numbers(torch, tuple(y.shape), 9 + k)).sum() for k, y in enumerate(outputs))
    return torch.autograd.grad(total, inputs)


def normalised(torch, name, arguments, options, shape):
    """Outputs, gradients and running statistics of two calls in training and one in evaluation."""
    layer = filled(torch, getattr(torch.nn, name)(*arguments, **options))
    found = []
    for seed in range(3):
        layer.train(seed < 2)
        x = numbers(torch, shape, seed).requires_grad_()
        y = layer(x)
        found += told([y, *gradients(torch, [y], [x, *layer.parameters()]), *layer.buffers()])
    return found


def walked(torch, kind, options, shape, begun):
    """Outputs, states and gradients of a recurrent layer of two features."""
    options = dict(options)
    lengths = options.pop("packed", None)
    layer = filled(torch, getattr(torch.nn, kind)(3, 2, **options))
    x = numbers(torch, shape, 3).requires_grad_()
    count = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
    batch = () if len(shape) == 2 else (shape[0] if options.get("batch_first") else shape[1],)
    sizes = [options.get("proj_size") or 2, 2][: 2 if kind == "LSTM" else 1]
    states = [numbers(torch, (count, *batch, n), 5 + k).requires_grad_() for k, n in enumerate(sizes) if begun]
    hx = None if not states else tuple(states) if kind == "LSTM" else states[0]
    utils = torch.nn.utils.rnn
    given = x if lengths is None else utils.pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False)
    y, last = layer(given, hx)
    y = y if lengths is None else y.data
    outputs = [y, *(last if kind == "LSTM" else (last,))]
    return told([*outputs, *gradients(torch, outputs, [x, *states, *layer.parameters()])])


def stepped(torch, kind, options, shape):
    """Two steps of a cell."""
    cell = filled(torch, getattr(torch.nn, kind)(3, 2, **options))
    x = numbers(torch, shape, 3).requires_grad_()
    state = cell(x * 2, cell(x))
    outputs = list(state) if kind == "LSTMCell" else [state]
    return told([*outputs, *gradients(torch, outputs, [x, *cell.parameters()])])


KINDS = {"norms": (normalised, NORMS), "recurrent": (walked, RECURRENT), "cells": (stepped, CELLS)}
