"""Real gradient bugs from the history of public frameworks, each with its public issue, wrong and put right."""

from tests.corpus import conv, elementwise, graph, indexing, linalg, losses, norms, pooling, reductions
from tests.corpus.case import KINDS, REFERENCE, Case

FAMILIES = {
    "pooling": pooling.CASES,
    "reductions": reductions.CASES,
    "indexing": indexing.CASES,
    "elementwise": elementwise.CASES,
    "convolution": conv.CASES,
    "normalisation": norms.CASES,
    "losses": losses.CASES,
    "linear algebra": linalg.CASES,
    "broadcasting and graph": graph.CASES,
}
CASES = [case for cases in FAMILIES.values() for case in cases]

__all__ = ["CASES", "FAMILIES", "KINDS", "REFERENCE", "Case"]
