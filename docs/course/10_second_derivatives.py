# %% [markdown]
# # 10. Second derivatives
#
# **You will be able to** differentiate a gradient, use it for Newton's method and for a gradient penalty, and say which
# backward passes can be differentiated again. **Time**: 45 minutes. **You need**: chapters 1 to 3.
#
# The gradient says in which direction the loss falls. The second derivative says how the gradient itself changes: how
# curved the loss is. Newton's method uses it to choose the length of a step. Some losses contain a gradient; to train
# with them you need the derivative of a gradient.

# %%
import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.autograd import Function, grad
from tinygrad_cnn.gradcheck import gradcheck, gradgradcheck

rng = np.random.default_rng(0)

# %% [markdown]
# ## A gradient that remembers
#
# `grad(y, x)` returns the gradient of `y` in `x`. It is a plain number: it does not know how it was made. With
# `create_graph=True` the backward pass is recorded like any other computation. Then you can differentiate it.

# %%
x = tg.tensor([1.0, 2.0], dtype=tg.float64, requires_grad=True)
y = (x**3).sum()
(first,) = grad(y, x, create_graph=True)
(second,) = grad(first.sum(), x)
print("3 x² =", first.tolist(), "  6 x =", second.tolist())
assert second.tolist() == [6, 12]

# %% [markdown]
# Without `create_graph` the second call has nothing to go back through, and says so:

# %%
(forgetful,) = grad((x**3).sum(), x)
try:
    grad(forgetful.sum(), x)
except RuntimeError as error:
    print(error)

# %% [markdown]
# Why is this not always on? The graph of the backward pass needs memory, and a training step does not use it.
#
# ## Why it works for every order
#
# Look at the backward pass of a cube, written by hand: `dx = 3 * x**2 * g`. It multiplies and takes powers. The
# autograd knows the derivatives of these. So if the backward pass is *computed with tensors*, it is recorded like every
# other program, and its own backward pass comes for free. That one is again made of multiplications. So there is no
# end: second, third, any order.


# %%
def cube_back(g, x):
    return 3 * x**2 * g


one = tg.ones(2, dtype=tg.float64)
by_hand = cube_back(one, x)  # tensors in, a tensor with a graph out
print("6 x =", grad(by_hand.sum(), x)[0].tolist())

value = x.sin().sum()
for order in range(1, 6):
    (slope,) = grad(value, x, create_graph=True)
    value = slope.sum()
    print(f"derivative {order} of sin at 1: {slope.tolist()[0]: .4f}")
assert np.isclose(slope.tolist()[0], np.cos(1.0))

# %% [markdown]
# In this package every op has such a backward pass. It is one line in NumPy's notation, and it is called with arrays,
# or with tensors if the pass is recorded. NumPy hands its functions over to our tensors, so the line is the same for
# both. You can define an op of your own in this way:


# %%
class Cube(tg.Op):
    """y = x³        dx = 3 x² g"""

    broadcasts = floating = True

    def forward(x):
        return x**3

    def d_x(g, x):
        return 3 * x**2 * g


assert gradcheck(Cube.apply, x)
assert gradgradcheck(Cube.apply, x)

# %% [markdown]
# `gradcheck` compares a gradient with differences. `gradgradcheck` does the same one order higher: it takes the
# *gradient* as the function to check. It looks at both inputs of the backward pass, `x` and the cotangent `g`.
#
# ## A backward pass that is right once
#
# What breaks the chain? Each value that the backward pass uses and that is *not recorded*. Here is a version that
# seems clever: it computes the slope in the forward pass, where $x^2$ is known anyway, and keeps it as a plain number.


# %%
class KeptSlope(Function):
    """x³, with a slope that is kept as a plain number."""

    @staticmethod
    def forward(ctx, x):
        ctx.slope = 3 * x.detach() ** 2
        return x**3

    @staticmethod
    def backward(ctx, g):
        return g * ctx.slope


print("first order: ", gradcheck(KeptSlope.apply, x).verdict)
report = gradgradcheck(KeptSlope.apply, x, raise_exception=False)
print(report)
assert not report

# %% [markdown]
# The first derivative is right. For the second, the slope looks like a constant, so its derivative is missing. The
# result is 0 where $6x$ is right, and *no error is raised*. A training with a gradient penalty would run with a
# gradient that is wrong. So if somebody may differentiate your op twice, check it twice.
#
# The remedy is to keep `x`, which is part of the graph, and compute the slope in `backward`:


# %%
class RightTwice(Function):
    """x³, with a slope that is computed from what was kept."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * g


assert gradgradcheck(RightTwice.apply, x)

# %% [markdown]
# Writing into an array (`dx[i] = …`) breaks the chain for the same reason if the array is a plain one. This is why the
# rules of this package never assign. Max pooling, for example, has an op that puts numbers at the places of the maxima,
# and its backward pass is an op that takes them from there. Each is the backward pass of the other.
#
# ## The Hessian, and how to avoid it
#
# For a function of $n$ numbers the second derivatives are a matrix, the *Hessian*: $H_{ij} = \partial^2 f / \partial
# x_i \partial x_j$. For a small network with 10,000 weights it has 100 million numbers. You seldom need it. Often you
# need only its product with a vector, and this is cheap:
#
# $$ H v = \frac{\partial}{\partial x} \langle \nabla f(x), v \rangle. $$
#
# First the gradient, with `create_graph`. Then its product with the fixed `v`: one number. Then the gradient of that.
# The cost is that of a few gradients, and it does not grow with $n$.


# %%
def hessian_vector_product(f, x, v):
    (slope,) = grad(f(x), x, create_graph=True)
    return grad((slope * v).sum(), x)[0]


def rosenbrock(x):
    """(1 - a)² + 100 (b - a²)²: a curved and narrow valley with its minimum at (1, 1)."""
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


point = tg.tensor([-1.2, 1.0], dtype=tg.float64, requires_grad=True)
v = tg.tensor([1.0, 2.0], dtype=tg.float64)
product = hessian_vector_product(rosenbrock, point, v).numpy()

# The same by a difference of two gradients, as in chapter 1, one order higher
h = 1e-5
up, down = (tg.tensor(point.detach().numpy() + s * h * v.numpy(), requires_grad=True) for s in (1, -1))
difference = (grad(rosenbrock(up), up)[0] - grad(rosenbrock(down), down)[0]).numpy() / (2 * h)
print(product, difference)
assert np.allclose(product, difference, rtol=1e-6)

# %% [markdown]
# ## Newton's method
#
# Near a point the loss looks like a parabola. Newton's method computes this parabola and jumps to its lowest point:
#
# $$ x \leftarrow x - H^{-1} \nabla f(x). $$
#
# With two variables we can afford the whole matrix. Its columns are products with $(1, 0)$ and $(0, 1)$.


# %%
def hessian(f, x):
    columns = [hessian_vector_product(f, x, tg.tensor(e)).numpy() for e in np.eye(len(x))]
    return np.stack(columns, axis=1)


def newton(f, start, steps=20):
    x, path = np.array(start), []
    for _ in range(steps):
        at = tg.tensor(x, requires_grad=True)
        value = f(at)
        (slope,) = grad(value, at, retain_graph=True)
        path.append((x, value.item()))
        if slope.norm().item() < 1e-9:
            break
        x = x - np.linalg.solve(hessian(f, at), slope.numpy())
    return path


path = newton(rosenbrock, [-1.2, 1.0])
for k, (x, value) in enumerate(path):
    print(f"step {k}: ({x[0]: .6f}, {x[1]: .6f})   f = {value:.2e}")
assert np.allclose(path[-1][0], 1)

# %% [markdown]
# Six steps are enough. Look at the last ones: the number of right digits doubles with each step. In the second step
# the value goes *up*: far from the minimum the parabola is a bad picture of the function. Now gradient descent on the
# same valley, with a step that is about as long as is possible:

# %%
x, step = np.array([-1.2, 1.0]), 0.001
for _ in range(500):
    at = tg.tensor(x, requires_grad=True)
    (slope,) = grad(rosenbrock(at), at)
    x = x - step * slope.numpy()
print(f"after 500 steps of gradient descent: ({x[0]:.4f}, {x[1]:.4f})")
assert not np.allclose(x, 1, atol=0.1)

# %%
try:
    import matplotlib.pyplot as plt
except ImportError:
    plt = None

if plt:
    a, b = np.meshgrid(np.linspace(-1.5, 1.5, 121), np.linspace(-3.5, 1.8, 121))
    plt.figure(figsize=(5, 4))
    plt.contour(a, b, np.log1p((1 - a) ** 2 + 100 * (b - a**2) ** 2), 12, cmap="Greys")
    plt.plot(*np.array([x for x, _ in path]).T, "o-", label="Newton")
    plt.plot(*x, "s", label="gradient descent, 500 steps")
    plt.plot(1, 1, "*", markersize=14, label="minimum")
    plt.legend()
    plt.show()

# %% [markdown]
# Why is Newton's method not used for networks? The matrix is too large. The Hessian of a network also has negative
# directions, and there Newton's step goes *up*. And a batch gives only a noisy gradient. What is used are
# approximations, built from Hessian-vector products.
#
# ## A gradient penalty
#
# How much does the output of a network change if the input changes a little? This is the gradient in the *input*. You
# can make it small by training: add its square to the loss.
#
# $$ L + \lambda \left\| \frac{\partial L}{\partial x} \right\|^2. $$
#
# To go down here you need the derivative of $\partial L / \partial x$ in the weights: a second derivative. We learn a
# small problem with it, points inside and outside of a circle:

# %%
from tinygrad_cnn import nn, optim
from tinygrad_cnn.nn import functional as F

points = rng.uniform(-1, 1, (200, 2))
inside = (np.sum(points**2, axis=1) < 0.5).astype(np.int64)
inputs, labels = tg.tensor(points.astype(np.float32), requires_grad=True), tg.tensor(inside)


def trained(strength):
    tg.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2))
    optimizer = optim.Adam(net.parameters(), lr=0.05)
    for _ in range(150):
        loss = F.cross_entropy(net(inputs), labels, reduction="sum")
        (sensitivity,) = grad(loss, inputs, create_graph=True)
        total = (loss + strength * (sensitivity**2).sum()) / len(labels)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    right = np.mean(net(inputs).argmax(1).numpy() == inside)
    return right, np.sqrt((sensitivity.detach().numpy() ** 2).sum(axis=1)).mean()


sizes = []
for strength in (0.0, 0.05, 0.2):
    right, size = trained(strength)
    sizes.append(size)
    print(f"strength {strength:4}: {right:.0%} right, mean |dL/dx| = {size:.3f}")
assert sizes[0] > sizes[1] > sizes[2]

# %% [markdown]
# The network with the penalty reacts less to small changes of its input, and is right less often. The same idea keeps
# the training of some generative networks (WGAN-GP) stable.
#
# ## Kinks, one order higher
#
# The slope of ReLU is 0 or 1. It is constant on both sides, so its second derivative is 0 everywhere but at the kink.
# The Hessian of a network with ReLU still is not 0: the weights of one layer multiply those of the next. But in the
# input alone, a network of ReLU and linear layers has a second derivative of 0. For a gradient penalty take a smooth
# function such as `tanh`, `softplus` or `gelu`.

# %%
z = tg.tensor([-1.0, 0.5, 2.0], requires_grad=True)
for name, f in [("relu", F.relu), ("softplus", F.softplus)]:
    (slope,) = grad(f(z).sum(), z, create_graph=True)
    (curvature,) = grad(slope.sum(), z)
    print(f"{name:9} first {np.round(slope.tolist(), 3)}   second {np.round(curvature.tolist(), 3)}")

# %% [markdown]
# ## What we have seen
#
# - `create_graph=True` records the backward pass. Then a gradient can be differentiated.
# - If the backward pass consists of recorded operations, all orders come for free.
# - A value that is kept outside of the graph breaks this silently. `gradgradcheck` finds it.
# - $Hv$ costs a few gradients. The Hessian itself has $n^2$ numbers.
# - Newton's method doubles the right digits in each step, near the minimum and for small $n$.
#
# ## Exercises
#
# **1.** Compute the third derivative of `tanh` at 0 with three calls of `grad`. What should it be?
#
# :::{dropdown} Answer
# $\tanh x = x - x^3/3 + \dots$, so the third derivative is $-\tfrac13 \cdot 3! = -2$.
# ```python
# x = tg.tensor(0.0, dtype=tg.float64, requires_grad=True)
# value = x.tanh()
# for _ in range(3):
#     (value,) = grad(value, x, create_graph=True)
# assert value.item() == -2
# ```
# :::
#
# **2.** Show with a program that the Hessian of `rosenbrock` is symmetric at a random point. Does this check find the
# mistake in `KeptSlope`?
#
# :::{dropdown} Answer
# ```python
# at = tg.tensor(rng.standard_normal(2), requires_grad=True)
# matrix = hessian(rosenbrock, at)
# assert np.allclose(matrix, matrix.T)
# ```
# Symmetry is a useful check, but a weak one: the Hessian of `KeptSlope` is all zeros, and that is symmetric, too.
# :::
#
# **3.** Solve $H d = -\nabla f$ without the matrix: write the method of conjugate gradients, which needs only the
# function $v \mapsto Hv$. Test it on $f(x) = \sum_k k\, x_k^2 + (\sum_k x_k)^2$ in ten dimensions.
#
# :::{dropdown} Answer
# ```python
# def conjugate_gradients(product, b, steps):
#     d, r = np.zeros_like(b), b.copy()
#     p = r.copy()
#     for _ in range(steps):
#         if r @ r < 1e-24:
#             break
#         hp = product(p)
#         length = (r @ r) / (p @ hp)
#         d, smaller = d + length * p, r - length * hp
#         p = smaller + (smaller @ smaller) / (r @ r) * p
#         r = smaller
#     return d
#
#
# k = tg.tensor(np.arange(1.0, 11.0))
# f = lambda x: (k * x**2).sum() + x.sum() ** 2
# at = tg.tensor(rng.standard_normal(10), requires_grad=True)
# (slope,) = grad(f(at), at)
# d = conjugate_gradients(lambda v: hessian_vector_product(f, at, tg.tensor(v)).numpy(), -slope.numpy(), 20)
# assert np.allclose(at.detach().numpy() + d, 0, atol=1e-8)  # the minimum of a parabola in one step
# ```
# :::
#
# **4.** In `trained`, a student leaves out `create_graph=True` because the program runs faster without. What happens?
#
# :::{dropdown} Answer
# `sensitivity` is a constant then. The penalty makes the loss larger, but has no gradient, so the training is the same
# as with strength 0. Besides, `grad` frees the graph of the loss, and `backward` then raises an error. This is luck:
# with `retain_graph=True` there would be no error at all.
# :::
#
# **5.** The sum of the diagonal of the Hessian can be estimated: draw vectors `v` of random signs and take the mean of
# $v \cdot Hv$ (Hutchinson). Why does it work? Try it on the function of exercise 3.
#
# :::{dropdown} Answer
# $v \cdot Hv = \sum_{ij} v_i v_j H_{ij}$. For random signs $v_i v_j$ has the mean 0 if $i \ne j$, and is 1 if $i = j$.
# The exact sum is $2 (1 + \dots + 10) + 2 \cdot 10 = 130$.
# ```python
# k = tg.tensor(np.arange(1.0, 11.0))
# f = lambda x: (k * x**2).sum() + x.sum() ** 2
# at = tg.tensor(np.zeros(10), requires_grad=True)
# signs = rng.choice([-1.0, 1.0], (300, 10))
# values = [v @ hessian_vector_product(f, at, tg.tensor(v)).numpy() for v in signs]
# print(np.mean(values))
# assert abs(np.mean(values) - 130) < 10
# ```
# :::
