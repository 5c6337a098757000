"""
LSTM: gates that write, keep and read
=====================================

An `nn.LSTM` has a cell c, and three gates between 0 (closed) and 1 (open). The input gate i writes into the cell, the
forget gate f keeps what is there, the output gate o shows it:

``c = f · c_before + i · g`` with ``g = tanh(…)``, and ``h = o · tanh(c)``.

Run it: ``python examples/layers/lstm.py FOLDER`` writes the picture into FOLDER.
"""

# %%
# One unit, with weights set by hand so that it is a memory. It reads two numbers at each step: a value, and a signal.
# If the signal is 1, it writes the value. If the signal is 0, it keeps what it has.

from drawing import BLUE, GREEN, GREY, ORANGE, picture

import tinygrad_cnn as tg
from tinygrad_cnn import nn

layer = nn.LSTM(input_size=2, hidden_size=1)
weights = {  # rows: i, f, g, o; columns: value, signal
    "weight_ih_l0": [[0.0, 20.0], [0.0, -20.0], [1.0, 0.0], [0.0, 0.0]],
    "weight_hh_l0": [[0.0]] * 4,
    "bias_ih_l0": [-10.0, 10.0, 0.0, 10.0],  # without a signal: do not write, keep, …, always show
    "bias_hh_l0": [0.0] * 4,
}
layer.load_state_dict({name: tg.tensor(numbers) for name, numbers in weights.items()})

tg.manual_seed(1)
value, signal = tg.randn(30), tg.zeros(30)
written = [3, 12, 22]
signal[written] = 1.0

states, gates = [], []
state = (tg.zeros(1, 1), tg.zeros(1, 1))
with tg.no_grad():
    for x in tg.stack([value, signal], dim=1):
        before = state[1]
        _, state = layer(x[None], state)  # one step: (h, c)
        i, f, g, o = layer.weight_ih_l0 @ x + layer.bias_ih_l0
        i, f, g, o = tg.sigmoid(i), tg.sigmoid(f), tg.tanh(g), tg.sigmoid(o)
        assert abs(f * before + i * g - state[1]) < 1e-6  # the formula above is what the layer does
        assert abs(o * tg.tanh(state[1]) - state[0]) < 1e-6
        states.append(state[1].item())
        gates.append((i.item(), f.item()))

# %%
# After each signal the cell is tanh of the value that was written. It stays there until the next signal, to
# within 0.002.

for begin, end in zip(written, [*written[1:], 30], strict=True):
    wanted = tg.tanh(value[begin]).item()
    print(f"written at step {begin:2}: {wanted:6.3f}; in the cell at step {end - 1:2}: {states[end - 1]:6.3f}")
    assert max(abs(c - wanted) for c in states[begin:end]) < 2e-3
assert max(abs(c) for c in states[: written[0]]) < 2e-3  # nothing yet


def draw(figure):
    above, below = figure.subplots(2, 1, sharex=True)
    steps = range(30)
    above.plot(steps, value.tanh().numpy(), "o", color=GREY, ms=5, label="tanh(value)")
    above.step(steps, states, where="post", color=BLUE, label="cell c")
    above.set(ylabel="value", ylim=(-1.1, 1.1))
    below.step(steps, [i for i, _ in gates], where="mid", color=ORANGE, label="input gate i")
    below.step(steps, [f for _, f in gates], "--", where="mid", color=GREEN, label="forget gate f")
    below.set(ylabel="how open", xlabel="step", ylim=(-0.05, 1.05))
    for axes in (above, below):
        for step in written:
            axes.axvline(step, color="0.6", ls=":", lw=1.2, zorder=0)
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))


picture("lstm.png", draw, (8, 4.4))

# %%
# **What to look at.** Above: the value changes at every step, and the cell takes it only at the three signals (dotted
# lines). Below: at a signal the input gate opens and the forget gate closes, so the old value goes and the new one
# comes. Between signals the forget gate is 1. A gradient passes back there almost without loss: ten steps cost less
# than a thousandth.

assert min(f for t, (_, f) in enumerate(gates) if t not in written) ** 10 > 0.999
