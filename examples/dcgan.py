"""
Two networks that play
======================

Two networks play: one draws digits from noise, the other tells drawn from real ones (Radford et al. 2016).

The generator is made of transposed convolutions, which turn 64 random numbers into an image of 28×28; its gradient
comes through the judge. Run it: ``python examples/dcgan.py [FOLDER]``. A minute and a half. Writes ``dcgan.png``: what
the same noise becomes after each epoch (needs Pillow, the `cli` extra).
"""

import sys
from pathlib import Path

from rich.progress import track

import tinygrad_cnn as tg
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import nn, optim
from tinygrad_cnn.datasets import load_sample
from tinygrad_cnn.teach import sheet
from tinygrad_cnn.utils.data import DataLoader, TensorDataset

NOISE = 64


def generator():
    """(N, 64, 1, 1) to (N, 1, 28, 28), each pixel between -1 and 1."""
    return nn.Sequential(
        nn.ConvTranspose2d(NOISE, 64, 7, bias=False),  # -> 7x7
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.ConvTranspose2d(64, 32, 4, 2, 1, bias=False),  # -> 14x14
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.ConvTranspose2d(32, 1, 4, 2, 1),  # -> 28x28
        nn.Tanh(),
    )


def judge():
    """(N, 1, 28, 28) to (N,): how real it looks, as a logit."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 4, 2, 1),  # -> 14x14
        nn.LeakyReLU(0.2),
        nn.Conv2d(32, 64, 4, 2, 1, bias=False),  # -> 7x7
        nn.BatchNorm2d(64),
        nn.LeakyReLU(0.2),
        nn.Conv2d(64, 1, 7),  # -> 1x1
        nn.Flatten(0),
    )


def begin(module):
    """Weights as in the paper: normal, with deviation 0.02."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)


def main(folder=".", epochs=12, images=5000):
    """Train, write the picture; return the means of the judge's probabilities for real and for drawn images."""
    tg.manual_seed(0)
    real = tg.tensor(load_sample().train_images[:images]).float().unsqueeze(1) / 127.5 - 1
    draws, tells = generator().apply(begin), judge().apply(begin)
    optimizers = [optim.Adam(net.parameters(), lr=1e-3, betas=(0.5, 0.999)) for net in (draws, tells)]
    fixed, rows = tg.randn(10, NOISE, 1, 1), []
    target = Path(folder) / "dcgan.png"
    for epoch in range(epochs):
        loader = DataLoader(TensorDataset(real), batch_size=50, shuffle=True, drop_last=True)
        for (batch,) in track(loader, f"epoch {epoch + 1}", transient=True):
            drawn = draws(tg.randn(len(batch), NOISE, 1, 1))

            optimizers[1].zero_grad()
            of_real, of_drawn = tells(batch), tells(drawn.detach())
            (F.softplus(-of_real).mean() + F.softplus(of_drawn).mean()).backward()  # -ln σ(x), -ln(1 - σ(x))
            optimizers[1].step()

            optimizers[0].zero_grad()
            F.softplus(-tells(drawn)).mean().backward()
            optimizers[0].step()
        chances = of_real.sigmoid().mean().item(), of_drawn.sigmoid().mean().item()
        print(
            f"epoch {epoch + 1:2}: the judge believes real digits by {chances[0]:.0%}, drawn ones by {chances[1]:.0%}"
        )
        with tg.no_grad():
            rows.append(draws(fixed))
        names = [f"epoch {k + 1}" for k in range(len(rows))]
        title = "Digits drawn from the same noise, after each epoch"
        picture = sheet(tg.cat(rows), rows=names, columns=10, zoom=1, title=title, value_range=(-1, 1))
        picture.save(target)  # look at it while it learns
    print(f"wrote {target}: the same noise after each epoch")
    return chances


if __name__ == "__main__":
    main(*sys.argv[1:2])
