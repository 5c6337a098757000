"""
What a convolution sees
=======================

What a convolution sees: kernels that find edges, written by hand, and 32 that were learned.

Writes two pictures: ``edges.png``, a digit and what five 3×3 kernels make of it, and ``feature_maps.png``, the
same digit through 32 learned kernels, 26×26 each. Run it: ``python examples/edges.py [FOLDER]``; needs Pillow
(the `cli` extra).
"""

import sys
from pathlib import Path

import tinygrad_cnn as tg
from tinygrad_cnn import nn, optim
from tinygrad_cnn.datasets import load_sample
from tinygrad_cnn.teach import sheet

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


def main(folder=".", steps=500):
    """Write both pictures; return the planes that they show."""
    digits = load_sample()
    images, labels = tg.tensor(digits.train_images).float() / 255, tg.tensor(digits.train_labels).long()
    digit = images[0]
    edges = filtered(digit).numpy()
    maps = learned(images, labels, steps)(digit[None]).detach().numpy()
    names = ["the digit", *KERNELS]
    pictures = {
        "edges.png": sheet([digit, *edges], names, columns=6, zoom=4, title="One digit through five kernels"),
        "feature_maps.png": sheet(maps, [f"map {k}" for k in range(32)], zoom=4, title="Through 32 learned kernels"),
    }
    for name, picture in pictures.items():
        target = Path(folder) / name
        picture.save(target)
        print(f"wrote {target}")
    return edges, maps


if __name__ == "__main__":
    main(*sys.argv[1:2])
