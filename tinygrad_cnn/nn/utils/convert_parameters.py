"""All parameters as one vector, and back."""

from collections.abc import Iterable

from tinygrad_cnn import ops
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.tensor import Tensor

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of all parameters, one after the other; gradients flow back to them."""
    vector: Tensor = ops.cat([p.reshape(-1) for p in parameters])
    return vector


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Give each parameter its part of the vector, sharing its memory."""
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
