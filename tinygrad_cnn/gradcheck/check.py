"""`gradcheck` and `gradgradcheck`: is the gradient of this function what differences say it is?"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn import autograd
from tinygrad_cnn.gradcheck.battery import GradientError, inner, noise
from tinygrad_cnn.gradcheck.differences import STEP, derivative
from tinygrad_cnn.tensor import Tensor

SEED = 20240229
"""Cotangents are random, but the same in every run."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    eps: float = STEP,
    atol: float = 1e-7,
    rtol: float = 1e-5,
    raise_exception: bool = True,
) -> bool:
    """Compare the gradients of a function with finite differences, element by element.

    Differences are central and extrapolated (Richardson), with an error estimate; cotangents are random, signed
    and not of size 1. An element passes if it differs by at most ``atol + rtol |numeric| + 10 error``; a function
    whose differences are too noisy to judge does not pass.

    Parameters
    ----------
    func : takes the inputs, returns a Tensor or a tuple of them
    inputs : a Tensor or a sequence; those that require a gradient must be float64
    eps : the largest step of the differences; keep inputs further than this from kinks
    raise_exception : raise `GradientError` (an AssertionError) that names the worst element, or return False

    Examples
    --------
    >>> from tinygrad_cnn import tensor, float64
    >>> x = tensor([0.5, -1.5], dtype=float64, requires_grad=True)
    >>> gradcheck(lambda x: (x * x).exp(), x)
    True
    """
    tensors = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    checked = [k for k, t in enumerate(tensors) if isinstance(t, Tensor) and t.requires_grad]
    if not checked:
        raise ValueError("gradcheck: no input requires a gradient; create one with requires_grad=True")
    for k in checked:
        if tensors[k].dtype != np.float64:
            raise TypeError(
                f"gradcheck: input {k} has dtype {tensors[k].dtype}, too coarse for differences; "
                "convert it with .double()"
            )
    try:
        _check(func, tensors, checked, eps, atol, rtol)
    except GradientError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    eps: float = STEP,
    atol: float = 1e-7,
    rtol: float = 1e-5,
    raise_exception: bool = True,
) -> bool:
    """The same for the second derivatives: the gradient of the gradient against differences of the gradient."""
    tensors = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    wanted = [k for k, t in enumerate(tensors) if isinstance(t, Tensor) and t.requires_grad]
    random = np.random.default_rng(SEED)
    cotangents = [Tensor(noise(random, y.shape), requires_grad=True) for y in _outputs(func, tensors)]

    def gradient(*args: Any) -> tuple[Tensor, ...]:
        given, v = args[: len(tensors)], args[len(tensors) :]
        outputs = _outputs(func, given)
        found = autograd.grad(outputs, [given[k] for k in wanted], v, create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None and g.requires_grad)

    return gradcheck(gradient, [*tensors, *cotangents], eps, atol, rtol, raise_exception)


def _outputs(func: Callable[..., Any], tensors: Sequence[Any]) -> list[Tensor]:
    result = func(*tensors)
    outputs = list(result) if isinstance(result, tuple) else [result]
    for y in outputs:
        if not isinstance(y, Tensor):
            raise TypeError(
                f"gradcheck: the function returned {type(y).__name__}; expected a Tensor or a tuple of Tensors"
            )
    return [y for y in outputs if y.dtype.kind == "f"]


def _check(
    func: Callable[..., Any], tensors: list[Any], checked: list[int], eps: float, atol: float, rtol: float
) -> None:
    random = np.random.default_rng(SEED)
    before = [t.detach().numpy().copy() for t in tensors if isinstance(t, Tensor)]
    outputs = _outputs(func, tensors)
    cotangents = [noise(random, y.shape) for y in outputs]
    recorded = [(y, v) for y, v in zip(outputs, cotangents, strict=True) if y.requires_grad]
    if not recorded:
        raise GradientError(
            "gradcheck: no output requires a gradient; the function leaves the graph (detach, numpy, no_grad?)"
        )
    gradients = autograd.grad(
        [y for y, _ in recorded], [tensors[k] for k in checked], [v for _, v in recorded], allow_unused=True
    )
    after = [t.detach().numpy() for t in tensors if isinstance(t, Tensor)]
    if any(not np.array_equal(a, b, equal_nan=True) for a, b in zip(before, after, strict=True)):
        raise GradientError("gradcheck: the function modifies its input; let it work on a clone()")
    for y, again in zip(outputs, _outputs(func, tensors), strict=True):
        if not np.array_equal(y.detach().numpy(), again.detach().numpy(), equal_nan=True):
            raise GradientError(
                "gradcheck: the function gives another value when called again; seed what is random inside it"
            )

    worst: tuple[float, str] = (0.0, "")
    for k, gradient in zip(checked, gradients, strict=True):
        base = tensors[k].detach().numpy()
        analytic = np.zeros(base.shape) if gradient is None else gradient.numpy()
        for place in np.ndindex(base.shape):

            def along(t: float, k: int = k, place: Any = place, base: Any = base) -> float:
                there = base.copy()
                there[place] += t
                moved = [Tensor(there, requires_grad=True) if j == k else x for j, x in enumerate(tensors)]
                return sum(inner(v, y.detach().numpy()) for v, y in zip(cotangents, _outputs(func, moved), strict=True))

            estimate = derivative(along, eps)
            numeric, error = estimate
            if estimate.coarse and np.isfinite(analytic[place]):
                raise GradientError(
                    f"gradcheck: the differences are too coarse to judge input {k} at {place}: numeric {numeric:.9g} "
                    f"± {error:.1g}; keep inputs further than eps={eps:.1g} from kinks and poles, or make eps smaller"
                )
            off = float(abs(analytic[place] - numeric))
            bound = atol + rtol * abs(numeric) + 10 * error
            if not off <= bound and (not worst[1] or not off / bound <= worst[0]):
                message = f"input {k} at {place}: analytic {analytic[place]:.9g}, numeric {numeric:.9g} ± {error:.1g}"
                worst = (off / bound, message)
    if worst[1]:
        raise GradientError(f"gradcheck: the gradient is wrong; the worst element is {worst[1]}")
