"""The words of the Mersenne Twister MT19937 (Matsumoto & Nishimura 1998): NumPy's generator gives them."""

import numpy as np

from tinygrad_cnn.core.types import NDArray


def random_words(generator: "np.random.Generator", count: int) -> NDArray:
    """The next so many words of 32 bits of a generator around ``numpy.random.MT19937``."""
    return generator.integers(0, 2**32, count, dtype=np.uint32)
