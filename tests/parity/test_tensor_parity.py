"""Every function of tensors against PyTorch's: values, dtypes, shapes, gradients to second order; as method, too.

One table says which arguments a function takes; a test compares it with the list of all functions, so that none is
forgotten.
"""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tests.parity.opdb.count import DATABASES

torch = pytest.importorskip("torch")

EXAMPLES = settings(max_examples=10, deadline=None)


class Draw:
    """Arguments drawn from a seed that Hypothesis chooses."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def integer(self, low, high):
        return int(self.rng.integers(low, high + 1))

    def choice(self, items):
        return items[self.integer(0, len(items) - 1)]

    def flag(self):
        return self.integer(0, 1) == 1

    def shape(self, least=0, most=3, smallest=1):
        return tuple(self.integer(smallest, 4) for _ in range(self.integer(least, most)))

    def real(self, *shape, low=-2.0, high=2.0):
        return self.rng.uniform(low, high, shape)

    def distinct(self, *shape):
        n = int(np.prod(shape))
        return (self.rng.permutation(n) * 0.25 + self.rng.uniform(0, 0.1, n) - n * 0.1).reshape(shape)

    def whole(self, *shape, low=-5, high=5):
        return self.rng.integers(low, high + 1, shape)

    def mask(self, *shape):
        return self.rng.integers(0, 2, shape) == 1

    def dim(self, x):
        return self.integer(-x.ndim, x.ndim - 1) if x.ndim else self.integer(-1, 0)

    def dims(self, x):
        """None, one dim or some."""
        how = self.integer(0, 2)
        if how == 0 or x.ndim == 0:
            return None
        if how == 1:
            return self.dim(x)
        some = self.rng.permutation(x.ndim)[: self.integer(1, x.ndim)].tolist()
        return tuple(k - x.ndim if self.flag() else k for k in some)

    def pair(self, low=-2.0, high=2.0):
        """Two arrays that broadcast."""
        shape = self.shape()
        other = tuple(1 if self.flag() else n for n in shape)[self.integer(0, len(shape)) :]
        a, b = self.real(*shape, low=low, high=high), self.real(*other, low=low, high=high)
        return (a, b) if self.flag() else (b, a)

    def square(self, *lead):
        n = self.integer(1, 3)
        return self.real(*lead, n, n) + 3 * np.eye(n)


def unary(low=-2.0, high=2.0):
    return lambda d: ((d.real(*d.shape(), low=low, high=high),), {})


def binary(low=-2.0, high=2.0):
    return lambda d: (d.pair(low, high), {})


def either(d):
    """Two arrays that broadcast, of floats or integers, at times equal."""
    a, b = d.pair()
    a, b = np.round(a), np.round(b)
    kinds = d.choice([(float, float), (int, int), (float, int), (int, float)])
    return (a.astype(kinds[0]), b.astype(kinds[1])), {}


def reduction(d, **options):
    x = d.distinct(*d.shape())
    return (x, *([] if d.flag() else [d.dims(x), d.flag()])), options


def one_dim(d, least=0):
    x = d.distinct(*d.shape(least))
    return (x, d.dim(x), d.flag()), {}


def spread(d):
    x = d.distinct(*d.shape(1, smallest=2))
    form = d.integer(0, 4)
    if form == 0:
        return (x,), {}
    if form == 1:
        return (x, d.flag()), {}
    if form == 2:
        return (x, d.dim(x), d.flag(), d.flag()), {}
    return (x,), {"dim": d.dims(x), "correction": d.choice([0, 1]), "keepdim": d.flag()}


def along(d, smallest=1):
    x = d.distinct(*d.shape(1, smallest=smallest))
    return (x, d.dim(x)), {}


def matrices(d):
    n, k, m = (d.integer(1, 3) for _ in range(3))
    return d.real(n, k), d.real(k, m)


def gathered(d):
    x = d.real(*d.shape(1))
    axis = d.dim(x)
    shape = [d.integer(1, n) for n in x.shape]
    shape[axis] = d.integer(1, 4)
    return x, axis, d.whole(*shape, low=0, high=x.shape[axis] - 1)


def scattered(d):
    x, axis, index = gathered(d)
    return x, axis, index, d.real(*index.shape)


def places_of(x, axis, d):
    """An index without repetition along an axis, so that the order of writes does not matter."""
    shape = list(x.shape)
    shape[axis] = d.integer(1, x.shape[axis])
    rows = np.stack(
        [d.rng.permutation(x.shape[axis])[: shape[axis]] for _ in range(int(np.prod(shape)) // shape[axis])]
    )
    moved = [n for k, n in enumerate(shape) if k != axis % x.ndim]
    return np.ascontiguousarray(np.moveaxis(rows.reshape(*moved, shape[axis]), -1, axis))


def scatter(d):
    x = d.real(*d.shape(1))
    axis = d.dim(x)
    index = places_of(x, axis, d)
    how = d.integer(0, 2)
    if how == 0:
        return (x, axis, index, d.real(*index.shape)), {}
    return ((x, axis, index, 2.5), {}) if how == 1 else ((x, axis, index), {"value": 2.5})


def scatter_reduce(d):
    x, axis, index, src = scattered(d)
    return (x, axis, index, src, d.choice(["sum", "mean"])), {"include_self": d.flag()}


def slices(d, source=True, repeats=True):
    x = d.real(*d.shape(1))
    axis = d.dim(x)
    n = x.shape[axis]
    index = d.whole(d.integer(1, 4), low=0, high=n - 1) if repeats else d.rng.permutation(n)[: d.integer(1, n)]
    shape = list(x.shape)
    shape[axis] = len(index)
    return x, axis, index, d.real(*shape)


def scaled(*arrays):
    return lambda d: (arrays[0](d), {"beta": d.choice([1, 0.5, 0]), "alpha": d.choice([1, -2.0])})


def batches(d, whole):
    b, n, k, m = (d.integer(1, 3) for _ in range(4))
    return d.real(*((b, n, m) if whole else (n, m))), d.real(b, n, k), d.real(b, k, m)


def with_matrices(d):
    a, b = matrices(d)
    return d.real(a.shape[0], b.shape[1]), a, b


def quantiles(d):
    x = d.distinct(*d.shape(1))
    q = d.choice([0.3, 0.5, np.array([0.1, 0.7])])
    method = d.choice(["linear", "lower", "higher", "midpoint", "nearest"])
    if d.flag():
        return (x, q), {"interpolation": method}
    return (x, q, d.dim(x), d.flag()), {"interpolation": method}


def like(d, n, least=1, most=3):
    shape = d.shape(least, most)
    return tuple(d.real(*shape) for _ in range(n))


def parts(d, dim=0):
    """Arrays that differ in one dim only."""
    shape = list(d.shape(1))
    axis = d.integer(0, len(shape) - 1)
    made = []
    for _ in range(d.integer(1, 3)):
        shape[axis] = d.integer(1, 3)
        made.append(d.real(*shape))
    return made, axis


def vectors(d):
    return [d.real(d.integer(1, 3)) for _ in range(d.integer(1, 3))]


def expanded(d):
    shape = d.shape(1)
    small = tuple(1 if d.flag() else n for n in shape)[d.integer(0, len(shape)) :]
    return d.real(*small), shape


def norms(d):
    x = d.distinct(*d.shape(1))
    p = d.choice(["fro", 2, 1, 3, float("inf"), 0])
    return ((x, p), {}) if d.flag() else ((x, p, d.dim(x), d.flag()), {})


def tensordot(d):
    n, k, m, j = (d.integer(1, 3) for _ in range(4))
    how = d.integer(0, 2)
    if how == 0:
        return (d.real(n, k), d.real(k, m), 1), {}
    if how == 1:
        return (d.real(n, k, j), d.real(k, j, m)), {}
    return (d.real(n, k, j), d.real(j, m, n), ([0, 2], [2, 0])), {}


def sortable(d):
    x = d.distinct(*d.shape(1))
    return (x, d.dim(x), d.flag()), {}


def top(d):
    x = d.distinct(*d.shape(1))
    axis = d.dim(x)
    return (x, d.integer(1, x.shape[axis]), axis, d.flag()), {}


def kth(d):
    x = d.distinct(*d.shape(1))
    axis = d.dim(x)
    return (x, d.integer(1, x.shape[axis]), axis, d.flag()), {}


def clamped(d):
    x = d.real(*d.shape())
    return (x, *d.choice([(-0.5, 0.5), (None, 0.3), (-0.3,), (np.array(-0.4), np.array(0.6))])), {}


def divided(d):
    (a, b), _ = either(d)
    b = np.where(b == 0, 1, b)
    return (a, b), {"rounding_mode": d.choice([None, "trunc", "floor"])}


def nonzero_second(d):
    (a, b), _ = either(d)
    return (a, np.where(b == 0, 1, b)), {}


def split_at(d):
    x = d.real(*d.shape(1))
    axis = d.dim(x)
    if d.flag():
        return (x, d.integer(1, 3), axis), {}
    cut = d.integer(0, x.shape[axis])
    return (x, [cut, x.shape[axis] - cut], axis), {}


def cut_at(d):
    x = d.real(*d.shape(1))
    return (x, d.choice([d.integer(1, 4), [1, 2], [0, 3]]), d.dim(x)), {}


def reshaped(d):
    x = d.real(2, 3, 4)
    return (x, d.choice([(6, 4), (-1, 2), (24,), (2, 1, 12), (-1,), (4, 3, 2)])), {}


def rolled(d):
    x = d.real(*d.shape(1))
    return ((x, d.integer(-3, 3)), {}) if d.flag() else ((x, d.integer(-3, 3), d.dim(x)), {})


def moved(d):
    x = d.real(2, 3, 4)
    return (x, *d.choice([(0, 2), (-1, 0), ((0, 1), (1, 2)), ((2, 0), (0, 1))])), {}


def windowed(d):
    x = d.real(*d.shape(1))
    axis = d.dim(x)
    return (x, axis, d.integer(1, x.shape[axis]), d.integer(1, 3)), {}


def repeated(d):
    x = d.real(*d.shape(1))
    axis = d.dim(x)
    if d.flag():
        return (x, d.integer(0, 3)), {}
    return (x, d.choice([d.integer(0, 3), d.whole(x.shape[axis], low=0, high=2)]), axis), {}


def diagonals(d):
    x = d.real(*(d.integer(1, 4) for _ in range(d.integer(2, 3))))
    a, b = d.rng.permutation(x.ndim)[:2].tolist()
    return (x, d.integer(-1, 1), a, b), {}


def masked(d):
    x = d.real(*d.shape(1))
    return x, d.mask(*x.shape)


def differences(d):
    x = d.real(*d.shape(1, smallest=3))
    return (x, d.integer(0, 2), d.dim(x)), {}


def norm_of_matrix(d):
    return (d.distinct(*d.shape(2, 3)), d.choice(["fro", 1, -1, float("inf"), -float("inf")])), {"keepdim": d.flag()}


UNARY = {
    **dict.fromkeys(
        "abs absolute neg negative exp exp2 expm1 sin cos tanh sinh cosh erf sigmoid square sign sgn".split(), unary()
    ),
    **dict.fromkeys(
        "arctan atan asinh arcsinh floor ceil trunc fix round frac sinc deg2rad rad2deg relu".split(), unary()
    ),
    **dict.fromkeys(
        "isnan isinf isfinite isposinf isneginf isreal signbit logical_not nan_to_num ravel".split(), unary()
    ),
    **dict.fromkeys("log log2 log10 log1p sqrt rsqrt reciprocal".split(), unary(0.25, 4)),
    **dict.fromkeys("asin arcsin acos arccos atanh arctanh tan".split(), unary(-0.9, 0.9)),
    **dict.fromkeys("acosh arccosh".split(), unary(1.1, 4)),
    "erfinv": unary(-0.95, 0.95),
    **dict.fromkeys(("erfc", "i0"), unary()),
    **dict.fromkeys(("lgamma", "digamma"), unary(0.25, 4)),
    "mvlgamma": lambda d: ((d.real(3, low=2, high=4), d.choice([1, 2, 3])), {}),
    "logit": lambda d: ((d.real(3, low=0.1, high=0.9), *([1e-6] if d.flag() else [])), {}),
    "clone": unary(),
    "selu": unary(),
}
BINARY = {
    **dict.fromkeys("add sub subtract mul multiply eq ne lt le gt ge".split(), either),
    **dict.fromkeys(
        "less less_equal greater greater_equal not_equal logical_and logical_or logical_xor".split(), either
    ),
    **dict.fromkeys("maximum minimum fmax fmin".split(), binary()),
    **dict.fromkeys("hypot arctan2 atan2 logaddexp logaddexp2 copysign isclose dist".split(), binary()),
    **dict.fromkeys("remainder fmod floor_divide true_divide".split(), nonzero_second),
    **dict.fromkeys("div divide".split(), divided),
    "pow": lambda d: ((d.pair(0.2, 2)) if d.flag() else (d.real(3, low=0.2), d.choice([2, 3.0, 0.5, -1])), {}),
    "float_power": lambda d: (d.pair(0.2, 2), {}),
    "xlogy": binary(0.2, 3),
    "heaviside": binary(),
    "lerp": lambda d: (like(d, 3) if d.flag() else (*like(d, 2), 0.25), {}),
    "addcmul": lambda d: (like(d, 3), {"value": d.choice([1, 0.5])}),
    "addcdiv": lambda d: ((*like(d, 2), d.real(1, low=1)), {"value": d.choice([1, 0.5])}),
    "rsub": lambda d: (d.pair(), {"alpha": d.choice([1, 2])}),
    "clamp": clamped,
    "clip": clamped,
    "clamp_min": lambda d: ((d.real(3), d.choice([0.1, np.array(0.2)])), {}),
    "clamp_max": lambda d: ((d.real(3), d.choice([0.1, np.array(0.2)])), {}),
    "allclose": lambda d: (like(d, 2), {}),
    "equal": lambda d: (like(d, 2), {}),
    "is_nonzero": lambda d: ((d.real(1),), {}),
    "isin": lambda d: ((d.whole(4), d.whole(3)), {"invert": d.flag()}),
    **dict.fromkeys("bitwise_and bitwise_or bitwise_xor gcd lcm".split(), lambda d: ((d.whole(4), d.whole(4)), {})),
    **dict.fromkeys(
        "bitwise_left_shift bitwise_right_shift".split(), lambda d: ((d.whole(4), d.whole(4, low=0, high=3)), {})
    ),
    "bitwise_not": lambda d: ((d.choice([d.whole(4), d.mask(4)]),), {}),
    "where": lambda d: ((d.mask(3), *like(d, 1, 0, 0), d.real(3)), {}),
    "masked_fill": lambda d: ((*masked(d), 2.5), {}),
    "maximum of integers": None,
}
del BINARY["maximum of integers"]
REDUCTIONS = {
    **dict.fromkeys("sum mean nansum nanmean any all amax amin".split(), reduction),
    **dict.fromkeys("var std var_mean std_mean".split(), spread),
    "prod": lambda d: (one_dim(d)[0], {}) if d.flag() else ((d.real(3),), {}),
    "logsumexp": one_dim,
    **dict.fromkeys(
        "max min median nanmedian".split(), lambda d: one_dim(d) if d.flag() else ((d.distinct(*d.shape()),), {})
    ),
    "mode": one_dim,
    "argmax": one_dim,
    "argmin": one_dim,
    "aminmax": lambda d: ((d.distinct(3, 2),), {"dim": d.choice([None, 0, 1]), "keepdim": d.flag()}),
    "count_nonzero": lambda d: ((np.round(d.real(3, 2)), *([d.choice([0, 1, (0, 1)])] if d.flag() else [])), {}),
    **dict.fromkeys("cumsum cumprod cummax cummin".split(), along),
    "diff": differences,
    "trapezoid": lambda d: ((d.real(3, 4), *([d.real(4)] if d.flag() else [])), {}),
    "norm": norms,
    "quantile": quantiles,
    "cov": lambda d: ((d.real(3, 4),), {"correction": d.choice([0, 1])}),
    "corrcoef": lambda d: ((d.real(3, 4),), {}),
    "histc": lambda d: ((d.real(9),), {"bins": d.integer(1, 5), **d.choice([{}, {"min": -1, "max": 1}])}),
    "histogram": lambda d: (
        (d.real(9),),
        {"bins": d.integer(1, 5), "density": d.flag(), **d.choice([{}, {"range": (-1, 1)}])},
    ),
    "bincount": lambda d: ((d.whole(6, low=0), *([d.real(6)] if d.flag() else [])), {}),
    "renorm": lambda d: ((d.real(3, 4), d.choice([1, 2, 3]), d.choice([0, 1, -1]), 1.5), {}),
    **dict.fromkeys("softmax log_softmax".split(), along),
}
SHAPES = {
    "reshape": reshaped,
    "permute": lambda d: ((d.real(2, 3, 4), tuple(d.rng.permutation(3).tolist())), {}),
    **dict.fromkeys(
        "transpose swapaxes swapdims".split(), lambda d: ((d.real(2, 3, 4), d.integer(-3, 2), d.integer(-3, 2)), {})
    ),
    "t": lambda d: ((d.real(*d.shape(0, 2)),), {}),
    "adjoint": lambda d: ((d.real(*d.shape(2, 3)),), {}),
    **dict.fromkeys("movedim moveaxis".split(), moved),
    "flatten": lambda d: ((d.real(2, 3, 4), *d.choice([(), (1,), (0, 1), (-2, -1)])), {}),
    "unflatten": lambda d: ((d.real(2, 6), 1, d.choice([(2, 3), (-1, 2), (3, 2, 1)])), {}),
    "squeeze": lambda d: ((d.real(1, 2, 1, 3), *d.choice([(), (0,), (1,), (-2,), ((0, 2),)])), {}),
    "unsqueeze": lambda d: ((d.real(2, 3), d.integer(-3, 2)), {}),
    "narrow": lambda d: ((d.real(4, 3), 0, d.choice([-4, -2, 0, 1, 2]), 2), {}),
    "select": lambda d: ((d.real(4, 3), d.integer(-2, 1), d.integer(-3, 2)), {}),
    "broadcast_to": lambda d: (expanded(d), {}),
    "flip": lambda d: ((d.real(2, 3, 4), d.choice([(0,), (1, 2), (-1,)])), {}),
    "fliplr": lambda d: ((d.real(2, 3),), {}),
    "flipud": lambda d: ((d.real(2, 3),), {}),
    "rot90": lambda d: ((d.real(2, 3, 2), d.integer(-3, 5), d.choice([(0, 1), (1, 2), (2, 0)])), {}),
    "roll": rolled,
    **dict.fromkeys("tril triu".split(), lambda d: ((d.real(*d.shape(2, 3)), d.integer(-2, 2)), {})),
    "diagonal": diagonals,
    "diag": lambda d: ((d.choice([d.real(3), d.real(3, 2)]), d.integer(-1, 1)), {}),
    "diag_embed": lambda d: ((d.real(2, 3), d.integer(-1, 1), *d.choice([(), (0, 1), (0, -1)])), {}),
    "diagflat": lambda d: ((d.real(2, 2), d.integer(-1, 1)), {}),
    "block_diag": lambda d: ((d.real(2, 2), d.real(1, 3), d.real(2)), {}),
    "trace": lambda d: ((d.real(3, 4),), {}),
    "split": split_at,
    "split_with_sizes": lambda d: ((d.real(4, 2), [1, 3], 0), {}),
    "chunk": lambda d: ((d.real(*d.shape(1)), d.integer(1, 5)), {}),
    "tensor_split": cut_at,
    "hsplit": lambda d: ((d.real(2, 4), d.choice([2, [1]])), {}),
    "vsplit": lambda d: ((d.real(4, 2), d.choice([2, [1]])), {}),
    "dsplit": lambda d: ((d.real(2, 2, 4), d.choice([2, [1]])), {}),
    "unbind": along,
    **dict.fromkeys("cat concat concatenate".split(), lambda d: (parts(d), {})),
    "stack": lambda d: ((like(d, 2), d.choice([0, -1])), {}),
    **dict.fromkeys("hstack vstack dstack column_stack row_stack".split(), lambda d: ((like(d, 2),), {})),
    **dict.fromkeys("atleast_1d atleast_2d atleast_3d".split(), unary()),
    "tile": lambda d: ((d.real(*d.shape()), d.choice([(2,), (2, 3), (1, 2, 2)])), {}),
    "repeat_interleave": repeated,
    "broadcast_tensors": lambda d: (d.pair(), {}),
    "meshgrid": lambda d: (tuple(vectors(d)), {"indexing": d.choice(["ij", "xy"])}),
    "cartesian_prod": lambda d: (tuple(vectors(d)), {}),
    "combinations": lambda d: ((d.real(4),), {"r": d.integer(1, 3), "with_replacement": d.flag()}),
}
INDEXING = {
    "gather": lambda d: (gathered(d), {}),
    "scatter_add": lambda d: (scattered(d), {}),
    "scatter": scatter,
    "scatter_reduce": scatter_reduce,
    "index_select": lambda d: (slices(d)[:3], {}),
    "index_add": lambda d: (slices(d), {"alpha": d.choice([1, 2])}),
    "index_copy": lambda d: (slices(d, repeats=False), {}),
    "index_fill": lambda d: ((*slices(d)[:3], 2.5), {}),
    "index_put": lambda d: ((d.real(4, 2), (d.whole(3, low=0, high=3),), d.real(3, 2), True), {}),
    "masked_select": lambda d: (masked(d), {}),
    "masked_scatter": lambda d: ((*masked(d), d.real(64)), {}),
    "take": lambda d: ((d.real(3, 2), d.whole(4, low=-6, high=5)), {}),
    "take_along_dim": lambda d: ((d.real(3, 2), d.whole(1, 2, low=0, high=2), 0), {}),
    "nonzero": lambda d: ((np.round(d.real(*d.shape())),), {"as_tuple": d.flag()}),
    "argwhere": lambda d: ((np.round(d.real(3, 2)),), {}),
    "select_scatter": lambda d: ((d.real(3, 2), d.real(2), 0, d.integer(-3, 2)), {}),
    "slice_scatter": lambda d: ((d.real(4, 2), d.real(2, 2), 0, 1, 3), {}),
    "sort": sortable,
    "argsort": sortable,
    "msort": lambda d: ((d.distinct(3, 2),), {}),
    "topk": top,
    "kthvalue": kth,
    "searchsorted": lambda d: ((np.sort(d.real(5)), d.real(2, 3)), {"right": d.flag()}),
    "bucketize": lambda d: ((d.real(2, 3), np.sort(d.real(5))), {"right": d.flag()}),
    "one_hot": None,
}
del INDEXING["one_hot"]
PRODUCTS = {
    "mm": lambda d: (matrices(d), {}),
    "matmul": lambda d: (
        d.choice([matrices(d), (d.real(3), d.real(3)), (d.real(2, 2, 3), d.real(3)), (d.real(3), d.real(2, 3, 2))]),
        {},
    ),
    "bmm": lambda d: (batches(d, True)[1:], {}),
    "mv": lambda d: ((d.real(2, 3), d.real(3)), {}),
    **dict.fromkeys("dot vdot".split(), lambda d: ((d.real(3), d.real(3)), {})),
    **dict.fromkeys("outer ger".split(), lambda d: ((d.real(2), d.real(3)), {})),
    "inner": lambda d: (d.choice([(d.real(3), d.real(3)), (d.real(2, 3), d.real(4, 3))]), {}),
    "addmm": scaled(with_matrices),
    "addmv": scaled(lambda d: (d.real(2), d.real(2, 3), d.real(3))),
    "addr": scaled(lambda d: (d.real(2, 3), d.real(2), d.real(3))),
    "addbmm": scaled(lambda d: batches(d, False)),
    "baddbmm": scaled(lambda d: batches(d, True)),
    "chain_matmul": lambda d: ((d.real(2, 3), d.real(3, 1), d.real(1, 4)), {}),
    "matrix_power": lambda d: ((d.square(), d.integer(0, 4)), {}),
    "tensordot": tensordot,
    "kron": lambda d: ((d.real(*d.shape(0, 2)), d.real(*d.shape(0, 2))), {}),
    "cross": lambda d: (d.choice([(d.real(3), d.real(3)), (d.real(2, 3), d.real(2, 3), 1)]), {}),
    "cdist": lambda d: ((d.real(3, 2), d.real(4, 2)), {"p": d.choice([2.0, 1.0, 3.0])}),
    "einsum": lambda d: ((d.choice(["ij,jk->ik", "ij,jk"]), *matrices(d)), {}),
    **dict.fromkeys("inverse det logdet slogdet".split(), lambda d: ((d.square(*d.shape(0, 1)),), {})),
    "linalg.inv": lambda d: ((d.square(),), {}),
    "linalg.det": lambda d: ((d.square(),), {}),
    "linalg.slogdet": lambda d: ((d.square(),), {}),
    "linalg.solve": lambda d: (lambda a: ((a, d.real(len(a), *d.choice([(), (2,)]))), {}))(d.square()),
    "linalg.norm": lambda d: ((d.distinct(2, 3), *d.choice([(), ("fro",), (1,), (2, 1)])), {}),
    "linalg.vector_norm": lambda d: (
        (d.distinct(2, 3), d.choice([2, 1, 3, float("inf")]), d.choice([None, 0, (0, 1)])),
        {},
    ),
    "linalg.matrix_norm": norm_of_matrix,
    "linalg.multi_dot": lambda d: (([d.real(2, 3), d.real(3, 1), d.real(1, 4)],), {}),
    "linalg.matrix_power": lambda d: ((d.square(), d.integer(0, 3)), {}),
    "linalg.cross": lambda d: ((d.real(2, 3), d.real(2, 3)), {}),
    "linalg.matrix_rank": lambda d: ((np.round(d.real(3, 3)),), {}),
}
TABLE = {**UNARY, **BINARY, **REDUCTIONS, **SHAPES, **INDEXING, **PRODUCTS}
METHODS_ONLY = {
    "view": reshaped,
    "expand": lambda d: (lambda x, shape: ((x, *shape), {}))(*expanded(d)),
    "repeat": lambda d: ((d.real(2, 3), *d.choice([(2, 1), (1, 2, 2)])), {}),
    "unfold": windowed,
    "sum_to_size": lambda d: ((d.real(2, 3), 1, 3), {}),
    "view_as": lambda d: ((d.real(2, 3), d.real(3, 2)), {}),
    "reshape_as": lambda d: ((d.real(2, 3), d.real(3, 2)), {}),
    "expand_as": lambda d: ((d.real(1, 3), d.real(2, 3)), {}),
    "type_as": lambda d: ((d.real(2), d.whole(2)), {}),
    "double": unary(),
    "contiguous": unary(),
}
NOT_IN_PYTORCH = {"astype", "setitem", "getitem", "Op", "pad", "movedim"}
ELSEWHERE = set(
    """adaptive_avg_pool2d avg_pool2d batch_norm conv1d conv2d conv_transpose2d cross_entropy dropout elu embedding gelu
    hardtanh layer_norm leaky_relu linear max_pool2d nll_loss one_hot silu softplus binary_cross_entropy""".split()
)
"""Compared in test_nn_parity.py and its neighbours."""
UNTESTED_HERE = set("polygamma broadcast_shapes unique unique_consecutive cholesky put svd".split())
"""With tests of their own, below."""
OF_PYTORCH = {entry.split(".")[0] for entry in DATABASES["op_db"].ENTRIES} | {"as_strided", "vander", "histogramdd"}
"""Compared by PyTorch's own samples, in test_op_db.py."""
BY_THEIR_PARTS = set(
    """select_copy split_copy lu_unpack pinverse unfold_copy view_copy lu lu_solve orgqr qr conv3d conv_transpose3d real
    imag""".split()
)
"""The op that they are has an entry there, under another name."""


def test_no_function_is_forgotten():
    known = {*TABLE, *METHODS_ONLY, *NOT_IN_PYTORCH, *ELSEWHERE, *UNTESTED_HERE, *OF_PYTORCH, *BY_THEIR_PARTS}
    missing = [name for name in tg.ops.__all__ if name in tg.__all__ and name not in known]
    assert not missing


def converted(lib, value, grads):
    if isinstance(value, (np.ndarray, np.generic)):
        made = torch.tensor(value) if lib is torch else tg.tensor(value)
        if value.dtype.kind == "f":
            made.requires_grad_()
            grads.append(made)
        return made
    if isinstance(value, (list, tuple)):
        return type(value)(converted(lib, v, grads) for v in value)
    return value


def flattened(value):
    if isinstance(value, (list, tuple)):
        return [leaf for part in value for leaf in flattened(part)]
    return [value]


def plain(value):
    if isinstance(value, torch.Tensor):
        return value.numpy(force=True)
    return value.detach().numpy() if isinstance(value, tg.Tensor) else np.asarray(value)


def same(mine, theirs, tolerance=1e-9):
    if theirs is None or mine is None:
        known = plain(theirs if mine is None else mine)
        np.testing.assert_allclose(known, 0, atol=1e-9)  # one says None where the other says zeros
        return
    assert str(mine.dtype if hasattr(mine, "dtype") else type(mine)) == str(
        theirs.dtype if hasattr(theirs, "dtype") else type(theirs)
    )
    a, b = plain(mine), plain(theirs)
    assert a.shape == b.shape
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def gradients(lib, outputs, inputs, seed):
    """First and second gradients of a weighted sum of the outputs, or None where there are none."""
    rng = np.random.default_rng(seed)
    weights = [converted(lib, rng.uniform(0.5, 1.5, np.shape(plain(out))), []).detach() for out in outputs]
    pairs = zip(outputs, weights, strict=True)
    weighted = [(out * w).sum() for out, w in pairs if getattr(out, "requires_grad", False)]
    if not weighted or not inputs:
        return None, None
    total = sum(weighted[1:], weighted[0])
    first = lib.autograd.grad(total, inputs, create_graph=True, allow_unused=True)
    pieces = [(g * g * 0.5 + g).sum() for g in first if g is not None and g.requires_grad]
    if not pieces:
        return first, None
    second = lib.autograd.grad(sum(pieces[1:], pieces[0]), inputs, allow_unused=True)
    return first, second


def compare(call, args, options, seed):
    mine_in, theirs_in = [], []
    mine_args, theirs_args = converted(tg, args, mine_in), converted(torch, args, theirs_in)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = flattened(call(torch, theirs_args, options))
        mine = flattened(call(tg, mine_args, options))
    assert len(mine) == len(theirs)
    for a, b in zip(mine, theirs, strict=True):
        same(a, b)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = gradients(torch, theirs, theirs_in, seed)
        except RuntimeError as error:
            if "not implemented" in str(error) or "derivative" in str(error):
                return
            raise
        found = gradients(tg, mine, mine_in, seed)
    for order, tolerance in ((0, 1e-7), (1, 1e-7)):
        if expected[order] is None or found[order] is None:
            known = expected[order] if found[order] is None else found[order]
            for g in known or ():
                if g is not None:
                    np.testing.assert_allclose(plain(g), 0, atol=1e-9)
            continue
        for a, b in zip(found[order], expected[order], strict=True):
            if a is not None or b is not None:
                same(a, b, tolerance)


def of_path(lib, name):
    for part in name.split("."):
        lib = getattr(lib, part)
    return lib


seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("name", TABLE)
def test_function(name):
    @EXAMPLES
    @given(seeds)
    def run(seed):
        args, options = TABLE[name](Draw(seed))
        compare(lambda lib, a, o: of_path(lib, name)(*a, **o), args, options, seed)

    run()


IN_BOTH = {name: row for name, row in {**TABLE, **METHODS_ONLY}.items() if hasattr(torch.Tensor, name)} | METHODS_ONLY
for name in ("where", "einsum", "meshgrid"):
    IN_BOTH.pop(name, None)


@pytest.mark.parametrize("name", IN_BOTH)
def test_method(name):
    assert hasattr(tg.Tensor, name)

    @EXAMPLES
    @given(seeds)
    def run(seed):
        args, options = IN_BOTH[name](Draw(seed))
        compare(lambda lib, a, o: getattr(a[0], name)(*a[1:], **o), args, options, seed)

    run()


@pytest.mark.parametrize("name", ["unique", "unique_consecutive"])
@EXAMPLES
@given(seeds)
def test_distinct_elements(name, seed):
    d = Draw(seed)
    x, options = d.whole(*d.shape(1, 2), low=0, high=3), {"return_inverse": d.flag(), "return_counts": d.flag()}
    if d.flag():
        options["dim"] = d.dim(x)
    compare(lambda lib, a, o: getattr(lib, name)(a, **o), x, options, seed)


@EXAMPLES
@given(seeds)
def test_decompositions(seed):
    """Their values; signs and orders are those of LAPACK in both."""
    d = Draw(seed)
    a = d.square()
    spd = a @ a.T
    with tg.no_grad(), torch.no_grad():
        compare(lambda lib, x, o: lib.linalg.cholesky(x[0], **o), (spd,), {"upper": d.flag()}, seed)
        compare(lambda lib, x, o: lib.linalg.eigh(x[0]).eigenvalues, (spd,), {}, seed)
        compare(lambda lib, x, o: lib.linalg.svdvals(x[0]), (a,), {}, seed)
        compare(lambda lib, x, o: lib.linalg.pinv(x[0]), (a,), {}, seed)
        compare(lambda lib, x, o: lib.svd(x[0]), (a,), {}, seed)
        compare(lambda lib, x, o: lib.linalg.matrix_norm(x[0], o["ord"]), (a,), {"ord": d.choice(["nuc", 2, -2])}, seed)


def test_shapes_broadcast():
    assert tuple(tg.broadcast_shapes((2, 1), (3,))) == tuple(torch.broadcast_shapes((2, 1), (3,)))
    assert repr(tg.broadcast_shapes((2, 1), (3,))) == repr(torch.broadcast_shapes((2, 1), (3,)))


IN_PLACE = [
    *(
        "abs_ neg_ exp_ log1p_ sin_ tanh_ sigmoid_ relu_ sqrt_ square_ floor_ round_ add_ sub_ mul_ div_ pow_ clamp_"
    ).split(),
    *(
        "masked_fill_ lerp_ addcmul_ addcdiv_ index_add_ index_copy_ index_fill_ scatter_ scatter_add_ tril_ triu_"
    ).split(),
    *("cumsum_ cumprod_ addmm_ addmv_ baddbmm_ masked_scatter_ hypot_ atan2_ fmod_ remainder_ nan_to_num_").split(),
    *("squeeze_ unsqueeze_ t_ transpose_ clamp_min_ clamp_max_ renorm_ copysign_ xlogy_").split(),
]


@pytest.mark.parametrize("name", [n for n in IN_PLACE if n[:-1] in TABLE])
def test_in_place(name):
    @EXAMPLES
    @given(seeds)
    def run(seed):
        args, options = TABLE[name[:-1]](Draw(seed))
        try:
            given = converted(torch, args, [])
            getattr(given[0].detach().clone(), name)(*given[1:], **options)
        except RuntimeError:  # a result of another shape or dtype: refused here, too
            given = converted(tg, args, [])
            with pytest.raises(RuntimeError):
                getattr(given[0].detach().clone(), name)(*given[1:], **options)
            return
        compare(lambda lib, a, o: getattr(a[0] * 1, name)(*a[1:], **o), args, options, seed)

    run()


OPERANDS = {
    "bool": np.array([True, False]),
    "uint8": np.array([1, 3], np.uint8),
    "int8": np.array([1, -3], np.int8),
    "int32": np.array([1, -3], np.int32),
    "int64": np.array([2, -3]),
    "float16": np.array([0.5, 2], np.float16),
    "float32": np.array([0.5, 2], np.float32),
    "float64": np.array([0.5, 2.0]),
    "0-dim int64": np.array(3),
    "0-dim float64": np.array(0.5),
    "0-dim float32": np.array(0.5, np.float32),
    "int": 3,
    "float": 2.5,
    "True": True,
}
ARITHMETIC = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "**": lambda a, b: a**b,
    "<": lambda a, b: a < b,
    "==": lambda a, b: a == b,
}


@pytest.mark.parametrize("symbol", ARITHMETIC)
@pytest.mark.parametrize("left", OPERANDS)
@pytest.mark.parametrize("right", OPERANDS)
def test_promotion(symbol, left, right):
    a, b = OPERANDS[left], OPERANDS[right]
    if not isinstance(a, np.ndarray) and not isinstance(b, np.ndarray):
        return
    if symbol == "**" and (left, right) == ("bool", "True"):
        return  # PyTorch's booleans; here integers, as of a boolean tensor to the power of 1

    def made(lib, value):
        return lib.tensor(value) if isinstance(value, np.ndarray) else value

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            theirs = ARITHMETIC[symbol](made(torch, a), made(torch, b))
        except (RuntimeError, TypeError, ZeroDivisionError):  # bool - bool, integers to negative powers
            return
        mine = ARITHMETIC[symbol](made(tg, a), made(tg, b))
    same(mine, theirs, 1e-3 if "float16" in (left, right) else 1e-6)


CREATED = {
    "zeros(2, 3)": lambda t: t.zeros(2, 3),
    "zeros((2, 3))": lambda t: t.zeros((2, 3), dtype=t.int32),
    "ones(size)": lambda t: t.ones(size=(2, 3)),
    "full": lambda t: t.full((2, 2), 3),
    "full float": lambda t: t.full((2, 2), 3.5),
    "full bool": lambda t: t.full((2,), True),
    "arange": lambda t: t.arange(5),
    "arange float": lambda t: t.arange(1, 2, 0.3),
    "arange dtype": lambda t: t.arange(3, dtype=t.float64),
    "arange down": lambda t: t.arange(5, 0, -2),
    "linspace": lambda t: t.linspace(-1, 1, 7),
    "linspace 1": lambda t: t.linspace(-1, 1, 1),
    "logspace": lambda t: t.logspace(0, 2, 5),
    "logspace base": lambda t: t.logspace(0, 4, 5, base=2, dtype=t.float64),
    "eye": lambda t: t.eye(3, 2),
    "tril_indices": lambda t: t.tril_indices(3, 4, -1),
    "triu_indices": lambda t: t.triu_indices(3, 4, 1),
    "zeros_like": lambda t: t.zeros_like(t.ones(2, dtype=t.int64)),
    "ones_like": lambda t: t.ones_like(t.ones(2), dtype=t.float64),
    "full_like": lambda t: t.full_like(t.ones(2), 7),
    "tensor ints": lambda t: t.tensor([[1, 2], [3, 4]]),
    "tensor mixed": lambda t: t.tensor([1, 2.5]),
    "tensor bools": lambda t: t.tensor([True, False]),
    "tensor of tensors": lambda t: t.tensor([t.tensor(1.0), t.tensor(2.0)]),
    "tensor dtype": lambda t: t.tensor([1, 2], dtype=float),
    "tensor of numpy": lambda t: t.tensor(np.float64(2.5)),
    "as_tensor": lambda t: t.as_tensor([1, 2]),
    "asarray": lambda t: t.asarray([1.0, 2]),
    "scalar_tensor": lambda t: t.scalar_tensor(3),
    "from_numpy": lambda t: t.from_numpy(np.arange(3, dtype=np.int16)),
    "Tensor(2, 0)": lambda t: t.Tensor(2, 0),
    "Tensor(list)": lambda t: t.Tensor([1, 2]),
    "FloatTensor": lambda t: t.FloatTensor([1, 2]),
    "LongTensor": lambda t: t.LongTensor([[1, 2]]),
    "new_tensor": lambda t: t.ones(2, dtype=t.float64).new_tensor([1, 2]),
    "new_full": lambda t: t.ones(2, dtype=t.float64).new_full((2, 1), 3),
    "Size": lambda t: t.Size([2, 3]),
    "shape": lambda t: t.zeros(2, 3).shape,
    "slice of a shape": lambda t: t.zeros(2, 3, 4).shape[1:],
    "dtype": lambda t: t.float32,
    "device": lambda t: t.zeros(1).device,
    "type": lambda t: t.zeros(1).double().type(),
    "stride": lambda t: t.zeros(2, 3).t().stride(),
    "max": lambda t: t.tensor([[1.0, 3], [2, 0]]).max(1),
    "sort": lambda t: t.tensor([3, 1, 2]).sort(),
    "topk": lambda t: t.tensor([3.0, 1, 2]).topk(2),
    "aminmax": lambda t: t.aminmax(t.tensor([3, 1, 2])),
    "finfo": lambda t: t.finfo(t.float32).eps,
    "iinfo": lambda t: t.iinfo(t.int16),
    "finfo repr": lambda t: t.finfo(t.float64),
    "result_type": lambda t: t.result_type(t.tensor([1]), 1.0),
    "promote_types": lambda t: t.promote_types(t.uint8, t.int8),
    "can_cast": lambda t: t.can_cast(t.float64, t.int32),
    "typename": lambda t: t.typename(t.zeros(1)),
    "named tuple": lambda t: t.linalg.slogdet(t.eye(2)),
}


@pytest.mark.parametrize("name", CREATED)
def test_what_is_made_prints_the_same(name):
    assert repr(CREATED[name](tg)) == repr(CREATED[name](torch))


WRONG = {
    "matmul": lambda t: t.ones(2, 3) @ t.ones(2, 3),
    "add": lambda t: t.ones(2, 3) + t.ones(4),
    "reshape": lambda t: t.ones(6).reshape(4, 2),
    "view": lambda t: t.ones(6).view(-1, 4),
    "index": lambda t: t.ones(3)[5],
    "too many indices": lambda t: t.ones(3)[0, 0],
    "cat": lambda t: t.cat([t.ones(2, 3), t.ones(2, 4)], 0),
    "cat of nothing": lambda t: t.cat([]),
    "stack": lambda t: t.stack([t.ones(2), t.ones(3)]),
    "item": lambda t: t.ones(2).item(),
    "bool": lambda t: bool(t.ones(2)),
    "sum of a dim": lambda t: t.ones(2).sum(3),
    "dim twice": lambda t: t.ones(2, 2).sum((0, 0)),
    "squeeze": lambda t: t.ones(2).squeeze(4),
    "transpose": lambda t: t.ones(2, 2).transpose(0, 5),
    "permute": lambda t: t.ones(2, 2).permute(0),
    "expand": lambda t: t.ones(2, 3).expand(4, 3),
    "gather index": lambda t: t.ones(2).gather(0, t.tensor([5])),
    "gather dtype": lambda t: t.ones(2).gather(0, t.ones(1)),
    "index_select": lambda t: t.ones(2).index_select(0, t.tensor([5])),
    "scatter": lambda t: t.zeros(2).scatter_(0, t.tensor([5]), 1.0),
    "masked_select": lambda t: t.ones(2).masked_select(t.ones(3) > 0),
    "backward of many": lambda t: t.ones(2, requires_grad=True).backward(),
    "backward without a graph": lambda t: t.ones(1).backward(),
    "integer gradient": lambda t: t.ones(1, dtype=t.int64, requires_grad=True),
    "leaf in place": lambda t: t.ones(1, requires_grad=True).add_(1),
    "numpy of a gradient": lambda t: t.ones(1, requires_grad=True).numpy(),
    "float into int": lambda t: t.ones(2, dtype=t.int64).add_(0.5),
    "in place of another shape": lambda t: t.ones(2).add_(t.ones(3, 2)),
    "len of a number": lambda t: len(t.tensor(1.0)),
    "iter of a number": lambda t: list(t.tensor(1.0)),
    "ragged": lambda t: t.tensor([[1, 2], [3]]),
    "tensor of text": lambda t: t.tensor("abc"),
    "zeros of a negative size": lambda t: t.zeros(-1),
    "zeros of a fraction": lambda t: t.zeros(2.5),
    "arange of step 0": lambda t: t.arange(0, 1, 0),
    "arange the wrong way": lambda t: t.arange(1, 0, 1),
    "topk": lambda t: t.ones(2).topk(5),
    "kthvalue": lambda t: t.ones(2).kthvalue(5),
    "chunk": lambda t: t.ones(2).chunk(0),
    "split": lambda t: t.ones(4).split([1, 2]),
    "narrow": lambda t: t.ones(2).narrow(0, 1, 5),
    "select": lambda t: t.ones(2).select(0, 7),
    "mm": lambda t: t.ones(2).mm(t.ones(2)),
    "bmm": lambda t: t.ones(2, 2, 2).bmm(t.ones(3, 2, 2)),
    "dot": lambda t: t.ones(2).dot(t.ones(3)),
    "cross": lambda t: t.linalg.cross(t.ones(2), t.ones(2)),
    "einsum": lambda t: t.einsum("ij,jk->ik", t.ones(2, 3), t.ones(2, 3)),
    "inverse": lambda t: t.inverse(t.zeros(2, 2)),
    "cholesky": lambda t: t.linalg.cholesky(-t.eye(2)),
    "argmax of nothing": lambda t: t.zeros(0).argmax(),
    "max of nothing": lambda t: t.zeros(0).max(),
    "bincount": lambda t: t.bincount(t.tensor([-1])),
    "unflatten": lambda t: t.ones(6).unflatten(0, (4, 2)),
    "repeat": lambda t: t.ones(2, 2).repeat(2),
    "movedim": lambda t: t.ones(2, 2).movedim((0, 1), (0,)),
    "cuda": lambda t: t.ones(2).cuda(),
    "to cuda": lambda t: t.ones(2).to("cuda"),
    "clamp": lambda t: t.ones(2).clamp(),
    "where": lambda t: t.where(t.ones(2) > 0, t.ones(3), t.ones(2)),
    "setitem": lambda t: t.ones(3).__setitem__(slice(0, 2), t.ones(3)),
    "from_numpy of a list": lambda t: t.from_numpy([1]),
    "finfo of ints": lambda t: t.finfo(t.int64),
    "rounding mode": lambda t: t.div(t.ones(1), t.ones(1), rounding_mode="up"),
    "minus of booleans": lambda t: -t.tensor([True]),
    "difference of booleans": lambda t: t.tensor([True]) - t.tensor([True]),
    "requires_grad of a result": lambda t: (t.ones(1, requires_grad=True) * 2).requires_grad_(False),
    "meshgrid": lambda t: t.meshgrid(t.ones(2), indexing="ab"),
    "quantile": lambda t: t.quantile(t.ones(2), 2.0),
    "deepcopy of a result": lambda t: __import__("copy").deepcopy(t.ones(1, requires_grad=True) * 2),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_raises_the_same_kind_of_error(name):
    with pytest.raises(Exception) as theirs:
        WRONG[name](torch)
    kind = next(k for k in theirs.type.__mro__ if k.__module__ == "builtins")
    with pytest.raises(kind):
        WRONG[name](tg)


DRAWN = {
    "random_": lambda t: t.zeros(5).random_(10),
    "random_ of two": lambda t: t.zeros(5, dtype=t.int64).random_(-3, 4),
    "random_ of any": lambda t: t.zeros(5, dtype=t.int64).random_(),
    "bernoulli_": lambda t: t.zeros(40).bernoulli_(0.3),
    "uniform_": lambda t: t.zeros(5).uniform_(-1, 2),
    "normal_": lambda t: t.zeros(20).normal_(1, 2),
    "geometric_": lambda t: t.zeros(9).geometric_(0.3),
    "cauchy_": lambda t: t.zeros(9, dtype=t.float64).cauchy_(1, 2),
    "log_normal_": lambda t: t.zeros(20).log_normal_(0.5, 0.25),
    "rand": lambda t: t.rand(size=(2, 3)),
    "randn": lambda t: t.randn((), dtype=t.float64, device="cpu"),
    "randint": lambda t: t.randint(7, (5,)),
    "randint by name": lambda t: t.randint(low=-2, high=3, size=(5,), dtype=t.float32),
    "randint_like": lambda t: t.randint_like(t.zeros(4), 2, 9),
    "randperm": lambda t: t.randperm(9),
    "rand_like": lambda t: t.rand_like(t.zeros(3), dtype=t.float64),
    "randn_like": lambda t: t.randn_like(t.zeros(20)),
}


@pytest.mark.parametrize("name", DRAWN)
def test_random_numbers_are_pytorchs(name):
    tg.manual_seed(7)
    torch.manual_seed(7)
    same(DRAWN[name](tg), DRAWN[name](torch), 1e-5)
