"""`gradcheck` and `gradgradcheck`: is the gradient of this function what differences say it is?"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.gradcheck.arguments import Given, given_to
from tinygrad_cnn.gradcheck.complex_step import complex_columns
from tinygrad_cnn.gradcheck.conduct import (
    WrongShape,
    check_batched,
    check_dtypes,
    check_function,
    check_still,
    check_undefined,
    check_vjp,
)
from tinygrad_cnn.gradcheck.diagnosis import Case, diagnose, diagnose_shape
from tinygrad_cnn.gradcheck.differences import NOISE_POINTS
from tinygrad_cnn.gradcheck.duals import Product, forward_mode, pushed_forward
from tinygrad_cnn.gradcheck.functions import Adapter, Checked, JaxFunction, Narrowed, Pushed, Recorded, unpacked
from tinygrad_cnn.gradcheck.judge import (
    CONFIRMED,
    THOROUGH,
    VERDICT,
    Column,
    FirstLook,
    Scale,
    Tolerance,
    largest,
    quick,
)
from tinygrad_cnn.gradcheck.kinks import check_ties
from tinygrad_cnn.gradcheck.linear import exact_adjoint
from tinygrad_cnn.gradcheck.point import COARSE, LEAST, Jitter, Point, blocks, number_of, place_of, signed
from tinygrad_cnn.gradcheck.problems import CannotJudge, Misbehaves, NothingToCheck, WrongStep, WrongType
from tinygrad_cnn.gradcheck.progress import Progress
from tinygrad_cnn.gradcheck.projections import (
    DIRECTIONS,
    FEW,
    Glance,
    along,
    direction,
    first_step,
    glance,
    meets_kink,
    search,
    stays,
    tell,
    turns_nearer,
)
from tinygrad_cnn.gradcheck.referee import (
    IN_DOUBLE,
    agrees,
    blamed_on_rounding,
    in_double,
    is_within_rounding,
    is_wrong,
    resolved,
)
from tinygrad_cnn.gradcheck.report import GRADIENT_OF, Report
from tinygrad_cnn.gradcheck.shrinking import smallest_failing
from tinygrad_cnn.gradcheck.thorough import confirmed, curve, examine, judged, slopes_of
from tinygrad_cnn.gradcheck.tolerances import CERTAIN, DIGITS, FORWARD, LINEAR, RTOL, VISIBLE, WEAK
from tinygrad_cnn.gradcheck.verdicts import SEVERITY, UNJUDGED, ByJvp, Entry, GradientError, Projected, Verdict
from tinygrad_cnn.torch_names.errors import BoundError

__all__ = ["gradcheck", "gradgradcheck"]

SEED = 20240229
"""Cotangents are random, but the same in every run."""

ROUGH = "the gradient changes as much between neighbouring numbers"
"""Why nothing can be said of what rounding has made."""

MIXTURE = (1.0, -2.5)
"""So much of each cotangent, added, shows whether the VJP is linear; it is given to functions of any precision."""

MIXTURES = (MIXTURE, (np.pi / 2**16, 0.0), (0.0, 200 * np.e), (0.0, 0.0))
"""In float64 also tiny ones and huge ones, with digits to the last, and zero: no rounding, clipping or threshold."""

GLANCE, CLEAR = 2, 256.0
"""What is off by so many times what this many neighbours change is more than rounding; else more of them are asked."""

LARGE = 10_000
"""More elements than this are checked by projections."""

MODES = ("training", "evaluation")

DIFFERENCES = "central differences (Richardson)"


def gradcheck(
    func: Callable[..., Any] | Checked,
    inputs: Any,
    *,
    eps: float | None = None,
    atol: float | None = None,
    rtol: float = RTOL,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    seed: int = SEED,
    names: Sequence[str] | None = None,
    explain: bool = True,
    shrink: bool = True,
    kwargs: Mapping[str, Any] | None = None,
    grad_outputs: Any = None,
    progress: bool | None = None,
    modes: Sequence[str] | None = None,
) -> Report:
    """Compare the gradients of a function with derivatives found in other ways, element by element.

    Differences are central and extrapolated, each with an error bar that covers truncation and the rounding of the
    function; where a NumPy function is analytic the complex step replaces them. Cotangents are random, signed and of
    many sizes. An element passes if it differs by at most ``atol + rtol |numeric| +`` its error bar, or if it lies
    between the one-sided derivatives at a kink. It fails only if steps of another kind confirm it; what cannot be
    decided is inconclusive. See ``docs/gradcheck.md``.

    Parameters
    ----------
    func : takes the inputs, returns a Tensor or a structure of them; or a module, whose parameters are checked, too,
        by their names; or what `numpy_pair`, `torch_function` or `jax_function` made of a function. Given tensors of
        PyTorch or JAX it is taken for one of these
    inputs : one input or a sequence; checked are the Tensors that require a gradient (for NumPy and JAX: all arrays
        of a floating or complex dtype), also inside of dictionaries, lists, tuples, dataclasses and JAX's pytrees
    eps : the largest step; by default 2⁻⁷ (2⁻⁴ in float32) or so, times the size of the element if above 1
    rtol, atol : what an element may be off by, for every oracle; atol is by default 10⁻⁷ of the largest derivative
        of the input
    raise_exception : raise `GradientError` (an AssertionError) with the report, unless it passes
    nondet_tol : what repeated calls may differ by
    check_undefined_grad : of several outputs also give one alone a cotangent: that counts as zeros for the others
    check_grad_dtypes : the gradients must have the dtypes of the inputs
    check_forward_ad : also compare ⟨v, Ju⟩ with ⟨Jᵀv, u⟩: by ``jax.jvp``, ``torch.autograd.forward_ad``, or the
        derivative of the backward pass. A hand-written JVP is always compared
    check_backward_ad : False, with `check_forward_ad`: judge every entry of the JVP, and ask no VJP
    check_batched_grad : also give several cotangents to one pass, and compare with each alone
    fast_mode : judge two random projections an input instead of every element, and no exact adjoints; above 10,000
        elements three are judged in any case
    seed : of the cotangents and directions
    names : of the inputs, for the report
    explain : on failure, diagnose and look for the smallest input that fails
    shrink : False to diagnose only: the search calls the function some eighty times, or for three seconds
    kwargs : keyword arguments of the function, checked like inputs
    grad_outputs : a cotangent of your own, in the structure of the floating outputs, in place of a random one
    progress : show on standard error how far the check is, from two seconds on; by default on a terminal only
    modes : of a module: ``("training", "evaluation")`` checks it in both, and leaves it as it was; by default in the
        one that it is in

    Returns
    -------
    A `Report`, true only if it passed.

    Raises
    ------
    GradientError
        if the gradient is wrong or cannot be judged; if the function writes its input, returns NaN, is random or
        depends on state
    ValueError, TypeError
        if there is nothing to check, or the function returns what has no derivative

    Examples
    --------
    >>> from tinygrad_cnn import tensor, float64
    >>> x = tensor([0.5, -1.5], dtype=float64, requires_grad=True)
    >>> gradcheck(lambda x: (x * x).exp(), x)
    <Report of <lambda>: pass, 2 entries: 2 pass, 0 fail, 0 inconclusive>
    """
    __tracebackhide__ = True  # a failed test shows the caller's line
    if not check_backward_ad and not check_forward_ad:
        raise BoundError("gradcheck: expected at least one of check_forward_ad or check_backward_ad to be True")
    tolerance = Tolerance(atol, rtol, 0.0, eps)
    asked = Asked(check_undefined_grad, check_grad_dtypes, check_batched_grad, check_forward_ad and check_backward_ad)
    shown = sys.stderr.isatty() if progress is None else progress
    options = Options(tolerance, nondet_tol, asked, fast_mode, seed, names, explain, shrink, grad_outputs, shown)

    def checked(mode: str | None) -> Report:
        given = given_to(func, inputs, kwargs, names, mode)
        return _either(given, replace(options, names=given.names), check_backward_ad)

    report = in_modes(checked, modes)
    if raise_exception and not report:
        raise report.error()
    return report


def gradgradcheck(
    func: Callable[..., Any] | Checked, inputs: Any, grad_outputs: Any = None, *, seed: int = SEED, **options: Any
) -> Report:
    """The same for the second derivatives: the gradient of the gradient against differences of the gradient.

    Takes a function of our Tensors, of PyTorch or of JAX, or a module, and the options of `gradcheck`;
    ``grad_outputs``, random by default, are the cotangents of the first pass, which are inputs of the second.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.gradcheck import gradgradcheck
    >>> x = tg.tensor([0.5, 1.5], dtype=tg.float64, requires_grad=True)
    >>> gradgradcheck(tg.sin, (x,))
    <Report of the gradient of sin: pass, 4 entries: 4 pass, 0 fail, 0 inconclusive>
    """
    __tracebackhide__ = True
    kwargs, names, modes = (options.pop(name, None) for name in ("kwargs", "names", "modes"))
    raise_exception = options.pop("raise_exception", True)

    def checked(mode: str | None) -> Report:
        return _second(given_to(func, inputs, kwargs, names, mode), grad_outputs, seed, options)

    report = in_modes(checked, modes)
    if raise_exception and not report:
        raise report.error()
    return report


def _second(given: Given, grad_outputs: Any, seed: int, options: Mapping[str, Any]) -> Report:
    """The report of the gradient of the gradient."""
    adapter, random = given.adapter, np.random.default_rng(seed)
    if not isinstance(adapter, (Recorded, JaxFunction)):
        raise TypeError(
            f"gradgradcheck: {type(adapter).__name__} has no recorded gradient; expected a function of Tensors"
        )

    def drawn(y: NDArray) -> NDArray:
        return signed(random, y.shape).astype(y.dtype)

    cotangents = adapter.cotangents(given.inputs, grad_outputs, drawn)
    gradient = adapter.gradient(given.inputs, cotangents)
    if gradient is None:
        note = "the gradient is 0 everywhere, and was not recorded: there is nothing to differentiate"
        return Report(adapter.name, notes=(note, *given.notes), seed=seed)
    gradient.name = f"{GRADIENT_OF}{adapter.name}"
    names = None if given.names is None else [*given.names, *(f"cotangent {j}" for j in range(len(cotangents)))]
    found = gradcheck(gradient, [*given.inputs, *cotangents], seed=seed, names=names, raise_exception=False, **options)
    return replace(found, notes=(*found.notes, *given.notes)) if given.notes else found


class Asked(NamedTuple):
    """What is checked beside the gradient."""

    undefined: bool = False
    dtypes: bool = False
    batched: bool = False
    forward: bool = False


@dataclass(frozen=True)
class Options:
    """What the caller chose."""

    tolerance: Tolerance
    nondet_tol: float
    asked: Asked
    fast: bool
    seed: int
    names: Sequence[str] | None
    explain: bool
    shrink: bool
    grad_outputs: Any = None
    progress: bool = False


def in_modes(checked: Callable[[str | None], Report], modes: Sequence[str] | None) -> Report:
    """The report of a module in one mode or the other, or of both of them."""
    unknown = [mode for mode in modes or () if mode not in MODES]
    if unknown or (modes is not None and (not modes or isinstance(modes, str))):
        raise BoundError(f"gradcheck: modes is {modes!r}; expected one or both of {MODES}")
    found = {mode: checked(mode) for mode in modes or (None,)}
    return next(iter(found.values())) if len(found) == 1 else Report.of_several(found)


def _either(given: Given, options: Options, backward: bool) -> Report:
    """The report of the gradient; of the JVP, if that is what is asked for, or what is wrong."""
    if not backward:
        return _of_jvp(given, options, "no gradient was asked for")
    report = _report(given.adapter, given.inputs, options, given.notes)
    if [isinstance(e, ByJvp) for e in report.entries if e.verdict is Verdict.FAIL] == [True]:
        where = _of_jvp(given, options, "the gradient of the backward pass is right")
        return report if where else where
    return report


def _of_jvp(given: Given, options: Options, of_the_gradient: str) -> Report:
    """The report of the JVP alone, every entry of it."""
    note = f"what is judged is Ju by {getattr(given.adapter, 'forward', 'nothing')}; {of_the_gradient}"
    return _report(Pushed(given.adapter), given.inputs, options, (*given.notes, note))


def _report(adapter: Any, given: Sequence[Any], options: Options, notes: tuple[str, ...] = ()) -> Report:
    name = str(getattr(adapter, "name", type(adapter).__name__))
    blank = Report(name, notes=notes, seed=options.seed)
    try:
        inputs, checked = unpacked(adapter, given)
        _check_inputs(inputs, checked)
        with np.errstate(all="ignore"):  # NaN and infinities are judged, not warned of
            point = Point(adapter, inputs, checked)
            _check_step(options.tolerance.step, point.arrays)
            return _Check(point, options, blank).run()
    except (CannotJudge, GradientError) as error:
        usual = type(error) is Misbehaves or not isinstance(error, CannotJudge)
        return replace(blank, problem=str(error), raised=None if usual else type(error))


def _check_inputs(inputs: Sequence[Any], checked: Sequence[int]) -> None:
    if checked:
        return
    arrays = [(k, a) for k, a in enumerate(inputs) if isinstance(a, np.ndarray)]
    if arrays:
        k, a = arrays[0]
        raise WrongType(
            f"gradcheck: input {k} has dtype {a.dtype} and cannot have a derivative; pass floating-point numbers"
        )
    raise NothingToCheck("gradcheck: no input requires a gradient; create one with requires_grad=True")


def _check_step(step: float | None, arrays: Sequence[NDArray]) -> None:
    """The user's step must move every element, and not to infinity."""
    if step is None:
        return
    for array in arrays:
        size = float(np.max(np.abs(array[np.isfinite(array)]), initial=0.0))
        least, most = float(np.spacing(array.dtype.type(size))), float(np.sqrt(np.finfo(array.dtype).max))
        if not least <= step <= most:
            raise WrongStep(
                f"gradcheck: eps is {step:g}; for inputs of {array.dtype} that are as large as {size:.3g} it must be "
                f"between {least:.1e} and {most:.1e}, or leave it out"
            )


class _Check:
    """One run: the point, the cotangents, and what was found."""

    def __init__(self, point: Point, options: Options, blank: Report) -> None:
        self.point, self.options = point, options
        self.random = np.random.default_rng(options.seed)
        names = options.names
        self.labels = [f"input {k}" if names is None else str(names[k]) for k in point.checked]
        self.tolerance = replace(options.tolerance, eps=point.eps)
        self.fast = options.fast or sum(a.size for a in point.arrays) > LARGE
        self.progress = Progress((), (), sys.stderr)
        self.oracles: list[str] = []
        self._jitters: dict[tuple[bytes, int], list[Jitter]] = {}
        self.notes = list(blank.notes)
        self.blank = replace(
            blank,
            shapes={k: a.shape for k, a in zip(point.checked, point.arrays, strict=True)},
            dtypes={k: str(a.dtype) for k, a in zip(point.checked, point.arrays, strict=True)},
        )
        self.V: NDArray = np.empty((2, point.size))
        small, large = self.V
        small[...] = signed(self.random, (point.size,))
        large[...] = signed(self.random, (point.size,))
        np.ldexp(large, self.random.integers(-2, 5, point.size, dtype=np.int8), out=large)
        np.copysign(large, -small, out=large)  # of the other sign: a single output must see both
        if point.size > 1:  # where nothing comes in, nothing may go out, NaN least of all
            large[int(self.random.integers(point.size))] = 0.0
        if options.grad_outputs is not None:
            small[...] = self._own(options.grad_outputs)
        self.mixtures = MIXTURES if point.eps < COARSE else (MIXTURE,)

    def _own(self, grad_outputs: Any) -> NDArray:
        """The cotangent of the caller's, flat."""
        flatten = getattr(self.point.adapter, "cotangent_arrays", None) or Adapter(lambda: None).cotangent_arrays
        arrays: list[NDArray] = flatten(grad_outputs)
        shapes = [v.shape for v in arrays]
        if shapes != self.point.output_shapes:
            raise WrongType(
                f"gradcheck: grad_outputs have shapes {shapes}; expected those of the floating outputs, "
                f"{self.point.output_shapes}"
            )
        return np.concatenate([np.asarray(v, np.float64).reshape(-1) for v in arrays])

    def run(self) -> Report:
        point, options = self.point, self.options
        check_function(point, options.nondet_tol)
        try:
            rows = check_vjp(point, self.V, self.mixtures, self.labels, options.nondet_tol)
        except WrongShape as wrong:
            found = diagnose_shape(point, self.V[0], wrong.k, wrong.gradient, self.labels[wrong.k])
            return replace(self.blank, problem=str(wrong), diagnoses=(found,))
        missing = [label for g, label in zip(rows[0], self.labels, strict=True) if g is None]
        if missing:
            self.notes.append(f"no gradient, taken as 0, for {', '.join(missing)}")
        empty = [label for a, label in zip(point.arrays, self.labels, strict=True) if not a.size]
        if empty:
            self.notes.append(f"nothing was checked of what is empty: {', '.join(empty)}")
        each, self.mixed = [point.in_double(row) for row in rows[:2]], [point.in_double(row) for row in rows[2:]]
        analytic = self.analytic = [np.stack([g.reshape(-1) for g in of_input]) for of_input in zip(*each, strict=True)]
        if options.asked.dtypes:
            check_dtypes(point, rows[0], self.labels)
        if options.asked.undefined:
            check_undefined(point, self.V[0], self.labels)
        if options.asked.batched:
            self.notes.append(f"a batch of cotangents, {check_batched(point, self.V, self.labels)}, gives the same")
        fast = self.fast
        with self._watched():
            entries = self._projections(analytic) if fast else self._elements(analytic)
        check_still(point, options.nondet_tol)
        entries += self._other_oracles(analytic, entries)
        entries = self._reconsidered(entries)
        report = replace(self.blank, entries=tuple(entries), oracles=tuple(self.oracles), notes=tuple(self.notes))
        if options.explain and report.verdict is Verdict.FAIL:
            report = self._explained(report)
        return self._with_curve(report) if options.explain else report

    def _with_curve(self, report: Report) -> Report:
        """The report with the curve of its worst entry; of one that passed, for when it is drawn."""
        worst = report.worst
        if worst is None or len(worst.place) != len(report.shapes[worst.input]) or worst.name not in self.labels:
            return report
        k = self.point.checked.index(worst.input)
        i = number_of(worst.place, self.point.arrays[k].shape)
        if not np.isfinite(self.point.arrays[k].reshape(-1)[i]):
            return report
        c = int(np.argmin(np.abs(self.analytic[k][:, i] - worst.analytic)))
        found = report.to_draw(lambda: curve(self.point, k, i, self.V[c], self.tolerance))
        return found if report else found.drawn()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Meanwhile a line says how far it is, if that is wanted."""
        if not self.options.progress:
            yield
            return
        self.progress = Progress(self.labels, [a.size for a in self.point.arrays], sys.stderr)
        self.point.watch = self.progress.called
        try:
            yield
        finally:
            self.point.watch = None
            self.progress.close()

    def _elements(self, analytic: list[NDArray]) -> list[Entry]:
        entries: list[Entry] = []
        kinked: dict[int, list[int]] = {}
        for k, found in enumerate(analytic):
            self.progress.input(k)
            column = complex_columns(self.point, k, self.V, self.random)
            oracle = "complex step" if column is not None else DIFFERENCES
            if oracle not in self.oracles:
                self.oracles.append(oracle)
            if column is None:
                column = quick(self.point, k, self.V, self.tolerance, found)
            judged_here = self._judge(k, found, column)
            kinked[k] = [i for i, e in enumerate(judged_here) if e.one_sided is not None and e.where is not None]
            entries += judged_here
        if any(kinked.values()):
            entries = check_ties(self.point, entries, kinked, self.random, self.tolerance.granted)
        return entries

    def _judge(self, k: int, analytic: NDArray, column: Column) -> list[Entry]:
        """The entries of input k: those the quick pass settled, and the doubtful ones examined."""
        look = FirstLook.at(self.point, self.V, analytic, column, self.tolerance)
        entries = look.entries(self.point.checked[k], self.labels[k], self.point.arrays[k].shape)
        unsettled = look.unsettled()
        if not unsettled:
            return entries
        values = np.asarray(self.point.arrays[k], np.float64).reshape(-1)
        noise = self._gradient_noise(k)
        failed, acquitted = 0, False
        for rank, i in enumerate(unsettled):
            if not np.isfinite(values[i]):
                verdict = VERDICT[not np.isfinite(entries[i].analytic)]
                entries[i] = replace(entries[i], verdict=verdict, reason=UNJUDGED[str(values[i])])
                continue
            if not look.doubtful[i] and failed >= CONFIRMED and not acquitted:
                continue
            if rank >= THOROUGH:
                reason = "too many doubtful elements to examine all"
                entries[i] = replace(entries[i], verdict=Verdict.INCONCLUSIVE, reason=reason)
                continue
            entries[i] = self._examined(k, i, analytic, entries[i], look.scale, noise)
            if entries[i].verdict is Verdict.FAIL:
                failed += 1
            elif not look.doubtful[i]:
                acquitted = True
        return entries

    def _examined(
        self, k: int, i: int, analytic: NDArray, entry: Entry, scale: Sequence[Scale], noise: NDArray
    ) -> Entry:
        """The worst of the thorough verdicts under each cotangent.

        Differences in float64 are asked first, where they can be had; they call wrong only what those of the coarse
        precision cannot tell.
        """
        finer = None
        if self.finer is not None:
            own = np.stack([self._rounding(k, c) for c in range(len(self.V))]) + DIGITS * self.point.eps * LEAST
            finer = self._examined_at(self.finer, self.fine_tolerance, k, i, analytic, entry, scale, own)
            if is_within_rounding(self.point, k, i, finer.where):
                finer = None
            elif finer.verdict is Verdict.PASS:
                return finer
        found = self._examined_at(self.point, self.tolerance, k, i, analytic, entry, scale, noise)
        if finer is None or finer.verdict is not Verdict.FAIL or found.verdict is not Verdict.INCONCLUSIVE:
            return found
        return replace(finer, reason=f"{finer.reason}, by {IN_DOUBLE}" if finer.reason else f"by {IN_DOUBLE}")

    def _examined_at(
        self,
        point: Point,
        tolerance: Tolerance,
        k: int,
        i: int,
        analytic: NDArray,
        entry: Entry,
        scale: Sequence[Scale],
        noise: NDArray,
    ) -> Entry:
        """The same by the differences of one precision; the gradients are those of the function as it was given."""
        results = []
        for v, s, gradient, off in zip(self.V, scale, analytic[:, i].tolist(), noise[:, i].tolist(), strict=True):
            found = examine(point, k, i, v, tolerance, s)
            result = judged(replace(entry, analytic=gradient), found, tolerance, s, off)
            result = confirmed(point, k, i, v, tolerance, s, off, result)
            if result.verdict is Verdict.FAIL and np.isfinite(gradient):
                low, high = slopes_of(result)
                if self._is_rough(k, i, v, max(low - gradient, gradient - high), result.where is not None):
                    result = replace(result, verdict=Verdict.INCONCLUSIVE, reason=ROUGH)
            results.append(result)
        return max(results, key=lambda e: SEVERITY[e.verdict])

    @cached_property
    def double(self) -> Point | None:
        """The function in float64, if it was given in a coarser precision and computes in that."""
        return None if self.point.eps < COARSE else in_double(self.point)

    @cached_property
    def finer(self) -> Point | None:
        """The same, if its values are those of the function as it was given, up to its rounding."""
        return self.double if self.double is not None and agrees(self.double, self.point) else None

    @property
    def fine_tolerance(self) -> Tolerance:
        """That of differences in float64."""
        return self.tolerance if self.double is None else replace(self.tolerance, eps=self.double.eps)

    def _reconsidered(self, entries: list[Entry]) -> list[Entry]:
        """The entries, those that are wrong heard once more: see `referee`."""
        if not any(map(is_wrong, entries)):
            return entries
        entries = resolved(self.point if self.finer is None else self.finer, entries)
        if self.point.eps < COARSE or not any(map(is_wrong, entries)):
            return entries
        if self.double is None:
            return entries
        double = _Check(self.double, replace(self.options, asked=Asked(), progress=False, explain=False), self.blank)
        try:
            report = double.run()
        except (CannotJudge, GradientError):
            return entries
        if report.verdict is Verdict.FAIL:
            return entries
        rough = [[jitter.rough for jitter in self._jitter(v)] for v in self.V]
        return blamed_on_rounding(self.point, entries, self.V, self.analytic, double.analytic, rough)

    def _is_rough(self, k: int, i: int, v: NDArray, off: float, at_kink: bool) -> bool:
        """Whether a gradient that is off by so much changes as much by rounding, and between neighbouring numbers."""
        unseen = self.point.unseen(k, v) if self.point.eps < COARSE else 0.0
        for points, factor in ((GLANCE, CLEAR), (NOISE_POINTS - 1, 1.0)):
            jitter = self._jitter(v, points)[k]
            if off > factor * ((jitter.rounding if at_kink else jitter.rough)[i] + unseen):
                return False
        return True

    def _jitter(self, v: NDArray, points: int = NOISE_POINTS - 1) -> list[Jitter]:
        """How much the gradients change between neighbouring numbers; asked only of what else would be wrong."""
        key = v.tobytes(), points
        if key not in self._jitters:
            self._jitters[key] = self.point.gradient_jitter(self.random, v, points)
        return self._jitters[key]

    def _rounding(self, k: int, c: int) -> NDArray:
        """What rounding does to the gradient of input k under a cotangent, seen at neighbouring numbers: no kinks."""
        seen = self._jitter(self.V[c])[k].rounding
        return np.asarray(seen + 4 * self.point.eps * np.abs(self.analytic[k][c]))

    def _gradient_noise(self, k: int) -> NDArray:
        """What rounding may do to the gradient of input k, per cotangent; at most a few digits."""
        rows = []
        for v in self.V:
            found = self.point.gradient_noise(self.random, v)[k].reshape(-1)
            most = float(np.max(np.abs(self.point.gradients(v)[k]), initial=0.0))
            rows.append(np.minimum(found, 1e4 * self.point.eps * most))
        return np.stack(rows)

    def _projections(self, analytic: list[NDArray]) -> list[Entry]:
        point = self.point
        count = sum(a.size for a in point.arrays)
        self.oracles.append(f"{DIFFERENCES} along random directions")
        self.directions = len(self.V) if self.options.fast else DIRECTIONS
        self.notes.append(f"{count} elements: judged by {self.directions} random projections per input")
        entries: list[Entry] = []
        self.kinks_met = False
        for k, (a, label) in enumerate(zip(point.arrays, self.labels, strict=True)):
            self.progress.input(k)
            if a.size:
                entries += self._projected(k, label, analytic[k])
        doubtful = self.kinks_met or any(e.verdict is not Verdict.PASS for e in entries)
        if not doubtful or count > FEW:
            return entries
        self.notes.append("projections met a kink or did not pass: every element was judged, too")
        elements = self._elements(analytic)
        wrong = any(e.verdict is Verdict.FAIL for e in elements)
        kept = (Verdict.PASS, Verdict.FAIL) if wrong else (Verdict.PASS,)
        return [e for e in entries if e.verdict in kept and not e.place] + elements

    def _projected(self, k: int, label: str, analytic: NDArray) -> list[Entry]:
        """The projections of one input, up to the first that is wrong; then the elements that make it wrong."""
        point = self.point
        entries: list[Entry] = []
        h = first_step(point, k, self.tolerance)
        for n in range(self.directions):
            c = n % len(self.V)
            u = direction(self.random, point, k)
            v, gradient, left = self.V[c], analytic[c].reshape(u.shape), 0
            by, tolerance, noise = point, self.tolerance, None
            glance = Glance(point, k, u, h)
            result = glance.settled(v, gradient, self.tolerance)
            if result is None:
                kept = glance.smooth_outputs()
                left = point.size - int(np.sum(kept))
                self.kinks_met |= left > 0
                v = v * kept
                gradient = point.gradients(v)[k] if left else gradient
                result = along(point, k, u, v, gradient, self.tolerance)
                if result.verdict is Verdict.INCONCLUSIVE and self.finer is not None:
                    by, tolerance = self.finer, self.fine_tolerance
                    noise = self._rounding(k, c)
                    result = along(by, k, u, v, gradient, tolerance, noise)
            reason = f"projection {n + 1}" + (f", {left} kinked outputs left out" if left else "")
            reason += f", {result.found.why}" if result.verdict is Verdict.INCONCLUSIVE else ""
            steps = result.found.steps if result.verdict is not Verdict.PASS else ()
            values = result.analytic, result.found.numeric, result.found.error
            entry = Projected(
                point.checked[k], f"⟨{label}, u⟩", (), *values, result.verdict, reason,
                steps=steps, allowed=result.allowed,
            )  # fmt: skip
            if result.verdict is not Verdict.FAIL:
                entries.append(entry)
                continue
            if np.isfinite(result.analytic) and turns_nearer(by, k, u, v, result, tolerance):
                reason += ", the function turns within less than the steps"
                entries.append(replace(entry, verdict=Verdict.INCONCLUSIVE, reason=reason))
                continue
            named = self._named(k, search(by, k, u, v, gradient, tolerance, noise), analytic)
            wrong = any(e.verdict is Verdict.FAIL for e in named)
            doubtful = by is not point or meets_kink(point, k, u, v, self.tolerance)
            if not wrong and np.isfinite(result.analytic) and doubtful:
                reason += (
                    f", {f'by {IN_DOUBLE}' if by is not point else 'through a kink'}, and no single element is wrong"
                )
                entry = replace(entry, verdict=Verdict.INCONCLUSIVE, reason=reason)
            entries += [entry, *named]
            break
        return entries

    def _named(self, k: int, elements: Sequence[int], analytic: NDArray) -> list[Entry]:
        """Single elements that the search has found, judged like any other."""
        entries = []
        size = np.max(np.abs(np.nan_to_num(analytic)), axis=1)
        scale = [Scale(float(s), float(s)) for s in size]
        noise = np.zeros(analytic.shape)
        for i in elements:
            place = place_of(i, self.point.arrays[k].shape)
            blank = Entry(self.point.checked[k], self.labels[k], place, 0.0, 0.0, 0.0, Verdict.PASS)
            entries.append(self._examined(k, i, analytic, blank, scale, noise))
        return entries

    def _other_oracles(self, analytic: list[NDArray], entries: Sequence[Entry]) -> list[Entry]:
        """What asks the gradient as a whole: linearity in the cotangent, forward mode, exact adjoints."""
        extra: list[Entry] = []
        right = all(e.verdict is not Verdict.FAIL for e in entries)
        tests = [self._linear_in_cotangent, self._forward_mode]
        if not self.options.fast:  # who is in a hurry asks for no digits that differences do not show
            tests.append(self._exact_adjoint)
        for test in tests:
            found = test(analytic)
            if found is not None and right:
                extra.append(found)
        if not extra and all(e.verdict is Verdict.PASS and not e.steps and not e.reason for e in entries):
            weak = self._weak_terms(analytic)
            extra += [] if weak is None else [weak]
        return extra

    def _weak_terms(self, analytic: list[NDArray]) -> Entry | None:
        """⟨v, f⟩ along one direction of all inputs, as exactly as differences can tell: what no entry shows.

        What is off by more than a billionth of the largest derivative is noted, by more than a millionth is wrong.
        """
        point, usual = self.point, Tolerance(None, RTOL, self.point.eps, None)
        if self.fast or point.eps > COARSE or self.tolerance != usual or not any(a.size for a in analytic):
            return None
        v, gradients = self.V[0] + self.V[1], [g[0] + g[1] for g in analytic]
        directions = [direction(self.random, point, k) for k in range(len(point.arrays))]
        size = max(largest(g) for g in gradients)
        terms = [g * u.reshape(-1) for g, u in zip(gradients, directions, strict=True)]
        along = float(sum(np.sum(t) for t in terms))
        if abs(along - glance(point, v, directions)) <= WEAK * size:  # nearly always that is enough
            return None
        found, error = tell(point, v, directions, WEAK * size)
        error += DIGITS * point.eps * float(LEAST + sum(np.sum(np.abs(t)) for t in terms))
        off = abs(along - found)
        if not size or not off > WEAK * size + CERTAIN * error:
            return None
        jitters = self._jitter(v)
        error += float(sum(np.sum(np.abs(u).reshape(-1) * j.rough) for u, j in zip(directions, jitters, strict=True)))
        if not off > WEAK * size + CERTAIN * error:
            return None
        self.notes.append(
            f"a weak term is wrong or missing: along a random direction the gradient is {along:.12g}, and should be "
            f"{found:.12g} ± {error:.0e}; that is {off / size:.1e} of the largest derivative"
        )
        allowed = VISIBLE * max(size, float(np.sqrt(sum(np.sum(t * t) for t in terms))))
        if off <= allowed or not stays(point, v, directions, along, found):
            return None
        reason = f"a weak term: off by {off / size:.1e} of the largest derivative along a direction of all inputs"
        return Projected(point.checked[0], "⟨Jᵀv, u⟩", (), along, found, error, Verdict.FAIL, reason, allowed=allowed)

    def _linear_in_cotangent(self, analytic: list[NDArray]) -> Entry | None:
        """Jᵀ(av + bw) = aJᵀv + bJᵀw, for each of the mixtures."""
        if all(self._is_linear(k, parts) for k, parts in enumerate(analytic)):
            return None
        for mixture, rows in zip(self.mixtures, self.mixed, strict=True):
            for k, whole in enumerate(rows):
                entry = self._linear(mixture, k, whole.reshape(-1), analytic)
                if entry is not None:
                    return entry
        return None

    def _is_linear(self, k: int, parts: NDArray) -> bool:
        """Whether input k says so under each mixture, asked more strictly: nearly always that is enough."""
        size = largest(parts)
        for (a, b), row in zip(self.mixtures, self.mixed, strict=True):
            whole = row[k].reshape(-1)
            most = LINEAR * size * min(1.0, max(abs(a), abs(b)))
            for part in blocks(whole.size):
                off = whole[part]
                for weight, of_one in zip((a, b), parts, strict=True):
                    if weight:
                        off = off - weight * of_one[part]
                if not max(off.max(), -off.min()) <= most:  # NaN is not
                    return False
        return True

    def _linear(self, mixture: tuple[float, float], k: int, whole: NDArray, analytic: list[NDArray]) -> Entry | None:
        a, b = mixture
        parts, mixed = analytic[k], a * self.V[0] + b * self.V[1]
        weight = 1.0 if a and b else max(abs(a), abs(b))
        expected = a * parts[0] + b * parts[1]
        off = np.abs(whole - expected)
        greatest = max(largest(mixed, LEAST), weight * max(largest(g, LEAST) for g in analytic))
        most = (LINEAR + DIGITS * self.point.eps) * largest(parts) * weight + DIGITS * self.point.eps * greatest
        if not off.size or not np.isfinite(whole).all() or largest(off) <= most:
            return None
        i = int(np.argmax(off))
        terms = abs(float(whole[i])) + abs(a * float(parts[0][i])) + abs(b * float(parts[1][i]))
        most = max(most, self.tolerance.granted(terms, 1 + abs(a) + abs(b)))
        small, large = (self._jitter(v)[k].rough[i] + self.point.unseen(k, v) for v in self.V)
        own = self._jitter(mixed)[k].rough[i] if self.point.eps < COARSE else 0.0
        most = max(most, float(abs(a) * small + abs(b) * large + own))
        if off[i] <= most:
            return None
        where = self.point.checked[k], self.labels[k], place_of(i, self.point.arrays[k].shape)
        reason = "the vjp is not linear in the cotangent"
        if mixture != MIXTURE:
            size = largest(mixed)
            reason += f": another gradient where that is {f'of size {size:.1g}' if size else '0'}"
        return Entry(*where, float(whole[i]), float(expected[i]), 0.0, Verdict.FAIL, reason, allowed=most)

    def _forward_mode(self, analytic: list[NDArray]) -> Entry | None:
        """⟨v, Ju⟩ with dual numbers against ⟨Jᵀv, u⟩, both trusted only if differences agree with the duals.

        And with the JVP of the caller's, or of the framework, if that is asked for: which may be what is wrong.
        """
        adapter = self.point.adapter
        if hasattr(adapter, "jvp") and (self.options.asked.forward or getattr(adapter, "written_jvp", None)):
            wrong = self._against(pushed_forward(self.point, self.V, self.random), analytic, adapter.forward, ByJvp)
            if wrong is not None:
                return wrong
        product = forward_mode(self.point, self.V, self.random)
        return None if product is None else self._against(product, analytic, "dual numbers")

    def _against(
        self, product: Product, analytic: list[NDArray], oracle: str, kind: type[Entry] = Projected
    ) -> Entry | None:
        self.oracles.append(f"{oracle}: ⟨v, Ju⟩ = ⟨Jᵀv, u⟩")
        for c, expected in enumerate(product.along):
            parts = [g[c] * u.reshape(-1) for g, u in zip(analytic, product.directions, strict=True)]
            found, size = float(sum(np.sum(p) for p in parts)), float(sum(np.sum(np.abs(p)) for p in parts))
            most = (FORWARD + DIGITS * self.point.eps) * max(size, abs(expected))
            most += self.tolerance.granted(size, float(sum(np.sum(np.abs(u)) for u in product.directions)))
            if not abs(found - expected) <= most:
                reason = f"⟨Jᵀv, u⟩ is not ⟨v, Ju⟩ by {oracle}"
                values = found, expected, 0.0
                return kind(self.point.checked[0], "⟨Jᵀv, u⟩", (), *values, Verdict.FAIL, reason, allowed=most)
        return None

    def _exact_adjoint(self, analytic: list[NDArray]) -> Entry | None:
        """For functions that are linear in an input: ⟨v, f(x)⟩ = ⟨Jᵀv, x⟩ on integers, to the last bit."""
        for k, label in enumerate(self.labels):
            result = exact_adjoint(self.point, k, self.random, self.tolerance, (self.V[0], analytic[k][0]))
            if result is None:
                continue
            if result.exact and "exact adjoint on integers" not in self.oracles:
                self.oracles.append("exact adjoint on integers")
            if result.wrong:
                reason = "linear, but ⟨Jᵀv, x⟩ is not ⟨v, f(x)⟩ on integers"
                values = result.found, result.expected, 0.0
                return Entry(self.point.checked[k], label, (), *values, Verdict.FAIL, reason, allowed=result.allowed)
        return None

    def _explained(self, report: Report) -> Report:
        """The report with diagnoses, best first, and the smallest input that still fails."""
        case = Case.of(self.point, report.entries, self.labels, self.random, self.tolerance)

        def fails(inputs: Sequence[Any]) -> bool:
            quiet = replace(self.options, asked=Asked(), progress=False, explain=False)
            same_places = Narrowed(self.point.adapter, lambda values: (list(values), self.point.checked))
            found = _report(same_places, inputs, quiet)
            return found.verdict is Verdict.FAIL and not found.problem

        smallest = smallest_failing(self.point, fails) if self.options.shrink and not self.fast else None
        return replace(report, diagnoses=tuple(diagnose(case)), smallest=smallest)
