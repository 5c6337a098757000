"""`vmap`: a function of one sample, applied to each sample of a batch."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from tinygrad_cnn import ops
from tinygrad_cnn.func.signatures import Function, P, Y
from tinygrad_cnn.func.trees import Shape, build, flatten, spread_over
from tinygrad_cnn.random import get_rng_state, set_rng_state
from tinygrad_cnn.tensor import Tensor

__all__ = ["vmap"]


def vmap(
    func: Callable[P, Y],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Function[P, Y]:
    """A function that applies `func` to each slice of its arguments, and stacks the results.

    That is how it is computed: one call per slice, where PyTorch rewrites each op for a whole batch. The results are
    the same; the time is that of a loop. It composes with `grad` and the others: ``vmap(grad(loss), in_dims=(None, 0,
    0))`` are per-sample gradients.

    Parameters
    ----------
    func : takes and returns Tensors, in nested dicts, lists and tuples
    in_dims : over which dim of an argument to go, None for an argument that is the same for all; one for all
        arguments, or a tuple (nested as the arguments are)
    out_dims : where the new dim of the results stands; one for all, or nested as the results are
    randomness : whether `func` may draw random numbers: no ("error"), each call its own ("different"), or each call
        the same ("same")
    chunk_size : a matter of memory in PyTorch; here there is one slice at a time anyway

    Examples
    --------
    >>> from tinygrad_cnn import ones, arange
    >>> vmap(lambda x, y: (x * y).sum(), in_dims=(0, None))(ones(2, 3), arange(3))
    tensor([3., 3.])
    """
    if randomness not in ("error", "same", "different"):
        raise RuntimeError(f"vmap: randomness is {randomness!r}; expected 'error', 'same' or 'different'")
    if chunk_size is not None and chunk_size < 1:
        raise ValueError(f"vmap: chunk_size is {chunk_size}; it must be at least 1, or None")

    call: Callable[..., Any] = func

    @wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, shape = flatten(args)
        dims = checked_dims(args, leaves, in_dims)
        named, names = flatten(kwargs)  # keyword arguments go over their first dim
        dims += [0 if isinstance(v, Tensor) else None for v in named]
        leaves += named
        size = batch_size(leaves, dims)
        results = []
        state = None if randomness == "different" else get_rng_state()
        for k in range(size):
            if randomness == "same":
                set_rng_state(state)
            slices = [v if d is None else select(v, d, k) for v, d in zip(leaves, dims, strict=True)]
            given = build(slices[: shape.size], shape)
            results.append(call(*given, **build(slices[shape.size :], names)))
        if randomness == "error" and not same_state(state, get_rng_state()):
            raise RuntimeError(
                "vmap: func drew random numbers; say randomness='different' for each sample its own, or 'same'"
            )
        return stacked(results, out_dims)

    return mapped


def same_state(a: Any, b: Any) -> bool:
    """Whether no random number was drawn between two states."""
    return bool((a == b).all())


def checked_dims(args: tuple[Any, ...], leaves: list[Any], in_dims: Any) -> list[int | None]:
    """For each leaf of the arguments, the dim to go over, counted from the front; None for all at once."""
    if not isinstance(in_dims, (int, tuple, list)):
        raise ValueError(f"vmap: in_dims is {in_dims!r}; expected an int, or a tuple with one for each argument")
    given = in_dims if isinstance(in_dims, int) else tuple(in_dims)
    if isinstance(given, tuple) and len(given) != len(args):
        raise ValueError(f"vmap: in_dims has {len(given)} entries for {len(args)} arguments")
    dims: list[int | None] = []
    for value, dim in zip(leaves, spread_over("vmap: in_dims", given, args), strict=True):
        if dim is None:
            dims.append(None)
        elif isinstance(dim, bool) or not isinstance(dim, int):
            raise ValueError(f"vmap: in_dims has {dim!r}; expected an int or None")
        elif not isinstance(value, Tensor):
            raise ValueError(f"vmap: in_dim {dim} for a {type(value).__name__}; only Tensors have dims, give None")
        elif not -value.ndim <= dim < value.ndim:
            raise ValueError(f"vmap: in_dim {dim} for a tensor of shape {value.shape}")
        else:
            dims.append(dim % value.ndim)
    return dims


def batch_size(leaves: list[Any], dims: list[int | None]) -> int:
    """How many slices there are; ValueError if the arguments disagree."""
    sizes = {v.array_shape[d] for v, d in zip(leaves, dims, strict=True) if d is not None}
    if not sizes:
        raise ValueError("vmap: no argument has a dim to go over; give at least one in_dim that is not None")
    if len(sizes) > 1:
        raise ValueError(f"vmap: the dims to go over have different sizes: {sorted(sizes)}")
    size = sizes.pop()
    if size == 0:
        raise ValueError("vmap: the dims to go over have size 0, so that func is never called")
    return int(size)


def select(value: Tensor, dim: int, k: int) -> Tensor:
    """One slice along a dim."""
    return value[(*(slice(None),) * dim, k)]


def stacked(results: list[Any], out_dims: Any) -> Any:
    """The results of all calls as one, with a new dim."""
    columns: list[list[Any]] = []
    shape: Shape | None = None
    for result in results:
        leaves, shape = flatten(result)
        for leaf in leaves:
            if not isinstance(leaf, Tensor):
                raise ValueError(f"vmap: func must return Tensors, got {type(leaf).__name__}")
        columns.append(leaves)
    dims = spread_over("vmap: out_dims", out_dims, results[0])
    assert shape is not None
    return build([joined(list(parts), dim) for parts, dim in zip(zip(*columns, strict=True), dims, strict=True)], shape)


def joined(parts: list[Tensor], dim: Any) -> Tensor:
    """One result of all calls side by side; the first alone for None."""
    if dim is None:
        return parts[0]
    if isinstance(dim, bool) or not isinstance(dim, int):
        raise ValueError(f"vmap: out_dims has {dim!r}; expected an int")
    side_by_side: Tensor = ops.stack(parts, dim)
    return side_by_side
