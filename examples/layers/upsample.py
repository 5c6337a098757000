"""
Upsample: what stands between the pixels
========================================

`nn.Upsample` makes an image larger and has no weights. `mode` says what it puts between the pixels: *nearest* repeats
the closest one, *bilinear* joins neighbours by straight lines, *bicubic* by smooth curves through four of them.

Run it: ``python examples/layers/upsample.py FOLDER`` writes the picture into FOLDER.
"""

# %%
# A digit of 14×14 pixels becomes four times as large. Below, the same for a single line of six numbers, where you see
# more.

from drawing import BLUE, GREEN, GREY, ORANGE, image, picture

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.datasets import load_sample

digit = tg.tensor(load_sample().train_images[0]).float() / 255
small = nn.functional.avg_pool2d(digit[None, None], 2)
line = tg.tensor([0.0, 0.0, 1.0, 1.0, 0.0, 0.0])[None, None, None].expand(1, 1, 6, 6)
modes = ["nearest", "bilinear", "bicubic"]
larger = {mode: nn.Upsample(scale_factor=4, mode=mode)(small)[0, 0] for mode in modes}
lines = {mode: nn.Upsample(scale_factor=16, mode=mode)(line)[0, 0, 48] for mode in modes}
for mode in modes:
    print(f"{mode:9} {tuple(larger[mode].shape)}, the line from {lines[mode].min():.2f} to {lines[mode].max():.2f}")

# %%
# All three give 56×56 pixels. Nearest has no new numbers. Bilinear stays between the smallest and the largest. Bicubic
# goes beyond them: the line reaches 1.19 and falls to -0.11. If pixels must stay in 0 … 1, clamp them.

assert all(result.shape == (56, 56) for result in larger.values())
assert {*lines["nearest"].tolist()} == {0.0, 1.0}
assert lines["bilinear"].min() == 0
assert lines["bilinear"].max() == 1
assert abs(lines["bicubic"].max() - 1.19) < 0.01
assert abs(lines["bicubic"].min() + 0.11) < 0.01

# %%
# `align_corners` says where the first and the last pixel lie. With True their centres are the ends of the result. With
# False (the default) the *edges* of the pixels are the ends, and half a pixel at each end repeats the outermost number.

row = tg.tensor([0.0, 1.0, 2.0, 3.0])[None, None]
aligned = nn.Upsample(size=7, mode="linear", align_corners=True)(row)[0, 0]
edges = nn.Upsample(size=8, mode="linear", align_corners=False)(row)[0, 0]
print("align_corners=True: ", aligned.tolist())
print("align_corners=False:", edges.tolist())
assert aligned.tolist() == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
assert edges.tolist() == [0.0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3.0]


def draw(figure):
    above, below = figure.subfigures(2, 1, height_ratios=(1, 1))
    panels = above.subplots(1, 4)
    image(panels[0], small[0, 0], "input, 14×14", limit=1)
    for axes, (mode, result) in zip(panels[1:], larger.items(), strict=True):
        image(axes, result, f"{mode}, 56×56", limit=1)
    axes = below.subplots()
    places = (tg.arange(96) + 0.5) / 16 - 0.5
    for (mode, values), colour, dashes in zip(lines.items(), (ORANGE, GREEN, BLUE), ("-", "--", "-."), strict=True):
        axes.plot(places.numpy(), values.numpy(), dashes, color=colour, label=mode)
    axes.plot(range(6), line[0, 0, 0].numpy(), "o", color=GREY, ms=8, label="input")
    axes.set(xlabel="place, in pixels of the input", ylabel="value")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))


picture("upsample.png", draw, (8.4, 5))

# %%
# **What to look at.** Above: squares, a blurred digit, and a sharper one. Below: the dots are the six numbers that the
# layer got. All three curves meet them, and differ between them. Look how bicubic swings above 1 and below 0.
