"""Products of matrices and their like; values taken from places and put there."""

import numpy as np

from tests.gradcheck.power.case import normal, others, spread, variants

A, B = normal(21, 3, 4), normal(22, 4, 2)
SQ, SQ2 = normal(23, 3, 3), normal(24, 3, 3)
X, W, BIAS = normal(25, 4, 3), normal(26, 5, 3), normal(27, 5)
BA, BB = normal(28, 2, 3, 4), normal(29, 2, 4, 3)
IDX = np.array([2, 0, 2, 1])


def linear_vjp(g, x, w, b, m=""):
    dx, dw, db = g @ w, g.T @ x, g.sum(0)
    if m == "bias averaged":
        db = g.mean(0)
    if m == "weight averaged":
        dw = dw / len(x)
    if m == "weight of the first sample":
        dw = np.outer(g[0], x[0])
    if m == "decay":
        dw = dw + 1e-3 * w
    if m == "absolute weight":
        dx = g @ np.abs(w)
    return dx, dw, db


def bilinear_vjp(g, x, m, y, wrong=""):
    return (
        g * (m @ y if wrong != "transposed" else m.T @ y),
        g * np.outer(x, y),
        g * (m.T @ x if wrong != "both" else m @ x),
    )


def take_vjp(g, x, m=""):
    out = np.zeros_like(x)
    if m == "assigned":
        out[IDX] = g
    elif m == "off by one":
        np.add.at(out, (IDX + 1) % 3, g)
    elif m == "divided by the count":
        np.add.at(out, IDX, g)
        out /= np.bincount(IDX, minlength=3)[:, None]
    else:
        np.add.at(out, IDX, g)
    return out


def scatter(x, y):
    out = x.copy()
    np.add.at(out, IDX, y)
    return out


def roll_vjp(g, x, m=""):
    return np.roll(g, 2 if m == "the same way" else -1 if m == "by one" else -2, axis=1)


def pad_vjp(g, x, m=""):
    """The forward reflects two at the left of each row."""
    out = g[:, 2:].copy()
    if m != "no reflection":
        out[:, 1] += g[:, 1]
        out[:, 2] += 0 if m == "one reflected" else g[:, 0]
    if m == "the edge counts":
        out[:, 0] += g[:, 0]
    return out


def concat_vjp(g, a, b, m=""):
    return (g[:, :2], g[:, 2:]) if m == "in two halves" else (g[:, :3], g[:, 2:4] if m == "overlapping" else g[:, 3:])


def where_vjp(g, a, b, m=""):
    mask = a > b
    return g * mask, g * (mask if m == "the same mask" else ~mask) * (0 if m == "second dropped" else 1)


CASES = [
    *others(
        "product",
        lambda a, b: a @ b,
        lambda g, a, b: (g @ b.T, a.T @ g),
        (A, B),
        {
            "sign of the second": lambda g, a, b: (g @ b.T, -a.T @ g),
            "halved": lambda g, a, b: (g @ b.T / 2, a.T @ g),
            "second is missing": lambda g, a, b: (g @ b.T, 0 * b),
        },
    ),
    *others(
        "square product",
        lambda a, b: a @ b,
        lambda g, a, b: (g @ b.T, a.T @ g),
        (SQ, SQ2),
        {
            "not transposed": lambda g, a, b: (g @ b, a.T @ g),
            "order": lambda g, a, b: (b.T @ g, a.T @ g),
            "own value": lambda g, a, b: (g @ a.T, a.T @ g),
            "gradient transposed": lambda g, a, b: (g @ b.T, a.T @ g.T),
        },
    ),
    *others(
        "batched product",
        lambda a, b: a @ b,
        lambda g, a, b: (g @ b.swapaxes(1, 2), a.swapaxes(1, 2) @ g),
        (BA, BB),
        {
            "first of the batch": lambda g, a, b: (g @ b[:1].swapaxes(1, 2), a.swapaxes(1, 2) @ g),
            "batch summed": lambda g, a, b: (
                g @ b.swapaxes(1, 2),
                np.broadcast_to((a.swapaxes(1, 2) @ g).sum(0), b.shape),
            ),
        },
    ),
    *variants(
        "linear",
        lambda x, w, b: x @ w.T + b,
        linear_vjp,
        (X, W, BIAS),
        "bias averaged",
        "weight averaged",
        "weight of the first sample",
        "decay",
        "absolute weight",
    ),
    *others(
        "bilinear form",
        lambda x, m, y: x @ m @ y,
        bilinear_vjp,
        (normal(30, 3), SQ, normal(31, 3)),
        {
            "first transposed": lambda g, *a: bilinear_vjp(g, *a, wrong="transposed"),
            "last not transposed": lambda g, *a: bilinear_vjp(g, *a, wrong="both"),
        },
    ),
    *others(
        "quadratic form",
        lambda x, m: x @ m @ x,
        lambda g, x, m: (g * (m + m.T) @ x, g * np.outer(x, x)),
        (normal(32, 3), SQ),
        {
            "as if symmetric": lambda g, x, m: (2 * g * m @ x, g * np.outer(x, x)),
            "one side": lambda g, x, m: (g * m @ x, g * np.outer(x, x)),
        },
    ),
    *others(
        "outer",
        np.outer,
        lambda g, a, b: (g @ b, g.T @ a),
        (normal(33, 3), normal(34, 3)),
        {"transposed": lambda g, a, b: (g.T @ b, g.T @ a)},
    ),
    *others(
        "kron",
        np.kron,
        lambda g, a, b: (
            np.einsum("ikjl,kl->ij", g.reshape(3, 3, 3, 3), b),
            np.einsum("ikjl,ij->kl", g.reshape(3, 3, 3, 3), a),
        ),
        (SQ, SQ2),
        {
            "axes": lambda g, a, b: (
                np.einsum("ikjl,jl->ik", g.reshape(3, 3, 3, 3), b),
                np.einsum("ikjl,ij->kl", g.reshape(3, 3, 3, 3), a),
            )
        },
    ),
    *others("transpose", lambda x: x.T.copy(), lambda g, x: g.T, (SQ,), {"as it is": lambda g, x: g}),
    *others(
        "reshape",
        lambda x: x.reshape(4, 3),
        lambda g, x: g.reshape(3, 4),
        (A,),
        {"column order": lambda g, x: g.reshape(3, 4, order="F")},
    ),
    *variants(
        "rows taken", lambda x: x[IDX], take_vjp, (normal(35, 3, 2),), "assigned", "off by one", "divided by the count"
    ),
    *others(
        "rows added",
        scatter,
        lambda g, x, y: (g, g[IDX]),
        (normal(36, 3, 2), normal(37, 4, 2)),
        {"none below": lambda g, x, y: (g * 0.5, g[IDX]), "places": lambda g, x, y: (g, g[np.sort(IDX)])},
    ),
    *variants("roll", lambda x: np.roll(x, 2, axis=1), roll_vjp, (normal(38, 2, 5),), "the same way", "by one"),
    *variants(
        "reflected pad",
        lambda x: np.concatenate([x[:, 2:0:-1], x], 1),
        pad_vjp,
        (normal(39, 2, 4),),
        "no reflection",
        "one reflected",
        "the edge counts",
    ),
    *others(
        "concatenation",
        lambda a, b: np.concatenate([a, b], 1),
        concat_vjp,
        (normal(40, 2, 3), normal(41, 2, 2)),
        {"overlapping": lambda g, a, b: concat_vjp(g, a, b, "overlapping")},
    ),
    *others(
        "stack of equals",
        lambda a, b: np.stack([a, b]),
        lambda g, a, b: (g[0], g[1]),
        (V1 := normal(42, 3), normal(43, 3)),
        {"exchanged": lambda g, a, b: (g[1], g[0]), "the first twice": lambda g, a, b: (g[0], g[0])},
    ),
    *variants(
        "where",
        lambda a, b: np.where(a > b, a, b),
        where_vjp,
        (spread(44, 6)[:3], spread(44, 6)[3:]),
        "the same mask",
        "second dropped",
    ),
    *others(
        "diagonal",
        lambda x: np.diag(x).copy(),
        lambda g, x: np.diag(g),
        (SQ,),
        {"a row": lambda g, x: np.outer([1, 0, 0], g)},
    ),
    *others(
        "triangle",
        lambda x: np.tril(x),
        lambda g, x: np.tril(g),
        (SQ,),
        {"upper": lambda g, x: np.triu(g), "all": lambda g, x: g, "strict": lambda g, x: np.tril(g, -1)},
    ),
    *others("flipped", lambda x: x[::-1] * 2.0, lambda g, x: 2 * g[::-1], (V1,), {"not flipped": lambda g, x: 2 * g}),
    *others(
        "every other",
        lambda x: x[::2] ** 2,
        lambda g, x: np.stack([2 * g * x[::2], 0 * g], 1).reshape(-1),
        (normal(45, 6),),
        {"the others": lambda g, x: np.stack([0 * g, 2 * g * x[::2]], 1).reshape(-1)},
    ),
]
