"""The programs whose pages are tested: each a function of its inputs, and the inputs."""

from pathlib import Path

import numpy as np

import tinygrad_cnn as tg
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import nn

SAMPLE = np.load(Path(tg.__file__).parent / "datasets" / "mnist_sample.npz")


def scalars():
    return [tg.tensor(value, requires_grad=True) for value in (2.0, -1.5, 4.0)]


def fork(a, b, c):
    s = a * b + c
    return s.relu() + s * a


def broadcast(x, w, b):
    h = (x * w + b).tanh()
    return (h * h).mean()


def arrays():
    x = [[1.0, -0.5, 2.0], [0.3, 1.2, -1.0]]
    return [tg.tensor(value, requires_grad=True) for value in (x, [[0.8], [-0.6]], [0.1, 0.2, -0.3])]


def same(t):
    return t


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x, keep=same):
        for conv in (self.conv1, self.conv2):
            maps = keep(conv(x))
            active = keep(F.relu(maps))
            x = keep(F.max_pool2d(active, 2))
        x = keep(x.flatten(1))
        for linear in (self.fc1, self.fc2):
            sums = keep(linear(x))
            x = keep(F.relu(sums))
        return keep(self.fc3(x))


def lenet():
    tg.manual_seed(0)
    net = LeNet()

    def loss(digit, label, keep=same):
        return keep(F.cross_entropy(net(digit, keep), label))

    digit = tg.tensor(SAMPLE["train_images"][7:8, None].astype(np.float32) / 255, requires_grad=True)
    return net, loss, [digit, tg.tensor(SAMPLE["train_labels"][7:8].astype(np.int64))]


def strided():
    tg.manual_seed(1)
    conv = nn.Conv2d(4, 4, 3, stride=2, padding=2, dilation=2, groups=2)
    pool = nn.MaxPool2d(3, stride=2, padding=1)

    def loss(x):
        y = pool(conv(x))
        return (y * y).sum()

    return loss, [tg.randn(1, 4, 11, 11, requires_grad=True)]


def batch():
    tg.manual_seed(1)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(100, 10))

    def loss(images, labels):
        return F.cross_entropy(net(images), labels)

    images = SAMPLE["train_images"][:4, None, 2:26, 2:26].reshape(4, 1, 12, 2, 12, 2).mean((3, 5)) / 255
    labels = tg.tensor(SAMPLE["train_labels"][:4].astype(np.int64))
    return loss, [tg.tensor(images.astype(np.float32), requires_grad=True), labels]


def loop(x, w):
    for _ in range(5):
        x = (w * x).tanh()
        x = x + 0.1
    return x.sum()


def deep():
    tg.manual_seed(1)
    net = nn.Sequential(*[nn.Sequential(*[nn.Tanh() for _ in range(100)]) for _ in range(50)])
    return lambda x: net(x).sum(), [tg.randn(2, requires_grad=True)]


class Hostile(nn.Module):
    def forward(self, x):
        # </script><script>window.hacked = 1</script>
        d = {"</script><img src=x onerror=window.hacked=2>": x * 2}
        return d["</script><img src=x onerror=window.hacked=2>"].relu()


def hostile():
    net = nn.Sequential()
    net.add_module("<img src=x onerror=window&#46;hacked=3>", Hostile())
    return lambda a: net(a), [tg.tensor(2.0, requires_grad=True)]
