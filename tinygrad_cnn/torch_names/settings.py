"""PyTorch's switches for speed and determinism, as far as they mean something here."""

from tinygrad_cnn.core.errors import ArgumentError

__all__ = [
    "are_deterministic_algorithms_enabled", "get_float32_matmul_precision", "get_num_interop_threads",
    "set_float32_matmul_precision", "set_num_interop_threads", "use_deterministic_algorithms",
]  # fmt: skip


class _Asked:
    """What programs asked for last, so that they can read it back."""

    precision = "highest"
    deterministic = False


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Ask for results that are the same in every run, as those of this package are in any case.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.use_deterministic_algorithms(True)
    >>> tg.are_deterministic_algorithms_enabled()
    True
    >>> tg.use_deterministic_algorithms(False)
    """
    _Asked.deterministic = bool(mode)


def are_deterministic_algorithms_enabled() -> bool:
    """What was asked for last; the results are deterministic in any case.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.are_deterministic_algorithms_enabled()
    False
    """
    return _Asked.deterministic


def set_float32_matmul_precision(precision: str) -> None:
    """ "highest", "high" or "medium": as on PyTorch's CPU, products of float32 are computed in float32 for each.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.set_float32_matmul_precision("high")
    >>> tg.get_float32_matmul_precision()
    'high'
    >>> tg.set_float32_matmul_precision("highest")
    """
    if precision not in ("highest", "high", "medium"):
        raise ArgumentError(f"set_float32_matmul_precision: {precision!r}; it must be 'highest', 'high' or 'medium'")
    _Asked.precision = precision


def get_float32_matmul_precision() -> str:
    """What was asked for last.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.get_float32_matmul_precision()
    'highest'
    """
    return _Asked.precision


def get_num_interop_threads() -> int:
    """How many ops are computed at once: one, each by several threads.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.get_num_interop_threads()
    1
    """
    return 1


def set_num_interop_threads(n: int) -> None:
    """Accepted for 1: ops are computed one after the other; see `set_num_threads`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.set_num_interop_threads(1)
    >>> tg.get_num_interop_threads()
    1
    """
    if n < 1:
        raise ArgumentError(f"set_num_interop_threads: {n}; expected a positive number")
    if n > 1:
        raise ArgumentError(f"set_num_interop_threads: {n}; ops run one after the other, use set_num_threads")
