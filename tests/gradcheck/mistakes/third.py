"""A third set, of other functions and other slips, committed before the naming was run on it."""

import numpy as np

from tests.gradcheck.mistakes.case import Mistake, normal, positive, start

start()

A35, B35 = normal(3, 5), normal(3, 5)
V4, V5, V7 = normal(4), normal(5), normal(7)
P4, P7 = positive(4), positive(7)
BOTH_SIDES = np.array([-4.5, -2.0, -0.7, 0.4, 1.9, 3.6, 5.0])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


# ---- layers ------------------------------------------------------------------------------------------------------------


def affine(x, w, b):
    return x.reshape(len(x), -1) @ w + b


def affine_vjp(g, x, w, b, what=""):
    flat = x.reshape(len(x), -1)
    dx = (g @ w.T).reshape(x.shape)
    if what == "order":
        dx = (g @ w.T).reshape(x.shape, order="F")
    dw = flat.T @ g
    if what == "batch":
        dw = dw / len(x)
    db = g.sum(axis=1) if what == "db" else g.sum(axis=0)
    return dx, dw, db


def conv(x, w, b):
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    out = np.zeros((2, 2, 2, 2))
    for i in range(2):
        for j in range(2):
            window = padded[:, :, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3]
            out[:, :, i, j] = np.einsum("nchw,fchw->nf", window, w) + b
    return out


def conv_vjp(g, x, w, b, what=""):
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    for i in range(2):
        for j in range(2):
            rows, columns = slice(2 * i, 2 * i + 3), slice(2 * j, 2 * j + 3)
            window = padded[:, :, rows, columns]
            if what == "dw":
                dw = np.einsum("nf,nchw->fchw", g[:, :, i, j], window)
            else:
                dw += np.einsum("nf,nchw->fchw", g[:, :, i, j], window)
            spread = np.einsum("nf,fchw->nchw", g[:, :, i, j], w)
            if what == "assign":
                dpadded[:, :, rows, columns] = spread
            elif what == "stride":
                dpadded[:, :, i : i + 3, j : j + 3] += spread
            else:
                dpadded[:, :, rows, columns] += spread
    dx = dpadded[:, :, :-2, :-2] if what == "crop" else dpadded[:, :, 1:-1, 1:-1]
    db = g.sum(axis=(0, 1, 2)) if what == "db" else g.sum(axis=(0, 2, 3))
    return dx, dw, db


def spatial_norm(x, gamma, beta):
    mu = x.mean(axis=(0, 2, 3), keepdims=True)
    var = x.var(axis=(0, 2, 3), keepdims=True)
    xhat = (x - mu) / np.sqrt(var + 1e-3)
    return gamma[None, :, None, None] * xhat + beta[None, :, None, None]


def spatial_vjp(g, x, gamma, beta, what=""):
    axes = (0, 2, 3)
    mu, var = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    s = np.sqrt(var + 1e-3)
    xhat = (x - mu) / s
    d = g * gamma[None, :, None, None]
    n = x.shape[0] if what == "n" else x.shape[0] * x.shape[2] * x.shape[3]
    first, second = d.sum(axis=axes, keepdims=True) / n, (d * xhat).sum(axis=axes, keepdims=True) / n
    if what == "copy":
        second = first
    dx = (d - first - xhat * second) / s
    if what == "minus":
        dx = (d - first + xhat * second) / s
    dgamma = (g * xhat).sum(axis=axes)
    dbeta = g[0].sum(axis=(1, 2)) if what == "image" else g.sum(axis=axes)
    if what == "per image":
        dgamma = (g * xhat).sum(axis=(2, 3)).mean(axis=0)
    return dx, dgamma, dbeta


def group_norm(x, w):
    grouped = x.reshape(2, 2, 6)
    mu = grouped.mean(axis=2, keepdims=True)
    std = np.sqrt(((grouped - mu) ** 2).mean(axis=2, keepdims=True) + 1e-2)
    return ((grouped - mu) / std).reshape(2, 4, 3) * w[:, None]


def group_vjp(g, x, w, what=""):
    grouped = x.reshape(2, 2, 6)
    mu = grouped.mean(axis=2, keepdims=True)
    std = np.sqrt(((grouped - mu) ** 2).mean(axis=2, keepdims=True) + 1e-2)
    y = (grouped - mu) / std
    d = (g if what == "w" else g * w[:, None]).reshape(2, 2, 6)
    if what == "all":
        d0, d1 = d.mean(axis=(1, 2), keepdims=True), (d * y).mean(axis=(1, 2), keepdims=True)
    else:
        d0, d1 = d.mean(axis=2, keepdims=True), (d * y).mean(axis=2, keepdims=True)
    if what == "std":
        d1 = 0
    dx = (d - d0 - y * d1) / std
    return dx.reshape(2, 4, 3), (g * y.reshape(2, 4, 3)).sum(axis=(0, 2))


MEAN, VAR = np.array([0.3, -0.2, 1.0]), np.array([0.5, 2.0, 1.3])


def norm_eval(x, gamma, beta):
    return gamma * (x - MEAN) / np.sqrt(VAR + 1e-5) + beta


def norm_eval_vjp(g, x, gamma, beta, what=""):
    xhat = (x - MEAN) / np.sqrt(VAR + 1e-5)
    dx = g * gamma / np.sqrt(VAR + 1e-5)
    if what == "train":
        dx = (g - g.mean(axis=0)) * gamma / np.sqrt(VAR + 1e-5)
    if what == "root":
        dx = g * gamma / (VAR + 1e-5)
    return dx, (g * (x - MEAN) if what == "gamma" else g * xhat).sum(axis=0), g.sum(axis=0)


KEEP = np.array([[1.0, 0, 1, 1], [0, 1, 1, 0], [1, 1, 0, 1], [1, 0, 1, 1], [0, 1, 1, 1]])


def dropout_layer(x, w):
    h = np.maximum(x @ w, 0)
    return h * KEEP / 0.8


def dropout_vjp(g, x, w, what=""):
    z = x @ w
    d = g * KEEP / 0.8
    if what == "times":
        d = g * KEEP * 0.8
    if what == "mask":
        d = g / 0.8
    if what != "relu":
        d = d * (z > 0)
    return d @ w.T, x.T @ d


def scaled_block(x, w, s):
    return x + s * np.tanh(x @ w)


def block_vjp(g, x, w, s, what=""):
    h = np.tanh(x @ w)
    dh = g if what == "s" else g * s
    dz = dh * (1 - h) if what == "square" else dh * (1 - h**2)
    dx = g + dz @ (w if what == "transpose" else w.T)
    return dx, x.T @ dz, (g * h).mean(axis=0) if what == "ds" else (g * h).sum(axis=0)


def squeeze(x, w):
    s = sigmoid(x.mean(axis=2) @ w)
    return x * s[:, :, None]


def squeeze_vjp(g, x, w, what=""):
    pooled = x.mean(axis=2)
    s = sigmoid(pooled @ w)
    ds = (g * x).mean(axis=2) if what == "mean" else (g * x).sum(axis=2)
    dz = ds * s * (1 - s)
    if what == "prime":
        dz = ds * s
    back = (dz @ w.T)[:, :, None] / (1 if what == "n" else x.shape[2])
    dx = g * s[:, :, None] + back
    if what == "gate":
        dx = g * s[:, :, None] + 0 * x
    return dx, pooled.T @ dz


def film(x, c, wg, wb):
    return x * (1 + c @ wg) + c @ wb


def film_vjp(g, x, c, wg, wb, what=""):
    dx = g * (c @ wg) if what == "one" else g * (1 + c @ wg)
    dc = (g * x) @ wg.T + g @ wb.T
    if what == "shift":
        dc = (g * x) @ wg.T
    if what == "x":
        dc = g @ wg.T + g @ wb.T
    return dx, dc, c.T @ (g * x), c.T @ (g * x if what == "wb" else g)


CONV = (normal(2, 3, 4, 4), normal(2, 3, 3, 3), normal(2))
SPATIAL = (normal(2, 3, 2, 2), positive(3), normal(3))
GROUP = (normal(2, 4, 3), positive(4))
EVAL = (normal(4, 3), positive(3), normal(3))
FILM = (normal(4, 3), normal(4, 2), normal(2, 3), normal(2, 3))
BLOCK = (normal(4, 3), normal(3, 3), positive(3))

LAYERS = [
    Mistake("affine: put back in another order", affine, lambda *a: affine_vjp(*a, what="order"), (normal(3, 2, 4), normal(8, 3), normal(3)), r"order|reshape"),
    Mistake("affine: db over the wrong axis", affine, lambda *a: affine_vjp(*a, what="db"), (normal(3, 2, 2), normal(4, 3), normal(3)), r"axis 1"),
    Mistake("affine: dw averaged over the batch", affine, lambda *a: affine_vjp(*a, what="batch"), (normal(3, 2, 2), normal(4, 2), normal(2)), r"`w`.*(3 times too small|division by 3|multiplied by 1/3|mean)|(3 times too small|division by .*3|mean).*`w`"),
    Mistake("conv: windows assigned", conv, lambda *a: conv_vjp(*a, what="assign"), CONV, r"assigned|overwrit|last"),
    Mistake("conv: stride forgotten in dx", conv, lambda *a: conv_vjp(*a, what="stride"), CONV, r"stride|step"),
    Mistake("conv: padding taken off at one end", conv, lambda *a: conv_vjp(*a, what="crop"), CONV, r"start at 0|starts at 0|padding|off by|shifted"),
    Mistake("conv: db over the wrong axes", conv, lambda *a: conv_vjp(*a, what="db"), CONV, r"ax[ei]s.*\b0, 1, 2\b|ax[ei]s.*\b0, 2, 3\b"),
    Mistake("conv: dw of the last window", conv, lambda *a: conv_vjp(*a, what="dw"), CONV, r"last|assigned|overwrit"),
    Mistake("spatial: divided by N only", spatial_norm, lambda *a: spatial_vjp(*a, what="n"), SPATIAL, r"\b8\b.*\b2\b|\b2\b.*\b8\b|4 times too large"),
    Mistake("spatial: the first mean twice", spatial_norm, lambda *a: spatial_vjp(*a, what="copy"), SPATIAL, r"xhat.*(missing|left out)|`first`|for `second`|factor .*(missing|left out)"),
    Mistake("spatial: sign of the second term", spatial_norm, lambda *a: spatial_vjp(*a, what="minus"), SPATIAL, r"sign"),
    Mistake("spatial: dbeta of the first image", spatial_norm, lambda *a: spatial_vjp(*a, what="image"), SPATIAL, r"first"),
    Mistake("spatial: dgamma averaged over images", spatial_norm, lambda *a: spatial_vjp(*a, what="per image"), SPATIAL, r"mean|2 times too small|1/2|halved"),
    Mistake("group: over all groups", group_norm, lambda *a: group_vjp(*a, what="all"), GROUP, r"ax[ei]s .*1.*2|groups"),
    Mistake("group: weight forgotten", group_norm, lambda *a: group_vjp(*a, what="w"), GROUP, r"`w(\[:, None\])?` is missing|multiplied with `w|factor `w"),
    Mistake("group: deviation a constant", group_norm, lambda *a: group_vjp(*a, what="std"), GROUP, r"held constant|term .*missing"),
    Mistake("eval: as if in training", norm_eval, lambda *a: norm_eval_vjp(*a, what="train"), EVAL, r"mean.*(too many|subtracted)|centred|constant|g.mean"),
    Mistake("eval: variance for deviation", norm_eval, lambda *a: norm_eval_vjp(*a, what="root"), EVAL, r"sqrt|too many|root|squared"),
    Mistake("eval: dgamma not divided", norm_eval, lambda *a: norm_eval_vjp(*a, what="gamma"), EVAL, r"(division|divided) by .*sqrt|sqrt.*missing"),
    Mistake("dropout: times the kept part", dropout_layer, lambda *a: dropout_vjp(*a, what="times"), (normal(5, 3), normal(3, 4)), r"0\.8.*(instead|inverse|multipl|divi)|(instead|inverse|multipl|divi).*0\.8"),
    Mistake("dropout: mask forgotten", dropout_layer, lambda *a: dropout_vjp(*a, what="mask"), (normal(5, 3), normal(3, 4)), r"KEEP"),
    Mistake("dropout: relu forgotten", dropout_layer, lambda *a: dropout_vjp(*a, what="relu"), (normal(5, 3), normal(3, 4)), r"passes everywhere|mask.*maximum|maximum.*mask|maximum.*left out"),
    Mistake("block: scale forgotten", scaled_block, lambda *a: block_vjp(*a, what="s"), BLOCK, r"`s` is missing|multiplied with `s`|factor `s`|write `dh`|`s` left out"),
    Mistake("block: tanh' without the square", scaled_block, lambda *a: block_vjp(*a, what="square"), BLOCK, r"square|\*\*2|\*\* 2"),
    Mistake("block: w not transposed", scaled_block, lambda *a: block_vjp(*a, what="transpose"), BLOCK, r"w\.T|transpos"),
    Mistake("block: ds averaged", scaled_block, lambda *a: block_vjp(*a, what="ds"), BLOCK, r"mean instead of a sum|should be a sum"),
    Mistake("squeeze: mean for sum in ds", squeeze, lambda *a: squeeze_vjp(*a, what="mean"), (normal(2, 3, 5), normal(3, 3)), r"mean|5 times too small|division by 5|1/5"),
    Mistake("squeeze: pooling not divided", squeeze, lambda *a: squeeze_vjp(*a, what="n"), (normal(2, 3, 5), normal(3, 3)), r"division by .*5|divided by 5|5 times too large|sum .*mean|mean"),
    Mistake("squeeze: gate path", squeeze, lambda *a: squeeze_vjp(*a, what="gate"), (normal(2, 3, 5), normal(3, 3)), r"held constant|path"),
    Mistake("squeeze: 1 - s forgotten", squeeze, lambda *a: squeeze_vjp(*a, what="prime"), (normal(2, 3, 5), normal(3, 3)), r"1 - .*(missing|left out)|factor"),
    Mistake("film: the one forgotten", film, lambda *a: film_vjp(*a, what="one"), FILM, r"\b1\b.*(left out|forgotten|missing|0)|path through `x`"),
    Mistake("film: shift path", film, lambda *a: film_vjp(*a, what="shift"), FILM, r"c @ wb.*(missing|held)|path"),
    Mistake("film: x forgotten in dc", film, lambda *a: film_vjp(*a, what="x"), FILM, r"`x` is missing|multiplied with `x`|factor `x`|`g \* x`"),
    Mistake("film: x too many in dwb", film, lambda *a: film_vjp(*a, what="wb"), FILM, r"`x` too many|too many|write `g`|`wb`.*(gradient of `wg`|exchanged)"),
]  # fmt: skip


# ---- element by element ------------------------------------------------------------------------------------------------


def prelu(x, a):
    return np.where(x > 0, x, a * x)


def prelu_vjp(g, x, a, what=""):
    dx = g * np.where(x > 0, 1, a)
    if what == "zero":
        dx = g * (x > 0)
    da = (g * x * (x <= 0)).sum(axis=0)
    if what == "all":
        da = (g * x).sum(axis=0)
    if what == "side":
        da = (g * x * (x > 0)).sum(axis=0)
    if what == "x":
        da = (g * (x <= 0)).sum(axis=0)
    return dx, da


def quick_gelu(x):
    return x * sigmoid(1.702 * x)


def quick_vjp(g, x, what=""):
    s = sigmoid(1.702 * x)
    if what == "chain":
        return g * (s + x * s * (1 - s))
    if what == "minus":
        return g * (s - 1.702 * x * s * (1 - s))
    return g * (s + 1.702 * x * s * (1 - s))


def selu(x):
    return 1.05 * np.where(x > 0, x, 1.67 * (np.exp(x) - 1))


def selu_vjp(g, x, what=""):
    if what == "outer":
        return g * np.where(x > 0, 1.05, 1.67 * np.exp(x))
    if what == "minus one":
        return g * 1.05 * np.where(x > 0, 1, 1.67 * (np.exp(x) - 1))
    return g * 1.05 * np.where(x > 0, 1, 1.67 * np.exp(x))


def hard_swish(x):
    return x * np.clip(x + 3, 0, 6) / 6


def hard_swish_vjp(g, x, what=""):
    inside = (x > -3) & (x < 3)
    if what == "six":
        return g * (np.clip(x + 3, 0, 6) / 6 + x * inside)
    if what == "inside":
        return g * (np.clip(x + 3, 0, 6) / 6 + x / 6)
    if what == "gate":
        return g * np.clip(x + 3, 0, 6) / 6
    return g * (np.clip(x + 3, 0, 6) / 6 + x / 6 * inside)


def log_sigmoid(x):
    return -np.log(1 + np.exp(-x))


def log_sigmoid_vjp(g, x, what=""):
    s = sigmoid(x)
    if what == "s":
        return g * s
    if what == "prime":
        return g * s * (1 - s)
    return g * (1 - s)


def squareplus(x):
    return (x + np.sqrt(x**2 + 4.0)) / 2


def squareplus_vjp(g, x, what=""):
    if what == "x":
        return g * (1 + 1 / np.sqrt(x**2 + 4.0)) / 2
    if what == "one":
        return g * x / np.sqrt(x**2 + 4.0) / 2
    if what == "half":
        return g * (1 + x / (2 * np.sqrt(x**2 + 4.0))) / 2
    return g * (1 + x / np.sqrt(x**2 + 4.0)) / 2


def swiglu(x, w, v):
    a = x @ w
    return a * sigmoid(a) * (x @ v)


def swiglu_vjp(g, x, w, v, what=""):
    a, b = x @ w, x @ v
    s = sigmoid(a)
    da = g * b * (s + a * s * (1 - s))
    db = g * a * s
    if what == "db":
        db = g * s
    if what == "b":
        da = g * (s + a * s * (1 - s))
    dx = da @ w.T + db @ v.T
    if what == "dx":
        dx = da @ w.T
    if what == "swap":
        dx = da @ v.T + db @ w.T
    return dx, x.T @ da, x.T @ db


def damped(t, k):
    return np.exp(-k * t) * np.cos(3 * t)


def damped_vjp(g, t, k, what=""):
    e = np.exp(-k * t)
    dt = -k * e * np.cos(3 * t) - 3 * e * np.sin(3 * t)
    if what == "three":
        dt = -k * e * np.cos(3 * t) - e * np.sin(3 * t)
    if what == "sine":
        dt = -k * e * np.cos(3 * t) + 3 * e * np.sin(3 * t)
    if what == "k":
        dt = -e * np.cos(3 * t) - 3 * e * np.sin(3 * t)
    return g * dt, -g * (k if what == "dk" else t) * e * np.cos(3 * t)


def arctangent(y, x):
    return np.arctan2(y, x)


def arctangent_vjp(g, y, x, what=""):
    r = x**2 + y**2
    if what == "swap":
        return g * y / r, -g * x / r
    if what == "root":
        return g * x / np.sqrt(r), -g * y / np.sqrt(r)
    return g * x / r, g * y / r if what == "minus" else -g * y / r


ELEMENTWISE = [
    Mistake("prelu: slope forgotten", prelu, lambda *a: prelu_vjp(*a, what="zero"), (A35, P4[0] + normal(5) / 5), r"a \* x|`a`|held constant|path"),
    Mistake("prelu: da without the mask", prelu, lambda *a: prelu_vjp(*a, what="all"), (A35, positive(5)), r"mask|passes everywhere"),
    Mistake("prelu: da of the wrong side", prelu, lambda *a: prelu_vjp(*a, what="side"), (A35, positive(5)), r"inverse|exchanged|other side"),
    Mistake("prelu: x forgotten in da", prelu, lambda *a: prelu_vjp(*a, what="x"), (A35, positive(5)), r"`x` is missing|multiplied with `x`|factor `x`"),
    Mistake("quick gelu: 1.702 of the chain", quick_gelu, lambda *a: quick_vjp(*a, what="chain"), (V7,), r"1\.702"),
    Mistake("quick gelu: sign of the second term", quick_gelu, lambda *a: quick_vjp(*a, what="minus"), (V7,), r"sign"),
    Mistake("selu: scale on one branch", selu, lambda *a: selu_vjp(*a, what="outer"), (V7,), r"1\.05"),
    Mistake("selu: derivative of the value", selu, lambda *a: selu_vjp(*a, what="minus one"), (V7,), r"np\.exp\(x\) - 1|in the place of `?np.exp|exp.*\b1\b"),
    Mistake("hard swish: 6 forgotten", hard_swish, lambda *a: hard_swish_vjp(*a, what="six"), (BOTH_SIDES,), r"(division|divided) by .*6|6 times"),
    Mistake("hard swish: no mask", hard_swish, lambda *a: hard_swish_vjp(*a, what="inside"), (BOTH_SIDES,), r"mask|passes everywhere"),
    Mistake("hard swish: gate a constant", hard_swish, lambda *a: hard_swish_vjp(*a, what="gate"), (V7,), r"held constant|path through"),
    Mistake("log sigmoid: s for 1 - s", log_sigmoid, lambda *a: log_sigmoid_vjp(*a, what="s"), (V7,), r"1 - s|sign|-x|neg|exp\(-x\).*(left out|missing)"),
    Mistake("log sigmoid: derivative of the sigmoid", log_sigmoid, lambda *a: log_sigmoid_vjp(*a, what="prime"), (V7,), r"log.*left out|too many|divi"),
    Mistake("squareplus: x forgotten", squareplus, lambda *a: squareplus_vjp(*a, what="x"), (V7,), r"`x` is missing|multiplied with `x`|factor `x`|`x` left out"),
    Mistake("squareplus: direct path", squareplus, lambda *a: squareplus_vjp(*a, what="one"), (V7,), r"path through `x` in `x \+|term"),
    Mistake("squareplus: half of the root twice", squareplus, lambda *a: squareplus_vjp(*a, what="half"), (V7,), r"\b2\b|square|halve|half"),
    Mistake("swiglu: a forgotten in db", swiglu, lambda *a: swiglu_vjp(*a, what="db"), (normal(4, 2), normal(2, 3), normal(2, 3)), r"`a` is missing|multiplied with `a`|factor `a`|`x @ w` is missing|a \* s"),
    Mistake("swiglu: b forgotten in da", swiglu, lambda *a: swiglu_vjp(*a, what="b"), (normal(4, 2), normal(2, 3), normal(2, 3)), r"`(b|\(?x @ v\)?)` is missing|multiplied with `(b|x @ v)|factor `\(?(b|x @ v)"),
    Mistake("swiglu: one path of x", swiglu, lambda *a: swiglu_vjp(*a, what="dx"), (normal(4, 2), normal(2, 3), normal(2, 3)), r"x @ v.*(missing|held)|path through `x`"),
    Mistake("swiglu: weights exchanged in dx", swiglu, lambda *a: swiglu_vjp(*a, what="swap"), (normal(4, 2), normal(2, 3), normal(2, 3)), r"exchanged|write `w`|write `v`|for `w|for `v|`[wv]` (is used )?in the place of `[wv]`"),
    Mistake("damped: 3 of the cosine", damped, lambda *a: damped_vjp(*a, what="three"), (V5, positive(5)), r"factor `?3|constant 3|multiplied (by|with) `?3|\b3\b.*(missing|left out)"),
    Mistake("damped: sign of the cosine's derivative", damped, lambda *a: damped_vjp(*a, what="sine"), (V5, positive(5)), r"sign"),
    Mistake("damped: k of the exponent", damped, lambda *a: damped_vjp(*a, what="k"), (V5, positive(5)), r"`k` is missing|multiplied with `k`|factor `k`|`-?k` (is )?(missing|left out)"),
    Mistake("damped: dk with k", damped, lambda *a: damped_vjp(*a, what="dk"), (V5, positive(5)), r"`k` is used in the place of `t`|write `t` for `k`"),
    Mistake("arctan2: exchanged", arctangent, lambda *a: arctangent_vjp(*a, what="swap"), (positive(5), V5), r"exchanged|in the place of|for `[xy]`"),
    Mistake("arctan2: root of the square", arctangent, lambda *a: arctangent_vjp(*a, what="root"), (positive(5), V5), r"sqrt|root|squar|divi"),
    Mistake("arctan2: sign", arctangent, lambda *a: arctangent_vjp(*a, what="minus"), (positive(5), V5), r"`x`.*sign|sign.*`x`"),
]  # fmt: skip


# ---- losses ------------------------------------------------------------------------------------------------------------

CLASSES = np.array([1, 3, 0, 2, 1])
ROWS = np.arange(5)


def svm(s):
    margins = np.maximum(0, s - s[ROWS, CLASSES][:, None] + 1)
    margins[ROWS, CLASSES] = 0
    return margins.sum() / 5


def svm_vjp(g, s, what=""):
    d = (s - s[ROWS, CLASSES][:, None] + 1 > 0).astype(float)
    d[ROWS, CLASSES] = 0
    if what != "correct":
        d[ROWS, CLASSES] = -d.sum(axis=1)
    if what == "one":
        d[ROWS, CLASSES] = -1
    return g * d / (1 if what == "n" else 5)


WEIGHT = np.array([0.5, 2.0, 1.0, 3.0])


def weighted_nll(z):
    p = softmax(z)
    w = WEIGHT[CLASSES]
    return -(w * np.log(p[ROWS, CLASSES])).sum() / w.sum()


def weighted_nll_vjp(g, z, what=""):
    d = softmax(z)
    if what == "log":
        d = np.log(d)
    d[ROWS, CLASSES] -= 1
    w = WEIGHT[CLASSES]
    if what == "weight":
        return g * d / w.sum()
    if what == "n":
        return g * d * w[:, None] / 5
    if what == "column":
        return g * d * WEIGHT / w.sum()
    return g * d * w[:, None] / w.sum()


SEEN = np.array([[1.0, 1, 0], [1, 0, 1]])
WORDS = np.array([[0, 2, 1], [3, 1, 0]])


def sequence_loss(z):
    flat = z.reshape(6, 4)
    p = softmax(flat)
    return -(SEEN.reshape(-1) * np.log(p[np.arange(6), WORDS.reshape(-1)])).sum() / 2


def sequence_vjp(g, z, what=""):
    d = softmax(z.reshape(6, 4))
    d[np.arange(6), WORDS.reshape(-1)] -= 1
    if what != "mask":
        d = d * SEEN.reshape(-1)[:, None]
    if what == "inverse":
        d = softmax(z.reshape(6, 4))
        d[np.arange(6), WORDS.reshape(-1)] -= 1
        d = d * (1 - SEEN.reshape(-1))[:, None]
    d = d / (6 if what == "n" else 2)
    return (g * d).reshape(z.shape)


def gaussian_nll(mu, logvar, x):
    return (0.5 * (logvar + (x - mu) ** 2 / np.exp(logvar))).mean()


def gaussian_nll_vjp(g, mu, logvar, x, what=""):
    v, n = np.exp(logvar), x.size
    dmu = -(x - mu) / v / n
    if what == "v":
        dmu = -(x - mu) / n
    if what == "mu":
        dmu = (x - mu) / v / n
    dl = 0.5 * (1 - (x - mu) ** 2 / v) / n
    if what == "chain":
        dl = 0.5 * (1 - (x - mu) ** 2 / v**2) / n
    if what == "one":
        dl = -0.5 * (x - mu) ** 2 / v / n
    if what == "square":
        dl = 0.5 * (1 - (x - mu) / v) / n
    return g * dmu, g * dl, g * (x - mu) / v / n


def poisson(rate, k):
    return (np.exp(rate) - k * rate).sum()


def poisson_vjp(g, rate, k, what=""):
    if what == "exp":
        return g * (1 - k / np.exp(rate)), -g * rate
    if what == "k":
        return g * np.exp(rate), -g * rate
    return g * (np.exp(rate) - k), g * rate if what == "dk" else -g * rate


def quantile(y, q):
    d = y - q
    return np.maximum(0.9 * d, -0.1 * d).mean()


def quantile_vjp(g, y, q, what=""):
    d = y - q
    slope = np.where(d > 0, 0.9, -0.1)
    if what == "side":
        slope = np.where(d > 0, -0.1, 0.9)
    if what == "sign":
        slope = np.where(d > 0, 0.9, 0.1)
    if what == "one":
        slope = np.where(d > 0, 0.9, 0)
    return g * slope / 7, -g * slope / 7


SAME = np.array([[1.0], [0], [1], [0], [0]])


def contrastive(a, b):
    d = np.sqrt(((a - b) ** 2).sum(axis=1, keepdims=True))
    return (SAME * d**2 + (1 - SAME) * np.maximum(2.0 - d, 0) ** 2).mean()


def contrastive_vjp(g, a, b, what=""):
    d = np.sqrt(((a - b) ** 2).sum(axis=1, keepdims=True))
    dd = 2 * SAME * d - 2 * (1 - SAME) * np.maximum(2.0 - d, 0)
    if what == "far":
        dd = 2 * SAME * d + 2 * (1 - SAME) * np.maximum(2.0 - d, 0)
    if what == "label":
        dd = 2 * SAME * d - 2 * np.maximum(2.0 - d, 0)
    da = dd * (a - b) if what == "norm" else dd * (a - b) / d
    return g * da / 5, g * da / 5 if what == "db" else -g * da / 5


def tversky(p):
    t = np.array([1.0, 0, 1, 1, 0, 0, 1])
    hit = (p * t).sum()
    return 1 - hit / (hit + 0.3 * (p * (1 - t)).sum() + 0.7 * ((1 - p) * t).sum())


def tversky_vjp(g, p, what=""):
    t = np.array([1.0, 0, 1, 1, 0, 0, 1])
    hit = (p * t).sum()
    below = hit + 0.3 * (p * (1 - t)).sum() + 0.7 * ((1 - p) * t).sum()
    dbelow = t + 0.3 * (1 - t) - 0.7 * t
    if what == "plus":
        dbelow = t + 0.3 * (1 - t) + 0.7 * t
    if what == "hit":
        dbelow = 0.3 * (1 - t) - 0.7 * t
    if what == "square":
        return -g * (t / below - hit * dbelow / below)
    if what == "constant":
        return -g * t / below
    return -g * (t / below - hit * dbelow / below**2)


def iou(a, b):
    inter = np.minimum(a[1], b[1]) - np.maximum(a[0], b[0])
    union = (a[1] - a[0]) + (b[1] - b[0]) - inter
    return inter / union


def iou_vjp(g, a, b, what=""):
    inter = np.minimum(a[1], b[1]) - np.maximum(a[0], b[0])
    union = (a[1] - a[0]) + (b[1] - b[0]) - inter
    dinter = 1 / union + inter / union**2
    if what == "inter":
        dinter = 1 / union
    dunion = inter / union**2 if what == "minus" else -inter / union**2
    da = np.array([-dinter * (a[0] > b[0]) - dunion, dinter * (a[1] < b[1]) + dunion])
    db = np.array([-dinter * (b[0] > a[0]) - dunion, dinter * (b[1] < a[1]) + dunion])
    return g * da, g * db


RETURNS, OLD = np.array([1.0, -0.5, 2.0, 0.3, -1.2]), np.array([-1.0, -1.6, -0.7, -1.9, -1.1])


def ppo(logp):
    ratio = np.exp(logp - OLD)
    return -np.minimum(ratio * RETURNS, np.clip(ratio, 0.8, 1.2) * RETURNS).mean()


def ppo_vjp(g, logp, what=""):
    ratio = np.exp(logp - OLD)
    inside = (ratio > 0.8) & (ratio < 1.2)
    low = ratio * RETURNS <= np.clip(ratio, 0.8, 1.2) * RETURNS
    slope = np.where(low, RETURNS, RETURNS * inside)
    if what == "clip":
        slope = RETURNS
    if what == "ratio":
        return -g * slope / 5
    if what == "advantage":
        return -g * ratio * np.where(low, 1, inside) / 5
    return -g * ratio * slope / 5


def regularised(x, w, y):
    p = sigmoid(x @ w)
    return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean() + 0.05 * (w**2).sum()


def regularised_vjp(g, x, w, y, what=""):
    p, n = sigmoid(x @ w), len(y)
    d = (p - y) / n
    dw = x.T @ d + 0.1 * w
    if what == "penalty":
        dw = x.T @ d + 0.05 * w
    if what == "mean":
        dw = (x.T @ d + 0.1 * w) / n
    if what == "prime":
        dw = x.T @ (d * p * (1 - p)) + 0.1 * w
    dx = np.outer(d, w)
    if what == "dx":
        dx = np.outer(d * n, w)
    return g * dx, g * dw, g * np.log((1 - p) / p) / n


SVM = (normal(5, 4),)
NLL = (normal(5, 4),)
SEQUENCE = (normal(2, 3, 4),)
GAUSS = (normal(7), normal(7), normal(7))
PPO = (np.array([-0.9, -1.1, -0.65, -1.3, -1.45]),)
LOGISTIC = (normal(5, 3), normal(3), np.array([0.9, 0.2, 0.7, 0.1, 0.6]))

LOSSES = [
    Mistake("svm: correct class forgotten", svm, lambda *a: svm_vjp(*a, what="correct"), SVM, r"s\[ROWS, CLASSES\].*(held|missing)|path"),
    Mistake("svm: -1 for -count", svm, lambda *a: svm_vjp(*a, what="one"), SVM, r"sum|count|\b1\b"),
    Mistake("svm: not averaged", svm, lambda *a: svm_vjp(*a, what="n"), SVM, r"division by .*5|divided by 5|5 times too large|multiplied by 5|number of rows"),
    Mistake("nll: weights forgotten", weighted_nll, lambda *a: weighted_nll_vjp(*a, what="weight"), NLL, r"`w`? ?.*(missing|left out)|multiplied with `w"),
    Mistake("nll: divided by n", weighted_nll, lambda *a: weighted_nll_vjp(*a, what="n"), NLL, r"w\.sum\(\)|\b5\b"),
    Mistake("nll: log p for p", weighted_nll, lambda *a: weighted_nll_vjp(*a, what="log"), NLL, r"np\.log|in the place of|exp"),
    Mistake("nll: weights by column", weighted_nll, lambda *a: weighted_nll_vjp(*a, what="column"), NLL, r"`?w\[:, None\]|`w`|WEIGHT"),
    Mistake("sequence: mask forgotten", sequence_loss, lambda *a: sequence_vjp(*a, what="mask"), SEQUENCE, r"SEEN|mask"),
    Mistake("sequence: mask inverted", sequence_loss, lambda *a: sequence_vjp(*a, what="inverse"), SEQUENCE, r"inverse|exchanged|1 - SEEN"),
    Mistake("sequence: averaged over words", sequence_loss, lambda *a: sequence_vjp(*a, what="n"), SEQUENCE, r"\b2\b.*\b6\b|\b6\b.*\b2\b|3 times too small|1/3"),
    Mistake("gaussian nll: variance forgotten", gaussian_nll, lambda *a: gaussian_nll_vjp(*a, what="v"), GAUSS, r"(division|divided) by .*exp\(logvar\)|divided by `v`|exp\(logvar\).*missing"),
    Mistake("gaussian nll: sign of dmu", gaussian_nll, lambda *a: gaussian_nll_vjp(*a, what="mu"), GAUSS, r"`mu`.*sign|sign.*`mu`"),
    Mistake("gaussian nll: v squared", gaussian_nll, lambda *a: gaussian_nll_vjp(*a, what="chain"), GAUSS, r"exp\(logvar\).*(missing|left out)|exp.*left out|squared|too many|`v\*?\*?2?`"),
    Mistake("gaussian nll: log term", gaussian_nll, lambda *a: gaussian_nll_vjp(*a, what="one"), GAUSS, r"path through `logvar`|logvar.*missing"),
    Mistake("gaussian nll: not squared", gaussian_nll, lambda *a: gaussian_nll_vjp(*a, what="square"), GAUSS, r"square|\*\* ?2|`x - mu`"),
    Mistake("poisson: of the rate itself", poisson, lambda *a: poisson_vjp(*a, what="exp"), (V7, P7), r"exp.*(missing|left out)|factor .*exp|multiplied with .*exp"),
    Mistake("poisson: count forgotten", poisson, lambda *a: poisson_vjp(*a, what="k"), (V7, P7), r"k \* rate|path through `rate`"),
    Mistake("poisson: dk sign", poisson, lambda *a: poisson_vjp(*a, what="dk"), (V7, P7), r"`k`.*sign|sign.*`k`"),
    Mistake("quantile: sides exchanged", quantile, lambda *a: quantile_vjp(*a, what="side"), (V7, normal(7)), r"inverse|exchanged|other"),
    Mistake("quantile: sign of the lower side", quantile, lambda *a: quantile_vjp(*a, what="sign"), (V7, normal(7)), r"sign|-0\.1"),
    Mistake("quantile: lower side forgotten", quantile, lambda *a: quantile_vjp(*a, what="one"), (V7, normal(7)), r"-?0\.1 \* d.*(held|missing)|path|held constant|-0\.1"),
    Mistake("contrastive: sign of the far pairs", contrastive, lambda *a: contrastive_vjp(*a, what="far"), (normal(5, 3) / 2, normal(5, 3) / 2), r"sign"),
    Mistake("contrastive: label forgotten", contrastive, lambda *a: contrastive_vjp(*a, what="label"), (normal(5, 3) / 2, normal(5, 3) / 2), r"1 - SAME"),
    Mistake("contrastive: not divided by the norm", contrastive, lambda *a: contrastive_vjp(*a, what="norm"), (normal(5, 3), normal(5, 3)), r"(division|divided) by .*(sqrt|`d`)"),
    Mistake("contrastive: db sign", contrastive, lambda *a: contrastive_vjp(*a, what="db"), (normal(5, 3), normal(5, 3)), r"`b`.*sign|sign.*`b`"),
    Mistake("tversky: sign of 1 - p", tversky, lambda *a: tversky_vjp(*a, what="plus"), (np.random.default_rng(3).uniform(0.1, 0.9, 7),), r"sign"),
    Mistake("tversky: hit below a constant", tversky, lambda *a: tversky_vjp(*a, what="hit"), (np.random.default_rng(3).uniform(0.1, 0.9, 7),), r"path through `hit`|hit.*(held|missing)"),
    Mistake("tversky: not squared", tversky, lambda *a: tversky_vjp(*a, what="square"), (np.random.default_rng(3).uniform(0.1, 0.9, 7),), r"squared|(division|divided) by"),
    Mistake("tversky: below a constant", tversky, lambda *a: tversky_vjp(*a, what="constant"), (np.random.default_rng(3).uniform(0.1, 0.9, 7),), r"held constant|path"),
    Mistake("iou: union without the intersection", iou, lambda *a: iou_vjp(*a, what="inter"), (np.array([0.3, 2.1]), np.array([1.0, 3.2])), r"inter.*(missing|held)|path"),
    Mistake("iou: sign of the union", iou, lambda *a: iou_vjp(*a, what="minus"), (np.array([0.3, 2.1]), np.array([1.0, 3.2])), r"sign"),
    Mistake("ppo: clip forgotten", ppo, lambda *a: ppo_vjp(*a, what="clip"), PPO, r"passes everywhere|mask|clip|branch"),
    Mistake("ppo: ratio forgotten", ppo, lambda *a: ppo_vjp(*a, what="ratio"), PPO, r"`ratio` is missing|factor .*(ratio|exp)|multiplied with .*(ratio|exp)|exp.*left out"),
    Mistake("ppo: advantage forgotten", ppo, lambda *a: ppo_vjp(*a, what="advantage"), PPO, r"RETURNS"),
    Mistake("logistic: half of the penalty", regularised, lambda *a: regularised_vjp(*a, what="penalty"), LOGISTIC, r"\b2\b|squared|each time|square"),
    Mistake("logistic: penalty averaged, too", regularised, lambda *a: regularised_vjp(*a, what="mean"), LOGISTIC, r"5 times too small|division by .*5|1/5"),
    Mistake("logistic: with sigmoid'", regularised, lambda *a: regularised_vjp(*a, what="prime"), LOGISTIC, r"too many|sigmoid"),
    Mistake("logistic: dx not averaged", regularised, lambda *a: regularised_vjp(*a, what="dx"), LOGISTIC, r"`x`.*(5 times too large|division by .*5|multiplied by 5)|(5 times too large|division by .*5).*`x`"),
]  # fmt: skip


# ---- recurrences, attention, sequences ---------------------------------------------------------------------------------


def rnn_step(x, prev, wx, wh, b):
    return np.tanh(x @ wx + prev @ wh + b)


def step_vjp(g, x, prev, wx, wh, b, what=""):
    new = np.tanh(x @ wx + prev @ wh + b)
    dz = g * (1 - (prev if what == "prev" else new) ** 2)
    dprev = dz @ wh if what == "wh" else dz @ wh.T
    dwh = (new if what == "new" else prev).T @ dz
    return dz @ wx.T, dprev, x.T @ dz, dwh, dz.sum(axis=0)


def lstm(x, w, u):
    h, c = np.zeros(2), np.zeros(2)
    total = []
    for t in range(3):
        z = x[t] @ w + h @ u
        i, f, o, n = sigmoid(z[:2]), sigmoid(z[2:4]), sigmoid(z[4:6]), np.tanh(z[6:])
        c = f * c + i * n
        h = o * np.tanh(c)
        total.append(h)
    return np.stack(total)


def lstm_vjp(g, x, w, u, what=""):
    hs, cs, gates = [np.zeros(2)], [np.zeros(2)], []
    for t in range(3):
        z = x[t] @ w + hs[-1] @ u
        gates.append((sigmoid(z[:2]), sigmoid(z[2:4]), sigmoid(z[4:6]), np.tanh(z[6:])))
        i, f, o, n = gates[-1]
        cs.append(f * cs[-1] + i * n)
        hs.append(o * np.tanh(cs[-1]))
    dx, dw, du = np.zeros_like(x), np.zeros_like(w), np.zeros_like(u)
    dh, dc = np.zeros(2), np.zeros(2)
    for t in reversed(range(3)):
        i, f, o, n = gates[t]
        dh = g[t] + dh
        if what == "later":
            dh = g[t]
        tc = np.tanh(cs[t + 1])
        dc = (0 if what == "cell" else dc) + dh * o * (1 - tc**2)
        df = dc * (cs[t + 1] if what == "previous" else cs[t]) * f * (1 - f)
        do = dh * tc * o * (1 - o)
        if what == "do":
            do = dh * o * (1 - o)
        dz = np.concatenate([dc * n * i * (1 - i), df, do, dc * i * (1 - n**2)])
        dx[t] = dz @ w.T
        dw += np.outer(x[t], dz)
        du += np.outer(hs[t], dz)
        dh, dc = dz @ u.T, dc * f
    return dx, dw, du


CAUSAL = np.tril(np.ones((4, 4)))


def causal(q, k, v):
    s = q @ k.T / np.sqrt(3.0)
    e = np.exp(s) * CAUSAL
    return e / e.sum(axis=1, keepdims=True) @ v


def causal_vjp(g, q, k, v, what=""):
    e = np.exp(q @ k.T / np.sqrt(3.0)) * CAUSAL
    p = e / e.sum(axis=1, keepdims=True)
    dp = g @ v.T
    ds = p * (dp - (dp * p).sum(axis=1, keepdims=True))
    if what == "mean":
        ds = p * (dp - (dp * p).mean(axis=1, keepdims=True))
    if what == "mask":
        full = softmax(q @ k.T / np.sqrt(3.0))
        ds = full * (dp - (dp * full).sum(axis=1, keepdims=True))
    ds = ds * np.sqrt(3.0) if what == "times" else ds / np.sqrt(3.0)
    return ds @ k, (ds if what == "dk" else ds.T) @ q, p.T @ g


def rotary(x, angle):
    a, b = x[:, :2], x[:, 2:]
    c, s = np.cos(angle), np.sin(angle)
    return np.concatenate([a * c - b * s, a * s + b * c], axis=1)


def rotary_vjp(g, x, angle, what=""):
    a, b = x[:, :2], x[:, 2:]
    c, s = np.cos(angle), np.sin(angle)
    ga, gb = g[:, :2], g[:, 2:]
    da, db = ga * c + gb * s, -ga * s + gb * c
    if what == "forward":
        da, db = ga * c - gb * s, ga * s + gb * c
    if what == "half":
        da = ga * c
    dangle = ga * (-a * s - b * c) + gb * (a * c - b * s)
    if what == "angle":
        dangle = ga * (a * s - b * c) + gb * (a * c - b * s)
    return np.concatenate([da, db], axis=1), dangle


def position_embedding(tokens, positions):
    return (tokens[np.array([2, 0, 2, 1])] + positions) * 2.0


def position_vjp(g, tokens, positions, what=""):
    d = np.zeros_like(tokens)
    index = np.array([2, 0, 2, 1])
    if what == "assign":
        d[index] = 2.0 * g
    elif what == "scale":
        np.add.at(d, index, g)
    else:
        np.add.at(d, index, 2.0 * g)
    return d, 2.0 * g[np.array([2, 0, 2, 1])] if what == "positions" else 2.0 * g


def discounted(r):
    out, total = np.zeros(5), 0.0
    for t in reversed(range(5)):
        total = r[t] + 0.9 * total
        out[t] = total
    return out


def discounted_vjp(g, r, what=""):
    d, total = np.zeros(5), 0.0
    for t in range(5):
        total = g[t] + (0.9 if what != "gamma" else 1.0) * total
        d[t] = total
    if what == "order":
        total = 0.0
        for t in reversed(range(5)):
            total = g[t] + 0.9 * total
            d[t] = total
    if what == "direct":
        d = g
    return d


def scan(x, a):
    y, out = 0.0, []
    for t in range(5):
        y = a[t] * y + x[t]
        out.append(y)
    return np.stack(out)


def scan_vjp(g, x, a, what=""):
    ys, y = [0.0], 0.0
    for t in range(5):
        y = a[t] * y + x[t]
        ys.append(y)
    dx, da, carry = np.zeros(5), np.zeros(5), 0.0
    for t in reversed(range(5)):
        carry = g[t] + carry
        dx[t] = carry
        da[t] = carry * (ys[t + 1] if what == "state" else ys[t])
        if what == "carry":
            carry = 0.0
        elif what == "before":
            carry = carry * a[t - 1]
        else:
            carry = carry * a[t]
    return dx, da


def unrolled(x, w, b):
    h = x
    for _ in range(3):
        h = np.tanh(h @ w + b)
    return h


def unrolled_vjp(g, x, w, b, what=""):
    hs = [x]
    for _ in range(3):
        hs.append(np.tanh(hs[-1] @ w + b))
    dw, db, d = np.zeros_like(w), np.zeros_like(b), g
    for t in reversed(range(3)):
        dz = d * (1 - hs[t + 1] ** 2)
        if what == "assign":
            dw = hs[t].T @ dz
        elif what == "input":
            dw += x.T @ dz
        else:
            dw += hs[t].T @ dz
        if what == "db":
            db = dz.sum(axis=0)
        else:
            db += dz.sum(axis=0)
        d = dz @ w.T
    return d, dw, db


def momentum(grads, rate):
    v, w = np.zeros(3), np.zeros(3)
    for t in range(4):
        v = 0.8 * v - rate * grads[t]
        w = w + v
    return w


def momentum_vjp(g, grads, rate, what=""):
    d, dv, dw = np.zeros_like(grads), np.zeros(3), g
    drate = 0.0
    for t in reversed(range(4)):
        dv = dv + dw
        d[t] = rate * dv if what == "sign" else -rate * dv
        drate = drate - (grads[t] * dv).sum()
        dv = dv if what == "decay" else 0.8 * dv
        if what == "memory":
            dv = np.zeros(3)
    return d, drate


STEP = (normal(4, 2), normal(4, 3), normal(2, 3), normal(3, 3), normal(3))
LSTM = (normal(3, 3), normal(3, 8), normal(2, 8))
CAUSALS = (normal(4, 3), normal(4, 3), normal(4, 3))

SEQUENCES = [
    Mistake("step: tanh' of the previous state", rnn_step, lambda *a: step_vjp(*a, what="prev"), STEP, r"`prev`|in the place of"),
    Mistake("step: wh not transposed", rnn_step, lambda *a: step_vjp(*a, what="wh"), STEP, r"wh\.T|transpos"),
    Mistake("step: dwh of the new state", rnn_step, lambda *a: step_vjp(*a, what="new"), STEP, r"write `prev`|in the place of `prev`|for `new"),
    Mistake("lstm: later states forgotten", lstm, lambda *a: lstm_vjp(*a, what="later"), LSTM, r"h @ u|held constant|path"),
    Mistake("lstm: cell not carried", lstm, lambda *a: lstm_vjp(*a, what="cell"), LSTM, r"f \* c|held constant|path"),
    Mistake("lstm: df of the new cell", lstm, lambda *a: lstm_vjp(*a, what="previous"), LSTM, r"turn after|next turn|in the place of `c`|`c` .*turn|`cs"),
    Mistake("lstm: do without tanh", lstm, lambda *a: lstm_vjp(*a, what="do"), LSTM, r"np\.tanh\(c\).*(missing|left out)|multiplied with `(np.tanh\(c\)|tc)|factor .*tanh"),
    Mistake("causal: mean for sum", causal, lambda *a: causal_vjp(*a, what="mean"), CAUSALS, r"mean"),
    Mistake("causal: mask forgotten in the backward", causal, lambda *a: causal_vjp(*a, what="mask"), CAUSALS, r"CAUSAL|mask"),
    Mistake("causal: scale multiplied", causal, lambda *a: causal_vjp(*a, what="times"), CAUSALS, r"sqrt\(3\.0\).*(instead|multipl|divi)|(instead|multipl|divi).*sqrt\(3\.0\)|3 times too large"),
    Mistake("causal: dk not transposed", causal, lambda *a: causal_vjp(*a, what="dk"), CAUSALS, r"\.T|transpos"),
    Mistake("rotary: turned the same way", rotary, lambda *a: rotary_vjp(*a, what="forward"), (normal(3, 4), normal(3, 2)), r"sign|not transposed|np\.sin|opposite"),
    Mistake("rotary: one path of a", rotary, lambda *a: rotary_vjp(*a, what="half"), (normal(3, 4), normal(3, 2)), r"a \* s|path"),
    Mistake("rotary: sign in the angle", rotary, lambda *a: rotary_vjp(*a, what="angle"), (normal(3, 4), normal(3, 2)), r"sign"),
    Mistake("positions: repeats overwritten", position_embedding, lambda *a: position_vjp(*a, what="assign"), (normal(3, 2), normal(4, 2)), r"overwrit|assigned|last"),
    Mistake("positions: 2 forgotten", position_embedding, lambda *a: position_vjp(*a, what="scale"), (normal(3, 2), normal(4, 2)), r"(factor|constant|multiplied (by|with)) `?2|2 times too small|2(\.0)?`? is missing"),
    Mistake("positions: by token", position_embedding, lambda *a: position_vjp(*a, what="positions"), (normal(3, 2), normal(4, 2)), r"order|index|rows|permut|tokens"),
    Mistake("discounted: gamma forgotten", discounted, lambda *a: discounted_vjp(*a, what="gamma"), (V5,), r"0\.9"),
    Mistake("discounted: same direction", discounted, lambda *a: discounted_vjp(*a, what="order"), (V5,), r"revers|backwards|not transposed|direction"),
    Mistake("discounted: own reward only", discounted, lambda *a: discounted_vjp(*a, what="direct"), (V5,), r"0\.9 \* total|held constant|path|left out"),
    Mistake("scan: da of the new state", scan, lambda *a: scan_vjp(*a, what="state"), (V5, normal(5)), r"turn after|next turn|`y`|off by one"),
    Mistake("scan: not carried", scan, lambda *a: scan_vjp(*a, what="carry"), (V5, normal(5)), r"a\[t\] \* y|held constant|path"),
    Mistake("scan: carried with the gate before", scan, lambda *a: scan_vjp(*a, what="before"), (V5, normal(5)), r"turn before|previous turn|off by one|a\[t\]"),
    Mistake("unrolled: dw overwritten", unrolled, lambda *a: unrolled_vjp(*a, what="assign"), (normal(4, 3), normal(3, 3), normal(3)), r"first|overwrit|assigned|path|held constant|turn"),
    Mistake("unrolled: dw of the input", unrolled, lambda *a: unrolled_vjp(*a, what="input"), (normal(4, 3), normal(3, 3), normal(3)), r"`x`|first turn"),
    Mistake("unrolled: db overwritten", unrolled, lambda *a: unrolled_vjp(*a, what="db"), (normal(4, 3), normal(3, 3), normal(3)), r"first|overwrit|assigned|path|held constant|turn"),
    Mistake("momentum: sign", momentum, lambda *a: momentum_vjp(*a, what="sign"), (normal(4, 3), np.array(0.3)), r"`grads`.*sign|sign.*`grads`|sign"),
    Mistake("momentum: decay forgotten", momentum, lambda *a: momentum_vjp(*a, what="decay"), (normal(4, 3), np.array(0.3)), r"0\.8"),
    Mistake("momentum: velocity not carried", momentum, lambda *a: momentum_vjp(*a, what="memory"), (normal(4, 3), np.array(0.3)), r"0\.8 \* v|held constant|path"),
]  # fmt: skip


# ---- matrices, statistics, physics -------------------------------------------------------------------------------------


def solve(a, b):
    return np.linalg.solve(a, b)


def solve_vjp(g, a, b, what=""):
    db = np.linalg.solve(a if what == "transpose" else a.T, g)
    y = np.linalg.solve(a, b)
    if what == "b":
        y = b
    return (1 if what == "sign" else -1) * np.outer(db, y), db


def log_det(a):
    return np.log(np.linalg.det(a))


def log_det_vjp(g, a, what=""):
    if what == "transpose":
        return g * np.linalg.inv(a)
    if what == "log":
        return g * np.linalg.det(a) * np.linalg.inv(a).T
    return g * np.linalg.inv(a).T


def sandwich(a, b):
    return a @ b @ a.T


def sandwich_vjp(g, a, b, what=""):
    da = g @ a @ b.T + g.T @ a @ b
    if what == "one":
        da = g @ a @ b.T
    if what == "symmetric":
        da = 2 * g @ a @ b.T
    return da, a @ g @ a.T if what == "db" else a.T @ g @ a


def rbf(x, c, s):
    d = ((x[:, None, :] - c[None, :, :]) ** 2).sum(axis=2)
    return np.exp(-d / (2 * s**2))


def rbf_vjp(g, x, c, s, what=""):
    diff = x[:, None, :] - c[None, :, :]
    d = (diff**2).sum(axis=2)
    k = np.exp(-d / (2 * s**2))
    gk = g if what == "k" else g * k
    weight = gk[:, :, None] * diff / (1 if what == "s" else s**2)
    ds = (gk * d / (s**2 if what == "cube" else s**3)).sum()
    return -weight.sum(axis=1), weight.sum(axis=0), ds


def bilinear_layer(x, w, y):
    return np.einsum("bi,oij,bj->bo", x, w, y)


def bilinear_vjp(g, x, w, y, what=""):
    dx = np.einsum("bo,oij,bj->bi", g, w, y)
    if what == "transpose":
        dx = np.einsum("bo,oji,bj->bi", g, w, y)
    dw = np.einsum("bo,bi,bj->oij", g, x, y)
    if what == "dw":
        dw = np.einsum("bo,bi,bj->oji", g, x, y)
    dy = np.einsum("bo,oij,bi->bj", g, w, x)
    if what == "dy":
        dy = np.einsum("bo,oij,bi->bj", g, w, y)
    return dx, dw, dy


def mahalanobis(x, mu, p):
    d = x - mu
    return ((d @ p) * d).sum(axis=1)


def mahalanobis_vjp(g, x, mu, p, what=""):
    d = x - mu
    dd = g[:, None] * (d @ p + d @ p.T)
    if what == "symmetric":
        dd = 2 * g[:, None] * (d @ p)
    if what == "half":
        dd = g[:, None] * (d @ p.T)
    return dd, -dd.mean(axis=0) if what == "mean" else -dd.sum(axis=0), (d * g[:, None]).T @ d


def skewness(x):
    d = x - x.mean()
    return (d**3).mean() / (d**2).mean() ** 1.5


def skewness_vjp(g, x, what=""):
    d, n = x - x.mean(), len(x)
    m2, m3 = (d**2).mean(), (d**3).mean()
    dd = 3 * d**2 / n / m2**1.5 - 1.5 * m3 / m2**2.5 * 2 * d / n
    if what == "below":
        dd = 3 * d**2 / n / m2**1.5
    if what == "power":
        dd = 3 * d**2 / n / m2**1.5 - m3 / m2**2.5 * 2 * d / n
    return g * (dd if what == "mean" else dd - dd.mean())


def harmonic(x):
    return len(x) / (1 / x).sum()


def harmonic_vjp(g, x, what=""):
    h = len(x) / (1 / x).sum()
    if what == "n":
        return g * (h / x) ** 2
    if what == "square":
        return g * h / x**2 / len(x)
    if what == "sign":
        return -g * (h / x) ** 2 / len(x)
    return g * (h / x) ** 2 / len(x)


def rescaled(x):
    low, high = x.min(), x.max()
    return (x - low) / (high - low)


def rescaled_vjp(g, x, what=""):
    low, high = x.min(), x.max()
    y = (x - low) / (high - low)
    d = g / (high - low)
    dhigh, dlow = -(g * y).sum() / (high - low), -(g * (1 - y)).sum() / (high - low)
    if what == "constant":
        return d
    if what == "high":
        return d + dlow * (x == low)
    return d + dhigh * (x == high) + dlow * (x == low)


def interpolate(y, t):
    i = np.array([0, 1, 1, 3])
    return y[i] * (1 - t) + y[i + 1] * t


def interpolate_vjp(g, y, t, what=""):
    i, d = np.array([0, 1, 1, 3]), np.zeros_like(y)
    if what == "swap":
        np.add.at(d, i, g * t)
        np.add.at(d, i + 1, g * (1 - t))
    elif what == "assign":
        d[i] += g * (1 - t)
        d[i + 1] += g * t
    else:
        np.add.at(d, i, g * (1 - t))
        np.add.at(d, i + 1, g * t)
    return d, g * (y[i] - y[i + 1]) if what == "dt" else g * (y[i + 1] - y[i])


def laplace(u):
    return u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1]


def laplace_vjp(g, u, what=""):
    d = np.zeros_like(u)
    d[2:, 1:-1] += g
    d[:-2, 1:-1] += g
    d[1:-1, 2:] += g
    d[1:-1, :-2] += g
    if what == "four":
        d[1:-1, 1:-1] -= g
    elif what == "middle":
        pass
    elif what == "plus":
        d[1:-1, 1:-1] += 4 * g
    else:
        d[1:-1, 1:-1] -= 4 * g
    if what == "left":
        d[1:-1, :-2] -= g
    return d


def trapezoid(y, x):
    return ((y[1:] + y[:-1]) / 2 * (x[1:] - x[:-1])).sum()


def trapezoid_vjp(g, y, x, what=""):
    dy, dx = np.zeros_like(y), np.zeros_like(x)
    step = x[1:] - x[:-1]
    dy[1:] += step / (1 if what == "half" else 2)
    dy[:-1] += step / (1 if what == "half" else 2)
    area = (y[1:] + y[:-1]) / 2
    dx[1:] += area
    dx[:-1] += area if what == "minus" else -area
    if what == "ends":
        dy[:-1] = step / 2
    return g * dy, g * dx


def pendulum(theta, omega):
    return 0.5 * 0.7 * 1.2**2 * omega**2 + 0.7 * 9.81 * 1.2 * (1 - np.cos(theta))


def pendulum_vjp(g, theta, omega, what=""):
    dtheta = 0.7 * 9.81 * 1.2 * np.sin(theta)
    if what == "sign":
        dtheta = -dtheta
    if what == "small":
        dtheta = 0.7 * 9.81 * 1.2 * theta
    domega = 0.7 * 1.2**2 * omega
    if what == "length":
        domega = 0.7 * 1.2 * omega
    if what == "half":
        domega = 0.5 * domega
    return g * dtheta, g * domega


def springs(x, k):
    stretch = x[1:] - x[:-1] - 1.0
    return 0.5 * (k * stretch**2).sum()


def springs_vjp(g, x, k, what=""):
    stretch = x[1:] - x[:-1] - 1.0
    force = k * stretch
    if what == "rest":
        force = k * (x[1:] - x[:-1])
    d = np.zeros_like(x)
    d[1:] += force
    if what != "left":
        d[:-1] -= force
    dk = stretch**2 if what == "half" else 0.5 * stretch**2
    return g * d, g * dk


def lennard_jones(r):
    return 4 * ((1.1 / r) ** 12 - (1.1 / r) ** 6)


def lennard_vjp(g, r, what=""):
    q = 1.1 / r
    if what == "r":
        return g * 4 * (-12 * q**12 + 6 * q**6)
    if what == "plus":
        return g * 4 * (-12 * q**12 - 6 * q**6) / r
    if what == "six":
        return g * 4 * (-12 * q**12 + q**6) / r
    return g * 4 * (-12 * q**12 + 6 * q**6) / r


def cross(a, b):
    return np.stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


def cross_vjp(g, a, b, what=""):
    da, db = np.cross(b, g), np.cross(g, a)
    if what == "order":
        da = np.cross(g, b)
    return da, np.cross(g, b) if what == "other" else db


def middle(a, b, c):
    return a + b + c - np.maximum(np.maximum(a, b), c) - np.minimum(np.minimum(a, b), c)


def middle_vjp(g, a, b, c, what=""):
    s = np.sort(np.stack([a, b, c]), axis=0)
    m = s[2] if what == "largest" else s[1]
    if what == "mean":
        return g / 3, g / 3, g / 3
    return g * (a == m), g * (b == m), g * (c == m)


SQUARE = normal(3, 3) + 3 * np.eye(3)
BILINEAR = (normal(4, 3), normal(2, 3, 3), normal(4, 3))
CHAIN = (np.array([0.0, 1.3, 2.1, 3.6, 4.2]), positive(4))

OTHERS = [
    Mistake("solve: not transposed", solve, lambda *a: solve_vjp(*a, what="transpose"), (SQUARE, normal(3)), r"transpos|\.T"),
    Mistake("solve: sign of da", solve, lambda *a: solve_vjp(*a, what="sign"), (SQUARE, normal(3)), r"`a`.*sign|sign.*`a`"),
    Mistake("solve: da with b", solve, lambda *a: solve_vjp(*a, what="b"), (SQUARE, normal(3)), r"`b` is used|`b`|solve"),
    Mistake("log det: not transposed", log_det, lambda *a: log_det_vjp(*a, what="transpose"), (SQUARE,), r"transpos|\.T"),
    Mistake("log det: of the determinant", log_det, lambda *a: log_det_vjp(*a, what="log"), (SQUARE,), r"log.*left out|division|divided|det"),
    Mistake("sandwich: one term", sandwich, lambda *a: sandwich_vjp(*a, what="one"), (normal(2, 3), normal(3, 3)), r"path|held constant|term"),
    Mistake("sandwich: as if symmetric", sandwich, lambda *a: sandwich_vjp(*a, what="symmetric"), (normal(2, 3), normal(3, 3)), r"symmetric|transpos|\.T"),
    Mistake("sandwich: db turned", sandwich, lambda *a: sandwich_vjp(*a, what="db"), (normal(3, 3), normal(3, 3)), r"a\.T|transpos"),
    Mistake("rbf: kernel forgotten", rbf, lambda *a: rbf_vjp(*a, what="k"), (normal(4, 2), normal(3, 2), np.array(1.3)), r"exp.*(missing|left out)|factor .*exp|multiplied with .*exp"),
    Mistake("rbf: width forgotten", rbf, lambda *a: rbf_vjp(*a, what="s"), (normal(4, 2), normal(3, 2), np.array(1.3)), r"s\*\*2|(division|divided) by"),
    Mistake("rbf: ds of one power", rbf, lambda *a: rbf_vjp(*a, what="cube"), (normal(4, 2), normal(3, 2), np.array(1.3)), r"`s`|(division|divided) by|power|exponent"),
    Mistake("bilinear: dx with w turned", bilinear_layer, lambda *a: bilinear_vjp(*a, what="transpose"), BILINEAR, r"transpos|axes|exchanged|\.T"),
    Mistake("bilinear: dw turned", bilinear_layer, lambda *a: bilinear_vjp(*a, what="dw"), BILINEAR, r"transpos|axes|exchanged|\.T"),
    Mistake("bilinear: dy with y", bilinear_layer, lambda *a: bilinear_vjp(*a, what="dy"), BILINEAR, r"`y` is used in the place of `x`|write `x` for `y`|`y`.*`x`"),
    Mistake("mahalanobis: as if symmetric", mahalanobis, lambda *a: mahalanobis_vjp(*a, what="symmetric"), (normal(4, 3), normal(3), normal(3, 3)), r"symmetric|transpos|\.T"),
    Mistake("mahalanobis: one term", mahalanobis, lambda *a: mahalanobis_vjp(*a, what="half"), (normal(4, 3), normal(3), normal(3, 3)), r"path|held constant|term"),
    Mistake("mahalanobis: dmu averaged", mahalanobis, lambda *a: mahalanobis_vjp(*a, what="mean"), (normal(4, 3), normal(3), normal(3, 3)), r"mean instead of a sum|should be a sum|4 times too small"),
    Mistake("skewness: below a constant", skewness, lambda *a: skewness_vjp(*a, what="below"), (P7**3,), r"held constant|path"),
    Mistake("skewness: 1.5 forgotten", skewness, lambda *a: skewness_vjp(*a, what="power"), (P7**3,), r"1\.5"),
    Mistake("skewness: mean a constant", skewness, lambda *a: skewness_vjp(*a, what="mean"), (P7**3,), r"x\.mean\(\).*(held|missing)|path"),
    Mistake("harmonic: not divided by n", harmonic, lambda *a: harmonic_vjp(*a, what="n"), (P7,), r"7 times too large|(division|divided) by .*7|multiplied by 7|len\(x\)"),
    Mistake("harmonic: not squared", harmonic, lambda *a: harmonic_vjp(*a, what="square"), (P7,), r"squared|divi|factor|sum\(\)"),
    Mistake("harmonic: sign", harmonic, lambda *a: harmonic_vjp(*a, what="sign"), (P7,), r"sign"),
    Mistake("rescaled: both ends constant", rescaled, lambda *a: rescaled_vjp(*a, what="constant"), (V7,), r"held constant|path"),
    Mistake("rescaled: high a constant", rescaled, lambda *a: rescaled_vjp(*a, what="high"), (V7,), r"(x\.max\(\)|`high`).*(held|missing)|path through `high`"),
    Mistake("interpolate: ends exchanged", interpolate, lambda *a: interpolate_vjp(*a, what="swap"), (V5, P4 / 3), r"exchanged|for `1 - t`|for `t`|in the place of"),
    Mistake("interpolate: repeats lost", interpolate, lambda *a: interpolate_vjp(*a, what="assign"), (V5, P4 / 3), r"overwrit|assigned|last|repeat"),
    Mistake("interpolate: dt sign", interpolate, lambda *a: interpolate_vjp(*a, what="dt"), (V5, P4 / 3), r"`t`.*sign|sign.*`t`"),
    Mistake("laplace: 4 forgotten", laplace, lambda *a: laplace_vjp(*a, what="four"), (normal(4, 5),), r"\b4\b"),
    Mistake("laplace: middle forgotten", laplace, lambda *a: laplace_vjp(*a, what="middle"), (normal(4, 5),), r"4 \* u\[1:-1, 1:-1\]|path|held constant"),
    Mistake("laplace: sign of the middle", laplace, lambda *a: laplace_vjp(*a, what="plus"), (normal(4, 5),), r"sign"),
    Mistake("laplace: left neighbour forgotten", laplace, lambda *a: laplace_vjp(*a, what="left"), (normal(4, 5),), r"u\[1:-1, :-2\]"),
    Mistake("trapezoid: half forgotten", trapezoid, lambda *a: trapezoid_vjp(*a, what="half"), (V5, np.array([0.0, 0.4, 1.1, 1.5, 2.6])), r"(division|divided) by .*2|2 times too large|multiplied by 2"),
    Mistake("trapezoid: sign of the left end", trapezoid, lambda *a: trapezoid_vjp(*a, what="minus"), (V5, np.array([0.0, 0.4, 1.1, 1.5, 2.6])), r"sign"),
    Mistake("trapezoid: overwritten", trapezoid, lambda *a: trapezoid_vjp(*a, what="ends"), (V5, np.array([0.0, 0.4, 1.1, 1.5, 2.6])), r"overwrit|assigned|last|one of"),
    Mistake("pendulum: sign", pendulum, lambda *a: pendulum_vjp(*a, what="sign"), (V4, normal(4)), r"`theta`.*sign|sign"),
    Mistake("pendulum: small angle", pendulum, lambda *a: pendulum_vjp(*a, what="small"), (V4, normal(4)), r"`theta` is used in the place|sin|left out"),
    Mistake("pendulum: length not squared", pendulum, lambda *a: pendulum_vjp(*a, what="length"), (V4, normal(4)), r"1\.2|squared"),
    Mistake("pendulum: half", pendulum, lambda *a: pendulum_vjp(*a, what="half"), (V4, normal(4)), r"2 times too small|factor `?2|multiplied (by|with) `?(2|1/2)|halved|squared|1/2"),
    Mistake("springs: rest length forgotten", springs, lambda *a: springs_vjp(*a, what="rest"), CHAIN, r"1\.0|\b1\b.*(left out|0)"),
    Mistake("springs: left end forgotten", springs, lambda *a: springs_vjp(*a, what="left"), CHAIN, r"x\[:-1\]"),
    Mistake("springs: half of dk", springs, lambda *a: springs_vjp(*a, what="half"), CHAIN, r"0\.5|2 times too large|`k`.*\b2\b"),
    Mistake("lennard-jones: not divided by r", lennard_jones, lambda *a: lennard_vjp(*a, what="r"), (P4,), r"(division|divided) by .*`?r|`r`"),
    Mistake("lennard-jones: sign of the attraction", lennard_jones, lambda *a: lennard_vjp(*a, what="plus"), (P4,), r"sign"),
    Mistake("lennard-jones: 6 forgotten", lennard_jones, lambda *a: lennard_vjp(*a, what="six"), (P4,), r"\b6\b"),
    Mistake("cross: order of the factors", cross, lambda *a: cross_vjp(*a, what="order"), (normal(3), normal(3)), r"`a`.*sign|sign.*`a`"),
    Mistake("cross: db with b", cross, lambda *a: cross_vjp(*a, what="other"), (normal(3), normal(3)), r"`b` is used|write `a` for `b`|`a`.*`b`|exchanged"),
    Mistake("middle: to the largest", middle, lambda *a: middle_vjp(*a, what="largest"), (V4, normal(4), normal(4)), r"largest|max"),
    Mistake("middle: shared", middle, lambda *a: middle_vjp(*a, what="mean"), (V4, normal(4), normal(4)), r"mean|all|mask|shared"),
]  # fmt: skip

# The derivatives with no slip, in the order in which they stand above.
RIGHT = [
    (affine, affine_vjp, (normal(3, 2, 2), normal(4, 3), normal(3))),
    (conv, conv_vjp, CONV),
    (spatial_norm, spatial_vjp, SPATIAL),
    (group_norm, group_vjp, GROUP),
    (norm_eval, norm_eval_vjp, EVAL),
    (dropout_layer, dropout_vjp, (normal(5, 3), normal(3, 4))),
    (scaled_block, block_vjp, BLOCK),
    (squeeze, squeeze_vjp, (normal(2, 3, 5), normal(3, 3))),
    (film, film_vjp, FILM),
    (prelu, prelu_vjp, (A35, positive(5))),
    (quick_gelu, quick_vjp, (V7,)),
    (selu, selu_vjp, (V7,)),
    (hard_swish, hard_swish_vjp, (BOTH_SIDES,)),
    (log_sigmoid, log_sigmoid_vjp, (V7,)),
    (squareplus, squareplus_vjp, (V7,)),
    (swiglu, swiglu_vjp, (normal(4, 2), normal(2, 3), normal(2, 3))),
    (damped, damped_vjp, (V5, positive(5))),
    (arctangent, arctangent_vjp, (positive(5), V5)),
    (svm, svm_vjp, SVM),
    (weighted_nll, weighted_nll_vjp, NLL),
    (sequence_loss, sequence_vjp, SEQUENCE),
    (gaussian_nll, gaussian_nll_vjp, GAUSS),
    (poisson, poisson_vjp, (V7, P7)),
    (quantile, quantile_vjp, (V7, normal(7))),
    (contrastive, contrastive_vjp, (normal(5, 3), normal(5, 3))),
    (tversky, tversky_vjp, (np.linspace(0.1, 0.9, 7),)),
    (iou, iou_vjp, (np.array([0.3, 2.1]), np.array([1.0, 3.2]))),
    (ppo, ppo_vjp, PPO),
    (regularised, regularised_vjp, LOGISTIC),
    (rnn_step, step_vjp, STEP),
    (lstm, lstm_vjp, LSTM),
    (causal, causal_vjp, CAUSALS),
    (rotary, rotary_vjp, (normal(3, 4), normal(3, 2))),
    (position_embedding, position_vjp, (normal(3, 2), normal(4, 2))),
    (discounted, discounted_vjp, (V5,)),
    (scan, scan_vjp, (V5, normal(5))),
    (unrolled, unrolled_vjp, (normal(4, 3), normal(3, 3), normal(3))),
    (momentum, momentum_vjp, (normal(4, 3), np.array(0.3))),
    (solve, solve_vjp, (SQUARE, normal(3))),
    (log_det, log_det_vjp, (SQUARE,)),
    (sandwich, sandwich_vjp, (normal(2, 3), normal(3, 3))),
    (rbf, rbf_vjp, (normal(4, 2), normal(3, 2), np.array(1.3))),
    (bilinear_layer, bilinear_vjp, BILINEAR),
    (mahalanobis, mahalanobis_vjp, (normal(4, 3), normal(3), normal(3, 3))),
    (skewness, skewness_vjp, (P7**3,)),
    (harmonic, harmonic_vjp, (P7,)),
    (rescaled, rescaled_vjp, (V7,)),
    (interpolate, interpolate_vjp, (V5, P4 / 3)),
    (laplace, laplace_vjp, (normal(4, 5),)),
    (trapezoid, trapezoid_vjp, (V5, np.array([0.0, 0.4, 1.1, 1.5, 2.6]))),
    (pendulum, pendulum_vjp, (V4, normal(4))),
    (springs, springs_vjp, CHAIN),
    (lennard_jones, lennard_vjp, (P4,)),
    (cross, cross_vjp, (normal(3), normal(3))),
    (middle, middle_vjp, (V4, normal(4), normal(4))),
]

MISTAKES = [*LAYERS, *ELEMENTWISE, *LOSSES, *SEQUENCES, *OTHERS]
