"""
A recurrent network that writes
===============================

A recurrent network learns to write, character by character (Graves 2013): here, docstrings of Python.

What it reads is the documentation of Python's own built-in types, which every machine has. After each character it
says how probable each next one is; drawing from that, it writes.
Run it: ``python examples/char_rnn.py``. Half a minute.
"""

import builtins
import inspect
import math

from rich.progress import track

import tinygrad_cnn as tg
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import nn, optim


def corpus():
    """The docstrings of the built-in types and functions and of their methods, each once."""
    found = {}
    for thing in vars(builtins).values():
        for part in (thing, *(vars(thing).values() if inspect.isclass(thing) else ())):
            text = getattr(part, "__doc__", None)
            if isinstance(text, str) and text.isascii():
                found[text] = None
    return "\n\n".join(found)


class Writer(nn.Module):
    """An embedding of characters, LSTM cells, and a score for each character that may follow."""

    def __init__(self, characters, hidden=192):
        super().__init__()
        self.embedding = nn.Embedding(characters, 32)
        self.lstm = nn.LSTM(32, hidden, batch_first=True)
        self.scores = nn.Linear(hidden, characters)

    def forward(self, indices, state=None):
        """Scores (N, T, characters) of texts (N, T), and the state after them."""
        out, state = self.lstm(self.embedding(indices), state)
        return self.scores(out), state


@tg.no_grad()
def written(net, alphabet, begin, length, temperature=0.7):
    """The text that the network writes after `begin`; a lower temperature keeps nearer to the most probable."""
    text = begin
    scores, state = net(tg.tensor([[alphabet.index(c) for c in begin]]))
    for _ in range(length):
        chances = F.softmax(scores[0, -1] / temperature, dim=0)
        text += alphabet[tg.multinomial(chances, 1).item()]
        scores, state = net(tg.tensor([[alphabet.index(text[-1])]]), state)
    return text


def main(steps=500, length=64, batch=32):
    """Train and write; return the mean loss of the last steps, in nats for each character."""
    tg.manual_seed(0)
    text = corpus()
    alphabet = "".join(sorted(set(text)))
    data = tg.tensor([alphabet.index(c) for c in text])
    guess = math.log(len(alphabet))
    print(f"{len(text)} characters, {len(alphabet)} different ones; to guess costs {guess:.3f} nats for each")

    net = Writer(len(alphabet))
    optimizer = optim.Adam(net.parameters(), lr=1e-2)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-2, total_steps=steps)
    losses = []
    for step in track(range(steps), "training", transient=True):
        starts = tg.randint(0, len(data) - length, (batch,))
        windows = data[starts.unsqueeze(1) + tg.arange(length + 1)]  # (N, T + 1)
        scores, _ = net(windows[:, :-1])
        loss = F.cross_entropy(scores.flatten(0, 1), windows[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if (step + 1) % 100 == 0:
            print(f"step {step + 1}: {sum(losses[-100:]) / 100:.3f} nats for each character")
    print("\n" + written(net, alphabet, "Return", 300))
    return sum(losses[-20:]) / 20


if __name__ == "__main__":
    main()
