"""How many vector registers the processor has and how wide they are, and what follows for the innermost products.

The one place that knows processors: everything else takes its tiles from `TILES`. What Numba compiles for decides, so
that ``NUMBA_CPU_NAME`` and ``NUMBA_CPU_FEATURES`` are obeyed.
"""

from typing import Any, NamedTuple

from numba.core.registry import cpu_target


class Registers(NamedTuple):
    """The registers for vectors."""

    number: int
    size: int
    """Bytes of one."""


class Tiles(NamedTuple):
    """How many vector sums an innermost product keeps in registers: so many that its operands have room beside them."""

    panel: tuple[int, int]
    """Rows, and vectors side by side, of a panel of results; see `panel.panel_of`."""
    dots: tuple[int, int]
    """Rows of both sides of sums along a run; see `panel.dots_of`."""


def registers_of(triple: str, features: str) -> Registers:
    """Those of LLVM's target with such features, "+avx2,-avx512f,…"."""
    has = set(features.split(","))
    if triple.startswith(("aarch64", "arm64")):
        return Registers(32, 16)  # NEON, and the part of SVE that every one has
    if "+avx512f" in has and "+avx512vl" in has:
        return Registers(32, 64)
    return Registers(16, 32 if "+avx" in has else 16)


def tiles_of(registers: Registers) -> Tiles:
    """The fastest of those that fit, measured: on AVX-512 and AVX2, as GFLOP/s, in docs/performance.md."""
    return Tiles((4, 4), (8, 3)) if registers.number == 32 else Tiles((6, 2), (4, 3))


_context: Any = cpu_target.target_context
REGISTERS = registers_of(*_context.codegen().magic_tuple()[::2])
BYTES = REGISTERS.size
"""Bytes of a vector."""
TILES = tiles_of(REGISTERS)
