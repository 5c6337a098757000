"""`Module`: names, modes, state and printing."""

import copy
import pickle

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
    with pytest.raises(TypeError, match=r"to: torch.int64 is not a floating dtype"):
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
    with pytest.raises(RuntimeError) as refusal:
        net.load_state_dict(state)
    assert str(refusal.value) == (
        "Error(s) in loading state_dict for Net:\n"
        '\tMissing key(s) in state_dict: "scale". \n'
        '\tUnexpected key(s) in state_dict: "surplus". \n'
        "\tsize mismatch for head.weight: copying a param with shape torch.Size([2, 2]) from checkpoint, the shape in "
        "current model is torch.Size([1, 3])."
    )
    with pytest.raises(RuntimeError, match=r"Net:\n\tsize mismatch for head.weight"):
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
    net.head = None
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
    with pytest.raises(TypeError, match="'Tensor' as 'scale', one of the parameters of Net; assign a Parameter"):
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
    with pytest.raises(TypeError, match="Sequential: builtin_function_or_method is not a Module"):
        nn.Sequential(nn.ReLU(), abs)
    with pytest.raises(IndexError):
        nn.ModuleList([nn.ReLU()])[1]


def test_copies_and_pickles_have_memory_of_their_own():
    net = Net()
    net(tg.ones(2, 2)).sum().backward()
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert list(other.state_dict()) == list(net.state_dict())
        for p, q in zip(net.parameters(), other.parameters(), strict=True):
            assert type(q) is nn.Parameter
            assert q.requires_grad
            assert q.grad is None
            assert tg.equal(p, q)
            assert not np.shares_memory(p.detach().numpy(), q.detach().numpy())
    tied = nn.ModuleList([net.head, net.head])
    twice = copy.deepcopy(tied)
    assert twice[0] is twice[1]
    with pytest.raises(RuntimeError, match=r"use .detach\(\).clone\(\)"):
        copy.deepcopy(net.scale * 2)


def test_forward_hooks_see_and_replace_arguments_and_output():
    layer, seen = nn.Linear(2, 1, bias=False), []
    layer.weight.data = tg.ones(1, 2)
    before = layer.register_forward_pre_hook(lambda m, args: (args[0] * 3,))
    after = layer.register_forward_hook(lambda m, args, y: seen.append((args[0].tolist(), y.tolist())))
    assert layer(tg.ones(2)).tolist() == [6]
    assert seen == [([3, 3], [6])]
    before.remove()
    doubled = layer.register_forward_hook(lambda m, args, kwargs, y: y * 2, with_kwargs=True, prepend=True)
    assert layer(tg.ones(2)).tolist() == [4]
    after.remove()
    doubled.remove()
    assert layer(tg.ones(2)).tolist() == [2]


def test_a_hook_that_is_always_called_hears_of_a_failure():
    layer, seen = nn.Linear(2, 1), []
    layer.register_forward_hook(lambda m, args, y: seen.append(y), always_call=True)
    with pytest.raises(ValueError):
        layer(tg.ones(3))
    assert seen == [None]


def test_backward_hooks_see_the_gradients_of_all_inputs_at_once():
    class Product(nn.Module):
        def forward(self, a, b, c):
            return a * b, a + c

    product, seen = Product(), []
    product.register_full_backward_hook(lambda m, gin, gout: seen.append((gin, gout)))
    product.register_full_backward_pre_hook(lambda m, gout: tuple(g * 2 for g in gout))
    a, b = tg.tensor([2.0, 3.0], requires_grad=True), tg.tensor(5.0, requires_grad=True)
    x, y = product(a, b, 7)
    (x.sum() + y.sum()).backward()
    ((gin, gout),) = seen
    assert [None if g is None else g.tolist() for g in gin] == [[12, 12], 10, None]
    assert [g.tolist() for g in gout] == [[2, 2], [2, 2]]
    assert (a.grad.tolist(), b.grad.tolist()) == ([12, 12], 10)


def test_a_backward_hook_replaces_gradients():
    layer = nn.Linear(2, 1)
    handle = layer.register_full_backward_hook(lambda m, gin, gout: (gin[0] * 0 + 7,))
    x = tg.zeros(3, 2, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad.tolist() == [[7, 7]] * 3
    handle.remove()
    layer.register_full_backward_hook(lambda m, gin, gout: (None, None))
    with pytest.raises(RuntimeError, match="returned 2 gradients; expected None or 1"):
        layer(x).sum().backward()


def test_hooks_on_states():
    net, seen = Net(), []
    net.register_state_dict_post_hook(lambda m, state, prefix, meta: state.update(extra=tg.ones(1)))
    net.register_load_state_dict_pre_hook(lambda m, state, prefix, *rest: state.pop(prefix + "extra"))

    def forgive(module, keys):
        seen.append(list(keys.missing_keys))
        keys.missing_keys.clear()

    net.register_load_state_dict_post_hook(forgive)
    state = net.state_dict()
    assert state["extra"].item() == 1
    del state["scale"]
    assert str(net.load_state_dict(state)) == "<All keys matched successfully>"
    assert seen == [["scale"]]


def test_extra_state_is_kept():
    class Counting(nn.Module):
        count = 3

        def get_extra_state(self):
            return {"count": self.count}

        def set_extra_state(self, state):
            self.count = state["count"]

    a, b = nn.Sequential(Counting()), nn.Sequential(Counting())
    a[0].count = 5
    b.load_state_dict(a.state_dict())
    assert b[0].count == 5
    with pytest.raises(RuntimeError, match=r'Missing key\(s\) in state_dict: "0._extra_state"'):
        b.load_state_dict({})


def test_loading_can_assign():
    net = nn.Linear(2, 1)
    weight, bias = tg.ones(1, 2, dtype=tg.float64), tg.zeros(1)
    net.load_state_dict({"weight": weight, "bias": bias}, assign=True)
    assert net.weight.dtype == tg.float64
    assert np.shares_memory(net.weight.detach().numpy(), weight.numpy())
    assert isinstance(net.weight, nn.Parameter)


def test_what_is_not_here_says_so():
    net = Net()
    for call, error in (
        (net.cuda, RuntimeError),
        (net.bfloat16, TypeError),
        (net.share_memory, RuntimeError),
        (net.compile, RuntimeError),
        (lambda: net.train("no"), ValueError),
        (lambda: net.register_parameter("body", None), KeyError),
        (lambda: net.register_buffer("b", 3), TypeError),
        (lambda: net.register_parameter("p", tg.ones(1)), TypeError),
        (lambda: net.get_submodule("body.9"), AttributeError),
        (lambda: net.get_parameter("body.0.bia"), AttributeError),
    ):
        with pytest.raises(error):
            call()


def test_training_reaches_a_module_that_overrides_it():
    class Frozen(nn.BatchNorm1d):
        def train(self, mode=True):
            return super().train(False)

    assert not nn.Sequential(Frozen(2)).train()[0].training
