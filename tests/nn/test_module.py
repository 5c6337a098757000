"""`Module`: names, modes, state and printing."""

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU())
        self.head = nn.Linear(3, 1, bias=False)
        self.scale = nn.Parameter(tg.ones(1))
        self.register_buffer("seen", tg.zeros(1))
        self.register_buffer("scratch", tg.zeros(1), persistent=False)

    def forward(self, x):
        return self.head(self.body(x)) * self.scale


def test_parameters_have_dotted_names_in_order():
    names = ["scale", "body.0.weight", "body.0.bias", "body.1.weight", "body.1.bias", "head.weight"]
    assert [name for name, _ in Net().named_parameters()] == names
    assert [name for name, _ in Net().named_parameters(prefix="net", recurse=False)] == ["net.scale"]
    assert len(list(Net().parameters())) == 6


def test_shared_modules_and_parameters_come_once():
    net = Net()
    net.again, net.head2 = net.body, nn.Linear(3, 1)
    net.head2.weight = net.head.weight
    assert [name for name, _ in net.named_parameters()][-1] == "head2.bias"
    assert len(list(net.modules())) == 7


def test_a_module_in_itself_is_no_endless_tree():
    net = Net()
    net.body.add_module("net", net)
    assert len(list(net.named_modules())) == 6


def test_gradients_reach_every_parameter():
    net = Net()
    net(tg.randn(5, 2)).square().sum().backward()
    assert all(p.grad is not None and p.grad.shape == p.shape for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_zero_grad_can_keep_the_memory():
    net = nn.Linear(2, 1)
    net(tg.ones(1, 2)).backward(tg.ones(1, 1))
    kept = net.weight.grad
    net.zero_grad(set_to_none=False)
    assert net.weight.grad is kept
    assert not kept.numpy().any()


def test_train_and_eval_reach_every_module():
    net = Net().eval()
    assert not any(module.training for module in net.modules())
    assert all(module.training for module in net.train().modules())


def test_freezing():
    net = Net().requires_grad_(False)
    assert not net(tg.ones(2, 2)).requires_grad


def test_apply_visits_children_first():
    order = []
    nn.Sequential(nn.ReLU(), nn.Sequential(nn.Tanh())).apply(lambda m: order.append(type(m).__name__))
    assert order == ["ReLU", "Tanh", "Sequential", "Sequential"]


def test_to_changes_the_dtype_of_floats_only():
    net = Net().double()
    assert {p.dtype for p in net.parameters()} == {np.dtype(np.float64)}
    assert net.body[1].num_batches_tracked.dtype == np.int64
    assert net.to("cpu").to(tg.float32).head.weight.dtype == np.float32
    with pytest.raises(TypeError, match="to: int64 is not a floating dtype"):
        net.to(tg.int64)


def test_a_state_dict_holds_parameters_and_persistent_buffers():
    state = Net().state_dict()
    assert list(state) == [
        "scale",
        "seen",
        "body.0.weight",
        "body.0.bias",
        "body.1.weight",
        "body.1.bias",
        "body.1.running_mean",
        "body.1.running_var",
        "body.1.num_batches_tracked",
        "head.weight",
    ]
    assert not any(value.requires_grad for value in state.values())


def test_a_state_dict_makes_an_equal_network():
    a, b = Net(), Net()
    a(tg.randn(4, 2))
    assert b.load_state_dict(a.state_dict()) == ([], [])
    x = tg.randn(3, 2)
    assert tg.equal(a.eval()(x), b.eval()(x))
    assert b.head.weight.requires_grad


def test_a_state_dict_that_does_not_fit_changes_nothing():
    net = Net()
    before = {name: value.numpy().copy() for name, value in net.state_dict().items()}
    state = {name: tg.full(value.shape, 7) for name, value in net.state_dict().items()}
    state["head.weight"] = tg.zeros(2, 2)
    state["surplus"] = state.pop("scale")
    expected = r"Net: missing: scale; unexpected: surplus; head.weight has shape \(2, 2\), expected .*1, 3"
    with pytest.raises(RuntimeError, match=expected):
        net.load_state_dict(state)
    with pytest.raises(RuntimeError, match=r"Net: head.weight has shape"):
        net.load_state_dict(state, strict=False)
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[name])
    del state["head.weight"]
    assert net.load_state_dict(state, strict=False) == (["scale", "head.weight"], ["surplus"])
    assert net.seen.item() == 7


def test_attributes():
    net = Net()
    net.scale = None
    assert "scale" not in dict(net.named_parameters())
    net.seen = tg.ones(1)
    assert net.state_dict()["seen"].item() == 1
    net.head = "not a module now"
    assert "head.weight" not in net.state_dict()
    net.body = nn.Linear(2, 2)
    del net.body
    with pytest.raises(AttributeError, match="'Net' object has no attribute 'body'"):
        net.body
    with pytest.raises(AttributeError):
        del net.body


def test_wrong_uses_are_explained():
    class Early(nn.Module):
        def __init__(self):
            self.body = nn.Linear(1, 1)

    with pytest.raises(AttributeError, match=r"Early: call super\(\).__init__\(\) before assigning 'body'"):
        Early()
    net = Net()
    with pytest.raises(TypeError, match="'scale' is a parameter; assign a Parameter or None, not Tensor"):
        net.scale = tg.ones(1)
    with pytest.raises(NotImplementedError, match="Module: forward is not written"):
        nn.Module()(1)
    for name in ("a.b", ""):
        with pytest.raises(KeyError, match="is no name for an attribute"):
            net.add_module(name, nn.ReLU())


def test_a_repr_tells_the_configuration():
    assert repr(nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.Sequential(nn.ReLU()))) == (
        "Sequential(\n"
        "  (0): Conv2d(1, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))\n"
        "  (1): Sequential(\n"
        "    (0): ReLU()\n"
        "  )\n"
        ")"
    )


def test_sequential_is_a_list_of_modules():
    net = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 3))
    assert len(net) == 3
    assert net[-1] is net[2]
    assert [type(m).__name__ for m in net[:2]] == ["Linear", "ReLU"]
    assert net.append(nn.Tanh())[3](tg.zeros(1)).item() == 0
    with pytest.raises(IndexError, match="Sequential: index 4 is out of range for 4 modules"):
        net[4]
    with pytest.raises(TypeError, match="Sequential: element 1 is builtin_function_or_method; expected a Module"):
        nn.Sequential(nn.ReLU(), abs)
    with pytest.raises(IndexError):
        nn.ModuleList([nn.ReLU()])[1]
