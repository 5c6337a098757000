"""Writes the page of the command line: what ``--help`` says of each command, at 80 columns."""

import argparse
import importlib
from collections.abc import Iterator
from pathlib import Path

from made import at_the_beginning, keep
from sphinx.application import Sphinx

from tinygrad_cnn.cli import COMMANDS

PAGE = Path(__file__).parent.parent / "reference" / "commands.md"


class Eighty(argparse.HelpFormatter):
    """Lines of 80 columns, whatever the terminal is."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80)


def write(app: Sphinx) -> None:
    """Ask each command's own parser."""
    parts = ["# The command line", "", "`tinygrad-cnn COMMAND`, or `python -m tinygrad_cnn COMMAND`.", ""]
    for name, description in COMMANDS.items():
        parser = argparse.ArgumentParser(f"tinygrad-cnn {name}", description=description, formatter_class=Eighty)
        importlib.import_module(f"tinygrad_cnn.cli.{name}").add_arguments(parser)
        parts += [f"## {name}", "", "```text", parser.format_help().strip(), "```", ""]
        for word, nested in _nested(parser):
            parts += [f"### {name} {word}", "", "```text", nested.format_help().strip(), "```", ""]
    keep(PAGE, "\n".join(parts))


def _nested(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """The commands of a command, if it has such."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, nested in action.choices.items():
                nested.formatter_class = Eighty
                yield word, nested


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    return at_the_beginning(app, write)
