"""The same check in the graders that courses use: Gradescope, nbgrader and Otter.

Gradescope's form is that of its page on autograder specifications, nbgrader's that of its metadata of schema version
3, Otter's that of its tests in OK format. Each file asks `tinygrad_cnn.learn` for the verdict.
"""

import json
import shlex
from typing import Any

from tinygrad_cnn.learn.exercise import HIDDEN, Exercise, without
from tinygrad_cnn.learn.record import RIGHT, Result

__all__ = ["GRADERS", "gradescope_results"]

POINTS = 1.0

SETUP = """\
#!/usr/bin/env bash
# Gradescope runs this once. Put a wheel of tinygrad-cnn beside this file before you zip the folder.
set -e
apt-get install -y python3 python3-pip
python3 -m pip install /autograder/source/tinygrad_cnn-*.whl
"""

RUN = """\
#!/usr/bin/env bash
# Gradescope runs this for each submission, and shows what is in results.json.
cd "${{AUTOGRADER:-/autograder}}"
"${{PYTHON:-python3}}" -m tinygrad_cnn learn check submission/{file} --exercise {exercise} \\
    --hints {hints} --seconds {seconds:g} --gradescope results/results.json || true
"""


def gradescope_results(result: Result, hints: int, points: float = POINTS) -> str:
    """The results.json of a submission."""
    passed = result.verdict == RIGHT
    output = "\n".join(part for part in (result.told(hints), result.printed) if part)
    test = {
        "name": result.exercise,
        "score": points if passed else 0.0,
        "max_score": points,
        "status": "passed" if passed else "failed",
        "output": output,
        "visibility": "visible",
    }
    data = {"score": test["score"], "execution_time": result.seconds, "visibility": "visible", "tests": [test]}
    return json.dumps(data, indent=1) + "\n"


def gradescope(exercise: Exercise, name: str, hints: int, seconds: float) -> dict[str, str]:
    """The files of an autograder; they are zipped and given to Gradescope."""
    own = _own(exercise, name)
    asked = f"source/{exercise.path.name}" if own else name
    run = RUN.format(file=f"{exercise.name}.py", exercise=shlex.quote(asked), hints=hints, seconds=seconds)
    return {"setup.sh": SETUP, "run_autograder": run, **own}


def nbgrader(exercise: Exercise, name: str, hints: int, seconds: float) -> dict[str, str]:
    """A notebook: the text, a cell with the solution, which nbgrader takes out, and a cell that tests."""
    visible = without(exercise.source, HIDDEN)
    code = visible.split('"""', 2)[2].strip()
    cells = [
        _cell("markdown", f"# {exercise.text}", exercise.name, locked=True),
        _cell("code", code, exercise.name, solution=True),
        _cell("code", _test(exercise, name, hints), f"{exercise.name}-test", grade=True, locked=True, points=POINTS),
    ]
    notebook = {
        "cells": cells,
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return {f"{exercise.name}.ipynb": json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", **_own(exercise, name)}


def otter(exercise: Exercise, name: str, hints: int, seconds: float) -> dict[str, str]:
    """A test file for the folder ``tests`` of an assignment."""
    lines = _test(exercise, name, hints).splitlines()
    case = {"code": "\n".join(f">>> {line}" for line in lines), "hidden": False, "locked": False}
    suite: dict[str, Any] = {"cases": [case], "scored": True, "setup": "", "teardown": "", "type": "doctest"}
    test = {"name": exercise.name, "points": POINTS, "suites": [suite]}
    return {f"tests/{exercise.name}.py": f"OK_FORMAT = True\n\ntest = {test!r}\n", **_own(exercise, name)}


GRADERS = {"gradescope": gradescope, "nbgrader": nbgrader, "otter": otter}


def _test(exercise: Exercise, name: str, hints: int) -> str:
    asked = exercise.path.name if name.endswith(".py") else name
    return f"from tinygrad_cnn.learn import assert_right\nassert_right({asked!r}, globals(), hints={hints})"


def _own(exercise: Exercise, name: str) -> dict[str, str]:
    """A teacher's own exercise goes with it."""
    return {exercise.path.name: exercise.source} if name.endswith(".py") else {}


def _cell(kind: str, source: str, name: str, **facts: Any) -> dict[str, Any]:
    marks = {"grade": False, "solution": False, "locked": False, "task": False, **facts}
    cell: dict[str, Any] = {
        "cell_type": kind,
        "id": f"{kind}-{name}"[:64].replace("_", "-"),
        "metadata": {"nbgrader": {**marks, "grade_id": f"{kind}-{name}", "schema_version": 3}},
        "source": source.splitlines(keepends=True),
    }
    return {**cell, "execution_count": None, "outputs": []} if kind == "code" else cell
