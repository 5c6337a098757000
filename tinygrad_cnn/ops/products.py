"""Products of matrices and vectors in PyTorch's many forms, made of `matmul`, `einsum` and arithmetic."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.core.checks import check_axes, check_axis, check_broadcast, dtype_of, shape_of
from tinygrad_cnn.core.domain import Distinct
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.op import Kink, Op, Sample
from tinygrad_cnn.core.reduce import unbroadcast
from tinygrad_cnn.core.types import A, Array, ArrayLike, Shape
from tinygrad_cnn.kernels.choices import choose
from tinygrad_cnn.kernels.distances import distances
from tinygrad_cnn.ops.arrangement import unpacked
from tinygrad_cnn.ops.calling import flexible
from tinygrad_cnn.ops.checks import check_ndim, check_same_dtype
from tinygrad_cnn.ops.linalg import bmm, dot, matmul, mm, outer
from tinygrad_cnn.ops.reduce import Norm, norm, sum
from tinygrad_cnn.ops.shape import clone, diagonal, permute, reshape, roll, transpose, unsqueeze
from tinygrad_cnn.ops.solving import inv, level

__all__ = [
    "addbmm", "addmm", "addmv", "addr", "adjoint", "baddbmm", "cdist", "chain_matmul", "cross", "ger", "inner", "kron",
    "matrix_power", "mv", "tensordot", "vdot",
]  # fmt: skip


def mv(input: A, vec: ArrayLike) -> A:
    """Product of a matrix (n, m) and a vector (m,).

    The result has shape (n,). Both must have the same dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.mv(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), tg.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    check_ndim("mv", "input", input, (2,), "(n, m)")
    check_ndim("mv", "vec", vec, (1,), "(m,)")
    return matmul(input, vec)


def _scaled(op: str, product: Array, alpha: float, input: Array, beta: float) -> Array:
    """``beta * input + alpha * product``; of an input that does not count, not even its NaN.

    Of integers, alpha and beta are made integers, as PyTorch does it.
    """
    check_same_dtype(op, input, product)
    if dtype_of(product).kind in "biu":
        alpha, beta = int(alpha), int(beta)
    product = product if alpha == 1 else product * alpha
    if beta == 0:
        shape = shape_of(product)
        check_fits(op, input, shape)
        return product
    total = (input if beta == 1 else input * beta) + product
    if shape_of(total) != shape_of(product):
        check_fits(op, input, shape_of(product))
    return total


def check_fits(op: str, input: Array, shape: Shape) -> None:
    """The input can be broadcast to the shape of the product."""
    if check_broadcast(op, shape_of(input), shape) != shape:
        raise ArgumentError(f"{op}: input has shape {shape_of(input)}; it must broadcast to {shape}, the product's")


def addmm(input: A, mat1: ArrayLike, mat2: ArrayLike, *, beta: float = 1, alpha: float = 1) -> A:
    """``beta * input + alpha * (mat1 @ mat2)``

    (n, k) and (k, m) give (n, m), to which `input` broadcasts. All dtypes must be equal.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.addmm(tg.ones(1, 1), tg.tensor([[1.0, 2.0]]), tg.tensor([[3.0], [4.0]]), beta=0.5)
    tensor([[11.5000]])
    """
    return _scaled("addmm", mm(mat1, mat2), alpha, input, beta)


def addmv(input: A, mat: ArrayLike, vec: ArrayLike, *, beta: float = 1, alpha: float = 1) -> A:
    """``beta * input + alpha * (mat @ vec)``

    (n, m) and (m,) give (n,), to which `input` broadcasts. All dtypes must be equal.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.addmv(tg.ones(2), tg.tensor([[1.0, 2.0], [3.0, 4.0]]), tg.tensor([1.0, 1.0]))
    tensor([4., 8.])
    """
    return _scaled("addmv", mv(mat, vec), alpha, input, beta)


def addr(input: A, vec1: ArrayLike, vec2: ArrayLike, *, beta: float = 1, alpha: float = 1) -> A:
    """``beta * input + alpha * outer(vec1, vec2)``

    (n,) and (m,) give (n, m), to which `input` broadcasts.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.addr(tg.zeros(2, 2), tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    product: Any = outer(vec1, vec2)
    check_fits("addr", input, shape_of(product))
    kinds = dtype_of(product).kind + dtype_of(input).kind
    x: Any = input
    if kinds == "bb":
        return (x & np.asarray(beta != 0)) | (product & np.asarray(alpha != 0))
    if "f" not in kinds and not all(isinstance(number, int) for number in (alpha, beta)):
        raise ArgumentError(f"addr: alpha is {alpha!r}, beta {beta!r}; for integers they must be integers")
    kept: Any = np.zeros((1, 1), dtype_of(x)) if beta == 0 else x if beta == 1 else x * beta
    return kept + (product if alpha == 1 else product * alpha)


def addbmm(input: A, batch1: ArrayLike, batch2: ArrayLike, *, beta: float = 1, alpha: float = 1) -> A:
    """``beta * input + alpha * Σ (batch1[i] @ batch2[i])``

    (b, n, k) and (b, k, m) give (n, m), to which `input` broadcasts. All dtypes must be equal.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.addbmm(tg.zeros(1, 1), tg.ones(2, 1, 3), tg.ones(2, 3, 1))
    tensor([[6.]])
    """
    return _scaled("addbmm", _summed(bmm(batch1, batch2), 0, False), alpha, input, beta)


def _summed(x: A, dim: int, keepdim: bool) -> A:
    """A sum that keeps the dtype, of integers too."""
    total: Any = sum(x, dim, keepdim)
    dtype = dtype_of(x)
    return total if dtype_of(total) == dtype else total.astype(dtype)


def baddbmm(input: A, batch1: ArrayLike, batch2: ArrayLike, *, beta: float = 1, alpha: float = 1) -> A:
    """``beta * input + alpha * (batch1 @ batch2)``, batch by batch

    (b, n, k) and (b, k, m) give (b, n, m), to which `input` broadcasts. All dtypes must be equal.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.baddbmm(tg.zeros(2, 1, 1), tg.ones(2, 1, 3), tg.ones(2, 3, 1))
    tensor([[[3.]],
    <BLANKLINE>
            [[3.]]])
    """
    return _scaled("baddbmm", bmm(batch1, batch2), alpha, input, beta)


ger = outer


def inner(input: A, other: ArrayLike) -> A:
    """Sums of products over the last dims of both.

    (..., k) and (..., k) give the other dims of both. Both must have the same dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.inner(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), tg.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    left, right = shape_of(input), shape_of(other)
    if not left or not right:
        return input * other
    if left[-1] != right[-1]:
        raise ArgumentError(f"inner: the last dims of {left} and {right} differ; they must be equal")
    return tensordot(input, other, ([-1], [-1]))


def vdot(input: A, other: ArrayLike) -> A:
    """Inner product of two vectors.

    Two vectors of one size and dtype give a tensor without dims.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.vdot(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0]))
    tensor(11.)
    """
    return dot(input, other)


def chain_matmul(*matrices: A) -> A:
    """Product of several matrices; see `multi_dot`.

    All dtypes must be equal. ValueError if the sizes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.chain_matmul(tg.ones(2, 3), tg.ones(3, 4), tg.ones(4, 1))
    tensor([[12.],
            [12.]])
    """
    return multi_dot(unpacked("chain_matmul", matrices))


def multi_dot(tensors: Sequence[A]) -> A:
    """Product of several matrices in the cheapest order; the first and the last may be vectors.

    All dtypes must be equal. ValueError if the sizes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.multi_dot([tg.ones(2, 3), tg.ones(3, 4), tg.ones(4, 1)])
    tensor([[12.],
            [12.]])
    """
    parts = unpacked("multi_dot", (list(tensors),))
    if len(parts) == 1:
        return parts[0]
    ends = 0, len(parts) - 1
    for k, part in enumerate(parts):
        if len(shape_of(part)) not in ((1, 2) if k in ends else (2,)):
            raise ArgumentError(
                f"multi_dot: tensor {k} has shape {shape_of(part)}; the first and the last may be vectors, all others "
                "are matrices"
            )
    first = len(shape_of(parts[0])) == 1
    last = len(shape_of(parts[-1])) == 1
    sizes = [1 if first else shape_of(parts[0])[0], *(shape_of(x)[0] for x in parts[1:])]
    sizes.append(1 if last else shape_of(parts[-1])[1])
    return _best_order(parts, sizes, 0, len(parts))


def _best_order(parts: tuple[Any, ...], sizes: list[int], start: int, end: int) -> Array:
    """The product of parts[start:end], cut where the larger side of the cut is the cheapest."""
    if end - start == 1:
        return parts[start]
    costs = _costs(sizes, start, end)
    cut = min(
        range(start + 1, end), key=lambda k: costs[start, k] + costs[k, end] + sizes[start] * sizes[k] * sizes[end]
    )
    return matmul(_best_order(parts, sizes, start, cut), _best_order(parts, sizes, cut, end))


def _costs(sizes: list[int], start: int, end: int) -> dict[tuple[int, int], int]:
    """The least number of multiplications of every run of factors (dynamic programming)."""
    costs = {(k, k + 1): 0 for k in range(start, end)}
    for length in range(2, end - start + 1):
        for a in range(start, end - length + 1):
            b = a + length
            costs[a, b] = min(costs[a, k] + costs[k, b] + sizes[a] * sizes[k] * sizes[b] for k in range(a + 1, b))
    return costs


def matrix_power(input: A, n: int) -> A:
    """A square matrix times itself, `n` times, and below 0 its inverse; of batches, each.

    Shape (..., n, n) and dtype stay.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.matrix_power(tg.tensor([[1.0, 1.0], [0.0, 1.0]]), 3)
    tensor([[1., 3.],
            [0., 1.]])
    """
    shape = shape_of(input)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ArgumentError(f"matrix_power: input has shape {shape}; expected square matrices")
    if n < 0:
        return matrix_power(inv(input), -n)
    if n == 0:
        eye = np.eye(shape[-1], dtype=dtype_of(input))
        return level(np.array(np.broadcast_to(eye, shape)), input)
    if n == 1:
        return clone(input)
    half = matrix_power(input, n // 2) if n > 3 else input
    return matmul(half, half) if n % 2 == 0 else matmul(matmul(half, half), input)


def tensordot(a: A, b: ArrayLike, dims: Any = 2) -> A:
    """Sums of products over `dims` last dims of a and first of b, or over the listed dims of each.

    The result has the other dims of a, then those of b. Both must have the same dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.tensordot(tg.ones(2, 3), tg.ones(3, 4), dims=1)
    tensor([[3., 3., 3., 3.],
            [3., 3., 3., 3.]])
    """
    left, right = shape_of(a), shape_of(b)
    if isinstance(dims, (int, np.integer)):
        if not 0 <= dims <= min(len(left), len(right)):
            raise ArgumentError(f"tensordot: {dims} dims of shapes {left} and {right}; there are not so many")
        over_a, over_b = tuple(range(len(left) - dims, len(left))), tuple(range(dims))
    else:
        first, second = dims
        over_a = check_axes("tensordot", _listed(first), len(left))
        over_b = check_axes("tensordot", _listed(second), len(right))
    check_same_dtype("tensordot", a, b)
    if len(over_a) != len(over_b):
        raise ArgumentError(f"tensordot: dims {over_a} of the first and {over_b} of the second; they must be as many")
    for k, m in zip(over_a, over_b, strict=True):
        if left[k] == 1 and right[m] != 1:
            b = _summed(b, m, True)
        elif right[m] == 1 and left[k] != 1:
            a = _summed(a, k, True)
        elif left[k] != right[m]:
            raise ArgumentError(
                f"tensordot: dims {over_a} of {left} and {over_b} of {right} differ; sizes must be equal, or 1"
            )
    left, right = shape_of(a), shape_of(b)
    free_a = tuple(k for k in range(len(left)) if k not in over_a)
    free_b = tuple(k for k in range(len(right)) if k not in over_b)
    inner = math.prod(left[k] for k in over_a)
    rows = reshape(permute(a, (*free_a, *over_a)), (math.prod(left[k] for k in free_a), inner))
    columns = reshape(permute(b, (*over_b, *free_b)), (inner, math.prod(right[k] for k in free_b)))
    return reshape(matmul(rows, columns), (*(left[k] for k in free_a), *(right[k] for k in free_b)))


def _listed(dims: Any) -> tuple[int, ...]:
    return (dims,) if isinstance(dims, int) else tuple(dims)


def kron(input: A, other: ArrayLike) -> A:
    """Kronecker's product: each element of the first times the whole second.

    Sizes multiply, dim by dim; dtypes promote.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.kron(tg.tensor([1, 2]), tg.tensor([1, 10]))
    tensor([ 1, 10,  2, 20])
    """
    left, right = shape_of(input), shape_of(other)
    ndim = max(len(left), len(right))
    left, right = (1,) * (ndim - len(left)) + left, (1,) * (ndim - len(right)) + right
    apart = reshape(input, tuple(n for size in left for n in (size, 1)))
    whole = reshape(other, tuple(n for size in right for n in (1, size)))
    return reshape(apart * whole, tuple(n * m for n, m in zip(left, right, strict=True)))


@flexible
def cross(input: A, other: ArrayLike, dim: int | None = None) -> A:
    """Cross product of vectors of 3 elements, along a dim (without one the first of size 3).

    Shapes broadcast; dtypes promote. ValueError if the dim has not 3 elements.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.cross(tg.tensor([1.0, 0.0, 0.0]), tg.tensor([0.0, 1.0, 0.0]), dim=0)
    tensor([0., 0., 1.])
    """
    shape = shape_of(input)
    if dim is None:
        dim = next((k for k, n in enumerate(shape) if n == 3), -1)
    axis = check_axis("cross", dim, len(shape))
    if shape[axis] != 3 or len(shape_of(other)) != len(shape) or shape_of(other)[axis] != 3:
        raise ArgumentError(f"cross: shapes {shape} and {shape_of(other)}; dim {dim} of both must have size 3")
    back = axis - len(shape)
    return roll(input, -1, back) * roll(other, 1, back) - roll(input, 1, back) * roll(other, -1, back)


def linalg_cross(input: A, other: ArrayLike, *, dim: int = -1) -> A:
    """Cross product of vectors of 3 elements, along a dim, after broadcasting.

    ValueError if the dim has not 3 elements.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.cross(tg.tensor([1.0, 0.0, 0.0]), tg.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    left, right = shape_of(input), shape_of(other)
    if len(left) != len(right):
        raise ArgumentError(f"cross: shapes {left} and {right}; they must have equally many dims")
    shape = check_broadcast("cross", left, right)
    axis = check_axis("cross", dim, len(shape))
    if left[axis] != 3 or right[axis] != 3:
        raise ArgumentError(f"cross: shapes {left} and {right}; dim {dim} of both must have size 3")
    whole: Any = np.broadcast_to(input, shape)
    return cross(whole, np.broadcast_to(other, shape), axis)


def linalg_diagonal(A: A, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> A:
    """The diagonals of matrices.

    (..., n, m) gives (..., min(n, m)) or less; it shares memory, and the dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.linalg.diagonal(tg.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    return diagonal(A, offset, dim1, dim2)


def cdist(x1: A, x2: ArrayLike, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary") -> A:
    """The p-norms (..., n, m) of the differences of each two rows of (..., n, d) and (..., m, d).

    Floating dtypes promote; integers are refused. ValueError if the rows differ in length.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.cdist(tg.tensor([[0.0, 0.0]]), tg.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([[5., 1.]])
    """
    left, right = shape_of(x1), shape_of(x2)
    if len(left) < 2 or len(right) < 2 or left[-1] != right[-1]:
        raise ArgumentError(f"cdist: shapes {left} and {right}; expected rows of the same length, (..., n, d)")
    if compute_mode not in (
        "use_mm_for_euclid_dist_if_necessary",
        "use_mm_for_euclid_dist",
        "donot_use_mm_for_euclid_dist",
    ):
        raise ArgumentError(f"cdist: {compute_mode!r} is not a valid value for compute_mode")
    if p < 0:
        raise ArgumentError(f"cdist: p is {p}; it must be at least 0")
    if p == 0 or dtype_of(x1).kind != "f" or dtype_of(x2) != dtype_of(x1):
        return norm(unsqueeze(x1, -2) - unsqueeze(x2, -3), p, -1)
    return Distances.apply(x1, x2, p=float(p))


class Distances(Op):
    """y[i, j] = |a[i] - b[j]|, the p-norm        da[i] = Σⱼ s[i, j],  db[j] = -Σᵢ s[i, j], s the norm's slope

    For p = 2 the slopes s = w (a[i] - b[j]), w = g / y, are summed as products: Σⱼ s = a[i] Σⱼ w - w b.
    """

    floating = True
    kinks = (Kink("equal rows", (np.ones((1, 2)), np.ones((1, 2))), (np.zeros((1, 2)), np.zeros((1, 2))), {"p": 2.0}),)

    def forward(a: Array, b: Array, *, p: float) -> Array:
        return distances(a, b, p)

    def d_a(g: Array, y: Array, a: Array, b: Array, *, p: float) -> Array:
        return _pulled(g, y, a, b, p)

    def d_b(g: Array, y: Array, a: Array, b: Array, *, p: float) -> Array:
        return _pulled(np.swapaxes(g, -1, -2), np.swapaxes(y, -1, -2), b, a, p)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        n, m, d = draw.integer(1, 3), draw.integer(1, 3), draw.integer(1, 3)
        values = Distinct().fill(draw, ((n + m) * d,))
        a, b = values[: n * d].reshape(n, d), values[n * d :].reshape(m, d)
        return Sample((draw.layout(a), draw.layout(b)), {"p": draw.choice([2.0, 1.0, 3.0, 1.5])})


def _pulled(g: Array, y: Array, a: Array, b: Array, p: float) -> Array:
    """The sums over j of g[i, j] times the slope of |a[i] - b[j]| by a[i], 0 where it is 0."""
    if p == 2 and shape_of(b)[-2]:
        w = choose(y == 0, 0.0, g / choose(y == 0, 1.0, y))
        middle = np.mean(b, axis=-2, keepdims=True)  # so that the products lose no digits far from 0
        pulled = (a - middle) * np.sum(w, axis=-1, keepdims=True) - w @ (b - middle)
    else:
        apart = unsqueeze(a, -2) - unsqueeze(b, -3)
        slopes = Norm.d_x(g, y, apart, p=p, axes=(len(shape_of(apart)) - 1,), keepdim=False)
        pulled = np.sum(slopes, axis=-2)
    return unbroadcast(pulled, shape_of(a))


def adjoint(input: A) -> A:
    """The last two dims swapped; of a number the number itself.

    The result shares memory with the input; the dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.adjoint(tg.tensor([[1, 2], [3, 4]]))
    tensor([[1, 3],
            [2, 4]])
    """
    if not shape_of(input):
        return input
    if len(shape_of(input)) == 1:
        raise ArgumentError(f"adjoint: input has shape {shape_of(input)}; expected a matrix or a batch of matrices")
    return transpose(input, -2, -1)
