"""The words of the Mersenne Twister, 624 at a time in vectors; compare `kernels.passes`.

A word depends on the one that is 227 places before it, no nearer, so that three loops of vectors make a new state:
1.1 ns a word, where NumPy, which makes one after the other, takes 2.7.
"""

from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels import numpy_set
from tinygrad_cnn.kernels.compiled.jit import exact

MANY = 1 << 13
"""Words from which it is worth 20 µs to take the state out of NumPy's generator and to put it back."""


def random_words(generator: "np.random.Generator", count: int) -> NDArray:
    """The next so many words of 32 bits of a generator around ``numpy.random.MT19937``."""
    if count < MANY:
        return numpy_set.random_words(generator, count)
    out = np.empty(count, np.uint32)
    bits: Any = generator.bit_generator
    with bits.lock:
        state = bits.state
        inner = state["state"]
        inner["pos"] = int(_words(inner["key"], inner["pos"], out))
        bits.state = state
    return out


@exact
def _words(key: NDArray, pos: int, out: NDArray) -> int:
    """Fill `out`, beginning with word `pos` of the state, and leave the state as it is then; its `pos` is returned."""
    done = 0
    while done < len(out):
        if pos == 624:
            _twist(key)
            pos = 0
        some = min(624 - pos, len(out) - done)
        for k in range(some):
            y = key[pos + k]
            y ^= y >> np.uint32(11)
            y ^= (y << np.uint32(7)) & np.uint32(0x9D2C5680)
            y ^= (y << np.uint32(15)) & np.uint32(0xEFC60000)
            out[done + k] = y ^ (y >> np.uint32(18))
        done += some
        pos += some
    return pos


@exact
def _twist(key: NDArray) -> None:
    """The next state: each word of the upper bit of one, the lower bits of the next, and the one 397 further."""
    for k in range(227):
        key[k] = _mixed(key[k], key[k + 1], key[k + 397])
    for k in range(227, 454):
        key[k] = _mixed(key[k], key[k + 1], key[k - 227])
    for k in range(454, 623):
        key[k] = _mixed(key[k], key[k + 1], key[k - 227])
    key[623] = _mixed(key[623], key[0], key[396])


@exact
def _mixed(this: Any, following: Any, far: Any) -> Any:
    y = (this & np.uint32(0x80000000)) | (following & np.uint32(0x7FFFFFFF))
    return far ^ (y >> np.uint32(1)) ^ (np.uint32(0x9908B0DF) * (y & np.uint32(1)))


def shuffled(steps: NDArray) -> NDArray:
    """The numbers from 0 on; in turn the k-th changes places with that `steps[k]` further on (Fisher & Yates)."""
    if len(steps) < MANY:
        return numpy_set.shuffled(steps)
    order = np.arange(len(steps))
    _shuffle(order, np.ascontiguousarray(steps, np.int64))
    return order


@exact
def _shuffle(order: NDArray, steps: NDArray) -> None:
    for k in range(len(order)):
        other = k + steps[k]
        order[k], order[other] = order[other], order[k]
