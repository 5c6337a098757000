"""The innermost products, written in vectors: panels of results, and sums along runs, that stay in registers.

Numba's loops become vectors by themselves, but hold their sums in memory, or more of them than there are registers.
This is the one place that keeps sums in registers, as the micro-kernel of Goto, van de Geijn 2008 (Anatomy of
high-performance matrix multiplication); how many, see `registers`. Here, too, is how short runs are copied.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from tinygrad_cnn.kernels.compiled.registers import BYTES


def panel_of(rows: int, vectors: int, *, onto: bool, turned: bool = False) -> Callable[..., None]:
    """A function for Numba: ``panel(x, taps, start, w, row, b, y, into)``.

    It sets y[row + r, into + v] = b[row + r] + Σ_k w[row + r, k] x[taps[k] + start + v] for r below `rows` and v
    below `vectors` vectors; or, with `onto`, adds that sum to y without b. With `turned` it is w[k, row + r]. x and b
    are flat, w and y matrices, all in C order; nothing is checked.
    """

    def declare(typing: Any, x: Any, taps: Any, start: Any, w: Any, row: Any, b: Any, y: Any, into: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return _panel(rows, vectors, onto, turned, context, builder, signature, args)

        return types.void(x, taps, types.intp, w, types.intp, b, y, types.intp), generate

    panel: Callable[..., None] = intrinsic(declare)
    return panel


def dots_of(rows: int, taps: int) -> Callable[..., None]:
    """A function for Numba: ``dots(x, places, k, start, g, row, into, size, d)``.

    It adds Σ_v g[row + r, into + v] x[places[k + t] + start + v], v below `size`, to d[row + r, k + t], for r below
    `rows` and t below `taps`. x is flat, g and d are matrices, all in C order; where g has no such row or `places` no
    such element, the last one counts instead. Nothing is checked.
    """

    def declare(
        typing: Any, x: Any, places: Any, k: Any, start: Any, g: Any, row: Any, into: Any, n: Any, d: Any
    ) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return _dots(rows, taps, context, builder, signature, args)

        return types.void(x, places, types.intp, types.intp, g, types.intp, types.intp, types.intp, d), generate

    dots: Callable[..., None] = intrinsic(declare)
    return dots


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


def _panel(
    rows: int, vectors: int, onto: bool, turned: bool, context: Any, builder: Any, signature: Any, args: Any
) -> Any:
    """Its instructions."""
    x, taps, w, b, y = (context.make_array(signature.args[k])(context, builder, args[k]) for k in (0, 1, 3, 5, 6))
    start, row, into = args[2], args[4], args[7]
    kind = signature.args[0].dtype
    lanes, word = 8 * BYTES // kind.bitwidth, start.type
    vector = ir.VectorType(context.get_data_type(kind), lanes)
    fma = _multiply_and_add(builder, vector)

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
    across = cgutils.unpack_tuple(builder, w.shape, 2)[1]
    weights = numbers if turned else [builder.mul(r, depth) for r in numbers]
    with cgutils.for_range(builder, depth, intp=word) as loop:
        place = builder.add(number_at(taps, loop.index), start)
        values = [builder.load(at, align=1) for at in vectors_at(x, place)]
        step = builder.mul(loop.index, across) if turned else loop.index
        for r in range(rows):
            weight = repeated(number_at(w, builder.add(weights[r], step)))
            for v in range(vectors):
                total = builder.call(fma, [weight, values[v], builder.load(sums[r][v])])
                builder.store(total, sums[r][v])
    for r in range(rows):
        for v in range(vectors):
            builder.store(builder.load(sums[r][v]), results[r][v], align=1)
    return context.get_dummy_value()


def _dots(rows: int, taps: int, context: Any, builder: Any, signature: Any, args: Any) -> Any:
    """Its instructions."""
    x, places, g, d = (context.make_array(signature.args[k])(context, builder, args[k]) for k in (0, 1, 4, 8))
    k, start, row, into, size = args[2], args[3], args[5], args[6], args[7]
    kind, word = signature.args[0].dtype, k.type
    number, lanes = context.get_data_type(kind), 8 * BYTES // kind.bitwidth
    vector = ir.VectorType(number, lanes)
    fma = _multiply_and_add(builder, vector)
    (count,), (height, width) = (cgutils.unpack_tuple(builder, a.shape, n) for a, n in ((places, 1), (g, 2)))
    across = cgutils.unpack_tuple(builder, d.shape, 2)[1]

    def some(first: Any, n: int) -> list[Any]:
        return [builder.add(first, ir.Constant(word, i)) for i in range(n)]

    def inside(i: Any, limit: Any) -> Any:
        last = builder.sub(limit, ir.Constant(word, 1))
        return builder.select(builder.icmp_signed("<", i, last), i, last)

    def vector_at(pointer: Any, v: Any) -> Any:
        return builder.load(builder.bitcast(builder.gep(pointer, [v]), vector.as_pointer()), align=1)

    left = [builder.gep(g.data, [builder.add(builder.mul(inside(r, height), width), into)]) for r in some(row, rows)]
    right = [
        builder.gep(x.data, [builder.add(builder.load(builder.gep(places.data, [inside(t, count)])), start)])
        for t in some(k, taps)
    ]
    sums = [[cgutils.alloca_once(builder, vector) for _ in right] for _ in left]
    for line in sums:
        for total in line:
            builder.store(ir.Constant(vector, [0.0] * lanes), total)
    whole = builder.sub(size, builder.srem(size, ir.Constant(word, lanes)))
    with cgutils.for_range_slice(builder, ir.Constant(word, 0), whole, ir.Constant(word, lanes), intp=word) as (v, _):
        held = [vector_at(pointer, v) for pointer in right]
        for pointer, line in zip(left, sums, strict=True):
            value = vector_at(pointer, v)
            for other, total in zip(held, line, strict=True):
                builder.store(builder.call(fma, [value, other, builder.load(total)]), total)
    across_lanes = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(number, [number, vector]), f"llvm.vector.reduce.fadd.v{lanes}f{kind.bitwidth}"
    )
    results = [
        [builder.gep(d.data, [builder.add(builder.mul(r, across), t)]) for t in some(k, taps)] for r in some(row, rows)
    ]
    for line, targets in zip(sums, results, strict=True):
        for total, target in zip(line, targets, strict=True):
            added = builder.call(across_lanes, [builder.load(target), builder.load(total)], fastmath=("reassoc",))
            builder.store(added, target)
    with cgutils.for_range_slice(builder, whole, size, ir.Constant(word, 1), intp=word) as (v, _):  # the rest, singly
        ones = [builder.load(builder.gep(pointer, [v])) for pointer in right]
        for pointer, targets in zip(left, results, strict=True):
            value = builder.load(builder.gep(pointer, [v]))
            for other, target in zip(ones, targets, strict=True):
                builder.store(builder.fadd(builder.load(target), builder.fmul(value, other)), target)
    return context.get_dummy_value()


def _multiply_and_add(builder: Any, vector: Any) -> Any:
    """a b + c of vectors: one instruction where the processor has it."""
    name = f"llvm.fmuladd.v{vector.count}{'f32' if isinstance(vector.element, ir.FloatType) else 'f64'}"
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector, [vector] * 3), name)
