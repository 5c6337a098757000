"""Second order: gradients as functions of inputs and cotangents, and their own VJPs."""

import numpy as np

from tests.gradcheck.power.case import normal, positive, variants

X, V, P = normal(151, 5), normal(152, 5), positive(153, 5)
M, G = normal(154, 3, 3), normal(155, 3, 3)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def tanh_gradient(v, x):
    return v * (1 - np.tanh(x) ** 2)


def tanh_vjp(g, v, x, m=""):
    t = np.tanh(x)
    dx = (2 if m == "sign" else -2) * g * v * t * (1 if m == "slope of the inner tanh" else 1 - t * t)
    return g * (1 - t * t), 0 * x if m == "y held constant" else dx


def sigmoid_gradient(v, x):
    s = sigmoid(x)
    return v * s * (1 - s)


def sigmoid_vjp(g, v, x, m=""):
    s = sigmoid(x)
    return g * s * (1 - s), g * v * s * (1 - s) * (
        1 - s if m == "a factor 2" else 1 if m == "product rule" else 1 - 2 * s
    )


def softmax_gradient(v, x):
    p = softmax(x)
    return p * (v - v @ p)


def softmax_vjp(g, v, x, m=""):
    p = softmax(x)
    dv = p * (g - g @ p)
    dp = g * (v - v @ p) - (0 if m == "inner sum held constant" else v * (g @ p))
    return dv, p * (dp - (0 if m == "softmax diagonal" else dp @ p))


def product_gradient(g, a, b):
    return np.stack([g @ b.T, a.T @ g])


def product_vjp(u, g, a, b, m=""):
    dg = u[0] @ b + (0 if m == "one way" else a @ u[1])
    return (
        dg,
        g @ (u[1] if m == "not transposed" else u[1].T),
        (u[0].T @ g if m != "of the first" else np.zeros_like(b)),
    )


def power_gradient(v, x):
    return 3 * v * x**2


def power_vjp(g, v, x, m=""):
    return 3 * g * x**2, (3 if m == "factor" else 6) * g * v * x


def relu_square_gradient(v, x):
    return 2 * v * np.maximum(x, 0)


def relu_square_vjp(g, v, x, m=""):
    return 2 * g * np.maximum(x, 0), 2 * g * v * (np.ones_like(x) if m == "mask" else x > 0) * (0 if m == "none" else 1)


def norm_gradient(v, x):
    return v * x / np.sqrt(x @ x)


def norm_vjp(g, v, x, m=""):
    n = np.sqrt(x @ x)
    return g @ x / n, g * v / n - (
        0 if m == "length held constant" else x * (g @ x) * v / (n if m == "a power" else n**3)
    )


def hessian_product(v, x):
    """Of sum(exp x) + (sum x)^3."""
    return v * np.exp(x) + 6 * x.sum() * v.sum()


def hessian_vjp(g, v, x, m=""):
    dv = g * np.exp(x) + 6 * x.sum() * g.sum()
    return dv, g * v * np.exp(x) + (0 if m == "cross term" else 6 * v.sum() * g.sum()) * np.ones(5)


def log_gradient(v, x):
    return v / x


def log_vjp(g, v, x, m=""):
    return g / x, (g if m == "sign" else -g) * v / (x if m == "not squared" else x**2)


CASES = [
    *variants(
        "gradient of tanh", tanh_gradient, tanh_vjp, (V, X), "sign", "slope of the inner tanh", "y held constant"
    ),
    *variants("gradient of sigmoid", sigmoid_gradient, sigmoid_vjp, (V, X), "a factor 2", "product rule"),
    *variants(
        "gradient of softmax", softmax_gradient, softmax_vjp, (V, X), "inner sum held constant", "softmax diagonal"
    ),
    *variants(
        "gradient of a product",
        product_gradient,
        product_vjp,
        (G, M, normal(156, 3, 3)),
        "one way",
        "not transposed",
        "of the first",
    ),
    *variants("gradient of a cube", power_gradient, power_vjp, (V, X), "factor"),
    *variants("gradient of a squared ReLU", relu_square_gradient, relu_square_vjp, (V, X), "mask", "none"),
    *variants("gradient of the length", norm_gradient, norm_vjp, (np.array(0.7), X), "length held constant", "a power"),
    *variants("Hessian times a vector", hessian_product, hessian_vjp, (V, X), "cross term"),
    *variants("gradient of the logarithm", log_gradient, log_vjp, (V, P), "sign", "not squared"),
]
