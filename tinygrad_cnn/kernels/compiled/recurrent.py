"""Recurrent layers in float32: the gates of a step are one loop, and of a small batch the whole walk is one.

Compare `kernels.recurrent`. Here the features lie innermost, so that a batch of one is as good a vector as any. The
product of a step is BLAS's, or, where handing over would cost as much, sums of runs (`direct.set_runs`): the rows of
the weights are the runs, and what they are multiplied by is a row of the batch.
"""

from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.kernels import numpy_set
from tinygrad_cnn.kernels.compiled.direct import set_runs
from tinygrad_cnn.kernels.compiled.jit import inlined, sums
from tinygrad_cnn.kernels.compiled.layout import transposed
from tinygrad_cnn.kernels.compiled.panel import copy_run
from tinygrad_cnn.kernels.recurrent import SILENT, Sizes, beside, room

FITTING = 1 << 20
"""Bytes of weights that stay in the cache from step to step: the whole walk is compiled then, and BLAS not asked. For
64 rows and 128 features it takes 5.1 ms for 6.2 and 4.2 for 4.6 back, with AVX2 5.9 for 7.8 and 4.2 for 5.6; of larger
weights BLAS's way through memory is better, 22 ms for 47 (512 features, AVX2)."""
MOST = 64
"""Rows up to which that was measured."""
F = np.float32
HALF, ONE, END = F(0.5), F(1), F(8.7)
P = tuple(map(F, (0.9999999576430634, 0.12937816736820805, 0.002940796577633078, 9.45159025199648e-06,
                  -1.333859099104715e-08, 1.9702047893409907e-11)))  # fmt: skip
Q = tuple(map(F, (0.4627111336437918, 0.023845038840237035, 0.00023087798332454597)))
P0, P1, P2, P3, P4, P5 = P
Q1, Q2, Q3 = Q


@inlined
def tanh(x: Any) -> Any:
    """x P(x²) / Q(x²), whose relative error is 3e-7, and ±1 from 8.7 on: vectors, where libm takes single numbers."""
    v = END if x > END else x
    v = -END if v < -END else v
    u = v * v
    y = v * (((((P5 * u + P4) * u + P3) * u + P2) * u + P1) * u + P0) / (((Q3 * u + Q2) * u + Q1) * u + ONE)
    y = ONE if y > ONE else y
    return -ONE if y < -ONE else y


def counts_of(steps: int, batch: int, sizes: Sizes) -> NDArray:
    """The number of rows of each step."""
    return np.full(steps, batch) if sizes is None else np.array(sizes)


def as_one(w: NDArray, batch: int) -> bool:
    """Whether the whole walk is one compiled loop."""
    return w.nbytes <= FITTING and batch <= MOST


def plain(x: NDArray) -> NDArray:
    """In C order."""
    return np.ascontiguousarray(x)


def slots_of(x: NDArray, h: NDArray, slots: int) -> NDArray:
    """z with the first state, ones, and, if there is a slot for each step, x."""
    (steps, batch, inputs), size = x.shape, h.shape[1]
    z = np.empty((slots, batch, inputs + size + 1), F)
    z[:, :, -1], z[0, :, inputs:-1], z[-1, :, :inputs] = 1, h, 0
    if slots > steps:
        z[:steps, :, :inputs] = x
    return z


# ---- the simple recurrence -------------------------------------------------------------------------------------------


@SILENT
def rnn(
    x: NDArray, w_ih: NDArray, w_hh: NDArray, b: NDArray, h: NDArray, *, relu: bool, sizes: Sizes, keep: bool
) -> tuple[NDArray, NDArray]:
    """See `definition`."""
    if x.dtype != F:
        return numpy_set.rnn(x, w_ih, w_hh, b, h, relu=relu, sizes=sizes, keep=keep)
    (steps, batch, inputs), hidden = x.shape, len(w_hh)
    slots = steps + 1 if keep else 2
    z, w, y = slots_of(x, h, slots), transposed(beside(w_ih, w_hh, b)), np.empty((steps + 1, batch, hidden), F)
    x, counts = plain(x), counts_of(steps, batch, sizes)
    if as_one(w, batch):
        _rnn_walk(x, z, w, y, counts, relu)
    else:
        for t, n in enumerate(counts):
            at, to = t % slots, (t + 1) % slots
            if slots <= steps:
                z[at, :, :inputs] = x[t]
            np.matmul(z[at, :n], w, out=z[to, :n, inputs:-1])
            _rnn_states(z[at], z[to], y[t], n, relu)
    y[steps] = z[steps % slots, :, inputs:-1]
    return y, z


@sums
def _rnn_walk(x: NDArray, z: NDArray, w: NDArray, y: NDArray, counts: NDArray, relu: bool) -> None:
    slots, hidden, inputs = len(z), y.shape[2], x.shape[2]
    flat, taps, none = w.reshape(-1), np.arange(len(w)) * hidden, np.zeros(x.shape[1], x.dtype)
    runs = np.array([[0, inputs, hidden]])
    for t in range(len(counts)):
        at, n = t % slots, counts[t]
        if slots <= len(counts):
            z[at, :, :inputs] = x[t]
        set_runs(flat, taps, z[at, :n], none, z[(t + 1) % slots, :n], runs)
        _rnn_states(z[at], z[(t + 1) % slots], y[t], n, relu)


@sums
def _rnn_states(z: NDArray, z_next: NDArray, y: NDArray, n: int, relu: bool) -> None:
    """tanh or relu of the sums in z_next, there and in y; the rows from n on keep the state."""
    batch, hidden = y.shape
    inputs = z.shape[1] - hidden - 1
    for b in range(batch):
        to, out = z_next[b, inputs:], y[b]
        if b >= n:
            to[:hidden] = z[b, inputs : inputs + hidden]
        elif relu:
            for k in range(hidden):
                to[k] = to[k] if (to[k] > 0) | (to[k] != to[k]) else 0
        else:
            for k in range(hidden):
                to[k] = tanh(to[k])
        out[:] = to[:hidden]


@SILENT
def rnn_back(g: NDArray, z: NDArray, w_hh: NDArray, *, relu: bool, sizes: Sizes) -> tuple[NDArray, NDArray]:
    """See `definition`."""
    if g.dtype != F:
        return numpy_set.rnn_back(g, z, w_hh, relu=relu, sizes=sizes)
    steps, batch, hidden = len(g) - 1, *g.shape[1:]
    g, z, w, d, dh = (
        plain(g),
        plain(z),
        plain(w_hh),
        room((steps, batch, hidden), g.dtype, sizes),
        np.array(g[steps], order="C"),
    )
    counts = counts_of(steps, batch, sizes)
    if as_one(w, batch):
        _rnn_walk_back(g, z, w, d, dh, counts, relu)
    else:
        for t in reversed(range(steps)):
            n = counts[t]
            _rnn_factors(g[t], z[t + 1], d[t], dh, n, relu)
            np.matmul(d[t, :n], w, out=dh[:n])
    return d, dh


@sums
def _rnn_walk_back(g: NDArray, z: NDArray, w: NDArray, d: NDArray, dh: NDArray, counts: NDArray, relu: bool) -> None:
    hidden = dh.shape[1]
    flat, taps, none, runs = (
        w.reshape(-1),
        np.arange(len(w)) * hidden,
        np.zeros(len(dh), g.dtype),
        np.array([[0, 0, hidden]]),
    )
    for t in range(len(counts) - 1, -1, -1):
        n = counts[t]
        _rnn_factors(g[t], z[t + 1], d[t], dh, n, relu)
        set_runs(flat, taps, d[t, :n], none, dh[:n], runs)


@sums
def _rnn_factors(g: NDArray, z: NDArray, d: NDArray, dh: NDArray, n: int, relu: bool) -> None:
    hidden = d.shape[1]
    inputs = z.shape[1] - hidden - 1
    for b in range(n):
        state, to, g_b, dh_b = z[b, inputs:], d[b], g[b], dh[b]
        if relu:
            for k in range(hidden):
                total = g_b[k] + dh_b[k]
                to[k] = 0 if state[k] <= 0 else total
        else:
            for k in range(hidden):
                h = state[k]
                to[k] = (g_b[k] + dh_b[k]) * (ONE - h * h)


# ---- LSTM ------------------------------------------------------------------------------------------------------------


@SILENT
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
    """See `definition`. Each gate of a step is one run, of all rows."""
    if x.dtype != F or w_hr is not None:
        return numpy_set.lstm(x, w_ih, w_hh, b, h, c, w_hr, sizes=sizes, keep=keep)
    (steps, batch, inputs), hidden = x.shape, c.shape[1]
    slots = steps + 1 if keep else 2
    w = beside(w_ih, w_hh, b).reshape(4, hidden, -1)[[0, 1, 3, 2]]
    w[:3] *= HALF
    z, w = slots_of(x, h, slots), transposed(w.reshape(4 * hidden, -1))
    gates, tanhs = (room((slots, *lead, batch, hidden), x.dtype, sizes) for lead in ((5,), ()))
    y, by_gate = np.empty((steps + 2, batch, hidden), F), w.reshape(-1, 4, hidden).swapaxes(0, 1)
    gates[-1], tanhs[-1] = 0, 0
    gates[0, 4] = c
    x, counts = plain(x), counts_of(steps, batch, sizes)
    if as_one(w, batch):
        _lstm_walk(x, z, w, gates, tanhs, y, counts)
    else:
        for t, n in enumerate(counts):
            at, to = t % slots, (t + 1) % slots
            if slots <= steps:
                z[at, :, :inputs] = x[t]
            np.matmul(z[at, :n], by_gate, out=gates[at, :4, :n])
            _lstm_gates(z[at], z[to], gates[at], gates[to], tanhs[at], y[t], n)
    cell = gates[steps % slots, 4]
    y[steps], y[steps + 1] = z[steps % slots, :, inputs:-1], cell
    return y, cell, z, gates, tanhs


@sums
def _lstm_walk(x: NDArray, z: NDArray, w: NDArray, gates: NDArray, tanhs: NDArray, y: NDArray, counts: NDArray) -> None:
    slots, wide, inputs, hidden = len(z), w.shape[1], x.shape[2], y.shape[2]
    flat, taps, none = w.reshape(-1), np.arange(len(w)) * wide, np.zeros(x.shape[1], x.dtype)
    runs = np.zeros((4, 1, 3), np.int64)
    runs[:, 0, 0], runs[:, 0, 2] = hidden * np.arange(4), hidden
    for t in range(len(counts)):
        at, to, n = t % slots, (t + 1) % slots, counts[t]
        if slots <= len(counts):
            z[at, :, :inputs] = x[t]
        for gate in range(4):
            set_runs(flat, taps, z[at, :n], none, gates[at, gate, :n], runs[gate])
        _lstm_gates(z[at], z[to], gates[at], gates[to], tanhs[at], y[t], n)


@sums
def _lstm_gates(
    z: NDArray, z_next: NDArray, gates: NDArray, gates_next: NDArray, tanhs: NDArray, y: NDArray, n: int
) -> None:
    """The gates i f o g from their sums, where these stand, and the next c and h; the rows from n on keep theirs."""
    batch, hidden = y.shape
    width, size, whole = z.shape[1], n * hidden, batch * hidden
    inputs, a, next_slot = width - hidden - 1, gates.reshape(-1), gates_next.reshape(-1)
    i, f, o, g, c = a[:size], a[whole:], a[2 * whole :], a[3 * whole :], a[4 * whole :]
    new, th, out = next_slot[4 * whole :], tanhs.reshape(-1), y.reshape(-1)
    for gate in range(4):
        some = a[gate * whole : gate * whole + size]
        for k in range(size):
            some[k] = tanh(some[k])
    for k in range(size):
        u, v, w = HALF * i[k] + HALF, HALF * f[k] + HALF, HALF * o[k] + HALF
        i[k], f[k], o[k] = u, v, w
        s = v * c[k] + u * g[k]
        new[k] = s
        s = tanh(s)
        th[k], out[k] = s, w * s
    flat, flat_next = z.reshape(-1), z_next.reshape(-1)
    for b in range(n, batch):
        copy_run(c, b * hidden, new, b * hidden, hidden)
        copy_run(flat, b * width + inputs, out, b * hidden, hidden)
    for b in range(batch):
        copy_run(out, b * hidden, flat_next, b * width + inputs, hidden)


@SILENT
def lstm_back(
    g: NDArray, gc: NDArray, gates: NDArray, tanhs: NDArray, w_hh: NDArray, w_hr: NDArray | None = None, *, sizes: Sizes
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """See `definition`."""
    if g.dtype != F or w_hr is not None:
        return numpy_set.lstm_back(g, gc, gates, tanhs, w_hh, w_hr, sizes=sizes)
    steps, batch, hidden = len(g) - 1, *g.shape[1:]
    a, tanhs, w, g, spare = plain(gates), plain(tanhs), plain(w_hh), plain(g), np.empty((4, batch, hidden), F)
    d = room((steps, batch, 4 * hidden), g.dtype, sizes)
    dh, dc, counts = np.array(g[steps], order="C"), np.array(gc, order="C"), counts_of(steps, batch, sizes)
    if as_one(w, batch):
        _lstm_walk_back(g, a, tanhs, w, d, dh, dc, spare, counts)
    else:
        for t in reversed(range(steps)):
            n = counts[t]
            _lstm_factors(g[t], a[t], tanhs[t], d[t], dh, dc, spare, n)
            np.matmul(d[t, :n], w, out=dh[:n])
    return d, dh, dc, g[:0]


@sums
def _lstm_walk_back(
    g: NDArray,
    gates: NDArray,
    tanhs: NDArray,
    w: NDArray,
    d: NDArray,
    dh: NDArray,
    dc: NDArray,
    spare: NDArray,
    counts: NDArray,
) -> None:
    hidden = dh.shape[1]
    flat, taps, none = w.reshape(-1), np.arange(len(w)) * hidden, np.zeros(len(dh), g.dtype)
    runs = np.array([[0, 0, hidden]])
    for t in range(len(counts) - 1, -1, -1):
        n = counts[t]
        _lstm_factors(g[t], gates[t], tanhs[t], d[t], dh, dc, spare, n)
        set_runs(flat, taps, d[t, :n], none, dh[:n], runs)


@sums
def _lstm_factors(
    g: NDArray, gates: NDArray, tanhs: NDArray, d: NDArray, dh: NDArray, dc: NDArray, spare: NDArray, n: int
) -> None:
    """The cotangents of the sums, i f g o, gate by gate in `spare` and then in rows, and that of the c before."""
    batch, hidden = dh.shape
    size, whole, a, to = n * hidden, batch * hidden, gates.reshape(-1), spare.reshape(-1)
    i, f, o, new, c = a[:size], a[whole:], a[2 * whole :], a[3 * whole :], a[4 * whole :]
    di, df, dg, do = to[:size], to[whole:], to[2 * whole :], to[3 * whole :]
    th, from_above, of_h, of_c = tanhs.reshape(-1), g.reshape(-1), dh.reshape(-1), dc.reshape(-1)
    for k in range(size):
        u, t, p, q, r, s = of_h[k] + from_above[k], th[k], i[k], f[k], o[k], new[k]
        v = of_c[k] + u * r * (ONE - t * t)
        di[k] = v * s * p * (ONE - p)
        df[k] = v * c[k] * q * (ONE - q)
        dg[k] = v * p * (ONE - s * s)
        do[k] = u * t * r * (ONE - r)
        of_c[k] = v * q
    rows = d.reshape(-1)
    for b in range(n):
        for gate in range(4):
            copy_run(to, gate * whole + b * hidden, rows, (4 * b + gate) * hidden, hidden)


# ---- GRU -------------------------------------------------------------------------------------------------------------


@SILENT
def gru(
    x: NDArray, w_ih: NDArray, w_hh: NDArray, b_ih: NDArray, b_hh: NDArray, h: NDArray, *, sizes: Sizes, keep: bool
) -> tuple[NDArray, NDArray, NDArray, NDArray, NDArray]:
    """See `definition`."""
    if x.dtype != F:
        return numpy_set.gru(x, w_ih, w_hh, b_ih, b_hh, h, sizes=sizes, keep=keep)
    (steps, batch, inputs), hidden = x.shape, w_hh.shape[1]
    slots = steps + 1 if keep else 2
    of_x, of_h = beside(w_ih, b_ih), beside(w_hh, b_hh)
    of_x[: 2 * hidden] *= HALF
    of_h[: 2 * hidden] *= HALF
    xs = np.empty((steps, batch, inputs + 1), F)
    xs[:, :, :inputs], xs[:, :, inputs] = x, 1
    gates = numpy_set.matmul(xs.reshape(-1, inputs + 1), of_x.T).reshape(steps, batch, 3 * hidden)
    z, w = slots_of(x[:0, :, :0], h, slots), transposed(of_h)
    seen, spare, y = (
        room((slots, batch, hidden), x.dtype, sizes),
        np.empty((batch, 3 * hidden), F),
        np.empty((steps + 1, batch, hidden), F),
    )
    counts = counts_of(steps, batch, sizes)
    if as_one(w, batch):
        _gru_walk(z, w, gates, seen, spare, y, counts)
    else:
        for t, n in enumerate(counts):
            at, to = t % slots, (t + 1) % slots
            np.matmul(z[at, :n], w, out=spare[:n])
            _gru_gates(z[at], z[to], gates[t], spare, seen[at], y[t], n)
    y[steps] = z[steps % slots, :, :-1]
    return y, xs, z, gates.reshape(steps, batch, 3, hidden).swapaxes(1, 2), seen[:-1]


@sums
def _gru_walk(
    z: NDArray, w: NDArray, gates: NDArray, seen: NDArray, spare: NDArray, y: NDArray, counts: NDArray
) -> None:
    slots, wide = len(z), w.shape[1]
    flat, taps, none, runs = (
        w.reshape(-1),
        np.arange(len(w)) * wide,
        np.zeros(len(spare), w.dtype),
        np.array([[0, 0, wide]]),
    )
    for t in range(len(counts)):
        at, to, n = t % slots, (t + 1) % slots, counts[t]
        set_runs(flat, taps, z[at, :n], none, spare[:n], runs)
        _gru_gates(z[at], z[to], gates[t], spare, seen[at], y[t], n)


@sums
def _gru_gates(
    z: NDArray, z_next: NDArray, gates: NDArray, of_state: NDArray, seen: NDArray, y: NDArray, n: int
) -> None:
    """The gates r z n where the input's part of their sums stands, u, and the next h; rows from n on keep theirs."""
    batch, hidden = y.shape
    for b in range(batch):
        a, s, u_b, h, new, out = gates[b], of_state[b], seen[b], z[b], z_next[b], y[b]
        if b >= n:
            new[:hidden] = h[:hidden]
        else:
            for k in range(2 * hidden):
                a[k] = HALF * tanh(a[k] + s[k]) + HALF
            for k in range(hidden):
                u = s[2 * hidden + k]
                v = tanh(a[2 * hidden + k] + a[k] * u)
                u_b[k], a[2 * hidden + k] = u, v
                new[k] = v + a[hidden + k] * (h[k] - v)
        out[:] = new[:hidden]


@SILENT
def gru_back(
    g: NDArray, z: NDArray, gates: NDArray, seen: NDArray, w_hh: NDArray, *, sizes: Sizes
) -> tuple[NDArray, NDArray]:
    """See `definition`."""
    if g.dtype != F:
        return numpy_set.gru_back(g, z, gates, seen, w_hh, sizes=sizes)
    steps, batch, hidden = len(g) - 1, *g.shape[1:]
    a, z, seen, w, g = (
        plain(gates.swapaxes(1, 2)).reshape(-1, batch, 3 * hidden),
        plain(z),
        plain(seen),
        plain(w_hh),
        plain(g),
    )
    d, dh, spare = (
        room((steps, batch, 4 * hidden), g.dtype, sizes),
        np.array(g[steps], order="C"),
        np.empty((batch, 3 * hidden), F),
    )
    back, counts = np.empty((batch, hidden), F), counts_of(steps, batch, sizes)
    if as_one(w, batch):
        _gru_walk_back(g, z, a, seen, w, d, dh, spare, back, counts)
    else:
        back[:] = 0
        for t in reversed(range(steps)):
            n = counts[t]
            _gru_factors(g[t], z[t], a[t], seen[t], d[t], dh, spare, n)
            np.matmul(spare[:n], w, out=back[:n])
            np.add(dh[:n], back[:n], out=dh[:n])
    return d, dh


@sums
def _gru_walk_back(
    g: NDArray,
    z: NDArray,
    gates: NDArray,
    seen: NDArray,
    w: NDArray,
    d: NDArray,
    dh: NDArray,
    spare: NDArray,
    back: NDArray,
    counts: NDArray,
) -> None:
    hidden = dh.shape[1]
    flat, taps, none, runs = (
        w.reshape(-1),
        np.arange(len(w)) * hidden,
        np.zeros(len(dh), g.dtype),
        np.array([[0, 0, hidden]]),
    )
    for t in range(len(counts) - 1, -1, -1):
        n = counts[t]
        _gru_factors(g[t], z[t], gates[t], seen[t], d[t], dh, spare, n)
        set_runs(flat, taps, spare[:n], none, back[:n], runs)
        for b in range(n):
            dh_b, more = dh[b], back[b]
            for k in range(hidden):
                dh_b[k] += more[k]


@sums
def _gru_factors(
    g: NDArray, z: NDArray, gates: NDArray, seen: NDArray, d: NDArray, dh: NDArray, spare: NDArray, n: int
) -> None:
    """The cotangents of n, r, z of the input's part, and of u; r, z, u once more in `spare`; that of h, in part."""
    hidden = dh.shape[1]
    for b in range(n):
        a, to, da, u, h, g_b, dh_b = gates[b], d[b], spare[b], seen[b], z[b], g[b], dh[b]
        for k in range(hidden):
            r, update, new = a[k], a[hidden + k], a[2 * hidden + k]
            total = dh_b[k] + g_b[k]
            dn = total * (ONE - update) * (ONE - new * new)
            to[k] = dn
            to[hidden + k] = dn * u[k] * r * (ONE - r)
            to[2 * hidden + k] = total * (h[k] - new) * update * (ONE - update)
            to[3 * hidden + k] = dn * r
            dh_b[k] = total * update
        da[:] = to[hidden:]
