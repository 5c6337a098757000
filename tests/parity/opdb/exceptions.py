"""Samples in which PyTorch is wrong or arbitrary and the package is right: each with its reason, none loosened away."""

from fnmatch import fnmatchcase
from typing import NamedTuple

from tests.parity.opdb.judge import Case


class Exemption(NamedTuple):
    """Cases, by patterns of entry, variant and dtype, in one class of difference; and why the package is right."""

    entry: str
    variant: str
    dtype: str
    outcome: str
    reason: str


TRIANGLE = "the triangle that is not read has the derivative 0; PyTorch's formula fills it"
EXEMPTIONS: list[Exemption] = [
    Exemption("cholesky_inverse", "*", "float64", "wrong gradient", TRIANGLE),
    Exemption("cholesky_solve", "*", "float64", "wrong gradient", TRIANGLE),
    Exemption(
        "linalg.pinv.hermitian",
        "*",
        "float64",
        "wrong gradient",
        "of a matrix that is not symmetric PyTorch reads one triangle forward, and both backward",
    ),
    Exemption(
        "linalg.norm.subgradients_at_zero",
        "function",
        "float64",
        "wrong second derivative",
        "a norm has no second derivative at 0; PyTorch's NaN would spoil the sums it goes into, 0 does not",
    ),
    Exemption("addbmm", "inplace", "*", "refused", "PyTorch gives the tensor that is written another shape"),
    Exemption("matrix_exp", "*", "float16", "wrong NaN or infinity", "the result fits; PyTorch's way there does not"),
    Exemption(
        "linalg.lstsq*", "out shape", "*", "wrong shape", "PyTorch leaves `out` as it was, where it finds nothing"
    ),
]


def excepted(case: Case) -> Case:
    """The case, marked with its reason if it is in the list."""
    for e in EXEMPTIONS:
        if (
            case.outcome == e.outcome
            and fnmatchcase(case.entry, e.entry)
            and fnmatchcase(case.variant, e.variant)
            and fnmatchcase(case.dtype, e.dtype)
        ):
            return case._replace(outcome="excepted", text=e.reason)
    return case
