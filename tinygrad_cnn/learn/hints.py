"""The ladder of hints: that it is wrong, where, what kind of mistake it is, the formula."""

import re

from tinygrad_cnn.gradcheck.report import Report

MEANING = {
    "sign": "the sign is wrong somewhere",
    "factor": "a factor is wrong, everywhere alike",
    "transposed": "a matrix stands where its transpose belongs",
    "unbroadcast": "an input was broadcast, and its gradient must be summed over the places that it was broadcast to",
    "chain": "a factor of the chain rule is missing or wrong",
    "overwritten": "a gradient is assigned where it must be added up",
    "axis": "it works along another axis",
    "wrong axis": "a sum or a mean is taken over another axis",
    "window": "a window or a slice is off",
    "dropped": "a part of the gradient is missing",
    "held constant": "a value that depends on the input is treated as a constant",
    "path dropped": "the input reaches the output on several paths, and one of them is missing",
    "term dropped": "a term of a sum is missing",
    "factor dropped": "a factor, or a division, is missing",
    "left out": "a value is left out",
    "mean for sum": "a mean is taken where it must be a sum",
    "sum for mean": "a sum is taken where it must be a mean",
    "nonlinear": "the result is not linear in the gradient that comes in; every backward function is",
    "shape": "the shape is wrong",
    "nan": "the gradient is no number somewhere",
    "permuted": "the right values are at the wrong places",
    "constant": "a constant is wrong",
    "count": "a count is wrong: it divides by the number of something else",
    "kink convention": "it is wrong only where the function has a kink or a tie",
    "dtype": "it is computed with fewer digits",
    "mask": "a mask is missing or wrong: the gradient must be 0 where the function does not depend on the input",
    "other value": "another value is used in the place of the right one, such as the input for the output",
    "other point": "a derivative is taken at another value than the one that the function used",
    "exchanged": "two things are in each other's place",
    "diagonal": "each output depends on several inputs, and only one of them is taken into account",
    "derivative left out": "the derivative of one of the steps is left out",
    "square": "a square or a square root is missing or too many",
    "other turn": "something is read in another order or direction",
    "cotangent": "the gradient that comes in is used wrongly",
    "moved": "a gradient goes to the wrong elements",
    "not the adjoint": "the step is applied once more, where its transpose belongs",
    "reshaped": "the values are put into the shape in another order",
    "option": "an option, such as the stride, is other than in the function",
    "index": "an index or a slice is off",
    "wrong input": "an input gets the gradient of another one",
    "taken wrongly": "a value is used in another form, such as rounded, shifted or turned round",
    "step left out": "one of the steps is left out",
    "exponent": "an exponent is wrong",
    "not summed": "a sum is missing",
    "conduct": "the function does what no backward function may do, such as writing into its inputs",
    "forward": "the function itself computes something else",
    "last only": "only the last of several parts is taken, where all of them must be added up",
    "operator": "an operation is another one, such as a product in the place of a quotient",
    "too many": "there is a factor or a term that does not belong there",
    "several mistakes": "several of these mistakes together give your numbers",
    "inverse": "a derivative multiplies where it should divide, or the other way",
    "two mistakes": "two of these mistakes together give your numbers",
    "place": "no known mistake; it is told from where on your derivative is wrong",
    "first only": "only the first of several parts is taken, where all of them must be added up",
    "order": "the values are visited in the wrong order",
    "visited twice": "a value is visited more than once",
    "unknown": "it looks like none of the mistakes that are known",
}
"""Of the kinds of mistakes what a learner is told; the diagnosis itself says which value and which line."""


def of_report(report: Report, formula: str, there: str) -> tuple[str, ...]:
    """The four rungs for a wrong gradient; `there` are the numbers at the smallest input that fails, or nothing."""
    best = report.diagnoses[0] if report.diagnoses else None
    kind = best.kind if best else "conduct" if report.problem else "unknown"
    where = [sentence(report)]
    if report.smallest is not None:
        where.append(f"The smallest input found that fails: {report.smallest_text()}")
        where += [there] if there else []
    message = f"It looks like this: {best.message}." if best and kind != "unknown" else ""
    return (
        "The gradient is wrong.",
        "\n".join(where),
        what_kind(kind),
        "\n".join(line for line in (message, f"The formula: {formula}") if line),
    )


def what_kind(kind: str) -> str:
    """The name of a diagnosis, and what it means."""
    meaning = MEANING.get(kind)
    return f"What kind of mistake: {kind}" + (f". This means: {meaning}." if meaning else ".")


def in_words(problem: str) -> str:
    """What gradcheck says of a function that it does not judge, in a learner's words."""
    said = problem.removeprefix("gradcheck: ").replace("the vjp", "your backward function")
    return f"{said[:1].upper()}{said[1:]}."


def sentence(report: Report) -> str:
    """Which element of which input is wrong, or what keeps it from being judged."""
    worst = report.worst
    if report.problem or worst is None:
        return in_words(report.problem)
    place = f" at {re.sub(',[)]', ')', str(worst.place))}" if worst.place else ""
    wrong = sorted({e.name for e in report.entries if e.verdict.value == "fail"})
    inputs = f"The gradient of {' and '.join(wrong)} is wrong. " if wrong else ""
    return f"{inputs}Your gradient of {worst.name}{place} is {worst.analytic:.6g}; it should be {worst.numeric:.6g}."
