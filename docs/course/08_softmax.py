# %% [markdown]
# # 8. Softmax and cross-entropy
#
# **You will be able to** derive the gradient of softmax with cross-entropy, write it so that no number overflows, and
# say why one op is more exact than a chain of small ones. **Time**: 45 minutes. **You need**: chapters 1 and 2.
#
# The last layer of a classifier gives one number for each class. These numbers are called *logits*. They can be
# negative, and they can be large. The softmax makes probabilities of them. The cross-entropy says how bad the
# probabilities are: it is the loss that the training makes small.

# %%
import numpy as np

from tinygrad_cnn.gradcheck import gradcheck, numpy_pair

rng = np.random.default_rng(0)

# %% [markdown]
# ## Two definitions
#
# For logits $z_1 \dots z_K$ and the right class $t$:
#
# $$ p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}, \qquad L = -\ln p_t. $$
#
# All $p_k$ are positive and their sum is 1. If the network is sure and right, $p_t$ is near 1 and $L$ is near 0. If it
# is sure and wrong, $p_t$ is near 0 and $L$ is large. A network that knows nothing says $1/K$ for every class. Keep its
# loss in mind: it is $\ln K$, and for ten digits it is

# %%
print(f"{np.log(10):.4f}")

# %% [markdown]
# A new network should begin near this number. If it begins at 20, look at the initial weights.
#
# ## The shift
#
# Written as it stands, the softmax fails for large logits: $e^{710}$ is more than a float64 can hold. In float32 the
# end is at $e^{89}$. Take the same number $m$ away from every logit:
#
# $$ \frac{e^{z_k - m}}{\sum_j e^{z_j - m}} = \frac{e^{-m} e^{z_k}}{e^{-m} \sum_j e^{z_j}} = p_k. $$
#
# The value is the same for every $m$. With $m = \max z$ the largest exponent is 0, so nothing overflows. The sum is at
# least 1, so you never divide by 0.


# %%
def softmax(z):
    """(N, K) -> (N, K): each row becomes probabilities."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


large = np.array([[1000.0, 998.0, 0.0]])
with np.errstate(over="ignore", invalid="ignore"):
    print("without the shift", np.exp(large) / np.exp(large).sum())
print("with the shift   ", softmax(large))

# %% [markdown]
# ## Log-sum-exp
#
# The shift is not enough for the loss. Look at the third class: its probability is $e^{-1000}$. A float cannot hold so
# small a number, so it becomes 0, and $-\ln 0$ is infinite. The true loss is a quite ordinary number. Do the logarithm
# on paper first:
#
# $$ L = -\ln \frac{e^{z_t}}{\sum_j e^{z_j}} = \ln \sum_j e^{z_j} - z_t. $$
#
# The first part is called *log-sum-exp*. Shift it, too:
#
# $$ \ln \sum_j e^{z_j} = m + \ln \sum_j e^{z_j - m}. $$


# %%
def log_sum_exp(z):
    """(N, K) -> (N,)"""
    m = z.max(axis=1)
    return m + np.log(np.exp(z - m[:, None]).sum(axis=1))


with np.errstate(divide="ignore"):
    print("loss by way of the probability:", -np.log(softmax(large)[0, 2]))
print("loss by log-sum-exp:           ", log_sum_exp(large)[0] - large[0, 2])

# %% [markdown]
# Log-sum-exp is a smooth version of the maximum: it lies between $m$ and $m + \ln K$.
#
# ## The gradient: p − onehot
#
# The derivative of log-sum-exp in $z_k$ is worth remembering. The outer derivative of $\ln$ is one over the sum; the
# inner derivative is $e^{z_k}$:
#
# $$ \frac{\partial}{\partial z_k} \ln \sum_j e^{z_j} = \frac{e^{z_k}}{\sum_j e^{z_j}} = p_k. $$
#
# It is the softmax. The other part of the loss is $-z_t$. Its derivative is $-1$ for $k = t$ and 0 for all others.
# Together:
#
# $$ \frac{\partial L}{\partial z_k} = p_k - [k = t]. $$
#
# $[k = t]$ is 1 if $k = t$, else 0. As an array over $k$ it is the *one-hot* vector of the label. The gradient reads
# well: every wrong class is pushed down by its probability, the right class is pushed up by what is missing to 1.
# The sum over the classes is 0, because a shift of all logits changes nothing.
#
# ## The mean over the batch
#
# A batch has $N$ images. The loss is the mean of their losses, so that its size does not depend on $N$. The gradient of
# a mean has a factor $1/N$. It is often forgotten, or it is there twice.


# %%
def cross_entropy(z, t):
    """(N, K) logits and (N,) labels -> one number."""
    return np.array((log_sum_exp(z) - z[np.arange(len(t)), t]).mean())


def cross_entropy_back(g, z, t):
    d = softmax(z)
    d[np.arange(len(t)), t] -= 1
    return g * d / len(t)


z, t = rng.standard_normal((4, 3)), np.array([0, 2, 1, 1])


def loss(z):
    return cross_entropy(z, t)


print(gradcheck(numpy_pair(loss, lambda g, z: cross_entropy_back(g, z, t)), [z]))

# %% [markdown]
# `g` is the cotangent of the loss. It is 1 if nothing follows. Multiply by it anyway: the loss may be one part of a sum
# such as $L + 0.01 \sum w^2$, or it may be scaled.
#
# Forget the $1/N$, and the report names it:

# %%
report = gradcheck(numpy_pair(loss, lambda g, z: len(t) * cross_entropy_back(g, z, t)), [z], raise_exception=False)
print(report.diagnoses[0].message)
assert not report

# %% [markdown]
# ## The softmax alone
#
# Sometimes you need the softmax in the middle of a network, as in attention. Then it has a backward pass of its own.
# Every probability depends on every logit. The quotient rule gives
#
# $$ \frac{\partial p_k}{\partial z_j} = p_k \left( [j = k] - p_j \right), $$
#
# and the chain rule sums over all outputs $k$, each with its cotangent $g_k$:
#
# $$ dz_j = \sum_k g_k\, p_k \left( [j = k] - p_j \right) = p_j \Big( g_j - \sum_k g_k p_k \Big). $$
#
# The $K \times K$ matrix is never built. One sum over each row is enough.


# %%
def softmax_back(g, z):
    p = softmax(z)
    return p * (g - np.sum(g * p, axis=1, keepdims=True))


assert gradcheck(numpy_pair(softmax, softmax_back), [z])

# %% [markdown]
# A common mistake is `g * p * (1 - p)`. This is only the diagonal $j = k$ of the matrix: how a probability depends on
# its own logit. The other classes are missing.

# %%
diagonal = numpy_pair(softmax, lambda g, z: g * softmax(z) * (1 - softmax(z)))
report = gradcheck(diagonal, [z], raise_exception=False)
print(report.verdict)
assert not report

# %% [markdown]
# ## One op, or a chain of small ones?
#
# With automatic differentiation you need no formula: compose the loss of `exp`, `sum`, `/`, `log`, and the chain rule
# does the rest. Here are the small ops one after the other, with the shift, and their backward passes in reverse order:


# %%
def composed_gradient(z, t):
    """d(-ln p_t)/dz for each row, by the chain rule through p = e / s."""
    n = np.arange(len(t))
    e = np.exp(z - z.max(axis=1, keepdims=True))
    s = e.sum(axis=1, keepdims=True)
    p = e / s
    dp = np.zeros_like(z)
    dp[n, t] = -1 / p[n, t]  # of -ln p
    de = dp / s  # of the division, first input
    ds = -(dp * e / s**2).sum(axis=1, keepdims=True)  # of the division, second input
    return (de + ds) * e  # of the sum, and of exp


def one_op_gradient(z, t):
    d = softmax(z)
    d[np.arange(len(t)), t] -= 1
    return d


assert np.allclose(composed_gradient(z, t), one_op_gradient(z, t))

# %% [markdown]
# On paper both are the same. In float they are not. Networks are trained in float32, so we look there. The second class
# is the right one, and the logit of the first class becomes larger and larger. The true gradient in the right logit is
# almost −1, and the true loss is almost the logit.

# %%
print("logit    -ln p      log-sum-exp   composed gradient   one op")
for size in (1, 10, 80, 86, 88, 95, 103, 104):
    row, label = np.array([[size, 0, 0]], np.float32), np.array([1])
    with np.errstate(all="ignore"):
        losses = -np.log(softmax(row)[0, 1]), log_sum_exp(row)[0] - row[0, 1]
        composed, single = composed_gradient(row, label), one_op_gradient(row, label)
    print(f"{size:5}  {losses[0]:10.6f}  {losses[1]:10.6f}    {composed[0, 1]:12.8f}  {single[0, 1]:12.8f}")
assert np.isinf(losses[0])
assert np.isnan(composed[0, 1])
assert single[0, 1] == -1

# %% [markdown]
# Up to 86 the columns agree. From 88 on the probability is below $1.2 \cdot 10^{-38}$, the smallest normal float32.
# Smaller numbers have fewer and fewer digits, and so has the loss: at 103 it reads 103.28. The gradient of the
# composition does not survive: $1/p$ is infinite, and infinity times a number near zero is anything. One `nan` in a
# gradient makes all weights `nan` in the next step. In float64 all this happens near 745. The single op is right
# everywhere.
#
# There is one place where the single op loses digits, too. Look at a network that is sure and *right*. The true
# gradient in the right logit is $p_t - 1$, a small negative number. Its exact value is $-\sum_{k \ne t} p_k$, which we
# can sum without cancellation:

# %%
print("logit   exact          one op  composed (relative error)")
errors = {}
for size in (1.0, 5.0, 10.0, 20.0, 30.0, 36.0):
    row, label = np.array([[size, 0.0, 0.0]]), np.array([0])
    exact = -softmax(row)[0, 1:].sum()
    errors[size] = [abs(f(row, label)[0, 0] / exact - 1) for f in (one_op_gradient, composed_gradient)]
    print(f"{size:5.0f}   {exact:10.3e}   {errors[size][0]:8.1e}  {errors[size][1]:8.1e}")
assert errors[36.0][0] > 1e-2

# %% [markdown]
# Both lose digits here, and for the same reason: $p_t - 1$ subtracts two numbers that are almost equal. An error of
# $10^{-16}$ in $p_t$ is nothing compared to 1, but it is everything compared to $10^{-16}$. This is *cancellation*. It
# does little harm in training, because the gradient is tiny where it happens. You should know it when you compare two
# gradients: there, ask for an absolute error, not for a relative one.
#
# The loss itself behaves in the same way. $-\ln p_t$ of a sure and right network is about $\sum_{k\ne t} p_k$. If you
# compute $p_t$ first, it is rounded to a float near 1, and floats near 1 are $10^{-16}$ apart:

# %%
print("logit   -ln p              log-sum-exp       exact")
for size in (10.0, 20.0, 30.0, 40.0):
    row = np.array([[size, 0.0]])
    values = abs(np.log(softmax(row)[0, 0])), log_sum_exp(row)[0] - size, np.log1p(np.exp(-size))
    print(f"{size:5.0f}   {values[0]:.9e}   {values[1]:.9e}   {values[2]:.9e}")

# %% [markdown]
# Log-sum-exp is no better on this side: $m + \ln(\dots)$ rounds to the digits of $m$. If you need these digits, use
# `np.log1p`, which computes $\ln(1 + x)$ for small $x$ without making $1 + x$. The lesson: a formula that is right on
# paper can lose all its digits, and *which* digits it loses depends on the input. Test at large logits of both signs.
#
# ## What the package does
#
# `F.cross_entropy` is one op: its forward pass uses the shift, its backward pass is $p - \text{onehot}$.

# %%
import tinygrad_cnn as tg
from tinygrad_cnn.nn import functional as F

logits = tg.tensor(z, requires_grad=True)
F.cross_entropy(logits, tg.tensor(t)).backward()
assert np.allclose(logits.grad.numpy(), cross_entropy_back(1.0, z, t))

extreme = tg.tensor([[800.0, 0.0]], requires_grad=True)
value = F.cross_entropy(extreme, tg.tensor([1]))
value.backward()
print(value.item(), extreme.grad.numpy())

# %% [markdown]
# It takes *logits*. If you give it probabilities, it takes the softmax of a softmax. Nothing fails: there is a loss and
# there are gradients, but they are small, and the network learns slowly. Chapter 9 shows what this looks like.
#
# ## What we have seen
#
# - Softmax: shift by the maximum. Cross-entropy: do the logarithm on paper first, and use log-sum-exp.
# - The gradient of the loss in the logits is $p - \text{onehot}$, divided by $N$ for the mean.
# - The softmax alone has the backward pass $p\,(g - \sum g p)$. A diagonal alone is wrong.
# - A composition is right on paper. At large logits it loses digits, then gives `nan`. One op that knows the whole
#   formula does not.
# - A new classifier of ten classes begins with a loss near $\ln 10 \approx 2.3$.
#
# ## Exercises
#
# **1.** Show that the gradient of the loss in the logits sums to zero in each row. What does it say about adding the
# same number to all logits?
#
# :::{dropdown} Answer
# $\sum_k p_k = 1$ and the one-hot vector sums to 1, so the difference sums to 0. The sum of the gradient is the
# derivative in the direction $(1, 1, \dots, 1)$. It is 0 because the loss does not change if all logits move together.
# ```python
# assert np.allclose(cross_entropy_back(1.0, z, t).sum(axis=1), 0)
# assert np.isclose(loss(z + 7.0), loss(z))
# ```
# :::
#
# **2.** Write `log_softmax(z)` $= z - \mathrm{logsumexp}(z)$ and its backward pass, and check them.
#
# :::{dropdown} Answer
# The first part hands on `g`. The second part is subtracted from *every* output of a row, so it gets $-\sum g$ of the
# row, times the derivative of log-sum-exp, the softmax.
# ```python
# def log_softmax(z):
#     return z - log_sum_exp(z)[:, None]
#
#
# def log_softmax_back(g, z):
#     return g - softmax(z) * g.sum(axis=1, keepdims=True)
#
#
# assert gradcheck(numpy_pair(log_softmax, log_softmax_back), [z])
# ```
# :::
#
# **3.** *Label smoothing* replaces the one-hot vector by $q = (1 - \varepsilon)\,\text{onehot} + \varepsilon / K$, and
# the loss by $-\sum_k q_k \ln p_k$. What is the gradient in the logits? Check it.
#
# :::{dropdown} Answer
# $p - q$. In $L = -\sum_k q_k z_k + \mathrm{logsumexp}(z) \sum_k q_k$ the last sum is 1.
# ```python
# q = 0.9 * np.eye(3)[t] + 0.1 / 3
#
#
# def smoothed(z):
#     return np.array((log_sum_exp(z) - (q * z).sum(axis=1)).mean())
#
#
# assert gradcheck(numpy_pair(smoothed, lambda g, z: g * (softmax(z) - q) / len(t)), [z])
# assert np.isclose(smoothed(z), F.cross_entropy(tg.tensor(z), tg.tensor(t), label_smoothing=0.1).item())
# ```
# :::
#
# **4.** With two classes only the difference $d = z_1 - z_0$ matters. Write the loss as a function of $d$ for the label
# 1, so that it is right for $d = \pm 1000$, and find its derivative.
#
# :::{dropdown} Answer
# $L = \ln(1 + e^{-d})$, and the derivative is $-1/(1 + e^{d})$, the sigmoid minus 1. `np.logaddexp` is a log-sum-exp of
# two numbers, with the shift:
# ```python
# def binary(d):
#     return np.logaddexp(0, -d)
#
#
# def binary_back(g, d):
#     return -g * np.exp(-np.logaddexp(0, d))
#
#
# d = np.array([-1000.0, -2.0, 0.5, 1000.0])
# print(binary(d))
# assert binary(d)[0] == 1000 and binary(d)[3] == 0
# assert gradcheck(numpy_pair(binary, binary_back), [d[1:3]])
# ```
# :::
#
# **5.** Somebody adds a small number to be safe: $L = -\ln(p_t + 10^{-9})$, with the gradient $p - \text{onehot}$. Is
# it right? Compare at the logits $(30, 0)$ with the label 1.
#
# :::{dropdown} Answer
# The gradient does not belong to this loss. At $p_t \approx 10^{-13}$ the loss is almost constant: the true gradient of
# the changed loss is nearly 0, and the formula says −1. Use log-sum-exp; then no small number is needed.
# ```python
# row, n = np.array([[30.0, 0.0]]), np.array([1])
#
#
# def safe(z):
#     return np.array(-np.log(softmax(z)[0, 1] + 1e-9))
#
#
# report = gradcheck(numpy_pair(safe, lambda g, z: g * one_op_gradient(z, n)), [row], raise_exception=False)
# print(report)
# assert not report
# ```
# :::
