"""``torch.amp``: mixed precision, for programs written for a GPU. Here everything is computed in the dtypes it has."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from functools import wraps
from types import TracebackType
from typing import Any, TypeVar, cast

import numpy as np

from tinygrad_cnn.autograd import no_grad
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.torch_names.device import device as device_named
from tinygrad_cnn.torch_names.dtypes import bfloat16, dtype, float16
from tinygrad_cnn.torch_names.errors import DeviceError

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]

F = TypeVar("F", bound=Callable[..., Any])


def is_autocast_available(device_type: str) -> bool:
    """Whether a device computes in lower precision where that pays: none does."""
    return False


class autocast:
    """Nothing, as a context manager or a decorator: no op changes its dtype.

    As in PyTorch without a GPU, ``autocast("cuda")`` warns that it is off. ``autocast("cpu")`` computes products in
    bfloat16 there; here a warning says that it does not.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> import warnings
    >>> warnings.simplefilter("ignore", UserWarning)
    >>> with tg.amp.autocast("cpu"): print(tg.mm(tg.ones(1, 2), tg.ones(2, 1)).dtype)
    torch.float32
    """

    def __init__(
        self, device_type: str, dtype: dtype | None = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"autocast: expected device_type of type str, got {type(device_type).__name__}")
        kind = device_type.partition(":")[0]
        if kind not in ("cpu", "cuda"):
            try:
                device_named(device_type)
            except DeviceError as error:
                raise RuntimeError(f"autocast: {error}") from None
        if enabled and kind == "cuda":
            warnings.warn("CUDA is not available or torch_xla is imported. Disabling autocast.", stacklevel=2)
        elif enabled and dtype not in (None, bfloat16, float16):
            warnings.warn(
                "In CPU autocast, but the target dtype is not supported. Disabling autocast.\n"
                "CPU Autocast only supports dtypes of torch.bfloat16, torch.float16 currently.",
                stacklevel=2,
            )
        elif enabled:
            warnings.warn(
                "autocast: there is no mixed precision here; ops are computed in the dtypes that their inputs have",
                stacklevel=2,
            )
        self.device, self.fast_dtype = kind, dtype

    def __enter__(self) -> autocast:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing."""

    def __call__(self, func: F) -> F:
        @wraps(func)
        def called(*args: Any, **kwargs: Any) -> Any:
            return func(*args, **kwargs)

        return cast(F, called)


def custom_fwd(fwd: Any = None, *, device_type: str, cast_inputs: Any = None) -> Any:
    """The forward of a Function as it is: there is no autocast to be heeded."""
    return (lambda function: function) if fwd is None else fwd


def custom_bwd(bwd: Any = None, *, device_type: str) -> Any:
    """The backward of a Function as it is."""
    return (lambda function: function) if bwd is None else bwd


LEFT_OUT = "scaler.scale(loss) was not called earlier in this iteration"


class GradScaler:
    """Scales a loss up before `backward` and its gradients down after, so that small float16 gradients stay above 0.

    For "cuda", the default, it warns and is off, as in PyTorch without a GPU: then `scale` gives back what it gets and
    `step` is the optimiser's. ``GradScaler("cpu")`` works.

    Parameters
    ----------
    device : "cuda" or "cpu"
    init_scale : the factor at the beginning
    growth_factor, growth_interval : by how much it grows after how many steps without infinite gradients
    backoff_factor : by how much it shrinks after a step with such, which is left out
    enabled : False switches it off

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> scaler = tg.amp.GradScaler("cpu", init_scale=8.0)
    >>> scaler.scale(tg.tensor([0.5]))
    tensor([4.])
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 65536.0,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        self._enabled = enabled
        if enabled and device != "cpu":
            warnings.warn("torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.", stacklevel=2)
            self._enabled = False
        if self._enabled and growth_factor <= 1.0:
            raise AssertionError("The growth factor must be > 1.0.")
        if self._enabled and backoff_factor >= 1.0:
            raise AssertionError("The backoff factor must be < 1.0.")
        self._scale, self._begun = float(init_scale), False
        self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
        self._growth_interval, self._growth_tracker = growth_interval, 0
        self._infinite: dict[int, bool] = {}  # of each optimiser whose gradients were scaled down
        self._stepped: set[int] = set()

    def scale(self, outputs: Any) -> Any:
        """A tensor, or each of an iterable of them, times the scale."""
        if not self._enabled:
            return outputs
        self._begun = True
        if isinstance(outputs, Tensor):
            return outputs * self._scale
        if not isinstance(outputs, Iterable):
            raise ValueError("scale: outputs must be a Tensor or an iterable of Tensors")
        scaled = map(self.scale, outputs)
        return type(outputs)(scaled) if isinstance(outputs, (list, tuple)) else scaled

    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients of an optimiser's parameters by the scale, to clip them, say. `step` does it else."""
        if not self._enabled:
            return
        self._check_begun("unscale_")
        if id(optimizer) in self._stepped:
            raise RuntimeError("unscale_() is being called after step().")
        if id(optimizer) in self._infinite:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        infinite, factor = False, float(np.float32(1 / self._scale))
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        with no_grad():
            for gradient in gradients:
                if gradient.dtype == float16:
                    raise ValueError("Attempting to unscale FP16 gradients.")
                infinite |= not bool(np.isfinite(gradient.numpy()).all())
                gradient.mul_(factor)
        if not gradients:
            raise AssertionError("No inf checks were recorded for this optimizer.")
        self._infinite[id(optimizer)] = infinite

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """The optimiser's step with gradients scaled down; left out if one is infinite or NaN."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        self._check_begun("step")
        if id(optimizer) in self._stepped:
            raise RuntimeError("step() has already been called since the last update().")
        if id(optimizer) not in self._infinite:
            self.unscale_(optimizer)
        result = None if self._infinite[id(optimizer)] else optimizer.step(*args, **kwargs)
        self._stepped.add(id(optimizer))
        return result

    def update(self, new_scale: Any = None) -> None:
        """Let the scale grow or shrink, or set it; at the end of each iteration."""
        if not self._enabled:
            return
        self._check_begun("update")
        if new_scale is not None:
            self._scale = float(new_scale)
        elif not self._infinite:
            raise AssertionError("No inf checks were recorded prior to update.")
        elif any(self._infinite.values()):
            self._scale, self._growth_tracker = self._scale * self._backoff_factor, 0
        else:
            self._growth_tracker += 1
            if self._growth_tracker == self._growth_interval:
                self._scale, self._growth_tracker = self._scale * self._growth_factor, 0
        self._infinite, self._stepped = {}, set()

    def _check_begun(self, name: str) -> None:
        if not self._begun:
            raise AssertionError(f"{name}: {LEFT_OUT}")

    def get_scale(self) -> float:
        """The scale, 1 if it is off."""
        return self._scale if self._enabled else 1.0

    def get_growth_factor(self) -> float:
        """By how much the scale grows."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Let the scale grow by this."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """By how much the scale shrinks."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Let the scale shrink by this."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """After how many steps the scale grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Let the scale grow after so many steps."""
        self._growth_interval = new_interval

    def is_enabled(self) -> bool:
        """Whether it scales."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """The scale and how it changes; empty if it is off."""
        if not self._enabled:
            return {}
        return {
            "scale": self._scale,
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._growth_tracker,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a `state_dict`."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler."
            )
        self._scale, self._growth_tracker = state_dict["scale"], state_dict["_growth_tracker"]
        self._growth_factor, self._backoff_factor = state_dict["growth_factor"], state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
