"""A chain of three ops: the derivative goes back through it, one factor at a time."""

import tinygrad_cnn as tg

x = tg.tensor([0.5, -1.0, 2.0], requires_grad=True)
y = x * x
z = y.sum()
loss = (z + 1).log()
loss.backward()
