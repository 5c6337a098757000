"""Real gradient bugs from the history of public projects, each with its public issue, wrong and put right."""

from tests.corpus import (
    activations,
    arithmetic,
    conv,
    distances,
    elementwise,
    graph,
    indexing,
    linalg,
    losses,
    norms,
    pooling,
    recurrence,
    reductions,
    rendering,
    scatter,
)
from tests.corpus.case import KINDS, REFERENCE, Case

FAMILIES = {
    "pooling": pooling.CASES,
    "reductions": reductions.CASES,
    "indexing": indexing.CASES,
    "scattering and sparse matrices": scatter.CASES,
    "elementwise": elementwise.CASES,
    "arithmetic": arithmetic.CASES,
    "activations": activations.CASES,
    "convolution": conv.CASES,
    "normalisation": norms.CASES,
    "losses": losses.CASES,
    "distances": distances.CASES,
    "recurrence and attention": recurrence.CASES,
    "geometry and rendering": rendering.CASES,
    "linear algebra": linalg.CASES,
    "broadcasting and graph": graph.CASES,
}
CASES = [case for cases in FAMILIES.values() for case in cases]

__all__ = ["CASES", "FAMILIES", "KINDS", "REFERENCE", "Case"]
