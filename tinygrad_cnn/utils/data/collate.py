"""Batches out of samples: `default_collate` stacks, `default_convert` leaves single samples as they are."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar, overload

import numpy as np

from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.ops import stack
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.creation import as_tensor, tensor

__all__ = ["default_collate", "default_convert"]


Number: TypeAlias = Tensor | NDArray | np.number[Any] | np.bool_ | float
"""What is stacked: numbers, and arrays and tensors of them."""
S = TypeVar("S", bound=Number)
K = TypeVar("K")
Plain = TypeVar("Plain", str, bytes, int, float)


@overload
def default_collate(batch: Sequence[tuple[Number, ...]] | Sequence[list[S]]) -> list[Tensor]: ...
@overload
def default_collate(batch: Sequence[tuple[Number | str, ...]]) -> list[Tensor | list[str]]: ...
@overload
def default_collate(batch: Sequence[Number]) -> Tensor: ...
@overload
def default_collate(batch: Sequence[dict[K, S]]) -> dict[K, Tensor]: ...
@overload
def default_collate(batch: list[str]) -> list[str]: ...
@overload
def default_collate(batch: Sequence[object]) -> object: ...
def default_collate(batch: Sequence[Any]) -> Any:
    """Stack tensors, arrays and numbers; go into tuples, lists, named tuples and dicts; leave strings as they are.

    Python floats become float64, NumPy's numbers and arrays keep their dtype.

    Raises
    ------
    TypeError : if the samples are, or hold, something else
    RuntimeError : if sequences differ in length

    Examples
    --------
    >>> default_collate([{"x": 1, "y": "a"}, {"x": 2, "y": "b"}])
    {'x': tensor([1, 2]), 'y': ['a', 'b']}
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return _stacked(batch)
    if isinstance(first, (np.ndarray, np.generic)) and not isinstance(first, (str, bytes)):
        if first.dtype.kind not in "biufc":
            raise _unknown(f"an array of dtype {first.dtype}")
        return _stacked([as_tensor(np.asarray(sample)) for sample in batch])
    if isinstance(first, float):
        return tensor(list(batch), dtype=np.float64)
    if isinstance(first, int):
        return tensor(list(batch))
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        columns = {key: default_collate([sample[key] for sample in batch]) for key in first}
        return _like(first, columns)
    if isinstance(first, Sequence):
        lengths = {len(sample) for sample in batch}
        if len(lengths) > 1:
            raise ArgumentError(f"default_collate: samples of lengths {sorted(lengths)}; expected the same length")
        return _like(first, [default_collate(column) for column in zip(*batch, strict=True)])
    raise _unknown(type(first).__name__)


@overload
def default_convert(data: Tensor | NDArray | np.number[Any] | np.bool_) -> Tensor: ...
@overload
def default_convert(data: tuple[Tensor | NDArray, ...]) -> list[Tensor]: ...
@overload
def default_convert(data: Plain) -> Plain: ...
@overload
def default_convert(data: object) -> object: ...
def default_convert(data: Any) -> Any:
    """NumPy's arrays and numbers as tensors, also inside of sequences and mappings; anything else as it is.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> import numpy as np
    >>> tg.utils.data.default_convert([np.zeros(2), "name"])
    [tensor([0., 0.], dtype=torch.float64), 'name']
    """
    if isinstance(data, (Tensor, str, bytes)):
        return data
    if isinstance(data, (np.ndarray, np.generic)):
        return as_tensor(np.asarray(data)) if data.dtype.kind in "biufc" else data
    if isinstance(data, Mapping):
        return _like(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, Sequence):
        return _like(data, [default_convert(value) for value in data])
    return data


def _like(sample: Any, content: Any) -> Any:
    """The content in a container of the sample's kind; a plain tuple becomes a list, as in PyTorch."""
    kind: Callable[..., Any] = type(sample)
    if kind is tuple:
        return content
    try:
        return kind(*content) if hasattr(sample, "_fields") else kind(content)
    except TypeError:  # range, defaultdict: kinds that are not made of their content
        return content


def _stacked(samples: Sequence[Tensor]) -> Tensor:
    """The samples as one tensor; ArgumentError if their shapes differ."""
    shapes = {sample.array_shape for sample in samples if isinstance(sample, Tensor)}
    if len(shapes) > 1:
        raise ArgumentError(
            f"default_collate: the samples of a batch have different shapes, {' and '.join(map(str, sorted(shapes)))}; "
            "bring images to one size with transforms.Resize((h, w)), or give the DataLoader a collate_fn, such as one "
            "with nn.utils.rnn.pad_sequence"
        )
    return stack(samples)


def _unknown(what: str) -> TypeError:
    return TypeError(
        f"default_collate: cannot make a batch of {what}; expected tensors, arrays, numbers, strings, or tuples, lists "
        "and dicts of them; use transforms.ToTensor() for images, return a sample in __getitem__, or give the "
        "DataLoader a collate_fn"
    )
