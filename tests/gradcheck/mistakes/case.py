"""What a mistake is: a function, a wrong VJP, inputs, and the words that count as right."""

import inspect
import linecache
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_cnn.gradcheck import Verdict, cached_pair, gradcheck, numpy_pair

random = np.random.default_rng(7)


def start():
    """The inputs of a set are the same whichever sets were made before it."""
    random.bit_generator.state = np.random.default_rng(7).bit_generator.state


def normal(*shape):
    return random.standard_normal(shape)


def positive(*shape):
    return random.uniform(0.5, 2.0, shape)


@dataclass(frozen=True)
class Mistake:
    """A wrong VJP. `says` is a pattern that the first diagnosis must have in it."""

    what: str
    function: Callable[..., Any]
    vjp: Callable[..., Any]
    inputs: tuple[Any, ...]
    says: str

    def checked(self):
        """What is to be checked."""
        return numpy_pair(self.function, self.vjp)

    def told(self):
        """Whether it is called wrong, the first diagnosis, and the seconds of processor that took."""
        began = time.thread_time()
        report = gradcheck(self.checked(), list(self.inputs), raise_exception=False, shrink=False)
        took = time.thread_time() - began
        first = report.diagnoses[0] if report.diagnoses else None
        return report.verdict is Verdict.FAIL, first, took

    def is_right(self, message):
        """Whether this is what the learner should be told."""
        return re.search(self.says, message) is not None


class OfTensors(Mistake):
    """A function of Tensors with a wrong backward pass of its own; it has no `vjp`."""

    def checked(self):
        return self.function


class Cached(Mistake):
    """A pair as courses have it: `function` returns its output and a cache, which `vjp` is given."""

    def checked(self):
        return cached_pair(self.function, self.vjp)


def slip(right, *changes):
    """A right VJP with a slip: in its text, the first of each two changes is replaced by the second."""
    text = inspect.getsource(right)
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert text.count(old) == 1, f"{right.__name__}: {old!r} is there {text.count(old)} times"
        text = text.replace(old, new)
    file = f"{right.__name__} with {changes}"
    linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
    made = {}
    exec(compile(text, file, "exec", dont_inherit=True), right.__globals__, made)
    return made[right.__name__]
