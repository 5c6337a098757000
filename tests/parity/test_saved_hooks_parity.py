"""Hooks on what the graph saves, and checkpoints made of them, beside PyTorch."""

import importlib
import warnings

import pytest
import torch

import tinygrad_cnn as tg
from tests.parity.both import check_same, leaf, outcome


def graph(t):
    return importlib.import_module(f"{t.__name__}.autograd.graph")


def same(value):
    return value


def packs(program, pack=same, unpack=same):
    """A program whose body runs under hooks: what it returns, and how often they were called."""

    def run(t):
        calls = []

        def packed(value):
            calls.append("pack")
            return pack(value)

        def unpacked(value):
            calls.append("unpack")
            return unpack(value)

        return program(t, graph(t).saved_tensors_hooks(packed, unpacked)), calls

    return run


def product(t, hooks):
    x = leaf(t, [1.0, 2.0])
    with hooks:
        y = x.exp() * x
    y.sum().backward()
    return x.grad


def own_function(t, hooks):
    class Square(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x * x
            ctx.save_for_backward(x, y, x * 2)
            return y

        @staticmethod
        def backward(ctx, g):
            x, y, twice = ctx.saved_tensors
            return g * twice + 0 * y * x

    x = leaf(t, [1.0, 2.0])
    with hooks:
        y = Square.apply(x)
    (g,) = t.autograd.grad(y.sum(), x, create_graph=True)
    return g


def second_derivative(t, hooks):
    x = leaf(t, [1.0, 2.0])
    with hooks:
        y = (x**3).sum()
    (g,) = t.autograd.grad(y, x, create_graph=True)
    return g, t.autograd.grad(g.sum(), x)


def two_passes(t, hooks):
    x = leaf(t, [1.0, 2.0])
    with hooks:
        y = x.sigmoid().sum()
    y.backward(retain_graph=True)
    y.backward()
    return x.grad


def nested(t, hooks):
    x, outer = leaf(t, [1.0, 2.0]), []
    with graph(t).saved_tensors_hooks(lambda v: outer.append("outer") or v, same):
        y = x.exp()
        with hooks:
            y = y.sin()
        y = y.exp()
    y.sum().backward()
    return x.grad, outer


@pytest.mark.parametrize("program", [product, own_function, second_derivative, two_passes, nested])
def test_hooks_are_called_for_what_is_saved(program):
    def values(t):
        return packs(program)(t)[0]

    check_same(values)
    if program is not second_derivative:  # there rules of ours save less
        check_same(packs(program))


@pytest.mark.parametrize("write", ["exp_", "sin_", "sigmoid_", "tanh_", "square_", "neg_", "log_", "relu_"])
def test_writes_in_place_under_hooks(write):
    def program(t, hooks):
        x = leaf(t, [1.0, 2.0])
        with hooks:
            h = x * 1
            getattr(h, write)()
            y = h * h
        y.sum().backward()
        return x.grad

    check_same(lambda t: packs(program)(t)[0])


def fails(t, pack=same, unpack=same, write=False):
    x = leaf(t, [1.0, 2.0])
    with graph(t).saved_tensors_hooks(pack, unpack):
        y = (x * x).sum()
        if write:
            with t.no_grad():
                x.add_(1)
    y.backward()
    return x.grad


REFUSED = {
    "no tensor": lambda t: fails(t, unpack=lambda v: 3),
    "another shape": lambda t: fails(t, unpack=lambda v: v[:1].expand(3)),
    "a write": lambda t: fails(t, pack=lambda v: v.add_(1)),
    "an error in pack": lambda t: fails(t, pack=lambda v: 1 / 0),
    "an error in unpack": lambda t: fails(t, unpack=lambda v: 1 / 0),
    "no write counts": lambda t: fails(t, write=True),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_hooks_may_not_do(name):
    check_same(REFUSED[name])


def test_hooks_can_be_refused():
    def outside(t):
        with graph(t).disable_saved_tensors_hooks("none here"), graph(t).saved_tensors_hooks(same, same):
            pass

    def inside(t):
        with graph(t).saved_tensors_hooks(same, same), graph(t).disable_saved_tensors_hooks("none here"):
            pass

    check_same(outside)
    check_same(inside)


def test_what_is_saved_on_the_cpu():
    def program(t):
        x = leaf(t, [1.0, 2.0])
        with graph(t).save_on_cpu():
            y = (x * x).sum()
        y.backward()
        return x.grad

    check_same(program)


def checkpoints(t):
    return importlib.import_module(f"{t.__name__}.utils.checkpoint")


def layers(t):
    t.manual_seed(0)
    sizes = [(3, 4), (4, 4), (4, 2)]
    parts = [(t.nn.Linear(*size, dtype=t.float64), t.nn.Tanh(), t.nn.Dropout(0.3)) for size in sizes]
    return t.nn.Sequential(*(layer for part in parts for layer in part))


def trained(t, call):
    """The gradients of a network with dropout, called as is said, with warnings."""
    net, x = layers(t), t.linspace(-1, 1, 6, dtype=t.float64).reshape(2, 3).requires_grad_()
    t.manual_seed(1)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        y = call(net, x)
        y.sum().backward()
    return y, x.grad, [p.grad for p in net.parameters()], len(said), t.rand(2)


CALLS = {
    "plain": lambda c, net, x, reentrant: net(x),
    "whole": lambda c, net, x, reentrant: c.checkpoint(net, x, use_reentrant=reentrant),
    "left out": lambda c, net, x, reentrant: c.checkpoint(net, x),
    "in three": lambda c, net, x, reentrant: c.checkpoint_sequential(net, 3, x, use_reentrant=reentrant),
    "of a list": lambda c, net, x, reentrant: c.checkpoint_sequential(list(net), 2, x, use_reentrant=reentrant),
    "other numbers": lambda c, net, x, reentrant: c.checkpoint(
        net, x, use_reentrant=reentrant, preserve_rng_state=False
    ),
    "one in another": lambda c, net, x, reentrant: c.checkpoint(
        lambda x: c.checkpoint(net[3:], c.checkpoint(net[:3], x, use_reentrant=reentrant), use_reentrant=reentrant),
        x,
        use_reentrant=reentrant,
    ),
}


@pytest.mark.parametrize("reentrant", [False, True])
@pytest.mark.parametrize("call", CALLS)
def test_checkpoints_give_the_same_gradients(call, reentrant):
    check_same(lambda t: trained(t, lambda net, x: CALLS[call](checkpoints(t), net, x, reentrant)))


def changing(t, first, later, **options):
    calls = []

    def function(x):
        calls.append(1)
        return (first if len(calls) == 1 else later)(x)

    x = leaf(t, [1.0, 2.0])
    checkpoints(t).checkpoint(function, x, use_reentrant=False, **options).sum().backward()
    return x.grad, len(calls)


def counted(t, **options):
    calls = []

    def function(x, scale=1):
        y = x.exp()
        y = y * y
        calls.append(1)
        return y + scale

    x = leaf(t, [1.0, 2.0])
    y = checkpoints(t).checkpoint(function, x, **options).sum()
    y.backward(retain_graph=True)
    y.backward()
    return x.grad, len(calls)


PROGRAMS = {
    "another shape": lambda t: changing(t, lambda x: (x * x).sin(), lambda x: (x[:1] * x[:1]).sin()),
    "fewer": lambda t: changing(t, lambda x: (x * x).sin(), lambda x: x.sin()),
    "more": lambda t: changing(t, lambda x: x.sin(), lambda x: (x * x).sin(), early_stop=False),
    "no comparison": lambda t: changing(
        t, lambda x: x.sin(), lambda x: (x + 1).sin(), determinism_check="none", early_stop=False
    ),
    "keywords": lambda t: counted(t, use_reentrant=False, scale=2, early_stop=False),
    "keywords, the older way": lambda t: counted(t, use_reentrant=True, scale=2),
    "contexts, the older way": lambda t: counted(t, use_reentrant=True, context_fn=lambda: None),
    "twice": lambda t: counted(t, use_reentrant=True),
    "early stop": lambda t: counted(t, use_reentrant=False),
    "autograd.grad": lambda t: t.autograd.grad(
        checkpoints(t).checkpoint(lambda x: x.exp(), x := leaf(t, [1.0]), use_reentrant=False).sum(), x
    ),
    "autograd.grad, the older way": lambda t: t.autograd.grad(
        checkpoints(t).checkpoint(lambda x: x.exp(), x := leaf(t, [1.0]), use_reentrant=True).sum(), x
    ),
    "second order": lambda t: t.autograd.functional.hessian(
        lambda x: checkpoints(t).checkpoint(lambda x: (x**3).sin(), x, use_reentrant=False).sum(), leaf(t, [1.0, 2.0])
    ),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_with_checkpoints(program):
    theirs, ours = (outcome(PROGRAMS[program], t) for t in (torch, tg))
    if type(theirs).__name__ == "CheckpointError":
        assert type(ours).__name__ == "CheckpointError"
        assert issubclass(type(ours), RuntimeError)
    else:
        check_same(PROGRAMS[program])


def test_contexts_are_entered_around_each_computation():
    def program(t):
        entered = []

        class Noted:
            def __init__(self, name):
                self.name = name

            def __enter__(self):
                entered.append(self.name)

            def __exit__(self, *error):
                entered.append(f"/{self.name}")

        x = leaf(t, [1.0])
        y = checkpoints(t).checkpoint(
            lambda x: x.exp(), x, use_reentrant=False, context_fn=lambda: (Noted("first"), Noted("again"))
        )
        y.sum().backward()
        with checkpoints(t).set_checkpoint_early_stop(False):
            y = checkpoints(t).checkpoint(lambda x: x.exp() * 1, x, use_reentrant=False)
        y.sum().backward()
        return entered, x.grad

    check_same(program)


@pytest.mark.parametrize("reentrant", [False, True])
def test_several_results_and_what_is_no_tensor(reentrant):
    def program(t):
        x, w = leaf(t, [1.0, 2.0]), t.ones(2, dtype=t.float64)
        a, b = checkpoints(t).checkpoint(
            lambda x, n, w, none: (x * n, (x * w).exp()), x, 3, w, None, use_reentrant=reentrant
        )
        (a * b).sum().backward()
        return a, b, x.grad

    check_same(program)
