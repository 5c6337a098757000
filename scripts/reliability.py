"""Measure what the package promises about losing and letting in, and write docs/reference/reliability.md.

    python -m scripts.reliability                       # everything: about an hour and a half on 2 cores
    python -m scripts.reliability kills interrupts      # only these; the other figures stay as they were measured
    python -m scripts.reliability inputs --seconds 3600

Each part runs the tests or the command that it names, in a process of its own, and takes the figures from what that
says. A part that fails writes nothing, and the exit status is 1.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from scripts.digits import PAGE as DIGITS
from scripts.digits import bounds
from scripts.fuzz_readers.readers import READERS
from tests.beginners import MISTAKES
from tests.kernels.interrupted import WORK

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "reference" / "reliability.md"
STATE = PAGE.with_suffix(".json")
START, END = "<!-- figures: made by python -m scripts.reliability -->", "<!-- /figures -->"
Figures = dict[str, Any]


class Failed(Exception):
    """A part did not end well."""


def said(*command: str) -> str:
    """What a command of this Python prints; Failed, with its last lines, if it ends with an error."""
    environment = {**os.environ, "HYPOTHESIS_PROFILE": "thorough"}
    run = subprocess.run([sys.executable, *command], capture_output=True, text=True, cwd=ROOT, env=environment)
    if run.returncode:
        raise Failed(f"python {' '.join(command)}:\n{run.stdout[-3000:]}{run.stderr[-3000:]}")
    return run.stdout


def tests(*arguments: str) -> str:
    """What pytest says of these tests."""
    return said("-m", "pytest", "-q", *arguments)


def passed(text: str) -> int:
    """How many tests passed."""
    return int(re.findall(r"(\d+) passed", text)[-1])


def kills(_: argparse.Namespace) -> Figures:
    """Training that is killed and resumed."""
    text = tests("-n", "0", "-s", "tests/cli/test_kills.py", "-k", "killed_at_random")
    found = re.findall(r"(numpy|numba): (\d+) kills in (\d+) runs", text)
    return {"kills": {kernels: int(n) for kernels, n, _ in found}, "runs": {k: int(n) for k, _, n in found}}


def inputs(options: argparse.Namespace) -> Figures:
    """Files that were changed, given to their readers, by a process on each core; added to those of other seeds."""
    before = options.before.get("inputs", {})
    seeds = [
        seed
        for seed in range(options.seed, options.seed + (os.cpu_count() or 1))
        if seed not in before.get("seeds", [])
    ]
    with ThreadPoolExecutor() as pool:
        texts = list(pool.map(lambda seed: fuzzed(seed, options.seconds), seeds))
    found: Figures = {"seeds": [*before.get("seeds", []), *seeds], "seconds": before.get("seconds", 0)}
    for name in ("inputs", "read", "refused", "wrong"):
        found[name] = before.get(name, 0) + sum(text[name] for text in texts)
    found["seconds"] += options.seconds * len(seeds)
    return {**found, "readers": len(READERS)}


def fuzzed(seed: int, seconds: float) -> dict[str, int]:
    """What one run of the command counts."""
    text = said("-m", "scripts.fuzz_readers", "--seconds", str(seconds), "--seed", str(seed))
    (last,) = (line for line in text.splitlines() if line.startswith("| all |"))
    numbers = [int(cell.replace(",", "")) for cell in last.split("|")[2:6]]
    return dict(zip(("inputs", "read", "refused", "wrong"), numbers, strict=True))


def lines(_: argparse.Namespace) -> Figures:
    """Command lines that nobody should type."""
    found = re.findall(r"(\d+) command lines of (\d+) commands", tests("-n", "0", "-s", "tests/cli/test_hostile.py"))
    return {"lines": int(found[0][0]), "commands": int(found[0][1])}


def interrupts(options: argparse.Namespace) -> Figures:
    """Steps that are interrupted at random moments."""
    counts = {}
    for kernels in ("numpy", "numba"):
        for work in WORK:
            command = "-m", "tests.kernels.interrupted", kernels, work, "200", "--seed", str(options.seed)
            found = re.match(r"(\d+) interrupts in", said(*command))
            counts[f"{kernels}, {work}"] = int(found[1]) if found else 0
    return {"interrupts": counts}


def mistakes(_: argparse.Namespace) -> Figures:
    """Mistakes of beginners, each of which is made, and answered."""
    return {"mistakes": len(MISTAKES), "tests": passed(tests("-n", "0", "tests/beginners"))}


def agreement(_: argparse.Namespace) -> Figures:
    """Ops whose two sets of kernels agree on NaN and infinity."""
    return {"ops": passed(tests("tests/kernels/test_not_finite.py", "-n", "2"))}


def samples(_: argparse.Namespace) -> Figures:
    """Stored files of this version that are read."""
    tests("-n", "0", "tests/samples")
    return {"files": sum(path.is_file() for path in (ROOT / "tests" / "samples").glob("[0-9]*/**/*"))}


def digits(_: argparse.Namespace) -> Figures:
    """What is stated of the digits of float32."""
    stated = bounds(DIGITS.read_text(encoding="utf-8"))
    numbers = [float(b) for each in stated.values() for row in each.values() for b in row if b not in "-none"]
    return {"ops": len(stated), "bounds": len(numbers), "at most 4": sum(n <= 4 for n in numbers)}


PARTS: dict[str, Callable[[argparse.Namespace], Figures]] = {
    f.__name__: f for f in (kills, inputs, lines, interrupts, mistakes, agreement, samples, digits)
}


def table(state: dict[str, Figures]) -> str:
    """What was found, a row for each part, with the command that finds it again."""
    rows = ["| what | found | measured |", "|---|---|---|"]

    def row(name: str, what: str, text: Callable[[Figures], str]) -> None:
        if name in state:
            found = state[name]
            rows.append(f"| {what} (`{name}`) | {text(found)} | {found['date']} |")

    row(
        "kills",
        "training is killed (SIGKILL) at random moments, and resumed",
        lambda f: (
            "; ".join(f"{n} kills in {f['runs'][k]} runs with {k}'s kernels" for k, n in f["kills"].items())
            + ": weights the same bit by bit, and the same record"
        ),
    )
    row(
        "interrupts",
        "a step is interrupted at a random moment, and another one made",
        lambda f: (
            f"{sum(f['interrupts'].values()):,} interrupts, {len(f['interrupts'])} kinds of steps: "
            "every number right afterwards, no thread left"
        ),
    )
    row(
        "inputs",
        "damaged and hostile files are given to every reader",
        lambda f: (
            f"{f['inputs']:,} inputs to {f['readers']} readers: {f['read']:,} read, {f['refused']:,} refused "
            f"by a documented exception, {f['wrong']:,} undocumented exceptions, hangs, or bounds exceeded"
        ),
    )
    row("lines", "command lines that nobody should type", lambda f: f"{f['lines']:,} lines: no traceback")
    row(
        "mistakes",
        "mistakes that beginners make",
        lambda f: f"{f['mistakes']} [mistakes](mistakes.md), each made and answered by its cause and its fix",
    )
    row(
        "agreement",
        "NaN and infinity with both sets of kernels",
        lambda f: f"{f['ops']} ops: the same elements are NaN, ∞ and -∞, in values and derivatives",
    )
    row(
        "digits",
        "digits of float32",
        lambda f: f"{f['ops']} ops, {f['bounds']} [bounds](digits.md); {f['at most 4']} of them are 4 ULP or less",
    )
    row("samples", "files of this version, stored", lambda f: f"{f['files']} files, read by every later version")
    about = {name: f["about"] for name, f in state.items()}
    where = "\n".join(
        f"- {what}: {', '.join(f'`{name}`' for name in about if about[name] == what)}"
        for what in dict.fromkeys(about.values())
    )
    return "\n".join([*rows, "", "Measured with:", "", where])


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}; all by default")
    parser.add_argument("--seconds", type=float, default=1800, help="for changed files")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    state: dict[str, Figures] = json.loads(STATE.read_text(encoding="utf-8")) if STATE.exists() else {}
    options.before = state
    about = f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.system()}, {os.cpu_count()} cores"
    failed = False
    for name in options.parts or PARTS:
        try:
            state[name] = {**PARTS[name](options), "date": date.today().isoformat(), "about": about}
        except Failed as error:
            print(f"{name} failed: {error}")
            failed = True
            continue
        print(name, state[name], flush=True)
        STATE.write_text(json.dumps(state, indent=1) + "\n", encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(START)
    PAGE.write_text(f"{before}{START}\n\n{table(state)}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
