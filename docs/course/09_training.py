# %% [markdown]
# # 9. Training, and what can go wrong
#
# **You will be able to** write a training loop, test it on one batch, and recognise eight common mistakes by the
# numbers they print. **Time**: 45 minutes. **You need**: chapters 1 and 8, and what a linear layer and a ReLU are.
#
# A wrong derivative is found by a check. A wrong *training* often runs to the end, prints a loss, and is only worse
# than it could be. In this chapter you make each mistake on purpose, once, and look at what it does. Later you will
# recognise it in your own program.

# %%
import warnings

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn import nn, optim
from tinygrad_cnn.datasets import load_sample
from tinygrad_cnn.nn import functional as F

# %% [markdown]
# ## Data, network, loop
#
# 5,000 handwritten digits for training are in the package, and 10,000 for testing. We take every second pixel, so that
# everything in this chapter runs in three seconds. The bytes become numbers with mean 0 and deviation about 1.

# %%
digits = load_sample()


def prepared(images):
    """(N, 28, 28) bytes -> (N, 196) numbers around 0."""
    scaled = (images[:, ::2, ::2].astype(np.float32) / 255 - 0.1307) / 0.3081
    return tg.tensor(scaled.reshape(len(images), -1))


x, y = prepared(digits.train_images), tg.tensor(digits.train_labels)
test_x, test_y = prepared(digits.test_images[:1000]), digits.test_labels[:1000]


def network():
    """196 pixels -> 32 hidden units -> 10 logits; the same weights at every call."""
    tg.manual_seed(0)
    return nn.Sequential(nn.Linear(196, 32), nn.ReLU(), nn.Linear(32, 10))


# %% [markdown]
# One step of training has five lines: take a batch, compute the loss, set the gradients to zero, go back, and move the
# weights. Every network is trained like this.


# %%
def train(net, x=x, y=y, steps=300, lr=0.1):
    optimizer = optim.SGD(net.parameters(), lr=lr)
    draw = np.random.default_rng(1)
    losses = []
    for _ in range(steps):
        batch = draw.integers(0, len(x), 32)
        loss = F.cross_entropy(net(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def accuracy(net):
    """The share of the test images that are answered right."""
    with tg.no_grad():
        return np.mean(net(test_x).argmax(1).numpy() == test_y)


def summary(losses):
    """The mean loss of the first, the middle and the last twenty steps."""
    middle = len(losses) // 2
    parts = losses[:20], losses[middle - 10 : middle + 10], losses[-20:]
    return "  ".join(f"{np.mean(part):8.3f}" for part in parts)


# %% [markdown]
# ## First: can it learn one batch by heart?
#
# Before you train for hours, take 32 images and train on these alone. A network with thousands of weights can learn 32
# images by heart, so the loss must go to almost 0. If it does not, there is a mistake in the loop, in the network or in
# a gradient, and more data will not help. This test takes a second, and finds most mistakes.

# %%
net = network()
start = F.cross_entropy(net(x[:32]), y[:32]).item()
losses = train(net, x[:32], y[:32], steps=200)
print(f"before {start:.2f} (ln 10 = {np.log(10):.2f}), after 200 steps {losses[-1]:.4f}")
assert abs(start - np.log(10)) < 0.5
assert losses[-1] < 0.02

# %% [markdown]
# Look at the first number, too. A network that knows nothing has a loss of about $\ln 10$. If yours begins far above,
# the logits are too large: check the scale of the inputs and of the weights.
#
# ## A healthy run
#
# Now all images. We print the mean loss at the start, in the middle, and at the end, then the accuracy on the test
# images, which the network has not seen.

# %%
net = network()
healthy = train(net)
print(summary(healthy), f"  accuracy {accuracy(net):.1%}")
assert accuracy(net) > 0.8

# %% [markdown]
# This is the line to compare with. All mistakes below change one thing in this run.
#
# ## The learning rate
#
# The learning rate says how far a step goes. It is the first thing to try if a training does not work. Go in factors of
# ten, then of three.

# %%
curves = {}
for lr in (0.001, 0.01, 0.1, 1.0, 10.0):
    net = network()
    with np.errstate(all="ignore"):
        curves[f"lr {lr}"] = losses = train(net, lr=lr)
    print(f"lr {lr:6}: {summary(losses)}   accuracy {accuracy(net):.1%}")

# %% [markdown]
# - Too small: the loss falls, but slowly and evenly. The end of the curve is as steep as its start.
# - Too large: the loss jumps up and down. Then it is `nan`, or it stays near or above 2.3.
#
# With a rate that is too large, the first steps throw the weights far away. Often it does not come back from there,
# even with a smaller rate. Start again.

# %%
try:
    import matplotlib.pyplot as plt
except ImportError:
    plt = None

if plt:
    plt.figure(figsize=(6, 3.5))
    for name in ("lr 0.001", "lr 0.01", "lr 0.1", "lr 1.0"):
        plt.plot(np.convolve(curves[name], np.ones(20) / 20, "valid"), label=name)
    plt.axhline(np.log(10), linestyle=":", color="gray")
    plt.ylim(0, 4)
    plt.xlabel("step")
    plt.ylabel("loss (mean of 20 steps)")
    plt.legend()
    plt.show()

# %% [markdown]
# ## No `zero_grad`
#
# `backward()` *adds* to `.grad`. If you forget `zero_grad()`, every step uses the sum of all gradients since the start.
# It is like a ball that rolls without friction: it becomes faster and faster, and shoots past the goal.


# %%
def train_without_zero_grad(net, steps=300, lr=0.1):
    optimizer = optim.SGD(net.parameters(), lr=lr)
    draw, losses, sizes = np.random.default_rng(1), [], []
    for _ in range(steps):
        batch = draw.integers(0, len(x), 32)
        loss = F.cross_entropy(net(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        sizes.append(np.linalg.norm(net[0].weight.grad.numpy()))
    return losses, sizes


net = network()
with warnings.catch_warnings(record=True) as said:  # the package notices this one
    warnings.simplefilter("always")
    losses, sizes = train_without_zero_grad(net)
print(said[0].message)
print(summary(losses), f"  accuracy {accuracy(net):.1%}")
print("size of the gradient at steps 1, 10, 100:", *(f"{sizes[k - 1]:.2f}" for k in (1, 10, 100)))

# %% [markdown]
# What it looks like: the loss falls at first, faster than usual, then it rises or swings. The gradient that you print
# grows with every step.
#
# ## Softmax twice
#
# `F.cross_entropy` takes logits and does the softmax itself. Many networks end in a `Softmax`, because "the output
# should be probabilities". Then the softmax is done twice.

# %%
net = network()
net.append(nn.Softmax(1))
with warnings.catch_warnings(record=True) as said:  # and this one
    warnings.simplefilter("always")
    losses = train(net)
print(said[0].message)
print(summary(losses), f"  accuracy {accuracy(net):.1%}")
least = -np.log(np.e / (np.e + 9))
print(f"the loss can never be below {least:.3f}")
assert min(losses) > least

# %% [markdown]
# The inputs of the second softmax lie between 0 and 1. So its largest probability is $e / (e + 9) \approx 0.23$, and
# the loss cannot fall below 1.46, however good the network is. The gradients are small, so it learns slowly. What it
# looks like: *the loss never goes below 1.46, and the accuracy is better than such a loss usually means*.
#
# ## Labels that do not belong to the images
#
# You shuffle the images and forget to shuffle the labels in the same way. Or you sort one list of files, and not the
# other.

# %%
shuffled = y[tg.tensor(np.random.default_rng(2).permutation(len(y)))]
net = network()
losses = train(net, y=shuffled)
print(summary(losses), f"  accuracy {accuracy(net):.1%}")
assert np.mean(losses[-20:]) > 2.2

net = network()
print(f"one batch by heart: {train(net, x[:32], shuffled[:32], steps=300)[-1]:.3f}")

# %% [markdown]
# The loss stays at $\ln 10$, and the accuracy at 10 %. But the test with one batch *passes*: a network can learn 32
# wrong labels by heart, too. So look at a few images together with their labels, at the very place where they enter
# the network: after all shuffling.
#
# ## Dead ReLUs
#
# A ReLU unit that is negative for every image gives 0, and its gradient is 0. Nothing can change its weights any more:
# the unit is *dead*. This happens after a step that was too long, or with a bias that is far too negative.


# %%
def dead_units(net):
    """How many of the hidden units are 0 for all test images."""
    with tg.no_grad():
        return int((net[1](net[0](test_x)).numpy() == 0).all(axis=0).sum())


for bias in (0.0, -1.0, -2.0, -40.0):
    net = network()
    with tg.no_grad():
        net[0].bias += bias
    before = dead_units(net)
    losses = train(net)
    after = dead_units(net)
    print(f"bias {bias:5}: dead before {before:2}, after {after:2}   loss {losses[-1]:.3f}   {accuracy(net):.1%}")
assert dead_units(net) == 32

# %% [markdown]
# With all units dead only the last bias learns. It learns how often each digit occurs, and the loss stays at 2.3. What
# it looks like: the loss stands still, and `net[0].weight.grad` is *exactly* 0. With shuffled labels it is not 0. This
# is how you tell the two apart.
#
# ## Forgetting `eval()`
#
# Dropout sets random units to 0 while you train. Batch normalisation uses the mean of the batch while you train. In use
# both must behave differently, and `net.eval()` says so. If you forget it, the answers are worse or depend on which
# images are in the same batch.

# %%
tg.manual_seed(0)
net = nn.Sequential(nn.Linear(196, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 10))
train(net)
in_training = [accuracy(net) for _ in range(2)]
net.eval()
in_use = [accuracy(net) for _ in range(2)]
print("without eval():", *(f"{a:.2%}" for a in in_training))
print("with eval():   ", *(f"{a:.2%}" for a in in_use))
assert in_use[0] == in_use[1]
assert in_use[0] > max(in_training)

# %% [markdown]
# What it looks like: *the same image gets another answer each time*, and the accuracy changes with the size of the
# batch. The other way round is as common: `eval()` before a test in the middle of the training, and no `train()` after
# it.
#
# There is more. In training mode, batch normalisation also *learns* from the images that it sees: it moves its running
# mean. So a test without `eval()` lets the test images change the network.
#
# ## Gradients that explode, and that vanish
#
# In a deep network the cotangent goes through one matrix after the other. If each makes it 1.5 times as long, twenty
# layers make it $1.5^{20} \approx 3300$ times as long. If each halves it, nothing is left.


# %%
def deep(scale):
    """Twenty layers of 32; the weights have the deviation scale * sqrt(2 / inputs)."""
    tg.manual_seed(0)
    layers = [nn.Linear(196, 32)]
    for _ in range(19):
        layers += [nn.ReLU(), nn.Linear(32, 32)]
    net = nn.Sequential(*layers, nn.ReLU(), nn.Linear(32, 10))
    with tg.no_grad():
        for layer in net:
            if isinstance(layer, nn.Linear):
                layer.weight.normal_(0, scale * (2 / layer.in_features) ** 0.5)
                layer.bias.zero_()
    return net


for scale in (0.5, 1.0, 1.5):
    net = deep(scale)
    loss = F.cross_entropy(net(x[:32]), y[:32])
    loss.backward()
    sizes = [np.linalg.norm(layer.weight.grad.numpy()) for layer in net if isinstance(layer, nn.Linear)]
    print(
        f"scale {scale}: loss {loss.item():10.3f}   gradient in layer 1: {sizes[0]:.1e}, in layer 20: {sizes[19]:.1e}"
    )

# %% [markdown]
# $\sqrt{2 / \text{inputs}}$ is the initialisation of He and others for ReLU layers: it keeps the size about the same
# from layer to layer. At half of it, the gradient vanishes: the first layer does not learn. At 1.5 times, it explodes:
# the first loss is in the thousands, and one step destroys the network.
#
# Gradient clipping limits the harm. It makes the whole gradient shorter if it is longer than a limit, and keeps its
# direction:

# %%
from tinygrad_cnn.nn.utils import clip_grad_norm_

total = clip_grad_norm_(net.parameters(), 1.0)
left = np.sqrt(sum(np.sum(p.grad.numpy() ** 2) for p in net.parameters()))
print(f"length before {total.item():.1e}, after {left:.3f}")
assert np.isclose(left, 1, atol=1e-3)

# %% [markdown]
# ## A table to keep
#
# | what you see | look here first |
# |---|---|
# | one batch cannot be learned by heart | loop, loss, a gradient: use `gradcheck` |
# | the first loss is far above ln K | scale of inputs, initial weights |
# | loss stays at ln K, gradient is not 0 | labels and images do not belong together |
# | loss stays at ln K, gradient is exactly 0 | dead ReLUs, or a `detach()` too many |
# | gradients are there, but a weight does not change | the optimizer does not have this parameter |
# | loss falls slowly and evenly | learning rate too small |
# | loss jumps, then `nan` | learning rate too large, exploding gradient |
# | loss falls, then rises; gradients grow with each step | no `zero_grad` |
# | loss never below 1.46 (ten classes), but the accuracy rises | softmax twice |
# | the same image gets different answers | `eval()` forgotten |
# | good in training, bad in the test | too few images, or the test images are prepared differently |
#
# ## What we have seen
#
# - The loop has five lines. Overfit one batch first; it takes a second.
# - Know two numbers: the loss of a network that knows nothing, $\ln K$, and the accuracy of guessing, $1/K$.
# - Most mistakes raise no error. They have a look, and you can learn to recognise it. Of a few the package warns:
#   [Mistakes, by symptom](../reference/mistakes.md) lists them.
# - Print more than the loss: the size of the gradient for each layer, the share of dead units, the test accuracy.
#
# ## Exercises
#
# **1.** Change `train` so that it skips `optimizer.step()` for the first layer: give the optimizer
# `net[2].parameters()` only. What accuracy do you get? Why is the mistake hard to see?
#
# :::{dropdown} Answer
# The first layer stays random, and the last one learns from random features. That works quite well.
# ```python
# net = network()
# optimizer = optim.SGD(net[2].parameters(), lr=0.1)
# for step in range(300):
#     batch = np.random.default_rng(step).integers(0, len(x), 32)
#     loss = F.cross_entropy(net(x[batch]), y[batch])
#     optimizer.zero_grad()
#     loss.backward()
#     optimizer.step()
# print(f"{accuracy(net):.1%}")
# assert 0.5 < accuracy(net) < 0.9
# ```
# Only a comparison with the healthy run shows it. A check that every parameter has changed after ten steps is better.
# :::
#
# **2.** You do not scale the pixels: the inputs are bytes from 0 to 255. What happens with `lr=0.1`, and what is the
# first loss?
#
# :::{dropdown} Answer
# The first loss is far above 2.3, since the logits are about a hundred times as large. The gradients are large, too, so
# the first step throws the weights away; most units die.
# ```python
# raw = tg.tensor(digits.train_images[:, ::2, ::2].reshape(5000, -1).astype(np.float32))
# net = network()
# losses = train(net, raw)
# print(f"first loss {losses[0]:.1f}, last {np.mean(losses[-20:]):.3f}")
# assert losses[0] > 5
# ```
# :::
#
# **3.** Write a function that warns if a parameter has no gradient, or one that is exactly 0, after the first
# `backward()`. Test it on the network with the bias −40.
#
# :::{dropdown} Answer
# ```python
# def suspicious(net):
#     return [name for name, p in net.named_parameters() if p.grad is None or not p.grad.numpy().any()]
#
#
# net = network()
# F.cross_entropy(net(x[:32]), y[:32]).backward()
# assert suspicious(net) == []
# net = network()
# with tg.no_grad():
#     net[0].bias -= 40
# F.cross_entropy(net(x[:32]), y[:32]).backward()
# print(suspicious(net))
# assert suspicious(net) == ["0.weight", "0.bias", "2.weight"]
# ```
# Why the weight of the last layer, too? Its gradient is a product with its inputs, and they are all 0.
# :::
#
# **4.** Somebody wants the mean loss of an epoch, and writes `total = total + loss` in the loop, with the tensor `loss`
# itself. The program becomes slower and needs more memory with every step. Why?
#
# :::{dropdown} Answer
# `total` remembers how it was made, so the graphs of all steps are kept. Write `total += loss.item()`: a plain number
# has no graph.
# :::
#
# **5.** The loss is the *sum* over the batch, not the mean. Which learning rate makes the same steps as before? Try it.
#
# :::{dropdown} Answer
# The gradient is 32 times as large, so divide the learning rate by 32.
# ```python
# def one_step(reduction, lr):
#     net = network()
#     optimizer = optim.SGD(net.parameters(), lr=lr)
#     F.cross_entropy(net(x[:32]), y[:32], reduction=reduction).backward()
#     optimizer.step()
#     return net[0].weight.detach().numpy()
#
#
# assert np.allclose(one_step("mean", 0.1), one_step("sum", 0.1 / 32), atol=1e-6)
# ```
# :::
