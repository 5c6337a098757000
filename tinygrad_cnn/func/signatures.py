"""The types of functions that make functions: what is differentiated, and what comes out."""

from collections.abc import Callable
from typing import Any, Concatenate, Literal, ParamSpec, Protocol, TypeAlias, TypeVar, TypeVarTuple

Func = Callable[..., Any]
Argnums = int | tuple[int, ...]
Zero: TypeAlias = Literal[0]
Yes: TypeAlias = Literal[True]
No: TypeAlias = Literal[False]

P = ParamSpec("P")
Ts = TypeVarTuple("Ts")
"""The primals."""
X = TypeVar("X")
"""The argument that is differentiated by: a Tensor, or a tree of Tensors."""
Y = TypeVar("Y")
"""What the function returns."""
Aux = TypeVar("Aux")
Result = TypeVar("Result", covariant=True)
Cotangent = TypeVar("Cotangent", contravariant=True)


class Function(Protocol[P, Result]):
    """A function that a transform made: its arguments are those of the function it was made of."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Result: ...


class Pullback(Protocol[Cotangent, *Ts]):
    """vᵀJ of each primal, for a cotangent v of the output."""

    def __call__(
        self, cotangents: Cotangent, retain_graph: bool = True, create_graph: bool | None = None
    ) -> tuple[*Ts]: ...


Of: TypeAlias = Callable[Concatenate[X, P], Y]
"""A function of X and more arguments."""
Made: TypeAlias = Function[Concatenate[X, P], Y]
"""What a transform makes of it."""
