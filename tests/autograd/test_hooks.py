"""Hooks that change the hooks while they are called, and of nodes; more in `tests/parity/test_hooks_parity.py`."""

import pytest

import tinygrad_cnn as tg


def of_tensor():
    h = tg.ones(2, requires_grad=True) * 2
    return h.register_hook, lambda: h.sum().backward(retain_graph=True)


def after_accumulation():
    x = tg.ones(2, requires_grad=True)
    return x.register_post_accumulate_grad_hook, lambda: (x * 2).sum().backward()


def of_node():
    h = tg.ones(2, requires_grad=True) * 2
    return h.grad_fn.register_hook, lambda: h.sum().backward(retain_graph=True)


def of_optimizer():
    optimizer = tg.optim.SGD([tg.ones(2, requires_grad=True)], lr=0.1)
    return optimizer.register_step_pre_hook, optimizer.step


def of_state():
    layer = tg.nn.Linear(1, 1)
    return layer.register_state_dict_pre_hook, layer.state_dict


@pytest.mark.parametrize("way", [of_tensor, after_accumulation, of_node, of_optimizer, of_state])
def test_those_are_called_that_were_there_when_it_began(way):
    register, run = way()
    called = []

    def first(*_):
        called.append("first")
        for handle in handles[:2]:
            handle.remove()
        handles.append(register(lambda *_: called.append("new")))

    handles = [
        register(first),
        register(lambda *_: called.append("second")),
        register(lambda *_: called.append("third")),
    ]
    run()
    assert called == ["first", "second", "third"]
    run()
    assert called[3:] == ["third", "new"]


def test_a_hook_of_a_node_sees_and_changes_the_gradients_of_its_inputs():
    x, seen = tg.tensor([1.0, 2.0], requires_grad=True), []
    y = x * tg.tensor([3.0, 4.0])
    handle = y.grad_fn.register_hook(lambda inputs, outputs: seen.append((inputs, outputs)))
    y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] * 10, None))
    y.grad_fn.register_prehook(lambda outputs: (outputs[0] * 2,))
    y.sum().backward(retain_graph=True)
    assert x.grad.tolist() == [60.0, 80.0]
    ((given, none), (arrived,)) = seen[0]
    assert (given.tolist(), none, arrived.tolist()) == ([6.0, 8.0], None, [2.0, 2.0])
    handle.remove()
    y.sum().backward()
    assert len(seen) == 1
    with pytest.raises(RuntimeError, match="were freed"):
        y.sum().backward()


@pytest.mark.parametrize(
    ("returned", "error", "message"),
    [
        (3, TypeError, "'hook': expected tuple, but hook returned 'int'"),
        ((3,), TypeError, "expected Tensors or None, but hook returned 'int'"),
        ((None, None), RuntimeError, "incorrect number of values \\(got 2, but expected 1\\)"),
        ((tg.ones(3),), RuntimeError, "has changed the size of value: from \\(2,\\) to \\(3,\\)"),
    ],
)
def test_what_a_hook_of_a_node_may_not_return(returned, error, message):
    def hook(*_):
        return returned

    for register in ("register_hook", "register_prehook"):
        y = tg.ones(2, requires_grad=True).exp()
        getattr(y.grad_fn, register)(hook)
        with pytest.raises(error, match=message):
            y.sum().backward()


def test_no_gradient_from_a_hook_before_a_node_is_zero():
    x = tg.ones(2, requires_grad=True)
    y = x * 3
    y.grad_fn.register_prehook(lambda outputs: (None,))
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 0.0]


def test_backward_hooks_of_a_module_are_told_of_the_pass_through_it_alone():
    told, layer = [], tg.nn.Tanh()
    layer.register_full_backward_hook(lambda *_: told.append("hook"))
    x = tg.ones(2, requires_grad=True)
    (g,) = tg.autograd.grad(layer(x).sum(), x, create_graph=True)
    (g**2).sum().backward()
    assert told == ["hook"]
    y = layer(x)
    layer.register_full_backward_hook(lambda *_: told.append("late"))
    y.sum().backward()
    assert told == ["hook", "hook"]
