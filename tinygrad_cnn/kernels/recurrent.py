"""Recurrent layers over all time steps, forward and back; `definition` says what each function computes.

A step is one product: x, the state and a one lie below each other in z (T, I+H+1, B), so that nothing has to be added
to ``w @ z[t]``, and the new state is written where the next step reads it. The batch lies innermost, so a gate is one
contiguous block: a pass over it takes a quarter of what the slice of a row takes. All gates are one tanh, since
σ(x) = (1 + tanh(x/2)) / 2; the halves go into the weights. Shapes at the doors are (time, batch, features).
"""

from collections.abc import Iterator, Sequence

import numpy as np

from tinygrad_cnn.core.types import NDArray

BLOCK = 1 << 15
"""Elements of the steps whose factors are computed together, on the way back: what a cache holds."""
Sizes = Sequence[int] | None
"""Of packed sequences, how many rows each step has; the others keep their state."""


def columns(x: NDArray) -> NDArray:
    """(…, batch, features) as (…, features, batch), in C order: a copy only if it was not made here."""
    return np.ascontiguousarray(np.swapaxes(x, -1, -2))


def rows(x: NDArray) -> NDArray:
    """(…, features, batch) seen as (…, batch, features)."""
    return np.swapaxes(x, -1, -2)


def lengths(steps: int, batch: int, sizes: Sizes) -> Sequence[int]:
    """The number of rows of each step."""
    return [batch] * steps if sizes is None else sizes


def room(shape: tuple[int, ...], dtype: np.dtype, sizes: Sizes) -> NDArray:
    """Memory for results; zeros if some of it will not be written."""
    return np.empty(shape, dtype) if sizes is None else np.zeros(shape, dtype)


def beside(*parts: NDArray) -> NDArray:
    """Weights and a bias as one matrix, the bias its last column."""
    *weights, bias = parts
    return np.concatenate([*weights, bias[:, None]], 1)


def outputs(states: NDArray, *last: NDArray) -> NDArray:
    """The states of all steps (T, H, B), then those behind the last step, as (T+…, B, H) in C order."""
    steps, hidden, batch = states.shape
    y = np.empty((steps + len(last), batch, hidden), states.dtype)
    y[:steps] = rows(states)
    for k, state in enumerate(last):
        y[steps + k] = state.T
    return y


def longest(steps: int, size: int) -> int:
    """How many steps go together, of `size` elements each, so that their arrays stay in the cache."""
    return min(steps, max(1, BLOCK // max(1, size)))


def blocks(steps: int, size: int) -> Iterator[slice]:
    """Steps in such groups."""
    some = longest(steps, size)
    return (slice(start, min(start + some, steps)) for start in range(0, steps, some))


def flat(x: NDArray, sizes: Sizes) -> NDArray:
    """All rows of all steps (T, B, K) as one matrix (rows, K), which may lie by columns."""
    size = x.shape[2]
    if sizes is not None:
        return x[np.arange(x.shape[1]) < np.asarray(sizes)[:, None]]
    if x.flags.c_contiguous:
        return x.reshape(-1, size)
    return np.ascontiguousarray(x.transpose(2, 0, 1)).reshape(size, -1).T


def rnn(
    x: NDArray, w_ih: NDArray, w_hh: NDArray, b: NDArray, h: NDArray, *, relu: bool, sizes: Sizes, keep: bool
) -> tuple[NDArray, NDArray]:
    """See `definition`. Without `keep` there is no memory for more than two steps in z."""
    (steps, batch, inputs), hidden = x.shape, len(w_hh)
    slots = steps + 1 if keep else 2
    z, w, xs = np.empty((slots, inputs + hidden + 1, batch), x.dtype), beside(w_ih, w_hh, b), rows(x)
    z[:, -1], z[0, inputs:-1] = 1, h.T
    y = np.empty((0 if keep else steps, hidden, batch), x.dtype)
    if keep:
        z[:steps, :inputs] = xs
    for t, n in enumerate(lengths(steps, batch, sizes)):
        now, then = z[t % slots], z[(t + 1) % slots, inputs:-1]
        if not keep:
            now[:inputs] = xs[t]
        new = then[:, :n]
        np.matmul(w, now[:, :n], out=new)
        np.maximum(new, 0, out=new) if relu else np.tanh(new, out=new)
        if n < batch:
            then[:, n:] = now[inputs:-1, n:]
        if not keep:
            y[t] = then
    states = z[1:, inputs:-1] if keep else y
    return outputs(states, states[-1]), rows(z)


def rnn_back(g: NDArray, z: NDArray, w_hh: NDArray, *, relu: bool, sizes: Sizes) -> tuple[NDArray, NDArray]:
    """See `definition`."""
    lying, gs, back, hidden = columns(z), rows(g), w_hh.T, len(w_hh)
    steps, batch = len(lying) - 1, lying.shape[2]
    states, d = lying[1:, -1 - hidden : -1], room((steps, hidden, batch), g.dtype, sizes)
    if not relu:
        for some in blocks(steps, d[0].size):
            np.multiply(states[some], states[some], out=d[some])
            np.subtract(1, d[some], out=d[some])
    dh = np.array(gs[steps], order="C")
    for t, n in reversed(list(enumerate(lengths(steps, batch, sizes)))):
        at, dt = dh[:, :n], d[t, :, :n]
        np.add(at, gs[t, :, :n], out=at)
        if relu:
            np.copyto(dt, np.where(states[t, :, :n] <= 0, 0, at))
        else:
            np.multiply(dt, at, out=dt)
        np.matmul(back, dt, out=at)
    return rows(d), dh.T


def lstm(
    x: NDArray,
    w_ih: NDArray,
    w_hh: NDArray,
    b: NDArray,
    h: NDArray,
    c: NDArray,
    w_hr: NDArray | None = None,
    *,
    sizes: Sizes,
    keep: bool,
) -> tuple[NDArray, NDArray, NDArray, NDArray, NDArray]:
    """See `definition`. The gates and the cell i f o g c lie so that one product of blocks gives i g and f c."""
    (steps, batch, inputs), hidden, size = x.shape, c.shape[1], h.shape[1]
    slots = steps + 1 if keep else 2
    w, xs, half = beside(w_ih, w_hh, b).reshape(4, hidden, -1)[[0, 1, 3, 2]], rows(x), x.dtype.type(0.5)
    w[:3] *= half
    w = w.reshape(4 * hidden, -1)
    z = np.empty((slots, inputs + size + 1, batch), x.dtype)
    gates, tanhs = (room((slots, *shape, batch), x.dtype, sizes) for shape in ((5, hidden), (hidden,)))
    y = z[1:, inputs:-1] if keep else np.empty((steps, size, batch), x.dtype)
    z[:, -1], z[0, inputs:-1], gates[0, 4] = 1, h.T, c.T
    if keep:
        z[:steps, :inputs] = xs
    two = np.empty((2, hidden, batch), x.dtype)
    multiply, add, tanh, matmul = np.multiply, np.add, np.tanh, np.matmul
    for t, n in enumerate(lengths(steps, batch, sizes)):
        at, to = t % slots, (t + 1) % slots
        if not keep:
            z[at, :inputs] = xs[t]
        a, new, tc, pair = gates[at, :, :, :n], gates[to, 4, :, :n], tanhs[at, :, :n], two[..., :n]
        state, ifo = z[to, inputs:-1], a[:3]
        matmul(w, z[at, :, :n], out=gates[at, :4].reshape(-1, batch)[:, :n])
        tanh(a[:4], out=a[:4])
        multiply(ifo, half, out=ifo)
        add(ifo, half, out=ifo)
        multiply(a[:2], a[3:], out=pair)
        add(pair[0], pair[1], out=new)
        tanh(new, out=tc)
        if w_hr is None:
            multiply(a[2], tc, out=state[:, :n])
        else:
            matmul(w_hr, multiply(a[2], tc, out=pair[0]), out=state[:, :n])
        if n < batch:
            gates[to, 4, :, n:], state[:, n:] = gates[at, 4, :, n:], z[at, inputs:-1, n:]
        if not keep:
            y[t] = state
    cell = gates[steps % slots, 4]
    y = outputs(y, y[-1]) if w_hr is not None else outputs(y, y[-1], cell)
    return y, cell.T, rows(z), rows(gates), rows(tanhs)


def lstm_factors(gates: NDArray, tanhs: NDArray, d: NDArray, through: NDArray, spare: NDArray) -> None:
    """What dc and dh are multiplied by to give those of i f g o, and dh to give dc."""
    (i, f, o, g, c), (di, df, dg, do), (p, q) = (x.swapaxes(0, 1) for x in (gates, d, spare.swapaxes(0, 1)))
    multiply, subtract = np.multiply, np.subtract
    multiply(i, i, out=p)
    subtract(i, p, out=p)
    multiply(p, g, out=di)
    multiply(f, f, out=p)
    subtract(f, p, out=p)
    multiply(p, c, out=df)
    multiply(g, g, out=p)
    multiply(p, i, out=p)
    subtract(i, p, out=dg)
    multiply(o, tanhs, out=p)
    multiply(p, o, out=q)
    subtract(p, q, out=do)
    multiply(p, tanhs, out=p)
    subtract(o, p, out=through)


def lstm_back(
    g: NDArray, gc: NDArray, gates: NDArray, tanhs: NDArray, w_hh: NDArray, w_hr: NDArray | None = None, *, sizes: Sizes
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """See `definition`. First what the cotangents of the gates are multiplied by, of some steps at once."""
    a, tanhs, gs, back = columns(gates), columns(tanhs), rows(g), w_hh.T
    (steps, hidden, batch), size = (len(a) - 1, *a.shape[2:]), g.shape[2]
    d = room((steps, 4, hidden, batch), g.dtype, sizes)
    through = np.empty((steps, hidden, batch), g.dtype)
    shown = room((steps if w_hr is not None else 0, size, batch), g.dtype, sizes)
    multiply, add, matmul = np.multiply, np.add, np.matmul
    spare = np.empty((2, longest(steps, hidden * batch), hidden, batch), g.dtype)
    for some in blocks(steps, hidden * batch):
        lstm_factors(a[some], tanhs[some], d[some], through[some], spare[:, : some.stop - some.start])
    dh, dc, wide = np.array(gs[steps], order="C"), np.array(gc.T, order="C"), np.empty((hidden, batch), g.dtype)
    matrices = d.reshape(steps, 4 * hidden, batch)
    for t, n in reversed(list(enumerate(lengths(steps, batch, sizes)))):
        at, cell, dt, two, full = dh[:, :n], dc[:, :n], d[t, :, :, :n], wide[:, :n], dh[:, :n]
        add(at, gs[t, :, :n], out=at)
        if w_hr is not None:
            shown[t, :, :n] = at
            full = matmul(w_hr.T, at)
        multiply(full, through[t, :, :n], out=two)
        add(cell, two, out=cell)
        multiply(dt[:3], cell, out=dt[:3])
        multiply(dt[3], full, out=dt[3])
        multiply(cell, a[t, 1, :, :n], out=cell)
        matmul(back, matrices[t, :, :n], out=at)
    return rows(matrices), dh.T, dc.T, rows(shown)


def gru(
    x: NDArray, w_ih: NDArray, w_hh: NDArray, b_ih: NDArray, b_hh: NDArray, h: NDArray, *, sizes: Sizes, keep: bool
) -> tuple[NDArray, NDArray, NDArray, NDArray, NDArray]:
    """See `definition`. The part of the input is one product for all steps, since r gates that of the state alone."""
    (steps, batch, inputs), hidden, half = x.shape, w_hh.shape[1], x.dtype.type(0.5)
    slots = steps + 1 if keep else 2
    of_x, of_h = beside(w_ih, b_ih), beside(w_hh, b_hh)
    of_x[: 2 * hidden] *= half
    of_h[: 2 * hidden] *= half
    xs = np.empty((inputs + 1, steps, batch), x.dtype)
    xs[:inputs], xs[inputs] = x.transpose(2, 0, 1), 1
    lying = np.matmul(of_x, xs.reshape(inputs + 1, -1)).reshape(3, hidden, steps, batch)
    gates = np.ascontiguousarray(lying.transpose(2, 0, 1, 3))
    del lying
    z, seen = np.empty((slots, hidden + 1, batch), x.dtype), room((slots - 1, hidden, batch), x.dtype, sizes)
    z[:, -1], z[0, :-1] = 1, h.T
    y = z[1:, :-1] if keep else np.empty((steps, hidden, batch), x.dtype)
    spare, wide = np.empty((3, hidden, batch), x.dtype), np.empty((hidden, batch), x.dtype)
    multiply, add, subtract, tanh, matmul = np.multiply, np.add, np.subtract, np.tanh, np.matmul
    for t, n in enumerate(lengths(steps, batch, sizes)):
        at, to = z[t % slots], z[(t + 1) % slots]
        a, s, two, u = gates[t, :, :, :n], spare[..., :n], wide[:, :n], seen[t % len(seen), :, :n]
        matmul(of_h, at[:, :n], out=spare.reshape(-1, batch)[:, :n])
        r_z, r, z_t, new_part, state = a[:2], a[0], a[1], a[2], at[:-1, :n]
        add(r_z, s[:2], out=r_z)
        tanh(r_z, out=r_z)
        multiply(r_z, half, out=r_z)
        add(r_z, half, out=r_z)
        np.copyto(u, s[2])
        multiply(r, u, out=two)
        add(new_part, two, out=new_part)
        tanh(new_part, out=new_part)
        subtract(state, new_part, out=two)
        multiply(two, z_t, out=two)
        add(new_part, two, out=to[:-1, :n])
        if n < batch:
            to[:-1, n:] = at[:-1, n:]
        if not keep:
            y[t] = to[:-1]
    return outputs(y, y[-1]), xs.transpose(1, 2, 0), rows(z), rows(gates), rows(seen)


def gru_factors(gates: NDArray, h: NDArray, u: NDArray, d: NDArray, spare: NDArray) -> None:
    """What dh is multiplied by to give dn and dz, and dn to give dr."""
    (r, z, n), (dn, dr, dz, _), (p, q) = (x.swapaxes(0, 1) for x in (gates, d, spare.swapaxes(0, 1)))
    multiply, subtract = np.multiply, np.subtract
    multiply(z, z, out=p)
    subtract(z, p, out=p)
    subtract(h, n, out=q)
    multiply(p, q, out=dz)
    multiply(n, n, out=p)
    subtract(1, p, out=p)
    subtract(1, z, out=q)
    multiply(p, q, out=dn)
    multiply(r, r, out=p)
    subtract(r, p, out=p)
    multiply(p, u, out=dr)


def gru_back(
    g: NDArray, z: NDArray, gates: NDArray, seen: NDArray, w_hh: NDArray, *, sizes: Sizes
) -> tuple[NDArray, NDArray]:
    """See `definition`."""
    a, states, u, gs, back = columns(gates), columns(z), columns(seen), rows(g), w_hh.T
    steps, _, hidden, batch = a.shape
    d = room((steps, 4, hidden, batch), g.dtype, sizes)
    multiply, add, matmul = np.multiply, np.add, np.matmul
    spare = np.empty((2, longest(steps, hidden * batch), hidden, batch), g.dtype)
    for some in blocks(steps, hidden * batch):
        gru_factors(a[some], states[some, :-1], u[some], d[some], spare[:, : some.stop - some.start])
    dh, wide = np.array(gs[steps], order="C"), np.empty((hidden, batch), g.dtype)
    matrices = d.reshape(steps, 4 * hidden, batch)
    for t, n in reversed(list(enumerate(lengths(steps, batch, sizes)))):
        at, (dn, dr, dz, dm), two = dh[:, :n], d[t, :, :, :n], wide[:, :n]
        add(at, gs[t, :, :n], out=at)
        multiply(dn, at, out=dn)
        multiply(dz, at, out=dz)
        multiply(dr, dn, out=dr)
        multiply(dn, a[t, 0, :, :n], out=dm)
        multiply(at, a[t, 1, :, :n], out=at)
        matmul(back, matrices[t, hidden:, :n], out=two)
        add(at, two, out=at)
    return rows(matrices), dh.T
