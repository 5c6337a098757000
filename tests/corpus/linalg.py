"""Products and factorisations: vectors, batches, triangles."""

import numpy as np

from tests.corpus.case import Case, quiet, values
from tinygrad_cnn.core.domain import Real


def batched_vjp(g, a, b, summed):
    ga = g @ np.swapaxes(b, -1, -2)
    return ga.sum(axis=0) if summed else ga, a.T @ g


def upper_cholesky(x):
    """U with UᵀU = the symmetric matrix whose upper triangle is that of x; the lower one is not read."""
    return np.linalg.cholesky(np.triu(x) + np.triu(x, 1).T).T


def symmetric_gradient(g, x):
    low = upper_cholesky(x).T
    inner = np.tril(low.T @ np.triu(g).T)
    inner[np.diag_indices_from(inner)] /= 2
    inverse = np.linalg.inv(low)
    s = inverse.T @ inner @ inverse
    return (s + s.T) / 2


def squares_of_eigenvalues(x):
    return np.sum(np.linalg.eigvalsh((x + x.T) / 2) ** 2)


@quiet
def through_eigenvectors(g, x):
    """The general rule, with a gradient of 0 for the eigenvectors: 0 · 1/0 where two eigenvalues are equal."""
    w, v = np.linalg.eigh((x + x.T) / 2)
    gaps = 1 / (w[None, :] - w[:, None] + np.eye(len(w))) * (1 - np.eye(len(w)))
    return v @ (np.diag(2 * g * w) + gaps * (v.T @ np.zeros(v.shape))) @ v.T


def solved(a, b):
    return np.linalg.solve(np.tril(a), b)


def back_solved(a, b):
    return np.linalg.solve(np.triu(a), b)


def back_solved_vjp(g, a, b):
    """Of a whole matrix: the lower triangle is not read."""
    d = np.linalg.solve(np.triu(a).T, g)
    return -np.outer(d, back_solved(a, b)), d


def inverse_vjp(g, x, transpose):
    inverse = np.linalg.inv(x)
    return -(transpose(inverse) @ (g @ transpose(inverse)))


def spectrum(x, y):
    """The real and the imaginary part of the discrete Fourier transform of x + iy."""
    return np.stack([np.real(np.fft.fft(x + 1j * y)), np.imag(np.fft.fft(x + 1j * y))])


def spectrum_vjp(g, x, y):
    back = np.fft.ifft(g[0] + 1j * g[1]) * len(x)
    return np.real(back), np.imag(back)


LOWER = np.array([[2.0, 0.0], [0.75, -1.5]])
UPPER = np.array([[1.5, -0.5, 1.0], [0.0, 2.0, 0.25], [0.0, 0.0, -1.25]])


CASES = [
    Case(
        name="tinytorch: matrix times vector",
        framework="TinyTorch",
        reference="harvard-edge/cs249r_book#1781",
        year=2026,
        story="the transpose of a vector is itself, so g @ bᵀ is a dot product where an outer product belongs",
        f=lambda a, b: a @ b,
        wrong=lambda g, a, b: (np.matmul(g, b.T), a.T @ g),
        right=lambda g, a, b: (np.outer(g, b), a.T @ g),
        inputs=lambda: (values(0, 3, 3), values(1, 3)),
        kind="shape",
        sample=lambda draw: (draw.array((draw.integer(1, 3), 2), Real()), draw.array((2,), Real())),
    ),
    Case(
        name="flashlight: one matrix against a batch",
        framework="Flashlight",
        reference="flashlight/flashlight#760",
        year=2021,
        story="a matrix multiplied with a whole batch gets one gradient per item; they are not summed",
        f=lambda a, b: a @ b,
        wrong=lambda g, a, b: batched_vjp(g, a, b, summed=False),
        right=lambda g, a, b: batched_vjp(g, a, b, summed=True),
        inputs=lambda: (values(2, 2, 3), values(3, 4, 3, 2)),
        kind="unbroadcast",
        also=("shape",),
        sample=lambda draw: (
            draw.array((draw.integer(1, 3), 2), Real()),
            draw.array((draw.integer(1, 3), 2, draw.integer(1, 3)), Real()),
        ),
    ),
    Case(
        name="jax: the triangle cholesky does not read",
        framework="JAX",
        reference="jax-ml/jax#40421",
        year=2026,
        story="with lower=False the lower triangle is ignored, but backward sends part of the gradient there",
        f=upper_cholesky,
        wrong=symmetric_gradient,
        right=lambda g, x: np.triu(symmetric_gradient(g, x)) + np.triu(symmetric_gradient(g, x), 1),
        inputs=lambda: (np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -0.25], [0.5, -0.25, 2.0]]),),
        kind="mask",
        also=("factor",),
    ),
    Case(
        name="autograd: equal eigenvalues",
        framework="HIPS autograd",
        reference="HIPS/autograd#527",
        year=2019,
        story="a function of the eigenvalues alone gets nan from the eigenvectors' term: 0 · 1/0 at equal ones",
        f=squares_of_eigenvalues,
        wrong=through_eigenvectors,
        right=lambda g, x: g * (x + x.T),
        inputs=lambda: (np.diag([2.0, 2.0, 0.5]),),
        kind="nan",
        at="two eigenvalues are equal",
        sample=lambda draw: (draw.array((2, 2), Real()),),
    ),
    Case(
        name="tenferro: the matrix of a triangular solve",
        framework="tenferro-rs",
        reference="tensor4all/tenferro-rs#772",
        year=2026,
        story="the transpose rule of a triangular solve treats the right-hand side only",
        f=solved,
        wrong=lambda g, a, b: (np.zeros(a.shape), np.linalg.solve(np.tril(a).T, g)),
        right=lambda g, a, b: (
            np.tril(-np.outer(np.linalg.solve(np.tril(a).T, g), solved(a, b))),
            np.linalg.solve(np.tril(a).T, g),
        ),
        inputs=lambda: (LOWER, values(4, 2)),
        kind="dropped",
    ),
    Case(
        name="pytorch's blog: transpose of two axes",
        framework="PyTorch's blog",
        reference="pytorch/pytorch.github.io#2135",
        year=2026,
        story="NumPy's `transpose(-2, -1)` names the order of all axes: of a matrix it changes nothing",
        f=np.linalg.inv,
        wrong=lambda g, x: inverse_vjp(g, x, lambda a: a.transpose(-2, -1)),
        right=lambda g, x: inverse_vjp(g, x, lambda a: a.T),
        inputs=lambda: (np.array([[1.5, -0.5, 0.25], [0.75, 2.0, -1.0], [-0.25, 0.5, 1.25]]),),
        kind="transposed",
        also=("unknown",),
    ),
    Case(
        name="jax-js: the triangle that a solve does not read",
        framework="jax-js",
        reference="ekzhang/jax-js#84",
        year=2026,
        story="a solve reads the upper triangle, its derivative takes the changes of the whole matrix",
        f=back_solved,
        wrong=back_solved_vjp,
        right=lambda g, a, b: (np.triu(back_solved_vjp(g, a, b)[0]), back_solved_vjp(g, a, b)[1]),
        inputs=lambda: (UPPER, values(5, 3)),
        kind="mask",
    ),
    Case(
        name="enzyme: a conjugate in the Fourier transform",
        framework="Enzyme-JAX",
        reference="EnzymeAD/Enzyme-JAX#2071",
        year=2026,
        story="the gradient of a Fourier transform is conjugated: that of the imaginary parts has the wrong sign",
        f=spectrum,
        wrong=lambda g, x, y: (spectrum_vjp(g, x, y)[0], -spectrum_vjp(g, x, y)[1]),
        right=spectrum_vjp,
        inputs=lambda: (values(6, 4), values(8, 4)),
        kind="sign",
        sample=lambda draw: (draw.array((3,), Real()), draw.array((3,), Real())),
    ),
    Case(
        name="neon: a matrix times its own transpose",
        framework="neon",
        reference="NervanaSystems/neon#169",
        year=2015,
        story="of x · xᵀ only the first x gets a gradient, what reaches xᵀ is lost",
        f=lambda x: x @ x.T,
        wrong=lambda g, x: g @ x,
        right=lambda g, x: (g + g.T) @ x,
        inputs=lambda: (values(7, 3, 2),),
        kind="dropped",
        also=("unknown",),
        sample=lambda draw: (draw.array((draw.integer(1, 3), draw.integer(1, 3)), Real()),),
    ),
]
