"""``tinygrad-cnn run program.py``: run a PyTorch program here, with nothing changed but its imports.

Each `import torch…` and `from torchvision… import …`, of the program and of the modules it brings along, is read as
the import that `renamed` makes of it, and `torch.__version__` as the version of PyTorch whose names are here, since
programs choose by it. Nothing else is touched, and no file is written.
"""

import argparse
import ast
import importlib.abc
import importlib.machinery
import os
import sys
import sysconfig
import types
from collections.abc import Sequence
from pathlib import Path

from tinygrad_cnn.cli.display import fail
from tinygrad_cnn.display import printable

STANDS_FOR = {"torch": "tinygrad_cnn", "torchvision": "tinygrad_cnn", "torch.utils.tensorboard": "tensorboardX"}
"""What takes the place of a module and of all below it; `tensorboardX` is a writer of summaries without PyTorch."""


def renamed(module: str) -> str:
    """The module that stands for one of PyTorch's; any other keeps its name.

    >>> renamed("torch.nn.functional"), renamed("torchvision.transforms"), renamed("torchmetrics")
    ('tinygrad_cnn.nn.functional', 'tinygrad_cnn.transforms', 'torchmetrics')
    """
    head, rest = module, ""
    while head and head not in STANDS_FOR:
        head, dot, last = head.rpartition(".")
        rest = dot + last + rest
    return STANDS_FOR[head] + rest if head else module


class Imports(ast.NodeTransformer):
    """Rewrites import statements, and keeps those that it changed as `changed`, by line."""

    def __init__(self) -> None:
        self.changed: dict[int, str] = {}

    def visit_Import(self, node: ast.Import) -> ast.Import:
        self.note(node, [new for alias in node.names for new in self.aliases(alias)])
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        if not node.level and node.module and renamed(node.module) != node.module:
            node.module = renamed(node.module)
            self.changed[node.lineno] = ast.unparse(node)
        return node

    def aliases(self, alias: ast.alias) -> list[ast.alias]:
        """`import torch.nn` makes the name `torch`: it loads the module, and binds the package under that name."""
        module, package = renamed(alias.name), alias.name.split(".")[0]
        if alias.asname or module == alias.name:
            return [ast.alias(module, alias.asname)]
        loaded = [ast.alias(module)] if "." in module else []
        return [*loaded, ast.alias(renamed(package), package)]

    def visit_Attribute(self, node: ast.Attribute) -> ast.Attribute:
        self.generic_visit(node)
        if node.attr == "__version__" and isinstance(node.value, ast.Name) and node.value.id == "torch":
            node.value = ast.copy_location(ast.Attribute(node.value, "torch_names", ast.Load()), node.value)
        return node

    def note(self, node: ast.Import, names: list[ast.alias]) -> None:
        before = ast.unparse(node)
        node.names = names
        if ast.unparse(node) != before:
            self.changed[node.lineno] = ast.unparse(node)


def compiled(source: str | bytes, path: str) -> types.CodeType:
    """The program's code with its imports rewritten; lines keep their numbers."""
    tree = ast.fix_missing_locations(Imports().visit(ast.parse(source, path)))
    return compile(tree, path, "exec", dont_inherit=True)


class Loader(importlib.machinery.SourceFileLoader):
    """Loads a module from its source each time, with its imports rewritten."""

    def get_code(self, fullname: str) -> types.CodeType:
        path = self.get_filename(fullname)
        return compiled(self.get_data(path), path)


class Own(importlib.abc.MetaPathFinder):
    """Finds the program's own modules: source files that belong neither to Python, nor to an installed package."""

    def __init__(self) -> None:
        self.installed = [Path(path) for path in sysconfig.get_paths().values()]

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] in STANDS_FOR.values():
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or not isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            return None
        origin = Path(spec.loader.path).resolve()
        if "site-packages" in origin.parts or any(origin.is_relative_to(folder) for folder in self.installed):
            return None
        spec.loader = Loader(spec.name, spec.loader.path)
        return spec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--show", action="store_true", help="print the imports that are changed, and run nothing")
    parser.add_argument("program", type=Path, help="a Python program that imports torch")
    parser.add_argument("args", nargs=argparse.REMAINDER, help="all that follows is given to the program")


def run(args: argparse.Namespace) -> int:
    """Run it, or show what would be changed."""
    path: Path = args.program
    if not os.path.isfile(path):
        return fail(f"run: there is no file {path}")
    try:
        code = compiled(path.read_bytes(), str(path))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # bytes of 0, too many brackets
        line = getattr(error, "lineno", None)
        return fail(f"run: {path}{f', line {line}' if line else ''}: {getattr(error, 'msg', error)}; nothing was run")
    except OSError as error:
        return fail(f"run: {path}: cannot be read ({error.strerror})")
    if args.show:
        show(path)
    else:
        execute(path, code, args.args)
    return 0


def execute(path: Path, code: types.CodeType, arguments: Sequence[str]) -> None:
    """Run the code of the program as `python path arguments…` would, in this process."""
    program = types.ModuleType("__main__")
    program.__file__ = str(path)
    sys.argv = [str(path), *arguments]
    sys.path.insert(0, str(path.resolve().parent))
    sys.meta_path.insert(0, Own())
    sys.modules["__main__"] = program
    exec(code, program.__dict__)


def show(path: Path) -> None:
    """Print each import that is rewritten, with its line."""
    imports = Imports()
    imports.visit(ast.parse(path.read_bytes(), str(path)))
    for line, text in imports.changed.items():
        print(f"{printable(path)}:{line}: {text}")
