"""``torch.backends.mkldnn``: Intel's library, which is not used."""


def is_available() -> bool:
    """Whether oneDNN is here: no; the kernels are NumPy's or Numba's.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.backends.mkldnn.is_available()
    False
    """
    return False
