"""What the families of methods may ask of the tensor that they are part of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tinygrad_cnn.types import DType, NDArray, Shape

if TYPE_CHECKING:
    from tinygrad_cnn.dtypes import dtype
    from tinygrad_cnn.ops.op import Op
    from tinygrad_cnn.size import Size
    from tinygrad_cnn.tensor.recording import Tensor


class Methods:
    """The base of the families: no state, no behaviour; `tensor.recording.Tensor` has what is declared here."""

    __slots__ = ()

    if TYPE_CHECKING:
        array: NDArray

        @property
        def requires_grad(self) -> bool: ...
        @property
        def ndim(self) -> int: ...
        @property
        def array_shape(self) -> Shape: ...
        @property
        def array_dtype(self) -> DType: ...
        @property
        def shape(self) -> Size: ...
        @property
        def dtype(self) -> dtype: ...
        def numel(self) -> int: ...
        @staticmethod
        def wrap(array: Any) -> Tensor: ...
        @staticmethod
        def __record__(op: type[Op], inputs: tuple[Any, ...], options: dict[str, Any]) -> Any: ...
        @staticmethod
        def _arithmetic(op: type[Op], a: Any, b: Any) -> Any: ...
        def astype(self, dtype: Any) -> Tensor: ...
        def _turn(self, op: str, function: Callable[[Any], Any]) -> Tensor: ...
        def _resized(self, shape: tuple[Any, ...]) -> Tensor: ...
        def _become(self, op: str, function: Callable[[Any], Any], *operands: Any) -> Tensor: ...
