"""Convolutions and pools, written as loops over the window."""

import numpy as np

from tests.gradcheck.power.case import normal, others, spread, variants

X, W = normal(51, 2, 2, 5, 5), normal(52, 3, 2, 3, 3)
ROW, KERNEL = normal(53, 7), normal(54, 3)
S = spread(55, 2, 6, 6)


def conv(x, w, stride=1, pad=0):
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    n = (x.shape[2] - 3) // stride + 1
    out = np.zeros((len(x), len(w), n, n))
    for i in range(3):
        for j in range(3):
            part = x[:, :, i : i + stride * n : stride, j : j + stride * n : stride]
            out += np.einsum("ncyx,kc->nkyx", part, w[:, :, i, j])
    return out


def conv_vjp(g, x, w, stride=1, pad=0, m=""):
    p = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    dx, dw, n = np.zeros_like(p), np.zeros_like(w), g.shape[2]
    for i in range(3):
        for j in range(3):
            a, b = (2 - i, 2 - j) if m == "kernel not flipped" else (i, j)
            a, b = (j, i) if m == "kernel transposed" else (a, b)
            place = np.s_[:, :, i : i + stride * n : stride, j : j + stride * n : stride]
            if m == "overwritten":
                dx[place] = np.einsum("nkyx,kc->ncyx", g, w[:, :, a, b])
            elif not (m == "a corner left out" and i == j == 2):
                dx[place] += np.einsum("nkyx,kc->ncyx", g, w[:, :, a, b])
            part = p[place][:1] if m == "weight of one sample" else p[place]
            dw[:, :, i, j] = np.einsum("nkyx,ncyx->kc", g[: len(part)], part)
    if m == "weight flipped":
        dw = dw[:, :, ::-1, ::-1]
    if m == "weight averaged":
        dw = dw / len(x)
    if m == "last row":
        dx[:, :, -1] = 0
    end = p.shape[2] - pad
    return (dx[:, :, : end - pad, : end - pad] if m == "padding cut from one side" else dx[:, :, pad:end, pad:end]), dw


def padded(x, w):
    return conv(x, w, pad=1)


def padded_vjp(g, x, w, m=""):
    return conv_vjp(g, x, w, pad=1, m=m)


def strided(x, w):
    return conv(x, w, stride=2)


def strided_vjp(g, x, w, m=""):
    return conv_vjp(g, x, w, stride=2, m=m)


def transposed(g, w):
    """A convolution that is the gradient of another."""
    return conv_vjp(g, np.zeros((1, 2, 5, 5)), w)[0]


def transposed_vjp(x, g, w, m=""):
    dg = conv(x, w[:, :, ::-1, ::-1] if m == "flipped" else w)
    dw = np.stack(
        [
            [[[(g[0, k] * x[0, c, i : i + 3, j : j + 3]).sum() for j in range(3)] for i in range(3)] for c in range(2)]
            for k in range(3)
        ]
    )
    return dg, dw.swapaxes(2, 3) if m == "weight transposed" else dw


def row(x, k):
    return np.correlate(x, k, "valid")


def row_vjp(g, x, k, m=""):
    dx, dk = np.convolve(g, k), np.correlate(x, g, "valid")
    if m == "correlated again":
        dx = np.convolve(g, k[::-1])
    if m == "shifted":
        dx = np.roll(dx, 1)
    if m == "kernel reversed":
        dk = dk[::-1]
    return dx, dk


def max_pool(x):
    return np.stack([x[:, i : i + 5 : 2, j : j + 5 : 2] for i in range(2) for j in range(2)]).max(0)


def max_pool_vjp(g, x, m=""):
    parts = np.stack([x[:, i : i + 5 : 2, j : j + 5 : 2] for i in range(2) for j in range(2)])
    which = parts.argmin(0) if m == "of the least" else parts.argmax(0)
    out = np.zeros_like(x)
    for n, (i, j) in enumerate((i, j) for i in range(2) for j in range(2)):
        if m == "transposed":
            i, j = j, i
        share = np.full(g.shape, 0.25) if m == "shared" else which == n
        out[:, i : i + 5 : 2, j : j + 5 : 2] += g * share
    if m == "last window":
        out[:, 4:, 4:] = 0
    return out


def overlapping(x):
    return np.stack([x[i : len(x) - 2 + i] for i in range(3)]).max(0)


def overlapping_vjp(g, x, m=""):
    which = np.stack([x[i : len(x) - 2 + i] for i in range(3)]).argmax(0)
    out = np.zeros_like(x)
    for t, (n, d) in enumerate(zip(which, g, strict=True)):
        if m == "overwritten":
            out[t + n] = d
        else:
            out[t + n] += d
    return out


def average_vjp(g, x, m=""):
    out = np.zeros_like(x)
    for i in range(3):
        out[i : len(x) - 2 + i] += g / (2 if m == "another size" else 3) * (m != "middle left out" or i != 1)
    return out


def upsample_vjp(g, x, m=""):
    parts = g.reshape(3, 2)
    return parts.mean(1) if m == "mean" else parts[:, 0] if m == "the first" else parts.sum(1)


def depthwise(x, w):
    return np.stack([row(a, k) for a, k in zip(x, w, strict=True)])


def depthwise_vjp(g, x, w, m=""):
    pairs = [row_vjp(d, a, k) for d, a, k in zip(g, x, w[::-1] if m == "the other channel's" else w, strict=True)]
    return tuple(np.stack(p) for p in zip(*pairs, strict=True))


CASES = [
    *variants(
        "conv",
        conv,
        conv_vjp,
        (X, W),
        "kernel not flipped",
        "kernel transposed",
        "overwritten",
        "a corner left out",
        "weight of one sample",
        "weight flipped",
        "weight averaged",
        "last row",
    ),
    *variants(
        "padded conv", padded, padded_vjp, (X[:1, :, :4, :4], W), "padding cut from one side", "kernel not flipped"
    ),
    *variants("strided conv", strided, strided_vjp, (X[:1], W), "overwritten", "weight flipped"),
    *variants(
        "transposed conv", transposed, transposed_vjp, (normal(56, 1, 3, 3, 3), W), "flipped", "weight transposed"
    ),
    *variants("row", row, row_vjp, (ROW, KERNEL), "correlated again", "shifted", "kernel reversed"),
    *variants("max pool", max_pool, max_pool_vjp, (S,), "of the least", "transposed", "shared", "last window"),
    *variants("overlapping max pool", overlapping, overlapping_vjp, (spread(57, 9),), "overwritten"),
    *variants(
        "average pool", lambda x: (x[:-2] + x[1:-1] + x[2:]) / 3, average_vjp, (ROW,), "another size", "middle left out"
    ),
    *variants("nearest", lambda x: np.repeat(x, 2), upsample_vjp, (normal(58, 3),), "mean", "the first"),
    *variants("depthwise", depthwise, depthwise_vjp, (normal(59, 2, 6), normal(60, 2, 3)), "the other channel's"),
    *others(
        "global mean",
        lambda x: x.mean((1, 2)),
        lambda g, x: np.broadcast_to(g[:, None, None] / 36, x.shape),
        (S,),
        {"one axis": lambda g, x: np.broadcast_to(g[:, None, None] / 6, x.shape)},
    ),
]
