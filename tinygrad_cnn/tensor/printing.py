"""How a tensor prints: as PyTorch's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tinygrad_cnn.promotion import get_default_dtype

if TYPE_CHECKING:
    from tinygrad_cnn.tensor.recording import Tensor


def represented(x: Tensor) -> str:
    """As PyTorch prints it: the values, the dtype if it is not the default one, and where it came from."""
    values = np.array2string(x._data, separator=", ", prefix="tensor(", precision=4, suppress_small=False)
    extras = [values]
    if x.dtype not in (get_default_dtype(), np.dtype(np.int64), np.dtype(bool)):
        extras.append(f"dtype={x.dtype}")
    if x.grad_fn is not None:
        extras.append(f"grad_fn={x.grad_fn!r}")
    elif x.requires_grad:
        extras.append("requires_grad=True")
    return f"tensor({', '.join(extras)})"
