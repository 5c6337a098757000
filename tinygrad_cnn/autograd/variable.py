"""`Variable`, which scripts from before PyTorch 0.4 wrap around their tensors: a Tensor is one already."""

import warnings
from typing import TYPE_CHECKING, Any, TypeVar

from tinygrad_cnn.core.tensor import Tensor

T = TypeVar("T", bound=Tensor)


class VariableMeta(type):
    """Makes every Tensor an instance of `Variable`."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor)


if TYPE_CHECKING:

    def Variable(data: T, requires_grad: bool = False, volatile: bool | None = None) -> T:
        """The tensor without its history; see the class."""
        ...
else:

    class Variable(metaclass=VariableMeta):
        """``Variable(x)`` is another Tensor of the same memory without history; deprecated, Tensors need no wrapping.

        >>> from tinygrad_cnn import tensor
        >>> Variable(tensor([1.0, 2.0]), requires_grad=True)
        tensor([1., 2.], requires_grad=True)
        """

        def __new__(cls, data: Any = None, requires_grad: bool = False, volatile: bool | None = None) -> Any:
            if not isinstance(data, Tensor):
                raise TypeError(f"Variable: data has to be a tensor, but got {type(data).__name__}; use tensor(data)")
            if volatile is not None:
                warnings.warn(
                    "volatile was removed and now has no effect. Use `with torch.no_grad():` instead.", stacklevel=2
                )
            out = data.detach()
            return out.requires_grad_() if requires_grad else out
