"""The mean squared error

`forward` computes the mean of the squared differences. Write `backward`, which returns the gradients of both inputs.
"""


def forward(x, t):
    """The mean of (x − t)² over all elements; both have the shape (N, D)."""
    return ((x - t) ** 2).mean()


def backward(g, x, t):
    """The gradients of x and of t; g is a number."""
    ### BEGIN SOLUTION
    dx = g * 2 * (x - t) / x.size
    return dx, -dx
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Softmax and losses", 5
FORMULA = "dL/dx = 2 g (x − t) / (N D),  dL/dt = −dL/dx"


def inputs(random):
    return [random.standard_normal((3, 4)), random.standard_normal((3, 4))]


WRONG = [
    ("g * 2 * (x - t) / x.size", "g * (x - t) / x.size", "factor dropped", "the factor 2 is missing"),
    ("g * 2 * (x - t) / x.size", "g * 2 * (x - t) / len(x)", "factor", "4 times too large"),
    ("return dx, -dx", "return dx, dx", "sign", "the gradient of `t` has the wrong sign"),
    ("return dx, -dx", "return dx, 0 * dx", "dropped", "no gradient comes back to t"),
]
### END HIDDEN TESTS
