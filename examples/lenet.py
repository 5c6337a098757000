"""
LeNet to 99 %
=============

LeNet on all of MNIST until it gets 99% of the test images right (LeCun et al. 1998, with ReLU and max pooling).

Run it: ``python examples/lenet.py [FOLDER]``. The four files of MNIST are looked for in FOLDER (default ``data``)
and fetched into it if they are not there. About half a minute with ``TINYGRAD_CNN_KERNELS=numba``, a minute without.
Writes ``lenet_mistakes.png``, the test images that it still reads wrongly (needs Pillow, the `cli` extra).
"""

import sys
import time
from pathlib import Path

from rich.progress import track

import tinygrad_cnn as tg
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import datasets, nn, optim
from tinygrad_cnn.utils import make_grid, save_image
from tinygrad_cnn.utils.data import DataLoader, TensorDataset


class LeNet(nn.Module):
    """Two convolutions, each pooled, and three linear layers."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)  # (N, 1, 28, 28) -> (N, 6, 28, 28)
        self.conv2 = nn.Conv2d(6, 16, 5)  # (N, 6, 14, 14) -> (N, 16, 10, 10)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        """Logits (N, 10) of images (N, 1, 28, 28)."""
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x.flatten(1))))))


def as_tensors(mnist):
    """A data set of images (N, 1, 28, 28) with mean 0 and deviation 1, and their labels."""
    return TensorDataset((mnist.data.unsqueeze(1).float() / 255 - 0.1307) / 0.3081, mnist.targets)


@tg.no_grad()
def mistakes(net, dataset):
    """The test images that the network reads wrongly, (M, 1, 28, 28)."""
    wrong = [images[net(images).argmax(1) != labels] for images, labels in DataLoader(dataset, batch_size=500)]
    return tg.cat(wrong)


def main(folder="data", epochs=12, images=60_000, goal=0.99, picture="lenet_mistakes.png"):
    """Train until the goal is reached; return the accuracy on the test images."""
    tg.manual_seed(0)
    train = as_tensors(datasets.MNIST(folder, train=True, download=True))
    test = as_tensors(datasets.MNIST(folder, train=False, download=True))
    train = TensorDataset(*train[:images])

    net = LeNet()
    loader = DataLoader(train, batch_size=64, shuffle=True)
    optimizer = optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * len(loader))
    start = time.perf_counter()
    for epoch in range(epochs):
        for batch, labels in track(loader, f"epoch {epoch + 1}", transient=True):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(batch), labels)
            loss.backward()
            optimizer.step()
            schedule.step()
        wrong = mistakes(net, test)
        accuracy = 1 - len(wrong) / len(test)
        print(f"epoch {epoch + 1:2}: {accuracy:.2%} of {len(test)} test images, {time.perf_counter() - start:.0f} s")
        if accuracy >= goal:
            break
    if len(wrong):
        save_image(make_grid(wrong[:100], nrow=10, normalize=True), picture)
        print(f"wrote {Path(picture)}: images that are read wrongly")
    return accuracy


if __name__ == "__main__":
    main(*sys.argv[1:2])
