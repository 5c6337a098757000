"""`Module` and the containers against PyTorch: names, printing, state, hooks, and what is refused."""

import copy
import pickle
from collections import OrderedDict

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn import nn

BOTH = ((nn, tg), (torch.nn, torch))


def net(n, t):
    class Net(n.Module):
        def __init__(self):
            super().__init__()
            self.body = n.Sequential(n.Linear(2, 3), n.BatchNorm1d(3), n.ReLU())
            self.scale = n.Parameter(t.ones(1))
            self.heads = n.ModuleList([n.Linear(3, 1) for _ in range(3)])
            self.by_name = n.ModuleDict({"a": n.Tanh(), "b": self.heads[0]})
            self.free = n.ParameterList([t.ones(2, 3), n.Parameter(t.zeros(()))])
            self.named = n.ParameterDict({"x": n.Parameter(t.ones(2))})
            self.register_buffer("seen", t.zeros(1))
            self.register_buffer("scratch", t.zeros(1), persistent=False)
            self.held = n.Buffer(t.zeros(2))
            self.register_parameter("none", None)
            self.nothing = None

        def extra_repr(self):
            return "with=more"

        def forward(self, x, *, twice=False):
            y = self.by_name["b"](self.body(x)) * self.scale
            return y * 2 if twice else y

    return Net()


def same(question):
    ours, theirs = (question(net(n, t), n, t) for n, t in BOTH)
    assert ours == theirs


@pytest.mark.parametrize(
    "question",
    [
        lambda m, n, t: repr(m),
        lambda m, n, t: [k for k, _ in m.named_parameters()],
        lambda m, n, t: [k for k, _ in m.named_parameters("p", recurse=False)],
        lambda m, n, t: [k for k, _ in m.named_parameters(remove_duplicate=False)],
        lambda m, n, t: [k for k, _ in m.named_buffers()],
        lambda m, n, t: [k for k, _ in m.named_modules()],
        lambda m, n, t: [k for k, _ in m.named_modules(prefix="p", remove_duplicate=False)],
        lambda m, n, t: [k for k, _ in m.named_modules(memo={m.heads})],
        lambda m, n, t: [k for k, _ in m.named_children()],
        lambda m, n, t: len(list(m.modules())),
        lambda m, n, t: {k: tuple(v.shape) for k, v in m.state_dict().items()},
        lambda m, n, t: list(m.state_dict(prefix="p.")),
        lambda m, n, t: list(m.state_dict(destination=OrderedDict(a=1))),
        lambda m, n, t: str(m.state_dict()["body.1.num_batches_tracked"].dtype),
        lambda m, n, t: [v.requires_grad for v in m.state_dict(keep_vars=True).values()],
        lambda m, n, t: tuple(m.get_submodule("body.0").weight.shape),
        lambda m, n, t: m.get_submodule("") is m,
        lambda m, n, t: [str(p.dtype) for p in m.double().parameters()],
        lambda m, n, t: [str(p.dtype) for p in m.to("cpu", t.float64).buffers()],
        lambda m, n, t: [str(b.dtype) for b in m.half().buffers()],
        lambda m, n, t: str(m.to(t.zeros(1, dtype=t.float64)).scale.dtype),
        lambda m, n, t: [k for k in ("body", "scale", "seen", "0", "held") if k in dir(m)],
        lambda m, n, t: [k for k in ("0", "append") if k in dir(m.body)],
        lambda m, n, t: list(copy.deepcopy(m).state_dict()),
        lambda m, n, t: [p.requires_grad for p in m.requires_grad_(False).parameters()],
        lambda m, n, t: [k.training for k in m.eval().modules()],
        lambda m, n, t: m._get_name(),
        lambda m, n, t: "seen" in m.state_dict() and "scratch" not in m.state_dict(),
        lambda m, n, t: str(m.load_state_dict(m.state_dict())),
        lambda m, n, t: str(m.heads.load_state_dict({"0.bias": t.ones(1), "odd": t.ones(1)}, strict=False)),
        lambda m, n, t: (setattr(m, "body", None), list(m.state_dict()), repr(m))[1:],
        lambda m, n, t: (setattr(m, "seen", n.Linear(1, 1)), list(m.state_dict()), repr(m))[1:],
        lambda m, n, t: (setattr(m, "body", n.Parameter(t.ones(1))), list(m.state_dict()), repr(m))[1:],
        lambda m, n, t: (delattr(m, "seen"), list(m.state_dict()))[1],
        lambda m, n, t: (m.set_submodule("body.0", n.Tanh()), repr(m))[1],
        lambda m, n, t: repr(n.Buffer(t.zeros(1))),
        lambda m, n, t: repr(n.Parameter()),
        lambda m, n, t: isinstance(m.free[0], n.Parameter),
    ],
)
def test_names_printing_and_state(question):
    same(question)


@pytest.mark.parametrize(
    "call",
    [
        lambda m, n, t: m.nothing_here,
        lambda m, n, t: setattr(m, "scale", t.ones(1)),
        lambda m, n, t: setattr(m, "body", 3),
        lambda m, n, t: setattr(m, "scale", n.ReLU()),
        lambda m, n, t: setattr(m, "seen", "text"),
        lambda m, n, t: delattr(m, "nothing_here"),
        lambda m, n, t: m.register_parameter("body", None),
        lambda m, n, t: m.register_parameter("", None),
        lambda m, n, t: m.register_parameter("a.b", None),
        lambda m, n, t: m.register_parameter(3, None),
        lambda m, n, t: m.register_parameter("p", t.ones(1)),
        lambda m, n, t: m.register_buffer("scale", t.ones(1)),
        lambda m, n, t: m.register_buffer("b", [1.0]),
        lambda m, n, t: m.register_buffer("a.b", t.ones(1)),
        lambda m, n, t: m.add_module("m", 3),
        lambda m, n, t: m.add_module("train", n.ReLU()),
        lambda m, n, t: m.register_module("a.b", n.ReLU()),
        lambda m, n, t: m.get_submodule("body.7"),
        lambda m, n, t: m.get_submodule("scale"),
        lambda m, n, t: m.get_parameter("body.0.b"),
        lambda m, n, t: m.get_parameter("seen"),
        lambda m, n, t: m.get_buffer("scale"),
        lambda m, n, t: m.set_submodule("", n.ReLU()),
        lambda m, n, t: m.set_submodule("nowhere.x", n.ReLU()),
        lambda m, n, t: m.train(1),
        lambda m, n, t: m.to(t.int64),
        lambda m, n, t: m.to("nonsense"),
        lambda m, n, t: m.cuda(),
        lambda m, n, t: m.load_state_dict(3),
        lambda m, n, t: m.load_state_dict({}),
        lambda m, n, t: m.load_state_dict({"scale": 3}, strict=False),
        lambda m, n, t: m.heads(t.ones(1)),
        lambda m, n, t: m.by_name(t.ones(1)),
        lambda m, n, t: m.free(t.ones(1)),
        lambda m, n, t: m.named(t.ones(1)),
        lambda m, n, t: n.Module()(1),
        lambda m, n, t: n.Module(1),
        lambda m, n, t: n.Parameter(t.tensor(3)),
        lambda m, n, t: m.register_forward_hook(print, True),
        lambda m, n, t: m(t.ones(2, 2), thrice=True),
        lambda m, n, t: copy.deepcopy(m.scale * 2),
    ],
)
def test_what_is_refused_is_refused_alike(call):
    with pytest.raises(Exception) as theirs:
        call(net(torch.nn, torch), torch.nn, torch)
    with pytest.raises(theirs.type):
        call(net(nn, tg), nn, tg)


def test_before_init():
    for n, t in BOTH:

        class Early(n.Module):
            def __init__(self, value, n=n):
                self.plain = 3
                self.body = value
                super().__init__()

        with pytest.raises(AttributeError, match=r"before Module.__init__"):
            Early(n.Linear(1, 1))
        with pytest.raises(AttributeError, match=r"before Module.__init__"):
            Early(n.Parameter(t.ones(1)))


def test_the_error_of_loading_reads_as_there():
    texts = []
    for n, t in BOTH:
        m = net(n, t)
        state = m.state_dict()
        state["surplus"] = state.pop("scale")
        state["body.0.weight"] = t.zeros(2, 2)
        state["body.0.bias"] = t.zeros(7)
        with pytest.raises(RuntimeError) as refusal:
            m.load_state_dict(state)
        texts.append(str(refusal.value))
    assert texts[0] == texts[1]


def test_state_goes_both_ways():
    ours, theirs = net(nn, tg), net(torch.nn, torch)
    theirs.load_state_dict({k: torch.from_numpy(v.numpy().copy()) for k, v in ours.state_dict().items()})
    ours.load_state_dict(theirs.state_dict())  # PyTorch's own tensors are arrays to us
    x = np.ones((4, 2), np.float32)
    for mode in (True, False):
        a, b = ours.train(mode)(tg.tensor(x), twice=True), theirs.train(mode)(torch.tensor(x), twice=True)
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
def test_hooks_are_called_in_the_same_order_with_the_same_things():
    def listed(values):
        return [None if v is None else v.tolist() for v in values]

    logs = []
    for n, t in BOTH:
        layer, log = n.Linear(2, 2), []
        with t.no_grad():
            layer.weight.copy_(t.tensor([[1.0, 2.0], [3.0, 4.0]]))
            layer.bias.zero_()

        def note(name, log=log):
            return lambda m, *several: log.append((name, [listed(x) for x in several if isinstance(x, tuple)]))

        layer.register_forward_hook(note("after"))
        layer.register_forward_hook(note("first"), prepend=True)
        layer.register_forward_pre_hook(note("before"))
        layer.register_full_backward_pre_hook(note("back"))
        layer.register_full_backward_hook(note("backward"))
        handle = layer.register_full_backward_hook(lambda m, gin, gout: (gin[0] * 2,))
        x = t.ones(3, 2, requires_grad=True)
        layer(x).square().sum().backward()
        log.append(x.grad.tolist())
        handle.remove()
        layer(x.detach()).sum().backward()
        layer.eval()
        with t.no_grad():
            layer(x)
        log.append(layer.weight.grad.tolist())
        handle = layer.register_forward_pre_hook(lambda m, a, k: ((a[0] * 2,), k), with_kwargs=True)
        with t.no_grad():
            log.append(layer(x).tolist())
            handle.remove()
            log.append(layer(x).tolist())
        logs.append(log)
    assert logs[0] == logs[1]


def test_second_derivatives_go_through_backward_hooks():
    values = []
    for n, t in BOTH:
        layer = n.Tanh()
        layer.register_full_backward_hook(lambda m, gin, gout: None)
        x = t.tensor([0.3, -0.7], requires_grad=True)
        (g,) = t.autograd.grad(layer(x).sum(), x, create_graph=True)
        (h,) = t.autograd.grad(g.sum(), x)
        values.append(h.tolist())
    assert values[0] == pytest.approx(values[1], rel=1e-6)


STEPS = [
    lambda s, n, k: s.append(n.Linear(1, k + 1)),
    lambda s, n, k: s.insert(k, n.Tanh()),
    lambda s, n, k: s.insert(-1, n.Tanh()),
    lambda s, n, k: s.extend([n.ReLU(), n.ReLU()]),
    lambda s, n, k: s.__delitem__(k),
    lambda s, n, k: s.__delitem__(slice(k, None, 2)),
    lambda s, n, k: s.__setitem__(k, n.Sigmoid()),
    lambda s, n, k: s.__setitem__(-1, n.Sequential(n.Sigmoid(), n.ReLU())),
    lambda s, n, k: s.pop(k),
    lambda s, n, k: s.pop(-1),
    lambda s, n, k: s[k],
    lambda s, n, k: s[:k],
    lambda s, n, k: s[::2],
    lambda s, n, k: s["x"],
    lambda s, n, k: s.append(k),
    lambda s, n, k: s.append(n.ReLU),
    lambda s, n, k: s + s[:k],
    lambda s, n, k: s.__add__([n.ReLU()]),
    lambda s, n, k: s + 3,
    lambda s, n, k: s * k,
    lambda s, n, k: s.__iadd__(n.Sequential(n.ReLU())),
]


def outcome(step, container, n, k):
    try:
        result = step(container, n, k)
    except Exception as error:
        return error
    return None if result is None else (type(result).__name__, repr(result))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["Sequential", "ModuleList"]), st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 4))))
def test_lists_of_modules_change_alike(kind, steps):
    ours, theirs = (
        n.Sequential(n.ReLU(), n.Linear(1, 1), n.Linear(1, 1))
        if kind == "Sequential"
        else n.ModuleList([n.ReLU(), n.Linear(1, 1), n.Linear(1, 1)])
        for n in (nn, torch.nn)
    )
    for step, k in steps:
        if kind == "ModuleList" and ((step is STEPS[1] and k > len(theirs)) or step is STEPS[2]):
            continue  # PyTorch leaves holes there; here it is as in a Python list
        a, b = outcome(step, ours, nn, k), outcome(step, theirs, torch.nn, k)
        if isinstance(b, Exception):
            assert isinstance(a, type(b)), (a, b)
        else:
            assert a == b
        assert repr(ours) == repr(theirs)
        assert list(ours.state_dict()) == list(theirs.state_dict())


def test_an_ordered_dict_names_the_parts_of_a_sequential():
    for n, _ in BOTH:
        s = n.Sequential(OrderedDict([("fc", n.Linear(1, 2)), ("act", n.ReLU())]))
        assert list(s.state_dict()) == ["fc.weight", "fc.bias"]
        assert s.fc is s[0]
        assert list(dict(s[1:].named_children())) == ["act"]


DICTS = [
    lambda d, v, k: d.update({k: v()}),
    lambda d, v, k: d.update([(k, v()), ("z", v())]),
    lambda d, v, k: d.update([(k,)]),
    lambda d, v, k: d.update(3),
    lambda d, v, k: d.update([3]),
    lambda d, v, k: d.__setitem__(k, v()),
    lambda d, v, k: d.__setitem__("keys", v()),
    lambda d, v, k: d.__setitem__("a.b", v()),
    lambda d, v, k: d.__delitem__(k),
    lambda d, v, k: repr(d[k]),
    lambda d, v, k: repr(d.pop(k)),
    lambda d, v, k: k in d,
    lambda d, v, k: list(d.keys()),
    lambda d, v, k: [x for x, _ in d.items()],
    lambda d, v, k: len(list(d.values())),
    lambda d, v, k: list(d),
    lambda d, v, k: d.clear(),
]
PARAMETER_DICTS = [
    lambda d, v, k: repr(d.get(k)),
    lambda d, v, k: repr(d.setdefault(k, v())),
    lambda d, v, k: repr(d.copy()),
    lambda d, v, k: repr(d | {k: v()}),
    lambda d, v, k: sorted({k: v()} | d),
    lambda d, v, k: repr(d.fromkeys([k], v())),
    lambda d, v, k: list(reversed(d)),
]


@settings(max_examples=60, deadline=None)
@given(st.booleans(), st.data())
def test_dicts_of_modules_and_parameters_change_alike(parameters, data):
    steps = DICTS[:6] + DICTS[8:] + PARAMETER_DICTS if parameters else DICTS
    ours, theirs = (
        n.ParameterDict({"a": t.ones(2, 3, dtype=t.float64), "n": 3}) if parameters else n.ModuleDict({"a": n.ReLU()})
        for n, t in BOTH
    )
    for _ in range(data.draw(st.integers(1, 6))):
        step, key = data.draw(st.sampled_from(steps)), data.draw(st.sampled_from("abc"))
        a = outcome(step, ours, (lambda: tg.ones(2)) if parameters else nn.Tanh, key)
        b = outcome(step, theirs, (lambda: torch.ones(2)) if parameters else torch.nn.Tanh, key)
        if isinstance(b, Exception):
            assert isinstance(a, type(b)), (a, b)
        else:
            assert a == b
        assert repr(ours) == repr(theirs)
        assert list(ours.state_dict()) == list(theirs.state_dict())


@given(st.permutations("abcd"), st.sampled_from((dict, OrderedDict, list)))
def test_parameters_of_a_plain_dict_come_in_the_order_of_their_names(names, kind):
    ours, theirs = (n.ParameterDict(kind((name, t.ones(1)) for name in names)) for n, t in BOTH)
    assert list(ours) == list(theirs)
    assert list(ours.copy()) == list(theirs.copy())
    ours, theirs = (d.fromkeys(names, 1) for d in (ours, theirs))
    assert list(ours) == list(theirs)
    for d, t in ((ours, tg), (theirs, torch)):
        d.update(kind((name * 2, t.ones(1)) for name in names))
    assert list(ours) == list(theirs)


def test_parameter_lists():
    texts = []
    for n, t in BOTH:
        free = n.ParameterList([t.ones(2, 3), n.Parameter(t.ones(())), 5])
        free.append(t.ones(1, dtype=t.float64))
        free += [n.Parameter(t.zeros(2))]
        free[0] = t.zeros(4)
        texts.append([repr(free), repr(free[1:3]), list(free.state_dict()), len(free), free[2], repr(free[-1])])
        for call, error in (
            (lambda free=free: free[9], IndexError),
            (lambda free=free, t=t: free.extend(t.ones(2)), TypeError),
            (lambda n=n: n.ParameterList(3), TypeError),
        ):
            with pytest.raises(error):
                call()
    assert texts[0] == texts[1]


def test_a_copied_network_is_a_target_network():
    """As in reinforcement learning: deep copies, blended in place."""
    values = []
    for n, t in BOTH:
        online = n.Sequential(n.Linear(2, 2), n.ReLU())
        with t.no_grad():
            for p in online.parameters():
                p.fill_(1.0)
        target = copy.deepcopy(online)
        online(t.ones(1, 2)).sum().backward()
        with t.no_grad():
            for p in online.parameters():
                p.add_(p.grad)
            for p, q in zip(target.parameters(), online.parameters(), strict=True):
                p.data.mul_(0.5)
                p.data.add_(0.5 * q.data)
        again = pickle.loads(pickle.dumps(target))
        values.append([p.tolist() for p in again.parameters()])
    assert values[0] == values[1]
