"""
Dropout: other pixels each time
===============================

In training `nn.Dropout(p)` sets each number to 0 with probability p, and divides the others by 1 - p. So the average
over many masks is the input. In evaluation it does nothing.

Run it: ``python examples/layers/dropout.py FOLDER`` writes the picture into FOLDER.
"""

# %%
# With `p=0.5` a number that stays is doubled. `nn.Dropout2d` does the same with whole channels: all pixels of a channel
# stay, or none.

from drawing import image, picture

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.datasets import load_sample

tg.manual_seed(0)
digit = tg.tensor(load_sample().train_images[0]).float() / 255
layer = nn.Dropout(p=0.5)
first, second = layer(digit), layer(digit)
evaluated = nn.Dropout(p=0.5).eval()(digit)
average = layer(digit.expand(1000, 28, 28)).mean(dim=0)

ink = digit > 0
stayed = first[ink] != 0
print(f"{stayed.float().mean().item():.0%} of the {int(ink.sum())} inked pixels stayed")
print(f"mean of the digit {digit.mean().item():.3f}, of one result {first.mean().item():.3f}")
assert (first[ink][stayed] == 2 * digit[ink][stayed]).all()
assert abs(stayed.float().mean() - 0.5) < 0.1
assert (first != second).any()
assert (evaluated == digit).all()
assert (average - digit).abs().max() < 0.15  # ink has a standard deviation of 1/√1000 = 0.03

# %%
# The gradient goes through the same mask: 2 where the number stayed, 0 where it was dropped.

x = digit.clone().requires_grad_()
y = layer(x)
y.sum().backward()
assert {*x.grad.flatten().tolist()} == {0.0, 2.0}
assert ((x.grad == 2) == (y != 0))[ink].all()

# %%
# Four channels, each a copy of the digit, through Dropout2d:

channels = nn.Dropout2d(p=0.5)(digit.expand(1, 4, 28, 28))[0]
for channel in channels:
    assert (channel == 0).all() or (channel == 2 * digit).all()


def draw(figure):
    above, below = figure.subplots(2, 4)
    panels = {
        "training, once": first,
        "training, again": second,
        "average of 1000": average,
        "evaluation": evaluated,
    }
    for axes, (name, values) in zip(above, panels.items(), strict=True):
        shown = image(axes, values.detach(), name, limit=2)
    for k, axes in enumerate(below):
        image(axes, channels[k], f"Dropout2d,\nchannel {k}", limit=2)
    figure.colorbar(shown, ax=[*above, *below], shrink=0.6, label="value; the ink of the digit is 1")


picture("dropout.png", draw, (9, 5))

# %%
# **What to look at.** Two masks over the same digit differ, so the network cannot rely on one pixel. The pixels that
# stay are darker than in the digit, because they are doubled. The average of 1000 masks looks like the digit again.
# Below, a whole channel stays, or none of it.
