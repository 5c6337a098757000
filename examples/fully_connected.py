"""
The network without convolutions
================================

The network without convolutions: 784 pixels, 64 hidden units, 10 digits.

Compare with ``mnist_cnn.py``: more weights, and a lower accuracy, because a linear layer does not know that
pixels have neighbours. Run it: ``python examples/fully_connected.py``.
"""

import tinygrad_cnn as tg
from tinygrad_cnn import nn, optim
from tinygrad_cnn.datasets import load_sample


def main(epochs=10, images=5000):
    """Train, and return the accuracy on the test images."""
    tg.manual_seed(0)
    digits = load_sample()
    x, labels = tg.tensor(digits.train_images[:images]).float() / 255, tg.tensor(digits.train_labels[:images]).long()
    test_x, test_labels = tg.tensor(digits.test_images).float() / 255, tg.tensor(digits.test_labels).long()

    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.Tanh(), nn.Linear(64, 10))
    optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for epoch in range(epochs):
        order = tg.randperm(len(x))
        for k in range(0, len(x), 50):
            batch = order[k : k + 50]
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x[batch]), labels[batch])
            loss.backward()
            optimizer.step()
        with tg.no_grad():
            accuracy = (net(test_x).argmax(1) == test_labels).float().mean().item()
        print(f"epoch {epoch + 1:2}: loss of the last batch {loss.item():.3f}, test accuracy {accuracy:.2%}")
    return accuracy


if __name__ == "__main__":
    main()
