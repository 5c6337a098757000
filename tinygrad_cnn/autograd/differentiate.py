"""The doors to the backward pass: `backward` adds to `.grad`, `grad` returns gradients. Checks stand here."""

import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core import engine
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.tensor import Tensor
from tinygrad_cnn.torch_names.errors import OptionError

G = TypeVar("G")
H = TypeVar("H", covariant=True)


class HasGradient(Protocol[H]):
    """A tensor, of which this file knows no more than what its gradient is."""

    @property
    def grad(self) -> H | None:
        """Its gradient."""
        ...


class _Here(threading.local):
    partly = False


_here = _Here()


@contextmanager
def _partly(partly: bool) -> Iterator[None]:
    """In this thread, whether the pass gives the gradients of some tensors only."""
    before, _here.partly = _here.partly, partly
    try:
        yield
    finally:
        _here.partly = before


def adds_to_leaves() -> bool:
    """Whether the pass that this thread is in adds to the `.grad` of all leaves."""
    return not _here.partly


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Add the gradients of the tensors to the `.grad` of the leaves they depend on; see `Tensor.backward`.

    `grad_variables` is the old name of `grad_tensors`. With `inputs`, a Tensor or a sequence of them, only these
    get a gradient; they may be results of ops.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> x = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> tg.autograd.backward((x * x).sum())
    >>> x.grad
    tensor([2., 4.])
    """
    if grad_variables is not None:
        warnings.warn(
            "`grad_variables` is deprecated. Use `grad_tensors` instead.", category=FutureWarning, stacklevel=2
        )
        if grad_tensors is not None:
            raise RuntimeError("backward: grad_variables is the old name of grad_tensors; give one of them")
        grad_tensors = grad_variables
    outputs = _listed("backward", tensors)
    targets = None if inputs is None else _listed("backward", inputs)
    given = _cotangents(grad_tensors, outputs)
    with _partly(targets is not None):
        engine.backward(
            "backward", outputs, given, inputs=targets, retain_graph=retain_graph, create_graph=create_graph
        )


def grad(
    outputs: Any,
    inputs: HasGradient[G] | Iterable[HasGradient[G]],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[G, ...]:
    """The gradients of outputs with respect to inputs, as ``torch.autograd.grad``; no `.grad` changes.

    Parameters
    ----------
    outputs, inputs : a Tensor or a sequence of them
    grad_outputs : the cotangent of each output, of its shape; None for an output of one element means 1
    retain_graph : keep what the graph saved, for another pass; by default if `create_graph`
    create_graph : record the pass, so that the gradients can themselves be differentiated
    only_inputs : True; programs of old give it
    allow_unused : give None for an input that no output depends on, instead of a RuntimeError
    is_grads_batched : each of `grad_outputs` has a first dim of several cotangents, and so have the results; the
        passes are run one after another
    materialize_grads : give zeros instead of None for an input that no output depends on

    Examples
    --------
    >>> from tinygrad_cnn import tensor
    >>> x = tensor(3.0, requires_grad=True)
    >>> (slope,) = grad(x ** 3, x, create_graph=True)
    >>> (curvature,) = grad(slope, x)
    >>> slope.item(), curvature.item()
    (27.0, 18.0)
    """
    if not only_inputs:
        raise OptionError("grad: only_inputs=False is not here, nor in PyTorch any more; `backward` adds to `.grad`")
    if materialize_grads and allow_unused is False:
        raise ValueError("grad: allow_unused must be True or left out with materialize_grads=True, which has no None")
    sources, targets = _listed("grad", outputs), _listed("grad", inputs)
    if not targets:
        raise RuntimeError("grad: inputs is empty; give the tensors whose gradients are wanted")
    cotangents = _cotangents(grad_outputs, sources)
    engine.check_inputs("grad", targets)
    keep = create_graph if retain_graph is None else retain_graph
    unused = materialize_grads or bool(allow_unused)
    if not is_grads_batched:
        found = _gradients(sources, targets, cotangents, keep, create_graph, unused)
    else:
        several = _batches(sources, cotangents)
        last = len(several) - 1
        runs = [
            _gradients(sources, targets, given, keep or k < last, create_graph, unused)
            for k, given in enumerate(several)
        ]
        found = tuple(_stacked(parts) for parts in zip(*runs, strict=True))
    if materialize_grads:
        return tuple(nothing(t, create_graph) if d is None else d for t, d in zip(targets, found, strict=True))
    return found


def nothing(tensor: Any, recorded: bool) -> Any:
    """Zeros like a tensor; of a recorded pass, they can be differentiated as all that it returns."""
    zeros = tensor.wrap(np.zeros(tensor.shape, tensor.dtype))
    return zeros.requires_grad_(recorded)


def _stacked(parts: tuple[Any, ...]) -> Any:
    return None if parts[0] is None else ops.stack(parts)


def _gradients(
    sources: list[Any], targets: list[Any], cotangents: list[Any], keep: bool, create_graph: bool, unused: bool
) -> tuple[Any, ...]:
    """One pass: the gradient of each target, or None."""
    wanted = [tensor.edge for tensor in targets]
    with _partly(True):
        found = engine.gradients("grad", sources, cotangents, wanted, retain_graph=keep, create_graph=create_graph)
    for k, edge in enumerate(wanted):
        if edge not in found and not unused:
            raise RuntimeError(
                f"grad: no output depends on input {k} of shape {tuple(targets[k].shape)}; pass allow_unused=True to "
                "get None for it"
            )
    return tuple(targets[0].wrap(found[edge]) if edge in found else None for edge in wanted)


def zero_gradients(tensors: Iterable[Any], set_to_none: bool) -> None:
    """Forget the gradients of leaves, or make them 0, in the memory where they are."""
    for tensor in tensors:
        if set_to_none:
            tensor.grad = None
        elif (g := tensor.grad) is not None:
            (g.requires_grad_(False) if g.grad_fn is None else g.detach_()).zero_()


def _batches(sources: list[Any], cotangents: list[Any]) -> list[list[Any]]:
    """Batched cotangents, as one list of them per pass."""
    for output, given in zip(sources, cotangents, strict=False):
        shape: tuple[int, ...] = () if given is None else tuple(np.shape(given))
        if shape[1:] != output.shape or not shape or shape[0] == 0:
            raise ArgumentError(
                f"grad: with is_grads_batched each cotangent has a first dim of at least 1 more than its output; "
                f"expected (n, {', '.join(map(str, output.shape))}), got {None if given is None else shape}"
            )
    sizes = {np.shape(given)[0] for given in cotangents}
    if len(sizes) != 1:
        raise ArgumentError(f"grad: the batches of cotangents differ in size: {sorted(sizes)}")
    return [[given[k] for given in cotangents] for k in range(sizes.pop())]


def _listed(name: str, tensors: Any) -> list[Any]:
    """A Tensor, or those of an iterable, as a list."""
    listed = list(tensors) if isinstance(tensors, Iterable) and not isinstance(tensors, Tensor) else [tensors]
    for value in listed:
        if not isinstance(value, Tensor):
            raise TypeError(f"{name}: got {type(value).__name__}; expected a Tensor or a sequence of them")
    return listed


def _cotangents(given: Any, outputs: list[Any]) -> list[Any]:
    """One cotangent, or None, for each output."""
    if given is None:
        return [None] * len(outputs)
    return list(given) if isinstance(given, Sequence) else [given]
