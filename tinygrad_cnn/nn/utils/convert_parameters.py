"""All parameters as one vector, and back."""

from collections.abc import Iterable

from tinygrad_cnn import ops
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.tensor import Tensor

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of all parameters, one after the other; gradients flow back to them.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.utils.parameters_to_vector([tg.tensor([1.0, 2.0]), tg.tensor([[3.0]])])
    tensor([1., 2., 3.])
    """
    vector: Tensor = ops.cat([p.reshape(-1) for p in parameters])
    return vector


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Give each parameter its part of the vector, sharing its memory.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> p, q = tg.tensor([0.0, 0.0]), tg.tensor([[0.0]])
    >>> tg.nn.utils.vector_to_parameters(tg.tensor([1.0, 2.0, 3.0]), [p, q])
    >>> p, q
    (tensor([1., 2.]), tensor([[3.]]))
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"vector_to_parameters: expected a Tensor, but got: {type(vec).__name__}")
    values, start = vec.detach(), 0
    for p in parameters:
        part = values[start : start + p.numel()]
        if part.numel() != p.numel():
            raise ArgumentError(
                f"vector_to_parameters: the vector of {vec.numel()} elements ends within a parameter of shape "
                f"{tuple(p.shape)}"
            )
        p.data = part.reshape(p.shape)
        start += p.numel()
