"""Inverses, determinants, decompositions, solutions of equations."""

import numpy as np

from tests.gradcheck.power.case import normal, variants

M = normal(81, 3, 3) + 3 * np.eye(3)
SYM = (lambda a: a @ a.T + np.diag([1.0, 3.0, 6.0]))(normal(82, 3, 3))
RHS = normal(83, 3, 2)


def inverse_vjp(g, a, m=""):
    y = np.linalg.inv(a)
    left, right = (y, y) if m == "not transposed" else (y.T, y.T)
    return (
        (1 if m == "sign" else -1)
        * left
        @ (g.T if m == "gradient transposed" else g)
        @ (np.eye(3) if m == "one side" else right)
    )


def det_vjp(g, a, m=""):
    y = np.linalg.inv(a) if m == "not transposed" else np.linalg.inv(a).T
    return g * (1 if m == "of the logarithm" else np.linalg.det(a)) * y


def logdet_vjp(g, a, m=""):
    y = np.linalg.inv(a).T
    return g * (
        np.linalg.det(a) * y if m == "of the determinant" else np.diag(np.diag(y)) if m == "diagonal only" else y
    )


def solve_vjp(g, a, b, m=""):
    x = np.linalg.solve(a, b)
    db = np.linalg.solve(a if m == "with a itself" else a.T, g)
    return (1 if m == "sign" else -1) * db @ (b if m == "by b" else x).T, db


def trace_vjp(g, a, m=""):
    return g * (3 * a @ a if m == "not transposed" else 2 * (a @ a).T if m == "factor 2" else 3 * (a @ a).T)


def cholesky(a):
    return np.linalg.cholesky((a + a.T) / 2)


def cholesky_vjp(g, a, m=""):
    low = cholesky(a)
    phi = np.tril(low.T @ np.tril(g))
    if m != "diagonal not halved":
        phi = phi - np.diag(np.diag(phi)) / 2
    inv = np.linalg.inv(low)
    s = inv.T @ phi @ inv
    return s if m == "not made symmetric" else (s + s.T) / (1 if m == "not halved" else 2)


def eigenvalues(a):
    return np.linalg.eigvalsh((a + a.T) / 2)


def eigenvalues_vjp(g, a, m=""):
    _, q = np.linalg.eigh((a + a.T) / 2)
    g = g[::-1] if m == "in the other order" else g
    return q.T @ np.diag(g) @ q if m == "vectors transposed" else q @ np.diag(g) @ q.T


def singular_vjp(g, a, m=""):
    u, _, vt = np.linalg.svd(a)
    return u @ np.diag(g) @ (vt.T if m == "vectors transposed" else vt)


def frobenius_vjp(g, a, m=""):
    n = np.sqrt((a * a).sum())
    return g * a / (np.linalg.norm(a, 2) if m == "by the spectral norm" else n)


def power_vjp(g, a, m=""):
    t = a.T
    if m == "as a number":
        return 3 * t @ t @ g
    return g @ t @ t + (0 if m == "middle term" else t @ g @ t) + t @ t @ g


def whitened(x):
    """Mahalanobis length of the rows."""
    return np.einsum("ni,ij,nj->n", x, np.linalg.inv(SYM), x)


def whitened_vjp(g, x, m=""):
    return (1 if m == "no 2" else 2) * g[:, None] * (x @ (SYM if m == "not inverted" else np.linalg.inv(SYM)))


CASES = [
    *variants("inverse", np.linalg.inv, inverse_vjp, (M,), "not transposed", "sign", "gradient transposed", "one side"),
    *variants("determinant", np.linalg.det, det_vjp, (M,), "not transposed", "of the logarithm"),
    *variants(
        "log-determinant", lambda a: np.linalg.slogdet(a)[1], logdet_vjp, (M,), "of the determinant", "diagonal only"
    ),
    *variants("solve", np.linalg.solve, solve_vjp, (M, RHS), "with a itself", "sign", "by b"),
    *variants("trace of the cube", lambda a: np.trace(a @ a @ a), trace_vjp, (M,), "not transposed", "factor 2"),
    *variants("Cholesky", cholesky, cholesky_vjp, (SYM,), "diagonal not halved", "not made symmetric", "not halved"),
    *variants("eigenvalues", eigenvalues, eigenvalues_vjp, (SYM,), "in the other order", "vectors transposed"),
    *variants("singular values", lambda a: np.linalg.svd(a)[1], singular_vjp, (M,), "vectors transposed"),
    *variants("Frobenius norm", lambda a: np.sqrt((a * a).sum()), frobenius_vjp, (M,), "by the spectral norm"),
    *variants("cube", lambda a: a @ a @ a, power_vjp, (M,), "as a number", "middle term"),
    *variants("Mahalanobis", whitened, whitened_vjp, (normal(84, 4, 3),), "no 2", "not inverted"),
]
