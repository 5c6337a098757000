"""Single passes over memory, and products of matrices: every kernel that has no windows.

How images lie: pixels outermost, then images, then channels, (H, W, N, C). A pixel of all images is one contiguous run,
so that pooling, padding and element-wise work move long runs whatever the number of channels; and the channels of a
pixel, being adjacent, are rows of a product of matrices. Arrays keep the shape (N, C, H, W); only their strides differ,
and NumPy's element-wise functions keep the order.

How work is cut: into blocks that fit the cache, and these, where there is enough to do, into a share for each thread.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from tinygrad_cnn.core.types import DType, NDArray, Pads, Shape
from tinygrad_cnn.kernels.threads import delay, in_threads, thread_count

Task = TypeVar("Task")
Result = TypeVar("Result")

NOTHING: Pads = (0, 0), (0, 0)

BLOCK_ELEMENTS = 1 << 18
"""Elements worked on at once: 1 MiB of float32, a usual second-level cache."""
WORTH_SHARING = 1 << 22
"""The cost from which threads pay where they are quickly awake: about 0.4 ms of one thread's work."""
RUN = 1 << 14
"""Elements of a run of an element-wise pass: 64 KiB of float32."""
BLOCK = 1 << 16
"""Elements of a block of several passes in place: 256 KiB of float32. In 2^14, a GELU of 10⁵ takes a fifth longer."""
ROWS = 128
"""Rows that are summed in one product: as many roundings go into a sum."""
WIDE = 64
"""Columns that a product of rows should have: several short rows side by side are one of them."""
FLAT = 2.0**-8
"""Of 1 - y² and the like, digits enough are left where y is this far from 1."""
FEW_ELEMENTS = 4096
"""Arrays of fewer elements are summed before their order in memory is known."""
FEW_PRODUCTS = 1 << 20
"""Multiplications below which it is not even asked whether threads would pay."""

# ---- how arrays lie --------------------------------------------------------------------------------------------------


def pixels(x: NDArray, pads: Pads = NOTHING, value: float = 0) -> NDArray:
    """x (N,C,H,W) as contiguous (H,W,N,C) with a border of `value`: a copy only where it must be."""
    return bordered(x.transpose(2, 3, 0, 1), (*pads, (0, 0), (0, 0)), value)


def planes_of_channels(x: NDArray, pads: Pads = NOTHING, value: float = 0) -> NDArray:
    """x (N,C,H,W) as contiguous (C,H,W,N) with a border of `value`: a copy only where it must be."""
    return bordered(x.transpose(1, 2, 3, 0), ((0, 0), *pads, (0, 0)), value)


def from_pixels(y: NDArray) -> NDArray:
    """y (H,W,N,C) as a view (N,C,H,W)."""
    return y.transpose(2, 3, 0, 1)


def reshaped(x: NDArray, shape: Shape) -> NDArray:
    """x with another shape, in the order of its indices, whatever the memory: a view where that is possible.

    Images that lie by pixels are first brought together, by runs of channels; then each is transposed in cache. In
    one go, every read would be of another cache line.
    """
    x = np.asarray(x)
    larger = [n for n in x.shape if n != 1] != [n for n in shape if n != 1]  # else dims of size 1 come and go: a view
    if larger and x.ndim == 4 and not x.flags.c_contiguous and x.transpose(2, 3, 0, 1).flags.c_contiguous:
        x = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    return x.reshape(shape)


def bordered(x: NDArray, pads: tuple[tuple[int, int], ...], value: float) -> NDArray:
    """x in C order with so many elements of `value` before and behind each axis."""
    if not any(map(any, pads)):
        return np.ascontiguousarray(x)
    shape = [n + before + behind for n, (before, behind) in zip(x.shape, pads, strict=True)]
    out = np.full(shape, value, x.dtype) if value else np.zeros(shape, x.dtype)
    out[tuple(slice(before, before + n) for n, (before, _) in zip(x.shape, pads, strict=True))] = x
    return out


def memory_order(x: NDArray) -> tuple[int, ...] | None:
    """The order of the axes in which x is contiguous, the slowest first; None if it is in none."""
    if x.flags.c_contiguous:
        return tuple(range(x.ndim))
    order = sorted(range(x.ndim), key=lambda axis: -x.strides[axis])
    return tuple(order) if x.transpose(order).flags.c_contiguous else None


# ---- how work is cut and shared --------------------------------------------------------------------------------------


def split(n: int, size: int) -> list[slice]:
    """Slices of at most `size` that make up n."""
    return [slice(k, min(k + size, n)) for k in range(0, n, max(1, size))]


def row_blocks(n: int, elements: int) -> list[slice]:
    """Slices of n rows whose lowered windows, `elements` a row, fit the cache together; one a thread at least."""
    size = min(BLOCK_ELEMENTS // max(1, elements), -(-n // thread_count()))
    return split(n, max(1, size))


def share(tasks: Sequence[Task], work: Callable[[Sequence[Task]], Result], *, cost: float) -> list[Result]:
    """`work` on each thread's share of the tasks, in their order; the results in the order of the shares.

    `cost` is an estimate of the whole in bytes moved plus an eighth of the operations. Below `WORTH_SHARING` all
    stays in the calling thread, and on a machine that is slow to wake threads so does more of it. The shares depend on
    the number of threads alone, whoever computes them, so that results do, too.
    """
    n = min(thread_count(), len(tasks))
    if n < 2 or cost < WORTH_SHARING:
        return [work(tasks)]
    shares = [tasks[len(tasks) * k // n : len(tasks) * (k + 1) // n] for k in range(n)]
    if cost < WORTH_SHARING * delay():
        return [work(own) for own in shares]
    return in_threads(work, shares)


# ---- element by element ----------------------------------------------------------------------------------------------


def relu(x: NDArray) -> NDArray:
    """max(x, 0), in the memory order of x; NaN stays NaN.

    NumPy's maximum with a number takes 2.5 times as long as with an array, so a large array is compared, run by
    run, with a run of zeros.
    """
    if np.size(x) < 4 * RUN:
        return np.maximum(x, 0)
    order = memory_order(x)
    if order is None:
        return np.asarray(np.maximum(x, 0))
    lying = x.transpose(order)
    y = np.empty(lying.shape, x.dtype)
    source, out, zeros = lying.reshape(-1), y.reshape(-1), np.zeros(RUN, x.dtype)
    whole = x.size // RUN * RUN
    rows, results = source[:whole].reshape(-1, RUN), out[:whole].reshape(-1, RUN)

    def work(blocks: Sequence[slice]) -> None:
        for block in blocks:
            np.maximum(rows[block], zeros, out=results[block])

    share(split(len(rows), 8), work, cost=2 * x.nbytes)
    np.maximum(source[whole:], 0, out=out[whole:])
    return y.transpose(np.argsort(order))


def gate(x: NDArray, of: NDArray) -> NDArray:
    """0 where `of` is at most 0, else x; so what was NaN lets x through."""
    if x.size > 4096:
        y = np.asarray(x * ~(of <= 0))  # many times as fast
        if np.isfinite(np.sum(y)):  # 0 · ∞ is none
            return y
    return np.where(of <= 0, x.dtype.type(0), x)


def tail(slope: Callable[[NDArray], NDArray], far: NDArray, x: NDArray) -> tuple[NDArray, NDArray] | None:
    """Where `far` holds, and the slope at x there; None if it holds nowhere."""
    places = np.flatnonzero(far)
    return (places, slope(np.take(x, places))) if places.size else None


def each_block(x: NDArray, work: Callable[..., Any], *, spare: int, passes: int) -> NDArray:
    """``work(x, y, …)`` on blocks of a floating array as it lies in memory: it fills y, with so many spare blocks."""
    if not x.ndim:
        return each_block(x.reshape(1), work, spare=spare, passes=passes).reshape(())
    if x.size <= BLOCK:
        y = np.empty_like(x)
        with np.errstate(all="ignore"):
            work(x, y, *np.empty((spare, *x.shape), x.dtype))
        return y
    order = memory_order(x)
    if order is None:
        order, x = tuple(range(x.ndim)), np.ascontiguousarray(x)
    y = np.empty(x.transpose(order).shape, x.dtype)
    source, out = x.transpose(order).reshape(-1), y.reshape(-1)

    def some(blocks: Sequence[slice]) -> None:
        rooms = np.empty((spare, BLOCK), x.dtype)
        with np.errstate(all="ignore"):
            for block in blocks:
                part = source[block]
                work(part, out[block], *rooms[:, : part.size])

    share(split(x.size, BLOCK), some, cost=passes * x.nbytes)
    return y.transpose(np.argsort(order))


def pick(holds: NDArray, a: Any, b: Any, out: NDArray) -> None:
    """The bits a where `holds`, else b: integers, runs of memory as out is, or single numbers; five passes."""
    for start in range(0, out.size, RUN):
        part = slice(start, start + RUN)
        x, y = (v[part] if np.ndim(v) else v for v in (a, b))
        here = out[part]
        mask = holds[part].astype(out.dtype)
        np.negative(mask, out=mask)
        if not np.ndim(y) and not y:
            np.bitwise_and(x, mask, out=here)
        elif not np.ndim(x) and not x:
            np.bitwise_and(y, np.invert(mask, out=mask), out=here)
        else:
            np.bitwise_xor(x, y, out=here)
            here &= mask
            here ^= y


def add_rows(y: NDArray, places: NDArray, rows: NDArray) -> None:
    """y[places[k]] += rows[k] for each k, in place; y is in C order."""
    count, flat = y.shape[1], y.reshape(-1)
    if count == 1:
        np.add.at(flat, places, rows.reshape(-1))
        return
    for block in split(len(places), max(1, BLOCK // count)):
        elements = places[block, None] * count + np.arange(count)
        np.add.at(flat, elements.reshape(-1), rows[block].reshape(-1))


# ---- along an axis ---------------------------------------------------------------------------------------------------


def recurrence(a: NDArray, b: NDArray, axis: int) -> NDArray:
    """y[k] = a[k] y[k-1] + b[k] along an axis, with y[-1] = 0."""
    factors, terms = np.moveaxis(a, axis, 0), np.moveaxis(b, axis, 0)
    y = np.empty_like(terms, np.result_type(a, b))
    last = np.zeros_like(y[0]) if len(y) else None
    for k in range(len(y)):
        last = y[k] = factors[k] * last + terms[k]
    return np.moveaxis(y, 0, axis)


def along_axis(x: NDArray, axis: int, w: NDArray) -> NDArray:
    """y[…,m,…] = Σ_n w[m,n] x[…,n,…] along an axis, in the memory order of x."""
    order = memory_order(x)
    if order is None:
        order, x = tuple(range(x.ndim)), np.ascontiguousarray(x)
    place, lying = order.index(axis), x.transpose(order)
    before, after = math.prod(lying.shape[:place]), math.prod(lying.shape[place + 1 :])
    if after == 1:
        y = lying.reshape(before, -1) @ w.T
    else:
        y = np.matmul(w, lying.reshape(before, lying.shape[place], after))
    return y.reshape(*lying.shape[:place], len(w), *lying.shape[place + 1 :]).transpose(np.argsort(order))


def repeated(x: NDArray, axis: int, times: int) -> NDArray:
    """Each element so often along an axis, in the memory order of x."""
    order = memory_order(x) or tuple(range(x.ndim))
    place, lying = order.index(axis), x.transpose(order)
    y = np.empty((*lying.shape[: place + 1], times, *lying.shape[place + 1 :]), x.dtype)
    y[...] = np.expand_dims(lying, place + 1)
    return y.reshape(*lying.shape[:place], -1, *lying.shape[place + 1 :]).transpose(np.argsort(order))


def added_neighbours(x: NDArray, axis: int, times: int) -> NDArray:
    """The sum of each so many neighbours along an axis, in the memory order of x."""
    order = memory_order(x)
    if order is None:
        order, x = tuple(range(x.ndim)), np.ascontiguousarray(x)
    place, lying = order.index(axis), x.transpose(order)
    apart = lying.reshape(*lying.shape[:place], -1, times, *lying.shape[place + 1 :])
    parts = np.moveaxis(apart, place + 1, 0)
    y: NDArray = parts[0].copy() if times == 1 else parts[0] + parts[1]
    for part in parts[2:]:
        np.add(y, part, out=y)
    return y.transpose(np.argsort(order))


# ---- sums ------------------------------------------------------------------------------------------------------------


def channel_sums(g: NDArray) -> NDArray:
    """Σ over images and places of g (N,C,H,W), as (C,); by BLAS, a row of ones times g, if it lies by pixels."""
    lying = g.transpose(2, 3, 0, 1)
    if not (lying.flags.c_contiguous and g.dtype.kind == "f"):
        return np.asarray(np.sum(g, axis=(0, 2, 3)))
    rows = lying.reshape(-1, g.shape[1])
    return np.asarray(np.ones(len(rows), g.dtype) @ rows)


# The sum of float32 is right to 10⁻⁶ of the sum of the sizes, however many elements go into it. float16 is summed as
# float32, integers and truth values as int64.

WIDER: dict[str, DType] = {"e": np.dtype(np.float32), "f": np.dtype(np.float64)}
"""The dtype in which fractions are taken together, by the letter of their own."""


def reduced_dtype(dtype: DType) -> DType:
    """The dtype of a sum or product of elements of this one: int64 of integers and truth values."""
    return np.dtype(np.int64) if dtype.kind in "biu" else dtype


def summed(x: NDArray, axes: tuple[int, ...], keepdims: bool) -> NDArray:
    """``np.sum(x, axis=axes, keepdims=keepdims)``; the axes are counted from the front.

    Over outer axes NumPy adds row after row, so that the error grows with their number. Here `ROWS` of them at a time
    are one product with a vector of ones, and the sums of these blocks are added in float64. That is as accurate as
    NumPy's pairwise sums along the innermost axis, and faster: 10⁶ rows of 4 times 0.1 in float32 take 0.7 ms instead
    of 14, with an error of 2·10⁻⁷ instead of 1%. What lies otherwise is added in float64.
    """
    char = x.dtype.char
    if char == "e":
        return summed(x.astype(np.float32), axes, keepdims).astype(x.dtype)
    if char not in "fd":
        return np.asarray(np.sum(x, axis=axes, keepdims=keepdims, dtype=reduced_dtype(x.dtype)))
    if x.size < FEW_ELEMENTS or not axes:
        return np.asarray(np.sum(x, axis=axes, keepdims=keepdims))
    order = sorted(range(x.ndim), key=lambda a: -abs(x.strides[a]) if x.shape[a] > 1 else 0)
    flat = x.transpose(order)
    reduced = [k for k, a in enumerate(order) if a in axes and x.shape[a] > 1]
    rows = math.prod(flat.shape[k] for k in reduced)
    if rows < ROWS:
        return np.asarray(np.sum(x, axis=axes, keepdims=keepdims))
    first, last = reduced[0], reduced[-1]
    inner = math.prod(flat.shape[last + 1 :])
    together = all(flat.shape[k] == 1 or k in reduced for k in range(first, last + 1)) and flat.flags.c_contiguous
    run = last  # the axes from it on are one run of memory, NumPy's inner loop, whose sums are pairwise
    while run - 1 in reduced and flat.strides[run - 1] == flat.strides[run] * flat.shape[run]:
        run -= 1
    if inner == 1 and (together or rows < ROWS * math.prod(flat.shape[run:])):
        return np.asarray(np.sum(x, axis=axes, keepdims=keepdims))
    if not together:
        return np.asarray(np.sum(x, axis=axes, keepdims=keepdims, dtype=np.float64)).astype(x.dtype, copy=False)
    sums = in_blocks(flat.reshape(-1, rows, inner))
    kept = sums.reshape([1 if a in axes else x.shape[a] for a in order])
    full = kept.transpose(np.argsort(order))
    return full if keepdims else full.reshape([n for a, n in enumerate(x.shape) if a not in axes])


def in_blocks(x: NDArray) -> NDArray:
    """The sums over axis 1 of an array of three axes: block by block, several short rows side by side."""
    outer, rows, inner = x.shape
    if rows < ROWS:
        return np.asarray(np.add.reduce(x, axis=1))
    beside = max(1, min(WIDE // inner, rows // ROWS))
    blocks = rows // (ROWS * beside)
    end = blocks * ROWS * beside
    whole = x[:, :end].reshape(outer, blocks, ROWS, beside * inner)
    sums = np.matmul(np.ones((1, ROWS), x.dtype), whole).reshape(outer, blocks * beside, inner)
    many = np.float64 if blocks * beside > ROWS else None
    total = np.add.reduce(sums, axis=1, dtype=many)
    if end < rows:
        total = total + in_blocks(x[:, end:])
    return np.asarray(total).astype(x.dtype, copy=False)


def running(ufunc: np.ufunc, x: NDArray, axis: int) -> NDArray:
    """``ufunc.accumulate(x, axis)`` of sums or products, taken together in a wider dtype.

    Long rows are cut into blocks that fit the cache: 10⁷ numbers of float32 take as long as NumPy's accumulate in
    float32, whose last sum is 9 % off.
    """
    result = reduced_dtype(x.dtype)
    wide = WIDER.get(x.dtype.char, result)
    length, beside = x.shape[axis], x.size // max(1, x.shape[axis])
    step = max(1, 4 * RUN // max(1, beside))
    if length <= step:
        return np.asarray(ufunc.accumulate(x.astype(wide, copy=False), axis=axis)).astype(result, copy=False)
    out, carry = np.empty(x.shape, result), None
    for place in split(length, step):
        some = (*(slice(None),) * axis, place)
        part = x[some].astype(wide)
        ufunc.accumulate(part, axis=axis, out=part)
        if carry is not None:
            ufunc(part, carry, out=part)
        carry = part[(*(slice(None),) * axis, slice(-1, None))]
        out[some] = part
    return out


def tail_sums(v: NDArray, a: NDArray, b: NDArray, axis: int) -> NDArray:
    """Σ_{j≥k} v[j] exp(a[k] - b[j]) along an axis: terms with b[j] = ∞ are 0, and -∞ there counts as 0.

    Sums of 1, 2, 4, … terms, each beside the least b among them: no exponent is above 0 before a comes in, and
    nothing of v is lost however large b is.
    """
    total = np.moveaxis(np.where(b == np.inf, 0, v), axis, -1)
    least = np.moveaxis(np.clip(np.where(b == -np.inf, 0, b), None, np.finfo(b.dtype).max), axis, -1)
    width = 1
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        while width < total.shape[-1]:
            here, there = least[..., :-width], least[..., width:]
            both = np.minimum(here, there)
            total[..., :-width] = total[..., :-width] * np.exp(both - here) + total[..., width:] * np.exp(both - there)
            least[..., :-width] = both
            width *= 2
        y = np.where(total == 0, 0, total * np.exp(np.moveaxis(a, axis, -1) - least))
    return np.asarray(np.moveaxis(y, -1, axis), v.dtype)


# ---- products of matrices, and rows of them --------------------------------------------------------------------------


def matmul(a: NDArray, b: NDArray, *, keep_order: bool = False) -> NDArray:
    """a (…,n,k) times b (…,k,m) as NumPy's; of two large matrices each thread computes some rows, or columns.

    With `keep_order` the result of two matrices lies in memory as a does, by rows or by columns.
    """
    a, b = np.asarray(a), np.asarray(b)
    if keep_order and a.ndim == b.ndim == 2 and a.flags.f_contiguous and not a.flags.c_contiguous:
        return matmul(b.T, a.T).T
    if a.ndim != 2 or b.ndim != 2:
        return np.asarray(np.matmul(a, b))
    if a.shape[1] == b.shape[0] == 1 < min(a.shape[0], b.shape[1]) and a.dtype == b.dtype:
        return np.asarray(a * b)  # an outer product is a pass over memory; with a vector BLAS adds to 0: -0 becomes 0
    if a.size * b.shape[1] < FEW_PRODUCTS or a.dtype != b.dtype or a.shape[1] != b.shape[0]:
        return np.asarray(np.matmul(a, b))
    (n, k), m = a.shape, b.shape[1]
    y = np.empty((n, m), a.dtype)
    by_rows = n >= m

    def work(slices: Sequence[slice]) -> None:
        for some in slices:
            if by_rows:
                np.matmul(a[some], b, out=y[some])
            else:
                np.matmul(a, b[:, some], out=y[:, some])

    longer = max(n, m)
    share(split(longer, -(-longer // thread_count())), work, cost=n * m * k / 4)
    return y


def class_losses(x: NDArray, t: NDArray) -> NDArray:
    """-ln softmax(x)[n, t[n]] of logits (N, K) and labels (N,), as (N,); shifted, so that nothing overflows."""
    shifted = x - np.maximum.reduce(x, axis=1, keepdims=True, initial=-np.inf)
    picked = shifted[np.arange(len(t)), t]
    return np.asarray(np.log(np.add.reduce(np.exp(shifted), axis=1)) - picked)


def class_losses_input(g: NDArray, x: NDArray, t: NDArray) -> NDArray:
    """The gradient in x: g (N,) times softmax(x) - [k = t], lying in memory as x does."""
    e = np.exp(x - np.maximum.reduce(x, axis=1, keepdims=True, initial=-np.inf))
    hot = (np.arange(x.shape[1])[:, None] == t).T  # lies by columns, so that the result lies as x does
    return np.asarray(g.reshape(-1, 1) * (e / np.add.reduce(e, axis=1, keepdims=True) - hot))


# ---- random words ----------------------------------------------------------------------------------------------------


def random_words(generator: "np.random.Generator", count: int) -> NDArray:
    """The next so many words of 32 bits of a generator around ``numpy.random.MT19937``."""
    return generator.integers(0, 2**32, count, dtype=np.uint32)


def shuffled(steps: NDArray) -> NDArray:
    """The numbers from 0 on; in turn the k-th changes places with that `steps[k]` further on (Fisher & Yates).

    All turns at once. What stands at place p when its own turn comes was put there by the last turn before that named
    p, and is what stood at that turn's place then: pointers, followed to their ends in a few doublings. A turn that
    names p takes away what the turn before it that named p had put there, or p itself.
    """
    turns = np.arange(len(steps))
    named = turns + steps
    standing = turns.copy()
    moved = np.flatnonzero(steps)
    standing[named[moved]] = moved  # of several the last counts
    while not np.array_equal(further := standing[standing], standing):
        standing = further
    order = named.copy()
    last = np.empty(len(steps), np.int64)
    last[named] = turns
    left = np.flatnonzero(last[named] != turns)
    while left.size:  # in each round the latest turn of each place is done, a dozen rounds in all
        places = named[left]
        after = last[places]
        last[places] = left
        latest = last[places] == left
        order[after[latest]] = standing[left[latest]]
        left = left[~latest]
    return order
