"""Parsers of options that several commands have; what they refuse, argparse says with the option's name."""

import argparse
import math
from collections.abc import Callable
from typing import TypeVar

N = TypeVar("N", int, float)

INTERRUPTED = 130
"""The exit status of a command that Ctrl-C ended."""


def positive(kind: Callable[[str], N]) -> Callable[[str], N]:
    """A parser of finite numbers above 0."""

    def parse(text: str) -> N:
        value = _number(kind, text)
        if not (math.isfinite(value) and value > 0):
            raise argparse.ArgumentTypeError(f"{text} must be finite and above 0")
        return value

    return parse


def natural(text: str) -> int:
    """A parser of whole numbers of at least 0."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number of at least 0")
    return int(text)


def finite(text: str) -> float:
    """A parser of finite numbers."""
    value = _number(float, text)
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text} must be finite")
    return value


def not_negative(text: str) -> float:
    """A parser of finite numbers of at least 0."""
    value = finite(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} must be at least 0")
    return value


def _number(kind: Callable[[str], N], text: str) -> N:
    try:
        return kind(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of the right kind") from None
