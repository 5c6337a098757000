"""Tiles are chosen by the registers of the processor, and fit them."""

import pytest

pytest.importorskip("numba", reason='Numba is not installed: pip install "tinygrad-cnn[fast]"')

from tinygrad_cnn.kernels.compiled.registers import Registers, registers_of, tiles_of


@pytest.mark.parametrize(
    ("triple", "features", "expected"),
    [
        ("x86_64-unknown-linux-gnu", "+avx,+avx2,+avx512f,+avx512vl,+fma", Registers(32, 64)),
        ("x86_64-unknown-linux-gnu", "+avx,+avx2,-avx512f,-avx512vl,+fma", Registers(16, 32)),
        ("x86_64-pc-windows-msvc", "+avx,-avx2", Registers(16, 32)),
        ("x86_64-unknown-linux-gnu", "+sse2,-avx", Registers(16, 16)),
        ("x86_64-unknown-linux-gnu", "", Registers(16, 16)),
        ("aarch64-unknown-linux-gnu", "+neon,+fp-armv8", Registers(32, 16)),
        ("arm64-apple-darwin", "", Registers(32, 16)),
    ],
)
def test_registers_are_those_of_the_features(triple, features, expected):
    assert registers_of(triple, features) == expected


@pytest.mark.parametrize("count", [16, 32])
@pytest.mark.parametrize("size", [16, 32, 64])
def test_sums_and_what_is_held_beside_them_fit_the_registers(count, size):
    (rows, vectors), (left, right) = tiles_of(Registers(count, size))
    assert rows * vectors + vectors + 1 <= count  # the values of a tap, and a weight
    assert left * right + right + 1 <= count
    assert rows * vectors >= 8  # two instructions begin at a time, and one takes four
    assert left * right >= 8
