# %% [markdown]
# # 3. The graph, and the order of the way back
#
# **You will be able to** say why the simple backward pass fails when a value is used twice, write one that is right
# and fast for every graph, and say what `retain_graph` and a leaf are. **Time**: 45 minutes. **You need**: chapter 2,
# and Python's lists, dictionaries and recursion.
#
# Here is the class of chapter 2 once more, with two operations only. Its backward pass is now a function outside the
# class, because we want to compare four of them.

# %%
import sys
import warnings


class Value:
    """A number that knows how it was made."""

    def __init__(self, data, inputs=()):
        self.data = data
        self.inputs = inputs  # pairs: (an input, the local derivative in it)
        self.grad = 0.0

    def __add__(self, other):
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])


# %% [markdown]
# ## A value that is used twice
#
# Take these four steps, with $x = 1$:
#
# $$ y = 3x, \qquad u = y + 1, \qquad v = 2y, \qquad L = u\,v. $$
#
# The value $y$ is used by $u$ and by $v$. The picture of the steps is no longer a tree. It is a **graph**, and this
# shape is called a **diamond**:
#
# ```text
#            ┌── u = y + 1 ──┐
# x ── y ────┤               ├── L = u · v
#            └── v = 2 · y ──┘
# ```
#
# Diamonds are everywhere. A weight of a convolution is used at every place of the image. The output of a layer is used
# by every neuron of the next one. A residual network uses the input of a block twice.


# %%
def diamond():
    x = Value(1.0)
    y = Value(3.0) * x
    u = y + Value(1.0)
    v = Value(2.0) * y
    return x, y, u * v


# %% [markdown]
# What is right? On paper $L = (3x+1)\cdot 6x = 18x^2 + 6x$, so $dL/dx = 36x + 6 = 42$ at $x = 1$. With respect to $y$
# it is $L = (y+1)\cdot 2y$, so $dL/dy = 4y + 2 = 14$ at $y = 3$. Keep 42 and 14 in mind.
#
# ## First attempt: store the cotangent
#
# This is the backward pass of chapter 2:


# %%
def store(value, g=1.0):
    value.grad = g
    for source, local in value.inputs:
        store(source, g * local)


x, y, loss = diamond()
store(loss)
print("x.grad =", x.grad, " y.grad =", y.grad)
assert (x.grad, y.grad) == (24.0, 8.0)  # wrong: 42 and 14 are right

# %% [markdown]
# Both are wrong. If $y$ grows, the loss grows for *two* reasons: because $u$ grows, and because $v$ grows. Along the
# way over $u$ the derivative is $v \cdot 1 = 6$. Along the way over $v$ it is $u \cdot 2 = 8$. The effects of a tiny
# change add up:
#
# $$ \frac{\partial L}{\partial y}
#  = \frac{\partial L}{\partial u}\cdot\frac{\partial u}{\partial y}
#  + \frac{\partial L}{\partial v}\cdot\frac{\partial v}{\partial y} = 6 + 8 = 14. $$
#
# This is the chain rule for several variables: **the cotangent of a value is a sum over all its uses**. Our function
# overwrote the 6 with the 8.
#
# ## Second attempt: add, and go on with the sum
#
# So we write `+=`. And because the cotangent of `y` is now in `y.grad`, we hand on `y.grad`:


# %%
def add_and_pass_the_sum(value):
    for source, local in value.inputs:
        source.grad += value.grad * local
        add_and_pass_the_sum(source)


x, y, loss = diamond()
loss.grad = 1.0
add_and_pass_the_sum(loss)
print("x.grad =", x.grad, " y.grad =", y.grad)
assert (x.grad, y.grad) == (60.0, 14.0)  # y is right, x is wrong

# %% [markdown]
# `y.grad` is right, and `x.grad` is 60. Follow the calls to see why. First `y` got 6, and handed $6 \cdot 3 = 18$ to
# `x`. Later `y` got the other 8, so its sum was 14. It handed $14 \cdot 3 = 42$ to `x`. But the 14 contains the 6,
# which `x` had already received. Together $18 + 42 = 60$.
#
# ## Third attempt: add, but hand on only what is new


# %%
def add_along_every_path(value, g=1.0):
    """Right for every graph. Returns the number of calls."""
    value.grad += g
    calls = 1
    for source, local in value.inputs:
        calls += add_along_every_path(source, g * local)
    return calls


x, y, loss = diamond()
calls = add_along_every_path(loss)
print("x.grad =", x.grad, " y.grad =", y.grad, " calls:", calls)
assert (x.grad, y.grad) == (42.0, 14.0)

# %% [markdown]
# Right at last. But `y` was visited twice, and so was everything before `y`. The function walks along *every path*
# from the loss, and multiplies along each of them. What if there are many diamonds in a row?


# %%
def doubled(n):
    """x + x, and the sum with itself, n times: the result is 2ⁿ·x."""
    x = Value(1.0)
    y = x
    for _ in range(n):
        y = y + y
    return x, y


for n in (1, 2, 4, 8, 16):
    x, y = doubled(n)
    calls = add_along_every_path(y)
    print(f"{n:2} additions: gradient {x.grad:7.0f}, calls {calls:7}")
    assert x.grad == 2**n
    assert calls == 2 ** (n + 1) - 1

# %% [markdown]
# The gradient is right, and the number of calls doubles with each addition. With 50 additions there are $2^{51}-1$
# calls. At a million calls per second this takes 71 years. The forward pass made 50 additions.
#
# ## The right way: wait until everything has arrived
#
# All three attempts leave `y` *before its cotangent is complete*. This is the common cause of their troubles. The rule
# is:
#
# > A value hands on its cotangent once, when all its users have sent theirs.
#
# To keep this rule, the pass must know how many users a value has. So it goes through the graph twice. First it counts
# the uses of each value. Then it goes back. Each time when a user has sent its part, it takes 1 off the count, and a
# value is *ready* when its count is 0.


# %%
def count_uses(loss):
    """How many times each value is used on the way to the loss."""
    uses = {loss: 0}
    to_visit = [loss]
    while to_visit:
        for source, _ in to_visit.pop().inputs:
            if source not in uses:
                uses[source] = 0
                to_visit.append(source)
            uses[source] += 1
    return uses


def backward(loss):
    """Add the gradients to each .grad. Returns the number of products."""
    uses = count_uses(loss)
    cotangents = dict.fromkeys(uses, 0.0)
    cotangents[loss] = 1.0
    ready = [loss]
    products = 0
    while ready:
        value = ready.pop()
        value.grad += cotangents[value]  # it is complete: store it
        for source, local in value.inputs:
            cotangents[source] += cotangents[value] * local
            products += 1
            uses[source] -= 1
            if uses[source] == 0:
                ready.append(source)
    return products


x, y, loss = diamond()
products = backward(loss)
print("x.grad =", x.grad, " y.grad =", y.grad, " products:", products)
assert (x.grad, y.grad) == (42.0, 14.0)

for n in (16, 50):
    x, y = doubled(n)
    products = backward(y)
    print(f"{n} additions: gradient {x.grad:.0f}, products {products}")
    assert x.grad == 2**n
    assert products == 2 * n

# %% [markdown]
# Fifty additions need 100 products: one for each input of each step. In general, the backward pass does a small and
# fixed amount of work for each arrow of the graph, just as the forward pass does. This is why a gradient costs only a
# few times as much as the loss itself, no matter how many weights there are.
#
# An order in which each value comes after all its users is called a **topological order** (here: from the loss to the
# inputs). The list `ready` produces such an order. A graph can have several, and each of them is right. Only a graph
# with a cycle has none, and a graph of computations has no cycle, because a step can use only values that exist
# already.
#
# Look at the diamond again, this time in `tinygrad_cnn`. Step through it. In the backward part, watch `y`: it waits for
# both of its users before it sends anything to `x`.
#
# :::{stepper} diamond
# :::
#
# ## Deep graphs
#
# You find another way in many small autograd programs: a recursive function that visits the inputs of a value first,
# and then puts the value into a list. The list, read from the end, is a topological order. It is short, and it is fast.


# %%
def order_by_recursion(value, seen=None, order=None):
    seen = set() if seen is None else seen
    order = [] if order is None else order
    if value not in seen:
        seen.add(value)
        for source, _ in value.inputs:
            order_by_recursion(source, seen, order)
        order.append(value)
    return order


# %% [markdown]
# But each step of the graph costs one level of recursion, and Python allows about a thousand levels. A recurrent
# network that reads a long text is deeper than this. So is a loop of 5,000 additions:

# %%
total = start = Value(0.0)
one = Value(1.0)
for _ in range(5000):
    total = total + one

try:
    order_by_recursion(total)
    raise AssertionError("this should have been too deep")
except RecursionError:
    print("too deep for recursion; Python's limit here is", sys.getrecursionlimit())

backward(total)
print("with a loop: start.grad =", start.grad, " one.grad =", one.grad)
assert (start.grad, one.grad) == (1.0, 5000.0)

# %% [markdown]
# Our `backward` has a loop and a list of its own in the place of recursion. The depth does not matter.
#
# ## Two places where we add
#
# There are two `+=` in `backward`, and they have different reasons.
#
# - `cotangents[source] += …` adds **over the uses of a value**, within one pass. This is mathematics.
# - `value.grad += …` adds **over several passes**. This is a convention, and PyTorch has it, too. It is useful when a
#   batch is too large for the memory: you compute the gradients of its parts, one after the other, and they add up.
#
# The convention has a price. If you forget to set the gradients to zero before the next training step, the old ones
# are still there. This is what `optimizer.zero_grad()` is for.
#
# ## Leaves, and `retain_graph`
#
# Now the same graph with `tinygrad_cnn`. It counts uses and waits, as we do.

# %%
import tinygrad_cnn as tg

x = tg.tensor(1.0, requires_grad=True)
y = 3 * x
loss = (y + 1) * (2 * y)
print("x is a leaf:", x.is_leaf)
print("y is a leaf:", y.is_leaf, " it was made by", y.grad_fn.name())

loss.backward()
print("x.grad =", x.grad)
assert x.grad.item() == 42
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    assert y.grad is None
print(said[0].message)

# %% [markdown]
# A **leaf** is a tensor that you made yourself: a weight, or data. Everything else was made by an operation. The
# gradients are stored in the leaves only. `y` also had a cotangent, but it was thrown away as soon as it was handed on,
# to save memory. If you want to see it, call `y.retain_grad()` before `backward()`.
#
# There is more that is thrown away. To compute the local derivatives of `u * v`, the graph keeps the arrays `u` and
# `v`. After the backward pass nobody needs them, and in a real network they fill most of the memory. So they are freed,
# and a second pass is an error:

# %%
try:
    loss.backward()
    raise AssertionError("the graph should have been freed")
except RuntimeError as error:
    print(error)

# %% [markdown]
# If you really want to go back twice through the same graph, say so in the first call. The gradients of both passes
# add up:

# %%
x = tg.tensor(1.0, requires_grad=True)
y = 3 * x
loss = (y + 1) * (2 * y)
y.retain_grad()
loss.backward(retain_graph=True)
assert (x.grad.item(), y.grad.item()) == (42, 14)
loss.backward()
print("after two passes: x.grad =", x.grad)
assert x.grad.item() == 84

# %% [markdown]
# ## What we have seen
#
# - The steps of a computation form a graph. If a value is used several times, its cotangent is the sum over its uses.
# - To walk along every path is right, and hopelessly slow: the number of paths can double with each step.
# - A value may hand on its cotangent only when it is complete. Count the uses, or use a topological order.
# - Then the backward pass costs about as much as the forward pass. Written with a loop, it works at every depth.
# - Gradients are stored in leaves and add up over several passes. What a graph keeps is freed by the pass.
#
# ## Exercises
#
# **1.** Draw the graph of $L = (a + b)(b + 1)$ at $a = 2$, $b = 1$. Count the uses of each value. Find both gradients
# by hand, and compare with `backward`.
#
# :::{dropdown} Answer
# With $p = a + b = 3$ and $q = b + 1 = 2$: $a$, $p$, $q$ and the constant 1 are used once, $b$ twice. The cotangent of
# $p$ is $q = 2$, that of $q$ is $p = 3$. So $a$ has 2, and $b$ has $2 + 3 = 5$.
# ```python
# a, b = Value(2.0), Value(1.0)
# loss = (a + b) * (b + Value(1.0))
# assert count_uses(loss)[b] == 2
# backward(loss)
# assert (a.grad, b.grad) == (2.0, 5.0)
# ```
# :::
#
# **2.** In `x * x` the *same* value is used twice by *one* step. Is our `backward` right? Which line takes care of it?
#
# :::{dropdown} Answer
# It is right. The pair `inputs` contains `x` twice, so `count_uses` counts 2, and the loop adds twice.
# ```python
# x = Value(3.0)
# loss = x * x
# assert count_uses(loss)[x] == 2
# backward(loss)
# assert x.grad == 6.0
# ```
# :::
#
# **3.** Somebody counts the uses during the forward pass: each operation adds 1 to a counter in its inputs. Why do
# some gradients then stay 0?
#
# :::{dropdown} Answer
# A value can have users that the loss does not depend on, for example a number that was computed only to be printed.
# This user never sends a cotangent. So the count never falls to 0, the value is never ready, and nothing before it gets
# a gradient. The remedy is to count from the loss:
# ```python
# x = Value(2.0)
# y = x * x
# printed = y + x  # not part of the loss
# loss = y * y
# uses = count_uses(loss)
# assert uses[y] == 2 and printed not in uses
# backward(loss)
# assert x.grad == 4 * 2.0**3
# ```
# :::
#
# **4.** Give each `Value` a serial number when it is made. Is "from the largest number to the smallest" a topological
# order? Write a backward pass with it.
#
# :::{dropdown} Answer
# Yes. A value is made after its inputs, so its number is larger than theirs.
# ```python
# from itertools import count
#
# serial = count()
#
#
# class Numbered(Value):
#     def __init__(self, data, inputs=()):
#         super().__init__(data, inputs)
#         self.number = next(serial)
#
#     def __add__(self, other):
#         return Numbered(self.data + other.data, [(self, 1.0), (other, 1.0)])
#
#     def __mul__(self, other):
#         return Numbered(self.data * other.data, [(self, other.data), (other, self.data)])
#
#
# def backward_by_number(loss):
#     loss.grad = 1.0
#     for value in sorted(count_uses(loss), key=lambda v: v.number, reverse=True):
#         for source, local in value.inputs:
#             source.grad += value.grad * local
#
#
# x = Numbered(1.0)
# y = Numbered(3.0) * x
# backward_by_number((y + Numbered(1.0)) * (Numbered(2.0) * y))
# assert (x.grad, y.grad) == (42.0, 14.0)
# ```
# Sorting costs a little more than counting. Here `value.grad` holds the sum while it grows, so a second pass would hand
# on the gradients of the first one again. Our `backward` keeps the two apart.
# :::
#
# **5.** Is the order that `order_by_recursion` gives, read from its end, a topological order? Write a test, not a
# proof.
#
# :::{dropdown} Answer
# Each value has to come before its inputs:
# ```python
# import random
#
# random.seed(0)
# values = [Value(1.0), Value(2.0)]
# for _ in range(100):
#     a, b = random.choices(values, k=2)
#     values.append(a + b)
# order = order_by_recursion(values[-1])[::-1]
# place = {value: k for k, value in enumerate(order)}
# for value in order:
#     for source, _ in value.inputs:
#         assert place[value] < place[source]
# assert set(order) == set(count_uses(values[-1]))
# ```
# :::
#
# **6.** A training loop prints the sum of all its losses: `total = total + loss`, where `loss` is a tensor. The memory
# grows with each step until the program dies. Why? What is the remedy?
#
# :::{dropdown} Answer
# `total` is a tensor, too. It remembers its inputs, so it keeps the graph of every step alive. Add the number instead:
# ```python
# weight = tg.tensor(1.0, requires_grad=True)
# total = 0.0
# for _ in range(3):
#     loss = weight * weight
#     loss.backward()
#     total = total + loss.item()  # a number of Python has no graph
# assert total == 3.0
# ```
# :::
