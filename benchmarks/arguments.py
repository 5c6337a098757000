"""Arguments for every public function, by kind: what `python -m benchmarks.sweep` calls each function with.

A kind is a function of the number of elements and a generator that gives positional arguments, NumPy arrays where
both libraries get tensors, and a list of names.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.core.types import NDArray

Random = np.random.Generator
Maker = Callable[[int, Random], tuple[Any, ...]]


class Kind(NamedTuple):
    """How the functions of a kind are called."""

    arguments: Maker
    names: str
    most: int = 10**7
    """The largest size: what is not linear in it ends sooner."""
    keywords: Any = None


def normal(r: Random, *shape: int) -> NDArray:
    """Of the standard normal distribution."""
    return r.standard_normal(shape, np.float32)


def between(r: Random, *shape: int) -> NDArray:
    """In (0.05, 0.95), where every function of one number that has a domain is defined."""
    return r.random(shape, np.float32) * np.float32(0.9) + np.float32(0.05)


def whole(r: Random, high: int, *shape: int) -> NDArray:
    """Whole numbers from 0 to without `high`."""
    return r.integers(0, high, shape)


def side(n: int) -> int:
    """Of a square of n elements."""
    return math.isqrt(n)


def square(n: int, r: Random) -> NDArray:
    """A matrix of about n elements."""
    return normal(r, side(n), side(n))


def definite(n: int, r: Random) -> NDArray:
    """Symmetric and positive definite."""
    m = side(n)
    a = normal(r, m, m)
    return a @ a.T / np.float32(m) + np.eye(m, dtype=np.float32)


def rows(n: int, r: Random) -> NDArray:
    """Few long rows become many of 100."""
    return normal(r, n // 100, 100)


def image(n: int, r: Random, channels: int = 16, dims: int = 2) -> NDArray:
    """(N, C, spatial…) of about n elements, 4 images at least from 10,000 elements on."""
    images = max(1, min(16, n // 4096))
    edge = max(4, round((n / images / channels) ** (1 / dims)))
    return normal(r, images, channels, *[edge] * dims)


def kernel(r: Random, c: int, dims: int) -> NDArray:
    """Of a convolution of c channels into c, windows of 3."""
    return normal(r, c, c, *[3] * dims)


def images(dims: int, *more: Any, channels: int = 16) -> Maker:
    """Images, and what follows them."""
    return lambda n, r: (image(n, r, channels, dims), *more)


def convolved(dims: int) -> Maker:
    """Images and a kernel."""
    return lambda n, r: (image(n, r, 16, dims), kernel(r, 16, dims))


def unpooled(dims: int) -> Maker:
    """Maxima and their places, as max_pool gives them for windows of 2."""

    def make(n: int, r: Random) -> tuple[Any, ...]:
        x = image(n, r, 16, dims)
        shape = x.shape[2:]
        every_second: Any = (..., *[slice(None, s // 2 * 2, 2) for s in shape])
        places = np.arange(math.prod(shape)).reshape(shape)[every_second]
        small = x[every_second]
        return np.ascontiguousarray(small), np.broadcast_to(places, small.shape).copy(), 2

    return make


def picked(n: int, r: Random) -> tuple[Any, ...]:
    """Rows, a dim, and as many indices."""
    x = rows(n, r)
    return x, 0, whole(r, len(x), *x.shape)


KINDS = {
    "one number, everywhere": Kind(
        lambda n, r: (normal(r, n),),
        "abs absolute alias_copy angle arctan atan asinh arcsinh ceil clone conj conj_physical cos cosh deg2rad "
        "detach erf erfc exp exp2 expm1 fix floor frac i0 isfinite isinf isnan isneginf isposinf isreal "
        "nan_to_num neg negative positive rad2deg ravel real reciprocal relu round sgn sigmoid sign signbit sin sinc "
        "sinh "
        "square tan tanh trunc frexp logical_not celu selu hardshrink "
        "special.entr special.erf special.erfc special.erfcx special.exp2 special.expit special.expm1 special.i0 "
        "special.i0e special.i1 special.i1e special.log_ndtr special.ndtr special.round special.sinc "
        "special.bessel_j0 special.bessel_j1 special.modified_bessel_i0 special.modified_bessel_i1 "
        "special.spherical_bessel_j0 "
        "nn.functional.celu nn.functional.elu nn.functional.gelu nn.functional.hardshrink nn.functional.hardsigmoid "
        "nn.functional.hardswish nn.functional.hardtanh nn.functional.leaky_relu nn.functional.logsigmoid "
        "nn.functional.mish nn.functional.relu nn.functional.relu6 nn.functional.rrelu nn.functional.selu "
        "nn.functional.sigmoid nn.functional.silu nn.functional.softplus nn.functional.softshrink "
        "nn.functional.softsign nn.functional.tanh nn.functional.tanhshrink "
        "nn.functional.dropout nn.functional.alpha_dropout "
        "any all argmax argmin max min mean prod sum nansum nanmean std std_mean var var_mean median nanmedian "
        "aminmax amax amin count_nonzero norm linalg.norm linalg.vector_norm "
        "argsort sort msort argwhere nonzero unique_consecutive histc histogram "
        "zeros_like ones_like empty_like rand_like randn_like diff trapz trapezoid gradient "
        "positive t squeeze Tensor.contiguous Tensor.double Tensor.half Tensor.int Tensor.long Tensor.bool "
        "Tensor.short Tensor.char Tensor.byte Tensor.float",
    ),
    "one number in (0, 1)": Kind(
        lambda n, r: (between(r, n),),
        "acos arccos arcsin asin arctanh atanh digamma erfinv lgamma log log10 log1p log2 logit rsqrt sqrt bernoulli "
        "special.digamma special.erfinv special.gammaln special.log1p special.logit special.ndtri special.psi "
        "special.bessel_y0 special.bessel_y1 special.modified_bessel_k0 special.modified_bessel_k1 "
        "special.scaled_modified_bessel_k0 special.scaled_modified_bessel_k1 poisson",
    ),
    "one number above 1": Kind(lambda n, r: (between(r, n) + 1,), "acosh arccosh"),
    "a degree and a number": Kind(
        lambda n, r: (2, between(r, n)),
        "polygamma special.polygamma",
    ),
    "a number and a degree": Kind(
        lambda n, r: (between(r, n), 3),
        "special.chebyshev_polynomial_t special.chebyshev_polynomial_u special.chebyshev_polynomial_v "
        "special.chebyshev_polynomial_w special.hermite_polynomial_h special.hermite_polynomial_he "
        "special.laguerre_polynomial_l special.legendre_polynomial_p special.shifted_chebyshev_polynomial_t "
        "special.shifted_chebyshev_polynomial_u special.shifted_chebyshev_polynomial_v "
        "special.shifted_chebyshev_polynomial_w",
    ),
    "mvlgamma": Kind(lambda n, r: (between(r, n) + 3, 3), "mvlgamma special.multigammaln"),
    "two": Kind(
        lambda n, r: (between(r, n), between(r, n)),
        "add arctan2 atan2 copysign div divide eq equal float_power floor_divide fmax fmin fmod ge greater "
        "greater_equal gt heaviside hypot isclose allclose le less less_equal logaddexp logaddexp2 logical_and "
        "logical_or logical_xor lt maximum minimum mul multiply ne nextafter not_equal pow remainder rsub sub subtract "
        "true_divide xlogy dist dot inner vdot linalg.vecdot special.xlog1py special.xlogy "
        "nn.functional.binary_cross_entropy nn.functional.binary_cross_entropy_with_logits nn.functional.huber_loss "
        "nn.functional.l1_loss nn.functional.mse_loss nn.functional.smooth_l1_loss nn.functional.soft_margin_loss "
        "nn.functional.poisson_nll_loss nn.functional.kl_div nn.functional.hinge_embedding_loss normal "
        " Tensor.copy_ Tensor.add_ Tensor.mul_ Tensor.sub_ Tensor.div_ Tensor.pow_ ldexp",
    ),
    "zeta": Kind(lambda n, r: (between(r, n) + 1.5, between(r, n)), "special.zeta"),
    "three": Kind(
        lambda n, r: (between(r, n), between(r, n), between(r, n) + 1),
        "addcdiv addcmul lerp nn.functional.gaussian_nll_loss clamp clip",
    ),
    "a number and a limit": Kind(
        lambda n, r: (normal(r, n), 0.3),
        "clamp_max clamp_min Tensor.fill_ full_like fill Tensor.clamp_max_ Tensor.geometric_",
    ),
    "in place": Kind(
        lambda n, r: (normal(r, n),),
        "Tensor.abs_ Tensor.exp_ Tensor.relu_ Tensor.sigmoid_ Tensor.tanh_ Tensor.zero_ Tensor.neg_ Tensor.normal_ "
        "Tensor.uniform_ Tensor.exponential_ Tensor.cauchy_ Tensor.log_normal_ Tensor.random_ Tensor.bernoulli_",
    ),
    "threshold": Kind(lambda n, r: (normal(r, n), 0.1, 0.2), "threshold nn.functional.threshold"),
    "integers": Kind(
        lambda n, r: (whole(r, 1000, n) + 1, whole(r, 1000, n) + 1),
        "bitwise_and bitwise_or bitwise_xor gcd lcm add mul floor_divide remainder eq",
    ),
    "shifts": Kind(lambda n, r: (whole(r, 1000, n), whole(r, 20, n)), "bitwise_left_shift bitwise_right_shift"),
    "whole numbers": Kind(
        lambda n, r: (whole(r, 1000, n),),
        "bitwise_not bincount unique sum sort argsort max abs",
    ),
    "rows and a dim": Kind(
        lambda n, r: (rows(n, r), 1),
        "all amax amin any argmax argmin argsort count_nonzero cummax cummin cumprod cumsum log_softmax logcumsumexp "
        "logsumexp max mean median min mode nanmean nanmedian nansum prod softmax sort std std_mean sum var var_mean "
        "nn.functional.log_softmax nn.functional.softmax nn.functional.softmin nn.functional.glu special.log_softmax "
        "special.softmax special.logsumexp unbind unbind_copy nn.functional.gumbel_softmax norm",
    ),
    "rows and the first dim": Kind(
        lambda n, r: (rows(n, r), 0),
        "all amax amin any argmax argmin argsort count_nonzero cummax cummin cumprod cumsum log_softmax logcumsumexp "
        "logsumexp max mean median min mode nanmean nanmedian nansum prod softmax sort std std_mean sum var var_mean "
        "nn.functional.log_softmax nn.functional.softmax special.softmax",
    ),
    "rows": Kind(
        lambda n, r: (rows(n, r),),
        "fliplr flipud flatten msort nn.functional.normalize t t_copy tril triu rot90 "
        " nn.functional.dropout1d trace diag diagonal diagonal_copy linalg.diagonal "
        "squeeze_copy",
    ),
    "rows and a number": Kind(
        lambda n, r: (rows(n, r), 5),
        "topk kthvalue chunk roll tensor_split split Tensor.tile repeat_interleave",
    ),
    "rows, number": Kind(lambda n, r: (rows(n, r), 0.4), "quantile nanquantile"),
    "one row and a number": Kind(lambda n, r: (normal(r, n), n // 2), "topk kthvalue roll"),
    "one row, number": Kind(lambda n, r: (normal(r, n), 0.4), "quantile nanquantile"),
    "two arrays of rows": Kind(
        lambda n, r: (rows(n, r), rows(n, r)),
        "cosine_similarity nn.functional.pairwise_distance pairwise_distance nn.functional.cosine_similarity "
        "nn.functional.multilabel_soft_margin_loss nn.functional.cross_entropy",
    ),
    "triples": Kind(lambda n, r: (normal(r, n // 3, 3), normal(r, n // 3, 3)), "cross linalg.cross"),
    "rows, rows and rows": Kind(
        lambda n, r: (rows(n, r), rows(n, r), rows(n, r)),
        "nn.functional.triplet_margin_loss nn.functional.triplet_margin_with_distance_loss",
    ),
    "margins": Kind(
        lambda n, r: (normal(r, n), normal(r, n), np.sign(normal(r, n))), "nn.functional.margin_ranking_loss"
    ),
    "embeddings": Kind(
        lambda n, r: (rows(n, r), rows(n, r), np.sign(normal(r, n // 100))), "nn.functional.cosine_embedding_loss"
    ),
    "classes": Kind(
        lambda n, r: (rows(n, r), whole(r, 100, n // 100)),
        "nn.functional.cross_entropy nn.functional.nll_loss nn.functional.multi_margin_loss",
    ),
    "classes of each": Kind(
        lambda n, r: (rows(n, r), whole(r, 100, n // 100, 100)), "nn.functional.multilabel_margin_loss"
    ),
    "copies": Kind(
        lambda n, r: ([rows(n, r), rows(n, r)],),
        "cat concat concatenate stack hstack vstack dstack column_stack row_stack",
    ),
    "many": Kind(lambda n, r: ([normal(r, 100) for _ in range(n // 100)],), "cat stack hstack vstack", 10**5),
    "axes": Kind(
        lambda n, r: (rows(n, r), 0, 1),
        "transpose swapaxes swapdims movedim moveaxis transpose_copy select select_copy Tensor.transpose",
    ),
    "turned": Kind(lambda n, r: (rows(n, r), [0, 1]), "flip permute permute_copy"),
    "turned, copied": Kind(lambda n, r: (rows(n, r).T,), "clone Tensor.contiguous sum exp flatten"),
    "a place": Kind(lambda n, r: (normal(r, n), 0), "unsqueeze unsqueeze_copy squeeze"),
    "narrowed": Kind(lambda n, r: (rows(n, r), 1, 10, 50), "narrow narrow_copy"),
    "windows": Kind(lambda n, r: (normal(r, n), 0, 10, 5), "unfold_copy Tensor.unfold"),
    "a new shape": Kind(lambda n, r: (normal(r, n), (-1, 10)), "reshape view_copy Tensor.view"),
    "a larger shape": Kind(
        lambda n, r: (normal(r, n // 10), (10, n // 10)), "broadcast_to expand_copy Tensor.expand"
    ),
    "repeated": Kind(lambda n, r: (normal(r, n // 10), (10, 1)), "tile Tensor.repeat"),
    "cut": Kind(lambda n, r: (normal(r, n), [n // 2, n - n // 2]), "split split_with_sizes split_with_sizes_copy"),
    "unflatten": Kind(lambda n, r: (normal(r, n), 0, (10, n // 10)), "unflatten"),
    "masked": Kind(lambda n, r: (normal(r, n), normal(r, n) > 0), "masked_select"),
    "masked and filled": Kind(lambda n, r: (normal(r, n), normal(r, n) > 0, 0.5), "masked_fill Tensor.masked_fill_"),
    "masked and scattered": Kind(lambda n, r: (normal(r, n), normal(r, n) > 0, normal(r, n)), "masked_scatter"),
    "chosen": Kind(lambda n, r: (normal(r, n) > 0, normal(r, n), normal(r, n)), "where"),
    "gathered": Kind(picked, "gather"),
    "gathered along rows": Kind(lambda n, r: (rows(n, r), 1, whole(r, 100, n // 100, 100)), "gather"),
    "taken along": Kind(lambda n, r: (rows(n, r), whole(r, 100, n // 100, 100), 1), "take_along_dim"),
    "taken": Kind(lambda n, r: (normal(r, n), whole(r, n, n)), "take"),
    "put": Kind(lambda n, r: (normal(r, n), whole(r, n, n), normal(r, n)), "put"),
    "scattered": Kind(lambda n, r: (*picked(n, r), rows(n, r)), "scatter scatter_add"),
    "scattered along rows": Kind(
        lambda n, r: (rows(n, r), 1, whole(r, 100, n // 100, 100), rows(n, r)), "scatter scatter_add"
    ),
    "scattered and reduced": Kind(lambda n, r: (*picked(n, r), rows(n, r), "amax"), "scatter_reduce"),
    "scattered and multiplied": Kind(lambda n, r: (*picked(n, r), rows(n, r), "prod"), "scatter_reduce"),
    "scattered and averaged": Kind(lambda n, r: (*picked(n, r), rows(n, r), "mean"), "scatter_reduce"),
    "rows by index": Kind(lambda n, r: (rows(n, r), 0, whole(r, n // 100, n // 100)), "index_select"),
    "columns by index": Kind(lambda n, r: (rows(n, r), 1, whole(r, 100, 100)), "index_select"),
    "rows added": Kind(
        lambda n, r: (rows(n, r), 0, whole(r, n // 100, n // 100), rows(n, r)), "index_add index_copy"
    ),
    "elements added": Kind(lambda n, r: (normal(r, n), 0, whole(r, n, n), normal(r, n)), "index_add index_copy"),
    "rows filled": Kind(lambda n, r: (rows(n, r), 0, whole(r, n // 100, n // 100), 0.5), "index_fill"),
    "rows reduced": Kind(
        lambda n, r: (rows(n, r), 0, whole(r, n // 100, n // 100), rows(n, r), "amin"), "index_reduce"
    ),
    "elements put": Kind(lambda n, r: (normal(r, n), (whole(r, n, n),), normal(r, n)), "index_put Tensor.index_put_"),
    "indexed": Kind(lambda n, r: (normal(r, n), whole(r, n, n)), "Tensor.__getitem__"),
    "indexed by a mask": Kind(lambda n, r: (normal(r, n), normal(r, n) > 0), "Tensor.__getitem__"),
    "set": Kind(lambda n, r: (normal(r, n), whole(r, n, n), normal(r, n)), "Tensor.__setitem__"),
    "slices set": Kind(lambda n, r: (rows(n, r), rows(n, r)[:, 0].copy(), 1, 0), "select_scatter"),
    "slices": Kind(lambda n, r: (rows(n, r), rows(n, r)[:, :50].copy(), 1, 0, 50), "slice_scatter"),
    "looked up": Kind(
        lambda n, r: (np.sort(normal(r, n)), normal(r, n)),
        "searchsorted",
    ),
    "looked up in rows": Kind(lambda n, r: (np.sort(rows(n, r)), rows(n, r)), "searchsorted"),
    "bins": Kind(lambda n, r: (normal(r, n), np.sort(normal(r, 100))), "bucketize"),
    "sets": Kind(lambda n, r: (whole(r, n, n), whole(r, n, n)), "isin"),
    "floats in a set": Kind(lambda n, r: (normal(r, n),), "unique"),
    "a count": Kind(
        lambda n, r: (n,),
        "arange empty ones rand randn randperm zeros",
    ),
    "ends": Kind(lambda n, r: (0.0, 1.0, n), "linspace logspace"),
    "integers drawn": Kind(lambda n, r: (1000, (n,)), "randint"),
    "filled": Kind(lambda n, r: ((n,), 0.5), "full"),
    "randint_like": Kind(lambda n, r: (normal(r, n), 1000), "randint_like"),
    "edge": Kind(lambda n, r: (side(n),), "eye"),
    "edges": Kind(lambda n, r: (side(n), side(n)), "tril_indices triu_indices"),
    "lists": Kind(lambda n, r: (normal(r, n).tolist(),), "tensor as_tensor asarray", 10**6),
    "arrays": Kind(lambda n, r: (normal(r, n),), "Tensor.tolist Tensor.numpy", 10**6),
    "vectors": Kind(lambda n, r: (normal(r, side(n)), normal(r, side(n))), "outer ger cartesian_prod meshgrid", 10**7),
    "one vector": Kind(
        lambda n, r: (normal(r, side(n)),), "diag diagflat diag_embed vander linalg.vander combinations block_diag"
    ),
    "diagonal set": Kind(lambda n, r: (square(n, r), normal(r, side(n))), "diagonal_scatter"),
    "fill the diagonal": Kind(lambda n, r: (square(n, r), 1.0), "Tensor.fill_diagonal_"),
    "two squares": Kind(
        lambda n, r: (square(n, r), square(n, r)),
        "matmul mm linalg.matmul linalg.solve linalg.solve_ex linalg.lstsq",
        10**5,
    ),
    "kron": Kind(lambda n, r: (square(side(n), r), square(side(n), r)), "kron"),
    "squares in a list": Kind(lambda n, r: ([square(n, r)] * 3,), "linalg.multi_dot", 10**5),
    "squares one by one": Kind(lambda n, r: (square(n, r), square(n, r), square(n, r)), "addmm chain_matmul", 10**5),
    "a square and a vector": Kind(lambda n, r: (square(n, r), normal(r, side(n))), "mv"),
    "a vector, a square, a vector": Kind(
        lambda n, r: (normal(r, side(n)), square(n, r), normal(r, side(n))), "addmv"
    ),
    "addr": Kind(lambda n, r: (square(n, r), normal(r, side(n)), normal(r, side(n))), "addr"),
    "batches": Kind(lambda n, r: (normal(r, n // 100, 10, 10), normal(r, n // 100, 10, 10)), "bmm matmul", 10**6),
    "batches added": Kind(
        lambda n, r: (normal(r, n // 100, 10, 10), normal(r, n // 100, 10, 10), normal(r, n // 100, 10, 10)),
        "baddbmm", 10**6,
    ),
    "batches summed": Kind(
        lambda n, r: (normal(r, 10, 10), normal(r, n // 100, 10, 10), normal(r, n // 100, 10, 10)), "addbmm", 10**6
    ),
    "einsum": Kind(lambda n, r: ("ij,kj->ik", square(n, r), square(n, r)), "einsum", 10**5),
    "einsum of batches": Kind(
        lambda n, r: ("bhid,bhjd->bhij", normal(r, n // 640, 4, 10, 16), normal(r, n // 640, 4, 10, 16)),
        "einsum",
        10**6,
    ),
    "tensordot": Kind(lambda n, r: (square(n, r), square(n, r), 1), "tensordot", 10**5),
    "a square": Kind(
        lambda n, r: (square(n, r),),
        "adjoint det inverse linalg.cond linalg.det linalg.inv linalg.inv_ex linalg.lu linalg.lu_factor "
        "linalg.lu_factor_ex linalg.matrix_exp linalg.matrix_norm linalg.matrix_rank linalg.pinv linalg.qr "
        "linalg.slogdet linalg.svd linalg.svdvals lu matrix_exp pinverse qr slogdet svd geqrf corrcoef cov trace "
        "svd_lowrank pca_lowrank",
        10**5,
    ),
    "small squares": Kind(
        lambda n, r: (normal(r, n // 25, 5, 5),),
        "det inverse linalg.det linalg.inv linalg.lu linalg.matrix_exp linalg.pinv linalg.qr linalg.slogdet linalg.svd "
        "linalg.svdvals linalg.matrix_norm linalg.lu_factor",
        10**5,
    ),
    "small definite squares": Kind(
        lambda n, r: (np.broadcast_to(definite(25, r), (n // 25, 5, 5)).copy(),),
        "linalg.cholesky linalg.eigh linalg.eigvalsh cholesky_inverse logdet",
        10**5,
    ),
    "small systems": Kind(
        lambda n, r: (normal(r, n // 25, 5, 5), normal(r, n // 25, 5, 5)), "linalg.solve linalg.lstsq", 10**5
    ),
    "a definite square": Kind(
        lambda n, r: (definite(n, r),),
        "cholesky linalg.cholesky linalg.cholesky_ex linalg.eigh linalg.eigvalsh logdet cholesky_inverse",
        10**5,
    ),
    "cholesky_solve": Kind(lambda n, r: (square(n, r), definite(n, r)), "cholesky_solve", 10**5),
    "powers": Kind(lambda n, r: (square(n, r) / side(n), 5), "matrix_power linalg.matrix_power", 10**5),
    "reflectors": Kind(
        lambda n, r: (square(n, r), normal(r, side(n))), "linalg.householder_product orgqr", 10**5
    ),
    "ormqr": Kind(lambda n, r: (square(n, r), normal(r, side(n)), square(n, r)), "ormqr", 10**5),
    "triangles": Kind(lambda n, r: (square(n, r), definite(n, r)), "triangular_solve", 10**5),
    "points": Kind(lambda n, r: (normal(r, side(n), 10),), "pdist nn.functional.pdist"),
    "two clouds": Kind(lambda n, r: (normal(r, side(n), 10), normal(r, side(n), 10)), "cdist"),
    "two clouds in the sum norm": Kind(lambda n, r: (normal(r, side(n), 10), normal(r, side(n), 10), 1.0), "cdist"),
    "renorm": Kind(lambda n, r: (rows(n, r), 2, 0, 1.0), "renorm"),
    "chances of rows": Kind(lambda n, r: (between(r, n // 100, 100), 10), "multinomial"),
    "chances of one row": Kind(lambda n, r: (between(r, n), 100), "multinomial", 10**7),
    "trials": Kind(lambda n, r: (whole(r, 20, n).astype(np.float32), between(r, n)), "binomial", 10**6),
    "histogramdd": Kind(lambda n, r: (normal(r, n // 3, 3), 8), "histogramdd", 10**6),
    "lines": Kind(images(1), "nn.functional.instance_norm nn.functional.dropout1d"),
    "running areas": Kind(lambda n, r: (normal(r, n),), "cumulative_trapezoid atleast_1d atleast_2d atleast_3d"),
    "cut at 5": Kind(lambda n, r: (rows(n, r), 5), "hsplit vsplit split_copy"),
    "cut in depth": Kind(lambda n, r: (normal(r, n // 100, 10, 10), 5), "dsplit"),
    "solved by a triangle": Kind(
        lambda n, r: (definite(n, r), square(n, r)), "linalg.solve_triangular", 10**5, {"upper": True}
    ),
    "inverted as a matrix": Kind(
        lambda n, r: (definite(side(n) ** 2, r).reshape(side(n), 1, side(n), 1) + 0, 2), "linalg.tensorinv", 10**5
    ),
    "solved as a matrix": Kind(lambda n, r: (definite(n, r), normal(r, side(n))), "linalg.tensorsolve", 10**5),
    "strided": Kind(lambda n, r: (normal(r, n), (n // 10, 10), (10, 1)), "as_strided as_strided_copy"),
    "lines, pooled": Kind(
        images(1, 2),
        "avg_pool1d max_pool1d nn.functional.avg_pool1d nn.functional.max_pool1d "
        "nn.functional.max_pool1d_with_indices nn.functional.adaptive_max_pool1d_with_indices "
        "adaptive_avg_pool1d adaptive_max_pool1d",
    ),
    "images": Kind(
        images(2),
        "nn.functional.instance_norm nn.functional.dropout2d",
    ),
    "images and 2": Kind(
        images(2, 2),
        "max_pool2d nn.functional.avg_pool2d nn.functional.max_pool2d nn.functional.max_pool2d_with_indices "
        "channel_shuffle pixel_shuffle pixel_unshuffle nn.functional.channel_shuffle nn.functional.pixel_shuffle "
        "group_norm nn.functional.group_norm nn.functional.local_response_norm",
    ),
    "images, overlapping": Kind(
        images(2, 3, 2, 1), "max_pool2d nn.functional.avg_pool2d nn.functional.max_pool2d_with_indices"
    ),
    "images, adaptive": Kind(
        images(2, 3),
        "nn.functional.adaptive_avg_pool2d nn.functional.adaptive_max_pool2d "
        "nn.functional.adaptive_max_pool2d_with_indices",
    ),
    "images to one number": Kind(
        images(2, 1),
        "nn.functional.adaptive_avg_pool2d nn.functional.adaptive_max_pool2d",
    ),
    "images, powers": Kind(images(2, 2.0, 2), "nn.functional.lp_pool2d"),
    "lines, powers": Kind(images(1, 2.0, 2), "nn.functional.lp_pool1d"),
    "images, unfolded": Kind(images(2, 3), "nn.functional.unfold", 10**6),
    "images, padded": Kind(images(2, (1, 1, 1, 1)), "nn.functional.pad"),
    "images, mirrored": Kind(images(2, (1, 1, 1, 1), "reflect"), "nn.functional.pad"),
    "images, twice as large": Kind(images(2, None, 2), "nn.functional.interpolate nn.functional.upsample"),
    "images, between pixels": Kind(
        images(2, None, 2, "bilinear"), "nn.functional.interpolate nn.functional.upsample"
    ),
    "images, between pixels by cubes": Kind(images(2, None, 2, "bicubic"), "nn.functional.interpolate", 10**6),
    "images, doubled": Kind(
        images(2, None, 2), "nn.functional.upsample_bilinear nn.functional.upsample_nearest", 10**6
    ),
    "images, smaller": Kind(images(2, None, 0.5, "area"), "nn.functional.interpolate"),
    "fractional": Kind(images(2, 2, 3), "nn.functional.fractional_max_pool2d "
        "nn.functional.fractional_max_pool2d_with_indices", 10**6),
    "fractional volumes": Kind(
        images(3, 2, 2),
        "nn.functional.fractional_max_pool3d nn.functional.fractional_max_pool3d_with_indices",
        10**6,
    ),
    "unpooled volumes": Kind(unpooled(3), "nn.functional.max_unpool3d"),
    "unpooled lines": Kind(unpooled(1), "nn.functional.max_unpool1d"),
    "unpooled images": Kind(unpooled(2), "nn.functional.max_unpool2d"),
    "volumes and 2": Kind(
        images(3, 2),
        "max_pool3d nn.functional.avg_pool3d nn.functional.max_pool3d nn.functional.adaptive_avg_pool3d "
        "nn.functional.adaptive_max_pool3d nn.functional.adaptive_max_pool3d_with_indices "
        "nn.functional.max_pool3d_with_indices",
    ),
    "volumes": Kind(images(3), "nn.functional.dropout3d"),
    "volumes, powers": Kind(images(3, 2.0, 2), "nn.functional.lp_pool3d"),
    "folded": Kind(
        lambda n, r: (normal(r, 1, 9 * 16, max(4, side(n // 144)) ** 2), max(4, side(n // 144)), 3, 1, 1),
        "nn.functional.fold", 10**6,
    ),
    "normed by batch": Kind(
        lambda n, r: (image(n, r), np.zeros(16, np.float32), np.ones(16, np.float32), None, None, True),
        "nn.functional.batch_norm",
    ),
    "normed by saved statistics": Kind(
        lambda n, r: (image(n, r), np.zeros(16, np.float32), np.ones(16, np.float32)), "nn.functional.batch_norm"
    ),
    "normed rows": Kind(
        lambda n, r: (rows(n, r), (100,)),
        "layer_norm nn.functional.layer_norm rms_norm nn.functional.rms_norm",
    ),
    "prelu": Kind(lambda n, r: (image(n, r), between(r, 16)), "prelu nn.functional.prelu"),
    "grids": Kind(lambda n, r: (normal(r, n // 800, 2, 3), [n // 800, 3, 20, 20]), "nn.functional.affine_grid"),
    "sampled": Kind(
        lambda n, r: ((x := image(n, r)), r.random((len(x), *x.shape[2:], 2), np.float32) * 2 - 1),
        "nn.functional.grid_sample",
        10**6,
    ),
    "looked up vectors": Kind(lambda n, r: (whole(r, 1000, n // 64), normal(r, 1000, 64)), "nn.functional.embedding"),
        "bags": Kind(lambda n, r: (whole(r, 1000, n // 640, 10), normal(r, 1000, 64)), "nn.functional.embedding_bag"),
    "one of each": Kind(lambda n, r: (whole(r, 100, n // 100), 100), "nn.functional.one_hot"),
    "linear": Kind(
        lambda n, r: (normal(r, n // 64 + 1, 64), normal(r, 64, 64), normal(r, 64)), "nn.functional.linear", 10**6
    ),
    "bilinear": Kind(
        lambda n, r: (normal(r, n // 64 + 1, 16), normal(r, n // 64 + 1, 16), normal(r, 16, 16, 16)),
        "bilinear nn.functional.bilinear",
        10**5,
    ),
    **{
        f"convolved in {d} dims": Kind(
            convolved(d),
            f"conv{d}d nn.functional.conv{d}d conv_transpose{d}d nn.functional.conv_transpose{d}d",
            10**5,
        )
        for d in (1, 2, 3)
    },
    "attention": Kind(
        lambda n, r: tuple(normal(r, max(1, n // 6400), 4, 25, 64) for _ in range(3)),
        "nn.functional.scaled_dot_product_attention",
        10**6,
    ),
    "ctc": Kind(
        lambda n, r: (
            np.log(between(r, 50, max(1, n // 1000), 20)),
            whole(r, 19, max(1, n // 1000), 10) + 1,
            np.full(max(1, n // 1000), 50),
            np.full(max(1, n // 1000), 10),
        ),
        "nn.functional.ctc_loss",
        10**5,
    ),
}  # fmt: skip
"""By kind, the functions. Names under `tinygrad_cnn`; methods under `Tensor`."""

UNTIMED = {
    "settings and questions, which touch no element": (
        "are_deterministic_algorithms_enabled broadcast_shapes can_cast get_default_device get_default_dtype "
        "get_float32_matmul_precision get_kernels get_num_interop_threads get_num_threads get_rng_state initial_seed "
        "is_anomaly_enabled is_complex is_floating_point is_grad_enabled is_inference_mode_enabled is_nonzero "
        "is_same_size is_storage is_tensor manual_seed numel promote_types result_type seed set_default_device "
        "set_default_dtype set_default_tensor_type set_float32_matmul_precision set_kernels set_num_interop_threads "
        "set_num_threads set_printoptions set_rng_state typename use_deterministic_algorithms"
    ),
    "files, programs and transformations of functions": "compile fork_rng load record save vmap",
    "what is timed under another name": (
        "astype broadcast_tensors feature_alpha_dropout from_dlpack from_numpy getitem imag scalar_tensor setitem "
        "linalg.lu_solve lu_solve lu_unpack nn.functional.feature_alpha_dropout nn.functional.linear_cross_entropy "
        "nn.functional.multi_head_attention_forward nn.functional.native_channel_shuffle"
    ),
}
"""Public functions without a row in the sweep, by reason."""
