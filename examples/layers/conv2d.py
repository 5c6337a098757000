"""
Conv2d: a filter moves over a digit
===================================

`nn.Conv2d` moves a small table of weights, the *kernel*, over an image. At each place it multiplies the weights with
the pixels below them and adds the products. Here the kernel has 3×3 weights that you can read: it answers where the
image grows darker from left to right. A network learns such weights.

Run it: ``python examples/layers/conv2d.py FOLDER`` writes the picture into FOLDER.
"""

# %%
# `stride` is how far the kernel moves from one place to the next. `padding` is how many zeros stand around the image.
# `dilation` is the distance between two weights of the kernel. All three change the size of the result.

from drawing import RED, frame, image, picture

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.datasets import load_sample

digit = tg.tensor(load_sample().train_images[0]).float() / 255  # 28×28, from 0 (paper) to 1 (ink)
kernel = tg.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])  # Sobel's


def filtered(**settings):
    """The digit through a Conv2d with this kernel: a table of (OH, OW) numbers."""
    layer = nn.Conv2d(1, 1, kernel_size=3, bias=False, **settings)
    with tg.no_grad():
        layer.weight.copy_(kernel[None, None])  # (out channels, in channels, 3, 3)
        return layer(digit[None, None])[0, 0]


results = {
    "defaults": filtered(),
    "padding=1": filtered(padding=1),
    "stride=2": filtered(stride=2),
    "dilation=3": filtered(dilation=3),
}
for name, result in results.items():
    print(f"{name:10}  {tuple(result.shape)}")

# %%
# Without padding the kernel fits at 26 places in a row of 28 pixels, so the result is 26×26. With `padding=1` it stays
# 28×28. With `stride=2` every second place is left out: 13×13. With `dilation=3` the kernel covers 7×7 pixels, which
# leaves 22 places. One formula gives all four sizes:

sizes = {}
for name, (stride, padding, dilation) in zip(results, [(1, 0, 1), (1, 1, 1), (2, 0, 1), (1, 0, 3)], strict=True):
    sizes[name] = (28 + 2 * padding - dilation * (3 - 1) - 1) // stride + 1
    assert results[name].shape == (sizes[name], sizes[name])
assert list(sizes.values()) == [26, 28, 13, 22]

# One number of the result, by hand: the product with the 3×3 pixels below the kernel, added up.
assert abs((digit[9:12, 14:17] * kernel).sum() - results["defaults"][9, 14]) < 1e-5


def draw(figure):
    grid = figure.subplots(2, 3)
    first, *others, last = grid.flat
    image(first, digit, "the digit\n28×28")
    frame(first, 1, 1, 3, 3)
    for row in (17, 20, 23):
        for column in (20, 23, 26):
            frame(first, row, column, 1, 1, lw=1.2)
    first.text(5, 2, "dilation=1", va="center", color=RED)
    first.text(27, 26, "dilation=3", ha="right", va="center", color=RED)
    for axes, (name, result) in zip(others, results.items(), strict=True):
        shown = image(axes, result, f"{name}\n{len(result)}×{len(result)}", colours="RdBu", limit=4)
        axes.set(xlim=(-0.5, 27.5), ylim=(27.5, -0.5), facecolor="0.8")
    last.set_axis_off()
    figure.colorbar(shown, cax=last.inset_axes((0, 0, 0.08, 1)), label="number in the result")


picture("conv2d.png", draw, (8, 5.4))

# %%
# **What to look at.** Blue is positive: there the image grows darker to the right. That is the left edge of a stroke.
# Red is negative: the right edge. Inside a stroke and on the paper the result is 0, which is white. Each panel has room
# for 28×28 squares, and what the result does not fill is grey: you see how it becomes smaller. In the first panel the
# frames show the 9 pixels that one number of the result reads, with `dilation=1` and with `dilation=3`.
