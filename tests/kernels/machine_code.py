"""Compile the innermost loops for float32, and print for each how many of its loops compute with whole vectors.

A program of its own, so that `test_machine_code.py` can run it for a processor with other features.
"""

import json
import re

import numba
from numba import types

from tinygrad_cnn.kernels.compiled import (
    activations,
    attention,
    descent,
    direct,
    elementwise,
    layout,
    pool,
    random,
    winograd,
)
from tinygrad_cnn.kernels.compiled.matmul import _combine_some, dot, scaled
from tinygrad_cnn.kernels.compiled.registers import REGISTERS

F, N = types.float32, types.int64
PAIR = types.UniTuple(N, 2)


def floats(dims):
    return types.Array(F, dims, "C")


def integers(dims):
    return types.Array(N, dims, "C")


BYTES, MARKS, WORDS = (
    (lambda dims: types.Array(types.uint8, dims, "C")),
    types.Array(types.int32, 1, "C"),
    types.uint32[::1],
)

LOOPS = {
    **{
        getattr(activations, f"_{name}_run"): (floats(1), floats(1))
        for name in ("sigmoid", "silu", "silu_slope", "hardswish", "hardswish_slope")
    },
    activations.largest: (floats(1),),
    activations._exponentials: (floats(1), F, floats(1)),
    activations.total_of: (floats(1),),
    activations._scale: (floats(1), F),
    activations._less: (floats(1), F, floats(1)),
    attention._weigh: (floats(1), F, F),
    attention._slopes: (floats(1), F, floats(1)),
    attention._set: (floats(1), integers(1), floats(2), floats(1), floats(2)),
    attention._add: (floats(1), integers(1), floats(2), floats(1), floats(2)),
    elementwise._relu_run: (floats(1), floats(1)),
    elementwise._gate_run: (floats(1), floats(1), floats(1)),
    descent._descend_run: (floats(1), floats(1), F),
    descent._by_velocity_run: (*[floats(1)] * 3, F, F, F, types.boolean, F),
    descent._adam_run: (*[floats(1)] * 5, types.UniTuple(F, 7)),
    elementwise._pick_run: (types.boolean[::1], MARKS, MARKS, MARKS),
    elementwise._pick_first_run: (types.boolean[::1], MARKS, types.int32, MARKS),
    elementwise._pick_second_run: (types.boolean[::1], types.int32, MARKS, MARKS),
    elementwise._add_row: (floats(1), floats(1)),
    elementwise._sum: (floats(1),),
    dot: (floats(1), floats(1)),
    scaled: (F, floats(1), floats(1)),
    _combine_some: (floats(2), floats(1), floats(1), N),
    pool._maxima_of_nine: (floats(1), N, N, N, floats(1), MARKS, N, PAIR),
    pool._maxima_of_a_plane: (floats(3), integers(2), floats(3), BYTES(3), PAIR, PAIR, PAIR, MARKS),
    pool._maxima_of_four_runs_in_a_plane: (floats(3), floats(3), BYTES(3), PAIR, MARKS),
    pool._maxima_of_four_in_a_plane: (floats(2), floats(2), BYTES(2)),
    pool._put_tiles: (floats(3), BYTES(3), floats(3), PAIR),
    pool._put_in_fours_of_a_plane: (floats(2), BYTES(2), floats(2)),
    pool._put_rows: (floats(3), BYTES(3), floats(3), PAIR, PAIR, PAIR, MARKS),
    direct.set_runs: (floats(1), integers(1), floats(2), floats(1), floats(2), integers(2)),
    direct.scatter_some: (floats(2), integers(1), floats(3), floats(2), integers(2)),
    direct.add_dots: (floats(1), integers(1), floats(2), floats(2), integers(2), N),
    winograd._transform_weight: (floats(2), floats(2), F),
    winograd.transform_input: (floats(4), N, N, N, floats(3), N, floats(2)),
    winograd.transform_result: (floats(3), N, floats(1), floats(4), N, N, N, floats(2)),
    winograd.transform_cotangent: (floats(4), N, N, N, floats(3), N, floats(2)),
    layout._border_planes: (floats(3), floats(3), N, N, F),
    random._twist: (WORDS,),
}
"""Each innermost loop, and the types it is compiled for. Those of one-byte copies and of exp are not vectors:

`layout._transpose_some` moves squares of 16 by 16, `layout.split_phases` and `join_phases` and `grouped.lay_rows` call
memcpy, which is; `loss` takes the exponential of ten classes, for which LLVM has no vectors without Intel's SVML.
"""

LETTER = {64: "z", 32: "y", 16: "x"}[REGISTERS.size]
WHOLE = re.compile(
    r"\tv?(?:p?add|p?sub|p?mul|fn?m(?:add|sub)\d*|p?cmp\w*?|max|min|p?xor|p?and\w*?|p?or|p?blend\w*?|mov[ua]p|movdq\w*?|p?shl|p?srl)"
    r"\w*\t.*%" + LETTER + "mm"
)


def innermost(code):
    """The loops without another loop in them, as lists of lines: from a label to a jump back to it."""
    labels, found = {}, []
    lines = code.splitlines()
    for k, line in enumerate(lines):
        if re.match(r"\.?\w+:", line):
            labels[line.split(":")[0]] = k
        jump = re.match(r"\tj\w+\t(\.?\w+)", line)
        if jump and jump[1] in labels:
            start = labels[jump[1]]
            if not any(start <= s and e <= k for s, e in found):
                found.append((start, k))
    return [lines[s : e + 1] for s, e in found]


def vector_loops(loop, arguments):
    """How many innermost loops of the function compute with the widest vectors there are."""
    loop.enable_caching = None
    loop._cache = numba.core.caching.NullCache()
    loop.compile(arguments)
    code = loop.inspect_asm(loop.signatures[-1])
    loops = [code.splitlines()] if loop is random._twist else innermost(code)  # of constant length: may be unrolled
    return sum(any(WHOLE.match(line) for line in lines) for lines in loops)


if __name__ == "__main__":
    counts = {
        f"{k} {loop.py_func.__name__}": vector_loops(loop, arguments)
        for k, (loop, arguments) in enumerate(LOOPS.items())
    }
    print(json.dumps({"registers": list(REGISTERS), "loops": counts}))
