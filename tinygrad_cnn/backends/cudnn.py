"""``torch.backends.cudnn`` without cuDNN: flags that may be set, and that nothing reads, as in a CPU build."""

enabled = True
benchmark = False
deterministic = False
allow_tf32 = True
benchmark_limit = 10


def is_available() -> bool:
    """Whether cuDNN is here: no."""
    return False


def version() -> None:
    """The version of cuDNN: None without it."""
