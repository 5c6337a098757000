"""Vectors as numbers of Numba's: load, add, subtract, multiply, store.

A loop over many short runs asks at each whether its arrays overlap, and then enters a vector loop of one turn. Where
the runs are as long as a vector, this says so: all that goes in is loaded before anything is stored.
"""

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.datamodel import models
from numba.core.datamodel.registry import register_default
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels.compiled.jit import inlined
from tinygrad_cnn.kernels.compiled.registers import BYTES


class Vector(types.Type):
    """As many numbers of a dtype as a register holds."""

    def __init__(self, dtype: Any) -> None:
        self.dtype, self.lanes = dtype, 8 * BYTES // dtype.bitwidth
        super().__init__(name=f"Vector({dtype})")


@register_default(Vector)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        held: Any = ir.VectorType(manager.lookup(kind.dtype).get_value_type(), kind.lanes)
        begin: Any = super().__init__
        begin(manager, kind, held)


def _operator(sign: Any, instruction: str) -> None:
    register: Any = infer_global(sign)

    @register
    class Typed(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            if len(args) == 2 and isinstance(args[0], Vector) and args[0] == args[1]:
                return signature(args[0], *args)
            return None

    def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return getattr(builder, instruction)(*args)

    lower_builtin(sign, Vector, Vector)(lowered)


_operator(operator.add, "fadd")
_operator(operator.sub, "fsub")
_operator(operator.mul, "fmul")


def _place(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    pointer = builder.gep(context.make_array(kind)(context, builder, array).data, [at])
    return builder.bitcast(pointer, context.get_value_type(Vector(kind.dtype)).as_pointer())


def _load(typing: Any, x: Any, at: Any) -> Any:
    """x[at : at + lanes] of a flat array; nothing is checked."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.load(_place(context, builder, sig.args[0], *args), align=1)

    return Vector(x.dtype)(x, types.intp), generate


def _store(typing: Any, y: Any, at: Any, vector: Any) -> Any:
    """y[at : at + lanes] = vector, in a flat array; nothing is checked."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        builder.store(args[2], _place(context, builder, sig.args[0], *args[:2]), align=1)
        return context.get_dummy_value()

    return types.void(y, types.intp, vector), generate


def _vector_of(typing: Any, number: Any) -> Any:
    """A vector of one number."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = context.get_value_type(sig.return_type)
        first = builder.insert_element(ir.Constant(kind, ir.Undefined), args[0], ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), sig.return_type.lanes), None)
        return builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), zeros)

    return Vector(number)(number), generate


load: Callable[..., Any] = intrinsic(_load)
store: Callable[..., None] = intrinsic(_store)
vector_of: Callable[..., Any] = intrinsic(_vector_of)


@inlined
def load_four(x: NDArray, at: int, step: int) -> tuple[Any, ...]:
    """Four vectors of x, `step` apart."""
    return load(x, at), load(x, at + step), load(x, at + 2 * step), load(x, at + 3 * step)


@inlined
def load_three(x: NDArray, at: int, step: int) -> tuple[Any, ...]:
    """Three vectors of x, `step` apart."""
    return load(x, at), load(x, at + step), load(x, at + 2 * step)


@inlined
def load_six(x: NDArray, at: int, step: int) -> tuple[Any, ...]:
    """Six vectors of x, `step` apart."""
    return (*load_four(x, at, step), load(x, at + 4 * step), load(x, at + 5 * step))


@inlined
def get_four(x: NDArray, at: int, step: int) -> tuple[Any, ...]:
    """Four numbers of x, `step` apart."""
    return x[at], x[at + step], x[at + 2 * step], x[at + 3 * step]


@inlined
def get_six(x: NDArray, at: int, step: int) -> tuple[Any, ...]:
    """Six numbers of x, `step` apart."""
    return (*get_four(x, at, step), x[at + 4 * step], x[at + 5 * step])


@inlined
def store_four(y: NDArray, at: int, step: int, values: tuple[Any, ...]) -> None:
    """Put four vectors into y, `step` apart."""
    store(y, at, values[0])
    store(y, at + step, values[1])
    store(y, at + 2 * step, values[2])
    store(y, at + 3 * step, values[3])


@inlined
def store_six(y: NDArray, at: int, step: int, values: tuple[Any, ...]) -> None:
    """Put six vectors into y, `step` apart."""
    store(y, at, values[0])
    store(y, at + step, values[1])
    store(y, at + 2 * step, values[2])
    store(y, at + 3 * step, values[3])
    store(y, at + 4 * step, values[4])
    store(y, at + 5 * step, values[5])


@inlined
def set_four(y: NDArray, at: int, step: int, values: tuple[Any, ...]) -> None:
    """Put four numbers into y, `step` apart."""
    y[at], y[at + step], y[at + 2 * step], y[at + 3 * step] = values


@inlined
def set_six(y: NDArray, at: int, step: int, values: tuple[Any, ...]) -> None:
    """Put six numbers into y, `step` apart."""
    y[at], y[at + step], y[at + 2 * step], y[at + 3 * step], y[at + 4 * step], y[at + 5 * step] = values
