"""What a convolution sees: kernels that find edges, written by hand, and 32 that were learned.

Writes two pictures: ``edges.png``, a digit and what five 3×3 kernels make of it, and ``feature_maps.png``, the
same digit through 32 learned kernels, 26×26 each. Run it: ``python examples/edges.py [FOLDER]``; needs Pillow
(the `cli` extra).
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

import tinygrad_cnn as tg
from tinygrad_cnn import nn, optim
from tinygrad_cnn.datasets import load_sample

KERNELS = {
    "horizontal edges": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],  # Sobel
    "vertical edges": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "falling diagonals": [[0, 1, 2], [-1, 0, 1], [-2, -1, 0]],
    "all edges": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],  # Laplace
    "blur": [[1, 2, 1], [2, 4, 2], [1, 2, 1]],
}


def filtered(image):
    """(5, 26, 26): one digit (28, 28) through the five kernels."""
    weight = tg.tensor(list(KERNELS.values())).float()[:, None]  # (5, 1, 3, 3)
    return nn.functional.conv2d(image[None], weight)


def learned(images, labels, steps):
    """A convolution with 32 kernels, trained inside the article's network."""
    tg.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 32, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32 * 13 * 13, 10))
    optimizer = optim.SGD(net.parameters(), lr=0.05)
    for step in range(steps):
        batch = slice(step * 20 % len(images), step * 20 % len(images) + 20)
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(images[batch, None]), labels[batch]).backward()
        optimizer.step()
    return net[0]


def grey(image):
    """A plane as bytes: its least value black, its largest white."""
    low, high = image.min(), image.max()
    return np.uint8(np.round((image - low) / (high - low if high > low else 1) * 255))


def sheet(planes, columns, zoom):
    """Planes side by side, in rows, with a thin frame between them."""
    height, width = max(p.shape[0] for p in planes) + 2, max(p.shape[1] for p in planes) + 2
    rows = -(-len(planes) // columns)
    paper = np.full((rows * height, columns * width), 40, np.uint8)
    for k, plane in enumerate(planes):
        top, left = k // columns * height + 1, k % columns * width + 1
        paper[top : top + plane.shape[0], left : left + plane.shape[1]] = grey(plane)
    return Image.fromarray(paper).resize((paper.shape[1] * zoom, paper.shape[0] * zoom), Image.Resampling.NEAREST)


def main(folder=".", steps=500):
    """Write both pictures; return the planes that they show."""
    digits = load_sample()
    images, labels = tg.tensor(digits.train_images).float() / 255, tg.tensor(digits.train_labels).long()
    digit = images[0]
    edges = filtered(digit).numpy()
    maps = learned(images, labels, steps)(digit[None]).detach().numpy()
    for name, planes, columns in (("edges.png", [digit.numpy(), *edges], 6), ("feature_maps.png", list(maps), 8)):
        target = Path(folder) / name
        sheet(planes, columns, 4).save(target)
        print(f"wrote {target}: {len(planes)} planes")
    return edges, maps


if __name__ == "__main__":
    main(*sys.argv[1:2])
