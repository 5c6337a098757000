"""What `import tinygrad_cnn` costs above `import numpy`, over what NumPy's own import costs: processor time.

`python -m benchmarks.importing` prints it. Each import is one of a process of its own, and the three programs take
turns, so that a disturbance of the machine meets all of them alike.
"""

import os
import statistics
import subprocess
import sys
from pathlib import Path

import tinygrad_cnn

LIMIT = 0.9
"""The ratio that must not be exceeded. Measured: 0.5 on an idle machine, 0.7 on a busy one."""
PROGRAMS = {"nothing": "pass", "NumPy": "import numpy", "ours": "import tinygrad_cnn"}


def processor_time(program: str) -> float:
    """The milliseconds that a fresh interpreter takes for this program, in itself and in the system."""
    keep_bytecode = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    there = {"PYTHONPATH": str(Path(tinygrad_cnn.__file__).parent.parent), "TINYGRAD_CNN_KERNELS": "numpy"}
    process = subprocess.Popen([sys.executable, "-c", program], env={**keep_bytecode, **there})
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, program)
    return 1e3 * (used.ru_utime + used.ru_stime)


def medians(turns: int = 20) -> dict[str, float]:
    """Of each program, the median of so many processes; one before them compiles what is not compiled yet."""
    for program in PROGRAMS.values():
        processor_time(program)
    times: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(turns):
        for name, program in PROGRAMS.items():
            times[name].append(processor_time(program))
    return {name: statistics.median(series) for name, series in times.items()}


def ratio(cost: dict[str, float]) -> float:
    """Our import above NumPy's, over NumPy's above that of an interpreter which does nothing."""
    return (cost["ours"] - cost["NumPy"]) / (cost["NumPy"] - cost["nothing"])


def failures() -> list[str]:
    """A line if our import costs too much."""
    cost = medians()
    found = ratio(cost)
    print(f"import of tinygrad_cnn above NumPy's over NumPy's own: {found:.2f}, at most {LIMIT}")
    print("  medians:", ", ".join(f"{name} {ms:.0f} ms" for name, ms in cost.items()))
    return [f"the import costs {found:.2f} times what NumPy's costs, more than {LIMIT}"] if found > LIMIT else []


if __name__ == "__main__":
    sys.exit("\n".join(failures()) or None)
