"""PyTorch's switches for speed and determinism, as far as they mean something here, and `compile`."""

import warnings
from collections.abc import Callable
from typing import Any, TypeVar, overload

from tinygrad_cnn.core.errors import ArgumentError

__all__ = [
    "are_deterministic_algorithms_enabled", "compile", "get_float32_matmul_precision", "get_num_interop_threads",
    "set_float32_matmul_precision", "set_num_interop_threads", "use_deterministic_algorithms",
]  # fmt: skip

F = TypeVar("F", bound=Callable[..., Any])


class _Asked:
    """What programs asked for last, so that they can read it back."""

    precision = "highest"
    deterministic = False


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Ask for results that are the same in every run, as those of this package are in any case."""
    _Asked.deterministic = bool(mode)


def are_deterministic_algorithms_enabled() -> bool:
    """What was asked for last; the results are deterministic in any case."""
    return _Asked.deterministic


def set_float32_matmul_precision(precision: str) -> None:
    """ "highest", "high" or "medium": as on PyTorch's CPU, products of float32 are computed in float32 for each."""
    if precision not in ("highest", "high", "medium"):
        raise ArgumentError(f"set_float32_matmul_precision: {precision!r}; it must be 'highest', 'high' or 'medium'")
    _Asked.precision = precision


def get_float32_matmul_precision() -> str:
    """What was asked for last."""
    return _Asked.precision


def get_num_interop_threads() -> int:
    """How many ops are computed at once: one, each by several threads."""
    return 1


def set_num_interop_threads(n: int) -> None:
    """Accepted for 1: ops are computed one after the other; see `set_num_threads`."""
    if n < 1:
        raise ArgumentError(f"set_num_interop_threads: {n}; expected a positive number")
    if n > 1:
        raise ArgumentError(f"set_num_interop_threads: {n}; ops run one after the other, use set_num_threads")


@overload
def compile(
    model: F,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: Any = "inductor",
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
) -> F: ...
@overload
def compile(
    model: None = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: Any = "inductor",
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
) -> Callable[[F], F]: ...
def compile(
    model: Callable[..., Any] | None = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: Any = "inductor",
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
) -> Any:
    """The function or module itself, with a warning: nothing is compiled here, and its results are the same.

    `set_kernels("numba")` chooses compiled kernels.
    """
    if model is None:
        return compile
    if not disable:
        warnings.warn(
            "compile: nothing is compiled here, the function is called as it is; set_kernels('numba') chooses compiled "
            "kernels",
            UserWarning,
            stacklevel=2,
        )
    return model
