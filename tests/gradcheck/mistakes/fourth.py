"""A fourth set, of other functions and other slips, committed before the naming was run on it."""

import numpy as np

import tinygrad_cnn as tg
from tests.gradcheck.mistakes.case import Mistake, OfTensors, normal, positive, start
from tinygrad_cnn.autograd import Function

start()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


# ---- layers ------------------------------------------------------------------------------------------------------------


def leaky_mlp(x, w1, b1, w2):
    z = x @ w1 + b1
    h = np.where(z > 0, z, 0.1 * z)
    return h @ w2


def leaky_mlp_vjp(g, x, w1, b1, w2, what=""):
    z = x @ w1 + b1
    h = np.where(z > 0, z, 0.1 * z)
    dh = g @ w2.T
    dz = np.where(z > 0, dh, 0.1 * dh)
    if what == "slope":
        dz = np.where(z > 0, dh, 0)
    if what == "mask":
        dz = dh
    db1 = dz.mean(axis=0) if what == "db" else dz.sum(axis=0)
    dw2 = (z if what == "z" else h).T @ g
    return dz @ w1.T, x.T @ dz, db1, dw2


def conv1d(x, w, b):
    windows = np.stack([x[:, :, t : t + 3] for t in range(4)], axis=1)
    return np.einsum("ntck,fck->nft", windows, w) + b[:, None]


def conv1d_vjp(g, x, w, b, what=""):
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for t in range(4):
        if what == "assign":
            dx[:, :, t : t + 3] = np.einsum("nf,fck->nck", g[:, :, t], w)
        elif what == "flip":
            dx[:, :, t : t + 3] += np.einsum("nf,fck->nck", g[:, :, t], w[:, :, ::-1])
        else:
            dx[:, :, t : t + 3] += np.einsum("nf,fck->nck", g[:, :, t], w)
        dw += np.einsum("nf,nck->fck", g[:, :, t], x[:, :, 0:3] if what == "window" else x[:, :, t : t + 3])
    db = g.sum(axis=2).mean(axis=0) if what == "db" else g.sum(axis=(0, 2))
    return dx, dw, db


def attention_pool(x, v):
    a = softmax(x @ v)
    return a @ x


def attention_pool_vjp(g, x, v, what=""):
    a = softmax(x @ v)
    da = x @ g
    ds = a * (da - a @ da)
    if what == "diagonal":
        ds = a * (1 - a) * da
    dx = np.outer(a, g) + np.outer(ds, v)
    if what == "weights":
        dx = np.outer(a, g)
    if what == "values":
        dx = np.outer(ds, v)
    dv = x.T @ da if what == "dv" else x.T @ ds
    return dx, dv


def mean_abs_norm(x, gamma):
    m = np.abs(x).mean(axis=1, keepdims=True) + 0.1
    return gamma * x / m


def mean_abs_vjp(g, x, gamma, what=""):
    m = np.abs(x).mean(axis=1, keepdims=True) + 0.1
    d = g if what == "gamma" else g * gamma
    dm = -(d * x).sum(axis=1, keepdims=True) / m**2
    if what == "power":
        dm = -(d * x).sum(axis=1, keepdims=True) / m
    spread = dm / x.shape[1]
    if what == "count":
        spread = dm
    dx = d / m + (spread if what == "sign" else spread * np.sign(x))
    return dx, (g * x / m).sum(axis=0)


EDGES = np.array([[0.5, 0.5, 0.0, 0.0], [0.0, 0.3, 0.7, 0.0], [0.2, 0.0, 0.4, 0.4], [0.0, 0.0, 0.6, 0.4]])


def graph_conv(x, w):
    return np.tanh(EDGES @ (x @ w))


def graph_conv_vjp(g, x, w, what=""):
    y = np.tanh(EDGES @ (x @ w))
    d = g * (1 - y) if what == "tanh" else g * (1 - y**2)
    dh = EDGES @ d if what == "edges" else EDGES.T @ d
    dx = dh @ w.T
    if what == "none":
        dx = d @ w.T
    dw = (EDGES @ x).T @ d
    if what == "dw":
        dw = x.T @ d
    return dx, dw


KEPT = np.array([[1.0], [0.0], [1.0], [1.0]])


def stochastic_depth(x, w, scale):
    return x + scale * KEPT / 0.75 * np.maximum(x @ w, 0)


def stochastic_vjp(g, x, w, scale, what=""):
    z = x @ w
    branch = g * KEPT / 0.75
    if what == "rate":
        branch = g * KEPT
    if what == "kept":
        branch = g / 0.75
    dz = branch * scale * (z > 0)
    dx = dz @ w.T + g
    if what == "skip":
        dx = dz @ w.T
    dscale = (branch * (z if what == "relu" else np.maximum(z, 0))).sum(axis=0)
    return dx, x.T @ dz, dscale


TOKENS = np.array([[1, 4, 1], [0, 2, 2]])
REAL = np.array([[1.0, 1.0, 1.0], [1.0, 1.0, 0.0]])


def bag(table):
    rows = table[TOKENS] * REAL[:, :, None]
    return rows.sum(axis=1) / REAL.sum(axis=1, keepdims=True)


def bag_vjp(g, table, what=""):
    each = g / REAL.sum(axis=1, keepdims=True)
    if what == "length":
        each = g / 3
    if what == "sum":
        each = g
    rows = each[:, None, :] * REAL[:, :, None]
    if what == "padding":
        rows = np.repeat(each[:, None, :], 3, axis=1)
    d = np.zeros_like(table)
    if what == "overwritten":
        d[TOKENS] = rows
    else:
        np.add.at(d, TOKENS, rows)
    return (d,)


def shuffle(x):
    return x.reshape(2, 2, 2, 2, 3).transpose(0, 3, 1, 4, 2).reshape(4, 12)


def shuffle_vjp(g, x, what=""):
    if what == "same":
        return (g.reshape(2, 2, 2, 3, 2).transpose(0, 3, 1, 4, 2).reshape(8, 6),)
    if what == "reshaped":
        return (g.reshape(8, 6),)
    if what == "swapped":
        return (g.reshape(2, 2, 2, 3, 2).transpose(0, 4, 2, 1, 3).reshape(8, 6),)
    return (g.reshape(2, 2, 2, 3, 2).transpose(0, 2, 4, 1, 3).reshape(8, 6),)


def pool1d(x):
    out = np.zeros((x.shape[0], 3))
    for t in range(3):
        out[:, t] = x[:, 2 * t : 2 * t + 3].mean(axis=1)
    return out


def pool1d_vjp(g, x, what=""):
    dx = np.zeros_like(x)
    for t in range(3):
        part = g[:, t : t + 1] if what == "sum" else g[:, t : t + 1] / 3
        if what == "assign":
            dx[:, 2 * t : 2 * t + 3] = part
        elif what == "stride":
            dx[:, t : t + 3] += part
        elif what == "first":
            dx[:, 2 * t : 2 * t + 1] += part
        else:
            dx[:, 2 * t : 2 * t + 3] += part
    return (dx,)


def sine_layer(x, w, b):
    return np.sin(3.0 * (x @ w + b))


def sine_vjp(g, x, w, b, what=""):
    z = 3.0 * (x @ w + b)
    d = g * np.cos(z) * 3.0
    if what == "omega":
        d = g * np.cos(z)
    if what == "sin":
        d = g * np.sin(z) * 3.0
    if what == "inside":
        d = g * np.cos(x @ w + b) * 3.0
    return d @ w.T, x.T @ d, (d.sum(axis=1) if what == "db" else d.sum(axis=0))


SINE = (normal(3, 2), normal(2, 3) / 3, normal(3) / 3)
LAYERS = [
    Mistake("leaky mlp: slope 0", leaky_mlp, lambda *a: leaky_mlp_vjp(*a, what="slope"), (normal(3, 2), normal(2, 4), normal(4), normal(4, 2)), r"0\.1|branch|slope"),
    Mistake("leaky mlp: no mask", leaky_mlp, lambda *a: leaky_mlp_vjp(*a, what="mask"), (normal(3, 2), normal(2, 4), normal(4), normal(4, 2)), r"where.*(left out|missing|passes)|0\.1|dz"),
    Mistake("leaky mlp: db mean", leaky_mlp, lambda *a: leaky_mlp_vjp(*a, what="db"), (normal(3, 2), normal(2, 4), normal(4), normal(4, 2)), r"mean instead of a sum|should be a sum"),
    Mistake("leaky mlp: dw2 of z", leaky_mlp, lambda *a: leaky_mlp_vjp(*a, what="z"), (normal(3, 2), normal(2, 4), normal(4), normal(4, 2)), r"`x @ w1 \+ b1` is used in the place of|write `np\.where.*` for `z`|write `h` for `z`"),
    Mistake("conv1d: assigned", conv1d, lambda *a: conv1d_vjp(*a, what="assign"), (normal(2, 2, 6), normal(2, 2, 3), normal(2)), r"overwrit|assigned"),
    Mistake("conv1d: flipped", conv1d, lambda *a: conv1d_vjp(*a, what="flip"), (normal(2, 2, 6), normal(2, 2, 3), normal(2)), r"revers|flip"),
    Mistake("conv1d: dw of the first window", conv1d, lambda *a: conv1d_vjp(*a, what="window"), (normal(2, 2, 6), normal(2, 2, 3), normal(2)), r"first turn|place of the first|first of"),
    Mistake("conv1d: db averaged over the batch", conv1d, lambda *a: conv1d_vjp(*a, what="db"), (normal(3, 2, 6), normal(2, 2, 3), normal(2)), r"should be a sum|mean|3 times too small|averaged"),
    Mistake("attention pool: diagonal", attention_pool, lambda *a: attention_pool_vjp(*a, what="diagonal"), (normal(4, 3), normal(3)), r"diagonal|between elements|a \* \(1 - a\)"),
    Mistake("attention pool: weights constant", attention_pool, lambda *a: attention_pool_vjp(*a, what="weights"), (normal(4, 3), normal(3)), r"held constant|path through|term.*(missing|dropped)"),
    Mistake("attention pool: values forgotten", attention_pool, lambda *a: attention_pool_vjp(*a, what="values"), (normal(4, 3), normal(3)), r"path through `x`|term.*missing|held constant"),
    Mistake("attention pool: dv without softmax", attention_pool, lambda *a: attention_pool_vjp(*a, what="dv"), (normal(4, 3), normal(3)), r"softmax.*left out|write `ds` for `da`"),
    Mistake("mean abs: gamma forgotten", mean_abs_norm, lambda *a: mean_abs_vjp(*a, what="gamma"), (normal(3, 4), positive(4)), r"`gamma`.*missing|multiplied with `gamma`"),
    Mistake("mean abs: one power", mean_abs_norm, lambda *a: mean_abs_vjp(*a, what="power"), (normal(3, 4), positive(4)), r"division by|divided by `m`|not squared|exponent|squared|power"),
    Mistake("mean abs: count forgotten", mean_abs_norm, lambda *a: mean_abs_vjp(*a, what="count"), (normal(3, 4), positive(4)), r"sum.*instead of the mean|4 times too large|divided by 4|\b4\b"),
    Mistake("mean abs: sign forgotten", mean_abs_norm, lambda *a: mean_abs_vjp(*a, what="sign"), (normal(3, 4), positive(4)), r"sign|np\.abs\(x\)"),
    Mistake("graph: tanh' without square", graph_conv, lambda *a: graph_conv_vjp(*a, what="tanh"), (normal(4, 2), normal(2, 3)), r"square|\*\*|power"),
    Mistake("graph: edges not transposed", graph_conv, lambda *a: graph_conv_vjp(*a, what="edges"), (normal(4, 2), normal(2, 3)), r"EDGES\.T|transpos"),
    Mistake("graph: edges forgotten in dx", graph_conv, lambda *a: graph_conv_vjp(*a, what="none"), (normal(4, 2), normal(2, 3)), r"EDGES|write `dh` for `d`"),
    Mistake("graph: edges forgotten in dw", graph_conv, lambda *a: graph_conv_vjp(*a, what="dw"), (normal(4, 2), normal(2, 3)), r"EDGES|write `dh` for `d`"),
    Mistake("depth: rate forgotten", stochastic_depth, lambda *a: stochastic_vjp(*a, what="rate"), (normal(4, 3), normal(3, 3), positive(3)), r"0\.75"),
    Mistake("depth: dropped rows, too", stochastic_depth, lambda *a: stochastic_vjp(*a, what="kept"), (normal(4, 3), normal(3, 3), positive(3)), r"KEPT"),
    Mistake("depth: skip forgotten", stochastic_depth, lambda *a: stochastic_vjp(*a, what="skip"), (normal(4, 3), normal(3, 3), positive(3)), r"path through `x`|term is missing"),
    Mistake("depth: dscale before the relu", stochastic_depth, lambda *a: stochastic_vjp(*a, what="relu"), (normal(4, 3), normal(3, 3), positive(3)), r"`x @ w`.*in the place of|write `np\.maximum"),
    Mistake("bag: divided by the length", bag, lambda *a: bag_vjp(*a, what="length"), (normal(5, 2),), r"REAL\.sum|\b3\b"),
    Mistake("bag: not divided", bag, lambda *a: bag_vjp(*a, what="sum"), (normal(5, 2),), r"REAL\.sum|division"),
    Mistake("bag: padding counted", bag, lambda *a: bag_vjp(*a, what="padding"), (normal(5, 2),), r"REAL\[|mask"),
    Mistake("bag: overwritten", bag, lambda *a: bag_vjp(*a, what="overwritten"), (normal(5, 2),), r"overwrit|added up|assigned"),
    Mistake("shuffle: the same permutation", shuffle, lambda *a: shuffle_vjp(*a, what="same"), (normal(8, 6),), r"not transposed|not reversed|axes|order"),
    Mistake("shuffle: only reshaped", shuffle, lambda *a: shuffle_vjp(*a, what="reshaped"), (normal(8, 6),), r"transpos|order|axes|permut"),
    Mistake("shuffle: two axes swapped", shuffle, lambda *a: shuffle_vjp(*a, what="swapped"), (normal(8, 6),), r"axes|transpos|order|permut"),
    Mistake("pool1d: assigned", pool1d, lambda *a: pool1d_vjp(*a, what="assign"), (normal(2, 7),), r"overwrit|assigned"),
    Mistake("pool1d: not divided", pool1d, lambda *a: pool1d_vjp(*a, what="sum"), (normal(2, 7),), r"3 times too large|\b3\b|sum.*instead of the mean"),
    Mistake("pool1d: stride ignored", pool1d, lambda *a: pool1d_vjp(*a, what="stride"), (normal(2, 7),), r"stride|step"),
    Mistake("pool1d: to the first", pool1d, lambda *a: pool1d_vjp(*a, what="first"), (normal(2, 7),), r"first"),
    Mistake("sine: omega forgotten", sine_layer, lambda *a: sine_vjp(*a, what="omega"), SINE, r"\b3(\.0)?\b"),
    Mistake("sine: sin for cos", sine_layer, lambda *a: sine_vjp(*a, what="sin"), SINE, r"np\.sin.*(in the place|for)|cos"),
    Mistake("sine: cos without omega", sine_layer, lambda *a: sine_vjp(*a, what="inside"), SINE, r"`x @ w \+ b`.*in the place|\b3(\.0)?\b|write `z`"),
    Mistake("sine: db over the features", sine_layer, lambda *a: sine_vjp(*a, what="db"), SINE, r"axis 1"),
]  # fmt: skip


# ---- elementwise -------------------------------------------------------------------------------------------------------


def bell(x, s):
    return np.exp(-(x**2) / (2 * s**2))


def bell_vjp(g, x, s, what=""):
    y = np.exp(-(x**2) / (2 * s**2))
    dx = -g * y * x / s**2
    if what == "y":
        dx = -g * x / s**2
    if what == "sign":
        dx = g * y * x / s**2
    if what == "s":
        dx = -g * y * x / s
    ds = g * y * x**2 / (s**2 if what == "cube" else s**3)
    return dx, ds


def soft_plus(x, beta):
    return np.log(1 + np.exp(beta * x)) / beta


def soft_plus_vjp(g, x, beta, what=""):
    s = sigmoid(beta * x)
    y = np.log(1 + np.exp(beta * x)) / beta
    dx = g * s
    if what == "beta":
        dx = g * s * beta
    if what == "over":
        dx = g * s / beta
    if what == "inside":
        dx = g * sigmoid(x)
    dbeta = g * s * x / beta - g * y / beta
    if what == "term":
        dbeta = g * s * x / beta
    return dx, dbeta


def shrink(x):
    return x - np.tanh(x)


def shrink_vjp(g, x, what=""):
    t = np.tanh(x)
    if what == "minus":
        return (g * (1 - (1 - t)),)
    if what == "one":
        return (-g * (1 - t**2),)
    if what == "plus":
        return (g * (1 + (1 - t**2)),)
    return (g * t**2,)


def logit(p):
    return np.log(p / (1 - p))


def logit_vjp(g, p, what=""):
    if what == "first":
        return (g / p,)
    if what == "times":
        return (g * p * (1 - p),)
    if what == "log":
        return (g / (1 - p) ** 2,)
    return (g / (p * (1 - p)),)


def p_norm(x, p=3.0):
    return (np.abs(x) ** p).sum(axis=1) ** (1 / p)


def p_norm_vjp(g, x, what="", p=3.0):
    y = (np.abs(x) ** p).sum(axis=1) ** (1 / p)
    inner = np.sign(x) * np.abs(x) ** (p - 1)
    if what == "sign":
        inner = np.abs(x) ** (p - 1)
    if what == "power":
        inner = np.sign(x) * np.abs(x) ** p
    d = g / y ** (p - 1)
    if what == "outer":
        d = g
    if what == "p":
        d = p * d
    return (d[:, None] * inner,)


def smooth(x, y):
    d = x - y
    return np.where(np.abs(d) < 0.7, d**2 / 1.4, np.abs(d) - 0.35).mean()


def smooth_vjp(g, x, y, what=""):
    d = x - y
    near, far = d / 0.7, np.sign(d)
    if what == "two":
        near = 2 * d / 0.7
    if what == "sign":
        far = np.ones_like(d)
    grad = np.where(np.abs(d) < 0.7, near, far)
    if what == "branches":
        grad = np.where(np.abs(d) < 0.7, far, near)
    dx = g * grad if what == "mean" else g * grad / d.size
    return dx, -dx


def polar(r, t):
    return r * np.cos(t), r * np.sin(t)


def polar_vjp(g, r, t, what=""):
    gx, gy = g
    dr = gx * np.cos(t) + gy * np.sin(t)
    dt = -gx * r * np.sin(t) + gy * r * np.cos(t)
    if what == "one":
        dr = gx * np.cos(t)
    if what == "sign":
        dt = gx * r * np.sin(t) + gy * r * np.cos(t)
    if what == "r":
        dt = -gx * np.sin(t) + gy * np.cos(t)
    if what == "swap":
        dr = gy * np.cos(t) + gx * np.sin(t)
    return dr, dt


def survival(h):
    return np.cumprod(1 - h)


def survival_vjp(g, h, what=""):
    y = np.cumprod(1 - h)
    weighted = g * y
    after = np.cumsum(weighted[::-1])[::-1]
    if what == "forward":
        after = np.cumsum(weighted)
    if what == "g":
        after = np.cumsum(g[::-1])[::-1]
    if what == "own":
        after = weighted
    return ((after if what == "sign" else -after) / (1 - h),)


def clipped(x):
    n = np.sqrt((x**2).sum())
    return x * np.minimum(1.0, 1.5 / n)


def clipped_vjp(g, x, what=""):
    n = np.sqrt((x**2).sum())
    if what == "scale":
        return (g * 1.5 / n,)
    if what == "one":
        return (g,)
    along = x * (g * x).sum() / (n**2 if what == "square" else n**3)
    if what == "plus":
        return (1.5 * (g / n + along),)
    return (1.5 * (g / n - along),)


CURVED = (np.array([0.9, -0.4, 1.7, -1.2, 0.3]), positive(5))
SHARES = np.array([0.2, 0.35, 0.6, 0.75, 0.5])
PAIR = (np.array([0.2, 1.9, -0.6, -1.4, 0.5, 3.0]), np.array([0.0, 0.3, -0.1, 0.8, 0.9, 0.2]))
ELEMENTWISE = [
    Mistake("bell: y forgotten", bell, lambda *a: bell_vjp(*a, what="y"), CURVED, r"np\.exp.*(missing|left out)|multiplied with `(y|np\.exp)"),
    Mistake("bell: sign", bell, lambda *a: bell_vjp(*a, what="sign"), CURVED, r"sign"),
    Mistake("bell: s for s squared", bell, lambda *a: bell_vjp(*a, what="s"), CURVED, r"squar|division|divided|power|exponent|s ?\*\* ?2"),
    Mistake("bell: ds of one power", bell, lambda *a: bell_vjp(*a, what="cube"), CURVED, r"division|divided|power|exponent|`s`"),
    Mistake("softplus: beta left", soft_plus, lambda *a: soft_plus_vjp(*a, what="beta"), CURVED, r"`beta`.*(missing|too many)|factor `?beta"),
    Mistake("softplus: divided by beta", soft_plus, lambda *a: soft_plus_vjp(*a, what="over"), CURVED, r"`?beta`?.*(missing|too many)"),
    Mistake("softplus: sigmoid of x", soft_plus, lambda *a: soft_plus_vjp(*a, what="inside"), CURVED, r"beta"),
    Mistake("softplus: dbeta one term", soft_plus, lambda *a: soft_plus_vjp(*a, what="term"), CURVED, r"path through|term|held constant"),
    Mistake("shrink: without the square", shrink, lambda *a: shrink_vjp(*a, what="minus"), (normal(5),), r"square|\*\*|power"),
    Mistake("shrink: of x forgotten", shrink, lambda *a: shrink_vjp(*a, what="one"), (normal(5),), r"path through `x`|held constant|term"),
    Mistake("shrink: plus", shrink, lambda *a: shrink_vjp(*a, what="plus"), (normal(5),), r"sign|must be -|should be a difference"),
    Mistake("logit: one term", logit, lambda *a: logit_vjp(*a, what="first"), (SHARES,), r"1 - p|path|held constant"),
    Mistake("logit: times for over", logit, lambda *a: logit_vjp(*a, what="times"), (SHARES,), r"multipl|divi|sigmoid"),
    Mistake("logit: log left out", logit, lambda *a: logit_vjp(*a, what="log"), (SHARES,), r"log.*left out|p / \(1 - p\)|division by `p"),
    Mistake("p norm: sign forgotten", p_norm, lambda *a: p_norm_vjp(*a, what="sign"), (normal(3, 4),), r"sign|np\.abs"),
    Mistake("p norm: the power itself", p_norm, lambda *a: p_norm_vjp(*a, what="power"), (normal(3, 4),), r"exponent|power|\*\*|np\.abs\(x\)"),
    Mistake("p norm: root forgotten", p_norm, lambda *a: p_norm_vjp(*a, what="outer"), (normal(3, 4),), r"\*\* \(1|left out|missing|divided by"),
    Mistake("p norm: times p", p_norm, lambda *a: p_norm_vjp(*a, what="p"), (normal(3, 4),), r"\b3\b|`p`|1 / p|0\.333"),
    Mistake("smooth: twice", smooth, lambda *a: smooth_vjp(*a, what="two"), PAIR, r"\b2\b|1\.4|0\.7|doubled"),
    Mistake("smooth: sign forgotten", smooth, lambda *a: smooth_vjp(*a, what="sign"), PAIR, r"sign|np\.abs"),
    Mistake("smooth: branches exchanged", smooth, lambda *a: smooth_vjp(*a, what="branches"), PAIR, r"inverse|exchanged|branch"),
    Mistake("smooth: mean forgotten", smooth, lambda *a: smooth_vjp(*a, what="mean"), PAIR, r"mean|6 times too large|\b6\b"),
    Mistake("polar: one path", polar, lambda *a: polar_vjp(*a, what="one"), (positive(4), normal(4)), r"not used|path|held constant|term"),
    Mistake("polar: sign", polar, lambda *a: polar_vjp(*a, what="sign"), (positive(4), normal(4)), r"sign"),
    Mistake("polar: r forgotten", polar, lambda *a: polar_vjp(*a, what="r"), (positive(4), normal(4)), r"`r`"),
    Mistake("polar: outputs exchanged", polar, lambda *a: polar_vjp(*a, what="swap"), (positive(4), normal(4)), r"exchanged"),
    Mistake("survival: same direction", survival, lambda *a: survival_vjp(*a, what="forward"), (SHARES,), r"revers|direction|not transposed"),
    Mistake("survival: y forgotten", survival, lambda *a: survival_vjp(*a, what="g"), (SHARES,), r"cumprod|write `weighted` for `g`|`y`"),
    Mistake("survival: own element alone", survival, lambda *a: survival_vjp(*a, what="own"), (SHARES,), r"diagonal|between elements|cumsum"),
    Mistake("survival: sign", survival, lambda *a: survival_vjp(*a, what="sign"), (SHARES,), r"sign"),
    Mistake("clipped: norm constant", clipped, lambda *a: clipped_vjp(*a, what="scale"), (2 * normal(4),), r"held constant|path|term"),
    Mistake("clipped: as if not clipped", clipped, lambda *a: clipped_vjp(*a, what="one"), (2 * normal(4),), r"np\.minimum|left out|mask"),
    Mistake("clipped: one power", clipped, lambda *a: clipped_vjp(*a, what="square"), (2 * normal(4),), r"`n`|division|divided|power|exponent|root"),
    Mistake("clipped: plus", clipped, lambda *a: clipped_vjp(*a, what="plus"), (2 * normal(4),), r"sign|must be -"),
]  # fmt: skip


# ---- losses ------------------------------------------------------------------------------------------------------------

CLASSES = np.array([2, 0, 1, 2])
SMOOTHED = np.full((4, 3), 0.1 / 3) + 0.9 * np.eye(3)[CLASSES]


def smoothed_ce(z):
    return -(SMOOTHED * np.log(softmax(z))).sum() / len(z)


def smoothed_vjp(g, z, what=""):
    p = softmax(z)
    if what == "hard":
        return (g * (p - np.eye(3)[CLASSES]) / len(z),)
    if what == "sign":
        return (g * (SMOOTHED - p) / len(z),)
    if what == "sum":
        return (g * (p - SMOOTHED),)
    if what == "classes":
        return (g * (p - SMOOTHED) / 3,)
    return (g * (p - SMOOTHED) / len(z),)


LABELS = np.array([1.0, -1.0, 1.0, -1.0, 1.0])


def squared_hinge(x, w):
    return (np.maximum(0, 1 - LABELS * (x @ w)) ** 2).mean()


def squared_hinge_vjp(g, x, w, what=""):
    slack = np.maximum(0, 1 - LABELS * (x @ w))
    d = -2 * g * LABELS * slack / len(x)
    if what == "two":
        d = -g * LABELS * slack / len(x)
    if what == "labels":
        d = -2 * g * slack / len(x)
    if what == "slack":
        d = -2 * g * LABELS * (slack > 0) / len(x)
    if what == "max":
        d = -2 * g * LABELS * (1 - LABELS * (x @ w)) / len(x)
    return np.outer(d, w), x.T @ d


SEEN = np.array([1.0, 0.0, 0.0, 1.0, 1.0])


def weighted_bce(p, weight):
    return -(weight * SEEN * np.log(p) + (1 - SEEN) * np.log(1 - p)).mean()


def weighted_bce_vjp(g, p, weight, what=""):
    first, second = weight * SEEN / p, (1 - SEEN) / (1 - p)
    if what == "weight":
        first = SEEN / p
    if what == "all":
        second = weight * (1 - SEEN) / (1 - p)
    d = -(first - second)
    if what == "plus":
        d = -(first + second)
    if what == "one":
        d = -first
    dweight = -(SEEN * np.log(p)).sum() / len(p)
    return g * d / len(p), np.asarray(g * dweight)


TIMES = np.array([0.4, 1.3, 2.2, 0.9])


def gamma_loss(m):
    return (np.log(m) + TIMES / m).sum()


def gamma_vjp(g, m, what=""):
    if what == "log":
        return (-g * TIMES / m**2,)
    if what == "power":
        return (g * (1 / m - TIMES / m),)
    if what == "sign":
        return (g * (1 / m + TIMES / m**2),)
    if what == "times":
        return (g * (1 / m - 1 / m**2),)
    return (g * (1 / m - TIMES / m**2),)


def cauchy(d, s):
    return np.log(1 + (d / s) ** 2).sum()


def cauchy_vjp(g, d, s, what=""):
    q = 1 + (d / s) ** 2
    dd = 2 * g * d / s**2 / q
    if what == "two":
        dd = g * d / s**2 / q
    if what == "q":
        dd = 2 * g * d / s**2
    if what == "one":
        dd = 2 * g * d / s**2 / (q - 1)
    ds = -2 * g * (d**2 / (s**2 if what == "cube" else s**3) / q).sum()
    return dd, np.asarray(ds)


def tempered(z, t):
    return softmax(z / t)[:, 0]


def tempered_vjp(g, z, t, what=""):
    p = softmax(z / t)
    dp = np.zeros_like(z)
    dp[:, 0] = g
    ds = p * (dp - (dp * p).sum(axis=1, keepdims=True))
    if what == "column":
        ds = p * (dp - (dp * p).sum(axis=0, keepdims=True))
    dz = ds if what == "t" else ds / t
    dt = -(ds * z).sum() / (t if what == "square" else t**2)
    if what == "sign":
        dt = -dt
    return dz, np.asarray(dt)


def elastic(w):
    return 0.3 * np.abs(w).sum() + 0.2 * (w**2).sum()


def elastic_vjp(g, w, what=""):
    if what == "two":
        return (g * (0.3 * np.sign(w) + 0.2 * w),)
    if what == "sign":
        return (g * (0.3 + 0.4 * w),)
    if what == "one":
        return (g * 0.4 * w,)
    if what == "swapped":
        return (g * (0.2 * np.sign(w) + 0.6 * w),)
    return (g * (0.3 * np.sign(w) + 0.4 * w),)


def variation(x):
    return x.std(axis=0) / x.mean(axis=0)


def variation_vjp(g, x, what=""):
    m, s, n = x.mean(axis=0), x.std(axis=0), len(x)
    of_s = (x - m) / (n * s)
    if what == "n":
        of_s = (x - m) / s
    if what == "centre":
        of_s = x / (n * s)
    if what == "mean":
        return (g * of_s / m,)
    if what == "deviation":
        return (np.broadcast_to(-g * s / m**2 / n, x.shape),)
    return (g * (of_s / m - s / m**2 / n),)


def factored(u, v, m):
    return ((u @ v.T - m) ** 2).sum()


def factored_vjp(g, u, v, m, what=""):
    e = u @ v.T - m
    du = 2 * g * e @ v
    dv = 2 * g * e.T @ u
    if what == "two":
        du, dv = g * e @ v, g * e.T @ u
    if what == "turned":
        dv = 2 * g * e @ u
    dm = (2 if what == "dm" else -2) * g * e
    if what == "target":
        du = 2 * g * (u @ v.T) @ v
    return du, dv, dm


LOSSES = [
    Mistake("smoothed: hard labels", smoothed_ce, lambda *a: smoothed_vjp(*a, what="hard"), (normal(4, 3),), r"SMOOTHED|rounded"),
    Mistake("smoothed: sign", smoothed_ce, lambda *a: smoothed_vjp(*a, what="sign"), (normal(4, 3),), r"sign"),
    Mistake("smoothed: sum", smoothed_ce, lambda *a: smoothed_vjp(*a, what="sum"), (normal(4, 3),), r"len\(z\)|\b4\b|division"),
    Mistake("smoothed: by the classes", smoothed_ce, lambda *a: smoothed_vjp(*a, what="classes"), (normal(4, 3),), r"\b3\b|len\(z\)"),
    Mistake("squared hinge: 2 forgotten", squared_hinge, lambda *a: squared_hinge_vjp(*a, what="two"), (normal(5, 2), normal(2)), r"\b2\b"),
    Mistake("squared hinge: labels forgotten", squared_hinge, lambda *a: squared_hinge_vjp(*a, what="labels"), (normal(5, 2), normal(2)), r"LABELS"),
    Mistake("squared hinge: mask for slack", squared_hinge, lambda *a: squared_hinge_vjp(*a, what="slack"), (normal(5, 2), normal(2)), r"np\.maximum.*missing|slack|np\.maximum"),
    Mistake("squared hinge: not clipped", squared_hinge, lambda *a: squared_hinge_vjp(*a, what="max"), (normal(5, 2), normal(2)), r"mask|passes|np\.maximum|slack"),
    Mistake("bce: weight forgotten", weighted_bce, lambda *a: weighted_bce_vjp(*a, what="weight"), (SHARES, np.array(2.5)), r"weight"),
    Mistake("bce: weight of both", weighted_bce, lambda *a: weighted_bce_vjp(*a, what="all"), (SHARES, np.array(2.5)), r"weight"),
    Mistake("bce: plus", weighted_bce, lambda *a: weighted_bce_vjp(*a, what="plus"), (SHARES, np.array(2.5)), r"sign"),
    Mistake("bce: one term", weighted_bce, lambda *a: weighted_bce_vjp(*a, what="one"), (SHARES, np.array(2.5)), r"path|held constant|term"),
    Mistake("gamma: log forgotten", gamma_loss, lambda *a: gamma_vjp(*a, what="log"), (positive(4),), r"np\.log|term"),
    Mistake("gamma: one power", gamma_loss, lambda *a: gamma_vjp(*a, what="power"), (positive(4),), r"divi|`m`|power|squared"),
    Mistake("gamma: sign", gamma_loss, lambda *a: gamma_vjp(*a, what="sign"), (positive(4),), r"sign|must be -"),
    Mistake("gamma: times forgotten", gamma_loss, lambda *a: gamma_vjp(*a, what="times"), (positive(4),), r"TIMES"),
    Mistake("cauchy: 2 forgotten", cauchy, lambda *a: cauchy_vjp(*a, what="two"), (normal(4), np.array(1.4)), r"\b2\b"),
    Mistake("cauchy: log left out", cauchy, lambda *a: cauchy_vjp(*a, what="q"), (normal(4), np.array(1.4)), r"np\.log.*left out|division by|divided by"),
    Mistake("cauchy: 1 forgotten", cauchy, lambda *a: cauchy_vjp(*a, what="one"), (normal(4), np.array(1.4)), r"\b1\b"),
    Mistake("cauchy: ds of one power", cauchy, lambda *a: cauchy_vjp(*a, what="cube"), (normal(4), np.array(1.4)), r"`s`|divi|power|exponent"),
    Mistake("tempered: wrong axis", tempered, lambda *a: tempered_vjp(*a, what="column"), (normal(3, 4), np.array(1.4)), r"axis 0|axis 1"),
    Mistake("tempered: dz without t", tempered, lambda *a: tempered_vjp(*a, what="t"), (normal(3, 4), np.array(1.4)), r"`t`|divi"),
    Mistake("tempered: dt of one power", tempered, lambda *a: tempered_vjp(*a, what="square"), (normal(3, 4), np.array(1.4)), r"`t`|divi|power|exponent|squared"),
    Mistake("tempered: dt sign", tempered, lambda *a: tempered_vjp(*a, what="sign"), (normal(3, 4), np.array(1.4)), r"sign"),
    Mistake("elastic: 2 forgotten", elastic, lambda *a: elastic_vjp(*a, what="two"), (normal(5),), r"\b2\b|0\.4"),
    Mistake("elastic: sign forgotten", elastic, lambda *a: elastic_vjp(*a, what="sign"), (normal(5),), r"sign|np\.abs"),
    Mistake("elastic: one part", elastic, lambda *a: elastic_vjp(*a, what="one"), (normal(5),), r"path|held constant|term"),
    Mistake("elastic: weights exchanged", elastic, lambda *a: elastic_vjp(*a, what="swapped"), (normal(5),), r"0\.[23]"),
    Mistake("variation: n forgotten", variation, lambda *a: variation_vjp(*a, what="n"), (positive(4, 3),), r"\b4\b|sum|mean"),
    Mistake("variation: not centred", variation, lambda *a: variation_vjp(*a, what="centre"), (positive(4, 3),), r"mean|centr|write `x - m`"),
    Mistake("variation: mean constant", variation, lambda *a: variation_vjp(*a, what="mean"), (positive(4, 3),), r"`x\.mean\(axis=0\)`.*(held constant|path|missing)|path through `x\.mean"),
    Mistake("variation: deviation constant", variation, lambda *a: variation_vjp(*a, what="deviation"), (positive(4, 3),), r"`x\.std\(axis=0\)`.*(held constant|path|missing)|path through `x\.std"),
    Mistake("factored: 2 forgotten", factored, lambda *a: factored_vjp(*a, what="two"), (normal(3, 2), normal(3, 2), normal(3, 3)), r"\b2\b"),
    Mistake("factored: dv not transposed", factored, lambda *a: factored_vjp(*a, what="turned"), (normal(3, 2), normal(3, 2), normal(3, 3)), r"transpos|\.T"),
    Mistake("factored: dm sign", factored, lambda *a: factored_vjp(*a, what="dm"), (normal(3, 2), normal(3, 2), normal(3, 3)), r"sign"),
    Mistake("factored: target forgotten", factored, lambda *a: factored_vjp(*a, what="target"), (normal(3, 2), normal(3, 2), normal(3, 3)), r"`m`|in the place of `u @ v\.T - m`|write `e`"),
]  # fmt: skip


# ---- loops and steps ---------------------------------------------------------------------------------------------------


def minimal_gated(x, w, u, v):
    h = np.zeros(2)
    for t in range(3):
        f = sigmoid(x[t] @ w + h @ u)
        n = np.tanh(x[t] @ v + f * h)
        h = (1 - f) * h + f * n
    return h


def minimal_gated_vjp(g, x, w, u, v, what=""):
    hs, fs, ns = [np.zeros(2)], [], []
    for t in range(3):
        fs.append(sigmoid(x[t] @ w + hs[-1] @ u))
        ns.append(np.tanh(x[t] @ v + fs[-1] * hs[-1]))
        hs.append((1 - fs[-1]) * hs[-1] + fs[-1] * ns[-1])
    dx, dw, du, dv = np.zeros_like(x), np.zeros_like(w), np.zeros_like(u), np.zeros_like(v)
    dh = g
    for t in reversed(range(3)):
        f, n, h = fs[t], ns[t], hs[t]
        dn = dh * f * (1 - n**2)
        if what == "tanh":
            dn = dh * f
        df = dh * (n - h) + dn * h
        if what == "gate":
            df = dh * (n - h)
        if what == "new":
            df = dh * (n - hs[t + 1]) + dn * h
        da = df * f * (1 - f)
        dx[t] = da @ w.T + dn @ v.T
        dw += np.outer(x[t], da)
        du += np.outer(h, da)
        dv += np.outer(x[t], dn)
        carried = dh * f if what == "carry" else dh * (1 - f)
        dh = carried + dn * f + da @ u.T
    return dx, dw, du, dv


def relu_rnn(x, w, u, b):
    h = np.zeros(3)
    total = 0.0
    for t in range(4):
        h = np.maximum(x[t] @ w + h @ u + b, 0)
        total = total + h
    return total


def relu_rnn_vjp(g, x, w, u, b, what=""):
    hs = [np.zeros(3)]
    for t in range(4):
        hs.append(np.maximum(x[t] @ w + hs[-1] @ u + b, 0))
    dx, dw, du, db = np.zeros_like(x), np.zeros_like(w), np.zeros_like(u), np.zeros_like(b)
    dh = np.zeros(3)
    for t in reversed(range(4)):
        dh = dh + g
        dz = dh * (hs[t + 1] > 0)
        if what == "mask":
            dz = dh * (hs[t] > 0)
        dx[t] = dz @ w.T
        dw += np.outer(x[t], dz)
        du += np.outer(hs[t + 1] if what == "state" else hs[t], dz)
        if what == "db":
            db = dz
        else:
            db += dz
        dh = dz @ u if what == "u" else dz @ u.T
    return dx, dw, du, db


def smoothing(x, a):
    s = sigmoid(a)
    y = x[0]
    rows = [y]
    for t in range(1, 5):
        y = s * y + (1 - s) * x[t]
        rows.append(y)
    return np.stack(rows)


def smoothing_vjp(g, x, a, what=""):
    s = sigmoid(a)
    ys = [x[0]]
    for t in range(1, 5):
        ys.append(s * ys[-1] + (1 - s) * x[t])
    dx, ds, dy = np.zeros_like(x), np.zeros_like(a), np.zeros_like(a)
    for t in reversed(range(1, 5)):
        dy = dy + g[t]
        ds = ds + dy * ((ys[t] if what == "state" else ys[t - 1]) - x[t])
        if what == "one":
            ds = ds + dy * x[t]
        dx[t] = dy if what == "weight" else dy * (1 - s)
        dy = dy * s
    dx[0] = dy if what == "start" else dy + g[0]
    return dx, (ds if what == "sigmoid" else ds * s * (1 - s))


def newton_root(x):
    y = 0.5 * (1 + x)
    for _ in range(2):
        y = 0.5 * (y + x / y)
    return y


def newton_vjp(g, x, what=""):
    ys = [0.5 * (1 + x)]
    for _ in range(2):
        ys.append(0.5 * (ys[-1] + x / ys[-1]))
    dx, dy = np.zeros_like(x), g
    for y in ys[-2::-1]:
        dx = dx + 0.5 * dy / y
        slope = 0.5 * (1 - x / y**2)
        if what == "plus":
            slope = 0.5 * (1 + x / y**2)
        if what == "power":
            slope = 0.5 * (1 - x / y)
        if what == "half":
            slope = 1 - x / y**2
        dy = dy * slope
    return (dx if what == "start" else dx + 0.5 * dy,)


def euler(q, v, k):
    for _ in range(3):
        v = v - 0.2 * k * q
        q = q + 0.2 * v
    return q


def euler_vjp(g, q, v, k, what=""):
    qs = [q]
    for _ in range(3):
        v = v - 0.2 * k * qs[-1]
        qs.append(qs[-1] + 0.2 * v)
    dq, dv, dk = g, np.zeros_like(g), np.zeros_like(k)
    for t in reversed(range(3)):
        dv = dv + (dq if what == "step" else 0.2 * dq)
        dk = dk - 0.2 * dv * (qs[t + 1] if what == "new" else qs[t])
        dq = dq + 0.2 * k * dv if what == "sign" else dq - 0.2 * k * dv
        if what == "force":
            dq = g
    return dq, dv, dk


def adam_step(p, m, v, d):
    m = 0.9 * m + 0.1 * d
    v = 0.99 * v + 0.01 * d**2
    return p - 0.05 * m / (np.sqrt(v) + 0.001)


def adam_vjp(g, p, m, v, d, what=""):
    new_m, new_v = 0.9 * m + 0.1 * d, 0.99 * v + 0.01 * d**2
    root = np.sqrt(new_v)
    dm = -0.05 * g / (root + 0.001)
    if what == "eps":
        dm = -0.05 * g / root
    dv = 0.05 * g * new_m / (root + 0.001) ** 2 / (2 * root)
    if what == "half":
        dv = 0.05 * g * new_m / (root + 0.001) ** 2 / root
    if what == "old":
        dv = 0.05 * g * m / (root + 0.001) ** 2 / (2 * root)
    dd = dm * 0.1 + dv * 0.02 * d
    if what == "second":
        dd = dm * 0.1
    if what == "beta":
        dd = dm * 0.9 + dv * 0.02 * d
    return g, dm * 0.9, dv * 0.99, dd


def trace_inverse(a, b):
    return np.trace(np.linalg.inv(a) @ b)


def trace_inverse_vjp(g, a, b, what=""):
    back = np.linalg.inv(a)
    da = -g * (back @ b @ back).T
    if what == "transpose":
        da = -g * back @ b @ back
    if what == "sign":
        da = g * (back @ b @ back).T
    if what == "one":
        da = -g * (back @ b).T
    db = g * (back if what == "db" else back.T)
    return da, db


def nearest(x, y):
    return np.abs(x[:, None] - y[None, :]).sum(axis=1)


def nearest_vjp(g, x, y, what=""):
    s = np.sign(x[:, None] - y[None, :])
    d = g[:, None] * s
    dx = d.mean(axis=1) if what == "mean" else d.sum(axis=1)
    dy = -d.sum(axis=0)
    if what == "sign":
        dy = d.sum(axis=0)
    if what == "abs":
        dx = (g[:, None] * (x[:, None] - y[None, :])).sum(axis=1)
    if what == "weights":
        dy = -s.sum(axis=0)
    return dx, dy


def soft_pool(x):
    e = np.exp(x)
    return (x * e).sum(axis=1) / e.sum(axis=1)


def soft_pool_vjp(g, x, what=""):
    p = softmax(x)
    y = (x * p).sum(axis=1, keepdims=True)
    d = g[:, None] * p * (1 + x - y)
    if what == "weights":
        d = g[:, None] * p
    if what == "values":
        d = g[:, None] * p * (x - y)
    if what == "y":
        d = g[:, None] * p * (1 + x)
    if what == "p":
        d = g[:, None] * (1 + x - y)
    return (d,)


def circular(x, k):
    return sum(k[j] * np.roll(x, j) for j in range(3))


def circular_vjp(g, x, k, what=""):
    dx = sum(k[j] * np.roll(g, j if what == "same" else -j) for j in range(3))
    if what == "first":
        dx = k[0] * g
    dk = np.array([(g * np.roll(x, j)).sum() for j in range(3)])
    if what == "back":
        dk = np.array([(g * np.roll(x, -j)).sum() for j in range(3)])
    if what == "mean":
        dk = np.array([(g * np.roll(x, j)).mean() for j in range(3)])
    return dx, dk


GATED = (normal(3, 3), normal(3, 2), normal(2, 2), normal(3, 2))
RELU = (normal(4, 2), normal(2, 3), normal(3, 3) / 2, positive(3) / 2)
ADAM = (normal(4), normal(4), positive(4), normal(4))
REGULAR = normal(3, 3) + 2 * np.eye(3)
STEPS = [
    Mistake("gated: tanh' left out", minimal_gated, lambda *a: minimal_gated_vjp(*a, what="tanh"), GATED, r"np\.tanh.*(left out|missing)|derivative of `?np\.tanh|multiplied with|1 - "),
    Mistake("gated: gate in the candidate", minimal_gated, lambda *a: minimal_gated_vjp(*a, what="gate"), GATED, r"path through `?sigmoid|`?f \* h`?|held constant|term"),
    Mistake("gated: df of the new state", minimal_gated, lambda *a: minimal_gated_vjp(*a, what="new"), GATED, r"turn after|hs\[t\]|write `h` for"),
    Mistake("gated: carried with f", minimal_gated, lambda *a: minimal_gated_vjp(*a, what="carry"), GATED, r"1 - f|`?sigmoid"),
    Mistake("relu rnn: mask of the state before", relu_rnn, lambda *a: relu_rnn_vjp(*a, what="mask"), RELU, r"turn before|hs\[t \+ 1\]|mask"),
    Mistake("relu rnn: du of the new state", relu_rnn, lambda *a: relu_rnn_vjp(*a, what="state"), RELU, r"turn after|write `h"),
    Mistake("relu rnn: db of the first turn", relu_rnn, lambda *a: relu_rnn_vjp(*a, what="db"), RELU, r"assigned|overwrit|added up"),
    Mistake("relu rnn: u not transposed", relu_rnn, lambda *a: relu_rnn_vjp(*a, what="u"), RELU, r"u\.T|transpos"),
    Mistake("smoothing: ds of the new state", smoothing, lambda *a: smoothing_vjp(*a, what="state"), (normal(5, 2), normal(2)), r"turn after|ys\[t - 1\]"),
    Mistake("smoothing: 1 - s forgotten", smoothing, lambda *a: smoothing_vjp(*a, what="weight"), (normal(5, 2), normal(2)), r"1 - s"),
    Mistake("smoothing: the path of 1 - s", smoothing, lambda *a: smoothing_vjp(*a, what="one"), (normal(5, 2), normal(2)), r"1 - s"),
    Mistake("smoothing: first row's own", smoothing, lambda *a: smoothing_vjp(*a, what="start"), (normal(5, 2), normal(2)), r"path through|x\[0\]|g\[0\]|held constant"),
    Mistake("smoothing: sigmoid'", smoothing, lambda *a: smoothing_vjp(*a, what="sigmoid"), (normal(5, 2), normal(2)), r"sigmoid.*left out|s \* \(1 - s\)"),
    Mistake("newton: plus", newton_root, lambda *a: newton_vjp(*a, what="plus"), (positive(4) + 1,), r"sign|must be -"),
    Mistake("newton: one power", newton_root, lambda *a: newton_vjp(*a, what="power"), (positive(4) + 1,), r"divi|power|exponent|squared|`y`"),
    Mistake("newton: half forgotten", newton_root, lambda *a: newton_vjp(*a, what="half"), (positive(4) + 1,), r"0\.5|\b2\b"),
    Mistake("newton: start forgotten", newton_root, lambda *a: newton_vjp(*a, what="start"), (positive(4) + 1,), r"held constant|path|1 \+ x|term"),
    Mistake("euler: step forgotten", euler, lambda *a: euler_vjp(*a, what="step"), (normal(3), normal(3), positive(3)), r"0\.2"),
    Mistake("euler: dk of the new place", euler, lambda *a: euler_vjp(*a, what="new"), (normal(3), normal(3), positive(3)), r"turn after|qs\[t\]|`q \+ 0\.2 \* v`"),
    Mistake("euler: sign", euler, lambda *a: euler_vjp(*a, what="sign"), (normal(3), normal(3), positive(3)), r"sign|must be -"),
    Mistake("euler: force forgotten", euler, lambda *a: euler_vjp(*a, what="force"), (normal(3), normal(3), positive(3)), r"path through `q|0\.2 \* k|held constant|term"),
    Mistake("adam: eps forgotten", adam_step, lambda *a: adam_vjp(*a, what="eps"), ADAM, r"0\.001"),
    Mistake("adam: half forgotten", adam_step, lambda *a: adam_vjp(*a, what="half"), ADAM, r"0\.5|\b2\b"),
    Mistake("adam: momentum before", adam_step, lambda *a: adam_vjp(*a, what="old"), ADAM, r"`m`|new_m"),
    Mistake("adam: second moment constant", adam_step, lambda *a: adam_vjp(*a, what="second"), ADAM, r"held constant|path|d ?\*\* ?2|term"),
    Mistake("adam: 0.9 for 0.1", adam_step, lambda *a: adam_vjp(*a, what="beta"), ADAM, r"0\.9|0\.1"),
    Mistake("trace: not transposed", trace_inverse, lambda *a: trace_inverse_vjp(*a, what="transpose"), (REGULAR, normal(3, 3)), r"transpos|\.T"),
    Mistake("trace: sign", trace_inverse, lambda *a: trace_inverse_vjp(*a, what="sign"), (REGULAR, normal(3, 3)), r"sign"),
    Mistake("trace: one inverse", trace_inverse, lambda *a: trace_inverse_vjp(*a, what="one"), (REGULAR, normal(3, 3)), r"inv|back"),
    Mistake("trace: db not transposed", trace_inverse, lambda *a: trace_inverse_vjp(*a, what="db"), (REGULAR, normal(3, 3)), r"transpos|\.T"),
    Mistake("nearest: mean", nearest, lambda *a: nearest_vjp(*a, what="mean"), (normal(3), normal(4)), r"mean"),
    Mistake("nearest: sign", nearest, lambda *a: nearest_vjp(*a, what="sign"), (normal(3), normal(4)), r"sign"),
    Mistake("nearest: abs left out", nearest, lambda *a: nearest_vjp(*a, what="abs"), (normal(3), normal(4)), r"sign|np\.abs|write `s`"),
    Mistake("nearest: g forgotten", nearest, lambda *a: nearest_vjp(*a, what="weights"), (normal(3), normal(4)), r"`g`|incoming gradient|cotangent"),
    Mistake("soft pool: weights constant", soft_pool, lambda *a: soft_pool_vjp(*a, what="weights"), (normal(3, 4),), r"np\.exp\(x\).*(held constant|no gradient)"),
    Mistake("soft pool: values constant", soft_pool, lambda *a: soft_pool_vjp(*a, what="values"), (normal(3, 4),), r"path through `x`"),
    Mistake("soft pool: denominator constant", soft_pool, lambda *a: soft_pool_vjp(*a, what="y"), (normal(3, 4),), r"e\.sum.*(held constant|no gradient)|path through `?(np\.exp\(x\)`? in `)?e\.sum"),
    Mistake("soft pool: weights forgotten", soft_pool, lambda *a: soft_pool_vjp(*a, what="p"), (normal(3, 4),), r"softmax\(x\)|`p`|np\.exp"),
    Mistake("circular: same direction", circular, lambda *a: circular_vjp(*a, what="same"), (normal(5), normal(3)), r"direction|not transposed|revers|roll"),
    Mistake("circular: first tap", circular, lambda *a: circular_vjp(*a, what="first"), (normal(5), normal(3)), r"first|np\.roll|missing"),
    Mistake("circular: dk the other way", circular, lambda *a: circular_vjp(*a, what="back"), (normal(5), normal(3)), r"direction|revers|roll|shift"),
    Mistake("circular: dk mean", circular, lambda *a: circular_vjp(*a, what="mean"), (normal(5), normal(3)), r"mean|5 times too small|should be a sum"),
]  # fmt: skip


# ---- functions of one's own ----------------------------------------------------------------------------------------------


def own(forward, backward):
    """A `Function` of these two."""
    return type("Own", (Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)}).apply


def scaled_forward(ctx, x, w, b):
    ctx.save_for_backward(x, w)
    return (x @ w) * 0.5 + b


def scaled_backward(what):
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        half = g if what == "half" else 0.5 * g
        dw = half.T @ x if what == "turned" else x.T @ half
        return half @ w.T, dw, (g.mean(0) if what == "mean" else g.sum(0))

    return backward


def squashed_forward(ctx, x):
    n = (x * x).sum(1, keepdim=True)
    ctx.save_for_backward(x, n)
    return x * n / (1 + n)


def squashed_backward(what):
    def backward(ctx, g):
        x, n = ctx.saved_tensors
        along = (g * x).sum(1, keepdim=True)
        d = g * n / (1 + n)
        spread = 2 * x * along / (1 + n) ** 2
        if what == "two":
            spread = x * along / (1 + n) ** 2
        if what == "axis":
            spread = 2 * x * (g * x).sum(0, keepdim=True) / (1 + n) ** 2
        return d if what == "constant" else d + spread

    return backward


def own_forward(ctx, x, t):
    p = 1 / (1 + (-x).exp())
    ctx.save_for_backward(x, t, p)
    return -(t * p.log() + (1 - t) * (1 - p).log()).mean()


def own_backward(what):
    def backward(ctx, g):
        x, t, p = ctx.saved_tensors
        d = p - t
        if what == "sigmoid":
            d = (p - t) * p * (1 - p)
        dx = g * d if what == "sum" else g * d / x.numel()
        dt = (p.log() if what == "dt" else p.log() - (1 - p).log()) * g / x.numel()
        return dx, -dt

    return backward


def tensors(*arrays):
    return tuple(tg.tensor(a, dtype=tg.float64, requires_grad=True) for a in arrays)


OWN = [
    OfTensors("own linear: half forgotten", own(scaled_forward, scaled_backward("half")), None, tensors(normal(3, 3), normal(3, 3), normal(3)), r"0\.5"),
    OfTensors("own linear: dw turned", own(scaled_forward, scaled_backward("turned")), None, tensors(normal(3, 3), normal(3, 3), normal(3)), r"transpos|\.T"),
    OfTensors("own linear: db mean", own(scaled_forward, scaled_backward("mean")), None, tensors(normal(3, 3), normal(3, 3), normal(3)), r"mean"),
    OfTensors("own squash: 2 forgotten", own(squashed_forward, squashed_backward("two")), None, tensors(normal(3, 4)), r"\b2\b|x \* x"),
    OfTensors("own squash: wrong axis", own(squashed_forward, squashed_backward("axis")), None, tensors(normal(3, 4)), r"axis|axes"),
    OfTensors("own squash: norm constant", own(squashed_forward, squashed_backward("constant")), None, tensors(normal(3, 4)), r"held constant|path"),
    OfTensors("own bce: with sigmoid'", own(own_forward, own_backward("sigmoid")), None, tensors(normal(5), SHARES), r"too many|p \* \(1 - p\)"),
    OfTensors("own bce: sum", own(own_forward, own_backward("sum")), None, tensors(normal(5), SHARES), r"\b5\b|mean"),
    OfTensors("own bce: dt one term", own(own_forward, own_backward("dt")), None, tensors(normal(5), SHARES), r"term|path|held constant|1 - t"),
]  # fmt: skip

RIGHT = [
    (f, v, next(m.inputs for m in [*LAYERS, *ELEMENTWISE, *LOSSES, *STEPS] if m.function is f))
    for f, v in (
        (leaky_mlp, leaky_mlp_vjp), (conv1d, conv1d_vjp), (attention_pool, attention_pool_vjp),
        (mean_abs_norm, mean_abs_vjp), (graph_conv, graph_conv_vjp), (stochastic_depth, stochastic_vjp),
        (bag, bag_vjp), (shuffle, shuffle_vjp), (pool1d, pool1d_vjp), (sine_layer, sine_vjp), (bell, bell_vjp),
        (soft_plus, soft_plus_vjp), (shrink, shrink_vjp), (logit, logit_vjp), (p_norm, p_norm_vjp),
        (smooth, smooth_vjp), (polar, polar_vjp), (survival, survival_vjp), (clipped, clipped_vjp),
        (smoothed_ce, smoothed_vjp), (squared_hinge, squared_hinge_vjp), (weighted_bce, weighted_bce_vjp),
        (gamma_loss, gamma_vjp), (cauchy, cauchy_vjp), (tempered, tempered_vjp), (elastic, elastic_vjp),
        (variation, variation_vjp), (factored, factored_vjp), (minimal_gated, minimal_gated_vjp),
        (relu_rnn, relu_rnn_vjp), (smoothing, smoothing_vjp), (newton_root, newton_vjp), (euler, euler_vjp),
        (adam_step, adam_vjp), (trace_inverse, trace_inverse_vjp), (nearest, nearest_vjp),
        (soft_pool, soft_pool_vjp), (circular, circular_vjp),
    )
]  # fmt: skip
OWN_RIGHT = [
    (own(scaled_forward, scaled_backward("")), OWN[0].inputs),
    (own(squashed_forward, squashed_backward("")), OWN[3].inputs),
    (own(own_forward, own_backward("")), OWN[6].inputs),
]

MISTAKES = [*LAYERS, *ELEMENTWISE, *LOSSES, *STEPS, *OWN]
