"""``torch.backends.mps``: Apple's GPU, which is not used."""


def is_available() -> bool:
    """Whether there is such a GPU: no.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.backends.mps.is_available()
    False
    """
    return False


def is_built() -> bool:
    """Whether this package could use one: no.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.backends.mps.is_built()
    False
    """
    return False
