# %% [markdown]
# # 2. Numbers and the chain rule
#
# **You will be able to** take a formula apart into small steps, find its derivatives forward and backward by hand, and
# write a class that does the backward pass for you. **Time**: 45 minutes. **You need**: Python classes, and the
# derivatives of simple functions such as $x^2$ and $\tanh x$.
#
# In chapter 1 we found the derivative of every layer on paper. In this chapter we use single numbers instead of
# arrays. With numbers you can see the whole idea of autodiff, and every step fits on one line.

# %%
import math

# %% [markdown]
# ## A formula is a chain of small steps
#
# Our example is one neuron. It takes a number $x$, multiplies it by a weight $w$, adds a bias $b$, and applies
# $\tanh$. The answer should be $t$, the target. The loss is the square of the error:
#
# $$ L = (\tanh(w x + b) - t)^2. $$
#
# A computer never sees this formula as a whole. It does one small operation after the other. Give each result a name:

# %%
x, w, b, t = 2.0, 0.5, -0.4, 1.0

p = w * x
s = p + b
y = math.tanh(s)
d = y - t
loss = d**2
print(f"p = {p:.4f}, s = {s:.4f}, y = {y:.4f}")
print(f"d = {d:.4f}, loss = {loss:.4f}")

# %% [markdown]
# This is the **forward pass**. The steps form a chain with a few side entries:
#
# ```text
# w ─┐
#    ├─ × ── p ─┐
# x ─┘          ├─ + ── s ── tanh ── y ─┐
#            b ─┘                       ├─ − ── d ── ( )² ── loss
#                                    t ─┘
# ```
#
# We want the derivative of the loss with respect to $w$ and $b$, because training changes these two. We also want it
# with respect to $x$. In a larger network $x$ is the output of another neuron.
#
# ## Local derivatives
#
# Each step is so small that you know its derivative by heart. The derivative of a step's output with respect to one
# of its inputs is called the **local derivative**. It needs nothing but the numbers of this one step.
#
# | step | local derivatives |
# |---|---|
# | $p = w x$ | $\partial p/\partial w = x$, $\quad \partial p/\partial x = w$ |
# | $s = p + b$ | $\partial s/\partial p = 1$, $\quad \partial s/\partial b = 1$ |
# | $y = \tanh s$ | $\partial y/\partial s = 1 - y^2$ |
# | $d = y - t$ | $\partial d/\partial y = 1$, $\quad \partial d/\partial t = -1$ |
# | $L = d^2$ | $\partial L/\partial d = 2d$ |
#
# Look at the third row: the derivative of $\tanh$ is written with the *output* $y$. We have $y$ already, so the
# derivative costs one multiplication and one subtraction.
#
# ## The chain rule
#
# Think of gear wheels. If $w$ grows by a tiny amount $\varepsilon$, then $p$ grows by $x\,\varepsilon$. Then $s$ grows
# by 1 times that amount, $y$ by $1-y^2$ times that amount, and so on. Each step multiplies the change by its local
# derivative. So the derivative of the whole is the product of the local derivatives on the way:
#
# $$ \frac{\partial L}{\partial w}
#  = \frac{\partial L}{\partial d}\cdot\frac{\partial d}{\partial y}\cdot\frac{\partial y}{\partial s}
#    \cdot\frac{\partial s}{\partial p}\cdot\frac{\partial p}{\partial w}
#  = 2d \cdot 1 \cdot (1-y^2) \cdot 1 \cdot x. $$
#
# You can multiply this product from either end. From the right, you begin at $w$ and follow the change forward. This
# is called **forward mode**:

# %%
p_by_w = x
s_by_w = 1 * p_by_w
y_by_w = (1 - y**2) * s_by_w
d_by_w = 1 * y_by_w
loss_by_w = 2 * d * d_by_w
print("dL/dw, forward:", loss_by_w)

# %% [markdown]
# That was the derivative in $w$ only. For $b$ and for $x$ you have to start again: *one run for each input*. A network
# has thousands of weights, so this is slow.
#
# From the left, you begin at the loss and go back. At each step you hold one number: the derivative of the loss with
# respect to the value at this place. It is called the **cotangent** of that value. In a program it is often written
# `dy` or `g`. This is **reverse mode**, or the **backward pass**:

# %%
g_loss = 1.0  # if the loss grows by ε, the loss grows by ε
g_d = g_loss * 2 * d
g_y = g_d * 1
g_t = g_d * -1
g_s = g_y * (1 - y**2)
g_p = g_s * 1
g_b = g_s * 1
g_w = g_p * x
g_x = g_p * w
print(f"dL/dw = {g_w:.4f}, dL/dx = {g_x:.4f}")
print(f"dL/db = {g_b:.4f}, dL/dt = {g_t:.4f}")
assert math.isclose(g_w, loss_by_w)

# %% [markdown]
# Every line has the same form:
#
# > cotangent of an input = cotangent of the output × local derivative
#
# And *one* run gave the derivatives in all four inputs. The parts of the product that they share were computed once:
# `g_s` was used for `p` and for `b`. This is the reason why networks are trained with reverse mode. There is one loss,
# and there are many weights.
#
# | | you begin at | one run gives | runs for $n$ weights and one loss |
# |---|---|---|---|
# | forward mode | one input | the derivative of everything in that input | $n$ |
# | reverse mode | the loss | the derivative of the loss in everything | 1 |
#
# ## Check it by nudging
#
# As in chapter 1, we trust no derivative that we did not check. Move one input a little up and a little down, and look
# at the loss.


# %%
def neuron(w, x, b, t):
    return (math.tanh(w * x + b) - t) ** 2


def numeric(f, inputs, h=1e-6):
    """The derivative of f with respect to each of its inputs."""
    found = []
    for k in range(len(inputs)):
        up, down = list(inputs), list(inputs)
        up[k] += h
        down[k] -= h
        found.append((f(*up) - f(*down)) / (2 * h))
    return found


by_hand = [g_w, g_x, g_b, g_t]
by_nudging = numeric(neuron, [w, x, b, t])
for name, one, other in zip("wxbt", by_hand, by_nudging, strict=True):
    print(f"dL/d{name}: by hand {one:.8f}, by nudging {other:.8f}")
    assert math.isclose(one, other, rel_tol=1e-6)

# %% [markdown]
# In a picture: draw the loss for many values of $w$, and hold $x$, $b$ and $t$ fixed. The derivative is the slope of
# the line that touches the curve at $w = 0.5$.

# %% tags=["hide-input"]
try:
    import matplotlib.pyplot as plt
except ImportError:
    plt = None

if plt:
    many = [k / 50 - 1 for k in range(151)]
    near = [0.2, 0.8]
    plt.figure(figsize=(5, 3.2), layout="constrained")
    plt.plot(many, [neuron(one, x, b, t) for one in many], label="loss")
    plt.plot(near, [d**2 + g_w * (one - w) for one in near], linewidth=2, label=f"slope {g_w:.2f}")
    plt.plot([w], [d**2], "o", color="black")
    plt.xlabel("w")
    plt.ylabel("loss")
    plt.legend()
    plt.show()

# %% [markdown]
# ## Let the program remember
#
# The backward pass was dull work: go through the steps in reverse order, and multiply each time. A program can do it if
# it remembers two things of each value: *which values it was made from*, and *the local derivative in each of them*.
# Both are known at the moment when the step is computed. So we write a class of numbers that remember.


# %%
class Value:
    """A number that knows how it was made."""

    def __init__(self, data, inputs=()):
        self.data = data
        self.inputs = inputs  # pairs: (an input, the local derivative in it)
        self.grad = 0.0

    def __add__(self, other):
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __sub__(self, other):
        return Value(self.data - other.data, [(self, 1.0), (other, -1.0)])

    def __mul__(self, other):
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])

    def square(self):
        return Value(self.data**2, [(self, 2 * self.data)])

    def tanh(self):
        y = math.tanh(self.data)
        return Value(y, [(self, 1 - y**2)])

    def backward(self, g=1.0):
        """Store the cotangent g here, and hand each input its own."""
        self.grad = g
        for value, local in self.inputs:
            value.backward(g * local)


# %% [markdown]
# Read the method `backward` again. It is our rule, in three lines. The cotangent `g` comes from above. The value keeps
# it, multiplies it by each local derivative, and hands the products to its inputs. They do the same. A value without
# inputs hands on nothing, and there the pass ends.
#
# Now the neuron is written as a normal formula, and there is nothing to work out on paper:


# %%
def neuron_of_values(w, x, b, t):
    return ((w * x + b).tanh() - t).square()


inputs = [Value(number) for number in (w, x, b, t)]
loss = neuron_of_values(*inputs)
loss.backward()
print("loss", loss.data, "gradients", [value.grad for value in inputs])

for value, expected in zip(inputs, by_hand, strict=True):
    assert math.isclose(value.grad, expected)

# %% [markdown]
# Change the formula, and the derivatives follow. Only a *new kind of step* needs new mathematics, and it needs one
# line. A library has some hundred kinds of steps. All networks are made of them.
#
# ## Use the gradient
#
# The derivative says how the loss grows. So we take a small step in the other direction, and repeat. This is gradient
# descent:

# %%
weight, bias = 0.5, -0.4
losses = []
for _ in range(20):
    vw, vb = Value(weight), Value(bias)
    loss = neuron_of_values(vw, Value(x), vb, Value(t))
    loss.backward()
    losses.append(loss.data)
    weight -= 0.1 * vw.grad
    bias -= 0.1 * vb.grad
print(f"loss at first {losses[0]:.4f}, after 20 steps {losses[-1]:.4f}")
assert losses == sorted(losses, reverse=True)

# %% [markdown]
# ## The same with a library
#
# `tinygrad_cnn` does the same with its class `Tensor`. You say which tensors need a gradient, compute, and call
# `backward()` on the loss. Even our function works without a change, because a tensor has the same methods:

# %%
import tinygrad_cnn as tg

tensors = [tg.tensor(number, dtype=tg.float64, requires_grad=True) for number in (w, x, b, t)]
loss = neuron_of_values(*tensors)
loss.backward()
for name, tensor, expected in zip("wxbt", tensors, by_hand, strict=True):
    print(f"dL/d{name} =", tensor.grad.item())
    assert math.isclose(tensor.grad.item(), expected)

# %% [markdown]
# ## A warning: our class works for trees only
#
# In the neuron each value is used once. Then the picture of the steps is a *tree*: from each value there is exactly
# one way to the loss. Use a value twice, and our class is wrong:

# %%
v = Value(3.0)
(v * v).backward()
print("the derivative of v·v at 3 is 6, our class says", v.grad)
assert v.grad == 3.0

# %% [markdown]
# The value `v` got the cotangent 3 from the left factor and the cotangent 3 from the right factor. The second one
# overwrote the first. Chapter 3 shows what is right, and why the obvious repair is very slow.
#
# ## What we have seen
#
# - A program computes a formula in small steps. Each step has a local derivative that is easy to find.
# - The chain rule multiplies local derivatives. Forward mode begins at one input, reverse mode begins at the loss.
# - Reverse mode gives the derivatives in all inputs in one run.
# - A class of numbers that remember their inputs and local derivatives does the backward pass by itself.
# - So far it works only if each value is used once.
#
# ## Exercises
#
# **1.** Take $L = e^{a b} - c$ at $a = 2$, $b = 0.5$, $c = 1$. Do the forward and the backward pass on paper. Then give
# `Value` a method `exp` and compare.
#
# :::{dropdown} Answer
# Forward: $p = ab = 1$, $q = e^p = 2.718$, $L = q - c = 1.718$. Backward: $L$ has the cotangent 1, $q$ has 1, $c$ has
# $-1$. The local derivative of $e^p$ is $q$, so $p$ has 2.718. Then $a$ has $2.718 \cdot b = 1.359$, and $b$ has
# $2.718 \cdot a = 5.437$.
# ```python
# def exp(self):
#     y = math.exp(self.data)
#     return Value(y, [(self, y)])
#
#
# Value.exp = exp
# a, b, c = Value(2.0), Value(0.5), Value(1.0)
# ((a * b).exp() - c).backward()
# assert math.isclose(a.grad, 0.5 * math.e) and math.isclose(b.grad, 2 * math.e) and c.grad == -1
# ```
# :::
#
# **2.** Write `__truediv__`, so that `a / b` works. Check both derivatives with `numeric`.
#
# :::{dropdown} Answer
# The local derivative of $a/b$ is $1/b$ in $a$, and $-a/b^2$ in $b$.
# ```python
# def divide(self, other):
#     y = self.data / other.data
#     return Value(y, [(self, 1 / other.data), (other, -y / other.data)])
#
#
# Value.__truediv__ = divide
# a, b = Value(3.0), Value(-2.0)
# (a / b).backward()
# expected = numeric(lambda a, b: a / b, [3.0, -2.0])
# assert math.isclose(a.grad, expected[0], rel_tol=1e-6) and math.isclose(b.grad, expected[1], rel_tol=1e-6)
# ```
# If the sign in `b` is wrong, `numeric` shows it at once.
# :::
#
# **3.** The function $\mathrm{relu}(s) = \max(s, 0)$ is used more often than $\tanh$. What is its local derivative?
# What happens at $s = 0$?
#
# :::{dropdown} Answer
# It is 1 for $s > 0$ and 0 for $s < 0$. At 0 the slope jumps, and there is no derivative: such a point is called a
# *kink*. A program has to return some number. PyTorch and this package return 0.
# ```python
# def relu(self):
#     return Value(max(self.data, 0.0), [(self, 1.0 if self.data > 0 else 0.0)])
#
#
# for number, slope in [(2.0, 1.0), (-2.0, 0.0), (0.0, 0.0)]:
#     v = Value(number)
#     relu(v).backward()
#     tensor = tg.tensor(number, requires_grad=True)
#     tensor.relu().backward()
#     assert v.grad == slope == tensor.grad.item()
# ```
# Nudging at 0 gives 0.5, the mean of both slopes. It is a third answer, and it is no proof that 0 is wrong.
# :::
#
# **4.** Put 30 neurons in a row, each with the weight 1 and the bias 0, so that $y = \tanh(\tanh(\dots\tanh(x)))$.
# What is the derivative in $x$ at $x = 1$? What does this mean for a deep network?
#
# :::{dropdown} Answer
# It is a product of 30 factors $1 - y^2$, each of them below 1:
# ```python
# x0 = Value(1.0)
# y = x0
# for _ in range(30):
#     y = y.tanh()
# y.backward()
# print(x0.grad)
# assert 0 < x0.grad < 0.02
# ```
# The first layer of a deep network gets a tiny gradient and learns slowly. This is called the problem of *vanishing
# gradients*. If the factors are larger than 1, the gradient explodes instead.
# :::
#
# **5.** Write forward mode as a class, too: a number that carries its derivative in one chosen input. Count the runs
# that you need for all four derivatives of the neuron.
#
# :::{dropdown} Answer
# Such numbers are called *dual numbers*. Four runs are needed, one for each input.
# ```python
# class Dual:
#     def __init__(self, data, slope=0.0):
#         self.data, self.slope = data, slope
#
#     def __add__(self, other):
#         return Dual(self.data + other.data, self.slope + other.slope)
#
#     def __sub__(self, other):
#         return Dual(self.data - other.data, self.slope - other.slope)
#
#     def __mul__(self, other):
#         return Dual(self.data * other.data, self.slope * other.data + self.data * other.slope)
#
#     def square(self):
#         return Dual(self.data**2, 2 * self.data * self.slope)
#
#     def tanh(self):
#         y = math.tanh(self.data)
#         return Dual(y, (1 - y**2) * self.slope)
#
#
# slopes = []
# for chosen in range(4):
#     duals = [Dual(n, 1.0 if k == chosen else 0.0) for k, n in enumerate((0.5, 2.0, -0.4, 1.0))]
#     slopes.append(neuron_of_values(*duals).slope)
# assert all(math.isclose(one, other) for one, other in zip(slopes, by_hand))
# ```
# Note that nothing is remembered: the derivative travels with the number. Forward mode needs no memory of the steps,
# and `v * v` is right. The price is one run for each input.
# :::
