"""``torch.backends.mps``: Apple's GPU, which is not used."""


def is_available() -> bool:
    """Whether there is such a GPU: no."""
    return False


def is_built() -> bool:
    """Whether this package could use one: no."""
    return False
