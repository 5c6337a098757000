"""A diamond: y is used twice, so it waits for two cotangents, and their sum goes on to x."""

import tinygrad_cnn as tg

x = tg.tensor(1.0, requires_grad=True)
y = 3 * x
u = y + 1
v = 2 * y
loss = u * v
loss.backward()
