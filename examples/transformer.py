"""
A transformer that adds
=======================

A small transformer learns to add (Vaswani et al. 2017): "58+067=" is followed by the digits of the sum.

Digits are written lowest first, as one adds by hand. Every place looks at the places before it and nowhere else; the
picture shows where: each digit of the sum at the two digits that it is made of, and at those that carry into them.
Run it: ``python examples/transformer.py [FOLDER]``. About a minute. Writes ``transformer.png`` (needs Matplotlib, the
`plot` extra).
"""

import sys
from pathlib import Path

import numpy as np
from rich.progress import track

import tinygrad_cnn as tg
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import nn, optim

ALPHABET = "0123456789+="
DIGITS = 3
"""Of each number; the sum has one more."""


class Block(nn.Module):
    """Attention to what came before, then two linear layers; each is added to what comes in (pre-norm)."""

    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.body = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x, mask):
        """(N, T, width) in and out, and where each place looked, (N, T, T)."""
        y = self.norm1(x)
        y, weights = self.attention(y, y, y, attn_mask=mask)
        x = x + y
        return x + self.body(self.norm2(x)), weights


class Adder(nn.Module):
    """Characters and places embedded, some blocks, and a score for each character that may follow."""

    def __init__(self, length, width=48, heads=4, blocks=2):
        super().__init__()
        self.characters = nn.Embedding(len(ALPHABET), width)
        self.places = nn.Parameter(tg.randn(length, width) * 0.1)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(blocks))
        self.norm, self.scores = nn.LayerNorm(width), nn.Linear(width, len(ALPHABET))
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(length))

    def forward(self, indices):
        """Scores (N, T, 12) of texts (N, T), and where the places of each block looked."""
        length = indices.size(1)
        x, looked = self.characters(indices) + self.places[:length], []
        for block in self.blocks:
            x, weights = block(x, self.mask[:length, :length])
            looked.append(weights)
        return self.scores(self.norm(x)), looked


def sums(count):
    """Texts (count, 2·DIGITS + 2 + DIGITS + 1) of random sums, as indices into the alphabet."""
    a, b = (tg.randint(0, 10**DIGITS, (count,)) for _ in range(2))
    places = 10 ** tg.arange(DIGITS + 1)
    digits = [number.unsqueeze(1) // places % 10 for number in (a, b, a + b)]
    plus, equals = (tg.full((count, 1), ALPHABET.index(c)) for c in "+=")
    return tg.cat([digits[0][:, :-1], plus, digits[1][:, :-1], equals, digits[2]], dim=1)


@tg.no_grad()
def right(net, texts):
    """The share of sums of which the network writes every digit as it should."""
    given = texts[:, : 2 * DIGITS + 2]
    for _ in range(DIGITS + 1):
        scores, _ = net(given)
        given = tg.cat([given, scores[:, -1:].argmax(-1)], dim=1)
    return (given == texts).all(dim=1).float().mean().item()


@tg.no_grad()
def picture(net, path):
    """Where the digits of sums look, on average over many, in each block."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    names = [
        *(f"a{k}" for k in range(DIGITS)),
        "+",
        *(f"b{k}" for k in range(DIGITS)),
        "=",
        *(f"s{k}" for k in range(DIGITS)),
    ]
    _, looked = net(sums(500)[:, :-1])
    figure, axes = plt.subplots(1, len(looked), figsize=(5 * len(looked), 3.2), layout="constrained")
    for k, (axis, weights) in enumerate(zip(np.atleast_1d(axes), looked, strict=True)):
        axis.imshow(weights.mean(0)[2 * DIGITS + 1 :].numpy(), cmap="magma", vmin=0)
        axis.set_xticks(range(len(names)), names)
        axis.set_yticks(range(DIGITS + 1), [f"next: s{i}" for i in range(DIGITS + 1)])
        axis.set_title(f"block {k + 1}: where it looks")
    figure.savefig(path, dpi=120)
    plt.close(figure)
    print(f"wrote {path}")


def main(folder=".", steps=1200, batch=128):
    """Train, write the picture, and return the share of new sums that are right."""
    tg.manual_seed(0)
    length = 3 * DIGITS + 2  # the last digit is not read any more
    net = Adder(length)
    optimizer = optim.AdamW(net.parameters(), lr=3e-3)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps)
    for step in track(range(steps), "training", transient=True):
        texts = sums(batch)
        scores, _ = net(texts[:, :-1])
        answers = slice(2 * DIGITS + 1, None)  # what stands before "=" is random
        loss = F.cross_entropy(scores[:, answers].flatten(0, 1), texts[:, 1:][:, answers].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if (step + 1) % 200 == 0:
            print(f"step {step + 1:4}: loss {loss.item():.4f}, {right(net, sums(500)):.1%} of new sums are right")
    if folder is not None:
        picture(net, Path(folder) / "transformer.png")
    return right(net, sums(2000))


if __name__ == "__main__":
    main(*sys.argv[1:2])
