"""``tinygrad-cnn learn``: exercises that grade themselves, for learners and for their teachers."""

import argparse
import os
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from shlex import quote
from textwrap import shorten

from tinygrad_cnn.cli.display import fail
from tinygrad_cnn.cli.options import DAY, number, whole
from tinygrad_cnn.cli.outputs import check_outputs, told, told_beside, write_output
from tinygrad_cnn.display import many, printable
from tinygrad_cnn.files import write_atomically
from tinygrad_cnn.learn.apart import GIB, SECONDS, check_file
from tinygrad_cnn.learn.bugs import COUNT, find_the_bug
from tinygrad_cnn.learn.exercise import ALL_HINTS, ExerciseError, exercises, load
from tinygrad_cnn.learn.graders import GRADERS, gradescope_results
from tinygrad_cnn.learn.record import COULD_NOT_RUN, NOT_DONE, RIGHT, WRONG
from tinygrad_cnn.learn.results import class_page, read_results

STATUS = {RIGHT: 0, WRONG: 1, COULD_NOT_RUN: 3, NOT_DONE: 3}

WIDTH = 80

HINTS = 2
"""So many hints a learner gets who does not ask for more or less: that it is wrong, and where."""

EPILOG = """\
examples:
  tinygrad-cnn learn                         list the exercises
  tinygrad-cnn learn start tanh              copy one into this folder
  tinygrad-cnn learn check tanh.py           is it right?
  tinygrad-cnn learn check tanh.py --hints 3
  tinygrad-cnn learn bug --seed "Ada Lovelace"
  tinygrad-cnn learn results answers --out class.html

exit status of check: 0 right, 1 wrong, 3 it could not run or is not done yet,
2 the command is wrong
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The commands of `learn` and their options."""
    parser.formatter_class, parser.epilog = argparse.RawDescriptionHelpFormatter, EPILOG
    commands = parser.add_subparsers(dest="what", metavar="COMMAND")
    parser.set_defaults(learn=_list)
    start = commands.add_parser("start", help="copy an exercise, to be filled in")
    _exercise_argument(start)
    start.add_argument("folder", nargs="?", type=Path, default=Path(), help="where to (this folder)")
    start.add_argument(
        "--hints", type=_rung, metavar="N", help="for teachers: the file allows at most N hints (1 to 4)"
    )
    start.add_argument("--force", action="store_true", help="write over a file that is there")
    start.set_defaults(learn=_start)
    check = commands.add_parser("check", help="say whether an answer is right")
    check.add_argument("file", type=Path, metavar="FILE")
    check.add_argument("--exercise", metavar="NAME", help="which one it is (as its first line says)")
    check.add_argument("--hints", type=_rung, default=HINTS, metavar="N", help=_hints_help())
    check.add_argument("--student", default="", metavar="NAME", help="whose it is (the folder of the file)")
    check.add_argument("--json", type=Path, metavar="OUT", help="write the result here; - for standard output")
    check.add_argument("--gradescope", type=Path, metavar="OUT", help="write a results.json of Gradescope here")
    _limits(check)
    check.set_defaults(learn=_check)
    results = commands.add_parser("results", help="make the page of a class from the files of check --json")
    results.add_argument("folder", type=Path, metavar="FOLDER")
    results.add_argument(
        "--set", nargs="+", metavar="NAME", help="the exercises that were set (those that somebody has handed in)"
    )
    results.add_argument(
        "--students", type=Path, metavar="FILE", help="the names of all students, one a line: who handed in nothing?"
    )
    results.add_argument("--out", type=Path, default=Path("class.html"), metavar="FILE", help="(class.html)")
    results.set_defaults(learn=_results)
    bug = commands.add_parser("bug", help="find the bug: exercises with a mistake in each, other ones for each seed")
    bug.add_argument("folder", nargs="?", type=Path, default=Path(), help="where to (this folder)")
    bug.add_argument("--seed", required=True, metavar="NAME", help="a name or a number; the same gives the same")
    bug.add_argument("--student", default="", metavar="NAME", help="the name in the files, if the seed is another")
    bug.add_argument("--hints", type=_rung, metavar="N", help="for teachers: the files allow at most N hints (1 to 4)")
    bug.add_argument("--count", type=whole(1, 1000), default=COUNT, metavar="N", help=f"so many bugs ({COUNT})")
    bug.add_argument("--solution", action="store_true", help="for teachers: print where they are; nothing is written")
    bug.add_argument("--force", action="store_true", help="write over files that are there")
    bug.set_defaults(learn=_bug)
    grader = commands.add_parser("grader", help="write the files for Gradescope, nbgrader or Otter")
    grader.add_argument("grader", choices=sorted(GRADERS))
    _exercise_argument(grader)
    grader.add_argument("folder", nargs="?", type=Path, default=Path(), help="where to (this folder)")
    grader.add_argument("--hints", type=_rung, default=HINTS, metavar="N", help=_hints_help())
    grader.add_argument("--seconds", type=number(0.01, DAY), default=SECONDS, help=f"of a submission ({SECONDS:g})")
    grader.add_argument("--force", action="store_true", help="write over files that are there")
    grader.set_defaults(learn=_grader)


def run(args: argparse.Namespace) -> int:
    """Do what is asked for."""
    command: Callable[[argparse.Namespace], int] = args.learn
    try:
        return command(args)
    except ExerciseError as error:
        return fail(str(error))
    except OSError as error:
        if error.filename is None:  # of standard output: `main` knows what to say
            raise
        return fail(f"learn: {error.filename}: {error.strerror or error}")


def _exercise_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="of an exercise, or the path of your own exercise file")


def _limits(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=number(0.01, DAY), default=SECONDS, help=f"it may take so long ({SECONDS:g})")
    parser.add_argument(
        "--memory", type=number(0.01, 4096.0), default=GIB, metavar="GIB", help=f"it may take so many GiB ({GIB:g})"
    )


def _rung(text: str) -> int:
    """A parser of numbers of hints."""
    if text not in map(str, range(1, ALL_HINTS + 1)):
        raise argparse.ArgumentTypeError(f"{text!r} must be 1, 2, 3 or 4")
    return int(text)


def _hints_help() -> str:
    return f"1: that it is wrong, 2: and where, 3: and what kind of mistake, 4: and the formula ({HINTS})"


def _list(args: argparse.Namespace) -> int:
    found = exercises()
    width = max(len(e.name) for e in found) + 2
    for chapter, group in groupby(found, key=lambda e: e.chapter):
        print(f"\n{chapter}")
        for e in group:
            print(f"  {e.name:{width}}{shorten(e.title, WIDTH - width - 2, placeholder=' …')}")
    print(f"\n{len(found)} exercises. Copy one: tinygrad-cnn learn start {found[0].name}")
    return 0


def _start(args: argparse.Namespace) -> int:
    exercise = load(args.name)
    target = args.folder / f"{exercise.name}.py"
    _write({target: exercise.start(args.hints)}, args.force)
    print(f"{printable(target)}: fill in the lines with `...`, then: {printable(_to_check(target))}")
    return 0


def _check(args: argparse.Namespace) -> int:
    outputs = {"--json": args.json, "--gradescope": args.gradescope}
    for path in filter(None, outputs.values()):
        if not os.path.isdir(path.parent):
            return fail(f"learn: {path}: there is no folder {path.parent}; make it first")
    check_outputs(outputs, {"": args.file, "--exercise": args.exercise}, "nothing was checked")
    result = check_file(
        args.file, exercise=args.exercise, seconds=args.seconds, memory=args.memory, student=args.student
    )
    hints = min(args.hints, len(result.hints)) if result.verdict == WRONG else args.hints
    if args.json is not None:
        write_output("--json", args.json, result.to_json().encode())
    if args.gradescope is not None:
        write_output("--gradescope", args.gradescope, gradescope_results(result, hints).encode())
    with told_beside(args.json, args.gradescope) as out:
        if result.printed:
            out.write(f"What it printed:\n{result.printed.rstrip()}\n\n")
        print(result.told(hints))
    return STATUS[result.verdict]


def _results(args: argparse.Namespace) -> int:
    if not os.path.isdir(args.folder):
        return fail(f"learn: {args.folder} is no folder; give the one with the files of check --json")
    results = {f"result {k}": path for k, path in enumerate(sorted(args.folder.rglob("*.json")), 1)}
    check_outputs({"--out": args.out}, results, "nothing was written")
    found, problems = read_results(args.folder)
    if not found:
        return fail(f"learn: {args.folder}: there is no result of check --json in it")
    asked = [load(name).name for name in args.set] if args.set else None
    students = _lines(args.students) if args.students else []
    write_output("--out", args.out, class_page(found, problems, exercises=asked, students=students).encode())
    unread = f"; {many(len(problems), 'file')} could not be read, as the page says" if problems else ""
    number = many(len({r.student for r in found}), "student")
    with told_beside(args.out):
        print(f"{told(args.out)}: {many(len(found), 'result')} of {number}{unread}")
    return 0


def _lines(path: Path) -> list[str]:
    """The lines of a file of text that are not empty."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise ExerciseError(f"learn: {path}: cannot be read (it is a folder, a device or a pipe)")
    try:
        return [line for line in map(str.strip, path.read_text(encoding="utf-8").splitlines()) if line]
    except UnicodeDecodeError as error:
        raise ExerciseError(f"learn: {path}: cannot be read ({error})") from None


def _bug(args: argparse.Namespace) -> int:
    found = find_the_bug(args.seed, args.count)
    if args.solution:
        for bug in found:
            print(bug.solution())
        return 0
    files = {args.folder / f"bug_{bug.exercise}.py": bug.sheet(args.student or args.seed, args.hints) for bug in found}
    _write(files, args.force)
    for path in files:
        print(f"{printable(path)}: find the bug and mend it, then: {printable(_to_check(path))}")
    return 0


def _to_check(path: Path) -> str:
    """The command that checks a file, as the shell reads it."""
    return f"tinygrad-cnn learn check {quote(str(path))}"


def _grader(args: argparse.Namespace) -> int:
    exercise = load(args.name)
    written = GRADERS[args.grader](exercise, args.name, args.hints, args.seconds)
    files = {args.folder / name: text for name, text in written.items()}
    _write({path: text for path, text in files.items() if not _is_source(path, exercise.path)}, args.force)
    for path in files:
        if path.name == "run_autograder" or path.suffix == ".sh":
            path.chmod(0o755)
        print(printable(path))
    return 0


def _is_source(path: Path, source: Path) -> bool:
    """Whether a file would be written over the teacher's own exercise, which is what it would hold."""
    return os.path.exists(path) and path.samefile(source)


def _write(files: dict[Path, str], force: bool) -> None:
    """Write the files, all or none: none is written over if it is not meant to be."""
    there = [str(path) for path in files if os.path.exists(path)]
    if there and not force:
        raise ExerciseError(f"learn: {there[0]} is there already; --force writes over it, and what is in it is lost")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode())
