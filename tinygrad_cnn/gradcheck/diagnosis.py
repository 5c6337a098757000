"""What a wrong gradient looks like: hypotheses, each tested on numbers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One explanation of a wrong gradient; `confidence` is between 0 and 1."""

    kind: str
    message: str
    confidence: float


class Case:
    @staticmethod
    def of(*args):
        return None


def diagnose(case):
    return [Diagnosis("unknown", "?", 0.1)]


def diagnose_shape(point, v, k, gradient, label):
    return Diagnosis("shape", "shape", 0.9)
