"""Autograd: backward, .grad, writing in place, the graph."""

import tinygrad_cnn as tg
from tests.beginners.case import mistake
from tinygrad_cnn import nn
from tinygrad_cnn.nn import functional as F

GRADIENTS = "backward fails, or there is no gradient"


@mistake(GRADIENTS, "Nothing asked for a gradient", RuntimeError, "backward", "requires_grad=True", "no_grad()")
def _():
    x = tg.tensor([1.0, 2.0])
    (x * x).sum().backward()


@mistake(GRADIENTS, "Training under no_grad", RuntimeError, "backward", "no_grad()")
def _():
    net = nn.Linear(3, 1)
    with tg.no_grad():
        loss = net(tg.ones(2, 3)).mean()
    loss.backward()


@mistake(GRADIENTS, "The accuracy as a loss", RuntimeError, "backward", "argmax", "==")
def _():
    logits = tg.zeros(4, 3, requires_grad=True)
    accuracy = (logits.argmax(1) == tg.tensor([0, 1, 2, 0])).float().mean()
    accuracy.backward()


@mistake(GRADIENTS, "backward of a number", AttributeError, "'float'", "'backward'")
def _():
    loss = F.mse_loss(tg.ones(2, requires_grad=True), tg.zeros(2)).item()
    loss.backward()


@mistake(GRADIENTS, "backward of a batch of losses", RuntimeError, "backward", "(4,)", ".mean()")
def _():
    x = tg.ones(4, requires_grad=True)
    (x * x).backward()


@mistake(GRADIENTS, "backward twice through one graph", RuntimeError, "backward", "a second time", "retain_graph=True")
def _():
    x = tg.ones(4, requires_grad=True)
    loss = (x * x).sum()
    loss.backward()
    loss.backward()


@mistake(GRADIENTS, "A hidden state that is carried over to the next batch", RuntimeError, "a second time", "detach()")
def _():
    cell, state = nn.RNNCell(3, 5), tg.zeros(2, 5)
    for _ in range(2):
        state = cell(tg.ones(2, 3), state)
        state.sum().backward()


@mistake(GRADIENTS, "A cotangent of another shape", RuntimeError, "backward", "(2,)", "(4,)")
def _():
    x = tg.ones(4, requires_grad=True)
    (x * x).backward(tg.ones(2))


@mistake(GRADIENTS, "Integers that are to have a gradient", RuntimeError, "requires_grad", "int64", "float")
def _():
    tg.tensor([1, 2], requires_grad=True)


@mistake(GRADIENTS, "Writing into a parameter", RuntimeError, "leaf", "no_grad()")
def _():
    w = tg.ones(3, requires_grad=True)
    w -= 0.1


@mistake(GRADIENTS, "Writing over what backward needs", RuntimeError, "Exp", "(3,)", "in-place", "clone()")
def _():
    x = tg.ones(3, requires_grad=True)
    y = x.exp()
    y += 1
    y.sum().backward()


@mistake(GRADIENTS, "The step of gradient descent makes a new tensor", tg.MistakeWarning, "grad", "leaf", "no_grad()")
def _():
    w = tg.ones(3, requires_grad=True)
    for _ in range(2):
        (w * w).sum().backward()
        if w.grad is not None:
            w = w - 0.1 * w.grad


@mistake(GRADIENTS, "The gradient of a result", tg.MistakeWarning, "grad", "(3,)", "leaf", "retain_grad()")
def _():
    x = tg.ones(3, requires_grad=True)
    y = 2 * x
    y.sum().backward()
    y.grad


@mistake(GRADIENTS, "zero_() before there is a gradient", AttributeError, "'NoneType'", "'zero_'")
def _():
    w = tg.ones(3, requires_grad=True)
    w.grad.zero_()


@mistake(GRADIENTS, "A gradient of another shape, given by hand", RuntimeError, "grad", "(4,)", "(3,)")
def _():
    w = tg.ones(3, requires_grad=True)
    w.grad = tg.ones(4)


@mistake(GRADIENTS, "A gradient that is an array of NumPy", TypeError, "grad", "ndarray", "Tensor")
def _():
    w = tg.ones(3, requires_grad=True)
    w.grad = w.detach().numpy()


@mistake(GRADIENTS, "NumPy of what has a history", RuntimeError, "numpy", "detach()")
def _():
    (2 * tg.ones(3, requires_grad=True)).numpy()


@mistake(GRADIENTS, "autograd.grad of what was not used", RuntimeError, "grad", "(2,)", "allow_unused=True")
def _():
    x, z = tg.ones(3, requires_grad=True), tg.ones(2, requires_grad=True)
    tg.autograd.grad((x * x).sum(), [z])


@mistake(
    GRADIENTS, "autograd.grad of an input without requires_grad", RuntimeError, "grad", "(3,)", "requires_grad=True"
)
def _():
    x, w = tg.ones(3), tg.ones(3, requires_grad=True)
    tg.autograd.grad((x * w).sum(), [x])


@mistake(GRADIENTS, "A second derivative without create_graph", RuntimeError, "grad", "create_graph=True")
def _():
    x = tg.ones(3, requires_grad=True)
    (g,) = tg.autograd.grad((x**3).sum(), [x])
    g.sum().backward()


@mistake(GRADIENTS, "deepcopy of a result", RuntimeError, "deepcopy", "leaf", "detach().clone()")
def _():
    from copy import deepcopy

    deepcopy(2 * tg.ones(3, requires_grad=True))


@mistake(GRADIENTS, "requires_grad = False for a result", RuntimeError, "requires_grad", "detach()")
def _():
    y = 2 * tg.ones(3, requires_grad=True)
    y.requires_grad = False
