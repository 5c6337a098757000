"""The command line: ``tinygrad-cnn train``, ``predict`` and ``gradcheck``."""

import argparse
import sys
from collections.abc import Sequence

from tinygrad_cnn.cli import gradcheck, predict, train
from tinygrad_cnn.version import __version__

COMMANDS = {
    "train": (train, "train a network on MNIST; without options, on the embedded 5,000 images"),
    "predict": (predict, "say which digit is in a picture"),
    "gradcheck": (gradcheck, "say whether gradients are right: of a function, of an op, or of every op"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit status: 0, 2 for wrong input, 130 when interrupted, 1 and 3 as `gradcheck` says."""
    parser = argparse.ArgumentParser(prog="tinygrad-cnn", description="Small networks in NumPy.")
    parser.add_argument("--version", action="version", version=f"tinygrad-cnn {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (module, description) in COMMANDS.items():
        command = commands.add_parser(name, help=description, description=description)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    args = parser.parse_args(argv)
    try:
        status: int = args.run(args)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return train.INTERRUPTED
    return status
