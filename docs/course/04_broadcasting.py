# %% [markdown]
# # 4. Arrays and broadcasting
#
# **You will be able to** write the backward pass of element-wise functions, of sums and means, and of every operation
# in which NumPy repeats a smaller array. **Time**: 45 minutes. **You need**: NumPy's shapes and axes, and the rule of
# chapter 3 that the cotangent of a value is a sum over its uses.
#
# A network does not compute with single numbers. It computes with arrays of thousands of numbers at a time. You could
# see such an array as thousands of `Value`s, but that would be very slow. It is better to have one rule for a whole
# array.

# %%
import numpy as np

rng = np.random.default_rng(0)

# %% [markdown]
# ## The cotangent has the shape of the array
#
# The loss stays a single number. Every element of an array has a cotangent: how fast the loss grows when this element
# grows. So the cotangents of an array of shape (2, 3) form an array of shape (2, 3). **The gradient of an array always
# has the shape of the array.** This sentence alone finds many mistakes.
#
# In the rules below, `g` is the cotangent of the output, as in chapter 1. Each rule has to turn `g` into the cotangents
# of the inputs. Such a rule is called a **vector-Jacobian product**, or VJP.
#
# ## Element-wise functions
#
# In `y = np.sin(x)` each element of `y` depends on one element of `x`, the one at the same place. So the chain rule
# works at each place separately, and the product is element-wise:

# %%
x = rng.standard_normal((2, 3))
g = rng.standard_normal((2, 3))


def sin_vjp(g, x):
    return g * np.cos(x)


# %% [markdown]
# We check it as before. The loss is $\sum g \cdot y$, because then the cotangent of `y` is exactly `g`. This time the
# function may have several inputs.


# %%
def numeric(f, g, inputs, h=1e-6):
    """The gradients of sum(g · f(*inputs)), by nudging each element."""
    found = []
    for k, array in enumerate(inputs):
        d = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            up, down = [a.copy() for a in inputs], [a.copy() for a in inputs]
            up[k][place] += h
            down[k][place] -= h
            d[place] = np.sum(g * (f(*up) - f(*down))) / (2 * h)
        found.append(d)
    return found


assert np.allclose(sin_vjp(g, x), numeric(np.sin, g, [x])[0])

# %% [markdown]
# With two inputs of *equal* shape there is nothing new. For `y = a * b` the rules are `g * b` and `g * a`.
#
# ## Broadcasting repeats
#
# NumPy also multiplies and adds arrays of different shapes. It puts the shapes below each other, from the right. An
# axis of length 1, and an axis that is missing, is repeated until it fits:
#
# ```text
# x      (4, 3)        x      (4, 3)        x        (4, 3)
# b         (3)        c      (4, 1)        s            ()
# x + b  (4, 3)        x + c  (4, 3)        x * s    (4, 3)
#
# b: the same row       c: the same column   s: the same number
#    for 4 rows            for 3 columns        at 12 places
# ```
#
# What is the gradient of `b` in `x + b`? Each element of `b` is used four times, once in each row. By chapter 3 its
# cotangent is the sum over its four uses. So it is the sum of `g` over the rows:

# %%
x, b = rng.standard_normal((4, 3)), rng.standard_normal(3)
g = rng.standard_normal((4, 3))

db = g.sum(axis=0)
assert np.allclose(db, numeric(np.add, g, [x, b])[1])

# %% [markdown]
# This is the whole secret: **broadcasting repeats, so its gradient sums over what was repeated.** The diamond of
# chapter 3 is hidden in it.
#
# ## One function for all cases
#
# We do not want to think about axes in each rule. So we first compute as if both shapes were equal, and get a gradient
# of the output's shape. Then one function brings it back to the shape of the input. It undoes the broadcasting, and it
# is called `unbroadcast`.


# %%
def unbroadcast(d, shape):
    """Sum d over the axes along which an array of this shape was repeated."""
    missing = d.ndim - len(shape)
    d = d.sum(axis=tuple(range(missing)))  # axes missing on the left
    stretched = tuple(k for k, n in enumerate(shape) if n == 1 and d.shape[k] != 1)
    return d.sum(axis=stretched, keepdims=True)  # they stay, with length 1


for shape in [(4, 3), (3,), (1, 3), (4, 1), (1, 1), (1,), ()]:
    print(f"{shape!s:7} was broadcast; its gradient has", unbroadcast(g, shape).shape)
    assert unbroadcast(g, shape).shape == shape

# %% [markdown]
# Now the rules of the two most frequent operations are short, and they are right for all shapes:


# %%
def add_vjp(g, a, b):
    return unbroadcast(g, a.shape), unbroadcast(g, b.shape)


def multiply_vjp(g, a, b):
    return unbroadcast(g * b, a.shape), unbroadcast(g * a, b.shape)


SHAPES = [((4, 3), (3,)), ((4, 1), (1, 3)), ((2, 1, 3), (4, 1)), ((), (2, 2)), ((3,), (1,))]
for of_a, of_b in SHAPES:
    a, b = rng.standard_normal(of_a), rng.standard_normal(of_b)
    g = rng.standard_normal(np.broadcast_shapes(of_a, of_b))
    for operation, vjp in ((np.add, add_vjp), (np.multiply, multiply_vjp)):
        for one, other in zip(vjp(g, a, b), numeric(operation, g, [a, b]), strict=True):
            assert one.shape == other.shape
            assert np.allclose(one, other)

# %% [markdown]
# The second pair is worth a look. (4, 1) and (1, 3) give (4, 3): *both* arrays are repeated, each along its own axis.
# Note also the order in `multiply_vjp`: first multiply, then sum. `g * b` needs the full shape.
#
# ## Sum and expand belong together
#
# We know now that the gradient of a repetition is a sum. What is the gradient of a sum? In `y = x.sum()` each element
# of `x` has the local derivative 1. So every element gets the same cotangent, `g`. It is *repeated*.


# %%
def sum_vjp(g, x, axis=None, keepdims=False):
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)  # put the axis back, with length 1
    return np.broadcast_to(g, x.shape)


def mean_vjp(g, x, axis=None, keepdims=False):
    n = x.size if axis is None else x.shape[axis]
    return sum_vjp(g, x, axis, keepdims) / n


x = rng.standard_normal((4, 3))
for axis in (None, 0, 1, -1):
    for keepdims in (False, True):
        g = rng.standard_normal(x.sum(axis=axis, keepdims=keepdims).shape)
        found = numeric(lambda x, axis=axis, k=keepdims: x.sum(axis=axis, keepdims=k), g, [x])[0]
        assert np.allclose(sum_vjp(g, x, axis, keepdims), found)
        found = numeric(lambda x, axis=axis, k=keepdims: x.mean(axis=axis, keepdims=k), g, [x])[0]
        assert np.allclose(mean_vjp(g, x, axis, keepdims), found)

# %% [markdown]
# The line with `expand_dims` is easily forgotten. For `x` of shape (4, 3), the sum over `axis=1` has the shape (4,).
# Without the axis, NumPy would put the 4 numbers below the axis of length 3, and complain. On a *square* array it would
# not complain. It would repeat along the wrong axis, without a word:

# %%
square = rng.standard_normal((3, 3))
g = np.array([1.0, 2.0, 3.0])
print("right, each row has one number:\n", sum_vjp(g, square, axis=1))
print("wrong, each column has one number:\n", np.broadcast_to(g, square.shape))

# %% [markdown]
# So here is a rule for tests: **never test with square arrays only.** Take a different length for each axis.
#
# ## What "belong together" means
#
# Sum and expand are linear functions, and each is the backward pass of the other. Mathematicians call such a pair
# **adjoint**. Write $\langle a, b\rangle$ for the sum of the element-wise products of two arrays. Then the functions
# $A$ and $B$ are adjoint if, for all arrays $x$ and $g$ of the right shapes,
#
# $$ \langle g,\, A x\rangle = \langle B g,\, x\rangle. $$
#
# Read it like this: the left side is our loss $\sum g\cdot y$. It is linear in $x$. The right side shows with which
# number each element of $x$ is multiplied, and that is the gradient. So to find the backward pass of a linear function,
# find its adjoint.
#
# The equation is also a very good test. It needs no step size $h$, and it is exact. With whole numbers there is not
# even a rounding error:


# %%
def expand(x):
    return np.broadcast_to(x, (5, 4, 3))


x = rng.integers(-9, 10, (4, 1)).astype(float)
g = rng.integers(-9, 10, (5, 4, 3)).astype(float)
left = np.sum(g * expand(x))
right = np.sum(unbroadcast(g, x.shape) * x)
print("⟨g, expand x⟩ =", left, " ⟨unbroadcast g, x⟩ =", right)
assert left == right

# %% [markdown]
# Other adjoint pairs: transposing and transposing back; reshaping and reshaping back; picking elements (`x[index]`) and
# adding into zeros; padding with zeros and cropping. Chapter 6 has a more surprising pair.
#
# ## The bias of a linear layer
#
# Most learners meet broadcasting first in the bias. A batch of $N$ examples has shape $(N, K)$, and the layer
# adds the same bias of shape $(K,)$ to each example. There are three common mistakes. `gradcheck` knows them by name:

# %%
from tinygrad_cnn.gradcheck import gradcheck, numpy_pair


def add_bias(x, b):
    return x + b


def not_summed(g, x, b):
    return g, g


def only_the_first(g, x, b):
    return g, g[0]


def averaged(g, x, b):
    return g, g.mean(axis=0)


x, b = rng.standard_normal((4, 3)), rng.standard_normal(3)
for wrong in (not_summed, only_the_first, averaged):
    report = gradcheck(numpy_pair(add_bias, wrong), [x, b], raise_exception=False)
    print(f"{wrong.__name__}: {report.diagnoses[0].message}\n")
    assert not report

assert gradcheck(numpy_pair(add_bias, add_vjp), [x, b])

# %% [markdown]
# The third mistake has an excuse: "the loss is a mean over the batch, so the gradient of the bias must be a mean, too".
# But if the loss is a mean, the factor $1/N$ is already in `g`. It came from the backward pass of that mean. Each rule
# does its own part, and only that.
#
# ## The same with a library
#
# In `tinygrad_cnn`, the rules of element-wise operations do not mention shapes. The engine calls one `unbroadcast`
# behind all of them, because the sum is the same for all.

# %%
import tinygrad_cnn as tg

b = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
c = tg.tensor([[1.0], [2.0], [3.0], [4.0]], requires_grad=True)
loss = (b * c).sum()  # (3,) with (4, 1) -> (4, 3)
loss.backward()
print("b.grad =", b.grad, " c.grad =", c.grad.flatten())
assert b.grad.tolist() == [10, 10, 10]
assert c.grad.tolist() == [[6], [6], [6], [6]]

# %% [markdown]
# ## A trap that no gradient check finds
#
# Broadcasting also works where you did not want it. A network returns predictions of shape (N, 1), and the targets have
# shape (N,). Their difference should have N elements:

# %%
predictions = rng.standard_normal((5, 1))
targets = predictions[:, 0].copy()  # all predictions are perfect
print("the error should be 0, it is", np.mean((predictions - targets) ** 2))
print("the shape of the difference:", (predictions - targets).shape)
assert (predictions - targets).shape == (5, 5)

# %% [markdown]
# Each prediction was compared with each target. The gradient of this loss is computed correctly, but it is the gradient
# of the wrong loss. The network learns to predict the same number, the mean of the targets, for every example. If a
# network learns only the mean, print the shapes.
#
# ## What we have seen
#
# - The gradient of an array has the shape of the array.
# - Element-wise functions: multiply `g` by the local derivative, place by place.
# - Broadcasting repeats, so its gradient is a sum over what was repeated. One function, `unbroadcast`, does it for all.
# - The gradient of a sum is a repetition. Sum and expand are adjoint, and $\langle g, Ax\rangle = \langle Bg, x\rangle$
#   is an exact test.
# - Test with axes of different lengths.
#
# ## Exercises
#
# **1.** Which shape does the result have, and over which axes must the gradient of each input be summed?
# (a) (5, 1, 3) + (4, 1). (b) (2, 3) * (). (c) (3,) + (3, 1). (d) (2, 3) + (2,).
#
# :::{dropdown} Answer
# (a) (5, 4, 3); the first input over axis 1, keeping it; the second over axis 0, and over axis 2, keeping that one.
# (b) (2, 3); the number over both axes. (c) (3, 3), and not (3,): the first over axis 0, the second over axis 1,
# keeping it. (d) An error: from the right, 3 stands above 2.
# ```python
# assert np.broadcast_shapes((5, 1, 3), (4, 1)) == (5, 4, 3)
# assert np.broadcast_shapes((3,), (3, 1)) == (3, 3)
# assert unbroadcast(np.ones((5, 4, 3)), (4, 1)).tolist() == [[15.0]] * 4
# ```
# :::
#
# **2.** Write the VJP of `a / b` for arrays of all shapes, and check it.
#
# :::{dropdown} Answer
# ```python
# def divide_vjp(g, a, b):
#     return unbroadcast(g / b, a.shape), unbroadcast(-g * a / b**2, b.shape)
#
#
# a, b = rng.standard_normal((4, 3)), 2 + rng.random((4, 1))
# assert gradcheck(numpy_pair(np.divide, divide_vjp), [a, b])
# ```
# The numbers in `b` are drawn between 2 and 3. Near 0 the quotient changes so fast that nudging is not exact.
# :::
#
# **3.** Normalising layers subtract the mean of each row: `y = x - x.mean(axis=1, keepdims=True)`. Find the VJP. What
# do you notice?
#
# :::{dropdown} Answer
# `x` is used twice: directly, and in the mean. The first use gives `g`. The second one first sums $-g$ over the row
# (broadcasting), then repeats it and divides by the length (mean). So it is `g - g.mean(axis=1, keepdims=True)`. The
# backward pass is the same function as the forward pass: it is its own adjoint.
# ```python
# def centre(x):
#     return x - x.mean(axis=1, keepdims=True)
#
#
# def centre_vjp(g, x):
#     return g - g.mean(axis=1, keepdims=True)
#
#
# assert gradcheck(numpy_pair(centre, centre_vjp), [rng.standard_normal((4, 3))])
# report = gradcheck(numpy_pair(centre, lambda g, x: g), [rng.standard_normal((4, 3))], raise_exception=False)
# assert not report
# print(report.diagnoses[0].message)  # the mean was held constant
# ```
# :::
#
# **4.** What is the adjoint of `np.repeat(x, 3)`, which makes `[a, b]` into `[a, a, a, b, b, b]`? And of
# `np.tile(x, 3)`, which makes `[a, b, a, b, a, b]`?
#
# :::{dropdown} Answer
# Both repeat, so both adjoints are sums. They differ in which elements belong together.
# ```python
# x, g = rng.integers(-9, 10, 4).astype(float), rng.integers(-9, 10, 12).astype(float)
# assert np.sum(g * np.repeat(x, 3)) == np.sum(g.reshape(4, 3).sum(axis=1) * x)
# assert np.sum(g * np.tile(x, 3)) == np.sum(g.reshape(3, 4).sum(axis=0) * x)
# ```
# :::
#
# **5.** `np.cumsum(x)` has the elements $x_0,\; x_0 + x_1,\; x_0 + x_1 + x_2, \dots$ What is its adjoint?
#
# :::{dropdown} Answer
# $x_k$ is used in output $k$ and in all later ones. So its cotangent is the sum of $g_k$ and all later ones: a
# cumulated sum from the end.
# ```python
# x, g = rng.integers(-9, 10, 5).astype(float), rng.integers(-9, 10, 5).astype(float)
# assert np.sum(g * np.cumsum(x)) == np.sum(np.cumsum(g[::-1])[::-1] * x)
# ```
# :::
#
# **6.** `np.max(x, axis=1)` is not linear, but its VJP is similar to that of a sum. Which elements get something?
#
# :::{dropdown} Answer
# Only the maximum of each row has an influence, so it gets the whole of `g`, and all others get 0. As in the sum, the
# axis has to be put back first.
# ```python
# def max_vjp(g, x):
#     return np.where(np.arange(x.shape[1]) == x.argmax(axis=1)[:, None], g[:, None], 0.0)
#
#
# assert gradcheck(numpy_pair(lambda x: x.max(axis=1), max_vjp), [rng.standard_normal((4, 3))])
# ```
# `argmax` gives the first one if there are several. `x == x.max(...)` would give the whole of `g` to each of them.
# :::
