"""Sequences of different lengths: padded to one array, or packed without the padding, time step after time step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.tensor import Tensor

__all__ = [
    "PackedSequence", "invert_permutation", "pack_padded_sequence", "pack_sequence", "pad_packed_sequence",
    "pad_sequence", "unpack_sequence", "unpad_sequence",
]  # fmt: skip


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Packed):
    """A batch of sequences without padding, as `pack_padded_sequence` makes it; recurrent layers take and give it.

    `data` holds the first step of all sequences, the longest first, then the second step of those that have one,
    and so on; `batch_sizes` says how many there are of each step. `sorted_indices` says where each came from.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> packed = tg.nn.utils.rnn.pack_sequence([tg.tensor([1.0, 2.0]), tg.tensor([3.0])])
    >>> packed.data, packed.batch_sizes
    (tensor([1., 3., 2.]), tensor([2, 1]))
    """

    def __new__(
        cls,
        data: Tensor,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> Self:
        if batch_sizes is None:
            raise ArgumentError("PackedSequence: batch_sizes is missing; make one with pack_padded_sequence")
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def _with(self, change: Callable[[Tensor], Tensor]) -> PackedSequence:
        data = change(self.data)
        return self if data is self.data else PackedSequence(data, *self[1:])

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """With the data converted, as by ``Tensor.to``."""
        return self._with(lambda data: data.to(*args, **kwargs))

    def cpu(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """On the CPU, where it is."""
        return self

    def double(self) -> PackedSequence:
        """With float64 data."""
        return self._with(lambda data: data.double())

    def float(self) -> PackedSequence:
        """With float32 data."""
        return self._with(lambda data: data.float())

    @property
    def is_cuda(self) -> bool:
        """Whether it is on a GPU: no."""
        return False

    def steps(self) -> NDArray:
        """The numbers of the rows of `data`, (time, batch), in the order in which the sequences were given.

        -1 where a sequence has ended.
        """
        sizes = np.asarray(self.batch_sizes)
        places = np.arange(sizes[0])
        rows = np.cumsum(sizes) - sizes
        table = np.where(places < sizes[:, None], rows[:, None] + places, -1)
        return table if self.unsorted_indices is None else table[:, np.asarray(self.unsorted_indices)]


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes another one; None for None.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.utils.rnn.invert_permutation(tg.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    return None if permutation is None else Tensor(np.argsort(np.asarray(permutation), kind="stable"))


def _lengths(name: str, lengths: Any, batch: int | None) -> NDArray:
    counts = np.asarray(lengths)
    if counts.ndim != 1 or counts.dtype.kind not in "iu":
        if counts.dtype.kind not in "iu" and counts.size:
            raise ArgumentError(f"{name}: lengths have dtype {counts.dtype}; they must be integers")
        raise ArgumentError(f"{name}: lengths have shape {counts.shape}; expected one length per sequence")
    if batch is not None and len(counts) != batch:
        raise ArgumentError(f"{name}: {len(counts)} lengths for a batch of {batch}; give one for each sequence")
    return counts.astype(np.int64)


def _padded(data: Tensor, table: NDArray, padding_value: float) -> Tensor:
    """Rows of `data` by a table of numbers, -1 for padding."""
    absent = table < 0
    taken: Tensor = data[np.where(absent, 0, table)]
    if not absent.any():
        return taken
    mask = absent.reshape(table.shape + (1,) * (data.ndim - 1))
    padded: Tensor = ops.where(mask, np.asarray(padding_value, np.dtype(data.dtype)), taken)
    return padded


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Leave the padding out of a batch of sequences (time, batch, …), or (batch, time, …) if `batch_first`.

    Parameters
    ----------
    lengths : how long each sequence is
    enforce_sorted : whether the longest must come first; if not, they are sorted here, and the result remembers how

    Raises
    ------
    RuntimeError
        If a length is not between 1 and the number of time steps, or the order is not the one that is enforced.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> x = tg.tensor([[1.0, 2.0], [3.0, 0.0]])
    >>> tg.nn.utils.rnn.pack_padded_sequence(x, tg.tensor([2, 1]), batch_first=True).data
    tensor([1., 3., 2.])
    """
    name = "pack_padded_sequence"
    if input.ndim < 2:
        raise ArgumentError(f"{name}: input has shape {tuple(input.shape)}; expected (time, batch, …)")
    steps, batch = (input.shape[1], input.shape[0]) if batch_first else input.shape[:2]
    counts = _lengths(name, lengths, batch)
    order = None
    if not enforce_sorted:
        order = np.argsort(-counts, kind="stable")
        counts = counts[order]
    elif (np.diff(counts) > 0).any():
        raise ArgumentError(
            f"{name}: lengths {counts.tolist()} must be sorted in decreasing order; or pass enforce_sorted=False"
        )
    if not len(counts) or counts[-1] < 1 or counts[0] > steps:
        raise ArgumentError(f"{name}: lengths {counts.tolist()} must be between 1 and the {steps} time steps")
    present = np.arange(counts[0])[:, None] < counts
    step, place = np.nonzero(present)
    source = place if order is None else order[place]
    data: Tensor = input[source, step] if batch_first else input[step, source]
    return PackedSequence(data, Tensor(present.sum(1)), None if order is None else Tensor(order))


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """The padded array (time, batch, …), or (batch, time, …) if `batch_first`, and the lengths.

    Parameters
    ----------
    total_length : the number of time steps, at least that of the longest sequence, which is the default

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> packed = tg.nn.utils.rnn.pack_sequence([tg.tensor([1.0, 2.0]), tg.tensor([3.0])])
    >>> tg.nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
    (tensor([[1., 2.],
            [3., 0.]]), tensor([2, 1]))
    """
    table = sequence.steps()
    longest = len(table)
    if total_length is not None:
        if total_length < longest:
            raise ValueError(
                f"pad_packed_sequence: total_length is {total_length}; it must be at least the length of the longest "
                f"sequence, {longest}"
            )
        table = np.pad(table, ((0, total_length - longest), (0, 0)), constant_values=-1)
    lengths = Tensor((table >= 0).sum(0))
    return _padded(sequence.data, table.T if batch_first else table, padding_value), lengths


def pad_sequence(
    sequences: Iterable[Tensor], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Sequences (length, …) as one array (time, batch, …), or (batch, time, …) if `batch_first`, padded at one side.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.utils.rnn.pad_sequence([tg.tensor([1.0, 2.0]), tg.tensor([3.0])], batch_first=True)
    tensor([[1., 2.],
            [3., 0.]])
    """
    if isinstance(sequences, Tensor):
        sequences = sequences.unbind(0)
    if not isinstance(sequences, Iterable):
        raise ArgumentError(f"pad_sequence: expected an iterable of tensors, got {type(sequences).__name__}")
    if padding_side not in ("left", "right"):
        raise ArgumentError(f"pad_sequence: padding_side is {padding_side!r}; it must be 'left' or 'right'")
    listed = list(sequences)
    if not listed:
        raise ArgumentError("pad_sequence: received an empty list of sequences")
    for k, s in enumerate(listed):
        if not s.ndim or s.shape[1:] != listed[0].shape[1:]:
            raise ArgumentError(
                f"pad_sequence: sequence {k} has shape {tuple(s.shape)}, the first {tuple(listed[0].shape)}; all dims "
                "but the first must be equal"
            )
    lengths = [s.shape[0] for s in listed]
    table = np.full((len(listed), max(lengths)), -1)
    start = 0
    for row, n in zip(table, lengths, strict=True):
        row[len(row) - n if padding_side == "left" else 0 :][:n] = np.arange(start, start + n)
        start += n
    data: Tensor = ops.cat(listed)
    if not len(data):
        return data.reshape((len(listed), 0, *data.shape[1:]) if batch_first else (0, len(listed), *data.shape[1:]))
    return _padded(data, table if batch_first else table.T, padding_value)


def unpad_sequence(padded_sequences: Tensor, lengths: Any, batch_first: bool = False) -> list[Tensor]:
    """The sequences of a padded array, each of its length: what `pad_sequence` was given.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.utils.rnn.unpad_sequence(tg.tensor([[1.0, 2.0], [3.0, 0.0]]), tg.tensor([2, 1]), batch_first=True)
    [tensor([1., 2.]), tensor([3.])]
    """
    batched = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    counts = _lengths("unpad_sequence", lengths, None)
    return [row[:n] for row, n in zip(batched.unbind(0), counts.tolist(), strict=False)]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Sequences (length, …), packed.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.utils.rnn.pack_sequence([tg.tensor([1.0, 2.0]), tg.tensor([3.0])]).data
    tensor([1., 3., 2.])
    """
    lengths = [s.shape[0] for s in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences that were packed.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.utils.rnn.unpack_sequence(tg.nn.utils.rnn.pack_sequence([tg.tensor([1.0, 2.0]), tg.tensor([3.0])]))
    [tensor([1., 2.]), tensor([3.])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
