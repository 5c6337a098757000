"""A catalogue of beginners' mistakes: each makes the mistake, and says what has to be said of it."""

from tests.beginners import data, dtypes, gradients, labels, modules, own_ops, shapes, silent, training
from tests.beginners.case import ENTERED, Mistake

AREAS = silent, shapes, labels, dtypes, gradients, modules, training, data, own_ops
MISTAKES = [mistake for area in AREAS for mistake in ENTERED if mistake.make.__module__ == area.__name__]
"""All of them, in the order of the page."""

__all__ = ["MISTAKES", "Mistake"]
