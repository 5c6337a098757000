"""Derivatives of functions of Tensors, as `torch.autograd.functional`: products with them, and whole matrices.

All of them are passes of reverse mode: a Jacobian is one pass per element of the output, and a directional derivative
(jvp) is two, since v ↦ vᵀJ is linear, and the derivative of ⟨vᵀJ, u⟩ with respect to v is Ju, whatever v is.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, TypeVar, overload

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.autograd.differentiate import grad
from tinygrad_cnn.autograd.mode import enable_grad
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.tensor import Tensor

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Tensors: TypeAlias = tuple[Any, ...]
Func: TypeAlias = Callable[..., Any]


class Tracked(Protocol):
    """A Tensor, of which this file knows no more."""

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to or through it."""
        ...


T = TypeVar("T", bound=Tracked)
X = TypeVar("X")
"""The inputs: a Tensor or a tuple of them, as are what is returned in their place."""
Y = TypeVar("Y")
"""What the function returns: a Tensor or a tuple of them."""


def vjp(
    func: Callable[..., Y], inputs: X, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Y, X]:
    """The outputs of a function, and the product vᵀJ of a cotangent with its Jacobian.

    Parameters
    ----------
    func : takes Tensors and returns a Tensor or a tuple of them
    inputs : a Tensor or a tuple of them, the arguments of `func`
    v : a cotangent for each output; None if the only output has one element
    create_graph : let the results be differentiated again
    strict : RuntimeError, instead of zeros, where an output does not depend on an input

    Examples
    --------
    >>> from tinygrad_cnn import tensor
    >>> vjp(lambda x: x ** 2, tensor([1.0, 2.0]), tensor([1.0, 10.0]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    with enable_grad():
        one, given = tensors_of("vjp", "inputs", inputs)
        points = separate(given, create_graph)
        single, outputs = outputs_of("vjp", func, points, strict)
        if v is None and not (single and outputs[0].numel() == 1):
            raise RuntimeError("vjp: v may be left out only where func returns a single Tensor of a single element")
        products = pulled(outputs, points, directions("vjp", v, outputs), create_graph, strict)
    return settled(outputs, single, create_graph), settled(products, one, create_graph)


def jvp(
    func: Callable[..., Y], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Y, Y]:
    """The outputs of a function, and the product Jv: its derivative in the direction v of the inputs.

    See `vjp` for the parameters; `v` is as `inputs`, None if that is one Tensor of one element. Computed as the
    derivative of vᵀJ: twice the time of a forward mode, which PyTorch does not use here either.

    Examples
    --------
    >>> from tinygrad_cnn import tensor
    >>> jvp(lambda x: x ** 2, tensor([1.0, 2.0]), tensor([1.0, 10.0]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    with enable_grad():
        one, given = tensors_of("jvp", "inputs", inputs)
        if v is None and not (one and given[0].numel() == 1):
            raise RuntimeError("jvp: v may be left out only where the input is a single Tensor of a single element")
        points = separate(given, create_graph)
        along = directions("jvp", v, points)
        single, outputs = outputs_of("jvp", func, points, strict)
        products = pushed(outputs, points, along, create_graph, strict)
    return settled(outputs, single, create_graph), settled(products, single, create_graph)


def vhp(
    func: Callable[..., Y], inputs: X, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Y, X]:
    """The value of a function of one element, and the product vᵀH with its Hessian; see `vjp`.

    Examples
    --------
    >>> from tinygrad_cnn import tensor
    >>> vhp(lambda x: (x ** 3).sum(), tensor([1.0, 2.0]), tensor([1.0, 1.0]))
    (tensor(9.), tensor([ 6., 12.]))
    """
    with enable_grad():
        one, points, along, outputs, slopes = gradient_of("vhp", func, inputs, v, create_graph, strict)
        check_dependent(slopes, strict)
        products = pulled(slopes, points, along, create_graph, strict)
    return settled(outputs, True, create_graph), settled(products, one, create_graph)


def hvp(
    func: Callable[..., Y], inputs: X, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Y, X]:
    """The value of a function of one element, and the product Hv with its Hessian; see `vjp`.

    A Hessian is symmetric, so that `vhp` gives the same in half the time, unless the second derivatives jump.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.autograd.functional.hvp(lambda x: (x**3).sum(), tg.tensor([1.0, 2.0]), tg.tensor([1.0, 0.0]))
    (tensor(9.), tensor([6., 0.]))
    """
    with enable_grad():
        one, points, along, outputs, slopes = gradient_of("hvp", func, inputs, v, create_graph, strict)
        check_dependent(slopes, strict)
        products = pushed(slopes, points, along, create_graph, strict)
    return settled(outputs, True, create_graph), settled(products, one, create_graph)


@overload
def jacobian(
    func: Callable[..., Tracked],
    inputs: X,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> X: ...
@overload
def jacobian(
    func: Callable[..., tuple[T, ...]],
    inputs: tuple[T, ...],
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> tuple[tuple[T, ...], ...]: ...
@overload
def jacobian(
    func: Callable[..., tuple[T, ...]],
    inputs: T,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> tuple[T, ...]: ...
def jacobian(
    func: Func,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian: for each output and input a Tensor of the output's shape followed by the input's.

    One Tensor if `func` takes and returns one; a tuple over outputs (inputs) if it takes one Tensor (returns one);
    a tuple of tuples if both are tuples. `vectorize` and `strategy` change nothing but the time in PyTorch, and
    nothing here: the rows are computed one after another. The combinations that PyTorch refuses are refused.

    Examples
    --------
    >>> from tinygrad_cnn import tensor
    >>> jacobian(lambda x: x ** 2, tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    check_strategy("jacobian", strategy, vectorize, strict, create_graph)
    with enable_grad():
        one, given = tensors_of("jacobian", "inputs", inputs)
        points = separate(given, create_graph)
        single, outputs = outputs_of("jacobian", func, points, strict)
        rows = tuple(matrices(output, points, create_graph, strict) for output in outputs)
    rows = tuple(row[0] if one else row for row in rows)
    return rows[0] if single else rows


@overload
def hessian(
    func: Func,
    inputs: tuple[T, ...],
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> tuple[tuple[T, ...], ...]: ...
@overload
def hessian(
    func: Func,
    inputs: T,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> T: ...
def hessian(
    func: Func,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The Hessian of a function of one element: the Jacobian of its gradient; see `jacobian`.

    One Tensor if `inputs` is one, of its shape twice; else a tuple of tuples.

    Examples
    --------
    >>> from tinygrad_cnn import tensor
    >>> hessian(lambda x: (x ** 3).sum(), tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    check_strategy("hessian", outer_jacobian_strategy, vectorize, strict, create_graph)
    one, _ = tensors_of("hessian", "inputs", inputs)

    def gradient(*points: Any) -> Tensors:
        single, outputs = outputs_of("hessian", func, points, strict)
        check_scalar("hessian", single, outputs)
        slopes = pulled(outputs, points, (None,), True, strict)
        check_dependent(slopes, strict)
        return slopes

    found = jacobian(gradient, inputs, create_graph=create_graph, strict=strict)
    return found[0] if one else found


def tensors_of(name: str, what: str, given: Any) -> tuple[bool, Tensors]:
    """Whether it is a Tensor alone, and the tuple of Tensors."""
    values = given if isinstance(given, tuple) else (given,)
    for value in values:
        if not isinstance(value, Tensor):
            raise TypeError(
                f"{name}: {what} must be a Tensor or a tuple of Tensors, got {type(given).__name__}"
                + (f" with a {type(value).__name__}" if value is not given else "")
            )
    return not isinstance(given, tuple), values


def separate(inputs: Tensors, create_graph: bool) -> Tensors:
    """The inputs as points of their own in the graph; connected with the caller's only if he wants a graph."""
    return tuple(
        ops.view(x, x.shape) if create_graph and x.requires_grad else x.detach().requires_grad_() for x in inputs
    )


def outputs_of(name: str, func: Func, points: Tensors, strict: bool) -> tuple[bool, Tensors]:
    """Whether the function returns a Tensor alone, and the tuple of its outputs."""
    single, outputs = tensors_of(name, "what func returns", func(*points))
    for k, output in enumerate(outputs):
        if strict and not output.requires_grad:
            raise RuntimeError(
                f"{name}: output {k} of func does not require a gradient; in strict mode it must be computed from the "
                "inputs in a differentiable manner"
            )
    return single, outputs


def directions(name: str, v: Any, like: Tensors) -> Tensors:
    """One vector for each of these Tensors, of its shape; None stands for 1."""
    if v is None:
        return tuple(t.wrap(np.ones(t.shape, t.dtype)) for t in like)
    _, given = tensors_of(name, "v", v)
    if len(given) != len(like):
        raise ArgumentError(f"{name}: v has {len(given)} Tensors; expected {len(like)}")
    for k, (vector, tensor) in enumerate(zip(given, like, strict=True)):
        if vector.shape != tensor.shape:
            raise ArgumentError(f"{name}: v[{k}] has shape {vector.shape}; expected {tensor.shape}")
    return given


def pulled(outputs: Tensors, points: Tensors, v: Tensors, create_graph: bool, strict: bool) -> Tensors:
    """vᵀJ for each point; zeros, or in strict mode an error, where nothing depends on it."""
    dependent = [(y, u) for y, u in zip(outputs, v, strict=True) if y.requires_grad]
    if not dependent:
        found: Tensors = (None,) * len(points)
    else:
        ends, cotangents = zip(*dependent, strict=True)
        found = grad(ends, points, cotangents, create_graph=create_graph, retain_graph=True, allow_unused=True)
    return tuple(zeros_or_error(d, x, k, strict) for k, (d, x) in enumerate(zip(found, points, strict=True)))


def cotangent(shape: Any, dtype: Any) -> Any:
    """Any numbers but zeros, to differentiate by: of zeros a rule may leave out a part, as that of eigh does."""
    return np.cos(1.0 + np.arange(np.prod(shape, dtype=int))).reshape(shape).astype(dtype)


def zeros_or_error(d: Any, like: Any, k: int, strict: bool) -> Any:
    """A derivative, or zeros where there is none."""
    if d is None and strict:
        raise RuntimeError(f"the output of func is independent of input {k}; strict mode does not allow that")
    return like.wrap(np.zeros(like.shape, like.dtype)) if d is None else d


def pushed(outputs: Tensors, points: Tensors, along: Tensors, create_graph: bool, strict: bool) -> Tensors:
    """Jv for each output: the derivative of uᵀJ with respect to u, in the direction v."""
    u = tuple(y.wrap(cotangent(y.shape, y.dtype)).requires_grad_() for y in outputs)
    products = pulled(outputs, points, u, True, strict)
    dependent = [(p, v) for p, v in zip(products, along, strict=True) if p.requires_grad]
    if not dependent:
        return tuple(zeros_or_error(None, y, k, strict) for k, y in enumerate(outputs))
    ends, cotangents = zip(*dependent, strict=True)
    found = grad(ends, u, cotangents, create_graph=create_graph, retain_graph=True, allow_unused=True)
    return tuple(zeros_or_error(d, y, k, strict) for k, (d, y) in enumerate(zip(found, outputs, strict=True)))


def gradient_of(
    name: str, func: Func, inputs: Any, v: Any, create_graph: bool, strict: bool
) -> tuple[bool, Tensors, Tensors, Tensors, Tensors]:
    """Of a function of one element: is its input alone, the points, the directions, the outputs, the gradient."""
    one, given = tensors_of(name, "inputs", inputs)
    if v is None and not (one and given[0].numel() == 1):
        raise RuntimeError(f"{name}: v may be left out only where the input is a single Tensor of a single element")
    points = separate(given, create_graph)
    along = directions(name, v, points)
    single, outputs = outputs_of(name, func, points, strict)
    check_scalar(name, single, outputs)
    return one, points, along, outputs, pulled(outputs, points, (None,), True, strict)


def check_scalar(name: str, single: bool, outputs: Tensors) -> None:
    """The function returned one Tensor of one element."""
    if not single:
        raise RuntimeError(f"{name}: func should return a single Tensor; it returned {len(outputs)}")
    if outputs[0].numel() != 1:
        raise ArgumentError(f"{name}: func should return a single element; it returned shape {outputs[0].shape}")


def check_dependent(slopes: Tensors, strict: bool) -> None:
    """In strict mode, the gradient itself depends on the inputs."""
    for k, slope in enumerate(slopes):
        if strict and not slope.requires_grad:
            raise RuntimeError(f"the gradient with respect to input {k} is independent of the inputs (strict mode)")


def check_strategy(name: str, strategy: str, vectorize: bool, strict: bool, create_graph: bool) -> None:
    """The combinations of options that PyTorch refuses."""
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(f'{name}: expected the strategy "forward-mode" or "reverse-mode", got {strategy!r}')
    if strict and vectorize:
        raise RuntimeError(f"{name}: strict=True and vectorize=True are not supported together")
    if strategy == "forward-mode" and create_graph:
        raise NotImplementedError(f'{name}: create_graph=True needs strategy="reverse-mode"')
    if strategy == "forward-mode" and not vectorize:
        raise NotImplementedError(f"{name}: forward mode needs vectorize=True; reverse mode does not")


def matrices(output: Any, points: Tensors, create_graph: bool, strict: bool) -> Tensors:
    """The Jacobian of one output: for each point, its rows side by side in the output's shape."""
    rows = []
    for place in np.ndindex(output.shape):
        basis = np.zeros(output.shape, output.dtype)
        basis[place] = 1
        rows.append(pulled((output,), points, (output.wrap(basis),), create_graph, strict))
    if not rows:
        return tuple(x.wrap(np.zeros((*output.shape, *x.shape), x.dtype)) for x in points)
    stacked = (ops.stack([row[i] for row in rows]) for i in range(len(points)))
    return tuple(ops.reshape(s, (*output.shape, *x.shape)) for s, x in zip(stacked, points, strict=True))


def settled(values: Tensors, alone: bool, create_graph: bool) -> Any:
    """What is returned: out of the graph unless that is wanted, and out of the tuple if it came alone."""
    kept = values if create_graph else tuple(v.detach() for v in values)
    return kept[0] if alone else kept
