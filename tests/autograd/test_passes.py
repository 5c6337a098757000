"""What a backward pass owes to whoever looks on: hooks, Functions, saved tensors, anomaly mode, dtypes at its ends."""

import warnings

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.autograd import Function, detect_anomaly, set_detect_anomaly
from tinygrad_cnn.autograd.graph import saved_tensors_hooks

NAN = float("nan")


def leaf(*values, dtype=tg.float64):
    return tg.tensor(values, dtype=dtype, requires_grad=True)


# ---- anomaly mode


def test_the_line_that_called_the_failing_op_is_shown():
    x = leaf(1.0)
    with set_detect_anomaly(True):
        y = (x * NAN).sum()  # here
        with (
            pytest.warns(UserWarning, match="Error detected in MulBackward0") as told,
            pytest.raises(RuntimeError, match="'MulBackward0' returned nan values in its 0th output"),
        ):
            y.backward()
    (warning,) = told
    assert str(warning.message).rstrip().endswith("y = (x * NAN).sum()  # here")
    assert not tg.is_anomaly_enabled()


def test_nan_may_pass_if_nobody_asks():
    x = leaf(1.0)
    with set_detect_anomaly(True, check_nan=False):
        (x * NAN).sum().backward()
    assert np.isnan(x.grad.numpy()).all()


@pytest.mark.filterwarnings("ignore:detect_anomaly")
def test_nan_is_found_in_ops_that_give_all_gradients_at_once():
    layer, x = nn.RNN(2, 2).double(), tg.randn(3, 1, 2, dtype=tg.float64)
    with detect_anomaly():
        y, _ = layer(x)
        with pytest.warns(UserWarning, match="Error detected"), pytest.raises(RuntimeError, match="nan values"):
            (y * NAN).sum().backward()
        y, _ = layer(x)
        cotangent = tg.full(y.shape, NAN, dtype=tg.float64)
        with pytest.warns(UserWarning, match="Error detected"), pytest.raises(RuntimeError, match="nan values"):
            y.backward(cotangent)


def test_nan_is_found_in_a_gradient_that_came_with_all_others():
    x = leaf(1.0, 2.0)
    with set_detect_anomaly(True):
        y = nn.functional.layer_norm(x, (2,), x * 1, x * 1)
        told, refused = (
            pytest.warns(UserWarning, match="Error detected"),
            pytest.raises(RuntimeError, match="NormalizeBackward0"),
        )
        with told, refused:
            y.backward(tg.tensor([NAN, 1.0], dtype=tg.float64))


# ---- Functions


class Twice(Function):
    """Both outputs, 2 x and 3 x; `keeps` says what is saved."""

    @staticmethod
    def forward(ctx, number, x):
        ctx.note = number
        ctx.save_for_backward(x)
        return x * number, x * 3

    @staticmethod
    def backward(ctx, g, h):
        Twice.seen = g, h, ctx.saved_tensors
        return None, g * ctx.note + h * 3


def test_unused_outputs_are_zero_or_none():
    x = leaf(1.0, 2.0)
    Twice.apply(2, x)[1].sum().backward()
    g, h, (saved,) = Twice.seen
    assert (g.tolist(), h.tolist(), x.grad.tolist()) == ([0.0, 0.0], [1.0, 1.0], [3.0, 3.0])
    assert saved is x

    class Bare(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 2, x * 3, "text"

        @staticmethod
        def backward(ctx, *gradients):
            Bare.seen = gradients
            return gradients[1] * 3, None, None  # more than there are inputs, but None

    Bare.apply(x)[1].sum().backward()
    assert [g is None for g in Bare.seen] == [True, False, True]


def test_hooks_of_a_function_see_every_output():
    x, seen = leaf(1.0), []
    first, second = Twice.apply(2, x)
    handle = second.grad_fn.register_hook(lambda inputs, outputs: seen.append((inputs, outputs)))
    second.grad_fn.register_prehook(lambda outputs: tuple(g * 10 for g in outputs))
    (first + second).sum().backward(retain_graph=True)
    ((inputs, outputs),) = seen
    assert [g.tolist() for g in outputs] == [[10.0], [10.0]]
    assert [g.tolist() for g in inputs] == [[50.0]]
    assert first.grad_fn.note == 2
    assert first.grad_fn.next_functions == second.grad_fn.next_functions
    handle.remove()
    (first + second).sum().backward()
    assert len(seen) == 1


def test_hooks_of_a_function_of_one_output():
    class Cube(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def vjp(ctx, g):  # under its other name
            (x,) = ctx.saved_tensors
            return g * 3 * x**2

    x, seen = leaf(2.0), []
    y = Cube.apply(x)
    y.grad_fn.register_prehook(lambda outputs: (outputs[0] * 2,))
    y.grad_fn.register_hook(lambda inputs, outputs: seen.append((inputs[0].item(), outputs[0].item())))
    y.backward()
    assert seen == [(24.0, 2.0)]
    assert x.grad.tolist() == [24.0]
    with pytest.raises(RuntimeError, match="a second time; the saved tensors were freed"):
        _ = y.grad_fn.saved_tensors


class Exponential(Function):
    @staticmethod
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y, x)
        return y

    @staticmethod
    def backward(ctx, g):
        y, _ = ctx.saved_tensors
        return g * y


def test_a_saved_output_has_its_history():
    x = leaf(0.5)
    (g,) = tg.autograd.grad(Exponential.apply(x).sum(), x, create_graph=True)
    (h,) = tg.autograd.grad(g.sum(), x)
    assert h.item() == pytest.approx(np.exp(0.5))
    with saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
        y = Exponential.apply(x)
    (g,) = tg.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = tg.autograd.grad(g.sum(), x)
    assert (g.item(), h.item()) == pytest.approx((np.exp(0.5),) * 2)


def test_a_saved_input_that_was_written_is_refused():
    x = leaf(0.5)
    z = x * 1
    y = Exponential.apply(z)
    z.mul_(2)
    with pytest.raises(RuntimeError, match=r"saved tensor 1 of shape \(1,\) has been modified by an in-place"):
        y.backward()


def test_what_is_marked_dirty_must_be_returned():
    class Forgets(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x.mul_(2))
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g

    with pytest.raises(RuntimeError, match="is not among its outputs"):
        Forgets.apply(leaf(1.0) * 1)


@pytest.mark.parametrize(("shape", "larger"), [((3,), (2, 3)), ((3, 1), (3, 4)), ((), (2,)), ((1, 3), (2, 3))])
def test_the_gradient_of_a_function_is_summed_and_converted(shape, larger):
    class Spreads(Function):
        @staticmethod
        def forward(ctx, x):
            return x * tg.ones(larger)

        @staticmethod
        def backward(ctx, g):
            return g.double()

    x = tg.ones(shape, requires_grad=True)
    Spreads.apply(x).sum().backward()
    assert x.grad.dtype == tg.float32
    np.testing.assert_array_equal(x.grad.numpy(), np.full(shape, np.prod(larger) / np.prod(shape)))


def test_a_gradient_that_does_not_fit_is_refused():
    class Wide(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return tg.ones(2, 4)

    with pytest.raises(RuntimeError, match=r"invalid gradient at index 0 - got \[2, 4\]"):
        Wide.apply(tg.ones(3, requires_grad=True)).sum().backward()


# ---- hooks


def test_hooks_of_a_leaf_hear_of_the_gradient_until_they_are_removed():
    x, told = leaf(1.0, 2.0), []
    y = x * 3
    ((node, _), _) = y.grad_fn.next_functions
    handle = node.register_hook(lambda inputs, outputs: told.append((inputs, outputs[0].tolist())))
    y.sum().backward()
    handle.remove()
    (x * 3).sum().backward()
    assert told == [((), [3.0, 3.0])]
    ((again, _), _), ((other, _), _) = (x * 2).grad_fn.next_functions, (leaf(1.0) * 2).grad_fn.next_functions
    assert node == again
    assert node != other
    assert len({node, again, other}) == 2


def test_what_a_hook_returns_has_a_history_in_a_pass_that_is_recorded():
    x = leaf(3.0)
    y = x * 1
    y.register_hook(lambda g: g * x)
    (g,) = tg.autograd.grad((y**2).sum(), x, create_graph=True)  # 2 x²
    (h,) = tg.autograd.grad(g.sum(), x)
    assert (g.item(), h.item()) == (18.0, 24.0)  # the hook is called in the second pass, too


def test_hooks_of_a_view_follow_what_was_written_into_its_base():
    x, seen = leaf(1.0, 2.0), []
    base = x * 1
    view = base[:1]
    base.mul_(5)
    view.register_hook(lambda g: seen.append(g.tolist()))
    view.sum().backward()
    assert seen == [[1.0]]
    assert x.grad.tolist() == [5.0, 0.0]


def test_hooks_on_saved_tensors_pack_the_inputs_of_ops_of_many():
    count = []
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    with saved_tensors_hooks(lambda t: count.append(1) or t.clone(), lambda t: t):
        z = tg.einsum("i,i->", x, y)
    z.backward()
    assert len(count) == 2
    assert (x.grad.tolist(), y.grad.tolist()) == ([3.0, 4.0], [1.0, 2.0])


# ---- dtypes and rules at the edges of a pass


@pytest.mark.parametrize("recorded", [False, True])
def test_a_cotangent_takes_the_dtype_of_its_output(recorded):
    x = leaf(1.0, 2.0, dtype=tg.float32)
    x.backward(np.ones(2), create_graph=recorded)
    assert x.grad.dtype == tg.float32
    y = leaf(1.0, 2.0)
    (g,) = tg.autograd.grad(y * 1, y, tg.tensor([1.0, 2.0]), create_graph=recorded)
    assert (g.dtype, g.tolist()) == (tg.float64, [1.0, 2.0])
    with pytest.raises(TypeError, match="got ndarray"):
        (y * 1).backward(np.array(["a", "b"]))


def test_a_rule_that_is_constant_can_be_differentiated_again():
    x = leaf(1.0, -2.0)
    (g,) = tg.autograd.grad((x.relu() * x).sum(), x, create_graph=True)
    (h,) = tg.autograd.grad(g.sum(), x, create_graph=True)
    assert h.tolist() == [2.0, 0.0]
    assert tg.autograd.grad(h.sum(), x, allow_unused=True, materialize_grads=True)[0].tolist() == [0.0, 0.0]


def test_an_index_written_between_two_uses_is_noticed_at_the_second():
    index = np.array([0, 1])
    for second in (True, False):
        x = tg.randn(3, dtype=tg.float64, requires_grad=True)
        y = x * 1
        index_tensor = tg.tensor(index)
        first = y[index_tensor].sum()
        other = tg.tensor([2, 0])
        total = first + y[other].sum()
        (other if second else index_tensor).add_(0)
        with pytest.raises(RuntimeError, match="modified by an in-place operation"):
            total.backward()


# ---- hooks of modules


def test_hooks_before_forward_may_change_keywords():
    class Scales(nn.Module):
        def forward(self, x, *, by=1.0):
            return x * by

    module = Scales()
    module.register_forward_pre_hook(lambda m, args, kwargs: (args, {**kwargs, "by": 3.0}), with_kwargs=True)
    assert module(tg.ones(1), by=2.0).tolist() == [3.0]
    module.register_forward_pre_hook(lambda m, args, kwargs: (args, kwargs, 1), with_kwargs=True)
    with pytest.raises(RuntimeError, match="expected None or \\(new_args, new_kwargs\\)"):
        module(tg.ones(1))


def test_a_hook_that_fails_after_forward_has_failed_is_a_warning():
    class Fails(nn.Module):
        def forward(self, x):
            raise ValueError("forward")

    def fails(*_):
        raise KeyError("hook")

    module = Fails()
    module.register_forward_hook(fails, always_call=True)
    with pytest.warns(UserWarning, match="a forward hook raised KeyError"), pytest.raises(ValueError, match="forward"):
        module(tg.ones(1))


def test_backward_hooks_warn_where_the_module_was_called():
    class Lists(nn.Module):
        def forward(self, x):
            return [x]

    module = Lists()
    module.register_full_backward_hook(lambda *_: None)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        module(tg.ones(1, requires_grad=True))
    assert [w.filename for w in told] == [__file__]
