"""Hypothesis strategies: what the package's own gradient tests draw from, and users' tests too."""

from collections.abc import Callable

from hypothesis import strategies as st

from tinygrad_cnn.ops.draw import Draw
from tinygrad_cnn.ops.op import Op, Sample


class HypothesisDraw(Draw):
    """Draws through Hypothesis, so that failing samples are shrunk."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def integers(self, low: int, high: int, count: int) -> list[int]:
        """`count` integers, each shrinking towards `low`."""
        return self._draw(st.lists(st.integers(low, high), min_size=count, max_size=count))


def samples(op: type[Op]) -> st.SearchStrategy[Sample]:
    """Valid arguments of an op, from its own sampler."""
    return drawn(op.sample)


def drawn(sampler: Callable[[Draw], Sample]) -> st.SearchStrategy[Sample]:
    """Whatever a sampler draws."""

    @st.composite
    def composed(draw: st.DrawFn) -> Sample:
        return sampler(HypothesisDraw(draw))

    return composed()
