"""L-BFGS, the quasi-Newton method of limited memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic

import numpy as np

from tinygrad_cnn.autograd import enable_grad, no_grad, note_write
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.optim.line_search import Trial, strong_wolfe
from tinygrad_cnn.optim.optimizer import Loss, Optimizer, Params
from tinygrad_cnn.optim.rules import check_settings
from tinygrad_cnn.tensor import Tensor

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """Newton's method with an inverse Hessian that the last `history_size` steps suggest (Liu & Nocedal 1989).

    As ``torch.optim.LBFGS``: each `step` makes up to `max_iter` iterations, and calls its closure up to `max_eval`
    times (1.25 · max_iter by default). All parameters are one vector, in one group. With
    ``line_search_fn="strong_wolfe"`` each iteration goes as far as Wolfe's strong conditions ask, else `lr` (the very
    first iteration at most 1 / ‖g‖₁ of it).

    Examples
    --------
    >>> from tinygrad_cnn import nn
    >>> w = nn.Parameter([3.0, -1.0])
    >>> optimizer = LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - 1) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure).item()  # the loss before the step
    8.0
    >>> [round(v, 4) for v in w.tolist()]
    [1.0, 1.0]
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        limits = {"max_iter": max_iter, "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval}
        tolerances = {"tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change}
        more = {"history_size": history_size, "line_search_fn": line_search_fn}
        super().__init__(params, {"lr": lr, **limits, **tolerances, **more})
        if len(self.param_groups) != 1:
            raise ValueError(f"LBFGS: {len(self.param_groups)} groups given; all parameters are one group here")

    def check(self, group: dict[str, Any]) -> None:
        """ValueError if a setting is out of its range."""
        super().check(group)
        check_settings("LBFGS", lr=group["lr"])

    def step(self, closure: Callable[[], Loss]) -> Loss:  # type: ignore[override]  # it cannot do without one
        """Up to `max_iter` iterations; `closure` clears the gradients, computes the loss, calls backward, returns it.

        Returns the loss of the first call.
        """
        with no_grad():
            return self._iterate(closure)

    def _iterate(self, closure: Callable[[], Loss]) -> Loss:
        (group,) = self.param_groups
        memory = _Memory(self.state[group["params"][0]], group["history_size"])
        objective = _Objective(closure, group["params"])
        first = objective.loss()
        loss, gradient = as_number(first), objective.gradient()
        memory.state["func_evals"] += 1
        if np.abs(gradient).max() <= group["tolerance_grad"]:
            return first
        evaluations = 1
        for iteration in range(1, group["max_iter"] + 1):
            memory.state["n_iter"] += 1
            memory.learn(gradient)
            d = memory.direction(gradient)
            memory.t = group["lr"]  # as it is given: so the state keeps it
            if memory.state["n_iter"] == 1:
                memory.t = min(1.0, 1.0 / Tensor.wrap(np.asarray(np.abs(gradient).sum()))) * memory.t
            rate, before, memory.prev_loss, slope = float(memory.t), gradient, loss, float(gradient @ d)
            memory.prev_flat_grad = before
            if slope > -group["tolerance_change"]:
                break
            calls = 0
            if group["line_search_fn"] is not None:
                most = group["max_eval"] - evaluations
                if group["line_search_fn"] != "strong_wolfe":
                    raise RuntimeError(f"LBFGS: line_search_fn is {group['line_search_fn']!r}; 'strong_wolfe' or None")
                evaluate = objective.along(d)
                start = Trial(0.0, loss, gradient, slope)
                found, calls = strong_wolfe(evaluate, start, rate, d, most, tolerance=group["tolerance_change"])
                memory.t, loss, gradient = found.t, found.loss, found.gradient
                objective.move(float(memory.t), d)
            else:
                objective.move(rate, d)
                if iteration != group["max_iter"]:
                    loss, gradient, calls = as_number(objective.loss()), objective.gradient(), 1
            evaluations += calls
            memory.state["func_evals"] += calls
            if (
                evaluations >= group["max_eval"]
                or np.abs(gradient).max() <= group["tolerance_grad"]
                or np.abs(d * float(memory.t)).max() <= group["tolerance_change"]
                or abs(loss - memory.prev_loss) < group["tolerance_change"]
            ):
                break
        memory.save()
        return first


class _Objective(Generic[Loss]):
    """The closure as a function of one vector."""

    def __init__(self, closure: Callable[[], Loss], params: list[Tensor]) -> None:
        self.closure, self.params = closure, params

    def loss(self) -> Loss:
        """The loss where the parameters are; fills their gradients."""
        with enable_grad():
            return self.closure()

    def gradient(self) -> NDArray:
        """The gradients as one vector; 0 for a parameter without one."""
        arrays = [np.zeros_like(p.array) if p.grad is None else p.grad.array for p in self.params]
        return np.concatenate([a.reshape(-1) for a in arrays])

    def move(self, t: float, d: NDArray) -> None:
        """Add t · d to the parameters."""
        start = 0
        for p in self.params:
            value = p.array
            value += t * d[start : start + value.size].reshape(value.shape)
            start += value.size
            note_write(value)

    def along(self, d: NDArray) -> Callable[[float], Trial]:
        """t ↦ the loss at x + t · d, its gradient and slope; the parameters stay at x."""
        start = [p.array.copy() for p in self.params]

        def evaluate(t: float) -> Trial:
            self.move(t, d)
            loss, gradient = as_number(self.loss()), self.gradient()
            for p, value in zip(self.params, start, strict=True):
                p.array[...] = value
                note_write(p.array)
            return Trial(t, loss, gradient, float(gradient @ d))

        return evaluate


class _Memory:
    """The last steps s and changes of gradient y, and what they say of the inverse Hessian.

    It lives in the optimiser's state of the first parameter, under PyTorch's names.
    """

    def __init__(self, state: dict[str, Any], size: int) -> None:
        self.state, self.size = state, size
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        self.d, self.prev_flat_grad = (_array(state.get(name)) for name in ("d", "prev_flat_grad"))
        self.changes = [_array(v) for v in state.get("old_dirs") or []]
        self.steps = [_array(v) for v in state.get("old_stps") or []]
        self.ro = [_number(v) for v in state.get("ro") or []]
        self.scale, self.t = _number(state.get("H_diag", 1)), state.get("t", 0)
        self.prev_loss: float | None = state.get("prev_loss")
        self.shares = [_number(v) for v in state.get("al") or [None] * size]
        """Of each step what the first loop took away, for the second."""

    def learn(self, gradient: NDArray) -> None:
        """Remember the last step, if the function curved upwards along it."""
        if self.state["n_iter"] == 1:
            return
        change, step = gradient - self.prev_flat_grad, self.d * float(self.t)
        curvature = change @ step
        if curvature > 1e-10:
            if len(self.steps) == self.size:
                for known in (self.changes, self.steps, self.ro):
                    known.pop(0)
            self.changes.append(change)
            self.steps.append(step)
            self.ro.append(1 / curvature)
            self.scale = curvature / (change @ change)

    def direction(self, gradient: NDArray) -> NDArray:
        """Minus the inverse Hessian times the gradient, by the two loops of Nocedal (1980)."""
        d: NDArray = -gradient
        known = list(zip(range(self.size), self.steps, self.changes, self.ro, strict=False))
        for k, s, y, ro in reversed(known):
            self.shares[k] = share = (s @ d) * ro
            d -= share * y
        d *= self.scale
        for k, s, y, ro in known:
            d += (self.shares[k] - (y @ d) * ro) * s
        self.d = d
        return d

    def save(self) -> None:
        """Write everything into the state."""
        if self.d is None:
            return
        number = self.d.dtype.type
        self.state.update(
            al=[Tensor.wrap(np.asarray(number(v))) if v is not None else None for v in self.shares],
            d=Tensor.wrap(self.d),
            t=self.t,
            old_dirs=[Tensor.wrap(v) for v in self.changes],
            old_stps=[Tensor.wrap(v) for v in self.steps],
            ro=[Tensor.wrap(np.asarray(number(v))) for v in self.ro],
            H_diag=Tensor.wrap(np.asarray(number(self.scale))),
            prev_flat_grad=Tensor.wrap(self.prev_flat_grad),
            prev_loss=self.prev_loss,
        )


def as_number(loss: Any) -> float:
    """A loss, which may be a Tensor of one element, as a number."""
    return float(loss)


def _number(value: Any) -> Any:
    """A number of the parameters' dtype; None stays."""
    return value.array[()] if isinstance(value, Tensor) else value


def _array(value: Any) -> Any:
    """The array of a Tensor; None stays."""
    return value.array if isinstance(value, Tensor) else value
