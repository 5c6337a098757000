"""
MSELoss, L1Loss, HuberLoss: what one outlier does
=================================================

A loss for numbers measures the error, *prediction minus target*. `nn.MSELoss` squares it, `nn.L1Loss` takes its size,
and `nn.HuberLoss` does the first for small errors and the second for large ones. What a network learns depends on the
gradient: how hard does an error pull?

Run it: ``python examples/layers/losses.py FOLDER`` writes the picture into FOLDER.
"""

# %%
# The loss of one error, and its gradient, for errors from -3 to 3.

from drawing import BLUE, GREEN, GREY, ORANGE, picture

import tinygrad_cnn as tg
from tinygrad_cnn import nn, optim

losses = {
    "MSELoss": nn.MSELoss(reduction="none"),
    "L1Loss": nn.L1Loss(reduction="none"),
    "HuberLoss": nn.HuberLoss(delta=1.0, reduction="none"),
}
errors = tg.linspace(-3, 3, 301)
values, gradients = {}, {}
for name, loss in losses.items():
    prediction = errors.clone().requires_grad_()
    value = loss(prediction, tg.zeros(301))
    value.sum().backward()
    values[name], gradients[name] = value.detach(), prediction.grad

# %%
# The gradient of the square is twice the error: an error of 3 pulls with 6. The gradient of L1 is the sign: every error
# pulls with 1, however small. Huber's is the error itself up to delta = 1, and from there on 1.

sure = errors.abs() > 1e-3  # L1 has a kink at 0
assert (gradients["MSELoss"] - 2 * errors).abs().max() < 1e-5
assert (gradients["L1Loss"] - tg.sign(errors))[sure].abs().max() == 0
assert (gradients["HuberLoss"] - errors.clamp(-1, 1)).abs().max() < 1e-6

# %%
# Now one number is to be learned from nine measurements near 1 and an outlier at 11. The mean, where the squares are
# smallest, is 2. Sizes are smallest at the median, 1. Huber's answer is close to the median.

measured = tg.tensor([0.8, 0.9, 0.9, 1.0, 1.0, 1.0, 1.1, 1.1, 1.2, 11.0])
learned = {}
for name, loss in losses.items():
    number = tg.tensor([3.0], requires_grad=True)
    optimizer = optim.SGD([number], lr=0.1)
    for _ in range(150):
        optimizer.zero_grad()
        loss(number.expand(10), measured).mean().backward()
        optimizer.step()
    learned[name] = number.item()
    print(f"{name:10} learns {learned[name]:.2f}")
assert abs(measured[:9].mean() - 1) < 1e-6  # without the outlier
assert abs(learned["MSELoss"] - 2) < 1e-3
assert abs(learned["L1Loss"] - 1) < 0.1
assert abs(learned["HuberLoss"] - 1.11) < 0.01


def draw(figure):
    left, middle, right = figure.subplots(1, 3)
    for name, colour, dashes in zip(losses, (ORANGE, GREEN, BLUE), ("-", "--", "-."), strict=True):
        left.plot(errors.numpy(), values[name].numpy(), dashes, color=colour, label=name)
        middle.plot(errors.numpy(), gradients[name].numpy(), dashes, color=colour)
        right.axvline(learned[name], color=colour, ls=dashes)
    right.hist(measured.numpy(), bins=24, range=(0, 12), color=GREY)
    left.set(title="loss", xlabel="error", ylabel="loss", ylim=(0, 5))
    middle.set(title="its gradient", xlabel="error", ylabel="gradient")
    right.set(title="what is learned", xlabel="measurement", ylabel="how many")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)


picture("losses.png", draw, (8.6, 3.6))

# %%
# **What to look at.** In the middle the line of the square goes up without end, so the largest error decides. The other
# two stop at 1. On the right the grey bars are the measurements, and the lines are what was learned: one outlier takes
# the square from 1 to 2, and leaves the others where most measurements are. Near 0, L1 jumps from -1 to 1, so it never
# comes to rest; Huber goes through 0 smoothly.
