"""What every op of the registry is put through, one function a claim; each raises `GradientError`.

They take an op and a sample of it, as Hypothesis or a random generator drew it, and check at random cotangents
and directions, signed and of no particular size.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn import autograd
from tinygrad_cnn.core.op import Op, Sample
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.gradcheck.differences import Estimate, derivative
from tinygrad_cnn.gradcheck.memory import LAYOUTS
from tinygrad_cnn.gradcheck.verdicts import GradientError
from tinygrad_cnn.tensor import Tensor

__all__ = ["CHECKS"]

TOLERANCE = 1e-7
"""Relative to the size of what is compared, beside ten times the estimated error of the differences."""


def differentiable(op: type[Op], inputs: tuple[Any, ...]) -> list[int]:
    """The places of the inputs that have a derivative."""
    if op.variadic:
        return list(range(len(inputs)))
    return [k for k, rule in enumerate(op.rules) if rule is not None]


def forward(op: type[Op], inputs: tuple[Any, ...], options: dict[str, Any]) -> NDArray:
    """The output at ndarray speed, the auxiliary ones left out."""
    y = op.forward(*inputs, **options)
    return np.asarray(y[0] if op.aux else y)


def record(op: type[Op], inputs: tuple[Any, ...], options: dict[str, Any]) -> tuple[Tensor, list[Tensor]]:
    """The recorded output, and its differentiable inputs as leaves."""
    wanted = differentiable(op, inputs)
    tensors = [Tensor(a, requires_grad=k in wanted) for k, a in enumerate(inputs)]
    y = op.apply(*tensors, **options)
    return (y[0] if op.aux else y), [tensors[k] for k in wanted]


def vjp(op: type[Op], inputs: tuple[Any, ...], options: dict[str, Any], v: Any, *, create: bool = False) -> list[Any]:
    """The cotangents of the differentiable inputs: ndarrays, or Tensors if the pass is recorded."""
    y, leaves = record(op, inputs, options)
    gradients = autograd.grad(y, leaves, v, create_graph=create)
    for leaf, gradient in zip(leaves, gradients, strict=True):
        if gradient.shape != leaf.shape:
            raise GradientError(f"{op.name}: the gradient of an input of shape {leaf.shape} has shape {gradient.shape}")
    return list(gradients) if create else [g.numpy() for g in gradients]


def noise(random: np.random.Generator, shape: tuple[int, ...]) -> NDArray:
    """Signed numbers, none of them near 0 or 1, in an array that must not be written."""
    values = np.asarray(random.uniform(0.2, 0.9, shape) * random.choice([-1.0, 1.0], shape))
    values.flags.writeable = False
    return values


def inner(a: Any, b: Any) -> float:
    """⟨a, b⟩, summed in extended precision where the machine has it."""
    return float(np.sum(np.asarray(a, np.longdouble) * np.asarray(b, np.longdouble)))


def check_close(claim: str, op: type[Op], found: float, estimate: Estimate) -> None:
    """Two numbers agree within ten times the error bar, which must be small, and `TOLERANCE` of their size."""
    expected, error = estimate
    if estimate.coarse:
        raise GradientError(f"{op.name}: {claim}: the differences are too coarse, {expected!r} ± {error:.2g}")
    bound = 10 * error + TOLERANCE * max(1.0, abs(expected))
    if not abs(found - expected) <= bound:
        raise GradientError(f"{op.name}: {claim}: {found!r}, expected {expected!r} within {bound:.2g}")


def check_first_order(op: type[Op], sample: Sample, random: np.random.Generator) -> None:
    """⟨v, J u⟩ by differences equals ⟨Jᵀ v, u⟩ by the rules, for each input apart."""
    inputs, options = sample
    v = noise(random, forward(op, inputs, options).shape)
    for k, gradient in zip(differentiable(op, inputs), vjp(op, inputs, options, v), strict=True):
        u = noise(random, inputs[k].shape)

        def along(t: float, k: int = k, u: NDArray = u) -> float:
            return inner(v, forward(op, moved(inputs, {k: t * u}), options))

        estimate = derivative(along)
        check_close(f"d_{name_of(op, k)} against differences", op, inner(gradient, u), estimate)


def check_second_order(op: type[Op], sample: Sample, random: np.random.Generator) -> None:
    """The derivative of ⟨w, Jᵀ v⟩, recorded, equals its differences, in the inputs and in the cotangent."""
    inputs, options = sample
    wanted = differentiable(op, inputs)
    y, leaves = record(op, inputs, options)
    v = Tensor(noise(random, y.shape), requires_grad=True)
    weights = [noise(random, leaf.shape) for leaf in leaves]
    first = autograd.grad(y, leaves, v, create_graph=True)
    total = sum((g * w).sum() for g, w in zip(first, weights, strict=True))
    if not isinstance(total, Tensor) or not total.requires_grad:
        if any(np.any(g.detach().numpy()) for g in first):
            raise GradientError(f"{op.name}: the recorded gradient does not depend on the cotangent")
        return  # the derivative is 0 everywhere
    second = autograd.grad(total, [*leaves, v], allow_unused=True)
    steps = [noise(random, t.shape) for t in (*leaves, v)]
    found = sum(inner(d, u) for d, u in zip(second, steps, strict=True) if d is not None)

    def along(t: float) -> float:
        there = moved(inputs, {k: t * u for k, u in zip(wanted, steps, strict=False)})
        gradients = vjp(op, there, options, v.detach().numpy() + t * steps[-1])
        return sum(inner(g, w) for g, w in zip(gradients, weights, strict=True))

    check_close("second order against differences", op, found, derivative(along))


def check_both_speeds(op: type[Op], sample: Sample, random: np.random.Generator) -> None:
    """The rules give the same numbers to arrays and to Tensors."""
    inputs, options = sample
    v = noise(random, forward(op, inputs, options).shape)
    plain, recorded = (vjp(op, inputs, options, v, create=c) for c in (False, True))
    for k, a, b in zip(differentiable(op, inputs), plain, recorded, strict=True):
        if not np.allclose(a, b.detach().numpy(), rtol=1e-12, atol=1e-12):
            raise GradientError(f"{op.name}: d_{name_of(op, k)} gives arrays {a!r} and Tensors {b!r}")


def check_linear_in_cotangent(op: type[Op], sample: Sample, random: np.random.Generator) -> None:
    """Jᵀ(a v + w) = a Jᵀv + Jᵀw."""
    inputs, options = sample
    shape = forward(op, inputs, options).shape
    v, w = noise(random, shape), noise(random, shape)
    parts = zip(*(vjp(op, inputs, options, g) for g in (-2.5 * v + w, v, w)), strict=True)
    for k, (whole, of_v, of_w) in zip(differentiable(op, inputs), parts, strict=True):
        if not np.allclose(whole, -2.5 * of_v + of_w, rtol=1e-9, atol=1e-9):
            raise GradientError(f"{op.name}: d_{name_of(op, k)} is not linear in the cotangent")


def check_cotangent_layouts(op: type[Op], sample: Sample, random: np.random.Generator) -> None:
    """A cotangent counts by its values, however its memory is laid out: Fortran order, reversed, stride 0."""
    inputs, options = sample
    shape = forward(op, inputs, options).shape
    v = noise(random, shape)
    for w in (layout(v) for layout in LAYOUTS):
        found, expected = vjp(op, inputs, options, w), vjp(op, inputs, options, np.array(w, order="C"))
        for k, a, b in zip(differentiable(op, inputs), found, expected, strict=True):
            if not np.allclose(a, b, rtol=1e-12, atol=1e-12):
                raise GradientError(
                    f"{op.name}: d_{name_of(op, k)} depends on the memory of the cotangent (strides {w.strides})"
                )


def check_exact_adjoint(op: type[Op], sample: Sample, random: np.random.Generator) -> None:
    """For linear ops on whole numbers ⟨v, f(x)⟩ = ⟨fᵀ(v), x⟩ holds to the last bit: no differences, no tolerance."""
    inputs = tuple(np.round(a * 4) if a.dtype.kind == "f" else a for a in sample.inputs)
    y = forward(op, inputs, sample.options)
    v = random.integers(-4, 5, y.shape).astype(np.float64)
    wanted = differentiable(op, inputs)
    products = [inner(g, inputs[k]) for k, g in zip(wanted, vjp(op, inputs, sample.options, v), strict=True)]
    expected = inner(v, y)
    values = [sum(products)] if op.linear == "jointly" else products
    if any(value != expected for value in values):
        raise GradientError(f"{op.name}: adjoint identity: ⟨v, f(x)⟩ is {expected}, ⟨fᵀ(v), x⟩ are {values}")


def check_pure(op: type[Op], sample: Sample, random: np.random.Generator) -> None:
    """Read-only inputs and cotangents do; nothing is written; gradients share no memory with anything."""
    inputs = tuple(_frozen(a) for a in sample.inputs)
    before = [a.copy() for a in inputs]
    y, leaves = record(op, inputs, sample.options)
    v = noise(random, y.shape)
    kept = v.copy()
    y.backward(v)
    arrays = [leaf.grad.numpy() for leaf in leaves if leaf.grad is not None]
    for a, b in zip((*inputs, v), (*before, kept), strict=True):
        if not np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
            raise GradientError(f"{op.name}: an input or the cotangent was written")
    for k, a in enumerate(arrays):
        if any(np.may_share_memory(a, b) and a.size for b in (*inputs, v, y.detach().numpy(), *arrays[:k])):
            raise GradientError(
                f"{op.name}: a gradient shares the memory of an input, the cotangent or another gradient"
            )
        if not a.flags.writeable:
            raise GradientError(f"{op.name}: a gradient cannot be written")


def check_same_tensor_twice(op: type[Op], sample: Sample, random: np.random.Generator) -> None:
    """f(x, x) has the sum of both gradients."""
    inputs, options = sample
    wanted = differentiable(op, inputs)
    twins = [k for k in wanted if inputs[k].shape == inputs[wanted[0]].shape]
    if len(twins) < 2 or op.kinks:  # f(x, x) lies on a kink
        return
    x = inputs[twins[-1]]
    both = tuple(x if k in twins else a for k, a in enumerate(inputs))
    v = noise(random, forward(op, both, options).shape)
    shared = Tensor(x, requires_grad=True)
    tensors = [shared if k in twins else Tensor(a) for k, a in enumerate(both)]
    y = op.apply(*tensors, **options)
    (gradient,) = autograd.grad(y[0] if op.aux else y, shared, v)
    u = noise(random, x.shape)

    def along(t: float) -> float:
        return inner(v, forward(op, moved(both, dict.fromkeys(twins, t * u)), options))

    check_close("the same tensor twice", op, inner(gradient, u), derivative(along))


def check_float32(op: type[Op], sample: Sample, random: np.random.Generator) -> None:
    """In float32 the output and the gradients have dtype float32 and the float64 values, to its precision."""
    inputs, options = sample
    small = tuple(a.astype(np.float32) if a.dtype.kind == "f" else a for a in inputs)
    y, exact = forward(op, small, options), forward(op, inputs, options)
    v = noise(random, exact.shape)
    pairs = [(y, exact)] if "dtype" not in options else []
    pairs += list(zip(vjp(op, small, options, v.astype(y.dtype)), vjp(op, inputs, options, v), strict=True))
    for a, b in pairs:
        if b.dtype.kind == "f" and a.dtype != np.float32:
            raise GradientError(f"{op.name}: float32 became {a.dtype}")
        if not np.allclose(a, b, rtol=2e-3, atol=2e-3 * (1 + np.max(np.abs(b), initial=0))):
            raise GradientError(f"{op.name}: float32 gives {a!r}, float64 {b!r}")


def check_kinks(op: type[Op]) -> None:
    """At its kinks an op returns the gradients that it declares; those that are finite, with no NaN behind them."""
    for kink in op.kinks:
        inputs, options = tuple(np.asarray(a) for a in kink.inputs), dict(kink.options)
        with np.errstate(all="ignore"):
            y, leaves = record(op, inputs, options)
            v = Tensor(np.full(y.shape, 0.75), requires_grad=True)
            found = autograd.grad(y, leaves, v, create_graph=True)
            total = sum(g.sum() for g in found)
            recorded = isinstance(total, Tensor) and total.requires_grad
            second = autograd.grad(total, [*leaves, v], allow_unused=True) if recorded else ()
        declared = [0.75 * np.asarray(kink.gradients[k]) for k in differentiable(op, inputs)]
        for k, a, b in zip(differentiable(op, inputs), found, declared, strict=True):
            if not np.allclose(a.detach().numpy(), b, rtol=1e-12, atol=0, equal_nan=True):
                raise GradientError(f"{op.name}: at {kink.where}, d_{name_of(op, k)} is {a!r}, declared {b!r}")
        if all(np.isfinite(d).all() for d in declared) and any(
            d is not None and np.isnan(d.numpy()).any() for d in second
        ):
            raise GradientError(f"{op.name}: at {kink.where}, the second derivative is NaN")


Check = Callable[[type[Op], Sample, np.random.Generator], None]
CHECKS: tuple[Check, ...] = (
    check_first_order,
    check_second_order,
    check_both_speeds,
    check_linear_in_cotangent,
    check_cotangent_layouts,
    check_pure,
    check_same_tensor_twice,
    check_float32,
)
"""What holds for every differentiable op."""


def moved(inputs: tuple[Any, ...], by: dict[int, NDArray]) -> tuple[Any, ...]:
    """The inputs, some of them displaced."""
    return tuple(a + by[k] if k in by else a for k, a in enumerate(inputs))


def name_of(op: type[Op], k: int) -> str:
    """The name of input k."""
    return f"{op.inputs[0]}[{k}]" if op.variadic else op.inputs[k]


def _frozen(a: NDArray) -> NDArray:
    view = a.view()
    view.flags.writeable = False
    return view
