"""A Hessian-vector product

The gradient of f(x) = ¼ (x·x)² is (x·x) x. Write `hvp`: the product of the matrix of second derivatives of f at x with
a vector v. You do not need the matrix: differentiate the gradient along v.
"""


def gradient(x):
    """The gradient of f at x, of shape (N,)."""
    return (x * x).sum() * x


def hvp(x, v):
    """The Hessian of f at x times v, of shape (N,)."""
    ### BEGIN SOLUTION
    along = 2 * (x * v).sum()
    return (x * x).sum() * v + along * x
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Matrix products", 3
FORMULA = "H v = (x·x) v + 2 (x·v) x"


def pair(answer):
    """The Hessian is symmetric: its product with v is what the gradient's own backward function returns."""
    return answer.gradient, lambda g, x: answer.hvp(x, g)


def inputs(random):
    return [random.standard_normal(4)]


NAMES = ["x"]
WRONG = [
    (" + along * x", "", "held constant", "`(x * x).sum()` is held constant: no gradient flows through it"),
    ("2 * (x * v).sum()", "(x * v).sum()", "path dropped", "the path through `x` in `x * x` is missing"),
    (
        "(x * x).sum() * v + along * x",
        "along * x",
        "path dropped",
        "the path through `x` in `(x * x).sum() * x` is missing",
    ),
]
### END HIDDEN TESTS
