"""Is a learner's answer right? Asked of their functions alone: the solution is not looked at but for its values.

A pair is given to `gradcheck` as it is, and what its forward function returns must be what the exercise's returns.
"""

import inspect
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from tinygrad_cnn.display import many
from tinygrad_cnn.gradcheck.check import gradcheck
from tinygrad_cnn.gradcheck.differences import derivative
from tinygrad_cnn.gradcheck.functions import CachedPair, NumpyPair, cached_pair, numpy_pair
from tinygrad_cnn.gradcheck.problems import CannotJudge
from tinygrad_cnn.gradcheck.report import Report
from tinygrad_cnn.gradcheck.verdicts import Verdict
from tinygrad_cnn.learn.exercise import ALL_HINTS, Exercise, Wrong, gaps, load, namespace, outputs
from tinygrad_cnn.learn.hints import in_words, of_report, what_kind
from tinygrad_cnn.learn.record import COULD_NOT_RUN, NOT_DONE, RIGHT, WRONG, Result

__all__ = ["assert_right", "check", "check_source"]

SEEDS = (0, 1)
"""What the inputs are drawn from, one set after the other: all must be right."""

RTOL, ATOL = 1e-9, 1e-12
"""Values that are compared may differ by so much."""

VISIBLE = 1e-5
"""Numbers that differ by less are not shown beside each other."""

SHOWN = 8
"""Arrays with so many elements are shown whole."""


def check(exercise: Exercise | str, names: Mapping[str, Any], *, explain: bool = True, shrink: bool = True) -> Result:
    """Judge the functions of a mapping, such as ``globals()``.

    Parameters
    ----------
    exercise : the exercise, its name, or the path of its file
    names : what the learner has defined
    explain : False leaves the diagnosis out, which takes up to two seconds
    shrink : False leaves the search for a smaller input that fails out

    Examples
    --------
    >>> from tinygrad_cnn import learn
    >>> def forward(x):
    ...     return np.tanh(x)
    >>> def backward(g, x):
    ...     return g * (1 - x**2)
    >>> import numpy as np
    >>> result = learn.check("tanh", {"forward": forward, "backward": backward})
    >>> result.verdict, result.kind
    ('wrong', 'other value')
    """
    asked = load(exercise) if isinstance(exercise, str) else exercise
    answer = SimpleNamespace(**names)
    judged = _by_values if asked.judged_by_values else _by_gradients
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # of empty means and the like: the verdict says what is wrong
            return judged(asked, answer, {"explain": explain, "shrink": shrink})
    except CannotJudge as error:
        return _wrong_conduct(asked, str(error))
    except (Exception, SystemExit) as error:  # whatever a learner's code may raise
        return _raised(asked, error)


def check_source(exercise: Exercise, source: str, path: str, **options: bool) -> Result:
    """Judge what a learner's file defines, by running it here; the options are those of `check`."""
    try:
        left = sorted(gaps(source))
    except SyntaxError as error:
        return Result(exercise.name, COULD_NOT_RUN, f"line {error.lineno} is not Python: {error.msg}.")
    if left:
        return Result(exercise.name, NOT_DONE, f"not done yet: line {left[0]} still has `...` to fill in.")
    try:
        names = vars(namespace(source, path))
    except (Exception, SystemExit) as error:
        return _raised(exercise, error)
    return check(exercise, names, **options)


def assert_right(exercise: str, names: Mapping[str, Any], *, hints: int = ALL_HINTS) -> None:
    """AssertionError, with so many hints, unless the functions of a mapping are right: for tests in notebooks.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_cnn import learn
    >>> def forward(x):
    ...     return np.tanh(x)
    >>> def backward(g, x):
    ...     return g * (1 - np.tanh(x) ** 2)
    >>> learn.assert_right("tanh", globals())
    """
    result = check(exercise, names)
    if not result:
        raise AssertionError(result.told(min(hints, load(exercise).most_hints)))


def pair_of(exercise: Exercise, answer: Any) -> NumpyPair:
    """The two functions of an answer, as `gradcheck` takes them."""
    if "pair" in exercise.hidden:
        return numpy_pair(*exercise.hidden["pair"](answer))
    forward, backward = _defined(answer, "forward"), _defined(answer, "backward")
    if list(inspect.signature(backward).parameters)[1:] == ["cache"]:
        return cached_pair(forward, backward)
    return numpy_pair(forward, backward)


def report_on(exercise: Exercise, answer: Any, inputs: list[Any], **options: Any) -> Report:
    """What `gradcheck` says of an answer at these inputs."""
    pair = pair_of(exercise, answer)
    return gradcheck(pair, inputs, raise_exception=False, names=_names(exercise, pair, len(inputs)), **options)


class _Missing(Exception):
    """The answer does not define what it should."""


def _defined(answer: Any, name: str) -> Callable[..., Any]:
    found = getattr(answer, name, None)
    if not callable(found):
        raise _Missing(f"it does not define the function `{name}`.")
    function: Callable[..., Any] = found
    return function


def _by_gradients(exercise: Exercise, answer: Any, options: Mapping[str, bool]) -> Result:
    pair, reference = pair_of(exercise, answer), pair_of(exercise, SimpleNamespace(**exercise.hidden))
    for seed in SEEDS:
        inputs = exercise.inputs(seed)
        if problem := _other_values(pair, reference, inputs):
            return Result(exercise.name, WRONG, "wrong.", "forward", ("The forward function is wrong.", problem))
        if missing := _no_gradients(pair, inputs):
            return Result(exercise.name, WRONG, "wrong.", "conduct", ("The gradient is wrong.", missing))
        report = report_on(exercise, answer, inputs, **options)
        if report.verdict is not Verdict.PASS:
            return _not_passed(exercise, report, _numbers_there(pair, report))
    return _right(exercise)


def _numbers_there(pair: NumpyPair, report: Report) -> str:
    """What the gradient is at the smallest input that fails, and what it should be, for a reader with a pencil."""
    arrays = report.smallest
    if arrays is None or len(arrays) != len(report.shapes) or sum(a.size for a in arrays) > SHOWN:
        return ""
    try:
        ones = [np.ones_like(y) for y in pair.evaluate(arrays)]
        for k, gradient in enumerate(pair.vjp(_copies(list(arrays)), ones)):
            slopes = [derivative(partial(_sum_at, pair, arrays, k, i)) for i in range(arrays[k].size)]
            expected = np.array([s.value for s in slopes]).reshape(arrays[k].shape)
            if gradient is None or gradient.shape != expected.shape or any(s.coarse for s in slopes):
                continue
            if not np.allclose(gradient, expected, rtol=VISIBLE, atol=VISIBLE):
                name = next(e.name for e in report.entries if e.input == k)
                mine, right = _short(gradient, 6), _short(expected, 6)
                return f"There, with g = 1, your gradient of {name} is {mine}; it should be {right}."
    except Exception:  # a learner's function may refuse what was made smaller in any way: then there are no numbers
        return ""
    return ""


def _sum_at(pair: NumpyPair, arrays: Sequence[Any], k: int, i: int, step: float) -> float:
    """The sum of all outputs after a step of one element of one input."""
    moved = _copies(list(arrays))
    moved[k].reshape(-1)[i] += step
    return float(sum(y.sum() for y in pair.evaluate(moved)))


def _names(exercise: Exercise, pair: NumpyPair, count: int) -> list[str]:
    """What the inputs are called in the exercise."""
    own = exercise.hidden.get("NAMES")
    forward = pair._forward if isinstance(pair, CachedPair) else pair.function
    found = list(own or inspect.signature(forward).parameters)
    return found if len(found) == count else [f"input {k}" for k in range(count)]


def _other_values(pair: NumpyPair, reference: NumpyPair, inputs: list[Any]) -> str:
    """What the forward function returns where it should return something else; empty if it is right."""
    given, _ = reference.unpack(inputs)
    expected = reference.evaluate(given)
    given, _ = pair.unpack(_copies(inputs))
    return _first_difference(pair.evaluate(given), expected, ["its result"] if len(expected) == 1 else [])


def _no_gradients(pair: NumpyPair, inputs: list[Any]) -> str:
    """Said of a backward function that returns nothing; what it raises is told with its line."""
    given, _ = pair.unpack(_copies(inputs))
    gradients = pair.vjp(given, [np.ones_like(y) for y in pair.evaluate(given)])
    return "It returns None. Is `return` missing in its last line?" if all(g is None for g in gradients) else ""


def _copies(inputs: list[Any]) -> list[Any]:
    """The same inputs in memory of their own."""
    return [np.array(a) if isinstance(a, np.ndarray) else a for a in inputs]


def _by_values(exercise: Exercise, answer: Any, options: Mapping[str, bool]) -> Result:
    values = exercise.hidden["values"]
    reference = SimpleNamespace(**exercise.hidden)
    for seed in SEEDS:
        expected = outputs(values, reference, exercise.inputs(seed))
        found = outputs(values, answer, exercise.inputs(seed))
        where = _first_difference(found, expected, list(exercise.hidden.get("NAMES", ())))
        if where:
            wrong = _same_mistake(exercise, found, seed) if options["explain"] else None
            kind = wrong.kind if wrong else "unknown"
            looks = f"It looks like this: {wrong.says}\n" if wrong else ""
            rungs = ("The values are wrong.", where, what_kind(kind), f"{looks}The formula: {exercise.formula}")
            return _with_rungs(exercise, kind, rungs)
    return _right(exercise)


def _first_difference(found: Sequence[Any], expected: Sequence[Any], names: Sequence[str] = ()) -> str:
    """Which value is wrong first, and of many elements which one; empty if none is."""
    if len(found) != len(expected):
        return f"It returns {many(len(found), 'value')}; it should return {len(expected)}."
    for k, (y, wanted) in enumerate(zip(found, expected, strict=True)):
        name = names[k] if k < len(names) else f"result {k}"
        a, b = np.asarray(y), np.asarray(wanted)
        if a.shape != b.shape:
            return f"{name[:1].upper()}{name[1:]} has the shape {a.shape}; it should have {b.shape}."
        if a.dtype.kind not in "fiub" or not np.allclose(a, b, rtol=RTOL, atol=ATOL, equal_nan=True):
            if a.size > SHOWN and a.dtype.kind in "fiub":
                place = tuple(int(i[0]) for i in np.nonzero(~np.isclose(a, b, rtol=RTOL, atol=ATOL, equal_nan=True)))
                name, a, b = f"{name} at {place}", a[place], b[place]
            digits = next((d for d in (6, 10) if _short(a, d) != _short(b, d)), 17)
            return f"{name[:1].upper()}{name[1:]} is {_short(a, digits)}; it should be {_short(b, digits)}."
    return ""


def _short(a: Any, digits: int) -> str:
    told = " ".join(np.array2string(a, precision=digits, threshold=SHOWN, separator=", ").split())
    return told.replace("[ ", "[").replace(" ,", ",")


def _same_mistake(exercise: Exercise, found: list[Any], seed: int) -> Wrong | None:
    """The common wrong answer that gives the same values, if there is one."""
    for wrong in exercise.wrongs:
        made = namespace(exercise.wrong_source(wrong), str(exercise.path))
        theirs = outputs(exercise.hidden["values"], made, exercise.inputs(seed))
        if not _first_difference(found, theirs):
            return wrong
    return None


def _not_passed(exercise: Exercise, report: Report, there: str) -> Result:
    if report.verdict is Verdict.INCONCLUSIVE:
        return Result(
            exercise.name, COULD_NOT_RUN, f"it cannot be judged: {report.headline().removeprefix('gradcheck: ')}"
        )
    kind = report.diagnoses[0].kind if report.diagnoses else "unknown"
    return _with_rungs(exercise, kind, of_report(report, exercise.formula, there))


def _with_rungs(exercise: Exercise, kind: str, rungs: tuple[str, ...]) -> Result:
    return Result(exercise.name, WRONG, "wrong.", kind, rungs[: exercise.most_hints])


def _wrong_conduct(exercise: Exercise, message: str) -> Result:
    """For what gradcheck does not judge: a wrong number of gradients, a changed input."""
    formula = f"The formula: {exercise.formula}"
    rungs = ("The gradient is wrong.", in_words(message), what_kind("conduct"), formula)
    return _with_rungs(exercise, "conduct", rungs)


def _raised(exercise: Exercise, error: BaseException) -> Result:
    """The learner's code raised: what, and in which line of it."""
    if isinstance(error, _Missing):
        return Result(exercise.name, COULD_NOT_RUN, str(error))
    if isinstance(error, MemoryError):
        return Result(exercise.name, COULD_NOT_RUN, "it asks for more memory than it may have.")
    if isinstance(error, SystemExit):
        return Result(exercise.name, COULD_NOT_RUN, "it ends the program; leave `exit` out.")
    own = [f for f in traceback.extract_tb(error.__traceback__) if _is_theirs(f.filename)]
    line = f" in line {own[-1].lineno}" if own else ""
    message = next(iter(str(error).splitlines()), "")
    return Result(exercise.name, COULD_NOT_RUN, f"it raises {type(error).__name__}{line}: {message}")


def _is_theirs(file: str) -> bool:
    """Whether a file is no part of this package, of NumPy or of Python."""
    return not any(part in file for part in ("tinygrad_cnn", "numpy", "<frozen", "site-packages", "/lib/python"))


def _right(exercise: Exercise) -> Result:
    return Result(exercise.name, RIGHT, "right.")
