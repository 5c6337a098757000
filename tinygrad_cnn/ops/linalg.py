"""Products of matrices and of many arrays. `Matmul` and `Einsum` are closed: their VJPs are products again."""

import math
import string
from collections.abc import Sequence
from typing import Any, overload

import numpy as np

from tinygrad_cnn.core.checks import check_numbers, dtype_of, shape_of
from tinygrad_cnn.core.domain import Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.linalg import Linear, Matmul
from tinygrad_cnn.core.op import Op, Sample
from tinygrad_cnn.core.shape import Cast
from tinygrad_cnn.core.types import A, Array, ArrayLike, Shape
from tinygrad_cnn.ops.checks import check_ndim, check_same_dtype
from tinygrad_cnn.ops.elementwise import mul
from tinygrad_cnn.ops.shape import diagonal, permute, reshape, unsqueeze

__all__ = [
    "bmm", "dot", "einsum", "linear", "matmul", "mm", "outer",
]  # fmt: skip


class Einsum(Op):
    """y = Σ Π x_i, by the equation        dx_i = the sum with g in the place of x_i"""

    linear = "each"
    promotes = True

    def forward(*xs: Array, terms: tuple[str, ...], output: str) -> Array:
        large = len(xs) == 2 and xs[0].size + xs[1].size > 4096 and xs[0].dtype.kind == "f"  # worth finding a product
        return np.einsum(f"{','.join(terms)}->{output}", *xs, optimize=large or len(xs) > 2)

    def d_xs(
        g: Array,
        i: int,
        xs: tuple[Array, ...],
        xs_shape: tuple[Shape, ...],
        *,
        terms: tuple[str, ...],
        output: str,
    ) -> Array:
        others = [k for k in range(len(xs)) if k != i]
        available = {c for k in others for c in terms[k]} | set(output)
        kept = "".join(c for c in terms[i] if c in available)
        d = Einsum.apply(g, *(xs[k] for k in others), terms=(output, *(terms[k] for k in others)), output=kept)
        apart = tuple(n if c in available else 1 for c, n in zip(terms[i], xs_shape[i], strict=True))
        return np.broadcast_to(np.reshape(d, apart), xs_shape[i])  # what only x_i has was summed

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        sizes = dict(zip("abcd", draw.integers(1, 3, 4), strict=True))
        terms = []
        for _ in range(draw.integer(1, 3)):
            order = draw.permutation(4)[: draw.integer(0, 3)]
            terms.append("".join("abcd"[k] for k in order))
        letters = sorted(set("".join(terms)))
        shuffled = [letters[k] for k in draw.permutation(len(letters))]
        output = "".join(c for c in shuffled if draw.boolean())
        arrays = tuple(draw.array(tuple(sizes[c] for c in term), Real()) for term in terms)
        return Sample(arrays, {"terms": tuple(terms), "output": output})


def matmul(input: A, other: ArrayLike) -> A:
    """Matrix product with batch broadcasting; a vector counts as a row on the left, a column on the right.

    Shapes: (..., n, k) and (..., k, m) give (..., n, m); (k,) and (k,) give a number.

    Both must have the same dtype, which stays. ValueError if the sizes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.matmul(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), tg.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    left, right = shape_of(input), shape_of(other)
    if not left or not right:
        raise ArgumentError(f"matmul: shapes {left} and {right}; each needs at least 1 dim, multiply numbers with *")
    inner = right[-2:][0]
    if left[-1] != inner:
        raise ArgumentError(
            f"matmul: shapes {left} and {right} do not fit: the last dim of the first is {left[-1]}, "
            f"the {'second to last' if len(right) > 1 else 'only'} dim of the second is {inner}; they must be equal"
            f"{', as with the second transposed, .mT' if len(right) > 1 and left[-1] == right[-1] else ''}"
        )
    try:
        np.broadcast_shapes(left[:-2], right[:-2])
    except ValueError:
        raise ArgumentError(
            f"matmul: the batch dims {left[:-2]} and {right[:-2]} of {left} and {right} do not broadcast"
        ) from None
    check_same_dtype("matmul", input, other)
    a = unsqueeze(input, 0) if len(left) == 1 else input
    b = unsqueeze(other, 1) if len(right) == 1 else other
    y = Matmul.apply(a, b)
    if len(right) == 1:
        y = y[..., 0]
    if len(left) == 1:
        y = y[..., 0] if len(right) == 1 else y[..., 0, :]
    return y


def mm(input: A, mat2: ArrayLike) -> A:
    """Product of two matrices, without broadcasting.

    (n, k) and (k, m) give (n, m). Both must have the same dtype, which the result has too.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.mm(tg.tensor([[1.0, 2.0]]), tg.tensor([[3.0], [4.0]]))
    tensor([[11.]])
    """
    check_ndim("mm", "input", input, (2,), "(n, k); matmul takes batches")
    check_ndim("mm", "mat2", mat2, (2,), "(k, m); matmul takes batches")
    return matmul(input, mat2)


def bmm(input: A, mat2: ArrayLike) -> A:
    """Products of two batches of matrices, without broadcasting.

    (b, n, k) and (b, k, m) give (b, n, m). Both must have the same dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.bmm(tg.ones(2, 3, 4), tg.ones(2, 4, 5)).shape
    torch.Size([2, 3, 5])
    """
    check_ndim("bmm", "input", input, (3,), "(b, n, k); matmul takes all")
    check_ndim("bmm", "mat2", mat2, (3,), "(b, k, m); matmul takes all")
    if shape_of(input)[0] != shape_of(mat2)[0]:
        raise ArgumentError(f"bmm: batch sizes of {shape_of(input)} and {shape_of(mat2)} differ; they must be equal")
    return matmul(input, mat2)


def dot(input: A, tensor: ArrayLike) -> A:
    """Inner product of two vectors.

    Two vectors of one size and dtype give a tensor without dims.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.dot(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0]))
    tensor(11.)
    """
    check_ndim("dot", "input", input, (1,), "(n,)")
    check_ndim("dot", "tensor", tensor, (1,), "(n,)")
    return matmul(input, tensor)


def outer(input: A, vec2: ArrayLike) -> A:
    """Outer product of two vectors: (n,) and (m,) give (n, m).

    Dtypes promote.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.outer(tg.tensor([1, 2]), tg.tensor([3, 4]))
    tensor([[3, 4],
            [6, 8]])
    """
    check_ndim("outer", "input", input, (1,), "(n,)")
    check_ndim("outer", "vec2", vec2, (1,), "(m,)")
    return mul(unsqueeze(input, 1), unsqueeze(vec2, 0))


def linear(input: A, weight: ArrayLike, bias: ArrayLike | None = None) -> A:
    """Affine map ``input @ weight.T + bias``.

    Shapes: input (..., n), weight (m, n) or (n,), bias (m,) or None; the result is (..., m).

    All dtypes must be equal and stay. ValueError if the sizes do not fit.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.linear(tg.tensor([[1.0, 2.0]]), tg.tensor([[1.0, 1.0], [0.0, 1.0]]), tg.tensor([0.5, 0.5]))
    tensor([[3.5000, 2.5000]])
    """
    try:
        x, w = shape_of(input), shape_of(weight)
    except (RuntimeError, ValueError):  # of a tuple of Tensors
        check_numbers("linear", input)
        raise
    if len(w) not in (1, 2) or not x or x[-1] != w[-1]:
        check_numbers("linear", getattr(input, "array", input))
        raise ArgumentError(
            f"linear: input has shape {x}, weight {w}; expected weight (out_features, in_features) with "
            f"in_features {x[-1] if x else '= the last dim of input'}{_linear_fix(x, w)}"
        )
    check_same_dtype("linear", input, weight, bias)
    if bias is not None and shape_of(bias) != w[:-1]:
        raise ArgumentError(f"linear: bias has shape {shape_of(bias)}; weight {w} expects {w[:-1]}")
    if len(w) == 1:
        y = matmul(input, weight)
        return y if bias is None else y + bias
    if bias is None:
        return matmul(input, np.transpose(weight))
    return Linear.apply(input, weight, bias)


def _linear_fix(x: Shape, w: Shape) -> str:
    """What most likely is to be done about an input and a weight that do not fit."""
    if len(w) != 2 or not x:
        return ""
    if len(x) > 2 and math.prod(x[1:]) == w[1]:
        return f"; flatten the input to ({x[0]}, {w[1]}) before, with nn.Flatten() or .flatten(1)"
    if len(x) == 1 and x[0] % w[1] == 0:
        return f"; a batch has shape (N, {w[1]}): .flatten(1) keeps its first dim, .flatten() does not"
    return "; the weight is the wrong way round, give weight.T" if x[-1:] == w[:1] else ""


@overload
def einsum(equation: str, operands: Sequence[A], /) -> A: ...
@overload
def einsum(equation: str, *operands: A) -> A: ...
@overload
def einsum(equation: A, *operands: Any) -> A: ...
def einsum(equation: Any, *operands: Any) -> Any:
    """Sum of products in Einstein's notation, as NumPy's and PyTorch's, with "..." and repeated letters.

    A dim of size 1 is broadcast. Numbers for letters come after each operand: ``einsum(x, [0, 1], y, [1, 2], [0, 2])``.

    >>> import numpy as np
    >>> einsum("ij,jk->ik", np.ones((2, 3)), np.ones((3, 4))).shape
    (2, 4)
    """
    if not isinstance(equation, str):
        equation, operands = _lettered(equation, *operands)
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    check_same_dtype("einsum", *operands)
    terms, output = _parse(equation, [shape_of(x) for x in operands])
    arrays = _widened(list(operands), terms, output)
    pairs = [
        (letter, n) for term, x in zip(terms, arrays, strict=True) for letter, n in zip(term, shape_of(x), strict=True)
    ]
    sizes = {letter: n for letter, n in pairs if n != 1}
    for k, term in enumerate(terms):
        shape = shape_of(arrays[k])
        kept = [a for a, letter in enumerate(term) if shape[a] == sizes.get(letter, 1)]
        if len(kept) < len(term):
            arrays[k], terms[k] = reshape(arrays[k], tuple(shape[a] for a in kept)), "".join(term[a] for a in kept)
    for k, term in enumerate(terms):
        while len(set(term)) < len(term):  # "ii": take the diagonal, then name it once
            letter = next(c for c in term if term.count(c) > 1)
            first = term.index(letter)
            second = term.index(letter, first + 1)
            arrays[k] = diagonal(arrays[k], 0, first, second)
            term = term[:first] + term[first + 1 : second] + term[second + 1 :] + letter
        terms[k] = term
    if len(arrays) == 1 and set(terms[0]) == set(output):  # its dims in another order: a view, as in PyTorch
        return permute(arrays[0], [terms[0].index(letter) for letter in output])
    return Einsum.apply(*arrays, terms=tuple(terms), output=output)


def _lettered(*given: Any) -> tuple[str, tuple[Any, ...]]:
    """The equation and the operands, given as each operand and the numbers of its dims, and those of the output."""

    def term(numbers: Sequence[Any]) -> str:
        if any(n is not Ellipsis and not 0 <= n < len(_NAMES) for n in numbers):
            raise ArgumentError(f"einsum: the dims {list(numbers)} must be numbers from 0 to 51, or ...")
        return "".join("..." if n is Ellipsis else _NAMES[int(n)] for n in numbers)

    pairs, rest = given[: len(given) // 2 * 2], given[len(given) // 2 * 2 :]
    if not all(isinstance(numbers, (list, tuple)) for numbers in (*pairs[1::2], *rest)):
        raise TypeError(
            "einsum: expected an equation, or operands each followed by the list of the numbers of its dims"
        )
    equation = ",".join(map(term, pairs[1::2])) + "".join(f"->{term(numbers)}" for numbers in rest)
    return equation, pairs[::2]


_NAMES = string.ascii_uppercase + string.ascii_lowercase  # in the order in which an output without a list has them


def _widened(arrays: list[Any], terms: list[str], output: str) -> list[Any]:
    """Small integers made int64 if any is summed alone, not multiplied: then it is a sum as `sum` takes it."""
    alone = {
        letter
        for term, x in zip(terms, arrays, strict=True)
        for letter, n in zip(term, shape_of(x), strict=True)
        if letter not in output and (n != 1 or len(terms) == 1) and sum(letter in other for other in terms) == 1
    }
    if not alone or any(dtype_of(x).kind not in "biu" for x in arrays):
        return arrays
    return [Cast.apply(x, dtype=np.dtype(np.int64)) for x in arrays]


def _parse(equation: str, shapes: list[Shape]) -> tuple[list[str], str]:
    """The letters of each operand and of the output, "..." spelled out, sizes checked."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(shapes):
        raise ArgumentError(f"einsum: {equation!r} names {len(terms)} operands, got {len(shapes)}")
    used = set(equation)
    spare = [c for c in map(chr, range(ord("A"), ord("z") + 1)) if c.isalpha() and c not in used]
    widest = 0
    for k, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        extra = len(shape) - len(term.replace("...", ""))
        if not term.replace("...", "").isalpha() and term.replace("...", ""):
            raise ArgumentError(f"einsum: {term!r} in {equation!r} is not made of letters and one '...'")
        if extra < 0 or (extra and "..." not in term):
            raise ArgumentError(
                f"einsum: operand {k} has shape {shape}; {term!r} in {equation!r} names another number of dims"
            )
        terms[k] = term.replace("...", "".join(spare[widest_first(extra)]))
        widest = max(widest, extra if "..." in term else 0)
    shared = "".join(spare[widest_first(widest)])
    letters = "".join(terms)
    output = (
        right.replace("...", shared)
        if arrow
        else shared + "".join(sorted(c for c in set(letters) if letters.count(c) == 1 and c not in shared))
    )
    _check_letters(equation, terms, output, shapes)
    return terms, output


def widest_first(extra: int) -> slice:
    """Where the letters for `extra` axes of "..." lie in the list of spare ones: aligned at the last."""
    return slice(26 - extra, 26)


def _check_letters(equation: str, terms: list[str], output: str, shapes: list[Shape]) -> None:
    sizes: dict[str, int] = {}
    for k, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        own = dict(zip(term, shape, strict=True))
        if any(own[letter] != n for letter, n in zip(term, shape, strict=True)):
            raise ArgumentError(f"einsum: a letter repeated in {term!r}, of shape {shape}, names dims of one size")
        for letter, n in zip(term, shape, strict=True):
            known = sizes.setdefault(letter, n)
            if known == 1:
                sizes[letter] = n
            elif n not in (1, known):
                raise ArgumentError(
                    f"einsum: {letter!r} of {equation!r} is {sizes[letter]} and, in operand {k} of shape {shape}, {n}"
                )
    if len(set(output)) != len(output) or not set(output) <= set(sizes):
        raise ArgumentError(f"einsum: the output of {equation!r} must name letters of the operands, each once")
