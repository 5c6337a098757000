"""What schedules share: counting epochs, setting the rates of groups, state.

A schedule is recursive, as PyTorch's: `get_lr` goes from the groups' present rates to the next ones, so several
schedules of one optimiser multiply. The closed form is used where somebody asks for a certain epoch.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias
from warnings import warn

import numpy as np

from tinygrad_cnn.autograd import note_write
from tinygrad_cnn.optim.optimizer import Optimizer
from tinygrad_cnn.tensor import Tensor

__all__ = ["LRScheduler", "_LRScheduler"]

Rate: TypeAlias = "float | Tensor"
"""A learning rate: a float, or a Tensor of one element."""

EPOCH_WARNING = (
    "the argument `epoch` of a schedule's step() is deprecated in PyTorch; call step() without it. With it, the "
    "closed form is used where there is one"
)
ORDER_WARNING = (
    "lr_scheduler.step() was called before optimizer.step(): the first learning rate is skipped; call "
    "optimizer.step() first"
)
GET_LR_WARNING = "get_lr() computes the next learning rates from the present ones; the present ones are get_last_lr()"


class LRScheduler:
    """Sets the learning rates of an optimiser; a subclass writes `get_lr`. As ``torch.optim.lr_scheduler.LRScheduler``.

    Parameters
    ----------
    optimizer : whose groups' `lr` is set
    last_epoch : -1 to start, or the epoch to resume at; the groups then need an `initial_lr`

    Examples
    --------
    >>> from tinygrad_cnn import nn, optim
    >>> class Halving(LRScheduler):
    ...     def get_lr(self):
    ...         return [group["lr"] * (1 if self.last_epoch == 0 else 0.5) for group in self.optimizer.param_groups]
    >>> optimizer = optim.SGD([nn.Parameter([1.0])], lr=0.8)
    >>> schedule = Halving(optimizer)
    >>> optimizer.step()
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.4]
    """

    _get_lr_called_within_step = False
    _is_initial = False
    _not_saved: tuple[str, ...] = ("optimizer",)

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(self, optimizer)
        self.optimizer = optimizer
        for k, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"{type(self).__name__}: last_epoch is {last_epoch}, but group {k} has no 'initial_lr' to resume "
                    "from; load the optimiser's state first, or start with last_epoch=-1"
                )
        self.base_lrs: list[Rate] = values(optimizer, "initial_lr")
        self.last_epoch: int = last_epoch
        if not optimizer._scheduled:
            optimizer._scheduled, optimizer._opt_called = True, False
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def get_lr(self) -> list[Rate]:
        """The next learning rate of each group; called by `step`."""
        raise NotImplementedError(f"{type(self).__name__}: get_lr is not written; return a rate for each group")

    def step(self, epoch: int | None = None) -> None:
        """Go on by one epoch."""
        if self._step_count == 1 and not self.optimizer._opt_called:
            warn(ORDER_WARNING, UserWarning, stacklevel=2)
        self._step_count += 1
        if epoch is not None:
            warn(EPOCH_WARNING, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        closed = None if epoch is None else getattr(self, "_get_closed_form_lr", None)
        self._set(self._next_lr() if closed is None else closed())

    def _next_lr(self) -> list[Rate]:
        self._get_lr_called_within_step = True
        try:
            return self.get_lr()
        finally:
            self._get_lr_called_within_step = False

    def _set(self, rates: Sequence[Rate]) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            set_value(group, "lr", rate)
        self._last_lr = values(self.optimizer, "lr")

    def _present_lr(self) -> list[Rate]:
        """The groups' rates; warns if it is not `step` that asks."""
        if not self._get_lr_called_within_step:
            warn(GET_LR_WARNING, UserWarning, stacklevel=3)
        return values(self.optimizer, "lr")

    def get_last_lr(self) -> list[Rate]:
        """The learning rates that were set last."""
        return self._last_lr

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser and functions."""
        return {name: value for name, value in self.__dict__.items() if name not in self._not_saved}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over where another schedule was; load the optimiser's state, too, which holds the rates."""
        self.__dict__.update(state_dict)


class _LRScheduler(LRScheduler):
    """The base class's name in PyTorch before 2.0.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> issubclass(tg.optim.lr_scheduler._LRScheduler, tg.optim.lr_scheduler.LRScheduler)
    True
    """


def check_optimizer(schedule: LRScheduler, optimizer: Any) -> None:
    """TypeError if it is none."""
    if not isinstance(optimizer, Optimizer):
        kind = type(optimizer).__name__
        raise TypeError(f"{type(schedule).__name__}: {kind} is not an Optimizer; give the optimiser of the model")


def copied(value: Any) -> Any:
    """A Tensor's copy; numbers are themselves."""
    return value.detach().clone() if isinstance(value, Tensor) else value


def values(optimizer: Optimizer, key: str) -> list[Any]:
    """This setting of every group."""
    return [copied(group[key]) for group in optimizer.param_groups]


def set_value(group: dict[str, Any], key: str, value: Any) -> None:
    """Set a group's setting; a Tensor is filled, since others may hold it."""
    if isinstance(group[key], Tensor):
        array = group[key].array
        array[...] = np.asarray(value.array if isinstance(value, Tensor) else value).reshape(())
        note_write(array)
    else:
        group[key] = value


def for_groups(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """A setting for each group, from one for all or a list."""
    groups = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [copied(value) for _ in range(groups)]
    if len(value) != groups:
        raise ValueError(f"{name}: {len(value)} values given for {groups} parameter groups; give one for each")
    return [copied(v) for v in value]


def saved_function(function: Callable[..., Any] | None) -> dict[str, Any] | None:
    """What a state dict keeps of a function: nothing, or the attributes of a callable object."""
    if function is None or isinstance(function, types.FunctionType):
        return None
    return dict(getattr(function, "__dict__", {}))
