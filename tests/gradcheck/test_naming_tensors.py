"""The mistake named in functions of Tensors: a `Function`, an op of one's own, what leaves the graph, and hooks."""

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.autograd import Function
from tinygrad_cnn.core.op import Unary, registry
from tinygrad_cnn.core.tensor import Tensor as CoreTensor
from tinygrad_cnn.gradcheck import gradcheck
from tinygrad_cnn.gradcheck.functions import TensorFunction
from tinygrad_cnn.gradcheck.naming.learner import Learner
from tinygrad_cnn.gradcheck.naming.naming import name_mistake
from tinygrad_cnn.gradcheck.naming.recording import CannotRecord
from tinygrad_cnn.gradcheck.naming.tensors import OfTensors

RANDOM = np.random.default_rng(7)


def leaf(*shape):
    return tg.tensor(RANDOM.normal(size=shape), dtype=tg.float64, requires_grad=True)


class Softmax(Function):
    @staticmethod
    def forward(ctx, x):
        e = (x - x.max(1, keepdim=True).values).exp()
        p = e / e.sum(1, keepdim=True)
        ctx.save_for_backward(p)
        return p

    @staticmethod
    def backward(ctx, g):
        (p,) = ctx.saved_tensors
        return p * (g - (g * p).mean(1, keepdim=True))


class Linear(Function):
    @staticmethod
    def forward(ctx, x, w, b):
        ctx.save_for_backward(x, w)
        return x @ w.t() + b

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return g @ w, g.t() @ x, g.mean(0)


class Relu(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        d = g.clone()
        d[x > 0] = 0
        return d


class Leaky(Function):
    @staticmethod
    def forward(x, slope):
        return tg.where(x > 0, x, slope * x)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0])

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * (x > 0), None


class Both(Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y, x / y

    @staticmethod
    def backward(ctx, g, h):
        x, y = ctx.saved_tensors
        return g * y + h / y, g * x + h * x / y**2


class Conv(Function):
    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        out = tg.zeros(x.shape[0] - w.shape[0] + 1, dtype=x.dtype)
        for i in range(out.shape[0]):
            out[i] = (x[i : i + w.shape[0]] * w).sum()
        return out

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        dx, dw = tg.zeros_like(x), tg.zeros_like(w)
        for i in range(g.shape[0]):
            dx[i : i + w.shape[0]] = g[i] * w
            dw += g[i] * x[i : i + w.shape[0]]
        return dx, dw


class InPlace(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        x = x.clone()
        x.mul_(3.0).add_(1.0)
        return x.tanh()

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * (1 - (3 * x + 1).tanh() ** 2)


class SineCubed(Unary):
    """y = sin³ x    dL/dx = 3 sin² x g"""

    def forward(x):
        return np.sin(x) ** 3

    def d_x(g, x):
        return g * 3 * np.sin(x) ** 2


del registry["SineCubed"]


def hooked(x):
    y = x.exp()
    y.register_hook(lambda g: 2 * g)
    return y * x


def without_graph(x):
    with tg.no_grad():
        w = x.sigmoid()
    return w * x


def detached(x):
    mu = x.mean(1, keepdim=True)
    return (x - mu.detach()) / x.std(1, keepdim=True)


def written(x):
    y = tg.zeros(4, dtype=tg.float64)
    y[1:3] = x.exp().detach() * x
    y[0] += x[0]
    return y


MISTAKES = {
    "softmax": (
        Softmax.apply,
        [leaf(2, 3)],
        "mean for sum",
        ["of the sum in the derivative of softmax over axis 1", ": `(g * p).mean(1, keepdim=True)` should be a sum"],
    ),
    "linear": (
        lambda x, w, b: Linear.apply(x.tanh(), w, b).sigmoid(),
        [leaf(4, 3), leaf(2, 3), leaf(2)],
        "mean for sum",
        ["the axes `b` was broadcast along", ": `g.mean(0)` should be a sum"],
    ),
    "relu": (Relu.apply, [leaf(6)], "mask", ["the inverse is used in the derivative of `x.clamp(min=0)`"]),
    "leaky relu": (lambda x: Leaky.apply(x, 0.1), [leaf(6)], "held constant", ["`slope * x` is held constant"]),
    "two outputs": (
        Both.apply,
        [leaf(3), leaf(3)],
        "sign",
        ["the gradient of `y` through `x / y` has the wrong sign", ": `h * x / y**2` needs the other sign"],
    ),
    "windows": (Conv.apply, [leaf(6), leaf(3)], "overwritten", ["the gradient of `x` is assigned, not added up"]),
    "in place": (
        InPlace.apply,
        [leaf(4)],
        "factor dropped",
        ["the factor 3 is missing in the derivative of `x.mul_(3.0)`", " must be multiplied with 3"],
    ),
    "op": (SineCubed.apply, [leaf(3)], "factor dropped", ["the factor `cos(x)` is missing in the derivative of"]),
    "hook": (hooked, [leaf(4)], "too many", ["in your derivative, line ", ": the factor 2 in `2 * g` is too many"]),
    "no_grad": (without_graph, [leaf(4)], "held constant", ["`x.sigmoid()` is held constant"]),
    "detach": (detached, [leaf(3, 4)], "held constant", ["`x.mean(1, keepdim=True)` is held constant"]),
    "written": (written, [leaf(2)], "held constant", ["`x.exp()` is held constant"]),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_the_mistake_in_a_function_of_tensors_is_named(name):
    function, inputs, kind, phrases = MISTAKES[name]
    report = gradcheck(function, inputs, raise_exception=False, shrink=False)
    best = report.diagnoses[0]
    assert best.kind == kind, best.message
    assert all(phrase in best.message for phrase in phrases), best.message
    assert CoreTensor.__record__.__module__ == CoreTensor.__module__  # nobody is told of ops any more


class Noisy(TensorFunction):
    """Its gradients are right but for a factor per element."""

    random = np.random.default_rng(0)

    def vjp(self, inputs, cotangents):
        return tuple(g * self.random.uniform(0.5, 1.5, g.shape) for g in super().vjp(inputs, cotangents))


@pytest.mark.parametrize("name", ["linear", "detach", "two outputs", "in place"])
def test_a_gradient_that_no_mistake_makes_has_no_name(name):
    function, inputs, *_ = MISTAKES[name]
    of = OfTensors(Noisy(function))
    assert name_mistake(of, of.vjp, [x.detach().numpy() for x in inputs]) == []


def test_what_is_written_through_another_view_is_not_recorded():
    def through_view(x):
        y = x * 2.0
        y.reshape(2, 2)[0] *= 2.0
        return y + x

    of = OfTensors(TensorFunction(through_view))
    with pytest.raises(CannotRecord):
        Learner(of, of.vjp, [RANDOM.normal(size=4)])

    def turned(x):
        return (x * 2.0).unsqueeze_(0)

    of = OfTensors(TensorFunction(turned))
    with pytest.raises(CannotRecord, match="takes another shape in place"):
        Learner(of, of.vjp, [RANDOM.normal(size=4)])


def test_inputs_are_called_as_forward_calls_them():
    def of(function):
        return [p.name for p in OfTensors(TensorFunction(function)).__signature__.parameters.values()]

    assert of(Linear.apply) == ["x", "w", "b"]
    assert of(Leaky.apply) == ["x", "slope"]
    assert of(SineCubed.apply) == ["x"]
    assert of(hooked) == ["x"]
