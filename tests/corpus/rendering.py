"""Geometry, rendering and resampling: halves of symmetric terms, normalisations passed over, borders, box codes."""

import numpy as np

from tests.corpus.case import Case, values
from tinygrad_cnn.core.domain import Real

DX, DY = np.array([0.5, -1.0, 0.75]), np.array([1.25, 0.5, -0.5])
ANGLE = 0.6
TURN = np.array([[np.cos(ANGLE), -np.sin(ANGLE)], [np.sin(ANGLE), np.cos(ANGLE)]])
GLOBAL_SCALE = 2.5
CELLS, ANCHOR = 4.0, 1.5
ROW = np.array([1.0, 3.0, -2.0, 0.5, 8.0])


def splat(a, b, c):
    return np.exp(-0.5 * (a * DX * DX + c * DY * DY) - b * DX * DY)


def splat_vjp(g, a, b, c, of_b):
    d = g * splat(a, b, c)
    return -0.5 * np.sum(d * DX * DX), of_b * np.sum(d * DX * DY), -0.5 * np.sum(d * DY * DY)


def rotation(q):
    """The matrix of a unit quaternion."""
    w, x, y, z = q
    return np.stack(
        [
            np.stack([1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)]),
            np.stack([2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)]),
            np.stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]),
        ]
    )


def rotation_vjp(g, q):
    w, x, y, z = q
    return 2 * np.array(
        [
            x * (g[2, 1] - g[1, 2]) + y * (g[0, 2] - g[2, 0]) + z * (g[1, 0] - g[0, 1]),
            w * (g[2, 1] - g[1, 2]) - 2 * x * (g[1, 1] + g[2, 2]) + y * (g[0, 1] + g[1, 0]) + z * (g[0, 2] + g[2, 0]),
            w * (g[0, 2] - g[2, 0]) + x * (g[0, 1] + g[1, 0]) - 2 * y * (g[0, 0] + g[2, 2]) + z * (g[1, 2] + g[2, 1]),
            w * (g[1, 0] - g[0, 1]) + x * (g[0, 2] + g[2, 0]) + y * (g[1, 2] + g[2, 1]) - 2 * z * (g[0, 0] + g[1, 1]),
        ]
    )


def turned(q):
    return rotation(q / np.sqrt(np.sum(q * q)))


def turned_vjp(g, q):
    length = np.sqrt(np.sum(q * q))
    unit = q / length
    d = rotation_vjp(g, unit)
    return (d - unit * np.sum(unit * d)) / length


def covariance(scale):
    m = TURN * (GLOBAL_SCALE * scale)
    return m @ m.T


def covariance_vjp(g, scale, factor):
    m = TURN * (GLOBAL_SCALE * scale)
    return factor * np.sum(((g + g.T) @ m) * TURN, axis=0)


def edges(tx, tw):
    """The left and the right edge of a box of a detector, from the numbers that its network gives."""
    middle, width = (1.0 + tx) / CELLS, np.exp(tw) * ANCHOR / CELLS
    return np.stack([middle - width / 2, middle + width / 2])


def edges_vjp(g, tx, tw):
    return (g[0] + g[1]) / CELLS, (g[1] - g[0]) / 2 * np.exp(tw) * ANCHOR / CELLS


def look_up(u):
    """Linear interpolation in ROW at u, which is cut to the border."""
    at = np.clip(u, 0.0, len(ROW) - 1.0)
    left = np.minimum(np.floor(at).astype(int), len(ROW) - 2)
    return ROW[left] + (at - left) * (ROW[left + 1] - ROW[left])


def look_up_vjp(g, u):
    left = np.clip(np.floor(u).astype(int), 0, len(ROW) - 2)
    return g * np.where((u < 0) | (u >= len(ROW) - 1), 0.0, ROW[left + 1] - ROW[left])


def zero_padded_vjp(g, u):
    """At the last pixel the neighbour that does not exist counts as 0."""
    padded = np.append(ROW, 0.0)
    left = np.clip(np.floor(u).astype(int), 0, len(ROW) - 1)
    return g * np.where((u < 0) | (u > len(ROW) - 1), 0.0, padded[left + 1] - padded[left])


def widen_weights(n):
    """Linear interpolation of n columns to 2 n, with the corners not aligned."""
    at = np.clip((np.arange(2 * n) + 0.5) / 2 - 0.5, 0, n - 1)
    return np.maximum(0.0, 1 - np.abs(at[:, None] - np.arange(n)))


def widen(x):
    return x @ widen_weights(x.shape[1]).T


def widen_vjp_of_other_columns(g, x):
    height, width = x.shape
    shift = (height - width) // (2 * width)  # the height was subtracted where the width belongs
    return g[:, np.maximum(np.arange(2 * width) - shift, 0)] @ widen_weights(width)


CASES = [
    Case(
        name="gaussian splatting: the mixed term of a conic",
        framework="3D Gaussian splatting",
        reference="graphdeco-inria/gaussian-splatting#551",
        year=2023,
        story="the coefficient of b in exp(-(a dx² + c dy²)/2 - b dx dy) is taken for -1/2, too",
        f=splat,
        wrong=lambda g, a, b, c: splat_vjp(g, a, b, c, of_b=-0.5),
        right=lambda g, a, b, c: splat_vjp(g, a, b, c, of_b=-1.0),
        inputs=lambda: (np.array(0.75), np.array(0.25), np.array(1.25)),
        kind="factor",
        sample=lambda draw: tuple(draw.array((), Real()) for _ in range(3)),
    ),
    Case(
        name="gsplat: the length of a quaternion",
        framework="gsplat",
        reference="nerfstudio-project/gsplat#153",
        year=2024,
        story="forward normalises the quaternion, backward goes past the normalisation",
        f=turned,
        wrong=lambda g, q: rotation_vjp(g, q / np.sqrt(np.sum(q * q))),
        right=turned_vjp,
        inputs=lambda: (np.array([1.0, -0.5, 0.75, 0.25]),),
        kind="dropped",
        also=("unknown",),
    ),
    Case(
        name="gsplat: the global scale",
        framework="gsplat",
        reference="nerfstudio-project/gsplat#136",
        year=2024,
        story="the gradient of the scales forgets the global scale that multiplies them",
        f=covariance,
        wrong=lambda g, scale: covariance_vjp(g, scale, factor=1.0),
        right=lambda g, scale: covariance_vjp(g, scale, factor=GLOBAL_SCALE),
        inputs=lambda: (np.array([0.5, 1.25]),),
        kind="factor",
        also=("chain",),
        sample=lambda draw: (draw.array((2,), Real()),),
    ),
    Case(
        name="g-darknet: boxes without the chain rule",
        framework="GIoU darknet",
        reference="generalized-iou/g-darknet#20",
        year=2019,
        story="the gradient of a box reaches the network's numbers without the exp and the scale between them",
        f=edges,
        wrong=lambda g, tx, tw: (g[0] + g[1], (g[1] - g[0]) / 2),
        right=edges_vjp,
        inputs=lambda: (values(0, 3), values(1, 3)),
        kind="chain",
        also=("factor",),
        sample=lambda draw: (draw.array((2,), Real()), draw.array((2,), Real())),
    ),
    Case(
        name="pytorch: a point on the border of the image",
        framework="PyTorch",
        reference="pytorch/pytorch#23925",
        year=2019,
        story="with border padding, a point on the last pixel gets the slope towards a neighbour of 0",
        f=look_up,
        wrong=zero_padded_vjp,
        right=look_up_vjp,
        inputs=lambda: (np.array([0.5, 2.75, 4.0]),),
        kind="kink convention",
        also=("unknown", "chain"),
        at="one point lies on the last pixel; right: the slope from outside, 0, as in PyTorch",
        kink=True,
    ),
    Case(
        name="torch-xpu: the height for the width",
        framework="torch-xpu-ops",
        reference="intel/torch-xpu-ops#4380",
        year=2026,
        story="the output column is computed with the height: a portrait takes gradients from other columns",
        f=widen,
        wrong=widen_vjp_of_other_columns,
        right=lambda g, x: g @ widen_weights(x.shape[1]),
        inputs=lambda: (values(2, 6, 2),),
        kind="window",
        also=("permuted", "unknown"),
        sample=lambda draw: (draw.array((draw.integer(1, 3), draw.integer(1, 3)), Real()),),
    ),
]
