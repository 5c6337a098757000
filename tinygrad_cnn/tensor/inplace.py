"""Methods of `Tensor` that write into it: each is `Tensor.become` of the function whose name it has."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.indexing import SetItem
from tinygrad_cnn.core.mode import mode
from tinygrad_cnn.core.tensor import Tensor
from tinygrad_cnn.core.types import ArrayLike, Axis, NDArray
from tinygrad_cnn.ops.diagonals import diagonal_places
from tinygrad_cnn.ops.scatter import put
from tinygrad_cnn.tensor.facts import FactMethods
from tinygrad_cnn.torch_names.conversion import check_memory_format


class InPlaceMethods(FactMethods):
    """In place."""

    __slots__ = ()

    def copy_(self, src: ArrayLike, non_blocking: bool = False) -> Self:
        """Take the values of `src`, broadcast, in this tensor's dtype."""
        given = src.astype(self.array_dtype) if isinstance(src, Tensor) else src
        return self.become("copy_", lambda x: SetItem.apply(x, given, index=...), given)

    def fill_(self, value: ArrayLike) -> Self:
        """Make every element this value."""
        return self.become("fill_", lambda x: SetItem.apply(x, value, index=...), value)

    def zero_(self) -> Self:
        """Make every element 0."""
        return self.fill_(0)

    def resize_(self, *sizes: Any, memory_format: Any = None) -> Self:
        """Take another shape: the first elements are kept, further ones are 0 (in PyTorch they are anything)."""
        check_memory_format("resize_", memory_format)
        return self._resized(tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], Sequence) else sizes)

    def put_(self, index: ArrayLike, source: ArrayLike, accumulate: bool = False) -> Self:
        """In place: elements of the flattened tensor replaced, or added to, by their numbers."""
        return self.become("put_", lambda x: put(x, index, source, accumulate), source)

    def fill_diagonal_(self, fill_value: float, wrap: bool = False) -> Self:
        """Make every element of the main diagonal this value; with `wrap`, of a tall matrix again and again."""
        places = diagonal_places(self.array_shape, wrap)
        return self.become("fill_diagonal_", lambda x: ops.setitem(x, places, fill_value))

    def add_(self, other: ArrayLike, *, alpha: float = 1) -> Self:
        """In place: see `add`."""
        return self.become("add_", lambda x: ops.add(x, other, alpha=alpha), other)

    def sub_(self, other: ArrayLike, *, alpha: float = 1) -> Self:
        """In place: see `sub`."""
        return self.become("sub_", lambda x: ops.sub(x, other, alpha=alpha), other)

    def mul_(self, other: ArrayLike) -> Self:
        """In place: see `mul`."""
        return self.become("mul_", lambda x: ops.mul(x, other), other)

    def neg_(self) -> Self:
        """In place: see `neg`."""
        return self.become("neg_", lambda x: ops.neg(x))

    def exp_(self) -> Self:
        """In place: see `exp`."""
        return self.become("exp_", lambda x: ops.exp(x))

    def expm1_(self) -> Self:
        """In place: see `expm1`."""
        return self.become("expm1_", lambda x: ops.expm1(x))

    def log_(self) -> Self:
        """In place: see `log`."""
        return self.become("log_", lambda x: ops.log(x))

    def log1p_(self) -> Self:
        """In place: see `log1p`."""
        return self.become("log1p_", lambda x: ops.log1p(x))

    def sqrt_(self) -> Self:
        """In place: see `sqrt`."""
        return self.become("sqrt_", lambda x: ops.sqrt(x))

    def rsqrt_(self) -> Self:
        """In place: see `rsqrt`."""
        return self.become("rsqrt_", lambda x: ops.rsqrt(x))

    def sin_(self) -> Self:
        """In place: see `sin`."""
        return self.become("sin_", lambda x: ops.sin(x))

    def cos_(self) -> Self:
        """In place: see `cos`."""
        return self.become("cos_", lambda x: ops.cos(x))

    def tan_(self) -> Self:
        """In place: see `tan`."""
        return self.become("tan_", lambda x: ops.tan(x))

    def sinh_(self) -> Self:
        """In place: see `sinh`."""
        return self.become("sinh_", lambda x: ops.sinh(x))

    def cosh_(self) -> Self:
        """In place: see `cosh`."""
        return self.become("cosh_", lambda x: ops.cosh(x))

    def tanh_(self) -> Self:
        """In place: see `tanh`."""
        return self.become("tanh_", lambda x: ops.tanh(x))

    def arcsin_(self) -> Self:
        """In place: see `arcsin`."""
        return self.become("arcsin_", lambda x: ops.arcsin(x))

    def arccos_(self) -> Self:
        """In place: see `arccos`."""
        return self.become("arccos_", lambda x: ops.arccos(x))

    def arctan_(self) -> Self:
        """In place: see `arctan`."""
        return self.become("arctan_", lambda x: ops.arctan(x))

    def asin_(self) -> Self:
        """In place: see `asin`."""
        return self.become("asin_", lambda x: ops.asin(x))

    def acos_(self) -> Self:
        """In place: see `acos`."""
        return self.become("acos_", lambda x: ops.acos(x))

    def atan_(self) -> Self:
        """In place: see `atan`."""
        return self.become("atan_", lambda x: ops.atan(x))

    def negative_(self) -> Self:
        """In place: see `negative`."""
        return self.become("negative_", lambda x: ops.negative(x))

    def subtract_(self, other: ArrayLike, *, alpha: float = 1) -> Self:
        """In place: see `subtract`."""
        return self.become("subtract_", lambda x: ops.subtract(x, other, alpha=alpha), other)

    def multiply_(self, other: ArrayLike) -> Self:
        """In place: see `multiply`."""
        return self.become("multiply_", lambda x: ops.multiply(x, other), other)

    def sigmoid_(self) -> Self:
        """In place: see `sigmoid`."""
        return self.become("sigmoid_", lambda x: ops.sigmoid(x))

    def erf_(self) -> Self:
        """In place: see `erf`."""
        return self.become("erf_", lambda x: ops.erf(x))

    def pow_(self, exponent: ArrayLike) -> Self:
        """In place: see `pow`."""
        return self.become("pow_", lambda x: ops.pow(x, exponent), exponent)

    def square_(self) -> Self:
        """In place: see `square`."""
        return self.become("square_", lambda x: ops.square(x))

    def reciprocal_(self) -> Self:
        """In place: see `reciprocal`."""
        return self.become("reciprocal_", lambda x: ops.reciprocal(x))

    def floor_(self) -> Self:
        """In place: see `floor`."""
        return self.become("floor_", lambda x: ops.floor(x))

    def ceil_(self) -> Self:
        """In place: see `ceil`."""
        return self.become("ceil_", lambda x: ops.ceil(x))

    def trunc_(self) -> Self:
        """In place: see `trunc`."""
        return self.become("trunc_", lambda x: ops.trunc(x))

    def fix_(self) -> Self:
        """In place: see `fix`."""
        return self.become("fix_", lambda x: ops.fix(x))

    def round_(self, *, decimals: int = 0) -> Self:
        """In place: see `round`."""
        return self.become("round_", lambda x: ops.round(x, decimals=decimals))

    def frac_(self) -> Self:
        """In place: see `frac`."""
        return self.become("frac_", lambda x: ops.frac(x))

    def fmod_(self, other: ArrayLike) -> Self:
        """In place: see `fmod`."""
        return self.become("fmod_", lambda x: ops.fmod(x, other), other)

    def div_(self, other: ArrayLike, *, rounding_mode: str | None = None) -> Self:
        """In place: see `div`."""
        return self.become("div_", lambda x: ops.div(x, other, rounding_mode=rounding_mode), other)

    def divide_(self, other: ArrayLike, *, rounding_mode: str | None = None) -> Self:
        """In place: see `divide`."""
        return self.become("divide_", lambda x: ops.divide(x, other, rounding_mode=rounding_mode), other)

    def true_divide_(self, other: ArrayLike) -> Self:
        """In place: see `true_divide`."""
        return self.become("true_divide_", lambda x: ops.true_divide(x, other), other)

    def log2_(self) -> Self:
        """In place: see `log2`."""
        return self.become("log2_", lambda x: ops.log2(x))

    def log10_(self) -> Self:
        """In place: see `log10`."""
        return self.become("log10_", lambda x: ops.log10(x))

    def exp2_(self) -> Self:
        """In place: see `exp2`."""
        return self.become("exp2_", lambda x: ops.exp2(x))

    def xlogy_(self, other: ArrayLike) -> Self:
        """In place: see `xlogy`."""
        return self.become("xlogy_", lambda x: ops.xlogy(x, other), other)

    def logit_(self, eps: float | None = None) -> Self:
        """In place: see `logit`."""
        return self.become("logit_", lambda x: ops.logit(x, eps))

    def arcsinh_(self) -> Self:
        """In place: see `arcsinh`."""
        return self.become("arcsinh_", lambda x: ops.arcsinh(x))

    def arccosh_(self) -> Self:
        """In place: see `arccosh`."""
        return self.become("arccosh_", lambda x: ops.arccosh(x))

    def arctanh_(self) -> Self:
        """In place: see `arctanh`."""
        return self.become("arctanh_", lambda x: ops.arctanh(x))

    def asinh_(self) -> Self:
        """In place: see `asinh`."""
        return self.become("asinh_", lambda x: ops.asinh(x))

    def acosh_(self) -> Self:
        """In place: see `acosh`."""
        return self.become("acosh_", lambda x: ops.acosh(x))

    def atanh_(self) -> Self:
        """In place: see `atanh`."""
        return self.become("atanh_", lambda x: ops.atanh(x))

    def arctan2_(self, other: ArrayLike) -> Self:
        """In place: see `arctan2`."""
        return self.become("arctan2_", lambda x: ops.arctan2(x, other), other)

    def atan2_(self, other: ArrayLike) -> Self:
        """In place: see `atan2`."""
        return self.become("atan2_", lambda x: ops.atan2(x, other), other)

    def hypot_(self, other: ArrayLike) -> Self:
        """In place: see `hypot`."""
        return self.become("hypot_", lambda x: ops.hypot(x, other), other)

    def sinc_(self) -> Self:
        """In place: see `sinc`."""
        return self.become("sinc_", lambda x: ops.sinc(x))

    def deg2rad_(self) -> Self:
        """In place: see `deg2rad`."""
        return self.become("deg2rad_", lambda x: ops.deg2rad(x))

    def rad2deg_(self) -> Self:
        """In place: see `rad2deg`."""
        return self.become("rad2deg_", lambda x: ops.rad2deg(x))

    def lerp_(self, end: ArrayLike, weight: ArrayLike) -> Self:
        """In place: see `lerp`."""
        return self.become("lerp_", lambda x: ops.lerp(x, end, weight), end, weight)

    def addcmul_(self, tensor1: ArrayLike, tensor2: ArrayLike, *, value: float = 1) -> Self:
        """In place: see `addcmul`."""
        return self.become("addcmul_", lambda x: ops.addcmul(x, tensor1, tensor2, value=value), tensor1, tensor2)

    def addcdiv_(self, tensor1: ArrayLike, tensor2: ArrayLike, *, value: float = 1) -> Self:
        """In place: see `addcdiv`."""
        return self.become("addcdiv_", lambda x: ops.addcdiv(x, tensor1, tensor2, value=value), tensor1, tensor2)

    def copysign_(self, other: ArrayLike) -> Self:
        """In place: see `copysign`."""
        return self.become("copysign_", lambda x: ops.copysign(x, other), other)

    def sgn_(self) -> Self:
        """In place: see `sgn`."""
        return self.become("sgn_", lambda x: ops.sgn(x))

    def nan_to_num_(self, nan: float | None = None, posinf: float | None = None, neginf: float | None = None) -> Self:
        """In place: see `nan_to_num`."""
        return self.become("nan_to_num_", lambda x: ops.nan_to_num(x, nan, posinf, neginf))

    def eq_(self, other: ArrayLike) -> Self:
        """In place: see `eq`."""
        return self.become("eq_", lambda x: ops.eq(x, other), other)

    def ne_(self, other: ArrayLike) -> Self:
        """In place: see `ne`."""
        return self.become("ne_", lambda x: ops.ne(x, other), other)

    def lt_(self, other: ArrayLike) -> Self:
        """In place: see `lt`."""
        return self.become("lt_", lambda x: ops.lt(x, other), other)

    def le_(self, other: ArrayLike) -> Self:
        """In place: see `le`."""
        return self.become("le_", lambda x: ops.le(x, other), other)

    def gt_(self, other: ArrayLike) -> Self:
        """In place: see `gt`."""
        return self.become("gt_", lambda x: ops.gt(x, other), other)

    def ge_(self, other: ArrayLike) -> Self:
        """In place: see `ge`."""
        return self.become("ge_", lambda x: ops.ge(x, other), other)

    def less_(self, other: ArrayLike) -> Self:
        """In place: see `less`."""
        return self.become("less_", lambda x: ops.less(x, other), other)

    def less_equal_(self, other: ArrayLike) -> Self:
        """In place: see `less_equal`."""
        return self.become("less_equal_", lambda x: ops.less_equal(x, other), other)

    def greater_(self, other: ArrayLike) -> Self:
        """In place: see `greater`."""
        return self.become("greater_", lambda x: ops.greater(x, other), other)

    def greater_equal_(self, other: ArrayLike) -> Self:
        """In place: see `greater_equal`."""
        return self.become("greater_equal_", lambda x: ops.greater_equal(x, other), other)

    def not_equal_(self, other: ArrayLike) -> Self:
        """In place: see `not_equal`."""
        return self.become("not_equal_", lambda x: ops.not_equal(x, other), other)

    def logical_and_(self, other: ArrayLike) -> Self:
        """In place: see `logical_and`."""
        return self.become("logical_and_", lambda x: ops.logical_and(x, other), other)

    def logical_or_(self, other: ArrayLike) -> Self:
        """In place: see `logical_or`."""
        return self.become("logical_or_", lambda x: ops.logical_or(x, other), other)

    def logical_xor_(self, other: ArrayLike) -> Self:
        """In place: see `logical_xor`."""
        return self.become("logical_xor_", lambda x: ops.logical_xor(x, other), other)

    def logical_not_(self) -> Self:
        """In place: see `logical_not`."""
        return self.become("logical_not_", lambda x: ops.logical_not(x))

    def bitwise_and_(self, other: ArrayLike) -> Self:
        """In place: see `bitwise_and`."""
        return self.become("bitwise_and_", lambda x: ops.bitwise_and(x, other), other)

    def bitwise_or_(self, other: ArrayLike) -> Self:
        """In place: see `bitwise_or`."""
        return self.become("bitwise_or_", lambda x: ops.bitwise_or(x, other), other)

    def bitwise_xor_(self, other: ArrayLike) -> Self:
        """In place: see `bitwise_xor`."""
        return self.become("bitwise_xor_", lambda x: ops.bitwise_xor(x, other), other)

    def bitwise_not_(self) -> Self:
        """In place: see `bitwise_not`."""
        return self.become("bitwise_not_", lambda x: ops.bitwise_not(x))

    def bitwise_left_shift_(self, other: ArrayLike) -> Self:
        """In place: see `bitwise_left_shift`."""
        return self.become("bitwise_left_shift_", lambda x: ops.bitwise_left_shift(x, other), other)

    def bitwise_right_shift_(self, other: ArrayLike) -> Self:
        """In place: see `bitwise_right_shift`."""
        return self.become("bitwise_right_shift_", lambda x: ops.bitwise_right_shift(x, other), other)

    def gcd_(self, other: ArrayLike) -> Self:
        """In place: see `gcd`."""
        return self.become("gcd_", lambda x: ops.gcd(x, other), other)

    def lcm_(self, other: ArrayLike) -> Self:
        """In place: see `lcm`."""
        return self.become("lcm_", lambda x: ops.lcm(x, other), other)

    def heaviside_(self, values: ArrayLike) -> Self:
        """In place: see `heaviside`."""
        return self.become("heaviside_", lambda x: ops.heaviside(x, values), values)

    def floor_divide_(self, other: ArrayLike) -> Self:
        """In place: see `floor_divide`."""
        return self.become("floor_divide_", lambda x: ops.floor_divide(x, other), other)

    def abs_(self) -> Self:
        """In place: see `abs`."""
        return self.become("abs_", lambda x: ops.abs(x))

    def absolute_(self) -> Self:
        """In place: see `absolute`."""
        return self.become("absolute_", lambda x: ops.absolute(x))

    def sign_(self) -> Self:
        """In place: see `sign`."""
        return self.become("sign_", lambda x: ops.sign(x))

    def remainder_(self, other: ArrayLike) -> Self:
        """In place: see `remainder`."""
        return self.become("remainder_", lambda x: ops.remainder(x, other), other)

    def relu_(self) -> Self:
        """In place: see `relu`."""
        return self.become("relu_", lambda x: ops.relu(x))

    def clamp_(self, min: Any = None, max: Any = None) -> Self:
        """In place: see `clamp`."""
        return self.become("clamp_", lambda x: ops.clamp(x, min, max), min, max)

    def clip_(self, min: Any = None, max: Any = None) -> Self:
        """In place: see `clip`."""
        return self.become("clip_", lambda x: ops.clip(x, min, max), min, max)

    def clamp_min_(self, min: Any) -> Self:
        """In place: see `clamp_min`."""
        return self.become("clamp_min_", lambda x: ops.clamp_min(x, min), min)

    def clamp_max_(self, max: Any) -> Self:
        """In place: see `clamp_max`."""
        return self.become("clamp_max_", lambda x: ops.clamp_max(x, max), max)

    def masked_fill_(self, mask: ArrayLike, value: float | ArrayLike) -> Self:
        """In place: see `masked_fill`."""
        return self.become("masked_fill_", lambda x: ops.masked_fill(x, mask, value), mask, value)

    def cumsum_(self, dim: int, *, dtype: Any = None) -> Self:
        """In place: see `cumsum`."""
        return self.become("cumsum_", lambda x: ops.cumsum(x, dim, dtype=dtype))

    def cumprod_(self, dim: int, *, dtype: Any = None) -> Self:
        """In place: see `cumprod`."""
        return self.become("cumprod_", lambda x: ops.cumprod(x, dim, dtype=dtype))

    def transpose_(self, dim0: int, dim1: int) -> Self:
        """In place: see `transpose`."""
        return self._turn("transpose_", lambda x: ops.transpose(x, dim0, dim1))

    def t_(self) -> Self:
        """In place: see `t`."""
        return self._turn("t_", lambda x: ops.t(x))

    def swapaxes_(self, dim0: int, dim1: int) -> Self:
        """In place: see `swapaxes`."""
        return self._turn("swapaxes_", lambda x: ops.swapaxes(x, dim0, dim1))

    def swapdims_(self, dim0: int, dim1: int) -> Self:
        """In place: see `swapdims`."""
        return self._turn("swapdims_", lambda x: ops.swapdims(x, dim0, dim1))

    def squeeze_(self, dim: Axis = None) -> Self:
        """In place: see `squeeze`."""
        return self._turn("squeeze_", lambda x: ops.squeeze(x, dim))

    def unsqueeze_(self, dim: int) -> Self:
        """In place: see `unsqueeze`."""
        return self._turn("unsqueeze_", lambda x: ops.unsqueeze(x, dim))

    def tril_(self, diagonal: int = 0) -> Self:
        """In place: see `tril`."""
        return self.become("tril_", lambda x: ops.tril(x, diagonal))

    def triu_(self, diagonal: int = 0) -> Self:
        """In place: see `triu`."""
        return self.become("triu_", lambda x: ops.triu(x, diagonal))

    def scatter_add_(self, dim: int, index: ArrayLike, src: ArrayLike) -> Self:
        """In place: see `scatter_add`."""
        return self.become("scatter_add_", lambda x: ops.scatter_add(x, dim, index, src), index, src)

    def scatter_(
        self, dim: int, index: ArrayLike, src: Any = None, *, value: Any = None, reduce: str | None = None
    ) -> Self:
        """In place: see `scatter`."""
        return self.become(
            "scatter_", lambda x: ops.scatter(x, dim, index, src, value=value, reduce=reduce), index, src
        )

    def scatter_reduce_(
        self, dim: int, index: ArrayLike, src: ArrayLike, reduce: str, *, include_self: bool = True
    ) -> Self:
        """In place: see `scatter_reduce`."""
        return self.become(
            "scatter_reduce_",
            lambda x: ops.scatter_reduce(x, dim, index, src, reduce, include_self=include_self),
            index,
            src,
        )

    def index_add_(self, dim: int, index: ArrayLike, source: ArrayLike, *, alpha: float = 1) -> Self:
        """In place: see `index_add`."""
        return self.become("index_add_", lambda x: ops.index_add(x, dim, index, source, alpha=alpha), index, source)

    def index_copy_(self, dim: int, index: ArrayLike, source: ArrayLike) -> Self:
        """In place: see `index_copy`."""
        return self.become("index_copy_", lambda x: ops.index_copy(x, dim, index, source), index, source)

    def index_fill_(self, dim: int, index: ArrayLike, value: Any) -> Self:
        """In place: see `index_fill`."""
        return self.become("index_fill_", lambda x: ops.index_fill(x, dim, index, value), index, value)

    def index_put_(self, indices: Sequence[Any], values: ArrayLike, accumulate: bool = False) -> Self:
        """In place: see `index_put`."""
        return self.become("index_put_", lambda x: ops.index_put(x, indices, values, accumulate), indices, values)

    def masked_scatter_(self, mask: ArrayLike, source: ArrayLike) -> Self:
        """In place: see `masked_scatter`."""
        return self.become("masked_scatter_", lambda x: ops.masked_scatter(x, mask, source), mask, source)

    def addmm_(self, mat1: ArrayLike, mat2: ArrayLike, *, beta: float = 1, alpha: float = 1) -> Self:
        """In place: see `addmm`."""
        return self.become("addmm_", lambda x: ops.addmm(x, mat1, mat2, beta=beta, alpha=alpha), mat1, mat2)

    def addmv_(self, mat: ArrayLike, vec: ArrayLike, *, beta: float = 1, alpha: float = 1) -> Self:
        """In place: see `addmv`."""
        return self.become("addmv_", lambda x: ops.addmv(x, mat, vec, beta=beta, alpha=alpha), mat, vec)

    def addr_(self, vec1: ArrayLike, vec2: ArrayLike, *, beta: float = 1, alpha: float = 1) -> Self:
        """In place: see `addr`."""
        return self.become("addr_", lambda x: ops.addr(x, vec1, vec2, beta=beta, alpha=alpha), vec1, vec2)

    def addbmm_(self, batch1: ArrayLike, batch2: ArrayLike, *, beta: float = 1, alpha: float = 1) -> Self:
        """In place: see `addbmm`."""
        return self.become("addbmm_", lambda x: ops.addbmm(x, batch1, batch2, beta=beta, alpha=alpha), batch1, batch2)

    def baddbmm_(self, batch1: ArrayLike, batch2: ArrayLike, *, beta: float = 1, alpha: float = 1) -> Self:
        """In place: see `baddbmm`."""
        return self.become("baddbmm_", lambda x: ops.baddbmm(x, batch1, batch2, beta=beta, alpha=alpha), batch1, batch2)

    def renorm_(self, p: float, dim: int, maxnorm: float) -> Self:
        """In place: see `renorm`."""
        return self.become("renorm_", lambda x: ops.renorm(x, p, dim, maxnorm))

    def _turn(self, op: str, function: Callable[[Any], Any]) -> Self:
        """Become a view of oneself: another shape of the same memory."""
        if mode.recording:
            self._refuse_leaf(op)
        before = Tensor.alias(self.array, self._node)
        before._base = self._base
        turned = function(before)
        self.array, self._node = turned.array, turned._node
        self._base = turned._base if self._base is not None else None
        return self

    def _resized(self, shape: tuple[Any, ...]) -> Self:
        """Have other memory, with as many of the elements as fit, in another shape."""
        if self.requires_grad:
            raise RuntimeError("resize_: a tensor that requires a gradient cannot be resized; use reshape, or detach()")
        self.array = np.resize(self.array, shape) if self.array.size >= math.prod(shape) else self._grown(shape)
        self._base = None
        return self

    def _grown(self, shape: tuple[Any, ...]) -> NDArray:
        grown = np.zeros(shape, self.array.dtype)
        grown.reshape(-1)[: self.array.size] = self.array.reshape(-1)
        return grown
