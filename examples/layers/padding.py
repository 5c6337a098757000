"""
Padding layers: what stands beyond the edge
===========================================

A filter at the edge of an image reads pixels that do not exist. A padding layer makes them: zeros, a mirror image, the
last pixel again and again, or the opposite side.

Run it: ``python examples/layers/padding.py FOLDER`` writes the picture into FOLDER.
"""

# %%
# An image of 4×4 pixels with the numbers 1 to 16, and two pixels more on each side.

import numpy as np
from drawing import RED, frame, image, numbers, picture

import tinygrad_cnn as tg
from tinygrad_cnn import nn

pixels = tg.arange(1.0, 17.0).reshape(1, 1, 4, 4)
layers = [nn.ZeroPad2d(2), nn.ReflectionPad2d(2), nn.ReplicationPad2d(2), nn.CircularPad2d(2)]
padded, gradients = {}, {}
for layer in layers:
    x = pixels.clone().requires_grad_()
    y = layer(x)
    y.sum().backward()
    name = type(layer).__name__
    padded[name], gradients[name] = y.detach()[0, 0], x.grad[0, 0]
    print(f"{name:17} row 2: {[int(n) for n in padded[name][2].tolist()]}")

# %%
# Row 2 of the result is the first row of the image, 1 2 3 4, with two numbers on each side. They are what `numpy.pad`
# gives with its modes *constant*, *reflect*, *edge* and *wrap*. The mirror stands on the outermost pixel, which is not
# repeated: 3 2 | 1 2 3 4 | 3 2.

rows = {name: [int(n) for n in values[2].tolist()] for name, values in padded.items()}
assert rows["ZeroPad2d"] == [0, 0, 1, 2, 3, 4, 0, 0]
assert rows["ReflectionPad2d"] == [3, 2, 1, 2, 3, 4, 3, 2]
assert rows["ReplicationPad2d"] == [1, 1, 1, 2, 3, 4, 4, 4]
assert rows["CircularPad2d"] == [3, 4, 1, 2, 3, 4, 1, 2]
for values, mode in zip(padded.values(), ("constant", "reflect", "edge", "wrap"), strict=True):
    assert (values.numpy() == np.pad(pixels[0, 0].numpy(), 2, mode=mode)).all()

# %%
# The gradient of a pixel counts how often it is there. With zeros each is there once. In replication a corner is there
# 9 times. In circular padding with half of the width, each pixel is there 4 times. The counts add up to the 64 numbers
# of the result, except for the zeros, which belong to no pixel.

assert (gradients["ZeroPad2d"] == 1).all()
assert gradients["ReplicationPad2d"][0, 0] == 9
assert (gradients["CircularPad2d"] == 4).all()
assert [int(g.sum()) for g in gradients.values()] == [16, 64, 64, 64]


def draw(figure):
    for axes, (name, values) in zip(figure.subplots(2, 2).flat, padded.items(), strict=True):
        image(axes, values, name, colours="Blues", limit=20)
        numbers(axes, values)
        frame(axes, 2, 2, 4, 4, RED, lw=3)


picture("padding.png", draw, (7, 7))

# %%
# **What to look at.** The image is inside the frame. Zeros make an edge that is not in the picture, and a filter will
# find it. Reflection and replication continue the image. Circular padding fits an image that repeats, such as a map of
# the earth from west to east. `nn.Conv2d` takes the same choice as `padding_mode`.
