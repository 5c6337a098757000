"""
PixelShuffle: channels become pixels
====================================

`nn.PixelShuffle(2)` makes an image twice as high and twice as wide. It has no weights and computes nothing new: it
takes four channels and puts their pixels side by side. `nn.PixelUnshuffle(2)` is the way back.

Run it: ``python examples/layers/pixel_shuffle.py FOLDER`` writes the picture into FOLDER.
"""

# %%
# Four channels of 3×3 pixels. Every pixel of channel k has the value k.

from drawing import RED, frame, image, numbers, picture

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.datasets import load_sample

channels = tg.arange(4.0)[None, :, None, None].expand(1, 4, 3, 3)
large = nn.PixelShuffle(2)(channels)[0, 0]
print(f"{tuple(channels.shape)} -> {(1, 1, *large.shape)}")

# %%
# One pixel of each channel fills a square of 2×2: channel 0 upper left, 1 upper right, 2 lower left, 3 lower right.

assert large[:2, :2].tolist() == [[0, 1], [2, 3]]
assert (large == large[:2, :2].repeat(3, 3)).all()

# %%
# The way back takes a digit of 28×28 pixels apart into four small ones of 14×14: each has every second row and every
# second column. Nothing is lost, so both together give the digit again. A pooling layer would keep one of four numbers.

digit = tg.tensor(load_sample().train_images[0]).float()[None, None] / 255
small = nn.PixelUnshuffle(2)(digit)
print(f"{tuple(digit.shape)} -> {tuple(small.shape)}")
assert small.shape == (1, 4, 14, 14)
assert all((small[0, 2 * i + j] == digit[0, 0, i::2, j::2]).all() for i in (0, 1) for j in (0, 1))
assert (nn.PixelShuffle(2)(small) == digit).all()


def draw(figure):
    above, below = figure.subplots(2, 5)
    for k in range(4):
        image(above[k], channels[0, k], f"channel {k}", colours="Blues", limit=4)
        numbers(above[k], channels[0, k])
        frame(above[k], 0, 0, 1, 1, RED, lw=3)
        image(below[k], small[0, k], f"channel {k}", limit=1)
    image(above[4], large, "shuffled", colours="Blues", limit=4)
    numbers(above[4], large, size=9)
    frame(above[4], 0, 0, 2, 2, RED, lw=3)
    image(below[4], digit[0, 0], "shuffled", limit=1)


picture("pixel_shuffle.png", draw, (9.4, 4.6))

# %%
# **What to look at.** The frames mark one pixel of each channel, and where the four are in the result. Below, four
# digits that differ by half a pixel become one that is sharp. Networks that make images larger let a Conv2d compute
# four channels, and shuffle them: each output pixel has weights of its own, and no checkerboard comes from overlaps.
