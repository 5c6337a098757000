"""The backward pass: order, freeing, accumulation, hooks, modes, writes in place."""

import gc
import threading
from contextlib import contextmanager
from functools import partial, wraps

import numpy as np
import pytest
from hypothesis import given

import tinygrad_cnn as tg
from tinygrad_cnn import autograd
from tinygrad_cnn.core.domain import Real
from tinygrad_cnn.core.reduce import unbroadcast
from tinygrad_cnn.gradcheck.strategies import drawn
from tinygrad_cnn.tensor import Tensor


def leaf(*values):
    return Tensor(np.array(values, dtype=np.float64), requires_grad=True)


def test_a_chain_of_100_000_ops_differentiates_and_is_freed():
    x = leaf(1.0)
    y = x
    for _ in range(100_000):
        y = y + 1.0
    y.backward(np.ones(1))
    assert x.grad.tolist() == [1.0]
    del y
    gc.collect()


def test_each_op_of_a_diamond_chain_of_depth_60_is_differentiated_once():
    class Counted(tg.Op):
        """y = a + b"""

        def forward(a, b):
            return a + b

        def d_a(g):
            calls.append("a")
            assert len(calls) <= 120  # there are 2**60 paths
            return g

        def d_b(g):
            calls.append("b")
            return g

    calls = []
    x = leaf(1.0)
    y = x
    for _ in range(60):
        y = Counted.apply(y, y)
    y.backward(np.ones(1))
    assert sorted(calls) == 60 * ["a"] + 60 * ["b"]
    assert x.grad.item() == 2.0**60


def test_a_second_pass_through_a_freed_graph_says_what_to_do():
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match=r"freed.*retain_graph=True"):
        y.backward()


def test_a_retained_graph_can_be_passed_twice_and_gradients_accumulate():
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [4.0, 8.0]


def test_what_saves_nothing_may_be_passed_twice_as_in_pytorch():
    x = leaf(1.0)
    y = x + 1
    (y + 1).backward(np.ones(1))
    (y + 2).backward(np.ones(1))
    assert x.grad.item() == 2.0


def test_a_gradient_is_not_the_memory_of_another_leaf():
    a, b = leaf(1.0), leaf(2.0)
    (a + b).backward(np.ones(1))
    a.grad[0] = 7.0
    assert b.grad.item() == 1.0


def test_the_backward_of_several_elements_needs_a_cotangent():
    with pytest.raises(RuntimeError, match=r"one element only.*2.*sum\(\)"):
        (leaf(1.0, 2.0) * 2).backward()


def test_a_cotangent_of_the_wrong_shape_is_refused():
    with pytest.raises(ValueError, match=r"cotangent has shape .*3.*, its output .*2"):
        (leaf(1.0, 2.0) * 2).backward(np.ones(3))


def test_backward_of_something_without_a_graph_is_an_error():
    with pytest.raises(RuntimeError, match="does not require a gradient"):
        Tensor([1.0]).backward()


def test_a_third_derivative():
    x = Tensor(2.0, requires_grad=True, dtype=np.float64)
    y = x**5
    for expected in (80.0, 160.0, 240.0):
        (y,) = autograd.grad(y, x, create_graph=True)
        assert y.item() == pytest.approx(expected)


def test_grad_leaves_grad_alone_and_takes_results_of_ops_as_inputs():
    x = leaf(3.0)
    y = x * x
    z = y * y
    dy, dx = autograd.grad(z, [y, x], np.ones(1))
    assert (dy.item(), dx.item()) == (18.0, 108.0)
    assert x.grad is None


def test_an_unused_input_is_an_error_or_none():
    x, y = leaf(1.0), leaf(1.0)
    with pytest.raises(RuntimeError, match=r"input 1 .*allow_unused=True"):
        autograd.grad((x * 2).sum(), [x, y])
    assert autograd.grad((x * 2).sum(), [x, y], allow_unused=True)[1] is None


def test_create_graph_in_backward_records_the_gradient():
    x = leaf(3.0)
    (x**3).sum().backward(create_graph=True)
    (second,) = autograd.grad(x.grad.sum(), x)
    assert second.item() == 18.0


def test_no_grad_and_enable_grad_nest_and_decorate():
    x = leaf(1.0)
    with tg.no_grad():
        assert not (x * 2).requires_grad
        with tg.enable_grad():
            assert (x * 2).requires_grad
        assert not tg.is_grad_enabled()
    assert tg.is_grad_enabled()

    @tg.no_grad()
    def double(t):
        return t * 2

    assert not double(x).requires_grad
    with pytest.raises(KeyError), tg.no_grad():
        raise KeyError
    assert tg.is_grad_enabled()


def test_the_grad_mode_is_per_thread():
    seen = []
    with tg.no_grad():
        thread = threading.Thread(target=lambda: seen.append(tg.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_hooks_see_the_whole_gradient_and_may_replace_it():
    x = leaf(1.0)
    y = x * 3
    seen = []
    y.register_hook(lambda g: seen.append(g.item()))
    handle = x.register_hook(lambda g: g * 10)
    (y + y).backward(np.ones(1))
    assert seen == [2.0]
    assert x.grad.item() == 60.0
    handle.remove()
    handle.remove()
    x.grad = None
    (x * 3).backward(np.ones(1))
    assert x.grad.item() == 3.0


def test_the_gradient_of_a_number_that_was_used_twice_is_an_array():
    x = tg.tensor(2.0, requires_grad=True)
    for _ in range(2):
        (x * x).backward()
    x.grad.add_(1)
    assert x.grad.item() == 9.0
    (slope,) = autograd.grad(x * x, x)
    slope.add_(1)
    assert slope.item() == 5.0


def test_a_hook_that_changes_the_shape_is_refused():
    x = leaf(1.0)
    x.register_hook(lambda g: g.reshape(1, 1))
    with pytest.raises(RuntimeError, match="hook returned shape"):
        (x * 2).backward(np.ones(1))


def test_retain_grad_fills_the_gradient_of_a_result():
    x = leaf(2.0)
    y = x * x
    y.retain_grad()
    (y * 3).backward(np.ones(1))
    assert y.grad.item() == 3.0
    assert x.grad.item() == 12.0


def test_is_leaf_grad_fn_and_detach():
    x = leaf(1.0)
    y = x * 2
    assert x.is_leaf
    assert x.grad_fn is None
    assert not y.is_leaf
    assert y.grad_fn.name() == "MulBackward0"
    accumulate, nothing = y.grad_fn.next_functions
    assert accumulate[0].variable is x
    assert accumulate[0].name() == "torch::autograd::AccumulateGrad"
    assert nothing == (None, 0)
    d = y.detach()
    assert not d.requires_grad
    assert np.shares_memory(d.numpy(), y.detach().numpy())


def test_integers_cannot_require_a_gradient():
    with pytest.raises(RuntimeError, match=r"int64.*\.float\(\)"):
        Tensor(np.array([1, 2])).requires_grad_()


def test_a_saved_array_written_in_place_is_found():
    x = leaf(2.0)
    y = x * x
    with tg.no_grad():
        x.mul_(3.0)
    with pytest.raises(RuntimeError, match="modified by an in-place operation"):
        y.backward(np.ones(1))


def test_a_write_through_a_view_is_found_too():
    x = leaf(2.0, 3.0)
    y = (x * x).sum()
    x.detach()[0] = 5.0
    with pytest.raises(RuntimeError, match="modified by an in-place operation"):
        y.backward()


def test_a_write_that_no_rule_needs_does_not_disturb():
    x = leaf(2.0)
    y = x + 1
    with tg.no_grad():
        x.mul_(3.0)
    y.backward(np.ones(1))
    assert x.grad.item() == 1.0


@contextmanager
def op_with(d_x, base=tg.Op):
    """y = x, with this derivative."""
    try:
        yield type("Odd", (base,), {"__doc__": "y = x", "forward": lambda x: x * 1.0, "d_x": d_x})
    finally:
        tg.ops.registry.pop("Odd", None)


def test_a_rule_of_the_wrong_shape_raises_instead_of_being_summed():
    with (
        op_with(lambda g: np.sum(g)) as odd,
        pytest.raises(RuntimeError, match=r"Odd: d_x returned a cotangent of shape \(\)"),
    ):
        odd.apply(leaf(1.0, 2.0)).backward(np.ones(2))


def test_a_rule_that_returns_no_array_is_refused():
    with op_with(lambda g: [1.0, 2.0]) as odd, pytest.raises(TypeError, match="d_x returned list"):
        odd.apply(leaf(1.0, 2.0)).backward(np.ones(2))


def test_a_refusal_names_the_derivative_of_its_input():
    def refused(op, *inputs):
        with pytest.raises(TypeError, match=r"d_\w+ returned list") as info:
            op.apply(*inputs).backward(np.ones(2))
        return str(info.value).split()[1]

    before = dict(tg.ops.registry)
    try:
        right, wrong = staticmethod(lambda g: g), staticmethod(lambda g: [1.0, 2.0])
        second = type("Odd", (tg.Op,), {"forward": lambda a, b: a + b, "d_a": right, "d_b": wrong})
        several = type("OddSum", (tg.Op,), {"forward": lambda *xs: sum(xs), "d_xs": wrong})
    finally:
        tg.ops.registry.clear()
        tg.ops.registry.update(before)
    assert refused(second, leaf(1.0, 2.0), leaf(1.0, 2.0)) == "d_b"
    assert refused(several, np.ones(2), leaf(1.0, 2.0)) == "d_xs"


def test_a_rule_may_return_a_number_of_numpy_for_a_number():
    class Witness(tg.ops.Elementwise):
        """y = x, with a rule that takes nothing but arrays"""

        def forward(x):
            return x * 1.0

        def d_x(g):
            assert type(g) is np.ndarray
            return g

    try:
        with op_with(lambda g: np.float32(3.0)) as odd:
            x = tg.tensor(1.0, dtype=np.float64, requires_grad=True)
            odd.apply(Witness.apply(x)).backward()
            assert type(x.grad.numpy()) is np.ndarray
            assert x.grad.dtype == np.float64
            assert x.grad.item() == 3.0
    finally:
        del tg.ops.registry["Witness"]


def test_an_elementwise_rule_may_return_more_or_less_than_the_shape_of_its_input():
    with op_with(lambda g: np.broadcast_to(g, (5, *g.shape)), tg.ops.Elementwise) as odd:
        x = leaf(1.0, 2.0)
        odd.apply(x).backward(np.ones(2))
        assert x.grad.tolist() == [5.0, 5.0]
    with op_with(lambda g: g[:1], tg.ops.Elementwise) as odd:
        x = leaf(1.0, 2.0)
        odd.apply(x).backward(np.ones(2))
        assert x.grad.tolist() == [1.0, 1.0]


def sample_cotangent(draw):
    """Two shapes that broadcast, a cotangent of one of them for an input of the other."""
    given, wanted = draw.broadcastable(2)
    lead = (1,) * draw.integer(0, 2)
    return draw.array(given, Real()), lead + wanted


def check_unbroadcast(case):
    d, shape = case
    full = np.broadcast_shapes(d.shape, shape)
    expected = np.zeros(shape)
    for place in np.ndindex(full):  # each element goes where the input's came from; what is new or was 1 is summed
        at = tuple(0 if n == 1 else k for k, n in zip(place[len(full) - len(shape) :], shape, strict=True))
        expected[at] += np.broadcast_to(d, full)[place]
    found = unbroadcast(d, shape)
    assert found.shape == shape
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    recorded = unbroadcast(tg.tensor(d, dtype=np.float64, requires_grad=True), shape)
    np.testing.assert_array_equal(recorded.detach().numpy(), found)


@given(drawn(sample_cotangent))
def test_a_cotangent_is_summed_to_the_shape_that_was_broadcast(case):
    check_unbroadcast(case)


DEFINITIONS = {
    "core.engine": [
        (sample_cotangent, check_unbroadcast),
        (lambda draw: None, lambda _: test_a_rule_of_the_wrong_shape_raises_instead_of_being_summed()),
        (lambda draw: None, lambda _: test_a_rule_that_returns_no_array_is_refused()),
        (lambda draw: None, lambda _: test_a_refusal_names_the_derivative_of_its_input()),
        (lambda draw: None, lambda _: test_a_rule_may_return_a_number_of_numpy_for_a_number()),
        (
            lambda draw: None,
            lambda _: test_an_elementwise_rule_may_return_more_or_less_than_the_shape_of_its_input(),
        ),
    ]
}
"""What settles the cotangents, for whoever runs this without Hypothesis."""


def test_an_index_written_after_its_use_is_noticed():
    x = tg.tensor([3.0, 1.0, 2.0], requires_grad=True)
    values, indices = x.sort()
    indices[0] = 0
    with pytest.raises(RuntimeError, match=r"Sort needs its 'indices', of shape \(3,\), as it was"):
        values.sum().backward()


def test_what_a_hook_returns_stays_the_users():
    x, mine = tg.ones(3, requires_grad=True), tg.full((3,), 2.0)
    x.register_hook(lambda g: mine)
    (x * 5).sum().backward()
    mine.add_(1)
    assert x.grad.tolist() == [2, 2, 2]


def test_backward_takes_one_input_or_several():
    x, y = (tg.ones(3, requires_grad=True) for _ in range(2))
    (x * y).sum().backward(inputs=x)
    (x * y).sum().backward(inputs=(y,))
    assert x.grad.tolist() == y.grad.tolist() == [1, 1, 1]
    with pytest.raises(RuntimeError, match="inputs is empty"):
        (x * y).sum().backward(inputs=[])
    with pytest.raises(RuntimeError, match=r"input 1 of shape \(2,\) does not require a gradient"):
        (x * y).sum().backward(inputs=[x, tg.ones(2)])
    with pytest.raises(RuntimeError, match="grad: inputs is empty; give the tensors whose gradients are wanted"):
        tg.autograd.grad((x * y).sum(), [])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"forward": lambda x: x}, "needs either d_x"),
        ({"forward": lambda x: x, "d_xx": lambda g: g}, "d_xx is the derivative of no input"),
        ({"forward": lambda self, x: x, "d_x": lambda g: g}, "forward takes `self`; leave it out"),
        ({"forward": lambda x: x, "d_x": lambda self, g: g}, "d_x takes `self`; leave it out"),
        ({"forward": lambda x: x, "d_x": lambda g: g, "d_y": lambda g: g}, "derivative of no input"),
        ({"forward": lambda x: x, "d_x": lambda h: h}, "must be g"),
        ({"forward": lambda x: x, "d_x": lambda g, z: g}, "asks for 'z'"),
        ({"forward": lambda x: x, "d_x": lambda g, *, k: g}, "takes the option 'k'"),
        ({"forward": lambda x, *, k=1: x, "d_x": lambda g, *, k=2: g}, "takes the option 'k'"),
        ({"forward": lambda x, *, k: x, "d_x": lambda g, *, k=2: g}, "takes the option 'k'"),
        ({"forward": lambda x, w=1: x, "d_x": lambda g: g}, "input 'w' has a default"),
        ({"forward": lambda x=1, w=None: x, "d_x": lambda g: g}, "input 'x' has a default"),
        ({"forward": lambda x, **k: x, "d_x": lambda g: g}, r"forward takes \*\*k; name every option"),
        ({"forward": lambda x, *more: x, "d_x": lambda g: g}, r"a variadic op takes \*more and nothing beside"),
        ({"forward": lambda x: x, "d_x": lambda g, *more: g}, "asks for 'more'"),
        ({"forward": lambda x: x, "d_x": lambda g, **more: g}, "asks for 'more'"),
        ({"forward": partial(max, 1), "d_x": lambda g: g}, "forward is a partial; write it as a function, with def"),
        ({"forward": lambda x: x, "d_x": max}, "d_x is a builtin_function_or_method; write it as a function"),
    ],
)
def test_a_declaration_that_does_not_hold_together_is_refused(body, message):
    with pytest.raises(TypeError, match=message):
        type("Broken", (tg.Op,), {"__doc__": "y = x", **body})
    assert "Broken" not in tg.ops.registry


def test_a_decorated_function_takes_what_the_function_behind_it_takes():
    def counted(function):
        @wraps(function)
        def called(*args, **options):
            return function(*args, **options)

        return called

    class Decorated(tg.Op):
        """y = k x        dL/dx = k g"""

        forward = staticmethod(counted(lambda x, *, k=2: k * x))
        d_x = counted(lambda g, *, k=2: k * g)

    try:
        assert (Decorated.inputs, Decorated.options, Decorated.rules[0].options) == (("x",), ("k",), ("k",))
        x = leaf(3)
        Decorated.apply(x, k=5).sum().backward()
        assert x.grad.tolist() == [5]
    finally:
        del tg.ops.registry["Decorated"]


def test_an_op_of_a_known_name_from_elsewhere_is_refused():
    with pytest.raises(TypeError, match="already has an op of this name"):
        type("Exp", (tg.Op,), {"forward": lambda x: x, "d_x": lambda g: g})


def test_memory_does_not_grow_over_passes():
    x = leaf(*range(10))
    gc.collect()
    for _ in range(3):
        (x * x).exp().sum()
    before = len(gc.get_objects())
    for _ in range(200):
        x.grad = None
        (x * 0.1).exp().sum().backward()
    gc.collect()
    assert len(gc.get_objects()) - before < 50


def test_many_slices_of_one_array_add_their_gradients_in_place():
    x = tg.tensor(np.arange(12.0).reshape(4, 3), requires_grad=True)
    y = x * 2
    pieces = [*y.unbind(0), y[[0, 0, 2]].sum(0), y[1:, 1:].sum(0).sum() * tg.ones(3), y.sum(0)]
    total = sum(((k + 1) * p * p).sum() for k, p in enumerate(pieces))
    (fast,) = tg.autograd.grad(total, x, retain_graph=True)
    (recorded,) = tg.autograd.grad(total, x, create_graph=True)
    np.testing.assert_allclose(fast.numpy(), recorded.detach().numpy())


def test_the_gradient_of_a_slice_does_not_write_into_that_of_another_use():
    x = tg.ones(3, requires_grad=True)
    y, z = x * 1, x * 1
    both = y + z  # passes one array back to y and to z
    (both.sum() + y[0] + y[1] + z[0]).backward()
    assert x.grad.tolist() == [4, 3, 2]


def test_grad_takes_pytorchs_arguments_in_their_order():
    x = tg.tensor([2.0, 3.0], requires_grad=True)
    unused = tg.ones(1, requires_grad=True)
    found, nothing = tg.autograd.grad(x**2, [x, unused], tg.ones(2), True, False, True, True)
    assert found.tolist() == [4.0, 6.0]
    assert nothing is None
    with pytest.raises(ValueError, match="only_inputs=False"):
        tg.autograd.grad(x.sum(), x, only_inputs=False)


def test_cotangents_given_together_for_inputs_that_want_none_are_dropped():
    x, w = tg.ones(4, 3), tg.ones(3, requires_grad=True)
    tg.nn.functional.layer_norm(x * tg.arange(3.0), (3,), w, tg.zeros(3)).sum().backward()
    assert w.grad is not None
    assert x.grad is None


def test_what_sends_nothing_back_is_asked_for_nothing_and_can_be_asked_twice():
    """A view made under no_grad requires a gradient, as its base does, and none flows there."""
    x, ones = tg.ones(2, 3, requires_grad=True), tg.ones(3)
    with tg.no_grad():
        view = x[:1]
    y = tg.nn.functional.layer_norm(view, (3,), ones, ones)
    assert y.requires_grad
    y.sum().backward()
    y.sum().backward()
    assert x.grad is None


def test_what_was_freed_is_missed_only_by_a_rule_that_needs_it():
    x, v = tg.ones(3, requires_grad=True), tg.ones(3, requires_grad=True)
    index = tg.tensor([0, 0, 2])
    y = x.scatter_add(0, index, tg.ones(3))
    y.sum().backward()
    y.sum().backward()
    assert x.grad.tolist() == [2, 2, 2]
    z = x.scatter_add(0, index, v)
    z.sum().backward()
    with pytest.raises(RuntimeError, match="freed by an earlier backward pass"):
        z.sum().backward()


@pytest.mark.parametrize("function", [tg.prod, lambda x: x.prod(0), lambda x: x.cumprod(0), tg.sum])
def test_the_derivative_of_what_one_number_comes_to_is_a_constant(function):
    x = tg.tensor(3.0, requires_grad=True)
    (grad,) = tg.autograd.grad(function(x), x, create_graph=True)
    assert (grad.item(), grad.requires_grad) == (1, False)
    assert function(tg.tensor(3)).dtype == function(tg.tensor(True)).dtype == tg.int64
