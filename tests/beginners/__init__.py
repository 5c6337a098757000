"""A catalogue of beginners' mistakes: each makes the mistake, and says what has to be said of it."""

from tests.beginners import silent  # noqa: I001  the order of the page
from tests.beginners import shapes, labels, dtypes, gradients, modules, training, data, own_ops
from tests.beginners.case import MISTAKES, Mistake

__all__ = ["MISTAKES", "Mistake"]
