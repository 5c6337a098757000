"""Run a script up to one of its backward passes, and write the page of what led to it: ``tinygrad-cnn explain``.

It runs in a process of its own, since a script may do anything: print, wait for ever, or end the process.
"""

from __future__ import annotations

import runpy
import sys
import traceback
from contextlib import redirect_stdout
from pathlib import Path

from tinygrad_cnn.display import escaping, printable
from tinygrad_cnn.files import write_atomically
from tinygrad_cnn.program import Program
from tinygrad_cnn.program.recording import Recorder, begin, end
from tinygrad_cnn.teach.explain import page


class Enough(BaseException):
    """The backward pass that was asked for is done. No `Exception`: a script shall not catch it."""


class Waiting(Recorder):
    """Records what leads to each backward pass, forgets it after those that nobody asked for, and stops the script."""

    def __init__(self, call: int) -> None:
        super().__init__(values=True, outermost=sys._getframe(1))
        self.call, self.passes = call, 0

    def went_back(self) -> None:
        """Stop, or begin anew."""
        self.passes += 1
        if self.passes == self.call:
            raise Enough
        modules, self.program = self.program.modules, Program()
        self.program.modules = modules
        for known in (self.seen, self.nodes, self.lines, self.memory):
            known.clear()
        self.held.clear()


def run(script: Path, call: int) -> tuple[Program | None, str]:
    """The program up to the n-th backward pass; or None, and why there is none."""
    recorder = Waiting(call)
    recorder.outermost = sys._getframe()
    begin(recorder)
    said = ""
    try:
        runpy.run_path(str(script), run_name="__main__")
    except Enough:
        recorder.outermost = None
        return recorder.program, ""
    except SystemExit:
        pass
    except BaseException as error:  # what a script may raise
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(script)]
        line = (
            getattr(error, "lineno", None) if isinstance(error, SyntaxError) else frames[-1].lineno if frames else None
        )
        at = "" if line is None else f", line {line}"
        said = f"it raised {type(error).__name__}: {error}{at}; mend that first"
    finally:
        end(None)
    if said:
        return None, said
    count = f"{recorder.passes} time{'s' if recorder.passes != 1 else ''}"
    if recorder.passes:
        return None, f"it calls backward() {count}; choose one of them with --call"
    return None, "it ended without calling backward(); call loss.backward() in it"


def main(words: list[str]) -> int:
    """``script out call``, then the arguments of the script."""
    script, out, call = Path(words[0]), words[1], int(words[2])
    sys.argv = [str(script), *words[3:]]
    sys.path.insert(0, str(script.resolve().parent))
    stdout = sys.stdout
    with escaping(stdout, sys.stderr), redirect_stdout(sys.stderr if out == "-" else stdout):
        program, said = run(script, call)
        if program is None:
            print(f"tinygrad-cnn: explain: {printable(script)}: {printable(said)}", file=sys.stderr)
            return 1
        content = page(program, script.name).encode()
        try:
            if out == "-":
                stdout.buffer.write(content)
                stdout.flush()
            else:
                write_atomically(out, content)
        except OSError as error:
            print(f"tinygrad-cnn: explain: {printable(out)}: cannot be written ({error.strerror})", file=sys.stderr)
            return 2
        where = "standard output" if out == "-" else printable(out)
        print(f"{where}: {len(program.lines)} ops, {len(program.backward)} steps back")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
