"""`compile`: what is played back is what would have been computed, to the last bit, or it is not played back."""

import copy
import pickle
import threading
import warnings
from importlib.util import find_spec

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn, optim
from tinygrad_cnn.core.op import registry
from tinygrad_cnn.gradcheck.drawing import RandomDraw
from tinygrad_cnn.nn import functional as F
from tinygrad_cnn.playback.compiling import Compiled
from tinygrad_cnn.playback.fusing import FUSED
from tinygrad_cnn.playback.gathering import GATHERED


@pytest.fixture(autouse=True)
def _numpys_kernels_and_no_warning():
    before = tg.get_kernels()
    tg.set_kernels("numpy")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
    tg.set_kernels(before)


def plans(compiled):
    inner = compiled if isinstance(compiled, Compiled) else compiled._compiled
    return [kind.plan for kind in inner.kinds.values()]


def plays(compiled, times=1):
    """Whether every kind of call was recorded and is played back."""
    found = plans(compiled)
    return len(found) == times and all(found)


# ---- networks --------------------------------------------------------------------------------------------------------


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)

    def forward(self, x):
        return F.relu(x + self.norm(self.conv(x)))


class Last(nn.Module):
    """The last step of a recurrent layer."""

    def __init__(self, kind):
        super().__init__()
        self.layer = kind(3, 5, batch_first=True)

    def forward(self, x):
        return self.layer(x)[0][:, -1]


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.places = nn.Embedding(9, 8), nn.Parameter(tg.zeros(6, 8))
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.2, batch_first=True)
        self.head = nn.Linear(8, 9)

    def forward(self, x):
        mask = nn.Transformer.generate_square_subsequent_mask(6)
        return self.head(self.layer(self.words(x) + self.places, src_mask=mask)).reshape(-1, 9)


def images(rng):
    return tg.tensor(rng.standard_normal((3, 1, 12, 12)).astype("f")), tg.tensor(rng.integers(0, 4, 3))


def rows(rng):
    return tg.tensor(rng.standard_normal((5, 3)).astype("f")), tg.tensor(rng.integers(0, 4, 5))


def sequences(rng):
    return tg.tensor(rng.standard_normal((2, 7, 3)).astype("f")), tg.tensor(rng.integers(0, 5, 2))


def words(rng):
    return tg.tensor(rng.integers(0, 9, (2, 6))), tg.tensor(rng.integers(0, 9, 12))


NETS = {
    "MLP": (lambda: nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 8), nn.GELU(), nn.Linear(8, 4)), rows),
    "CNN": (
        lambda: nn.Sequential(
            *(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(inplace=True)),
            *(nn.AvgPool2d(5), nn.Flatten(), nn.Dropout(0.3), nn.Linear(4, 4)),
        ),
        images,
    ),
    "ResNet": (
        lambda: nn.Sequential(
            *(nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.BatchNorm2d(4), nn.ReLU6(), Block(4)),
            *(nn.Conv2d(4, 4, 3, padding=1, groups=4), nn.GroupNorm(2, 4), nn.Hardswish()),
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 4)),
        ),
        images,
    ),
    "RNN": (lambda: Last(nn.RNN), sequences),
    "LSTM": (lambda: Last(nn.LSTM), sequences),
    "GRU": (lambda: Last(nn.GRU), sequences),
    "Transformer": (Words, words),
}
OPTIMISERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.05),
    "momentum": lambda p: optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    "Adam": lambda p: optim.Adam(p, lr=0.01),
    "AdamW": lambda p: optim.AdamW(p, lr=0.01),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.01),
}


class Training:
    """A network, its optimiser, and a step of it in three ways."""

    def __init__(self, make, optimiser, how):
        tg.manual_seed(3)
        self.net = make()
        self.optimiser = OPTIMISERS[optimiser](self.net.parameters())
        self.call, self.compiled = self.net, None
        if how == "module":
            self.call = self.compiled = tg.compile(self.net)
        if how == "loss":
            self.loss = self.compiled = tg.compile(self.loss)
        if how == "step":
            self.step = self.compiled = tg.compile(self.step)

    def loss(self, x, y):
        return F.cross_entropy(self.call(x), y)

    def step(self, x, y):
        self.optimiser.zero_grad()
        loss = self.loss(x, y)
        loss.backward()
        self.optimiser.step()
        return loss

    def numbers(self):
        held = [*self.net.state_dict().values(), *(p.grad for p in self.net.parameters())]
        return [np.array(v.detach()) for v in held]


def same(one, other):
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("how", ["module", "loss", "step"])
@pytest.mark.parametrize("net", NETS)
def test_training_is_the_same_to_the_last_bit(net, how):
    make, data = NETS[net]
    for optimiser in OPTIMISERS if net == "MLP" else ["momentum"]:
        usual, played = (Training(make, optimiser, way) for way in ("usual", how))
        rng = np.random.default_rng(0)
        for _ in range(6):
            x, y = data(rng)
            state = tg.get_rng_state()
            wanted = usual.step(x, y).item()
            after = tg.get_rng_state()
            tg.set_rng_state(state)
            assert played.step(x, y).item() == wanted
            assert np.array_equal(tg.get_rng_state(), after)
            assert same(usual.numbers(), played.numbers())
        assert plays(played.compiled)


def test_a_schedule_and_clipping_are_played_back():
    def training(compiled):
        tg.manual_seed(0)
        net = nn.Linear(3, 4)
        optimiser = optim.SGD(net.parameters(), lr=0.5)
        schedule = optim.lr_scheduler.StepLR(optimiser, 2, 0.5)

        def step(x, y):
            optimiser.zero_grad()
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            for p in net.parameters():
                p.grad.clamp_(-0.01, 0.01)
            optimiser.step()
            schedule.step()
            return loss

        return net, optimiser, tg.compile(step) if compiled else step

    one, other = training(False), training(True)
    rng = np.random.default_rng(0)
    for _ in range(8):
        x, y = rows(rng)
        assert one[2](x, y).item() == other[2](x, y).item()
        assert same(
            [p.detach().numpy() for p in one[0].parameters()], [p.detach().numpy() for p in other[0].parameters()]
        )
        assert one[1].param_groups[0]["lr"] == other[1].param_groups[0]["lr"]
    assert plays(other[2])


def test_gradients_that_are_kept_add_up():
    w = [tg.tensor([1.0, 2.0], requires_grad=True) for _ in range(2)]

    def usual(x):
        (w[0] * x).sum().backward()

    @tg.compile
    def played(x):
        (w[1] * x).sum().backward()

    for k in range(6):
        x = tg.tensor([1.0, float(k)])
        usual(x), played(x)
        assert np.array_equal(w[0].grad, w[1].grad)
    assert plays(played)


# ---- every op --------------------------------------------------------------------------------------------------------


def drawn(op, seed, shapes=None):
    """A sample of an op, of the shapes and options of another."""
    for again in range(60):
        sample = op.sample(RandomDraw(np.random.default_rng([seed, again])))
        kind = [np.shape(a) for a in sample.inputs], repr(sample.options)
        if shapes is None or kind == shapes:
            return sample, kind
    return None, None


@pytest.mark.parametrize("name", [name for name in registry if not registry[name].__module__.startswith("test")])
def test_every_op_is_played_back_as_it_is(name):
    op = registry[name]
    sample, _ = drawn(op, 1)
    floats = [
        k
        for k, a in enumerate(sample.inputs)
        if np.asarray(a).dtype.kind == "f" and op.inputs[min(k, len(op.inputs) - 1)] not in op.constant
    ]

    def function(*inputs):
        made = op.apply(*inputs, **sample.options)
        return made[0] if isinstance(made, tuple) else made

    compiled = tg.compile(function)
    rng = np.random.default_rng(5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for turn in range(5):
            inputs = [np.array(a) for a in sample.inputs]
            for k in floats:  # other numbers, near those of the sample
                inputs[k] = (inputs[k] * (1 + 0.01 * rng.standard_normal(inputs[k].shape))).astype(inputs[k].dtype)
            leaves = [
                [tg.tensor(a, requires_grad=k in floats) for k, a in enumerate(inputs)] for _ in ("usual", "played")
            ]
            results = [f(*given) for f, given in zip((function, compiled), leaves, strict=True)]
            assert np.array_equal(*(np.array(r.detach()) for r in results), equal_nan=True), turn
            if results[0].requires_grad:
                g = rng.standard_normal(results[0].shape).astype(results[0].dtype)
                for r in results:
                    r.backward(tg.tensor(g))
                for a, b in zip(*leaves, strict=True):
                    assert (a.grad is None) == (b.grad is None)
                    assert a.grad is None or np.array_equal(np.array(a.grad), np.array(b.grad), equal_nan=True), turn


def test_what_an_op_keeps_aside_depends_on_the_numbers():
    """Where tanh is nearly 1 its rule has a way of its own; in the first calls it is nowhere near."""
    for function in (lambda x: x.tanh(), lambda x: x.sigmoid(), lambda x: x.erf(), lambda x: x.tanh() * 2):
        compiled = tg.compile(function)
        for size in (0.1, 0.1, 0.1, 0.1, 9.0, 0.1, 20.0):
            found = []
            for f in (function, compiled):
                x = tg.tensor(np.linspace(-size, size, 11, dtype="f"), requires_grad=True)
                f(x).sum().backward()
                found.append(np.array(x.grad))
            assert np.array_equal(*found), size
        assert plays(compiled)


WEIGHTS = tg.tensor([1.0, 2.0, 3.0, 4.0])
LOSSES = {
    "ignored labels": lambda x, y: F.cross_entropy(x, y, ignore_index=1),
    "weighted classes": lambda x, y: F.cross_entropy(x, y, WEIGHTS),
    "smoothed labels": lambda x, y: F.cross_entropy(x, y, label_smoothing=0.1),
    "log-probabilities": lambda x, y: F.nll_loss(F.log_softmax(x, -1), y, ignore_index=2),
    "probabilities": lambda x, y: F.binary_cross_entropy(x.sigmoid(), (x.detach() > 0).float()),
    "logits": lambda x, y: F.binary_cross_entropy_with_logits(x, F.one_hot(y, 4).float()),
    "accuracy": lambda x, y: (x.argmax(-1) == y).float().mean() + x.sum(),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_look_at_their_targets_each_time(name):
    warnings.filterwarnings("ignore", ".*the mean of no loss", tg.MistakeWarning)  # that of the last turns
    function = LOSSES[name]
    compiled = tg.compile(function)
    rng = np.random.default_rng(0)
    for turn in range(7):
        x, y = rng.standard_normal((6, 4)).astype("f"), np.full(6, turn % 4) if turn > 4 else rng.integers(0, 4, 6)
        found = []
        for f in (function, compiled):
            leaf = tg.tensor(x, requires_grad=True)
            loss = f(leaf, tg.tensor(y))
            loss.backward()
            found += [loss.item(), np.array(leaf.grad)]
        assert np.array_equal(found[0], found[2], equal_nan=True)
        assert np.array_equal(found[1], found[3], equal_nan=True)
    assert plays(compiled)


# ---- what stands against it ------------------------------------------------------------------------------------------


def runs_eagerly(function, *calls, why):
    compiled = tg.compile(function)
    with pytest.warns(UserWarning, match=why):
        found = [compiled(*call) for call in calls][-1]
    assert plans(compiled)[0] is None
    return found


ONE = tg.tensor([1.0, 2.0])


def test_a_number_that_is_asked_for_is_told():
    def step(x):
        return x * 2 if x.sum() > 3 else x

    found = runs_eagerly(step, *[[ONE + k] for k in range(4)], why="asks for numbers")
    assert found.tolist() == [8.0, 10.0]
    runs_eagerly(lambda x: x * x.sum().item(), *[[ONE + k] for k in range(4)], why=r"item\(\) asks for numbers")


def test_a_tensor_made_of_an_array_is_told():
    data = np.array([1.0, 2.0], "f")
    runs_eagerly(lambda x: x + tg.tensor(data), *[[ONE]] * 4, why="cannot be followed")


def test_shapes_that_depend_on_numbers():
    calls = [[tg.tensor([1.0, -2.0, 3.0]) * k] for k in (1, 1, 1, 1, -1)]
    assert runs_eagerly(lambda x: x[x > 0] * 2, *calls, why="as many elements as are True").tolist() == [4.0]
    compiled = tg.compile(lambda x: tg.nonzero(x > 0) * 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert [compiled(*call).tolist() for call in calls][-1] == [[2]]


def test_another_number_each_time_is_told():
    numbers = iter(range(9))
    runs_eagerly(lambda x: x * next(numbers), *[[ONE]] * 4, why="another number")


def test_another_way_each_time_is_told():
    numbers = iter(range(9))
    runs_eagerly(lambda x: x * 2 if next(numbers) % 2 else x + x + x, *[[ONE]] * 4, why="not do the same")


def test_hooks_are_told_and_called():
    seen = []
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    w.register_hook(lambda g: seen.append(1))

    def step(x):
        (w * x).sum().backward()

    runs_eagerly(step, *[[ONE]] * 5, why="hook")
    assert len(seen) == 5


def test_hooks_of_modules_are_told_and_called():
    seen = []
    net = nn.Linear(2, 1)
    handle = net.register_forward_hook(lambda *given: seen.append(1))
    runs_eagerly(lambda x: net(x), *[[ONE]] * 5, why="a hook of Linear is called")
    handle.remove()
    everywhere = nn.modules.module.register_module_forward_pre_hook(lambda *given: seen.append(1))
    runs_eagerly(lambda x: net(x), *[[ONE]] * 5, why="a hook of Linear is called")
    everywhere.remove()
    assert len(seen) == 10


def test_what_had_hooks_once_is_played_back():
    nn.modules.module.register_module_forward_hook(lambda *given: None).remove()  # it leaves room for others
    net = nn.Linear(2, 1)
    net.register_forward_hook(lambda *given: None).remove()
    compiled, called = tg.compile(net), []
    for _ in range(6):
        compiled(ONE)
    assert plays(compiled)
    net.register_forward_hook(lambda *given: called.append(1))
    with pytest.warns(UserWarning, match="a hook of Linear"):
        compiled(ONE)
    assert called == [1]


def test_a_result_that_can_still_be_differentiated():
    w = tg.tensor([3.0, 4.0], requires_grad=True)

    def step(x):
        (w * x).exp().sum().backward()
        return (w * x).sin().sum()

    found = runs_eagerly(step, *[[ONE]] * 5, why="can still be differentiated")
    found.backward()


def test_other_results_are_those_of_each_call():
    numbers = iter(range(9))
    assert runs_eagerly(lambda x: (x * 2, next(numbers)), *[[ONE]] * 5, why="returns another number")[1] == 4
    compiled = tg.compile(lambda x: {"doubled": x * 2, "size": (x.shape, None)})
    for _ in range(5):
        found = compiled(ONE)
        assert found["doubled"].tolist() == [2.0, 4.0]
        assert found["size"] == ((2,), None)
    assert plays(compiled)


def test_fullgraph_raises():
    compiled = tg.compile(lambda x: x * x.sum().item(), fullgraph=True)
    compiled(ONE)
    with pytest.raises(RuntimeError, match=r"item\(\) asks for numbers"):
        compiled(ONE)


def test_an_argument_that_is_compared_by_value():
    compiled = tg.compile(lambda x, p: x**p)
    for k in range(5):
        for p in (2, 3):
            assert np.array_equal(compiled(ONE + k, p), (ONE + k) ** p)
    assert plays(compiled, 2)


def test_new_shapes_and_dtypes_are_recorded_anew():
    compiled = tg.compile(lambda x: (x * x).sum(0))
    for _ in range(5):
        for shape, dtype in (((3,), "f"), ((2, 3), "f"), ((3,), "d")):
            x = tg.tensor(np.random.default_rng(0).random(shape).astype(dtype))
            assert np.array_equal(compiled(x), (x * x).sum(0))
            assert compiled(x).dtype == dtype
    assert plays(compiled, 3)


def test_evaluation_and_training_differ():
    net = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))
    compiled = tg.compile(net)
    x = tg.ones(50, 2)
    for _ in range(6):
        assert (compiled(x) == 0).sum() > 0
    net.eval()
    for _ in range(6):
        assert np.array_equal(compiled(x).detach(), net(x).detach())


def test_the_mode_of_the_compiled_module_itself_is_seen():
    net = nn.Dropout(0.5)
    compiled = tg.compile(net)
    for _ in range(6):
        assert (compiled(tg.ones(50)) == 0).sum() > 0
    net.eval()
    assert (compiled(tg.ones(50)) == 0).sum() == 0


def test_parameters_that_are_replaced_or_frozen_are_seen():
    net = nn.Linear(2, 1)
    compiled = tg.compile(net)
    for k in range(12):
        if k == 5:
            net.weight.data = tg.ones(1, 2) * 7
        if k == 8:
            net.weight.requires_grad_(False)
        x = ONE + k
        got = compiled(x)
        assert np.array_equal(got.detach(), net(x).detach())
        net.zero_grad()
        got.sum().backward()
        assert (net.weight.grad is None) == (k >= 8)


def test_what_a_function_reads_by_name_is_looked_up():
    scale = 2.0

    def function(x):
        return x * scale

    compiled = tg.compile(function)
    for k in range(12):
        scale = 2.0 if k < 6 else 3.0
        assert compiled(ONE).tolist() == [scale, 2 * scale]


def test_results_and_gradients_are_nobody_elses():
    w = tg.tensor([3.0, 4.0], requires_grad=True)

    @tg.compile
    def step(x):
        w.grad = None
        y = w * x
        y.sum().backward()
        return y, w.grad

    held = [step(ONE * k) for k in range(8)]
    assert [y.tolist() for y, _ in held] == [[3.0 * k, 8.0 * k] for k in range(8)]
    assert [g.tolist() for _, g in held] == [[1.0 * k, 2.0 * k] for k in range(8)]


def test_labels_that_are_no_class_still_raise():
    net = nn.Linear(2, 3)
    compiled = tg.compile(lambda x, y: F.cross_entropy(net(x), y))
    x, y = tg.ones(2, 2), tg.tensor([0, 2])
    for _ in range(5):
        compiled(x, y)
    assert plays(compiled)
    with pytest.raises(IndexError, match="3 classes"):
        compiled(x, tg.tensor([0, 3]))
    ignored = tg.tensor([0, -100])
    assert compiled(x, ignored).item() == F.cross_entropy(net(x), ignored).item()


def test_a_write_between_the_passes_raises():
    w = tg.tensor([3.0, 4.0], requires_grad=True)
    compiled = tg.compile(lambda x: (x * w).exp().sum())
    for _ in range(5):
        compiled(ONE).backward()
    x = ONE.clone().requires_grad_()
    for _ in range(5):
        loss = compiled(x)
    with tg.no_grad():
        w.add_(1)
    with pytest.raises(RuntimeError, match="modified by an in-place operation"):
        loss.backward()


def test_derivatives_of_derivatives():
    w = tg.tensor([0.3, -0.4], requires_grad=True)

    def function(x):
        return ((x * w).sin() * x).sum()

    compiled = tg.compile(function)
    rng = np.random.default_rng(0)
    for _ in range(6):
        x = rng.standard_normal(2).astype("f")
        found = []
        for f in (function, compiled):
            leaf = tg.tensor(x, requires_grad=True)
            inner = leaf * 2 * w.sum()
            (g,) = tg.autograd.grad(f(inner), leaf, create_graph=True)
            found.append(tg.autograd.grad((g * g).sum(), [leaf, w]))
        for a, b in zip(*found, strict=True):
            assert np.allclose(a, b, rtol=1e-5)


def test_a_second_backward_pass_raises():
    w = tg.tensor([3.0, 4.0], requires_grad=True)
    compiled = tg.compile(lambda x: (x * w).exp().sum())
    for _ in range(4):
        loss = compiled(ONE)
    loss.backward()
    with pytest.raises(RuntimeError, match=r"second time|freed"):
        loss.backward()

    @tg.compile
    def step(x):
        loss = (x * w).exp().sum()
        loss.backward()
        return loss

    for _ in range(5):
        loss = step(ONE)
    assert loss.requires_grad
    with pytest.raises(RuntimeError, match=r"second time|freed"):
        loss.backward()


def test_two_graphs_at_once():
    w = tg.tensor([3.0, 4.0], requires_grad=True)
    compiled = tg.compile(lambda x: (x * w).exp().sum())
    for _ in range(4):
        compiled(ONE)
    first, second = compiled(ONE), compiled(ONE * 2)
    second.backward()
    first.backward()
    played = w.grad.clone()
    w.grad = None
    ((ONE * 2) * w).exp().sum().backward()
    (ONE * w).exp().sum().backward()
    assert np.array_equal(played, w.grad)


def test_threads_play_apart():
    w = tg.tensor(np.linspace(0, 1, 500, dtype="f"), requires_grad=False)
    compiled = tg.compile(lambda x: ((x * w).sin() * w).cos())
    x = [tg.tensor(np.full(500, k, "f")) for k in range(8)]
    for _ in range(4):
        compiled(x[0])
    wanted = [((v * w).sin() * w).cos().numpy() for v in x]
    wrong = []

    def work(k):
        wrong.extend(k for _ in range(300) if not np.array_equal(compiled(x[k]), wanted[k]))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    [t.start() for t in threads], [t.join() for t in threads]
    assert not wrong


def test_nothing_stays_exchanged():
    before = dict(vars(tg.Tensor))
    compiled = tg.compile(lambda x: x.sum())
    for _ in range(4):
        compiled(ONE)
    assert vars(tg.Tensor) == before

    def fails(x):
        raise KeyError("mine")

    compiled = tg.compile(fails)
    for _ in range(3):
        with pytest.raises(KeyError):
            compiled(ONE)
    assert vars(tg.Tensor) == before


def test_a_rule_that_cannot_be_followed_stays_one_step():
    compiled = tg.compile(lambda x: tg.sort(x)[0] * 2)
    for k in range(5):
        x = tg.tensor(np.random.default_rng(k).random(6).astype("f"))
        assert np.array_equal(compiled(x), np.sort(x.numpy()) * 2)
    assert plays(compiled)


def test_a_module_keeps_its_names_and_mode():
    net = nn.Linear(2, 1)
    compiled = tg.compile(net)
    assert list(compiled.state_dict()) == ["_orig_mod.weight", "_orig_mod.bias"]
    assert compiled.weight is net.weight
    assert compiled.in_features == 2
    compiled.eval()
    assert not net.training


def test_copies_record_for_themselves():
    net = tg.compile(nn.Linear(2, 1))
    for _ in range(5):
        net(ONE)
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert plans(other) == []
        with tg.no_grad():
            other.weight.add_(1)
        for _ in range(5):
            assert np.array_equal(other(ONE).detach(), other._orig_mod(ONE).detach())
        assert plays(other)
        assert not np.array_equal(other(ONE).detach(), net(ONE).detach())


class Doubled(nn.Module):
    def __init__(self, scale):
        super().__init__()
        self.layer = nn.Linear(2, 1)
        self.scale = scale

    @tg.compile
    def forward(self, x):
        return self.layer(x) * self.scale


def test_a_method_is_played_back_for_each_object():
    nets = Doubled(2.0), Doubled(3.0)
    for _ in range(5):
        for net in nets:
            assert np.array_equal(net(ONE).detach(), (net.layer(ONE) * net.scale).detach())
    assert plays(Doubled.forward, 2)


def test_disable_and_decorator():
    assert tg.compile(abs, disable=True) is abs
    assert tg.compile(fullgraph=True)(lambda x: x + 1)(ONE).tolist() == [2.0, 3.0]
    with pytest.raises(ValueError, match="expected a function"):
        tg.compile(3)


# ---- with the compiled kernels ---------------------------------------------------------------------------------------


def arithmetic(x, c, row):
    y = x
    for _ in range(4):
        y = y * c + row - x / 3.0
    low = y.clamp(max=2.0).maximum(c) * -1.0
    return (low * low).sum() + y.mean()


@pytest.mark.skipif(find_spec("numba") is None, reason="the kernels of the extra fast")
@pytest.mark.parametrize("rows", [5, 20_000])
def test_runs_of_arithmetic_become_one_loop(rows):
    tg.set_kernels("numba")
    compiled = tg.compile(arithmetic)
    rng = np.random.default_rng(0)
    for turn in range(6):
        arrays = [rng.standard_normal(s).astype("f") for s in ((rows, 7), (rows, 7), (7,))]
        if turn == 5:
            arrays[0][1, 2], arrays[1][2, 3], arrays[0][3, 4] = np.nan, np.inf, -np.inf
        found = []
        with np.errstate(all="ignore"):
            for f in (arithmetic, compiled):
                leaves = [tg.tensor(a, requires_grad=True) for a in arrays]
                loss = f(*leaves)
                loss.backward()
                found.append([np.array(loss.detach()), *(np.array(v.grad) for v in leaves)])
        for a, b in zip(*found, strict=True):
            size = np.max(np.abs(np.nan_to_num(a, posinf=0, neginf=0)))
            assert np.allclose(a, b, rtol=2e-5, atol=1e-5 * max(1, size), equal_nan=True)
    assert plays(compiled)
    assert any(step.kind == (FUSED if rows > 7 else GATHERED) for step in plans(compiled)[0].forward.steps)


def network(x, w, b):
    """Its inputs reach the tails of tanh, where the derivative is another formula."""
    h = (x @ w.T + b).tanh()
    return ((h @ w).tanh() - x).square().mean()


def along_axes(x, w, b):
    y = x.reshape(2, 3, 7) * w[0]
    centred = y - y.mean((0, 2), keepdim=True)
    return centred.abs().sum(1).amax() + (centred.square().sum(-1) + 1).log().sum() - y.sum()


def views(x, w, b):
    y = (x[1:4] @ w[:, ::2].T[:, 0].repeat(2)[:7]).exp()
    low = tg.where(x < w[:6] * 2, x, w[:6].flip(0)).transpose(0, 1)[2:5]
    return y.sum() + (low[..., None] * x.mean(1)).sum() + low.reshape(-1)[3]


def in_place(x, w, b):
    y = x @ w.T
    y.mul_(0.5).add_(b)
    y[1] = 0
    return (y / 3).sum().sqrt() + (y * y).mean()


def shared_parts(x, w, b):
    """What one step uses twice, outputs that are used on, and views of both."""
    y = x * 2 + 1
    z = y.T @ y
    return z.T.sum() + (y * y).sum() + z[0, 0] * z[1].max()


@pytest.mark.skipif(find_spec("numba") is None, reason="the kernels of the extra fast")
@pytest.mark.parametrize(
    ("function", "dtype"),
    [(f, "float32") for f in (network, along_axes, views, in_place, shared_parts)] + [(network, "float64")],
)
def test_runs_of_small_steps_become_one_function(function, dtype):
    tg.set_kernels("numba")
    compiled = tg.compile(function)
    rng = np.random.default_rng(0)
    for turn in range(7):
        arrays = [rng.standard_normal(s).astype(dtype) for s in ((6, 7), (7, 7), (7,))]
        arrays[0][2] *= 9 if turn > 4 else 1
        if turn == 6:
            arrays[0][1, 2] = np.nan
        found = []
        with np.errstate(all="ignore"):
            for f in (function, compiled):
                leaves = [tg.tensor(a, requires_grad=True) for a in arrays]
                loss = f(*leaves)
                loss.backward()
                found.append([np.array(v.detach()) for v in (loss, *(leaf.grad for leaf in leaves)) if v is not None])
        assert len(found[0]) == len(found[1])
        close = 2e-5 if dtype == "float32" else 1e-12
        for a, b in zip(*found, strict=True):
            assert np.allclose(a, b, rtol=close, atol=close * np.max(np.abs(np.nan_to_num(a))), equal_nan=True)
    assert plays(compiled)
    steps = [step for plan in plans(compiled) for way in (plan.forward, plan.backward) for step in way.steps]
    assert any(step.kind == GATHERED for step in steps)


@pytest.mark.skipif(find_spec("numba") is None, reason="the kernels of the extra fast")
@pytest.mark.parametrize("net", ["MLP", "CNN", "LSTM"])
def test_training_with_compiled_kernels_is_the_same_but_for_rounding(net):
    tg.set_kernels("numba")
    make, data = NETS[net]
    usual, played = (Training(make, "SGD", way) for way in ("usual", "step"))
    rng = np.random.default_rng(0)
    for _ in range(6):
        x, y = data(rng)
        state = tg.get_rng_state()
        wanted = usual.step(x, y).item()
        tg.set_rng_state(state)
        assert played.step(x, y).item() == pytest.approx(wanted, rel=1e-5)
        for a, b in zip(usual.numbers(), played.numbers(), strict=True):
            assert np.allclose(a, b, rtol=1e-4, atol=1e-6)
    assert plays(played.compiled)
