"""Ops and Functions of one's own, and checking gradients."""

import numpy as np

import tinygrad_cnn as tg
from tests.beginners.case import mistake
from tinygrad_cnn import Op
from tinygrad_cnn.autograd import Function, gradcheck, gradgradcheck

OPS = "An op of your own, or the check of its gradient, fails"


@mistake(OPS, "self in an op", TypeError, "Cube", "forward", "takes `self`", "leave it out")
def _():
    class Cube(Op):
        def forward(self, x):
            return x**3

        def d_x(self, g, x):
            return 3 * g * x**2


@mistake(OPS, "self in an op's rule", TypeError, "Cube", "d_x", "takes `self`", "leave it out")
def _():
    class Cube(Op):
        def forward(x):
            return x**3

        def d_x(self, g, x):
            return 3 * g * x**2


@mistake(OPS, "An op without a derivative", TypeError, "Cube", "d_x")
def _():
    class Cube(Op):
        def forward(x):
            return x**3


@mistake(OPS, "A derivative of something that is no input", TypeError, "Cube", "d_y", "('x',)")
def _():
    class Cube(Op):
        def forward(x):
            return x**3

        def d_x(g, x):
            return 3 * g * x**2

        def d_y(g, x):
            return 3 * g * x**2


@mistake(OPS, "A rule that asks for something unknown", TypeError, "Cube", "d_x", "'z'")
def _():
    class Cube(Op):
        def forward(x):
            return x**3

        def d_x(g, z):
            return 3 * g * z**2


@mistake(OPS, "An op called like a class", TypeError, "Exp", "apply")
def _():
    from tinygrad_cnn.core.op import registry

    registry["Exp"](tg.ones(2))


@mistake(OPS, "A rule that returns another shape", RuntimeError, "SumAll", "d_x", "()", "(3,)", "shape")
def _():
    class SumAll(Op):
        def forward(x):
            return x.sum()

        def d_x(g):
            return g

    SumAll.apply(tg.ones(3, requires_grad=True)).backward()


@mistake(OPS, "A rule without return", TypeError, "CubeOf", "d_x", "None", "return")
def _():
    class CubeOf(Op):
        def forward(x):
            return x**3

        def d_x(g, x):
            3 * g * x**2

    CubeOf.apply(tg.ones(3, requires_grad=True)).sum().backward()


@mistake(OPS, "A Function called like a class", RuntimeError, "Cube", "apply")
def _():
    class Cube(Function):
        @staticmethod
        def forward(ctx, x):
            return x**3

        @staticmethod
        def backward(ctx, g):
            return g

    Cube()(tg.ones(3))


@mistake(OPS, "self in a Function", RuntimeError, "Cube", "forward", "staticmethod")
def _():
    class Cube(Function):
        def forward(self, ctx, x):
            return x**3

        def backward(self, ctx, g):
            return g

    Cube.apply(tg.ones(3, requires_grad=True))


@mistake(OPS, "Too few gradients from backward", RuntimeError, "Product", "1", "2")
def _():
    class Product(Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(x, y)
            return x * y

        @staticmethod
        def backward(ctx, g):
            _, y = ctx.saved_tensors
            return g * y

    x = tg.ones(3, requires_grad=True)
    Product.apply(x, x).sum().backward()


@mistake(OPS, "A gradient of another shape from backward", RuntimeError, "Total", "[1, 1]", "[3]")
def _():
    class Total(Function):
        @staticmethod
        def forward(ctx, x):
            return x.sum()

        @staticmethod
        def backward(ctx, g):
            return g.reshape(1, 1)

    Total.apply(tg.ones(3, requires_grad=True)).backward()


@mistake(OPS, "backward not written", NotImplementedError, "Cube", "backward")
def _():
    class Cube(Function):
        @staticmethod
        def forward(ctx, x):
            return x**3

    Cube.apply(tg.ones(3, requires_grad=True)).sum().backward()


@mistake(OPS, "gradcheck without requires_grad", ValueError, "gradcheck", "requires_grad=True")
def _():
    gradcheck(tg.exp, tg.ones(3, dtype=tg.float64))


@mistake(OPS, "gradcheck of a wrong derivative", AssertionError, "the gradient is wrong", "x at", "factor 3 is missing")
def _():
    class Cube(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * x**2

    gradcheck(Cube.apply, tg.tensor([1.0, 2.0, 3.0], dtype=tg.float64, requires_grad=True))


@mistake(
    OPS,
    "gradgradcheck of a wrong second derivative",
    AssertionError,
    "gradgradcheck",
    "the second derivative is wrong",
    "x at",
)
def _():
    class Cube(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 3 * x.detach() ** 2

    gradgradcheck(Cube.apply, tg.tensor([1.0, 2.0, 3.0], dtype=tg.float64, requires_grad=True))


@mistake(OPS, "gradcheck of a function that leaves the graph", AssertionError, "detach")
def _():
    x = tg.tensor([1.0, 2.0], dtype=tg.float64, requires_grad=True)
    gradcheck(lambda x: tg.tensor(np.exp(x.detach().numpy())), x)
