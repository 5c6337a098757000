"""Which kernels are in use: NumPy's, or those compiled by Numba. Ops call them as ``chosen.conv2d(...)``."""

import importlib
import importlib.util
import os
from collections.abc import Callable
from typing import Any

from tinygrad_cnn.kernels import conv, elementwise, loss, matmul, pool, random

Kernel = Callable[..., Any]
NUMPYS = conv, pool, elementwise, matmul, loss, random


class Chosen:
    """The kernels in use, by name."""

    name: str
    conv2d: Kernel
    conv2d_input: Kernel
    conv2d_weight: Kernel
    max_pool2d: Kernel
    window_put: Kernel
    relu: Kernel
    gate: Kernel
    channel_sums: Kernel
    matmul: Kernel
    class_losses: Kernel
    class_losses_input: Kernel
    descend: Kernel
    random_words: Kernel

    def __init__(self) -> None:
        self.choose("numpy", *NUMPYS)

    def choose(self, name: str, *modules: Any) -> None:
        """Take each kernel from the module that has it."""
        for kernel in Chosen.__annotations__.keys() - {"name"}:
            setattr(self, kernel, next(getattr(m, kernel) for m in modules if hasattr(m, kernel)))
        self.name = name


chosen = Chosen()


def set_kernels(name: str) -> None:
    """Compute with the kernels "numpy" or "numba", from now on and in the whole process.

    "numpy" is the default, and needs nothing else. "numba" needs the extra `fast` and compiles each loop when it is
    first used: some 15 s for a network, once, since machine code is kept on disk beside the package or, where that
    cannot be written, in the user's cache directory. Both give the same results but for rounding. The environment
    variable ``TINYGRAD_CNN_KERNELS`` chooses at import.

    Raises
    ------
    ValueError
        If there are no kernels of that name.
    ImportError
        If Numba is not installed.

    Examples
    --------
    >>> import tinygrad_cnn
    >>> before = tinygrad_cnn.get_kernels()
    >>> tinygrad_cnn.set_kernels("numpy")
    >>> tinygrad_cnn.get_kernels()
    'numpy'
    >>> tinygrad_cnn.set_kernels(before)
    """
    if name == chosen.name:
        return
    if name == "numpy":
        chosen.choose(name, *NUMPYS)
    elif name == "numba":
        if importlib.util.find_spec("numba") is None:
            raise ImportError('set_kernels: "numba" needs Numba; install it with: pip install "tinygrad-cnn[fast]"')
        # Numba takes half a second to import, and is not everywhere: only those who ask for it pay.
        chosen.choose(name, importlib.import_module("tinygrad_cnn.kernels.compiled"))
    else:
        raise ValueError(f'set_kernels: name is {name!r}; it must be "numpy" or "numba"')


def get_kernels() -> str:
    """The name of the kernels in use: "numpy" or "numba"."""
    return chosen.name


set_kernels(os.environ.get("TINYGRAD_CNN_KERNELS", "numpy"))
