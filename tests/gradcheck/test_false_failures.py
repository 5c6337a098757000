"""Right gradients are not called wrong: two rounds over the registry, of the sweep in scripts/false_failures.py."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

from tinygrad_cnn.gradcheck import Verdict

SCRIPT = Path(__file__).parents[2] / "scripts" / "false_failures.py"
spec = importlib.util.spec_from_file_location("false_failures", SCRIPT)
sweep = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sweep)


def test_no_right_gradient_fails():
    reports = [sweep.check(number) for number in range(2 * len(sweep.OPS))]
    assert [(what, str(report)) for what, report in reports if report.verdict is Verdict.FAIL] == []
    undecided = [what for what, report in reports if report.verdict is Verdict.INCONCLUSIVE]
    assert len(undecided) <= 2
    assert all("float32" in what for what in undecided)
    assert sum(len(report.entries) for _, report in reports) > 500


def test_a_sweep_goes_on_from_its_state(tmp_path):
    state = tmp_path / "state.json"
    for checks in ("5", "12"):
        subprocess.run([sys.executable, str(SCRIPT), "--checks", checks, "--state", str(state)], check=True)
    found = json.loads(state.read_text())
    assert found["done"] == 12
    assert sum(n for verdict, n in found["counts"].items() if verdict != "entries") == 12
