"""``torch.utils.checkpoint``: parts of a network whose intermediate values are computed again in the backward pass.

Memory is bought with time: of the part only the inputs are kept.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any

from tinygrad_cnn.autograd import backward, enable_grad, no_grad
from tinygrad_cnn.autograd.differentiate import adds_to_leaves
from tinygrad_cnn.autograd.function import Function
from tinygrad_cnn.autograd.packing import saved_tensors_hooks
from tinygrad_cnn.random import fork_rng, get_rng_state, set_rng_state
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.creation import empty
from tinygrad_cnn.torch_names.absent import absent

__all__ = [
    "CheckpointError", "CheckpointFunction", "check_backward_validity", "checkpoint", "checkpoint_sequential",
    "detach_variable", "noop_context_fn", "set_checkpoint_debug_enabled", "set_checkpoint_early_stop",
]  # fmt: skip

Contexts = tuple[AbstractContextManager[Any], AbstractContextManager[Any]]


class CheckpointError(RuntimeError):
    """What is computed again is not what was computed before."""


class _Enough(Exception):
    """All that the backward pass needs was computed again."""


class _Asked:
    """What `set_checkpoint_early_stop` asked for; None where each call says it itself."""

    early_stop: bool | None = None


def noop_context_fn() -> Contexts:
    """Two contexts that do nothing: the default of `context_fn`."""
    return nullcontext(), nullcontext()


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], Contexts] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """Call ``function(*args, **kwargs)`` and keep only its inputs; the backward pass computes it again.

    Parameters
    ----------
    function : computes the same each time; random numbers are the same unless ``preserve_rng_state=False``
    use_reentrant : False packs what the function saves, and is to be preferred; True is the older way, a Function
        whose backward calls `backward`: no keyword arguments, no ``autograd.grad``, no second derivatives
    context_fn : two context managers, around the first computation and around the others; not of the older way
    determinism_check : "default" compares shapes and dtypes of what is saved, "none" does not
    debug : accepted; the messages say what differs in any case
    early_stop : stop computing once all that was saved is there again

    Examples
    --------
    >>> from tinygrad_cnn import tensor
    >>> x = tensor([1.0, 2.0], requires_grad=True)
    >>> checkpoint(lambda x: (x * x).exp(), x, use_reentrant=False).sum().backward()
    >>> x.grad
    tensor([  5.4366, 218.3926])
    """
    use_reentrant = _reentrant("checkpoint", use_reentrant)
    preserve = kwargs.pop("preserve_rng_state", True)
    if not use_reentrant:
        early_stop = early_stop if _Asked.early_stop is None else _Asked.early_stop
        forward, again = context_fn()
        frame = _Frame(function, kwargs, preserve, again, determinism_check, early_stop)
        frame.keep(args)
        with _Packing(frame), forward:
            return function(*args, **kwargs)
    if kwargs:
        raise ValueError(f"checkpoint: unexpected keyword arguments {', '.join(kwargs)}; use_reentrant=True takes none")
    if context_fn is not noop_context_fn or debug:
        raise ValueError("checkpoint: context_fn and debug are only for use_reentrant=False")
    return CheckpointFunction.apply(function, preserve, *args)


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """Apply functions, or the modules of a Sequential, one after the other, in so many checkpointed segments.

    The last segment is not checkpointed: its values would be computed again at once.
    """
    use_reentrant = _reentrant("checkpoint_sequential", use_reentrant)
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError(f"checkpoint_sequential: unexpected keyword arguments {', '.join(kwargs)}")
    layers = list(functions.children() if hasattr(functions, "children") else functions)
    size, start = len(layers) // segments, 0
    for _ in range(segments - 1):
        part = _Chain(layers[start : start + size])
        input = checkpoint(part, input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
        start += size
    return _Chain(layers[start:])(input)


def _reentrant(op: str, given: bool | None) -> bool:
    """Which of the two ways is meant, with a warning if nothing was said."""
    if given is None:
        warnings.warn(
            f"{op}: the use_reentrant parameter should be passed explicitly; use_reentrant=False is recommended, True "
            "is what it means if it is left out",
            stacklevel=3,
        )
        return True
    return given


class _Chain:
    """Functions one after the other."""

    def __init__(self, functions: Sequence[Callable[[Any], Any]]) -> None:
        self.functions = functions

    def __call__(self, value: Any) -> Any:
        for function in self.functions:
            value = function(value)
        return value


@contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Within the block, whether checkpoints stop computing once all is there, whatever each call says."""
    before, _Asked.early_stop = _Asked.early_stop, enable
    try:
        yield
    finally:
        _Asked.early_stop = before


@contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Accepted: messages say what differs in any case."""
    yield


# ---- by what is saved ------------------------------------------------------------------------------------------------


class _KeepInputs(Function):
    """Keeps tensors as any op would: an outer checkpoint packs them, too."""

    @staticmethod
    def forward(ctx: Any, _: Tensor, *tensors: Tensor) -> Tensor:
        ctx.save_for_backward(*tensors)
        return empty(0)


class _Holder:
    """Stands for a saved tensor: its number among those of the frame."""

    def __init__(self, number: int) -> None:
        self.number = number


class _Frame:
    """One checkpointed call: how to repeat it, and what it saved."""

    def __init__(
        self,
        function: Callable[..., Any],
        kwargs: dict[str, Any],
        preserve: bool,
        context: AbstractContextManager[Any],
        check: str,
        early_stop: bool,
    ) -> None:
        if check not in ("default", "none"):
            raise ValueError(f"checkpoint: determinism_check is {check!r}; it must be 'default' or 'none'")
        self.function, self.kwargs, self.context = function, kwargs, context
        self.compared, self.early_stop = check == "default", early_stop
        self.random = get_rng_state() if preserve else None
        self.holders: list[weakref.ref[_Holder]] = []
        self.forms: list[tuple[Any, Any]] = []
        self.values: dict[int, Any] = {}  # computed again, and not used yet

    def keep(self, args: tuple[Any, ...]) -> None:
        """Keep the arguments, the tensors among them as an op would."""
        self.places = [k for k, a in enumerate(args) if isinstance(a, Tensor)]
        self.others = [None if isinstance(a, Tensor) else a for a in args]
        with enable_grad():
            self.keeper: Any = _KeepInputs.apply(empty(0, requires_grad=True), *(args[k] for k in self.places))

    def value(self, holder: _Holder) -> Any:
        """A saved tensor, computed again if it is not there."""
        if holder.number not in self.values:
            self._repeat()
        return self.values.pop(holder.number)

    def _repeat(self) -> None:
        args = self.others.copy()
        for k, tensor in zip(self.places, self.keeper.grad_fn.saved_tensors, strict=True):
            args[k] = tensor
        self.values.clear()
        collecting = _Collecting(self)
        with fork_rng(enabled=self.random is not None), collecting, enable_grad(), self.context:
            if self.random is not None:
                set_rng_state(self.random)
            with suppress(_Enough):
                self.function(*args, **self.kwargs)
        if len(collecting.forms) != len(self.holders):
            raise CheckpointError(
                "checkpoint: a different number of tensors was saved when it was computed again: "
                f"{len(self.holders)} before, {len(collecting.forms)} now"
            )
        if self.compared:
            self._compare(collecting.forms)

    def _compare(self, forms: Sequence[tuple[Any, Any]]) -> None:
        pairs = enumerate(zip(self.forms, forms, strict=True))
        differ = [
            f"number {k}: {old[0]}, {old[1]} before, {new[0]}, {new[1]} now" for k, (old, new) in pairs if old != new
        ]
        if differ:
            raise CheckpointError(
                "checkpoint: tensors of other shapes or dtypes were saved when it was computed again\n"
                + "\n".join(differ)
            )


class _Packing(saved_tensors_hooks):
    """Puts a holder in the place of each tensor that is saved."""

    def __init__(self, frame: _Frame) -> None:
        def pack(tensor: Tensor) -> _Holder:
            holder = _Holder(len(frame.holders))
            frame.holders.append(weakref.ref(holder))
            frame.forms.append((tuple(tensor.shape), tensor.dtype))
            return holder

        super().__init__(pack, frame.value)


class _Collecting(saved_tensors_hooks):
    """Gives the frame the tensors that are saved when the function is called again."""

    def __init__(self, frame: _Frame) -> None:
        self.forms = forms = list[tuple[Any, Any]]()

        def pack(tensor: Tensor) -> Tensor:  # which does not know `self`: who leaves by an interrupt ends at once
            number = len(forms)
            forms.append((tuple(tensor.shape), tensor.dtype))
            if number < len(frame.holders) and frame.holders[number]() is not None:
                frame.values[number] = tensor
            if frame.early_stop and len(forms) == len(frame.holders):
                raise _Enough
            return tensor

        super().__init__(pack, lambda tensor: tensor)


# ---- by a Function ---------------------------------------------------------------------------------------------------


class CheckpointFunction(Function):
    """``checkpoint(..., use_reentrant=True)``: its backward calls the function again, and `backward` on its results."""

    @staticmethod
    def forward(ctx: Any, run_function: Callable[..., Any], preserve_rng_state: bool, *args: Any) -> Any:
        """Compute, unrecorded."""
        check_backward_validity(args)
        ctx.run_function, ctx.random = run_function, get_rng_state() if preserve_rng_state else None
        ctx.places = [k for k, a in enumerate(args) if isinstance(a, Tensor)]
        ctx.others = [None if isinstance(a, Tensor) else a for a in args]
        ctx.save_for_backward(*(args[k] for k in ctx.places))
        with no_grad():
            return run_function(*args)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Compute again, recorded, and go back through that."""
        if not adds_to_leaves():
            raise RuntimeError(
                "When use_reentrant=True, checkpoint is incompatible with .grad() or passing an `inputs` parameter to "
                ".backward(). To resolve this error, you can either set use_reentrant=False, or call .backward() "
                "without passing the `inputs` argument."
            )
        inputs = ctx.others.copy()
        for k, tensor in zip(ctx.places, ctx.saved_tensors, strict=True):
            inputs[k] = tensor
        detached = detach_variable(tuple(inputs))
        with fork_rng(enabled=ctx.random is not None), enable_grad():
            if ctx.random is not None:
                set_rng_state(ctx.random)
            outputs = ctx.run_function(*detached)
        pairs = zip(outputs if isinstance(outputs, tuple) else (outputs,), grads, strict=True)
        wanted = [(y, g) for y, g in pairs if isinstance(y, Tensor) and y.requires_grad]
        if not wanted:
            raise RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary")
        backward([y for y, _ in wanted], [g for _, g in wanted])
        return (None, None, *(x.grad if isinstance(x, Tensor) else None for x in detached))


def check_backward_validity(inputs: Sequence[Any]) -> None:
    """Warn if no input requires a gradient: then parameters inside get none."""
    if not any(isinstance(x, Tensor) and x.requires_grad for x in inputs):
        warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=5)


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The inputs, the tensors among them as leaves of their own."""
    return tuple(x.detach().requires_grad_(x.requires_grad) if isinstance(x, Tensor) else x for x in inputs)


SELECTIVE = "all of a function is computed again, or nothing; checkpoint its parts, each by itself"
__getattr__ = absent(
    "torch.utils.checkpoint",
    {
        "CheckpointPolicy": SELECTIVE,
        "SelectiveCheckpointContext": SELECTIVE,
        "create_selective_checkpoint_contexts": SELECTIVE,
        "SAC_IGNORED_OPS": SELECTIVE,
        "DefaultDeviceType": "there is one device, the CPU",
        "GraphExecGroup": "each checkpoint knows its own passes",
        "get_device_states": "there is one device, the CPU; use random.get_rng_state",
        "set_device_states": "there is one device, the CPU; use random.set_rng_state",
    },
)
