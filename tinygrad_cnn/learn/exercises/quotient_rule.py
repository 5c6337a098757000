"""The quotient rule

`forward` computes x / y. Write `backward`, which returns two gradients: that of x and that of y.
"""


def forward(x, y):
    """x divided by y, both of shape (N,)."""
    return x / y


def backward(g, x, y):
    """The gradients of x and of y; g is the gradient of the result."""
    ### BEGIN SOLUTION
    dx = g / y
    dy = -g * x / y**2
    return dx, dy
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Scalars and the chain rule", 3
FORMULA = "dL/dx = g / y,  dL/dy = −g x / y²"


def inputs(random):
    return [random.uniform(-2.0, 2.0, 3), random.uniform(0.5, 2.0, 3)]


WRONG = [
    ("-g * x / y**2", "g * x / y**2", "sign", "the gradient of `y` has the wrong sign"),
    ("-g * x / y**2", "-g * x / y", "factor dropped", "the division by `y` is missing"),
    ("-g * x / y**2", "-g / y**2", "left out", "the factor `x` is missing"),
    ("return dx, dy", "return dy, dx", "exchanged", "the gradients of `x` and `y` are exchanged"),
]
### END HIDDEN TESTS
