"""
A variational autoencoder
=========================

A variational autoencoder draws digits (Kingma & Welling 2014).

An encoder says, for each image, where in a plane its code may lie: a mean and a deviation. A decoder turns codes
back into images. The gradient passes through the random code because it is written as mean + deviation · noise.
Run it: ``python examples/vae.py [FOLDER]``. Half a minute. Writes ``vae.png``: above, digits and what is left of them
after two numbers; below, the plane of codes, decoded (needs Pillow, the `cli` extra).
"""

import sys
from pathlib import Path

from rich.progress import track

import tinygrad_cnn as tg
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import nn, optim
from tinygrad_cnn.datasets import load_sample
from tinygrad_cnn.distributions import Normal, kl_divergence
from tinygrad_cnn.teach import sheet
from tinygrad_cnn.utils.data import DataLoader, TensorDataset


class VAE(nn.Module):
    """784 pixels to a distribution over codes of two numbers, and back."""

    def __init__(self, codes=2):
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 2 * codes))
        self.decoder = nn.Sequential(
            nn.Linear(codes, 256), nn.ReLU(), nn.Linear(256, 784), nn.Unflatten(1, (1, 28, 28))
        )

    def posterior(self, images):
        """The distribution of the code of each image (N, 1, 28, 28)."""
        mean, log_variance = self.encoder(images).chunk(2, dim=1)
        return Normal(mean, (log_variance / 2).exp())

    def loss(self, images):
        """Minus the evidence lower bound per image, in nats: what is lost, and how far codes are from the prior."""
        posterior = self.posterior(images)
        logits = self.decoder(posterior.rsample())
        lost = F.binary_cross_entropy_with_logits(logits, images, reduction="sum")
        distance = kl_divergence(posterior, Normal(tg.zeros_like(posterior.loc), 1.0)).sum()
        return (lost + distance) / len(images)


@tg.no_grad()
def picture(net, images, side=12):
    """A sheet: images over their reconstructions, then codes from a square of the plane, decoded."""
    again = net.decoder(net.posterior(images[:side]).mean).sigmoid()
    steps = tg.linspace(-2, 2, side)
    plane = tg.stack([steps.repeat(side), steps.repeat_interleave(side)], dim=1)
    rows = ["digits", "decoded", *(f"code ·, {y:+.1f}" for y in steps.tolist())]
    title = "What two numbers keep of a digit, and the plane of codes: from left to right -2 to 2"
    shown = tg.cat([images[:side], again, net.decoder(plane).sigmoid()])
    return sheet(shown, rows=rows, columns=side, zoom=1, title=title, value_range=(0, 1))


def main(folder=".", epochs=30, images=5000):
    """Train, write the picture, and return the loss on images that were not seen, in nats."""
    tg.manual_seed(0)
    digits = load_sample()
    train = tg.tensor(digits.train_images[:images]).float().unsqueeze(1) / 255
    test = tg.tensor(digits.test_images).float().unsqueeze(1) / 255

    net = VAE()
    optimizer = optim.Adam(net.parameters(), lr=2e-3)
    target = Path(folder) / "vae.png"
    for epoch in range(epochs):
        loader = DataLoader(TensorDataset(train), batch_size=50, shuffle=True)
        for (batch,) in track(loader, f"epoch {epoch + 1}", transient=True):
            optimizer.zero_grad()
            net.loss(batch).backward()
            optimizer.step()
        with tg.no_grad():
            loss = net.loss(test).item()
        print(f"epoch {epoch + 1:2}: {loss:.1f} nats for each of {len(test)} images that it has not seen")
        picture(net, test).save(target)  # look at it while it learns
    print(f"wrote {target}")
    return loss


if __name__ == "__main__":
    main(*sys.argv[1:2])
