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
    text: str = "*"


DIGITS = "PyTorch's has six digits there; mpmath has those of the package (tests/kernels/test_special.py)"
TRIANGLE = "the triangle that is not read has the derivative 0; PyTorch's formula fills it"
TWICE = "where two windows had one maximum the last write wins; PyTorch gives each of them the whole gradient"
UNNORMALISED = "PyTorch's gradient is right only behind a log_softmax, which makes it the same as the true one"
CHUNKED = "PyTorch's chunked loss has no second derivative, and says so on its page"
OVERFLOW = "PyTorch adds and multiplies neighbours in bytes, which overflow; the area is that of the numbers"
TIES = "of equal elements any place is right, and PyTorch's selection takes another one than a stable order"
DRAWN = "numbers drawn have no derivative; PyTorch records zeros"
DESCRIPTOR = "a method of Tensor called with a number for itself, which no program does"
BY_NAME = "a reflected operator, called by its name with a number for self, is that of the other operand"
EXEMPTIONS: list[Exemption] = [
    Exemption("*sinc", "*", "*int*", "wrong value", "sin πn is 0; PyTorch's π n is rounded before its sine is taken"),
    Exemption("__r*__", "error", "", "bare exception", BY_NAME),
    Exemption("__r*__", "error", "", "accepted", BY_NAME),
    Exemption("mean", "error", "", "accepted", "the mean of integers is of the default dtype, as of all functions"),
    Exemption("special.bessel_[jy][01]", "*", "*", "wrong value", DIGITS),
    *(Exemption(name, "*", "*int8", "wrong value", OVERFLOW) for name in ("trap*", "cumulative_trapezoid")),
    *(Exemption(name, "*", "*", "wrong value", TIES, "result 1: *") for name in ("kthvalue", "topk", "mode", "sort")),
    Exemption("argsort", "*", "*", "wrong value", TIES),
    Exemption("mean", "error", "*", "accepted", "integers are brought to the default floating dtype, as the page says"),
    Exemption("histc", "*", "float16", "wrong value", "at the edge of two bins either is right, by the rounding"),
    Exemption(
        "histogramdd", "*", "*", "refused", "PyTorch counts between edges out of order, which means nothing", "*order*"
    ),
    Exemption("normal*", "*", "float64", "wrong gradient", DRAWN, "requires_grad is False*"),
    Exemption("bernoulli", "*", "float64", "wrong gradient", DRAWN, "requires_grad is False*"),
    Exemption(
        "nextafter", "*", "float64", "wrong gradient", "has no derivative, in PyTorch neither: backward raises there"
    ),
    *(
        Exemption(f"__r{op}__", "error", "*", "*", DESCRIPTOR, "*descriptor*")
        for op in ("add", "mul", "and", "or", "xor")
    ),
    *(
        Exemption("cov", "*", "float64", outcome, "PyTorch takes the sums of weights through float32", "of input 1: *")
        for outcome in ("wrong gradient", "wrong second derivative")
    ),
    Exemption(
        "normal.in_place", "strided", "*", "wrong value", "numbers are drawn in the order of the indices, not of memory"
    ),
    Exemption("nn.functional.max_unpool?d", "*", "float64", "wrong gradient", TWICE),
    *(
        Exemption("nn.*osine*", "*", "float64", outcome, "PyTorch differentiates a length that it has replaced by eps")
        for outcome in ("wrong gradient", "wrong second derivative")
    ),
    Exemption("nn.functional.ctc_loss", "*", "float64", "wrong gradient", UNNORMALISED),
    Exemption("nn.CTCLoss", "*", "float64", "wrong gradient", UNNORMALISED),
    Exemption("nn.functional.linear_cross_entropy.chunked*", "*", "float64", "wrong second derivative", CHUNKED),
    Exemption("nn.LinearCrossEntropyLoss", "*", "float64", "wrong second derivative", CHUNKED),
    Exemption(
        "nn.functional.linear_cross_entropy.chunked*",
        "*",
        "float16",
        "wrong value",
        "the loss is that of PyTorch's whole batch, in float16; its chunks are computed in float32",
    ),
    Exemption(
        "nn.functional.soft_margin_loss", "*", "float16", "wrong NaN or infinity", "PyTorch's exp(-t x) overflows"
    ),
    Exemption(
        "nn.functional.layer_norm*", "*", "float64", "wrong gradient", "the gradient of one element is 0, exactly"
    ),
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
        "ASGD",
        "foreach",
        "*",
        "wrong value",
        "with foreach=True PyTorch rounds the rate to float32 and so leaves its own steps without it, which are ours",
    ),
    Exemption(
        "LBFGS",
        "steps",
        "*",
        "wrong value",
        "at the minimum the changes of the gradient are roundings, and so is the curvature that they say; on the way "
        "there the steps agree",
    ),
    Exemption("Muon", "steps", "*", "wrong value", "sums that are rounded to bfloat16 are added in another order"),
    Exemption(
        "linalg.lstsq*", "out shape", "*", "wrong shape", "PyTorch leaves `out` as it was, where it finds nothing"
    ),
]


def excepted(case: Case) -> Case:
    """The case, marked with its reason if it is in the list."""
    for e in EXEMPTIONS:
        if (
            fnmatchcase(case.outcome, e.outcome)
            and fnmatchcase(case.entry, e.entry)
            and fnmatchcase(case.variant, e.variant)
            and fnmatchcase(case.dtype, e.dtype)
            and fnmatchcase(case.text, e.text)
        ):
            return case._replace(outcome="excepted", text=e.reason)
    return case
