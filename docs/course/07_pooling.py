# %% [markdown]
# # 7. Pooling and ties
#
# **You will be able to** write average and max pooling with their backward passes, for windows that overlap, too; say
# what a subgradient is; and check a gradient at a tie. **Time**: 45 minutes. **You need**: chapter 1.
#
# A pooling layer makes an image smaller. It looks at a window of pixels and keeps one number: the average or the
# maximum. It has no weights, so its backward pass has only one result, `dx`.
#
# The average is smooth and easy. The maximum has places where it has no derivative: the ties. Chapter 1 showed a wrong
# backward pass at a tie. In this chapter you learn which answers are right there.

# %%
import numpy as np

from tinygrad_cnn.gradcheck import gradcheck, numpy_pair

rng = np.random.default_rng(0)

# %% [markdown]
# ## All windows at once
#
# Chapter 1 used loops over the windows. NumPy can show you all windows of an array without a loop and without a copy:


# %%
def windows(x, size, stride):
    """(H, W) -> (OH, OW, size, size): every window, as a view of x."""
    view = np.lib.stride_tricks.sliding_window_view(x, (size, size))
    return view[::stride, ::stride]


x = np.arange(16.0).reshape(4, 4)
print(windows(x, 2, 2)[0, 1])  # the window in the upper right
print(windows(x, 2, 2).shape, windows(x, 3, 1).shape)

# %% [markdown]
# `size` is the side of a window, `stride` the distance from one window to the next. With `size == stride` the windows
# lie side by side. With `size > stride` they overlap: one pixel is in more than one window.
#
# ## Average pooling
#
# The output is the average over the window. For a window $W$ of $k^2$ pixels:
#
# $$ y = \frac{1}{k^2} \sum_{p \in W} x_p, \qquad \frac{\partial y}{\partial x_p} = \frac{1}{k^2}. $$
#
# On the way back each pixel of the window gets $g / k^2$. A pixel that is in two windows gets something from both, so
# we must *add*.


# %%
def average_pooling(x, size, stride):
    return windows(x, size, stride).mean(axis=(2, 3))


def average_pooling_back(g, x, size, stride):
    dx = np.zeros_like(x)
    for i, j in np.ndindex(g.shape):
        dx[stride * i : stride * i + size, stride * j : stride * j + size] += g[i, j] / size**2
    return dx


def pair(forward, back, size, stride):
    """A pooling with fixed windows, in the form that gradcheck takes."""
    return numpy_pair(lambda x: forward(x, size, stride), lambda g, x: back(g, x, size, stride))


x = rng.standard_normal((5, 5))
for size, stride in [(2, 2), (3, 1), (3, 2)]:
    assert gradcheck(pair(average_pooling, average_pooling_back, size, stride), [x])

# %% [markdown]
# How often is each pixel used? Send back a `g` of ones, and multiply by $k^2$:

# %%
print(average_pooling_back(np.ones((3, 3)), x, 3, 1) * 9)

# %% [markdown]
# The pixel in the middle is in nine windows, the corner in one. With `=` in the place of `+=` you would see ones
# everywhere. As long as windows do not overlap, both versions give the same result. That is why this mistake is easy to
# miss: **test with windows that overlap**.
#
# ## Max pooling
#
# The output is the largest pixel of the window. If this pixel is larger than all others, then a small change of the
# others does nothing, and a small change of the largest changes $y$ by the same amount. So the largest pixel gets `g`,
# the others get 0.
#
# `argmax` finds the place. It returns a number from 0 to $k^2 - 1$; `divmod` makes a row and a column of it.


# %%
def max_pooling(x, size, stride):
    return windows(x, size, stride).max(axis=(2, 3))


def max_pooling_back(g, x, size, stride):
    dx = np.zeros_like(x)
    view = windows(x, size, stride)
    for i, j in np.ndindex(g.shape):
        a, b = divmod(int(view[i, j].argmax()), size)
        dx[stride * i + a, stride * j + b] += g[i, j]
    return dx


for size, stride in [(2, 2), (3, 1), (3, 2)]:
    assert gradcheck(pair(max_pooling, max_pooling_back, size, stride), [x])

# %% [markdown]
# Here the `+=` matters again: one bright pixel can be the maximum of several windows.
#
# ## At a tie there is no derivative
#
# Take the maximum of two numbers, $\max(a, b)$, at the point $a = b = 2$. Move $a$ up by a small $h$: the maximum goes
# up by $h$. Move $a$ down by $h$: the maximum stays, because $b$ is still 2. Two directions, two slopes.

# %%
h = 1e-6
right = (max(2 + h, 2.0) - 2) / h
left = (2 - max(2 - h, 2.0)) / h
print(f"slope to the right {right:.3f}, to the left {left:.3f}")

# %% [markdown]
# A function has a derivative at a point only if both slopes are equal. Here they are not, so there is no derivative.
# We call such a point a *kink*. ReLU has one at 0, $|x|$ has one at 0, and the maximum has one at each tie.
#
# What can a backward pass return at a kink? Look at the plane of all $(a, b)$. On one side of the line $a = b$ the
# gradient is $(1, 0)$, on the other side it is $(0, 1)$. The *subdifferential* is the set of everything between them:
#
# $$ \partial \max(a, a) = \{ (s, 1 - s) : 0 \le s \le 1 \}. $$
#
# Each element of this set is a *subgradient*. For a convex function such as the maximum, a subgradient is the slope of
# a line (or plane) that touches the function at the point and lies nowhere above it.
#
# The picture shows it for $|x|$, whose subdifferential at 0 is every slope from −1 to 1.

# %%
try:
    import matplotlib.pyplot as plt
except ImportError:
    plt = None

if plt:
    line = np.linspace(-1, 1, 101)
    plt.figure(figsize=(5, 3))
    plt.plot(line, np.abs(line), linewidth=2, label="|x|")
    for slope in (-1, -0.5, 0, 0.5, 1):
        plt.plot(line, slope * line, "--", linewidth=0.8, color="gray")
    plt.ylim(-0.4, 1)
    plt.legend()
    plt.title("Each dashed line is a subgradient of |x| at 0")
    plt.show()

# %% [markdown]
# ## Why the first maximum is allowed
#
# `argmax` returns the *first* maximum. So our backward pass returns $(1, 0)$ at the tie. That is an element of the
# subdifferential: $s = 1$. Three simple reasons say why one element is enough:
#
# - It is the true gradient of a point that is as near as you like: make the first pixel larger by $10^{-12}$.
# - Gradient descent with any subgradient still works on convex functions, with steps that become smaller.
# - The sum over the window is what came in. Nothing is lost, and nothing is added.
#
# Other elements are as right: half to each of two pixels ($s = \tfrac12$), or everything to the last. But *all pixels
# get the whole of* $g$ is $(1, 1)$. It is no element of the set, for any $s$. No point nearby has this gradient.
#
# ## A check that accepts every right answer
#
# A difference quotient alone cannot judge a tie. The central difference takes the mean of the two slopes, here 0.5. A
# simple check would call the first maximum wrong, and it is right. `gradcheck` looks at both slopes. If they stay
# different however small the step is, it knows that there is a kink, and accepts all that lies between.
#
# Five rules for the same tie, in a window of three pixels, of which two are equal:


# %%
def maximum(x):
    return np.array([x.max()])


rules = {
    "first maximum": lambda g, x: g[0] * (np.arange(x.size) == x.argmax()),
    "last maximum": lambda g, x: g[0] * (np.arange(x.size) == x.size - 1 - x[::-1].argmax()),
    "equal shares": lambda g, x: g[0] * (x == x.max()) / np.sum(x == x.max()),
    "every maximum": lambda g, x: g[0] * (x == x.max()),
    "none if tied": lambda g, x: g[0] * (x == x.max()) * (np.sum(x == x.max()) == 1),
}
tied = np.array([2.0, 2.0, 1.0])
accepted = {}
for name, rule in rules.items():
    report = gradcheck(numpy_pair(maximum, rule), [tied], raise_exception=False)
    accepted[name] = bool(report)
    print(f"{name:15} {report.verdict}")
assert list(accepted.values()) == [True, True, True, False, False]

# %% [markdown]
# Look at "every maximum". Each of its two numbers, taken alone, lies between the slopes 0 and $g$. Only together are
# they wrong. So the check must look at all elements that kink at the same point *together*. The report says this:

# %%
print(gradcheck(numpy_pair(maximum, rules["every maximum"]), [tied], raise_exception=False))

# %% [markdown]
# A check of this kind needs three verdicts, not two:
#
# - **pass**: the gradient is within the error bar of the differences, or at a kink and inside the subdifferential.
# - **fail**: nothing but a wrong gradient can explain the difference.
# - **inconclusive**: the differences cannot tell. For example the function jumps, or is too noisy.
#
# The third one is honest. A function that jumps has no subdifferential, so neither *right* nor *wrong* can be said:


# %%
def staircase(x):
    return np.floor(x)


report = gradcheck(numpy_pair(staircase, lambda g, x: 0 * g), [np.array([2.0])], raise_exception=False)
print(report.entries[0].verdict, "-", report.entries[0].reason)

# %% [markdown]
# ## What differs from one framework to the next
#
# These are all elements of the subdifferential, and they are not the same. The table says what you find at
# a tie (PyTorch 2 and JAX, measured):
#
# | at a tie | PyTorch | JAX |
# |---|---|---|
# | max pooling of equal pixels | the first takes all | the first takes all |
# | the maximum of a whole array | equal shares | equal shares |
# | `x.max(dim)`, which also returns the place | the place takes all | — |
# | `maximum(a, b)` with `a == b` | half and half | half and half |
# | `relu` at 0 | 0 | 0 |
# | `abs` at 0 | 0 | 1 |
#
# This package follows PyTorch:

# %%
import tinygrad_cnn as tg
from tinygrad_cnn.nn import functional as F

image = tg.ones(1, 1, 2, 2, requires_grad=True)
F.max_pool2d(image, 2).sum().backward()
print(image.grad.numpy()[0, 0])

for name, f in [
    ("x.max()", lambda x: x.max()),
    ("x.max(0)", lambda x: x.max(0)[0]),
    ("relu", lambda x: (x - 2).relu().sum()),
]:
    x = tg.tensor(tied, requires_grad=True)
    f(x).backward()
    print(f"{name:9}", x.grad.numpy())

# %% [markdown]
# Average pooling has a difference of its own. With a border of zeros (*padding*) around the image, a window at the
# border has fewer real pixels. Divide by $k^2$, or by the number of real pixels? PyTorch divides by $k^2$ unless you
# say `count_include_pad=False`. Other frameworks leave the border out. If you move a trained network from one framework
# to another, look at this first.

# %%
ones = tg.ones(1, 1, 3, 3)
print(F.avg_pool2d(ones, 2, 2, padding=1).numpy()[0, 0])
print(F.avg_pool2d(ones, 2, 2, padding=1, count_include_pad=False).numpy()[0, 0])

# %% [markdown]
# ## Do ties happen?
#
# With random numbers they do not. In a digit they happen all the time, because most pixels are exactly black. After a
# ReLU many values are exactly 0.

# %%
from tinygrad_cnn.datasets import load_sample

digits = load_sample().train_images[:200].astype(float) / 255
ties, count = 0, 0
for digit in digits:
    view = windows(digit, 2, 2)
    largest = view.max(axis=(2, 3), keepdims=True)
    ties += np.sum(np.sum(view == largest, axis=(2, 3)) > 1)
    count += view.shape[0] * view.shape[1]
print(f"{ties / count:.0%} of the windows are tied")
assert ties / count > 0.5

# %% [markdown]
# ## What we have seen
#
# - Average pooling spreads `g` evenly; max pooling sends it to the place of the maximum.
# - Where windows overlap, contributions are added. Test with windows that overlap.
# - At a kink there is no derivative but a set of subgradients. Each element of the set is a right answer.
# - The elements of a tie must be judged together: every one of them may look right while the sum is wrong.
# - Frameworks choose different subgradients. A comparison with another framework at a tie can differ, and both are
#   right.
#
# ## Exercises
#
# **1.** A student writes `dx[...] = g[i, j]` in `max_pooling_back`, without the plus. For which of the three windows
# (2, 2), (3, 1), (3, 2) can `gradcheck` see it? Try it.
#
# :::{dropdown} Answer
# For those that overlap, if one pixel is the maximum of two windows.
# ```python
# def overwritten(g, x, size, stride):
#     dx = np.zeros_like(x)
#     view = windows(x, size, stride)
#     for i, j in np.ndindex(g.shape):
#         a, b = divmod(int(view[i, j].argmax()), size)
#         dx[stride * i + a, stride * j + b] = g[i, j]
#     return dx
#
#
# x = np.zeros((5, 5))
# x.flat = np.random.default_rng(1).permutation(25)
# x[2, 2] = 30.0  # the maximum of all windows that contain it
# found = {
#     (size, stride): not gradcheck(pair(max_pooling, overwritten, size, stride), [x], raise_exception=False)
#     for size, stride in [(2, 2), (3, 1), (3, 2)]
# }
# print(found)
# assert found == {(2, 2): False, (3, 1): True, (3, 2): True}
# ```
# :::
#
# **2.** What is the subdifferential of $\mathrm{relu}$ at 0? Which of the values 0, 0.3, 1, 1.5 does `gradcheck`
# accept?
#
# :::{dropdown} Answer
# The slopes are 0 on the left and 1 on the right, so it is the interval $[0, 1]$: the first three.
# ```python
# for slope in (0, 0.3, 1, 1.5):
#     back = lambda g, x, s=slope: g * np.where(x > 0, 1.0, np.where(x < 0, 0.0, s))
#     report = gradcheck(numpy_pair(lambda x: np.maximum(x, 0), back), [np.array([0.0, 1.0])], raise_exception=False)
#     print(slope, report.verdict)
#     assert bool(report) == (slope <= 1)
# ```
# :::
#
# **3.** Write max pooling for windows side by side (`size == stride`) without any loop, forward and back, so that the
# first maximum wins.
#
# :::{dropdown} Answer
# Make one row of each window, and write at the place that `argmax` gives. Each pixel is in one window, so nothing has
# to be added.
# ```python
# def rows(x, k):
#     h, w = x.shape[0] // k, x.shape[1] // k
#     return x.reshape(h, k, w, k).transpose(0, 2, 1, 3).reshape(h, w, k * k)
#
#
# def forward(x, k, _):
#     return rows(x, k).max(axis=2)
#
#
# def back(g, x, k, _):
#     flat = rows(x, k)
#     d = np.zeros_like(flat)
#     np.put_along_axis(d, flat.argmax(axis=2)[:, :, None], g[:, :, None], axis=2)
#     h, w = g.shape
#     return d.reshape(h, w, k, k).transpose(0, 2, 1, 3).reshape(x.shape)
#
#
# for x in (rng.standard_normal((6, 4)), np.ones((6, 4))):
#     assert gradcheck(pair(forward, back, 2, 2), [x])
#     g = rng.standard_normal((3, 2))
#     assert np.array_equal(back(g, x, 2, 2), max_pooling_back(g, x, 2, 2))
# ```
# :::
#
# **4.** Change `average_pooling` and its backward pass: zeros of width 1 around the image (`np.pad(x, 1)`), divided by
# the number of real pixels in the window. Check it.
#
# :::{dropdown} Answer
# The number of real pixels is the sum over the same windows of a padded image of ones. On the way back, divide `g` by
# it first, and cut the border off at the end.
# ```python
# def forward(x, size, stride):
#     real = windows(np.pad(np.ones(x.shape), 1), size, stride).sum(axis=(2, 3))
#     return windows(np.pad(x, 1), size, stride).sum(axis=(2, 3)) / real
#
#
# def back(g, x, size, stride):
#     real = windows(np.pad(np.ones(x.shape), 1), size, stride).sum(axis=(2, 3))
#     padded = average_pooling_back(g / real * size**2, np.pad(x, 1), size, stride)
#     return padded[1:-1, 1:-1]
#
#
# assert gradcheck(pair(forward, back, 3, 2), [rng.standard_normal((5, 5))])
# ```
# :::
#
# **5.** In max pooling you pad with 0. A window at the border holds the numbers −3 and −1 of the image, and two zeros
# of the padding. What comes out, what should come out, and what is the better number to pad with?
#
# :::{dropdown} Answer
# The maximum is 0, and it comes from a pixel that does not exist, so the gradient of this window goes nowhere. It
# should be −1. Pad with `-np.inf`: it is never the maximum. PyTorch does this, and so does this package. After a ReLU
# no pixel is negative, and the mistake cannot be seen.
# :::
