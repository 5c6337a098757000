"""Rows of a table by their numbers: single ones, or the sums, means and maxima of bags of them."""

from typing import Any

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.autograd import no_grad
from tinygrad_cnn.core.checks import dtype_of, shape_of
from tinygrad_cnn.core.errors import ArgumentError, DTypeError
from tinygrad_cnn.core.types import A, ArrayLike, NDArray
from tinygrad_cnn.ops.checks import check_integer, check_ndim
from tinygrad_cnn.ops.indexing import rows_named
from tinygrad_cnn.tensor import as_plain
from tinygrad_cnn.torch_names.errors import OptionError

__all__ = ["embedding", "embedding_bag"]


def embedding(
    input: ArrayLike,
    weight: A,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> A:
    """The rows of `weight` (V, E) that `input` (integers of any shape) names: (…, E).

    The result has the dtype of `weight`. IndexError for a row that is not there.

    Parameters
    ----------
    padding_idx : the row that gets no gradient
    max_norm, norm_type : rows that are read and whose p-norm is larger are first scaled down to it, in `weight` itself
    scale_grad_by_freq : divide the gradient of a row by how often it is read
    sparse : can be given, and changes nothing: gradients are dense

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.embedding(tg.tensor([2, 0]), tg.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    tensor([[5., 6.],
            [1., 2.]])
    """
    if max_norm is not None:
        renormalise(weight, input, max_norm, norm_type)
    return rows_named(input, weight, padding_idx, scale_grad_by_freq)


@no_grad()
def renormalise(weight: ArrayLike, rows: Any, max_norm: float, norm_type: float) -> None:
    """Scale those of the rows whose norm is above `max_norm` down to it, in place."""
    read = np.unique(as_plain(rows))
    norms = np.linalg.norm(as_plain(weight)[read], norm_type, axis=1)
    large = norms > max_norm
    factors = (max_norm / (norms[large] + 1e-7)).astype(weight.dtype)[:, None]
    weight.detach()[read[large]] = as_plain(weight)[read[large]] * factors


def embedding_bag(
    input: ArrayLike,
    weight: A,
    offsets: ArrayLike = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: ArrayLike = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> A:
    """Sums, means or maxima (`mode`) of the rows of `weight` (V, E) that each bag names: (B, E).

    The result has a row for each bag, in the dtype of `weight`.

    Parameters
    ----------
    input : integers, a bag per row (B, N), or (N,) all bags one after the other
    offsets : of the latter, where each bag begins; with `include_last_offset` also where the last one ends
    per_sample_weights : of the shape of input, factors of the rows in their sum
    padding_idx : a row that counts as absent
    scale_grad_by_freq : divide the gradient of a row by how often it is read; not for "max"
    sparse : can be given, and changes nothing: gradients are dense

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.functional.embedding_bag(tg.tensor([[0, 1], [1, 1]]), tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[2., 3.],
            [3., 4.]])
    """
    if mode not in ("sum", "mean", "max"):
        raise ArgumentError(f"embedding_bag: mode has to be one of sum, mean or max, not {mode!r}")
    if mode == "max" and (scale_grad_by_freq or sparse):
        raise ArgumentError("embedding_bag: mode 'max' has neither scale_grad_by_freq nor sparse; leave them out")
    if per_sample_weights is not None:
        if mode != "sum":
            raise OptionError(f"embedding_bag: per_sample_weights are for mode 'sum', not {mode!r}")
        if shape_of(per_sample_weights) != shape_of(input):
            raise ArgumentError(
                f"embedding_bag: per_sample_weights have shape {shape_of(per_sample_weights)}, input "
                f"{shape_of(input)}; they must be equal"
            )
        if dtype_of(per_sample_weights) != dtype_of(weight):
            raise DTypeError(
                f"embedding_bag: per_sample_weights are {dtype_of(per_sample_weights)}, weight {dtype_of(weight)}; "
                "convert one of them"
            )
    check_integer("embedding_bag", "input", input)
    places = _places(shape_of(input), offsets, include_last_offset)
    if max_norm is not None:
        renormalise(weight, input, max_norm, norm_type)
    names = np.asarray(as_plain(input)).reshape(-1)
    rows = rows_named(names, weight, padding_idx, scale_grad_by_freq)
    if per_sample_weights is not None:
        rows = rows * ops.unsqueeze(per_sample_weights.reshape(-1), 1)
    present = np.greater_equal(places, 0)
    if padding_idx is not None:
        present &= np.concatenate([names, [0]])[places] != padding_idx % shape_of(weight)[0]
    if not len(names):
        return ops.sum(rows, 0) + np.zeros((len(places), shape_of(weight)[1]), rows.dtype)
    bags = rows[np.where(places < 0, 0, places)]
    filled = np.expand_dims(present.any(1), 1)
    if mode == "max":
        highest = ops.max(ops.masked_fill(bags, ~present[..., None], -np.inf), 1)[0]
        return ops.masked_fill(highest, ~filled, 0.0)
    total = ops.sum(ops.masked_fill(bags, ~present[..., None], 0.0), 1)
    return total if mode == "sum" else total / np.maximum(present.sum(1), 1)[:, None].astype(total.dtype)


def _places(shape: tuple[int, ...], offsets: ArrayLike, include_last_offset: bool) -> NDArray:
    """Where in the flat input the entries of each bag are, (bags, longest), -1 beyond its end."""
    check_ndim("embedding_bag", "input", np.empty(shape), (1, 2), "(B, N), or (N,) with offsets")
    if len(shape) == 2:
        if offsets is not None:
            raise ArgumentError("embedding_bag: if input is 2D, offsets has to be None, as a row is a bag")
        return np.arange(shape[0] * shape[1]).reshape(shape)
    if offsets is None:
        raise ArgumentError("embedding_bag: offsets has to be a 1D Tensor but got None; they say where bags begin")
    starts = np.asarray(as_plain(offsets))
    check_ndim("embedding_bag", "offsets", starts, (1,), "(B,)")
    if len(starts) and (starts[0] != 0 or starts[-1] > shape[0] or (np.diff(starts) < 0).any()):
        raise ArgumentError(
            f"embedding_bag: offsets {starts.tolist()} must begin with 0, not fall, and end within input {shape}"
        )
    if not include_last_offset:
        starts = np.append(starts, shape[0])
    lengths = np.diff(starts)
    steps = np.arange(max(lengths, default=0))
    return np.where(steps < lengths[:, None], starts[:-1, None] + steps, -1)
