"""A linear layer

A layer in the form of many courses: `forward` returns its result and a cache, and `backward` gets the gradient of the
result and that cache. Write `backward`, which returns the gradients of x, w and b.
"""


def forward(x, w, b):
    """x @ w + b for x of shape (N, D), w of shape (D, M), b of shape (M,)."""
    out = x @ w + b
    cache = (x, w, b)
    return out, cache


def backward(dout, cache):
    """The gradients of x, w and b; dout has the shape (N, M)."""
    x, w, b = cache
    ### BEGIN SOLUTION
    dx = dout @ w.T
    dw = x.T @ dout
    db = dout.sum(axis=0)
    return dx, dw, db
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Matrix products", 2
FORMULA = "dx = dout wᵀ,  dw = xᵀ dout,  db = Σₙ dout"


def inputs(random):
    return [random.standard_normal((4, 3)), random.standard_normal((3, 3)), random.standard_normal(3)]


WRONG = [
    (
        "dout.sum(axis=0)",
        "dout",
        "unbroadcast",
        "b was broadcast, and its gradient is not summed back: (4, 3) instead of (3,)",
    ),
    (
        "dout.sum(axis=0)",
        "dout.mean(axis=0)",
        "mean for sum",
        "a mean instead of a sum over the axes `b` was broadcast along",
    ),
    ("x.T @ dout", "dout.T @ x", "transposed", "the gradient of `w` in `x @ w` is `g.T @ x`"),
    ("x.T @ dout", "x.T @ dout / len(x)", "factor", "4 times too small"),
    ("dout @ w.T", "dout @ w", "transposed", "the gradient of `x` in `x @ w` is `g @ w`"),
]
### END HIDDEN TESTS
