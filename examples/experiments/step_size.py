"""
How small should the step be?
=============================

A derivative is a limit, so a smaller step should be a better one. On a computer it is not. The difference of two
values that nearly agree keeps few of their digits, and what rounding did to them is divided by the step. Two errors
pull at the step from either side: *truncation*, the part of Taylor's series that was left out, which shrinks with
h, h² or h⁴; and *rounding*, which grows as 1/h. The best step lies where the two are equal.

This experiment measures both with four ways to differentiate, in three precisions, and then asks for a second
derivative, where everything is worse.

Run it: ``python examples/experiments/step_size.py --out pictures``. Some seconds.
"""

# sphinx_gallery_thumbnail_path = 'experiments-steps.png'

# %%
# The function is as smooth as a function can be, so whatever goes wrong is not its fault. What is right we take from
# the backward pass, which has no step at all.

import numpy as np
from blackboard import BLUE, GREEN, GREY, PURPLE, RED, label, picture, run, table

import tinygrad_cnn as tg
from tinygrad_cnn import autograd
from tinygrad_cnn.gradcheck import derivative


def f(x):
    """exp(sin 2x): of arrays, and of Tensors, which know NumPy's functions."""
    return np.exp(np.sin(2 * x))


def exact(x):
    """The first and the second derivative at each point, in float64, by the backward pass and by its own."""
    t = tg.tensor(x.astype(np.float64), requires_grad=True)
    (first,) = autograd.grad(f(t).sum(), t, create_graph=True)
    (second,) = autograd.grad(first.sum(), t)
    return first.detach().numpy(), second.numpy()


# %%
# Each of these is a quotient of values in the precision of x. The step that is divided by is the one that was really
# made: x + h is rounded too, and forgetting that is a popular mistake.


def forward(x, h):
    """(f(x + h) − f(x)) / h, whose error shrinks with h."""
    return (f(x + h) - f(x)) / ((x + h) - x)


def central(x, h):
    """(f(x + h) − f(x − h)) / 2h, whose error shrinks with h²: the odd powers are the same on both sides."""
    return (f(x + h) - f(x - h)) / ((x + h) - (x - h))


def richardson(x, h):
    """Two central differences, h and h/2, combined so that their h² cancels; the error shrinks with h⁴."""
    return (4 * central(x, h / 2) - central(x, h)) / 3


def complex_step(x, h):
    """Im f(x + ih) / h: nothing is subtracted, so nothing cancels, and h may be as small as one likes."""
    return np.imag(f(x + 1j * h.astype(np.result_type(x, np.complex64)))) / h


def second_difference(x, h):
    """(f(x + h) − 2 f(x) + f(x − h)) / h²: rounding is divided by the step twice."""
    return (f(x + h) - 2 * f(x) + f(x - h)) / (h * h)


# %%
# One point would show a jagged line, since rounding is a lottery. Four hundred points, and the root of their mean
# squared error, show what it costs on average. The steps are powers of two, which are exact in every precision.

POINTS = 400
DTYPES = (np.float16, np.float32, np.float64)


def errors(method, dtype, order=1, points=POINTS):
    """Steps, and the error of a method at each, relative to the size of the derivative."""
    x = np.random.default_rng(0).uniform(0.5, 0.75, points).astype(dtype)
    right = exact(x)[order - 1]
    smallest = -9 if dtype is np.float16 else -22 if dtype is np.float32 else -51
    steps = 2.0 ** np.arange(-1, smallest - 1, -1)
    size = np.sqrt(np.mean(right**2))
    with np.errstate(all="ignore"):
        found = np.array([method(x, np.asarray(h, dtype)).astype(np.float64) for h in steps])
    off = np.sqrt(np.mean((found - right) ** 2, axis=1)) / size
    return steps, np.maximum(off, 1e-17)


def slope(steps, off, low, high):
    """How steep a curve is between two steps on paper with logarithmic axes: the power of h."""
    there = (steps >= low) & (steps <= high) & np.isfinite(off)
    return float(np.polyfit(np.log(steps[there]), np.log(off[there]), 1)[0])


# %%
# The first picture: one precision, four methods. Read each curve from the right, where truncation rules, to the left.


def draw_methods(figure, curves):
    axes = figure.add_subplot()
    axes.set_title("A smaller step is better, until it is worse (float64)")
    axes.set(xlabel="step h", ylabel="relative error of f′", ylim=(2e-18, 9), xlim=(2.0**-52, 2))
    drawn = {"forward": (BLUE, "-", 2e-6, 2e-3, "forward ∝ h"),
             "central": (RED, "-", 2e-4, 1.5e-9, "central\n∝ h²"),
             "richardson": (GREEN, "-", 4e-2, 1e-12, "Richardson\n∝ h⁴"),
             "complex_step": (PURPLE, "--", 3e-15, 4e-16, "complex step: no rounding to amplify")}  # fmt: skip
    for name, (steps, off) in curves.items():
        colour, line, x, y, words = drawn[name]
        axes.loglog(steps, off, line, color=colour)
        label(axes, x, y, words, colour)
    label(axes, 1e-14, 2e-6, "rounding ∝ 1/h", GREY)


# %%
# The second picture: one method, three precisions. With eps the distance of 1 from the next number, truncation h² and
# rounding eps/h are equal at the cube root of eps; two thirds of the digits are left there, and no step gives more.


def draw_precisions(figure, curves):
    axes = figure.add_subplot()
    axes.set_title("The best step is about the cube root of eps")
    axes.set(xlabel="step h of a central difference", ylabel="relative error of f′", ylim=(2e-13, 40))
    axes.set_xlim(2.0**-52, 30)
    for (name, (steps, off)), colour in zip(curves.items(), (PURPLE, RED, BLUE), strict=True):
        eps = float(np.finfo(name).eps)
        theory, best = eps ** (1 / 3), int(np.argmin(off))
        axes.loglog(steps, off, "o-", color=colour, ms=4)
        axes.plot([theory] * 2, [1e-13, off[best]], ":", color=colour)
        side, factor = ("left", 1.3) if name == "float16" else ("right", 0.8)
        label(axes, theory * factor, 2e-12, f"∛eps = {theory:.1g}", colour, ha=side)
        label(axes, steps[-1], off[-1] * 4, name, colour, weight="bold")
    label(axes, 3e-1, 1e-3, "truncation\n∝ h²", GREY)
    label(axes, 1e-12, 1e-7, "rounding\n∝ 1/h", GREY, ha="right")


# %%
# The third picture: a second derivative. Differences of differences lose half of all digits to 1/h². But who has a
# gradient may take differences of *it*, and is back at 1/h: so second derivatives are checked in this way.


def gradient_difference(x, h):
    """The central difference of the gradient that the backward pass gives."""
    return (exact(x + h)[0] - exact(x - h)[0]) / ((x + h) - (x - h))


def draw_second(figure, curves):
    axes = figure.add_subplot()
    axes.set_title("A second derivative: take differences of the gradient")
    axes.set(xlabel="step h", ylabel="relative error of f″ (float64)", ylim=(1e-13, 1e5), xlim=(2.0**-34, 1))
    for (steps, off), colour in zip(curves.values(), (RED, BLUE), strict=True):
        axes.loglog(steps, off, "o-", color=colour, ms=4)
        best = int(np.argmin(off))
        axes.plot(steps[best], off[best], "o", color=colour, ms=14, mfc="none", mew=2.5)
        label(axes, steps[best] * 2, off[best] / 6, f"at best {off[best]:.0e}", colour, weight="bold")
    label(axes, 2e-8, 1e2, "differences of values: rounding ∝ 1/h²", RED)
    label(axes, 8e-11, 2e-11, "differences of gradients:\nrounding ∝ 1/h", BLUE)
    label(axes, 2e-2, 1e-5, "truncation ∝ h²", GREY)


# %%
# `derivative`, which the checker is built on, takes three steps, extrapolates twice, and says itself how far off it
# may be. Its claim is compared with what it is really off by.


def claimed(x=0.6):
    """The error that `derivative` claims, and the one that it has."""
    found = derivative(lambda h: float(f(x + h)))
    return found.error, abs(found.value - float(exact(np.array([x]))[0][0]))


def main(out=None, quick=False):
    """Measure, print and draw; return the curves by (method, dtype)."""
    points = 100 if quick else POINTS
    curves = {(m.__name__, np.dtype(d).name): errors(m, d, points=points) for d in DTYPES
              for m in (forward, central, richardson, complex_step)
              if not (m is complex_step and d is np.float16)}  # fmt: skip
    for method, order in ((second_difference, 2), (gradient_difference, 2)):
        curves[method.__name__, "float64"] = errors(method, np.float64, order, points)

    rows = []
    for (method, dtype), (steps, off) in curves.items():
        best = int(np.argmin(off))
        rows.append((method, dtype, float(steps[best]), float(off[best])))
    table(("method", "precision", "best step", "error there"), rows)
    claim, has = claimed()
    print(f"  gradcheck.derivative says it is off by at most {claim:.1e}, and is off by {has:.1e}\n")

    methods = ("forward", "central", "richardson", "complex_step")
    dtypes = ("float16", "float32", "float64")
    seconds = ("second_difference", "gradient_difference")
    picture(out, "experiments-steps.png", lambda to: draw_methods(to, {m: curves[m, "float64"] for m in methods}))
    picture(out, "experiments-precision.png", lambda to: draw_precisions(to, {d: curves["central", d] for d in dtypes}))
    picture(out, "experiments-second.png", lambda to: draw_second(to, {m: curves[m, "float64"] for m in seconds}))
    return curves


if __name__ == "__main__":
    run(main, __doc__)
