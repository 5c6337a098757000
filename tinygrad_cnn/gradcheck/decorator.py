"""`check_gradients`: a test that checks the gradients of a function on what Hypothesis draws.

Hypothesis chooses the inputs and makes failing ones smaller; what a gradient is worth, `gradcheck` says.
"""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial, wraps
from importlib import import_module
from time import perf_counter
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tinygrad_cnn.core.op import Sample
from tinygrad_cnn.gradcheck.check import gradcheck, gradgradcheck
from tinygrad_cnn.gradcheck.functions import (
    Checked,
    JaxFunction,
    Narrowed,
    Recorded,
    TensorFunction,
    TorchFunction,
    name_of,
    tensor_function,
    unpacked,
)
from tinygrad_cnn.gradcheck.memory import memory_problem
from tinygrad_cnn.gradcheck.report import Report
from tinygrad_cnn.gradcheck.verdicts import GradientError, Verdict
from tinygrad_cnn.gradcheck.watching import EFFORT, Checkup
from tinygrad_cnn.tensor import Tensor

MOST = 64
"""Elements of the inputs that an error is also looked at on, beside the smallest that fail."""

Values = dict[str, Any]


def check_gradients(
    *strategies: st.SearchStrategy[Any],
    order: int = 1,
    adapter: Callable[[Callable[..., Any]], Any] = tensor_function,
    constants: Sequence[str | int] = (),
    examples: int | None = None,
    inconclusive: float = 0.1,
    settings: settings | None = None,
    options: Mapping[str, Any] | None = None,
    **named: st.SearchStrategy[Any],
) -> Callable[[Callable[..., Any] | Checked], Callable[..., None]]:
    """Make a test of a function: its gradients are right on whatever the strategies draw.

    What is decorated may be

    * the function itself, which takes what was drawn and returns Tensors (with ``adapter=torch_function`` or
      ``jax_function``: PyTorch's or JAX's); it may be called ``test_…`` and stand there for this purpose only;
    * what `numpy_pair` and the other adapters return;
    * a function that does not take the inputs, and returns one of those. It may take what else was drawn (an axis, a
      stride), by name.

    All other parameters of the function are left to pytest, as fixtures.

    Parameters
    ----------
    strategies, named : one an input, in order or by the name of the parameter. Arrays of a floating dtype are
        checked, everything else is passed as it is. A strategy in order may also draw a `Sample`: several inputs
        and keyword options, as `convolutions` does
    order : 2 also checks the second derivatives (of Tensor functions)
    constants : inputs, by name or place, whose derivative is not asked for
    examples : inputs drawn; by default as Hypothesis' settings or the pytest plugin say
    inconclusive : the share of examples that need not be judged, because of noise or a kink: a function may be too
        flat here and there. With 0 the first is a failure
    settings : Hypothesis' settings to start from
    options : of `gradcheck`, such as ``{"rtol": 1e-4}``

    Raises
    ------
    GradientError
        by the test, with the report of the smallest inputs that fail; `Report.smallest` are these
    TypeError
        if a strategy is none, or the decorated function returns nothing to check

    Examples
    --------
    A stranger's function and its hand-written gradient:

    >>> import numpy as np
    >>> from tinygrad_cnn.gradcheck import numpy_pair
    >>> from tinygrad_cnn.gradcheck.strategies import Real, arrays, check_gradients, shapes
    >>> swish = numpy_pair(lambda x: x / (1 + np.exp(-x)),
    ...                    lambda g, x: g * (1 + np.exp(-x) + x * np.exp(-x)) / (1 + np.exp(-x)) ** 2)
    >>> test_swish = check_gradients(arrays(shapes(), Real()))(swish)
    >>> test_swish()

    A function of Tensors, to the second order:

    >>> @check_gradients(x=arrays((2, 3), Real()), w=arrays((3, 2), Real()), order=2)
    ... def test_product(x, w):
    ...     return (x @ w).tanh()
    >>> test_product()
    """
    if order not in (1, 2):
        raise ValueError(f"check_gradients: order is {order}; expected 1 or 2")
    if bool(strategies) == bool(named):
        raise TypeError(
            "check_gradients: expected strategies either in order or by name, such as x=arrays(shapes(), Real())"
        )
    for name, strategy in (*enumerate(strategies), *named.items()):
        if not isinstance(strategy, st.SearchStrategy):
            raise TypeError(
                f"check_gradients: {name!r} is {strategy!r}; expected a strategy, such as arrays(shapes(), Real()), "
                "or hypothesis.strategies.just(value) for what is always the same"
            )
    plan = Plan(strategies, named, order, adapter, tuple(constants), dict(options or {}))

    def decorate(target: Callable[..., Any] | Checked) -> Callable[..., None]:
        if not callable(target) and not isinstance(target, Checked):
            raise TypeError(
                f"check_gradients: {type(target).__name__} decorated; expected a function, or what numpy_pair returns"
            )
        return _test(target, plan, examples, inconclusive, settings)

    return decorate


@dataclass(frozen=True)
class Plan:
    """What is drawn and how it is checked."""

    strategies: tuple[st.SearchStrategy[Any], ...]
    named: Mapping[str, st.SearchStrategy[Any]]
    order: int
    adapter: Callable[[Callable[..., Any]], Any]
    constants: tuple[str | int, ...]
    options: dict[str, Any]

    def drawn(self) -> st.SearchStrategy[tuple[Any, ...]]:
        """Everything that one check needs, in the order of the strategies."""
        return st.tuples(*self.strategies, *self.named.values())

    def case(self, target: Any, drawn: tuple[Any, ...], outside: "Outside") -> "Case":
        """The function and its inputs."""
        if self.named:
            return self._by_name(target, dict(zip(self.named, drawn, strict=True)), outside)
        return self._in_order(target, drawn, outside)

    def _by_name(self, target: Any, drawn: Values, outside: "Outside") -> "Case":
        """The function takes all by name; or some, and returns what takes the others in order."""
        if isinstance(target, Checked):
            return self._case(target, list(drawn.values()), list(drawn), {})
        taken = {name: drawn[name] for name in _taken(target, list(drawn))}
        given = outside.given_to(target)
        if len(taken) == len(drawn):
            function = _named(lambda *values: given(**dict(zip(drawn, values, strict=True))), name_of(target))
            return self._case(self.adapter(function), list(drawn.values()), list(drawn), {})
        inputs = {name: value for name, value in drawn.items() if name not in taken}
        return self._case(self._made(given(**taken), target), list(inputs.values()), list(inputs), taken)

    def _in_order(self, target: Any, drawn: tuple[Any, ...], outside: "Outside") -> "Case":
        """The function takes inputs in order and options by name; or options only, and returns what takes inputs."""
        inputs: list[Any] = []
        options: Values = {}
        for value in drawn:
            inputs += value.inputs if isinstance(value, Sample) else [value]
            options |= value.options if isinstance(value, Sample) else {}
        if isinstance(target, Checked):
            if options:
                raise TypeError(
                    f"check_gradients: {name_of(target)} cannot take the options {', '.join(options)}; decorate a "
                    "function of these options that returns the pair"
                )
            return self._case(target, inputs, None, {})
        given = partial(outside.given_to(target), **options)
        if _takes_inputs(target, len(outside.arguments)):
            return self._case(self.adapter(_named(given, name_of(target))), inputs, None, options)
        return self._case(self._made(given(), target), inputs, None, options)

    def _made(self, thing: Any, target: Any) -> Any:
        """What the decorated function returned, as something to check."""
        if not isinstance(thing, Checked) and not callable(thing):
            raise TypeError(
                f"check_gradients: {name_of(target)} returned {type(thing).__name__}; expected what to check "
                "(a function, numpy_pair(f, vjp), torch_function(f), ...), or that it takes the inputs"
            )
        return thing if isinstance(thing, Checked) else self.adapter(thing)

    def _case(self, thing: Any, inputs: list[Any], names: list[str] | None, chosen: Values) -> "Case":
        unknown = [c for c in self.constants if c not in (names or []) and c not in range(len(inputs))]
        if unknown:
            raise ValueError(f"check_gradients: constants has {unknown[0]!r}; inputs are {names or len(inputs)}")
        fixed = [k for k in range(len(inputs)) if k in self.constants or (names and names[k] in self.constants)]
        return Case(thing, inputs, names, chosen, fixed, self.order, self.options)


@dataclass(frozen=True)
class Outside:
    """What does not come from strategies: ``self``, and pytest's fixtures."""

    arguments: tuple[Any, ...]
    fixtures: Values

    def given_to(self, target: Callable[..., Any]) -> Callable[..., Any]:
        """The function that lacks nothing but what is drawn."""
        return partial(target, *self.arguments, **self.fixtures)


@dataclass(frozen=True)
class Case:
    """One function at one drawn input."""

    thing: Any
    inputs: list[Any]
    names: list[str] | None
    chosen: Values
    """What else was drawn: options, and what the decorated function takes by name."""
    fixed: list[int]
    order: int
    options: dict[str, Any]

    def checked(self, k: int) -> bool:
        """Whether input k has a derivative."""
        a = self.inputs[k]
        return isinstance(a, np.ndarray) and a.dtype.kind == "f" and k not in self.fixed

    @property
    def size(self) -> int:
        """How many elements are checked."""
        return sum(self.inputs[k].size for k in range(len(self.inputs)) if self.checked(k))

    def report(self, explain: bool) -> Report:
        """The report, of the second order only if the first passes."""
        options: dict[str, Any] = {**self.options, "raise_exception": False, "explain": explain}
        thing, inputs = self._prepared()
        report = gradcheck(thing, inputs, names=self.names, **options)
        if report and not isinstance(thing, (TorchFunction, JaxFunction)):  # whose arrays are copies of ours
            given = [a if self.checked(k) else inputs[k] for k, a in enumerate(self.inputs)]
            checked = [k for k in range(len(given)) if self.checked(k)]
            problem = memory_problem(thing, given, checked, np.random.default_rng(report.seed))
            report = replace(report, problem=f"gradcheck: {problem}" if problem else "")
        if report and self.order == 2:
            if not isinstance(thing, (Recorded, JaxFunction)):
                raise TypeError(
                    f"check_gradients: order=2 needs a function of Tensors; {report.function} is a "
                    f"{type(thing).__name__}, which has no recorded gradient"
                )
            second = gradgradcheck(thing, inputs, **options)
            nothing = second and not second.entries  # the derivative is 0 everywhere
            report = replace(report, notes=(*report.notes, *second.notes)) if nothing else second
        return report

    def explained(self, larger: "Case") -> Report:
        """The report with diagnoses, also from a larger input that fails: in one element all errors are factors."""
        report = self.report(explain=True)
        found = list(report.diagnoses)
        notes = list(report.notes)
        if larger is not self and not report.problem:
            more = larger.report(explain=True).diagnoses
            found = [*more, *(d for d in found if d.kind not in {m.kind for m in more})]
        drawn = {**self.chosen, **{n: v for n, v in self._others().items() if n not in self.chosen}}
        if drawn:
            notes.insert(0, f"drawn with {', '.join(f'{n}={_short(v)}' for n, v in drawn.items())}")
        arrays = tuple(np.array(self.inputs[k]) for k in range(len(self.inputs)) if self.checked(k))
        return replace(report, smallest=arrays, diagnoses=tuple(found), notes=tuple(notes))

    def _others(self) -> Values:
        names = self.names or [f"input {k}" for k in range(len(self.inputs))]
        return {names[k]: a for k, a in enumerate(self.inputs) if not self.checked(k)}

    def _prepared(self) -> tuple[Any, list[Any]]:
        """The function and its inputs as `gradcheck` takes them: leaves, and constants that need no gradient."""
        arrays = [np.array(a, order="C") if isinstance(a, np.ndarray) else a for a in self.inputs]
        if isinstance(self.thing, (TensorFunction, TorchFunction)):
            leaf = Tensor if isinstance(self.thing, TensorFunction) else import_module("torch").tensor
            leaves = [
                leaf(a, requires_grad=self.checked(k)) if isinstance(a, np.ndarray) else a for k, a in enumerate(arrays)
            ]
            return self.thing, leaves
        return (Narrowed(self.thing, self._unfixed) if self.fixed else self.thing), arrays

    def _unfixed(self, inputs: Sequence[Any]) -> tuple[list[Any], list[int]]:
        values, checked = unpacked(self.thing, inputs)
        return values, [k for k in checked if k not in self.fixed]


class _Failed(Exception):
    """An example that does not pass."""


class _Search:
    """The examples of one test: what fails first is made smaller by Hypothesis, the last that failed is smallest."""

    def __init__(self, target: Any, plan: Plan, outside: Outside) -> None:
        self.target, self.plan, self.outside = target, plan, outside
        self.smallest: Case | None = None
        self.larger: Case | None = None
        self.unclear: list[Case] = []
        self.strict = False
        self.examples = self.entries = 0

    def example(self, drawn: tuple[Any, ...]) -> None:
        """Check one example."""
        begun = perf_counter()
        case = self.plan.case(self.target, drawn, self.outside)
        report = case.report(explain=False)
        searching = self.smallest is not None or self.strict
        EFFORT.get().watch(Checkup(report, perf_counter() - begun, counts=not searching))
        self.examples += not searching
        self.entries += len(report.entries)
        if report.verdict is Verdict.INCONCLUSIVE and not self.strict:
            self.unclear.append(case)
        elif not report:
            self.smallest = case
            if self.larger is None or self.larger.size < case.size <= MOST:
                self.larger = case
            raise _Failed

    def run(self, chosen: settings, inconclusive: float) -> None:
        """All examples, then the verdict."""
        __tracebackhide__ = True
        self._draw(chosen)
        if self.smallest is None and len(self.unclear) > inconclusive * self.examples:
            self.strict = True  # once more, for the smallest that cannot be judged
            self._draw(chosen)
            self.smallest = self.smallest or self.unclear[0]
        if self.smallest is not None:
            raise self.smallest.explained(self.larger or self.smallest).error()
        if not self.entries:
            raise GradientError(
                f"check_gradients: {name_of(self.target)}: no entry was judged in any example; let the strategies draw "
                "arrays of a floating dtype that have elements"
            )

    def _draw(self, chosen: settings) -> None:
        def example(drawn: tuple[Any, ...]) -> None:
            self.example(drawn)

        name = f"{getattr(self.target, '__module__', '')}_{name_of(self.target)}"
        example.__name__ = re.sub(r"\W", "_", name)  # by it, Hypothesis finds what failed before
        with suppress(_Failed):
            chosen(given(self.plan.drawn())(example))()


def _test(
    target: Any, plan: Plan, examples: int | None, inconclusive: float, base: settings | None
) -> Callable[..., None]:
    """The test, with the signature of what pytest is to fill in."""

    def test(*arguments: Any, **fixtures: Any) -> None:
        __tracebackhide__ = True
        _Search(target, plan, Outside(arguments, fixtures)).run(_settings(examples, base), inconclusive)

    test.__name__ = test.__qualname__ = name_of(target)
    if inspect.isroutine(target):
        test = wraps(target)(test)
    signature = inspect.Signature(_outside(target, plan))
    test.__signature__ = signature  # type: ignore[attr-defined]
    test.checks_gradients = True  # type: ignore[attr-defined]
    return test


def _settings(examples: int | None, base: settings | None) -> settings:
    chosen = settings() if base is None else base
    effort = EFFORT.get()
    count = chosen.max_examples if examples is None else examples
    count = max(count, effort.least or 1)
    count = min(count, effort.most or count)
    return settings(
        chosen,
        max_examples=count,
        deadline=None,
        report_multiple_bugs=False,
        phases=[phase for phase in chosen.phases if phase is not Phase.explain],
        suppress_health_check=[*chosen.suppress_health_check, HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def _parameters(target: Any) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(target).parameters.values())
    except (TypeError, ValueError):  # written in C
        return [inspect.Parameter("inputs", inspect.Parameter.VAR_POSITIONAL)]


def _outside(target: Any, plan: Plan) -> list[inspect.Parameter]:
    """The parameters that no strategy fills."""
    if isinstance(target, Checked):
        return []
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = [p for p in _parameters(target) if p.kind not in kinds]
    if plan.named:
        return [p for p in parameters if p.name not in plan.named and p.default is p.empty]
    return [p for p in parameters[:1] if p.name == "self"]


def _taken(target: Any, names: Sequence[str]) -> list[str]:
    parameters = _parameters(target)
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return list(names)
    own = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    return [name for name in names if name in own]


def _takes_inputs(target: Any, bound: int) -> bool:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = _parameters(target)
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return True
    return len([p for p in parameters if p.kind in kinds]) > bound


def _named(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    def named(*values: Any) -> Any:
        return function(*values)

    named.__name__ = name
    return named


def _short(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:59]}…"
