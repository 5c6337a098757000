"""A learner's file, judged in a process of its own that may take so much time and memory and no more.

It is no sandbox: the file can read and write what its user can. `python -m tinygrad_cnn.learn` is the process.
"""

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from tinygrad_cnn.learn.exercise import Exercise, ExerciseError, cannot_read, hints_in, load, name_in
from tinygrad_cnn.learn.record import COULD_NOT_RUN, Result

__all__ = ["check_file"]

SECONDS, GIB = 10.0, 1.0
"""The limits, unless others are asked for."""

PRINTED = 2000
"""So many characters at most of the end of what a learner's code prints are kept."""

UNLIMITED = "Memory is not limited: this system has no such limit."


def check_file(
    path: str | Path,
    *,
    exercise: str | None = None,
    seconds: float = SECONDS,
    memory: float = GIB,
    student: str = "",
) -> Result:
    """Judge a learner's file in a process of its own.

    Parameters
    ----------
    path : the file
    exercise : its exercise, by name or by the path of a teacher's own file; by default as the file's first line says
    seconds : after so long the process is ended
    memory : so many GiB the learner's code may take; where the system has no such limit, the result has a note
    student : whose it is, for the page of a class; by default the folder of the file

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from tinygrad_cnn import learn
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "answer.py"
    >>> exercise = learn.exercises()[0]
    >>> _ = file.write_text(exercise.start())
    >>> learn.check_file(file).verdict
    'not done yet'
    """
    file = Path(path)
    if os.path.exists(file) and not os.path.isfile(file):
        raise ExerciseError(f"learn: {file}: cannot be read (it is a folder, a device or a pipe)")
    try:
        source = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ExerciseError(f"learn: {cannot_read(file, error)}") from None
    name = exercise or name_in(source)
    if name is None:
        raise ExerciseError(
            f"learn: {file}: its first line does not say which exercise it is; keep `# exercise: NAME` in it, "
            "or give --exercise"
        )
    asked, began = load(name), time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="tinygrad-cnn-") as folder:
        result = _run(asked, name, file, Path(folder), seconds, memory)
    most = min(asked.most_hints, hints_in(source) or asked.most_hints)
    return replace(
        result,
        student=student or file.absolute().parent.name,
        seconds=round(time.perf_counter() - began, 3),
        hints=result.hints[:most],
        notes=(*result.notes, *([] if can_limit_memory() else [UNLIMITED])),
    )


def _run(exercise: Exercise, name: str, file: Path, folder: Path, seconds: float, memory: float) -> Result:
    """Start the process, wait, and end it if it takes too long."""
    written, printed = folder / "result.json", folder / "printed.txt"
    command = [sys.executable, "-m", "tinygrad_cnn.learn", name, str(file.absolute()), str(written), str(memory)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with printed.open("wb") as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=environment,
            start_new_session=os.name == "posix",  # so that what it starts ends with it
        )
        try:
            status: int | None = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            _end(process)
    said = printed.read_text(encoding="utf-8", errors="replace")[-PRINTED:]
    if status is None:
        return Result(
            exercise.name,
            COULD_NOT_RUN,
            f"it was stopped after {seconds:g} s; is there a loop without end?",
            printed=said,
        )
    try:
        return replace(Result.from_json(written.read_text(encoding="utf-8")), printed=said)
    except (OSError, ValueError):
        why = f"signal {-status}" if status < 0 else f"status {status}"
        return Result(exercise.name, COULD_NOT_RUN, f"it ended the process ({why}) before it was judged.", printed=said)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the process and what it has started."""
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def can_limit_memory() -> bool:
    """Whether the system ends what takes too much: Linux does."""
    return importlib.util.find_spec("resource") is not None and sys.platform.startswith("linux")
