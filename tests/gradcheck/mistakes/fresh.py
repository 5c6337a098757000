"""Mistakes that were written down, each with the words that count as right, before the naming was run on them once."""

import numpy as np

from tests.gradcheck.mistakes.case import Mistake, normal, positive, start

start()

A45, B45, C45 = normal(4, 5), normal(4, 5), normal(4, 5)
V5, W5, U5 = normal(5), normal(5), normal(5)
P5 = positive(5)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


# ---- normalisation ---------------------------------------------------------------------------------------------------


def rms_norm(x, w):
    r = np.sqrt((x**2).mean(axis=1, keepdims=True) + 1e-2)
    return x / r * w


def rms_vjp(g, x, w, term=True, count=None, weight=True, eps=1e-2, batch=True):
    r = np.sqrt((x**2).mean(axis=1, keepdims=True) + eps)
    h = x / r
    d = g * w if weight else g
    n = count or x.shape[1]
    dx = (d - h * (d * h).sum(1, keepdims=True) / n) / r if term else d / r
    r = np.sqrt((x**2).mean(axis=1, keepdims=True) + 1e-2)
    dw = g * x / r
    return dx, dw.sum(0) if batch else dw.mean(0)


def layer_norm(x, gamma, beta):
    mu = x.mean(axis=-1, keepdims=True)
    sigma = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-2)
    return gamma * (x - mu) / sigma + beta


def ln_vjp(g, x, gamma, beta, mean=True, var=True, gamma_in=True, square=False, axis=-1, xhat_in=True):
    mu = x.mean(axis=-1, keepdims=True)
    sigma = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-2)
    xhat = (x - mu) / sigma
    d = g * gamma if gamma_in else g
    dx = d
    if mean:
        dx = dx - d.mean(axis=axis, keepdims=True)
    if var:
        dx = dx - xhat * (d * xhat).mean(axis=axis, keepdims=True)
    return dx / (sigma**2 if square else sigma), (g * (xhat if xhat_in else x)).sum(0), g.sum(0)


LN = (normal(4, 5), positive(5), normal(5))
RMS = (normal(4, 5), positive(5))


def instance_norm(x):
    m = x.mean(axis=(2, 3), keepdims=True)
    v = ((x - m) ** 2).mean(axis=(2, 3), keepdims=True)
    return (x - m) / np.sqrt(v + 1e-2)


def in_vjp(g, x, axes=(2, 3), mean=True, var=True):
    m = x.mean(axis=(2, 3), keepdims=True)
    s = np.sqrt(((x - m) ** 2).mean(axis=(2, 3), keepdims=True) + 1e-2)
    y = (x - m) / s
    dx = g
    if mean:
        dx = dx - g.mean(axis=axes, keepdims=True)
    if var:
        dx = dx - y * (g * y).mean(axis=axes, keepdims=True)
    return dx / s


def weight_norm(v, s):
    n = np.sqrt((v**2).sum(axis=1, keepdims=True))
    return s * v / n


def wn_vjp(g, v, s, project=True, scale=True):
    n = np.sqrt((v**2).sum(axis=1, keepdims=True))
    u = v / n
    d = g - u * (g * u).sum(1, keepdims=True) if project else g
    return (s if scale else 1) * d / n, (g * u).sum(1, keepdims=True)


NORMALISATION = [
    Mistake("rms: the root is a constant", rms_norm, lambda *a: rms_vjp(*a, term=False), RMS, r"held constant|term .* missing|path .* missing"),
    Mistake("rms: N for n", rms_norm, lambda *a: rms_vjp(*a, count=4), RMS, r"5 .*\b4\b|\b4\b.*\b5\b"),
    Mistake("rms: weight forgotten in dx", rms_norm, lambda *a: rms_vjp(*a, weight=False), RMS, "factor `w` is missing|multiplied with `w`"),
    Mistake("rms: eps forgotten in dx", rms_norm, lambda *a: rms_vjp(*a, eps=0.0), RMS, r"0\.01.*left out"),
    Mistake("rms: dw averaged", rms_norm, lambda *a: rms_vjp(*a, batch=False), RMS, "mean instead of a sum|should be a sum"),
    Mistake("ln: mean path", layer_norm, lambda *a: ln_vjp(*a, mean=False), LN, r"`mu` is held|mean\(axis=-1, keepdims=True\)` is held|term `?.*(sum|mean)\(g.*missing|path through .*mean.* missing"),
    Mistake("ln: variance path", layer_norm, lambda *a: ln_vjp(*a, var=False), LN, r"var.*held constant|sigma.*held constant|term .*missing"),
    Mistake("ln: both paths", layer_norm, lambda *a: ln_vjp(*a, mean=False, var=False), LN, r"both held constant|left out"),
    Mistake("ln: gamma forgotten", layer_norm, lambda *a: ln_vjp(*a, gamma_in=False), LN, "factor `gamma` is missing|multiplied with `gamma`"),
    Mistake("ln: divided by the variance", layer_norm, lambda *a: ln_vjp(*a, square=True), LN, r"square|sigma\*\*2|too many|divided by|sqrt"),
    Mistake("ln: means over the batch", layer_norm, lambda *a: ln_vjp(*a, axis=0), LN, "axis 0 instead of|should have axis 1|over the batch"),
    Mistake("ln: dgamma of x", layer_norm, lambda *a: ln_vjp(*a, xhat_in=False), LN, r"`x` is used in the place of|write .* for `x`"),
    Mistake("in: means over the batch, too", instance_norm, lambda *a: in_vjp(*a, axes=(0, 2, 3)), (normal(3, 2, 2, 3),), r"axes (\(0, 2, 3\)|0, 2, 3)"),
    Mistake("in: mean path", instance_norm, lambda *a: in_vjp(*a, mean=False), (normal(3, 2, 2, 3),), r"held constant|term .*missing"),
    Mistake("in: variance path", instance_norm, lambda *a: in_vjp(*a, var=False), (normal(3, 2, 2, 3),), r"held constant|term .*missing"),
    Mistake("weight norm: not projected", weight_norm, lambda *a: wn_vjp(*a, project=False), (normal(3, 4), positive(3, 1)), r"held constant|term .*missing|path"),
    Mistake("weight norm: scale forgotten", weight_norm, lambda *a: wn_vjp(*a, scale=False), (normal(3, 4), positive(3, 1)), r"`s` is missing|multiplied with `s`"),
]  # fmt: skip


# ---- element by element ------------------------------------------------------------------------------------------------


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def gelu_vjp(g, x, product=True, inner=True, three=3, half=0.5):
    c = np.sqrt(2 / np.pi)
    t = np.tanh(c * (x + 0.044715 * x**3))
    du = c * (1 + three * 0.044715 * x**2) if inner else 1.0
    return g * (half * (1 + t) + (0.5 * x * (1 - t**2) * du if product else 0))


def silu(x):
    return x * sigmoid(x)


def elu(x):
    return np.where(x > 0, x, 0.7 * (np.exp(x) - 1))


def mish(x):
    return x * np.tanh(np.log1p(np.exp(x)))


def softplus(x):
    return np.log(1 + np.exp(x))


def softsign(x):
    return x / (1 + np.abs(x))


def cube(x):
    return x**3 / 3 + x**2


def hard_sigmoid(x):
    return np.clip(0.2 * x + 0.5, 0, 1)


def gaussian(x):
    return np.exp(-(x**2) / 2)


def swish_beta(x, b):
    return x * sigmoid(b * x)


def log_cosh(x):
    return np.log(np.cosh(x))


def quotient(a, b):
    return a / b


def power(x, p):
    return x**p


def rational(x):
    return (1 + x) / (1 + x**2)


ELEMENTWISE = [
    Mistake("gelu: second term", gelu, lambda g, x: gelu_vjp(g, x, product=False), (A45,), "held constant|path|term"),
    Mistake("gelu: inner derivative", gelu, lambda g, x: gelu_vjp(g, x, inner=False), (A45,), "left out|multiplied"),
    Mistake("gelu: 1 for 3", gelu, lambda g, x: gelu_vjp(g, x, three=1), (A45,), r"\b3\b"),
    Mistake("gelu: half forgotten", gelu, lambda g, x: gelu_vjp(g, x, half=1.0), (A45,), r"0\.5"),
    Mistake("silu: first term", silu, lambda g, x: g * x * sigmoid(x) * (1 - sigmoid(x)), (A45,), "path through `x`|held constant|term"),
    Mistake("silu: second term", silu, lambda g, x: g * sigmoid(x), (A45,), r"sigmoid.*held constant|exp\(-x\)` is held constant|path through"),
    Mistake("silu: x left out of the second", silu, lambda g, x: g * (sigmoid(x) + sigmoid(x) * (1 - sigmoid(x))), (A45,), "`x` (is missing|left out)|multiplied with `x`|factor `x`"),
    Mistake("elu: alpha forgotten", elu, lambda g, x: g * np.where(x > 0, 1, np.exp(x)), (A45,), r"0\.7"),
    Mistake("elu: branches exchanged", elu, lambda g, x: g * np.where(x > 0, 0.7 * np.exp(x), 1), (A45,), "inverse|exchanged"),
    Mistake("elu: exp left out", elu, lambda g, x: g * np.where(x > 0, 1, 0.7), (A45,), r"np.exp\(x\).*(missing|left out)|factor .*exp|multiplied with .*exp"),
    Mistake("mish: second term", mish, lambda g, x: g * np.tanh(softplus(x)), (A45,), "held constant|path through"),
    Mistake("mish: sigmoid left out", mish, lambda g, x: g * (np.tanh(softplus(x)) + x * (1 - np.tanh(softplus(x)) ** 2)), (A45,), "left out|multiplied|factor"),
    Mistake("softplus: x left as it is", softplus, lambda g, x: g * np.exp(x), (A45,), r"division by|divided by"),
    Mistake("softplus: sigmoid of -x", softplus, lambda g, x: g * sigmoid(-x), (A45,), r"sign|-x|neg"),
    Mistake("softsign: abs forgotten", softsign, lambda g, x: g / (1 + x) ** 2, (A45,), r"abs"),
    Mistake("softsign: not squared", softsign, lambda g, x: g / (1 + np.abs(x)), (A45,), r"squared|held constant|divi|path|exponent"),
    Mistake("cube: 3 forgotten", cube, lambda g, x: g * (x**2 / 3 + 2 * x), (A45,), r"\b3\b"),
    Mistake("cube: power", cube, lambda g, x: g * (x + 2 * x), (A45,), r"exponent|squared|x\*\*2|power|factor `x`|multiplied with `x`"),
    Mistake("cube: second term", cube, lambda g, x: g * x**2, (A45,), r"x\*\*2|held constant|path|term"),
    Mistake("hard sigmoid: 0.2 forgotten", hard_sigmoid, lambda g, x: g * (np.abs(0.2 * x) < 0.5), (4 * A45,), r"0\.2"),
    Mistake("hard sigmoid: no mask", hard_sigmoid, lambda g, x: 0.2 * g, (4 * A45,), "passes everywhere|mask"),
    Mistake("gaussian: x forgotten", gaussian, lambda g, x: -g * gaussian(x), (A45,), "factor `x` is missing|multiplied with `x`"),
    Mistake("gaussian: sign", gaussian, lambda g, x: g * x * gaussian(x), (A45,), "sign"),
    Mistake("gaussian: 2x", gaussian, lambda g, x: -2 * g * x * gaussian(x), (A45,), r"division by `?2|2 times too large|halved|multiplied by 2|\b2\b"),
    Mistake("swish: b forgotten in dx", swish_beta, lambda g, x, b: (g * (sigmoid(b * x) + x * sigmoid(b * x) * (1 - sigmoid(b * x))), g * x**2 * sigmoid(b * x) * (1 - sigmoid(b * x))), (A45, positive(4, 5)), "factor `b` is missing|multiplied with `b`"),
    Mistake("swish: db with x", swish_beta, lambda g, x, b: (g * (sigmoid(b * x) + b * x * sigmoid(b * x) * (1 - sigmoid(b * x))), g * x * sigmoid(b * x) * (1 - sigmoid(b * x))), (A45, positive(4, 5)), "factor `x`|multiplied with `x`|squared"),
    Mistake("log cosh: not tanh but sinh", log_cosh, lambda g, x: g * np.sinh(x), (A45,), r"division by `?np.cosh|divided by"),
    Mistake("quotient: db sign", quotient, lambda g, a, b: (g / b, g * a / b**2), (A45, positive(4, 5)), "`b`.* sign|sign.*`b`"),
    Mistake("quotient: db not squared", quotient, lambda g, a, b: (g / b, -g * a / b), (A45, positive(4, 5)), "division by `b`|divided by `b`|squared"),
    Mistake("quotient: a forgotten", quotient, lambda g, a, b: (g / b, -g / b**2), (A45, positive(4, 5)), "`a` is missing|multiplied with `a`"),
    Mistake("power: log of p", power, lambda g, x, p: (g * p * x ** (p - 1), g * x**p * np.log(p)), (positive(5), positive(5)), r"`p` is used in the place of `x`|write `x` for `p`"),
    Mistake("power: exponent", power, lambda g, x, p: (g * p * x**p, g * x**p * np.log(x)), (positive(5), positive(5)), r"- 1|division by `x`|divided by `x`|exponent|minus 1|`x` too many|\b1\b.*left out"),
    Mistake("rational: quotient rule's second term", rational, lambda g, x: g / (1 + x**2), (A45,), "held constant|path|term"),
    Mistake("rational: sign of the second term", rational, lambda g, x: g * ((1 + x**2) + (1 + x) * 2 * x) / (1 + x**2) ** 2, (A45,), "sign"),
]  # fmt: skip


# ---- losses ------------------------------------------------------------------------------------------------------------

LABEL = np.array([1, 0, 2, 1, 2])
LOGITS, ONEHOT = normal(5, 3), np.eye(3)[LABEL]
PROBABLE = softmax(normal(4, 3))
TARGET = softmax(normal(4, 3))


def mse(p, t):
    return ((p - t) ** 2).mean()


def huber(x, t):
    d = x - t
    return np.where(np.abs(d) < 1, 0.5 * d**2, np.abs(d) - 0.5).sum()


def kl(p, q):
    return (p * (np.log(p) - np.log(q))).sum(1).mean()


def soft_cross_entropy(z):
    logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -(ONEHOT * logp).sum() / len(z)


def temperature(z):
    p = softmax(z / 3.0)
    return -np.log(p[np.arange(5), LABEL]).mean()


def smooth(z):
    t = 0.9 * ONEHOT + 0.1 / 3
    logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -(t * logp).sum(1).mean()


def hinge(s):
    return np.maximum(0, 1 - SIGNS * s).mean()


SIGNS = np.array([1.0, -1.0, 1.0, -1.0, 1.0])


def bce_logits(z):
    t = np.array([1.0, 0.0, 1.0, 1.0, 0.0])
    return (np.log(1 + np.exp(z)) - t * z).mean()


def focal(p):
    return -((1 - p) ** 2 * np.log(p)).sum()


def dice(p, t):
    return 1 - 2 * (p * t).sum() / (p.sum() + t.sum())


def dice_vjp(g, p, t, union=True, two=2):
    s = p.sum() + t.sum()
    i = (p * t).sum()
    dp = -two * t / s + (two * i / s**2 if union else 0)
    dt = -2 * p / s + 2 * i / s**2
    return g * dp, g * dt


def triplet(a, p, n):
    return np.maximum(((a - p) ** 2).sum(1) - ((a - n) ** 2).sum(1) + 1.0, 0).sum()


def triplet_vjp(g, a, p, n, negative=True, mask=True, sign=1):
    m = (((a - p) ** 2).sum(1) - ((a - n) ** 2).sum(1) + 1.0 > 0)[:, None] if mask else 1.0
    da = 2 * (a - p) - (2 * (a - n) if negative else 0)
    return g * m * da, -g * 2 * m * (a - p), sign * g * 2 * (a - n) * m


def ridge(w, x, y):
    return ((x @ w - y) ** 2).sum() / 2 + 0.3 * (w**2).sum()


def info_nce(q, k):
    s = q @ k.T / 0.5
    return -np.log(np.diagonal(softmax(s))).mean()


def nce_vjp(g, q, k, t=0.5, onehot=True, n=4, transpose=True):
    s = q @ k.T / 0.5
    d = (softmax(s) - (np.eye(4) if onehot else 0)) / n / t
    return g * d @ k, g * (d.T if transpose else d) @ q


PROBS = np.random.default_rng(5).uniform(0.15, 0.85, 5)
BITS = np.array([0.9, 0.1, 0.8, 0.3, 0.6])
T3 = normal(4, 3), normal(4, 3), normal(4, 3)

LOSSES = [
    Mistake("mse: 2 forgotten", mse, lambda g, p, t: (g * (p - t) / 20, -g * (p - t) / 20), (A45, B45), r"\b2\b"),
    Mistake("mse: not divided", mse, lambda g, p, t: (g * 2 * (p - t), -g * 2 * (p - t)), (A45, B45), "division by 20|divided by 20|20 times|multiplied by 20"),
    Mistake("mse: divided by rows", mse, lambda g, p, t: (g * 2 * (p - t) / 4, -g * 2 * (p - t) / 4), (A45, B45), r"5 times too large|20\b.*\b4\b|\b4\b.*\b20"),
    Mistake("mse: dt has the sign of dp", mse, lambda g, p, t: (g * 2 * (p - t) / 20, g * 2 * (p - t) / 20), (A45, B45), "`t`.*sign|sign.*`t`"),
    Mistake("huber: not clipped", huber, lambda g, x, t: (g * (x - t), -g * (x - t)), (2 * A45, B45), "mask|branch|clip|all pass"),
    Mistake("huber: sign outside lost", huber, lambda g, x, t: (g * np.where(np.abs(x - t) < 1, x - t, 1), -g * np.where(np.abs(x - t) < 1, x - t, 1)), (2 * A45, B45), "abs|sign"),
    Mistake("kl: 1 forgotten", kl, lambda g, p, q: (g * (np.log(p) - np.log(q)) / 4, -g * p / q / 4), (PROBABLE, TARGET), "held constant|path|term|1"),
    Mistake("kl: not averaged", kl, lambda g, p, q: (g * (np.log(p) - np.log(q) + 1), -g * p / q), (PROBABLE, TARGET), "division by 4|divided by 4|4 times|multiplied by 4"),
    Mistake("kl: dq without p", kl, lambda g, p, q: (g * (np.log(p) - np.log(q) + 1) / 4, -g / q / 4), (PROBABLE, TARGET), "`p` is missing|multiplied with `p`"),
    Mistake("kl: exchanged in dq", kl, lambda g, p, q: (g * (np.log(p) - np.log(q) + 1) / 4, -g * q / p / 4), (PROBABLE, TARGET), "exchanged|divides|multiplies|for `[pq]`|in the place of"),
    Mistake("soft ce: target forgotten", soft_cross_entropy, lambda g, z: g * softmax(z) / 5, (LOGITS,), r"ONEHOT|one-hot|target.*missing|path through `z`"),
    Mistake("soft ce: softmax forgotten", soft_cross_entropy, lambda g, z: -g * ONEHOT / 5, (LOGITS,), r"held constant|path|missing"),
    Mistake("soft ce: axis", soft_cross_entropy, lambda g, z: g * (softmax(z, 0) - ONEHOT) / 5, (LOGITS,), "axis 0"),
    Mistake("soft ce: divided by K", soft_cross_entropy, lambda g, z: g * (softmax(z) - ONEHOT) / 3, (LOGITS,), r"\b5\b.*\b3\b|\b3\b.*\b5\b"),
    Mistake("temperature forgotten", temperature, lambda g, z: g * (softmax(z / 3.0) - ONEHOT) / 5, (LOGITS,), r"division by `?3|divided by 3|3 times|multiplied by 3"),
    Mistake("temperature multiplied", temperature, lambda g, z: g * 3 * (softmax(z / 3.0) - ONEHOT) / 5, (LOGITS,), r"multiplies instead|9 times|\b3\b"),
    Mistake("temperature left out of the softmax", temperature, lambda g, z: g * (softmax(z) - ONEHOT) / 15, (LOGITS,), r"\b3(\.0)?\b"),
    Mistake("smoothing forgotten", smooth, lambda g, z: g * (softmax(z) - ONEHOT) / 5, (LOGITS,), r"0\.9|0\.1|ONEHOT"),
    Mistake("hinge: mask forgotten", hinge, lambda g, s: -g * SIGNS / 5, (V5,), "mask|passes everywhere"),
    Mistake("hinge: mask inverted", hinge, lambda g, s: -g * SIGNS * (SIGNS * s > 1) / 5, (V5,), "inverse|exchanged|other side"),
    Mistake("hinge: label forgotten", hinge, lambda g, s: -g * (SIGNS * s < 1) / 5, (V5,), "SIGNS"),
    Mistake("hinge: margin 0", hinge, lambda g, s: -g * SIGNS * (SIGNS * s < 0) / 5, (V5 / 2,), r"constant 1|\b1\b.*(left out|0)"),
    Mistake("bce logits: target forgotten", bce_logits, lambda g, z: g * sigmoid(z) / 5, (V5,), r"`t`|target|path|t \* z"),
    Mistake("bce logits: not averaged", bce_logits, lambda g, z: g * (sigmoid(z) - np.array([1.0, 0, 1, 1, 0])), (V5,), "division by 5|divided by 5|5 times|multiplied by 5|number of elements"),
    Mistake("bce logits: with sigmoid'", bce_logits, lambda g, z: g * (sigmoid(z) - np.array([1.0, 0, 1, 1, 0])) * sigmoid(z) * (1 - sigmoid(z)) / 5, (V5,), "sigmoid.*too many|too many.*sigmoid|too many"),
    Mistake("focal: weight a constant", focal, lambda g, p: -g * (1 - p) ** 2 / p, (PROBS,), r"1 - p.*held constant|path"),
    Mistake("focal: log a constant", focal, lambda g, p: g * 2 * (1 - p) * np.log(p), (PROBS,), r"np.log\(p\).*held constant|path"),
    Mistake("focal: 2 forgotten", focal, lambda g, p: -g * ((1 - p) ** 2 / p - (1 - p) * np.log(p)), (PROBS,), r"\b2\b|squared"),
    Mistake("focal: sign of 1 - p", focal, lambda g, p: -g * ((1 - p) ** 2 / p + 2 * (1 - p) * np.log(p)), (PROBS,), "sign"),
    Mistake("dice: denominator a constant", dice, lambda *a: dice_vjp(*a, union=False), (PROBS, BITS), r"p.sum\(\).*held constant|path|held constant"),
    Mistake("dice: 2 forgotten", dice, lambda *a: dice_vjp(*a, two=1), (PROBS, BITS), r"\b2\b"),
    Mistake("triplet: negative forgotten in da", triplet, lambda *a: triplet_vjp(*a, negative=False), T3, r"a - n.*(held|missing|path)|path through `a` in `a - n`"),
    Mistake("triplet: mask forgotten", triplet, lambda *a: triplet_vjp(*a, mask=False), tuple(2 * x for x in T3), "mask|passes everywhere"),
    Mistake("triplet: dn sign", triplet, lambda *a: triplet_vjp(*a, sign=-1), T3, "`n`.*sign|sign.*`n`"),
    Mistake("ridge: penalty forgotten", ridge, lambda g, w, x, y: (g * x.T @ (x @ w - y), g * np.outer(x @ w - y, w), -g * (x @ w - y)), (W5, A45, normal(4)), r"w\*\*2|0\.3"),
    Mistake("ridge: penalty without 2", ridge, lambda g, w, x, y: (g * (x.T @ (x @ w - y) + 0.3 * w), g * np.outer(x @ w - y, w), -g * (x @ w - y)), (W5, A45, normal(4)), r"\b2\b|squared|each time"),
    Mistake("ridge: dx outer transposed", ridge, lambda g, w, x, y: (g * (x.T @ (x @ w - y) + 0.6 * w), g * np.outer(w, x @ w - y), -g * (x @ w - y)), (normal(4), normal(4, 4), normal(4)), "transpos|exchanged|outer|@"),
    Mistake("nce: temperature forgotten", info_nce, lambda *a: nce_vjp(*a, t=1), (normal(4, 3), normal(4, 3)), r"0\.5|\b2\b"),
    Mistake("nce: diagonal forgotten", info_nce, lambda *a: nce_vjp(*a, onehot=False), (normal(4, 3), normal(4, 3)), r"diagonal|one-hot|held constant|numerator|path"),
    Mistake("nce: not averaged", info_nce, lambda *a: nce_vjp(*a, n=1), (normal(4, 3), normal(4, 3)), r"\b4\b|mean"),
    Mistake("nce: not transposed for k", info_nce, lambda *a: nce_vjp(*a, transpose=False), (normal(4, 3), normal(4, 3)), r"transpos|\.T"),
]  # fmt: skip


# ---- sums, statistics, indices -----------------------------------------------------------------------------------------


def variance(x):
    return ((x - x.mean()) ** 2).sum() / (len(x) - 1)


def deviation(x):
    return x.std(axis=0)


def deviation_vjp(g, x, center=True, root=True, n=4):
    c = x - x.mean(0) if center else x
    return g * c / (x.std(0) if root else 1) / n


def geometric(x):
    return np.exp(np.log(x).mean())


def weighted(x, w):
    return (x * w).sum() / w.sum()


def cosine(a, b):
    return (a * b).sum() / (np.sqrt((a * a).sum()) * np.sqrt((b * b).sum()))


def cosine_vjp(g, a, b, project=True, norm=True):
    na, nb = np.sqrt((a * a).sum()), np.sqrt((b * b).sum())
    c = (a * b).sum() / (na * nb)
    da = b / (na * nb) - (c * a / na**2 if project else 0)
    db = a / (na * nb) - c * b / nb**2
    return g * (da if norm else da * na), g * db


def covariance(x):
    c = x - x.mean(axis=0)
    return c.T @ c / (len(x) - 1)


def cumulative(x):
    return np.cumsum(x, axis=1)


def product(x):
    return np.prod(x)


def gathered(x):
    return x[np.array([2, 0, 2, 1])]


def bag(w):
    return w[np.array([[0, 2], [2, 1], [3, 3]])].mean(axis=1)


def bag_vjp(g, w, add=True, mean=True):
    d = np.zeros_like(w)
    index = np.array([[0, 2], [2, 1], [3, 3]])
    share = np.repeat(g[:, None, :], 2, axis=1) / (2 if mean else 1)
    if add:
        np.add.at(d, index, share)
    else:
        d[index] = share
    return d


def largest(x):
    return x.max(axis=1)


def differences(x):
    return x[:, 1:] - x[:, :-1]


def diff_vjp(g, x, right=True, left=True, sign=-1):
    d = np.zeros_like(x)
    if right:
        d[:, 1:] += g
    if left:
        d[:, :-1] += sign * g
    return d


def joined(a, b):
    return np.concatenate([a, 2 * b], axis=1)


def padded(x):
    out = np.zeros((x.shape[0] + 2, x.shape[1] + 2))
    out[1:-1, 1:-1] = x
    return out


def upsample(x):
    return np.repeat(np.repeat(x, 2, axis=0), 2, axis=1)


def sorted_rows(x):
    return np.take_along_axis(x, np.argsort(x, axis=1), axis=1) if isinstance(x, np.ndarray) else np.sort(x, axis=1)


def logsumexp(x):
    m = x.max(axis=1, keepdims=True)
    return (m + np.log(np.exp(x - m).sum(axis=1, keepdims=True)))[:, 0]


def centred(x):
    return x - x.mean(axis=1, keepdims=True)


def unit(x):
    return x / np.sqrt((x**2).sum(axis=1, keepdims=True))


STATISTICS = [
    Mistake("variance: n for n - 1", variance, lambda g, x: g * 2 * (x - x.mean()) / 5, (V5,), r"\b4\b.*\b5\b|\b5\b.*\b4\b|n - 1"),
    Mistake("variance: not centred", variance, lambda g, x: g * 2 * x / 4, (V5,), r"x.mean\(\)|`x` is used in the place|write"),
    Mistake("variance: 2 forgotten", variance, lambda g, x: g * (x - x.mean()) / 4, (V5,), r"\b2\b|squared"),
    Mistake("deviation: not centred", deviation, lambda *a: deviation_vjp(*a, center=False), (A45,), r"mean|`x`"),
    Mistake("deviation: of the variance", deviation, lambda *a: deviation_vjp(*a, root=False), (A45,), r"divi.*std|std.*divi"),
    Mistake("deviation: n - 1", deviation, lambda *a: deviation_vjp(*a, n=3), (A45,), r"n - 1|\b4\b.*\b3\b|\b3\b.*\b4\b"),
    Mistake("geometric: not divided by n", geometric, lambda g, x: g * geometric(x) / x, (P5,), r"division by 5|divided by 5|5 times|multiplied by 5"),
    Mistake("geometric: x forgotten", geometric, lambda g, x: g * geometric(x) / 5 + 0 * x, (P5,), r"division by `?x|divided by `x`"),
    Mistake("weighted: dw without the mean", weighted, lambda g, x, w: (g * w / w.sum(), g * x / w.sum()), (V5, P5), r"w.sum\(\).*held constant|path through `w.sum|w.sum\(\)"),
    Mistake("weighted: dx not normalised", weighted, lambda g, x, w: (g * w, g * (x - weighted(x, w)) / w.sum()), (V5, P5), r"divi.*w.sum\(\)"),
    Mistake("weighted: sign of the mean", weighted, lambda g, x, w: (g * w / w.sum(), g * (x + weighted(x, w)) / w.sum()), (V5, P5), "sign"),
    Mistake("cosine: not projected", cosine, lambda *a: cosine_vjp(*a, project=False), (V5, W5), r"held constant|path|term"),
    Mistake("cosine: norm forgotten", cosine, lambda *a: cosine_vjp(*a, norm=False), (V5, W5), r"sqrt\(\(a \* a\)|`na`|divi"),
    Mistake("covariance: not symmetrised", covariance, lambda g, x: (x - x.mean(0)) @ g / 3, (A45,), r"c\.T|path|term|transpos"),
    Mistake("covariance: n for n - 1", covariance, lambda g, x: (x - x.mean(0)) @ (g + g.T) / 4, (A45,), r"\b3\b.*\b4\b|\b4\b.*\b3\b|n - 1"),
    Mistake("cumsum: not reversed", cumulative, lambda g, x: np.cumsum(g, axis=1), (A45,), "reversed|backwards|not transposed|reverse"),
    Mistake("cumsum: other axis", cumulative, lambda g, x: np.cumsum(g[::-1], axis=0)[::-1], (A45,), "axis 0"),
    Mistake("cumsum: left out", cumulative, lambda g, x: g, (A45,), "left out|as it is"),
    Mistake("product: of all", product, lambda g, x: g * np.prod(x) + 0 * x, (P5,), r"divi.*x|`x`"),
    Mistake("gather: overwritten", gathered, lambda g, x: np.stack([g[1], g[3], g[2]]), (normal(3, 2),), "overwrites|last|assigned"),
    Mistake("gather: first only", gathered, lambda g, x: np.stack([g[1], g[3], g[0]]), (normal(3, 2),), "first"),
    Mistake("bag: overwritten", bag, lambda *a: bag_vjp(*a, add=False), (normal(4, 3),), "overwrites|assigned|last"),
    Mistake("bag: not averaged", bag, lambda *a: bag_vjp(*a, mean=False), (normal(4, 3),), r"division by 2|divided by 2|2 times|multiplied by 2|sum for mean|sum of"),
    Mistake("max: to all", largest, lambda g, x: g[:, None] * np.ones_like(x), (A45,), "goes to all"),
    Mistake("max: along the other axis", largest, lambda g, x: g[:, None] * (x == x.max(0)), (A45,), "axis 0"),
    Mistake("max: averaged over all", largest, lambda g, x: g[:, None] * np.ones_like(x) / 5, (A45,), "goes to all|mean|spread"),
    Mistake("differences: left forgotten", differences, lambda *a: diff_vjp(*a, left=False), (A45,), r"x\[:, :-1\]"),
    Mistake("differences: sign", differences, lambda *a: diff_vjp(*a, sign=1), (A45,), "sign"),
    Mistake("joined: order", joined, lambda g, a, b: (g[:, 3:], 2 * g[:, :3]), (normal(4, 3), normal(4, 3)), "exchanged"),
    Mistake("joined: 2 forgotten", joined, lambda g, a, b: (g[:, :3], g[:, 3:]), (normal(4, 3), normal(4, 3)), r"\b2\b"),
    Mistake("padded: corner", padded, lambda g, x: g[:-2, :-2], (normal(3, 4),), "start at 0|off by|padding|shifted"),
    Mistake("padded: off in one axis", padded, lambda g, x: g[1:-1, 2:], (normal(3, 4),), "off by|shifted"),
    Mistake("upsample: first only", upsample, lambda g, x: g[::2, ::2], (normal(2, 3),), "first"),
    Mistake("upsample: averaged", upsample, lambda g, x: g.reshape(2, 2, 3, 2).mean((1, 3)), (normal(2, 3),), r"mean|4 times|multiplied by 1/4"),
    Mistake("logsumexp: not normalised", logsumexp, lambda g, x: g[:, None] * np.exp(x - x.max(1, keepdims=True)), (A45,), r"divi|log.*left out|sum"),
    Mistake("logsumexp: other axis", logsumexp, lambda g, x: g[:, None] * softmax(x, 0), (A45,), "axis 0"),
    Mistake("centred: mean a constant", centred, lambda g, x: g, (A45,), r"x.mean.*held constant|path"),
    Mistake("centred: mean over the other axis", centred, lambda g, x: g - g.mean(0), (A45,), "axis 0"),
    Mistake("centred: sum for mean", centred, lambda g, x: g - g.sum(1, keepdims=True), (A45,), r"mean|division by 5|\b5\b"),
    Mistake("unit: norm a constant", unit, lambda g, x: g / np.sqrt((x**2).sum(1, keepdims=True)), (A45,), r"held constant|term|path"),
    Mistake("unit: sum over the other axis", unit, lambda g, x: (g - unit(x) * (g * unit(x)).sum(0)) / np.sqrt((x**2).sum(1, keepdims=True)), (A45,), "axis 0"),
    Mistake("unit: not divided", unit, lambda g, x: g - unit(x) * (g * unit(x)).sum(1, keepdims=True), (A45,), "divi"),
]  # fmt: skip


# ---- products, layers, networks ----------------------------------------------------------------------------------------


def mlp(x, w, v):
    h = np.maximum(x @ w, 0)
    return h @ v


def mlp_vjp(g, x, w, v, mask=True, pre=False, post=False):
    z = x @ w
    h = np.maximum(z, 0)
    dh = g @ v.T
    dz = dh * (z > 0) if mask else dh
    return dz @ w.T, x.T @ (dh if post else dz), (z if pre else h).T @ g


def quadratic(x, a):
    return x @ a @ x


def bilinear(x, a, y):
    return (x @ a * y).sum(axis=1)


def outer(u, v):
    return u[:, None] * v[None, :]


def trace_product(a, b):
    return np.trace(a @ b)


def batched(a, b):
    return np.einsum("bij,bjk->bik", a, b)


def distances(x, c):
    return ((x[:, None, :] - c[None, :, :]) ** 2).sum(axis=2)


def dist_vjp(g, x, c, two=2, sign=-1, own=False):
    d = x[:, None, :] - c[None, :, :]
    e = two * g[:, :, None] * d
    return e.sum(1), sign * (e.sum(1)[: len(c)] if own else e.sum(0))


def inverse(a):
    return np.linalg.inv(a)


def inverse_vjp(g, a, sign=-1, turned=True):
    y = np.linalg.inv(a)
    return sign * (y.T @ g @ y.T if turned else y @ g @ y)


def glu(x):
    a, b = np.split(x, 2, axis=1)
    return a * sigmoid(b)


def glu_vjp(g, x, order=True, gate=True, prime=True):
    a, b = np.split(x, 2, axis=1)
    s = sigmoid(b)
    da, db = g * s if gate else g, g * a * (s * (1 - s) if prime else s)
    return np.concatenate([da, db] if order else [db, da], axis=1)


def highway(x, w, v):
    t = sigmoid(x @ w)
    return t * np.tanh(x @ v) + (1 - t) * x


def highway_vjp(g, x, w, v, carry=True, gate=True, skip=True):
    t, h = sigmoid(x @ w), np.tanh(x @ v)
    dt = g * (h - x if carry else h) * t * (1 - t)
    dh = g * t * (1 - h**2)
    dx = dh @ v.T + (dt @ w.T if gate else 0) + (g * (1 - t) if skip else 0)
    return dx, x.T @ dt, x.T @ dh


def rnn(x, w, u):
    h = np.zeros(3)
    total = 0.0
    for t in range(3):
        h = np.tanh(x[t] @ w + h @ u)
        total = total + h.sum()
    return total


def rnn_vjp(g, x, w, u, back=True, prime=True, previous=True):
    h = [np.zeros(3)]
    for t in range(3):
        h.append(np.tanh(x[t] @ w + h[-1] @ u))
    dx, dw, du, carry = np.zeros_like(x), np.zeros_like(w), np.zeros_like(u), np.zeros(3)
    for t in reversed(range(3)):
        dh = g + carry
        dz = dh * (1 - h[t + 1] ** 2) if prime else dh
        dx[t] = dz @ w.T
        dw += np.outer(x[t], dz)
        du += np.outer(h[t] if previous else h[t + 1], dz)
        carry = dz @ u.T if back else np.zeros(3)
    return dx, dw, du


def attend(q, k, v):
    return softmax(q @ k.T / np.sqrt(3.0)) @ v


def attend_vjp(g, q, k, v, exchanged=False, dv=False, sums=True):
    p = softmax(q @ k.T / np.sqrt(3.0))
    dp = g @ v.T
    ds = p * (dp - (dp * p).sum(1 if sums else 0, keepdims=True)) / np.sqrt(3.0)
    dq, dk = ds @ k, ds.T @ q
    return (dk, dq, p.T @ g) if exchanged else (dq, dk, (p @ g if dv else p.T @ g))


def ema(x):
    m = np.zeros(2)
    out = []
    for t in range(4):
        m = 0.9 * m + 0.1 * x[t]
        out.append(m)
    return np.stack(out)


def ema_vjp(g, x, decay=0.9, rate=0.1, carry=True):
    d, m = np.zeros_like(x), np.zeros(2)
    for t in reversed(range(4)):
        m = g[t] + (decay * m if carry else 0)
        d[t] = rate * m
    return d


def strided(x, k):
    return np.stack([(x[2 * i : 2 * i + 3] * k).sum() for i in range(4)])


def strided_vjp(g, x, k, step=2, flip=False, assign=False, where=0):
    dx = np.zeros_like(x)
    for i in range(4):
        part = g[i] * (k[::-1] if flip else k)
        if assign:
            dx[step * i : step * i + 3] = part
        else:
            dx[step * i : step * i + 3] += part
    dk = sum(g[i] * x[2 * i + where : 2 * i + where + 3] for i in range(4))
    return dx, dk


def vae(mu, logvar):
    eps = np.array([0.3, -1.0, 0.5, 0.2, -0.4])
    z = mu + np.exp(0.5 * logvar) * eps
    return (z**2).sum() + 0.5 * (mu**2 + np.exp(logvar) - logvar - 1).sum()


def vae_vjp(g, mu, logvar, sample=True, half=0.5, prior=True, entropy=True):
    eps = np.array([0.3, -1.0, 0.5, 0.2, -0.4])
    s = np.exp(0.5 * logvar)
    z = mu + s * eps
    dm = 2 * z + (mu if prior else 0)
    dl = (2 * z * eps * half * s if sample else 0) + 0.5 * (np.exp(logvar) - (1 if entropy else 0))
    return g * dm, g * dl


MLP = (normal(4, 3), normal(3, 5), normal(5, 2))
HIGHWAY = (normal(4, 3), normal(3, 3), normal(3, 3))
RNN = (normal(3, 2), normal(2, 3), normal(3, 3) / 2)
ATTEND = (normal(4, 3), normal(4, 3), normal(4, 3))

NETWORKS = [
    Mistake("mlp: mask forgotten", mlp, lambda *a: mlp_vjp(*a, mask=False), MLP, "mask|passes everywhere"),
    Mistake("mlp: dv of the pre-activation", mlp, lambda *a: mlp_vjp(*a, pre=True), MLP, r"`x @ w` is used in the place|write .*`h`|np.maximum.*left out"),
    Mistake("mlp: dw without the mask", mlp, lambda *a: mlp_vjp(*a, post=True), MLP, "mask|everywhere|write `dz`|for `dh`"),
    Mistake("quadratic: one term", quadratic, lambda g, x, a: (g * a @ x, g * np.outer(x, x)), (V5, normal(5, 5)), "path|held constant|term"),
    Mistake("quadratic: as if symmetric", quadratic, lambda g, x, a: (2 * g * a @ x, g * np.outer(x, x)), (V5, normal(5, 5)), r"a\.T|transpose|symmetric|`a @"),
    Mistake("bilinear: dy of x", bilinear, lambda g, x, a, y: (g[:, None] * y @ a.T, x.T @ (g[:, None] * y), g[:, None] * x), (normal(4, 3), normal(3, 3), normal(4, 3)), r"x @ a|`a`"),
    Mistake("bilinear: a not transposed", bilinear, lambda g, x, a, y: (g[:, None] * y @ a, x.T @ (g[:, None] * y), g[:, None] * (x @ a)), (normal(4, 3), normal(3, 3), normal(4, 3)), r"a\.T"),
    Mistake("outer: sums exchanged", outer, lambda g, u, v: ((g * v).sum(0), (g * u[:, None]).sum(1)), (normal(4), normal(4)), r"axis 0|axis 1|over the one"),
    Mistake("outer: dv without u", outer, lambda g, u, v: ((g * v).sum(1), g.sum(0)), (normal(4), normal(3)), r"`u|u\[:, None\]"),
    Mistake("trace: not transposed", trace_product, lambda g, a, b: (g * b, g * a.T), (normal(3, 3), normal(3, 3)), r"transpos|\.T"),
    Mistake("batched: not transposed", batched, lambda g, a, b: (g @ b, a.swapaxes(1, 2) @ g), (normal(2, 3, 3), normal(2, 3, 3)), r"transpos|\.T|exchanged"),
    Mistake("batched: first only", batched, lambda g, a, b: (g @ b[:1].swapaxes(1, 2), a.swapaxes(1, 2) @ g), (normal(3, 2, 3), normal(3, 3, 4)), "first"),
    Mistake("distances: 2 forgotten", distances, lambda *a: dist_vjp(*a, two=1), (normal(4, 2), normal(3, 2)), r"\b2\b|squared"),
    Mistake("distances: sign of dc", distances, lambda *a: dist_vjp(*a, sign=1), (normal(4, 2), normal(3, 2)), "`c`.*sign|sign.*`c`"),
    Mistake("inverse: sign", inverse, lambda *a: inverse_vjp(*a, sign=1), (normal(3, 3) + 3 * np.eye(3),), "sign"),
    Mistake("inverse: not transposed", inverse, lambda *a: inverse_vjp(*a, turned=False), (normal(3, 3) + 3 * np.eye(3),), r"transpos|\.T"),
    Mistake("glu: branches exchanged", glu, lambda *a: glu_vjp(*a, order=False), (normal(4, 6),), "exchanged|halves"),
    Mistake("glu: gate left out", glu, lambda *a: glu_vjp(*a, gate=False), (normal(4, 6),), r"sigmoid.*missing|multiplied with `s`|factor|exp\(-"),
    Mistake("glu: 1 - s forgotten", glu, lambda *a: glu_vjp(*a, prime=False), (normal(4, 6),), r"1 - .*missing|factor"),
    Mistake("highway: carry in dt", highway, lambda *a: highway_vjp(*a, carry=False), HIGHWAY, r"1 - t|path"),
    Mistake("highway: gate path in dx", highway, lambda *a: highway_vjp(*a, gate=False), HIGHWAY, r"x @ w|path|held constant"),
    Mistake("highway: skip", highway, lambda *a: highway_vjp(*a, skip=False), HIGHWAY, r"\(1 - t\) \* x|path through `x`"),
    Mistake("rnn: not through time", rnn, lambda *a: rnn_vjp(*a, back=False), RNN, r"h @ u|held constant|path"),
    Mistake("rnn: tanh' left out", rnn, lambda *a: rnn_vjp(*a, prime=False), RNN, "tanh.*left out|derivative of"),
    Mistake("rnn: du of the new state", rnn, lambda *a: rnn_vjp(*a, previous=False), RNN, "turn after|`h"),
    Mistake("attention: dq and dk exchanged", attend, lambda *a: attend_vjp(*a, exchanged=True), ATTEND, "exchanged|gets the gradient"),
    Mistake("attention: p not transposed in dv", attend, lambda *a: attend_vjp(*a, dv=True), ATTEND, r"p\.T|\.T|transpos"),
    Mistake("attention: sum over the other axis", attend, lambda *a: attend_vjp(*a, sums=False), ATTEND, "axis 0"),
    Mistake("ema: rate and decay exchanged", ema, lambda *a: ema_vjp(*a, decay=0.1, rate=0.9), (normal(4, 2),), r"0\.1.*0\.9|0\.9.*0\.1"),
    Mistake("ema: not through time", ema, lambda *a: ema_vjp(*a, carry=False), (normal(4, 2),), r"0\.9 \* m|held constant|path"),
    Mistake("ema: rate forgotten", ema, lambda *a: ema_vjp(*a, rate=1.0), (normal(4, 2),), r"0\.1"),
    Mistake("strided: step 1", strided, lambda *a: strided_vjp(*a, step=1), (normal(9), normal(3)), "stride is ignored|stride|step"),
    Mistake("strided: kernel flipped", strided, lambda *a: strided_vjp(*a, flip=True), (normal(9), normal(3)), "revers|flip"),
    Mistake("strided: assigned", strided, lambda *a: strided_vjp(*a, assign=True), (normal(9), normal(3)), "assigned|overwrites|last"),
    Mistake("vae: sample not differentiated", vae, lambda *a: vae_vjp(*a, sample=False), (V5, W5), r"held constant|path"),
    Mistake("vae: half forgotten", vae, lambda *a: vae_vjp(*a, half=1.0), (V5, W5), r"0\.5"),
    Mistake("vae: prior forgotten", vae, lambda *a: vae_vjp(*a, prior=False), (V5, W5), r"mu\*\*2"),
    Mistake("vae: entropy forgotten", vae, lambda *a: vae_vjp(*a, entropy=False), (V5, W5), r"logvar|term|path"),
]  # fmt: skip

MISTAKES = [*NORMALISATION, *ELEMENTWISE, *LOSSES, *STATISTICS, *NETWORKS]
