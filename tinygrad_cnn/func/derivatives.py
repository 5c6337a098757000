"""Derivatives of functions, as functions: `grad`, `vjp`, `jvp`, `jacrev` and what is made of them.

Each derivative makes points of its own, which stand in the caller's graph if the caller has one. So transforms nest:
what the outer one differentiates goes on through the points of the inner one. A graph of the derivative is recorded
only if the output depends on something outside that wants a gradient: per-sample gradients cost no second graph.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, overload

import numpy as np

from tinygrad_cnn import autograd, ops
from tinygrad_cnn.autograd.functional import cotangent
from tinygrad_cnn.core.engine import count_consumers
from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.func.signatures import Argnums, Aux, Func, Function, Made, No, Of, P, Pullback, Ts, X, Y, Yes, Zero
from tinygrad_cnn.func.trees import Shape, all_tensors, build, flatten
from tinygrad_cnn.tensor import Tensor

__all__ = ["grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "vjp"]


@overload
def grad(func: Of[Tensor, P, Tensor], argnums: Zero = 0, has_aux: No = False) -> Made[Tensor, P, Tensor]: ...
@overload
def grad(func: Of[X, P, Tensor], argnums: Zero = 0, has_aux: No = False) -> Made[X, P, X]: ...
@overload
def grad(
    func: Callable[P, Tensor], argnums: tuple[int, ...], has_aux: No = False
) -> Function[P, tuple[Tensor, ...]]: ...
@overload
def grad(func: Of[X, P, tuple[Tensor, Aux]], argnums: Zero = 0, *, has_aux: Yes) -> Made[X, P, tuple[X, Aux]]: ...
@overload
def grad(func: Callable[P, object], argnums: Argnums = 0, has_aux: bool = False) -> Function[P, Any]: ...
def grad(func: Func, argnums: Argnums = 0, has_aux: bool = False) -> Any:
    """The function that computes the gradient of `func`, which returns one number, as ``torch.func.grad``.

    Parameters
    ----------
    func : returns a Tensor without dims; with `has_aux` a pair of it and anything
    argnums : with respect to which argument, or a tuple of them; each a Tensor or nested dicts, lists, tuples of them
    has_aux : return `(gradient, aux)`, aux being what `func` returned beside the number

    Examples
    --------
    >>> from tinygrad_cnn import tensor, sin
    >>> grad(grad(sin))(tensor(0.5)) == -sin(tensor(0.5))
    tensor(True)
    """
    both = grad_and_value(func, argnums, has_aux)

    @wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        slopes, value = both(*args, **kwargs)
        return (slopes, value[1]) if has_aux else slopes

    return gradient


@overload
def grad_and_value(
    func: Of[Tensor, P, Tensor], argnums: Zero = 0, has_aux: No = False
) -> Made[Tensor, P, tuple[Tensor, Tensor]]: ...
@overload
def grad_and_value(func: Of[X, P, Tensor], argnums: Zero = 0, has_aux: No = False) -> Made[X, P, tuple[X, Tensor]]: ...
@overload
def grad_and_value(
    func: Callable[P, Tensor], argnums: tuple[int, ...], has_aux: No = False
) -> Function[P, tuple[tuple[Tensor, ...], Tensor]]: ...
@overload
def grad_and_value(
    func: Of[X, P, tuple[Tensor, Aux]], argnums: Zero = 0, *, has_aux: Yes
) -> Made[X, P, tuple[X, tuple[Tensor, Aux]]]: ...
@overload
def grad_and_value(func: Callable[P, object], argnums: Argnums = 0, has_aux: bool = False) -> Function[P, Any]: ...
def grad_and_value(func: Func, argnums: Argnums = 0, has_aux: bool = False) -> Any:
    """The function that computes `(gradient, value)` of `func`, or `(gradient, (value, aux))`; see `grad`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.func.grad_and_value(lambda x: (x * x).sum())(tg.tensor([1.0, 2.0]))
    (tensor([2., 4.]), tensor(5.))
    """

    @wraps(func)
    def computed(*args: Any, **kwargs: Any) -> Any:
        with Level("grad") as level:
            chosen, shape, points = level.points_of(args, argnums)
            value, aux = with_aux("grad", func(*replaced(args, chosen), **kwargs), has_aux)
            check_number(value)
            slopes = pulled([value], points, [None], level.recorded([value]), keep=False)
            settled = level.settled((value, aux) if has_aux else value)
        return build(slopes, shape), settled

    return computed


@overload
def vjp(func: Callable[[*Ts], Y], *primals: *Ts, has_aux: No = False) -> tuple[Y, Pullback[Y, *Ts]]: ...
@overload
def vjp(func: Callable[[*Ts], tuple[Y, Aux]], *primals: *Ts, has_aux: Yes) -> tuple[Y, Pullback[Y, *Ts], Aux]: ...
def vjp(func: Callable[[*Ts], Any], *primals: *Ts, has_aux: bool = False) -> Any:
    """`(output, vjp_fn)`, and aux; ``vjp_fn(cotangent)`` is a tuple with vᵀJ of each primal.

    Examples
    --------
    >>> from tinygrad_cnn import tensor
    >>> output, vjp_fn = vjp(lambda x: x ** 2, tensor([1.0, 2.0]))
    >>> vjp_fn(tensor([1.0, 10.0]))
    (tensor([ 2., 40.]),)
    """
    call: Func = func
    with Level("vjp") as level:
        chosen, shape, points = level.points_of(primals, tuple(range(len(primals))))
        output, aux = with_aux("vjp", call(*replaced(primals, chosen)), has_aux)
        outputs, form = flatten(output)
        all_tensors("vjp", outputs)
        settled, told = level.settled(output), level.settled(aux)

    def vjp_fn(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        given, theirs = flatten(cotangents)
        check_like("vjp_fn", given, theirs, outputs, form)
        with Level("vjp", points, level.outside) as later:
            later.watch(given)
            create = later.recorded(outputs) if create_graph is None else create_graph
            return build(pulled(outputs, points, given, create, retain_graph), shape)

    return (settled, vjp_fn, told) if has_aux else (settled, vjp_fn)


@overload
def jvp(
    func: Callable[[*Ts], Y], primals: tuple[*Ts], tangents: tuple[*Ts], *, strict: bool = False, has_aux: No = False
) -> tuple[Y, Y]: ...
@overload
def jvp(
    func: Callable[[*Ts], tuple[Y, Aux]],
    primals: tuple[*Ts],
    tangents: tuple[*Ts],
    *,
    strict: bool = False,
    has_aux: Yes,
) -> tuple[Y, Y, Aux]: ...
def jvp(func: Func, primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> Any:
    """`(output, Jv)`, and aux: the derivative in the direction of the tangents, one for each of the primals (a tuple).

    Computed as the derivative of vᵀJ, which is linear in v: it needs no rules of its own.

    Examples
    --------
    >>> from tinygrad_cnn import tensor
    >>> jvp(lambda x: x ** 2, (tensor([1.0, 2.0]),), (tensor([1.0, 10.0]),))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple) or len(primals) != len(tangents):
        raise RuntimeError(
            f"jvp: primals and tangents must be tuples of the same length, one tangent for each argument of func; got "
            f"{type(primals).__name__} and {type(tangents).__name__}"
        )
    if not primals:
        raise RuntimeError("jvp: primals is empty; give at least one argument")
    with Level("jvp") as level:
        chosen, shape, points = level.points_of(primals, tuple(range(len(primals))))
        along, theirs = flatten(tangents)
        check_like("jvp", along, theirs, points, shape)
        level.watch(along)
        output, aux = with_aux("jvp", func(*replaced(primals, chosen)), has_aux)
        outputs, form = flatten(output)
        all_tensors("jvp", outputs)
        if strict and not all(y.requires_grad for y in outputs):
            raise RuntimeError("jvp: an output of func does not depend on the primals; strict mode does not allow that")
        pushed = level.settled(build(level.pushed(outputs, points, along), form))
        settled, told = level.settled(output), level.settled(aux)
    return (settled, pushed, told) if has_aux else (settled, pushed)


@overload
def jacrev(
    func: Of[Tensor, P, Tensor], argnums: Zero = 0, *, has_aux: No = False, chunk_size: int | None = None
) -> Made[Tensor, P, Tensor]: ...
@overload
def jacrev(
    func: Of[X, P, Tensor], argnums: Zero = 0, *, has_aux: No = False, chunk_size: int | None = None
) -> Made[X, P, X]: ...
@overload
def jacrev(
    func: Callable[P, Tensor], argnums: tuple[int, ...], *, has_aux: No = False, chunk_size: int | None = None
) -> Function[P, tuple[Tensor, ...]]: ...
@overload
def jacrev(
    func: Of[Tensor, P, tuple[Y, Aux]], argnums: Zero = 0, *, has_aux: Yes, chunk_size: int | None = None
) -> Made[Tensor, P, tuple[Y, Aux]]: ...
@overload
def jacrev(
    func: Of[Tensor, P, Y], argnums: Zero = 0, *, has_aux: No = False, chunk_size: int | None = None
) -> Made[Tensor, P, Y]: ...
@overload
def jacrev(
    func: Callable[P, object], argnums: Argnums = 0, *, has_aux: bool = False, chunk_size: int | None = None
) -> Function[P, Any]: ...
def jacrev(
    func: Func,
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Any:
    """The function that computes the Jacobian of `func`: for each output its shape followed by the argument's.

    The structure of the outputs holds that of the arguments. `chunk_size` is a matter of memory in PyTorch; here the
    rows are computed one by one anyway.

    Examples
    --------
    >>> from tinygrad_cnn import tensor
    >>> jacrev(lambda x: x ** 2)(tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if chunk_size is not None and chunk_size < 1:
        raise ValueError(f"jacrev: chunk_size is {chunk_size}; it must be at least 1, or None")

    @wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        with Level("jacrev") as level:
            chosen, shape, points = level.points_of(args, argnums)
            output, aux = with_aux("jacrev", func(*replaced(args, chosen), **kwargs), has_aux)
            outputs, form = flatten(output)
            all_tensors("jacrev", outputs)
            rows = [build(level.rows_of(y, points), shape) for y in outputs]
            told = level.settled(aux)
        return (build(rows, form), told) if has_aux else build(rows, form)

    return jacobian


@overload
def jacfwd(
    func: Of[Tensor, P, Tensor], argnums: Zero = 0, has_aux: No = False, *, randomness: str = "error"
) -> Made[Tensor, P, Tensor]: ...
@overload
def jacfwd(
    func: Of[X, P, Tensor], argnums: Zero = 0, has_aux: No = False, *, randomness: str = "error"
) -> Made[X, P, X]: ...
@overload
def jacfwd(
    func: Callable[P, Tensor], argnums: tuple[int, ...], has_aux: No = False, *, randomness: str = "error"
) -> Function[P, tuple[Tensor, ...]]: ...
@overload
def jacfwd(
    func: Of[Tensor, P, tuple[Y, Aux]], argnums: Zero = 0, *, has_aux: Yes, randomness: str = "error"
) -> Made[Tensor, P, tuple[Y, Aux]]: ...
@overload
def jacfwd(
    func: Of[Tensor, P, Y], argnums: Zero = 0, has_aux: No = False, *, randomness: str = "error"
) -> Made[Tensor, P, Y]: ...
@overload
def jacfwd(
    func: Callable[P, object], argnums: Argnums = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Function[P, Any]: ...
def jacfwd(func: Func, argnums: Argnums = 0, has_aux: bool = False, *, randomness: str = "error") -> Any:
    """The function that computes the Jacobian of `func`, as `jacrev`, column by column: for few inputs, many outputs.

    Each column is a `jvp`. `randomness` is PyTorch's, of `vmap`; `func` runs once here, so that it has no effect.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.func.jacfwd(lambda x: x * x)(tg.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if randomness not in ("error", "same", "different"):
        raise RuntimeError(f"jacfwd: randomness is {randomness!r}; expected 'error', 'same' or 'different'")

    @wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        with Level("jacfwd") as level:
            chosen, shape, points = level.points_of(args, argnums)
            output, aux = with_aux("jacfwd", func(*replaced(args, chosen), **kwargs), has_aux)
            outputs, form = flatten(output)
            all_tensors("jacfwd", outputs)
            blocks = level.columns_of(outputs, points)
            columns = [level.settled(build(block, shape)) for block in blocks]
            told = level.settled(aux)
        return (build(columns, form), told) if has_aux else build(columns, form)

    return jacobian


@overload
def hessian(func: Of[Tensor, P, Tensor], argnums: Zero = 0) -> Made[Tensor, P, Tensor]: ...
@overload
def hessian(func: Callable[P, Tensor], argnums: tuple[int, ...]) -> Function[P, tuple[tuple[Tensor, ...], ...]]: ...
@overload
def hessian(func: Callable[P, object], argnums: Argnums = 0) -> Function[P, Any]: ...
def hessian(func: Func, argnums: Argnums = 0) -> Any:
    """The function that computes the Hessian of `func`, ``jacfwd(jacrev(func, argnums), argnums)``.

    Examples
    --------
    >>> from tinygrad_cnn import tensor
    >>> hessian(lambda x: (x ** 3).sum())(tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)


class Level:
    """One derivative: its points, and whether anything outside of it wants to differentiate the result."""

    def __init__(self, name: str, points: list[Tensor] | None = None, outside: bool = False) -> None:
        self.name = name
        self.nested = autograd.is_grad_enabled()
        """Inside no_grad nobody outside can want a gradient."""
        self.own: set[Any] = {p.edge for p in points or () if p.is_leaf}
        self.outside = outside
        self.mode = autograd.enable_grad()

    def __enter__(self) -> Level:
        self.mode.__enter__()
        return self

    def __exit__(self, *problem: Any) -> None:
        self.mode.__exit__(*problem)

    def points_of(self, args: tuple[Any, ...], argnums: Argnums) -> tuple[dict[int, Any], Shape, list[Tensor]]:
        """The chosen arguments rebuilt of points, by number; the shape of the result; the points."""
        numbers = argnums if isinstance(argnums, tuple) else (argnums,)
        for k in numbers:
            if isinstance(k, bool) or not isinstance(k, int):
                raise RuntimeError(f"{self.name}: argnums must be an int or a tuple of ints, got {argnums!r}")
            if not -len(args) <= k < len(args):
                raise RuntimeError(f"{self.name}: argnums {k} with {len(args)} positional arguments")
        wanted = [args[k] for k in numbers]
        leaves, shape = flatten(tuple(wanted) if isinstance(argnums, tuple) else wanted[0])
        all_tensors(self.name, leaves)
        points = [self.point(x) for x in leaves]
        chosen = build(points, flatten(tuple(wanted))[1])
        return {k % len(args): value for k, value in zip(numbers, chosen, strict=True)}, shape, points

    def point(self, x: Tensor) -> Tensor:
        """A tensor of the same values to differentiate by: behind x in the graph, or, if x has none, a leaf."""
        if self.nested and x.requires_grad:
            self.outside = True
            behind: Tensor = ops.view(x, x.shape)
            return behind
        if x.array_dtype.kind != "f":
            raise RuntimeError(f"{self.name}: a tensor of {x.dtype} has no gradient; convert it with .float()")
        leaf = x.detach().requires_grad_()
        self.own.add(leaf)
        return leaf

    def watch(self, values: list[Any]) -> None:
        """Note whether one of these belongs to a graph outside."""
        self.outside = self.outside or (self.nested and any(isinstance(v, Tensor) and v.requires_grad for v in values))

    def recorded(self, outputs: list[Tensor]) -> bool:
        """Whether the derivative itself is to be recorded: the outputs depend on a leaf that is not of this level."""
        if not self.nested or self.outside:
            return self.outside
        reached = count_consumers([y.edge for y in outputs if y.requires_grad])
        return any(isinstance(edge, Tensor) and edge not in self.own for edge in reached)

    def cotangents_of(self, outputs: list[Tensor]) -> list[Tensor]:
        """A cotangent per output, to differentiate by."""
        made = [Tensor(cotangent(y.array_shape, y.array_dtype), requires_grad=True) for y in outputs]
        self.own.update(made)
        return made

    def pushed(self, outputs: list[Tensor], points: list[Tensor], along: list[Any]) -> list[Any]:
        """Jv for each output: the derivative of uᵀJ by u; zeros for what is not floating, as an argmax."""
        moving = [y for y in outputs if y.is_floating_point()]
        create = self.recorded(moving)
        u = self.cotangents_of(moving)
        slopes = iter(pulled(pulled(moving, points, u, True), u, along, create) if moving else [])
        return [
            next(slopes) if y.is_floating_point() else Tensor(np.zeros(y.array_shape, y.array_dtype)) for y in outputs
        ]

    def rows_of(self, y: Tensor, points: list[Tensor]) -> list[Any]:
        """The Jacobian of one output by each point, a pass per element of the output."""
        create = self.recorded([y])
        rows = [pulled([y], points, [unit(y, place)], create) for place in np.ndindex(y.array_shape)]
        if not rows:
            return [Tensor(np.zeros((*y.shape, *x.shape), x.array_dtype)) for x in points]
        stacked = (ops.stack([row[i] for row in rows]) for i in range(len(points)))
        return [ops.reshape(s, (*y.array_shape, *x.array_shape)) for s, x in zip(stacked, points, strict=True)]

    def columns_of(self, outputs: list[Tensor], points: list[Tensor]) -> list[list[Any]]:
        """The Jacobians, [output][point], a product Jv per element of the points; uᵀJ is recorded once for all."""
        create = self.recorded(outputs)
        u = self.cotangents_of(outputs)
        products = pulled(outputs, points, u, True)
        blocks: list[list[Any]] = [[] for _ in outputs]
        for x, product in zip(points, products, strict=True):
            columns = [pulled([product], u, [unit(x, place)], create) for place in np.ndindex(x.array_shape)]
            for k, y in enumerate(outputs):
                stacked = ops.stack([column[k] for column in columns], -1)
                blocks[k].append(ops.reshape(stacked, (*y.array_shape, *x.array_shape)))
        return blocks

    def settled(self, tree: Any) -> Any:
        """Results as the caller gets them: out of the graph, unless it is his own."""
        leaves, shape = flatten(tree)
        return build([self.outward(v) if isinstance(v, Tensor) else v for v in leaves], shape)

    def outward(self, value: Tensor) -> Tensor:
        """A tensor without the history that ends at this level's own leaves."""
        return value if value.requires_grad and self.nested and self.recorded_of(value) else value.detach()

    def recorded_of(self, value: Tensor) -> bool:
        """Whether a leaf outside is reached from this value."""
        return any(isinstance(edge, Tensor) and edge not in self.own for edge in count_consumers([value.edge]))


def pulled(outputs: list[Tensor], points: list[Tensor], v: list[Any], create: bool, keep: bool = True) -> list[Any]:
    """vᵀJ for each point, zeros where nothing depends on it; what is saved is kept for another pass."""
    pairs = [(y, u) for y, u in zip(outputs, v, strict=True) if y.requires_grad]
    if not pairs:
        return [Tensor(np.zeros(x.shape, x.array_dtype)) for x in points]
    ends, cotangents = zip(*pairs, strict=True)
    return list(
        autograd.grad(
            ends, points, cotangents, retain_graph=keep or create, create_graph=create, materialize_grads=True
        )
    )


def unit(like: Tensor, place: tuple[int, ...]) -> Tensor:
    """Zeros, and 1 at one place."""
    values = np.zeros(like.array_shape, like.array_dtype)
    values[place] = 1
    return Tensor(values)


def replaced(args: tuple[Any, ...], chosen: dict[int, Any]) -> list[Any]:
    """The arguments, those chosen replaced."""
    return [chosen.get(k, value) for k, value in enumerate(args)]


def with_aux(name: str, returned: Any, has_aux: bool) -> tuple[Any, Any]:
    """What a function returned, as a pair of its output and the rest."""
    if not has_aux:
        return returned, None
    if not isinstance(returned, tuple) or len(returned) != 2:
        raise RuntimeError(f"{name}: with has_aux=True func must return a tuple (output, aux), got {returned!r:.80}")
    return returned


def check_number(value: Any) -> None:
    """The function that `grad` differentiates returned a Tensor without dims."""
    if not isinstance(value, Tensor):
        raise RuntimeError(f"grad: func must return a Tensor, got {type(value).__name__}")
    if value.ndim:
        raise RuntimeError(f"grad: func must return a tensor without dims, got shape {value.shape}; use .sum()")


def check_like(name: str, given: list[Any], theirs: Shape, expected: list[Tensor], form: Shape) -> None:
    """Vectors have the structure and shapes of what they go with."""
    all_tensors(name, given)
    if keys(theirs) != keys(form):
        raise RuntimeError(f"{name}: the vectors have another structure than what they go with")
    for vector, tensor in zip(given, expected, strict=True):
        if vector.array_shape != tensor.array_shape:
            raise ArgumentError(f"{name}: a vector has shape {vector.shape}; expected {tensor.shape}")


def keys(shape: Shape) -> Any:
    """What two trees of the same structure have in common."""
    return (shape.key, *(keys(part) for part in shape.parts))
