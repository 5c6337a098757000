"""Functions of any structure: dictionaries, keyword arguments, None, complex numbers, modules, a JVP of one's own.

Right ones pass and one mistake in one part of them is found there, by its name. What is right here is known from
mathematics: for complex numbers f(z) = z² has the gradient conj(2z) g of PyTorch's definition.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.gradcheck import GradientError, gradcheck, gradgradcheck, numpy_pair, progress
from tinygrad_cnn.gradcheck.trees import aligned, leaves, rebuilt

RANDOM = np.random.default_rng(3)


def leaf(*shape, dtype=tg.float64):
    return tg.tensor(RANDOM.normal(size=shape), dtype=dtype, requires_grad=True)


def failing(report):
    return {e.name for e in report.entries if e.verdict.value == "fail"}


class Pair(NamedTuple):
    a: object
    b: object


@dataclass(frozen=True)
class Layer:
    weight: object
    bias: object
    stride: int = 2


TREES = [
    {"a": 1, "b": [2, (3, None)]},
    Pair(1, {"x": 2}),
    Layer(1, [2, 3]),
    OrderedDict(z=1, a=(2,)),
    [],
    5,
]


@pytest.mark.parametrize("tree", TREES)
def test_a_structure_is_taken_apart_and_put_together_again(tree):
    found = [value for _, value in leaves(tree)]
    again = rebuilt(tree, found)
    assert again == tree
    assert type(again) is type(tree)
    assert aligned(tree, tree) == found
    assert aligned(tree, None) == [None] * len(found)
    other = [value for _, value in leaves(rebuilt(tree, range(10, 20)))]
    assert other == list(range(10, 10 + len(found)))


def test_paths_are_what_python_would_write():
    tree = {"w": [1, Layer(2, 3)], "p": Pair(4, 5)}
    for path, value in leaves(tree):
        assert eval(f"tree{path}") == value


STRUCTURES = {
    "dictionary": lambda a, b: {"a": a, "b": b},
    "list": lambda a, b: [a, b],
    "named tuple": Pair,
    "dataclass": Layer,
    "nested": lambda a, b: {"deep": [{"a": a}, (b, 3)]},
}


@pytest.mark.parametrize("make", STRUCTURES.values(), ids=STRUCTURES)
def test_inputs_in_structures_are_checked_under_their_places(make):
    def product(p, x):
        a, b = (v for _, v in leaves(p) if isinstance(v, tg.Tensor))
        return a * b.exp() + x

    def held(p, x):
        a, b = (v for _, v in leaves(p) if isinstance(v, tg.Tensor))
        return a * (b.detach().exp() + 0 * b) + x

    given = make(leaf(3), leaf(3))
    report = gradcheck(product, [given, leaf(3)])
    paths = [path for path, v in leaves(given) if isinstance(v, tg.Tensor)]
    assert {e.name for e in report.entries} == {*(f"input 0{p}" for p in paths), "input 1"}
    assert gradgradcheck(product, [given, leaf(3)])
    wrong = gradcheck(held, [given, leaf(3)], raise_exception=False, names=["p", "x"])
    assert failing(wrong) == {f"p{paths[1]}"}


def test_a_structure_without_derivatives_is_an_argument_as_it_is():
    report = gradcheck(lambda sizes, x: x.reshape(*sizes["new"]), [{"new": (3, 2)}, leaf(2, 3)])
    assert {(e.input, e.name) for e in report.entries} == {(1, "input 1")}


def test_outputs_of_any_structure_and_none_among_them():
    def outputs(x):
        return {"square": x * x, "none": None, "more": [x.exp(), (x.sum(), None)]}

    assert gradcheck(outputs, leaf(3))
    assert gradgradcheck(outputs, leaf(3))
    with pytest.raises(TypeError, match="the function returned NoneType; expected a Tensor"):
        gradcheck(lambda x: None, leaf(3))
    with pytest.raises(TypeError, match="the function returned str; expected a Tensor"):
        gradcheck(lambda x: {"x": x, "name": "x"}, leaf(3))


def test_keyword_arguments_are_checked_by_name():
    def scaled(x, *, by, power=1):
        return x**power * by

    report = gradcheck(scaled, leaf(3), kwargs={"by": leaf(3), "power": 3})
    assert {e.name for e in report.entries} == {"input 0", "by"}
    assert gradgradcheck(scaled, leaf(3), kwargs={"by": leaf(3), "power": 3})
    wrong = gradcheck(lambda x, by: x * (by.detach() + 0 * by), leaf(3), kwargs={"by": leaf(3)}, raise_exception=False)
    assert failing(wrong) == {"by"}


def layer(p, x, *, scale):
    return {"y": x @ p["w"] + p["b"], "loss": scale * np.sum(x * x), "nothing": None}


def layer_vjp(g, p, x, *, scale, factor=1.0):
    assert g["nothing"] is None
    gx = g["y"] @ p["w"].T + 2 * scale * x * g["loss"]
    return {"w": x.T @ g["y"], "b": factor * g["y"].sum(0)}, gx, {"scale": g["loss"] * np.sum(x * x)}


def test_numpy_pairs_have_gradients_in_the_structure_of_the_inputs():
    given = [{"w": RANDOM.normal(size=(3, 2)), "b": RANDOM.normal(size=2)}, RANDOM.normal(size=(4, 3))]
    options = {"kwargs": {"scale": np.array(0.7)}}
    report = gradcheck(numpy_pair(layer, layer_vjp), given, **options)
    assert {e.name for e in report.entries} == {"input 0['w']", "input 0['b']", "input 1", "scale"}

    def wrong(g, p, x, *, scale):
        return layer_vjp(g, p, x, scale=scale, factor=1.01)

    found = gradcheck(numpy_pair(layer, wrong), given, raise_exception=False, **options)
    assert failing(found) == {"input 0['b']"}

    def without(g, p, x, *, scale):
        return {"w": layer_vjp(g, p, x, scale=scale)[0]["w"]}, None

    found = gradcheck(numpy_pair(layer, without), given, raise_exception=False, **options)
    assert failing(found) == {"input 0['b']", "input 1", "scale"}
    with pytest.raises(
        GradientError, match=r"returns 1 gradients for 2 inputs; .* last a dictionary of those by keyword"
    ):
        gradcheck(numpy_pair(layer, lambda g, p, x, scale: p), given, **options)


Z = RANDOM.normal(size=3) + 1j * RANDOM.normal(size=3)
HOLOMORPHIC = {
    "square": (lambda z: z * z, lambda z: 2 * z),
    "exp": (np.exp, np.exp),
    "1/z": (lambda z: 1 / z, lambda z: -1 / z**2),
}


@pytest.mark.parametrize(("f", "slope"), HOLOMORPHIC.values(), ids=HOLOMORPHIC)
def test_complex_numbers_have_the_gradient_of_pytorchs_definition(f, slope):
    report = gradcheck(numpy_pair(f, lambda g, z: g * np.conj(slope(z))), [Z])
    assert {e.name for e in report.entries} == {"input 0 (re, im)"}
    with pytest.raises(GradientError):
        gradcheck(numpy_pair(f, lambda g, z: g * slope(z)), [Z])  # JAX's, without the conjugate


def test_complex_numbers_between_real_ones():
    assert gradcheck(numpy_pair(np.abs, lambda g, z: g * z / np.abs(z)), [Z])
    assert gradcheck(numpy_pair(np.conj, lambda g, z: np.conj(g)), [Z])
    assert gradcheck(
        numpy_pair(lambda x: np.exp(1j * x), lambda g, x: np.real(g * np.conj(1j * np.exp(1j * x)))), [Z.real]
    )
    in_list = numpy_pair(lambda p: p[0] * p[1], lambda g, p: [[g * np.conj(p[1]), np.real(g * np.conj(p[0]))]])
    assert gradcheck(in_list, [[Z, Z.real.copy()]])
    unwrapped = numpy_pair(in_list.function, lambda g, p: in_list.written(g, p)[0])
    assert gradcheck(unwrapped, [[Z, Z.real.copy()]])


def cubed_jvp(u, x, factor=1.0):
    return factor * 3 * x**2 * u


def test_a_jvp_of_your_own_is_compared_with_the_vjp_and_with_differences():
    x = RANDOM.normal(size=3)
    right = numpy_pair(lambda x: x**3, lambda g, x: 3 * g * x**2, cubed_jvp)
    assert "the jvp: ⟨v, Ju⟩ = ⟨Jᵀv, u⟩" in gradcheck(right, [x]).oracles
    wrong = numpy_pair(lambda x: x**3, lambda g, x: 3 * g * x**2, lambda u, x: cubed_jvp(u, x, np.array([1, 1.001, 1])))
    report = gradcheck(wrong, [x], raise_exception=False)
    assert {e.place for e in report.entries if e.verdict.value == "fail"} == {(1,)}
    assert "what is judged is Ju by the jvp; the gradient of the backward pass is right" in report.notes
    alone = {"check_backward_ad": False, "check_forward_ad": True, "raise_exception": False}
    assert gradcheck(numpy_pair(lambda x: x**3, lambda g, x: None, cubed_jvp), [x], **alone)
    assert not gradcheck(wrong, [x], **alone)
    with pytest.raises(TypeError, match="has no jvp, and check_backward_ad=False leaves nothing else"):
        gradcheck(numpy_pair(np.sin, np.cos), [x], **alone)
    with pytest.raises(GradientError, match=r"the jvp returns shapes \[\(2,\)\] for outputs of shapes \[\(3,\)\]"):
        gradcheck(numpy_pair(lambda x: x**3, lambda g, x: 3 * g * x**2, lambda u, x: u[:2]), [x])


def test_a_jvp_takes_directions_in_the_structure_of_the_inputs():
    def f(p, y):
        return p["a"] * y, p["z"] ** 2

    def vjp(g, p, y):
        return {"a": g[0] * y, "z": g[1] * np.conj(2 * p["z"])}, g[0] * p["a"]

    def jvp(u, p, y):
        tree, along = u
        return tree["a"] * y + p["a"] * along, 2 * p["z"] * tree["z"]

    report = gradcheck(numpy_pair(f, vjp, jvp), [{"a": Z.real.copy(), "z": Z}, Z.imag.copy()])
    assert "the jvp: ⟨v, Ju⟩ = ⟨Jᵀv, u⟩" in report.oracles


def test_cotangents_of_your_own_are_the_first_that_are_given():
    own = np.array([3.0, -0.125, 0.0])
    report = gradcheck(
        lambda x: {"y": x * 2}, leaf(3), grad_outputs={"y": tg.tensor(own, dtype=tg.float64)}, fast_mode=False
    )
    assert report
    seen = []

    def vjp(g, x):
        seen.append(g)
        return 2 * g

    gradcheck(numpy_pair(lambda x: 2 * x, vjp), [Z.real.copy()], grad_outputs=own)
    assert np.array_equal(seen[0], own)
    with pytest.raises(TypeError, match=r"grad_outputs have shapes \[\(2,\)\]; expected .* \[\(3,\)\]"):
        gradcheck(lambda x: x * 2, leaf(3), grad_outputs=np.ones(2))


class Scaled(nn.Module):
    """Two parameters, a buffer, a frozen parameter; `wrong` leaves the bias out of the graph, in part."""

    def __init__(self, wrong=False):
        super().__init__()
        self.wrong = wrong
        self.linear = nn.Linear(3, 2, dtype=tg.float64)
        self.frozen = nn.Parameter(tg.ones(2, dtype=tg.float64), requires_grad=False)
        self.register_buffer("shift", tg.ones(2, dtype=tg.float64))

    def forward(self, x, power=1):
        y = x @ self.linear.weight.T
        bias = self.linear.bias.detach() + 0 * self.linear.bias if self.wrong else self.linear.bias
        return ((y + bias) * self.frozen + self.shift).tanh() ** power


def test_a_module_is_checked_in_one_call_by_the_names_of_its_parameters():
    x = tg.tensor(RANDOM.normal(size=(4, 3)), dtype=tg.float64)
    report = gradcheck(Scaled(), x, kwargs={"power": 2})
    assert {e.name for e in report.entries} == {"linear.weight", "linear.bias"}
    assert "Scaled in training mode; held constant: frozen, shift" in report.notes
    assert {e.name for e in gradcheck(Scaled(), leaf(4, 3)).entries} == {"linear.weight", "linear.bias", "input 0"}
    assert failing(gradcheck(Scaled(wrong=True), x, raise_exception=False)) == {"linear.bias"}
    assert gradgradcheck(Scaled(), x)


def test_training_and_evaluation_mode_are_what_the_module_is_in_and_leave_it_as_it_was():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Tanh()).double()
    before = {name: t.numpy().copy() for name, t in model.state_dict().items()}
    x = tg.tensor(RANDOM.normal(size=(2, 1, 4, 4)), dtype=tg.float64)
    for mode in ("training", "evaluation"):
        report = gradcheck(model.train(mode == "training"), x)
        assert {e.name for e in report.entries} == {"0.weight", "0.bias", "1.weight", "1.bias"}
        assert report.notes[0].startswith(f"Sequential in {mode} mode; held constant: 1.running_mean, 1.running_var")
    assert all(np.array_equal(t.numpy(), before[name]) for name, t in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


class Forgetful(nn.Module):
    """Its gradient is wrong in evaluation mode."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(2, dtype=tg.float64)
        self.inner = nn.Sequential(nn.Dropout(0.0), nn.Tanh())
        self.inner.eval()

    def forward(self, x):
        y = self.norm(x)
        return self.inner(y if self.training else y + y.detach())


def test_one_call_checks_both_modes_of_a_module():
    both, x = ("training", "evaluation"), tg.tensor(RANDOM.normal(size=(4, 2)), dtype=tg.float64)
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Tanh()).double()
    report = gradcheck(model, x, modes=both)
    assert {e.name for e in report.entries} == {
        f"{mode}: {name}" for mode in both for name in ("0.weight", "0.bias", "1.weight", "1.bias")
    }
    assert len({e.input for e in report.entries}) == len(report.shapes) == 8
    assert [note.partition(";")[0] for note in report.notes] == [f"Sequential in {mode} mode" for mode in both]
    assert gradgradcheck(model, x, modes=both)
    assert {e.name for e in gradcheck(model, x, modes=["evaluation"]).entries} == {
        "0.weight", "0.bias", "1.weight", "1.bias",
    }  # fmt: skip

    wrong = Forgetful()
    wrong.norm.running_var[:] = 0.5
    assert gradcheck(wrong, x)
    report = gradcheck(wrong, x, modes=both, raise_exception=False)
    assert failing(report) == {"evaluation: norm.weight", "evaluation: norm.bias"}
    assert report.diagnoses[0].message.startswith("in evaluation: ")
    assert report.worst.steps or report.drawn().worst.steps
    assert type(report).from_json(report.to_json()).shapes == report.shapes
    assert [part.training for part in wrong.modules()] == [True, True, False, False, False]

    for modes in ((), "training", ("train",)):
        with pytest.raises(ValueError, match="expected one or both of"):
            gradcheck(model, x, modes=modes)
    for function in (lambda x: x * 2, numpy_pair(np.sin, np.cos)):
        with pytest.raises(TypeError, match="is no module, and has no training mode"):
            gradcheck(function, leaf(2), modes=both)


def test_a_mode_in_which_nothing_can_be_judged_is_told():
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5)).double()
    report = gradcheck(model, leaf(3, 2), modes=("training", "evaluation"), raise_exception=False)
    assert report.problem.endswith("(in training)")
    assert {e.verdict.value for e in report.entries if e.name.startswith("evaluation")} == {"pass"}


def test_counts_among_the_outputs_have_no_derivative():
    def several(x):
        y = x.sin()
        return {"y": y, "steps": 3, "loss": y.sum().item(), "none": None}

    assert gradcheck(several, leaf(3), grad_outputs={"y": tg.ones(3), "steps": 3, "loss": 0.0, "none": None})
    assert gradgradcheck(several, leaf(3))
    pair = numpy_pair(lambda x: {"y": np.sin(x), "steps": 3}, lambda g, x: g["y"] * np.cos(x))
    assert gradcheck(pair, [np.ones(2)])
    with pytest.raises(TypeError, match="the function returned int; expected a Tensor"):
        gradcheck(lambda x: 3, leaf(3))


def test_what_takes_arrays_alone_says_so_of_keywords():
    class Own:
        def evaluate(self, inputs):
            return (inputs[0] * 2,)

        def vjp(self, inputs, cotangents):
            return (cotangents[0] * 2,)

    assert gradcheck(Own(), [np.ones(2)])
    with pytest.raises(TypeError, match="Own is given arrays alone; bind keyword arguments beforehand"):
        gradcheck(Own(), [np.ones(2)], kwargs={"k": 1})


THROUGH = {
    "float16": lambda g: g.astype(np.float16),
    "bfloat16": lambda g: (g.astype(np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32),
    "nothing small": lambda g: np.where(np.abs(g) < 0.001, 0.0, g),
    "clipped at 20": lambda g: np.clip(g, -20, 20),
    "a constant when nothing comes in": lambda g: g if np.any(g) else g + 1e-3,
    "nothing": lambda g: g,
}


@pytest.mark.parametrize("through", THROUGH)
@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda x: 2 * x, lambda x: 2.0),
        (lambda x: np.sum(x * x), lambda x: 2 * x),
        (lambda x: x**3, lambda x: 3 * x**2),
    ],
)
def test_a_vjp_that_is_right_for_cotangents_of_some_size_only_is_found(f, slope, through):
    def vjp(g, x):
        return np.float64(THROUGH[through](np.asarray(g))) * slope(x)

    report = gradcheck(numpy_pair(f, vjp), [np.arange(1.0, 6.0)], raise_exception=False)
    assert bool(report) == (through == "nothing")


def test_what_is_empty_says_that_nothing_was_checked():
    report = gradcheck(lambda x: x * 2, leaf(0, 3))
    assert report  # as PyTorch's
    assert str(report).startswith("gradcheck: nothing was checked of <lambda>: there is no element to move")
    assert report.notes == ("nothing was checked of what is empty: input 0",)
    report = gradcheck(lambda x, y: x.sum() + y, [leaf(0), leaf(2)])
    assert report.headline() == "gradcheck: the gradient of <lambda> is right"
    assert report.notes == ("nothing was checked of what is empty: input 0",)


def test_markdown_for_a_pull_request():
    def wrong(g, x):
        return g * np.where(x > 1, 2, 1) * np.cos(x)

    report = gradcheck(numpy_pair(np.sin, wrong), [np.array([0.5, 2.0])], raise_exception=False, names=["a|b"])
    lines = report.to_markdown().splitlines()
    assert lines[0].startswith("#### ❌ the gradient is wrong; the worst element is a\\|b at (1,)")
    table = [line for line in lines if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in table} == {9}
    assert table[2].startswith("| `a\\|b` | (1) | ")
    assert "❌ fail" in table[2]
    assert "✅ pass" in table[3]
    assert f"It looks like this (**{report.diagnoses[0].kind}**)" in report.to_markdown()
    right = gradcheck(numpy_pair(np.sin, lambda g, x: g * np.cos(x)), [np.array([0.5, 2.0])])
    assert right.to_markdown().startswith("#### ✅ the gradient of sin is right")


LAYOUTS = {
    "every other": np.arange(1.0, 13.0).reshape(3, 4)[:, ::2],
    "backwards": np.arange(1.0, 7.0).reshape(2, 3)[::-1, ::-1],
    "turned": np.arange(1.0, 13.0).reshape(3, 4).T[1:3],
    "one column": np.arange(1.0, 13.0).reshape(3, 4)[:, 1],
    "repeated": np.broadcast_to(np.arange(1.0, 4.0), (2, 3)),
    "transposed": np.arange(1.0, 7.0).reshape(2, 3).T,
    "plain": np.arange(1.0, 7.0).reshape(2, 3),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_function_and_its_vjp_see_arrays_that_lie_as_they_were_given(name):
    given = LAYOUTS[name]
    seen = []

    def watched(*arrays):
        seen.append(arrays[-1].strides)
        return arrays[-1].real * 2.0

    pair = numpy_pair(lambda x: 2.0 * watched(x), lambda g, x: 4.0 * g + 0 * watched(x))
    report = gradcheck(pair, [given], rtol=1e-4)
    assert report.entries
    assert name == "repeated" or seen.count(given.strides) > len(seen) / 2
    assert np.array_equal(given, np.array(LAYOUTS[name]))


def test_what_is_wrong_for_arrays_with_gaps_only_is_found():
    def vjp(g, x):  # takes the memory behind the array for its elements
        base = x if x.base is None else np.frombuffer(x.base, x.dtype)[: x.size].reshape(x.shape)
        return g * np.cos(base)

    pair = numpy_pair(np.sin, vjp)
    assert gradcheck(pair, [np.arange(1.0, 4.0)])
    assert not gradcheck(pair, [np.arange(1.0, 7.0)[::2]], raise_exception=False)


def test_a_line_says_how_far_it_is(monkeypatch, capsys):
    gradcheck(lambda x, y: x * y.exp(), [leaf(3), leaf(3)], progress=True)
    assert capsys.readouterr().err == ""  # done before anybody waits
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(progress, "EVERY", 0.0)
    gradcheck(lambda x, y: x * y.exp(), [leaf(3), leaf(3)], names=["x", "y"])
    assert capsys.readouterr().err == ""  # no terminal
    gradcheck(lambda x, y: x * y.exp(), [leaf(3), leaf(3)], names=["x", "y"], progress=True)
    lines = capsys.readouterr().err.split("\r")
    assert any("x (1 of 2)" in line for line in lines)
    assert any("y (2 of 2)" in line and "calls" in line for line in lines)
    assert lines[-1] == ""
    assert set(lines[-2]) == {" "}


def test_the_line_counts_elements_and_guesses_the_rest():
    line = progress.Progress(["w", "b"], [30, 10], None)
    line.calls = 30
    assert line.line(3.0) == "gradcheck ━━━━━━━━────────────  38%  w (1 of 2)  30 calls, 3 s, about 5 s left"
    line.input(1)
    line.calls += 20
    assert line.line(4.0) == "gradcheck ━━━━━━━━━━━━━━━━━━━━ 100%  b (2 of 2)  50 calls, 4 s"
