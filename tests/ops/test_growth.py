"""What a backward pass costs grows with what it carries: counted in calls and in what they look at, not in seconds."""

import sys
from collections import Counter

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.kernels.passes import recurrence
from tinygrad_cnn.ops.shape import Cat


def work(program):
    """How many functions are called, Python's and C's, while a program runs."""
    calls = Counter()

    def count(frame, event, argument):
        calls[event] += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        program()
    finally:
        sys.setprofile(before)
    return calls["call"] + calls["c_call"]


def leaves(n):
    return [tg.ones(2, requires_grad=True) for _ in range(n)]


def joined(join):
    def prepare(n):
        parts = leaves(n)
        y = join(parts).sum()
        return y.backward

    return prepare


def along(function, *, twice=False):
    def prepare(n):
        x = tg.tensor(np.linspace(0.9, 1.1, n), requires_grad=True)
        y = function(x).sum()
        if not twice:
            return y.backward
        (first,) = tg.autograd.grad(y, x, create_graph=True)
        return first.sum().backward

    return prepare


def in_parts(n):
    x = tg.ones(n, requires_grad=True)
    y = sum(part.sum() for part in x.split(1))
    return y.backward


PROGRAMS = {
    "cat": joined(tg.cat),
    "stack": joined(tg.stack),
    "hstack": joined(tg.hstack),
    "cumprod": along(lambda x: tg.cumprod(x, 0)),
    "cumprod, twice": along(lambda x: tg.cumprod(x, 0), twice=True),
    "cumsum": along(lambda x: tg.cumsum(x, 0)),
    "prod": along(lambda x: x.prod()),
    "prod, twice": along(lambda x: x.prod(), twice=True),
    "split": in_parts,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_four_times_as_much_takes_four_times_as_many_calls(name):
    few, many = (work(PROGRAMS[name](n)) for n in (100, 400))
    assert many <= 5 * few


def test_the_gradient_of_a_part_of_cat_looks_at_its_own_ends_only():
    """A sum over the lengths of all parts before it is one call, but as long as they are many."""
    ends = np.cumsum([k % 3 for k in range(50)])
    looked = []

    class Ends(np.ndarray):
        def __getitem__(self, k):
            looked.append(k)
            return int(np.asarray(self)[k])

        def __iter__(self):
            raise AssertionError("all ends are looked at")

    Cat.d_xs(np.ones(ends[-1]), 40, axis=0, ends=ends.view(Ends))
    assert len(looked) <= 2


def test_the_kernel_of_a_recurrence_touches_each_element_once():
    small, large = (work(lambda n=n: recurrence(np.ones(n), np.ones(n), 0)) for n in (1000, 4000))
    assert large <= 5 * small
