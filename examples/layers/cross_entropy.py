"""
CrossEntropyLoss: the gradient is p minus the truth
===================================================

A network ends in one number for each class, the *logits*. Softmax turns them into probabilities p. The loss is
``-ln p`` of the right class. Its gradient with respect to the logits is simple: p, minus 1 at the right class.

Run it: ``python examples/layers/cross_entropy.py FOLDER`` writes the picture into FOLDER.
"""

# %%
# Three images of a 2, and what a network may answer: right and sure, unsure, and wrong and sure.

from drawing import BLUE, GREY, RED, picture

import tinygrad_cnn as tg
from tinygrad_cnn import nn

truth = 2
logits = tg.zeros(3, 5)
logits[0, 2] = 4.0
logits[2, 4] = 4.0
logits.requires_grad_()
names = ["right and sure", "unsure", "wrong and sure"]

p = nn.functional.softmax(logits, dim=1).detach()
losses = nn.CrossEntropyLoss(reduction="none")(logits, tg.full((3,), truth))
losses.sum().backward()
for name, loss, gradient in zip(names, losses.tolist(), logits.grad, strict=True):
    print(f"{name:15} loss {loss:.2f}, gradient {[round(g, 2) for g in gradient.tolist()]}")

# %%
# Who is unsure has p = ⅕ for each of the five classes, and the loss ln 5 = 1.61. Who is right and sure loses 0.07; who
# is wrong and sure loses 4.07. The gradient is p minus the one-hot vector of the truth, so it adds up to 0. At the
# right class it is never positive, at all others never negative.

one_hot = nn.functional.one_hot(tg.tensor(truth), 5)
assert (logits.grad - (p - one_hot)).abs().max() < 1e-6
assert logits.grad.sum(dim=1).abs().max() < 1e-6
assert [round(loss, 2) for loss in losses.tolist()] == [0.07, 1.61, 4.07]
assert (losses + tg.log(p[:, truth])).abs().max() < 1e-5
assert (logits.grad[:, truth] < 0).all()

# %%
# Only differences count: the same number added to all logits changes nothing. This is why a large logit cannot
# overflow: the layer first subtracts the largest.

with tg.no_grad():
    shifted = nn.CrossEntropyLoss(reduction="none")(logits + 1000, tg.full((3,), truth))
assert (shifted - losses).abs().max() < 1e-3


def draw(figure):
    panels = figure.subplots(3, 3, sharex=True, sharey="row")
    rows = (("logit", logits.detach()), ("probability p", p), ("gradient", logits.grad))
    for axes, (row, values) in zip(panels, rows, strict=True):
        for column, ax in enumerate(axes):
            colours = [BLUE if label == truth else "0.75" for label in range(5)]
            if row == "gradient":
                colours = [BLUE if label == truth else RED for label in range(5)]
            ax.bar(range(5), values[column].numpy(), color=colours, edgecolor=GREY)
            ax.axhline(0, color="k", lw=0.8)
            ax.set_xticks(range(5))
        axes[0].set_ylabel(row)
    for ax, name, loss in zip(panels[0], names, losses.tolist(), strict=True):
        ax.set_title(f"{name}\nloss {loss:.2f}")
    for ax in panels[2]:
        ax.set_xlabel("class")


picture("cross_entropy.png", draw, (7.5, 5.6))

# %%
# **What to look at.** The right class is blue. A step of gradient descent goes *against* the gradient: it raises the
# logit of the right class and lowers the others. The more probable a wrong class is, the more its logit goes down. On
# the left there is almost nothing to learn. On the right the two wrong bars are almost as long as they can be, 1 and
# -1.

assert logits.grad[0].abs().max() < 0.1
assert (logits.grad[2, [2, 4]].abs() > 0.9).all()
