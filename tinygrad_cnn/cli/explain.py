"""``tinygrad-cnn explain script.py``: a page that steps through what a script computes, and back."""

import argparse
import subprocess
import sys
from pathlib import Path

from tinygrad_cnn.cli.display import fail
from tinygrad_cnn.cli.options import positive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `explain`."""
    parser.add_argument("script", type=Path, help="a Python file that calls backward()")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to write the page (script.html in this folder)")
    parser.add_argument(
        "--call", type=positive(int), default=1, metavar="N", help="which backward() to explain (the first)"
    )
    parser.add_argument("--args", nargs=argparse.REMAINDER, default=[], help="all that follows is given to the script")
    parser.add_argument(
        "--timeout", type=positive(float), default=60.0, metavar="S", help="stop the script after S seconds (60)"
    )


def run(args: argparse.Namespace) -> int:
    """Run the script in a process of its own, and say where the page is."""
    script: Path = args.script
    if not script.is_file():
        return fail(f"explain: there is no file {script}")
    out = args.out or Path(f"{script.stem}.html")
    if not out.absolute().parent.is_dir():
        return fail(f"explain: there is no folder {out.parent} to write the page to")
    command = [
        sys.executable,
        "-m",
        "tinygrad_cnn.teach.script",
        str(script),
        str(out),
        str(args.call),
        *args.args,
    ]
    try:
        return subprocess.run(command, timeout=args.timeout, check=False).returncode
    except subprocess.TimeoutExpired:
        return fail(
            f"explain: {script} did not come to that backward() within {args.timeout:g} s; --timeout waits longer"
        )
