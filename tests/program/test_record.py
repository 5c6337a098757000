"""`record`: what is written down is what was computed, and running it again computes it again."""

import io
import threading
import zlib

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.core import engine
from tinygrad_cnn.core.op import registry
from tinygrad_cnn.core.tensor import Tensor
from tinygrad_cnn.core.watch import watch
from tinygrad_cnn.core.writing import Writable
from tinygrad_cnn.gradcheck.drawing import RandomDraw
from tinygrad_cnn.nn import functional as F
from tinygrad_cnn.program import Program, record


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.head = nn.Linear(50, 3)

    def forward(self, x):
        maps = self.conv(x).relu()
        return self.head(F.max_pool2d(maps, 2).flatten(1))


def fork(a, b, c):
    s = a * b + c
    y = s.relu() + s * a
    return y  # noqa: RET504


def leaves(*numbers):
    return [tg.tensor(v, requires_grad=True) for v in numbers]


def test_the_lines_are_the_ops_in_order_with_their_names_and_places():
    program = record(fork, *leaves(2.0, -1.5, 4.0))
    assert [line.op for line in program.lines] == ["Mul", "Add", "Relu", "Mul", "Add"]
    labels = [[program.values[n].label() for n in line.inputs] for line in program.lines]
    assert labels == [["a", "b"], ["t3", "c"], ["s"], ["s", "a"], ["t5", "t6"]]
    assert [line.where[0].text for line in program.lines] == [
        "a * b",
        "a * b + c",
        "s.relu()",
        "s * a",
        "s.relu() + s * a",
    ]
    first = fork.__code__.co_firstlineno
    assert [line.where[0].line - first for line in program.lines] == [1, 1, 2, 2, 2]
    assert [program.values[n].name for n in program.outputs] == ["y"]
    assert len(str(program).splitlines()) == 1 + 5 + 1  # inputs, one line an op, what is returned


def test_what_is_kept_for_the_backward_pass_is_counted():
    program = record(lambda x, w: (x * w).exp().sum(), *(tg.ones(4, 5, requires_grad=True) for _ in range(2)))
    kept = [[("a", (4, 5), 80), ("b", (4, 5), 80)], [("y", (4, 5), 80)], []]
    assert [list(line.keeps) for line in program.lines] == kept
    assert program.bytes == 240


def test_modules_and_parameters_are_called_by_their_paths():
    net = Net()
    with record() as program:
        out = net(tg.ones(1, 1, 12, 12))
    assert [(line.op, line.module) for line in program.lines] == [
        ("Conv2DBias", "net.conv"),
        ("Relu", "net"),
        ("MaxPool2D", "net"),
        ("Reshape", "net"),
        ("Linear", "net.head"),
    ]
    parameters = {v.label(): v.tensor for v in program.values if v.role == "parameter"}
    assert parameters.keys() == {f"net.{name}" for name, _ in net.named_parameters()}
    assert all(parameters[f"net.{name}"] is p for name, p in net.named_parameters())
    assert program.modules["net.conv"] == repr(net.conv)
    assert program.lines[-1].outputs[0] == program.value("out").number
    assert out.shape == (1, 3)


def test_the_way_back_is_the_engines_own_bit_for_bit():
    net = Net()
    with record(values=True) as program:
        x = tg.randn(2, 1, 12, 12, requires_grad=True)
        loss = F.cross_entropy(net(x), tg.tensor([2, 0]))
        loss.backward()
    for tensor, name in [(x, "x"), *((p, f"net.{n}") for n, p in net.named_parameters())]:
        assert np.array_equal(program.value(name).gradient, tensor.grad.numpy())
    assert [(program.values[n].label(), g.item()) for n, g in program.seeds] == [("loss", 1.0)]
    for step in program.backward:
        line = program.lines[step.line]
        assert line.inputs[step.input] == step.to
        total = step.d if step.before is None else step.before + step.d
        assert np.array_equal(total, step.after)


def test_a_sum_over_broadcast_axes_is_there_before_and_after():
    with record(values=True) as program:
        x, b = tg.randn(3, 2, requires_grad=True), tg.randn(2, requires_grad=True)
        (x + b).sum().backward()
    step = next(step for step in program.backward if program.values[step.to].label() == "b")
    assert step.raw.shape == (3, 2)
    assert np.array_equal(step.raw.sum(0), step.d)


@pytest.mark.parametrize("name", sorted(n for n, op in registry.items() if op.__module__.startswith("tinygrad_cnn.")))
def test_every_op_can_be_run_again_on_other_inputs(name):
    op = registry[name]
    for seed in range(3):
        first = op.sample(RandomDraw(np.random.default_rng([zlib.crc32(name.encode()), seed])))
        kinds = [isinstance(x, np.ndarray) for x in first.inputs]
        if not any(kinds):
            continue

        def applied(*arrays, first=first, kinds=kinds):
            given = iter(arrays)
            return op.apply(
                *[next(given) if is_array else x for x, is_array in zip(first.inputs, kinds, strict=True)],
                **first.options,
            )

        arrays = [x for x, is_array in zip(first.inputs, kinds, strict=True) if is_array]
        program = record(applied, *arrays)
        made = op.forward(*[np.asarray(x) for x in first.inputs], **first.options)
        wanted = made if isinstance(made, tuple) else (made,)
        buffer = io.BytesIO()
        tg.save(program, buffer)
        buffer.seek(0)
        for again in (program, tg.load(buffer)):
            found = again(*arrays)
            for one, other in zip(found if isinstance(found, tuple) else (found,), wanted, strict=True):
                assert np.array_equal(
                    np.asarray(one), np.asarray(other), equal_nan=np.asarray(other).dtype.kind in "fc"
                )


def written(x):
    y = x * 2
    y += 1
    z = y.view(3, 1)
    z[0] = x[1]
    y.mul_(x)
    y[y > 2] = 0.5
    y.unsqueeze_(0)
    for _ in range(3):
        y = y.sin()
    return y.sum()


def test_writes_in_place_happen_again_with_their_derivatives():
    program = record(written, tg.tensor([1.0, 2.0, 3.0], requires_grad=True))
    for numbers in ([0.5, 0.1, -1.0], [1.0, 2.0, 3.0]):
        one, other = tg.tensor(numbers, requires_grad=True), tg.tensor(numbers, requires_grad=True)
        direct, again = written(one), program(other)
        direct.backward()
        again.backward()
        assert direct.item() == again.item() or numbers[0] == 0.5  # the mask y > 2 is a constant of the program
    assert np.array_equal(one.grad.numpy(), other.grad.numpy())


def test_parameters_are_taken_as_they_are_then():
    layer = nn.Linear(2, 1)
    program = record(layer, tg.ones(1, 2))
    with tg.no_grad():
        layer.weight.fill_(3.0)
        layer.bias.fill_(1.0)
    assert program([[1.0, 2.0]]).item() == 10.0


def test_names_that_are_bound_again_are_values_of_their_own():
    def loop(x):
        for _ in range(3):
            x = x * 2
        return x

    program = record(loop, tg.ones(2))
    assert [program.values[line.outputs[0]].name for line in program.lines] == ["x", "x", "x"]
    assert len({line.outputs[0] for line in program.lines}) == 3
    assert program([1.0, 5.0]).tolist() == [8.0, 40.0]


def test_a_derivative_by_hand_has_its_line_and_is_not_run_again():
    class Cube(tg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            return 3 * ctx.saved_tensors[0] ** 2 * g

    with record(values=True) as program:
        w = tg.tensor([1.0, 2.0], requires_grad=True)
        cube = Cube.apply(w * 1)
        (cube * cube).sum().backward()
    assert [line.op for line in program.lines if line.recorded] == ["Mul", "Cube", "Mul", "Sum"]
    assert np.array_equal(program.value("w").gradient, w.grad.numpy())
    with pytest.raises(RuntimeError, match="Cube is no op of the registry"):
        program()


def test_what_was_computed_before_is_an_input():
    x = tg.ones(2, requires_grad=True)
    before = x * 3
    with record(values=True) as program:
        (before * 2).sum().backward()
    assert [line.op for line in program.lines] == ["Mul", "Sum"]
    assert program.value("before").line is None
    assert x.grad.tolist() == [6.0, 6.0]


def test_nothing_is_left_behind(monkeypatch):
    places = [(Tensor, "__record__"), (Tensor, "arithmetic"), (Writable, "become"), (Writable, "__setitem__")]
    places += [(Writable, "assign"), (Writable, "turn"), (engine, "Pass"), (nn.Module, "__call__")]
    before = [vars(owner)[name] for owner, name in places]
    with pytest.raises(ValueError, match="broadcast"), record():
        tg.ones(2) * tg.ones(3)
    with record(), record():
        assert [vars(owner)[name] for owner, name in places] != before
    assert [vars(owner)[name] for owner, name in places] == before
    assert watch.watcher is None


def test_the_inner_one_of_two_records_and_then_the_outer_one_again():
    with record() as outer:
        x = tg.ones(2)
        with record() as inner:
            x.exp()
        x.sin()
    assert [line.op for line in outer.lines] == ["Sin"]
    assert [line.op for line in inner.lines] == ["Exp"]


def test_one_manager_may_be_entered_twice():
    usual, recording = vars(Tensor)["arithmetic"], record()
    with recording as outer:
        with recording as inner:
            tg.ones(2).exp()
        tg.ones(2).sin()
    assert [line.op for line in outer.lines] == ["Sin"]
    assert [line.op for line in inner.lines] == ["Exp"]
    assert vars(Tensor)["arithmetic"] is usual


def test_other_threads_are_not_recorded():
    with record() as program:
        thread = threading.Thread(target=lambda: (tg.ones(2, requires_grad=True) * 3).sum().backward())
        thread.start()
        thread.join()
        tg.ones(2).sin()
    assert [line.op for line in program.lines] == ["Sin"]
    assert not program.backward


def test_a_saved_program_prints_and_runs_as_before(tmp_path):
    net = Net()
    program = record(net, tg.randn(1, 1, 12, 12), values=True)
    tg.save(program, tmp_path / "program.pt")
    loaded = tg.load(tmp_path / "program.pt")
    assert isinstance(loaded, Program)
    assert str(loaded) == str(program)
    x = tg.randn(1, 1, 12, 12)
    assert np.array_equal(loaded(x).detach().numpy(), net(x).detach().numpy())


def test_a_damaged_program_is_refused(tmp_path):
    program = record(fork, *leaves(1.0, 2.0, 3.0))
    program.lines[0].inputs = (0, 99)
    tg.save(program, tmp_path / "program.pt")
    with pytest.raises(tg.io.ModelFileError, match="is damaged") as refused:
        tg.load(tmp_path / "program.pt")
    assert "names a value that is not there" in str(refused.value.__context__)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda p: p(tg.ones(3), 1.0, 1.0), ValueError, r"recorded with a of shape \(\) and dtype float32, not \(3,\)"),
        (lambda p: p(1.0), ValueError, "takes 3 inputs, 1 were given"),
        (lambda p: record(tg.ones(3)), TypeError, r"record\(f, x\), not record\(f\(x\)\)"),
        (lambda p: p.value("q"), KeyError, "no value is called 'q'"),
        (lambda p: Program()(), RuntimeError, "has no output"),
    ],
)
def test_wrong_use_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(record(fork, *leaves(1.0, 2.0, 3.0)))
