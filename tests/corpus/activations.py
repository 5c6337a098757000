"""Activations and their layers: derivatives at the wrong place, of another function, without a cotangent."""

import numpy as np

from tests.corpus.case import Case, values
from tinygrad_cnn.core.domain import AwayFrom, Positive, Real

A, B, C = 0.5, -1.5, 0.75
X = values(20, 4, 3)
HIDDEN = values(21, 4, 2)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def sigmoid_vjp(g, x):
    return g * sigmoid(x) * (1 - sigmoid(x))


def relu6(x):
    return np.minimum(np.maximum(x, 0.0), 6.0)


def hardswish(x):
    return x * relu6(x + 3) / 6


def hardswish_vjp(g, x):
    return g * (relu6(x + 3) + x * ((x > -3) & (x < 3))) / 6


def hardswish_of_the_cotangent(g, x):
    """The pullback's argument bears the name v, and stands where x belongs."""
    return (relu6(g + 3) + g * ((x > -3) & (x < 3)) * g) / 6


def quadratic(x):
    return A * x**2 + B * x + C


def hidden_layer(w, b):
    return np.tanh(X @ w + b)


def hidden_layer_vjp(g, w, b, through):
    d = g * (1 - hidden_layer(w, b) ** 2) if through else g
    return X.T @ d, d.sum(axis=0)


def outer_layer(w):
    return sigmoid(HIDDEN @ w)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_vjp(g, x):
    y = softmax(x)
    return y * (g - np.sum(g * y, axis=-1, keepdims=True))


CASES = [
    Case(
        name="interviews.ai: sigmoid at its input",
        framework="interviews.ai",
        reference="BoltzmannEntropy/interviews.ai#4",
        year=2022,
        story="the book's solution takes x (1 - x) where y (1 - y) belongs: the derivative wants the output",
        f=sigmoid,
        wrong=lambda g, x: g * x * (1 - x),
        right=sigmoid_vjp,
        inputs=lambda: (values(0, 5),),
        kind="chain",
        also=("unknown",),
        sample=lambda draw: (draw.array(draw.shape(), Real()),),
    ),
    Case(
        name="gonn: a minus in the sigmoid's derivative",
        framework="gonn",
        reference="sausheong/gonn#8",
        year=2024,
        story="the theory writes σ - (1 - σ) for the product σ (1 - σ)",
        f=sigmoid,
        wrong=lambda g, x: g * (sigmoid(x) - (1 - sigmoid(x))),
        right=sigmoid_vjp,
        inputs=lambda: (values(1, 4),),
        kind="chain",
        also=("unknown",),
        sample=lambda draw: (draw.array(draw.shape(), Real()),),
    ),
    Case(
        name="network from scratch: the outer sigmoid",
        framework="NeuralNetworkFromScratch",
        reference="Bot-Academy/NeuralNetworkFromScratch#3",
        year=2023,
        story="the last layer's gradient leaves the derivative of its sigmoid out",
        f=outer_layer,
        wrong=lambda g, w: HIDDEN.T @ g,
        right=lambda g, w: HIDDEN.T @ sigmoid_vjp(g, HIDDEN @ w),
        inputs=lambda: (values(2, 2, 3),),
        kind="chain",
        also=("unknown",),
    ),
    Case(
        name="deepcourse: gradient before the activation",
        framework="deepcourse",
        reference="arthurdouillard/deepcourse#6",
        year=2021,
        story="the weights of a layer get the gradient of h where the one of h before its tanh belongs",
        f=hidden_layer,
        wrong=lambda g, w, b: hidden_layer_vjp(g, w, b, through=False),
        right=lambda g, w, b: hidden_layer_vjp(g, w, b, through=True),
        inputs=lambda: (values(3, 3, 2), values(4, 2)),
        kind="chain",
        also=("unknown",),
    ),
    Case(
        name="tvm: tanh without its brackets",
        framework="TVM",
        reference="apache/tvm#7340",
        year=2021,
        story="grad · 1 - y² for grad · (1 - y²): without the brackets the second term forgets the gradient",
        f=np.tanh,
        wrong=lambda g, x: g * np.ones(x.shape) - np.tanh(x) * np.tanh(x),
        right=lambda g, x: g * (1 - np.tanh(x) ** 2),
        inputs=lambda: (values(5, 4),),
        kind="nonlinear",
        also=("constant",),
        sample=lambda draw: (draw.array(draw.shape(), Real()),),
    ),
    Case(
        name="swift: hard swish of the cotangent",
        framework="Swift for TensorFlow",
        reference="tensorflow/swift-apis#743",
        year=2020,
        story="the pullback puts its own argument, the incoming gradient, in the place of x",
        f=hardswish,
        wrong=hardswish_of_the_cotangent,
        right=hardswish_vjp,
        inputs=lambda: (np.array([-4.0, -2.0, 0.5, 2.0, 4.0]),),
        kind="nonlinear",
        sample=lambda draw: (draw.array(draw.shape(), AwayFrom((-3.0, 3.0))),),
    ),
    Case(
        name="diffsharp: sigmoid without its tangent",
        framework="DiffSharp",
        reference="DiffSharp/DiffSharp#16",
        year=2015,
        story="the rule returns the derivative alone and never multiplies it by what comes in",
        f=sigmoid,
        wrong=lambda g, x: sigmoid(x) * (1 - sigmoid(x)),
        right=sigmoid_vjp,
        inputs=lambda: (values(6, 4),),
        kind="nonlinear",
        sample=lambda draw: (draw.array(draw.shape(), Real()),),
    ),
    Case(
        name="ocannl: power with the gradient of relu",
        framework="OCANNL",
        reference="ahrefs/ocannl#73",
        year=2023,
        story="the gradient of the power is a copy of relu's",
        f=lambda x: x**3,
        wrong=lambda g, x: g * (x**3 > 0),
        right=lambda g, x: 3 * g * x**2,
        inputs=lambda: (np.array([0.5, -1.5, 2.0, 1.25]),),
        kind="chain",
        also=("unknown", "mask"),
        sample=lambda draw: (draw.array(draw.shape(), Positive()),),
    ),
    Case(
        name="mxnet: a quadratic that runs forward twice",
        framework="MXNet",
        reference="apache/mxnet#16938",
        year=2019,
        story="the backward operator is registered with the forward function, which squares the incoming gradient",
        f=quadratic,
        wrong=lambda g, x: quadratic(g),
        right=lambda g, x: g * (2 * A * x + B),
        inputs=lambda: (values(7, 4),),
        kind="nonlinear",
        sample=lambda draw: (draw.array(draw.shape(), Real()),),
    ),
    Case(
        name="ctensor: the diagonal of softmax",
        framework="pocketpy cTensor",
        reference="pocketpy/cTensor#31",
        year=2025,
        story="softmax's gradient takes the diagonal of its Jacobian only, y (1 - y), as if it were elementwise",
        f=softmax,
        wrong=lambda g, x: g * softmax(x) * (1 - softmax(x)),
        right=softmax_vjp,
        inputs=lambda: (values(8, 2, 4),),
        kind="dropped",
        also=("unknown",),
        sample=lambda draw: (draw.array((draw.integer(1, 3), draw.integer(1, 4)), Real()),),
    ),
]
