"""One step of a recurrent network

`forward` computes the next state of a recurrent network. Write `backward`: first back through tanh, then to each of the
four inputs.
"""

import numpy as np


def forward(x, h, w, u):
    """Tanh(x @ w + h @ u); x has the shape (N, D), h (N, H), w (D, H), u (H, H)."""
    new = np.tanh(x @ w + h @ u)
    return new, (x, h, w, u, new)


def backward(dout, cache):
    """The gradients of x, h, w and u; dout has the shape (N, H)."""
    x, h, w, u, new = cache
    ### BEGIN SOLUTION
    d = dout * (1 - new**2)
    dx = d @ w.T
    dh = d @ u.T
    dw = x.T @ d
    du = h.T @ d
    return dx, dh, dw, du
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Sequences and attention", 1
FORMULA = "d = dout (1 − new²),  dx = d wᵀ,  dh = d uᵀ,  dw = xᵀ d,  du = hᵀ d"


def inputs(random):
    return [random.standard_normal((3, 2)), *(0.5 * random.standard_normal(s) for s in ((3, 3), (2, 3), (3, 3)))]


WRONG = [
    (
        "d = dout * (1 - new**2)",
        "d = dout",
        "factor dropped",
        "the factor `1 - (np.tanh(x @ w + h @ u) * np.tanh(x @ w + h @ u))` is missing",
    ),
    ("dh = d @ u.T", "dh = d @ u", "transposed", "the gradient of `h` in `h @ u` is `g @ u`"),
    (
        "du = h.T @ d",
        "du = h.T @ dout",
        "factor dropped",
        "in the gradient of `u`: the factor `1 - (np.tanh(x @ w + h @ u) * np.tanh(x @ w + h @ u))`",
    ),
    ("du = h.T @ d", "du = new.T @ d", "other value", "write `h` for `new` in `new.T`"),
]
### END HIDDEN TESTS
