"""``torch.special``: special functions, each also with `out`; those that `tinygrad_cnn` has too, under both names."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.promotion import default
from tinygrad_cnn.core.types import A, ArrayLike
from tinygrad_cnn.ops import polynomials, special
from tinygrad_cnn.ops.trigonometry import Sinc
from tinygrad_cnn.ops.untracked import plain, refuse_gradient
from tinygrad_cnn.tensor.out import into, of_tensors
from tinygrad_cnn.torch_names.absent import absent as _absent

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _of_any_tensor(function: _Function) -> _Function:
    """A function of two arguments, one of which may be a number, with `out`."""
    return into(of_tensors(function, 2, all))


digamma = psi = into(ops.digamma)
erf, erfc, erfinv = into(ops.erf), into(ops.erfc), into(ops.erfinv)
exp2, expit, expm1 = into(ops.exp2), into(ops.sigmoid), into(ops.expm1)
gammaln, i0 = into(ops.lgamma), into(ops.i0)
log1p, logit, logsumexp = into(ops.log1p), into(ops.logit), into(ops.logsumexp)
log_softmax, softmax = ops.log_softmax, ops.softmax
multigammaln, polygamma = into(ops.mvlgamma), into(ops.polygamma)
round, sinc, xlogy = into(ops.round), into(ops.sinc), into(ops.xlogy)
chebyshev_polynomial_t = _of_any_tensor(polynomials.chebyshev_polynomial_t)
chebyshev_polynomial_u = _of_any_tensor(polynomials.chebyshev_polynomial_u)
chebyshev_polynomial_v = _of_any_tensor(polynomials.chebyshev_polynomial_v)
chebyshev_polynomial_w = _of_any_tensor(polynomials.chebyshev_polynomial_w)
hermite_polynomial_h = _of_any_tensor(polynomials.hermite_polynomial_h)
hermite_polynomial_he = _of_any_tensor(polynomials.hermite_polynomial_he)
laguerre_polynomial_l = _of_any_tensor(polynomials.laguerre_polynomial_l)
legendre_polynomial_p = _of_any_tensor(polynomials.legendre_polynomial_p)
shifted_chebyshev_polynomial_t = _of_any_tensor(polynomials.shifted_chebyshev_polynomial_t)
shifted_chebyshev_polynomial_u = _of_any_tensor(polynomials.shifted_chebyshev_polynomial_u)
shifted_chebyshev_polynomial_v = _of_any_tensor(polynomials.shifted_chebyshev_polynomial_v)
shifted_chebyshev_polynomial_w = _of_any_tensor(polynomials.shifted_chebyshev_polynomial_w)


@into
def erfcx(input: A) -> A:
    """``exp(x²) erfc(x)``, which neither vanishes nor loses digits for large x.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.erfcx(tg.tensor([0.0, 1.0, 30.0]))
    tensor([1.0000, 0.4276, 0.0188])
    """
    return special.Erfcx.apply(input)


@into
def ndtr(input: A) -> A:
    """The normal distribution function: the area under its density up to x.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.ndtr(tg.tensor([-1.0, 0.0, 1.0]))
    tensor([0.1587, 0.5000, 0.8413])
    """
    return special.Ndtr.apply(input)


@into
def log_ndtr(input: A) -> A:
    """The logarithm of `ndtr`, where that vanishes, too.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.log_ndtr(tg.tensor([-30.0, 0.0]))
    tensor([-454.3213,   -0.6931])
    """
    return special.LogNdtr.apply(input)


@into
def ndtri(input: A) -> A:
    """The inverse of `ndtr`: ∓∞ at 0 and 1, NaN outside.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.ndtri(tg.tensor([0.25, 0.5]))
    tensor([-0.6745,  0.0000])
    """
    return special.Ndtri.apply(input)


@into
def entr(input: A) -> A:
    """``-x ln x``, 0 at 0 and -∞ below.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.entr(tg.tensor([0.0, 0.5, 1.0]))
    tensor([0.0000, 0.3466, -0.0000])
    """
    return special.Entr.apply(input)


@_of_any_tensor
def xlog1py(input: A, other: ArrayLike) -> A:
    """``input * log1p(other)``, 0 where `input` is 0 and `other` is a number.

    Shapes broadcast; integers give the default floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.xlog1py(tg.tensor([0.0, 2.0]), tg.tensor([-1.0, 1.0]))
    tensor([0.0000, 1.3863])
    """
    return special.Xlog1py.apply(input, other)


@_of_any_tensor
def zeta(input: A, other: ArrayLike) -> A:
    """Hurwitz' zeta function, the sum of ``(other + k) ** -input`` over k = 0, 1, …; no derivative in `input`.

    Shapes broadcast; integers give the default floating dtype.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.zeta(tg.tensor([2.0, 4.0]), tg.tensor([1.0]))
    tensor([1.6449, 1.0823])
    """
    refuse_gradient("zeta", "estimate it", input)
    whole = plain("zeta", input).dtype.kind in "biu" and hasattr(input, "astype")
    return special.Zeta.apply(input.astype(default.dtype) if whole else input, other)


@into
def i0e(input: A) -> A:
    """``exp(-|x|) i0(x)``

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.i0e(tg.tensor([0.0, 1.0]))
    tensor([1.0000, 0.4658])
    """
    return special.BesselI.apply(input, n=0, scaled=True)


@into
def i1(input: A) -> A:
    """The modified Bessel function of the first kind and order 1.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.i1(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.5652])
    """
    return special.BesselI.apply(input, n=1, scaled=False)


@into
def i1e(input: A) -> A:
    """``exp(-|x|) i1(x)``

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.i1e(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.2079])
    """
    return special.BesselI.apply(input, n=1, scaled=True)


@into
def modified_bessel_i0(input: A) -> A:
    """The modified Bessel function of the first kind and order 0.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.modified_bessel_i0(tg.tensor([0.0, 1.0]))
    tensor([1.0000, 1.2661])
    """
    return special.BesselI.apply(input, n=0, scaled=False)


@into
def modified_bessel_i1(input: A) -> A:
    """The modified Bessel function of the first kind and order 1.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.modified_bessel_i1(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.5652])
    """
    return special.BesselI.apply(input, n=1, scaled=False)


@into
def modified_bessel_k0(input: A) -> A:
    """The modified Bessel function of the second kind and order 0.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.modified_bessel_k0(tg.tensor([0.5, 1.0]))
    tensor([0.9244, 0.4210])
    """
    return special.BesselK.apply(input, n=0, scaled=False)


@into
def modified_bessel_k1(input: A) -> A:
    """The modified Bessel function of the second kind and order 1.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.modified_bessel_k1(tg.tensor([0.5, 1.0]))
    tensor([1.6564, 0.6019])
    """
    return special.BesselK.apply(input, n=1, scaled=False)


@into
def scaled_modified_bessel_k0(input: A) -> A:
    """``exp(x) modified_bessel_k0(x)``

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.scaled_modified_bessel_k0(tg.tensor([0.5, 1.0]))
    tensor([1.5241, 1.1445])
    """
    return special.BesselK.apply(input, n=0, scaled=True)


@into
def scaled_modified_bessel_k1(input: A) -> A:
    """``exp(x) modified_bessel_k1(x)``

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.scaled_modified_bessel_k1(tg.tensor([0.5, 1.0]))
    tensor([2.7310, 1.6362])
    """
    return special.BesselK.apply(input, n=1, scaled=True)


@into
def bessel_j0(input: A) -> A:
    """The Bessel function of the first kind and order 0.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.bessel_j0(tg.tensor([0.0, 1.0]))
    tensor([1.0000, 0.7652])
    """
    return special.BesselJ.apply(input, n=0)


@into
def bessel_j1(input: A) -> A:
    """The Bessel function of the first kind and order 1.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.bessel_j1(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.4401])
    """
    return special.BesselJ.apply(input, n=1)


@into
def bessel_y0(input: A) -> A:
    """The Bessel function of the second kind and order 0.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.bessel_y0(tg.tensor([0.5, 1.0]))
    tensor([-0.4445,  0.0883])
    """
    return special.BesselY.apply(input, n=0)


@into
def bessel_y1(input: A) -> A:
    """The Bessel function of the second kind and order 1.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.bessel_y1(tg.tensor([0.5, 1.0]))
    tensor([-1.4715, -0.7812])
    """
    return special.BesselY.apply(input, n=1)


@into
def spherical_bessel_j0(input: A) -> A:
    """``sin x / x``, 1 at 0.

    Works element by element: the shape stays. A floating dtype stays; integers and bools give the default dtype,
    float32.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.special.spherical_bessel_j0(tg.tensor([0.0, 1.0]))
    tensor([1.0000, 0.8415])
    """
    x = input.astype(np.float32) if plain("spherical_bessel_j0", input).dtype.kind in "biu" else input
    near = np.abs(plain("spherical_bessel_j0", x)) < 1
    apart = ops.where(near, 1.0, x)
    return ops.where(near, Sinc.apply(x * (1 / np.pi), order=0), ops.sin(apart) / apart)


if not TYPE_CHECKING:
    _OTHER_NAMES = {
        "into",
        "of_tensors",
        "plain",
        "refuse_gradient",
        "Sinc",
        "Callable",
        "Any",
        "TypeVar",
        "TYPE_CHECKING",
    }
    __all__ = [n for n, v in vars().items() if callable(v) and n[0] != "_" and n not in _OTHER_NAMES]
    __getattr__ = _absent(
        "torch.special",
        {
            "airy_ai": "use scipy.special.airy on x.detach().numpy()",
            **dict.fromkeys(("gammainc", "gammaincc"), "use scipy.special on x.detach().numpy()"),
        },
    )
