"""What functions with several results return: named tuples that print as those of ``torch.return_types``."""

from typing import Any, Generic, NamedTuple

from tinygrad_cnn.core.types import A


def _represented(result: Any) -> str:
    parts = ",\n".join(f"{name}={value!r}" for name, value in zip(result._fields, result, strict=True))
    return f"torch.return_types.{type(result).__name__}(\n{parts})"


class _Found(NamedTuple, Generic[A]):
    values: A
    indices: A

    def __repr__(self) -> str:
        return _represented(self)


class max(_Found[A]):
    """max: values, indices"""

    __slots__ = ()


class min(_Found[A]):
    """min: values, indices"""

    __slots__ = ()


class sort(_Found[A]):
    """sort: values, indices"""

    __slots__ = ()


class topk(_Found[A]):
    """topk: values, indices"""

    __slots__ = ()


class kthvalue(_Found[A]):
    """kthvalue: values, indices"""

    __slots__ = ()


class median(_Found[A]):
    """median: values, indices"""

    __slots__ = ()


class nanmedian(_Found[A]):
    """nanmedian: values, indices"""

    __slots__ = ()


class mode(_Found[A]):
    """mode: values, indices"""

    __slots__ = ()


class cummax(_Found[A]):
    """cummax: values, indices"""

    __slots__ = ()


class cummin(_Found[A]):
    """cummin: values, indices"""

    __slots__ = ()


class histogram(NamedTuple, Generic[A]):
    """histogram: hist, bin_edges"""

    hist: A
    bin_edges: A

    def __repr__(self) -> str:
        return _represented(self)


class histogramdd(NamedTuple, Generic[A]):
    """histogramdd: hist, bin_edges"""

    hist: A
    bin_edges: tuple[A, ...]

    def __repr__(self) -> str:
        return _represented(self)


class frexp(NamedTuple, Generic[A]):
    """frexp: mantissa, exponent"""

    mantissa: A
    exponent: A

    def __repr__(self) -> str:
        return _represented(self)


class aminmax(NamedTuple, Generic[A]):
    """aminmax: min, max"""

    min: A
    max: A

    def __repr__(self) -> str:
        return _represented(self)


class _SignAndSize(NamedTuple, Generic[A]):
    sign: A
    logabsdet: A

    def __repr__(self) -> str:
        return _represented(self)


class slogdet(_SignAndSize[A]):
    """slogdet: sign, logabsdet"""

    __slots__ = ()


class linalg_slogdet(_SignAndSize[A]):
    """linalg_slogdet: sign, logabsdet"""

    __slots__ = ()


class linalg_eigh(NamedTuple, Generic[A]):
    """linalg_eigh: eigenvalues, eigenvectors"""

    eigenvalues: A
    eigenvectors: A

    def __repr__(self) -> str:
        return _represented(self)


class svd(NamedTuple, Generic[A]):
    """svd: U, S, V"""

    U: A
    S: A
    V: A

    def __repr__(self) -> str:
        return _represented(self)


class linalg_svd(NamedTuple, Generic[A]):
    """linalg_svd: U, S, Vh"""

    U: A
    S: A
    Vh: A

    def __repr__(self) -> str:
        return _represented(self)


class _Orthogonal(NamedTuple, Generic[A]):
    Q: A
    R: A

    def __repr__(self) -> str:
        return _represented(self)


class linalg_qr(_Orthogonal[A]):
    """linalg_qr: Q, R"""

    __slots__ = ()


class qr(_Orthogonal[A]):
    """qr: Q, R"""

    __slots__ = ()


class linalg_lu(NamedTuple, Generic[A]):
    """linalg_lu: P, L, U"""

    P: A
    L: A
    U: A

    def __repr__(self) -> str:
        return _represented(self)


class lu_unpack(NamedTuple, Generic[A]):
    """lu_unpack: P, L, U"""

    P: A
    L: A
    U: A

    def __repr__(self) -> str:
        return _represented(self)


class linalg_lu_factor(NamedTuple, Generic[A]):
    """linalg_lu_factor: LU, pivots"""

    LU: A
    pivots: A

    def __repr__(self) -> str:
        return _represented(self)


class linalg_lu_factor_ex(NamedTuple, Generic[A]):
    """linalg_lu_factor_ex: LU, pivots, info"""

    LU: A
    pivots: A
    info: A

    def __repr__(self) -> str:
        return _represented(self)


class linalg_cholesky_ex(NamedTuple, Generic[A]):
    """linalg_cholesky_ex: L, info"""

    L: A
    info: A

    def __repr__(self) -> str:
        return _represented(self)


class linalg_inv_ex(NamedTuple, Generic[A]):
    """linalg_inv_ex: inverse, info"""

    inverse: A
    info: A

    def __repr__(self) -> str:
        return _represented(self)


class linalg_solve_ex(NamedTuple, Generic[A]):
    """linalg_solve_ex: result, info"""

    result: A
    info: A

    def __repr__(self) -> str:
        return _represented(self)


class linalg_lstsq(NamedTuple, Generic[A]):
    """linalg_lstsq: solution, residuals, rank, singular_values"""

    solution: A
    residuals: A
    rank: A
    singular_values: A

    def __repr__(self) -> str:
        return _represented(self)


class triangular_solve(NamedTuple, Generic[A]):
    """triangular_solve: solution, cloned_coefficient"""

    solution: A
    cloned_coefficient: A

    def __repr__(self) -> str:
        return _represented(self)


class geqrf(NamedTuple, Generic[A]):
    """geqrf: a, tau"""

    a: A
    tau: A

    def __repr__(self) -> str:
        return _represented(self)
