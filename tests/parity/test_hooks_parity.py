"""Hooks of every kind that come and go while they are called, and what the nodes of a graph tell, beside PyTorch."""

import pytest
import torch

import tinygrad_cnn as tg
from tests.parity.both import BOTH, check_same, leaf, outcome, plain


def of_tensor(t):
    h = leaf(t, [1.0, 2.0]) * 2
    return h.register_hook, lambda: h.sum().backward(retain_graph=True)


def of_leaf(t):
    x = leaf(t, [1.0, 2.0])
    return x.register_hook, lambda: (x * 2).sum().backward()


def after_accumulation(t):
    x = leaf(t, [1.0, 2.0])
    return x.register_post_accumulate_grad_hook, lambda: (x * 2).sum().backward()


def of_node(t):
    h = leaf(t, [1.0, 2.0]) * 2
    return h.grad_fn.register_hook, lambda: h.sum().backward(retain_graph=True)


def before_node(t):
    h = leaf(t, [1.0, 2.0]) * 2
    return h.grad_fn.register_prehook, lambda: h.sum().backward(retain_graph=True)


def of_leafs_node(t):
    h = leaf(t, [1.0, 2.0]) * 2
    return h.grad_fn.next_functions[0][0].register_hook, lambda: h.sum().backward(retain_graph=True)


def before_leafs_node(t):
    h = leaf(t, [1.0, 2.0]) * 2
    return h.grad_fn.next_functions[0][0].register_prehook, lambda: h.sum().backward(retain_graph=True)


def of_function(t):
    class Twice(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, g, h):
            return g * 2 + h * 3

    a, b = Twice.apply(leaf(t, [1.0, 2.0]))
    return a.grad_fn.register_hook, lambda: (a + b).sum().backward(retain_graph=True)


def of_module(register):
    def program(t):
        layer = t.nn.Linear(2, 1)
        x = t.ones(1, 2, requires_grad=True)
        return getattr(layer, register), lambda: layer(x).sum().backward()

    return program


def of_state(register, run):
    def program(t):
        layer = t.nn.Linear(2, 1)
        return getattr(layer, register), lambda: run(layer)

    return program


def load(layer):
    layer.load_state_dict(layer.state_dict())


WAYS = {
    "a tensor": of_tensor,
    "a leaf": of_leaf,
    "a leaf, after": after_accumulation,
    "a node": of_node,
    "a node, before": before_node,
    "the node of a leaf": of_leafs_node,
    "the node of a leaf, before": before_leafs_node,
    "the node of a Function": of_function,
    **{
        f"a module, {name}": of_module(f"register_{name}_hook")
        for name in ("forward_pre", "forward", "full_backward_pre", "full_backward")
    },
    "a state to load": of_state("register_load_state_dict_pre_hook", load),
    "a loaded state": of_state("register_load_state_dict_post_hook", load),
}


REFUSED_THERE = "a state to load", "a loaded state"
"""PyTorch goes through the dictionary itself, which raises an error after the first hook."""


def hook_that(act):
    """The order of the calls of three hooks in three runs, of which the first does something to the others."""

    def program(t, way):
        register, run = way(t)
        called, handles = [], {}

        def note(name):
            return lambda *args: called.append(name)

        def first(*args):
            called.append("first")
            act(register, handles, note)

        handles["first"] = register(first)
        handles["second"], handles["third"] = register(note("second")), register(note("third"))
        for _ in range(3):
            run()
            called.append("|")
        return called

    return program


def removes(*names):
    def act(register, handles, note):
        for name in names:
            if name in handles:
                handles.pop(name).remove()

    return act


def adds(register, handles, note):
    if "new" not in handles:
        handles["new"] = register(note("new"))


ACTS = {
    "removes itself": removes("first"),
    "removes the next": removes("second"),
    "removes all": removes("first", "second", "third"),
    "adds one": adds,
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("way", WAYS)
def test_a_hook_that_changes_the_hooks_while_they_are_called(way, act):
    if way in REFUSED_THERE:
        assert "mutated" in str(outcome(lambda t: hook_that(ACTS[act])(t, WAYS[way]), torch))
        assert hook_that(ACTS[act])(tg, WAYS[way]) == hook_that(ACTS[act])(tg, of_tensor)
        return
    check_same(lambda t: hook_that(ACTS[act])(t, WAYS[way]))


RETURNS = {
    "a tuple": lambda gi, go: (gi[0] * 10, None),
    "a tensor": lambda gi, go: gi[0] * 10,
    "a list": lambda gi, go: [gi[0] * 10, None],
    "nothing for all": lambda gi, go: (None, None),
    "a number": lambda gi, go: 3,
    "too many": lambda gi, go: (gi[0], gi[0], gi[0]),
    "another shape": lambda gi, go: (gi[0][:1], None),
}


@pytest.mark.parametrize("returns", RETURNS)
def test_what_a_hook_of_a_node_may_return(returns):
    def program(t):
        x = leaf(t, [1.0, 2.0])
        h = x * 2
        h.grad_fn.register_hook(RETURNS[returns])
        h.sum().backward()
        return x.grad

    check_same(program)


PRE_RETURNS = {
    "a tuple": lambda go: (go[0] * 10,),
    "a tensor": lambda go: go[0] * 10,
    "too many": lambda go: (go[0], go[0]),
    "another shape": lambda go: (go[0][:1],),
}


@pytest.mark.parametrize("returns", PRE_RETURNS)
@pytest.mark.parametrize("of_the_leaf", [False, True])
def test_what_a_hook_before_a_node_may_return(returns, of_the_leaf):
    def program(t):
        x = leaf(t, [1.0, 2.0])
        h = x * 2
        node = h.grad_fn.next_functions[0][0] if of_the_leaf else h.grad_fn
        node.register_prehook(PRE_RETURNS[returns])
        h.sum().backward()
        return x.grad

    check_same(program)


def order_at_a_node(t):
    x, told = leaf(t, [1.0, 2.0]), []
    h = x * 2
    node, end = h.grad_fn, h.grad_fn.next_functions[0][0]
    node.register_hook(lambda gi, go: told.append(("node", gi, go)))
    node.register_prehook(lambda go: told.append(("before node", go)))
    h.register_hook(lambda g: told.append(("tensor", g)))
    end.register_hook(lambda gi, go: told.append(("end", gi, go)))
    end.register_prehook(lambda go: told.append(("before end", go)))
    x.register_post_accumulate_grad_hook(lambda p: told.append(("after", p.grad.clone())))
    x.register_hook(lambda g: told.append(("leaf", g)))
    h.sum().backward()
    return told


def indexed(t):
    """Many slices of one tensor, one of them watched: their gradients are not added up in place then."""
    x, told = leaf(t, [1.0, 2.0, 3.0]), []
    parts = [x[k] * (k + 1) for k in range(3)]
    watched = x[1]
    watched.grad_fn.register_hook(lambda gi, go: told.append((gi, go)))
    (sum(parts) + watched * 5).backward()
    return told, x.grad


def several_outputs(t):
    class Both(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, n):
            return x * n, x * 3

        @staticmethod
        def backward(ctx, g, h):
            return g * 2 + h * 3, None

    x, told = leaf(t, [1.0, 2.0]), []
    a, b = Both.apply(x, 2)
    b.grad_fn.register_hook(lambda gi, go: told.append((gi, go)))
    a.grad_fn.register_prehook(lambda go: (go[0] * 10, go[1]))
    (a + 2 * b).sum().backward()
    return told, x.grad


def second_derivative(t):
    x, told = leaf(t, [1.0, 2.0]), []
    h = x**3
    h.grad_fn.register_hook(lambda gi, go: told.append((gi[0], go[0])))
    h.grad_fn.register_hook(lambda gi, go: (gi[0] * 2,))
    (g,) = t.autograd.grad(h.sum(), x, create_graph=True)
    (gg,) = t.autograd.grad(g.sum(), x)
    return g, gg, told


@pytest.mark.parametrize("program", [order_at_a_node, indexed, several_outputs, second_derivative])
def test_hooks_of_nodes_get_and_give_what_they_do_there(program):
    check_same(program)


def module_in_double_backward(t):
    told, loss = [], t.nn.MSELoss()
    loss.register_full_backward_hook(lambda *args: told.append("hook"))
    loss.register_full_backward_pre_hook(lambda *args: told.append("pre"))
    x = leaf(t, [1.0, 2.0])
    (g,) = t.autograd.grad(loss(x, t.zeros(2, dtype=t.float64)), x, create_graph=True)
    told.append("|")
    gg = t.autograd.grad(g.sum(), x)
    return g, gg, told


def two_passes_through_one_module(t):
    told, layer = [], t.nn.Softmax(0)
    layer.register_full_backward_hook(lambda m, gi, go: told.append((gi, go)))
    x = leaf(t, [1.0, 2.0])
    y = layer(x)
    y[0].backward(retain_graph=True)
    y[1].backward(retain_graph=True)
    return told, x.grad


def hooks_of_the_time_of_the_call(t):
    told, layer = [], t.nn.Softmax(0)
    early = layer.register_full_backward_hook(lambda m, gi, go: told.append("early"))
    y = layer(leaf(t, [1.0, 2.0]))
    early.remove()
    layer.register_full_backward_hook(lambda m, gi, go: told.append("late"))
    layer.register_full_backward_pre_hook(lambda m, go: told.append("late pre"))
    y[0].backward()
    return told


def a_penalty_on_the_gradient_in_a_module(t):
    told, layer = [], t.nn.Linear(2, 1, dtype=t.float64)
    with t.no_grad():
        layer.weight.fill_(0.5)
    net = t.nn.Sequential(layer, t.nn.Tanh())
    for module in net:
        module.register_full_backward_hook(lambda m, gi, go: told.append(type(m).__name__))
    x = leaf(t, [[1.0, 2.0]])
    (g,) = t.autograd.grad(net(x).sum(), x, create_graph=True)
    told.append("|")
    (g**2).sum().backward()
    return told


@pytest.mark.parametrize(
    "program",
    [
        module_in_double_backward,
        two_passes_through_one_module,
        hooks_of_the_time_of_the_call,
        a_penalty_on_the_gradient_in_a_module,
    ],
)
def test_backward_hooks_of_modules(program):
    check_same(program)


ASKED = {
    "no inputs": lambda t, x, y, w: t.autograd.grad(y, []),
    "no outputs": lambda t, x, y, w: t.autograd.grad([], [x]),
    "nothing": lambda t, x, y, w: t.autograd.grad([], []),
    "no inputs of backward": lambda t, x, y, w: y.backward(inputs=[]),
    "backward of nothing": lambda t, x, y, w: t.autograd.backward([]),
    "the same input twice": lambda t, x, y, w: t.autograd.grad(y, [x, x]),
    "unused": lambda t, x, y, w: t.autograd.grad(y, [x, w]),
    "zeros": lambda t, x, y, w: t.autograd.grad(y, [w, x, w], materialize_grads=True),
    "zeros of a graph": lambda t, x, y, w: t.autograd.grad(y, [w, x], materialize_grads=True, create_graph=True),
    "zeros, refused": lambda t, x, y, w: t.autograd.grad(y, [w], allow_unused=False, materialize_grads=True),
    "too few cotangents": lambda t, x, y, w: t.autograd.grad(y, [x], grad_outputs=[]),
}


def zeros_twice(t, x, y, w):
    (g,) = t.autograd.grad(y, w, materialize_grads=True, create_graph=True)
    return t.autograd.grad(g.sum(), w, materialize_grads=True)


@pytest.mark.parametrize("asked", [*ASKED.values(), zeros_twice], ids=[*ASKED, "zeros twice"])
def test_what_grad_is_asked_for(asked):
    def program(t):
        x, w = leaf(t, [1.0, 2.0]), leaf(t, [3.0, 4.0])
        return asked(t, x, (x * x).sum(), w)

    check_same(program)


def test_zeros_are_not_shared():
    for t in BOTH:
        x, w = leaf(t, [1.0]), leaf(t, [3.0])
        a, b = t.autograd.grad((x * x).sum(), [w, w], materialize_grads=True)
        a += 1
        assert plain(b)[1] == [0.0]
        handle = x.register_hook(print)
        assert isinstance(handle.id, int)
        assert [handle.remove(), handle.remove()] == [None, None]
