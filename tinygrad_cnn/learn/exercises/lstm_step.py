"""One step of an LSTM

`forward` computes the next output of an LSTM from the sum z of its weighted inputs, which holds four parts side by side:
the input gate i, the forget gate f, the output gate o, and the candidate a. Write `backward` for z and the old cell c.
"""

import numpy as np


def sigmoid(x):
    """The logistic function."""
    return 1 / (1 + np.exp(-x))


def forward(z, c):
    """Sigmoid(o) tanh(c') with c' = sigmoid(f) c + sigmoid(i) tanh(a); z has the shape (N, 4 H), c has (N, H)."""
    i, f, o, a = np.split(z, 4, axis=1)
    new = sigmoid(f) * c + sigmoid(i) * np.tanh(a)
    return sigmoid(o) * np.tanh(new)


def backward(g, z, c):
    """The gradients of z and of c; g has the shape (N, H)."""
    i, f, o, a = np.split(z, 4, axis=1)
    i, f, o, a = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(a)
    new = f * c + i * a
    ### BEGIN SOLUTION
    dnew = g * o * (1 - np.tanh(new) ** 2)
    di = dnew * a * i * (1 - i)
    df = dnew * c * f * (1 - f)
    do = g * np.tanh(new) * o * (1 - o)
    da = dnew * i * (1 - a**2)
    dc = dnew * f
    return np.concatenate([di, df, do, da], axis=1), dc
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Sequences and attention", 2
FORMULA = "dc' = g o (1 − tanh² c'),  di = dc' a i (1 − i),  df = dc' c f (1 − f),  do = g tanh(c') o (1 − o),  da = dc' i (1 − a²),  dc = dc' f"


def inputs(random):
    return [random.standard_normal((2, 8)), random.standard_normal((2, 2))]


WRONG = [
    (
        "[di, df, do, da]",
        "[df, di, do, da]",
        "exchanged",
        "the gradients of part 0 of `np.split(z, 4, axis=1)` and part 1 of `np.split(z, 4, axis=1)`",
    ),
    ("dc = dnew * f", "dc = dnew", "factor dropped", "the factor `sigmoid(f)` is missing"),
]
### END HIDDEN TESTS
