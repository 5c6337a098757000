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
from dataclasses import dataclass
from random import Random

import numpy as np
import torch

import tinygrad_cnn as tg
from tests.parity.memory_steps import RULES, World, last_backwards

LENGTH = (8, 20)
TOLERANCE = {"float64": 1e-9, "float32": 1e-3}

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


class Session:
    """A program running in one library."""

    def __init__(self, library):
        self.names = {"m": library, "np": np, "copy": copy, "pickle": pickle, "io": io}
        exec(OPENING, self.names)

    def run(self, line):
        """What the line raised, or None."""
        try:
            exec(compiled(line), self.names)
        except Exception as error:
            return error.with_traceback(None)
        return None

    def alive(self):
        """All tensors and arrays that the program can reach, by what it would call them."""
        found = {}
        for name, value in self.names.items():
            if name == "held":
                found.update({f"held[{k}]": g for k, g in enumerate(value)})
            elif name[0] in "tn" and name[1:].isdigit():
                found[name] = value
                if name[0] == "t" and value is not None and value.requires_grad:
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
    expected = next(kind for kind in BUILT_IN if isinstance(there, kind))
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


def as_array(value):
    return value if isinstance(value, np.ndarray) else value.detach().numpy()


def close(a, b):
    if np.array_equal(a, b):
        return True
    tolerance = TOLERANCE.get(str(b.dtype))
    if tolerance is None:
        return False
    finite = b[np.isfinite(b)]
    scale = np.abs(finite).max() if finite.size else 0.0
    return np.allclose(a, b, rtol=tolerance, atol=tolerance * min(scale, 1e12), equal_nan=True)


def shown(array):
    return f"{array.dtype} {array.shape} {array.tolist()}"


def first_difference(there, here):
    """(what, there, here) of the first thing in which two sessions differ; None if they agree."""
    theirs, ours = there.alive(), here.alive()
    if theirs.keys() != ours.keys():
        return "names", str(sorted(theirs.keys() - ours.keys())), str(sorted(ours.keys() - theirs.keys()))
    arrays = {}, {}
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
        if not close(b, a):
            return f"value of {part}", f"{name} {shown(a)}", f"{name} {shown(b)}"
        if isinstance(t, torch.Tensor):
            if t.requires_grad is not u.requires_grad:
                return f"requires_grad of {part}", f"{name} {t.requires_grad}", f"{name} {u.requires_grad}"
            if hasattr(u, "_version") and t._version != u._version:
                return f"version of {part}", f"{name} {t._version}", f"{name} {u._version}"
    relation, own = sharing(arrays[0]), sharing(arrays[1])
    for name in relation:
        if not np.array_equal(relation[name], own[name]):
            return "sharing", f"{name} {relation[name].tolist()}", f"{name} {own[name].tolist()}"
    if there.names["seen"] != here.names["seen"]:
        return "answer", f"{there.names['seen']}", f"{here.names['seen']}"
    return None


FACTS = {
    "is_leaf": lambda t: t.is_leaf,
    "grad_fn is None": lambda t: t.grad_fn is None,
    "_base is None": lambda t: t._base is None,
    "retains_grad": lambda t: t.retains_grad,
}


def fact(ask, value):
    try:
        return ask(value)
    except Exception as error:
        return error


def difference_of_facts(there, here):
    """What PyTorch may answer by bringing a view's node up to date, so it is asked when the program is over."""
    theirs, ours = there.alive(), here.alive()
    for name, t in theirs.items():
        if isinstance(t, torch.Tensor):
            for label, ask in FACTS.items():
                a, b = fact(ask, t), fact(ask, ours[name])
                if not (same_kind(a, b) if isinstance(a, Exception) or isinstance(b, Exception) else a is b):
                    return label, f"{name} {a!r}", f"{name} {b!r}"
    return None


class Run:
    """A program in both libraries in step; `difference` is where they part."""

    def __init__(self, other=tg, look=True):
        self.there, self.here = Session(torch), Session(other)
        self.look = look
        self.steps = []
        self.raised = []
        self.difference = None

    def step(self, step):
        self.steps.append(step)
        theirs, ours = self.there.run(step.line), self.here.run(step.line)
        self.raised.append(theirs)
        if not same_kind(theirs, ours):
            what = (
                "raises only here"
                if theirs is None
                else "raises only in PyTorch"
                if ours is None
                else "raises another class"
            )
            self.difference = Difference(len(self.steps) - 1, step.rule, what, said(theirs), said(ours))
        elif self.look and (found := first_difference(self.there, self.here)):
            self.difference = Difference(len(self.steps) - 1, step.rule, *found)
        return self.difference is None

    def end(self):
        found = self.difference is None and (
            first_difference(self.there, self.here) or difference_of_facts(self.there, self.here)
        )
        if found:
            self.difference = Difference(len(self.steps), "at the end", *found)
        return self.difference


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
            if count is not None:
                count[name, run.raised[-1] is not None] += 1
    for line in last_backwards(world) if run.difference is None else ():
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


# ---- what may differ


@dataclass(frozen=True)
class Allowed:
    """A kind of difference that stays: the page of differences says the same, in other words."""

    reason: str
    fits: object  # of a Run


EXCEPTIONS = {}


def allowed(run):
    """The name of the exception that the difference of a run falls under; None if it is one that must not be."""
    return next((name for name, each in EXCEPTIONS.items() if each.fits(run)), None)


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
        if run.difference is None:
            continue
        name = allowed(run)
        if name:
            excused[name] += 1
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
        print(run.difference or "no difference", allowed(run) if run.difference else "")
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
        print(f"{total:6} may differ: {name}")
    differ = sum(total for total, *_ in kinds.values())
    print(f"{differ} of {done} programs differ, in {len(kinds)} kinds; {sum(excused.values())} more may")
    return bool(kinds)


if __name__ == "__main__":
    sys.exit(main())
