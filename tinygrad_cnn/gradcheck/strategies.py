"""Hypothesis strategies: what the package's own gradient tests draw from, and users' tests too.

Each is a sampler of `core.draw`, driven by Hypothesis; what can be drawn is decided there and in `core.domain`.
Everything shrinks to what is simplest: small shapes, round values, whole slices, no options.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeAlias, TypeVar, overload

import numpy as np
from hypothesis import strategies as st

from tinygrad_cnn.core.conv import sample_geometry
from tinygrad_cnn.core.domain import AwayFrom, Distinct, Domain, Positive, Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.indexing import sample_index
from tinygrad_cnn.core.op import Op, Sample
from tinygrad_cnn.core.pool import sample_windows
from tinygrad_cnn.core.types import DType, NDArray, Pair, Shape
from tinygrad_cnn.gradcheck.decorator import check_gradients
from tinygrad_cnn.kernels.windows import output_size

__all__ = [
    "AwayFrom", "Broadcast", "ConvGeometry", "Distinct", "Domain", "HypothesisDraw", "PoolGeometry", "Positive", "Real",
    "Sample", "arrays", "axes", "axis", "broadcastable_shapes", "broadcasting", "check_gradients", "conv_geometries",
    "convolutions", "cotangents", "drawn", "dtypes", "indexed", "indices", "labels", "layouts", "pool_geometries",
    "poolings", "samples", "shapes",
]  # fmt: skip

T = TypeVar("T")
P = ParamSpec("P")

Part: TypeAlias = int | slice | EllipsisType | NDArray | None
Index: TypeAlias = Part | tuple[Part, ...]

ANY = Real()


class HypothesisDraw(Draw):
    """Draws through Hypothesis, so that failing samples are shrunk.

    Examples
    --------
    >>> from hypothesis import find, strategies as st
    >>> from tinygrad_cnn.gradcheck.strategies import HypothesisDraw
    >>> find(st.composite(lambda draw: HypothesisDraw(draw).integer(2, 5))(), lambda n: True)
    2
    """

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def integers(self, low: int, high: int, count: int) -> list[int]:
        """`count` integers, each shrinking towards 0, or towards the end of the range that is nearest to it."""
        return self._draw(st.lists(st.integers(low, high), min_size=count, max_size=count))

    def axis(self, ndim: int) -> int:
        """One axis of an array that has some, at times counted from the end."""
        return self.integer(0, ndim - 1) - (ndim if self.boolean() else 0)

    @overload
    def value(self, item: st.SearchStrategy[T]) -> T: ...
    @overload
    def value(self, item: T) -> T: ...
    def value(self, item: Any) -> Any:
        """What a strategy draws; anything else as it is."""
        return self._draw(item) if isinstance(item, st.SearchStrategy) else item


class Broadcast(NamedTuple):
    """Shapes that broadcast against each other, and the shape that they give.

    Examples
    --------
    >>> from tinygrad_cnn.gradcheck.strategies import Broadcast
    >>> Broadcast(shapes=((2, 1), (3,)), result=(2, 3)).result
    (2, 3)
    """

    shapes: tuple[Shape, ...]
    result: Shape


class ConvGeometry(NamedTuple):
    """A convolution that fits: shapes (N, C, H, W), (O, C / groups, KH, KW), (N, O, OH, OW), and its options.

    Examples
    --------
    >>> from tinygrad_cnn.gradcheck.strategies import ConvGeometry
    >>> fits = ConvGeometry((1, 2, 4, 4), (3, 2, 3, 3), (1, 3, 2, 2), (1, 1), (0, 0), (1, 1), 1)
    >>> fits.options()
    {'stride': (1, 1), 'padding': (0, 0), 'dilation': (1, 1), 'groups': 1}
    """

    input: Shape
    weight: Shape
    output: Shape
    stride: Pair
    padding: Pair
    dilation: Pair
    groups: int

    def options(self) -> dict[str, Any]:
        """The options by the names that PyTorch gives them."""
        return {"stride": self.stride, "padding": self.padding, "dilation": self.dilation, "groups": self.groups}


class PoolGeometry(NamedTuple):
    """A pooling that fits: shapes (N, C, H, W) and (N, C, OH, OW), and its options.

    Examples
    --------
    >>> from tinygrad_cnn.gradcheck.strategies import PoolGeometry
    >>> fits = PoolGeometry((1, 2, 4, 4), (1, 2, 2, 2), (2, 2), (2, 2), (0, 0), (1, 1))
    >>> fits.options()
    {'kernel_size': (2, 2), 'stride': (2, 2), 'padding': (0, 0), 'dilation': (1, 1)}
    """

    input: Shape
    output: Shape
    kernel_size: Pair
    stride: Pair
    padding: Pair
    dilation: Pair

    def options(self) -> dict[str, Pair]:
        """The options by the names that PyTorch gives them."""
        return {name: getattr(self, name) for name in ("kernel_size", "stride", "padding", "dilation")}


def drawn(
    sampler: Callable[Concatenate[HypothesisDraw, P], T], *args: P.args, **options: P.kwargs
) -> st.SearchStrategy[T]:
    """Whatever a sampler, a function of a `Draw` (and of these arguments), draws.

    >>> from hypothesis import find
    >>> find(drawn(lambda draw: draw.array(draw.shape(1, smallest=1), Positive())), lambda x: x.size > 1)
    array([0.25, 0.25])
    """

    @st.composite
    def composed(draw: st.DrawFn) -> T:
        return sampler(HypothesisDraw(draw), *args, **options)

    return composed()


def samples(op: type[Op]) -> st.SearchStrategy[Sample]:
    """Valid arguments of an op, from its own sampler.

    Examples
    --------
    >>> from tinygrad_cnn.gradcheck import strategies
    >>> from tinygrad_cnn.core.elementwise import Exp
    >>> import hypothesis
    >>> isinstance(strategies.samples(Exp), hypothesis.strategies.SearchStrategy)
    True
    """
    return drawn(op.sample)


def dtypes() -> st.SearchStrategy[DType]:
    """The dtypes that gradients are checked in: float64, float32.

    Examples
    --------
    >>> from tinygrad_cnn.gradcheck import strategies
    >>> strategies.dtypes()
    sampled_from([dtype('float64'), dtype('float32')])
    """
    return st.sampled_from([np.dtype(np.float64), np.dtype(np.float32)])


def shapes(min_dims: int = 0, max_dims: int = 3, *, min_side: int = 1, max_side: int = 3) -> st.SearchStrategy[Shape]:
    """Shapes; with ``min_side=0`` now and then one without elements.

    Examples
    --------
    >>> from hypothesis import find
    >>> from tinygrad_cnn.gradcheck import strategies
    >>> find(strategies.shapes(), lambda shape: len(shape) == 2)
    (1, 1)
    """
    _check_ranges("shapes", min_dims, max_dims, min_side, max_side)
    return drawn(lambda draw: draw.shape(min_dims, max_dims, smallest=min_side, largest=max_side))


def broadcastable_shapes(
    count: int = 2, *, min_dims: int = 0, max_dims: int = 3, min_side: int = 1, max_side: int = 3
) -> st.SearchStrategy[Broadcast]:
    """`count` shapes that broadcast against each other, with the shape of the result; simplest: all the same.

    >>> from hypothesis import find
    >>> find(broadcastable_shapes(2), lambda b: b.shapes[0] != b.result)
    Broadcast(shapes=((), (1,)), result=(1,))
    """
    _check_ranges("broadcastable_shapes", min_dims, max_dims, min_side, max_side)
    if count < 1:
        raise ValueError(f"broadcastable_shapes: count is {count}; expected 1 or more")

    def sampler(draw: Draw) -> Broadcast:
        full = draw.shape(min_dims, max_dims, smallest=min_side, largest=max_side)
        found = tuple(draw.broadcastable(count, full))
        return Broadcast(found, np.broadcast_shapes(*found))

    return drawn(sampler)


def arrays(
    shape: int | Shape | st.SearchStrategy[Any],
    domain: Domain = ANY,
    *,
    kinks: Sequence[float] = (),
    gap: float = 0.125,
    dtype: Any = np.float64,
    layout: bool = True,
) -> st.SearchStrategy[NDArray]:
    """Arrays of a domain, away from kinks by construction: nothing is filtered out, everything shrinks.

    Values are sixteenths, so they are exact in every dtype and print short.

    Parameters
    ----------
    shape : a shape, or a strategy of shapes
    domain : `Real`, `Positive`, `AwayFrom` or `Distinct` (no two elements alike: for maxima and sorting), each with
        its range
    kinks : instead of a domain: the points where the function is not smooth; values stay at least `gap` from each
    dtype : of a floating type, or a strategy such as `dtypes`
    layout : also in Fortran order, reversed, strided, of stride 0 (unless `Distinct`) and read-only; else C order

    Examples
    --------
    >>> from hypothesis import find
    >>> find(arrays((2,), kinks=(0.0, 1.0)), lambda x: x[1] > 0.5)
    array([0.125 , 0.5625])
    """
    if len(kinks):
        if domain is not ANY:
            raise ValueError("arrays: both a domain and kinks; expected one of them (AwayFrom is a domain with kinks)")
        domain = AwayFrom(tuple(kinks), gap)
    if not isinstance(domain, Domain):
        raise TypeError(f"arrays: domain is {domain!r}; expected Real(), Positive(), AwayFrom(points) or Distinct()")

    def sampler(draw: HypothesisDraw) -> NDArray:
        values = _in_dtype(draw, domain, dtype)
        wanted = _shape(draw, shape)
        return draw.array(wanted, values) if layout else values.fill(draw, wanted)

    return drawn(sampler)


def layouts(array: NDArray) -> st.SearchStrategy[NDArray]:
    """The same values in other memory: C order, Fortran order, reversed, strided, read-only; C order is simplest.

    Of stride 0, too, if all values are the same.

    Examples
    --------
    >>> import numpy as np
    >>> from hypothesis import find
    >>> from tinygrad_cnn.gradcheck import strategies
    >>> find(strategies.layouts(np.zeros((2, 3))), lambda a: True).flags.c_contiguous
    False
    """
    values = np.array(array, order="C")

    def sampler(draw: Draw) -> NDArray:
        if values.size > 1 and np.all(values == values.flat[0]) and draw.boolean():
            return np.broadcast_to(values.reshape(-1)[:1].reshape((1,) * values.ndim), values.shape)
        return draw.layout(values.copy())

    return drawn(sampler)


def cotangents(shape: int | Shape | st.SearchStrategy[Any], *, dtype: Any = np.float64) -> st.SearchStrategy[NDArray]:
    """What may come in from above: of both signs, of sizes from 0.125 to 8 but not 1, 0 in places, in any layout.

    At least one element is not 0.

    Examples
    --------
    >>> from hypothesis import Phase, find, settings
    >>> from tinygrad_cnn.gradcheck import strategies
    >>> once = settings(phases=[Phase.generate])
    >>> find(strategies.cotangents((2,)), lambda g: True, settings=once).shape
    (2,)
    """
    sizes = AwayFrom((-1.0, 0.0, 1.0), low=-8.0, high=8.0)

    def sampler(draw: HypothesisDraw) -> NDArray:
        values = _in_dtype(draw, sizes, dtype)
        g = draw.array(_shape(draw, shape), values)
        if g.size < 2 or not draw.boolean():
            return g
        kept = np.array(draw.integers(0, 3, g.size), dtype=bool).reshape(g.shape)
        kept.flat[draw.integer(0, g.size - 1)] = True
        return draw.layout(g * kept)

    return drawn(sampler)


def axes(ndim: int) -> st.SearchStrategy[int | tuple[int, ...] | None]:
    """Axes to reduce over, for an array of `ndim` axes: None, one, or several, some counted from the end.

    Examples
    --------
    >>> from hypothesis import find
    >>> from tinygrad_cnn.gradcheck import strategies
    >>> find(strategies.axes(3), lambda axes: axes is not None) in (0, (0,), -1, (-1,), ())
    True
    """
    return drawn(lambda draw: draw.axes(ndim))


def axis(ndim: int) -> st.SearchStrategy[int]:
    """One axis of an array that has some, at times counted from the end.

    Examples
    --------
    >>> from hypothesis import find
    >>> from tinygrad_cnn.gradcheck import strategies
    >>> find(strategies.axis(3), lambda axis: axis > 0)
    1
    """
    if ndim < 1:
        raise ValueError(f"axis: an array of {ndim} axes has none; expected 1 or more")
    return drawn(lambda draw: draw.axis(ndim))


def indices(shape: Shape) -> st.SearchStrategy[Index]:
    """Index expressions that fit a shape: integers, slices, ..., None, integer arrays, masks, alone and mixed.

    >>> from hypothesis import find
    >>> import numpy as np
    >>> find(indices((2, 3)), lambda i: np.zeros((2, 3))[i].shape == (2,))
    (slice(None, None, None), 0)
    """
    return drawn(sample_index, tuple(shape))


def labels(shape: int | Shape | st.SearchStrategy[Any], classes: int) -> st.SearchStrategy[NDArray]:
    """Integer arrays of class numbers, from 0 to ``classes - 1``.

    Examples
    --------
    >>> from hypothesis import find
    >>> from tinygrad_cnn.gradcheck import strategies
    >>> find(strategies.labels((2,), 3), lambda a: a.max() == 1).max()
    np.int64(1)
    """
    if classes < 1:
        raise ValueError(f"labels: {classes} classes; expected 1 or more")

    def sampler(draw: HypothesisDraw) -> NDArray:
        return draw.index_array(_shape(draw, shape), classes)

    return drawn(sampler)


def conv_geometries(
    *, kernel_size: int = 3, stride: int = 3, padding: int = 2, dilation: int = 2, groups: int = 2
) -> st.SearchStrategy[ConvGeometry]:
    """Convolutions in which everything fits, with options up to these numbers; simplest: 1×1 of one channel.

    A convolution that knows no dilation is checked with ``dilation=1``, and so on.

    Examples
    --------
    >>> from hypothesis import Phase, find, settings
    >>> from tinygrad_cnn.gradcheck import strategies
    >>> once = settings(phases=[Phase.generate])
    >>> find(strategies.conv_geometries(), lambda g: True, settings=once).weight
    (1, 1, 1, 1)
    """

    def sampler(draw: Draw) -> ConvGeometry:
        x, w, y, geometry = sample_geometry(
            draw,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            symmetric=True,
        )
        pads = geometry.padding[0][0], geometry.padding[1][0]
        return ConvGeometry(x, w, y, geometry.stride, pads, geometry.dilation, geometry.groups)

    return drawn(sampler)


def pool_geometries(
    *, kernel_size: int = 3, stride: int = 3, padding: int = 1, dilation: int = 2
) -> st.SearchStrategy[PoolGeometry]:
    """Poolings in which everything fits, with options up to these numbers; padding up to half a kernel.

    Examples
    --------
    >>> from hypothesis import Phase, find, settings
    >>> from tinygrad_cnn.gradcheck import strategies
    >>> once = settings(phases=[Phase.generate])
    >>> find(strategies.pool_geometries(), lambda g: True, settings=once).kernel_size
    (1, 1)
    """

    def sampler(draw: Draw) -> PoolGeometry:
        x, windows = sample_windows(draw, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
        out = [output_size(n, k, s, 2 * p, d) for n, k, s, p, d in zip(x[2:], *windows, strict=True)]
        return PoolGeometry(x, (*x[:2], *out), *windows)

    return drawn(sampler)


def broadcasting(*domains: Domain, **limits: int) -> st.SearchStrategy[Sample]:
    """Arrays of mutually broadcastable shapes, one of each domain; the limits are those of `shapes`.

    Examples
    --------
    >>> from hypothesis import Phase, find, settings
    >>> from tinygrad_cnn.gradcheck import strategies
    >>> once = settings(phases=[Phase.generate])
    >>> sample = find(strategies.broadcasting(strategies.Real(), strategies.Positive()), lambda s: True, settings=once)
    >>> len(sample.inputs)
    2
    """

    def sampler(draw: HypothesisDraw) -> Sample:
        found = draw.value(broadcastable_shapes(len(domains), **limits))
        return Sample(tuple(draw.array(s, d) for s, d in zip(found.shapes, domains, strict=True)), {})

    return drawn(sampler)


def indexed(domain: Domain = ANY, **limits: int) -> st.SearchStrategy[Sample]:
    """An array and, as the option ``index``, an index that fits it; the limits are those of `shapes`.

    Examples
    --------
    >>> from hypothesis import Phase, find, settings
    >>> from tinygrad_cnn.gradcheck import strategies
    >>> once = settings(phases=[Phase.generate])
    >>> list(find(strategies.indexed(), lambda s: True, settings=once).options)
    ['index']
    """

    def sampler(draw: HypothesisDraw) -> Sample:
        shape = draw.value(shapes(**limits))
        return Sample((draw.array(shape, domain),), {"index": sample_index(draw, shape)})

    return drawn(sampler)


def convolutions(*, bias: bool = False, **limits: int) -> st.SearchStrategy[Sample]:
    """Images, a weight and perhaps a bias, with ``stride, padding, dilation, groups``; the limits are those of
    `conv_geometries`.

    Examples
    --------
    >>> from hypothesis import Phase, find, settings
    >>> from tinygrad_cnn.gradcheck import strategies
    >>> once = settings(phases=[Phase.generate])
    >>> sorted(find(strategies.convolutions(), lambda s: True, settings=once).options)
    ['dilation', 'groups', 'padding', 'stride']
    """

    def sampler(draw: HypothesisDraw) -> Sample:
        geometry = draw.value(conv_geometries(**limits))
        wanted = [geometry.input, geometry.weight, *([geometry.weight[:1]] if bias else [])]
        return Sample(tuple(draw.array(s, ANY) for s in wanted), geometry.options())

    return drawn(sampler)


def poolings(domain: Domain | None = None, **limits: int) -> st.SearchStrategy[Sample]:
    """Images of distinct values, so that no maximum is tied, with ``kernel_size, stride, padding, dilation``; the
    limits are those of `pool_geometries`.

    Examples
    --------
    >>> from hypothesis import Phase, find, settings
    >>> from tinygrad_cnn.gradcheck import strategies
    >>> once = settings(phases=[Phase.generate])
    >>> sorted(find(strategies.poolings(), lambda s: True, settings=once).options)
    ['dilation', 'kernel_size', 'padding', 'stride']
    """
    values = Distinct() if domain is None else domain

    def sampler(draw: HypothesisDraw) -> Sample:
        geometry = draw.value(pool_geometries(**limits))
        return Sample((draw.array(geometry.input, values),), geometry.options())

    return drawn(sampler)


@dataclass(frozen=True)
class _InDtype(Domain):
    """The members of a domain, in a dtype."""

    members: Domain
    dtype: DType

    @property
    def repeats(self) -> bool:  # type: ignore[override]
        return self.members.repeats

    def fill(self, draw: Any, shape: Shape) -> NDArray:
        return self.members.fill(draw, shape).astype(self.dtype)


def _in_dtype(draw: HypothesisDraw, members: Domain, dtype: Any) -> Domain:
    wanted = np.dtype(draw.value(dtype))
    if wanted.kind != "f":
        raise TypeError(f"arrays: dtype is {wanted}; expected a floating one (labels draws integers)")
    return _InDtype(members, wanted)


def _shape(draw: HypothesisDraw, shape: Any) -> Shape:
    wanted = draw.value(shape)
    return (wanted,) if isinstance(wanted, int) else tuple(wanted)


def _check_ranges(name: str, min_dims: int, max_dims: int, min_side: int, max_side: int) -> None:
    if not 0 <= min_dims <= max_dims or not 0 <= min_side <= max_side:
        raise ValueError(
            f"{name}: {min_dims} to {max_dims} axes of {min_side} to {max_side} elements; "
            "expected numbers of 0 or more, the smaller first"
        )
