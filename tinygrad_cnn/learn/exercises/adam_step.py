"""A step of Adam

Write one step of Adam. Both running means start at 0, which makes them too small in the first steps: that is put right
by dividing by 1 − βᵗ, where t counts the steps from 1. The parameter moves by lr m̂ / (√v̂ + ε) against the gradient.
"""

import numpy as np


def step(w, grad, m, v, t, lr=0.1, beta1=0.9, beta2=0.99, eps=1e-8):
    """The new parameter, and the new running means m of the gradient and v of its square; t is 1 in the first step."""
    ### BEGIN SOLUTION
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    w = w - lr * m_hat / (np.sqrt(v_hat) + eps)
    return w, m, v
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Graphs and training", 3
FORMULA = (
    "m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²,  w ← w − lr m̂ / (√v̂ + ε) with m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ)"
)


def values(answer, w, grads):
    """The parameter and both means after each of three steps."""
    found, m, v = [], 0 * w, 0 * w
    for k, grad in enumerate(grads):
        w, m, v = answer.step(w, grad, m, v, k + 1)
        found += [w, m, v]
    return found


def inputs(random):
    return [random.standard_normal(3), random.standard_normal((3, 3))]


NAMES = [f"{what} after step {n}" for n in (1, 2, 3) for what in ("the parameter", "m", "v")]
WRONG = [
    ("m / (1 - beta1**t)", "m", "factor dropped", "The mean of the gradient is not divided by 1 − β₁ᵗ."),
    (
        "v / (1 - beta2**t)",
        "v / (1 - beta1**t)",
        "other value",
        "The mean of the square is divided by 1 − β₁ᵗ; it must be 1 − β₂ᵗ.",
    ),
    ("(1 - beta2) * grad**2", "(1 - beta2) * grad", "square", "The gradient is not squared in the mean of its square."),
    ("np.sqrt(v_hat) + eps", "v_hat + eps", "square", "The square root of the mean of the square is left out."),
    (
        "np.sqrt(v_hat) + eps",
        "np.sqrt(v_hat + eps)",
        "other value",
        "ε stands under the root; it is added to the root.",
    ),
    ("w - lr * m_hat", "w + lr * m_hat", "sign", "The parameter moves along the gradient; it must move against it."),
    ("beta1**t", "beta1", "exponent", "The exponent t of β₁ is left out."),
    (
        "return w, m, v",
        "return w, m_hat, v_hat",
        "other value",
        "The corrected means are returned; the next step needs m and v as they are.",
    ),
]
### END HIDDEN TESTS
