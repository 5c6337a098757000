"""Write docs/corpus.md: the corpus of real gradient bugs, and how gradient checkers do on it.

Run as ``python -m scripts.corpus_table`` from the root of the repository. PyTorch, JAX and HIPS autograd are optional;
a checker that is not installed has no column.
"""

import sys
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from scripts import five_points
from tests.corpus import FAMILIES, Case
from tests.corpus.headlines import HEADLINES, NOT_TOLD
from tinygrad_cnn.gradcheck import diagnosis, gradcheck, numpy_pair
from tinygrad_cnn.gradcheck.verdicts import Verdict

PAGE = Path(__file__).parent.parent / "docs" / "corpus.md"
ACCEPTS, REJECTS, UNDECIDED, REPAIRED = "accepts", "rejects", "cannot decide", "put right by the framework"

Vjp = Callable[..., Any]


class Answer(NamedTuple):
    """What a checker says of one gradient: one of the four above, or the error it stopped with."""

    said: str
    seconds: float
    headline: str = ""
    """What the report says first of a wrong gradient, if the checker says anything of it."""


def gradients(vjp: Vjp, g: Any, arrays: Any) -> tuple[np.ndarray, ...]:
    """One float64 array per input."""
    found = vjp(np.asarray(g), *arrays)
    return tuple(np.asarray(d, dtype=np.float64) for d in (found if isinstance(found, tuple) else (found,)))


def own(case: Case, vjp: Vjp) -> tuple[str, str]:
    """`tinygrad_cnn.gradcheck.gradcheck`, with its defaults."""
    report = gradcheck(numpy_pair(case.f, vjp), list(case.inputs()), raise_exception=False)
    said = {Verdict.PASS: ACCEPTS, Verdict.FAIL: REJECTS, Verdict.INCONCLUSIVE: UNDECIDED}[report.verdict]
    return said, report.diagnoses[0].message if report.diagnoses else ""


def pattern(case: Case) -> str:
    """What the wrong gradient looks like by its numbers alone, without a look at how the function is computed."""
    names, diagnosis.NAMES = diagnosis.NAMES, 0
    try:
        report = gradcheck(numpy_pair(case.f, case.wrong), list(case.inputs()), raise_exception=False, shrink=False)
    finally:
        diagnosis.NAMES = names
    return report.diagnoses[0].kind if report.diagnoses else "none"


def pytorch(fast: bool) -> Callable[[Case, Vjp], tuple[str, str]]:
    """`torch.autograd.gradcheck` of a `torch.autograd.Function` around f and its VJP."""
    torch = import_module("torch")
    error = import_module("torch.autograd.gradcheck").GradcheckError

    def check(case: Case, vjp: Vjp) -> tuple[str, str]:
        class Pair(torch.autograd.Function):  # type: ignore[misc, name-defined]
            @staticmethod
            def forward(ctx: Any, *tensors: Any) -> Any:
                ctx.save_for_backward(*tensors)
                return torch.tensor(np.asarray(case.f(*(t.detach().numpy() for t in tensors))))

            @staticmethod
            def backward(ctx: Any, g: Any) -> Any:
                arrays = [t.detach().numpy() for t in ctx.saved_tensors]
                return tuple(torch.tensor(d) for d in gradients(vjp, g.detach().numpy(), arrays))

        inputs = tuple(torch.tensor(x, requires_grad=True) for x in case.inputs())
        try:
            torch.autograd.gradcheck(Pair.apply, inputs, fast_mode=fast)
        except error:
            return REJECTS, ""
        return ACCEPTS, ""

    return check


def jax_checker() -> Callable[[Case, Vjp], tuple[str, str]]:
    """`jax.test_util.check_grads`, order 1, reverse mode, of a `custom_vjp` around callbacks, in float64."""
    jax = import_module("jax")
    test_util = import_module("jax.test_util")
    jax.config.update("jax_enable_x64", True)

    def check(case: Case, vjp: Vjp) -> tuple[str, str]:
        inputs = tuple(jax.numpy.asarray(x) for x in case.inputs())
        shape = np.shape(case.f(*case.inputs()))
        one = jax.ShapeDtypeStruct(shape, np.float64)
        each = tuple(jax.ShapeDtypeStruct(x.shape, np.float64) for x in inputs)

        def evaluate(*arrays: Any) -> Any:
            return np.asarray(case.f(*(np.asarray(a) for a in arrays)), dtype=np.float64)

        def pull(g: Any, *arrays: Any) -> Any:
            return gradients(vjp, g, [np.asarray(a) for a in arrays])

        @jax.custom_vjp  # type: ignore[untyped-decorator]
        def pair(*xs: Any) -> Any:
            return jax.pure_callback(evaluate, one, *xs)

        pair.defvjp(lambda *xs: (pair(*xs), xs), lambda xs, g: jax.pure_callback(pull, each, g, *xs))
        try:
            test_util.check_grads(pair, inputs, order=1, modes=["rev"])
        except AssertionError:
            return REJECTS, ""
        return ACCEPTS, ""

    return check


def hips() -> Callable[[Case, Vjp], tuple[str, str]]:
    """`autograd.test_util.check_grads`, order 1, reverse mode, of a primitive with `defvjp`."""
    extend = import_module("autograd.extend")
    test_util = import_module("autograd.test_util")

    def check(case: Case, vjp: Vjp) -> tuple[str, str]:
        def evaluate(*arrays: Any) -> Any:
            return np.asarray(case.f(*arrays), dtype=np.float64)

        pair = extend.primitive(evaluate)

        def rule(k: int) -> Any:
            return lambda y, *arrays: lambda g: gradients(vjp, g, arrays)[k]

        inputs = case.inputs()
        extend.defvjp(pair, *(rule(k) for k in range(len(inputs))))
        np.random.seed(0)  # noqa: NPY002  its directions come from here
        every = tuple(range(len(inputs)))
        try:
            if len(inputs) == 1:
                test_util.check_grads(pair, modes=["rev"], order=1)(*inputs)
            else:
                test_util.check_grads(lambda xs: pair(*xs), modes=["rev"], order=1)(tuple(inputs[k] for k in every))
        except AssertionError:
            return REJECTS, ""
        return ACCEPTS, ""

    return check


def julia() -> Callable[[Case, Vjp], tuple[str, str]]:
    """`test_rrule` of ChainRulesTestUtils.jl with FiniteDifferences.jl, restated in `five_points`."""

    def check(case: Case, vjp: Vjp) -> tuple[str, str]:
        def one_each(g: Any, *arrays: Any) -> Any:
            return gradients(vjp, g, arrays)

        return ACCEPTS if five_points.accepts(case.f, one_each, case.inputs()) else REJECTS, ""

    return check


def installed(package: str) -> str:
    """The version, or nothing."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def checkers() -> dict[str, Callable[[Case, Vjp], tuple[str, str]]]:
    """Every checker that can be run here, by the head of its column."""
    found: dict[str, Callable[[Case, Vjp], tuple[str, str]]] = {"tinygrad_cnn": own}
    if installed("torch"):
        found |= {"PyTorch": pytorch(fast=False), "PyTorch fast": pytorch(fast=True)}
    if installed("jax"):
        found["JAX"] = jax_checker()
    if installed("autograd"):
        found["autograd"] = hips()
    found["FiniteDifferences, restated"] = julia()
    return found


def answer(check: Callable[[Case, Vjp], tuple[str, str]], case: Case, vjp: Vjp) -> Answer:
    """What the checker says, or the name of the error that is not its own verdict."""
    start = time.perf_counter()
    try:
        said, headline = check(case, vjp)
    except Exception as error:  # whatever a framework stops with
        said, headline = f"error: {type(error).__name__}: {str(error).splitlines()[0]}", ""
    if said == ACCEPTS and not fits(case, vjp):
        said = REPAIRED
    return Answer(said, time.perf_counter() - start, headline)


def fits(case: Case, vjp: Vjp) -> bool:
    """Whether the gradients have the shapes of the inputs; a framework may sum larger ones before the checker looks."""
    inputs = case.inputs()
    found = gradients(vjp, np.ones(np.shape(case.f(*inputs))), inputs)
    return all(d.shape == x.shape for d, x in zip(found, inputs, strict=True))


def cell(wrong: Answer, right: Answer) -> str:
    """What one checker makes of one case, in a word or two."""
    of_wrong = {REJECTS: "", ACCEPTS: "**misses it**", UNDECIDED: "undecided", REPAIRED: "put right"}.get(
        wrong.said, "stops"
    )
    of_right = {ACCEPTS: "", REJECTS: "**false alarm**", UNDECIDED: "undecided on the repair"}.get(
        right.said, "**stops on the repair**"
    )
    return ", ".join(word for word in (of_wrong, of_right) if word) or "ok"


def count(answers: list[Answer], said: str) -> int:
    """How many say this."""
    return sum(a.said == said for a in answers)


def summary(results: dict[str, dict[str, tuple[Answer, Answer]]], cases: list[Case]) -> list[str]:
    """One line per checker, over these cases."""
    lines = [
        "| checker | bugs rejected | stopped by another error | put right by the framework | bugs missed | "
        "repairs accepted | both right | time |",
        "|---|---|---|---|---|---|---|---|",
    ]
    n = len(cases)
    for name, by_case in results.items():
        wrong = [by_case[case.name][0] for case in cases]
        right = [by_case[case.name][1] for case in cases]
        stopped = sum(a.said.startswith("error") for a in wrong)
        both = sum(w.said == REJECTS and r.said == ACCEPTS for w, r in zip(wrong, right, strict=True))
        seconds = sum(a.seconds for a in (*wrong, *right))
        lines.append(
            f"| {name} | **{count(wrong, REJECTS)}** of {n} | {stopped} | {count(wrong, REPAIRED)} | "
            f"{count(wrong, ACCEPTS) + count(wrong, UNDECIDED)} | "
            f"{count(right, ACCEPTS)} of {n} | **{both}** | {seconds:.1f} s |"
        )
    return lines


def page(results: dict[str, dict[str, tuple[Answer, Answer]]], patterns: dict[str, str]) -> str:
    """The whole page."""
    cases = [case for family in FAMILIES.values() for case in family]
    smooth = [case for case in cases if not case.kink]
    fitting = [patterns[case.name] for case in cases if patterns[case.name] in (case.kind, *case.also)]
    admitted = fitting.count("unknown")
    hits = len(fitting) - admitted
    told = [name for name, words in HEADLINES.items() if name not in NOT_TOLD and "wrong from" not in words]
    placed = len(cases) - len(NOT_TOLD) - len(told)
    packages = ["numpy", "torch", "jax", "autograd"]
    versions = ", ".join(f"{name} {installed(name)}" for name in packages if installed(name))
    lines = [
        "# The corpus of real gradient bugs",
        "",
        f"{len(cases)} gradient bugs from the public history of {len({c.framework for c in cases})} projects: "
        "frameworks, libraries, courses, books. Each is restated in a few lines of our own NumPy: the function, the "
        "gradient as it was, and the gradient put right (`tests/corpus/`). The reference is the issue or pull request "
        "where the bug was reported or fixed. A case restates the mistake that the thread describes, on inputs small "
        "enough to read; where the original lived in a kernel for GPUs, the case is the same formula in NumPy, and "
        "where the thread prints no formula, it is the plainest one with the symptoms described.",
        "",
        "The same inputs, functions and gradients go to each checker, in float64 and with its documented defaults: "
        "PyTorch's `gradcheck` (a `torch.autograd.Function` around the pair; slow mode, and `fast_mode=True`), JAX's "
        '`jax.test_util.check_grads` (a `custom_vjp` around callbacks; `order=1, modes=["rev"]`), and HIPS autograd\'s '
        '`check_grads` (`defvjp` on a primitive; `modes=["rev"], order=1`, NumPy\'s generator at seed 0). Only a '
        "checker's own verdict counts as a rejection; any other exception, mostly a framework's complaint about a "
        "gradient's shape, is counted apart.",
        "",
        "*FiniteDifferences, restated* is our own NumPy after the documentation of FiniteDifferences.jl and "
        "ChainRulesTestUtils.jl (`scripts/five_points.py`): `test_rrule` with `central_fdm(5, 1)`, that is five points "
        "with a step found for each element, within 0.01 of the input, one random cotangent, and "
        "`rtol = atol = 1e-9` for the norm of each array. It is no run of the Julia packages. MyGrad has no column: "
        "its package (2.5.0) offers no gradient checker, and the numerical gradients of its own tests, which take "
        "complex steps, are not part of it.",
        "",
        "## Summary",
        "",
        f"All {len(cases)} cases:",
        "",
        *summary(results, cases),
        "",
        f"Without the {len(cases) - len(smooth)} cases whose inputs lie on a kink, where central differences are "
        "no gradient and the other checkers make no promise:",
        "",
        *summary(results, smooth),
        "",
        f"The first sentence of our report names the mistake for **{len(told)} of {len(cases)}** bugs "
        f"({100 * len(told) / len(cases):.0f}%), and for {placed} more it shows the place from which the derivative "
        f"is wrong. For {len(NOT_TOLD)} it is vague, or it is another mistake that gives the same numbers. "
        "The sentences were read beside the stories, after the run; `tests/corpus/headlines.py` holds what each "
        "of them must say. They are below, each after the story of its bug.",
        "",
        "Where the checker sees numbers only, as with other frameworks' functions, it looks for patterns in them. "
        f"They were written down before the run, and fit for **{hits} of {len(cases)}** "
        f"({100 * hits / len(cases):.0f}%); for {admitted} others the patterns say *unknown*, "
        "and rightly so: none of them fits; these are not counted as right.",
        "",
        f"Made with {versions}, Python {sys.version.split()[0]}, by "
        "`python -m scripts.corpus_table`; the times are of one run on one machine, ours with the search for the "
        "mistake and for a smaller input.",
        "",
        "In the tables, *ok* means that the bug is rejected and the repair accepted; *misses it*: the bug is accepted; "
        "*false alarm*: the repair is rejected; *stops*: another exception than the checker's verdict; *put right*: "
        "the framework sums the gradient into the right shape before its checker sees it. Sentences in italics do not "
        "tell the mistake; patterns in italics are not the expected ones.",
    ]
    heads = list(results)
    for family, members in FAMILIES.items():
        lines += [
            "",
            f"## {family.capitalize()}",
            "",
            "| case | what went wrong, and what the report says first | pattern expected | found | "
            + " | ".join(heads)
            + " | ms |",
            "|---|---|---|---|" + "---|" * len(heads) + "--:|",
        ]
        for case in members:
            repository, number = case.reference.split("#")
            link = f"[{case.reference}](https://github.com/{repository}/issues/{number})"
            where = f" At: {case.at}." if case.at else ""
            kind = patterns[case.name]
            found = kind if kind in (case.kind, *case.also) else f"*{kind}*"
            expected = " or ".join((case.kind, *case.also))
            own_time = 1000 * sum(a.seconds for a in results["tinygrad_cnn"][case.name])
            cells = " | ".join(cell(*results[name][case.name]) for name in heads)
            sentence = results["tinygrad_cnn"][case.name][0].headline
            marked = f"*{sentence}*" if case.name in NOT_TOLD else sentence
            told_as = f"{case.story[0].upper()}{case.story[1:]}.{where}<br>→ {marked}".replace("|", "\\|")
            lines.append(
                f"| **{case.name}**<br>{case.framework}, {case.year}, {link} | {told_as} | {expected} | {found} | "
                f"{cells} | {own_time:.0f} |"
            )
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run every checker on every case and write the page."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    cases = [case for family in FAMILIES.values() for case in family]
    results = {}
    for name, check in checkers().items():
        by_case = {}
        for case in cases:
            by_case[case.name] = answer(check, case, case.wrong), answer(check, case, case.right)
        results[name] = by_case
        print(name, sum(a.said == REJECTS for a, _ in by_case.values()), "of", len(by_case), "bugs rejected")
        for case_name, answers in by_case.items():
            for which, one in zip(("bug", "repair"), answers, strict=True):
                if one.said.startswith("error"):
                    print(f"  {case_name} ({which}): {one.said[:160]}")
    PAGE.write_text(page(results, {case.name: pattern(case) for case in cases}), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
