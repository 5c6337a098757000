"""`func.jvp` of every op that has a derivative, entry by entry, against differences."""

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import autograd, func
from tinygrad_cnn.core.op import registry
from tinygrad_cnn.gradcheck import Verdict, gradcheck
from tinygrad_cnn.gradcheck.drawing import RandomDraw
from tinygrad_cnn.gradcheck.functions import TensorFunction

OPS = {n: op for n, op in registry.items() if op.__module__.startswith("tinygrad_cnn.") and op.differentiable}
STRANGE = {"Gate", "Tied", "RunningStep"}
"""Their derivative is not that of their value: steps of estimators, and what is 0 by definition."""


class Pushed(TensorFunction):
    """The function of `func.jvp`, with it."""

    def jvp(self, inputs, directions):
        moving = [k for k, a in enumerate(inputs) if isinstance(a, np.ndarray)]

        def some(*given):
            arguments = list(inputs)
            for k, a in zip(moving, given, strict=True):
                arguments[k] = a
            return tuple(self.outputs(arguments))

        points = tuple(tg.tensor(inputs[k]) for k in moving)
        along = tuple(tg.tensor(u, dtype=p.dtype) for u, p in zip(directions, points, strict=True))
        return [u.numpy() for u in func.jvp(some, points, along)[1]]


def drawn(op, seed):
    inputs, options = op.sample(RandomDraw(np.random.default_rng(seed)))
    given = [
        tg.tensor(a, requires_grad=rule is not None) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a
        for a, rule in zip(inputs, [*op.rules, *[None] * (len(inputs) - len(op.rules))], strict=False)
    ]
    return given, options


def first(op, inputs, options):
    """The output, without the auxiliary ones, which have no derivative."""
    y = op.apply(*inputs, **options)
    return y[0] if op.aux else y


@pytest.mark.parametrize("name", OPS)
def test_jvp(name):
    op = OPS[name]
    for seed in range(3):
        given, options = drawn(op, seed)
        function = Pushed(lambda *a, options=options: first(op, a, options))
        report = gradcheck(
            function, given, check_forward_ad=True, check_backward_ad=False, raise_exception=False, explain=False
        )
        assert report.verdict is not Verdict.FAIL, str(report)
        if report.entries:
            return
    assert name in STRANGE


def test_what_is_not_floating_has_a_direction_of_zeros():
    x = tg.tensor([0.5, -1.0, 2.0], dtype=tg.float64)
    (values, places), (along, none) = func.jvp(lambda x: tuple(x.sort()), (x,), (x,))
    assert along.tolist() == values.tolist()
    assert (none.dtype, none.tolist()) == (places.dtype, [0, 0, 0])
    assert func.jvp(lambda x: x.argmax(), (x,), (x,))[1].tolist() == 0


@pytest.mark.parametrize("push", [func.jvp, autograd.functional.jvp], ids=["func", "functional"])
def test_a_rule_that_gives_nothing_for_zeros_is_differentiated_all_the_same(push):
    a = tg.tensor(np.random.default_rng(2).normal(size=(3, 3)), dtype=tg.float64)
    u = tg.tensor(np.random.default_rng(3).normal(size=(3, 3)), dtype=tg.float64)

    def vectors(a):
        return tg.linalg.eigh(a + a.mT)[1] ** 2

    _, along = push(vectors, (a,), (u,))
    h = 1e-6
    numeric = (vectors(a + h * u) - vectors(a - h * u)) / (2 * h)
    np.testing.assert_allclose((along[0] if isinstance(along, tuple) else along).numpy(), numeric.numpy(), atol=1e-8)
