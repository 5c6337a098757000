"""Linear algebra as users call it: decompositions multiply back, second derivatives, singular cases, errors."""

import itertools
import math

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import linalg
from tinygrad_cnn.gradcheck import gradcheck, gradgradcheck

R = np.random.default_rng(3)
TALL, WIDE, SQUARE = R.normal(size=(2, 4, 3)), R.normal(size=(2, 3, 4)), R.normal(size=(2, 3, 3)) + 3 * np.eye(3)
POSITIVE = SQUARE @ SQUARE.swapaxes(-1, -2)
B = R.normal(size=(2, 3, 2))


def tensor(a):
    return tg.tensor(a, dtype=tg.float64)


def symmetric(a):
    return a + tg.transpose(a, -1, -2)


def close(found, expected):
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("a", [TALL, WIDE, SQUARE, TALL[0], np.zeros((0, 3)), np.zeros((3, 0)), np.zeros((2, 0, 0))])
def test_decompositions_multiply_back(a):
    for full in (True, False):
        u, s, vh = linalg.svd(tensor(a), full)
        k = s.shape[-1]
        close(u[..., :k] * s[..., None, :] @ vh[..., :k, :], a)
        close(u.mT @ u, np.broadcast_to(np.eye(u.shape[-1]), (*a.shape[:-2], u.shape[-1], u.shape[-1])))
        close(vh @ vh.mT, np.broadcast_to(np.eye(vh.shape[-2]), (*a.shape[:-2], vh.shape[-2], vh.shape[-2])))
    for mode in ("reduced", "complete"):
        q, r = linalg.qr(tensor(a), mode)
        close(q @ r, a)
        assert q.shape[-1] == (a.shape[-2] if mode == "complete" else min(a.shape[-2:]))
    p, lower, upper = linalg.lu(tensor(a))
    close(p @ lower @ upper, a)
    packed, pivots = linalg.lu_factor(tensor(a))
    for found, expected in zip(tg.lu_unpack(packed, pivots), (p, lower, upper), strict=True):
        close(found, expected)
    inverse = linalg.pinv(tensor(a))
    close(tensor(a) @ inverse @ tensor(a), a)
    close(linalg.svdvals(tensor(a)), linalg.svd(tensor(a)).S)


def test_factors_of_a_symmetric_matrix_are_found_from_one_triangle():
    for upper, uplo in ((False, "L"), (True, "U")):
        half = np.triu(POSITIVE) if upper else np.tril(POSITIVE)
        torn = half + (np.tril(SQUARE, -1) if upper else np.triu(SQUARE, 1))
        factor = linalg.cholesky(tensor(torn), upper=upper)
        close(factor.mT @ factor if upper else factor @ factor.mT, POSITIVE)
        values, vectors = linalg.eigh(tensor(torn), uplo)
        close(vectors * values[..., None, :] @ vectors.mT, POSITIVE)
        close(linalg.eigvalsh(tensor(torn), uplo), values)
        x = tensor(torn).requires_grad_()
        linalg.eigvalsh(x, uplo).sum().backward()
        close(x.grad, np.broadcast_to(np.eye(3), (2, 3, 3)))  # the trace; half to each side of the diagonal


DIFFERENTIABLE = {
    "svd, signs left out": (lambda a: linalg.svd(a, False).U ** 2, TALL),
    "svd of a wide one": (lambda a: linalg.svd(a, False).Vh ** 2, WIDE),
    "svd, all columns": (lambda a: linalg.svd(a).U[..., :3] ** 2, TALL),
    "svdvals": (linalg.svdvals, WIDE),
    "eigh": (lambda a: linalg.eigh(symmetric(a)).eigenvectors ** 2, SQUARE),
    "eigvalsh": (lambda a: linalg.eigvalsh(symmetric(a), "U"), SQUARE),
    "qr of a tall one": (lambda a: tg.cat(linalg.qr(a), -2) ** 2, TALL),
    "qr of a wide one": (lambda a: linalg.qr(a, "complete").R ** 2, WIDE),
    "cholesky": (lambda a: linalg.cholesky(symmetric(a)), POSITIVE),
    "cholesky, upper": (lambda a: linalg.cholesky(symmetric(a), upper=True), POSITIVE),
    "cholesky_inverse": (lambda a: tg.cholesky_inverse(a), SQUARE),
    "cholesky_inverse, upper": (lambda a: tg.cholesky_inverse(a, upper=True), SQUARE),
    "lu": (lambda a: tg.cat(linalg.lu(a)[1:], -2), SQUARE),
    "lu of a tall one": (lambda a: linalg.lu(a).L, TALL),
    "lu of a wide one": (lambda a: linalg.lu(a, pivot=False).U, WIDE),
    "pinv": (lambda a: linalg.pinv(a), TALL),
    "pinv, hermitian": (lambda a: linalg.pinv(symmetric(a), hermitian=True), SQUARE),
    "matrix_exp": (linalg.matrix_exp, SQUARE / 4),
    "matrix_power": (lambda a: linalg.matrix_power(a, -3), SQUARE),
    "nuclear norm": (lambda a: linalg.matrix_norm(a, "nuc"), WIDE),
    "spectral norm": (lambda a: linalg.norm(a, -2, (-2, -1)), WIDE),
    "cond": (lambda a: linalg.cond(a, "fro"), SQUARE),
    "cond by singular values": (linalg.cond, TALL),
    "householder_product": (lambda a: linalg.householder_product(a, a[..., 0, :]), TALL),
    "ormqr": (lambda a: tg.ormqr(a, a[..., 0, :], a, transpose=True), TALL),
    "tensorinv": (
        lambda a: linalg.tensorinv(a.reshape(2, 3, 6)),
        R.normal(size=(2, 3, 6)) + np.eye(6).reshape(2, 3, 6),
    ),
    "vander": (lambda a: linalg.vander(a), TALL[0]),
    "logdet": (lambda a: tg.logdet(a @ a.mT), SQUARE),
    "inv": (linalg.inv, SQUARE),
    "lstsq": (lambda a: linalg.lstsq(a, a[..., :2] * a[..., 1:]).solution, TALL),
}


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_derivatives_to_second_order(name):
    function, a = DIFFERENTIABLE[name]
    x = tensor(a).requires_grad_()
    assert gradcheck(function, (x,))
    assert gradgradcheck(function, (x,))


WITH_TWO = {
    "solve": lambda a, b: linalg.solve(a, b),
    "solve from the right": lambda a, b: linalg.solve(a, b.mT, left=False),
    "solve_triangular": lambda a, b: linalg.solve_triangular(a, b, upper=True),
    "solve_triangular from the right": lambda a, b: linalg.solve_triangular(a, b.mT, upper=True, left=False),
    "solve_triangular, ones on the diagonal": lambda a, b: linalg.solve_triangular(
        a, b, upper=False, unitriangular=True
    ),
    "triangular_solve": lambda a, b: tg.triangular_solve(b, a, transpose=True).solution,
    "cholesky_solve": lambda a, b: tg.cholesky_solve(b, a, upper=True),
    "lu_solve": lambda a, b: linalg.lu_solve(*linalg.lu_factor(a), b),
    "lu_solve, adjoint": lambda a, b: linalg.lu_solve(*linalg.lu_factor(a), b, adjoint=True),
    "lu_solve from the right": lambda a, b: linalg.lu_solve(*linalg.lu_factor(a), b.mT, left=False),
    "tensorsolve": lambda a, b: linalg.tensorsolve(a[0], b[0, :, 0]),
}


@pytest.mark.parametrize("name", WITH_TWO)
def test_derivatives_of_solutions_to_second_order(name):
    x = tensor(SQUARE).requires_grad_(), tensor(B).requires_grad_()
    assert gradcheck(WITH_TWO[name], x)
    assert gradgradcheck(WITH_TWO[name], x)


def test_solutions_solve():
    a, b = tensor(SQUARE), tensor(B)
    factors = linalg.lu_factor(a)
    close(a @ linalg.solve(a, b), B)
    close(linalg.solve(a, b.mT, left=False) @ a, b.mT)
    close(a @ linalg.lu_solve(*factors, b), B)
    close(a.mT @ linalg.lu_solve(*factors, b, adjoint=True), B)
    close(linalg.lu_solve(*factors, b.mT, left=False) @ a, b.mT)
    close(linalg.lu_solve(*factors, b.mT, left=False, adjoint=True) @ a.mT, b.mT)
    close(a @ tg.lu_solve(b, *tg.lu(a)), B)
    for upper in (False, True):
        triangle = tg.triu(a) if upper else tg.tril(a)
        close(triangle @ linalg.solve_triangular(a, b, upper=upper), B)
        close(linalg.solve_triangular(a, b.mT, upper=upper, left=False) @ triangle, b.mT)
        close(triangle @ tg.triangular_solve(b, a, upper=upper).solution, B)
        close(triangle.mT @ tg.triangular_solve(b, a, upper, transpose=True).solution, B)
        product = triangle.mT @ triangle if upper else triangle @ triangle.mT
        close(product @ tg.cholesky_solve(b, a, upper), B)
        close(product @ tg.cholesky_inverse(a, upper), np.broadcast_to(np.eye(3), (2, 3, 3)))
    close(linalg.lstsq(tensor(TALL), tensor(TALL[..., :1])).solution, np.broadcast_to(np.eye(3)[:, :1], (2, 3, 1)))
    close(linalg.tensorsolve(tensor(SQUARE[0].reshape(3, 3, 1)), b[0, :, 0]).reshape(3), linalg.solve(a[0], b[0, :, 0]))


def test_reflections_are_those_of_geqrf():
    for a in (TALL, SQUARE):
        packed, tau = tg.geqrf(tensor(a))
        q, r = linalg.qr(tensor(a), "complete")
        close(linalg.householder_product(packed, tau), q[..., : a.shape[-1]])
        close(tg.triu(packed), r)
        for left, transpose in itertools.product((True, False), repeat=2):
            side = q.mT if transpose else q
            other = tensor(a) if left else tensor(a).mT
            close(tg.ormqr(packed, tau, other, left, transpose), side @ other if left else other @ side)


# ---- where a matrix has no inverse, or equal singular values ---------------------------------------------------------


def cofactors(a):
    """Minors by the definition."""
    n = len(a)
    out = np.empty((n, n))
    for i, j in np.ndindex(n, n):
        rest = np.delete(np.delete(a, i, 0), j, 1)
        out[i, j] = (-1) ** (i + j) * (np.linalg.det(rest) if n > 1 else 1)
    return out


@pytest.mark.parametrize("rank", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_the_derivative_of_a_determinant_is_its_cofactors_of_every_rank(n, rank):
    if rank > n:
        return
    random = np.random.default_rng(5 * n + rank)
    a = random.normal(size=(n, rank)) @ random.normal(size=(rank, n))
    x = tensor(np.stack([a, np.eye(n)])).requires_grad_()
    (g,) = tg.autograd.grad(linalg.det(x).sum(), x, create_graph=True)
    close(g.detach(), [cofactors(a), np.eye(n)])
    (second,) = tg.autograd.grad((g * g).sum(), x)
    step = 1e-3
    for i, j in np.ndindex(n, n):  # a polynomial of degree 6 at most: the differences are exact to step**4
        e = np.zeros((n, n))
        e[i, j] = step
        sizes = [(cofactors(a + k * e) ** 2).sum() for k in (-2, -1, 1, 2)]
        expected = (sizes[0] - 8 * sizes[1] + 8 * sizes[2] - sizes[3]) / (12 * step)
        assert math.isclose(second[0, i, j].item(), expected, rel_tol=1e-6, abs_tol=1e-6)


def test_a_determinant_of_nothing_is_1():
    x = tg.zeros(2, 0, 0, dtype=tg.float64, requires_grad=True)
    linalg.det(x).sum().backward()
    assert x.grad.shape == (2, 0, 0)
    assert linalg.det(x).tolist() == [1.0, 1.0]


def test_a_singular_matrix_gives_the_values_and_slopes_of_pytorch():
    x = tg.ones(2, 2, dtype=tg.float64, requires_grad=True)
    sign, size = linalg.slogdet(x)
    assert (sign.item(), size.item()) == (0.0, -math.inf)
    assert tg.logdet(x).item() == -math.inf
    assert not tg.isfinite(tg.autograd.grad(size, x)[0]).any()
    assert math.isnan(tg.logdet(-tg.eye(1)).item())
    inverse, info = linalg.inv_ex(tg.stack([tg.ones(2, 2), tg.eye(2)]))
    assert info.tolist() == [2, 0]
    assert info.dtype == tg.int32
    assert tg.equal(inverse[1], tg.eye(2))
    assert inverse[0].isnan().all()
    factor, info = linalg.cholesky_ex(tg.stack([tg.tensor([[1.0, 2], [2, 1]]), 4 * tg.eye(2)]))
    assert info.tolist() == [2, 0]
    assert tg.equal(factor[1], 2 * tg.eye(2))
    assert linalg.lu_factor_ex(tg.ones(2, 2)).info.item() == 2
    assert linalg.cond(tg.ones(2, 2), 1).item() == math.inf
    assert linalg.matrix_rank(tg.ones(2, 2)).item() == 1
    solved = linalg.solve_triangular(tg.tensor([[0.0, 1], [0, 1]]), tg.ones(2, 1), upper=True)
    assert solved.isnan()[0].all()
    assert solved[1].item() == 1


def test_equal_singular_values_have_slopes_and_their_vectors_none():
    x = tg.eye(3, dtype=tg.float64).requires_grad_()
    (g,) = tg.autograd.grad(linalg.svdvals(x).sum(), x)
    close(g, np.eye(3))
    (g,) = tg.autograd.grad(linalg.eigvalsh(x).sum(), x)
    close(g, np.eye(3))
    with np.errstate(all="ignore"):
        assert not tg.isfinite(tg.autograd.grad((linalg.svd(x).U[0] * tensor([1.0, 2, 3])).sum(), x)[0]).all()
        v = linalg.eigh(x).eigenvectors
        assert not tg.isfinite(tg.autograd.grad((v * tensor(SQUARE[0])).sum(), x)[0]).all()


def test_arrays_give_arrays():
    for found, expected in (
        (linalg.svd(TALL).S, np.linalg.svd(TALL).S),
        (linalg.eigvalsh(POSITIVE), np.linalg.eigvalsh(POSITIVE)),
        (linalg.cholesky(POSITIVE), np.linalg.cholesky(POSITIVE)),
        (linalg.solve(SQUARE, B), np.linalg.solve(SQUARE, B)),
        (linalg.qr(TALL).Q, np.linalg.qr(TALL).Q),
        (linalg.pinv(WIDE), np.linalg.pinv(WIDE)),
        (linalg.cond(SQUARE, 1), np.linalg.cond(SQUARE, 1)),
        (linalg.lstsq(TALL[0], TALL[0, :, 0]).solution, [1, 0, 0]),
        (linalg.vecdot(TALL, TALL), (TALL * TALL).sum(-1)),
    ):
        assert type(found) is np.ndarray
        close(found, expected)


def test_ranks_and_pseudo_inverses_leave_out_what_the_tolerances_say():
    a = tensor(np.diag([4.0, 1.0, 0.01]))
    assert linalg.matrix_rank(a).item() == 3
    assert linalg.matrix_rank(a, rtol=0.1).item() == 2
    assert linalg.matrix_rank(a, atol=2.0).item() == 1
    assert linalg.matrix_rank(a, tol=0.5).item() == 2
    assert linalg.matrix_rank(-a, hermitian=True, atol=tensor([0.5, 2.0, 5.0])[:, None]).tolist() == [[2], [1], [0]]
    close(linalg.pinv(a, 0.1), np.diag([0.25, 1, 0]))
    close(linalg.pinv(a, atol=2.0), np.diag([0.25, 0, 0]))
    close(linalg.pinv(-a, rtol=0.1, hermitian=True), np.diag([-0.25, -1, 0]))
    close(tg.pinverse(a), np.diag([0.25, 1, 100]))
    solved = linalg.lstsq(a, a, rcond=0.1, driver="gelsd")
    close(solved.solution, np.diag([1.0, 1, 0]))
    assert solved.rank.item() == 2
    close(solved.singular_values, [4, 1, 0.01])
    tall = linalg.lstsq(tensor(TALL), tensor(TALL[..., :2] ** 2), driver="gels")
    close(tall.residuals, ((TALL @ np.asarray(tall.solution) - TALL[..., :2] ** 2) ** 2).sum(-2))
    assert tall.rank.numel() == tall.singular_values.numel() == 0


def test_matrix_exponentials_keep_their_digits_whatever_the_size():
    turn = tensor([[0.0, -1], [1, 0]])
    for angle in (1e-9, 1.0, 30.0, 1000.0):
        c, s = math.cos(angle), math.sin(angle)
        np.testing.assert_allclose(
            np.asarray(linalg.matrix_exp(angle * turn)), [[c, -s], [s, c]], atol=1e-13 * (1 + angle)
        )
    assert linalg.matrix_exp(tg.full((1, 1), math.nan)).isnan().all()
    assert linalg.matrix_exp(tg.zeros(0, 0)).shape == (0, 0)
    assert linalg.matrix_exp(tg.zeros(2, 2, dtype=tg.float16)).dtype == tg.float16


def test_norms_of_matrices():
    a = tensor(TALL)
    for order in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf):
        expected = np.linalg.norm(TALL, order, (-2, -1))
        close(linalg.matrix_norm(a, order), expected)
        close(linalg.matrix_norm(a, order, (2, 1)), np.linalg.norm(TALL, order, (2, 1)))
        close(linalg.norm(a, order, (0, 2), keepdim=True), np.linalg.norm(TALL, order, (0, 2), keepdims=True))
    for order, shape in itertools.product(("fro", "nuc", 1, 2, math.inf), ((0, 1), (1, 0), (0, 0), (2, 0, 3))):
        assert linalg.matrix_norm(tg.ones(shape), order).tolist() == np.zeros(shape[:-2]).tolist()
    close(tg.norm(a, "nuc", (1, 2)), np.linalg.norm(TALL, "nuc", (1, 2)))
    for order in (-1.0, -2.5, 0.5, 3.0):
        close(linalg.vector_norm(a, order, 1), (abs(TALL) ** order).sum(1) ** (1 / order))
    assert linalg.vector_norm(tg.tensor([0.0, 2.0]), -2).item() == 0
    close(linalg.norm(a), np.linalg.norm(TALL.ravel()))
    close(linalg.norm(a[0], 2), np.linalg.norm(TALL[0], 2))
    close(linalg.norm(a, 3, 1), (abs(TALL) ** 3).sum(1) ** (1 / 3))


A, INTEGERS, HALF = tg.ones(3, 3), tg.ones(3, 3, dtype=tg.int64), tg.ones(3, 3, dtype=tg.float16)
ERRORS = {
    "det of a tall matrix": (lambda: linalg.det(tg.ones(2, 3)), r"det: A has shape \(2, 3\); expected square"),
    "inv of a vector": (lambda: linalg.inv(tg.ones(3)), r"inv: A has shape \(3,\)"),
    "svd of integers": (lambda: linalg.svd(INTEGERS), "svd: A has dtype int64; expected float32 or float64"),
    "solve of float16": (lambda: linalg.solve(HALF, HALF), "solve: A has dtype float16"),
    "solve of two dtypes": (lambda: linalg.solve(A, A.double()), "solve: the inputs have dtypes float32 and float64"),
    "solve, rows": (
        lambda: linalg.solve(tg.eye(3), tg.ones(2, 2)),
        r"solve: A has shape \(3, 3\), B \(2, 2\); .* 3 rows",
    ),
    "solve, columns": (lambda: linalg.solve(tg.eye(3), tg.ones(3, 2), left=False), "B must have 3 columns"),
    "solve, vector on the left": (lambda: linalg.solve(tg.eye(3), tg.ones(3), left=False), "B is a vector"),
    "solve, batches": (lambda: linalg.solve(tg.ones(2, 3, 3), tg.ones(4, 3, 2)), "solve: shapes"),
    "solve, singular": (lambda: linalg.solve(A, A), "solve: a matrix of A, of shape .* is singular"),
    "inv, singular": (lambda: linalg.inv(A), "inv: a matrix of A, of shape .* is singular"),
    "solve_ex, singular": (lambda: linalg.solve_ex(A, A, check_errors=True), "solve_ex: a matrix of A"),
    "solve_triangular, rows": (lambda: linalg.solve_triangular(A, tg.ones(2, 1), upper=True), "B must have 3 rows"),
    "cholesky": (lambda: linalg.cholesky(A), "cholesky: a matrix of A, .* minor of order 2 is not positive"),
    "cholesky_ex": (lambda: linalg.cholesky_ex(-A, check_errors=True), "cholesky_ex: .* minor of order 1"),
    "eigh, UPLO": (lambda: linalg.eigh(A, "X"), "eigh: UPLO is 'X'; it must be 'L' or 'U'"),
    "eigh of NaN": (lambda: linalg.eigh(tg.full((3, 3), math.nan)), "eigh: .*contain NaN or infinities"),
    "svd of infinities": (lambda: linalg.svd(tg.full((3, 3), math.inf)), "svd: .*contain NaN or infinities"),
    "svd, driver": (lambda: linalg.svd(A, driver="gesvd"), "svd: driver is 'gesvd'"),
    "svdvals, driver": (lambda: linalg.svdvals(A, driver="gesvd"), "svdvals: driver is 'gesvd'"),
    "qr, mode": (lambda: linalg.qr(A, "raw"), "qr: mode is 'raw'"),
    "qr, complete": (lambda: linalg.qr(tg.ones(3, 2, requires_grad=True), "complete"), "qr: has no derivative here"),
    "geqrf": (lambda: tg.geqrf(tg.ones(3, 2, requires_grad=True)), "geqrf: has no derivative here"),
    "lu": (lambda: tg.lu(A), "lu: U of a matrix of shape"),
    "lu_factor_ex": (lambda: linalg.lu_factor_ex(A, check_errors=True), "lu_factor_ex: U of a matrix of A"),
    "lu_unpack, dtype": (lambda: tg.lu_unpack(A, tg.ones(3)), "pivots have dtype float32; expected int32"),
    "lu_unpack, shape": (lambda: tg.lu_unpack(A, tg.ones(2, dtype=tg.int32)), r"pivots \(2,\); expected \(3,\)"),
    "lu_unpack, range": (lambda: tg.lu_unpack(A, tg.zeros(3, dtype=tg.int32)), "between 1 and 3"),
    "reflections, wide": (lambda: linalg.householder_product(tg.ones(2, 3), tg.ones(2)), "more columns than rows"),
    "reflections, tau": (lambda: linalg.householder_product(A, tg.ones(4)), r"tau \(4,\); expected \(\) and at most 3"),
    "ormqr, tau": (lambda: tg.ormqr(A, tg.ones(4), A), r"ormqr: input has shape \(3, 3\), tau \(4,\)"),
    "ormqr, other": (lambda: tg.ormqr(A, tg.ones(3), tg.ones(2, 2)), r"other \(2, 2\); Q is \(3, 3\)"),
    "pinv, tolerance": (lambda: linalg.pinv(A, rtol=np.array(["x"])), "pinv: got ndarray"),
    "lstsq, driver": (lambda: linalg.lstsq(A, A, driver="x"), "lstsq: driver is 'x'"),
    "lstsq, rows": (lambda: linalg.lstsq(A, tg.ones(2, 2)), "B must have 3 rows"),
    "matrix_norm of a vector": (lambda: linalg.matrix_norm(tg.ones(3)), "expected at least 2 dims"),
    "matrix_norm, ord": (lambda: linalg.matrix_norm(A, 3), "matrix_norm: ord is 3"),
    "matrix_norm, dim": (lambda: linalg.matrix_norm(A, dim=(0,)), r"matrix_norm: dim is \(0,\); expected two dims"),
    "norm, ord of 3 dims": (lambda: linalg.norm(tg.ones(2, 2, 2), 2), "needs a vector or a matrix"),
    "norm of integers": (lambda: tg.norm(INTEGERS), "norm: input has dtype int64; expected a floating dtype"),
    "norm, word of a vector": (lambda: linalg.norm(tg.ones(2), "fro"), "needs a vector or a matrix"),
    "norm, nuc of a vector": (lambda: tg.norm(tg.ones(3), "nuc"), "norm: p is 'nuc' and input has shape"),
    "tensorinv, ind": (lambda: linalg.tensorinv(A, 0), "tensorinv: ind is 0"),
    "tensorinv, shape": (lambda: linalg.tensorinv(tg.ones(2, 3, 2)), "6 elements before dim 2 and 2 after"),
    "tensorsolve": (lambda: linalg.tensorsolve(tg.ones(2, 3), tg.ones(2)), "A must be square"),
    "vander, N": (lambda: linalg.vander(tg.ones(3), N=1), "vander: N is 1"),
    "vander, bool": (lambda: linalg.vander(tg.ones(3) > 0), "vander: x is boolean"),
    "vander of a matrix": (lambda: tg.vander(A), r"vander: x has shape \(3, 3\); expected 1 dim"),
    "vander, negative": (lambda: tg.vander(tg.ones(3), -1), "vander: N is -1"),
    "vecdot of integers": (lambda: linalg.vecdot(INTEGERS, INTEGERS), "vecdot: x has dtype int64"),
    "matrix_exp of a vector": (lambda: tg.matrix_exp(tg.ones(3)), r"matrix_exp: input has shape \(3,\)"),
    "cross, dims": (lambda: linalg.cross(tg.ones(3), A), "they must have equally many dims"),
    "cross, size": (lambda: linalg.cross(tg.ones(2), tg.ones(2)), "dim -1 of both must have size 3"),
    "matmul of two dtypes": (lambda: A @ A.double(), "matmul: the inputs have dtypes float32 and float64"),
    "linear of two dtypes": (lambda: tg.nn.functional.linear(A, A.double()), "linear: the inputs have dtypes"),
    "addmm, input": (
        lambda: tg.addmm(tg.ones(4, 3, 3), A, A),
        r"addmm: input has shape \(4, 3, 3\); it must broadcast",
    ),
    "addr, fractions": (lambda: tg.addr(INTEGERS, INTEGERS[0], INTEGERS[0], alpha=0.5), "they must be integers"),
    "tensordot, dims": (lambda: tg.tensordot(A, A, ([0, 1], [0])), "they must be as many"),
    "tensordot, sizes": (lambda: tg.tensordot(A, tg.ones(2, 2), 1), "sizes must be equal, or 1"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_name_the_function_and_what_is_wrong(name):
    call, message = ERRORS[name]
    with np.errstate(all="ignore"), pytest.raises((ValueError, TypeError), match=message) as found:
        call()
    if "pinv" not in name:
        assert isinstance(found.value, RuntimeError)


def test_singular_matrices_raise_the_error_of_linalg():
    assert issubclass(linalg.LinAlgError, RuntimeError)
    for call in (lambda: linalg.inv(A), lambda: linalg.cholesky(A), lambda: linalg.eigvalsh(A * math.nan)):
        with pytest.raises(linalg.LinAlgError):
            call()


def test_einsum_takes_lists_of_dims_and_sizes_of_1():
    a, b = tensor(TALL[0]), tensor(SQUARE[0])
    close(tg.einsum(a, [0, 27], b, [27, 2], [2, 0]), (TALL[0] @ SQUARE[0]).T)
    close(tg.einsum(a, [..., 1], b, [1, 2]), TALL[0] @ SQUARE[0])
    x, y = tensor([[2.0], [3.0]]).requires_grad_(), tensor(TALL[0, :2]).requires_grad_()
    close(tg.einsum("ij,ij->ij", x, y).detach(), x.detach() * y.detach())
    close(tg.einsum("ij,kj->i", x, y).detach(), x.detach()[:, 0] * y.detach().sum())
    assert gradcheck(lambda x, y: tg.einsum("ia,ia->", x, y), (x, y))
    with pytest.raises(ValueError, match="a letter repeated in 'ii', of shape"):
        tg.einsum("ii", x)
    with pytest.raises(ValueError, match="must be numbers from 0 to 51"):
        tg.einsum(a, [0, 52])


def test_products_of_integers_are_pytorchs():
    a, v = tg.arange(4).reshape(2, 2), tg.arange(2)
    assert tg.addmv(v, a, v, alpha=1.7, beta=1.2).tolist() == [1, 4]
    assert tg.addbmm(a.int(), a.int()[None], a.int()[None]).dtype == tg.int32
    assert tg.addr(a > 0, v > 0, v > 0).tolist() == [[False, True], [True, True]]
    assert tg.addr(a > 0, v > 0, v > 0, beta=0).tolist() == [[False, False], [False, True]]
    assert tg.einsum("i->", v.int()).dtype == tg.int64
    assert tg.einsum("ij->i", a.int()).dtype == tg.int64
    assert tg.einsum("i,i->", v.int(), v.int()).dtype == tg.int32
    assert tg.matrix_power(a, 0).tolist() == [[1, 0], [0, 1]]
    assert tg.matrix_power(a, 0).dtype == tg.int64
    assert tg.vander(tg.tensor([1, 2], dtype=tg.uint8)).dtype == tg.int64
    assert tg.tensordot(tg.ones(1, 1, 1).int(), tg.ones(2, 1, 2).int(), ([0, 1], [2, 0])).tolist() == [[4]]
    assert tg.kron(a > 1, a > 1).dtype == tg.bool


@pytest.mark.parametrize("n", [1, 2])
def test_a_product_with_a_vector_adds_up_from_zero(n):
    a, b = tg.zeros(n), tg.full((n,), -0.5)  # the products are -0
    products = a @ b, tg.mv(a[None], b), a[None] @ b[:, None], a[None] @ b[:, None].repeat(1, 3), a.repeat(3, 1) @ b
    assert not any(tg.signbit(y).any() for y in products)
    assert tg.signbit(tg.zeros(2, 1) @ tg.full((1, 3), -0.5)).all()  # of two vectors nothing is added up
