"""``torch.backends.cuda`` without CUDA: flags that may be set, and that nothing reads, as in a CPU build."""


class matmul:
    """How a GPU multiplies matrices.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.backends.cuda.matmul.allow_tf32
    False
    """

    allow_tf32 = False
    allow_fp16_reduced_precision_reduction = True


def is_built() -> bool:
    """Whether this package could use CUDA: no.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.backends.cuda.is_built()
    False
    """
    return False
