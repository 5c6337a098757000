"""``torch.backends.cuda`` without CUDA: flags that may be set, and that nothing reads, as in a CPU build."""


class matmul:
    """How a GPU multiplies matrices."""

    allow_tf32 = False
    allow_fp16_reduced_precision_reduction = True


def is_built() -> bool:
    """Whether this package could use CUDA: no."""
    return False
