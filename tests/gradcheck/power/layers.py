"""Normalisation, softmax, losses, dropout with a mask, small networks."""

import numpy as np

from tests.gradcheck.power.case import normal, others, positive, spread, variants

X, GAMMA, BETA = normal(61, 5, 4), positive(62, 4), normal(63, 4)
LABELS, ROWS = np.array([1, 0, 3, 2, 1]), np.arange(5)
T = positive(64, 5, 4) / 3
U, Y = normal(65, 6), np.array([1.0, 0.0, 1.0, 1.0, 0.0, 0.0])
SIGNS = np.array([1.0, -1.0, 1.0, -1.0, -1.0, 1.0])


def softmax(x, axis=1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def batch_norm(x, gamma, beta, axis=0):
    h = (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + 1e-3)
    return gamma * h + beta


def norm_vjp(g, x, gamma, beta, axis=0, m=""):
    s = np.sqrt(x.var(axis, keepdims=True) + (0.1 if m == "another epsilon" else 1e-3))
    h = (x - x.mean(axis, keepdims=True)) / s
    d = g if m == "gamma left out" else g * gamma
    along = 1 - axis if m == "sums over the other axis" else axis
    dx = d.copy()
    if m != "mean held constant":
        dx -= d.mean(along, keepdims=True)
    if m != "variance held constant":
        c = (d * h).mean(along, keepdims=True)
        dx -= c if m == "projection without h" else 0.99 * h * c if m == "projection 1% short" else h * c
    dx = dx / (s**2 if m == "divided by the variance" else s)
    dgamma = g * (x if m == "gamma by x" else h)
    return (
        dx,
        dgamma.mean(0) if m == "gamma averaged" else dgamma.sum(0),
        (g.sum(0) if m != "beta weighted" else (g * gamma).sum(0)),
    )


def layer_norm(x, gamma, beta):
    return batch_norm(x, gamma, beta, axis=1)


def layer_vjp(g, x, gamma, beta, m=""):
    return norm_vjp(g, x, gamma, beta, axis=1, m=m)


def rms(x, w):
    return w * x / np.sqrt((x**2).mean(1, keepdims=True) + 1e-5)


def rms_vjp(g, x, w, m=""):
    r = np.sqrt((x**2).mean(1, keepdims=True) + 1e-5)
    d = g * w
    c = (d * x).sum(1, keepdims=True) / (1 if m == "sum for mean" else 4)
    return (d / r - (x * c / r**2 if m == "a power missing" else x * c / r**3)), (g * x / r).sum(0)


def group_norm(x):
    h = x.reshape(2, 2, 3)
    return ((h - h.mean(2, keepdims=True)) / h.std(2, keepdims=True)).reshape(x.shape)


def group_vjp(g, x, m=""):
    shape = (2, 1, 6) if m == "all of a sample at once" else (2, 2, 3)
    h, d = x.reshape(2, 2, 3), g.reshape(shape)
    y = ((h - h.mean(2, keepdims=True)) / h.std(2, keepdims=True)).reshape(shape)
    s = np.broadcast_to(h.std(2, keepdims=True), h.shape).reshape(shape)
    return ((d - d.mean(2, keepdims=True) - y * (d * y).mean(2, keepdims=True)) / s).reshape(x.shape)


def softmax_vjp(g, x, m=""):
    p = softmax(x)
    if m == "diagonal only":
        return g * p * (1 - p)
    if m == "over the other axis":
        return p * (g - (g * p).sum(0, keepdims=True))
    if m == "mean for sum":
        return p * (g - (g * p).mean(1, keepdims=True))
    if m == "sum not weighted":
        return p * (g - g.sum(1, keepdims=True))
    return p * (g - (g * p).sum(1, keepdims=True)) / (2 if m == "temperature" else 1)


def log_softmax(x):
    return np.log(softmax(x))


def log_softmax_vjp(g, x, m=""):
    p = softmax(x, 0 if m == "softmax over the other axis" else 1)
    return g - p * (g if m == "not summed" else g.sum(1, keepdims=True))


def cross_entropy(x):
    return -np.log(softmax(x)[ROWS, LABELS]).mean()


def cross_entropy_vjp(g, x, m=""):
    p = softmax(x)
    d = p.copy()
    d[ROWS, (LABELS + 1) % 4 if m == "labels off by one" else LABELS] -= 0.999 if m == "a little off" else 1
    if m == "only the label's own":
        d = d * (np.eye(4)[LABELS])
    if m == "first sample twice":
        d[0] *= 2
    return g * d / (4 if m == "divided by classes" else 1 if m == "not divided" else 5)


def smoothed(x, e=0.1):
    q = np.eye(4)[LABELS] * (1 - e) + e / 4
    return -(q * np.log(softmax(x))).sum()


def smoothed_vjp(g, x, m=""):
    e = {"not smoothed": 0.0, "smoothed over the others": 0.1 * 4 / 3}.get(m, 0.1)
    return g * (softmax(x) - np.eye(4)[LABELS] * (1 - e) - e / 4)


def bce(x):
    return np.mean(np.maximum(x, 0) - x * Y + np.log1p(np.exp(-np.abs(x))))


def bce_vjp(g, x, m=""):
    p = sigmoid(x)
    d = p - Y
    if m == "sigmoid again":
        d = d * p * (1 - p)
    if m == "labels exchanged":
        d = p - (1 - Y)
    return g * d / (1 if m == "not averaged" else 6)


def huber(x):
    return np.where(np.abs(x) < 1, x * x / 2, np.abs(x) - 0.5).sum()


def huber_vjp(g, x, m=""):
    far = np.sign(x) if m != "half a sign" else np.sign(x) / 2
    near = 2 * x if m == "near ones doubled" else x
    return g * np.where(np.abs(x) < (1.5 if m == "another threshold" else 1), near, far)


def hinge_vjp(g, x, m=""):
    margin = 1 - SIGNS * x > (0.4 if m == "another margin" else 0)
    return g * (-SIGNS if m != "sign" else SIGNS) * margin / (6 if m != "over the active" else max(margin.sum(), 1))


def kl(q):
    return (T * (np.log(T) - np.log(q))).sum()


def network(x, w1, b1, w2):
    h = np.maximum(x @ w1 + b1, 0)
    return ((h @ w2) ** 2).mean()


def network_vjp(g, x, w1, b1, w2, m=""):
    z = x @ w1 + b1
    h = np.maximum(z, 0)
    d = g * 2 * (h @ w2) / (len(x) * w2.shape[1])
    dh = d @ w2.T
    dz = dh * (h >= 0 if m == "mask lets all through" else x[:, :1] > 0 if m == "mask of the input" else z > 0)
    dw2 = (z if m == "before the ReLU" else h).T @ d
    return (
        dz @ w1.T,
        x.T @ (dh if m == "mask left out of the weight" else dz),
        dz.sum(0) * (0.5 if m == "bias halved" else 1),
        dw2,
    )


MASK = (np.arange(20).reshape(5, 4) % 3 > 0) / 0.6667

CASES = [
    *variants(
        "batch norm",
        batch_norm,
        norm_vjp,
        (X, GAMMA, BETA),
        "mean held constant",
        "variance held constant",
        "gamma left out",
        "sums over the other axis",
        "projection without h",
        "projection 1% short",
        "divided by the variance",
        "gamma by x",
        "gamma averaged",
        "another epsilon",
        "beta weighted",
    ),
    *variants(
        "layer norm",
        layer_norm,
        layer_vjp,
        (X, GAMMA, BETA),
        "mean held constant",
        "variance held constant",
        "sums over the other axis",
        "projection 1% short",
    ),
    *variants("rms norm", rms, rms_vjp, (X, GAMMA), "sum for mean", "a power missing"),
    *variants("group norm", group_norm, group_vjp, (normal(66, 2, 6),), "all of a sample at once"),
    *variants(
        "softmax",
        softmax,
        softmax_vjp,
        (X,),
        "diagonal only",
        "over the other axis",
        "mean for sum",
        "sum not weighted",
        "temperature",
    ),
    *variants("log-softmax", log_softmax, log_softmax_vjp, (X,), "softmax over the other axis", "not summed"),
    *variants(
        "cross-entropy",
        cross_entropy,
        cross_entropy_vjp,
        (X,),
        "labels off by one",
        "only the label's own",
        "first sample twice",
        "divided by classes",
        "not divided",
        "a little off",
    ),
    *variants("smoothed cross-entropy", smoothed, smoothed_vjp, (X,), "not smoothed", "smoothed over the others"),
    *variants("binary cross-entropy", bce, bce_vjp, (U,), "sigmoid again", "labels exchanged", "not averaged"),
    *variants("Huber", huber, huber_vjp, (spread(67, 9) * 2,), "half a sign", "near ones doubled", "another threshold"),
    *variants(
        "hinge",
        lambda x: np.maximum(0, 1 - SIGNS * x).mean(),
        hinge_vjp,
        (U,),
        "another margin",
        "sign",
        "over the active",
    ),
    *others(
        "divergence",
        kl,
        lambda g, q: -g * T / q,
        (T[::-1].copy(),),
        {"sign": lambda g, q: g * T / q, "one more": lambda g, q: g * (1 - T / q)},
    ),
    *others(
        "mean square",
        lambda a, b: ((a - b) ** 2).mean(),
        lambda g, a, b: (g * (a - b) / 10, -g * (a - b) / 10),
        (X, T),
        {
            "second has the sign of the first": lambda g, a, b: (g * (a - b) / 10, g * (a - b) / 10),
            "per sample": lambda g, a, b: (g * 2 * (a - b) / 5, -g * 2 * (a - b) / 5),
        },
    ),
    *others(
        "dropout",
        lambda x: x * MASK,
        lambda g, x: g * MASK,
        (X,),
        {"not scaled": lambda g, x: g * (MASK > 0), "another mask": lambda g, x: g * MASK[:, ::-1]},
    ),
    *others(
        "cosine similarity",
        lambda a, b: a @ b / np.sqrt(a @ a) / np.sqrt(b @ b),
        lambda g, a, b: (
            g * (b / np.sqrt(a @ a * (b @ b)) - a * (a @ b) / np.sqrt(a @ a * (b @ b)) / (a @ a)),
            g * (a / np.sqrt(a @ a * (b @ b)) - b * (a @ b) / np.sqrt(a @ a * (b @ b)) / (b @ b)),
        ),
        (U, normal(68, 6)),
        {"lengths held constant": lambda g, a, b: (g * b / np.sqrt(a @ a * (b @ b)), g * a / np.sqrt(a @ a * (b @ b)))},
    ),
    *variants(
        "two layers",
        network,
        network_vjp,
        (normal(69, 4, 3), normal(70, 3, 5), normal(71, 5), normal(72, 5, 2)),
        "mask lets all through",
        "mask of the input",
        "before the ReLU",
        "mask left out of the weight",
        "bias halved",
    ),
]
