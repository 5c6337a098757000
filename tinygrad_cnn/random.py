"""Random numbers: generators with PyTorch's interface around NumPy's PCG64 (O'Neill 2014)."""

from __future__ import annotations

import numpy as np


class Generator:
    """A stream of random numbers that can be seeded, as ``torch.Generator``; `numpy` is NumPy's inside it.

    >>> Generator().manual_seed(3).initial_seed()
    3
    """

    def __init__(self) -> None:
        self.manual_seed(0)

    def manual_seed(self, seed: int) -> Generator:
        """Begin the stream that belongs to this seed (an integer >= 0)."""
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
            raise ValueError(f"manual_seed: seed is {seed!r}; it must be an integer of at least 0")
        self._seed = int(seed)
        self.numpy = np.random.Generator(np.random.PCG64(self._seed))
        return self

    def initial_seed(self) -> int:
        """The seed that the stream began with."""
        return self._seed

    def seed(self) -> int:
        """Begin a stream from the system's entropy; its seed is returned."""
        seed = int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
        self.manual_seed(seed)
        return seed


default_generator = Generator()
default_generator.seed()


def manual_seed(seed: int) -> Generator:
    """Seed the generator that everything draws from unless it is given one of its own."""
    return default_generator.manual_seed(seed)
