"""
MaxPool2d and AvgPool2d: one number for a window
================================================

A pooling layer makes an image smaller and has no weights. It cuts the image into windows, here of 2×2 pixels, and keeps
one number of each: `nn.MaxPool2d` the largest, `nn.AvgPool2d` the average. On the way back they differ: the maximum
sends the gradient to the winner alone, the average sends a quarter to each pixel.

Run it: ``python examples/layers/pooling.py FOLDER`` writes the picture into FOLDER.
"""

# %%
# The sum of the output is our loss, so each number of the output has the gradient 1.

from drawing import RED, image, picture

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.datasets import load_sample

digit = tg.tensor(load_sample().train_images[0]).float() / 255
outputs, gradients = {}, {}
for layer in (nn.MaxPool2d(2), nn.AvgPool2d(2)):
    x = digit[None, None].clone().requires_grad_()
    y = layer(x)
    y.sum().backward()
    name = type(layer).__name__
    outputs[name], gradients[name] = y.detach()[0, 0], x.grad[0, 0]
    print(f"{name}: {tuple(digit.shape)} -> {tuple(outputs[name].shape)}")

# %%
# 28×28 pixels become 14×14 numbers. The gradient of the maximum is 1 at the 196 winners and 0 at all other pixels. That
# of the average is ¼ everywhere. `return_indices=True` says which pixel won in each window.

_, winners = nn.MaxPool2d(2, return_indices=True)(digit[None, None])
rows, columns = winners.flatten() // 28, winners.flatten() % 28
assert winners.shape == (1, 1, 14, 14)
assert gradients["MaxPool2d"].sum() == 196
assert (gradients["MaxPool2d"][rows, columns] == 1).all()
assert (gradients["AvgPool2d"] == 0.25).all()

# On the paper all four pixels of a window are 0. Of equal pixels the first one wins.
assert (digit[:2, :2] == 0).all()
assert gradients["MaxPool2d"][:2, :2].tolist() == [[1, 0], [0, 0]]


def part(axes, values, title, **options):
    """Rows and columns 10 to 19, with the windows as lines."""
    shown = image(axes, values, title, **options)
    axes.set(xlim=(9.5, 19.5), ylim=(19.5, 9.5), xticks=range(10, 20, 3), yticks=range(10, 20, 3))
    for edge in range(10, 21, 2):
        axes.axhline(edge - 0.5, color="0.6", lw=0.8)
        axes.axvline(edge - 0.5, color="0.6", lw=0.8)
    return shown


def draw(figure):
    above, below = figure.subplots(2, 3)
    image(above[0], digit, "the digit, 28×28")
    for axes, (name, y) in zip(above[1:], outputs.items(), strict=True):
        image(axes, y, f"{name}(2), 14×14", limit=1)
    part(below[0], digit, "winners of the windows")
    below[0].plot(columns.numpy(), rows.numpy(), "o", color=RED, markeredgecolor="white", ms=7)
    for axes, (name, gradient) in zip(below[1:], gradients.items(), strict=True):
        shown = part(axes, gradient, f"gradient, {name}", colours="Blues", limit=1)
    figure.colorbar(shown, ax=below[1:], shrink=0.8, label="gradient of the sum")


picture("pooling.png", draw, (8.4, 5.4))

# %%
# **What to look at.** The maximum keeps strokes black and makes them thicker. The average makes their edges grey. The
# panels below show a part of the digit. Each orange-red dot is a winner: one in each window, at its darkest pixel; if
# all are white, at the first. Only these pixels get a gradient. The last panel has one colour only, because all pixels
# get the same.
