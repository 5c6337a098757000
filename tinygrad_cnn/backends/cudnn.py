"""``torch.backends.cudnn`` without cuDNN: flags that may be set, and that nothing reads, as in a CPU build."""

enabled = True
benchmark = False
deterministic = False
allow_tf32 = True
benchmark_limit = 10


def is_available() -> bool:
    """Whether cuDNN is here: no.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.backends.cudnn.is_available()
    False
    """
    return False


def version() -> None:
    """The version of cuDNN: None without it.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> print(tg.backends.cudnn.version())
    None
    """
