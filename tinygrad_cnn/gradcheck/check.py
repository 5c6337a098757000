"""`gradcheck` and `gradgradcheck`: is the gradient of this function what differences say it is?"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn import autograd
from tinygrad_cnn.gradcheck.battery import inner, noise
from tinygrad_cnn.gradcheck.differences import STEP, derivative
from tinygrad_cnn.gradcheck.functions import Adapter, Checked, TensorFunction
from tinygrad_cnn.gradcheck.report import Report
from tinygrad_cnn.gradcheck.verdicts import Entry, GradientError, Verdict
from tinygrad_cnn.tensor import Tensor

SEED = 20240229
"""Cotangents are random, but the same in every run."""


def gradcheck(
    func: Callable[..., Any] | Checked,
    inputs: Any,
    *,
    eps: float | None = None,
    atol: float | None = None,
    rtol: float = 1e-5,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    fast_mode: bool = False,
    check_batched_grad: bool = False,
    seed: int = SEED,
    names: Sequence[str] | None = None,
) -> Report:
    """Compare the gradients of a function with finite differences, element by element.

    Examples
    --------
    >>> from tinygrad_cnn import tensor, float64
    >>> x = tensor([0.5, -1.5], dtype=float64, requires_grad=True)
    >>> gradcheck(lambda x: (x * x).exp(), x)
    <Report of <lambda>: pass, 2 entries: 2 pass, 0 fail, 0 inconclusive>
    """
    adapter: Any = func if isinstance(func, Checked) else TensorFunction(func)
    given = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    unpack = adapter.unpack if isinstance(adapter, Adapter) else Adapter(lambda: None).unpack
    arrays, checked = unpack(given)
    name = getattr(adapter, "name", type(adapter).__name__)
    if not checked:
        raise ValueError("gradcheck: no input requires a gradient; create one with requires_grad=True")
    report = _check(adapter, name, arrays, checked, eps or STEP, 1e-7 if atol is None else atol, rtol, seed, names)
    if raise_exception and not report:
        raise GradientError(str(report), report)
    return report


def gradgradcheck(
    func: Callable[..., Any], inputs: Any, grad_outputs: Any = None, *, seed: int = SEED, **options: Any
) -> Report:
    """The same for the second derivatives: the gradient of the gradient against differences of the gradient."""
    tensors = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    wanted = [k for k, t in enumerate(tensors) if isinstance(t, Tensor) and t.requires_grad]
    random = np.random.default_rng(seed)

    def outputs(given: Sequence[Any]) -> list[Tensor]:
        result = func(*given)
        return [y for y in (result if isinstance(result, (list, tuple)) else [result]) if y.dtype.kind == "f"]

    cotangents = [Tensor(noise(random, y.shape), requires_grad=True) for y in outputs(tensors)]

    def gradient(*args: Any) -> tuple[Tensor, ...]:
        given, v = args[: len(tensors)], args[len(tensors) :]
        found = autograd.grad(outputs(given), [given[k] for k in wanted], v, create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None and g.requires_grad)

    return gradcheck(gradient, [*tensors, *cotangents], seed=seed, **options)


def _check(
    adapter: Any,
    name: str,
    inputs: list[Any],
    checked: list[int],
    eps: float,
    atol: float,
    rtol: float,
    seed: int,
    names: Sequence[str] | None,
) -> Report:
    random = np.random.default_rng(seed)
    outputs = adapter.evaluate(inputs)
    cotangents = [noise(random, y.shape) if y.dtype.kind == "f" else None for y in outputs]
    before = [inputs[k].copy() for k in checked]
    try:
        gradients = adapter.vjp(inputs, cotangents)
    except GradientError as refused:
        return Report(name, problem=str(refused), seed=seed)
    if any(not np.array_equal(inputs[k], b, equal_nan=True) for k, b in zip(checked, before, strict=True)):
        return Report(name, problem="gradcheck: the function modifies its input; let it work on a clone()", seed=seed)
    for y, again in zip(outputs, adapter.evaluate(inputs), strict=True):
        if not np.array_equal(y, again, equal_nan=True):
            return Report(
                name,
                problem="gradcheck: the function gives another value when called again; seed what is random inside it",
                seed=seed,
            )
    entries = []
    for k in checked:
        base = inputs[k]
        analytic = np.zeros(base.shape) if gradients[k] is None else gradients[k]
        if analytic.shape != base.shape:
            problem = f"gradcheck: the vjp returns shape {analytic.shape} for input {k} of shape {base.shape}"
            return Report(name, problem=problem, seed=seed)
        for place in np.ndindex(base.shape):

            def along(t: float, k: int = k, place: Any = place, base: Any = base) -> float:
                there = base.copy()
                there[place] += t
                found = adapter.evaluate([there if j == k else x for j, x in enumerate(inputs)])
                return sum(inner(v, y) for v, y in zip(cotangents, found, strict=True) if v is not None)

            value, error = estimate = derivative(along, eps)
            off = abs(analytic[place] - value)
            right = off <= atol + rtol * abs(value) + 10 * error
            verdict = Verdict.PASS if right else Verdict.FAIL
            reason = ""
            if estimate.coarse and np.isfinite(analytic[place]):
                verdict = Verdict.INCONCLUSIVE
                reason = f"keep inputs further than eps={eps:.1g} from kinks and poles, or make eps smaller"
            label = f"input {k}" if names is None else names[k]
            entries.append(Entry(k, label, place, float(analytic[place]), value, error, verdict, reason))
    return Report(
        name,
        tuple(entries),
        oracles=("central differences, extrapolated",),
        shapes={k: inputs[k].shape for k in checked},
        dtypes={k: str(inputs[k].dtype) for k in checked},
        seed=seed,
    )
