"""A function at the point where it is checked: moved evaluations, its noise, its VJP, on flat arrays.

All differentiable outputs are one vector of float64; an input is moved along one of its elements or along a
direction. What cannot be checked at all is said here, in one sentence.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.core.types import DType, NDArray, Shape
from tinygrad_cnn.gradcheck.differences import NOISE_POINTS, noise_level
from tinygrad_cnn.gradcheck.problems import CannotJudge, NothingToCheck, OutsideDomain, WrongType
from tinygrad_cnn.gradcheck.tolerances import DEVIATIONS, SIGNS
from tinygrad_cnn.gradcheck.verdicts import GradientError

SPACING = 2.0**-13
"""Of the points that the noise is estimated from, relative to the size of the input (at least 1)."""

LEAST = 0.01
"""Outputs count as rounded at least as numbers of this part of the largest; and what rounds as a number of this size
does counts as 0."""

APART, CANCELLED = 2.0**-13, 1e4
"""Multiples of a cotangent so far apart show what is rounded when large terms cancel, and so many units in the last
place of the largest number are believed: a gradient through float16 is not rounded, but wrong."""
NEIGHBOURS = 64.0
"""Of the points between which the roughness of a gradient is seen, in units of their last place."""

COARSE = 1e-10
"""A precision beyond this is not that of float64."""

LOUD = 100.0
"""What jitters by more than so many times its floor may be rounding, or a kink between the points."""

CLOSER, BEND = 2.0**-7, 2.0**-4
"""Points are brought so much closer together until no kink lies between them; that leaves so much of a bend at most."""

RAYS = 3
"""Along so many lines, to either side."""

UNSEEN = 16.0
"""So many units in the last place of an output are no more than its rounding."""

NOISE_SEED = 20240301
"""Of the directions along which a function is seen to jitter."""


BLOCK = 1 << 14
"""So many elements of a large array are looked at together: fresh memory for all of them costs more than the sums."""

KEPT = 1 << 20
"""So many output values along a line are remembered."""


class Ends:
    """The outputs along a line through the point, at signed steps: what was computed is not computed again."""

    def __init__(self, take: Callable[[float], tuple[NDArray, float]]) -> None:
        self._take = take
        self._taken: dict[float, tuple[NDArray, float]] = {}

    def at(self, t: float) -> tuple[NDArray, float]:
        """The outputs at a step, and how far away they were taken, rounding included."""
        found = self._taken.get(t)
        if found is None:
            found = self._take(t)
            if (len(self._taken) + 1) * found[0].size <= KEPT:
                self._taken[t] = found
        return found

    def __call__(self, h: float) -> tuple[NDArray, NDArray, float, float]:
        """The outputs ahead and behind, and how far away either was taken."""
        (high, up), (low, down) = self.at(h), self.at(-h)
        return high, low, up, -down


def place_of(i: int, shape: Shape) -> tuple[int, ...]:
    """The place of element i of the flat array."""
    return tuple(int(n) for n in np.unravel_index(i, shape))


def number_of(place: tuple[int, ...], shape: Shape) -> int:
    """The inverse of `place_of`."""
    return int(np.ravel_multi_index(place, shape))


class Jitter(NamedTuple):
    """How much a gradient changes between neighbouring numbers, per element of an input.

    `rounding` is what changes without leaving the point or its side of a kink, `rough` all of it.
    """

    rounding: NDArray
    rough: NDArray


class Point:
    """A function and its VJP at given inputs.

    ``arrays`` are the inputs that are checked, ``size`` the number of differentiable output elements, ``values``
    the outputs there, ``noise`` what each of them is off by rounding, which is measured when it is first asked for.
    """

    def __init__(self, adapter: Any, inputs: Sequence[Any], checked: Sequence[int]) -> None:
        self.adapter, self.inputs, self.checked = adapter, list(inputs), list(checked)
        self.arrays: list[NDArray] = [np.array(inputs[k]) for k in checked]
        self.strides = [strides_of(inputs[k]) for k in checked]
        """Of each input as it was given, None where its elements lie row after row."""
        self.watch: Callable[[], None] | None = None
        """Told of every call of the function."""
        self._line: tuple[tuple[int, int], Ends] | None = None
        outputs = self._outputs(self.arrays)
        self.shapes: list[Shape] = [y.shape for y in outputs]
        self.dtypes: list[DType] = [y.dtype for y in outputs]
        self._wanted = [j for j, y in enumerate(outputs) if y.dtype.kind == "f"]
        self._check_outputs(outputs)
        self.eps = float(max(np.finfo(d).eps for d in [*self.floating, *(a.dtype for a in self.arrays)]))
        """The coarsest precision in which an input or an output is stored."""
        self.values = self.flat(outputs)
        self.size = self.values.size
        self.largest = float(np.max(np.abs(self.values), initial=0.0))
        self.floor: NDArray = self._floor()
        """What each output is off at least, by the precision of its dtype."""

    @property
    def floating(self) -> list[DType]:
        """The dtypes of the differentiable outputs."""
        return [self.dtypes[j] for j in self._wanted]

    @property
    def output_shapes(self) -> list[Shape]:
        """The shapes of the differentiable outputs, in the order of the flat vector."""
        return [self.shapes[j] for j in self._wanted]

    @property
    def tiny(self) -> float:
        """A step at which rounding still leaves half of the digits."""
        return float(2.0 ** np.round(np.log2(self.eps) / 2))

    def _check_outputs(self, outputs: Sequence[NDArray]) -> None:
        for j, y in enumerate(outputs):
            if y.dtype.kind == "c":
                raise WrongType(
                    f"gradcheck: output {j} is complex ({y.dtype}), which is not supported; return its real and "
                    "imaginary parts"
                )
        if not self._wanted:
            kinds = ", ".join(str(y.dtype) for y in outputs) or "nothing"
            raise NothingToCheck(
                f"gradcheck: no output has a derivative (the function returns {kinds}); return floating-point values"
            )
        for j in self._wanted:
            bad = np.argwhere(~np.isfinite(outputs[j]))
            if len(bad):
                place = tuple(bad[0].tolist())
                raise OutsideDomain(
                    f"gradcheck: the function returns {float(outputs[j][place])} at the given inputs "
                    f"(output {j} at {place}); choose inputs inside its domain"
                )

    def _outputs(self, arrays: Sequence[NDArray]) -> list[NDArray]:
        arguments = list(self.inputs)
        for k, a, strides in zip(self.checked, arrays, self.strides, strict=True):
            arguments[k] = np.asarray(a) if strides is None else laid_out(a, strides)
        if self.watch is not None:
            self.watch()
        with np.errstate(all="ignore"):
            return [np.asarray(y) for y in self.adapter.evaluate(arguments)]

    def flat(self, outputs: Sequence[NDArray]) -> NDArray:
        """The differentiable outputs as one vector."""
        parts = [np.asarray(y).reshape(-1) for y in self.differentiable(outputs)]
        return np.asarray(parts[0] if len(parts) == 1 else np.concatenate(parts), dtype=np.float64)

    def differentiable(self, outputs: Sequence[Any]) -> list[Any]:
        """Those outputs that have a derivative."""
        return [outputs[j] for j in self._wanted]

    def evaluate(self, arrays: Sequence[NDArray]) -> NDArray:
        """The outputs at other inputs, NaN where the function refuses them."""
        try:
            outputs = self._outputs(arrays)
        except (CannotJudge, GradientError):
            raise
        except Exception:  # the function may refuse what lies outside its domain
            return np.full(self.size, np.nan)
        if [y.shape for y in outputs] != self.shapes:
            return np.full(self.size, np.nan)
        return self.flat(outputs)

    def at_element(self, k: int, i: int, t: float) -> tuple[NDArray, float]:
        """The outputs with element i of input k moved by t, and how far it moved, rounding included."""
        there = self.arrays[k].copy()
        flat = there.reshape(-1)
        before = float(flat[i])
        flat[i] = before + t
        moved = float(flat[i]) - before
        return self.evaluate([there if j == k else a for j, a in enumerate(self.arrays)]), moved

    def along(self, directions: Sequence[NDArray | None], t: float) -> NDArray:
        """The outputs with every input moved by t times its direction."""
        return self.evaluate([moved(a, u, t) for a, u in zip(self.arrays, directions, strict=True)])

    def ends_of_element(self, k: int, i: int) -> Ends:
        """The outputs with element i of input k moved; those of the last element that was asked for are remembered."""
        if self._line is None or self._line[0] != (k, i):
            self._line = (k, i), Ends(lambda t: self.at_element(k, i, t))
        return self._line[1]

    def ends_along(self, directions: Sequence[NDArray | None]) -> Ends:
        """The outputs with every input moved along its direction there and back."""
        return Ends(lambda t: (self.along(directions, t), t))

    def only(self, k: int, u: NDArray) -> list[NDArray | None]:
        """The directions in which only input k moves, along u."""
        return [u if j == k else None for j in range(len(self.arrays))]

    def vjp(self, cotangent: NDArray, arrays: Sequence[NDArray] | None = None) -> list[NDArray | None]:
        """The gradients of ⟨cotangent, outputs⟩, of the checked inputs, as the function gives them."""
        arguments = self.copies(arrays)
        given = self.split(cotangent)
        with np.errstate(all="ignore"):
            found = self.adapter.vjp(arguments, given)
        return [found[k] for k in self.checked]

    def copies(self, arrays: Sequence[NDArray] | None = None) -> list[Any]:
        """The arguments, copied: in the memory order of what was given, which sums follow, gaps and all."""
        arguments = list(self.inputs)
        of_each = zip(self.checked, self.arrays if arrays is None else arrays, self.strides, strict=True)
        for k, a, strides in of_each:
            arguments[k] = np.array(a) if strides is None else laid_out(a, strides)
        return arguments

    def split(self, cotangent: NDArray) -> list[NDArray | None]:
        """The flat cotangent as one array per output, None for those without a derivative."""
        given: list[NDArray | None] = [None] * len(self.shapes)
        start = 0
        for j in self._wanted:
            count = math.prod(self.shapes[j])
            given[j] = cotangent[start : start + count].reshape(self.shapes[j]).astype(self.dtypes[j])
            start += count
        return given

    def gradients(self, cotangent: NDArray) -> list[NDArray]:
        """The same in float64, 0 where there is none; only for gradients of the right shapes."""
        return self.in_double(self.vjp(cotangent))

    def in_double(self, gradients: Sequence[NDArray | None]) -> list[NDArray]:
        """Gradients in float64, 0 where there is none."""
        return [
            np.zeros(a.shape) if g is None else np.asarray(g, np.float64)
            for a, g in zip(self.arrays, gradients, strict=True)
        ]

    def _floor(self) -> NDArray:
        """A unit in the last place: what lies a hundred times below the largest may be left of terms of that size."""
        size = np.abs(self.values)
        size = np.maximum(size, LEAST * self.largest)
        digits = [np.finfo(d).eps for d in self.floating]
        if len(set(digits)) == 1:
            return np.asarray(digits[0] * size)
        return np.asarray(np.repeat(digits, [math.prod(s) for s in self.output_shapes]) * size)

    @cached_property
    def noise(self) -> NDArray:
        """The floor, or more if the function jitters more than that, around the point or nearer to it.

        Further away a function of small inputs is another one, and quieter: what rounding does beside the point, in
        steps as small as its inputs, counts in any case.
        """
        random, floor = np.random.default_rng(NOISE_SEED), self.floor
        fine = max(SPACING / 128, NEIGHBOURS * self.eps)  # from one number to the next rounding is a regular step
        jitter, _ = self._jitter(self._directions(random, relative=False), SPACING, self.along, self.values)
        loud = jitter > LOUD * floor
        if np.any(loud):  # rounding, or a kink between the points: rounding is there on a finer scale too
            directions = self._directions(random, relative=False)
            for spacing in (-fine, fine):
                finer, varies = self._jitter(directions, spacing, self.along, self.values)
                jitter = np.where(loud & varies, np.minimum(jitter, 4 * finer), jitter)
            jitter = self._without_kinks(jitter, random, fine * CLOSER, relative=False)
        beside = self._directions(random, relative=True)
        finer, varies = self._jitter(beside, fine, self.along, self.values)
        jitter = np.where(loud & varies, np.minimum(jitter, 4 * finer), jitter)
        # what jumps at the point or beside it is quiet on one of its sides
        near = np.fmin(*(self._jitter(beside, h, self.along, self.values)[0] for h in (SPACING, -SPACING)))
        near = self._without_kinks(near, random, fine, relative=True)
        loudest = np.fmax(np.nan_to_num(jitter, nan=0.0), np.nan_to_num(near, nan=0.0))
        return np.asarray(np.maximum(floor, DEVIATIONS * loudest))

    def _without_kinks(self, jitter: NDArray, random: np.random.Generator, spacing: float, relative: bool) -> NDArray:
        """What is loud, between points that are closer and closer together: less, as long as that makes it quieter.

        A bend between the points is as large as they are far apart, and in the end outside of them; rounding is not.
        It may come in regular steps along a line or two, but hardly along several.
        """
        loud = jitter > LOUD * self.floor
        while np.any(loud) and spacing >= NEIGHBOURS * self.eps:
            rays = [(self._directions(random, relative), side) for _ in range(RAYS) for side in (-spacing, spacing)]
            rows = np.stack([self._rows(*ray, self.along, self.values) for ray in rays])
            finer = np.max([noise_level(each) for each in rows], axis=0)
            resolved = np.all(np.diff(rows, axis=1) != 0, axis=(0, 1))  # what stands still has been rounded
            loud = loud & resolved & (finer <= BEND * jitter)
            jitter = np.where(loud, np.minimum(jitter, 4 * finer), jitter)
            loud = loud & (jitter > LOUD * self.floor)
            spacing *= CLOSER
        return jitter

    def gradient_noise(self, random: np.random.Generator, cotangent: NDArray) -> list[NDArray]:
        """What each gradient is off by rounding: by its dtype, and by how much it jitters between close points."""
        here = self.vjp(cotangent)
        arrays = [np.zeros(a.shape) if g is None else g for a, g in zip(self.arrays, here, strict=True)]

        def flat(directions: Sequence[NDArray | None], t: float) -> NDArray:
            found = self.vjp(cotangent, [moved(a, u, t) for a, u in zip(self.arrays, directions, strict=True)])
            return np.concatenate(
                [
                    np.zeros(a.size) if g is None else np.asarray(g, np.float64).reshape(-1)
                    for a, g in zip(self.arrays, found, strict=True)
                ]
            )

        base = np.concatenate([np.asarray(a, np.float64).reshape(-1) for a in arrays])
        jitter = np.nan_to_num(self._jitter(self._directions(random, relative=False), SPACING, flat, base)[0], nan=0.0)
        pieces = np.split(jitter, np.cumsum([a.size for a in arrays])[:-1])
        return [
            np.maximum(
                4 * np.finfo(g.dtype if g.dtype.kind == "f" else np.float64).eps * np.abs(g), SIGNS * p.reshape(g.shape)
            )
            + in_double
            for g, p, in_double in zip(arrays, pieces, self._against_double(cotangent, arrays), strict=True)
        ]

    def gradient_jitter(self, random: np.random.Generator, cotangent: NDArray, points: int) -> list[Jitter]:
        """What rounding does to each gradient, and how rough it is: from this many neighbouring numbers a direction.

        Jᵀv is linear in v: times a number next to 1, only the rounding of the terms is another one, whatever meets at
        the point; further from 1 the larger the inputs are, whose rounding the terms may have; and once more further
        apart in float64, since where terms of few digits cancel, as in a softmax that is nearly 1, all that is next to
        them is rounded alike. And along a ray from
        the point the gradients are compared with each other, not with the one at its end: kinks and ties that are at
        the point are crossed by none.
        """
        here = self.gradients(cotangent)
        size = max([1.0, *(self.extent(k) for k in range(len(self.arrays)))])
        digits = min(NEIGHBOURS * self.eps * size, self.tiny)
        spread = self._between_multiples(cotangent, digits, points)
        if self.eps < COARSE:
            greatest = max(float(np.max(np.abs(finite(a)), initial=0.0)) for a in (cotangent, *here))
            far = self._between_multiples(cotangent, APART, points)
            spread = [
                np.maximum(m, np.minimum(f, CANCELLED * self.eps * greatest)) for m, f in zip(spread, far, strict=True)
            ]
        most = spread
        steps = [t * NEIGHBOURS * self.eps for t in range(1, points + 1)]
        for side in (1, -1):
            ray = [side * u for u in self._directions(random, relative=True)]
            found = [np.stack(g) for g in zip(*self._along_ray(ray, steps, cotangent), strict=True)]
            spread = [np.maximum(m, np.ptp(g, axis=0)) for m, g in zip(spread, found, strict=True)]
            most = [np.maximum(m, np.max(np.abs(g - h), axis=0)) for m, g, h in zip(most, found, here, strict=True)]
        return [
            Jitter(2 * rounding.reshape(-1), 2 * np.maximum(rounding, rough).reshape(-1))
            for rounding, rough in zip(spread, most, strict=True)
        ]

    def _between_multiples(self, cotangent: NDArray, step: float, points: int) -> list[NDArray]:
        """How far the gradients of multiples of the cotangent lie apart, by numbers that are next to 1."""
        factors = [1 + t * step for t in range(1, points + 1)]
        rows = [[g / c for g in self.gradients(cotangent * c)] for c in factors]
        return [np.ptp(found, axis=0) for found in zip(*rows, strict=True)]

    def extent(self, k: int) -> float:
        """The size of input k: of its largest element, or 1 if it has none but zeros."""
        return float(np.max(np.abs(finite(self.arrays[k])), initial=0.0)) or 1.0

    def unseen(self, k: int, cotangent: NDArray) -> float:
        """What a gradient of input k may be off by, and no output shows more of it than its rounding.

        Even if the input moves by as much as it is large.
        """
        return UNSEEN * self.eps * float(np.sum(np.abs(cotangent * self.values))) / self.extent(k)

    def _along_ray(
        self, directions: Sequence[NDArray], steps: Sequence[float], cotangent: NDArray
    ) -> list[list[NDArray]]:
        """The gradients at these steps in a direction; elements that are 0 stay."""
        rows = []
        for step in steps:
            there = [moved(a, np.where(a == 0, 0.0, u), step) for a, u in zip(self.arrays, directions, strict=True)]
            found = self.vjp(cotangent, there)
            rows.append(
                [
                    np.zeros(a.shape) if g is None else np.nan_to_num(np.asarray(g, np.float64))
                    for a, g in zip(self.arrays, found, strict=True)
                ]
            )
        return rows

    def _against_double(self, cotangent: NDArray, gradients: Sequence[NDArray]) -> list[NDArray]:
        """Twice the distance to the same gradient in float64, a few units of rounding at most; 0 if that cannot be had.

        What cancels inside the VJP loses more digits than its result and its neighbours show.
        """
        nothing = [np.zeros(g.shape) for g in gradients]
        if self.eps < 1e-10:
            return nothing
        arguments = list(self.inputs)
        for k, a in zip(self.checked, self.arrays, strict=True):
            arguments[k] = a.astype(np.float64)
        given = [None if v is None else v.astype(np.float64) for v in self.split(cotangent)]
        try:
            found = self.adapter.vjp(arguments, given)
            double = [np.asarray(found[k]) for k in self.checked]
        except Exception:  # a function may be written for one precision only
            return nothing
        most = float(np.max(np.abs(cotangent), initial=0.0))
        return [
            np.minimum(2 * np.abs(g - d), 4 * self.eps * max(most, float(np.max(np.abs(g), initial=0.0))))
            if d.dtype == np.float64 and d.shape == g.shape
            else n
            for g, d, n in zip(gradients, double, nothing, strict=True)
        ]

    def _directions(self, random: np.random.Generator, relative: bool) -> list[NDArray]:
        """Signed steps in proportion to the elements; to 1, where they are smaller, unless `relative`."""
        sizes = [np.abs(finite(a)) for a in self.arrays]
        sizes = [np.where(a > 0, a, 1.0) if relative else np.maximum(1.0, a) for a in sizes]
        return [signed(random, a.shape) * a for a in sizes]

    def _jitter(
        self,
        directions: Sequence[NDArray],
        spacing: float,
        function: Callable[[Sequence[NDArray | None], float], NDArray],
        here: NDArray,
    ) -> tuple[NDArray, NDArray]:
        """The noise of a function, and whether it changes at all, on one side of the point: a kink is often at it."""
        rows = self._rows(directions, spacing, function, here)
        return noise_level(rows), np.ptp(rows, axis=0) > 0

    def _rows(
        self,
        directions: Sequence[NDArray],
        spacing: float,
        function: Callable[[Sequence[NDArray | None], float], NDArray],
        here: NDArray,
    ) -> NDArray:
        """A function at equally spaced points from this one on."""
        return np.stack([function(directions, t * spacing) if t else here for t in range(NOISE_POINTS)])


def blocks(size: int) -> Iterator[slice]:
    """So many elements in parts that stay in the cache from one operation to the next."""
    return (slice(start, start + BLOCK) for start in range(0, size, BLOCK))


def moved(a: NDArray, u: NDArray | None, t: float) -> NDArray:
    """An array moved by t times a direction, in its own dtype: the same one if there is no direction."""
    return a if u is None else np.asarray(a + t * u).astype(a.dtype, copy=False)


def signed(random: np.random.Generator, shape: Shape, low: float = 0.2, high: float = 0.9) -> NDArray:
    """Random numbers of either sign, none near 0 or 1, with few digits: exact in every floating dtype."""
    drawn = np.frombuffer(random.bytes(math.prod(shape)), np.uint8).reshape(shape)
    return _sizes(low, high)[drawn]


@cache
def _sizes(low: float, high: float) -> NDArray:
    """A signed number for each byte."""
    sizes = np.linspace(int(low * 64), int(high * 64), 128).round() / 64
    return np.concatenate([-sizes, sizes])


def strides_of(given: Any) -> tuple[int, ...] | None:
    """The strides of an array that does not lie in memory row after row; None if it does, or repeats itself."""
    if not isinstance(given, np.ndarray) or given.flags.c_contiguous or 0 in given.strides:
        return None
    return given.strides


def laid_out(a: NDArray, strides: tuple[int, ...]) -> NDArray:
    """A copy of an array that lies in memory like this, if its numbers are as large."""
    reach = [s * (n - 1) for s, n in zip(strides, a.shape, strict=True)]
    if any(s % a.itemsize for s in strides) or min(map(abs, strides)) < a.itemsize:
        return np.array(a)
    start, end = -sum(r for r in reach if r < 0), sum(r for r in reach if r > 0)
    there = np.ndarray(a.shape, a.dtype, np.empty(start + end + a.itemsize, np.uint8), start, strides)
    there[...] = a
    return there


def finite(a: NDArray) -> NDArray:
    """In float64, 0 in place of infinities and NaN."""
    values = np.asarray(a, np.float64)
    known = np.isfinite(values)
    return values if known.all() else np.where(known, values, 0.0)
