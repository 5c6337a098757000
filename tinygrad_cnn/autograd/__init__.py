"""Reverse-mode differentiation: the graph, the backward pass, and the switches. Knows nothing of `Tensor`."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.autograd.engine import run
from tinygrad_cnn.autograd.graph import Node
from tinygrad_cnn.autograd.mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from tinygrad_cnn.autograd.writes import note_write

__all__ = [
    "Node",
    "backward",
    "enable_grad",
    "grad",
    "is_grad_enabled",
    "no_grad",
    "note_write",
    "set_grad_enabled",
]


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> None:
    """Add the gradients of the tensors to the `.grad` of the leaves they depend on; see `Tensor.backward`."""
    outputs = _listed("backward", tensors)
    roots = _roots("backward", outputs, grad_tensors, create_graph)
    keep = create_graph if retain_graph is None else retain_graph
    run(roots, wanted=None, retain_graph=keep, alias=outputs[0]._alias if create_graph else None)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Any, ...]:
    """The gradients of outputs with respect to inputs, as ``torch.autograd.grad``; no `.grad` changes.

    Parameters
    ----------
    outputs, inputs : a Tensor or a sequence of them
    grad_outputs : the cotangent of each output, of its shape; None for an output of one element means 1
    retain_graph : keep what the graph saved, for another pass; by default if `create_graph`
    create_graph : record the pass, so that the gradients can themselves be differentiated
    allow_unused : give None for an input that no output depends on, instead of a RuntimeError

    Examples
    --------
    >>> from tinygrad_cnn import tensor
    >>> x = tensor(3.0, requires_grad=True)
    >>> (slope,) = grad(x ** 3, x, create_graph=True)
    >>> (curvature,) = grad(slope, x)
    >>> slope.item(), curvature.item()
    (27.0, 18.0)
    """
    sources, targets = _listed("grad", outputs), _listed("grad", inputs)
    for k, tensor in enumerate(targets):
        if not tensor.requires_grad:
            raise RuntimeError(
                f"grad: input {k} of shape {tensor.shape} does not require a gradient; create it with "
                "requires_grad=True, before the outputs are computed"
            )
    roots = _roots("grad", sources, grad_outputs, create_graph)
    keep = create_graph if retain_graph is None else retain_graph
    wanted = [tensor._edge for tensor in targets]
    found = run(roots, wanted=wanted, retain_graph=keep, alias=sources[0]._alias if create_graph else None)
    for k, edge in enumerate(wanted):
        if edge not in found and not allow_unused:
            raise RuntimeError(
                f"grad: no output depends on input {k} of shape {targets[k].shape}; pass allow_unused=True to "
                "get None for it"
            )
    return tuple(targets[0]._wrap(found[edge]) if edge in found else None for edge in wanted)


def _listed(name: str, tensors: Any) -> list[Any]:
    """A Tensor, or those of an iterable, as a list."""
    several = isinstance(tensors, Iterable) and not hasattr(tensors, "requires_grad")
    listed = list(tensors) if several else [tensors]
    for value in listed:
        if not hasattr(value, "requires_grad"):
            raise TypeError(f"{name}: got {type(value).__name__}; expected a Tensor or a sequence of them")
    return listed


def _roots(name: str, outputs: list[Any], cotangents: Any, create_graph: bool) -> list[tuple[Any, Any]]:
    """(edge, cotangent) of each output, the cotangent checked, or 1."""
    given = [None] * len(outputs) if cotangents is None else cotangents
    given = list(given) if isinstance(given, Sequence) else [given]
    if len(given) != len(outputs):
        raise ValueError(f"{name}: {len(given)} cotangents for {len(outputs)} outputs; give one for each")
    roots = []
    for output, cotangent in zip(outputs, given, strict=True):
        if not output.requires_grad:
            raise RuntimeError(
                f"{name}: the output of shape {output.shape} does not require a gradient and no op recorded it; "
                "an input needs requires_grad=True, outside no_grad()"
            )
        if cotangent is None:
            if output.numel() != 1:
                raise RuntimeError(
                    f"{name}: a gradient can be created implicitly for an output of one element only, this one has "
                    f"shape {output.shape}; pass its cotangent, or reduce it with .sum() or .mean()"
                )
            cotangent = np.ones(output.shape, output.dtype)
        elif tuple(np.shape(cotangent)) != output.shape:
            raise ValueError(
                f"{name}: the cotangent has shape {np.shape(cotangent)}, its output {output.shape}; they must be equal"
            )
        value = output._as_cotangent(cotangent)
        roots.append((output._edge, value if create_graph else value._data))
    return roots
