"""Recurrent layers over all time steps, forward and back; `definition` says what each function computes.

A step is one product: x, the state and a one lie below each other in z (T, I+H+1, B), so that nothing has to be added
to ``w @ z[t]``, and the new state is written where the next step reads it. The batch lies innermost, so a gate is one
contiguous block: a pass over it takes a quarter of what the slice of a row takes. All gates are one tanh, since
σ(x) = (1 + tanh(x/2)) / 2; the halves go into the weights. Shapes at the doors are (time, batch, features).
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle, islice
from typing import Any

import numpy as np

from tinygrad_cnn.core.types import NDArray

BLOCK = 1 << 15
"""Elements of the steps whose factors are computed together, on the way back: what a cache holds."""
Sizes = Sequence[int] | None
"""Of packed sequences, how many rows each step has; the others keep their state."""
SILENT = np.errstate(invalid="ignore")
"""BLAS may flag a product of finite numbers as invalid (numpy#24067, OpenBLAS#1924); NaN speaks for itself."""


def columns(x: NDArray) -> NDArray:
    """(…, batch, features) as (…, features, batch), in C order: a copy only if it was not made here."""
    return np.ascontiguousarray(np.swapaxes(x, -1, -2))


def rows(x: NDArray) -> NDArray:
    """(…, features, batch) seen as (…, batch, features)."""
    return np.swapaxes(x, -1, -2)


def by_step(
    arrays: Sequence[Any], steps: int, sizes: Sizes, states: Sequence[NDArray] = ()
) -> Iterable[Sequence[NDArray]]:
    """What each step has of the arrays: those rows, which lie last, that it has; the others keep their `states`.

    If the arrays have two slots only, steps take them in turns. To go through an array takes a third of the time of as
    many slices.
    """
    turns = islice(cycle(list(zip(*arrays, strict=True))), steps)
    return turns if sizes is None else _some_rows(turns, sizes, states)


def _some_rows(
    turns: Iterable[Sequence[NDArray]], sizes: Sequence[int], states: Sequence[NDArray]
) -> Iterator[Sequence[NDArray]]:
    for t, (n, now) in enumerate(zip(sizes, turns, strict=True)):
        for state in states:
            state[(t + 1) % len(state)] = state[t % len(state)]
        yield [a[..., :n] for a in now]


def walk_back(arrays: Sequence[Any], sizes: Sizes) -> Iterable[Sequence[NDArray]]:
    """What each step has of the arrays, from the last step to the first."""
    return by_step([list(array)[::-1] for array in arrays], len(arrays[0]), None if sizes is None else sizes[::-1])


def after(slots: NDArray) -> list[NDArray]:
    """Of each step the slot of the next."""
    return [*slots[1:], slots[0]]


def slots_of(x: NDArray, h: NDArray, slots: int) -> NDArray:
    """z with the first state, ones, and, if there is a slot for each step, x."""
    (steps, batch, inputs), size = x.shape, h.shape[1]
    z = np.empty((slots, inputs + size + 1, batch), x.dtype)
    z[:, -1], z[0, inputs:-1], z[-1, :inputs] = 1, h.T, 0
    if slots > steps:
        z[:steps, :inputs] = rows(x)
    return z


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
    lying = x.swapaxes(1, 2)
    if x.flags.c_contiguous or not lying.flags.c_contiguous or not x.shape[1]:
        return x.reshape(-1, size)
    whole = lying.view(f"V{lying.strides[1]}")[
        :, :, 0
    ]  # a run of the batch as one element: half the time, if it is short
    return np.ascontiguousarray(whole.T).view(x.dtype).reshape(size, -1).T


@SILENT
def rnn(
    x: NDArray, w_ih: NDArray, w_hh: NDArray, b: NDArray, h: NDArray, *, relu: bool, sizes: Sizes, keep: bool
) -> tuple[NDArray, NDArray]:
    """See `definition`. Without `keep` there is memory for two steps only, in z, which take it in turns."""
    (steps, batch, inputs), hidden = x.shape, len(w_hh)
    slots, product = steps + 1 if keep else 2, np.dot if sizes is None else np.matmul
    z, w = slots_of(x, h, slots), beside(w_ih, w_hh, b)
    states = z[:, inputs:-1]
    y = states[1:] if keep else np.empty((steps, hidden, batch), x.dtype)
    for t, (now, new) in enumerate(by_step([z, after(states)], steps, sizes, [states])):
        if slots <= steps:
            z[t % slots, :inputs] = x[t].T
        product(w, now, out=new)
        np.maximum(new, 0, out=new) if relu else np.tanh(new, out=new)
        if not keep:
            y[t] = states[(t + 1) % slots]
    return outputs(y, y[-1]), rows(z)


@SILENT
def rnn_back(g: NDArray, z: NDArray, w_hh: NDArray, *, relu: bool, sizes: Sizes) -> tuple[NDArray, NDArray]:
    """See `definition`."""
    lying, gs, back, hidden = columns(z), rows(g), w_hh.T, len(w_hh)
    steps, batch = len(lying) - 1, lying.shape[2]
    states, d = lying[1:, -1 - hidden : -1], room((steps, hidden, batch), g.dtype, sizes)
    if not relu:
        for some in blocks(steps, hidden * batch):
            np.multiply(states[some], states[some], out=d[some])
            np.subtract(1, d[some], out=d[some])
    dh = np.array(gs[steps], order="C")
    for at, g_t, h, d_t in walk_back([[dh] * steps, gs[:steps], states, d], sizes):
        np.add(at, g_t, out=at)
        if relu:
            np.copyto(d_t, np.where(h <= 0, 0, at))
        else:
            np.multiply(d_t, at, out=d_t)
        np.matmul(back, d_t, out=at)
    return rows(d), dh.T


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
    """See `definition`. The gates and the cell i f o g c lie so that one product of blocks gives i g and f c."""
    (steps, batch, inputs), hidden, size = x.shape, c.shape[1], h.shape[1]
    slots, half = steps + 1 if keep else 2, np.full((), 0.5, x.dtype)
    w = beside(w_ih, w_hh, b).reshape(4, hidden, -1)[[0, 1, 3, 2]]
    w[:3] *= half
    z, w = slots_of(x, h, slots), w.reshape(4 * hidden, -1)
    states = z[:, inputs:-1]
    gates, tanhs = (room((slots, *shape, batch), x.dtype, sizes) for shape in ((5, hidden), (hidden,)))
    gates[-1], tanhs[-1] = 0, 0
    gates[0, 4] = c.T
    two, y = np.empty((2, hidden, batch), x.dtype), states[1:] if keep else np.empty((steps, size, batch), x.dtype)
    multiply, add, tanh, product = np.multiply, np.add, np.tanh, np.dot if sizes is None else np.matmul
    arrays = [
        z, gates[:, :4].reshape(slots, 4 * hidden, batch), gates[:, :4], gates[:, :3], gates[:, :2], gates[:, 3:],
        gates[:, 2], after(gates[:, 4]), tanhs, after(states), *([part] * slots for part in (two, *two)),
    ]  # fmt: skip
    turns = by_step(arrays, steps, sizes, [states, gates[:, 4]])
    for t, (now, sums, ifog, ifo, i_f, g_c, o, new, tc, state, pair, first, second) in enumerate(turns):
        if slots <= steps:
            z[t % slots, :inputs] = x[t].T
        product(w, now, out=sums)
        tanh(ifog, out=ifog)
        multiply(ifo, half, out=ifo)
        add(ifo, half, out=ifo)
        multiply(i_f, g_c, out=pair)
        add(first, second, out=new)
        tanh(new, out=tc)
        if w_hr is None:
            multiply(o, tc, out=state)
        else:
            np.matmul(w_hr, multiply(o, tc, out=first), out=state)
        if not keep:
            y[t] = states[(t + 1) % slots]
    cell = gates[steps % slots, 4]
    y = outputs(y, y[-1], cell) if w_hr is None else outputs(y, y[-1])
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


@SILENT
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
    arrays = [
        *([part] * steps for part in (dh, dc, wide)),
        gs[:steps],
        through,
        d[:, :3],
        d[:, 3],
        a[:steps, 1],
        matrices,
    ]
    for t, (at, cell, two, g_t, way, difg, do, f, d_t) in zip(
        reversed(range(steps)), walk_back(arrays, sizes), strict=True
    ):
        add(at, g_t, out=at)
        if w_hr is not None:
            shown[t, :, : at.shape[1]], full = at, matmul(w_hr.T, at)
        else:
            full = at
        multiply(full, way, out=two)
        add(cell, two, out=cell)
        multiply(difg, cell, out=difg)
        multiply(do, full, out=do)
        multiply(cell, f, out=cell)
        matmul(back, d_t, out=at)
    return rows(matrices), dh.T, dc.T, rows(shown)


@SILENT
def gru(
    x: NDArray, w_ih: NDArray, w_hh: NDArray, b_ih: NDArray, b_hh: NDArray, h: NDArray, *, sizes: Sizes, keep: bool
) -> tuple[NDArray, NDArray, NDArray, NDArray, NDArray]:
    """See `definition`. The part of the input is one product for all steps, since r gates that of the state alone."""
    (steps, batch, inputs), hidden, half = x.shape, w_hh.shape[1], np.full((), 0.5, x.dtype)
    slots = steps + 1 if keep else 2
    of_x, of_h = beside(w_ih, b_ih), beside(w_hh, b_hh)
    of_x[: 2 * hidden] *= half
    of_h[: 2 * hidden] *= half
    xs = np.empty((inputs + 1, steps, batch), x.dtype)
    xs[:inputs], xs[inputs] = x.transpose(2, 0, 1), 1
    sums = np.matmul(of_x, xs.reshape(inputs + 1, -1)).reshape(3, hidden, steps, batch)
    gates = np.ascontiguousarray(sums.transpose(2, 0, 1, 3))
    del sums
    z, seen = slots_of(x[:0, :, :0], h, slots), room((slots, hidden, batch), x.dtype, sizes)
    states, spare, two = z[:, :-1], np.empty((3, hidden, batch), x.dtype), np.empty((hidden, batch), x.dtype)
    y = states[1:] if keep else np.empty((steps, hidden, batch), x.dtype)
    multiply, add, subtract, tanh = np.multiply, np.add, np.subtract, np.tanh
    product = np.dot if sizes is None else np.matmul
    arrays = [
        z,
        states,
        after(states),
        seen,
        *([part] * slots for part in (spare.reshape(-1, batch), spare[:2], spare[2], two)),
    ]
    others = by_step([gates[:, :2], *(gates[:, k] for k in range(3))], steps, sizes)
    for t, (now, of_gates) in enumerate(zip(by_step(arrays, steps, sizes, [states]), others, strict=True)):
        (at, state, new, u, of_state, s_rz, s_n, part), (rz, r, update, n) = now, of_gates
        product(of_h, at, out=of_state)
        add(rz, s_rz, out=rz)
        tanh(rz, out=rz)
        multiply(rz, half, out=rz)
        add(rz, half, out=rz)
        np.copyto(u, s_n)
        multiply(r, u, out=part)
        add(n, part, out=n)
        tanh(n, out=n)
        subtract(state, n, out=part)
        multiply(part, update, out=part)
        add(n, part, out=new)
        if not keep:
            y[t] = states[(t + 1) % slots]
    return outputs(y, y[-1]), xs.transpose(1, 2, 0), rows(z), rows(gates), rows(seen[:-1])


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


@SILENT
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
    arrays = [*([part] * steps for part in (dh, wide)), gs[:steps], *(d[:, k] for k in range(4)), a[:, 0], a[:, 1]]
    for (at, two, g_t, dn, dr, dz, dm, r, update), d_t in zip(
        walk_back(arrays, sizes), walk_back([matrices[:, hidden:]], sizes), strict=True
    ):
        add(at, g_t, out=at)
        multiply(dn, at, out=dn)
        multiply(dz, at, out=dz)
        multiply(dr, dn, out=dr)
        multiply(dn, r, out=dm)
        multiply(at, update, out=at)
        matmul(back, d_t[0], out=two)
        add(at, two, out=at)
    return rows(matrices), dh.T
