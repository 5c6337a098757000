# %% [markdown]
# # 5. Matrix products
#
# **You will be able to** find the gradients of $y = x w^\top + b$ in three ways, without ever writing down a large
# Jacobian, and of any other formula with matrix products in it. **Time**: 45 minutes. **You need**: matrix products,
# and from chapter 4 that a gradient has the shape of its array and that the bias is summed over the batch.
#
# Nearly all the time of a network is spent in matrix products. A linear layer is one, attention is two, and chapter 6
# turns a convolution into one. If you can differentiate a matrix product, you can differentiate most of a network.

# %%
import numpy as np

rng = np.random.default_rng(0)

# %% [markdown]
# ## The layer
#
# A linear layer has $K$ inputs and $M$ outputs. Each output is a weighted sum of all inputs, plus a bias. For a batch
# of $N$ examples, with the weights `w` of shape (M, K) as in PyTorch:
#
# $$ y_{nm} = \sum_{k} x_{nk}\, w_{mk} + b_m, \qquad y = x\,w^\top + b. $$


# %%
def linear(x, w, b):
    """(N, K), (M, K), (M,) -> (N, M)."""
    return x @ w.T + b


N, K, M = 5, 4, 3
x, w = rng.standard_normal((N, K)), rng.standard_normal((M, K))
b = rng.standard_normal(M)
y = linear(x, w, b)
g = rng.standard_normal(y.shape)  # the cotangent of y, as always

# %% [markdown]
# ## Why not the Jacobian?
#
# A textbook collects all derivatives $\partial y_i / \partial w_j$ in one table, the **Jacobian**, and multiplies `g`
# by it. The table has a row for each element of `y` and a column for each element of `w`. Let us build it for our small
# layer, and look at the zeros.

# %%
jacobian = np.zeros((N, M, M, K))
for n in range(N):
    for m in range(M):
        jacobian[n, m, m, :] = x[n]  # y[n, m] depends on row m of w only
print("numbers in the Jacobian:", jacobian.size, " of them not zero:", np.count_nonzero(jacobian))
dw_by_jacobian = np.einsum("nm,nmij->ij", g, jacobian)

# %% [markdown]
# Here it is 180 numbers. For a batch of 64, and a layer from 784 inputs to 100 outputs, it has
# $64\cdot 100 \times 100\cdot 784 \approx 5\cdot 10^8$ numbers, 4 GB in double precision. One in 100 is not zero. We
# want the product of `g` and the Jacobian, and we want it without the Jacobian. There are three ways to find it.
#
# ## First way: by indices
#
# The loss is $L = \sum_{nm} g_{nm}\, y_{nm}$. Put in the formula for $y$:
#
# $$ L = \sum_{nmk} g_{nm}\, x_{nk}\, w_{mk} + \sum_{nm} g_{nm}\, b_m. $$
#
# To get the derivative in $w_{mk}$, keep what stands beside $w_{mk}$, and sum over the other index, $n$. In the same
# way for $x_{nk}$ and $b_m$:
#
# $$ dw_{mk} = \sum_n g_{nm}\, x_{nk}, \qquad dx_{nk} = \sum_m g_{nm}\, w_{mk}, \qquad db_m = \sum_n g_{nm}. $$
#
# `np.einsum` takes such formulas as they are. Write the indices of each array, then an arrow, then the indices of the
# result:

# %%
dw = np.einsum("nm,nk->mk", g, x)
dx = np.einsum("nm,mk->nk", g, w)
db = np.einsum("nm->m", g)
assert np.allclose(dw, dw_by_jacobian)

# %% [markdown]
# ## Second way: by shapes
#
# The sum over $n$ in $dw$ is a matrix product of $g^\top$ and $x$, and the sum over $m$ in $dx$ is one of $g$ and $w$:
#
# $$ dw = g^\top x, \qquad dx = g\, w. $$
#
# You can guess this without any index. `dw` must have the shape of `w`, (M, K). It is made of `g`, (N, M), and `x`,
# (N, K). There is one way only to get (M, K) from these two by a product: turn `g` around, and multiply. For `dx`:
# (N, K) from `g`, (N, M), and `w`, (M, K).
#
# ```text
#  dw      =   gᵀ    ·   x            dx      =   g     ·   w
# (M, K)     (M, N)    (N, K)        (N, K)     (N, M)    (M, K)
# ```


# %%
def linear_vjp(g, x, w, b):
    return g @ w, g.T @ x, g.sum(axis=0)


for one, other in zip(linear_vjp(g, x, w, b), (dx, dw, db), strict=True):
    assert np.allclose(one, other)

# %% [markdown]
# It is a good habit to find the gradient by shapes. But it is a guess: the shapes do not prove that it is a product of
# these two. And if two lengths are equal, the shapes allow more than one answer, as we will see.
#
# ## Third way: move everything away from the input
#
# This way is a proof, and it is the shortest one. Again we write $\langle a, b\rangle$ for the sum of the element-wise
# products of two arrays. Then the loss is $\langle g, y\rangle$. For matrix products there are two rules for moving a
# factor to the other side:
#
# $$ \langle g,\; a\,b\rangle \;=\; \langle a^\top g,\; b\rangle \;=\; \langle g\,b^\top,\; a\rangle. $$
#
# A factor on the left moves to the left, transposed. A factor on the right moves to the right, transposed. Try it with
# numbers:

# %%
p, q = rng.standard_normal((5, 4)), rng.standard_normal((4, 3))
r = rng.standard_normal((5, 3))
print(np.sum(r * (p @ q)), np.sum((p.T @ r) * q), np.sum((r @ q.T) * p))
assert np.isclose(np.sum(r * (p @ q)), np.sum((p.T @ r) * q))
assert np.isclose(np.sum(r * (p @ q)), np.sum((r @ q.T) * p))

# %% [markdown]
# Now move factors until the input stands alone on the right. What stands on the left is its gradient:
#
# $$ \langle g,\; x\,w^\top\rangle = \langle g\,w,\; x\rangle \quad\Rightarrow\quad dx = g\,w, $$
#
# $$ \langle g,\; x\,w^\top\rangle = \langle x^\top g,\; w^\top\rangle = \langle g^\top x,\; w\rangle
#    \quad\Rightarrow\quad dw = g^\top x. $$
#
# In the last step both sides were transposed. That does not change a sum of products.
#
# The trick works for long formulas, too. Take $y = a\,x\,c$ with fixed matrices $a$ and $c$. Then
# $\langle g, a x c\rangle = \langle a^\top g\, c^\top, x\rangle$, so $dx = a^\top g\, c^\top$.
#
# ## Check it
#
# `gradcheck` takes the function and its VJP as a pair, and tests all three gradients at once:

# %%
from tinygrad_cnn.gradcheck import gradcheck, numpy_pair

report = gradcheck(numpy_pair(linear, linear_vjp), [x, w, b])
print(report)
assert report

# %% [markdown]
# ## The mistake that shapes do not find
#
# Suppose that the layer has as many outputs as inputs. Then `w` is square, and `g @ w.T` has the right shape, too:


# %%
def without_error_but_wrong(g, x, w, b):
    return g @ w.T, g.T @ x, g.sum(axis=0)


square = rng.standard_normal((4, 4))
b4 = rng.standard_normal(4)
g4 = rng.standard_normal((N, 4))
wrong_dx, _, _ = without_error_but_wrong(g4, x, square, b4)
print("dx has the shape", wrong_dx.shape, "and x has the shape", x.shape)

report = gradcheck(numpy_pair(linear, without_error_but_wrong), [x, square, b4], raise_exception=False)
print(report)
assert not report
assert report.diagnoses[0].kind == "transposed"

# %% [markdown]
# The report names the mistake and the line. A network with this mistake still learns a little, because the last layer
# gets its right `dw`. Only the layers before it get nonsense.
#
# Here are four mistakes in the same layer, all of them common. Cover the output, and say first what is wrong:

# %%
mistakes = {
    "A": lambda g, x, w, b: (g @ w, x.T @ g, g.sum(axis=0)),
    "B": lambda g, x, w, b: (g @ w, g.T @ x, g[0]),
    "C": lambda g, x, w, b: (g @ w, g.T @ x / len(x), g.sum(axis=0)),
    "D": lambda g, x, w, b: (-(g @ w), g.T @ x, g.sum(axis=0)),
}
for name, wrong in mistakes.items():
    report = gradcheck(numpy_pair(linear, wrong), [x, square, b4], raise_exception=False)
    print(f"{name}: {report.diagnoses[0].message}\n")
    assert not report

# %% [markdown]
# ## Two layers
#
# The gradient `dx` of a layer is the `g` of the layer before it. This is all there is to a deep network:


# %%
def network(x, w1, b1, w2, b2):
    h = linear(x, w1, b1)
    return linear(np.maximum(h, 0), w2, b2)


def network_vjp(g, x, w1, b1, w2, b2):
    h = linear(x, w1, b1)  # once more; a program would keep it
    da, dw2, db2 = linear_vjp(g, np.maximum(h, 0), w2, b2)
    dh = da * (h > 0)  # the ReLU: element-wise
    dx, dw1, db1 = linear_vjp(dh, x, w1, b1)
    return dx, dw1, db1, dw2, db2


w1, b1 = rng.standard_normal((6, K)), rng.standard_normal(6)
w2, b2 = rng.standard_normal((M, 6)), rng.standard_normal(M)
assert gradcheck(numpy_pair(network, network_vjp), [x, w1, b1, w2, b2])

# %% [markdown]
# ## Stacks of matrices
#
# NumPy also multiplies stacks of matrices. The last two axes are the matrices, and all axes before them are
# broadcast: (8, 5, 4) with (4, 3) gives (8, 5, 3), and the one matrix is used 8 times. You have both parts of the rule
# already. The last two axes follow this chapter, and the axes before them follow chapter 4. Transpose with
# `np.swapaxes(a, -1, -2)`, because `a.T` would turn around *all* axes.


# %%
def unbroadcast(d, shape):
    """Sum d over the axes along which an array of this shape was repeated."""
    d = d.sum(axis=tuple(range(d.ndim - len(shape))))
    stretched = tuple(k for k, n in enumerate(shape) if n == 1 and d.shape[k] != 1)
    return d.sum(axis=stretched, keepdims=True)


def matmul_vjp(g, a, b):
    da = g @ np.swapaxes(b, -1, -2)
    db = np.swapaxes(a, -1, -2) @ g
    return unbroadcast(da, a.shape), unbroadcast(db, b.shape)


for of_a, of_b in [((5, 4), (4, 3)), ((8, 5, 4), (4, 3)), ((2, 1, 5, 4), (3, 4, 2))]:
    a, c = rng.standard_normal(of_a), rng.standard_normal(of_b)
    assert gradcheck(numpy_pair(np.matmul, matmul_vjp), [a, c])

# %% [markdown]
# ## The same with a library

# %%
import tinygrad_cnn as tg
import tinygrad_cnn.nn.functional as F

tensors = [tg.tensor(array, requires_grad=True) for array in (x, w, b)]
y = F.linear(*tensors)
y.backward(tg.tensor(g))  # y is not a single number, so we give its cotangent
for tensor, expected in zip(tensors, linear_vjp(g, x, w, b), strict=True):
    assert np.allclose(tensor.grad.numpy(), expected)
print("dw of F.linear:\n", tensors[1].grad)

# %% [markdown]
# ## What we have seen
#
# - For $y = x w^\top + b$: $\;dx = g\,w$, $\;dw = g^\top x$, and $db$ is the sum of $g$ over the batch.
# - Three ways to find it: by indices (`einsum`), by shapes (a guess), and by moving factors in
#   $\langle g, y\rangle$ (a proof).
# - The Jacobian is never built. It is huge and almost empty.
# - Shapes do not find a wrong transpose of a square matrix. A numeric check does.
# - The `dx` of one layer is the `g` of the layer before.
#
# ## Exercises
#
# **1.** The forward pass of the layer needs $N K M$ multiplications. How many does the backward pass need? And in the
# first layer of a network?
#
# :::{dropdown} Answer
# `g @ w` needs $N M K$, and `g.T @ x` needs $M N K$. So the backward pass costs twice as much as the forward pass. In
# the first layer nobody needs `dx`, the gradient of the data, and a good program leaves it out. Then it costs as much
# as the forward pass.
# :::
#
# **2.** Find the VJP of the product of a matrix and a vector, $y = A v$, and of the scalar product $s = u \cdot v$.
#
# :::{dropdown} Answer
# $\langle g, A v\rangle = \langle A^\top g, v\rangle$, so $dv = A^\top g$. By indices, $dA_{ij} = g_i v_j$: the *outer*
# product. For the scalar product $g$ is a number, and $du = g v$, $dv = g u$.
# ```python
# A, v, u = rng.standard_normal((5, 4)), rng.standard_normal(4), rng.standard_normal(4)
# assert gradcheck(numpy_pair(lambda A, v: A @ v, lambda g, A, v: (np.outer(g, v), A.T @ g)), [A, v])
# assert gradcheck(numpy_pair(lambda u, v: u @ v, lambda g, u, v: (g * v, g * u)), [u, v])
# ```
# :::
#
# **3.** Someone writes the gradient of $s = x^\top A\, x$ in $x$ as $2 A x$. When is it right?
#
# :::{dropdown} Answer
# $x$ is used twice. The right use gives $A^\top x$ and the left use gives $A x$, so $dx = g\,(A + A^\top)\,x$. This is
# $2Ax$ only if $A$ is symmetric. A test with the identity matrix would find nothing.
# ```python
# def form(x, A):
#     return x @ A @ x
#
#
# v, A = rng.standard_normal(4), rng.standard_normal((4, 4))
# assert gradcheck(numpy_pair(form, lambda g, x, A: (g * (A + A.T) @ x, g * np.outer(x, x))), [v, A])
# assert not gradcheck(
#     numpy_pair(form, lambda g, x, A: (g * 2 * A @ x, g * np.outer(x, x))), [v, A], raise_exception=False
# )
# ```
# :::
#
# **4.** For `y = np.einsum("nk,mk->nm", x, w)` the two gradients are `einsum`s again. State a rule for any
# two arrays and any indices, as long as each index of an input is found in the output or in the other input.
#
# :::{dropdown} Answer
# Exchange the input with the output: to get the gradient of an input, replace its array by `g`, and write its indices
# after the arrow.
# ```python
# dx4 = np.einsum("nm,mk->nk", g, w)
# dw4 = np.einsum("nk,nm->mk", x, g)
# expected_dx, expected_dw, _ = linear_vjp(g, x, w, b)
# assert np.allclose(dx4, expected_dx) and np.allclose(dw4, expected_dw)
# ```
# The condition matters. In `"nk,m->nm"` the index $k$ is summed within `x` alone. Its gradient has to be repeated along
# $k$, and an `einsum` of `g` and `w` knows no length for it.
# :::
#
# **5.** Find the VJP of the inverse matrix, $y = x^{-1}$. Begin with $x\,y = 1$: if $x$ changes by a tiny matrix
# $\delta x$, and $y$ by $\delta y$, then $\delta x\; y + x\; \delta y = 0$.
#
# :::{dropdown} Answer
# So $\delta y = -y\;\delta x\;y$. Then $\langle g, \delta y\rangle = \langle g, -y\,\delta x\,y\rangle =
# \langle -y^\top g\,y^\top, \delta x\rangle$, and the gradient is $-y^\top g\,y^\top$.
# ```python
# def inverse_vjp(g, x):
#     y = np.linalg.inv(x)
#     return -y.T @ g @ y.T
#
#
# assert gradcheck(numpy_pair(np.linalg.inv, inverse_vjp), [np.eye(3) * 3 + rng.standard_normal((3, 3))])
# ```
# :::
#
# **6.** Attention computes the scores $s = q\,k^\top / \sqrt{d}$ for queries `q` of shape (T, d) and keys `k` of shape
# (S, d). Write its VJP and check it.
#
# :::{dropdown} Answer
# It is the linear layer without a bias, and a factor.
# ```python
# def scores(q, k):
#     return q @ k.T / np.sqrt(q.shape[1])
#
#
# def scores_vjp(g, q, k):
#     g = g / np.sqrt(q.shape[1])
#     return g @ k, g.T @ q
#
#
# assert gradcheck(numpy_pair(scores, scores_vjp), [rng.standard_normal((5, 4)), rng.standard_normal((3, 4))])
# ```
# :::
