"""Sums, means, extremes, cumulative ones, norms of vectors."""

import numpy as np

from tests.gradcheck.power.case import normal, others, positive, spread, variants

A, P, S = normal(11, 3, 4), positive(12, 3, 4), spread(13, 3, 4)
V, Q = normal(14, 5), positive(15, 5)


def variance_vjp(g, x, m=""):
    n = {"divided by n - 1": 3, "divided by the other axis": 3.0001}.get(m, 4)
    d = x if m == "not centred" else x - x.mean(1, keepdims=True)
    d = x - x.mean() if m == "centred over all" else d
    return (1 if m == "no 2" else 2) * d * g[:, None] / n


def std_vjp(g, x, m=""):
    s = x.std(0)
    d = (x - x.mean(0)) / len(x)
    return g * d / (s**2 if m == "variance below" else s) * (2 if m == "a 2" else 1)


def lse(x):
    top = x.max(1, keepdims=True)
    return (top + np.log(np.exp(x - top).sum(1, keepdims=True)))[:, 0]


def lse_vjp(g, x, m=""):
    e = np.exp(x - x.max(1, keepdims=True))
    p = e / (e.sum() if m == "over all" else e.sum(0) if m == "over the other axis" else e.sum(1, keepdims=True))
    return g[:, None] * (np.eye(4)[x.argmax(1)] if m == "the maximum alone" else p)


def top_two(x):
    return np.sort(x, 1)[:, -2:]


def top_two_vjp(g, x, m=""):
    order = np.argsort(x, 1)
    out = np.zeros_like(x)
    places = order[:, -2:][:, ::-1] if m == "in the other order" else order[:, -2:]
    np.put_along_axis(out, order[:, :2] if m == "the least" else places, g, 1)
    return out


def cumprod_vjp(g, x, m=""):
    y = np.cumprod(x)
    if m == "not reversed":
        return np.cumsum(g * y) / x
    total = np.cumsum((g * y)[::-1])[::-1]
    return (total - g * y if m == "without its own" else total) / x


def norm_vjp(g, x, m=""):
    n = np.sqrt((x**2).sum(1))
    n = n**2 if m == "squared" else n
    return g[:, None] * (2 if m == "a 2" else 1) * x / (n.sum() if m == "over all" else n[:, None])


def median_vjp(g, x, m=""):
    place = np.argsort(x)[len(x) // 2 - (m == "the one below")]
    out = np.zeros_like(x)
    out[place] = g
    return out / (2 if m == "shared" else 1)


def entropy_vjp(g, p, m=""):
    return -g * (np.log(p) + (0 if m == "no 1" else 1))


CASES = [
    *others(
        "sum over columns",
        lambda x: x.sum(1),
        lambda g, x: np.repeat(g[:, None], 4, 1),
        (A,),
        {"over 4": lambda g, x: np.repeat(g[:, None], 4, 1) / 4, "places": lambda g, x: np.resize(g, (3, 4))},
    ),
    *others(
        "mean",
        lambda x: x.mean(0),
        lambda g, x: np.tile(g, (3, 1)) / 3,
        (A,),
        {
            "the other length": lambda g, x: np.tile(g, (3, 1)) / 4,
            "all lengths": lambda g, x: np.tile(g, (3, 1)) / 12,
            "not divided": lambda g, x: np.tile(g, (3, 1)),
        },
    ),
    *others(
        "product",
        lambda x: x.prod(),
        lambda g, x: g * x.prod() / x,
        (Q,),
        {"times x": lambda g, x: g * x.prod() * x, "whole": lambda g, x: g * x.prod() * np.ones(5)},
    ),
    *variants(
        "variance",
        lambda x: x.var(1),
        variance_vjp,
        (A,),
        "divided by n - 1",
        "divided by the other axis",
        "centred over all",
        "not centred",
        "no 2",
    ),
    *variants("deviation", lambda x: x.std(0), std_vjp, (A,), "variance below", "a 2"),
    *variants("logsumexp", lse, lse_vjp, (A,), "over all", "over the other axis", "the maximum alone"),
    *others(
        "max",
        lambda x: x.max(1),
        lambda g, x: g[:, None] * np.eye(4)[x.argmax(1)],
        (S,),
        {
            "of the least": lambda g, x: g[:, None] * np.eye(4)[x.argmin(1)],
            "shared": lambda g, x: g[:, None] * np.ones((3, 4)) / 4,
            "of the flat one": lambda g, x: g[:, None] * (x == x.max()),
        },
    ),
    *variants("the two largest", top_two, top_two_vjp, (S,), "in the other order", "the least"),
    *others(
        "cumsum",
        np.cumsum,
        lambda g, x: np.cumsum(g[::-1])[::-1],
        (V,),
        {"forwards": lambda g, x: np.cumsum(g), "off by one": lambda g, x: np.cumsum(g[::-1])[::-1] - g},
    ),
    *variants("cumprod", np.cumprod, cumprod_vjp, (Q,), "not reversed", "without its own"),
    *variants("length", lambda x: np.sqrt((x**2).sum(1)), norm_vjp, (A,), "squared", "a 2", "over all"),
    *variants("median", np.median, median_vjp, (spread(16, 7),), "the one below", "shared"),
    *variants("entropy", lambda p: -(p * np.log(p)).sum(), entropy_vjp, (Q,), "no 1"),
    *others(
        "sort",
        np.sort,
        lambda g, x: g[np.argsort(np.argsort(x))],
        (spread(17, 6),),
        {"by the order": lambda g, x: g[np.argsort(x)], "as it is": lambda g, x: g},
    ),
    *others(
        "span",
        lambda x: x.max() - x.min(),
        lambda g, x: g * ((x == x.max()) * 1.0 - (x == x.min())),
        (V,),
        {
            "sign of the least": lambda g, x: g * ((x == x.max()) * 1.0 + (x == x.min())),
            "largest only": lambda g, x: g * (x == x.max()),
        },
    ),
    *others(
        "harmonic mean",
        lambda x: 5 / (1 / x).sum(),
        lambda g, x: g * (5 / (1 / x).sum()) ** 2 / 5 / x**2,
        (Q,),
        {"not squared": lambda g, x: g * (5 / (1 / x).sum()) / 5 / x**2},
    ),
    *others(
        "geometric mean",
        lambda x: np.exp(np.log(x).mean()),
        lambda g, x: g * np.exp(np.log(x).mean()) / x / 5,
        (Q,),
        {
            "no 1 / n": lambda g, x: g * np.exp(np.log(x).mean()) / x,
            "no 1 / x": lambda g, x: g * np.exp(np.log(x).mean()) / 5 * np.ones(5),
        },
    ),
]
