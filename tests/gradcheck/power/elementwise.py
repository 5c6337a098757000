"""Functions of one number or two."""

import numpy as np

from tests.gradcheck.power.case import elementwise, normal, others, positive, spread


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


X, P, S = normal(1, 6), positive(2, 5), spread(3, 7)
A, B = positive(4, 3, 4), positive(5, 4)
C = np.sqrt(2 / np.pi)


def gelu(x):
    return 0.5 * x * (1 + np.tanh(C * (x + 0.044715 * x**3)))


def gelu_slope(x, third=3 * 0.044715, square=True):
    t = np.tanh(C * (x + 0.044715 * x**3))
    return 0.5 * (1 + t) + 0.5 * x * ((1 - t**2) if square else (1 - t)) * C * (1 + third * x**2)


def atan2_vjp(g, y, x, sign=-1, square=True):
    r = x**2 + y**2 if square else np.sqrt(x**2 + y**2)
    return g * x / r, sign * g * y / r


def power_vjp(g, x, y):
    return g * y * x ** (y - 1), g * x**y * np.log(x)


CASES = [
    *elementwise(
        "tanh",
        np.tanh,
        lambda x: 1 - np.tanh(x) ** 2,
        X,
        {"not squared": lambda x: 1 - np.tanh(x), "of x": lambda x: 1 - x**2, "plus": lambda x: 1 + np.tanh(x) ** 2},
    ),
    *elementwise(
        "sigmoid",
        sigmoid,
        lambda x: sigmoid(x) * (1 - sigmoid(x)),
        X,
        {"of itself": lambda x: sigmoid(x), "of y again": lambda x: sigmoid(sigmoid(x)) * (1 - sigmoid(sigmoid(x)))},
    ),
    *elementwise(
        "softplus",
        lambda x: np.log1p(np.exp(x)),
        sigmoid,
        X,
        {"mirrored": lambda x: sigmoid(-x), "step": lambda x: (x > 0) * 1.0},
    ),
    *elementwise(
        "silu",
        lambda x: x * sigmoid(x),
        lambda x: sigmoid(x) * (1 + x * (1 - sigmoid(x))),
        X,
        {"one term": sigmoid, "no x": lambda x: sigmoid(x) * (2 - sigmoid(x))},
    ),
    *elementwise(
        "gelu",
        gelu,
        gelu_slope,
        X,
        {
            "cubic term without its 3": lambda x: gelu_slope(x, third=0.044715),
            "tanh not squared": lambda x: gelu_slope(x, square=False),
            "that of the exact one": lambda x: (
                0.5 * (1 + np.tanh(C * x * 1.0007)) + x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)
            ),
        },
    ),
    *elementwise(
        "leaky relu",
        lambda x: np.where(x > 0, x, 0.01 * x),
        lambda x: np.where(x > 0, 1.0, 0.01),
        S,
        {
            "slope 0": lambda x: (x > 0) * 1.0,
            "slope 0.02": lambda x: np.where(x > 0, 1.0, 0.02),
            "mask at 0.5": lambda x: np.where(x > 0.5, 1.0, 0.01),
        },
    ),
    *elementwise(
        "elu",
        lambda x: np.where(x > 0, x, np.exp(x) - 1),
        lambda x: np.where(x > 0, 1.0, np.exp(x)),
        S,
        {"y for y + 1": lambda x: np.where(x > 0, 1.0, np.exp(x) - 1), "exp everywhere": np.exp},
    ),
    *elementwise(
        "hard swish",
        lambda x: x * np.clip(x + 3, 0, 6) / 6,
        lambda x: np.where(x > 3, 1.0, np.where(x < -3, 0.0, (2 * x + 3) / 6)),
        np.array([-4.0, -1.0, 0.5, 2.0, 5.0]),
        {
            "x for 2x": lambda x: np.where(x > 3, 1.0, np.where(x < -3, 0.0, (x + 3) / 6)),
            "not clipped above": lambda x: np.where(x < -3, 0.0, (2 * x + 3) / 6),
        },
    ),
    *elementwise(
        "log",
        np.log,
        lambda x: 1 / x,
        P,
        {"an epsilon inside": lambda x: 1 / (x + 1e-4), "log10": lambda x: 1 / (x * np.log(10))},
    ),
    *elementwise("log1p", np.log1p, lambda x: 1 / (1 + x), P, {"1 / x": lambda x: 1 / x}),
    *elementwise("sqrt", np.sqrt, lambda x: 0.5 / np.sqrt(x), P, {"no half": lambda x: 1 / np.sqrt(x)}),
    *elementwise("cube root", np.cbrt, lambda x: np.cbrt(x) ** -2 / 3, P, {"exponent": lambda x: x ** (-1 / 3) / 3}),
    *elementwise(
        "reciprocal",
        lambda x: 1 / x,
        lambda x: -1 / x**2,
        P,
        {"sign": lambda x: 1 / x**2, "not squared": lambda x: -1 / x},
    ),
    *elementwise("cos", np.cos, lambda x: -np.sin(x), X, {"sign": np.sin}),
    *elementwise("tan", np.tan, lambda x: 1 + np.tan(x) ** 2, X / 3, {"1 / cos": lambda x: 1 / np.cos(x)}),
    *elementwise(
        "arcsin", np.arcsin, lambda x: 1 / np.sqrt(1 - x**2), X / 4, {"plus": lambda x: 1 / np.sqrt(1 + x**2)}
    ),
    *elementwise("arctan", np.arctan, lambda x: 1 / (1 + x**2), X, {"minus": lambda x: 1 / (1.0 - 0.1 * x**2)}),
    *elementwise(
        "x^5",
        lambda x: x**5,
        lambda x: 5 * x**4,
        X,
        {"exponent 5": lambda x: 5 * x**5, "abs": lambda x: 5 * np.abs(x) ** 3},
    ),
    *elementwise("abs", np.abs, np.sign, S, {"one": np.ones_like}),
    *elementwise(
        "clip",
        lambda x: np.clip(x, -0.5, 0.5),
        lambda x: (np.abs(x) < 0.5) * 1.0,
        S,
        {
            "lets all through": np.ones_like,
            "above only": lambda x: (x < 0.5) * 1.0,
            "at another bound": lambda x: (np.abs(x) < 0.7) * 1.0,
        },
    ),
    *elementwise(
        "sin of x squared",
        lambda x: np.sin(x**2),
        lambda x: 2 * x * np.cos(x**2),
        X,
        {"no inner": lambda x: np.cos(x**2), "inner value": lambda x: 2 * x * np.cos(2 * x)},
    ),
    *elementwise(
        "exp of minus square",
        lambda x: np.exp(-x * x / 2),
        lambda x: -x * np.exp(-x * x / 2),
        X,
        {"factor 2": lambda x: -2 * x * np.exp(-x * x / 2)},
    ),
    *others(
        "atan2",
        np.arctan2,
        atan2_vjp,
        (normal(6, 4), normal(7, 4)),
        {
            "sign of the second": lambda g, y, x: atan2_vjp(g, y, x, sign=1),
            "radius not squared": lambda g, y, x: atan2_vjp(g, y, x, square=False),
            "exchanged": lambda g, y, x: atan2_vjp(g, y, x)[::-1],
        },
    ),
    *others(
        "power",
        np.power,
        power_vjp,
        (positive(8, 4), positive(9, 4)),
        {
            "no logarithm": lambda g, x, y: (power_vjp(g, x, y)[0], g * x**y),
            "log of the exponent": lambda g, x, y: (power_vjp(g, x, y)[0], g * x**y * np.log(y)),
            "exponent not lowered": lambda g, x, y: (g * y * x**y, power_vjp(g, x, y)[1]),
        },
    ),
    *others(
        "quotient, broadcast",
        lambda a, b: a / b,
        lambda g, a, b: (g / b, (-g * a / b**2).sum(0)),
        (A, B),
        {
            "sign": lambda g, a, b: (g / b, (g * a / b**2).sum(0)),
            "not squared": lambda g, a, b: (g / b, (-g * a / b).sum(0)),
            "mean for sum": lambda g, a, b: (g / b, (-g * a / b**2).mean(0)),
            "first row only": lambda g, a, b: (g / b, (-g * a / b**2)[0]),
        },
    ),
    *others(
        "maximum",
        np.maximum,
        lambda g, a, b: (g * (a > b), g * (a <= b)),
        (S[:3], S[3:6]),
        {
            "exchanged": lambda g, a, b: (g * (a <= b), g * (a > b)),
            "both": lambda g, a, b: (g, g),
            "half each": lambda g, a, b: (g / 2, g / 2),
        },
    ),
    *others(
        "hypot",
        np.hypot,
        lambda g, a, b: (g * a / np.hypot(a, b), g * b / np.hypot(a, b)),
        (A[0], B),
        {"squared": lambda g, a, b: (g * a / (a * a + b * b), g * b / np.hypot(a, b))},
    ),
    *others(
        "remainder",
        np.mod,
        lambda g, a, b: (g, -g * np.floor(a / b)),
        (5 * A[0], B),
        {"no second": lambda g, a, b: (g, 0 * g), "rounded": lambda g, a, b: (g, -g * np.trunc(a / b + 0.3))},
    ),
]
