"""
Ten million times 0.1
=====================

float32 has 24 bits. A sum that has grown to a million has bits left for steps of 1/16, so each 0.1 that is added is
rounded to 0.125 or so, and always in the same direction. *The order of the additions decides*: a running sum of n
numbers may be off by n roundings, a tree of pairs only by log₂ n of them [1], at the same price.

Gradients are sums: of a bias over all images and pixels, of a loss over all examples. And a gradient check divides the
difference of two such sums by a small step, which turns a rounding that nobody notices in the loss into a check that
sees nothing. This experiment shows both.

[1] N. Higham, *The accuracy of floating point summation*, SIAM J. Sci. Comput. 14 (1993), 783–799.

Run it: ``python examples/experiments/accumulation.py --out pictures``. Some seconds.
"""

# sphinx_gallery_thumbnail_path = 'experiments-sums.png'

# %%
# Three ways to add. The first is what a loop does; NumPy does the same over the first axis of a table, so that a sum
# over the rows of a batch is one, too. The second is NumPy's sum along what lies together in memory, and ours. The
# third keeps the sum in float64.

import math

import numpy as np
from blackboard import BLUE, GREEN, GREY, RED, label, picture, run, table

import tinygrad_cnn as tg
from tinygrad_cnn.gradcheck import gradcheck, numpy_pair

UNIT = 2.0**-24
"""Half the distance of 1 from the next float32: the largest relative error of one rounding."""


def running(values):
    """One after the other, in float32."""
    return np.cumsum(values, dtype=np.float32)[-1]


def pairwise(values):
    """In a tree, in float32."""
    return tg.tensor(values).sum().numpy()[()]


def wide(values):
    """In float64, rounded to float32 in the end."""
    return np.float32(np.sum(values, dtype=np.float64))


WAYS = (running, pairwise, wide)

# %%
# Copies of 0.1 all err in the same direction. Numbers drawn at random err in both, so that errors partly cancel; a
# class may be surprised which of the two is the typical case in a gradient. What is right, `math.fsum` knows: it adds
# without any rounding.


def sums(largest):
    """By (way, kind of numbers): the lengths, and the relative error of the sum of so many numbers."""
    kinds = {"0.1": np.full(largest, 0.1, np.float32), "random": np.random.default_rng(0).random(largest, np.float32)}
    lengths = [n for n in (10**k * m for k in range(1, 8) for m in (1, 3)) if n <= largest]
    curves = {}
    for kind, values in kinds.items():
        right = [math.fsum(values[:n].tolist()) for n in lengths]
        for way in WAYS:
            off = [abs(float(way(values[:n])) - r) / r for n, r in zip(lengths, right, strict=True)]
            curves[way.__name__, kind] = np.array(lengths), np.array(off)
    return curves


def draw_sums(figure, curves):
    axes = figure.add_subplot()
    axes.set_title("The sum of n times 0.1 in float32")
    axes.set(xlabel="n", ylabel="relative error", ylim=(3e-9, 3), xlim=(10, 4e8))
    for way, colour in (("running", RED), ("pairwise", BLUE)):
        n, off = curves[way, "0.1"]
        axes.loglog(n, np.maximum(off, 5e-9), "o-", color=colour)
        label(axes, n[-1] * 1.4, max(off[-1], 5e-9), f"{way}:\n{off[-1]:.1%} off" if off[-1] > 1e-3 else way, colour)
    n, off = curves["running", "random"]
    axes.loglog(n, np.maximum(off, 5e-9), "s--", color=RED, ms=4, lw=1.5, alpha=0.8)
    label(axes, n[-1] * 1.4, off[-1], "running,\nrandom numbers", RED)
    axes.loglog(n, n * UNIT, ":", color=GREY, lw=1.5)
    axes.set_xticks([10.0**k for k in range(1, 8)])
    axes.minorticks_off()
    label(axes, 2e5, 0.2, "bound: n roundings", GREY, ha="right")


# %%
# A loss of one weight: the mean of ln(1 + exp(−w x)) over many examples x. The examples are float32, each term is
# rounded alike; only the adding differs. What the difference quotient is off by is compared with the derivative in
# float64, added by `math.fsum`.


def examples_of(count):
    return np.random.default_rng(1).standard_normal(count, np.float32) + np.float32(0.5)


def loss(w, x, add):
    """The mean of the terms, added in one of the ways."""
    return add(np.logaddexp(np.float32(0), -w * x)) / np.float32(len(x))


def slope(w, x):
    """Its derivative, right to all digits of float64."""
    return math.fsum((-x / (1 + np.exp(np.float64(w) * x))).tolist()) / len(x)


def quotients(count, weights):
    """By way: the steps, and the relative error of the central difference, root mean square over five weights."""
    x = examples_of(count)
    steps = 2.0 ** np.arange(-1, -14, -1)
    right = [slope(w, x) for w in weights]
    curves = {}
    for add in WAYS:
        off = []
        for h in steps.astype(np.float32):
            ends = [(float(loss(w + h, x, add)), float(loss(w - h, x, add)), (w + h) - (w - h)) for w in weights]
            found = [(high - low) / float(two_h) for high, low, two_h in ends]
            off.append(np.sqrt(np.mean([(d - r) ** 2 for d, r in zip(found, right, strict=True)])))
        curves[add.__name__] = steps, np.array(off) / np.sqrt(np.mean(np.square(right)))
    return curves


def draw_quotients(figure, curves):
    axes = figure.add_subplot()
    axes.set_title("How the loss was added decides what a check can see")
    axes.set(xlabel="step h (weights and loss in float32)", ylabel="error of the central difference", xlim=(6e-5, 1))
    words = {"running": ("running sum", RED, "-", 2.5), "pairwise": ("pairwise", BLUE, "-", 4),
             "wide": ("added in float64", GREEN, "--", 0.25)}  # fmt: skip
    for way, (steps, off) in curves.items():
        told, colour, line, above = words[way]
        axes.loglog(steps, off, "o" + line, color=colour)
        label(axes, steps[-3], off[-3] * above, told, colour, weight="bold", ha="center")
    label(axes, 2e-1, 2e-3, "truncation ∝ h²", GREY)


# %%
# What the checker makes of it. It estimates how much the loss jitters, and its error bar is as long as that. With the
# running sum it will not say that the gradient is right, nor, when one per cent is added to it, that it is wrong.


def verdicts(count):
    """By (way, what the gradient is multiplied by): the report."""
    x = examples_of(count)
    found = {}
    for add in (running, pairwise):
        for factor in (1.0, 1.01):
            pair = numpy_pair(
                lambda w, add=add: np.reshape(loss(w, x, add), 1),
                lambda g, w, factor=factor: g * np.float32(factor * slope(w[0], x)),
            )
            w = [np.array([0.7], np.float32)]
            found[add.__name__, factor] = gradcheck(pair, w, raise_exception=False, explain=False)
    return found


def main(out=None, quick=False):
    """Measure, print and draw; return the errors of sums, of quotients, and the reports."""
    by_length = sums(10**6 if quick else 10**7)
    rows = [(way, kind, int(n[-1]), float(off[-1])) for (way, kind), (n, off) in by_length.items()]
    table(("added", "numbers", "how many", "relative error"), rows)

    weights = np.linspace(0.6, 0.9, 5, dtype=np.float32)
    by_step = quotients(10**5 if quick else 3 * 10**5, weights)
    steps = by_step["running"][0]
    table(
        ("step", *by_step), [(float(h), *(float(off[k]) for _, off in by_step.values())) for k, h in enumerate(steps)]
    )

    reports = verdicts(10**5)
    rows = []
    for (way, factor), report in reports.items():
        e = report.worst
        rows.append((way, factor, report.verdict.value, float(e.error / abs(e.numeric))))
    table(("loss added", "gradient times", "verdict", "error bar, relative"), rows)
    picture(out, "experiments-sums.png", lambda to: draw_sums(to, by_length))
    picture(out, "experiments-losses.png", lambda to: draw_quotients(to, by_step))
    return by_length, by_step, reports


if __name__ == "__main__":
    run(main, __doc__)
