"""`Function`: derivatives written as procedures, checked against differences and by what they promise."""

import gc
import weakref
from typing import NamedTuple

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.autograd import Function
from tinygrad_cnn.autograd.function import once_differentiable


class SinCos(Function):
    """Both at once."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sin(), x.cos()

    @staticmethod
    def backward(ctx, gs, gc):
        (x,) = ctx.saved_tensors
        return gs * x.cos() - gc * x.sin()


def leaf(*values):
    return tg.tensor(values, dtype=tg.float64, requires_grad=True)


def test_a_function_of_two_outputs_passes_gradcheck_to_second_order():
    assert tg.autograd.gradcheck(SinCos.apply, (leaf(0.3, 1.2),))
    assert tg.autograd.gradgradcheck(SinCos.apply, (leaf(0.3, 1.2),))


def test_a_result_that_a_function_writes_in_place_loses_the_gradient_of_its_old_value():
    class Doubled(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf(1.0, 2.0)
    y = x * 3
    y.retain_grad()
    y.sum().backward(retain_graph=True)
    assert y.grad.tolist() == [1, 1]
    Doubled.apply(y)
    assert y.grad is None
    (y * 5).sum().backward()
    assert y.grad.tolist() == [5, 5]
    assert x.grad.tolist() == [33, 33]


def test_a_graph_of_functions_is_freed_by_reference_counting():
    class Exp(Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0]

    gc.disable()
    try:
        y = Exp.apply(leaf(1.0))
        node = weakref.ref(y.grad_fn)
        del y
        assert node() is None
    finally:
        gc.enable()


def test_only_paths_to_the_wanted_input_are_followed():
    class Boom(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            raise KeyError("not asked for")

    x, y = leaf(1.0), leaf(2.0)
    z = Boom.apply(x) * y
    assert tg.autograd.grad(z.sum(), y, retain_graph=True)[0].item() == 1.0
    with pytest.raises(KeyError):
        z.sum().backward()


def test_the_gradient_that_backward_returns_is_not_taken_over():
    kept = tg.ones(2, dtype=tg.float64)

    class Keeps(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return kept

    x = leaf(1.0, 2.0)
    for _ in range(2):
        Keeps.apply(x).sum().backward()
        x.grad.mul_(2)
    assert kept.tolist() == [1.0, 1.0]
    assert x.grad.tolist() == [6.0, 6.0]


def test_named_tuples_come_out_as_they_are():
    class Pair(NamedTuple):
        a: object
        b: object

    class Pairs(Function):
        @staticmethod
        def forward(ctx, x):
            return Pair(x * 2, x * 3)

        @staticmethod
        def backward(ctx, a, b):
            return a * 2 + b * 3

    x = leaf(1.0)
    out = Pairs.apply(x)
    assert isinstance(out, Pair)
    (out.a + out.b).sum().backward()
    assert x.grad.item() == 5.0


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda g: (), r"OddBackward returned an incorrect number of gradients \(expected 1, got 0\)"),
        (lambda g: g.numpy(), "OddBackward: expected a Tensor or None as gradient 0, got ndarray"),
        (lambda g: tg.ones(3), r"invalid gradient at index 0 - got \[3\] but expected shape compatible with \[2\]"),
    ],
)
def test_a_wrong_gradient_is_named(returned, message):
    class Odd(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return returned(g)

    with pytest.raises(RuntimeError, match=message):
        Odd.apply(leaf(1.0, 2.0)).sum().backward()


def test_both_backward_and_vjp_are_one_too_many():
    class Both(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g

        @staticmethod
        def vjp(ctx, g):
            return g

    with pytest.raises(RuntimeError, match="both backward and vjp are written"):
        Both.apply(leaf(1.0)).sum().backward()


def test_once_differentiable_refuses_the_second_derivative():
    class Np(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return tg.from_numpy(np.exp(x.detach().numpy()))

        @staticmethod
        @once_differentiable
        def backward(ctx, g):
            return tg.from_numpy(g.numpy() * np.exp(ctx.saved_tensors[0].numpy()))

    x = leaf(0.5)
    (g,) = tg.autograd.grad((Np.apply(x) * x).sum(), x, create_graph=True)
    np.testing.assert_allclose(g.detach().numpy(), np.exp(0.5) * 1.5)
    with pytest.raises(RuntimeError, match="differentiate twice"):
        g.sum().backward()


def test_forward_mode_and_batching_rules_are_refused():
    class Saves(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_forward(x)

    with pytest.raises(NotImplementedError, match=r"func\.jvp"):
        Saves.apply(leaf(1.0))
    with pytest.raises(NotImplementedError, match=r"func\.jvp"):
        Saves.jvp(None)
    with pytest.raises(NotImplementedError, match=r"func\.vmap"):
        Saves.vmap(None, None)


def test_a_call_in_the_old_style_says_what_to_do():
    with pytest.raises(RuntimeError, match=r"make forward and backward static methods and call SinCos\.apply"):
        SinCos()


def test_what_is_not_here_says_what_is():
    with pytest.raises(AttributeError, match=r"torch\.autograd\.profiler is not here: use tinygrad_cnn.profiler"):
        tg.autograd.profiler
    with pytest.raises(AttributeError, match="increment_version is not here"):
        tg.autograd.graph.increment_version
    with pytest.raises(AttributeError, match=r"torch\.autograd has no attribute 'nonsense'"):
        tg.autograd.nonsense


def test_under_no_grad_a_function_does_not_ask_where_its_inputs_stand():
    class Twice(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    (view,) = (tg.ones(2, requires_grad=True) * 1).chunk(1)
    with tg.no_grad():
        view *= 2  # it is one of several views, and has no place in the graph now
        assert Twice.apply(view).tolist() == [4, 4]
    with pytest.raises(RuntimeError, match="one of several views"):
        Twice.apply(view)
