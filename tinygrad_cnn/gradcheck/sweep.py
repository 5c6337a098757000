"""Ops through everything: the battery and `gradcheck`, on samples of their own. What comes out is plain data.

Whoever shows it (the command line, a page, a test) does so elsewhere.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import numpy as np

from tinygrad_cnn.core.domain import Domain, Real
from tinygrad_cnn.core.op import Op, Sample, registry
from tinygrad_cnn.gradcheck.battery import CHECKS, check_exact_adjoint, check_kinks, differentiable, name_of
from tinygrad_cnn.gradcheck.check import gradcheck, gradgradcheck
from tinygrad_cnn.gradcheck.drawing import RandomDraw
from tinygrad_cnn.gradcheck.report import Report, Row
from tinygrad_cnn.gradcheck.verdicts import SEVERITY, Entry, GradientError, Projected, Verdict
from tinygrad_cnn.tensor import Tensor

SAMPLES = 10
"""Of each op, unless more are asked for."""

ORDERS = {1: "gradcheck", 2: "gradgradcheck"}
"""The trials that have reports, by the order of the derivative."""

LONGEST = 240
"""So many characters of an input are shown."""

WORD = {Verdict.PASS: "pass", Verdict.FAIL: "FAIL", Verdict.INCONCLUSIVE: "inconclusive"}

ATTEMPTS = 100
"""So often the first sample is drawn again until it has elements."""


@dataclass(frozen=True)
class Trial:
    """One claim, tried on so many samples; a message for each that refuted it."""

    check: str
    runs: int
    failures: tuple[str, ...] = ()
    undecided: int = 0
    """On so many samples it could not be decided."""

    @property
    def passed(self) -> bool:
        """Whether it holds on all of them."""
        return not (self.failures or self.undecided)


@dataclass(frozen=True)
class Outcome:
    """What is known of an op or a function after its trials."""

    name: str
    family: str
    formula: str = ""
    domain: tuple[tuple[str, str], ...] = ()
    """Per input, the set that it is drawn from, in words."""
    kinks: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()
    """Shapes and options, in words."""
    trials: tuple[Trial, ...] = ()
    reports: tuple[Report, ...] = ()
    """One per sample, of `gradcheck`."""
    ratios: tuple[float, ...] = ()
    """Of every entry: how far off it is, over what it was allowed."""
    seconds: float = 0.0

    @property
    def verdict(self) -> Verdict:
        """Fail if a trial or a report fails, else inconclusive if a report is, else pass."""
        found = {report.verdict for report in self.reports}
        if Verdict.FAIL in found or any(trial.failures for trial in self.trials):
            return Verdict.FAIL
        return Verdict.INCONCLUSIVE if Verdict.INCONCLUSIVE in found else Verdict.PASS

    @property
    def passed(self) -> int:
        """How many trials passed."""
        return sum(trial.passed for trial in self.trials)

    @property
    def worst(self) -> float | None:
        """The largest ratio, if there is any."""
        return max(self.ratios, default=None)

    @property
    def report(self) -> Report | None:
        """The worst report: failures first, then what is inconclusive, then by the largest ratio."""
        return max(self.reports, key=lambda r: (SEVERITY[r.verdict], max(ratios(r), default=0.0)), default=None)

    def to_data(self, *, every_report: bool = True) -> dict[str, Any]:
        """Lists, dictionaries, numbers and texts, as JSON takes them; `Report.from_json` reads each report.

        Without `every_report`, only those that did not pass.
        """
        worst = self.worst
        kept = [report for report in self.reports if every_report or not report]
        return {
            **{key: getattr(self, key) for key in ("name", "family", "formula", "seconds")},
            "verdict": self.verdict.value,
            "domain": dict(self.domain),
            "kinks": list(self.kinks),
            "samples": list(self.samples),
            "checks": [{**asdict(trial), "failures": list(trial.failures)} for trial in self.trials],
            "entries": sum(len(report.entries) for report in self.reports),
            "worst_ratio": worst if worst is None or np.isfinite(worst) else str(worst),
            "reports": [json.loads(report.to_json()) for report in kept],
        }


def own_ops() -> list[type[Op]]:
    """The ops of the package, by family and name."""
    own = [op for op in registry.values() if op.__module__.startswith("tinygrad_cnn.")]
    return sorted(own, key=lambda op: (family(op), op.name))


def family(op: type[Op]) -> str:
    """The file it is defined in: elementwise, reduce, conv, ...; "custom" if it is not ours."""
    if not op.__module__.startswith("tinygrad_cnn."):
        return "custom"
    return op.__module__.rpartition(".")[2]


def check_op(
    op: type[Op], *, samples: int = SAMPLES, seed: int = 0, order: int = 1, dtype: str = "float64", **options: Any
) -> Outcome:
    """The battery, exact adjoints if the op is linear, its kinks, and `gradcheck` (of this order), on such samples.

    `options` are those of `gradcheck`. An op without derivatives has to say so of its outputs.

    Examples
    --------
    >>> from tinygrad_cnn.ops import registry
    >>> outcome = check_op(registry["Tanh"], samples=1)
    >>> outcome.verdict, outcome.passed
    (<Verdict.PASS: 'pass'>, 9)
    """
    start = perf_counter()
    drawn = [draw(op, seed, n) for n in range(samples)]
    with np.errstate(all="ignore"):
        if op.differentiable:
            trials = [_tried(check, op, drawn, seed) for check in CHECKS]
            trials += [_tried(check_exact_adjoint, op, drawn, seed)] if op.linear else []
            trials += [_at_kinks(op)] if op.kinks else []
            reports = [
                check_sample(op, sample, order=order, dtype=dtype, seed=seed + n, **options)
                for n, sample in enumerate(drawn)
            ]
            trials.append(gradcheck_trial(reports, order))
        else:
            trials, reports = [_tried(check_constant, op, drawn, seed)], []
    return Outcome(
        name=op.name,
        family=family(op),
        formula="; ".join(re.split(r",?\s{2,}", op.formula().strip())),
        domain=tuple((name, in_words(op.domain.get(name, Real()))) for name in op.inputs if name not in op.constant),
        kinks=tuple(kink.where for kink in op.kinks),
        samples=tuple(described(op, sample) for sample in drawn),
        trials=tuple(trials),
        reports=tuple(reports),
        ratios=tuple(r for report in reports for r in ratios(report)),
        seconds=perf_counter() - start,
    )


def draw(op: type[Op], seed: int, n: int) -> Sample:
    """Sample n: the same for the same seed. The first one has elements; later ones may be empty."""
    random = RandomDraw(np.random.default_rng([seed, n]))
    sample = op.sample(random)
    for _ in range(ATTEMPTS - 1):
        if n or all(np.size(a) for a in sample.inputs):
            break
        sample = op.sample(random)
    return sample


def check_sample(
    op: type[Op], sample: Sample, *, order: int = 1, dtype: str = "float64", seed: int = 0, **options: Any
) -> Report:
    """`gradcheck`, or `gradgradcheck` if the order is 2, of an op at a sample; it does not raise."""
    wanted = differentiable(op, sample.inputs)
    arrays = [np.array(a) for a in sample.inputs]
    tensors = [
        Tensor(a.astype(dtype) if a.dtype.kind == "f" else a, requires_grad=k in wanted) for k, a in enumerate(arrays)
    ]

    def function(*inputs: Any) -> Any:
        y = op.apply(*inputs, **sample.options)
        return y[0] if op.aux else y

    function.__name__ = op.name
    names = [name_of(op, k) for k in range(len(arrays))]
    checker = gradcheck if order == 1 else gradgradcheck
    names += ["cotangent"] if order == 2 else []
    try:
        return checker(function, tensors, raise_exception=False, seed=seed, names=names, **options)
    except Exception as error:  # what an op may do wrong has no bounds
        return Report(op.name, problem=f"gradcheck: {op.name} raises {type(error).__name__}: {error}", seed=seed)


def gradcheck_trial(reports: Sequence[Report], order: int = 1) -> Trial:
    """The reports as one trial among others."""
    failed = tuple(report.headline() for report in reports if report.verdict is Verdict.FAIL)
    undecided = sum(report.verdict is Verdict.INCONCLUSIVE for report in reports)
    return Trial(ORDERS[order], len(reports), failed, undecided)


def check_constant(op: type[Op], sample: Sample, random: np.random.Generator) -> None:
    """An op without derivatives is not recorded."""
    tensors = [Tensor(a, requires_grad=np.asarray(a).dtype.kind == "f") for a in sample.inputs]
    found = op.apply(*tensors, **sample.options)
    for y in found if isinstance(found, tuple) else (found,):
        if isinstance(y, Tensor) and y.requires_grad:
            raise GradientError(f"{op.name}: has no derivative, but its output requires a gradient")


def rated(report: Report) -> list[tuple[Entry, float]]:
    """Every entry with its ratio, the worst first: how far off it is over its error bar and tolerance.

    At a kink the distance is that from both slopes.
    """
    pairs = [(e, _ratio(e)) for e in report.entries]
    worst = report.worst
    return sorted(pairs, key=lambda pair: (pair[0] is worst, SEVERITY[pair[0].verdict], pair[1]), reverse=True)


def rows(report: Report, count: int) -> list[tuple[Entry, Row]]:
    """The worst entries of a report as rows of a table, the worst of all first."""
    return [(e, _row(report, e)) for e, _ in rated(report)[:count]]


def _row(report: Report, e: Entry) -> Row:
    shape = report.shapes.get(e.input)
    name = e.name if shape is None or isinstance(e, Projected) else f"{e.name} {shape_text(shape)}"
    return Row.of(e, name, WORD[e.verdict])


def smallest_text(report: Report) -> str:
    """The smallest inputs that fail, in one line."""
    text = report.smallest_text()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… (to_json and --json have it all)"


def ratios(report: Report) -> list[float]:
    """The ratios of the entries that were judged."""
    return [ratio for e, ratio in rated(report) if e.judged]


def _ratio(e: Entry) -> float:
    off = e.off
    if not e.judged:
        return 0.0
    if e.one_sided is not None and e.verdict is Verdict.PASS:
        low, high = sorted(e.one_sided)
        off = max(0.0, low - e.analytic, e.analytic - high)
    bound = e.error + e.allowed
    if bound == 0.0:
        return 0.0 if off == 0.0 else float("inf")
    return off / bound if bound == bound and np.isfinite(off) else float("inf")


def described(op: type[Op], sample: Sample) -> str:
    """The inputs' shapes and the options, in words."""
    shapes = [f"{name_of(op, k)} {shape_text(np.shape(a))}" for k, a in enumerate(sample.inputs)]
    options = [f"{name}={value!r}" for name, value in sample.options.items()]
    return "; ".join(filter(None, (", ".join(shapes), ", ".join(options))))


def in_words(domain: Domain) -> str:
    """The first line of the docstring of a set, with its own numbers.

    Examples
    --------
    >>> in_words(Real())
    'All real numbers; drawn between -3 and 3.'
    """

    def value(name: re.Match[str]) -> str:
        found = getattr(domain, name[1])
        return ", ".join(f"{n:g}" for n in found) if isinstance(found, tuple) else f"{found:g}"

    return re.sub(r"`(\w+)`", value, (type(domain).__doc__ or type(domain).__name__).splitlines()[0])


def shape_text(shape: Iterable[int]) -> str:
    """2×3; () without axes."""
    return "×".join(map(str, shape)) or "()"


def _tried(
    check: Callable[[type[Op], Sample, np.random.Generator], None], op: type[Op], drawn: Sequence[Sample], seed: int
) -> Trial:
    failures = []
    for n, sample in enumerate(drawn):
        try:
            check(op, sample, np.random.default_rng([seed, n, 1]))
        except GradientError as error:
            failures.append(str(error))
        except Exception as error:  # what an op may do wrong has no bounds
            failures.append(f"{op.name}: raises {type(error).__name__}: {error}")
    return Trial(_title(check), len(drawn), tuple(failures))


def _at_kinks(op: type[Op]) -> Trial:
    try:
        check_kinks(op)
    except GradientError as error:
        return Trial(_title(check_kinks), len(op.kinks), (str(error),))
    return Trial(_title(check_kinks), len(op.kinks))


def _title(check: Callable[..., None]) -> str:
    return check.__name__.removeprefix("check_").replace("_", " ")
