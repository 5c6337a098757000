"""Recurrences, gates, scans and attention."""

import numpy as np

from tests.gradcheck.power.case import normal, variants

XS, WX, WH = normal(91, 4, 2), normal(92, 2, 3) / 2, normal(93, 3, 3) / 2
Q, K, V = normal(94, 3, 4), normal(95, 5, 4), normal(96, 5, 2)
SELF = normal(97, 4, 4)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def rnn(xs, wx, wh):
    h, hs = np.zeros(3), []
    for x in xs:
        h = np.tanh(x @ wx + h @ wh)
        hs.append(h)
    return np.stack(hs)


def rnn_vjp(g, xs, wx, wh, m=""):
    hs = rnn(xs, wx, wh)
    before = np.vstack([np.zeros(3), hs[:-1]])
    dxs, dwx, dwh, carry = np.zeros_like(xs), np.zeros_like(wx), np.zeros_like(wh), np.zeros(3)
    for t in reversed(range(len(xs))):
        dh = g[t] + carry
        dz = dh * (1 - (before[t] if m == "slope of the step before" else hs[t]) ** 2)
        dxs[t] = dz @ wx.T
        dwx = dwx + np.outer(xs[t], dz) if m != "last step only" or t == 3 else dwx
        dwh = dwh + np.outer(hs[t] if m == "state of the step itself" else before[t], dz)
        carry = dz @ (wh if m == "not transposed" else wh.T)
        if m == "cut off after a step" or (m == "cut off in the middle" and t == 2):
            carry = 0 * carry
        if m == "carry clipped":
            carry = np.clip(carry, -0.1, 0.1)
    return dxs, dwx, dwh


def gru(x, h, w, u):
    """One step of a gated unit: update, reset, candidate; w and u hold three blocks."""
    z, r = sigmoid(x @ w[0] + h @ u[0]), sigmoid(x @ w[1] + h @ u[1])
    n = np.tanh(x @ w[2] + r * (h @ u[2]))
    return (1 - z) * n + z * h


def gru_vjp(g, x, h, w, u, m=""):
    z, r, c = sigmoid(x @ w[0] + h @ u[0]), sigmoid(x @ w[1] + h @ u[1]), h @ u[2]
    n = np.tanh(x @ w[2] + r * c)
    dn = g * (1 - z) * (1 - n * n)
    dz = g * (n - h if m == "update's sign" else h - n) * z * (1 - z)
    dr = dn * (h if m == "reset by the state" else c) * r * (1 - r)
    dc = dn * (1 if m == "reset held at 1" else r)
    parts = [dz, dr, dn]
    dx = sum(d @ b.T for d, b in zip(parts, w, strict=True))
    dh = sum(d @ b.T for d, b in zip([dz, dr, dc], u, strict=True)) + (0 if m == "no way past" else g * z)
    return dx, dh, np.stack([np.outer(x, d) for d in parts]), np.stack([np.outer(h, d) for d in [dz, dr, dc]])


def lstm(x, h, c, w):
    i, f, o, n = np.split(np.concatenate([x, h]) @ w, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(n)
    return np.stack([sigmoid(o) * np.tanh(c), c])


def lstm_vjp(g, x, h, c, w, m=""):
    i, f, o, n = np.split(np.concatenate([x, h]) @ w, 4)
    i, f, o, n = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(n)
    new = f * c + i * n
    t = np.tanh(new)
    dc = g[1] + g[0] * o * (1 if m == "tanh of the cell left out" else 1 - t * t)
    dc = g[0] * o * (1 - t * t) if m == "cell's own gradient" else dc
    di, df, do, dn = (
        dc * n * i * (1 - i),
        dc * (new if m == "forget by the new cell" else c) * f * (1 - f),
        g[0] * t * o * (1 - o),
        dc * i * (1 - n * n),
    )
    parts = [df, di, do, dn] if m == "gates exchanged" else [di, df, do, dn]
    dz = np.concatenate(parts)
    both = w @ dz
    return both[:2], both[2:], dc * f, np.outer(np.concatenate([x, h]), dz)


def attention(q, k, v):
    return softmax(q @ k.T / 2) @ v


def attention_vjp(g, q, k, v, m=""):
    p = softmax(q @ k.T / 2)
    dp = g @ v.T
    ds = p * (dp - (dp * p).sum(0 if m == "softmax over the other axis" else 1, keepdims=True))
    ds = p * dp if m == "softmax without its sum" else ds
    ds = ds / (1 if m == "scale left out" else 2)
    return ds @ k, ds.T @ (k[:3] if m == "key by itself" else q), (p.T @ g if m != "value averaged" else p.T @ g / 3)


CAUSAL = np.triu(np.full((4, 4), -1e9), 1)


def causal(x):
    return softmax(x @ x.T / 2 + CAUSAL) @ x


def causal_vjp(g, x, m=""):
    p = softmax(x @ x.T / 2 + (0 if m == "mask left out" else CAUSAL))
    dp = g @ x.T
    ds = p * (dp - (dp * p).sum(1, keepdims=True)) / 2
    dx = ds @ x + (0 if m == "as a key" else ds.T @ x)
    return dx + (0 if m == "as a value" else p.T @ g)


def scan(x, a):
    """y = a y + x, step by step."""
    y, ys = 0.0, []
    for t in range(len(x)):
        y = a[t] * y + x[t]
        ys.append(y)
    return np.array(ys)


def scan_vjp(g, x, a, m=""):
    ys = np.concatenate([[0.0], scan(x, a)])
    dx, da, carry = np.zeros_like(x), np.zeros_like(a), 0.0
    for t in reversed(range(len(x))):
        d = g[t] + carry
        dx[t], da[t] = d, d * ys[t + 1 if m == "the step's own" else t]
        carry = d * a[t - 1 if m == "factor of the step before" else t]
    return dx, da


def crf(s):
    """The logarithm of the sum over all paths, by dynamic programming."""
    a = s[0]
    for t in range(1, len(s)):
        a = np.log(np.exp(a[:, None] + SELF[:3, :3]).sum(0)) + s[t]
    return np.log(np.exp(a).sum())


def crf_vjp(g, s, m=""):
    forward = [s[0]]
    for t in range(1, len(s)):
        forward.append(np.log(np.exp(forward[-1][:, None] + SELF[:3, :3]).sum(0)) + s[t])
    if m == "forwards only":
        return g * np.stack([softmax(a) for a in forward])
    out, b = np.zeros_like(s), np.zeros(3)
    for t in reversed(range(len(s))):
        out[t] = softmax(forward[t] + b)
        step = SELF[:3, :3].T if m == "transitions transposed" else SELF[:3, :3]
        b = np.log(np.exp(step + (s[t] + b)[None]).sum(1))
    return g * out


CASES = [
    *variants(
        "rnn",
        rnn,
        rnn_vjp,
        (XS, WX, WH),
        "slope of the step before",
        "last step only",
        "state of the step itself",
        "not transposed",
        "cut off after a step",
        "cut off in the middle",
        "carry clipped",
    ),
    *variants(
        "gru",
        gru,
        gru_vjp,
        (XS[0], normal(98, 3), normal(99, 3, 2, 3), normal(100, 3, 3, 3)),
        "update's sign",
        "reset by the state",
        "reset held at 1",
        "no way past",
    ),
    *variants(
        "lstm",
        lstm,
        lstm_vjp,
        (XS[1], normal(101, 3), normal(102, 3), normal(103, 5, 12) / 2),
        "tanh of the cell left out",
        "cell's own gradient",
        "forget by the new cell",
        "gates exchanged",
    ),
    *variants(
        "attention",
        attention,
        attention_vjp,
        (Q, K, V),
        "softmax over the other axis",
        "softmax without its sum",
        "scale left out",
        "key by itself",
        "value averaged",
    ),
    *variants("causal attention", causal, causal_vjp, (SELF,), "mask left out", "as a key", "as a value"),
    *variants("scan", scan, scan_vjp, (normal(104, 5), normal(105, 5)), "the step's own", "factor of the step before"),
    *variants("paths", crf, crf_vjp, (normal(106, 4, 3),), "forwards only", "transitions transposed"),
]
