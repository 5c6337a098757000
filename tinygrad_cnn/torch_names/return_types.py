"""What functions with several results return: named tuples that print as those of ``torch.return_types``."""

from collections import namedtuple
from typing import Any


def _represented(result: Any) -> str:
    parts = ",\n".join(f"{name}={value!r}" for name, value in zip(result._fields, result, strict=True))
    return f"torch.return_types.{type(result).__name__}(\n{parts})"


def _kind(name: str, *fields: str) -> Any:
    base = namedtuple(name, fields)  # type: ignore[misc] # the fields are those given
    own = {"__slots__": (), "__repr__": _represented, "__module__": __name__, "__doc__": f"{name}: {', '.join(fields)}"}
    return type(name, (base,), own)


max, min = _kind("max", "values", "indices"), _kind("min", "values", "indices")
sort, topk, kthvalue = (_kind(name, "values", "indices") for name in ("sort", "topk", "kthvalue"))
median, nanmedian, mode = (_kind(name, "values", "indices") for name in ("median", "nanmedian", "mode"))
cummax, cummin = _kind("cummax", "values", "indices"), _kind("cummin", "values", "indices")
histogram = _kind("histogram", "hist", "bin_edges")
aminmax = _kind("aminmax", "min", "max")
slogdet, linalg_slogdet = (_kind(name, "sign", "logabsdet") for name in ("slogdet", "linalg_slogdet"))
linalg_eigh = _kind("linalg_eigh", "eigenvalues", "eigenvectors")
svd = _kind("svd", "U", "S", "V")
linalg_svd, linalg_qr = _kind("linalg_svd", "U", "S", "Vh"), _kind("linalg_qr", "Q", "R")
