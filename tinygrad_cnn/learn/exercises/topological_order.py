"""Your own backward pass

`Value` is a number that remembers what it was made of, and the derivatives by these parents. Write `backward`: it gives
each value its gradient. A value may send its own gradient on only when it has all of it, so the values are visited in
the reverse of a topological order; and a value that is used several times adds up what comes back.
"""

import math


class Value:
    """A number in a graph: `parents` are what it was made of, `slopes` the derivatives by each of them."""

    def __init__(self, data, parents=(), slopes=()):
        self.data, self.parents, self.slopes = data, parents, slopes
        self.grad = 0.0

    def __add__(self, other):
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def exp(self):
        y = math.exp(self.data)
        return Value(y, (self,), (y,))


def backward(root):
    """Set `grad` of every value that the root was made of; that of the root is 1."""
    ### BEGIN SOLUTION
    order, seen = [], set()

    def visit(value):
        if value not in seen:
            seen.add(value)
            for parent in value.parents:
                visit(parent)
            order.append(value)

    visit(root)
    root.grad = 1.0
    for value in reversed(order):
        for parent, slope in zip(value.parents, value.slopes, strict=True):
            parent.grad += slope * value.grad
    ### END SOLUTION


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Graphs and training", 1
FORMULA = "for each value, in reverse topological order: parent.grad += slope · value.grad"


def values(answer, a, b):
    """The gradients in three graphs: a chain, a value that is used twice, and a diamond."""
    found = []
    for graph in (_chain, _twice, _diamond):
        x, y = answer.Value(a), answer.Value(b)
        root = graph(x, y)
        answer.backward(root)
        found += [x.grad, y.grad]
    return found


def _chain(x, y):
    return (x * y).exp()


def _twice(x, y):
    return x * x + y


def _diamond(x, y):
    u = x * y
    v = u * u
    return (v + u) * v + u * x


def inputs(random):
    return random.uniform(0.5, 1.0, 2).tolist()


NAMES = [f"the gradient of {name} in {graph}" for graph in ("a chain", "x·x + y", "a diamond") for name in "xy"]
WRONG = [
    (
        "parent.grad += slope * value.grad",
        "parent.grad = slope * value.grad",
        "overwritten",
        "A gradient is assigned, not added up, where a value is used several times.",
    ),
    ("reversed(order)", "order", "order", "The values are visited from the inputs on; it must be from the root on."),
    (
        "        if value not in seen:\n            seen.add(value)\n            for parent in value.parents:\n                visit(parent)\n            order.append(value)\n",
        "        for parent in value.parents:\n            visit(parent)\n        order.append(value)\n",
        "visited twice",
        "A value that is used several times is visited several times, and sends its gradient on each time.",
    ),
    (
        "slope * value.grad",
        "value.grad",
        "factor dropped",
        "The slope, which is the derivative by the parent, is left out.",
    ),
    (
        "            for parent in value.parents:\n                visit(parent)\n            order.append(value)\n",
        "            order.insert(0, value)\n            for parent in value.parents:\n                visit(parent)\n",
        "order",
        "A value is put into the order before its parents are: it sends its gradient on before it has all of it.",
    ),
]
### END HIDDEN TESTS
