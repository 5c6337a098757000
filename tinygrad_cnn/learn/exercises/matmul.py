"""The product of two matrices

`forward` computes a @ b. Write `backward`, which returns both gradients. Look at the shapes: they leave few choices.
"""


def forward(a, b):
    """The product of a, of shape (N, K), and b, of shape (K, M)."""
    return a @ b


def backward(g, a, b):
    """The gradients of a and of b; g has the shape (N, M)."""
    ### BEGIN SOLUTION
    da = g @ b.T
    db = a.T @ g
    return da, db
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Matrix products", 1
FORMULA = "dL/da = g bᵀ,  dL/db = aᵀ g"


def inputs(random):
    return [random.standard_normal((3, 3)), random.standard_normal((3, 3))]


WRONG = [
    ("g @ b.T", "g @ b", "transposed", "the gradient of `a` in `a @ b` is `g @ b`"),
    ("a.T @ g", "a @ g", "transposed", "the gradient of `b` in `a @ b` is `a @ g`"),
    ("a.T @ g", "g.T @ a", "transposed", "the gradient of `b` in `a @ b` is `g.T @ a`"),
    ("g @ b.T", "b.T @ g", "transposed", "the gradient of `a` in `a @ b` is `b.T @ g`"),
]
### END HIDDEN TESTS
