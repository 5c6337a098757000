"""Writes the pages of the public names: a page for each family of functions, of layers, of methods of `Tensor`.

The names are those that `scripts/public_names.py` lists. A family is the file in which a name is defined; the page
begins with that file's first sentence. Names that stand at several public paths are told where they are defined first.
Layers that have a page in `examples/layers` lead there.
"""

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from made import at_the_beginning, first_sentence, keep
from sphinx.application import Sphinx

from scripts.public_names import PATHS

FOLDER = Path(__file__).parent.parent / "reference" / "names"
TITLES = {
    "tinygrad_cnn": "Functions of tensors",
    "tinygrad_cnn.nn": "Layers: `nn`",
    "tinygrad_cnn.nn.functional": "Functions of layers: `nn.functional`",
}
BY_FAMILY = {"tinygrad_cnn", "tinygrad_cnn.nn", "tinygrad_cnn.nn.functional"}
MORE = "tinygrad_cnn.program", "tinygrad_cnn.teach", "tinygrad_cnn.profiler"
"""Rooms that PyTorch has not, or has elsewhere."""
LEFT_OUT = {"tinygrad_cnn.ops", "tinygrad_cnn.functional", "tinygrad_cnn.serialization", "tinygrad_cnn.data"}
"""Paths whose names stand at others."""
EXAMPLES = Path(__file__).parents[2] / "examples" / "layers"
LAYER = re.compile(r"\bnn\.([A-Z]\w+)\(")


def with_pictures(path: str, name: str) -> list[str]:
    """The files of `examples/layers` that make a layer of this name."""
    files = sorted(EXAMPLES.glob("*.py")) if path == "tinygrad_cnn.nn" else []
    return [f.stem for f in files if name in LAYER.findall(f.read_text(encoding="utf-8"))]


def public(module: Any) -> list[str]:
    """The names that a module shows: those of its `__all__`, or those that it or its parts define."""
    listed = getattr(module, "__all__", None)
    if listed is not None:
        return sorted(listed)
    own = module.__name__
    return sorted(
        n for n, v in vars(module).items() if n[0] != "_" and str(getattr(v, "__module__", "")).startswith(own)
    )


def families(path: str, names: list[str]) -> dict[str, list[str]]:
    """The names of a path by the file that defines them."""
    module, found = importlib.import_module(path), {}
    for name in names:
        value = getattr(module, name)
        where = getattr(value, "__module__", None) if callable(value) else None
        found.setdefault(where if isinstance(where, str) and where.startswith("tinygrad_cnn") else "", []).append(name)
    return found


def directive(path: str, name: str, again: bool) -> list[str]:
    """How autodoc is asked for a name; `again` if it stands on another page, too, to which links lead."""
    value = getattr(importlib.import_module(path), name)
    once = ["   :no-index:"] if again else []
    if inspect.isclass(value):
        lines = [f".. autoclass:: {path}.{name}", *once]
        if value.__name__ != "Tensor":
            own = [k for k, v in vars(value).items() if not k.startswith("_") and inspect.isfunction(v) and v.__doc__]
            if own and not issubclass(value, (tuple, dict)):
                lines.append(f"   :members: {', '.join(own)}")
        files = with_pictures(path, name)
        links = ", ".join(f":ref:`sphx_glr_gallery_layers_{file}.py`" for file in files)
        return [*lines, "", *[f"   **In pictures**: {links}", ""][: 2 * bool(files)]]
    kind = "autofunction" if callable(value) and inspect.isroutine(value) else "autodata"
    return [f".. {kind}:: {path}.{name}", *once, ""]


def page(title: str, intro: str, entries: list[str]) -> str:
    """A page as MyST, whose entries are reStructuredText."""
    return "\n".join([f"# {title}", "", intro, "", "```{eval-rst}", *entries, "```", ""])


def pages() -> Iterator[tuple[str, str, str]]:
    """(path, file, text) of all pages."""
    told: set[int] = set()
    for path in [p for p in (*PATHS, *MORE) if p not in LEFT_OUT]:
        module = importlib.import_module(path)
        names = [n for n in public(module) if not inspect.ismodule(getattr(module, n))]
        again = {n for n in names if id(getattr(module, n)) in told}
        told |= {id(getattr(module, n)) for n in names}
        if path not in BY_FAMILY:
            entries = [line for n in names for line in directive(path, n, n in again)]
            title = f"`{path.removeprefix('tinygrad_cnn.')}`"
            yield path, path.replace(".", "-"), page(title, first_sentence(module), entries)
            continue
        names = [n for n in names if n not in again]
        for where, those in sorted(families(path, names).items()):
            short = where.removeprefix("tinygrad_cnn.").removeprefix("nn.functional.").removeprefix("nn.") or "others"
            words = short.removeprefix("ops.").removeprefix("tensor.").replace("_", " ").replace(".", ", ")
            intro = first_sentence(importlib.import_module(where)) if where else "Values and types."
            entries = [line for n in those for line in directive(path, n, again=False)]
            files = sorted({file for n in those for file in with_pictures(path, n)})
            if files:
                entries = [".. minigallery::", "", *[f"   ../examples/layers/{f}.py" for f in files], "", *entries]
            title = words[0].upper() + words[1:]
            yield path, f"{path}-{short}".replace(".", "-"), page(title, intro, entries)
    yield from methods()


def methods() -> Iterator[tuple[str, str, str]]:
    """The methods of `Tensor`, by the file of the mixture that brings them."""
    tensor = importlib.import_module("tinygrad_cnn").Tensor
    by_class: dict[type, list[str]] = {}
    for name in sorted(n for n in dir(tensor) if not n.startswith("_")):
        home = next(c for c in tensor.__mro__ if name in vars(c))
        by_class.setdefault(home, []).append(name)
    for home, names in by_class.items():
        module = importlib.import_module(home.__module__)
        entries = []
        for name in names:
            is_method = inspect.isroutine(getattr(tensor, name))
            entries += [f".. {'automethod' if is_method else 'autoattribute'}:: tinygrad_cnn.Tensor.{name}", ""]
        words = (
            home.__module__.removeprefix("tinygrad_cnn.").removeprefix("tensor.").replace("_", " ").replace(".", ", ")
        )
        words = "the class" if home is tensor else words
        yield (
            "tinygrad_cnn.Tensor",
            f"Tensor-{words}".replace(", ", "-").replace(" ", "-"),
            page(f"Tensor: {words}", first_sentence(module), entries),
        )


def write(app: Sphinx) -> None:
    """Write the pages whose text has changed, and their index; what is no longer there goes."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    texts, index = {}, {}
    for path, file, text in pages():
        texts[f"{file}.md"] = text
        index.setdefault(path, []).append(file)
    parts = ["# Every public name", "", "By the path from which you import it.", ""]
    for path, files in index.items():
        title = TITLES.get(path, "Methods of `Tensor`" if path.endswith("Tensor") else "")
        if title:
            parts += [f"## {title}", ""]
        elif not any(p.startswith("## Other") for p in parts):
            parts += ["## Other modules", ""]
        parts += ["```{toctree}", ":maxdepth: 1", "", *files, "```", ""]
    texts["index.md"] = "\n".join(parts)
    for old in FOLDER.glob("*.md"):
        if old.name not in texts:
            old.unlink()
    for name, text in texts.items():
        keep(FOLDER / name, text)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    return at_the_beginning(app, write)
