"""A second set, written down after the naming was mended on the first, before it was run on this one."""

import numpy as np

from tests.gradcheck.mistakes.case import Mistake, normal, positive, start

start()

A34, B34, C33 = normal(3, 4), normal(3, 4), normal(3, 3)
V6, W6, P6 = normal(6), normal(6), positive(6)


def relu(x):
    return np.maximum(0, x)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


# ---- a two-layer classifier, as in a course ----------------------------------------------------------------------------

LABELS = np.array([2, 0, 1, 2])


def classifier(X, W1, b1, W2, b2):
    h = relu(X @ W1 + b1)
    scores = h @ W2 + b2
    scores = scores - scores.max(axis=1, keepdims=True)
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(4), LABELS]).mean()


def classifier_vjp(g, X, W1, b1, W2, b2, what=""):
    z = X @ W1 + b1
    h = relu(z)
    scores = h @ W2 + b2
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    d = p.copy()
    if what != "onehot":
        d[np.arange(4), LABELS] -= 1
    if what != "n":
        d = d / 4
    d = d * g
    dW2 = h.T @ d if what != "z" else z.T @ d
    db2 = d.sum(axis=0) if what != "mean" else d.mean(axis=0)
    dh = d @ W2.T
    if what == "mask2":
        dh[h < 0] = 0
    else:
        dh[z <= 0] = 0
    dW1 = X.T @ dh
    if what == "w1":
        dW1 = X.T @ (d @ W2.T)
    db1 = dh.sum(axis=0)
    dX = dh @ W1.T
    if what == "decay":
        dW2 = dW2 + 0.1 * W2
    if what == "b1":
        db1 = db1 / 4
    if what == "sign":
        dX = -dX
    return dX, dW1, db1, dW2, db2


COURSE = (normal(4, 3), normal(3, 5), normal(5), normal(5, 3), normal(3))
CLASSIFIER = [
    Mistake("classifier: one-hot forgotten", classifier, lambda *a: classifier_vjp(*a, what="onehot"), COURSE, r"one-hot|p\[np.arange\(4\), LABELS\].*held|term"),
    Mistake("classifier: not averaged", classifier, lambda *a: classifier_vjp(*a, what="n"), COURSE, r"\b4\b|number of rows"),
    Mistake("classifier: dW2 of z", classifier, lambda *a: classifier_vjp(*a, what="z"), COURSE, r"`X @ W1 \+ b1` is used in the place|write `h`"),
    Mistake("classifier: db2 mean", classifier, lambda *a: classifier_vjp(*a, what="mean"), COURSE, r"mean instead of a sum|should be a sum"),
    Mistake("classifier: mask of h < 0", classifier, lambda *a: classifier_vjp(*a, what="mask2"), COURSE, r"mask|passes everywhere"),
    Mistake("classifier: dW1 without the mask", classifier, lambda *a: classifier_vjp(*a, what="w1"), COURSE, r"mask|passes everywhere|write `dh`"),
    Mistake("classifier: weight decay only in the backward", classifier, lambda *a: classifier_vjp(*a, what="decay"), COURSE, r"0\.1 \* W2|`0.1|too many|write .*`h.T @ d`"),
    Mistake("classifier: db1 averaged", classifier, lambda *a: classifier_vjp(*a, what="b1"), COURSE, r"4 times too small|mean instead|\b4\b"),
    Mistake("classifier: dX sign", classifier, lambda *a: classifier_vjp(*a, what="sign"), COURSE, r"`X` has the wrong sign"),
]  # fmt: skip


# ---- gru, lstm, attention heads ----------------------------------------------------------------------------------------


def gru(x, h, wz, wr, wn):
    z = sigmoid(x @ wz)
    r = sigmoid(x @ wr)
    n = np.tanh(x @ wn + r * h)
    return (1 - z) * n + z * h


def gru_vjp(g, x, h, wz, wr, wn, what=""):
    z, r = sigmoid(x @ wz), sigmoid(x @ wr)
    n = np.tanh(x @ wn + r * h)
    dz = g * (h - n)
    dn = g * (1 - z)
    dh = g * z
    da = dn * (1 - n**2)
    if what == "tanh":
        da = dn * (1 - n)
    dr = da * h
    if what != "reset":
        dh = dh + da * r
    dzz = dz * z * (1 - z)
    drr = dr * r * (1 - r)
    if what == "gate":
        dzz = g * (n - h) * z * (1 - z)
    if what == "update":
        dh = g * (1 - z) + da * r
    if what == "r":
        drr = dr * z * (1 - z)
    dx = dzz @ wz.T + drr @ wr.T + da @ wn.T
    if what == "dx":
        dx = dzz @ wz.T + da @ wn.T
    return dx, dh, x.T @ dzz, x.T @ drr, x.T @ da


GRU = (normal(3, 2), normal(3, 4), normal(2, 4), normal(2, 4), normal(2, 4))


def heads(q, k, v):
    n, d = q.shape
    q3, k3, v3 = (a.reshape(n, 2, d // 2).transpose(1, 0, 2) for a in (q, k, v))
    s = q3 @ k3.transpose(0, 2, 1) / np.sqrt(d // 2)
    e = np.exp(s - s.max(axis=2, keepdims=True))
    p = e / e.sum(axis=2, keepdims=True)
    return (p @ v3).transpose(1, 0, 2).reshape(n, d)


def heads_vjp(g, q, k, v, what=""):
    n, d = q.shape
    q3, k3, v3, g3 = (a.reshape(n, 2, d // 2).transpose(1, 0, 2) for a in (q, k, v, g))
    if what == "split":
        g3 = g.reshape(2, n, d // 2)
    s = q3 @ k3.transpose(0, 2, 1) / np.sqrt(d // 2)
    e = np.exp(s - s.max(axis=2, keepdims=True))
    p = e / e.sum(axis=2, keepdims=True)
    dp = g3 @ v3.transpose(0, 2, 1)
    ds = p * (dp - (dp * p).sum(axis=2, keepdims=True))
    if what == "axis":
        ds = p * (dp - (dp * p).sum(axis=1, keepdims=True))
    if what == "jacobian":
        ds = p * dp
    if what != "scale":
        ds = ds / np.sqrt(d // 2)
    dq, dk, dv = ds @ k3, ds.transpose(0, 2, 1) @ q3, p.transpose(0, 2, 1) @ g3
    if what == "dv":
        dv = p @ g3
    if what == "dk":
        dk = ds @ q3
    return tuple(a.transpose(1, 0, 2).reshape(n, d) for a in (dq, dk, dv))


HEADS = (normal(3, 4), normal(3, 4), normal(3, 4))


def cell(x, h, c, w):
    z = np.concatenate([x, h], axis=1) @ w
    i, f, o, u = z[:, :2], z[:, 2:4], z[:, 4:6], z[:, 6:]
    new = sigmoid(f) * c + sigmoid(i) * np.tanh(u)
    return sigmoid(o) * np.tanh(new), new


def cell_vjp(gs, x, h, c, w, what=""):
    gh, gc = gs
    xh = np.concatenate([x, h], axis=1)
    z = xh @ w
    i, f, o, u = sigmoid(z[:, :2]), sigmoid(z[:, 2:4]), sigmoid(z[:, 4:6]), np.tanh(z[:, 6:])
    new = f * c + i * u
    t = np.tanh(new)
    dc = gh * o * (1 - t**2) + (gc if what != "state" else 0)
    if what == "inner":
        dc = gh * o + gc
    di, df, do, du = dc * u * i * (1 - i), dc * c * f * (1 - f), gh * t * o * (1 - o), dc * i * (1 - u**2)
    if what == "output":
        do = gh * new * o * (1 - o)
    dz = np.concatenate([di, df, do, du], axis=1)
    dxh = dz @ w.T
    return dxh[:, :2], dxh[:, 2:], dc * (f if what != "forget" else i), xh.T @ dz


CELL = (normal(3, 2), normal(3, 2), normal(3, 2), normal(4, 8))

RECURRENT = [
    Mistake("gru: tanh' without the square", gru, lambda *a: gru_vjp(*a, what="tanh"), GRU, r"squared|\*\*2"),
    Mistake("gru: reset path of h", gru, lambda *a: gru_vjp(*a, what="reset"), GRU, r"r \* h|path|held"),
    Mistake("gru: dz sign", gru, lambda *a: gru_vjp(*a, what="gate"), GRU, r"sign"),
    Mistake("gru: 1 - z for z", gru, lambda *a: gru_vjp(*a, what="update"), GRU, r"`1 - z`|for `1 - z`"),
    Mistake("gru: z for r", gru, lambda *a: gru_vjp(*a, what="r"), GRU, r"sigmoid\(x @ wz\)|write `r`|for `z`|`z"),
    Mistake("gru: reset path of x", gru, lambda *a: gru_vjp(*a, what="dx"), GRU, r"x @ wr|path|held"),
    Mistake("heads: put together wrongly", heads, lambda *a: heads_vjp(*a, what="split"), HEADS, r"axes|order|transpose|reshape"),
    Mistake("heads: axis", heads, lambda *a: heads_vjp(*a, what="axis"), HEADS, r"axis 1 instead of axis 2|should have axis 2"),
    Mistake("heads: Jacobian's second term", heads, lambda *a: heads_vjp(*a, what="jacobian"), HEADS, r"term|held constant"),
    Mistake("heads: scale", heads, lambda *a: heads_vjp(*a, what="scale"), HEADS, r"sqrt\(d // 2\)|1\.41"),
    Mistake("heads: dv not transposed", heads, lambda *a: heads_vjp(*a, what="dv"), HEADS, r"\.T @ g|transpos|\.T"),
    Mistake("heads: dk not transposed", heads, lambda *a: heads_vjp(*a, what="dk"), HEADS, r"\.T|transpos"),
    Mistake("cell: gradient of the state forgotten", cell, lambda *a: cell_vjp(*a, what="state"), CELL, r"path|gc|incoming|term|held"),
    Mistake("cell: tanh' forgotten", cell, lambda *a: cell_vjp(*a, what="inner"), CELL, r"tanh|1 - t"),
    Mistake("cell: do of the state", cell, lambda *a: cell_vjp(*a, what="output"), CELL, r"`new`|np.tanh\(new\)|for `new`|in the place of"),
    Mistake("cell: dc with i", cell, lambda *a: cell_vjp(*a, what="forget"), CELL, r"write `f`|sigmoid\(i\)|for `i`|in the place of"),
]  # fmt: skip


# ---- convolution, pooling, images --------------------------------------------------------------------------------------


def depthwise(x, w):
    c, h, k = x.shape[0], x.shape[1], w.shape[1]
    out = np.zeros((c, h - k + 1))
    for i in range(h - k + 1):
        out[:, i] = (x[:, i : i + k] * w).sum(axis=1)
    return out


def depthwise_vjp(g, x, w, what=""):
    dx, dw, k = np.zeros_like(x), np.zeros_like(w), w.shape[1]
    for i in range(g.shape[1]):
        if what == "assign":
            dx[:, i : i + k] = g[:, i : i + 1] * w
        elif what == "flip":
            dx[:, i : i + k] += g[:, i : i + 1] * w[:, ::-1]
        else:
            dx[:, i : i + k] += g[:, i : i + 1] * w
        if what == "first":
            dw += g[:, i : i + 1] * x[:, :k]
        elif what == "last":
            dw = g[:, i : i + 1] * x[:, i : i + k]
        else:
            dw += g[:, i : i + 1] * x[:, i : i + k]
    return dx, dw / g.shape[1] if what == "mean" else dw


def dilated(x, w):
    return sum(x[2 * j : 2 * j + 4] * w[j] for j in range(3))


def dilated_vjp(g, x, w, dilation=2, read=2):
    dx = np.zeros_like(x)
    for j in range(3):
        dx[dilation * j : dilation * j + 4] += g * w[j]
    return dx, np.array([(g * x[read * j : read * j + 4]).sum() for j in range(3)])


def image_mean(x):
    return x.mean(axis=(1, 2))


def max1d(x):
    return np.array([x[2 * i : 2 * i + 2].max() for i in range(3)])


def max1d_vjp(g, x, what=""):
    d = np.zeros_like(x)
    for i in range(3):
        j = 2 * i + int(np.argmax(x[2 * i : 2 * i + 2]))
        if what == "other":
            j = 2 * i + int(np.argmin(x[2 * i : 2 * i + 2]))
        if what == "local":
            j = int(np.argmax(x[2 * i : 2 * i + 2]))
        d[j] += g[i]
    return d


def transposed(x, w):
    out = np.zeros(2 * len(x) + 1)
    for i in range(len(x)):
        out[2 * i : 2 * i + 3] += x[i] * w
    return out


def transposed_vjp(g, x, w, step=2, flip=False):
    dx = np.array([(g[step * i : step * i + 3] * (w[::-1] if flip else w)).sum() for i in range(len(x))])
    return dx, sum(x[i] * g[2 * i : 2 * i + 3] for i in range(len(x)))


def affine_channels(x, a, b):
    return x * a[None, :, None] + b[None, :, None]


IMAGES = [
    Mistake("depthwise: assigned", depthwise, lambda *a: depthwise_vjp(*a, what="assign"), (A34, normal(3, 2)), r"assigned|overwrites|last"),
    Mistake("depthwise: flipped", depthwise, lambda *a: depthwise_vjp(*a, what="flip"), (A34, normal(3, 2)), r"revers|write `w`"),
    Mistake("depthwise: dw of the first window", depthwise, lambda *a: depthwise_vjp(*a, what="first"), (A34, normal(3, 2)), r"first turn|place of the first|starts at 0"),
    Mistake("depthwise: dw of the last window", depthwise, lambda *a: depthwise_vjp(*a, what="last"), (A34, normal(3, 2)), r"last|path|held|gets no"),
    Mistake("depthwise: dw averaged", depthwise, lambda *a: depthwise_vjp(*a, what="mean"), (A34, normal(3, 2)), r"3 times too small|division by 3"),
    Mistake("dilated: dilation ignored in dx", dilated, lambda *a: dilated_vjp(*a, dilation=1), (normal(8), normal(3)), r"stride|step|dilation"),
    Mistake("dilated: dilation ignored in dw", dilated, lambda *a: dilated_vjp(*a, read=1), (normal(8), normal(3)), r"stride|step|dilation"),
    Mistake("image mean: rows only", image_mean, lambda g, x: np.broadcast_to(g[:, None, None], x.shape) / x.shape[1], (normal(2, 3, 4),), r"4 times too large|12.*\b3\b|\b3\b.*12|\b4\b"),
    Mistake("image mean: not divided", image_mean, lambda g, x: np.broadcast_to(g[:, None, None], x.shape), (normal(2, 3, 4),), r"division by 12|12 times|sum"),
    Mistake("max1d: smallest", max1d, lambda *a: max1d_vjp(*a, what="other"), (V6,), r"inverse|smallest|wrong elements|reversed|exchanged|not to the largest"),
    Mistake("max1d: place in the window", max1d, lambda *a: max1d_vjp(*a, what="local"), (V6,), r"place of the first|starts at 0|first turn|stride"),
    Mistake("transposed conv: step 1 in dx", transposed, lambda *a: transposed_vjp(*a, step=1), (normal(4), normal(3)), r"stride|step"),
    Mistake("transposed conv: flipped", transposed, lambda *a: transposed_vjp(*a, flip=True), (normal(4), normal(3)), r"revers|write `w`"),
    Mistake("channels: da over the wrong axes", affine_channels, lambda g, x, a, b: (g * a[None, :, None], (g * x).sum((0, 1)), g.sum((0, 2))), (normal(2, 3, 3), normal(3), normal(3)), r"axis|axes"),
    Mistake("channels: db of the first image", affine_channels, lambda g, x, a, b: (g * a[None, :, None], (g * x).sum((0, 2)), g[0].sum(1)), (normal(2, 3, 4), normal(3), normal(3)), r"first|sum"),
    Mistake("channels: dx without a", affine_channels, lambda g, x, a, b: (g, (g * x).sum((0, 2)), g.sum((0, 2))), (normal(2, 3, 4), normal(3), normal(3)), r"`a"),
]  # fmt: skip


# ---- formulas, statistics, losses --------------------------------------------------------------------------------------


def logistic_growth(x, r):
    return r * x * (1 - x)


def tanh_gate(x, w, b):
    return np.tanh(w * x + b) * x


def tanh_gate_vjp(g, x, w, b, what=""):
    t = np.tanh(w * x + b)
    d = g * x * (1 - t**2)
    dx = g * t + d * w
    if what == "x":
        dx = g * t + d
    if what == "direct":
        dx = d * w
    db = d if what != "b" else g * x
    dw = d * x if what != "w" else d
    return dx, dw, db


def charbonnier(x):
    return np.sqrt(x**2 + 0.04).sum()


def student(x):
    return np.log(1 + x**2 / 3).sum()


def attention_pool(x, w):
    s = x @ w
    e = np.exp(s - s.max())
    a = e / e.sum()
    return a @ x


def pool_vjp(g, x, w, what=""):
    s = x @ w
    e = np.exp(s - s.max())
    a = e / e.sum()
    da = x @ g
    ds = a * (da - (a * da).sum())
    if what == "sum":
        ds = a * da
    if what == "softmax":
        ds = da
    dx = np.outer(a, g) + np.outer(ds, w)
    if what == "value":
        dx = np.outer(ds, w)
    if what == "score":
        dx = np.outer(a, g)
    return dx, x.T @ ds


def mixture(w, x):
    p = np.exp(w) / np.exp(w).sum()
    return np.log((p * np.exp(-(x**2))).sum())


def norm_p(x):
    return (np.abs(x) ** 3).sum() ** (1 / 3)


def entropy(z):
    p = np.exp(z) / np.exp(z).sum()
    return -(p * np.log(p)).sum()


def poly(x, c):
    return c[0] + c[1] * x + c[2] * x**2


def standard(x):
    return (x - x.mean()) / x.std()


def standard_vjp(g, x, what=""):
    y, s = (x - x.mean()) / x.std(), x.std()
    d = g - (g.mean() if what != "mean" else 0) - (y * (g * y).mean() if what != "std" else 0)
    if what == "sum":
        d = g - g.sum() - y * (g * y).mean()
    if what == "var":
        return d / s**2
    return d / s


def correlation(x, y):
    a, b = x - x.mean(), y - y.mean()
    return (a * b).mean() / (x.std() * y.std())


def margin(a, b):
    return np.maximum(0, 0.5 - (a - b)).sum()


def scale_shift(x, s):
    return (x - x.min()) * s


def softmin_vjp(g, x, sign=1):
    e = np.exp(-x)
    p = e / e.sum()
    return sign * p * (g - (g * p).sum())


def softmin(x):
    e = np.exp(-x)
    return e / e.sum()


FORMULAS = [
    Mistake("growth: product rule", logistic_growth, lambda g, x, r: (g * r * (1 - x), g * x * (1 - x)), (V6, P6), r"1 - x.*held constant|path|term"),
    Mistake("growth: sign of the second term", logistic_growth, lambda g, x, r: (g * r, g * x * (1 - x)), (V6, P6), r"sign"),
    Mistake("growth: dr without x", logistic_growth, lambda g, x, r: (g * r * (1 - 2 * x), g * (1 - x)), (V6, P6), r"`x`"),
    Mistake("gate: w forgotten", tanh_gate, lambda *a: tanh_gate_vjp(*a, what="x"), (V6, W6, P6), r"`w`"),
    Mistake("gate: direct path", tanh_gate, lambda *a: tanh_gate_vjp(*a, what="direct"), (V6, W6, P6), r"path through `x`|term"),
    Mistake("gate: tanh' forgotten in db", tanh_gate, lambda *a: tanh_gate_vjp(*a, what="b"), (V6, W6, P6), r"tanh|1 - t|write `d`"),
    Mistake("gate: x forgotten in dw", tanh_gate, lambda *a: tanh_gate_vjp(*a, what="w"), (V6, W6, P6), r"`x`"),
    Mistake("charbonnier: eps forgotten", charbonnier, lambda g, x: g * np.sign(x), (V6,), r"0\.04|divi|abs"),
    Mistake("charbonnier: not divided", charbonnier, lambda g, x: g * x, (V6,), r"division|divided"),
    Mistake("charbonnier: half", charbonnier, lambda g, x: g * x / np.sqrt(x**2 + 0.04) / 2, (V6,), r"\b2\b|times too small|1/2|0\.5"),
    Mistake("student: 3 forgotten", student, lambda g, x: g * 2 * x / (1 + x**2 / 3), (V6,), r"\b3\b"),
    Mistake("student: 2 forgotten", student, lambda g, x: g * x / 3 / (1 + x**2 / 3), (V6,), r"\b2\b|times too small"),
    Mistake("student: 3 doubled", student, lambda g, x: g * 2 * x / 3 / (1 + x**2 / 9), (V6,), r"\b[39]\b"),
    Mistake("pool: second term", attention_pool, lambda *a: pool_vjp(*a, what="sum"), (normal(5, 3), normal(3)), r"term|held constant"),
    Mistake("pool: softmax left out", attention_pool, lambda *a: pool_vjp(*a, what="softmax"), (normal(5, 3), normal(3)), r"softmax.* left out|left out.*softmax|e / e.sum"),
    Mistake("pool: value path", attention_pool, lambda *a: pool_vjp(*a, what="value"), (normal(5, 3), normal(3)), r"path through `x` in `a @ x`|term"),
    Mistake("pool: score path", attention_pool, lambda *a: pool_vjp(*a, what="score"), (normal(5, 3), normal(3)), r"x @ w|held constant|path"),
    Mistake("norm: power", norm_p, lambda g, x: g * np.sign(x) * np.abs(x) ** 2, (V6,), r"divi|factor|held|left out|1/3|power"),
    Mistake("norm: sign of x forgotten", norm_p, lambda g, x: g * np.abs(x) ** 2 / norm_p(x) ** 2, (V6,), r"sign|abs"),
    Mistake("entropy: 1 forgotten", entropy, lambda g, z: -g * softmax_(z) * (np.log(softmax_(z))), (V6,), r"held|term|path"),
    Mistake("entropy: sign", entropy, lambda g, z: g * softmax_(z) * (np.log(softmax_(z)) + entropy(z)), (V6,), r"sign"),
    Mistake("poly: dx without 2", poly, lambda g, x, c: (g * (c[1] + c[2] * x), np.array([g.sum(), (g * x).sum(), (g * x**2).sum()])), (V6, normal(3)), r"\b2\b"),
    Mistake("poly: dc shifted", poly, lambda g, x, c: (g * (c[1] + 2 * c[2] * x), np.array([(g * x).sum(), (g * x**2).sum(), g.sum()])), (V6, normal(3)), r"off by one|shift|other way|exchanged|turn"),
    Mistake("poly: dc a mean", poly, lambda g, x, c: (g * (c[1] + 2 * c[2] * x), np.array([g.mean(), (g * x).mean(), (g * x**2).mean()])), (V6, normal(3)), r"mean|6 times"),
    Mistake("standard: mean path", standard, lambda *a: standard_vjp(*a, what="mean"), (V6,), r"x.mean\(\)|mean\(g\)|held"),
    Mistake("standard: deviation path", standard, lambda *a: standard_vjp(*a, what="std"), (V6,), r"x.std\(\).*held|term"),
    Mistake("standard: sum for mean", standard, lambda *a: standard_vjp(*a, what="sum"), (V6,), r"sum of `g` is taken instead of the mean|\b6\b|should be a mean"),
    Mistake("standard: divided by the variance", standard, lambda *a: standard_vjp(*a, what="var"), (V6,), r"std|divi|\*\*2|s\*\*2|squared"),
    Mistake("correlation: deviations constant", correlation, lambda g, x, y: (g * (y - y.mean()) / 6 / (x.std() * y.std()), g * (x - x.mean()) / 6 / (x.std() * y.std())), (V6, W6), r"std.*held constant|held constant"),
    Mistake("margin: sign of db", margin, lambda g, a, b: (-g * (a - b < 0.5), -g * (a - b < 0.5)), (V6, W6), r"`b`.*sign|sign.*`b`"),
    Mistake("margin: mask", margin, lambda g, a, b: (-g * (a - b < 0), g * (a - b < 0)), (np.array([0.3, 0.2, -1.0, 1.0, 2.0, 0.45]), np.array([0.1, -0.1, 0.2, 0.0, 0.3, 0.2])), r"0\.5"),
    Mistake("shift: smallest a constant", scale_shift, lambda g, x, s: (g * s, g * (x - x.min())), (V6, P6), r"x.min\(\)"),
    Mistake("shift: ds of x", scale_shift, lambda g, x, s: (g * s - (x == x.min()) * (g * s).sum(), g * x), (V6, P6), r"`x`|x - x.min"),
    Mistake("softmin: sign", softmin, lambda g, x: softmin_vjp(g, x), (V6,), r"sign|-x"),
]  # fmt: skip


def softmax_(z):
    return np.exp(z) / np.exp(z).sum()


MISTAKES = [*CLASSIFIER, *RECURRENT, *IMAGES, *FORMULAS]
