"""
BatchNorm, LayerNorm, GroupNorm: whose mean is it?
==================================================

All of these layers subtract a mean and divide by a standard deviation. They differ in one thing: *over which numbers*
the mean and the deviation are taken. You need not believe a drawing: the gradient says it.

Run it: ``python examples/layers/normalization.py FOLDER`` writes the picture into FOLDER.
"""

# %%
# Take 4 images with 6 channels of 3×3 pixels. Choose one number of the output: image 1, channel 2, the upper left
# pixel. Its gradient is not 0 for exactly those inputs that it depends on. These are the numbers of its mean.

from drawing import RED, frame, image, picture

import tinygrad_cnn as tg
from tinygrad_cnn import nn

tg.manual_seed(0)
N, C, H, W = 4, 6, 3, 3
layers = {
    "BatchNorm2d(6)": nn.BatchNorm2d(C),
    "LayerNorm([6, 3, 3])": nn.LayerNorm([C, H, W]),
    "GroupNorm(2, 6)": nn.GroupNorm(2, C),
    "InstanceNorm2d(6)": nn.InstanceNorm2d(C),
}
asked = {}
for name, layer in layers.items():
    x = tg.randn(N, C, H, W, requires_grad=True)
    layer(x)[1, 2, 0, 0].backward()
    asked[name] = (x.grad.abs() > 1e-6).sum(dim=(2, 3))  # (N, C): how many of the 9 pixels
    print(f"{name:21} depends on {asked[name].sum().item()} numbers")

# %%
# BatchNorm takes one channel of all images: 4 · 9 = 36 numbers. LayerNorm takes all channels of one image: 6 · 9 = 54.
# GroupNorm with 2 groups takes half of the channels of one image: 27. InstanceNorm takes one channel of one image: 9.

expected = {name: tg.zeros(N, C) for name in layers}
expected["BatchNorm2d(6)"][:, 2] = 9
expected["LayerNorm([6, 3, 3])"][1] = 9
expected["GroupNorm(2, 6)"][1, 0:3] = 9
expected["InstanceNorm2d(6)"][1, 2] = 9
assert all((asked[name] == expected[name]).all() for name in layers)
assert [int(a.sum()) for a in asked.values()] == [36, 54, 27, 9]

# %%
# In evaluation BatchNorm uses the mean that it has kept from training, and depends on one number only. The others do
# the same in training and in evaluation.

x = tg.randn(N, C, H, W, requires_grad=True)
trained = {name: layer(x).detach() for name, layer in layers.items()}
evaluated = {name: layer.eval()(x) for name, layer in layers.items()}
evaluated["BatchNorm2d(6)"][1, 2, 0, 0].backward()
assert (x.grad != 0).sum() == 1
assert [(trained[name] == evaluated[name]).all().item() for name in layers] == [False, True, True, True]


def draw(figure):
    for axes, (name, counts) in zip(figure.subplots(2, 2).flat, asked.items(), strict=True):
        image(axes, counts, f"{name}: {int(counts.sum())} numbers", colours="Blues", limit=12)
        axes.set(xlabel="channel", ylabel="image", xticks=range(C), yticks=range(N))
        for row in range(N):
            for column in range(C):
                frame(axes, row, column, 1, 1, "0.7", lw=0.8)
        frame(axes, 1, 2, 1, 1, RED, lw=3)


picture("normalization.png", draw, (7.5, 5.2))

# %%
# **What to look at.** Each square stands for the 9 pixels of one channel of one image. The blue squares have the same
# mean as the square in the orange-red frame. In BatchNorm they are a column: what an image becomes depends on the other
# images of its batch. In the other three they lie in one row: each image is on its own, so these layers also work with
# a batch of one.
