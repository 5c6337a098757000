"""What update rules are written with: checks of settings, what is kept of a parameter, averages in place.

A rule takes arrays; with ``differentiable=True`` it takes Tensors, and what it does is recorded.
"""

from typing import Any, cast

import numpy as np

from tinygrad_cnn.core.promotion import FLOAT32, FLOAT64
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.torch_names.dtypes import get_default_dtype


def check_settings(optimiser: str, **settings: Any) -> None:
    """Each is a number of at least 0, or a Tensor of one."""
    for name, value in settings.items():
        if isinstance(value, Tensor) and value.numel() != 1:
            raise ValueError(f"{optimiser}: {name} is a Tensor of shape {value.shape}; it must have one element")
        if isinstance(value, str):
            raise TypeError(f"{optimiser}: {name} is {value!r}, a string; it must be a number")
        if not value >= 0.0:
            raise ValueError(f"{optimiser}: {name} is {float(value)}; it must be at least 0")


def check_pair_of_betas(optimiser: str, betas: Any) -> None:
    """There are two."""
    if not isinstance(betas, (tuple, list)):
        raise TypeError(f"{optimiser}: betas is {betas!r}; it must be a pair, such as (0.9, 0.999)")


def check_betas(optimiser: str, betas: tuple[Any, Any]) -> None:
    """Both lie in [0, 1)."""
    check_pair_of_betas(optimiser, betas)
    if not all(0.0 <= beta < 1.0 for beta in betas):
        raise ValueError(f"{optimiser}: betas are {betas}; each must be at least 0 and below 1")


def next_step(state: dict[str, Any]) -> float:
    """The number of the step that begins, from 1; the state keeps it."""
    step = number(state, "step", 0.0)
    t = float(step) + 1
    step[()] = t  # a twentieth of the time of step += 1
    return t


def number(state: dict[str, Any], name: str, initial: float) -> NDArray:
    """A number kept of a parameter, as an array of no axes; as PyTorch, in the default dtype, not the parameter's."""
    kept = state.get(name, initial)
    if not isinstance(kept, Tensor):  # the first step, or a state that was loaded with a plain number
        kept = state[name] = Tensor.wrap(rounded(kept))
    array: NDArray = kept.array
    return array


def rounded(value: float) -> NDArray:
    """A number in the dtype that PyTorch keeps numbers in: float64 if that is the default, else float32."""
    return np.array(value, FLOAT64 if get_default_dtype() == FLOAT64 else FLOAT32)


def buffer(state: dict[str, Any], name: str, value: NDArray, initial: float = 0.0) -> NDArray:
    """The array kept of a parameter under this name, of its shape and dtype."""
    recorded: Any = value
    if isinstance(recorded, Tensor):
        kept = state.get(name)
        state[name] = Tensor.wrap(np.full_like(recorded.array, initial)) if kept is None else kept.clone()
        written: Any = state[name]  # a copy in each step: what the step before recorded keeps its own
        return cast(NDArray, written)
    if name not in state:
        state[name] = Tensor.wrap(np.full_like(value, initial))
    array: NDArray = state[name].array
    if array.shape != value.shape:
        raise RuntimeError(f"step: state {name!r} has shape {array.shape} for a parameter of shape {value.shape}")
    return array


def decayed(gradient: NDArray, value: NDArray, group: dict[str, Any]) -> NDArray:
    """The gradient of the loss with ½ · weight_decay · ‖value‖² added."""
    return gradient + setting(group, "weight_decay") * value if group["weight_decay"] else gradient


def shrink(value: NDArray, group: dict[str, Any]) -> None:
    """Decoupled weight decay (Loshchilov & Hutter 2019): value ← (1 - lr · weight_decay) value."""
    if group["weight_decay"]:
        value *= 1 - setting(group, "lr") * setting(group, "weight_decay")


def root(square: NDArray, eps: float) -> NDArray:
    """√square + eps, in a new array (which np.sqrt alone does not give for no axes)."""
    recorded: Any = square
    if isinstance(recorded, Tensor):
        return cast(NDArray, recorded.sqrt() + eps)
    found: NDArray = np.sqrt(square, np.empty(square.shape, square.dtype))
    found += eps
    return found


def over(above: NDArray, below: NDArray) -> NDArray:
    """above / below, in the memory of `below`."""
    recorded: Any = above
    return cast(NDArray, recorded / below) if isinstance(recorded, Tensor) else np.divide(above, below, out=below)


def raise_to(largest: NDArray, new: NDArray) -> None:
    """largest ← max(largest, new), in place."""
    recorded: Any = largest
    if isinstance(recorded, Tensor):
        recorded.copy_(recorded.clone().maximum(cast(Any, new)))
    else:
        np.maximum(largest, new, out=largest)


def keep_within(value: NDArray, low: float, high: float) -> None:
    """value ← min(max(value, low), high), in place."""
    recorded: Any = value
    if isinstance(recorded, Tensor):
        recorded.copy_(recorded.clone().clamp(low, high))
    else:
        np.clip(value, low, high, out=value)


def setting(group: dict[str, Any], name: str) -> Any:
    """A setting as a number; where the step is recorded, a Tensor that requires a gradient stays one."""
    value = group[name]
    return value if group.get("differentiable") and isinstance(value, Tensor) else float(value)


def follow(average: NDArray, new: NDArray, share: float) -> None:
    """average ← average + share · (new - average), in place."""
    change = new - average
    change *= share
    average += change


def follow_square(average: NDArray, new: NDArray, share: float) -> None:
    """average ← (1 - share) · average + share · new², in place."""
    square = new * new
    square *= share
    average *= 1 - share
    average += square
