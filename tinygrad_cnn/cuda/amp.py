"""``torch.cuda.amp``: the deprecated place of `tinygrad_cnn.amp`."""

import warnings
from typing import Any

from tinygrad_cnn import amp
from tinygrad_cnn.torch_names.dtypes import dtype, float16

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd"]


class autocast(amp.autocast):
    """`amp.autocast` of "cuda"; deprecated, use that."""

    def __init__(self, enabled: bool = True, dtype: dtype = float16, cache_enabled: bool = True) -> None:
        _deprecated("autocast", "autocast")
        super().__init__("cuda", dtype, enabled, cache_enabled)


class GradScaler(amp.GradScaler):
    """`amp.GradScaler` of "cuda"; deprecated, use that."""

    def __init__(
        self,
        init_scale: float = 65536.0,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        _deprecated("GradScaler", "GradScaler")
        super().__init__("cuda", init_scale, growth_factor, backoff_factor, growth_interval, enabled)


def custom_fwd(fwd: Any = None, *, cast_inputs: Any = None) -> Any:
    """`amp.custom_fwd` of "cuda"; deprecated, use that."""
    _deprecated("custom_fwd", "custom_fwd")
    return amp.custom_fwd(fwd, device_type="cuda", cast_inputs=cast_inputs)


def custom_bwd(bwd: Any = None) -> Any:
    """`amp.custom_bwd` of "cuda"; deprecated, use that."""
    _deprecated("custom_bwd", "custom_bwd")
    return amp.custom_bwd(bwd, device_type="cuda")


def _deprecated(old: str, new: str) -> None:
    warnings.warn(
        f"`torch.cuda.amp.{old}(args...)` is deprecated. Please use `torch.amp.{new}('cuda', args...)` instead.",
        FutureWarning,
        stacklevel=3,
    )
