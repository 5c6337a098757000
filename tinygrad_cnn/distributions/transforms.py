"""Invertible maps with the logarithm of their Jacobian's determinant, of which `TransformedDistribution` is made."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.distributions import constraints
from tinygrad_cnn.distributions.constraints import Constraint
from tinygrad_cnn.distributions.distribution import Distribution
from tinygrad_cnn.distributions.parameters import broadcast_all, constant, limits, log_sigmoid, sum_rightmost, unwritten
from tinygrad_cnn.ops.decompositions import cholesky
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.torch_names.size import Size

__all__ = [
    "AbsTransform", "AffineTransform", "CatTransform", "ComposeTransform", "CorrCholeskyTransform",
    "CumulativeDistributionTransform", "ExpTransform", "IndependentTransform", "LowerCholeskyTransform",
    "PositiveDefiniteTransform", "PowerTransform", "ReshapeTransform", "SigmoidTransform", "SoftmaxTransform",
    "SoftplusTransform", "StackTransform", "StickBreakingTransform", "TanhTransform", "Transform",
    "identity_transform",
]  # fmt: skip

Shape = Sequence[int]


class Transform:
    """A map from `domain` to `codomain`; a subclass writes `_call`, `_inverse` and `log_abs_det_jacobian`.

    With ``cache_size=1`` the last pair of x and y is kept, so that the inverse of y is x itself.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> transform = tg.distributions.ExpTransform()
    >>> isinstance(transform, tg.distributions.Transform), transform.bijective
    (True, True)
    """

    bijective: Any = False
    domain: Any
    codomain: Any
    sign = unwritten("sign; it does not act on each number alone")
    """+1 if it grows everywhere, -1 if it falls."""

    def __init__(self, cache_size: int = 0) -> None:
        if cache_size not in (0, 1):
            raise ValueError("cache_size must be 0 or 1")
        self._cache_size, self._inv = cache_size, None
        self._cached_x_y: tuple[Any, Any] = (None, None)

    _inv: Transform | None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_inv": None}

    @property
    def event_dim(self) -> int:
        """How many dims make an event, on both sides."""
        if self.domain.event_dim != self.codomain.event_dim:
            raise ValueError("Please use either .domain.event_dim or .codomain.event_dim")
        dims: int = self.domain.event_dim
        return dims

    @property
    def inv(self) -> Transform:
        """The inverse, whose inverse is this."""
        if self._inv is None:
            self._inv = InverseTransform(self)
        return self._inv

    def _settings(self) -> tuple[Any, ...]:
        """The arguments that it was made with, but for the cache."""
        return ()

    def with_cache(self, cache_size: int = 1) -> Self:
        """The same with or without a cache."""
        if self._cache_size == cache_size:
            return self
        new: Any = type(self)
        made: Self = new(*self._settings(), cache_size=cache_size)
        return made

    def __eq__(self, other: object) -> bool:
        """The same map."""
        if not isinstance(other, Transform) or type(self) is not type(other) or not self._compared:
            return self is other
        return all(_equal(a, b) for a, b in zip(self._settings(), other._settings(), strict=True))

    _compared = True
    __hash__ = object.__hash__

    def __call__(self, x: Tensor) -> Tensor:
        """The map of x."""
        if not self._cache_size:
            return self._call(x)
        if x is not self._cached_x_y[0]:
            self._cached_x_y = x, self._call(x)
        y: Tensor = self._cached_x_y[1]
        return y

    def _inv_call(self, y: Tensor) -> Tensor:
        if not self._cache_size:
            return self._inverse(y)
        if y is not self._cached_x_y[1]:
            self._cached_x_y = self._inverse(y), y
        x: Tensor = self._cached_x_y[0]
        return x

    def _call(self, x: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__}: _call is not written")

    def _inverse(self, y: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__}: has no inverse")

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """ln |dy/dx|, or of its determinant, for each event."""
        raise NotImplementedError(f"{type(self).__name__}: has no log_abs_det_jacobian")

    def forward_shape(self, shape: Shape) -> Size:
        """The shape of y for an x of this shape."""
        return Size(shape)

    def inverse_shape(self, shape: Shape) -> Size:
        """The shape of x for a y of this shape."""
        return Size(shape)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def _equal(a: Any, b: Any) -> bool:
    return bool(np.all(np.asarray(_plain(a) == _plain(b))))


def _plain(value: Any) -> Any:
    return value.detach().array if isinstance(value, Tensor) else value


def _needs(shape: Shape, dims: int) -> None:
    if len(shape) < dims:
        raise ValueError("Too few dimensions on input")


class InverseTransform(Transform):
    """The inverse of a transform; ``t.inv`` is one."""

    def __init__(self, transform: Transform) -> None:
        super().__init__(transform._cache_size)
        self._forward = transform

    @constraints.dependent_property(is_discrete=False)
    def domain(self) -> Any:
        """Where the other leads."""
        return self._forward.codomain

    @constraints.dependent_property(is_discrete=False)
    def codomain(self) -> Any:
        """Where the other begins."""
        return self._forward.domain

    @property
    def bijective(self) -> bool:
        """That of the other."""
        return bool(self._forward.bijective)

    @property
    def sign(self) -> Any:
        """That of the other."""
        return self._forward.sign

    @property
    def inv(self) -> Transform:
        """The transform."""
        return self._forward

    def with_cache(self, cache_size: int = 1) -> Any:
        """The inverse of the other with or without a cache."""
        return self._forward.with_cache(cache_size).inv

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InverseTransform) and self._forward == other._forward

    __hash__ = object.__hash__

    def __call__(self, x: Tensor) -> Tensor:
        return self._forward._inv_call(x)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """The negative of the other's."""
        return -self._forward.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape: Shape) -> Size:
        """The other's, turned."""
        return self._forward.inverse_shape(shape)

    def inverse_shape(self, shape: Shape) -> Size:
        """The other's, turned."""
        return self._forward.forward_shape(shape)

    def __repr__(self) -> str:
        return f"_InverseTransform({self._forward!r})"


class ComposeTransform(Transform):
    """One transform after the other.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> D = tg.distributions
    >>> D.ComposeTransform([D.AffineTransform(0.0, 2.0), D.ExpTransform()])(tg.tensor([0.0, 1.0]))
    tensor([1.0000, 7.3891])
    """

    def __init__(self, parts: Sequence[Transform], cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.parts = [part.with_cache(cache_size) for part in parts] if cache_size else list(parts)

    def _settings(self) -> tuple[Any, ...]:
        return (self.parts,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ComposeTransform) and self.parts == other.parts

    __hash__ = object.__hash__

    @constraints.dependent_property(is_discrete=False)
    def domain(self) -> Any:
        """That of the first, with as many dims in an event as the parts need together."""
        if not self.parts:
            return constraints.real
        dims = self.parts[-1].codomain.event_dim
        for part in reversed(self.parts):
            dims = max(dims + part.domain.event_dim - part.codomain.event_dim, part.domain.event_dim)
        return _widened(self.parts[0].domain, dims)

    @constraints.dependent_property(is_discrete=False)
    def codomain(self) -> Any:
        """That of the last, likewise."""
        if not self.parts:
            return constraints.real
        dims = self.parts[0].domain.event_dim
        for part in self.parts:
            dims = max(dims + part.codomain.event_dim - part.domain.event_dim, part.codomain.event_dim)
        return _widened(self.parts[-1].codomain, dims)

    @property
    def bijective(self) -> bool:
        """Whether all parts are."""
        return all(part.bijective for part in self.parts)

    @property
    def sign(self) -> Any:
        """The product of the parts'."""
        return math.prod(part.sign for part in self.parts)

    @property
    def inv(self) -> Transform:
        """The inverses, the last first."""
        if self._inv is None:
            self._inv = ComposeTransform([part.inv for part in reversed(self.parts)])
            self._inv._inv = self
        return self._inv

    def __call__(self, x: Tensor) -> Tensor:
        for part in self.parts:
            x = part(x)
        return x

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """The sum of the parts'."""
        if not self.parts:
            return constant(0, x)
        xs = [x]
        for part in self.parts[:-1]:
            xs.append(part(xs[-1]))
        dims, found = self.domain.event_dim, None
        for part, before, after in zip(self.parts, xs, [*xs[1:], y], strict=True):
            term = sum_rightmost(part.log_abs_det_jacobian(before, after), dims - part.domain.event_dim)
            found = term if found is None else found + term
            dims += part.codomain.event_dim - part.domain.event_dim
        assert found is not None
        return found

    def forward_shape(self, shape: Shape) -> Size:
        """Part by part."""
        for part in self.parts:
            shape = part.forward_shape(shape)
        return Size(shape)

    def inverse_shape(self, shape: Shape) -> Size:
        """Part by part, from the last."""
        for part in reversed(self.parts):
            shape = part.inverse_shape(shape)
        return Size(shape)

    def __repr__(self) -> str:
        inner = ",\n    ".join(map(repr, self.parts))
        return f"ComposeTransform(\n    {inner}\n)"


def _widened(constraint: Any, dims: int) -> Constraint:
    """With so many dims in an event."""
    more = dims - constraint.event_dim
    found: Constraint = constraints.independent(constraint, more) if more else constraint
    return found


identity_transform = ComposeTransform([])


class IndependentTransform(Transform):
    """A transform whose next `reinterpreted_batch_ndims` dims belong to the event, too.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> D = tg.distributions
    >>> transform, x = D.IndependentTransform(D.ExpTransform(), 1), tg.tensor([1.0, 2.0])
    >>> transform.log_abs_det_jacobian(x, transform(x))
    tensor(3.)
    """

    def __init__(self, base_transform: Transform, reinterpreted_batch_ndims: int, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.base_transform = base_transform.with_cache(cache_size)
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    _compared = False

    def _settings(self) -> tuple[Any, ...]:
        return self.base_transform, self.reinterpreted_batch_ndims

    @constraints.dependent_property(is_discrete=False)
    def domain(self) -> Any:
        """That of the base."""
        return constraints.independent(self.base_transform.domain, self.reinterpreted_batch_ndims)

    @constraints.dependent_property(is_discrete=False)
    def codomain(self) -> Any:
        """That of the base."""
        return constraints.independent(self.base_transform.codomain, self.reinterpreted_batch_ndims)

    @property
    def bijective(self) -> bool:
        """That of the base."""
        return bool(self.base_transform.bijective)

    @property
    def sign(self) -> Any:
        """That of the base."""
        return self.base_transform.sign

    def _call(self, x: Tensor) -> Tensor:
        _needs(x.shape, self.domain.event_dim)
        return self.base_transform(x)

    def _inverse(self, y: Tensor) -> Tensor:
        _needs(y.shape, self.codomain.event_dim)
        return self.base_transform.inv(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """The sum over these dims."""
        return sum_rightmost(self.base_transform.log_abs_det_jacobian(x, y), self.reinterpreted_batch_ndims)

    def forward_shape(self, shape: Shape) -> Size:
        """That of the base."""
        return self.base_transform.forward_shape(shape)

    def inverse_shape(self, shape: Shape) -> Size:
        """That of the base."""
        return self.base_transform.inverse_shape(shape)

    def __repr__(self) -> str:
        return f"IndependentTransform({self.base_transform!r}, {self.reinterpreted_batch_ndims})"


class ReshapeTransform(Transform):
    """Events of one shape in another.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.distributions.ReshapeTransform((4,), (2, 2))(tg.tensor([1.0, 2.0, 3.0, 4.0]))
    tensor([[1., 2.],
            [3., 4.]])
    """

    bijective = True
    _compared = False

    def __init__(self, in_shape: Shape, out_shape: Shape, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.in_shape, self.out_shape = Size(in_shape), Size(out_shape)
        if self.in_shape.numel() != self.out_shape.numel():
            raise ValueError("in_shape, out_shape have different numbers of elements")

    def _settings(self) -> tuple[Any, ...]:
        return self.in_shape, self.out_shape

    @constraints.dependent_property
    def domain(self) -> Any:
        """Arrays of in_shape."""
        return constraints.independent(constraints.real, len(self.in_shape))

    @constraints.dependent_property
    def codomain(self) -> Any:
        """Arrays of out_shape."""
        return constraints.independent(constraints.real, len(self.out_shape))

    def _call(self, x: Tensor) -> Tensor:
        return x.reshape(*x.shape[: x.ndim - len(self.in_shape)], *self.out_shape)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.reshape(*y.shape[: y.ndim - len(self.out_shape)], *self.in_shape)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """0."""
        return constant(0, x, x.shape[: x.ndim - len(self.in_shape)])

    def forward_shape(self, shape: Shape) -> Size:
        """out_shape in place of in_shape."""
        return _exchanged(shape, self.in_shape, self.out_shape)

    def inverse_shape(self, shape: Shape) -> Size:
        """in_shape in place of out_shape."""
        return _exchanged(shape, self.out_shape, self.in_shape)


def _exchanged(shape: Shape, old: Size, new: Size) -> Size:
    _needs(shape, len(old))
    cut = len(shape) - len(old)
    if tuple(shape[cut:]) != tuple(old):
        raise ValueError(f"Shape mismatch: expected {tuple(shape[cut:])} but got {tuple(old)}")
    return Size((*shape[:cut], *new))


# ---- element by element --------------------------------------------------------------------------------------


class ExpTransform(Transform):
    """y = exp x.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.distributions.ExpTransform()(tg.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """

    domain, codomain, bijective, sign = constraints.real, constraints.positive, True, 1

    def _call(self, x: Tensor) -> Tensor:
        return x.exp()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """x."""
        return x


class PowerTransform(Transform):
    """y = x to the power of `exponent`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.distributions.PowerTransform(2.0)(tg.tensor([1.0, 3.0]))
    tensor([1., 9.])
    """

    domain, codomain, bijective = constraints.positive, constraints.positive, True

    def __init__(self, exponent: Any, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        (self.exponent,) = broadcast_all(exponent)

    def _settings(self) -> tuple[Any, ...]:
        return (self.exponent,)

    @property
    def sign(self) -> Any:
        """That of the exponent."""
        return self.exponent.sign()

    def _call(self, x: Tensor) -> Tensor:
        return x**self.exponent

    def _inverse(self, y: Tensor) -> Tensor:
        return y ** (1 / self.exponent)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """ln |exponent · y / x|."""
        return (self.exponent * y / x).abs().log()

    def forward_shape(self, shape: Shape) -> Size:
        """Broadcast with the exponent."""
        return Size(np.broadcast_shapes(tuple(shape), self.exponent.shape))

    inverse_shape = forward_shape


def clipped_sigmoid(x: Tensor) -> Tensor:
    """Away from 0 and 1."""
    return x.sigmoid().clamp(float(limits(x).tiny), 1.0 - float(limits(x).eps))


class SigmoidTransform(Transform):
    """y = 1 / (1 + exp(-x)).

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.distributions.SigmoidTransform()(tg.tensor([0.0, 1.0]))
    tensor([0.5000, 0.7311])
    """

    domain, codomain, bijective, sign = constraints.real, constraints.unit_interval, True, 1

    def _call(self, x: Tensor) -> Tensor:
        return clipped_sigmoid(x)

    def _inverse(self, y: Tensor) -> Tensor:
        inner = y.clamp(float(limits(y).tiny), 1.0 - float(limits(y).eps))
        return inner.log() - (-inner).log1p()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """-softplus(-x) - softplus(x)."""
        return -ops.softplus(-x) - ops.softplus(x)


class SoftplusTransform(Transform):
    """y = ln(1 + exp x).

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.distributions.SoftplusTransform()(tg.tensor([0.0, 1.0]))
    tensor([0.6931, 1.3133])
    """

    domain, codomain, bijective, sign = constraints.real, constraints.positive, True, 1

    def _call(self, x: Tensor) -> Tensor:
        return ops.softplus(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return (-(-y).expm1()).log() + y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """-softplus(-x)."""
        return -ops.softplus(-x)


class TanhTransform(Transform):
    """y = tanh x.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.distributions.TanhTransform()(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """

    domain, codomain, bijective, sign = constraints.real, constraints.interval(-1.0, 1.0), True, 1

    def _call(self, x: Tensor) -> Tensor:
        return x.tanh()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """2 (ln 2 - x - softplus(-2x)), which keeps its digits where 1 - tanh² has none."""
        return 2.0 * (math.log(2.0) - x - ops.softplus(-2.0 * x))


class AbsTransform(Transform):
    """y = |x|: not invertible; of the two x the positive one is given.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.distributions.AbsTransform()(tg.tensor([-1.0, 2.0]))
    tensor([1., 2.])
    """

    domain, codomain = constraints.real, constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return x.abs()

    def _inverse(self, y: Tensor) -> Tensor:
        return y


class AffineTransform(Transform):
    """y = loc + scale · x.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> transform = tg.distributions.AffineTransform(1.0, 2.0)
    >>> transform(tg.tensor([0.0, 1.0]))
    tensor([1., 3.])
    >>> transform.inv(tg.tensor([1.0, 3.0]))
    tensor([0., 1.])
    """

    bijective = True

    def __init__(self, loc: Any, scale: Any, event_dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.loc, self.scale, self._event_dim = loc, scale, event_dim

    def _settings(self) -> tuple[Any, ...]:
        return self.loc, self.scale, self._event_dim

    @property
    def event_dim(self) -> int:
        """As given."""
        return self._event_dim

    @constraints.dependent_property(is_discrete=False)
    def domain(self) -> Any:
        """Any numbers."""
        return constraints.independent(constraints.real, self._event_dim) if self._event_dim else constraints.real

    @constraints.dependent_property(is_discrete=False)
    def codomain(self) -> Any:
        """Any numbers."""
        return constraints.independent(constraints.real, self._event_dim) if self._event_dim else constraints.real

    @property
    def sign(self) -> Any:
        """That of the scale."""
        return self.scale.sign() if isinstance(self.scale, Tensor) else int(np.sign(self.scale))

    def _call(self, x: Tensor) -> Tensor:
        found: Tensor = self.loc + self.scale * x
        return found

    def _inverse(self, y: Tensor) -> Tensor:
        found: Tensor = (y - self.loc) / self.scale
        return found

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Ln |scale|, summed over the event."""
        scale = self.scale
        found = scale.abs().log() if isinstance(scale, Tensor) else constant(math.log(abs(scale)), x)
        if self._event_dim:
            found = found.reshape(*found.shape[: found.ndim - self._event_dim], -1).sum(-1)
        return found.expand(*x.shape[: x.ndim - self._event_dim])

    def forward_shape(self, shape: Shape) -> Size:
        """Broadcast with loc and scale."""
        return Size(np.broadcast_shapes(tuple(shape), np.shape(_plain(self.loc)), np.shape(_plain(self.scale))))

    inverse_shape = forward_shape


# ---- vectors and matrices ------------------------------------------------------------------------------------


def strictly_lower(n: int, diagonal: int = -1) -> tuple[Any, Any]:
    """Rows and columns of the elements on and below a diagonal."""
    rows, columns = np.tril_indices(n, diagonal)
    return rows, columns


def shifted(x: Tensor, dim: int = -1) -> Tensor:
    """1 in front, the last left out."""
    return ops.cat([constant(1, x[..., :1]), x[..., :-1]], dim)


class CorrCholeskyTransform(Transform):
    """Vectors of D (D - 1) / 2 numbers to Cholesky factors of D x D correlation matrices, by partial correlations.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.distributions.CorrCholeskyTransform()(tg.tensor([0.0]))
    tensor([[1., 0.],
            [0., 1.]])
    """

    domain, codomain, bijective = constraints.real_vector, constraints.corr_cholesky, True
    _compared = False

    def _call(self, x: Tensor) -> Tensor:
        eps = float(limits(x).eps)
        n = self.forward_shape(x.shape)[-1]
        rows, columns = strictly_lower(n)
        places = np.zeros((x.shape[-1], n * n), x.array.dtype)
        places[np.arange(len(rows)), rows * n + columns] = 1
        partial = x.tanh().clamp(-1 + eps, 1 - eps)
        r = (partial @ Tensor.wrap(places)).reshape(*x.shape[:-1], n, n)
        left = (1 - r * r).sqrt().cumprod(-1)
        return (r + Tensor.wrap(np.eye(n, dtype=x.array.dtype))) * shifted(left)

    def _inverse(self, y: Tensor) -> Tensor:
        rows, columns = strictly_lower(y.shape[-1])
        left = shifted(1 - (y * y).cumsum(-1))
        t = y[..., rows, columns] / left[..., rows, columns].sqrt()
        return (t.log1p() - (-t).log1p()) / 2

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor, intermediates: Any = None) -> Tensor:
        """That of x to the lower triangle of y."""
        rows, columns = strictly_lower(y.shape[-1], -2)
        left = (1 - (y * y).cumsum(-1))[..., rows, columns]
        slopes = -2 * (x + ops.softplus(-2 * x) - math.log(2.0)).sum(-1)
        return 0.5 * left.log().sum(-1) + slopes

    def forward_shape(self, shape: Shape) -> Size:
        """(…, D (D - 1) / 2) to (…, D, D)."""
        _needs(shape, 1)
        n = round((0.25 + 2 * shape[-1]) ** 0.5 + 0.5)
        if n * (n - 1) // 2 != shape[-1]:
            raise ValueError("Input is not a flattened lower-diagonal number")
        return Size((*shape[:-1], n, n))

    def inverse_shape(self, shape: Shape) -> Size:
        """(…, D, D) to (…, D (D - 1) / 2)."""
        _needs(shape, 2)
        if shape[-2] != shape[-1]:
            raise ValueError("Input is not square")
        return Size((*shape[:-2], shape[-1] * (shape[-1] - 1) // 2))


class SoftmaxTransform(Transform):
    """y = softmax x; not invertible, since y does not tell the sum of x.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.distributions.SoftmaxTransform()(tg.tensor([0.0, 0.0]))
    tensor([0.5000, 0.5000])
    """

    domain, codomain = constraints.real_vector, constraints.simplex

    def _call(self, x: Tensor) -> Tensor:
        return x.softmax(-1)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def forward_shape(self, shape: Shape) -> Size:
        """The same, of one dim at least."""
        _needs(shape, 1)
        return Size(shape)

    inverse_shape = forward_shape


class StickBreakingTransform(Transform):
    """Vectors of K - 1 numbers to K probabilities: each a part of what those before it leave.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.distributions.StickBreakingTransform()(tg.tensor([0.0, 0.0]))
    tensor([0.3333, 0.3333, 0.3333])
    """

    domain, codomain, bijective = constraints.real_vector, constraints.simplex, True

    @staticmethod
    def _offset(count: int, like: Tensor) -> Tensor:
        """ln of K - 1, K - 2, …, 1."""
        return Tensor.wrap(np.log(np.arange(count, 0, -1)).astype(like.array.dtype))

    def _call(self, x: Tensor) -> Tensor:
        z = clipped_sigmoid(x - self._offset(x.shape[-1], x))
        one = constant(1, z[..., :1])
        return ops.cat([z, one], -1) * ops.cat([one, (1 - z).cumprod(-1)], -1)

    def _inverse(self, y: Tensor) -> Tensor:
        parts = y[..., :-1]
        left = (1 - parts.cumsum(-1)).clamp(min=float(limits(y).tiny))
        return parts.log() - left.log() + self._offset(parts.shape[-1], y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Σ ln y - z + ln sigmoid z with z = x less the offset."""
        z = x - self._offset(x.shape[-1], x)
        return (-z + log_sigmoid(z) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Shape) -> Size:
        """One more in the last dim."""
        _needs(shape, 1)
        return Size((*shape[:-1], shape[-1] + 1))

    def inverse_shape(self, shape: Shape) -> Size:
        """One less in the last dim."""
        _needs(shape, 1)
        return Size((*shape[:-1], shape[-1] - 1))


class LowerCholeskyTransform(Transform):
    """The lower triangle of a matrix, the exponential of its diagonal.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.distributions.LowerCholeskyTransform()(tg.tensor([[0.0, 5.0], [2.0, 0.0]]))
    tensor([[1., 0.],
            [2., 1.]])
    """

    domain, codomain = constraints.independent(constraints.real, 2), constraints.lower_cholesky

    def _call(self, x: Tensor) -> Tensor:
        return x.tril(-1) + ops.diag_embed(x.diagonal(dim1=-2, dim2=-1).exp())

    def _inverse(self, y: Tensor) -> Tensor:
        return y.tril(-1) + ops.diag_embed(y.diagonal(dim1=-2, dim2=-1).log())


class PositiveDefiniteTransform(Transform):
    """L Lᵀ, with L what `LowerCholeskyTransform` makes.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.distributions.PositiveDefiniteTransform()(tg.tensor([[0.0, 5.0], [2.0, 0.0]]))
    tensor([[1., 2.],
            [2., 5.]])
    """

    domain, codomain = constraints.independent(constraints.real, 2), constraints.positive_definite

    def _call(self, x: Tensor) -> Tensor:
        factor = LowerCholeskyTransform()(x)
        return factor @ factor.mT

    def _inverse(self, y: Tensor) -> Tensor:
        return LowerCholeskyTransform().inv(cholesky(y))


# ---- several -------------------------------------------------------------------------------------------------


class CatTransform(Transform):
    """Transforms of pieces along a dim, each so many long.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> D = tg.distributions
    >>> D.CatTransform([D.ExpTransform(), D.AffineTransform(0.0, 2.0)], lengths=[1, 2])(tg.tensor([0.0, 1.0, 2.0]))
    tensor([1., 2., 4.])
    """

    _compared = False

    def __init__(
        self, tseq: Sequence[Transform], dim: int = 0, lengths: Sequence[int] | None = None, cache_size: int = 0
    ) -> None:
        _check_transforms("CatTransform", tseq)
        super().__init__(cache_size)
        self.transforms = [t.with_cache(cache_size) for t in tseq] if cache_size else list(tseq)
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.transforms):
            raise AssertionError(f"lengths ({len(self.lengths)}) must match transforms ({len(self.transforms)})")
        self.dim = dim

    def _settings(self) -> tuple[Any, ...]:
        return self.transforms, self.dim, self.lengths

    @property
    def event_dim(self) -> int:
        """The most of them."""
        return max(t.event_dim for t in self.transforms)

    @property
    def length(self) -> int:
        """Of all pieces together."""
        return sum(self.lengths)

    @property
    def bijective(self) -> bool:
        """Whether all are."""
        return all(t.bijective for t in self.transforms)

    @constraints.dependent_property
    def domain(self) -> Any:
        """Theirs, piece by piece."""
        return constraints.cat([t.domain for t in self.transforms], self.dim, self.lengths)

    @constraints.dependent_property
    def codomain(self) -> Any:
        """Theirs, piece by piece."""
        return constraints.cat([t.codomain for t in self.transforms], self.dim, self.lengths)

    def _pieces(self, x: Tensor) -> list[Tensor]:
        _check_dim(x, self.dim, self.length)
        starts = np.cumsum([0, *self.lengths[:-1]]).tolist()
        return [x.narrow(self.dim, start, n) for start, n in zip(starts, self.lengths, strict=True)]

    def _call(self, x: Tensor) -> Tensor:
        return ops.cat([t(piece) for t, piece in zip(self.transforms, self._pieces(x), strict=True)], self.dim)

    def _inverse(self, y: Tensor) -> Tensor:
        return ops.cat([t.inv(piece) for t, piece in zip(self.transforms, self._pieces(y), strict=True)], self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Theirs side by side, or their sum if the dim lies within the event."""
        found = []
        for t, a, b in zip(self.transforms, self._pieces(x), self._pieces(y), strict=True):
            found.append(sum_rightmost(t.log_abs_det_jacobian(a, b), self.event_dim - t.event_dim))
        dim = (self.dim - x.ndim if self.dim >= 0 else self.dim) + self.event_dim
        return ops.cat(found, dim) if dim < 0 else sum(found[1:], found[0])


class StackTransform(Transform):
    """Transforms of slices along a dim.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> D = tg.distributions
    >>> D.StackTransform([D.ExpTransform(), D.AffineTransform(0.0, 2.0)])(tg.tensor([0.0, 1.0]))
    tensor([1., 2.])
    """

    _compared = False

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, cache_size: int = 0) -> None:
        _check_transforms("StackTransform", tseq)
        super().__init__(cache_size)
        self.transforms = [t.with_cache(cache_size) for t in tseq] if cache_size else list(tseq)
        self.dim = dim

    def _settings(self) -> tuple[Any, ...]:
        return self.transforms, self.dim

    @property
    def bijective(self) -> bool:
        """Whether all are."""
        return all(t.bijective for t in self.transforms)

    @constraints.dependent_property
    def domain(self) -> Any:
        """Theirs, slice by slice."""
        return constraints.stack([t.domain for t in self.transforms], self.dim)

    @constraints.dependent_property
    def codomain(self) -> Any:
        """Theirs, slice by slice."""
        return constraints.stack([t.codomain for t in self.transforms], self.dim)

    def _slices(self, x: Tensor) -> list[Tensor]:
        _check_dim(x, self.dim, len(self.transforms))
        return [x.select(self.dim, k) for k in range(len(self.transforms))]

    def _call(self, x: Tensor) -> Tensor:
        return ops.stack([t(part) for t, part in zip(self.transforms, self._slices(x), strict=True)], self.dim)

    def _inverse(self, y: Tensor) -> Tensor:
        return ops.stack([t.inv(part) for t, part in zip(self.transforms, self._slices(y), strict=True)], self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Theirs, slice by slice."""
        pairs = zip(self.transforms, self._slices(x), self._slices(y), strict=True)
        return ops.stack([t.log_abs_det_jacobian(a, b) for t, a, b in pairs], self.dim)


def _check_transforms(name: str, tseq: Sequence[Any]) -> None:
    if not all(isinstance(t, Transform) for t in tseq):
        raise AssertionError(f"{name}: all elements of tseq must be Transform instances")


def _check_dim(x: Tensor, dim: int, length: int) -> None:
    if not -x.ndim <= dim < x.ndim:
        raise AssertionError(f"dim {dim} out of range for tensor with {x.ndim} dimensions")
    if x.shape[dim] != length:
        raise AssertionError(f"x.size({dim}) = {x.shape[dim]} must equal length {length}")


class CumulativeDistributionTransform(Transform):
    """y = the distribution function at x.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> D = tg.distributions
    >>> D.CumulativeDistributionTransform(D.Normal(0.0, 1.0))(tg.tensor([0.0, 1.0]))
    tensor([0.5000, 0.8413])
    """

    codomain, bijective, sign = constraints.unit_interval, True, 1
    _compared = False

    def __init__(self, distribution: Distribution, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.distribution = distribution

    def _settings(self) -> tuple[Any, ...]:
        return (self.distribution,)

    @property
    def domain(self) -> Any:
        """The distribution's support."""
        return self.distribution.support

    def _call(self, x: Tensor) -> Tensor:
        return self.distribution.cdf(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return self.distribution.icdf(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """The density's logarithm."""
        return self.distribution.log_prob(x)
