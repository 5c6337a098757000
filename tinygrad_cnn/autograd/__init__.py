"""Reverse-mode differentiation: the graph, the backward pass, and the switches. Knows nothing of `Tensor`."""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from tinygrad_cnn.autograd.anomaly import (
    detect_anomaly,
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    set_detect_anomaly,
)
from tinygrad_cnn.autograd.differentiate import backward, grad
from tinygrad_cnn.autograd.mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from tinygrad_cnn.autograd.nodes import Node
from tinygrad_cnn.autograd.variable import Variable
from tinygrad_cnn.core.storage import note_write
from tinygrad_cnn.torch_names.absent import absent

__all__ = [
    "Function", "Node", "Variable", "backward", "detect_anomaly", "enable_grad", "functional", "grad", "gradcheck",
    "gradgradcheck", "inference_mode", "is_anomaly_check_nan_enabled", "is_anomaly_enabled", "is_grad_enabled",
    "is_inference_mode_enabled", "no_grad", "note_write", "set_detect_anomaly", "set_grad_enabled",
]  # fmt: skip


class Checked(Protocol):
    """What `gradcheck` returns: true if every gradient passed."""

    def __bool__(self) -> bool: ...


if TYPE_CHECKING:
    from tinygrad_cnn.autograd import functional as functional
    from tinygrad_cnn.autograd import graph as graph
    from tinygrad_cnn.autograd.function import Function as Function

    gradcheck: Callable[..., Checked]
    gradgradcheck: Callable[..., Checked]
else:
    later: dict[str, str] = {"Function": "tinygrad_cnn.autograd.function"}
    """Names that are loaded when they are asked for, by where they live. The face of the package adds PyTorch's two
    that live in a room above."""
    missing = absent(
        "torch.autograd",
        {
            "profiler": "use tinygrad_cnn.profiler: profile, record_function",
            "forward_ad": "there is no forward mode; func.jvp and functional.jvp differentiate backward instead",
            "NestedIOFunction": "PyTorch deprecates it; use Function, whose outputs may be a tuple",
            "enforce_grad_layout_policy": "a gradient lies in memory as it was computed; leave it out",
            "grad_mode": "use no_grad, enable_grad, set_grad_enabled and inference_mode",
            "set_multithreading_enabled": "the backward pass runs in the calling thread",
        },
    )

    def __getattr__(name):
        """A name that is loaded now, or what is said of one that is not here."""
        if name in ("functional", "graph"):
            return import_module(f"tinygrad_cnn.autograd.{name}")
        return getattr(import_module(later[name]), name) if name in later else missing(name)

    def __dir__():
        """All names, those that are not loaded yet among them."""
        return sorted({*globals(), *__all__})
