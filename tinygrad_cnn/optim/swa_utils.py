"""Averages of a model's weights along training (Izmailov et al. 2018), as ``torch.optim.swa_utils``."""

import math
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from itertools import chain
from typing import Any

import numpy as np

from tinygrad_cnn.autograd import no_grad
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.nn.norm import _BatchNorm
from tinygrad_cnn.optim.lr_scheduler.scheduler import LRScheduler, Rate, for_groups
from tinygrad_cnn.optim.optimizer import Optimizer
from tinygrad_cnn.tensor import Tensor

__all__ = [
    "SWALR", "AveragedModel", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn", "get_swa_multi_avg_fn",
    "update_bn",
]  # fmt: skip

Average = Callable[[Tensor, Tensor, Any], Tensor]
"""(average so far, new value, number of values so far) ↦ the new average."""

Averages = Callable[[Sequence[Tensor], Sequence[Tensor], Any], None]
"""The same for lists, in place."""


def get_swa_avg_fn() -> Average:
    """The mean of all values.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> mean = tg.optim.swa_utils.get_swa_avg_fn()
    >>> mean(tg.tensor(2.0), tg.tensor(5.0), 2)
    tensor(3.)
    """

    @no_grad()
    def update(averaged: Tensor, current: Tensor, num_averaged: Any) -> Tensor:
        mean: Tensor = averaged + (current - averaged) / (num_averaged + 1)
        return mean

    return update


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """The exponential average, in which a value weighs `decay` times less at each step.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> average = tg.optim.swa_utils.get_ema_avg_fn(0.5)
    >>> average(tg.tensor(2.0), tg.tensor(4.0), 1)
    tensor(3.)
    """
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"get_ema_avg_fn: decay is {decay}; it must be between 0 and 1")

    @no_grad()
    def update(averaged: Tensor, current: Tensor, num_averaged: Any) -> Tensor:
        return decay * averaged + (1 - decay) * current

    return update


def _each(average: Average) -> Averages:
    @no_grad()
    def update(averaged: Sequence[Tensor], current: Sequence[Tensor], num_averaged: Any) -> None:
        for p, q in zip(averaged, current, strict=True):
            p.copy_(average(p, q, num_averaged))

    return update


def get_swa_multi_avg_fn() -> Averages:
    """`get_swa_avg_fn` for lists of Tensors, in place.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> mean, kept = tg.optim.swa_utils.get_swa_multi_avg_fn(), [tg.tensor(2.0)]
    >>> mean(kept, [tg.tensor(5.0)], 2)
    >>> kept
    [tensor(3.)]
    """
    return _each(get_swa_avg_fn())


def get_ema_multi_avg_fn(decay: float = 0.999) -> Averages:
    """`get_ema_avg_fn` for lists of Tensors, in place.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> average, kept = tg.optim.swa_utils.get_ema_multi_avg_fn(0.5), [tg.tensor(2.0)]
    >>> average(kept, [tg.tensor(4.0)], 1)
    >>> kept
    [tensor(3.)]
    """
    return _each(get_ema_avg_fn(decay))


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of the model's; `update_parameters` takes in the present ones.

    Parameters
    ----------
    model : the model, which is copied
    device : None or "cpu"
    avg_fn : how to average one parameter; the mean by default, or ``get_ema_avg_fn(decay)``
    multi_avg_fn : the same for lists; one of the two
    use_buffers : average buffers, too, which are copied otherwise; see `update_bn`

    Examples
    --------
    >>> from tinygrad_cnn import nn
    >>> model = nn.Linear(1, 1, bias=False)
    >>> averaged = AveragedModel(model)
    >>> for weight in (1.0, 2.0, 6.0):
    ...     _ = model.weight.data.fill_(weight)
    ...     averaged.update_parameters(model)
    >>> averaged.module.weight.item()
    3.0
    """

    n_averaged: Tensor
    module: Module

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: Averages | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("AveragedModel: avg_fn and multi_avg_fn are both given; give one of them")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", Tensor(np.array(0)))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        """What the averaged model computes."""
        output: Tensor = self.module(*args, **kwargs)
        return output

    def update_parameters(self, model: Module) -> None:
        """Take the model's present parameters into the averages; the first are copied."""
        with no_grad():
            buffers = [(b.detach(), c.detach()) for b, c in zip(self.module.buffers(), model.buffers(), strict=True)]
            pairs = [
                (p.detach(), q.detach()) for p, q in zip(self.module.parameters(), model.parameters(), strict=True)
            ]
            if self.use_buffers:
                pairs += buffers
            if self.n_averaged.item() == 0:
                copied = chain(pairs, buffers)
            else:
                update = self.multi_avg_fn or _each(self.avg_fn or get_swa_avg_fn())
                if pairs:
                    update([p for p, _ in pairs], [q for _, q in pairs], self.n_averaged)
                copied = chain([] if self.use_buffers else buffers)
            for p, q in copied:
                p.copy_(q)
            self.n_averaged += 1


def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Let batch normalisation measure anew: means and variances over the batches of a loader, all weighing the same.

    A batch may be a list or tuple, whose first entry is the model's input.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> model = tg.nn.BatchNorm1d(1)
    >>> tg.optim.swa_utils.update_bn([tg.tensor([[1.0], [3.0]])], model)
    >>> model.running_mean
    tensor([2.])
    """
    layers = {m: m.momentum for m in model.modules() if isinstance(m, _BatchNorm)}
    if not layers:
        return
    training = model.training
    model.train()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None
    with no_grad():
        for batch in loader:
            x = batch[0] if isinstance(batch, (list, tuple)) else batch
            model(x if device is None else x.to(device))
    for layer, momentum in layers.items():
        layer.momentum = momentum
    model.train(training)


class SWALR(LRScheduler):
    """From the present rate to `swa_lr` in `anneal_epochs` epochs, along a cosine or linearly; then it stays.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> optimizer = tg.optim.SGD([tg.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = tg.optim.swa_utils.SWALR(optimizer, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear")
    >>> optimizer.step()
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.75]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float,
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        for group, lr in zip(optimizer.param_groups, for_groups("swa_lr", optimizer, swa_lr), strict=True):
            group["swa_lr"] = lr
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"SWALR: anneal_strategy is {anneal_strategy!r}; it must be 'cos' or 'linear'")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"SWALR: anneal_epochs is {anneal_epochs}; expected an integer of at least 0")
        self._anneal_strategy, self.anneal_epochs = anneal_strategy, anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _share(self, step: int) -> float:
        """How much of the way is gone after these steps."""
        t = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2

    def get_lr(self) -> list[Rate]:
        """The next learning rate of each group; where annealing began follows from the present ones."""
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._share(step - 1), self._share(step)
        rates = []
        for group, lr in zip(self.optimizer.param_groups, self._present_lr(), strict=True):
            end = group["swa_lr"]
            start = end if before == 1 else (lr - before * end) / (1 - before)
            rates.append(end * now + start * (1 - now))
        return rates
