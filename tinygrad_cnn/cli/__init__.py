"""The command line: ``tinygrad-cnn train``, ``predict``, ``explain``, ``run``, ``gradcheck`` and ``learn``."""

import argparse
import errno
import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from tinygrad_cnn.cli.display import fail
from tinygrad_cnn.cli.options import INTERRUPTED, Parser
from tinygrad_cnn.cli.outputs import OutputError
from tinygrad_cnn.display import escaping
from tinygrad_cnn.version import __version__

__all__ = ["main"]

COMMANDS = {
    "train": "train a network on MNIST; without options, on the embedded 5,000 images",
    "predict": "say which digit is in a picture",
    "explain": "write a page that steps through what a script computes, and back through its gradients",
    "run": "run a PyTorch program here, its imports changed while it runs",
    "gradcheck": "say whether gradients are right: of a function, of an op, or of every op",
    "learn": "exercises in derivatives that grade themselves, and what a teacher needs for them",
}
"""Each is a module of this package, imported when the command is given."""

FULL = (errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EDQUOT)
"""What the system says when standard output is a file that it cannot write: the disk is full, for example."""

READER_GONE = 128 + 13
"""The exit status if who reads the output has closed it: that of a program which SIGPIPE (13) ends."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit status: 0, 2 for wrong input, 130 when interrupted, 1 and 3 as the command says.

    If the output is closed early, as by ``| head``, it ends quietly with 141. What the terminal cannot show is escaped.
    """
    try:
        with escaping(sys.stdout, sys.stderr):
            try:
                return _run(argv)
            finally:  # also after --help: what is still held back may not go through either
                if sys.stdout is not None:
                    sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        return READER_GONE
    except OSError as error:
        if error.filename is not None or error.errno not in FULL:
            raise
        _discard_output()
        return fail(f"the output cannot be written ({error.strerror})")


def _discard_output() -> None:
    """Point the closed output elsewhere: at exit Python flushes it once more, and would complain."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue
        try:
            stream.flush()
        except OSError:
            with suppress(OSError):  # what is no file of the system has nothing to be pointed elsewhere
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)


def parser_of(given: str | None) -> argparse.ArgumentParser:
    """The parser of all commands; it knows the options of the one that is given, whose module is imported for it."""
    parser = Parser(prog="tinygrad-cnn", description="Small networks in NumPy.")
    parser.add_argument("--version", action="version", version=f"tinygrad-cnn {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, description in COMMANDS.items():
        command = commands.add_parser(name, help=description, description=description)
        if name == given:
            module = importlib.import_module(f"tinygrad_cnn.cli.{name}")
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser


def _run(argv: Sequence[str] | None) -> int:
    words = sys.argv[1:] if argv is None else argv
    args = parser_of(next((word for word in words if word in COMMANDS), None)).parse_args(words)
    try:
        status: int = args.run(args)
    except OutputError as error:
        return fail(f"{args.command}: {error}")
    except MemoryError:
        return fail(f"{args.command}: there is not enough memory for this")
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    return status
