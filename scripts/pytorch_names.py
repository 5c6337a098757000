"""Every public name of PyTorch's namespaces that are here: the same, different (how), or absent (what is nearest).

    python scripts/pytorch_names.py        # writes docs/pytorch-names.md; needs the group `parity`

A name is *the same* if it is here and takes every parameter that PyTorch's takes, under the same name, as far as
Python can tell; parity tests compare what it computes. Where a parameter is missing, or `DIFFERS` says more, it
*differs*. What is absent is listed in `tinygrad_cnn/torch_names/absent.py` and its like with what is nearest, and
asking for it says so.
"""

import argparse
import importlib
import inspect
import types
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.overrides

NAMESPACES = {
    "torch": "tinygrad_cnn",
    "torch.Tensor": "tinygrad_cnn.Tensor",
    "torch.nn": "tinygrad_cnn.nn",
    "torch.nn.functional": "tinygrad_cnn.nn.functional",
    "torch.nn.init": "tinygrad_cnn.nn.init",
    "torch.nn.utils": "tinygrad_cnn.nn.utils",
    "torch.nn.utils.rnn": "tinygrad_cnn.nn.utils.rnn",
    "torch.optim": "tinygrad_cnn.optim",
    "torch.optim.lr_scheduler": "tinygrad_cnn.optim.lr_scheduler",
    "torch.utils.data": "tinygrad_cnn.utils.data",
    "torch.autograd": "tinygrad_cnn.autograd",
    "torch.autograd.functional": "tinygrad_cnn.autograd.functional",
    "torch.func": "tinygrad_cnn.func",
    "torch.linalg": "tinygrad_cnn.linalg",
    "torch.special": "tinygrad_cnn.special",
    "torch.distributions": "tinygrad_cnn.distributions",
    "torch.random": "tinygrad_cnn.random",
}
NOWHERE = {
    "out",
    "layout",
    "memory_format",
    "pin_memory",
    "_stacklevel",
    "foreach",
    "fused",
    "capturable",
    "differentiable",
}
"""Parameters that the text above the tables speaks of once."""


STATUSES = ("same", "differs", "not here")
PAGE = "pytorch-names.md"
DIFFERS = {
    "torch.compile": "records the calls and plays them back",
    "torch.empty": "the memory is what NumPy gives",
    "torch.get_rng_state": "gives a NumPy array of the same bytes",
    "torch.save": "writes a format of its own; whole Modules by the name of their class",
    "torch.load": "executes nothing; reads also what PyTorch's own `save` wrote, if it is data",
    "torch.inference_mode": "is a `no_grad` that `enable_grad` cannot undo",
    "torch.vmap": "a loop and a stack",
    "torch.sgn": "is `sign`: there are no complex numbers",
    "torch.func.vmap": "a loop and a stack",
    "torch.func.jvp": "differentiates the backward pass",
    "torch.Tensor.view": "copies where the layout asks for it, instead of refusing",
    "torch.Tensor.resize_": "fills with 0",
    "torch.Tensor.register_hook": "returns a handle whose `remove` may be called twice",
    "torch.nn.DataParallel": "is the module itself: there is one device",
    "torch.nn.Embedding": "refuses `scale_grad_by_freq` and `sparse`",
    "torch.nn.TransformerEncoder": "has no nested tensors: padded places are computed",
    "torch.utils.data.DataLoader": "workers are threads",
    "torch.autograd.gradcheck": "is stricter, and returns a report that is true if all is right",
    "torch.autograd.gradgradcheck": "is stricter, and returns a report that is true if all is right",
}
"""What differs besides parameters."""


class Name(NamedTuple):
    """A public name, and what became of it: "same", "differs" or "not here", and how or why."""

    namespace: str
    name: str
    status: str
    note: str


def found(path: str) -> Any:
    """The module or class at a dotted path, or None."""
    try:
        return importlib.import_module(path)
    except ImportError:
        module, _, name = path.rpartition(".")
        return getattr(found(module), name, None) if module else None


def public(path: str) -> list[str]:
    """The public names of a namespace of PyTorch: in its `__all__`, or its own, and documented."""
    room = found(path)
    names = set(getattr(room, "__all__", ()))
    listed = bool(names)
    for name in dir(room):
        value = getattr(room, name, None)
        if name.startswith("_") or isinstance(value, types.ModuleType):
            continue
        home = getattr(value, "__module__", None) or ""
        if isinstance(room, type) or (not listed and home.startswith("torch")) or isinstance(value, torch.dtype):
            names.add(name)
    return sorted(n for n in names if not n.startswith("_") and documented(getattr(room, n, None)))


def documented(value: Any) -> bool:
    """Whether a name is meant for users: a constant, or something with a text of its own."""
    if not callable(value):
        return True
    text = str(getattr(value, "__doc__", None) or "")
    home = getattr(value, "__module__", None) or ""
    internal = home.startswith(("torch._jit", "torch.jit", "torch._sym"))
    return len(text) > 20 and not internal and not (isinstance(value, type) and home.startswith("torch._C"))


OVERRIDES = torch.overrides.get_testing_overrides()


def parameters(value: Any) -> dict[str, Any] | None:
    """The names and defaults of what can be called; None if Python cannot tell."""
    with suppress(TypeError):  # some cannot be hashed
        value = OVERRIDES.get(value, value) if callable(value) else value
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return None
    return {p.name: p.default for p in signature.parameters.values() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}


def compared(theirs: Any, ours: Any) -> str:
    """Which parameters of theirs ours does not take; "" if none, or if Python cannot tell."""
    expected = parameters(theirs) if callable(theirs) else None
    try:
        taken = inspect.signature(ours).parameters if expected is not None and callable(ours) else None
    except (TypeError, ValueError):
        taken = None
    kinds = {p.kind for p in taken.values()} if taken else set()
    if expected is None or taken is None or inspect.Parameter.VAR_KEYWORD in kinds:
        return ""
    missing = [n for n in expected if n not in taken and n not in NOWHERE and n not in ("self", "input")]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        missing = [n for n in missing if expected[n] is not inspect.Parameter.empty]
    return f"without {', '.join(f'`{n}`' for n in missing)}" if missing else ""


def why_not(here: Any, name: str) -> str:
    """What asking for an absent name says is nearest; "" if it says nothing."""
    if here is None:
        return "the namespace is not here"
    owner = here([0.0]) if isinstance(here, type) else here
    try:
        getattr(owner, name)
    except AttributeError as error:
        return str(error).partition(": ")[2].partition(". Did you mean")[0]
    return ""


def names() -> Iterator[Name]:
    """All of them."""
    for theirs, ours in NAMESPACES.items():
        here, there = found(ours), found(theirs)
        for name in public(theirs):
            if here is not None and hasattr(here, name):
                automatic = compared(getattr(there, name, None), getattr(here, name))
                note = "; ".join(filter(None, (automatic, DIFFERS.get(f"{theirs}.{name}", ""))))
                yield Name(theirs, name, "differs" if note else "same", note)
            else:
                yield Name(theirs, name, "not here", why_not(here, name))


def page(every: list[Name]) -> str:
    """The page, in Markdown."""
    counts = Counter((n.namespace, n.status) for n in every)
    lines = [
        "# Every public name of PyTorch",
        "",
        f"Made by `python scripts/pytorch_names.py` of PyTorch {torch.__version__.split('+')[0]}; a test keeps it so.",
        "*Same*: the name is here and takes PyTorch's parameters by their names; `tests/parity` compares what it does.",
        "*Differs*: how is said. *Not here*: asking for it is an error that says what is nearest. Said once:",
        "`layout` and `memory_format` choose nothing, `pin_memory` pins nothing, and `foreach`, `fused`,",
        "`capturable` and `differentiable` of optimisers are refused when on. Differences that are no matter of one",
        "name are on [another page](pytorch.md).",
        "",
        "| namespace | same | differs | not here |",
        "|---|--:|--:|--:|",
    ]
    spaces = [space for space in NAMESPACES if any(counts[space, status] for status in STATUSES)]
    lines += [f"| `{s}` | " + " | ".join(str(counts[s, status]) for status in STATUSES) + " |" for s in spaces]
    total = [sum(counts[space, status] for space in NAMESPACES) for status in STATUSES]
    lines += ["| **all** | " + " | ".join(f"**{n}**" for n in total) + " |", ""]
    for space in NAMESPACES:
        lines += section(space, [n for n in every if n.namespace == space])
    return "\n".join(lines)


def section(space: str, every: list[Name]) -> list[str]:
    """The names of one namespace."""
    if not every:
        return []
    lines = [f"## `{space}`", ""]
    same = [f"`{n.name}`" for n in every if n.status == "same"]
    if same:
        lines += [f"**Same** ({len(same)}): {', '.join(same)}", ""]
    differ = [n for n in every if n.status == "differs"]
    if differ:
        lines += ["| differs | how |", "|---|---|", *(f"| `{n.name}` | {n.note} |" for n in differ), ""]
    reasons = defaultdict(list)
    for n in every:
        if n.status == "not here":
            reasons[n.note].append(f"`{n.name}`")
    if reasons:
        lines += ["| not here | nearest |", "|---|---|"]
        lines += [f"| {', '.join(group)} | {reason} |" for reason, group in reasons.items()]
        lines.append("")
    return lines


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs"), help="the folder of the page (default docs)")
    (parser.parse_args().out / PAGE).write_text(page(list(names())), encoding="utf-8")


if __name__ == "__main__":
    main()
