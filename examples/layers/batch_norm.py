"""
BatchNorm1d: training and evaluation
====================================

In training `nn.BatchNorm1d` subtracts the mean of the batch and divides by its standard deviation. It also keeps
running averages of both. In evaluation it uses these averages, so that the answer for one input does not depend on the
others. At the beginning the averages are 0 and 1: they must be learned before evaluation is right.

Run it: ``python examples/layers/batch_norm.py FOLDER`` writes the picture into FOLDER.
"""

# %%
# Our inputs are numbers with mean 5 and standard deviation 3. The layer sees 50 batches of 500 of them.

from drawing import BLUE, GREY, ORANGE, picture

import tinygrad_cnn as tg
from tinygrad_cnn import nn

tg.manual_seed(0)
layer = nn.BatchNorm1d(1)  # momentum=0.1: a tenth of each batch goes into the average
seen = {"input": 5 + 3 * tg.randn(500, 1)}
means = [layer.running_mean.item()]
for step in range(50):
    layer.train()
    y = layer(seen["input"] if step == 0 else 5 + 3 * tg.randn(500, 1))
    means.append(layer.running_mean.item())
    if step == 0:
        seen["training"] = y.detach()
        seen["evaluation after 1 batch"] = layer.eval()(seen["input"]).detach()
seen["evaluation after 50 batches"] = layer.eval()(seen["input"]).detach()
for name, values in seen.items():
    print(f"{name:28} mean {values.mean().item():5.2f}, deviation {values.std().item():.2f}")

# %%
# In training the output has mean 0 and deviation 1, whatever the input is. After one batch the running mean is about
# 0.5, a tenth of 5, and evaluation is far off: its mean is above 3. After 50 batches both agree. After k batches the
# running mean is about ``5 (1 - 0.9ᵏ)``.

assert abs(seen["training"].mean()) < 1e-5
assert abs(seen["training"].std(correction=0) - 1) < 1e-4
assert abs(means[1] - 0.5) < 0.05
assert seen["evaluation after 1 batch"].mean() > 3
assert abs(seen["evaluation after 50 batches"].mean()) < 0.1
assert all(abs(mean - 5 * (1 - 0.9**k)) < 0.15 for k, mean in enumerate(means))


def draw(figure):
    left, right = figure.subfigures(1, 2, width_ratios=(1.3, 1))
    panels = left.subplots(4, 1, sharex=True)
    for axes, (name, values) in zip(panels, seen.items(), strict=True):
        axes.hist(values.flatten().numpy(), bins=40, range=(-6, 15), color=GREY if name == "input" else BLUE)
        axes.axvline(0, color="k", lw=0.8)
        axes.set(title=name, ylabel="count")
    panels[-1].set_xlabel("value")
    axes = right.subplots()
    axes.plot(means, color=BLUE, label="running_mean")
    axes.plot([5 * (1 - 0.9**k) for k in range(51)], "--", color=ORANGE, label="5 (1 - 0.9ᵏ)")
    axes.set(xlabel="batches seen, k", ylabel="mean", title="what evaluation subtracts")
    axes.legend(loc="lower right")


picture("batch_norm.png", draw, (8, 5.6))

# %%
# **What to look at.** The form of the histogram never changes: the layer moves it and makes it narrower. The third
# panel is what you see if you evaluate too early: still far to the right. On the right the running mean goes up to 5, a
# tenth of the remaining way with each batch. If evaluation is much worse than training, look at this average first.
