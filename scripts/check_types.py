"""What type checkers know: the assertions in tests/typing, misspelt names, and whether anything public returns Any.

    python -m scripts.check_types          # needs mypy and pyright; about a minute, most of it pyright's

Four questions, each answered with what is wrong, and 1 as exit code if something is:

1. Do `mypy --strict` and `pyright` find no error in the package and in ``tests/typing/assert_*.py``?
2. Does each line of ``tests/typing/misspelt.py`` that ends in ``# error`` have exactly one, and no other line, in both?
3. Has every public callable of ``tests/public_names.txt`` an assertion?
4. Does mypy reveal Any in what a public callable returns? `ANY` lists where it may, and why.
"""

import ast
import importlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
TYPING = ROOT / "tests" / "typing"
ASSERTIONS = sorted(str(path) for path in TYPING.glob("assert_*.py"))
MISSPELT = TYPING / "misspelt.py"

ANY = {
    r"Op\.(apply|sample)": "an op takes and gives arrays and Tensors alike; its options are its own",
    r"strategies (Sample|broadcasting|convolutions|indexed|indices|poolings|samples)": "samples hold an op's options",
    r"autograd(\.function)? Function\.": "its author writes them; PyTorch says Any as well",
    r"numpy_protocol (of_method|with_dtype)": "what NumPy's protocols hand over, or NotImplemented",
    r"state_dict": "a dict of what there is to save, as in PyTorch",
    r"func (grad|grad_and_value|hessian|jacfwd|jacrev)": "the last overload: of a function that is itself not typed",
    r"transforms Compose": "of transforms that are themselves not typed",
    r"nn Module\.forward": "a module without one has none; calling what is only known as a Module gives a Tensor",
    r"learn Exercise\.inputs": "an exercise may take whatever functions take",
    r"tensor (as_plain|written)": "what it is given, or its array",
}
"""Where Any may be in what comes out, as patterns of ``path name``, and why."""

KNOWN = (
    r"numpy\.ndarray\[(Any|tuple\[Any, \.\.\.\]), numpy\.dtype\[Any\]\]",
    r"numpy\.dtype\[Any\]",
    r"\(\*Any, \*\*Any\)",
)
"""An array, or a dtype, of any numbers, as exact as NumPy's own annotations are; and what a function may be given."""


def run(*command: str) -> str:
    """What a program prints, whatever its exit code."""
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True).stdout


def mypy_errors(*files: str) -> list[tuple[str, int, str]]:
    """File, line and text of each error that mypy finds, in these files or in the package."""
    found = re.findall(r"^(.+?):(\d+): error: (.*)$", run("mypy", "--no-error-summary", *files), re.M)
    return [(file, int(line), text) for file, line, text in found]


def pyright_errors(*files: str) -> list[tuple[str, int, str]]:
    """The same of pyright."""
    answer = json.loads(run("pyright", "--outputjson", "--pythonpath", sys.executable, *files))
    every = answer["generalDiagnostics"]
    return [(d["file"], d["range"]["start"]["line"] + 1, d["message"]) for d in every if d["severity"] != "information"]


def errors() -> Iterator[str]:
    """What either checker has against the package and the assertions."""
    found = [*mypy_errors(), *mypy_errors(*ASSERTIONS)]
    yield from (f"mypy: {file}:{line}: {text}" for file, line, text in found)
    yield from (f"pyright: {file}:{line}: {text}" for file, line, text in pyright_errors())


def misspelt() -> Iterator[str]:
    """Lines whose error a checker does not see, or of which it sees more."""
    lines = MISSPELT.read_text(encoding="utf-8").splitlines()
    with tempfile.TemporaryDirectory() as folder:  # where pyright does not leave it out
        file = shutil.copy(MISSPELT, folder)
        found = {"mypy": mypy_errors(file), "pyright": pyright_errors(file)}
    for name, diagnostics in found.items():
        seen = Counter(line for file, line, _ in diagnostics if Path(file).name == MISSPELT.name)
        for number, line in enumerate(lines, 1):
            if seen[number] != line.endswith("# error"):
                yield f"{name}: {MISSPELT.name}:{number}: {seen[number]} errors: {line}"


def public() -> list[tuple[str, str, bool]]:
    """Path, name (``Class.member`` of a member) and whether it can be called, of each line of the frozen list.

    Without the machinery that the list has of modules which then named nothing public, and now do.
    """
    lines = (ROOT / "tests" / "public_names.txt").read_text(encoding="utf-8").splitlines()
    split = [re.fullmatch(r"(\S+) ([\w.]+)(\(.*)?", line) for line in lines]
    named = {path: getattr(importlib.import_module(path), "__all__", None) for path in {m[1] for m in split if m}}
    return [
        (m[1], m[2], m[3] is not None)
        for m in split
        if m is not None and (named[m[1]] is None or m[2].partition(".")[0] in named[m[1]])
    ]


def asserted() -> set[str]:
    """Every name in the expressions of the files of assertions."""
    trees = [ast.parse(Path(file).read_text(encoding="utf-8")) for file in ASSERTIONS]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)} | {
        node.id for node in nodes if isinstance(node, ast.Name)
    }


def unasserted() -> Iterator[str]:
    """Public callables that no assertion names."""
    names = asserted()
    yield from (f"{path}.{name}" for path, name, called in public() if called and name.split(".")[-1] not in names)


def parts(text: str) -> Iterator[str]:
    """What is between the commas of a type as mypy writes it, brackets kept together."""
    depth = start = 0
    for k, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and not depth:
            yield text[start:k].strip()
            start = k + 1
    yield text[start:].strip()


def returned(text: str) -> Iterator[str]:
    """What a callable returns, of each of its overloads; nothing if the type is no function's."""
    if text.startswith("Overload("):
        for overload in parts(text[len("Overload(") : -1]):
            yield from returned(overload)
    elif text.startswith("def "):
        depth = 0
        for k, letter in enumerate(text):
            depth += (letter in "([{") - (letter in ")]}")
            if not depth and text.startswith("->", k):
                result = text[k + 2 :].strip()
                yield from returned(result) if result.startswith(("def ", "Overload(")) else [result]
                return


def reveals(names: Iterable[tuple[str, str]]) -> Iterator[str]:
    """What mypy reveals of each public name."""
    names = list(names)
    paths = sorted({path for path, _ in names})
    lines = [f"import {path} as m{k}" for k, path in enumerate(paths)]
    lines += [f"reveal_type(m{paths.index(path)}.{name})" for path, name in names]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "reveals.py"
        file.write_text("\n".join(lines), encoding="utf-8")
        output = run("mypy", "--no-error-summary", str(file))
    found = dict(re.findall(r":(\d+): note: Revealed type is \"(.*)\"$", output, re.M))
    for number in range(len(paths) + 1, len(lines) + 1):
        yield found.get(str(number), "Any")


def any_left() -> Iterator[str]:
    """Public callables of whose results mypy knows less than it could."""
    names = [(path, name) for path, name, called in public() if called]
    allowed = re.compile("|".join(ANY))
    for (path, name), text in zip(names, reveals(names), strict=True):
        results = [text] if text == "Any" else list(returned(text))
        for result in results:
            for pattern in KNOWN:
                result = re.sub(pattern, "", result)
            if re.search(r"\bAny\b", result) and not allowed.search(f"{path} {name}"):
                yield f"Any: {path}.{name} gives {result}"
                break


def main() -> int:
    """Ask all four questions."""
    wrong = 0
    for question in (errors, misspelt, unasserted, any_left):
        answers = list(question())
        wrong += len(answers)
        print(f"{question.__name__}: {len(answers)}", *answers, sep="\n  ")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
