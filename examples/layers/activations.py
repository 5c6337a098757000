"""
Activations: the curve and its derivative
=========================================

An activation bends: without it, many Linear layers are no more than one. On the way back the gradient is multiplied by
the *derivative* of the activation. Where the derivative is almost 0, the layers before it learn nothing.

Run it: ``python examples/layers/activations.py FOLDER`` writes the picture into FOLDER.
"""

# %%
# Six activations, and their derivatives as `backward` computes them.

from drawing import BLUE, ORANGE, picture

import tinygrad_cnn as tg
from tinygrad_cnn import nn

layers = [nn.ReLU(), nn.LeakyReLU(0.1), nn.GELU(), nn.SiLU(), nn.Sigmoid(), nn.Tanh()]
points = tg.linspace(-6, 6, 601)
curves, slopes = {}, {}
for layer in layers:
    x = points.clone().requires_grad_()
    y = layer(x)
    y.sum().backward()
    name = type(layer).__name__
    curves[name], slopes[name] = y.detach(), x.grad
    print(f"{name:9}  derivative from {x.grad.min().item():5.2f} to {x.grad.max().item():4.2f}")

# %%
# The derivative of ReLU is 0 for every x < 0, and 1 for every x > 0. Sigmoid's is at most ¼, at 0. So ten layers with
# sigmoids shrink a gradient to less than a millionth. That of Tanh is at most 1. Those of GELU and SiLU are smooth,
# become a little larger than 1, and a little smaller than 0. LeakyReLU keeps a slope of 0.1 on the left.

assert (slopes["ReLU"][points < 0] == 0).all()
assert (slopes["ReLU"][points > 0] == 1).all()
assert abs(slopes["Sigmoid"].max() - 0.25) < 1e-4
assert 0.25**10 < 1e-6
assert abs(slopes["Tanh"].max() - 1) < 1e-4
for name in ("GELU", "SiLU"):
    assert 1 < slopes[name].max() < 1.2
    assert -0.2 < slopes[name].min() < 0
assert abs(slopes["LeakyReLU"].min() - 0.1) < 1e-6

# The derivative that `backward` gives is the slope of the curve.
step = 12 / 600
for name, y in curves.items():
    measured = (y[2:] - y[:-2]) / (2 * step)
    smooth = points[1:-1].abs() > step  # ReLU and LeakyReLU have a kink at 0
    assert (measured - slopes[name][1:-1])[smooth].abs().max() < 1e-3


def draw(figure):
    panels = figure.subplots(2, 3, sharex=True, sharey=True)
    for axes, name in zip(panels.flat, curves, strict=True):
        dead = slopes[name].abs() < 0.05
        x = points.numpy()
        axes.fill_between(x, -1, 3, where=dead.numpy(), color="0.88", lw=0)
        axes.plot(x, curves[name].numpy(), color=BLUE, label="the activation")
        axes.plot(x, slopes[name].numpy(), "--", color=ORANGE, label="its derivative")
        axes.set(title=name, ylim=(-1, 3))
    for axes in panels[1]:
        axes.set_xlabel("x")
    for axes in panels[:, 0]:
        axes.set_ylabel("y and dy/dx")
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)


picture("activations.png", draw, (8, 5.4))

# %%
# **What to look at.** In the grey part the derivative is smaller than 0.05: there the gradient dies. For ReLU this is
# the whole left half. A unit whose input is negative for every image gets no gradient, and stays so. Sigmoid and Tanh
# die on both sides. GELU and SiLU die far to the left, and in a narrow band at their lowest point. LeakyReLU dies
# nowhere.

assert (slopes["ReLU"][points < 0].abs() < 0.05).all()
assert (slopes["LeakyReLU"] > 0.05).all()
for name in ("Sigmoid", "Tanh"):
    assert slopes[name][0] < 0.05
    assert slopes[name][-1] < 0.05
for name in ("GELU", "SiLU"):
    assert abs(slopes[name][0]) < 0.05
    assert abs(slopes[name][curves[name].argmin()]) < 0.05
