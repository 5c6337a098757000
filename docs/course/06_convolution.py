# %% [markdown]
# # 6. Convolution
#
# **You will be able to** turn a convolution into one matrix product, derive its two gradients with stride and padding,
# and see that the three belong together. **Time**: 45 minutes. **You need**: matrix products and the rule $\langle g,
# ab\rangle = \langle a^\top g, b\rangle = \langle g\,b^\top, a\rangle$ of chapter 5, and from chapter 4 what adjoint
# means.
#
# Chapter 1 computed a convolution with two loops over the places of the image. That is easy to read and slow. In this
# chapter a convolution becomes a copy and a matrix product. We know the gradients of both.

# %%
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

rng = np.random.default_rng(0)

# %% [markdown]
# ## One image, one kernel
#
# Cut the image into its windows of 3×3 pixels, one window for each place of the output. Write each window as a row of 9
# numbers. The rows form a matrix, the **columns matrix**. The function that builds it is called **im2col**, "image to
# columns". (In most libraries the windows are the columns of the matrix, and so it got its name. In ours they are the
# rows.)


# %%
def im2col_plain(x, k):
    """(H, W) -> (OH·OW, k·k), with OH = H-k+1 and OW = W-k+1."""
    windows = sliding_window_view(x, (k, k))  # (OH, OW, k, k)
    return windows.reshape(-1, k * k)


small = np.arange(16.0).reshape(4, 4)
print(small)
print(im2col_plain(small, 3))

# %% [markdown]
# Here is a larger image in a picture. The two coloured windows on the left become the two coloured rows on the right.
# Where the windows overlap, the same pixel stands in both rows:

# %% tags=["hide-input"]
try:
    import matplotlib.pyplot as plt
except ImportError:
    plt = None

if plt:
    picture = np.add.outer(np.arange(6.0), np.arange(6.0) ** 1.5)
    figure, (left, right) = plt.subplots(1, 2, figsize=(7, 3.4), layout="constrained")
    left.imshow(picture, cmap="gray")
    right.imshow(im2col_plain(picture, 3), cmap="gray", aspect="auto")
    for row, colour in ((5, "tab:orange"), (10, "tab:blue")):
        i, j = divmod(row, 4)
        left.add_patch(plt.Rectangle((j - 0.5, i - 0.5), 3, 3, fill=False, edgecolor=colour, linewidth=3))
        right.add_patch(plt.Rectangle((-0.5, row - 0.5), 9, 1, fill=False, edgecolor=colour, linewidth=3))
    left.set_title("image, 6×6", fontsize="medium")
    right.set_title("columns matrix, 16 windows × 9 pixels", fontsize="medium")
    plt.show()

# %% [markdown]
# Back to the small example. The image of 4×4 pixels has four windows of 3×3. Look for the pixel 5 in the columns: it
# stands in all four rows. The pixel 0 stands in one row only. im2col **repeats** pixels, as broadcasting does, but
# each pixel a different number of times.
#
# The rest is a product of a matrix and a vector:

# %%
kernel = rng.standard_normal((3, 3))
y = (im2col_plain(small, 3) @ kernel.ravel()).reshape(2, 2)

by_loops = np.zeros((2, 2))
for i, j in np.ndindex(2, 2):
    by_loops[i, j] = np.sum(small[i : i + 3, j : j + 3] * kernel)
assert np.allclose(y, by_loops)

# %% [markdown]
# ## Batches, channels, stride and padding
#
# A real convolution has more of everything. There are $N$ images, each with $C$ channels. There are $M$ kernels of
# $K \times K$ pixels, and each of them has $C$ channels, too. The **stride** $s$ says how far the window moves from one
# place to the next. The **padding** $p$ puts a frame of zeros around the image. The output has the height
#
# $$ OH = \left\lfloor \frac{H + 2p - K}{s} \right\rfloor + 1. $$
#
# In im2col this changes little. Padding comes first. The stride leaves out windows. A row has now $C \cdot K \cdot K$
# numbers, because a window contains all channels.


# %%
def im2col(x, k, stride=1):
    """(N, C, H, W) -> (N·OH·OW, C·k·k): each row is a window."""
    windows = sliding_window_view(x, (k, k), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]  # (N, C, OH, OW, k, k)
    N, C, OH, OW = windows.shape[:4]
    return windows.transpose(0, 2, 3, 1, 4, 5).reshape(N * OH * OW, C * k * k)


def pad(x, p):
    """(N, C, H, W) -> (N, C, H+2p, W+2p), with zeros."""
    return np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))


def conv(x, w, stride=1, padding=0):
    """(N, C, H, W) with (M, C, k, k) -> (N, M, OH, OW)."""
    N, _, H, W = x.shape
    M, _, k, _ = w.shape
    OH = (H + 2 * padding - k) // stride + 1
    OW = (W + 2 * padding - k) // stride + 1
    columns = im2col(pad(x, padding), k, stride)  # (N·OH·OW, C·k·k)
    rows = columns @ w.reshape(M, -1).T  # (N·OH·OW, M)
    return rows.reshape(N, OH, OW, M).transpose(0, 3, 1, 2)


# %% [markdown]
# One line computes, and the others arrange. The line with `@` is the linear layer of chapter 5: the columns are the
# examples, and the $M$ kernels are the rows of the weight matrix. Compare with the library:

# %%
import tinygrad_cnn as tg
import tinygrad_cnn.nn.functional as F

x, w = rng.standard_normal((2, 3, 8, 7)), rng.standard_normal((4, 3, 3, 3))
SETTINGS = [(1, 0), (1, 1), (2, 0), (2, 1), (3, 2)]
for stride, padding in SETTINGS:
    y = conv(x, w, stride, padding)
    expected = F.conv2d(tg.tensor(x), tg.tensor(w), stride=stride, padding=padding)
    print(f"stride {stride}, padding {padding}: {y.shape}")
    assert np.allclose(y, expected.numpy())

# %% [markdown]
# ## The gradient of the kernel
#
# Write $c$ for the columns matrix, $w$ for the kernels as a matrix of shape $(M, CKK)$, and $g$ for the cotangent as a
# matrix of shape $(N\,OH\,OW,\; M)$. Then $y = c\,w^\top$, and chapter 5 says
#
# $$ dw = g^\top c, \qquad dc = g\,w. $$
#
# The first one is finished: **the gradient of the kernel is one more matrix product**, with the same columns.


# %%
def as_rows(g):
    """(N, M, OH, OW) -> (N·OH·OW, M)."""
    return g.transpose(0, 2, 3, 1).reshape(-1, g.shape[1])


def kernel_gradient(g, x, k, stride=1, padding=0):
    dw = as_rows(g).T @ im2col(pad(x, padding), k, stride)  # (M, C·k·k)
    return dw.reshape(g.shape[1], x.shape[1], k, k)


# %% [markdown]
# ## The gradient of the image
#
# The second one is not finished, because nobody asked for the gradient of the columns. We want the gradient of the
# image. im2col copied each pixel to several places. So the cotangent of a pixel is the sum over all its copies. The
# function that adds them up is the adjoint of im2col, and it is called **col2im**.
#
# It would be slow to go through all windows. It is better to go through the $K \cdot K$ places *inside* the window. The
# upper left pixels of all windows, for example, form a grid in the image, with the stride as its step. No two of them
# are the same pixel, so NumPy can add them all at once:


# %%
def col2im(columns, shape, k, stride=1):
    """(N·OH·OW, C·k·k) -> (N, C, H, W). Overlapping windows add up."""
    N, C, H, W = shape
    OH, OW = (H - k) // stride + 1, (W - k) // stride + 1
    windows = columns.reshape(N, OH, OW, C, k, k)
    windows = windows.transpose(0, 3, 1, 2, 4, 5)  # (N, C, OH, OW, k, k)
    image = np.zeros(shape)
    for i in range(k):
        for j in range(k):
            rows = slice(i, i + stride * OH, stride)
            cols = slice(j, j + stride * OW, stride)
            image[:, :, rows, cols] += windows[..., i, j]
    return image


def image_gradient(g, w, shape, stride=1, padding=0):
    """The gradient of an image of the given shape (N, C, H, W)."""
    N, C, H, W = shape
    M, _, k, _ = w.shape
    columns = as_rows(g) @ w.reshape(M, -1)  # (N·OH·OW, C·k·k)
    with_frame = (N, C, H + 2 * padding, W + 2 * padding)
    padded = col2im(columns, with_frame, k, stride)
    return padded[:, :, padding : padding + H, padding : padding + W]


# %% [markdown]
# The last line is the adjoint of padding: it crops. The frame of zeros also got a gradient, but it is a constant and
# nobody needs its gradient.
#
# Are im2col and col2im really adjoint? The test of chapter 4 is exact with whole numbers:

# %%
image = rng.integers(-9, 10, (2, 3, 8, 7)).astype(float)
for stride in (1, 2, 3):
    columns = im2col(image, 3, stride)
    other = rng.integers(-9, 10, columns.shape).astype(float)
    back = col2im(other, image.shape, 3, stride)
    assert np.sum(other * columns) == np.sum(back * image)

# %% [markdown]
# ## Check it
#
# Now the whole convolution, with every setting:

# %%
from tinygrad_cnn.gradcheck import gradcheck, numpy_pair


def pair(stride, padding):
    def convolution(x, w):
        return conv(x, w, stride, padding)

    def vjp(g, x, w):
        return (
            image_gradient(g, w, x.shape, stride, padding),
            kernel_gradient(g, x, w.shape[2], stride, padding),
        )

    return numpy_pair(convolution, vjp)


few = [rng.standard_normal((2, 2, 5, 4)), rng.standard_normal((2, 2, 3, 3))]
for stride, padding in SETTINGS:
    report = gradcheck(pair(stride, padding), few)
    print(f"stride {stride}, padding {padding}: {report.headline()}")
    assert report

# %% [markdown]
# And the numbers are those of the library:

# %%
for stride, padding in SETTINGS:
    tx = tg.tensor(x, requires_grad=True)
    tw = tg.tensor(w, requires_grad=True)
    y = F.conv2d(tx, tw, stride=stride, padding=padding)
    g = rng.standard_normal(y.shape)
    y.backward(tg.tensor(g))
    dx = image_gradient(g, w, x.shape, stride, padding)
    dw = kernel_gradient(g, x, 3, stride, padding)
    assert np.allclose(tx.grad.numpy(), dx)
    assert np.allclose(tw.grad.numpy(), dw)

# %% [markdown]
# ## The same gradient as a convolution
#
# There is a second way to the gradient of the image, and you find it in many books. Take one channel and stride 1, and
# ask the other way round: which outputs does a pixel influence? The forward formula is
#
# $$ y_{ij} = \sum_{ab} x_{i+a,\,j+b}\; w_{ab}. $$
#
# The pixel $x_{mn}$ takes part where $i + a = m$ and $j + b = n$. So
#
# $$ dx_{mn} = \sum_{ab} g_{m-a,\,n-b}\; w_{ab}. $$
#
# This is almost a convolution of $g$ with $w$. Only the signs of $a$ and $b$ are different: we go through the kernel in
# the opposite direction, so the kernel is **turned by 180°**. And $g$ needs a frame of $K-1$ zeros, because $m-a$ can
# lie outside of it. This is called a **full convolution**. With channels, the roles of $C$ and $M$ are exchanged,
# because we go from the output to the input.
#
# With a stride there is one more step: put `stride - 1` zeros between the elements of $g$. They stand where the window
# did not stop.


# %%
def image_gradient_by_convolution(g, w, shape, stride=1, padding=0):
    N, _, H, W = shape
    M, _, k, _ = w.shape
    spread = np.zeros((N, M, H + 2 * padding - k + 1, W + 2 * padding - k + 1))
    spread[:, :, ::stride, ::stride] = g  # zeros where the window did not stop
    turned = w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)  # (C, M, k, k)
    padded = conv(spread, turned, padding=k - 1)
    return padded[:, :, padding : padding + H, padding : padding + W]


for stride, padding in SETTINGS:
    g = rng.standard_normal(conv(x, w, stride, padding).shape)
    one = image_gradient(g, w, x.shape, stride, padding)
    other = image_gradient_by_convolution(g, w, x.shape, stride, padding)
    assert np.allclose(one, other)

# %% [markdown]
# Both ways are correct. Libraries choose the faster one for the shapes at hand.
#
# ## Three functions, one form
#
# Put the definition into the loss $\langle g, y\rangle$, again for one channel and stride 1:
#
# $$ T(x, w, g) = \langle g,\; \mathrm{conv}(x, w)\rangle = \sum_{ij}\sum_{ab} g_{ij}\; x_{i+a,\,j+b}\; w_{ab}. $$
#
# Each term of this sum is a product of one number of $x$, one of $w$, and one of $g$. If you keep two of the arrays
# fixed, $T$ is linear in the third. Such a $T$ is called a **trilinear form**. Take out one array, and look at what
# stands beside it:
#
# - beside $g$ stands `conv(x, w)`, the forward pass,
# - beside $w$ stands `kernel_gradient(g, x)`,
# - beside $x$ stands `image_gradient(g, w)`.
#
# So the three functions are three views of the same sum, and these three numbers are equal:

# %%
x = rng.integers(-9, 10, (2, 3, 8, 7)).astype(float)
w = rng.integers(-9, 10, (4, 3, 3, 3)).astype(float)
for stride, padding in SETTINGS:
    y = conv(x, w, stride, padding)
    g = rng.integers(-9, 10, y.shape).astype(float)
    forward = np.sum(g * y)
    by_kernel = np.sum(kernel_gradient(g, x, 3, stride, padding) * w)
    by_image = np.sum(image_gradient(g, w, x.shape, stride, padding) * x)
    print(f"stride {stride}, padding {padding}: {forward:.0f} = {by_kernel:.0f} = {by_image:.0f}")
    assert forward == by_kernel == by_image

# %% [markdown]
# The backward pass of a convolution consists of the two other functions. And what is
# the backward pass of `image_gradient(g, w)`? It comes from the same form, so it consists of `conv` and
# `kernel_gradient`. However often you differentiate, nothing new appears. `tinygrad_cnn`
# has exactly these three operations, and with them it computes second derivatives of networks.
#
# ## Two common mistakes
#
# In the first one, `+=` in col2im became `=`. Then each window overwrites what its neighbours gave. In the second one,
# the kernel is not turned. The shapes are right in both.


# %%
def overwriting(g, x, w):
    columns = as_rows(g) @ w.reshape(len(w), -1)
    N, C, _, _ = x.shape
    _, _, OH, OW = g.shape
    windows = columns.reshape(N, OH, OW, C, 3, 3).transpose(0, 3, 1, 2, 4, 5)
    dx = np.zeros(x.shape)
    for i in range(3):
        for j in range(3):
            dx[:, :, i : i + OH, j : j + OW] = windows[..., i, j]
    return dx, kernel_gradient(g, x, 3)


def not_turned(g, x, w):
    return conv(g, w.transpose(1, 0, 2, 3), padding=2), kernel_gradient(g, x, 3)


for wrong in (overwriting, not_turned):
    report = gradcheck(numpy_pair(conv, wrong), few, raise_exception=False)
    print(f"{wrong.__name__}: {report.diagnoses[0].message}\n")
    assert not report

# %% [markdown]
# A word of warning on the second one. Many famous kernels look the same after a turn by 180°: all blurs, and the
# Laplace filter. If you test with one of them, you do not find the mistake. Test with random kernels.
#
# ## What we have seen
#
# - im2col turns a convolution into one matrix product. It repeats pixels.
# - The gradient of the kernel is one more product with the same columns.
# - The gradient of the image is a product and then col2im, which adds up the copies of each pixel. It is also a full
#   convolution with the turned kernel.
# - Padding and cropping are adjoint, and so are im2col and col2im.
# - Forward pass and both gradients are three views of one trilinear form.
#
# ## Exercises
#
# **1.** Predict `col2im` of a matrix of ones, for one image of 6×6 pixels, with `k=3` and stride 1. What do the numbers
# mean? Then take stride 3, and stride 4.
#
# :::{dropdown} Answer
# It counts in how many windows each pixel lies: 1 in the corners, 9 in the middle. With stride 3 the windows do not
# overlap, and all counts are 1. With stride 4 there is one window only, and the last three rows and columns lie in none
# of them. Such pixels get the gradient 0.
# ```python
# def counts(stride):
#     shape = (1, 1, 6, 6)
#     return col2im(np.ones_like(im2col(np.zeros(shape), 3, stride)), shape, 3, stride)[0, 0]
#
#
# print(counts(1))
# assert counts(1)[0].tolist() == [1, 2, 3, 3, 2, 1] and counts(1)[2, 2] == 9
# assert np.all(counts(3) == 1)
# assert counts(4).sum() == 9
# ```
# :::
#
# **2.** How much memory does the columns matrix need, compared with the image, for 64 images of 28×28 pixels with 32
# channels, `k=3`, stride 1, padding 1? Numbers have 4 bytes.
#
# :::{dropdown} Answer
# The image has $64\cdot 32\cdot 28\cdot 28 \approx 1.6$ million numbers, 6.4 MB. With padding 1 the output has 28×28
# places again, and each place has a row of $32\cdot 9$ numbers. So the columns are 9 times as large: 57.8 MB. This is
# the price of im2col. Fast programs build the columns for a few images at a time.
# ```python
# image, columns = 64 * 32 * 28 * 28 * 4, 64 * 28 * 28 * 32 * 9 * 4
# assert columns == 9 * image and round(columns / 1e6, 1) == 57.8
# ```
# :::
#
# **3.** Show with code that the gradient of the kernel is a convolution, too: of the image with `g` as the kernel. Take
# one image, one channel, one kernel, stride 1.
#
# :::{dropdown} Answer
# In $dw_{ab} = \sum_{ij} g_{ij}\, x_{i+a,\,j+b}$ the array $g$ stands where the kernel stood. The kernel $g$ is large,
# and the output has only 3×3 places.
# ```python
# x1, g1 = rng.standard_normal((1, 1, 7, 7)), rng.standard_normal((1, 1, 5, 5))
# assert np.allclose(conv(x1, g1), kernel_gradient(g1, x1, 3))
# ```
# :::
#
# **4.** Add a bias of shape (M,) to `conv`. What is its gradient? Check all three gradients.
#
# :::{dropdown} Answer
# The bias is repeated over the images and over all places, so its gradient is the sum over these axes.
# ```python
# def with_bias(x, w, b):
#     return conv(x, w) + b[:, None, None]
#
#
# def with_bias_vjp(g, x, w, b):
#     return image_gradient(g, w, x.shape), kernel_gradient(g, x, 3), g.sum(axis=(0, 2, 3))
#
#
# assert gradcheck(numpy_pair(with_bias, with_bias_vjp), [*few, rng.standard_normal(2)])
# ```
# :::
#
# **5.** Networks that *make* images use a "transposed convolution", which makes small images larger. It is
# `image_gradient(x, w)`, used as a forward pass. Write its VJP with the functions of this chapter (stride 2, no
# padding, input of 4×4, output of 9×9), and compare the forward pass with `F.conv_transpose2d`.
#
# :::{dropdown} Answer
# Take the form again: $T = \langle h, \mathrm{image\_gradient}(x, w)\rangle$, with the cotangent $h$. Now $h$ has the
# place of the image, and $x$ has the place of $g$. So the gradient of $x$ is `conv(h, w)`, and that of $w$ is
# `kernel_gradient(x, h)`.
# ```python
# def transposed(x, w):
#     return image_gradient(x, w, (2, 3, 9, 9), stride=2)
#
#
# def transposed_vjp(h, x, w):
#     return conv(h, w, stride=2), kernel_gradient(x, h, 3, stride=2)
#
#
# x5, w5 = rng.standard_normal((2, 2, 4, 4)), rng.standard_normal((2, 3, 3, 3))
# assert gradcheck(numpy_pair(transposed, transposed_vjp), [x5, w5])
# expected = F.conv_transpose2d(tg.tensor(x5), tg.tensor(w5), stride=2).numpy()
# assert np.allclose(transposed(x5, w5), expected)
# ```
# :::
#
# **6.** In which case does `not_turned` give the right gradient for a kernel that is *not* symmetric? Think of `k`.
#
# :::{dropdown} Answer
# For `k=1`. Such a kernel mixes the channels of a pixel and has nothing to turn. So a test with 1×1 kernels finds
# nothing, either.
# ```python
# x6, w6 = rng.standard_normal((1, 2, 4, 4)), rng.standard_normal((3, 2, 1, 1))
# g6 = rng.standard_normal((1, 3, 4, 4))
# assert np.allclose(conv(g6, w6.transpose(1, 0, 2, 3)), image_gradient(g6, w6, x6.shape))
# ```
# :::
