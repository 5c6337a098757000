"""Keeping gradients within bounds, in place, before the optimiser uses them."""

import warnings
from collections.abc import Iterable
from typing import Any

from tinygrad_cnn import ops
from tinygrad_cnn.autograd import no_grad
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.torch_names.errors import OptionError

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]

Tensors = Tensor | Iterable[Tensor]


def _listed(tensors: Tensors) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _gradients(parameters: Tensors) -> list[Tensor]:
    return [p.grad for p in _listed(parameters) if p.grad is not None]


def _check_foreach(name: str, foreach: bool | None) -> None:
    if foreach:
        raise OptionError(f"{name}: foreach=True is a way of PyTorch to compute the same; leave it out")


@no_grad()
def get_total_norm(
    tensors: Tensors, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Tensor:
    """The norm of all elements of all tensors, taken as one vector.

    Raises
    ------
    RuntimeError
        With `error_if_nonfinite`, if it is infinite or no number.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.utils.get_total_norm([tg.tensor([3.0]), tg.tensor([4.0])])
    tensor(5.)
    """
    _check_foreach("get_total_norm", foreach)
    order = float(norm_type)
    listed = [t for t in _listed(tensors) if t.numel()]
    if not listed:
        return Tensor(0.0)
    total: Tensor = ops.norm(ops.stack([ops.norm(t.detach(), order) for t in listed]), order)
    if error_if_nonfinite and not abs(total.item()) < float("inf"):
        raise RuntimeError(
            f"get_total_norm: the total norm of order {order} of the gradients is non-finite, so it cannot be clipped; "
            "error_if_nonfinite=False clips all the same"
        )
    return total


@no_grad()
def clip_grads_with_norm_(
    parameters: Tensors, max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scale the gradients, in place, by ``max_norm / (total_norm + 1e-6)`` if that is less than 1.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> p = tg.tensor([1.0], requires_grad=True)
    >>> p.grad = tg.tensor([4.0])
    >>> tg.nn.utils.clip_grads_with_norm_([p], 1.0, tg.tensor(4.0))
    >>> p.grad
    tensor([1.0000])
    """
    _check_foreach("clip_grads_with_norm_", foreach)
    factor = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
    for gradient in _gradients(parameters):
        gradient.mul_(factor.astype(gradient.dtype))


def clip_grad_norm_(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale the gradients of the parameters, in place, so that their total norm is at most `max_norm`.

    Returns
    -------
    The total norm before.

    Examples
    --------
    >>> from tinygrad_cnn import nn, tensor
    >>> p = nn.Parameter(tensor([0.0, 0.0]))
    >>> p.grad = tensor([3.0, 4.0])
    >>> clip_grad_norm_([p], 1.0).item()
    5.0
    >>> round(p.grad.norm().item(), 4)
    1.0
    """
    listed = _listed(parameters)
    total = get_total_norm(_gradients(listed), norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(listed, max_norm, total, foreach)
    return total


def clip_grad_norm(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The old name of `clip_grad_norm_`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> import warnings
    >>> warnings.simplefilter("ignore", FutureWarning)
    >>> p = tg.tensor([1.0], requires_grad=True)
    >>> p.grad = tg.tensor([4.0])
    >>> tg.nn.utils.clip_grad_norm([p], 1.0)
    tensor(4.)
    """
    warnings.warn(
        "nn.utils.clip_grad_norm is now deprecated in favor of nn.utils.clip_grad_norm_.", FutureWarning, stacklevel=2
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


@no_grad()
def clip_grad_value_(parameters: Tensors, clip_value: Any, foreach: bool | None = None) -> None:
    """Clip every element of the gradients, in place, to ±clip_value.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> p = tg.tensor([1.0], requires_grad=True)
    >>> p.grad = tg.tensor([4.0])
    >>> tg.nn.utils.clip_grad_value_([p], 0.5)
    >>> p.grad
    tensor([0.5000])
    """
    _check_foreach("clip_grad_value_", foreach)
    bound = float(clip_value)
    for gradient in _gradients(parameters):
        gradient.clamp_(-bound, bound)
