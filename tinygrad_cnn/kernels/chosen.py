"""Which kernels are in use: NumPy's, the compiled ones, or their definitions. Ops call ``chosen.conv2d(...)``."""

import importlib
import os
from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from tinygrad_cnn.core.types import NDArray, Pads, Pair
from tinygrad_cnn.kernels import numpy_set
from tinygrad_cnn.kernels.recurrent import Sizes

if TYPE_CHECKING:
    from tinygrad_cnn.kernels import compiled, definition


class Kernels(Protocol):
    """A set of kernels. What each function computes is in `definition`; a set is a module that has them all."""

    name: str

    def conv2d(
        self,
        x: NDArray,
        w: NDArray,
        b: NDArray | None = None,
        *,
        stride: Pair,
        padding: Pads,
        dilation: Pair,
        groups: int,
    ) -> NDArray: ...
    def conv2d_input(
        self, g: NDArray, w: NDArray, *, input_size: Pair, stride: Pair, padding: Pads, dilation: Pair, groups: int
    ) -> NDArray: ...
    def conv2d_weight(
        self, x: NDArray, g: NDArray, *, kernel_size: Pair, stride: Pair, padding: Pads, dilation: Pair, groups: int
    ) -> NDArray: ...
    def max_pool2d(
        self, x: NDArray, *, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil_mode: bool
    ) -> tuple[NDArray, NDArray]: ...
    def window_put(
        self,
        g: NDArray,
        winner: NDArray,
        *,
        input_size: Pair,
        kernel_size: Pair,
        stride: Pair,
        padding: Pair,
        dilation: Pair,
    ) -> NDArray: ...
    def relu(self, x: NDArray) -> NDArray: ...
    def gate(self, x: NDArray, of: NDArray) -> NDArray: ...
    def sigmoid(self, x: NDArray) -> NDArray: ...
    def silu(self, x: NDArray) -> NDArray: ...
    def silu_slope(self, x: NDArray) -> NDArray: ...
    def softplus(self, x: NDArray, limit: float) -> NDArray: ...
    def hardswish(self, x: NDArray) -> NDArray: ...
    def hardswish_slope(self, x: NDArray) -> NDArray: ...
    def softmax(self, x: NDArray, axis: int) -> NDArray: ...
    def log_softmax(self, x: NDArray, axis: int) -> NDArray: ...
    def add_rows(self, y: NDArray, places: NDArray, rows: NDArray) -> None: ...
    def attend(
        self, q: NDArray, k: NDArray, v: NDArray, mask: NDArray, *, scale: float, causal: bool
    ) -> tuple[NDArray, NDArray]: ...
    def attend_back(
        self,
        g: NDArray,
        q: NDArray,
        k: NDArray,
        v: NDArray,
        mask: NDArray,
        kept: NDArray,
        *,
        scale: float,
        causal: bool,
    ) -> tuple[NDArray, NDArray, NDArray]: ...
    def pick(self, holds: NDArray, a: Any, b: Any, out: NDArray) -> None: ...
    def normalize(
        self,
        x: NDArray,
        w: NDArray,
        b: NDArray,
        *,
        axes: tuple[int, ...],
        along: tuple[int, ...],
        eps: float,
        centred: bool,
    ) -> tuple[NDArray, NDArray, NDArray]: ...
    def normalize_back(
        self,
        g: NDArray,
        x: NDArray,
        w: NDArray,
        mean: NDArray,
        variance: NDArray,
        *,
        axes: tuple[int, ...],
        along: tuple[int, ...],
        eps: float,
        centred: bool,
        wanted: Sequence[bool],
    ) -> tuple[NDArray | None, NDArray | None, NDArray | None]: ...
    def scale_channels(self, x: NDArray, w: NDArray, b: NDArray) -> NDArray: ...
    def gelu(self, x: NDArray) -> NDArray: ...
    def gelu_slope(self, x: NDArray) -> NDArray: ...
    def channel_sums(self, g: NDArray) -> NDArray: ...
    def matmul(self, a: NDArray, b: NDArray, *, keep_order: bool = False) -> NDArray: ...
    def class_losses(self, x: NDArray, t: NDArray) -> NDArray: ...
    def class_losses_input(self, g: NDArray, x: NDArray, t: NDArray) -> NDArray: ...
    def descend(self, value: NDArray, gradient: NDArray, rate: float) -> None: ...
    def descend_by_velocity(
        self,
        value: NDArray,
        gradient: NDArray,
        velocity: NDArray,
        rate: float,
        *,
        momentum: float,
        dampening: float,
        nesterov: bool,
        decay: float,
    ) -> None: ...
    def adam(
        self,
        value: NDArray,
        gradient: NDArray,
        mean: NDArray,
        square: NDArray,
        largest: NDArray | None,
        *,
        rate: float,
        eps: float,
        new: tuple[float, float],
        decay: float,
        kept: float,
    ) -> None: ...
    def rnn(
        self, x: NDArray, w_ih: NDArray, w_hh: NDArray, b: NDArray, h: NDArray, *, relu: bool, sizes: Sizes, keep: bool
    ) -> tuple[NDArray, NDArray]: ...
    def rnn_back(
        self, g: NDArray, z: NDArray, w_hh: NDArray, *, relu: bool, sizes: Sizes
    ) -> tuple[NDArray, NDArray]: ...
    def lstm(
        self,
        x: NDArray,
        w_ih: NDArray,
        w_hh: NDArray,
        b: NDArray,
        h: NDArray,
        c: NDArray,
        w_hr: NDArray | None = None,
        *,
        sizes: Sizes,
        keep: bool,
    ) -> tuple[NDArray, NDArray, NDArray, NDArray, NDArray]: ...
    def lstm_back(
        self,
        g: NDArray,
        gc: NDArray,
        gates: NDArray,
        tanhs: NDArray,
        w_hh: NDArray,
        w_hr: NDArray | None = None,
        *,
        sizes: Sizes,
    ) -> tuple[NDArray, NDArray, NDArray, NDArray]: ...
    def gru(
        self,
        x: NDArray,
        w_ih: NDArray,
        w_hh: NDArray,
        b_ih: NDArray,
        b_hh: NDArray,
        h: NDArray,
        *,
        sizes: Sizes,
        keep: bool,
    ) -> tuple[NDArray, NDArray, NDArray, NDArray, NDArray]: ...
    def gru_back(
        self, g: NDArray, z: NDArray, gates: NDArray, seen: NDArray, w_hh: NDArray, *, sizes: Sizes
    ) -> tuple[NDArray, NDArray]: ...
    def random_words(self, generator: "np.random.Generator", count: int) -> NDArray: ...  # quoted: not loaded yet
    def shuffled(self, steps: NDArray) -> NDArray: ...


if TYPE_CHECKING:  # here type checkers compare the signatures of each set with those above
    NUMPYS: Kernels = numpy_set
    COMPILED: Kernels = compiled
    DEFINITION: Kernels = definition

KERNELS = [member for member in vars(Kernels) if not member.startswith("_")]
"""The names of the functions of a set."""

chosen = cast(Kernels, SimpleNamespace())
"""The kernels in use."""


def choose(kernels: Kernels) -> None:
    """Use this set from now on."""
    vars(chosen).update({member: getattr(kernels, member) for member in ("name", *KERNELS)})


choose(numpy_set)


def set_kernels(name: str) -> None:
    """Compute with the kernels "numpy", "numba" or "definition", from now on and in the whole process.

    "numpy" is the default, and needs nothing else. "numba" needs the extra `fast` and compiles each loop when it is
    first used: some 15 s for a network, once, since machine code is kept on disk beside the package or, where that
    cannot be written, in the user's cache directory. "definition" is slow and for reading: each kernel is its formula
    in a few lines of NumPy, all on one page, ``tinygrad_cnn/kernels/definition.py``. All give the same results but for
    rounding. The environment variable ``TINYGRAD_CNN_KERNELS`` chooses at import.

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
    >>> tinygrad_cnn.set_kernels("definition")
    >>> tinygrad_cnn.get_kernels()
    'definition'
    >>> tinygrad_cnn.set_kernels(before)
    """
    if name == chosen.name:
        return
    if name == "numpy":
        choose(numpy_set)
    elif name == "definition":
        choose(cast(Kernels, importlib.import_module("tinygrad_cnn.kernels.definition")))
    elif name == "numba":
        from importlib.util import find_spec

        if find_spec("numba") is None:
            raise ImportError('set_kernels: "numba" needs Numba; install it with: pip install "tinygrad-cnn[fast]"')
        # Numba takes half a second to import, and is not everywhere: only those who ask for it pay.
        choose(cast(Kernels, importlib.import_module("tinygrad_cnn.kernels.compiled")))
    else:
        raise ValueError(f'set_kernels: name is {name!r}; it must be "numpy", "numba" or "definition"')


def get_kernels() -> str:
    """The name of the kernels in use: "numpy", "numba" or "definition".

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.get_kernels() in ("numpy", "numba", "definition")
    True
    """
    return chosen.name


set_kernels(os.environ.get("TINYGRAD_CNN_KERNELS", "numpy"))
