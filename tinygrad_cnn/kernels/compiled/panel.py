"""The innermost product, written in vectors: a panel of results that stays in registers while all taps are added.

Numba's loops become vectors by themselves, but hold their sums in memory. This is the one place that keeps sums in
registers: 4 rows by 4 vectors (by 2 without AVX-512), as in the micro-kernel of Goto, van de Geijn 2008 (Anatomy of
high-performance matrix multiplication). It reaches 105 to 113 of OpenBLAS's 105 to 124 GFLOP/s; loops in plain Numba
68 to 80. Here, too, is how short runs are copied.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

WIDE = bool(get_host_cpu_features().get("avx512f"))
BYTES, VECTORS = (64, 4) if WIDE else (32, 2)
"""Bytes of a vector, and vectors side by side, so that the sums of four rows fit the registers."""


def panel_of(rows: int, vectors: int, *, onto: bool) -> Callable[..., None]:
    """A function for Numba: ``panel(x, taps, start, w, row, b, y, into)``.

    It sets y[row + r, into + v] = b[row + r] + Σ_k w[row + r, k] x[taps[k] + start + v] for r below `rows` and v
    below `vectors` vectors; or, with `onto`, adds that sum to y without b. x and b are flat, w and y matrices, all
    in C order; nothing is checked.
    """

    def declare(typing: Any, x: Any, taps: Any, start: Any, w: Any, row: Any, b: Any, y: Any, into: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return _panel(rows, vectors, onto, context, builder, signature, args)

        return types.void(x, taps, types.intp, w, types.intp, b, y, types.intp), generate

    panel: Callable[..., None] = intrinsic(declare)
    return panel


def _copy_run(typing: Any, x: Any, start: Any, y: Any, into: Any, n: Any) -> Any:
    """For Numba: y[into : into + n] = x[start : start + n], of flat arrays that do not overlap; nothing is checked.

    A row of 26 in 4 ns, where a loop asks each time whether the arrays overlap, and takes 15.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source, target = (context.make_array(signature.args[k])(context, builder, args[k]) for k in (0, 2))
        size = signature.args[0].dtype.bitwidth // 8
        at, to = builder.gep(source.data, [args[1]]), builder.gep(target.data, [args[3]])
        cgutils.raw_memcpy(builder, to, at, args[4], size)
        return context.get_dummy_value()

    return types.void(x, types.intp, y, types.intp, types.intp), generate


copy_run: Callable[..., None] = intrinsic(_copy_run)


def _panel(rows: int, vectors: int, onto: bool, context: Any, builder: Any, signature: Any, args: Any) -> Any:
    """Its instructions."""
    x, taps, w, b, y = (context.make_array(signature.args[k])(context, builder, args[k]) for k in (0, 1, 3, 5, 6))
    start, row, into = args[2], args[4], args[7]
    kind = signature.args[0].dtype
    lanes, word = 8 * BYTES // kind.bitwidth, start.type
    vector = ir.VectorType(context.get_data_type(kind), lanes)
    fma = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fma.v{lanes}f{kind.bitwidth}"
    )

    def repeated(number: Any) -> Any:
        first = builder.insert_element(ir.Constant(vector, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
        return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), zeros)

    def number_at(array: Any, place: Any) -> Any:
        return builder.load(builder.gep(array.data, [place]))

    def vectors_at(array: Any, place: Any) -> list[Any]:
        places = [builder.add(place, ir.Constant(word, lanes * v)) for v in range(vectors)]
        return [builder.bitcast(builder.gep(array.data, [p]), vector.as_pointer()) for p in places]

    numbers = [builder.add(row, ir.Constant(word, r)) for r in range(rows)]
    (depth,), width = cgutils.unpack_tuple(builder, taps.shape, 1), cgutils.unpack_tuple(builder, y.shape, 2)[1]
    results = [vectors_at(y, builder.add(builder.mul(r, width), into)) for r in numbers]
    sums = [[cgutils.alloca_once(builder, vector) for _ in range(vectors)] for _ in range(rows)]  # registers
    for r in range(rows):
        for v in range(vectors):
            begin = builder.load(results[r][v], align=1) if onto else repeated(number_at(b, numbers[r]))
            builder.store(begin, sums[r][v])
    weights = [builder.mul(r, depth) for r in numbers]
    with cgutils.for_range(builder, depth, intp=word) as loop:
        place = builder.add(number_at(taps, loop.index), start)
        values = [builder.load(at, align=1) for at in vectors_at(x, place)]
        for r in range(rows):
            weight = repeated(number_at(w, builder.add(weights[r], loop.index)))
            for v in range(vectors):
                total = builder.call(fma, [weight, values[v], builder.load(sums[r][v])])
                builder.store(total, sums[r][v])
    for r in range(rows):
        for v in range(vectors):
            builder.store(builder.load(sums[r][v]), results[r][v], align=1)
    return context.get_dummy_value()
