"""Random programs about memory, each run in PyTorch and here, step by step: views, writes, derivatives, files.

    python -m tests.parity.memory_programs --programs 20000 --seed 0 --jobs 2    # the table of what differs
    python -m tests.parity.memory_programs --show 0-17                           # one program, by its number

A program is a list of lines that a rule of memory_steps.py wrote. After each line the two must agree: whether it raised
and what kind of exception, and of all tensors, gradients and arrays alive the values, dtypes, shapes, versions,
`requires_grad`, and which elements lie in the same memory. At the end they must agree on leaves, bases and nodes, too.
A program that differs is cut down to the lines without which it no longer does. `EXCEPTIONS` are the kinds that may.
"""

import argparse
import copy
import io
import pickle
import re
import sys
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import combinations, pairwise
from random import Random

import numpy as np
import torch

import tinygrad_cnn as tg
from tests.parity.memory_steps import RULES, World, last_backwards, root

LENGTH = (8, 20)

PRELUDE = """\
import copy, io, pickle
import numpy as np
import tinygrad_cnn as m  # or torch

def loaded(m, things):
    file = io.BytesIO()
    m.save(things, file)
    file.seek(0)
    return m.load(file)

class Doubled(m.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        return x
    @staticmethod
    def backward(ctx, g):
        return g * 2

held, seen = [], None
"""


@dataclass(frozen=True)
class Step:
    """One line, and the rule that wrote it."""

    rule: str
    line: str


@dataclass(frozen=True)
class Difference:
    """Where two runs of a program part: at which step (the number of steps stands for the end), in what, how."""

    at: int
    rule: str
    what: str
    there: str
    here: str

    @property
    def kind(self):
        return f"{self.rule}: {self.what}", plainly(self.there), plainly(self.here)

    def __str__(self):
        return f"{self.what}\n    PyTorch: {self.there}\n    here:    {self.here}"


def plainly(text):
    """A message without its numbers, so that the same one is counted together."""
    return re.sub(r"\d+", "#", re.sub(r"\([^)]*\)|\[[^\]]*\]", "()", text))[:90] if ": " in text else ""


PACKED = {
    "": nullcontext,
    "copies": lambda: torch.autograd.graph.saved_tensors_hooks(lambda t: t.detach().clone(), lambda t: t),
    "unseen": lambda: torch.autograd.graph.saved_tensors_hooks(lambda t: t.detach(), lambda t: t),
}


class Session:
    """A program running in one library."""

    def __init__(self, library, saved=""):
        self.names = {"m": library, "np": np, "copy": copy, "pickle": pickle, "io": io}
        exec(OPENING, self.names)
        self.versions = {}
        self.recorded_gradients = False
        self.saved = saved  # how PyTorch packs what it saves

    def run(self, line):
        """What the line raised, or None."""
        self.recorded_gradients |= "create_graph=True" in line
        try:
            with PACKED[self.saved]():
                exec(compiled(line), self.names)
        except Exception as error:
            return error.with_traceback(None)
        return None

    def written(self, name, tensor):
        """Whether it was since the last look."""
        before = self.versions.get(name)
        self.versions[name] = tensor._version
        return before is not None and before != tensor._version

    def alive(self):
        """All tensors and arrays that the program can reach, by what it would call them."""
        found = {}
        for name, value in self.names.items():
            if name == "held":
                found.update({f"held[{k}]": g for k, g in enumerate(value)})
            elif name[0] in "tn" and name[1:].isdigit():
                found[name] = value
                if name[0] == "t" and value is not None:
                    found[f"{name}.grad"] = value.grad
        return found


OPENING = compile("\n".join(line for line in PRELUDE.splitlines() if "import" not in line), "<prelude>", "exec")
_compiled = {}


def compiled(line):
    if line not in _compiled:
        if len(_compiled) > 10000:
            _compiled.clear()
        _compiled[line] = compile(line, "<program>", "exec")
    return _compiled[line]


BUILT_IN = (IndexError, TypeError, ValueError, AttributeError, NameError, RuntimeError, Exception)


def said(error):
    return "nothing raised" if error is None else f"{type(error).__name__}: {' '.join(str(error).split())}"


def same_kind(there, here):
    """Both passed, or what is raised here is of the built-in class that PyTorch's is of."""
    if there is None or here is None:
        return there is here
    expected = next((kind for kind in BUILT_IN if isinstance(there, kind)), Exception)
    return isinstance(here, expected) and (isinstance(there, AttributeError) or not isinstance(here, AttributeError))


def addresses(array):
    """Where each element begins."""
    place = np.full(array.shape, array.__array_interface__["data"][0], np.int64)
    for d, (n, stride) in enumerate(zip(array.shape, array.strides, strict=True)):
        place += (np.arange(n) * stride).reshape(-1, *[1] * (array.ndim - 1 - d))
    return place.ravel()


def sharing(arrays):
    """Of every element the first place, in the order of names, that lies in the same memory."""
    places = [addresses(a) for a in arrays.values()]
    if not places:
        return {}
    _, first, place = np.unique(np.concatenate(places), return_index=True, return_inverse=True)
    return dict(zip(arrays, np.split(first[place], np.cumsum([len(p) for p in places])[:-1]), strict=True))


def same_objects(things):
    """Of each name the first that stands for the same object."""
    first = {}
    return {k: first.setdefault(id(v), k) for k, v in things.items() if v is not None and k[0] == "t"}


def same_storage(a, b):
    (first, size), (second, other) = ((s.data_ptr(), s.nbytes()) for s in (a.untyped_storage(), b.untyped_storage()))
    return first < second + other and second < first + size


def holder(tensor):
    """The base in whose memory a tensor lies; itself if it was given other data."""
    return root(tensor) if same_storage(root(tensor), tensor) else tensor


def as_array(value):
    """The numbers, in the memory where they lie; zeros without memory, which PyTorch has, are given some."""
    if isinstance(value, np.ndarray):
        return value
    empty_handed = isinstance(value, torch.Tensor) and value._is_zerotensor()
    return value.detach().numpy(force=True) if empty_handed else value.detach().numpy()


def close(a, b, precision):
    """Whether values agree; no precision: numbers of one dtype were read as another, and a rounding looks larger."""
    if np.array_equal(a, b):
        return True
    tolerance = {"float64": precision, "float32": 1e-3}.get(str(b.dtype), 0.0)
    if precision is None:
        a, b, tolerance = a.astype(float), b.astype(float), 1e-3
    if not tolerance:
        return False
    finite = b[np.isfinite(b)]
    scale = np.abs(finite).max() if finite.size else 0.0
    return np.allclose(a, b, rtol=tolerance, atol=tolerance * min(max(scale, 1e-3), 1e12), equal_nan=True)


def shown(array):
    return f"{array.dtype} {array.shape} {array.tolist()}"


def first_difference(there, here, versions="both", precision=1e-9):
    """(what, there, here) of the first thing in which two sessions differ; None if they agree."""
    theirs, ours = there.alive(), here.alive()
    if theirs.keys() != ours.keys():
        return "names", str(sorted(theirs.keys() - ours.keys())), str(sorted(ours.keys() - theirs.keys()))
    arrays = {}, {}
    changed, only_here = [], []
    for name, t in theirs.items():
        u = ours[name]
        part = (
            "gradient" if "." in name else "held gradient" if "[" in name else "array" if name[0] == "n" else "tensor"
        )
        if t is None or u is None:
            if t is not u:
                return f"{part} exists", f"{name} is {t!r}", f"{name} is {u!r}"
            continue
        a, b = as_array(t), as_array(u)
        arrays[0][name], arrays[1][name] = a, b
        if a.dtype != b.dtype:
            return f"dtype of {part}", f"{name} {a.dtype}", f"{name} {b.dtype}"
        if a.shape != b.shape:
            return f"shape of {part}", f"{name} {a.shape}", f"{name} {b.shape}"
        if not close(b, a, precision):
            return f"value of {part}", f"{name} {shown(a)}", f"{name} {shown(b)}"
        if isinstance(t, torch.Tensor):
            # an empty gradient may be new zeros, or be computed
            if t.requires_grad is not u.requires_grad and (a.size or not there.recorded_gradients):
                return f"requires_grad of {part}", f"{name} {t.requires_grad}", f"{name} {u.requires_grad}"
            if part == "tensor" and hasattr(u, "_version"):
                # where the count begins, and by how much a write raises it, is nobody's business
                written = there.written(name, t), here.written(name, u)
                if written == (True, False) and versions != "neither" and a.size:
                    return "version", f"{name} was written", f"{name} was not"
                changed.append(name) if written[0] else only_here.append(name) if written[1] else None
    same, own = (same_objects(things) for things in (theirs, ours))
    for name in same:
        nothing = there.recorded_gradients and name in arrays[0] and not arrays[0][name].size  # as above
        if same[name] != own[name] and not nothing:
            return "identity", f"{name} is {same[name]}", f"{name} is {own[name]}"
    relation, own = sharing(arrays[0]), sharing(arrays[1])
    for name in relation:
        if not np.array_equal(relation[name], own[name]):
            return "sharing", f"{name} {relation[name].tolist()}", f"{name} {own[name].tolist()}"
    for name in only_here if versions == "both" else ():
        # a version here belongs to memory; there, what shares memory and is no view has another
        if arrays[0][name].size and not any(
            same_storage(theirs[name], theirs[other]) or not arrays[0][other].size for other in changed
        ):
            return "version", f"{name} was not written", f"{name} was"
    if there.names["seen"] != here.names["seen"]:
        return "answer", f"{there.names['seen']}", f"{here.names['seen']}"
    return None


FACTS = {
    "is_leaf": lambda t: t.is_leaf,
    "grad_fn is None": lambda t: t.grad_fn is None,
    "retains_grad": lambda t: t.retains_grad and t.grad_fn is not None,
}


def fact(ask, value):
    try:
        return ask(value)
    except Exception as error:
        return error


def base(value, things):
    """What the value is a view of: a name, "hidden" if it has none, as behind the result of an op; or None."""
    found = value._base
    return found if found is None else next((name for name, other in things.items() if other is found), "hidden")


def difference_of_facts(there, here):
    """What PyTorch may answer by bringing a view's node up to date, so it is asked when the program is over."""
    theirs, ours = there.alive(), here.alive()
    for name, t in theirs.items():
        if isinstance(t, torch.Tensor):
            a, b = base(t, theirs), base(ours[name], ours)
            if a != b and "hidden" not in (a, b) and t.numel():
                return "base", f"{name} {a}", f"{name} {b}"
            for label, ask in FACTS.items() if t.numel() else ():
                a, b = fact(ask, t), fact(ask, ours[name])
                if not (same_kind(a, b) if isinstance(a, Exception) and isinstance(b, Exception) else a is b):
                    return label, f"{name} {a!r}", f"{name} {b!r}"
    return None


class Run:
    """A program in both libraries in step; `difference` is where they part.

    Where PyTorch's own answer is arbitrary, or its refusal needless, it gets a second chance (EXCEPTIONS): the program
    is run there again in words that leave it no such choice. If the two then agree, the program goes on from there.
    """

    def __init__(self, other=tg, look=True):
        self.there, self.here = Session(torch), Session(other)
        self.other, self.look = other, look
        self.steps = []
        self.lines = []  # what ran in PyTorch
        self.raised = []
        self.excused = []
        self.difference = None

    def compare(self, step, theirs, ours):
        if not same_kind(theirs, ours):
            one_only = {True: "only here", False: "another class"}[theirs is None]
            where = "only in PyTorch" if ours is None else one_only
            return f"raises {where}", said(theirs), said(ours)
        if not self.look:
            return None
        # what x shared memory with, and is no view of it, counts its writes here after `x.data = y`, too; a copy of x
        # those of the copy of its gradient, if they share memory
        given_data = any(text in line for line in self.lines for text in (".data = ", ".set_(", ".grad = "))
        return first_difference(self.there, self.here, "there" if given_data else "both", self.precision())

    def precision(self):
        """How precise float64 is: less where it was computed in float32, or read as another dtype."""
        if any(each.rule == "view_dtype" for each in self.steps):
            return None
        return 1e-5 if any("float" in line.replace("float64", "") for line in self.lines) else 1e-9

    def step(self, step):
        self.steps.append(step)
        self.lines.append(step.line)
        self.versions = dict(self.here.versions)
        theirs, ours = self.there.run(step.line), self.here.run(step.line)
        found = self.compare(step, theirs, ours)
        if found and self.other is not torch:
            for name, exception in EXCEPTIONS.items():
                lines = exception.reword(self, found, theirs)
                names = [] if lines is True else self.again(lines, step, ours, exception.saved) if lines else None
                if names is not None:
                    self.excused += [name, *names]
                    found = None
                    break
        self.raised.append(theirs)
        if found:
            self.difference = Difference(len(self.steps) - 1, step.rule, *found)
        return self.difference is None and not self.stopped()

    def again(self, lines, step, ours, saved):
        """What may differ still when PyTorch runs these lines, None if it may not; it goes on from them."""
        before = self.there
        self.there = Session(torch, saved or before.saved)
        for line in lines[:-1]:
            self.there.run(line)
        first_difference(self.there, self.there)  # takes note of the versions
        self.here.versions = dict(self.versions)
        theirs, said_before, self.lines = self.there.run(lines[-1]), self.lines, lines
        found = self.compare(step, theirs, ours)
        if found is None:
            return []
        for name, exception in EXCEPTIONS.items():
            if exception.reword(self, found, theirs) is True:
                return [name]
        self.there, self.lines = before, said_before
        return None

    def end(self):
        if self.difference is None and not self.stopped():
            found = first_difference(self.there, self.here, "neither", self.precision()) or difference_of_facts(
                self.there, self.here
            )
            if found and not (self.other is not torch and self.steps and may_differ_at_the_end(self, found)):
                self.difference = Difference(len(self.steps), "at the end", *found)
        return self.difference

    def stopped(self):
        return bool(self.excused) and EXCEPTIONS[self.excused[-1]].ends


@dataclass(frozen=True)
class Allowed:
    """Why a kind of difference stays, and how PyTorch is asked again: lines that must agree, True if nothing can be."""

    page: str  # how the page of differences begins to tell of it
    reason: str
    reword: object  # of a run, what differs and what PyTorch raised
    saved: str = ""  # how PyTorch packs what it saves for a backward pass
    ends: bool = True  # the program: a PyTorch that has been asked in other words may answer otherwise later, too


STALE = "a leaf Variable that requires grad"
STALE_BASE = "its base or another view of its base has been modified inplace"
AS_DIFFERENT_TYPES = "that view the same data as different types"
OVERLAP = "some elements of the input tensor and the written-to tensor refer to a single memory location"
REWRITTEN = "modified by an inplace operation"
FREED = "Trying to backward through the graph a second time"
BACKWARD = re.compile(r"\.backward\(|autograd\.(grad|backward)\(")
UNDER_NO_GRAD = "A view was created in no_grad mode"
TURN = r"((un)?squeeze|transpose|t|swapaxes|swapdims)_\("
NAME = re.compile(r"\b[tn]\d+\b")
WRITE = re.compile(r"\w_\(|\] [-+*/]?= |\w [-+*/]= |out=|init\.|inplace=True|Doubled")


def with_copies(line):
    """The line with a clone() of every tensor that is not the one written into."""
    names = list(re.finditer(r"\bt\d+\b", line))
    target = names[-1] if "out=" in line else names[0]
    for name in reversed(names):
        if name is not target and not line[: name.start()].endswith(("out=", ".")):
            end = name.end() + (len(".detach()") if line[name.end() :].startswith(".detach()") else 0)
            line = f"{line[:end]}.clone(){line[end:]}"
    return line


def of_copies(run, found, theirs):
    line = run.lines[-1]
    refused = theirs is None or OVERLAP in str(theirs) or isinstance(theirs, IndexError)
    if len(re.findall(r"\bt\d+\b", line)) < 2 or not refused or not WRITE.search(line):
        return None
    return [*run.lines[:-1], with_copies(line)]


def retaining(line):
    if not BACKWARD.search(line) or "retain_graph" in line or "create_graph" in line:
        return line
    if line.endswith("[0].clone()"):
        return line.removesuffix(")[0].clone()") + ", retain_graph=True)[0].clone()"
    return f"{line[:-1]}{'' if line.endswith('backward()') else ', '}retain_graph=True)"


def of_retained(run, found, theirs):
    return [retaining(line) for line in run.lines] if FREED in str(theirs) else None


def of_saved_copies(run, found, theirs):
    values = found[0].startswith("value of") and BACKWARD.search(run.lines[-1])
    return run.lines if REWRITTEN in str(theirs) or STALE_BASE in str(theirs) or values else None


def of_views_brought_up_to_date(run, found, theirs):
    if STALE not in str(theirs):
        return None
    names = [name for name in run.there.alive() if re.fullmatch(r"t\d+", name)]
    asked = [f"{name}.grad_fn" for name in names]
    if item := re.fullmatch(r"((t\d+)\[.*\]) ([-+*/]=) (.*)", run.lines[-1]):  # which is written, and then given back
        place, name, operator, value = item.groups()
        return [*run.lines[:-1], *asked, f"part = {place}; part {operator} {value}; {name}.grad_fn; {place} = part"]
    return [*run.lines[:-1], *asked, run.lines[-1]]


def of_a_copied_cotangent(run, found, theirs):
    """The lines, with a clone() of the cotangent that the last one passes; of all if it has no elements."""
    passed = re.compile(r"^(t\d+\.backward\()(t\d+(?:\.detach\(\))?)")
    copies = [passed.sub(r"\1\2.clone()", line) for line in run.lines]
    if passed.match(run.lines[-1]) and (found[0] == "sharing" or OVERLAP in str(theirs)):
        return [*run.lines[:-1], copies[-1]]
    nothing = any(isinstance(v, torch.Tensor) and not v.numel() for v in run.there.alive().values())
    return copies if nothing and found[0] in ("names", "gradient exists") and copies != run.lines else None


def reshaped_copy(run, found, theirs):
    """The lines, with a clone() of what the last one reshapes, if that lies in another order."""
    shaped = re.search(r"\.(reshape|flatten|ravel|reshape_as)\(", run.lines[-1])
    return [*run.lines[:-1], with_copies(run.lines[-1])] if shaped and found[0] in ("sharing", "identity") else None


def filled(run, found, theirs):
    line = re.sub(r"^(with m.no_grad\(\): )?(.*\]) = (.*)$", r"\1\2.fill_(m.as_tensor(\3).item())", run.lines[-1])
    return [*run.lines[:-1], line] if "more than one element of the written-to" in str(theirs) else None


def by_index_into_expanded(run, found, theirs):
    return theirs is None and "refers to a single place in memory" in found[2]


def laid_out_for_view(run, found, theirs):
    return "view size is not compatible" in str(theirs) and found[2] == said(None)


def unseen_there(run, found, theirs):
    exists = found[0] in ("gradient exists", "names")
    value = found[0].startswith("value of") and any("retain_grad" in line or "hook(" in line for line in run.lines)
    shared = one_memory_in_two_storages(run)
    texts = "written in place where a gradient is wanted", "by an in-place operation", "no output depends on input"
    stale = any(text in found[2] for text in texts)
    return shared and (stale or exists or value)


def one_memory_in_two_storages(run):
    """Whether PyTorch counts the writes into one memory twice.

    It holds two storages, for tensors made of one array, or two tensors of one storage came from a file or a copy.
    """
    tensors = [v for v in run.there.alive().values() if isinstance(v, torch.Tensor) and v.numel()]
    tensors = [v for v in tensors if not v._is_zerotensor()]  # which has no memory
    copied = any(re.match(r"t\d+, t\d+.* = (loaded|copy\.deepcopy|pickle\.loads)\(", line) for line in run.lines)
    made = {name for line in run.lines for name in re.findall(r"^(t\d+) = m\.(?:from_numpy|as_tensor)\(n", line)}
    if any(line.startswith(f"{name}.data = ") for line in run.lines for name in made):  # it counts its writes on
        return True
    roots = {id(root(v)): root(v) for v in tensors}.values()
    if copied and any(same_storage(a, b) for a, b in combinations(roots, 2)):
        return True
    storages = [v.untyped_storage() for v in tensors]
    places = sorted({(s.data_ptr(), s.nbytes(), s._cdata) for s in storages})
    return any(first + size > second for (first, size, _), (second, *_) in pairwise(places))


def behind(run, found, theirs):
    unseen = found[0].startswith("value of") or (REWRITTEN in str(theirs) and found[2] == said(None))
    unseen = unseen or ("out of bounds" in str(theirs) and found[2].startswith("IndexError: ") and "bounds" in found[2])
    return unseen and bool(BACKWARD.search(run.lines[-1])) and written_unseen(run.lines)


def written_unseen(lines):
    """Whether a line wrote through `.data`, through an array, or through a name that one of these was given."""
    written, names = re.compile(r"\.data\b(?! = ).*(\w_\(| [-+*/]?= )|^n\d+.* [-+*]?= "), set()
    for line in lines:
        made, _, rest = line.rpartition(" = ")
        used = NAME.findall(rest)
        if written.search(line) or (WRITE.search(line) and NAME.findall(line)[:1] and NAME.findall(line)[0] in names):
            return True
        if ".data" in rest or names.intersection(used):
            names.update(NAME.findall(made))
    return False


def may_differ_at_the_end(run, found):
    return unseen_there(run, found, None)


def two_ellipses(run, found, theirs):
    return bool(re.search(r"\.\.\., (.*, )?\.\.\.", run.lines[-1]))


def rows_of_one(run, found, theirs):
    return "self.stride(" in str(theirs)


def copies_of_one_array(run, found, theirs):
    copied = run.steps[-1].rule in ("deepcopy", "save_and_load")
    return (
        copied and found[0] == "sharing" and any(re.search(r"np\.|from_numpy|as_tensor\(n", line) for line in run.lines)
    )


def made_in_order(run, found, theirs):
    """The lines, but what the last one reshapes is brought in order where it was made."""
    name = re.search(r"(t\d+)\.\w|\((t\d+)", run.lines[-1].rpartition(" = ")[2])
    reads = run.steps[-1].rule.startswith("view_") or run.steps[-1].rule == "copy_plain"
    copied = found[0] in ("sharing", "identity", "requires_grad of tensor") and reads
    if not name or not (copied or "view: size" in found[2] or "view: shape" in found[2]):
        return None
    things = {k: v for k, v in run.there.alive().items() if re.fullmatch(r"t\d+", k)}
    of = holder(things[name[1] or name[2]])
    lines, last = [], {line.partition(".data = ")[0]: k for k, line in enumerate(run.lines[:-1])}
    for k, line in enumerate(run.lines[:-1]):
        given = re.match(r"(t\d+)\.data = (.*)$", line)
        final = given and last[given[1]] == k  # the data before lie elsewhere
        if final and given[1] in things and not NAME.fullmatch(given[2]) and same_storage(things[given[1]], of):
            line = f"{given[1]}.data = ({given[2]}).contiguous()"
        given = re.match(r"(?:with m.no_grad\(\): )?((?:t\d+, )*t\d+),? = ", line)
        made = [name for name in NAME.findall(given[1]) if name in things] if given else []
        own = [name for name in made if things[name]._base is None and same_storage(things[name], of)]
        lines += [line, *[f"{name} = {name}.contiguous()" for name in own]]
    return [*lines, run.lines[-1]]


def set_to_one_array(run, found, theirs):
    shared = any(re.search(r"from_numpy|as_tensor\(n|loaded\(|deepcopy\(", line) for line in run.lines)
    asked = re.search(r"is_set_to|untyped_storage", run.lines[-1])
    ones = "is_set_to" in run.lines[-1] and any(1 in run.there.names[n].shape for n in NAME.findall(run.lines[-1]))
    return found[0] == "answer" and bool(asked) and (shared or ones)


def in_another_dtype(run, found, theirs):
    """Whether the numbers agree in the dtype that they were computed in, and their bits are read as another."""
    name, names = NAME.findall(found[1])[0] if found[0] == "value of tensor" else "", run.there.names
    same = [
        close(as_array(run.here.names[other]), as_array(value), 1e-3)
        for other, value in names.items()
        if NAME.fullmatch(other) and isinstance(value, torch.Tensor) and name
        if value.dtype != names[name].dtype and same_storage(value, names[name])
    ]
    return any(same)


def given_twice(run, found, theirs):
    """Whether an optimizer has one parameter twice."""
    twice = False
    for line in run.lines:
        made = re.search(r"m\.optim\.\w+\(\[([^]]*)\]", line)
        given = [run.there.names.get(name) for name in NAME.findall(made[1])] if made else []
        twice = twice or len({id(v) for v in given}) < len(given)
    return twice and found[0].startswith("value of") and bool(re.search(r"o\d+\.step\(", run.lines[-1]))


def retained_and_turned(run, found, theirs):
    name = (NAME.findall(found[1]) or [""])[0]
    retained = any(f"{name}.retain_grad()" in line for line in run.lines)
    turned = any(re.search(rf"\b{name}\.{TURN}", line) for line in run.lines)
    return retained and turned and found[0] in ("gradient exists", "value of gradient", "shape of gradient")


def hooked_and_turned(run, found, theirs):
    """Whether a tensor had a hook and was turned since."""
    hooked, turned = set(), False
    for line in run.lines:
        name = (NAME.findall(line) or [""])[0]
        turned = turned or (name in hooked and bool(re.search(TURN, line)))
        hooked |= set(re.findall(r"(t\d+)\.register_hook\(", line))
    return turned and bool(BACKWARD.search(run.lines[-1])) and found[0].startswith(("value of", "names", "shape of"))


def switched_off(run, found, theirs):
    texts = "it or its base is written in place where a gradient is wanted", "only a leaf can be switched off"
    stale = theirs is None and any(text in found[2] for text in texts)
    return stale and bool(re.search(r"requires_grad_\(|\.(bool|long)\(\)", run.lines[-1]))


def asked_how_it_lies(run, found, theirs):
    name = first_name(run)
    asked = found[0] == "answer" and re.search(r"stride\(|is_contiguous|storage_offset", run.lines[-1])
    return bool(asked) and name and not holder(run.there.names[name.group()]).is_contiguous()


def of_an_empty_gradient(run, found, theirs):
    name = first_name(run)
    if "deepcopy(" in run.lines[-1]:  # of several, one may have no elements
        given = [run.there.names.get(each) for each in NAME.findall(run.lines[-1])]
        refused = "support the deepcopy protocol" in str(theirs) or "only a leaf can be copied" in found[2]
        return refused and any(not v.numel() for v in given if isinstance(v, torch.Tensor))
    refused = re.search("does not require a gradient|a leaf that requires a gradient|cannot carry a gradient", found[2])
    asked = found[0] == "answer" and ".requires_grad" in run.lines[-1]
    return (asked or (bool(refused) and theirs is None)) and not size(run, name)


def of_a_part_in_a_file(run, found, theirs):
    """Whether it is asked where a tensor begins that was loaded, here without what lay before it in memory."""
    asked = re.search(r"(t\d+)\.(storage_offset\(|untyped_storage\(|as_strided\(.*, \d+\)$)", run.lines[-1])
    if not asked:
        return False
    there, here = (session.names[asked[1]] for session in (run.there, run.here))
    came = any(re.search(r" = (loaded\(|pickle\.loads\()", line) for line in run.lines)
    less = here.untyped_storage().nbytes() < there.untyped_storage().nbytes()
    return came and less and here.storage_offset() <= there.storage_offset()


def of_nothing(run, found, theirs):
    name = first_name(run)
    asked = re.search(r"storage_offset|is_set_to", run.lines[-1])
    refused = "storage_offset() must be divisible" in str(theirs)
    return (refused or (found[0] == "answer" and bool(asked))) and not size(run, name)


def views_without_grad(run):
    """Whether a view was made under no_grad, or before its base was switched on, and requires a gradient with it."""
    views = [NAME.findall(line)[0] for line in run.lines if re.match(r"with m.no_grad\(\): t\d+ = ", line)]
    on = [k for k, line in enumerate(run.lines) if ".requires_grad_(" in line]  # what was a view before has no history
    views += [name for line in run.lines[: on[-1] if on else 0] for name in re.findall(r"^(t\d+) = ", line)]
    things = [run.there.names.get(name) for name in views]
    return any(isinstance(v, torch.Tensor) and v._is_view() and v.requires_grad for v in things)


def freed_beside_a_view_without_grad(run, found, theirs):
    """Whether a pass is refused through what was computed of a view made under no_grad: freed, or written since."""
    refused = "were freed by an earlier backward pass", "as it was, but it has been modified by an in-place operation"
    freed = theirs is None and any(text in found[2] for text in refused)
    return freed and bool(BACKWARD.search(run.lines[-1])) and views_without_grad(run)


def beside_a_view_without_grad(run, found, theirs):
    """Whether what requires a gradient here or there was computed beside a view that was made under no_grad."""
    seen = views_without_grad(run)
    taken = "autograd.grad(" in run.lines[-1] and "create_graph=True" in run.lines[-1]
    of = ("requires_grad of gradient", "requires_grad of held gradient", *["requires_grad of tensor"][:taken])
    return found[0] in of and seen


def first_name(run):
    """The first tensor or array in the last line that exists."""
    return next((name for name in NAME.finditer(run.lines[-1]) if name.group() in run.there.names), None)


def size(run, name):
    """The number of elements; of no tensor 1."""
    value = run.there.names[name.group()] if name else None
    return value.numel() if isinstance(value, torch.Tensor) else 1


def of_an_expanded_leaf(run, found, theirs):
    """Whether a gradient differs of a leaf whose elements lie in one place."""
    name = (NAME.findall(found[1]) or [""])[0]
    value = run.there.names.get(name)
    expanded = isinstance(value, torch.Tensor) and any(
        n > 1 and not s for n, s in zip(value.shape, value.stride(), strict=True)
    )
    return found[0] == "value of gradient" and expanded and value.is_leaf


def of_an_empty_view(run, found, theirs):
    """Whether what requires a gradient here or there was computed beside an empty view whose base was written."""
    given = [run.there.names[name] for name in NAME.findall(run.lines[-1]) if name in run.there.names]
    nothing = any(not v.numel() for v in given if isinstance(v, torch.Tensor)) and any(
        not v.numel() and v._is_view() and v._version for v in run.there.alive().values() if isinstance(v, torch.Tensor)
    )
    return found[0].startswith("requires_grad of") and nothing and "create_graph=True" in run.lines[-1]


def by_index_into_expanded_before(run, found, theirs):
    """Whether PyTorch cannot differentiate a write by index into expanded memory, or refuses it in the second pass."""
    by_index = any(
        re.search(r"\[.*(m\.tensor|t\d+).*\] [-+*/]?= |\.(index|masked)_|\.(fill|zero)_\(", line) for line in run.lines
    )
    refused = "more than one element of the written-to" in str(theirs) and found[2] == said(None)
    return refused and by_index and bool(BACKWARD.search(run.lines[-1]))


def told_beside_a_hidden_value(run, found, theirs):
    """Whether a result that is a view, in PyTorch, of a value that nobody holds was to be told its gradient."""
    told = {name for line in run.lines for name in re.findall(r"(t\d+)\.(?:register_hook|retain_grad)\(", line)}
    things = run.there.alive()
    hidden = any(
        things[name]._is_view() and not any(things[name]._base is value for value in things.values())
        for name in told & things.keys()
    )
    what = found[0] in ("names", "gradient exists", "value of held gradient", "value of gradient")
    return what and hidden and bool(BACKWARD.search(run.lines[-1]))


def past_a_hidden_value(run, found, theirs):
    """Whether a gradient is wanted by a result that is a view, in PyTorch, of a value that nobody holds."""
    things, by = run.there.alive(), re.search(r"autograd\.grad\(.*, \[(t\d+)", run.lines[-1])
    past = "appears to not have been used in the graph" in str(theirs) and found[2] == said(None)
    own = things[by[1]]._base if by and past else None
    return own is not None and not any(own is value for value in things.values())


def of_a_view_with_other_data(run, found, theirs):
    """Whether a view was given other data, and is made anew from its base: there from the place of these data."""
    given = [run.there.names.get(name) for line in run.lines for name in re.findall(r"\b(t\d+)\.data = ", line)]
    views = any(isinstance(v, torch.Tensor) and v._is_view() for v in given)
    beyond = "setStorage: " in str(theirs) and found[2] == said(None)
    return views and bool(BACKWARD.search(run.lines[-1])) and (found[0].startswith("value of") or beyond)


def of_a_base_with_other_data(run, found, theirs):
    """Whether a view is used here that no longer fits its base, which was given data of another shape."""
    return theirs is None and "this view, or its base, was given data of another shape" in found[2]


def of_a_short_slice(run, found, theirs):
    """Whether a NaN was differentiated out of renorm: there the length of the slice has a second derivative at 0."""
    asked = any(re.search(r"renorm(_)?\(", line) for line in run.lines) and bool(BACKWARD.search(run.lines[-1]))
    return found[0].startswith("value of") and asked and "nan" in found[1] and "nan" not in found[2]


def told_of_a_product(run, found, theirs):
    """Whether the result of prod was to be told a gradient in the pass of a second derivative."""
    recorded = any("create_graph=True" in line for line in run.lines)
    told = any(re.search(r"register_hook|retain_grad", line) for line in run.lines)
    what = found[0] in ("names", "gradient exists", "value of held gradient", "value of gradient")
    return what and recorded and told and any(re.search(r"\.prod\(\)|logsumexp\(", line) for line in run.lines)


def by_a_result(run, found, theirs):
    """Whether a recorded derivative is differentiated by a result that PyTorch's rule goes through."""
    by = re.search(r"autograd\.grad\(.*, \[(t\d+)", run.lines[-1])
    made = bool(by) and any(re.search(rf"^{by[1]} = .*(logsumexp|prod)\(", line) for line in run.lines)
    recorded = any("create_graph=True" in line for line in run.lines[:-1])
    differs = found[0].startswith("value of") or (theirs is None and "no output depends on input" in found[2])
    return differs and made and recorded


def of_zeros(run, found, theirs):
    """Whether a gradient is zeros since all of a tensor was written; whether they require a gradient may differ."""
    name = (re.findall(r"t\d+(?:\.grad)?|held\[\d+\]", found[1]) or [""])[0]
    value = run.there.alive().get(name)
    written = any(re.search(r"t\d+\[-\d+:.*\] = ", line) for line in run.lines)
    zeros = isinstance(value, torch.Tensor) and not value.any()
    return found[0].startswith("requires_grad of") and "create_graph=True" in run.lines[-1] and zeros and written


def integers_with_a_gradient(run, found, theirs):
    """Whether PyTorch lets integers require a gradient."""
    value = run.there.names.get((NAME.findall(found[1]) or [""])[0])
    return found[0] == "requires_grad of tensor" and isinstance(value, torch.Tensor) and not value.is_floating_point()


def detached_in_place(run, found, theirs):
    return "saved tensor that has been detached in-place" in str(theirs) and found[2] == said(None)


def index_of_a_stale_view(run, found, theirs):
    return isinstance(theirs, IndexError) and "it or its base is written in place where" in found[2]


def write_under_a_stale_view(run, found, theirs):
    """Whether PyTorch does not see that the base of a view, made under no_grad, was written when it had been saved."""
    made = any(re.match(r"with m\.no_grad\(\): t\d+", line) for line in run.lines)
    return theirs is None and made and "has been modified by an in-place operation" in found[2]


def roots_of_infinity(run, found, theirs):
    """Whether a NaN is the power of -inf that has an exponent of ±0.5."""
    return found[0].startswith("value of") and "pow_(" in run.lines[-1] and "0.5" in run.lines[-1] and "nan" in found[1]


def moved_a_little(number):
    """A number of a line, a few roundings larger or smaller."""
    return repr(float(number.group()) * (1 + (number.start() % 7 - 3) * 2**-50))


def a_rounding_made_larger(run, found, theirs):
    """Whether the value moves as far when the numbers of the program move by a few roundings, or is what they leave."""
    name = (re.findall(r"\b[tn]\d+\b(?:\.grad)?|held\[\d+\]", found[1]) or [""])[0]
    if not found[0].startswith("value of"):
        return None
    if "float32" in found[1]:  # whose numbers do not move by so little: what is left is as small as their roundings
        a, b = (as_array(session.alive()[name]) for session in (run.there, run.here))
        values = [as_array(v) for v in run.there.alive().values() if v is not None]
        largest = max(np.abs(v[np.isfinite(v)]).max(initial=0) for v in values if v.dtype.kind == "f")
        return bool((np.abs(a - b) <= 2**-20 * largest).all())
    if "float64" not in found[1]:
        return None
    moved = Session(torch)
    for line in run.lines:
        moved.run(re.sub(r"\d+\.\d+", moved_a_little, line))
    a, b, c = (session.alive().get(name) for session in (run.there, run.here, moved))
    if a is None or b is None or c is None:
        return None
    a, b, c = map(as_array, (a, b, c))
    if a.shape != c.shape:
        return False
    gone = np.isfinite(c) & ~np.isfinite(a)  # one over a difference that a few roundings make or end
    both = np.isfinite(a) & np.isfinite(c)
    most = 4 * np.abs(a[both] - c[both]).max(initial=0)
    return bool(np.all(gone | np.isclose(b, a, rtol=0, atol=most, equal_nan=True)))


def view_of_a_hidden_value(run, found, theirs):
    """Whether PyTorch refuses to write into a view, made under no_grad, of a value that nobody holds."""
    name = first_name(run)
    refused = UNDER_NO_GRAD in str(theirs) or "Can't detach views in-place" in str(theirs)
    if not refused or found[2] != said(None) or not name:
        return False
    own = run.there.names[name.group()]._base
    return not any(own is value for value in run.there.alive().values())


def view_of_a_view_of_a_hidden_value(run, found, theirs):
    """Whether a view was switched on, and another one was made of it: in PyTorch both are of a value nobody holds."""
    switched = re.fullmatch(r"(t\d+)\.requires_grad_\((True)?\)", run.lines[-1])
    other = run.there.names.get((NAME.findall(found[1]) or [""])[0])
    if not switched or found[0] != "requires_grad of tensor" or not isinstance(other, torch.Tensor):
        return False
    own = run.there.names[switched[1]]._base
    return own is not None and other._base is own and not any(own is v for v in run.there.alive().values())


def laid_out_otherwise(run, found, theirs):
    name = re.search(r"(t\d+)\.as_strided", run.lines[-1])
    return bool(name) and not holder(run.there.names[name[1]]).is_contiguous()


def beyond(run, found, theirs):
    """Whether a gradient went through as_strided to where the tensor that it was called on does not lie."""
    names, far = run.there.names, theirs is None and "as_strided: size" in found[2] and "does not lie" in found[2]
    for line in run.lines:
        for taken, of in re.findall(r"(t\d+) = (t\d+)\.as_strided", line):
            places = [set(addresses(as_array(names[name]))) if name in names else set() for name in (taken, of)]
            far = far or bool(places[0] - places[1])
    raised = found[0].startswith("raises") and ".as_strided(" in run.lines[-1]
    return far and (raised or (found[0].startswith("value of") and bool(BACKWARD.search(run.lines[-1]))))


def saved_as_two_dtypes(run, found, theirs):
    return AS_DIFFERENT_TYPES in str(theirs)


def overlapped_before(run, found, theirs):
    """Whether a gradient went through a write into a view where an element lies twice."""
    targets = [(NAME.findall(line) or [""])[0] for line in run.lines if WRITE.search(line)]
    things = [run.there.names.get(name) for name in targets]
    places = [addresses(as_array(v)) for v in things if isinstance(v, torch.Tensor)]
    twice = any(len(set(each)) < len(each) for each in places)
    return twice and found[0].startswith("value of") and bool(BACKWARD.search(run.lines[-1]))


def overlaps_itself(run, found, theirs):
    line = run.lines[-1]
    name = re.search(r"\bt\d+\b", line)
    value = name and run.there.names.get(name.group())
    refused = OVERLAP in str(theirs) and found[2] == said(None)
    differs = refused or (theirs is None and found[0].startswith("value of"))
    if differs and BACKWARD.search(line):  # which adds to a gradient that was given
        given = [v for key, v in run.there.alive().items() if key.endswith(".grad") and v is not None]
        return any(len(set(places)) < len(places) for places in map(addresses, map(as_array, given)))
    if differs and isinstance(value, torch.Tensor) and WRITE.search(line):
        places = addresses(as_array(value))
        return len(set(places)) < len(places)
    return False


def after_a_raise(run, found, theirs):
    raised = [error for line, error in zip(run.lines, run.raised, strict=False) if error and BACKWARD.search(line)]
    now = theirs is not None and not found[0].startswith("raises")
    return bool(BACKWARD.search(run.lines[-1])) and (now or bool(raised))


EXCEPTIONS = {
    "an operand that lies in the memory written": Allowed(
        "An operand that lies in the memory that is written",
        "PyTorch refuses some of these writes, and in others reads what it has just written; here the operand is read "
        "first. PyTorch must agree when the operand is cloned.",
        of_copies,
        ends=False,
    ),
    "a value that no rule needs was written": Allowed(
        "What no rule needs may be written",
        "PyTorch refuses a backward pass when anything that it saved was written, also what the rule does not need, or "
        "takes what was written behind its back. PyTorch must agree when it keeps copies of what it saves.",
        of_saved_copies,
        saved="copies",
    ),
    "a value that no rule needs was written, another behind PyTorch's back": Allowed(
        "What no rule needs may be written",
        "The same with what was written through `.data` or an array: PyTorch must agree when it looks at no version.",
        of_saved_copies,
        saved="unseen",
    ),
    "a second backward pass through what was not needed": Allowed(
        "A second backward pass",
        "PyTorch refuses a second backward pass through an op that saved anything, we where what was freed is needed. "
        "PyTorch must agree when every pass retains the graph.",
        of_retained,
    ),
    "a second backward pass through what was not needed, and written": Allowed(
        "A second backward pass",
        "The same where what was not needed was written between the two.",
        of_retained,
        saved="copies",
    ),
    "a view whose base was written since": Allowed(
        "A view whose base was written since",
        "PyTorch takes it for a leaf until somebody asks for its grad_fn. It must agree when all are asked before.",
        of_views_brought_up_to_date,
        ends=False,
    ),
    "as_strided of what lies in another order": Allowed(
        "`as_strided` of a result of transposed tensors",
        "The results of ops on transposed tensors lie transposed in PyTorch; here what is viewed lies in the order of "
        "its indices, and that is the order in which as_strided counts.",
        laid_out_otherwise,
    ),
    "one value for all places of expanded memory": Allowed(
        "One value for all of expanded memory",
        "PyTorch refuses `x.expand(2, 3)[:1] = 5`, and takes `x.expand(2, 3)[:1].fill_(5)`. It must agree with that.",
        filled,
        ends=False,
    ),
    "writes by index into expanded memory": Allowed(
        "A write by index into expanded memory",
        "PyTorch lets index_fill_, index_put_, masked_fill_, tril_ and others write there, and warns that it will not "
        "any longer. Here they are refused as all other writes are.",
        by_index_into_expanded,
    ),
    "view of what lies in another order": Allowed(
        "`view` of a result",
        "The results of ops on overlapping or transposed tensors lie as these do there, where view refuses them.",
        laid_out_for_view,
    ),
    "reshape of what lies in another order": Allowed(
        "`view` of a result",
        "The same of reshape, which copies there and gives a view here. PyTorch must agree when the result is brought "
        "in order where it is made.",
        made_in_order,
    ),
    "reshape of what lies in another order here": Allowed(
        "`view` of a result",
        "The same the other way round. PyTorch must agree when it reshapes a clone.",
        reshaped_copy,
    ),
    "a cotangent that becomes a gradient": Allowed(
        "The memory of a cotangent",
        "PyTorch may make the cotangent that is passed, or a view of it, the .grad; and where it lies in that of the "
        "leaf, turned, it refuses to add it. It must agree with a clone of it.",
        of_a_copied_cotangent,
        ends=False,
    ),
    "the gradient of an expanded leaf": Allowed(
        "The gradient of an expanded leaf",
        "PyTorch lays it as the leaf lies, its elements in one place, and adds them all up there.",
        of_an_expanded_leaf,
    ),
    "a window set to another": Allowed(
        "Tensors made of one NumPy array",
        "is_set_to says that they are one window; PyTorch knows two storages. It looks at all strides, also "
        "at those of dims of one element.",
        set_to_one_array,
    ),
    "bits read as another dtype": Allowed(
        "Bits read as another dtype",
        "The last bits of a result, and those of NaN, differ, and read as another dtype they are other numbers.",
        in_another_dtype,
    ),
    "a parameter given twice": Allowed(
        "A parameter that an optimizer is given twice",
        "PyTorch warns of it; whether the second step sees what the first left depends on how it loops.",
        given_twice,
    ),
    "retain_grad before a turn": Allowed(
        "`retain_grad()` before `squeeze_()`",
        "PyTorch goes on to keep the gradient of the value before, in its shape.",
        retained_and_turned,
    ),
    "a stale view that is switched off": Allowed(
        "A view under `no_grad` whose base is written",
        "requires_grad_ and bool() ask for its place in the graph.",
        switched_off,
    ),
    "how what lies in another order lies": Allowed(
        "`view` of a result",
        "The results of an index, and of ops on transposed tensors, have strides of their own there.",
        asked_how_it_lies,
    ),
    "whether an empty gradient requires one": Allowed(
        "A derivative beside a view that was made under `no_grad`",
        "One without elements may be computed, or be new zeros.",
        of_an_empty_gradient,
    ),
    "where what was loaded begins": Allowed(
        "A view that was loaded from a file",
        "A file holds its elements, and what lies between them and those of others in it. PyTorch writes the whole "
        "storage, of a row of a large table all of it, and so where the view begins in it.",
        of_a_part_in_a_file,
    ),
    "where an empty tensor begins": Allowed(
        "Where an empty tensor begins",
        "It has no memory: storage_offset and is_set_to say what NumPy makes of the index.",
        of_nothing,
    ),
    "a derivative beside a view made under no_grad": Allowed(
        "A derivative beside a view that was made under `no_grad`",
        "PyTorch says that it requires a gradient, though none flows there.",
        beside_a_view_without_grad,
    ),
    "a second backward pass beside a view made under no_grad": Allowed(
        "A second backward pass",
        "Through the product of two such vectors nothing flows, and PyTorch frees and checks nothing; of x[None] * "
        "x[None] it does. Here the product of vectors is one of matrices, and has x[None] in it.",
        freed_beside_a_view_without_grad,
    ),
    "a derivative of an empty view": Allowed(
        "A derivative beside a view that was made under `no_grad`",
        "The same of an empty view whose base was written: it may be computed, or be new zeros.",
        of_an_empty_view,
    ),
    "the derivative of a write by index into expanded memory": Allowed(
        "A write by index into expanded memory",
        "Its derivative in PyTorch is such a write, too, and refused there.",
        by_index_into_expanded_before,
    ),
    "what is told of a value that nobody holds": Allowed(
        "`_base` of a result",
        "A hook or retain_grad of x.clone().T, or of the result of repeat_interleave and others, stands at a view "
        "there: of a value that nobody holds, and a write through another view goes past it.",
        told_beside_a_hidden_value,
    ),
    "a gradient by a view of a value that nobody holds": Allowed(
        "`_base` of a result",
        "A write through another view of that value goes past it, and then the graph does.",
        past_a_hidden_value,
    ),
    "a view that was given other data": Allowed(
        "A view that was given other data",
        "by `v.data = y` of its own shape, is made anew, once its base is written, from where y begins in its memory.",
        of_a_view_with_other_data,
    ),
    "a view whose base was given other data": Allowed(
        "A view that was given other data",
        "A view that no longer fits its base, which was given data of another shape, raises when it is used.",
        of_a_base_with_other_data,
    ),
    "the second derivative of renorm": Allowed(
        "`renorm` of zeros",
        "The function is the identity there. PyTorch's formula divides by the length, and gives NaN.",
        of_a_short_slice,
    ),
    "a hook of a product": Allowed(
        "A hook of the result of `prod`",
        "PyTorch's rule goes through the result, and so does its derivative, where the hook is called again.",
        told_of_a_product,
    ),
    "a derivative by the result of logsumexp": Allowed(
        "A hook of the result of `prod`",
        "The same of a derivative by the result, when a derivative is differentiated: what depends on the result in "
        "PyTorch's rules for logsumexp and prod depends on the input here.",
        by_a_result,
    ),
    "an integer that does not fit": Allowed(
        "An integer that does not fit",
        "is cut by copy_ in both; PyTorch refuses it where one element is written through a mask.",
        lambda run, found, theirs: "without overflow" in str(theirs) and found[2] == said(None),
    ),
    "zeros after a write over all of a tensor": Allowed(
        "A write over all of a tensor",
        "PyTorch takes t[0:] for t, and t[-2:], of two rows, for a view. The zeros that a write there sends back are "
        "new in the first case, and computed in the second.",
        of_zeros,
    ),
    "integers that require a gradient": Allowed(
        "Integers have no gradient",
        "In PyTorch a mask through which a tensor that requires a gradient is written makes integers require one.",
        integers_with_a_gradient,
    ),
    "a saved tensor that was detached in place": Allowed(
        "`detach_()` of what was saved",
        "PyTorch looks whether a tensor that an op saved was detached in place, and refuses.",
        detached_in_place,
    ),
    "an index beyond a stale view": Allowed(
        "A view under `no_grad` whose base is written",
        "Where the index is out of bounds, too, PyTorch says that first.",
        index_of_a_stale_view,
    ),
    "a write under a stale view": Allowed(
        "A view under `no_grad` whose base is written",
        "Where an op had saved the view, PyTorch computes with what was written, or gives the gradient to nobody.",
        write_under_a_stale_view,
    ),
    "roots of -inf": Allowed(
        "`(-inf) ** 0.5`",
        "is inf, and `(-inf) ** -0.5` is 0, as in IEEE 754; PyTorch takes the root, which is NaN.",
        roots_of_infinity,
    ),
    "a rounding made larger": Allowed(
        "A rounding that a program makes larger",
        "as 1 / x does where x is what a difference left. In PyTorch it must move as far when the numbers of the "
        "program move by a few roundings; of float32 it is what they leave where equal terms cancel.",
        a_rounding_made_larger,
    ),
    "a hook before a turn": Allowed(
        "`retain_grad()` before `squeeze_()`",
        "PyTorch puts a later hook, too, where the first one is: at the value before, in its shape.",
        hooked_and_turned,
    ),
    "a view, made under no_grad, of a value that nobody holds": Allowed(
        "`_base` of a result",
        "It is a value of its own here, and may be written.",
        view_of_a_hidden_value,
    ),
    "a view of a view of a value that nobody holds": Allowed(
        "`_base` of a result",
        "It is a view of that view here, and requires a gradient when that is switched on.",
        view_of_a_view_of_a_hidden_value,
    ),
    "stale views of memory that PyTorch does not know to be shared": Allowed(
        "Tensors made of one NumPy array",
        "A write through one of two tensors made of one array makes the views of the other stale, too; PyTorch knows "
        "of two storages. So a gradient that a stale view was to retain, or its hook to be told, may not come, one by "
        "it is refused, for its base leads past it, and so is a stale view made under no_grad, or one of several.",
        unseen_there,
    ),
    "a value overwritten behind PyTorch's back": Allowed(
        "A value that is overwritten unseen",
        "What was written through `.data` or an array is not checked. Which gradient that gives depends on whether "
        "a rule keeps its input or its output.",
        behind,
    ),
    "two ellipses in one index": Allowed(
        "Two ellipses in one index",
        "PyTorch lets each stand for as many dims, and so counts too far where that is not 0. Here it is refused.",
        two_ellipses,
    ),
    "another dtype of a single row": Allowed(
        "`view(dtype)` of a single row",
        "PyTorch asks for the stride 1 also of a dim of one element, where no stride matters.",
        rows_of_one,
    ),
    "copies of two tensors of one array": Allowed(
        "Tensors made of one NumPy array",
        "What from_numpy made of one array shares memory; copies and files keep that here. PyTorch knows two storages.",
        copies_of_one_array,
    ),
    "as_strided beyond its tensor": Allowed(
        "`as_strided` beyond its tensor",
        "PyTorch sends a gradient to what lies beyond the tensor that as_strided was called on, or does not, depending "
        "on whether its base was written since. Here it never does. The memory of a result may be larger there.",
        beyond,
    ),
    "a bug of PyTorch": Allowed(
        "Internal errors of PyTorch",
        "It says so itself, and asks to be told.",
        lambda run, found, theirs: "INTERNAL ASSERT" in str(theirs),
    ),
    "zeros without memory": Allowed(
        "Internal errors of PyTorch",
        "A gradient that is 0 everywhere may be zeros without memory there, to which the next pass cannot be added.",
        lambda run, found, theirs: "ZeroTensors are immutable" in str(theirs) and found[2] == said(None),
    ),
    "one memory saved as two dtypes": Allowed(
        "Files hold one memory as two dtypes", "PyTorch's files cannot hold it; ours can.", saved_as_two_dtypes
    ),
    "a target that overlaps itself": Allowed(
        "A target that overlaps itself",
        "What a write leaves in a view where an element lies twice (unfold, as_strided) depends on the order. So does "
        "what a backward pass adds to one that was given as `.grad`.",
        overlaps_itself,
    ),
    "the gradient of a target that overlaps itself": Allowed(
        "A target that overlaps itself",
        "PyTorch's documentation says not to write there. Here the value that was left there gets the gradient, in "
        "PyTorch each of them.",
        overlapped_before,
    ),
    "gradients after a backward pass that raised": Allowed(
        "After a backward pass that raised",
        "Which nodes a pass reaches before it raises depends on the order of the engine.",
        after_a_raise,
    ),
}


def replay(steps, other=tg):
    """Where the program differs; None also if it makes no sense, because it uses a name that it never made."""
    run = Run(other)
    for step in steps:
        if not run.step(step):
            break
    made_no_sense = any(isinstance(error, NameError) for error in run.raised)
    return None if made_no_sense else run.end()


NAMES, WEIGHTS = list(RULES), [round(10 * weight) for weight, _ in RULES.values()]
CHOICES = [name for name, weight in zip(NAMES, WEIGHTS, strict=True) for _ in range(weight)]


def build(below, other=tg, count=None, look=True):
    """A program of steps chosen by numbers below what is asked, run as it is built."""
    run = Run(other, look)
    world = World(run.there.names, below)
    length = world.between(*LENGTH)
    tries = 0
    while len(run.steps) < length and tries < 200:
        tries += 1
        name = "create" if not run.steps else CHOICES[below(len(CHOICES))]
        line = RULES[name][1](world)
        if line and not line.startswith("None") and "None." not in line:
            if not run.step(Step(name, line)):
                break
            world.names = run.there.names
            if count is not None:
                count[name, run.raised[-1] is not None] += 1
    for line in last_backwards(world) if run.difference is None and not run.stopped() else ():
        if not run.step(Step("last backward", line)):
            break
    run.end()
    return run


def cut_down(steps, difference, other=tg):
    """The fewest steps found that still differ in the same kind, and how they differ."""
    steps = list(steps[: difference.at + 1])
    kind = difference.kind
    changed = True
    while changed:
        changed = False
        for size in (4, 2, 1):
            k = len(steps) - size
            while k >= 0:
                fewer = steps[:k] + steps[k + size :]
                found = replay(fewer, other) if fewer else None
                if found is not None and found.kind == kind:
                    steps, difference, changed = fewer[: found.at + 1], found, True
                    k = min(k, len(steps))
                k -= 1
        for k, step in enumerate(steps):
            if step.line.startswith("with m.no_grad(): "):
                simpler = [*steps[:k], Step(step.rule, step.line.removeprefix("with m.no_grad(): ")), *steps[k + 1 :]]
                found = replay(simpler, other)
                if found is not None and found.kind == kind:
                    steps, difference, changed = simpler[: found.at + 1], found, True
    return steps, difference


def script(steps):
    return "\n".join(step.line for step in steps)


# ---- the command


def numbered(number):
    return Random(number).randrange


def some_programs(task):
    seed, numbers, against, look, cut = task
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    other = {"tinygrad_cnn": tg, "torch": torch}[against]
    count, kinds, excused = Counter(), {}, Counter()
    for number in numbers:
        run = build(numbered(f"{seed}-{number}"), other, count, look)
        excused.update(run.excused)
        if run.difference is None:
            continue
        kind = run.difference.kind
        total, smallest, difference, where = kinds.get(kind, (0, None, None, None))
        if total < cut:
            steps, found = cut_down(run.steps, run.difference, other)
            if smallest is None or len(script(steps)) < len(script(smallest)):
                smallest, difference, where = steps, found, f"{seed}-{number}"
        kinds[kind] = total + 1, smallest, difference, where
    return len(numbers), count, kinds, excused


def merge(kinds, more):
    for kind, (total, steps, difference, where) in more.items():
        before = kinds.get(kind)
        if before is None:
            kinds[kind] = total, steps, difference, where
        else:
            best = min((before[1:], (steps, difference, where)), key=lambda e: len(script(e[0])))
            kinds[kind] = before[0] + total, *best


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--seed", default="0")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--against", choices=["tinygrad_cnn", "torch"], default="tinygrad_cnn")
    parser.add_argument("--blind", action="store_true", help="compare only what raises, and the state at the end")
    parser.add_argument("--cut", type=int, default=2, help="how many programs of a kind are cut down")
    parser.add_argument(
        "--counts", action="store_true", help="print how often each rule was taken, and how often it raised"
    )
    parser.add_argument("--show", help="print one program by its number and how it differs")
    options = parser.parse_args()
    if options.show:
        warnings.simplefilter("ignore")
        run = build(numbered(options.show))
        print(script(run.steps))
        print(run.difference or "no difference", *run.excused)
        return 0
    size = 50
    tasks = [(options.seed, range(k, min(k + size, options.programs)), options.against, not options.blind, options.cut)
             for k in range(0, options.programs, size)]  # fmt: skip
    done, count, kinds, excused = 0, Counter(), {}, Counter()
    if options.jobs > 1:
        with ProcessPoolExecutor(options.jobs) as pool:
            results = pool.map(some_programs, tasks)
            for n, c, k, e in results:
                done, _ = done + n, (count.update(c), excused.update(e), merge(kinds, k))
    else:
        for n, c, k, e in map(some_programs, tasks):
            done, _ = done + n, (count.update(c), excused.update(e), merge(kinds, k))
    if options.counts:
        print(f"{'rule':20} steps  raised")
        for name in NAMES:
            passed, raised = count[name, False], count[name, True]
            print(f"{name:20} {passed + raised:5} {raised / max(1, passed + raised):7.1%}")
        total = sum(count.values())
        print(f"{'all':20} {total:5} {sum(n for (_, r), n in count.items() if r) / total:7.1%}")
    for kind, (total, steps, difference, where) in sorted(kinds.items(), key=lambda e: e[1][0]):
        print(f"\n---- {total} x {kind[0]}    ({where}, {len(steps)} lines)\n{script(steps)}\n    {difference}")
    print()
    for kind, (total, *_) in sorted(kinds.items(), key=lambda e: -e[1][0])[:60]:
        print(f"{total:6} {kind[0]} | {kind[1]} | {kind[2]}")
    for name, total in excused.items():
        print(f"{total:6} steps may differ: {name}")
    differ = sum(total for total, *_ in kinds.values())
    print(f"{differ} of {done} programs differ, in {len(kinds)} kinds")
    return bool(kinds)


if __name__ == "__main__":
    sys.exit(main())
