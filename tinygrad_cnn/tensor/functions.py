"""PyTorch's functions of tensors: those of `ops`, which here can also write their result into a tensor, `out`."""

from typing import TYPE_CHECKING

from tinygrad_cnn.ops import families, older_names
from tinygrad_cnn.ops.running import trapezoid as trapezoid_of
from tinygrad_cnn.ops.scatter import put as put_of
from tinygrad_cnn.tensor.out import into, of_tensors
from tinygrad_cnn.tensor.tensor import Tensor

_WITHOUT_OUT = {"allclose", "broadcast_shapes", "equal", "is_nonzero"}
"""Functions whose result is no tensor."""
_EXACT = {
    "abs", "absolute", "addbmm", "addmm", "addmv", "all", "amax", "amin", "aminmax", "any", "argmax", "argmin",
    "baddbmm", "bitwise_not", "bmm", "bucketize", "ceil", "chain_matmul", "conj_physical", "cross", "cummax",
    "cummin", "det", "diag", "diff", "dot", "fix", "float_power", "floor", "frac", "frexp", "gather", "heaviside",
    "histc", "histogram", "index_add", "index_copy", "index_reduce", "index_select", "inner", "inverse", "isin",
    "isneginf", "isposinf", "kthvalue", "log_softmax", "logcumsumexp", "lu_solve", "lu_unpack", "masked_select",
    "matmul", "mm", "mode", "msort", "mv", "nan_to_num", "nanquantile", "neg", "negative", "nonzero",
    "norm", "ormqr", "qr", "quantile", "renorm", "round", "scatter", "scatter_add", "scatter_reduce",
    "searchsorted", "sgn", "sign", "signbit", "slice_scatter", "slogdet", "softmax", "sort", "svd", "take",
    "take_along_dim", "tensordot", "topk", "triangular_solve", "tril", "triu", "trunc", "vdot", "where",
}  # fmt: skip
"""Functions whose `out` must have the dtype of the result, as in PyTorch: most of those that are not element-wise."""

_TWO = """
    arctan2 atan2 fmax fmin gcd heaviside hypot isclose lcm logaddexp logaddexp2 logical_and logical_or logical_xor
    ldexp maximum minimum nextafter
"""
_ONE = """
    bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor clamp clamp_max clamp_min copysign eq fmod
    ge greater greater_equal gt le less less_equal lt max min ne not_equal rsub
"""
_OF_TENSORS = {**dict.fromkeys(_TWO.split(), 2), **dict.fromkeys(_ONE.split(), 1)}
"""How many of the first arguments may not be numbers."""
_OF_ANY_TENSOR = ("pow", "remainder", "xlogy")
"""Functions of two arguments, one of which may be a number."""


if TYPE_CHECKING:
    from tinygrad_cnn.ops.families import *
else:
    _of_ops = {name: getattr(families, name) for name in families.__all__}
    _of_ops.update({name: of_tensors(_of_ops[name], n) for name, n in _OF_TENSORS.items() if name in _of_ops})
    _of_ops.update({name: of_tensors(_of_ops[name], 2, all) for name in _OF_ANY_TENSOR})
    globals().update(
        {
            name: f if name in _WITHOUT_OUT else into(f, name in _EXACT or name.endswith("_copy"))
            for name, f in _of_ops.items()
        }
    )

cholesky, qr, svd = into(older_names.cholesky), into(older_names.qr, True), into(older_names.svd, True)
put, trapz = into(put_of), trapezoid_of
detach, positive = Tensor.detach, Tensor.resolve_conj

# ---- in place: the methods of these names, called as functions ----

abs_ = Tensor.abs_
acos_ = Tensor.acos_
acosh_ = Tensor.acosh_
addmv_ = Tensor.addmv_
arccos_ = Tensor.arccos_
arccosh_ = Tensor.arccosh_
arcsin_ = Tensor.arcsin_
arcsinh_ = Tensor.arcsinh_
arctan_ = Tensor.arctan_
arctanh_ = Tensor.arctanh_
asin_ = Tensor.asin_
asinh_ = Tensor.asinh_
atan_ = Tensor.atan_
atanh_ = Tensor.atanh_
ceil_ = Tensor.ceil_
clamp_ = Tensor.clamp_
clamp_max_ = Tensor.clamp_max_
clamp_min_ = Tensor.clamp_min_
clip_ = Tensor.clip_
cos_ = Tensor.cos_
cosh_ = Tensor.cosh_
deg2rad_ = Tensor.deg2rad_
detach_ = Tensor.detach_
erf_ = Tensor.erf_
erfc_ = Tensor.erfc_
exp2_ = Tensor.exp2_
exp_ = Tensor.exp_
expm1_ = Tensor.expm1_
fill_ = Tensor.fill_
fix_ = Tensor.fix_
floor_ = Tensor.floor_
frac_ = Tensor.frac_
gcd_ = Tensor.gcd_
i0_ = Tensor.i0_
index_put_ = Tensor.index_put_
lcm_ = Tensor.lcm_
log10_ = Tensor.log10_
log1p_ = Tensor.log1p_
log2_ = Tensor.log2_
log_ = Tensor.log_
logit_ = Tensor.logit_
nan_to_num_ = Tensor.nan_to_num_
neg_ = Tensor.neg_
negative_ = Tensor.negative_
rad2deg_ = Tensor.rad2deg_
reciprocal_ = Tensor.reciprocal_
relu_ = Tensor.relu_
round_ = Tensor.round_
rsqrt_ = Tensor.rsqrt_
sigmoid_ = Tensor.sigmoid_
sin_ = Tensor.sin_
sinc_ = Tensor.sinc_
sinh_ = Tensor.sinh_
sqrt_ = Tensor.sqrt_
square_ = Tensor.square_
tan_ = Tensor.tan_
tanh_ = Tensor.tanh_
trunc_ = Tensor.trunc_
xlogy_ = Tensor.xlogy_
zero_ = Tensor.zero_

if not TYPE_CHECKING:
    __all__ = [n for n, v in vars().items() if n[0] != "_" and getattr(v, "__module__", "").startswith("tinygrad_cnn")]
    __all__ = [n for n in __all__ if n not in ("Tensor", "into", "put_of", "trapezoid_of")]
