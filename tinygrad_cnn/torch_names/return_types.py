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


class linalg_qr(NamedTuple, Generic[A]):
    """linalg_qr: Q, R"""

    Q: A
    R: A

    def __repr__(self) -> str:
        return _represented(self)
