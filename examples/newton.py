"""
Newton's method by second derivatives
=====================================

Second derivatives at work: Newton's method on Rosenbrock's banana.

``create_graph=True`` records the backward pass itself, so that the gradient can be differentiated again: its
rows are the Hessian. Run it: ``python examples/newton.py``.
"""

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.autograd import grad


def rosenbrock(x):
    """(1 - a)² + 100 (b - a²)², whose minimum lies at (1, 1), in a curved and narrow valley."""
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def main(start=(-1.2, 1.0)):
    """Go to the minimum; return the points on the way."""
    x = tg.tensor(start, dtype=tg.float64, requires_grad=True)
    path = [x.tolist()]
    while True:
        (slope,) = grad(rosenbrock(x), x, create_graph=True)
        size = slope.detach().norm().item()
        print(f"step {len(path) - 1}: x = ({path[-1][0]: .6f}, {path[-1][1]: .6f}), |gradient| = {size:.2e}")
        if size < 1e-9:
            return path
        hessian = np.stack([grad(slope[k], x, retain_graph=True)[0].numpy() for k in range(2)])
        with tg.no_grad():
            x -= np.linalg.solve(hessian, slope.detach().numpy())
        path.append(x.tolist())


if __name__ == "__main__":
    main()
