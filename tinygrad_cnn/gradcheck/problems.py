"""What keeps a function from being judged at all: one sentence each, raised where it is found.

The class says what `gradcheck` raises, and callers ask the class: nobody reads the message but the user.
"""

from tinygrad_cnn.gradcheck.verdicts import GradientError

MODIFIED = "gradcheck: the function modifies its input; let it work on a clone()"


class CannotJudge(Exception):
    """The function or its VJP cannot be judged as it is."""


class NothingToCheck(CannotJudge, ValueError):
    """No input or no output has a derivative."""


class WrongType(CannotJudge, TypeError):
    """An input, an output or a gradient is of a kind that has no derivative, or none that can be checked."""


class WrongStep(CannotJudge, ValueError):
    """The step that the user chose changes no element, or takes them out of the numbers."""


class ReturnedArray(WrongType):
    """A function of Tensors returned an ndarray: perhaps it is a function of ndarrays."""


class Misbehaves(CannotJudge, GradientError):
    """The function or its VJP does what none may do: it writes its input, rolls dice, remembers, raises."""


class OutsideDomain(Misbehaves):
    """The function returns NaN or an infinity at the given inputs."""
