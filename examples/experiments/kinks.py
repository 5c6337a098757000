"""
Where a function has no derivative
==================================

relu has a kink at 0, and a maximum has one wherever two of its arguments are equal. At a kink there is a slope to the
left and a slope to the right, and a backward pass returns one of them, or something between: all of that is right. The
set of what may be returned is called the *subdifferential*. A difference quotient knows nothing of it. If the kink lies
within its step it gives a mixture of both slopes, and a check that compares numbers raises the alarm: a right gradient
has failed. Tests that fail once in a hundred runs are often this [1, 2].

This experiment shows what differences see, how often a fixed step raises a false alarm, and how the checker tells a
convention from a mistake: a tie may go to one element or be shared, but must not be counted twice.

[1] pytorch/pytorch, issue 946: a pooling test fails when two elements of a window are closer than the step.
[2] chainer/chainer, issue 8519: a test of max fails at an input whose greatest element is there twice.

Run it: ``python examples/experiments/kinks.py --out pictures``. Some seconds.
"""

# sphinx_gallery_thumbnail_path = 'experiments-kink.png'

# %%
# First, what differences see around relu's kink, in units of the step: one-sided quotients jump one step too early or
# too late, and the central one goes up a ramp.

import numpy as np
from blackboard import BLACK, BLUE, GREEN, GREY, ORANGE, RED, label, picture, run, table

from tinygrad_cnn.gradcheck import Verdict, gradcheck, numpy_pair


def relu(x):
    return np.maximum(x, 0)


def seen(x, h):
    """By name: the backward, central and forward difference of relu at x."""
    ahead, here, behind = relu(x + h), relu(x), relu(x - h)
    return {"backward": (here - behind) / h, "central": (ahead - behind) / (2 * h), "forward": (ahead - here) / h}


def draw_ramp(figure):
    axes = figure.add_subplot()
    axes.set_title("Within a step of relu’s kink, a difference sees neither 0 nor 1")
    x = np.linspace(-2.5, 2.5, 1001)
    axes.axvspan(-1, 1, color="#F3E9D2", zorder=0, lw=0)
    for (name, slopes), colour, place in zip(
        seen(x, 1.0).items(), (ORANGE, RED, BLUE), ((1.06, 0.86), (-0.42, 0.24), (-1.06, 0.14)), strict=True
    ):
        axes.plot(x, slopes, color=colour, zorder=3)
        label(axes, *place, name, colour, ha="right" if name == "forward" else "left", bbox=None)
    axes.plot([-2.5, 0, 0, 2.5], [0, 0, 1, 1], "k--", lw=2, zorder=4)
    label(axes, 1.7, 0.93, "relu′", BLACK, bbox=None, weight="bold")
    label(axes, 0, 1.12, "here a right gradient raises an alarm", GREY, ha="center", bbox=None)
    axes.set(
        xlabel="distance from the kink, in steps h", ylabel="slope that is seen", ylim=(-0.12, 1.2), xlim=(-2.5, 2.5)
    )


# %%
# How often does it happen? Of n inputs drawn from N(0, 1) one lies within h of 0 with probability about 2h/√(2π), so at
# least one of n does with 1 − (1 − 2h/√(2π))ⁿ. A check with a fixed step and a tolerance, written in four lines as one
# finds it in many projects, is tried on a right gradient, many times.


def fixed_step_accepts(f, gradient, x, h, tolerance=1e-3):
    """The usual check of an element-wise function: every difference is close to the gradient."""
    return bool(np.all(np.abs((f(x + h) - f(x - h)) / (2 * h) - gradient(x)) < tolerance))


def relu_slope(x):
    return (x > 0) * 1.0


def alarm_expected(n, h):
    """The probability that one of n normal numbers lies within h of 0."""
    return 1 - (1 - 2 * h / np.sqrt(2 * np.pi)) ** n


def false_alarms(sizes, steps, trials):
    """By (size, step): the share of trials in which the usual check rejects relu's right gradient."""
    random = np.random.default_rng(0)
    found = {}
    for n in sizes:
        inputs = [random.standard_normal(n) for _ in range(trials)]
        for h in steps:
            found[n, h] = np.mean([not fixed_step_accepts(relu, relu_slope, x, h) for x in inputs])
    return found


def checker_alarms(n, trials):
    """How often our checker rejects the same right gradient."""
    random = np.random.default_rng(0)
    pair = numpy_pair(relu, lambda g, x: g * relu_slope(x))
    reports = [gradcheck(pair, [random.standard_normal(n)], raise_exception=False) for _ in range(trials)]
    return sum(not report for report in reports)


def draw_alarms(figure, found, ours):
    axes = figure.add_subplot()
    axes.set_title("How often a right gradient of relu is rejected")
    axes.set(xlabel="number of inputs", ylabel="false alarms", ylim=(-0.13, 1.09), xlim=(8, 4e5))
    n = np.logspace(1, 5, 200)
    for h, colour in zip(sorted({h for _, h in found}), (BLUE, GREEN, RED), strict=True):
        mine = sorted((size, share) for (size, step), share in found.items() if step == h)
        axes.semilogx(n, alarm_expected(n, h), color=colour, lw=2)
        axes.semilogx(*zip(*mine, strict=True), "o", color=colour, ms=8)
        half = np.log(0.62) / np.log(1 - 2 * h / np.sqrt(2 * np.pi))
        if half < 6e4:
            label(axes, half * 0.85, 0.42, f"step {h:g}", colour, ha="right")
    label(axes, 1.1e5, alarm_expected(1e5, 1e-6), "step 10⁻⁶", BLUE)
    axes.semilogx([size for size, _ in ours], [share for _, share in ours], "D", color=BLACK, ms=9, zorder=5)
    label(axes, 9, -0.08, "gradcheck: none", BLACK, weight="bold", bbox=None)
    axes.set_yticks([0, 0.5, 1], ["0%", "50%", "100%"])


# %%
# Now a tie: the maximum of two equal numbers, (2, 2). Move the first up and the maximum follows; move it down and
# nothing happens. So each number alone has the slopes 0 and 1. Both together have the slope 1 exactly: their parts must
# add up to 1. That is the segment in the third picture, and everything beside it is a mistake, also where each part
# alone looks harmless.

CONVENTIONS = {
    "the first takes it": (1.0, 0.0),
    "shared": (0.5, 0.5),
    "the last takes it": (0.0, 1.0),
    "counted twice": (1.0, 1.0),
    "nobody takes it": (0.0, 0.0),
    "lost in sharing": (0.25, 0.25),
}


def tie(parts):
    """The report on max at (2, 2) with a gradient that gives its elements these parts."""
    pair = numpy_pair(np.max, lambda g, x: g * np.array(parts))
    return gradcheck(pair, [np.array([2.0, 2.0])], raise_exception=False)


def draw_tie(figure, reports):
    axes = figure.add_subplot()
    axes.set_title("max at (2, 2): which gradients are right?")
    axes.plot([0, 1], [1, 0], color=BLUE, lw=7, alpha=0.35, solid_capstyle="round")
    label(axes, 0.3, 0.78, "subdifferential", BLUE, bbox=None)
    for name, report in reports.items():
        right, place = bool(report), CONVENTIONS[name]
        axes.plot(*place, "o" if right else "X", color=BLUE if right else RED, ms=14, zorder=4, clip_on=False)
        label(axes, place[0] + 0.045, place[1] + 0.035, name, BLUE if right else RED, bbox=None, zorder=5)
    axes.set(xlabel="gradient of the first", ylabel="gradient of the second", xlim=(-0.1, 1.5), ylim=(-0.1, 1.15))
    axes.set(xticks=[0, 0.5, 1], yticks=[0, 0.5, 1], aspect="equal")
    label(axes, 1.12, 0.62, "● passes", BLUE)
    label(axes, 1.12, 0.52, "✖ fails", RED)


# %%
# Last, what the checker says in words: at a kink, beside one, at a jump. At a jump there is no slope at all, and it
# says that it cannot tell. So it does in float32 when noise hides whether there is a kink.


def verdicts():
    """By name: the report on one element at a kink, beside it, on the wrong side, and at a jump."""

    def relu_with(slope_of):
        return numpy_pair(relu, lambda g, x: g * slope_of(x))

    cases = {
        "relu at 0, slope 0": (relu_with(relu_slope), 0.0),
        "relu at 0, slope 1": (relu_with(lambda x: (x >= 0) * 1.0), 0.0),
        "relu at 0, slope 2": (relu_with(lambda x: np.where(x == 0, 2.0, x > 0)), 0.0),
        "relu at 10⁻⁷, slope 1": (relu_with(relu_slope), 1e-7),
        "relu at 10⁻⁷, slope 0": (relu_with(lambda x: 0 * x), 1e-7),
        "floor at 2, slope 0": (numpy_pair(np.floor, lambda g, x: 0 * g), 2.0),
    }
    return {name: gradcheck(pair, [np.array([x])], raise_exception=False) for name, (pair, x) in cases.items()}


def main(out=None, quick=False):
    """Measure, print and draw; return the shares of false alarms, our own, and the reports on ties and kinks."""
    sizes, steps, trials = (10, 100, 1000, 10_000, 100_000), (1e-6, 1e-4, 1e-2), 50 if quick else 200
    found = false_alarms(sizes[:4] if quick else sizes, steps, trials)
    ours = [(n, checker_alarms(n, k) / k) for n, k in ((10, 20), (100, 10), (1000, 2))]
    rows = [(n, h, float(share), float(alarm_expected(n, h))) for (n, h), share in found.items()]
    table(("inputs", "step", "false alarms", "expected"), rows)
    print(f"  gradcheck's share on 10, 100 and 1000 inputs: {', '.join(f'{share:.0%}' for _, share in ours)}\n")

    ties = {name: tie(parts) for name, parts in CONVENTIONS.items()}
    judged = verdicts()
    rows = []
    for name, report in (*ties.items(), *judged.items()):
        e = report.worst
        told = e.reason if report.verdict is not Verdict.FAIL else report.diagnoses[0].kind
        rows.append((name, report.verdict.value, told))
    table(("gradient", "verdict", "what the checker says"), rows)
    picture(out, "experiments-kink.png", draw_ramp)
    picture(out, "experiments-alarms.png", lambda to: draw_alarms(to, found, ours))
    picture(out, "experiments-tie.png", lambda to: draw_tie(to, ties), size=(8.5, 6.6))
    return found, ours, ties, judged


if __name__ == "__main__":
    run(main, __doc__)
