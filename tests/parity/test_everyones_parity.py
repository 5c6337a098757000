"""Functions of PyTorch of any structure and order, modules by parameter: beside what PyTorch finds."""

import numpy as np
import pytest
import torch

from tinygrad_cnn.gradcheck import GradientError, gradcheck, gradgradcheck, torch_function
from tinygrad_cnn.gradcheck.strategies import Real, arrays, check_gradients, shapes

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")  # PyTorch's forward mode uses it

MODULES = {
    "Linear": lambda: torch.nn.Linear(3, 2),
    "LayerNorm": lambda: torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.LayerNorm(4), torch.nn.GELU()),
    "attention": lambda: torch.nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True, activation="gelu"),
}


def leaf(*shape, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=dtype, generator=generator).requires_grad_()


def failing(report):
    return {e.name for e in report.entries if e.verdict.value == "fail"}


class Cubed(torch.autograd.Function):
    """y = x³, with a backward and a JVP that may be wrong, to first or second order."""

    @staticmethod
    def forward(x, wrong):
        return x**3

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, ctx.wrong = inputs
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * g * (x * x.detach() if ctx.wrong == "second" else x * x), None

    @staticmethod
    def jvp(ctx, u, _):
        (x,) = ctx.saved_tensors
        return (2 if ctx.wrong == "jvp" else 3) * u * x * x


def cubed(wrong=""):
    def function(x):
        return Cubed.apply(x, wrong)

    return torch_function(function)


def test_second_order_finds_what_torch_finds():
    assert gradgradcheck(cubed(), leaf(3))
    assert gradgradcheck(torch_function(lambda a, b: {"y": (a @ b).tanh(), "n": None}), [leaf(2, 3), leaf(3, 2)])
    assert not gradgradcheck(cubed("second"), leaf(3), raise_exception=False)
    assert not torch.autograd.gradgradcheck(lambda x: Cubed.apply(x, "second"), leaf(3), raise_exception=False)
    own = leaf(3, seed=5)
    assert gradgradcheck(cubed(), leaf(3), own)


def test_a_wrong_jvp_is_told_from_a_wrong_gradient():
    assert gradcheck(cubed(), leaf(3), check_forward_ad=True)
    report = gradcheck(cubed("jvp"), leaf(3), check_forward_ad=True, raise_exception=False)
    assert len(failing(report)) == 1
    assert "Ju by torch.autograd.forward_ad; the gradient of the backward pass is right" in report.notes[-1]
    assert report.diagnoses[0].kind == "factor"
    assert not torch.autograd.gradcheck(
        lambda x: Cubed.apply(x, "jvp"), leaf(3), check_forward_ad=True, raise_exception=False
    )
    assert gradcheck(cubed("jvp"), leaf(3))  # as with PyTorch, it is not asked for


def test_what_has_no_jvp_says_so():
    class Only(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        def backward(ctx, g):
            return 2 * g

    with pytest.raises(GradientError, match=r"torch\.autograd\.forward_ad raises NotImplementedError"):
        gradcheck(torch_function(Only.apply), leaf(3), check_forward_ad=True)


@pytest.mark.parametrize(
    "f", [lambda z: z * z, lambda z: z.abs(), lambda z: (z.conj() * 1j, z.angle()), torch.view_as_real]
)
def test_complex_numbers_are_those_of_torch(f):
    z = leaf(3, dtype=torch.complex128)
    assert torch.autograd.gradcheck(f, z)
    assert gradcheck(torch_function(f), z, check_forward_ad=True)
    assert gradgradcheck(torch_function(f), z)


class Squared(torch.autograd.Function):
    """z², whose backward forgets the conjugate."""

    @staticmethod
    def forward(ctx, z):
        ctx.save_for_backward(z)
        return z * z

    @staticmethod
    def backward(ctx, g):
        return 2 * g * ctx.saved_tensors[0]


def test_a_forgotten_conjugate_is_found():
    report = gradcheck(torch_function(Squared.apply), leaf(3, dtype=torch.complex128), raise_exception=False)
    assert failing(report) == {"input 0 (re, im)"}


def test_a_function_that_writes_its_input_in_place_is_told_so():
    for f in (lambda x: x.detach().mul_(2) + x, lambda x: x.data.add_(1) * x):
        with pytest.raises(GradientError, match="the function modifies its input; let it work on a clone"):
            gradcheck(torch_function(f), leaf(3))


def test_sparse_inputs_and_outputs_are_answered_in_a_sentence():
    eye = torch.eye(3, dtype=torch.float64).to_sparse().requires_grad_()
    with pytest.raises(TypeError, match="input 0 is sparse, and has no derivative where it stores nothing"):
        gradcheck(torch_function(lambda x: x.to_dense()), eye)
    with pytest.raises(TypeError, match="output 0 is sparse"):
        gradcheck(torch_function(lambda x: x.to_sparse()), leaf(2, 2))


class Undefined(torch.autograd.Function):
    """(2x, 3x), whose backward takes a cotangent that is missing for ones."""

    @staticmethod
    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        return 2 * x, 3 * x

    @staticmethod
    def backward(ctx, a, b):
        return 2 * (1 if a is None else a) + 3 * (1 if b is None else b)


def test_a_cotangent_that_is_missing_counts_as_zeros():
    with pytest.raises(GradientError, match="output 0 without cotangents for the others gives another gradient"):
        gradcheck(torch_function(Undefined.apply), leaf(3))
    assert gradcheck(torch_function(Undefined.apply), leaf(3), check_undefined_grad=False)


@pytest.mark.parametrize("make", MODULES.values(), ids=MODULES)
def test_modules_are_checked_by_parameter(make):
    torch.manual_seed(0)
    model = make().double()
    x = leaf(2, 3, 4 if isinstance(model, torch.nn.TransformerEncoderLayer) else 3)
    report = gradcheck(model, x.detach(), shrink=False)
    assert {e.name for e in report.entries} == {name for name, _ in model.named_parameters()}
    assert f"{type(model).__name__} in training mode" in report.notes[0]


def test_buffers_and_frozen_parameters_are_held_and_training_leaves_them():
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2)).double()
    model[0].bias.requires_grad_(False)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    for mode in (True, False):
        report = gradcheck(model.train(mode), leaf(4, 3), check_batched_grad=True)
        assert {e.name for e in report.entries} == {"0.weight", "1.weight", "1.bias", "input 0"}
        assert "held constant: 0.bias, 1.running_mean, 1.running_var, 1.num_batches_tracked" in report.notes[0]
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


def test_a_mistake_in_one_parameter_is_found_under_its_name():
    class Half(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.body = torch.nn.Linear(3, 2).double()

        def forward(self, batch, *, scale):
            held = self.body.bias.detach() + 0 * self.body.bias
            return {"logits": (batch["x"] @ self.body.weight.T + held) * scale, "cache": None}

    batch, scale = {"x": leaf(4, 3), "ids": [1, 2]}, leaf(1)
    report = gradcheck(Half(), [batch], kwargs={"scale": scale}, raise_exception=False)
    assert {e.name for e in report.entries} == {"body.weight", "body.bias", "input 0['x']", "scale"}
    assert failing(report) == {"body.bias"}


def test_tensors_say_themselves_that_a_function_is_torchs():
    assert gradcheck(torch.tanh, leaf(3))
    assert np.isfinite(gradcheck(lambda p: p["a"].exp(), {"a": leaf(2)}).worst.analytic)
    assert gradcheck(lambda x: {"y": 2 * x}, leaf(3), grad_outputs={"y": leaf(3, seed=2)})


def test_second_order_of_drawn_inputs():
    drawn = check_gradients(arrays(shapes(), Real()), adapter=torch_function, order=2, examples=5)
    drawn(torch.tanh)()
    with pytest.raises(GradientError, match="the second derivative is wrong"):
        drawn(lambda x: Cubed.apply(x, "second"))()


def test_one_call_checks_both_modes_of_a_module():
    both = ("training", "evaluation")
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2), torch.nn.Tanh()).double()
    model[1].eval()
    before = {name: t.clone() for name, t in model.state_dict().items()}
    report = gradcheck(model, leaf(4, 3), modes=both)
    learnt = ("0.weight", "0.bias", "1.weight", "1.bias", "input 0")
    assert {e.name for e in report.entries} == {f"{mode}: {name}" for mode in both for name in learnt}
    assert all(torch.equal(t, before[name]) for name, t in model.state_dict().items())
    assert [part.training for part in model.modules()] == [True, True, False, True]
    assert gradgradcheck(model, leaf(4, 3), modes=both, fast_mode=True)


def test_counts_among_the_outputs_have_no_derivative():
    assert gradcheck(torch_function(lambda x: {"y": x.sin(), "steps": 3}), leaf(3))
