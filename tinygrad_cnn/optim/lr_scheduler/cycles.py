"""Schedules that raise and lower the rate, and the momentum against it (Smith 2017; Smith & Topin 2019)."""

import math
from collections.abc import Callable
from typing import Any

from tinygrad_cnn.optim.lr_scheduler.scheduler import (
    LRScheduler,
    Rate,
    check_optimizer,
    for_groups,
    saved_function,
    set_value,
)
from tinygrad_cnn.optim.optimizer import Optimizer

__all__ = ["CyclicLR", "OneCycleLR"]


class _MomentumCycle(LRScheduler):
    """A schedule that also sets the momentum, or Adam's β₁."""

    cycle_momentum: bool

    def _begin_momentum(self, optimizer: Optimizer, base: Any, most: Any, last_epoch: int) -> None:
        """Start at the largest momentum, and write both bounds into the groups."""
        if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
            name, kind = type(self).__name__, type(optimizer).__name__
            raise ValueError(f"{name}: {kind} has neither momentum nor betas to cycle; give cycle_momentum=False")
        self.use_beta1 = "betas" in optimizer.defaults
        if last_epoch == -1:
            for group, low, high in zip(optimizer.param_groups, base, most, strict=True):
                self._set_momentum(group, high)
                group["max_momentum"], group["base_momentum"] = high, low

    def _set_momentum(self, group: dict[str, Any], momentum: Any) -> None:
        if self.use_beta1:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum


class CyclicLR(_MomentumCycle):
    """The rate goes from `base_lr` to `max_lr` in `step_size_up` steps and back in `step_size_down`, again and again.

    The amplitude stays (`mode` "triangular"), is halved each cycle ("triangular2") or is ``gamma ** steps``
    ("exp_range"); or `scale_fn` says it, of the cycle's number from 1, or of the steps (`scale_mode` "cycle" or
    "iterations"). The momentum cycles against the rate. As ``torch.optim.lr_scheduler.CyclicLR``.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> optimizer = tg.optim.SGD([tg.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = tg.optim.lr_scheduler.CyclicLR(optimizer, 0.0, 1.0, step_size_up=2, cycle_momentum=False)
    >>> optimizer.step()
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    _not_saved = ("optimizer", "_scale_fn_custom")

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float = 0.8,
        max_momentum: float = 0.9,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(self, optimizer)
        self.optimizer = optimizer
        base_lrs = for_groups("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, base_lrs, strict=True):
                set_value(group, "lr", lr)
        self.max_lrs = for_groups("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        self.total_size = up + (up if step_size_down is None else float(step_size_down))
        self.step_ratio = up / self.total_size
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError(
                f"CyclicLR: mode is {mode!r}; expected 'triangular', 'triangular2' or 'exp_range', or a scale_fn"
            )
        self.mode, self.gamma = mode, gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode
        if scale_fn is None:
            self.scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.base_momentums = for_groups("base_momentum", optimizer, base_momentum)
            self.max_momentums = for_groups("max_momentum", optimizer, max_momentum)
            self._begin_momentum(optimizer, self.base_momentums, self.max_momentums, last_epoch)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """The amplitude in the cycle x, or after x steps."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "exp_range":
            return float(self.gamma**x)
        return 1 / 2.0 ** (x - 1) if self.mode == "triangular2" else 1.0

    def get_lr(self) -> list[Rate]:
        """The next learning rate of each group; sets the momentum."""
        self._present_lr()
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        height *= self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            bounds = zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True)
            for group, low, high in bounds:
                self._set_momentum(group, high - (high - low) * height)
        return [low + (high - low) * height for low, high in zip(self.base_lrs, self.max_lrs, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser and a function of the user's."""
        return {**super().state_dict(), "_scale_fn_custom": saved_function(self._scale_fn_custom)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over where another schedule was; a function of the user's stays this one's."""
        super().load_state_dict({name: value for name, value in state_dict.items() if name != "_scale_fn_custom"})
        if state_dict["_scale_fn_custom"] is not None:
            vars(self._scale_fn_custom).update(state_dict["_scale_fn_custom"])


class OneCycleLR(_MomentumCycle):
    """One rise from ``max_lr / div_factor`` to `max_lr` and one fall, by a cosine or linearly; step it every batch.

    It rises for `pct_start` of the steps and falls to ``max_lr / div_factor / final_div_factor``; with `three_phase`,
    it first falls as it rose, and then on. The momentum goes the other way. The steps are `total_steps`, or
    ``epochs * steps_per_epoch``. As ``torch.optim.lr_scheduler.OneCycleLR``.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> optimizer = tg.optim.SGD([tg.ones(1, requires_grad=True)], lr=1.0, momentum=0.9)
    >>> schedule = tg.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
    >>> schedule.get_last_lr()
    [0.040000000000000036]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(self, optimizer)
        self.optimizer = optimizer
        self.total_steps = _total_steps(total_steps, epochs, steps_per_epoch)
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: pct_start is {pct_start!r}; expected a float between 0 and 1")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"OneCycleLR: anneal_strategy is {anneal_strategy!r}; it must be 'cos' or 'linear'")
        self._schedule_phases = _phases(self.total_steps, pct_start, three_phase)
        self._anneal_func_type = anneal_strategy
        peaks = for_groups("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["initial_lr"], group["max_lr"] = peak / div_factor, peak
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            most = for_groups("max_momentum", optimizer, max_momentum)
            self._begin_momentum(optimizer, for_groups("base_momentum", optimizer, base_momentum), most, last_epoch)
        super().__init__(optimizer, last_epoch)

    def _anneal(self, start: Any, end: Any, share: float) -> Any:
        """From start to end."""
        if self._anneal_func_type == "cos":
            return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1)
        return (end - start) * share + start

    def get_lr(self) -> list[Rate]:
        """The next learning rate of each group; sets the momentum."""
        self._present_lr()
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(f"OneCycleLR: step {step} of {self.total_steps}; give a larger total_steps")
        ends = [phase["end_step"] for phase in self._schedule_phases]
        k = next((k for k, end in enumerate(ends) if step <= end), len(ends) - 1)
        phase, start = self._schedule_phases[k], ends[k - 1] if k else 0.0
        share = (step - start) / (ends[k] - start)
        groups = self.optimizer.param_groups
        if self.cycle_momentum:
            for group in groups:
                bounds = group[phase["start_momentum"]], group[phase["end_momentum"]]
                self._set_momentum(group, self._anneal(*bounds, share))
        return [self._anneal(group[phase["start_lr"]], group[phase["end_lr"]], share) for group in groups]


def _total_steps(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    """The number of steps, given as such or as a product."""
    given = {"total_steps": total_steps}
    if total_steps is None:
        given = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
        if None in given.values():
            raise ValueError("OneCycleLR: give total_steps, or both epochs and steps_per_epoch")
    for name, value in given.items():
        if not isinstance(value, int) or value <= 0:
            raise ValueError(f"OneCycleLR: {name} is {value}; expected an integer above 0")
    return math.prod(value for value in given.values() if value is not None)


def _phases(total_steps: int, pct_start: float, three_phase: bool) -> list[dict[str, Any]]:
    """When each phase ends, and between which settings of a group it goes; named as in PyTorch's state dicts."""
    names = "end_step", "start_lr", "end_lr", "start_momentum", "end_momentum"
    turn, end = float(pct_start * total_steps) - 1, total_steps - 1
    rows: list[tuple[Any, ...]] = [(turn, "initial_lr", "max_lr", "max_momentum", "base_momentum")]
    if three_phase:
        back = float(2 * pct_start * total_steps) - 2
        rows.append((back, "max_lr", "initial_lr", "base_momentum", "max_momentum"))
        rows.append((end, "initial_lr", "min_lr", "max_momentum", "max_momentum"))
    else:
        rows.append((end, "max_lr", "min_lr", "base_momentum", "max_momentum"))
    return [dict(zip(names, row, strict=True)) for row in rows]
