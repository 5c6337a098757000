"""A bias that is broadcast

`forward` adds the same bias b to every row of x. Write `backward`. Every row uses b, so its gradient is a sum.
"""


def forward(x, b):
    """x of shape (N, D) plus b of shape (D,)."""
    return x + b


def backward(g, x, b):
    """The gradients of x and of b, each of the shape of its input; g has the shape (N, D)."""
    ### BEGIN SOLUTION
    dx = g
    db = g.sum(axis=0)
    return dx, db
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Broadcasting and sums", 1
FORMULA = "dL/dx = g,  dL/db = Σₙ gₙ: the sum over the rows"


def inputs(random):
    return [random.standard_normal((3, 3)), random.standard_normal(3)]


WRONG = [
    (
        "g.sum(axis=0)",
        "g",
        "unbroadcast",
        "b was broadcast, and its gradient is not summed back: (3, 3) instead of (3,)",
    ),
    (
        "g.sum(axis=0)",
        "g.mean(axis=0)",
        "mean for sum",
        "a mean instead of a sum over the axes `b` was broadcast along",
    ),
    (
        "g.sum(axis=0)",
        "g.sum(axis=1)",
        "wrong axis",
        "the gradient of `b` is summed over axis 1, not over the one it was broadcast along",
    ),
    ("g.sum(axis=0)", "g[0]", "first only", "only the first of the axes `b` was broadcast along is taken, not the sum"),
]
### END HIDDEN TESTS
