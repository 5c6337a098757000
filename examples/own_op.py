"""
An op of your own
=================

An op of your own, and whether to believe its derivative.

The op is ``logcosh(x) = ln cosh x``, a smooth cousin of ``|x|``. Its derivative is tanh x. Somebody wrote it three
times: once right; once with a derivative that is right except far out, where cosh overflows; once with one that
is almost right everywhere. The checker finds both mistakes. Run it: ``python examples/own_op.py``.
"""

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.gradcheck import GradientError, gradcheck, gradgradcheck
from tinygrad_cnn.ops import Op


class LogCosh(Op):
    """y = ln cosh x        dx = g tanh x"""

    def forward(x):
        return np.logaddexp(x, -x) - np.log(2)  # cosh itself overflows at x = 711

    def d_x(g, x):
        return g * np.tanh(x)


class Overflowing(Op):
    """y = ln cosh x        dx = g sinh x / cosh x, which is ∞ / ∞ for large x"""

    def forward(x):
        return np.logaddexp(x, -x) - np.log(2)

    def d_x(g, x):
        return g * np.sinh(x) / np.cosh(x)


class Approximate(Op):
    """y = ln cosh x        dx = g x / √(1 + x²), which only looks like tanh"""

    def forward(x):
        return np.logaddexp(x, -x) - np.log(2)

    def d_x(g, x):
        return g * x / np.sqrt(1 + x * x)


def verdict(op, x):
    """What the checker says of the op at x."""
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            gradcheck(op.apply, x)
            gradgradcheck(op.apply, x)
    except GradientError as error:
        return f"wrong: {error}"
    return "right, to second order"


def main():
    """Judge the three; return the verdicts."""
    near = tg.tensor([-1.5, -0.1, 0.4, 2.0], dtype=tg.float64, requires_grad=True)
    far = tg.tensor([900.0], dtype=tg.float64, requires_grad=True)
    verdicts = {(op.__name__, where): verdict(op, x) for op in (LogCosh, Overflowing, Approximate)
                for where, x in (("near", near), ("far", far))}  # fmt: skip
    for (name, where), said in verdicts.items():
        print(f"{name:12} {where:5} {said}")
    return verdicts


if __name__ == "__main__":
    main()
