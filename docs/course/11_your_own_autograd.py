# %% [markdown]
# # 11. Your own autograd
#
# **You will be able to** write an autograd for arrays in about 150 lines, check each of its operations, train a
# network with it, and read the one in this package. **Time**: 60 minutes. **You need**: chapters 1 to 9.
#
# You have seen all parts: the chain rule, the graph and its order, broadcasting, matrix products, convolution, pooling,
# softmax. In this chapter you put them together. Type it yourself, cell by cell, if you have the time; it is worth it.

# %%
import numpy as np

from tinygrad_cnn.gradcheck import gradcheck, numpy_pair

# %% [markdown]
# ## The tensor
#
# A tensor is an array that remembers how it was made. For each input of its op it keeps a pair: the input, and a
# function that carries a cotangent back to this input. We call this function a *pull*. A tensor without such pairs is
# a *leaf*.
#
# The backward pass knows nothing about any op. It does four things:
#
# - It visits consumers before producers, so that a cotangent is complete before it is used. It counts consumers
#   (chapter 3), and needs no recursion.
# - It adds what comes from several consumers. This is done here, in one place, and no op can forget it.
# - It sums over broadcast axes (chapter 4). This, too, is done in one place.
# - It puts the gradients of the leaves into `.grad`.


# %%
class Tensor:
    """An array that remembers how it was made."""

    def __init__(self, data, requires_grad=False, inputs=()):
        self.data = np.asarray(data, dtype=np.float64)
        self.inputs = [(tensor, pull) for tensor, pull in inputs if tensor.requires_grad]
        self.requires_grad = requires_grad or bool(self.inputs)
        self.grad = None

    def backward(self, g=1.0):
        """Add the gradients to the `.grad` of all leaves; g is the cotangent of this tensor."""
        cotangents = {id(self): np.broadcast_to(g, self.data.shape)}
        for tensor in consumers_first(self):
            g = cotangents.pop(id(tensor))
            if not tensor.inputs:
                tensor.grad = g if tensor.grad is None else tensor.grad + g
            for source, pull in tensor.inputs:
                d = unbroadcast(pull(g), source.data.shape)
                cotangents[id(source)] = cotangents[id(source)] + d if id(source) in cotangents else d


def consumers_first(root):
    """All tensors that root depends on, each after all that were made from it."""
    pending, stack = {id(root): 0}, [root]
    while stack:
        for source, _ in stack.pop().inputs:
            if id(source) not in pending:
                pending[id(source)] = 0
                stack.append(source)
            pending[id(source)] += 1
    ready = [root]
    while ready:
        tensor = ready.pop()
        yield tensor
        for source, _ in tensor.inputs:
            pending[id(source)] -= 1
            if pending[id(source)] == 0:
                ready.append(source)


def unbroadcast(d, shape):
    """Sum over the axes that broadcasting has added or made longer."""
    d = d.sum(axis=tuple(range(d.ndim - len(shape))))
    longer = tuple(k for k, n in enumerate(shape) if n == 1 and d.shape[k] > 1)
    return d.sum(axis=longer, keepdims=True) if longer else d


# %% [markdown]
# ## The ops
#
# An op computes its value and says how a cotangent `g` is carried back to each input. Each rule is one line, and you
# know all of them from the chapters before.


# %%
def tensor(value):
    return value if isinstance(value, Tensor) else Tensor(value)


def add(a, b):
    a, b = tensor(a), tensor(b)
    return Tensor(a.data + b.data, inputs=[(a, lambda g: g), (b, lambda g: g)])


def mul(a, b):
    a, b = tensor(a), tensor(b)
    return Tensor(a.data * b.data, inputs=[(a, lambda g: g * b.data), (b, lambda g: g * a.data)])


def power(a, n):
    return Tensor(a.data**n, inputs=[(a, lambda g: g * n * a.data ** (n - 1))])


def matmul(a, b):
    return Tensor(a.data @ b.data, inputs=[(a, lambda g: g @ b.data.T), (b, lambda g: a.data.T @ g)])


def exp(a):
    y = np.exp(a.data)
    return Tensor(y, inputs=[(a, lambda g: g * y)])


def log(a):
    return Tensor(np.log(a.data), inputs=[(a, lambda g: g / a.data)])


def relu(a):
    return Tensor(np.maximum(a.data, 0), inputs=[(a, lambda g: g * (a.data > 0))])


# %% [markdown]
# Sums and maxima make an array smaller. On the way back a sum gives `g` to every element, a maximum to the first place
# where it is taken (chapter 7).


# %%
def total(a, axis=None, keepdims=False):
    def pull(g):
        if axis is not None and not keepdims:
            g = np.expand_dims(g, axis)
        return np.broadcast_to(g, a.data.shape)

    return Tensor(a.data.sum(axis=axis, keepdims=keepdims), inputs=[(a, pull)])


def largest(a, axis):
    place = np.expand_dims(a.data.argmax(axis), axis)

    def pull(g):
        d = np.zeros_like(a.data)
        np.put_along_axis(d, place, np.expand_dims(g, axis), axis)
        return d

    return Tensor(np.take_along_axis(a.data, place, axis).squeeze(axis), inputs=[(a, pull)])


# %% [markdown]
# Moving numbers around has a backward pass that moves them back:


# %%
def reshape(a, *shape):
    return Tensor(a.data.reshape(shape), inputs=[(a, lambda g: g.reshape(a.data.shape))])


def transpose(a, *axes):
    return Tensor(a.data.transpose(axes), inputs=[(a, lambda g: g.transpose(np.argsort(axes)))])


def patches(x, k):
    """(N, C, H, W) -> (N * OH * OW, C * k * k): a row for each window, as in chapter 6."""
    N, C, H, W = x.data.shape
    OH, OW = H - k + 1, W - k + 1
    view = np.lib.stride_tricks.sliding_window_view(x.data, (k, k), axis=(2, 3))  # (N, C, OH, OW, k, k)

    def pull(g):
        g = g.reshape(N, OH, OW, C, k, k)
        d = np.zeros_like(x.data)
        for i, j in np.ndindex(k, k):
            d[:, :, i : i + OH, j : j + OW] += g[:, :, :, :, i, j].transpose(0, 3, 1, 2)
        return d

    return Tensor(view.transpose(0, 2, 3, 1, 4, 5).reshape(N * OH * OW, C * k * k), inputs=[(x, pull)])


# %% [markdown]
# With operators, formulas read as on paper. Subtraction and division need no rules of their own.

# %%
Tensor.__add__ = Tensor.__radd__ = add
Tensor.__mul__ = Tensor.__rmul__ = mul
Tensor.__matmul__ = matmul
Tensor.__pow__ = power
Tensor.__neg__ = lambda a: a * -1
Tensor.__sub__ = lambda a, b: a + tensor(b) * -1
Tensor.__rsub__ = lambda a, b: tensor(b) + a * -1
Tensor.__truediv__ = lambda a, b: a * tensor(b) ** -1
Tensor.__rtruediv__ = lambda a, b: tensor(b) * a**-1

# %% [markdown]
# ## Layers are compositions
#
# From here on there are no derivatives any more. A convolution is patches and a matrix product. A pooling is a reshape
# and two maxima. The cross-entropy is a log-sum-exp; its shift may be a plain number, because the result does not
# depend on it (chapter 8).


# %%
def conv(x, w, b):
    """(N, C, H, W) with (F, C, k, k) and (F,) -> (N, F, OH, OW), for F filters."""
    N, _, H, W = x.data.shape
    F, C, k, _ = w.data.shape
    rows = patches(x, k) @ transpose(reshape(w, F, C * k * k), 1, 0) + b  # (N * OH * OW, F)
    return transpose(reshape(rows, N, H - k + 1, W - k + 1, F), 0, 3, 1, 2)


def max_pool(x):
    """(N, C, 2m, 2n) -> (N, C, m, n)."""
    N, C, H, W = x.data.shape
    return largest(largest(reshape(x, N, C, H // 2, 2, W // 2, 2), 5), 3)


def cross_entropy(z, labels):
    """Logits (N, K) and labels (N,) -> the mean loss."""
    onehot = np.eye(z.data.shape[1])[labels]
    z = z - z.data.max(axis=1, keepdims=True)
    return total(log(total(exp(z), axis=1)) - total(z * onehot, axis=1)) * (1 / len(labels))


# %% [markdown]
# That is all: about 110 lines without blank ones, 150 with them. Is it right?
#
# ## The same checks
#
# `gradcheck` takes a function and its backward pass as a pair of NumPy functions. Ours can be made such a pair in one
# go:


# %%
def pair(f):
    """A function of our tensors as gradcheck takes it."""

    def back(g, *arrays):
        tensors = [Tensor(a, requires_grad=True) for a in arrays]
        f(*tensors).backward(g)
        return tuple(t.grad for t in tensors)

    return numpy_pair(lambda *arrays: f(*map(Tensor, arrays)).data, back)


rng = np.random.default_rng(0)
a, b, row = rng.standard_normal((3, 4)), rng.standard_normal((3, 4)), rng.standard_normal(4)
positive, square = rng.uniform(0.5, 2, (3, 4)), rng.standard_normal((4, 2))
image, kernel, bias = rng.standard_normal((2, 2, 4, 4)), rng.standard_normal((3, 2, 3, 3)), rng.standard_normal(3)
labels = np.array([0, 3, 1])

checks = {
    "add, broadcast": (lambda a, b: a + b, [a, row]),
    "mul, broadcast": (lambda a, b: a * b, [a, row]),
    "sub and div": (lambda a, b: (a - 1) / b, [a, positive]),
    "power": (lambda a: a**3, [a]),
    "matmul": (matmul, [a, square]),
    "exp": (exp, [a]),
    "log": (log, [positive]),
    "relu": (relu, [a]),
    "sum over an axis": (lambda a: total(a, axis=0), [a]),
    "max over an axis": (lambda a: largest(a, 1), [a]),
    "max at a tie": (lambda a: largest(a, 0), [np.ones(3)]),
    "reshape, transpose": (lambda x: transpose(reshape(x, 4, 4, 4), 2, 0, 1), [image]),
    "a value used twice": (lambda a: a * a + exp(a), [a]),
    "conv": (conv, [image, kernel, bias]),
    "max_pool": (max_pool, [image]),
    "cross_entropy": (lambda z: cross_entropy(z, labels), [a]),
}
for name, (f, inputs) in checks.items():
    report = gradcheck(pair(f), inputs)
    print(f"{name:20} {report.verdict.value}: {len(report.entries)} elements")

# %% [markdown]
# A check that passes everything is worth nothing. Forget the `unbroadcast`, and see that the check finds it:

# %%
kept, unbroadcast = unbroadcast, lambda d, shape: d if d.shape == shape else np.broadcast_to(d[0], shape)
report = gradcheck(pair(lambda a, b: a * b), [a, row], raise_exception=False)
unbroadcast = kept
print(report.diagnoses[0].message)
assert not report

# %% [markdown]
# And a long chain, which a recursive backward pass does not survive:

# %%
start = Tensor(1.0, requires_grad=True)
end = start
for _ in range(5000):
    end = end + 0.001
end.backward()
assert start.grad == 1

# %% [markdown]
# ## It trains
#
# A convolution, a ReLU, a pooling and a linear layer, on every second pixel of the digits:

# %%
from tinygrad_cnn.datasets import load_sample

digits = load_sample()


def prepared(images):
    return ((images[:, None, ::2, ::2] / 255) - 0.1307) / 0.3081  # (N, 1, 14, 14)


x, y = prepared(digits.train_images), digits.train_labels
parameters = {
    "w1": Tensor(rng.normal(0, np.sqrt(2 / 9), (6, 1, 3, 3)), requires_grad=True),
    "b1": Tensor(np.zeros(6), requires_grad=True),
    "w2": Tensor(rng.normal(0, np.sqrt(1 / 216), (216, 10)), requires_grad=True),
    "b2": Tensor(np.zeros(10), requires_grad=True),
}


def network(images, w1, b1, w2, b2):
    hidden = max_pool(relu(conv(images, w1, b1)))  # (N, 6, 6, 6)
    return reshape(hidden, len(hidden.data), 216) @ w2 + b2


losses = []
for _ in range(150):
    batch = rng.integers(0, len(x), 32)
    loss = cross_entropy(network(Tensor(x[batch]), **parameters), y[batch])
    loss.backward()
    for p in parameters.values():
        p.data -= 0.1 * p.grad
        p.grad = None
    losses.append(float(loss.data))

test = Tensor(prepared(digits.test_images[:500]))
answers = network(test, **parameters).data.argmax(axis=1)
accuracy = np.mean(answers == digits.test_labels[:500])
print(f"loss {np.mean(losses[:10]):.2f} -> {np.mean(losses[-10:]):.2f}, {accuracy:.0%} of the test images are right")
assert accuracy > 0.8

# %% [markdown]
# Are the gradients those of the package? The same network there, in float64, at the same weights:

# %%
import tinygrad_cnn as tg
from tinygrad_cnn.nn import functional as F

for p in parameters.values():
    p.grad = None
cross_entropy(network(Tensor(x[:32]), **parameters), y[:32]).backward()

w1, b1, w2, b2 = (tg.tensor(p.data, requires_grad=True) for p in parameters.values())
hidden = F.max_pool2d(F.conv2d(tg.tensor(x[:32]), w1, b1).relu(), 2)
F.cross_entropy(hidden.flatten(1) @ w2 + b2, tg.tensor(y[:32])).backward()
for ours, theirs in zip(parameters.values(), (w1, b1, w2, b2), strict=True):
    assert np.allclose(ours.grad, theirs.grad.numpy(), atol=1e-12)
print("all four gradients agree")

# %% [markdown]
# ## How `core/` differs
#
# The core of this package is the same idea in 3,000 lines. Where do the other lines go? These are the differences that
# matter, each with a small experiment.
#
# **Ops are data, not closures.** Our pulls are functions hidden in functions. You cannot list them, and you cannot ask
# what they keep. In the package an op is a class with named rules. So one test can go through all ops, check them, and
# draw inputs for them; a page of the documentation is made from the same list.

# %%
from tinygrad_cnn.core.op import registry

print(len(registry), "ops")
multiplication = registry["Mul"]
print(multiplication.formula(), "|", [rule.name for rule in multiplication.rules])

# %% [markdown]
# **Rules are differentiable.** Our pulls compute with arrays, so the backward pass is not recorded, and there are no
# second derivatives. The rules of the package are NumPy code that also works on tensors (chapter 10).

# %%
v = tg.tensor([1.0, 2.0], dtype=tg.float64, requires_grad=True)
(slope,) = tg.autograd.grad((v**3).sum(), v, create_graph=True)
print("with a graph of its own:", slope)

# %% [markdown]
# **Nodes beside tensors.** Our graph consists of the tensors themselves. Every result of every op stays in memory until
# the last tensor is gone. In the package a tensor points to a *node*. A node keeps only the arrays that its rules ask
# for, and frees them after the backward pass. A sum keeps no array at all.
#
# **Storages and versions.** Write into an array between the forward and the backward pass. Our gradient is then wrong,
# and nobody says so:

# %%
ours = Tensor([1.0, 2.0], requires_grad=True)
result = total(ours**2)
ours.data *= 100
result.backward()
print("ours:", ours.grad, " should be [2. 4.]")

theirs = tg.tensor([1.0, 2.0], requires_grad=True)
result = (theirs**2).sum()
with tg.no_grad():
    theirs *= 100
try:
    result.backward()
except RuntimeError as error:
    print("theirs:", str(error)[:100], "...")

# %% [markdown]
# The package counts how often each memory was written. A node knows when it was recorded. If the memory is newer than
# the node, the backward pass refuses.
#
# **What is the same**: consumers are counted, nothing is recursive, cotangents are added in one place, and
# broadcasting is undone in one place.
#
# ## Read it
#
# Read the files in this order. Each begins with a few lines that say what it is for.
#
# | file | what to look for |
# |---|---|
# | [`op.py`](../../tinygrad_cnn/core/op.py) | what an op declares; skip the checks at the end |
# | [`elementwise.py`](../../tinygrad_cnn/core/elementwise.py) | `Mul`, `Exp`: our lambdas, with names |
# | [`graph.py`](../../tinygrad_cnn/core/graph.py) | `Node`: our `inputs`, without the tensor |
# | [`tensor.py`](../../tinygrad_cnn/core/tensor.py) | how a call of an op becomes a node |
# | [`engine.py`](../../tinygrad_cnn/core/engine.py) | `Pass.run` and `count_consumers`: our `backward` |
# | [`reduce.py`](../../tinygrad_cnn/core/reduce.py) | `unbroadcast` |
# | [`conv.py`](../../tinygrad_cnn/core/conv.py) | a convolution, whose backward passes are ops themselves |
# | [`pool.py`](../../tinygrad_cnn/core/pool.py) | putting and taking: each is the backward pass of the other |
# | [`loss.py`](../../tinygrad_cnn/core/loss.py) | softmax and cross-entropy as one op each |
# | [`saved.py`](../../tinygrad_cnn/core/saved.py) | what is kept for the rules, and when it is freed |
# | [`storage.py`](../../tinygrad_cnn/core/storage.py) | the memory beneath tensors, and how a write is noticed |
#
# The [page on the architecture](../architecture.md) shows which part of the package may import which.
#
# ## What we have seen
#
# - An autograd is a graph, an order, and a table of rules. The machine knows no op, and an op knows no machine.
# - A dozen rules are enough for a convolutional network. Layers are compositions.
# - Each rule is checked in one line. A check must also be seen to fail.
# - A larger framework adds second derivatives, memory, in-place writes, dtypes, speed, and good errors.
#
# ## Exercises
#
# **1.** Add `tanh` with its rule, and check it.
#
# :::{dropdown} Answer
# ```python
# def tanh(a):
#     y = np.tanh(a.data)
#     return Tensor(y, inputs=[(a, lambda g: g * (1 - y**2))])
#
#
# assert gradcheck(pair(tanh), [a])
# ```
# :::
#
# **2.** Add picking rows, `pick(a, index)` with an array of row numbers. What must the pull do if a number occurs
# twice?
#
# :::{dropdown} Answer
# Add. `d[index] += g` is wrong: NumPy writes each place once. `np.add.at` adds each time.
# ```python
# def pick(a, index):
#     def pull(g):
#         d = np.zeros_like(a.data)
#         np.add.at(d, index, g)
#         return d
#
#     return Tensor(a.data[index], inputs=[(a, pull)])
#
#
# assert gradcheck(pair(lambda a: pick(a, np.array([0, 2, 0]))), [a])
# ```
# :::
#
# **3.** Replace the composition `cross_entropy` by one op with the rule $p - \text{onehot}$. Compare the gradients.
#
# :::{dropdown} Answer
# ```python
# def one_op(z, labels):
#     n = np.arange(len(labels))
#     shifted = z.data - z.data.max(axis=1, keepdims=True)
#     e = np.exp(shifted)
#     s = e.sum(axis=1)
#
#     def pull(g):
#         d = e / s[:, None]
#         d[n, labels] -= 1
#         return g * d / len(labels)
#
#     return Tensor((np.log(s) - shifted[n, labels]).mean(), inputs=[(z, pull)])
#
#
# assert gradcheck(pair(lambda z: one_op(z, labels)), [a])
# results = []
# for f in (cross_entropy, one_op):
#     z = Tensor(a, requires_grad=True)
#     f(z, labels).backward()
#     results.append(z.grad)
# assert np.allclose(*results)
# ```
# :::
#
# **4.** Our `Tensor` can find a write in place, too. Let each tensor have a number `version`, which a function
# `write(tensor, values)` makes larger, and let `backward` compare. What does your solution not see?
#
# :::{dropdown} Answer
# Keep with each input the version that it had when the op was called, and compare before `pull`:
# ```python
# class Watched(Tensor):
#     version = 0
#
#     def backward(self, g=1.0):
#         for t in consumers_first(self):
#             for source, _ in t.inputs:
#                 if getattr(source, "version", 0) != seen.get((id(t), id(source)), 0):
#                     raise RuntimeError("an input was written after it was used")
#         super().backward(g)
#
#
# seen = {}
#
#
# def square(a):
#     y = Watched(a.data**2, inputs=[(a, lambda g: g * 2 * a.data)])
#     seen[id(y), id(a)] = a.version
#     return y
#
#
# def write(t, values):
#     t.data[...] = values
#     t.version += 1
#
#
# t = Watched([1.0, 2.0], requires_grad=True)
# y = square(t)
# write(t, 5.0)
# try:
#     y.backward(np.ones(2))
# except RuntimeError as error:
#     print(error)
# else:
#     raise AssertionError("nothing was noticed")
# ```
# It does not see a write through `t.data[...]`, nor one through another tensor that shares the memory, such as a
# reshape. This is why the package keeps the version with the *memory*, not with the tensor. It also refuses too much:
# an addition does not need its inputs, so a write would do no harm.
# :::
#
# **5.** Give `add`, `mul` and `power` pulls that compute with *tensors*, so that the second derivative of $x^3$ comes
# out. What else has to change?
#
# :::{dropdown} Answer
# The pulls must use the ops, `lambda g: mul(g, b)`, and `backward` must keep tensors as cotangents, with sums by `add`.
# `unbroadcast` must be an op, too. Here is a small version for values of one shape, where nothing is broadcast:
# ```python
# class T:
#     def __init__(self, data, inputs=()):
#         self.data, self.inputs = np.asarray(data, float), list(inputs)
#
#
# def t_add(a, b):
#     return T(a.data + b.data, [(a, lambda g: g), (b, lambda g: g)])
#
#
# def t_mul(a, b):
#     return T(a.data * b.data, [(a, lambda g: t_mul(g, b)), (b, lambda g: t_mul(g, a))])
#
#
# def gradient(y, x):
#     cotangents = {id(y): T(np.ones_like(y.data))}
#     for t in consumers_first(y):
#         g = cotangents[id(t)]
#         for source, pull in t.inputs:
#             d = pull(g)
#             cotangents[id(source)] = t_add(cotangents[id(source)], d) if id(source) in cotangents else d
#     return cotangents[id(x)]
#
#
# x = T([1.0, 2.0])
# cube = t_mul(t_mul(x, x), x)
# first = gradient(cube, x)
# second = gradient(first, x)
# third = gradient(second, x)
# assert first.data.tolist() == [3, 12] and second.data.tolist() == [6, 12] and third.data.tolist() == [6, 6]
# ```
# :::
#
# **6.** Look up `Mul` in [`elementwise.py`](../../tinygrad_cnn/core/elementwise.py). Where is the summing over
# broadcast axes? Find the line.
#
# :::{dropdown} Answer
# Not in the rule. `settle` in [`engine.py`](../../tinygrad_cnn/core/engine.py) compares the shape of what a rule
# returned with the shape of its input, and calls `unbroadcast` if the op says that it broadcasts.
# :::
