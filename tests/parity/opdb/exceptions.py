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


EXEMPTIONS: list[Exemption] = []


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
