"""Examples for the docstrings of what `core` defines: its files stay short enough to be read in one sitting.

They are added when `Tensor` is made, so `help(Tensor.backward)` shows them, and they run as those of `core`.
"""

from inspect import cleandoc
from typing import Any

from tinygrad_cnn.core import domain, op, reduce, storage
from tinygrad_cnn.core.tensor import Tensor

OF_TENSORS = {
    "backward": """
        >>> x = tg.tensor([1.0, 2.0], requires_grad=True)
        >>> (x * x).sum().backward()
        >>> x.grad
        tensor([2., 4.])""",
    "detach": """
        >>> x = tg.ones(2, requires_grad=True)
        >>> x.detach().requires_grad
        False""",
    "grad": """
        >>> x = tg.ones(2, requires_grad=True)
        >>> (3 * x).sum().backward()
        >>> x.grad
        tensor([3., 3.])""",
    "grad_fn": """
        >>> (2 * tg.ones(2, requires_grad=True)).grad_fn.name()
        'MulBackward0'""",
    "is_leaf": """
        >>> x = tg.ones(2, requires_grad=True)
        >>> x.is_leaf, (2 * x).is_leaf
        (True, False)""",
    "ndim": """
        >>> tg.zeros(2, 3).ndim
        2""",
    "requires_grad": """
        >>> x = tg.ones(2, requires_grad=True)
        >>> x.requires_grad, (2 * x).requires_grad
        (True, True)""",
    "requires_grad_": """
        >>> tg.ones(2).requires_grad_()
        tensor([1., 1.], requires_grad=True)""",
}
"""By the name of the method or property."""
OF_OPS = {
    domain.Domain: """
    >>> isinstance(domain.Positive(), domain.Domain)
    True""",
    domain.Real: """
    >>> domain.Real(low=-1.0, high=1.0)
    Real(low=-1.0, high=1.0)""",
    domain.Positive: """
    >>> domain.Positive(high=2.0).low
    0.25""",
    domain.AwayFrom: """
    >>> domain.AwayFrom(0.0, gap=0.5).gap
    0.5""",
    domain.Distinct: """
    >>> domain.Distinct().gap
    0.25""",
    op.Sample: """
    >>> sample = op.Sample((1.0, 2.0), {"axis": 0})
    >>> sample.options
    {'axis': 0}""",
    op.Elementwise: """
    >>> from tinygrad_cnn.core.elementwise import Mul
    >>> issubclass(Mul, op.Elementwise), float(Mul.apply(2.0, 3.0))
    (True, 6.0)""",
    op.Unary: """
    >>> from tinygrad_cnn.core.elementwise import Exp
    >>> issubclass(Exp, op.Unary), float(Exp.apply(0.0))
    (True, 1.0)""",
    reduce.unbroadcast: """
    >>> import numpy as np
    >>> reduce.unbroadcast(np.ones((2, 3)), (2, 1))
    array([[3.],
           [3.]])""",
    storage.note_write: """
    >>> import numpy as np
    >>> a = np.zeros(2)
    >>> before = storage.version(a)
    >>> storage.note_write(a)
    >>> storage.version(a) > before
    True""",
}
"""By the class or function itself."""


def show() -> None:
    """Add the examples; nothing without docstrings, as in ``python -OO``."""
    for name, example in OF_TENSORS.items():
        _add(vars(Tensor)[name], example, "import tinygrad_cnn as tg")
    for thing, example in OF_OPS.items():
        _add(thing, example, f"from tinygrad_cnn.core import {thing.__module__.rpartition('.')[2]}")


def _add(thing: Any, example: str, needed: str) -> None:
    if thing.__doc__ and ">>>" not in thing.__doc__:
        thing.__doc__ = f"{cleandoc(thing.__doc__)}\n\nExamples\n--------\n>>> {needed}\n{cleandoc(example)}\n"
