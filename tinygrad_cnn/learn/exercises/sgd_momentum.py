"""A step with momentum

Write one step of gradient descent with momentum, as PyTorch has it: the velocity is the momentum times the old velocity
plus the gradient, and the parameter moves against the velocity.
"""


def step(w, grad, velocity, lr, momentum):
    """The new parameter and the new velocity; w, grad and velocity have one shape."""
    ### BEGIN SOLUTION
    velocity = momentum * velocity + grad
    w = w - lr * velocity
    return w, velocity
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Graphs and training", 2
FORMULA = "v ← μ v + g,  w ← w − lr v"


def values(answer, w, grads):
    """The parameter and the velocity after each of three steps."""
    found, velocity = [], 0 * w
    for grad in grads:
        w, velocity = answer.step(w, grad, velocity, 0.05, 0.9)
        found += [w, velocity]
    return found


def inputs(random):
    return [random.standard_normal(3), random.standard_normal((3, 3))]


NAMES = [f"the {what} after step {n}" for n in (1, 2, 3) for what in ("parameter", "velocity")]
WRONG = [
    (
        "w - lr * velocity",
        "w + lr * velocity",
        "sign",
        "The parameter moves along the velocity; it must move against it.",
    ),
    (
        "momentum * velocity + grad",
        "momentum * velocity + (1 - momentum) * grad",
        "factor",
        "The gradient is multiplied by 1 − momentum; PyTorch adds it as it is.",
    ),
    (
        "w - lr * velocity",
        "w - lr * grad",
        "other value",
        "The parameter moves by the gradient; it must move by the velocity.",
    ),
    (
        "momentum * velocity + grad",
        "velocity + grad",
        "factor dropped",
        "The old velocity is not multiplied by the momentum.",
    ),
    (
        "momentum * velocity + grad",
        "momentum * velocity + lr * grad",
        "factor",
        "The learning rate is in the velocity, and once more in the step.",
    ),
]
### END HIDDEN TESTS
