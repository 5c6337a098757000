"""The patterns of wrong gradients: what each is called, what is said of it, and how sure one may be where it fits.

Which of them fits, `diagnosis` finds out. Several may: of two the one with more confidence is said first, so a pattern
that explains more, or rarely fits by accident, has more.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["Diagnosis"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One explanation of a wrong gradient; `confidence` is between 0 and 1.

    Examples
    --------
    >>> from tinygrad_cnn.gradcheck import Diagnosis
    >>> Diagnosis("sign", "the gradient has the other sign", 0.9).kind
    'sign'
    """

    kind: str
    message: str
    confidence: float


class Pattern(NamedTuple):
    """A kind of mistake; the message has places to fill in."""

    kind: str
    confidence: float
    message: str

    def __call__(self, **facts: Any) -> Diagnosis:
        return Diagnosis(self.kind, self.message.format(**facts), self.confidence)


PLAIN = 1.0
"""What needs no look at how the function is computed: it is said before every mistake that `naming` finds."""

# of single entries
NO_NUMBER = Pattern(
    "nan", 0.99, "the gradient of {e.name} is {e.analytic} at {e.place}, where differences give {e.numeric:.6g}"
)
NO_NUMBER_AT_0 = Pattern("nan", 0.97, "the gradient is no number where the cotangent is 0: 0 · ∞")
ONLY_AT_KINKS = Pattern(
    "kink convention",
    PLAIN,
    "wrong only at kinks: {e.name} at {e.place} has {e.analytic:.4g} where the slopes are {e.one_sided[0]:.4g} "
    "to the left and {e.one_sided[1]:.4g} to the right; {e.reason}",
)
ONLY_AT_ZEROS = Pattern(
    "mask",
    0.975,
    "wrong only beside an element that is 0, as {label} has at {place}: with another number it is right",
)
UNKNOWN = Pattern("unknown", 0.05, "none of the patterns that are known")

# of the cotangent
LEFT_OUT = Pattern("nonlinear", 0.98, "the cotangent is left out: Jᵀv is the same for every v; {witness}")
CONSTANT = Pattern("constant", 0.98, "a constant is added, {constant}: the gradient of a zero cotangent")
ODD_CONSTANT = CONSTANT._replace(confidence=0.93)
ABSOLUTE = Pattern("nonlinear", 0.98, "it uses |g|: Jᵀ(−v) = Jᵀv; {witness}")
SQUARED = Pattern("nonlinear", 0.98, "it uses g²: Jᵀ(2v) = 4 Jᵀv; {witness}")
SIGN_ONLY = Pattern("nonlinear", 0.98, "it uses only the sign of g: Jᵀ(2v) = Jᵀv; {witness}")
NONLINEAR = Pattern("nonlinear", 0.9, "not linear in the cotangent: {witness}")

# of the shape
NOT_SUMMED = Pattern(
    "unbroadcast", 0.95, "{label} was broadcast, and its gradient is not summed back: {given} instead of {expected}"
)
RESHAPED = Pattern("shape", 0.95, "the values are right, their shape {given} is not")
SHAPE_TRANSPOSED = Pattern("transposed", 0.95, "the gradient of {label} is transposed")
SHAPE = Pattern("shape", 0.9, "the gradient of {label} has shape {given}, expected {expected}")

# one factor, or none
ZERO = Pattern("dropped", PLAIN, "no gradient comes back: it is 0 everywhere")
ZERO_ENTRIES = Pattern("dropped", PLAIN, "no gradient comes back to {label}: it is 0 everywhere")
ZERO_HERE = Pattern("dropped", 0.7, "no gradient comes back at these values, at others some does")
SIGN = Pattern("sign", 0.97, "the sign is flipped")
SIGN_OF_ENTRIES = Pattern("sign", 0.93, "the sign of {label}'s gradient is flipped")
SIGN_IN_PLACES = Pattern("sign", 0.85, "the sign is flipped in some places, and right in others")
FACTOR = Pattern("factor", 0.95, "everything is multiplied by {factor}")
FACTOR_OF_ONE = FACTOR._replace(confidence=0.7)
NEGATIVE_FACTOR_OF_ONE = FACTOR._replace(confidence=0.45)
FACTOR_HERE = Pattern(
    "factor", 0.9, "everything is multiplied by one number, {factor} here, another at other values: it depends on them"
)
FACTOR_OF_ENTRIES = Pattern("factor", 0.9, "the gradient of {label} multiplied by {factor}")
FACTOR_OF_WRONG = Pattern("factor", 0.6, "wrong elements of {label} multiplied by {factor}")
FACTOR_IN_PLACES = Pattern("factor", 0.85, "some elements are multiplied by {factor}, the others are right")
FACTORS = Pattern("factor", 0.72, "elements are multiplied by numbers such as {factor}")
AVERAGED = Pattern("unbroadcast", 0.96, "averaged over the {count} places it was broadcast to, not summed")

# a factor that is a function
OF_OUTPUT = Pattern("chain", 0.96, "{factor}")
OF_ARGUMENT = Pattern("chain", 0.9, "{factor}")
OF_OTHER = Pattern("chain", 0.88, "{factor}")
OF_CONSTANT = Pattern("chain", 0.75, "{factor}")
ONE_ELEMENT = Pattern("chain", 0.5, "one element is multiplied by {factor}, the others are right")
DIFFERS = Pattern("chain", 0.55, "a factor that differs from {whose} element to element is missing")
OFF_ONE_BY_ONE = DIFFERS._replace(
    message="each {whose} element is off by a factor of its own; no pattern fits these factors"
)

# the right values in wrong places
REDUCED_AXES = Pattern("axis", 0.95, "axes {i} and {j} of the gradient are in each other's place")
PLACED_AXES = REDUCED_AXES._replace(kind="transposed")
EXCHANGED = Pattern("transposed", 0.93, "axes {i} and {j} of the gradient are exchanged")
EXCHANGED_RESHAPED = Pattern("transposed", 0.95, "axes {i} and {j} are exchanged, and reshaped into place")
REVERSED = Pattern("permuted", 0.94, "reversed along {axes}")
MOVED = Pattern("permuted", 0.85, "the right values in wrong places: element {to} has that of element {source}")
MOVED_PER_OUTPUT = Pattern("permuted", 0.8, "each output gives the right values to the wrong elements")
OFF_BY_ONE = Pattern("window", 0.92, "off by 1 along {whose}")
OFF_BY_TWO = Pattern("window", 0.88, "off by 2 along {whose}")
OTHER_AXIS = Pattern("axis", 0.9, "it works along axis {j} where it should along axis {i}, or the other way")
BACKWARDS = Pattern("axis", 0.8, "it runs backwards along axis {i}")
WRONG_SUM = Pattern("axis", 0.93, "summed over the wrong axes: the elements count along axis {axis} of the output")

# parts that are missing, or too many
EARLY_RETURN = Pattern("dropped", 0.93, "only the {which} output passes a gradient on, as if a loop returned early")
ASSIGNED = Pattern(
    "overwritten", 0.92, "where several outputs use an element, only the {which} counts: assigned, not accumulated"
)
ASSIGNED_IN_PLACES = ASSIGNED._replace(confidence=0.8)
LOST = Pattern("overwritten", 0.7, "some contributions to an element are lost: not accumulated")
ONE_SLICE = Pattern("overwritten", 0.88, "only the {which} slice along axis {axis} has a gradient")
GONE = Pattern("dropped", 0.85, "no gradient where there should be one, as at {place}")
PART_GONE = Pattern("dropped", 0.6, "a part of the gradient is 0 and should not be")
NO_MASK = Pattern("mask", 0.9, "a gradient where the function is flat, as at {place}: a mask is missing")
ARRIVES = Pattern("mask", 0.6, "the gradient of an output arrives at {place}, on which that output does not depend")
DIAGONAL = Pattern("dropped", 0.8, "each element depends on itself alone: the terms between elements are missing")
TERM = Pattern("dropped", 0.65, "a term of rank {rank} is missing or too many, such as a mean or a sum")
PRECISION = Pattern("dtype", 0.9, "right to the precision of {dtype} only")
