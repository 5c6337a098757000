# %% [markdown]
# # 1. A `back_prop` written by hand
#
# **You will be able to** say what a backward pass has to give, write one for a small layer, and find out by a numeric
# check whether it is right. **Time**: 45 minutes. **You need**: NumPy, loops, and what a derivative is.
#
# A popular way to learn about convolutional networks is to write one in NumPy: a convolution, a max pooling, a
# softmax, and for each of them a method `back_prop` with the derivative, worked out on paper. We do this here, too,
# and we make the mistakes that are commonly made. Then we catch them.

# %%
import numpy as np

rng = np.random.default_rng(0)

# %% [markdown]
# ## A layer and its way back
#
# The convolution slides a kernel `w` of 3×3 numbers over an image. At each place it multiplies nine pixels by nine
# weights and adds.


# %%
def convolution(x, w):
    """(H, W) with (3, 3) -> (H-2, W-2)."""
    y = np.zeros((x.shape[0] - 2, x.shape[1] - 2))
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            y[i, j] = np.sum(x[i : i + 3, j : j + 3] * w)
    return y


# %% [markdown]
# Behind the layer there are more layers, and at the end there is one number, the loss. The way back begins there. It
# hands our layer an array `g` of the shape of `y`: $g_{ij}$ says how fast the loss grows when $y_{ij}$ grows. From `g`
# the layer has to make two things:
#
# - `dw`, of the shape of `w`: how fast the loss grows with each weight. The training uses it.
# - `dx`, of the shape of `x`: how fast the loss grows with each pixel. The layer *before* ours needs it as its own `g`.
#
# Each weight is used at every place, so its derivative is a sum over all places: $dw = \sum_{ij} g_{ij}\,
# x_{i..i+2,\,j..j+2}$.


# %%
def convolution_back(g, x, w):
    dw = np.zeros_like(w)
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            dw += g[i, j] * x[i : i + 3, j : j + 3]
    return dw


# %% [markdown]
# Something is missing: there is no `dx`. As long as the convolution is the first layer nobody notices. Put a second
# convolution in front of it, and that one never learns.
#
# ## A check that needs no paper
#
# Is `dw` right? Move one weight a little up and a little down and see how the loss changes. That is a derivative, too:
#
# $$ \frac{\partial L}{\partial w_{k}} \approx \frac{L(w_k + h) - L(w_k - h)}{2h}. $$
#
# As loss we take $L = \sum g \cdot y$ with random numbers $g$. Then the gradient of $L$ in `y` is `g` itself, and one
# run tests all places at once.


# %%
def numeric(loss, w, h=1e-5):
    """The derivative of a loss in each element of w, by nudging one after the other."""
    d = np.zeros_like(w)
    for k in np.ndindex(w.shape):
        up, down = w.copy(), w.copy()
        up[k] += h
        down[k] -= h
        d[k] = (loss(up) - loss(down)) / (2 * h)
    return d


x, w = rng.standard_normal((6, 6)), rng.standard_normal((3, 3))
g = rng.standard_normal((4, 4))

by_hand = convolution_back(g, x, w)
by_nudging = numeric(lambda w: np.sum(g * convolution(x, w)), w)
print(np.abs(by_hand - by_nudging).max())
assert np.allclose(by_hand, by_nudging)

# %% [markdown]
# The difference is around $10^{-10}$: `dw` is right.
#
# ## The pooling, and four spaces
#
# Max pooling keeps the largest of each 2×2 pixels. Only that pixel had an influence, so on the way back it alone gets
# `g`. Here is the function as it is often written. Read it closely before you go on.


# %%
def pooling(x):
    """(2m, 2n) -> (m, n)."""
    return x.reshape(len(x) // 2, 2, -1, 2).max(axis=(1, 3))


def pooling_back(g, x):
    dx = np.zeros_like(x)
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            window = x[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
            for a in range(2):
                for b in range(2):
                    if window[a, b] == window.max():
                        dx[2 * i + a, 2 * j + b] = g[i, j]
            return dx


g = rng.standard_normal((3, 3))
print(np.abs(pooling_back(g, x) - numeric(lambda x: np.sum(g * pooling(x)), x)).max())

# %% [markdown]
# The difference is of the size of the gradient itself. The `return` stands four spaces too deep: the function ends
# after the first window. A network with this mistake still learns, because the last layer learns, and that is why the
# mistake lives for years in copied programs.


# %%
def pooling_back(g, x):
    dx = np.zeros_like(x)
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            window = x[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
            for a in range(2):
                for b in range(2):
                    if window[a, b] == window.max():
                        dx[2 * i + a, 2 * j + b] = g[i, j]
    return dx


assert np.allclose(pooling_back(g, x), numeric(lambda x: np.sum(g * pooling(x)), x))

# %% [markdown]
# Right, on this image. Random numbers are never equal. The background of a digit is nothing but equal pixels:

# %%
tied = np.zeros((6, 6))
total = pooling_back(np.ones((3, 3)), tied).sum()
print("9 windows hand back", total)

# %% [markdown]
# Nine windows received 1 each and hand back 36: at a tie *every* pixel of the window gets the whole of `g`. The sum
# over a window must be what came in. PyTorch gives it to the first maximum, and so do we; chapter 7 says why that is
# allowed.
#
# ## The softmax, and numbers that are too large
#
# The last layer turns ten numbers into ten probabilities.


# %%
def softmax(z):
    return np.exp(z) / np.sum(np.exp(z))


with np.errstate(over="ignore", invalid="ignore"):
    print(softmax(np.array([2.0, 1.0, 0.0])))
    print(softmax(np.array([800.0, 1.0, 0.0])))

# %% [markdown]
# $e^{800}$ is more than a float can hold. It becomes infinite, and infinity divided by infinity is no number. The
# remedy costs one subtraction: $e^{z-m} / \sum e^{z-m}$ has the same value for every $m$, so take the largest $z$.


# %%
def softmax(z):
    e = np.exp(z - np.max(z))
    return e / np.sum(e)


assert np.allclose(softmax(np.array([800.0, 1.0, 0.0])), [1, 0, 0])

# %% [markdown]
# ## The same check, done for you
#
# What we did with `numeric` is what `gradcheck` does, with better differences, error bars and a search for the
# mistake. It takes the function and its way back as a pair, and says what it thinks of the early `return`:

# %%
from tinygrad_cnn.gradcheck import gradcheck, numpy_pair


def pooling_back_early(g, x):
    dx = np.zeros_like(x)
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            window = x[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
            dx[2 * i : 2 * i + 2, 2 * j : 2 * j + 2] = g[i, j] * (window == window.max())
            return dx


report = gradcheck(numpy_pair(pooling, pooling_back_early), [x], raise_exception=False)
print(report)
assert not report

# %% [markdown]
# ## What we have seen
#
# - A backward pass turns `g`, the gradient in the output, into gradients in *all* inputs: weights and data.
# - A wrong one often still learns. Looking at the loss does not find it.
# - A numeric check finds it in a moment. Draw the numbers at random, and test ties and large numbers by themselves.
# - The derivative of every layer was worked out by hand. Of the next layer we would have to do it again. The rest of
#   the course is about a program that does it for us.
#
# ## Exercises
#
# **1.** Write the missing `dx` of the convolution, and check it with `numeric`.
#
# :::{dropdown} Answer
# Each pixel is used by up to nine places, so `dx` collects from all of them:
# ```python
# def convolution_back_of_the_image(g, x, w):
#     dx = np.zeros_like(x)
#     for i in range(g.shape[0]):
#         for j in range(g.shape[1]):
#             dx[i : i + 3, j : j + 3] += g[i, j] * w
#     return dx
# ```
# With `=` in the place of `+=` each place would overwrite what its neighbours gave: a mistake that `gradcheck` calls
# by name.
# :::
#
# **2.** Change `pooling_back` so that the first maximum takes all. What is the sum over `tied` now?
#
# :::{dropdown} Answer
# Take `np.argmax(window)`, which is the first: `a, b = divmod(int(np.argmax(window)), 2)`, and write `g[i, j]` there
# alone. The sum is 9.
# :::
#
# **3.** Choose `h = 1e-1` and `h = 1e-13` in `numeric`. What happens to the difference, and why?
#
# :::{dropdown} Answer
# For the convolution a large `h` does no harm: it is linear in `w`, so the quotient is exact but for rounding. With
# `1e-13` the two losses agree in almost all digits, and what is left of their difference is rounding. Try it with the
# softmax, and the large step is wrong, too: there the quotient has an error that grows as $h^2$.
# :::
#
# **4.** What is wrong with `if window[a, b] == window.max()` for an image with `nan` in it?
#
# :::{dropdown} Answer
# `nan == nan` is false, so nothing gets the gradient, and the loss, which is `nan`, does not say where it came from.
# :::
