"""``tinygrad-cnn explain script.py``: a page that steps through what a script computes, and back."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from tinygrad_cnn.cli.display import fail
from tinygrad_cnn.cli.options import DAY, number, whole
from tinygrad_cnn.cli.outputs import check_outputs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `explain`."""
    parser.add_argument("script", type=Path, help="a Python file that calls backward()")
    parser.add_argument(
        "--out", metavar="FILE", help="where to write the page (script.html in this folder); - for standard output"
    )
    parser.add_argument(
        "--call", type=whole(1, 1_000_000_000), default=1, metavar="N", help="which backward() to explain (the first)"
    )
    parser.add_argument("--args", nargs=argparse.REMAINDER, default=[], help="all that follows is given to the script")
    parser.add_argument(
        "--timeout", type=number(0.01, DAY), default=60.0, metavar="S", help="stop the script after S seconds (60)"
    )


def run(args: argparse.Namespace) -> int:
    """Run the script in a process of its own, and say where the page is."""
    script: Path = args.script
    if not os.path.isfile(script):
        return fail(f"explain: there is no file {script}")
    out = f"{script.stem}.html" if args.out is None else args.out
    check_outputs({"--out": out}, {"": script}, "the script was not run")
    command = [
        sys.executable,
        "-m",
        "tinygrad_cnn.teach.script",
        str(script),
        out,
        str(args.call),
        *args.args,
    ]
    try:
        return subprocess.run(command, timeout=args.timeout, check=False).returncode
    except subprocess.TimeoutExpired:
        return fail(
            f"explain: {script} did not come to that backward() within {args.timeout:g} s; --timeout waits longer"
        )
