"""Reading and writing elements by index: the functions, and the rules that gather, scatter and sort."""

import numpy as np

from tinygrad_cnn.core.checks import check_axis, check_broadcast, dtype_of, shape_of
from tinygrad_cnn.core.domain import Distinct, Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.errors import ArgumentError, DTypeError
from tinygrad_cnn.core.indexing import GetItem, Index, PutItem, SetItem, check_index
from tinygrad_cnn.core.op import Kink, Op, Sample
from tinygrad_cnn.core.types import A, Array, ArrayLike, Shape
from tinygrad_cnn.kernels.orders import first_places, order_along
from tinygrad_cnn.kernels.scatter import add_at
from tinygrad_cnn.ops.calling import flexible, vectorial
from tinygrad_cnn.ops.checks import check_integer, check_mask, check_ndim, check_range, check_same_dtype
from tinygrad_cnn.ops.shape import clone, reshape
from tinygrad_cnn.ops.untracked import dressed, plain
from tinygrad_cnn.torch_names import return_types

__all__ = [
    "embedding", "gather", "getitem", "index_select", "masked_select", "one_hot", "scatter_add", "setitem", "sort",
    "topk",
]  # fmt: skip


class Gather(Op):
    """y[…, i, …] = x[…, index[…, i, …], …]        dx = g added at the index of zeros"""

    linear = "jointly"
    constant = ("index",)

    def forward(x: Array, index: Array, *, axis: int) -> Array:
        return x[along_axis(index, axis)]

    def d_x(g: Array, index: Array, x_shape: Shape, *, axis: int) -> Array:
        zeros = np.zeros(x_shape, g.dtype)
        return ScatterAdd.apply(zeros, index, g, axis=axis)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x = draw.array(draw.shape(1, smallest=1), Real())
        axis = draw.integer(0, x.ndim - 1)
        shape = tuple(draw.integer(0 if a == axis else 1, 4 if a == axis else n) for a, n in enumerate(x.shape))
        return Sample((x, draw.index_array(shape, x.shape[axis])), {"axis": axis})


class ScatterAdd(Op):
    """y = x with src added at the index        dx = g,  dsrc = g at the index"""

    linear = "jointly"
    constant = ("index",)

    def forward(x: Array, index: Array, src: Array, *, axis: int) -> Array:
        y = np.array(x)
        add_at(y, along_axis(index, axis), src[tuple(slice(n) for n in index.shape)])
        return y

    def d_x(g: Array) -> Array:
        return g

    def d_src(g: Array, index: Array, src_shape: Shape, *, axis: int) -> Array:
        read = gather(g, axis, index)
        if read.shape == src_shape:
            return read
        return PutItem.apply(read, index=tuple(slice(n) for n in index.shape), shape=src_shape)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        (x, index), options = Gather.sample(draw)
        src = draw.array(tuple(n + draw.integer(0, 1) for n in index.shape), Real())
        return Sample((x, index, src), options)


def along_axis(index: Array, axis: int) -> tuple[Array, ...]:
    """The index tuple that reads `index` along one axis and the own position along all others."""
    places: list[Array] = list(np.indices(index.shape, sparse=True))
    places[axis] = np.asarray(index)
    return tuple(places)


class Sort(Op):
    """y, i = x sorted along an axis, the order        dx = g put back in the old order"""

    aux = ("indices",)
    domain = {"x": Distinct()}
    kinks = (
        Kink(
            "a tie keeps its order",
            (np.array([2.0, 2.0]),),
            (np.array([1.0, 1.0]),),
            {"axis": 0, "descending": False},
        ),
    )

    def forward(x: Array, *, axis: int, descending: bool) -> tuple[Array, Array]:
        order = order_along(x, axis, descending)
        return np.take_along_axis(x, order, axis), order

    def d_x(g: Array, indices: Array, x_shape: Shape, *, axis: int) -> Array:
        return ScatterAdd.apply(np.zeros(x_shape, g.dtype), indices, g, axis=axis)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        x = draw.array(draw.shape(1), cls.domain["x"])
        return Sample((x,), {"axis": draw.integer(0, x.ndim - 1), "descending": draw.boolean()})


class OneHot(Op):
    """y[…, k] = [x = k]; no derivative"""

    constant = ("x",)

    def forward(x: Array, *, num_classes: int) -> Array:
        return (x[..., None] == np.arange(num_classes)).astype(np.int64)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return Sample((draw.index_array(draw.shape(), 4),), {"num_classes": draw.integer(4, 5)})


class Embedding(Op):
    """y = w[x]        dw = g added at the rows x, 0 at the padding row; over how often a row is read, if `by_freq`"""

    constant = ("x",)

    def forward(x: Array, w: Array, *, padding_idx: int, by_freq: bool) -> Array:
        return np.take(w, x, axis=0)

    def d_w(g: Array, x: Array, w_shape: Shape, *, padding_idx: int, by_freq: bool) -> Array:
        share: Array = x != padding_idx
        if by_freq:
            share = share / np.bincount(x.ravel(), minlength=w_shape[0])[x]
        return PutItem.apply(g * np.expand_dims(share.astype(g.dtype), -1), index=(x,), shape=w_shape)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        w = draw.array((draw.integer(2, 4), draw.integer(1, 3)), Real())
        pad = len(w) - 1
        index, by_freq = draw.index_array(draw.shape(), pad), draw.boolean()
        index = np.unique(index) if by_freq else index  # smooth: no padding read, and no row divided
        return Sample((index, w), {"padding_idx": pad, "by_freq": by_freq})

    kinks = (
        Kink(
            "the padding row is read",
            (np.array([0, 1]), np.ones((2, 1))),
            (None, np.array([[0.0], [1.0]])),
            {"padding_idx": 0, "by_freq": False},
        ),
        Kink(
            "a row is read twice, and its gradient divided",
            (np.array([1, 1]), np.ones((2, 1))),
            (None, np.array([[0.0], [1.0]])),
            {"padding_idx": 0, "by_freq": True},
        ),
    )


def getitem(input: A, index: Index) -> A:
    """`input[index]` for every form of NumPy's indices; a view of the input's memory where NumPy gives one.

    The dtype stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> x = tg.tensor([[1, 2], [3, 4]])
    >>> tg.ops.getitem(x, (0, slice(None)))
    tensor([1, 2])
    """
    shape = shape_of(input)
    plain = check_index("getitem", index, shape)
    try:
        return GetItem.apply(input, index=plain)
    except IndexError as error:
        raise IndexError(f"getitem: {error} (input of shape {shape}, index {_shown(index)})") from None


def _shown(index: Index) -> str:
    """An index as an error shows it: of arrays and tensors their shapes."""
    if isinstance(index, tuple):
        return f"({', '.join(map(_shown, index))})"
    shape = getattr(index, "array_shape", getattr(index, "shape", None))
    return repr(index) if not shape else f"of shape {tuple(shape)}"


def setitem(input: A, index: Index, value: ArrayLike) -> A:
    """A copy of `input` with `value` assigned at the index; gradients flow to both.

    Shape and dtype stay; the value must broadcast to the place.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.ops.setitem(tg.tensor([1, 2, 3]), 0, 9)
    tensor([9, 2, 3])
    """
    shape = shape_of(input)
    plain = check_index("setitem", index, shape)
    try:
        return SetItem.apply(input, value, index=plain)
    except (IndexError, ValueError) as error:
        raise type(error)(
            f"setitem: {error} (input of shape {shape}, index {_shown(index)}, value of shape {shape_of(value)})"
        ) from None


@flexible
def gather(input: A, dim: int, index: ArrayLike, *, sparse_grad: bool = False) -> A:
    """Read along a dim: ``out[i][j] = input[index[i][j]][j]`` for dim 0, and so on.

    The result has the shape of the index, an integer tensor, and the dtype of the input.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.gather(tg.tensor([[1, 2], [3, 4]]), 1, tg.tensor([[0, 0], [1, 0]]))
    tensor([[1, 1],
            [4, 3]])
    """
    if sparse_grad:
        raise ArgumentError("gather: sparse_grad is not supported; gradients are dense here, leave it out")
    shape, wanted = shape_of(input) or (1,), shape_of(index) or (1,)
    axis = check_axis("gather", dim, len(shape))
    check_integer("gather", "index", index)
    places = np.reshape(np.asarray(index), wanted)
    if not places.size:
        return getitem(reshape(input, -1), (places,))
    _check_along("gather", shape, wanted, axis)
    check_range("gather", "index", places, shape[axis])
    if shape_of(input) == shape and places.shape == shape_of(index):
        return Gather.apply(input, places, axis=axis)
    return reshape(Gather.apply(reshape(input, shape), places, axis=axis), shape_of(index))


@flexible
def scatter_add(input: A, dim: int, index: ArrayLike, src: ArrayLike) -> A:
    """Add along a dim: ``out[index[i][j]][j] += src[i][j]`` for dim 0, and so on, on a copy of `input`.

    Shape and dtype stay; `src` must have the same dtype, `index` integers.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.scatter_add(tg.tensor([0.0, 0.0, 0.0]), 0, tg.tensor([0, 0, 2]), tg.tensor([1.0, 2.0, 3.0]))
    tensor([3., 0., 3.])
    """
    check_same_dtype("scatter_add", input, src)
    shape, wanted, given = shape_of(input) or (1,), shape_of(index) or (1,), shape_of(src) or (1,)
    axis = check_axis("scatter_add", dim, len(shape))
    check_integer("scatter_add", "index", index)
    places = np.reshape(np.asarray(index), wanted)
    if not places.size:
        return clone(input)
    _check_along("scatter_add", shape, wanted, axis)
    if len(given) != len(wanted) or any(n > m for n, m in zip(wanted, given, strict=True)):
        raise ArgumentError(f"scatter_add: src has shape {shape_of(src)}; index of shape {wanted} must fit into it")
    check_range("scatter_add", "index", places, shape[axis])
    added = ScatterAdd.apply(reshape(input, shape), places, reshape(src, given), axis=axis)
    return reshape(added, shape_of(input))


def _check_along(op: str, shape: Shape, index: Shape, axis: int) -> None:
    fits = len(shape) == len(index) and all(
        a == axis or m <= n for a, (n, m) in enumerate(zip(shape, index, strict=True))
    )
    if not fits:
        raise ArgumentError(
            f"{op}: index has shape {index}, input {shape}; expected as many dims, and no size beyond the "
            f"input's except in dim {axis}"
        )


@flexible
def index_select(input: A, dim: int, index: ArrayLike) -> A:
    """The slices of a dim that a 1-D integer array names, in its order.

    The dtype stays. IndexError for an index outside the dim.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.index_select(tg.tensor([[1, 2], [3, 4]]), 1, tg.tensor([1, 0]))
    tensor([[2, 1],
            [4, 3]])
    """
    shape = shape_of(input)
    axis = check_axis("index_select", dim, max(len(shape), 1))
    check_ndim("index_select", "index", index, (0, 1), "(n,)")
    check_integer("index_select", "index", index)
    size = shape[axis] if shape else 1
    check_range("index_select", "index", index, size, lowest=-size)
    places = np.atleast_1d(np.asarray(index))
    if not shape:
        if len(places) != 1:
            raise ArgumentError(f"index_select: {len(places)} slices of an input without dims; expected one")
        return clone(input)
    return getitem(input, (slice(None),) * axis + (places,))


def one_hot(input: A, num_classes: int = -1) -> A:
    """Integers (any shape) as rows of an identity matrix, int64; a new last dim of size `num_classes`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.one_hot(tg.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    check_integer("one_hot", "input", input)
    labels = np.asarray(input)
    if num_classes == -1:
        num_classes = int(labels.max(initial=-1)) + 1
    check_range("one_hot", "input", labels, num_classes, fix=f" for num_classes={num_classes}")
    return OneHot.apply(input, num_classes=num_classes)


def embedding(input: ArrayLike, weight: A, padding_idx: int | None = None) -> A:
    """The rows of `weight` (V, E) that `input` (any shape, integers) names; `padding_idx` gets no gradient.

    The result has the shape of `input`, then E, and the dtype of `weight`. IndexError for a row that is not there.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.embedding(tg.tensor([2, 0]), tg.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    tensor([[5., 6.],
            [1., 2.]])
    """
    return rows_named(input, weight, padding_idx, False)


def rows_named(input: ArrayLike, weight: A, padding_idx: int | None, by_freq: bool) -> A:
    """`embedding`; with `by_freq` the gradient of a row is divided by how often it is read."""
    check_ndim("embedding", "weight", weight, (2,), "(num_embeddings, embedding_dim)")
    rows = shape_of(weight)[0]
    check_integer("embedding", "input", input)
    check_range("embedding", "input", input, rows, fix=", the rows of the table (num_embeddings)")
    if padding_idx is None and not by_freq:
        return reshape(getitem(weight, np.ravel(input)), (*shape_of(input), shape_of(weight)[1]))
    if padding_idx is not None and not -rows <= padding_idx < rows:
        raise ArgumentError(f"embedding: padding_idx {padding_idx} is out of range for {rows} rows")
    padding = -1 if padding_idx is None else padding_idx % rows
    return Embedding.apply(np.asarray(input), weight, padding_idx=padding, by_freq=by_freq)


@flexible
@vectorial
def sort(input: A, dim: int = -1, descending: bool = False, *, stable: bool = False) -> return_types.sort[A]:
    """``(values, indices)`` sorted along a dim, and the order; equal elements keep theirs, stable or not.

    NaN is larger than every number.

    Both have the shape of the input; the dtype stays, indices are int64.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.sort(tg.tensor([3.0, 1.0, 2.0]))
    torch.return_types.sort(
    values=tensor([1., 2., 3.]),
    indices=tensor([1, 2, 0]))
    """
    axis = check_axis("sort", dim, len(shape_of(input)))
    return return_types.sort(*Sort.apply(input, axis=axis, descending=bool(descending)))


@flexible
@vectorial
def topk(input: A, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> return_types.topk[A]:
    """``(values, indices)`` of the k largest (or smallest) along a dim, in order whether `sorted` or not.

    NaN is larger than every number.

    The dim has k elements; the dtype stays, indices are int64. ValueError if there are fewer than k.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.topk(tg.tensor([3.0, 1.0, 2.0]), 2)
    torch.return_types.topk(
    values=tensor([3., 2.]),
    indices=tensor([0, 2]))
    """
    shape = shape_of(input)
    axis = check_axis("topk", dim, len(shape))
    if dtype_of(input).kind == "b":
        raise DTypeError("topk: of truth values none is the largest; convert the input with .int()")
    if not 0 <= k <= shape[axis]:
        raise ArgumentError(f"topk: k is {k}, out of range: dim {dim} of shape {shape} has not so many elements")
    places = first_places(plain("topk", input), k, axis, bool(largest))
    return return_types.topk(Gather.apply(input, places, axis=axis), dressed(places, input))


def masked_select(input: A, mask: ArrayLike) -> A:
    """The elements where the mask, broadcast to the input, holds; one-dimensional.

    The dtype stays; the mask must be bool.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.masked_select(tg.tensor([1, 2, 3]), tg.tensor([True, False, True]))
    tensor([1, 3])
    """
    check_mask("masked_select", mask)
    shape = check_broadcast("masked_select", shape_of(input), shape_of(mask))
    repeated: Array = np.broadcast_to(input, shape)
    return getitem(repeated, np.broadcast_to(np.asarray(mask), shape))
