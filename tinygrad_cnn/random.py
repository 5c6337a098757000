"""Random numbers: generators with PyTorch's interface and, for the same seed, PyTorch's numbers.

PyTorch draws on a CPU from the Mersenne Twister MT19937 (Matsumoto & Nishimura 1998), as NumPy can; what it makes of
its 32-bit words is written down here, in arrays: uniform numbers from 24 or 53 of their bits, normal ones by Box and
Muller (1958), integers by remainders, permutations by Fisher and Yates. Equal up to the rounding of `log` and `cos`.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_cnn.core.errors import ArgumentError
from tinygrad_cnn.core.types import NDArray, Shape
from tinygrad_cnn.kernels import rejection
from tinygrad_cnn.kernels.chosen import chosen
from tinygrad_cnn.torch_names.absent import absent

__all__ = [
    "Generator", "default_generator", "fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed",
    "set_rng_state",
]  # fmt: skip

DEFAULT_SEED = 67280421310721
"""With which a generator begins that nobody seeded; PyTorch's."""
WORDS = 624
"""Of the state of MT19937."""
MANY_PAIRS = 64
"""Normal numbers that are made in pairs: from so many on in arrays."""
PYTORCH_STATE = np.dtype(
    [
        ("seed", "<u8"),
        ("left", "<i4"),
        ("seeded", "<i4"),
        ("next", "<u8"),
        ("words", "<u8", (WORDS,)),
        ("normal_x", "<f8"),
        ("normal", "<f8"),
        ("normal_rho", "<f8"),
        ("has_normal", "<i4"),
        ("padding", "V4"),
        ("float_normal", "<f4"),
        ("has_float_normal", "?"),
        ("end", "V3"),
    ]
)
"""How PyTorch lays out a generator's state: 5,056 bytes."""


class Generator:
    """A stream of random numbers that can be seeded, as ``torch.Generator``; `numpy` draws from it in NumPy's ways.

    >>> Generator().manual_seed(3).initial_seed()
    3
    >>> Generator().manual_seed(0).uniform((2,), np.float32)
    array([0.4962566, 0.7682218], dtype=float32)
    """

    def __init__(self, device: Any = "cpu") -> None:
        if str(device) != "cpu":
            raise RuntimeError(f"Generator: there is no device {device!r} here; the only one is 'cpu'")
        self.device = device
        self._bits = np.random.MT19937()
        self.numpy = np.random.Generator(self._bits)
        self.manual_seed(DEFAULT_SEED)

    # ---- seeds and states --------------------------------------------------------------------------------

    def manual_seed(self, seed: int) -> Generator:
        """Begin the stream that belongs to this seed, an integer of 64 bits; -1 is the largest."""
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
            raise RuntimeError(f"manual_seed: seed is {seed!r}; it must be an integer")
        if not -(2**63) <= seed < 2**64:
            raise ValueError(f"manual_seed: seed {seed} does not fit into 64 bits")
        self._seed = int(seed) % 2**64
        self._bits._legacy_seeding(self._seed % 2**32)  # as PyTorch begins
        self._second_normal: float | None = None
        return self

    def initial_seed(self) -> int:
        """The seed that the stream began with."""
        return self._seed

    def seed(self) -> int:
        """Begin a stream from the system's entropy; its seed is returned."""
        self.manual_seed(int(np.random.SeedSequence().generate_state(1, np.uint64)[0]) % 2**53)
        return self._seed

    def get_state(self) -> NDArray:
        """The state as 5,056 bytes, laid out as PyTorch's ``Generator.get_state``: either reads the other's."""
        inner: Any = self._bits.state["state"]
        state = np.zeros((), PYTORCH_STATE)
        state["seed"], state["seeded"], state["words"] = self._seed, 1, inner["key"]
        state["next"], state["left"] = inner["pos"], WORDS + 1 - inner["pos"]
        if self._second_normal is not None:
            state["normal"], state["has_normal"] = self._second_normal, 1
        return np.frombuffer(state.tobytes(), np.uint8).copy()

    def set_state(self, new_state: Any) -> Generator:
        """Go on from a state that `get_state` gave, here or in PyTorch."""
        held = np.asarray(new_state)
        if held.dtype != np.uint8 or held.shape != (PYTORCH_STATE.itemsize,):
            raise RuntimeError(
                f"set_state: got {held.dtype} of shape {held.shape}; expected the {PYTORCH_STATE.itemsize} bytes of "
                "get_state()"
            )
        state: Any = np.frombuffer(held.tobytes(), PYTORCH_STATE)[0]
        left, following = int(state["left"]), int(state["next"])
        if not (1 <= left <= WORDS and following <= WORDS and state["seeded"] == 1):
            raise RuntimeError("set_state: these bytes are no state of a generator; expected those of get_state()")
        key = state["words"].astype(np.uint32)
        self._bits.state = {
            "bit_generator": "MT19937",
            "state": {"key": key, "pos": WORDS if left == 1 else following},
        }
        self._seed = int(state["seed"])
        self._second_normal = float(state["normal"]) if state["has_normal"] else None
        return self

    def clone_state(self) -> Generator:
        """Another generator in the same state."""
        return Generator().set_state(self.get_state())

    # ---- words -------------------------------------------------------------------------------------------

    def words(self, count: int) -> NDArray:
        """The next so many words of 32 bits."""
        drawn: NDArray = chosen.random_words(self.numpy, count)
        return drawn

    def long_words(self, count: int) -> NDArray:
        """The next so many words of 64 bits: each two of 32, the first above the second."""
        pairs = self.words(2 * count).reshape(count, 2)
        return pairs[:, 0].astype(np.uint64) << np.uint64(32) | pairs[:, 1]

    # ---- distributions -----------------------------------------------------------------------------------

    def uniform(self, shape: Shape, dtype: Any, low: float = 0.0, high: float = 1.0) -> NDArray:
        """Numbers drawn evenly from [low, high): 53 bits of each for float64, 24 for the smaller dtypes."""
        count = math.prod(shape)
        if np.dtype(dtype) == np.float64:
            drawn: NDArray = (self.long_words(count) & np.uint64(2**53 - 1)) * 2.0**-53
        else:
            drawn = (self.words(count) & np.uint32(2**24 - 1)).astype(np.float32) * np.float32(2.0**-24)
        if (low, high) != (0.0, 1.0):
            kind = drawn.dtype.type
            drawn *= kind(high) - kind(low)
            drawn += kind(low)
        values = drawn.reshape(shape).astype(dtype, copy=False)
        if values.dtype.itemsize == 2:  # of float16, what is rounded up to the excluded end
            values = np.where(values == values.dtype.type(high), values.dtype.type(low), values)
        return values

    def normal(self, shape: Shape, dtype: Any, mean: float = 0.0, std: float = 1.0) -> NDArray:
        """Numbers drawn from a normal distribution.

        Sixteen uniform numbers make sixteen normal ones, the last sixteen drawn anew if their count leaves a rest;
        fewer than sixteen in all are made one by one.
        """
        count = math.prod(shape)
        if count < 16:
            return self.normal_in_pairs(shape, mean, std).astype(dtype)
        kind: type[np.floating[Any]] = np.float64 if np.dtype(dtype) == np.float64 else np.float32
        whole = count - count % 16
        drawn: NDArray = np.empty(count, kind)
        first = self.uniform((whole if np.dtype(dtype) == np.float16 else count,), kind)  # float16 goes by sixteens
        drawn[:whole] = box_muller(first[:whole])
        if whole < count:
            drawn[-16:] = box_muller(self.uniform((16,), kind))
        if (mean, std) != (0.0, 1.0):
            drawn *= kind(std)
            drawn += kind(mean)
        return drawn.reshape(shape).astype(dtype, copy=False)

    def normal_in_pairs(self, shape: Shape, mean: float = 0.0, std: float = 1.0) -> NDArray:
        """The same one by one, in float64: made in pairs, of which the second waits for the next call."""
        count = math.prod(shape)
        if count < MANY_PAIRS:
            with self.stream() as (_, normal):
                drawn = [normal() * std + mean for _ in range(count)]
            return np.array(drawn, np.float64).reshape(shape)
        waiting = [] if self._second_normal is None else [self._second_normal]
        u, v = self.uniform(((count - len(waiting) + 1) // 2, 2), np.float64).T
        radius, angle = np.sqrt(-2 * np.log1p(-v)), 2 * math.pi * u
        made = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).reshape(-1)
        numbers = np.concatenate([waiting, made])
        self._second_normal = float(numbers[count]) if numbers.size > count else None
        return (numbers[:count] * std + mean).reshape(shape)

    @contextmanager
    def stream(self) -> Iterator[tuple[rejection.Draw, rejection.Draw]]:
        """Functions that give the next uniform and the next normal number, of 53 bits.

        Words are drawn ahead of them in blocks; at the end the generator stands where what was taken ends.
        """
        start, taken = self._bits.state, 0
        ready: Iterator[float] = iter(())

        def uniform() -> float:
            nonlocal ready, taken
            taken += 1
            for number in ready:
                return number
            ready = iter(self.uniform((min(max(8, taken), 4096),), np.float64).tolist())
            return next(ready)

        def normal() -> float:
            if self._second_normal is not None:
                waiting, self._second_normal = self._second_normal, None
                return waiting
            u, v = uniform(), uniform()
            radius, angle = math.sqrt(-2 * math.log1p(-v)), 2 * math.pi * u
            self._second_normal = radius * math.sin(angle)
            return radius * math.cos(angle)

        try:
            yield uniform, normal
        finally:
            self._bits.state = start
            self.words(2 * taken)

    def integers(self, low: int, high: int, shape: Shape, dtype: Any = np.int64) -> NDArray:
        """Integers drawn from low up to but without high: remainders of words, of 64 bits from 2**28 values on."""
        count, values = math.prod(shape), high - low
        words = self.words(count).astype(np.uint64) if values < 2**28 else self.long_words(count)
        if values < 2**64:
            words %= np.uint64(values)
        return (words.astype(np.int64) + low).astype(dtype).reshape(shape)

    def any_integers(self, shape: Shape, dtype: Any) -> NDArray:
        """What ``Tensor.random_()`` draws: any value >= 0 that the dtype holds; of floats, integers without gaps."""
        kind = np.dtype(dtype)
        if kind.kind == "f":
            values = 2 ** (np.finfo(kind).nmant + 1) + 1
        else:
            values = 2 if kind.kind == "b" else np.iinfo(kind).max + 1
        count = math.prod(shape)
        words = self.long_words(count) if kind.itemsize == 8 else self.words(count).astype(np.uint64)
        return (words % np.uint64(values)).astype(kind).reshape(shape)

    def permutation(self, n: int) -> list[int]:
        """The numbers 0 to n - 1 in random order."""
        order: list[int] = self.order(n).tolist()
        return order

    def order(self, n: int) -> NDArray:
        """The same as an array: each but the last changes places with one behind it, or with itself."""
        steps = np.zeros(n, np.int64)
        steps[:-1] = self.words(max(n - 1, 0)) % np.arange(n, min(n, 1), -1, dtype=np.uint32)
        drawn: NDArray = chosen.shuffled(steps)
        return drawn

    def bernoulli(self, p: float, shape: Shape) -> NDArray:
        """True with probability p: where a uniform number of 53 bits is below it."""
        pairs = self.words(2 * math.prod(shape)).reshape(-1, 2)
        high, low = divmod(math.ceil(p * 2.0**53), 2**32)
        above = pairs[:, 0] & np.uint32(2**21 - 1)
        drawn: NDArray = above < np.uint32(high)
        if low:  # one in two million is decided by the lower word
            ties = np.flatnonzero(above == np.uint32(high))
            drawn[ties] = pairs[ties, 1] < np.uint32(low)
        return drawn.reshape(shape)

    def chances(self, p: NDArray, shape: Shape) -> NDArray:
        """True with the probability that each element of p says: uniform numbers of its dtype are below it."""
        kind = np.float64 if p.dtype == np.float64 else np.float32
        drawn: NDArray = self.uniform(shape, kind) < p.astype(kind)
        return drawn

    def exponential(self, shape: Shape, dtype: Any, rate: float = 1.0) -> NDArray:
        """Numbers drawn from an exponential distribution."""
        return (-np.log1p(-self.uniform(shape, np.float64)) / rate).astype(dtype)

    # ---- samplers by rejection, one number at a time ------------------------------------------------------

    def gamma(self, alpha: NDArray) -> NDArray:
        """Numbers of gamma distributions of these shapes and of rate 1."""
        rounded, least = rounding_to(alpha.dtype), np.finfo(alpha.dtype).tiny
        with self.stream() as (uniform, normal):
            drawn = [rejection.gamma(a, uniform, normal, rounded) for a in alpha.reshape(-1).tolist()]
        found: NDArray = np.maximum(np.array(drawn, alpha.dtype), least).reshape(alpha.shape)
        return found

    def dirichlet(self, alpha: NDArray) -> NDArray:
        """Vectors along the last axis of Dirichlet's distribution: gamma numbers over their sum."""
        gammas = self.gamma(alpha.astype(np.float64))
        least, most = np.finfo(alpha.dtype).tiny, np.nextafter(alpha.dtype.type(1), alpha.dtype.type(0))
        shares: NDArray = (gammas / gammas.sum(-1, keepdims=True)).astype(alpha.dtype)
        return np.asarray(np.clip(shares, least, most))

    def poisson(self, rate: NDArray) -> NDArray:
        """Numbers of Poisson's distributions of these rates, in their dtype."""
        with self.stream() as (uniform, _):
            drawn = [rejection.poisson(r, uniform) for r in rate.reshape(-1).tolist()]
        return np.array(drawn, np.float64).astype(rate.dtype).reshape(rate.shape)

    def binomial(self, count: NDArray, chance: NDArray) -> NDArray:
        """How many of so many trials succeed, each with its chance; both arrays of one shape and dtype."""
        trials: list[float] = count.reshape(-1).tolist()
        rounded, chances = rounding_to(count.dtype), chance.reshape(-1).tolist()
        with self.stream() as (uniform, _):
            drawn = [rejection.binomial(n, p, uniform, rounded) for n, p in zip(trials, chances, strict=True)]
        return np.array(drawn, count.dtype).reshape(count.shape)


def rounding_to(dtype: Any) -> Callable[[float], float]:
    """What rounds a Python number to a dtype."""
    kind = np.dtype(dtype).type
    return float if kind is np.float64 else lambda x: float(kind(x))


def integer_bounds(op: str, low: int, high: int | None, dtype: Any) -> tuple[int, int]:
    """From where to where (excluded) integers of a dtype are drawn; `high` is None for all that it holds.

    The bounds of floats are moved inwards to numbers that the dtype has.
    """
    kind = np.dtype(dtype)
    if kind.kind == "f":
        least, most, whole = -int(np.finfo(kind).max), int(np.finfo(kind).max), 1 << (np.finfo(kind).nmant + 1)
    else:
        least, most = (0, 1) if kind.kind == "b" else (int(np.iinfo(kind).min), int(np.iinfo(kind).max))
        whole = most
    end = whole + 1 if high is None else high
    for name, bound in (("from", low), ("to - 1", end - 1)):
        if not least <= bound <= most:
            raise ArgumentError(f"{op}: {name} is {bound}, which is out of bounds for {kind}, {least} to {most}")
    if kind.kind == "f":
        low = _within(low, whole, kind) if _rounded(low + 1, kind) < low else low
        end = -_within(-end, whole, kind) if _rounded(end - 1, kind) >= end else end
    if low >= end:
        raise ArgumentError(f"{op}: from {low} must be less than to {end}")
    return low, end


def _rounded(bound: int, kind: Any) -> int:
    rounded: float = np.asarray(bound).astype(kind).item()
    return int(rounded)


def _within(bound: int, whole: int, kind: Any) -> int:
    """The next number above a bound that a floating dtype has, whose integers have no gaps up to `whole`."""
    return _rounded(bound + 1, kind) + (1 << (abs(bound + 1).bit_length() - whole.bit_length() + 1))


def box_muller(uniform: NDArray) -> NDArray:
    """Standard normal numbers of uniform ones, sixteen of sixteen: eight are lengths, eight are angles."""
    lengths, angles = np.moveaxis(uniform.reshape(-1, 2, 8), 1, 0)
    kind = uniform.dtype.type
    radius = np.sqrt(kind(-2) * np.log(1 - lengths))
    angle = kind(2 * math.pi) * angles
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).reshape(-1)


class DefaultGenerator(Generator):
    """What everything draws from that is given no generator: one stream, or the thread's own where it has one.

    So that threads which make batches ahead draw what they would draw alone, whoever is faster.
    """

    def __init__(self) -> None:
        """Nothing: the streams lie in `_here`."""

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            return getattr(_here.generator, name)

        def __setattr__(self, name: str, value: Any) -> None:
            setattr(_here.generator, name, value)


class _Here(threading.local):
    """The stream that this thread draws from."""

    generator: Generator

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """The common stream, begun when it is first asked for: NumPy's generators take 10 ms to load."""
            if name != "generator":
                raise AttributeError(name)
            with _beginning:
                if name not in vars(_Here):
                    common = Generator()
                    common.seed()
                    _Here.generator = common
            return _Here.generator


_beginning = threading.Lock()
_here = _Here()
default_generator = DefaultGenerator()


def draw_in_this_thread_from(generator: Generator) -> None:
    """Let `default_generator` mean this one in this thread."""
    _here.generator = generator


def manual_seed(seed: int) -> Generator:
    """Seed the generator that everything draws from unless it is given one of its own.

    The numbers that follow are PyTorch's for the same seed, and so are initial weights and the order of shuffled
    data: a program begins as it does there.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.rand(2)
    tensor([0.4963, 0.7682])
    >>> _ = tg.manual_seed(0)
    >>> tg.rand(2)
    tensor([0.4963, 0.7682])
    """
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Seed that generator from the system's entropy; the seed is returned.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.seed() == tg.initial_seed()
    True
    """
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that its stream began with.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(7)
    >>> tg.initial_seed()
    7
    """
    return default_generator.initial_seed()


def get_rng_state() -> NDArray:
    """Its state, as bytes; see `Generator.get_state`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> state = tg.get_rng_state()
    >>> x = tg.rand(2)
    >>> tg.set_rng_state(state)
    >>> tg.equal(tg.rand(2), x)
    True
    """
    return default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Go on from a state that `get_rng_state` gave.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> state = tg.get_rng_state()
    >>> x = tg.rand(2)
    >>> tg.set_rng_state(state)
    >>> tg.equal(tg.rand(2), x)
    True
    """
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(devices: Any = (), enabled: bool = True) -> Iterator[None]:
    """Give the state back at the end of the block, whatever was drawn or seeded in it.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> _ = tg.manual_seed(0)
    >>> with tg.random.fork_rng(): inside = tg.rand(2)
    >>> tg.equal(tg.rand(2), inside)
    True
    """
    kept = default_generator.get_state()
    try:
        yield
    finally:
        if enabled:
            default_generator.set_state(kept)


if not TYPE_CHECKING:
    __getattr__ = absent(
        "torch.random", {"thread_safe_generator": "each worker of a DataLoader has a stream of its own"}
    )
