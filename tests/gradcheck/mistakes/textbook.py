"""The mistakes of the textbook's functions: losses, normalisation, convolution, pooling, gates, loops."""

import numpy as np

from tests.gradcheck.mistakes.case import Mistake, normal, positive, start

start()

ROWS, LABELS = np.arange(4), np.array([0, 2, 1, 2])
X43, X34, X45 = normal(4, 3), normal(3, 4), normal(4, 5)


def softmax(x, axis=1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def cross_entropy(x):
    p = softmax(x)
    return -np.log(p[ROWS, LABELS]).mean()


def onehot(labels=LABELS, n=3):
    return np.eye(n)[labels]


def log_softmax(x):
    z = x - x.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


SOFTMAX = [
    Mistake("ce: not divided by N", cross_entropy, lambda g, x: g * (softmax(x) - onehot()), (X43,), "number of rows|mean|4 times too large|multiplied by 4"),
    Mistake("ce: divided by K for N", cross_entropy, lambda g, x: g * (softmax(x) - onehot()) / 3, (X43,), r"number of rows.* 3|constant 4 .* 3\b"),
    Mistake("ce: one-hot forgotten", cross_entropy, lambda g, x: g * softmax(x) / 4, (X43,), "one-hot.* missing|p\\[ROWS, LABELS\\].*held constant|left out \\(0\\)|no gradient flows"),
    Mistake("ce: labels off by one", cross_entropy, lambda g, x: g * (softmax(x) - onehot((LABELS + 1) % 3)) / 4, (X43,), "one-hot.*shifted|off by one"),
    Mistake("ce: sign", cross_entropy, lambda g, x: g * (onehot() - softmax(x)) / 4, (X43,), "wrong sign|sign is flipped"),
    Mistake("softmax: diagonal", softmax, lambda g, x: g * softmax(x) * (1 - softmax(x)), (X43,), "diagonal"),
    Mistake("softmax: no sum term", softmax, lambda g, x: g * softmax(x), (X43,), r"term `sum\(.*missing|sum\(axis=axis, keepdims=True\)` is held constant"),
    Mistake("softmax: axis 0 in the backward", softmax, lambda g, x: softmax(x) * (g - (g * softmax(x)).sum(0)), (X43,), "over axis 0 instead of axis 1"),
    Mistake("softmax: mean for sum", softmax, lambda g, x: softmax(x) * (g - (g * softmax(x)).mean(1, keepdims=True)), (X43,), "the mean of .* is taken instead of the sum"),
    Mistake("log-softmax: without the sum of g", log_softmax, lambda g, x: g - softmax(x), (X43,), r"factor `sum\(g\)` is missing"),
    Mistake("log-softmax: mean of g", log_softmax, lambda g, x: g - softmax(x) * g.mean(1, keepdims=True), (X43,), "the mean of `g` is taken instead of the sum"),
]  # fmt: skip


def batch_norm(x, gamma, beta):
    mean = x.mean(axis=0)
    var = ((x - mean) ** 2).mean(axis=0)
    xhat = (x - mean) / np.sqrt(var + 1e-3)
    return gamma * xhat + beta


def bn_vjp(g, x, gamma, beta, mean=True, var=True, eps=1e-3, n=None, with_gamma=True):
    m = x.mean(axis=0)
    s = np.sqrt(((x - m) ** 2).mean(axis=0) + eps)
    xhat = (x - m) / s
    dxhat = g * gamma if with_gamma else g
    n = n or len(x)
    dx = dxhat
    if mean:
        dx = dx - dxhat.sum(0) / n
    if var:
        dx = dx - xhat * (dxhat * xhat).sum(0) / n
    return dx / s, (g * (x - m) / np.sqrt(((x - m) ** 2).mean(axis=0) + 1e-3)).sum(0), g.sum(0)


BN = (normal(5, 3), positive(3), normal(3))
NORM = [
    Mistake("bn: mean constant", batch_norm, lambda *a: bn_vjp(*a, mean=False), BN, r"`mean` is held|x.mean\(axis=0\)` is held constant|term .*mean\(g.*missing"),
    Mistake("bn: variance constant", batch_norm, lambda *a: bn_vjp(*a, var=False), BN, r"(\*\* 2\)\.mean\(axis=0\)|var.*)`? is held constant|term .* missing"),
    Mistake("bn: both constant", batch_norm, lambda *a: bn_vjp(*a, mean=False, var=False), BN, r"both held constant|is left out"),
    Mistake("bn: eps forgotten", batch_norm, lambda *a: bn_vjp(*a, eps=0), BN, r"0\.001.*left out|1e-3.*left out"),
    Mistake("bn: n - 1", batch_norm, lambda *a: bn_vjp(*a, n=4), BN, r"n - 1|constant 5 .* 4\b"),
    Mistake("bn: gamma forgotten in dx", batch_norm, lambda *a: bn_vjp(*a, with_gamma=False), BN, "factor `gamma` is missing"),
    Mistake("norm: not divided", lambda x: np.sqrt((x**2).sum()), lambda g, x: g * x, (normal(5),), r"division by `np.sqrt.* is missing|factor y too many"),
]  # fmt: skip


def conv(x, w, b):
    n, c, h, k = *x.shape[:2], x.shape[2], w.shape[2]
    padded = np.zeros((n, c, h + 2, x.shape[3] + 2))
    padded[:, :, 1:-1, 1:-1] = x
    oh, ow = h + 3 - k, x.shape[3] + 3 - k
    out = np.zeros((n, w.shape[0], oh, ow))
    for i in range(k):
        for j in range(k):
            out = out + np.einsum("nchw,oc->nohw", padded[:, :, i : i + oh, j : j + ow], w[:, :, i, j])
    return out + b.reshape(1, -1, 1, 1)


def conv_vjp(g, x, w, b, flip=False, crop=True, first=False, mean_bias=False, mean_batch=False, channels=False):
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    d, dw, k = np.zeros_like(padded), np.zeros_like(w), w.shape[2]
    oh, ow = g.shape[2:]
    for i in range(k):
        for j in range(k):
            part = w[:, :, k - 1 - i, k - 1 - j] if flip else w[:, :, i, j]
            d[:, :, i : i + oh, j : j + ow] += np.einsum("nohw,oc->nchw", g, part.T if channels else part)
            window = padded[:, :, i : i + oh, j : j + ow]
            if first:
                dw[:, :, i, j] = np.einsum("ohw,chw->oc", g[0], window[0])
            else:
                dw[:, :, i, j] = np.einsum("nohw,nchw->oc", g, window)
    dx = d[:, :, 1:-1, 1:-1] if crop else d[:, :, : x.shape[2], : x.shape[3]]
    return dx, dw / len(x) if mean_batch else dw, g.mean((0, 2, 3)) if mean_bias else g.sum((0, 2, 3))


CONV = (normal(3, 2, 4, 5), normal(2, 2, 3, 3), normal(2))


def conv1(x, w):
    return np.array([np.sum(x[2 * i : 2 * i + 3] * w) for i in range(3)])


def conv1_vjp(g, x, w, stride=2):
    d = np.zeros_like(x)
    for i in range(3):
        d[stride * i : stride * i + 3] += g[i] * w
    return d, sum(g[i] * x[2 * i : 2 * i + 3] for i in range(3))


def grouped(x, w):
    a, b = x[:, :2], x[:, 2:]
    return np.concatenate([a @ w[0], b @ w[1]], axis=1)


def grouped_vjp(g, x, w):
    ga, gb = g[:, :2], g[:, 2:]
    return np.concatenate([gb @ w[0].T, ga @ w[1].T], axis=1), np.stack([x[:, :2].T @ ga, x[:, 2:].T @ gb])


CONVOLUTION = [
    Mistake("conv: kernel not flipped", conv, lambda *a: conv_vjp(*a, flip=True), CONV, "opposite turn|revers|flipped|other way round"),
    Mistake("conv: padding forgotten", conv, lambda *a: conv_vjp(*a, crop=False), CONV, "starts? at 0|padding|shifted by one along the last two"),
    Mistake("conv: db mean", conv, lambda *a: conv_vjp(*a, mean_bias=True), CONV, "mean instead of a sum|averaged"),
    Mistake("conv: dw of the first image", conv, lambda *a: conv_vjp(*a, first=True), CONV, "only the first"),
    Mistake("conv: dw averaged over the batch", conv, lambda *a: conv_vjp(*a, mean_batch=True), CONV, "3 times too small|mean|1/3"),
    Mistake("conv: channels exchanged", conv, lambda *a: conv_vjp(*a, channels=True), CONV, "transpose|axes 0 and 1 exchanged"),
    Mistake("conv: stride ignored", conv1, lambda *a: conv1_vjp(*a, stride=1), (normal(8), normal(3)), "stride is ignored"),
    Mistake("conv: groups mixed up", grouped, grouped_vjp, (normal(3, 4), normal(2, 2, 2)), r"exchanged|other turn|halves"),
]  # fmt: skip


def max_pool(x):
    return x.reshape(3, 2, 2, 2).max(axis=(1, 3))


def max_pool_vjp(g, x, how):
    w = x.reshape(3, 2, 2, 2)
    mask = np.zeros_like(w)
    if how == "all":
        mask[:] = 1
    elif how == "first":
        mask[:, 0, :, 0] = 1
    else:
        mask = (w == w.max(axis=(1, 3), keepdims=True)) * 1.0
    return (mask * g[:, None, :, None]).reshape(x.shape)


def average_pool(x):
    return x.reshape(3, 2, 2, 2).mean(axis=(1, 3))


def spread(g, x):
    return np.repeat(np.repeat(g, 2, 0), 2, 1)


MASK = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 1.0])
TIED = np.array([[1.0, 3.0, 2.0, 0.5], [3.0, 1.0, 2.0, 2.0], [1.0, 0.0, 4.0, 4.0], [0.0, 1.0, 1.0, 1.0], [5.0, 2.0, 1.0, 2.0], [1.0, 0.0, 2.0, 1.0]])  # fmt: skip

POOLING = [
    Mistake("max pool: to all", max_pool, lambda g, x: max_pool_vjp(g, x, "all"), (normal(6, 4),), "goes to all elements"),
    Mistake("max pool: to the first", max_pool, lambda g, x: max_pool_vjp(g, x, "first"), (normal(6, 4),), "goes to the first element"),
    Mistake("max pool: ties", max_pool, lambda g, x: max_pool_vjp(g, x, "ties"), (TIED,), "each gets the whole|at kinks"),
    Mistake("average pool: not divided", average_pool, lambda g, x: spread(g, x), (normal(6, 4),), "division by 4 is missing|4 times too large|multiplied by 4"),
    Mistake("average pool: k for k²", average_pool, lambda g, x: spread(g, x) / 2, (normal(6, 4),), r"2 times too large|multiplied by 2|constant 4 .* (2\b|halved|root)"),
    Mistake("dropout: scale forgotten", lambda x: x * MASK / 0.75, lambda g, x: g * MASK, (normal(6),), "division by `?0.75.* missing|3/4|0.75.*left out"),
    Mistake("dropout: another mask", lambda x: x * MASK / 0.75, lambda g, x: g * np.roll(MASK, 1) / 0.75, (normal(6),), "MASK.*shifted|another mask"),
]  # fmt: skip


def linear(x, w, b):
    return x @ w + b


LINEAR = (normal(4, 3), normal(3, 2), normal(2))
SQUARE = (normal(3, 3), normal(3, 3))
PRODUCTS = [
    Mistake("matmul: a @ g", lambda a, b: a @ b, lambda g, a, b: (g @ b.T, a @ g), SQUARE, r"`a @ g`; it should be `a.T @ g`"),
    Mistake("matmul: g @ b", lambda a, b: a @ b, lambda g, a, b: (g @ b, a.T @ g), SQUARE, r"`g @ b`; it should be `g @ b.T`"),
    Mistake("linear: db not summed", linear, lambda g, x, w, b: (g @ w.T, x.T @ g, g), LINEAR, "not summed"),
    Mistake("linear: dw transposed", linear, lambda g, x, w, b: (g @ w.T, g.T @ x, g.sum(0)), (normal(4, 3), normal(3, 3), normal(3)), r"g\.T @ x|transposed"),
    Mistake("broadcast: first row only", lambda x, b: x * b, lambda g, x, b: (g * b, (g * x)[0]), (X43, normal(3)), "only the first"),
    Mistake("broadcast: wrong axis", lambda x, b: x * b, lambda g, x, b: (g * b, (g * x).sum(1)), (normal(3, 3), normal(3)), "summed over axis 1"),
    Mistake("broadcast: averaged", lambda x, b: x + b, lambda g, x, b: (g, g.mean(0)), (X43, normal(3)), "mean instead of a sum|averaged"),
]  # fmt: skip


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def leaky(x):
    return np.where(x > 0, x, 0.1 * x)


def bce(p, t):
    return -(t * np.log(p) + (1 - t) * np.log(1 - p)).sum()


def concat(a, b):
    return np.concatenate([a, b])


INDEX = np.array([0, 2, 2, 1])


def embedding(w):
    return w[INDEX]


def embedding_vjp(g, w):
    d = np.zeros_like(w)
    d[INDEX] = g
    return d


ELEMENTWISE = [
    Mistake("tanh: at the input", np.tanh, lambda g, x: g * (1 - x**2), (normal(4),), "`?x`? is used in the place of `?tanh"),
    Mistake("tanh: at the input, by expression", lambda x: np.tanh(x) * 2, lambda g, x: 2 * g * (1 - x**2), (normal(4),), r"`x` is used in the place of `np.tanh\(x\)`"),
    Mistake("sigmoid: at the input", sigmoid, lambda g, x: g * x * (1 - x), (normal(4),), "`x` is used in the place of|write `1 / .*` for `x`"),
    Mistake("sigmoid: half at the input", sigmoid, lambda g, x: g * sigmoid(x) * (1 - x), (normal(4),), "`x` is used in the place of|write `1 / .*` for `x`"),
    Mistake("x sin x: one term", lambda x: x * np.sin(x), lambda g, x: g * np.sin(x), (normal(4),), r"np.sin\(x\)` (is held constant|in .* is missing)|cos.* (missing|left out)"),
    Mistake("residual forgotten", lambda x: x + np.tanh(x), lambda g, x: g * (1 - np.tanh(x) ** 2), (normal(4),), r"path through `x` in `x \+ np.tanh\(x\)` is missing"),
    Mistake("leaky: slope on the wrong side", leaky, lambda g, x: g * np.where(x > 0, 0.1, 1.0), (normal(6),), "inverse|exchanged"),
    Mistake("relu: mask inverted", lambda x: np.maximum(x, 0), lambda g, x: g * (x <= 0), (normal(6),), "inverse|exchanged"),
    Mistake("slice off by one", lambda x: x[1:4], lambda g, x: np.concatenate([g, np.zeros(3)]), (normal(6),), "off by one|starts at 0|off by 1"),
    Mistake("bce: without 1/(p(1 - p))", bce, lambda g, p, t: (g * (p - t), None), (np.random.default_rng(1).uniform(0.2, 0.8, 5), np.array([0, 1, 1, 0, 1])), r"p\(1 - p\)"),
    Mistake("concat: pieces exchanged", concat, lambda g, a, b: (g[3:], g[:3]), (normal(3), normal(3)), "exchanged|gets the gradient of"),
    Mistake("embedding: repeats overwritten", embedding, embedding_vjp, (normal(3, 2),), "overwrites|assigned"),
    Mistake("cumsum: not reversed", lambda x: np.cumsum(x), lambda g, x: np.cumsum(g), (normal(5),), "not transposed|backwards"),
    Mistake("clamp lets all pass", lambda x: np.clip(x, -0.5, 0.5), lambda g, x: g, (np.linspace(-1.3, 1.4, 8),), "passes everywhere"),
    Mistake("clip: lower bound forgotten", lambda x: np.clip(x, -0.5, 0.5), lambda g, x: g * (x < 0.5), (normal(8),), "min left out|-0.5"),
]  # fmt: skip


def lstm_cell(x, w, c):
    z = x @ w
    i, f, o, a = np.split(z, 4, axis=1)
    new = sigmoid(f) * c + sigmoid(i) * np.tanh(a)
    return sigmoid(o) * np.tanh(new)


def lstm_vjp(g, x, w, c):
    i, f, o, a = np.split(x @ w, 4, axis=1)
    si, sf, so, ta = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(a)
    new = sf * c + si * ta
    dnew = g * so * (1 - np.tanh(new) ** 2)
    di, df = dnew * ta * si * (1 - si), dnew * c * sf * (1 - sf)
    do, da = g * np.tanh(new) * so * (1 - so), dnew * si * (1 - ta**2)
    dz = np.concatenate([df, di, do, da], axis=1)
    return dz @ w.T, x.T @ dz, dnew * sf


def attention(q, k, v):
    s = q @ k.T / np.sqrt(q.shape[1])
    return softmax(s) @ v


def attention_vjp(g, q, k, v, scale=True, jacobian=True):
    p = softmax(q @ k.T / np.sqrt(q.shape[1]))
    dp = g @ v.T
    ds = p * (dp - (dp * p).sum(1, keepdims=True)) if jacobian else dp
    if scale:
        ds = ds / np.sqrt(q.shape[1])
    return ds @ k, ds.T @ q, p.T @ g


def rnn(x, w, u):
    h = np.zeros(3)
    for t in range(4):
        h = np.tanh(x[t] @ w + h @ u)
    return h


def rnn_last(g, x, w, u):
    h = [np.zeros(3)]
    for t in range(4):
        h.append(np.tanh(x[t] @ w + h[-1] @ u))
    d = g * (1 - h[4] ** 2)
    dx = np.zeros_like(x)
    dx[3] = d @ w.T
    return dx, np.outer(x[3], d), np.outer(h[3], d)


ATTENTION = (normal(3, 4), normal(5, 4), normal(5, 2))
NETWORKS = [
    Mistake("lstm: gates i and f exchanged", lstm_cell, lstm_vjp, (normal(2, 3), normal(3, 8), normal(2, 2)), "exchanged"),
    Mistake("attention: softmax's Jacobian left out", attention, lambda *a: attention_vjp(*a, jacobian=False), ATTENTION, "derivative of .*(softmax|e / e.sum).* left out"),
    Mistake("attention: scale forgotten", attention, lambda *a: attention_vjp(*a, scale=False), ATTENTION, r"division by `?(np.sqrt\(q.shape\[1\]\)|2)`? is missing"),
    Mistake("rnn: last step only", rnn, rnn_last, (normal(4, 2), normal(2, 3), normal(3, 3)), r"path through|held constant|last"),
]  # fmt: skip

MISTAKES = [*SOFTMAX, *NORM, *CONVOLUTION, *POOLING, *PRODUCTS, *ELEMENTWISE, *NETWORKS]
