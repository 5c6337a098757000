"""What optimisers share: groups, state dicts, hooks, closures, and what they refuse."""

import copy
import math

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn, optim
from tinygrad_cnn.optim.optimizer import required

GRADIENTS = np.random.default_rng(0).normal(size=(6, 3))


def run(make, gradients=GRADIENTS):
    p = nn.Parameter(np.array([1.0, -2.0, 0.5]))
    optimizer = make([p])
    for g in gradients:
        p.grad = tg.Tensor(g.copy())
        optimizer.step()
    return p.detach().numpy()


def test_parameters_without_a_gradient_stay():
    p, q = nn.Parameter(np.ones(2)), nn.Parameter(np.ones(2))
    optimizer = optim.SGD([p, q], lr=0.5, weight_decay=0.1)
    p.grad = tg.ones(2, dtype=tg.float64)
    optimizer.step()
    assert q.tolist() == [1, 1]
    assert p.tolist() == pytest.approx([0.45, 0.45])
    optimizer.zero_grad()
    assert p.grad is None


def test_groups_have_settings_of_their_own():
    p, q = nn.Parameter(np.ones(1)), nn.Parameter(np.ones(1))
    optimizer = optim.SGD([{"params": p}, {"params": [q], "lr": 1.0}], lr=0.5)
    p.grad, q.grad = tg.ones(1, dtype=tg.float64), tg.ones(1, dtype=tg.float64)
    optimizer.step()
    assert (p.item(), q.item()) == (0.5, 0.0)
    assert "    fused: None\n    lr: 1.0\n    maximize: False" in repr(optimizer)


def test_a_closure_is_evaluated_with_gradients():
    p = nn.Parameter(np.array([2.0]))
    optimizer = optim.SGD([p], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with tg.no_grad():
        assert optimizer.step(closure).item() == 4.0
    assert p.item() == 1.0


def test_a_step_after_saving_for_backward_is_found():
    p = nn.Parameter(np.array([2.0]))
    optimizer = optim.SGD([p], lr=0.25)
    loss = (p * p).sum()
    p.grad = tg.ones(1, dtype=tg.float64)
    optimizer.step()
    with pytest.raises(RuntimeError, match=r"written|modified"):
        loss.backward()


def test_each_parameter_that_a_step_changed_counts_as_written_even_if_the_step_fails():
    one, two, three = (tg.nn.Parameter(tg.ones(2)) for _ in range(3))
    optimizer = optim.SGD([one, two, three], lr=0.1)
    for p in (one, two):
        (p * p).sum().backward()
    losses = [(p * p).sum() for p in (one, two, three)]
    before = [p._version for p in (one, two, three)]
    three.grad = tg.ones(2)
    three.grad.array = np.ones(3)
    with pytest.raises(RuntimeError, match="step: shapes"):
        optimizer.step()
    assert [p._version - n for p, n in zip((one, two, three), before, strict=True)] == [1, 1, 0]
    for loss in losses[:2]:
        with pytest.raises(RuntimeError, match=r"modified by .*test_optimizer.py"):
            loss.backward()
    three.grad = None
    losses[2].backward()


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_a_state_dict_goes_on_where_the_other_stopped(name):
    settings = {"SGD": {"lr": 0.1, "momentum": 0.9}, "Adam": {"lr": 0.1}}[name]
    whole = run(lambda p: getattr(optim, name)(p, **settings))
    p = nn.Parameter(np.array([1.0, -2.0, 0.5]))
    optimizer = getattr(optim, name)([p], **settings)
    for k, g in enumerate(GRADIENTS):
        if k == 3:
            state, optimizer = optimizer.state_dict(), getattr(optim, name)([p], lr=9.0)
            optimizer.load_state_dict(state)
        p.grad = tg.Tensor(g.copy())
        optimizer.step()
    np.testing.assert_array_equal(p.detach().numpy(), whole)
    other = getattr(optim, name)([nn.Parameter(np.ones(1)), nn.Parameter(np.ones(1))], lr=1.0)
    with pytest.raises(ValueError, match=r"groups of \[1\] parameters given; this optimiser has \[2\]"):
        other.load_state_dict(state)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda p: optim.SGD(p), TypeError, "params is one Tensor; give an iterable"),
        (lambda p: optim.SGD([]), ValueError, "got no parameters"),
        (lambda p: optim.SGD([{"params": p}, {"params": p}]), ValueError, "stands in more than one group"),
        (lambda p: optim.SGD([p * 2]), ValueError, "expected leaf Tensors"),
        (lambda p: optim.SGD([np.ones(2)]), TypeError, "ndarray cannot be optimised"),
        (lambda p: optim.SGD([p], lr=-1), ValueError, "SGD: lr is -1.0; it must be at least 0"),
        (lambda p: optim.SGD([p], lr=math.nan), ValueError, "SGD: lr is nan"),
        (lambda p: optim.SGD([p], nesterov=True), ValueError, "nesterov needs a momentum above 0"),
        (lambda p: optim.Adam([p], betas=(0.9, 1.0)), ValueError, "betas are"),
        (lambda p: optim.AdamW([p], eps=-1), ValueError, "AdamW: eps is -1"),
        (
            lambda p: optim.SGD([p], lr=tg.ones(2)),
            ValueError,
            "it must have one element",
        ),
        (
            lambda p: optim.SGD([p], foreach=True, fused=True),
            RuntimeError,
            "SGD: fused and foreach cannot both be True",
        ),
        (lambda p: optim.Adam([p], capturable=True), ValueError, "capturable=True is for graphs of a GPU"),
        (lambda p: optim.Adam([p], foreach=True, lr=tg.tensor(0.1)), ValueError, "with foreach=True lr and betas"),
        (lambda p: optim.Muon([p]), ValueError, "Muon only supports 2D parameters"),
        (lambda p: optim.Muon([p], adjust_lr_fn="x"), ValueError, "adjust_lr_fn is 'x'"),
        (lambda p: optim.Muon([p], ns_steps=100), ValueError, "ns_steps is 100; it must be less than 100"),
        (lambda p: optim.Muon([p], ns_coefficients=(1,)), ValueError, "expected three numbers"),
        (lambda p: optim.Adam([p], betas=(0, 0.9)), ValueError, "expected two floats or two Tensors"),
        (lambda p: optim.Adadelta([p], rho=1.5), ValueError, "rho is 1.5"),
        (lambda p: optim.Rprop([p], etas=(1.1, 1.2)), ValueError, "one between 0 and 1, and one above 1"),
        (lambda p: optim.Adafactor([p], beta2_decay=0.1), ValueError, "beta2_decay is 0.1"),
        (lambda p: optim.Adafactor([p], d=0.1), ValueError, "d is 0.1"),
        (lambda p: optim.Adafactor([p], eps=(None, -1.0)), ValueError, r"eps\[1\] is -1.0"),
        (lambda p: optim.Adagrad([p]).share_memory(), NotImplementedError, "processes share no memory"),
        (lambda p: optim.SGD([{"params": {p}}]), TypeError, "the order of a set"),
        (lambda p: optim.SGD([("p", p), tg.ones(1)]), ValueError, "some parameters have names, some have not"),
        (
            lambda p: optim.SGD([p]).add_param_group({"params": [("q", tg.ones(1))]}),
            ValueError,
            "some groups have",
        ),
        (lambda p: optim.SGD([p]).add_param_group([p]), TypeError, "expected a dict with 'params', got list"),
        (lambda p: optim.Optimizer([p], {"lr": required}), ValueError, "a group has no 'lr', which has no default"),
        (lambda p: optim.SparseAdam, AttributeError, "gradients are never sparse here; use Adam"),
        (lambda p: optim.Lion, AttributeError, "has no 'Lion'; it has ASGD, LBFGS"),
    ],
)
def test_wrong_arguments_are_explained(make, error, message):
    with pytest.raises(error, match=message):
        make(nn.Parameter(np.ones(2)))


def with_gradient(value=1.0):
    p = nn.Parameter(np.array([value]))
    p.grad = tg.ones(1, dtype=tg.float64)
    return p


def test_gradients_are_forgotten_or_made_zero():
    p = with_gradient()
    optimizer = optim.SGD([p, nn.Parameter(np.ones(1))])
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0.0]
    optimizer.zero_grad()
    assert p.grad is None


@pytest.mark.parametrize("recorded", [False, True])
def test_a_gradient_that_is_a_view_is_made_zero_where_it_lies_unless_it_has_a_history(recorded):
    module, whole = nn.Linear(2, 1, bias=False), tg.ones(2, 2)
    (p,) = module.parameters()
    whole = whole.requires_grad_() * 1 if recorded else whole
    for forget in (optim.SGD([p]).zero_grad, module.zero_grad):
        p.grad = whole[:1]
        if recorded:
            with pytest.raises(RuntimeError, match="detach_: this tensor is a view"):
                forget(set_to_none=False)
        else:
            whole.fill_(1)
            forget(set_to_none=False)
            assert whole.tolist() == [[0, 0], [1, 1]]
            assert p.grad._base is whole


def test_a_group_stays_the_dict_that_was_given():
    settings = {"params": [with_gradient()], "lr": 0.1}
    optimizer = optim.SGD([settings])
    settings["lr"] = 1.0
    optimizer.step()
    assert settings["params"][0].item() == 0.0
    assert settings["momentum"] == 0


def test_a_group_added_later_is_trained_too():
    p, q = with_gradient(), with_gradient()
    optimizer = optim.SGD([p], lr=0.5)
    optimizer.add_param_group({"params": q, "lr": 0.25})
    optimizer.step()
    assert (p.item(), q.item()) == (0.5, 0.75)


def test_named_parameters_leave_their_names_in_the_groups():
    model = nn.Linear(2, 3)
    optimizer = optim.SGD(model.named_parameters(), lr=0.1)
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    unnamed = optim.SGD(model.parameters(), lr=0.2)
    optimizer.load_state_dict(unnamed.state_dict())
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert optimizer.param_groups[0]["lr"] == 0.2


def test_a_parameter_given_twice_is_warned_of():
    p = with_gradient()
    with pytest.warns(UserWarning, match="duplicate parameters"):
        optimizer = optim.SGD([p, p], lr=0.25)
    optimizer.step()
    assert p.item() == 0.5


def test_integers_are_not_optimised():
    p = tg.tensor([1, 2])
    optimizer = optim.SGD([p], lr=0.1)
    optimizer.step()
    p.grad = tg.tensor([1, 1])
    with pytest.raises(RuntimeError, match=r"dtype .*int64 cannot be optimised; use floats"):
        optimizer.step()


def test_state_is_held_in_tensors():
    p = with_gradient()
    optimizer = optim.Adam([p], lr=0.1)
    optimizer.step()
    state = optimizer.state[p]
    assert all(isinstance(v, tg.Tensor) for v in state.values())
    assert (state["step"].item(), state["exp_avg"].dtype) == (1.0, tg.float64)
    state["exp_avg"].zero_()
    state["exp_avg"] = tg.zeros(2)
    with pytest.raises(RuntimeError, match=r"state 'exp_avg' has shape .*2.* for a parameter of shape .*1"):
        optimizer.step()


def test_a_state_dict_of_arrays_is_taken_and_copied():
    p = with_gradient()
    optimizer = optim.RMSprop([p], lr=0.1)
    state = {"step": 4, "square_avg": np.array([0.5], np.float32)}
    optimizer.load_state_dict({"state": {0: state}, "param_groups": optimizer.state_dict()["param_groups"]})
    optimizer.step()
    assert optimizer.state[p]["step"].item() == 5
    assert optimizer.state[p]["square_avg"].dtype == tg.float64
    assert state["square_avg"] == 0.5


def test_a_result_that_keeps_its_gradient_is_optimised():
    p = nn.Parameter(np.array([1.0])) * 2
    p.retain_grad()
    optimizer = optim.SGD([p], lr=0.5)
    p.sum().backward()
    optimizer.step()
    assert p.item() == 1.5


def test_a_copy_goes_its_own_way():
    p = with_gradient()
    optimizer = optim.Adam([p], lr=0.1)
    optimizer.step()
    twin = copy.deepcopy(optimizer)
    (q,) = twin.param_groups[0]["params"]
    optimizer.step()
    assert q is not p
    assert [optimizer.state[p]["step"].item(), twin.state[q]["step"].item()] == [2, 1]
    twin.register_step_post_hook(print)


def test_hooks_see_steps_and_states():
    p, seen = with_gradient(), []
    optimizer = optim.SGD([p], lr=0.25)
    before = optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append(("before", p.item(), args == (o,))))
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append(("after", p.item(), kwargs)))
    optimizer.step()
    before.remove()
    optimizer.step()
    assert seen == [("before", 1.0, True), ("after", 0.75, {}), ("after", 0.5, {})]
    optimizer.register_step_pre_hook(lambda o, args, kwargs: ((o, lambda: 7), kwargs))
    assert optimizer.step() == 7
    optimizer.register_step_pre_hook(lambda o, args, kwargs: args[0])
    with pytest.raises(RuntimeError, match=r"expected None or \(args, kwargs\)"):
        optimizer.step()


def test_hooks_of_state_dicts_may_replace_them():
    optimizer, seen = optim.SGD([with_gradient()], lr=0.25), []
    optimizer.register_state_dict_pre_hook(lambda o: seen.append("second"))
    optimizer.register_state_dict_pre_hook(lambda o: seen.append("first"), prepend=True)
    optimizer.register_state_dict_post_hook(lambda o, state: {**state, "note": 1})
    saved = optimizer.state_dict()
    assert (saved["note"], seen) == (1, ["first", "second"])
    groups = [{**saved["param_groups"][0], "lr": 2.0}]
    optimizer.register_load_state_dict_pre_hook(lambda o, state: {**state, "param_groups": groups})
    optimizer.register_load_state_dict_post_hook(lambda o: seen.append(o.param_groups[0]["lr"]))
    optimizer.load_state_dict(saved)
    assert seen[-1] == 2.0


class Lion(optim.Optimizer):
    """Written as such optimisers are for PyTorch: its own step, its own state."""

    def __init__(self, params, lr=required):
        super().__init__(params, {"lr": lr})

    @tg.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                if len(state) == 0:
                    state["step"], state["mean"] = 0, tg.zeros_like(p)
                state["step"] += 1
                p.add_((state["mean"] * 0.9 + p.grad * 0.1).sign(), alpha=-group["lr"])
                state["mean"].mul_(0.99).add_(p.grad, alpha=0.01)


def test_an_optimiser_may_write_its_own_step():
    p, seen = with_gradient(), []
    optimizer = Lion([p], lr=0.25)
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append(p.item()))
    optimizer.step()
    optimizer.step()
    assert seen == [0.75, 0.5]
    assert list(optimizer.state_dict()["state"][0]) == ["step", "mean"]
    optimizer.load_state_dict(optimizer.state_dict())
    assert optimizer.state[p]["step"] == 2
    with pytest.raises(NotImplementedError, match="neither update nor step"):
        optim.Optimizer([p], {}).step()
