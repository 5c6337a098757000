"""What cannot be checked as it is, is said in one sentence, as an exception or in the report."""

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.gradcheck import GradientError, Verdict, gradcheck, numpy_pair


def cosine(g, x):
    return g * np.cos(x)


def writes_input(x):
    x += 1
    return np.sin(x)


def vjp_writes_cotangent(g, x):
    g *= np.cos(x)
    return g.copy()


def vjp_writes_input(g, x):
    np.cos(x, out=x)
    return g * x


class Counter:
    """Adds what it has counted: 0 until it has been called a few times."""

    def __init__(self, after):
        self.calls, self.after = 0, after

    def __call__(self, x):
        self.calls += 1
        return np.sin(x) + (self.calls > self.after)


class Dice:
    """A gradient that is another at each call."""

    def __init__(self):
        self.random = np.random.default_rng(0)

    def __call__(self, g, x):
        return g * np.cos(x) + self.random.normal()


def broken(g, x):
    raise RuntimeError("not implemented")


ROLL = np.random.default_rng(1)
BAD = [
    (np.sin, cosine, [np.arange(3)], TypeError, "input 0 has dtype int64 and cannot have a derivative; pass floating"),
    (np.argmax, cosine, [np.ones(3)], ValueError, r"no output has a derivative \(the function returns int64\)"),
    (lambda x: x > 0, cosine, [np.ones(3)], ValueError, r"no output has a derivative \(the function returns bool\)"),
    (writes_input, cosine, [np.ones(3)], GradientError, "the function modifies its input; let it work on a clone"),
    (
        np.sin,
        vjp_writes_cotangent,
        [np.ones(3)],
        GradientError,
        "the vjp modifies the cotangent; let it work on a copy",
    ),
    (np.sin, vjp_writes_input, [np.ones(3)], GradientError, "the vjp modifies its input; let it work on a copy"),
    (
        np.log,
        lambda g, x: g / x,
        [-np.ones(3)],
        GradientError,
        r"returns nan at the given inputs \(output 0 at \(0,\)\)",
    ),
    (lambda x: 1 / x, cosine, [np.zeros(2)], GradientError, r"returns inf at the given inputs \(output 0 at \(0,\)\)"),
    (lambda x: x + ROLL.normal(), cosine, [np.ones(3)], GradientError, "gives another value when called again; seed"),
    (Counter(after=30), cosine, [np.ones(3)], GradientError, "the function depends on state: called again after other"),
    (np.sin, Dice(), [np.ones(3)], GradientError, "the gradient of input 0 differs when it is computed again"),
    (np.sin, broken, [np.ones(3)], GradientError, "the vjp raises RuntimeError: not implemented"),
    (np.sin, lambda g, x: (g, g), [np.ones(3)], GradientError, "the vjp returns 2 gradients for 1 inputs"),
    (
        np.sin,
        lambda g, x: g[:2],
        [np.ones(3)],
        GradientError,
        r"the vjp returns shape \(2,\) for input 0 of shape \(3,",
    ),
    (np.sin, lambda g, x: g * 1j, [np.ones(3)], TypeError, "the vjp returns complex128 for input 0; expected real"),
    (lambda x: "no", cosine, [np.ones(3)], TypeError, "the function returned str; expected an array or a tuple"),
]


@pytest.mark.parametrize(("f", "vjp", "inputs", "raised", "sentence"), BAD)
def test_it_is_said_in_one_sentence(f, vjp, inputs, raised, sentence):
    if isinstance(f, Counter):
        f.calls = 0
    with pytest.raises(raised, match=f"^gradcheck: .*{sentence}"):
        gradcheck(numpy_pair(f, vjp), inputs)
    if isinstance(f, Counter):
        f.calls = 0
    report = gradcheck(numpy_pair(f, vjp), inputs, raise_exception=False)
    assert not report
    assert report.verdict is Verdict.FAIL
    assert "\n" not in report.problem
    assert report.headline() == report.problem


def test_the_exception_carries_the_report():
    with pytest.raises(GradientError) as caught:
        gradcheck(numpy_pair(np.sin, lambda g, x: g), [np.ones(2)])
    assert caught.value.report.verdict is Verdict.FAIL
    assert str(caught.value) == str(caught.value.report)


def test_a_little_randomness_can_be_allowed():
    random = np.random.default_rng(0)
    pair = numpy_pair(lambda x: x + 1e-13 * random.normal(size=x.shape), lambda g, x: g)
    assert not gradcheck(pair, [np.ones(2)], raise_exception=False)
    assert gradcheck(pair, [np.ones(2)], nondet_tol=1e-12)


def test_an_input_of_integers_beside_one_of_floats_is_a_constant():
    pair = numpy_pair(lambda x, k: x[k], lambda g, x, k: (np.bincount(k, g, len(x)), None))
    assert {e.input for e in gradcheck(pair, [np.ones(3), np.array([0, 2, 2])]).entries} == {0}


def test_a_missing_gradient_counts_as_zero_and_is_said():
    pair = numpy_pair(lambda x, y: x * y, lambda g, x, y: (g * y, None))
    report = gradcheck(pair, [np.ones(2), np.full(2, 3.0)], raise_exception=False)
    assert report.notes == ("no gradient, taken as 0, for input 1",)
    assert report.diagnoses[0].kind == "dropped"


def test_a_batch_of_cotangents_gives_what_each_gives_alone():
    x = tg.Tensor([0.5, 1.5], requires_grad=True)
    report = gradcheck(lambda x: x**3, x, check_batched_grad=True)
    assert "a batch of cotangents, one after another through one recorded graph, gives the same" in report.notes


def test_a_vjp_that_remembers_the_last_cotangent_fails_in_a_batch():
    class Remembers(numpy_pair(np.sin, cosine).__class__):
        def vjp_batch(self, inputs, batch):
            return [self.vjp(inputs, batch[0]) for _ in batch]

    with pytest.raises(
        GradientError, match="a batch of cotangents gives another gradient of input 0 than each of them"
    ):
        gradcheck(Remembers(np.sin, cosine), [np.ones(2)], check_batched_grad=True)


@pytest.mark.parametrize(("jitter", "right"), [(2e-16, True), (1e-9, False)])
def test_rounding_that_differs_from_call_to_call_is_no_randomness(jitter, right):
    calls = []

    def f(x):
        calls.append(x)
        return np.exp(x) * (1 + jitter * (len(calls) % 2))

    report = gradcheck(numpy_pair(f, lambda g, x: g * np.exp(x)), [np.array([0.5, -1.0])], raise_exception=False)
    assert bool(report) is right
    assert right or "another value" in report.problem


class Both(tg.autograd.Function):
    """Two outputs, whose backward gets None where there is no cotangent."""

    right = True

    @staticmethod
    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        return x * 2, x * 3

    @staticmethod
    def backward(ctx, g, h):
        if g is None or h is None:
            return (g * 2 if h is None else h * 3) if Both.right else (g if h is None else h)
        return g * 2 + h * 3


def test_outputs_without_a_cotangent_count_as_zeros(monkeypatch):
    x = tg.tensor([1.0, 2.0], dtype=tg.float64, requires_grad=True)
    assert gradcheck(Both.apply, x)
    monkeypatch.setattr(Both, "right", False)
    with pytest.raises(GradientError, match="output 0 without cotangents for the others gives another gradient"):
        gradcheck(Both.apply, x)
    assert gradcheck(Both.apply, x, check_undefined_grad=False)
    assert gradcheck(lambda x: (x.exp(), tg.ones(2)), x)


def test_the_dtypes_of_gradients_are_compared_if_asked_for():
    pair = numpy_pair(lambda x: 2 * x, lambda g, x: (2 * g).astype(np.float32))
    x = [np.array([0.5, -1.5])]
    assert gradcheck(pair, x, rtol=1e-3)
    with pytest.raises(GradientError, match="the vjp returns float32 for input 0 of dtype float64; they must be equal"):
        gradcheck(pair, x, rtol=1e-3, check_grad_dtypes=True)
    assert gradcheck(lambda x: x.exp(), tg.ones(2, requires_grad=True), check_grad_dtypes=True)


def test_forward_derivatives_come_from_the_backward_pass():
    x = tg.tensor([1.0, 2.0], dtype=tg.float64, requires_grad=True)
    report = gradcheck(lambda x: (x.sin(), x.sum()), x, check_forward_ad=True, check_backward_ad=False)
    assert "what is judged is Ju by the derivative of the backward pass; no gradient was asked for" in report.notes
    report = gradcheck(lambda x: (x.sin(), x.sum()), x, check_forward_ad=True)
    assert "the derivative of the backward pass: ⟨v, Ju⟩ = ⟨Jᵀv, u⟩" in report.oracles
    with pytest.raises(AssertionError, match="at least one of check_forward_ad or check_backward_ad"):
        gradcheck(lambda x: x.sin(), x, check_backward_ad=False)

    class Once(tg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**2

        @staticmethod
        @tg.autograd.function.once_differentiable
        def backward(ctx, g):
            return g * 2 * ctx.saved_tensors[0]

    assert gradcheck(Once.apply, x)
    with pytest.raises(GradientError, match="the derivative of the backward pass raises RuntimeError"):
        gradcheck(Once.apply, x, check_forward_ad=True)
