"""Schedules that the user's functions give."""

from collections.abc import Callable
from typing import Any

from tinygrad_cnn.optim.lr_scheduler.scheduler import LRScheduler, Rate, saved_function
from tinygrad_cnn.optim.optimizer import Optimizer

__all__ = ["LambdaLR", "MultiplicativeLR"]

Factor = Callable[[int], float]


class _FunctionLR(LRScheduler):
    """One function of the epoch for all groups, or a list of one for each."""

    _not_saved = ("optimizer", "lr_lambdas")

    def __init__(self, optimizer: Optimizer, lr_lambda: Factor | list[Factor], last_epoch: int = -1) -> None:
        groups = len(optimizer.param_groups)
        self.lr_lambdas: list[Any] = [lr_lambda] * groups
        if isinstance(lr_lambda, (list, tuple)):
            self.lr_lambdas = list(lr_lambda)
        if len(self.lr_lambdas) != groups:
            name = type(self).__name__
            raise ValueError(f"{name}: {len(self.lr_lambdas)} functions for {groups} groups; give one for each")
        for function in self.lr_lambdas:
            if not callable(function):
                kind = type(function).__name__
                raise TypeError(f"{type(self).__name__}: {kind} cannot be called; give a function of the epoch")
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser and functions; of callable objects, their attributes."""
        return {**super().state_dict(), "lr_lambdas": [saved_function(f) for f in self.lr_lambdas]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over where another schedule was; the functions stay this one's."""
        super().load_state_dict({name: value for name, value in state_dict.items() if name != "lr_lambdas"})
        for function, attributes in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            function.__dict__.update(attributes or {})


class LambdaLR(_FunctionLR):
    """The initial rate times ``lr_lambda(epoch)``.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> optimizer = tg.optim.SGD([tg.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = tg.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 0.5**epoch)
    >>> optimizer.step()
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def get_lr(self) -> list[Rate]:
        """The next learning rate of each group."""
        self._present_lr()
        return [base * f(self.last_epoch) for base, f in zip(self.base_lrs, self.lr_lambdas, strict=True)]


class MultiplicativeLR(_FunctionLR):
    """The present rate times ``lr_lambda(epoch)``.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> optimizer = tg.optim.SGD([tg.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = tg.optim.lr_scheduler.MultiplicativeLR(optimizer, lambda epoch: 0.5)
    >>> optimizer.step()
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def get_lr(self) -> list[Rate]:
        """The next learning rate of each group."""
        present = self._present_lr()
        if self._is_initial:
            return present
        return [lr * f(self.last_epoch) for lr, f in zip(present, self.lr_lambdas, strict=True)]
