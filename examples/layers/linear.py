"""
Linear: a matrix moves the plane
================================

`nn.Linear` computes ``y = x Wᵀ + b``. With two inputs and two outputs each x is a point of the plane, and so is y. The
weight turns, stretches and flattens; the bias moves everything.

Run it: ``python examples/layers/linear.py FOLDER`` writes the picture into FOLDER.
"""

# %%
# Four layers with weights that you can read. All four get the same points: a letter F, and the unit square around it.

import math

from drawing import BLUE, ORANGE, picture

import tinygrad_cnn as tg
from tinygrad_cnn import nn

letter = tg.tensor([[0.25, 0.1], [0.25, 0.9], [0.75, 0.9], [0.25, 0.9], [0.25, 0.5], [0.6, 0.5]])
square = tg.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]])


def layer(weight, bias=(0.0, 0.0)):
    made = nn.Linear(2, 2)
    made.load_state_dict({"weight": tg.tensor(weight), "bias": tg.tensor(bias)})
    return made


c, s = math.cos(math.pi / 6), math.sin(math.pi / 6)
layers = {
    "turn by 30°": layer([[c, -s], [s, c]]),
    "stretch: 2 and ½": layer([[2.0, 0.0], [0.0, 0.5]]),
    "flatten: rank 1": layer([[1.0, 1.0], [0.5, 0.5]]),
    "turn, then move": layer([[c, -s], [s, c]], bias=[0.8, -0.5]),
}

# %%
# The determinant of the weight says what becomes of areas. The square has area 1. After the layer its area is the
# determinant, without its sign: 1 after the turn, 1 after this stretch too, 0 after the third layer. A bias changes no
# area.


def area(corners):
    """The area of a polygon whose last corner is its first (the shoelace formula)."""
    x, y = corners[:, 0], corners[:, 1]
    return abs((x[:-1] * y[1:] - x[1:] * y[:-1]).sum()).item() / 2


for (name, made), expected in zip(layers.items(), [1, 1, 0, 1], strict=True):
    with tg.no_grad():
        found, determinant = area(made(square)), tg.linalg.det(made.weight).item()
    print(f"{name:16}  det W = {determinant:5.2f}  area of the square = {found:.2f}")
    assert abs(found - abs(determinant)) < 1e-6
    assert abs(found - expected) < 1e-6


def draw(figure):
    panels = figure.subplots(2, 2, sharex=True, sharey=True)
    for axes, (name, made) in zip(panels.flat, layers.items(), strict=True):
        axes.axhline(0, color="0.85", lw=1, zorder=0)
        axes.axvline(0, color="0.85", lw=1, zorder=0)
        with tg.no_grad():
            for points, style in ((square, ":"), (letter, "-")):
                axes.plot(*points.T.numpy(), style, color=BLUE, label="x" if style == "-" else None)
                axes.plot(*made(points).T.numpy(), style, color=ORANGE, lw=3, label="y" if style == "-" else None)
        axes.set(title=name, aspect="equal")
    panels[0, 0].legend(loc="upper right")
    for axes in panels[1]:
        axes.set_xlabel("first coordinate")
    for axes in panels[:, 0]:
        axes.set_ylabel("second coordinate")


picture("linear.png", draw, (7, 5))

# %%
# **What to look at.** Straight lines stay straight, and parallel lines stay parallel: that is what *linear* means. The
# third layer puts the whole plane on one line. Different points become the same point there, so no later layer can tell
# them apart. Two Linear layers in a row are again one matrix. So a network puts an activation between them.

turn, stretch = layers["turn by 30°"], layers["stretch: 2 and ½"]
assert (stretch(turn(letter)) - letter @ (stretch.weight @ turn.weight).T).abs().max() < 1e-6
