"""Modules as functions of their parameters: `functional_call`, and parameters of several models as one."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tinygrad_cnn import ops
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.tensor import Tensor

__all__ = ["functional_call", "stack_module_state"]

Tensors = Mapping[str, Tensor]


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: Tensors | Sequence[Tensors],
    args: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Tensor:
    """Call a module with these tensors in place of its parameters and buffers, which keep their own.

    Parameters
    ----------
    module : what to call
    parameter_and_buffer_dicts : tensors by name, as `named_parameters` has them; or several such dicts
    args : the argument of the call, or a tuple of them
    kwargs : its keyword arguments
    tie_weights : a tensor given for one name of a shared parameter stands at its other names, too
    strict : every parameter and buffer must be given, and nothing else

    Examples
    --------
    >>> from tinygrad_cnn import nn, ones
    >>> model = nn.Linear(2, 1)
    >>> functional_call(model, {"weight": ones(1, 2), "bias": ones(1)}, ones(2)).tolist()
    [3.0]
    """
    given = merged(parameter_and_buffer_dicts)
    places = tensor_places(module)
    unexpected = sorted(set(given) - set(places))
    if strict and unexpected:
        raise RuntimeError(f"functional_call: unexpected keys {unexpected}; the module has {sorted(places)}")
    given = {name: value for name, value in given.items() if name in places}
    if tie_weights:
        given = tied(given, places)
    missing = sorted(set(places) - set(given))
    if strict and missing:
        raise RuntimeError(f"functional_call: missing keys {missing}; strict=True wants every parameter and buffer")
    values = args if isinstance(args, tuple) else () if args is None else (args,)
    with exchanged(places, given):
        output: Tensor = module(*values, **(kwargs or {}))
        return output


def stack_module_state(models: Sequence[Module]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The parameters, and the buffers, of models of one architecture, stacked along a new first dim.

    For ``vmap(lambda params, buffers, x: functional_call(model, (params, buffers), (x,)), in_dims=(0, 0, None))``.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> parameters, buffers = tg.func.stack_module_state([tg.nn.Linear(2, 1), tg.nn.Linear(2, 1)])
    >>> parameters["weight"].shape
    torch.Size([2, 1, 2])
    """
    if not models:
        raise RuntimeError("stack_module_state: expected at least one model")
    if len({type(m) for m in models}) > 1:
        raise RuntimeError("stack_module_state: expected models of the same class")
    if len({m.training for m in models}) > 1:
        raise RuntimeError("stack_module_state: expected all models in training mode, or all in evaluation mode")
    named = [dict(m.named_parameters()) for m in models]
    parameters = {}
    for name, first in named[0].items():
        stacked = ops.stack([p[name] for p in named]).detach()
        parameters[name] = stacked.requires_grad_(first.requires_grad)
    held = [dict(m.named_buffers()) for m in models]
    return parameters, {name: ops.stack([b[name] for b in held]).detach() for name in held[0]}


def merged(dicts: Tensors | Sequence[Tensors]) -> dict[str, Tensor]:
    """One dict; a name must not come twice."""
    if isinstance(dicts, Mapping):
        return dict(dicts)
    if not isinstance(dicts, Sequence) or not all(isinstance(d, Mapping) for d in dicts):
        raise ValueError(f"functional_call: expected a dict of tensors or a sequence of them, got {dicts!r:.60}")
    names = [name for d in dicts for name in d]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"functional_call: {twice} appear in two of the dicts, so that it is not clear which is meant")
    return {name: value for d in dicts for name, value in d.items()}


def tensor_places(module: Module) -> dict[str, tuple[Module, str]]:
    """Where the parameters and buffers are kept: by full name, the module and the name there."""
    places = {}
    for prefix, part in module.named_modules():
        for name, value in (*part._parameters.items(), *part._buffers.items()):
            if value is not None:
                places[f"{prefix}.{name}" if prefix else name] = (part, name)
    return places


def held_at(place: tuple[Module, str]) -> Any:
    """The tensor that is kept there."""
    module, name = place
    return module._parameters[name] if name in module._parameters else module._buffers[name]


def tied(given: dict[str, Tensor], places: dict[str, tuple[Module, str]]) -> dict[str, Tensor]:
    """The tensors given, at every name under which the module keeps the same tensor."""
    names: dict[int, list[str]] = {}
    for name, place in places.items():
        names.setdefault(id(held_at(place)), []).append(name)
    out = dict(given)
    for group in names.values():
        values = [given[name] for name in group if name in given]
        if len({id(v) for v in values}) > 1:
            raise ValueError(f"functional_call: {group} are one tensor, but several are given; tie_weights=False")
        if values:
            out.update(dict.fromkeys(group, values[0]))
    return out


@contextmanager
def exchanged(places: dict[str, tuple[Module, str]], given: dict[str, Tensor]) -> Iterator[None]:
    """The given tensors stand in the modules for the time of the block."""
    before: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for name, value in given.items():
            module, own = places[name]
            kept: dict[str, Any] = module._parameters if own in module._parameters else module._buffers
            before.append((kept, own, kept[own]))
            kept[own] = value
        yield
    finally:
        for kept, own, value in reversed(before):
            kept[own] = value
