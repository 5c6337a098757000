"""Parsers of options that several commands have, each with its range, and what says in one line what they refuse."""

import argparse
import math
import re
from collections.abc import Callable
from typing import Any, NoReturn

from tinygrad_cnn.display import printable

INTERRUPTED = 130
"""The exit status of a command that Ctrl-C ended."""

SEEDS = 2**64 - 1
"""The largest seed, as PyTorch's."""

DAY = 86_400.0
"""The longest time that can be allowed, in seconds."""

SHOWN = 200
"""So many characters of a message's parts are shown."""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def parse_known_args(  # type: ignore[override]
        self, args: Any = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """As argparse does it, but ``--seed=--`` is wrong; before Python 3.13 it gives an option an empty list."""
        found, rest = super().parse_known_args(args, namespace)
        for action in self._actions:
            value = getattr(found, action.dest, None)
            single = bool(action.option_strings) and action.nargs is None
            if single and [] in (value, *(value if isinstance(value, list) else ())):
                self.error(f"argument {'/'.join(action.option_strings)}: '--' is no value")
        return found, rest

    def error(self, message: str) -> NoReturn:
        """End with status 2."""
        self.exit(2, f"{self.prog}: {clipped(message)}; {self.prog} --help lists the options\n")


def clipped(text: str) -> str:
    """On one line, and its middle left out if it is very long."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= 2 * SHOWN else f"{line[:SHOWN]} … {line[-SHOWN:]}"


def whole(least: int, most: int) -> Callable[[str], int]:
    """A parser of whole numbers in this range, both ends included."""

    def parse(text: str) -> int:
        digits = text.strip()
        if re.fullmatch(r"[+-]?[0-9]{1,40}", digits) and least <= int(digits) <= most:
            return int(digits)
        raise argparse.ArgumentTypeError(f"{clipped(repr(text))} must be a whole number from {least:,} to {most:,}")

    return parse


def number(least: float, most: float) -> Callable[[str], float]:
    """A parser of numbers in this range, both ends included."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if least <= value <= most:
            return value
        raise argparse.ArgumentTypeError(f"{clipped(repr(text))} must be a number from {least:,g} to {most:,g}")

    return parse
