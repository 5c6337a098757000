"""Every kernel as its definition: after ``set_kernels("definition")`` this page is what computes.

Read it to see what a kernel does. Nothing here is done for speed; the two fast sets must give the same numbers, and
their tests compare them with this page. In the formulas n is an image, c a channel of the input, o a channel of the
output, (p, q) a place in the output, (i, j) a tap, which is a place in the window; s is the stride, d the dilation.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tinygrad_cnn.core.types import NDArray, Pads, Pair, Shape
from tinygrad_cnn.kernels.pool import border, pooled_size
from tinygrad_cnn.kernels.recurrent import Sizes
from tinygrad_cnn.kernels.special import ndtr

name = "definition"


def windows(x: NDArray, kernel: Shape, stride: Pair, dilation: Pair) -> NDArray:
    """W[n,c,p,q,i,j] = x[n, c, p·s + i·d, q·s + j·d]; nothing is copied: what is written to W is written to x."""
    span = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    at_every_place = sliding_window_view(x, span, axis=(2, 3), writeable=True)
    return at_every_place[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]


def padded(x: NDArray, pads: Pads, value: float = 0) -> NDArray:
    """The planes of x (N,C,H,W) with a border of `value`."""
    return np.pad(x, ((0, 0), (0, 0), *pads), constant_values=value)


def cropped(x: NDArray, pads: Pads) -> NDArray:
    """The planes of x (N,C,H,W) without that border."""
    (top, bottom), (left, right) = pads
    return x[:, :, top : x.shape[2] - bottom, left : x.shape[3] - right]


def grouped(x: NDArray, axis: int, groups: int) -> NDArray:
    """x with its axis of channels as two: the groups, and the channels of each."""
    return x.reshape(*x.shape[:axis], groups, x.shape[axis] // groups, *x.shape[axis + 1 :])


def conv2d(
    x: NDArray, w: NDArray, b: NDArray | None = None, *, stride: Pair, padding: Pads, dilation: Pair, groups: int
) -> NDArray:
    """y[n,o,p,q] = b[o] + Σ_cij x[n, c, p·s + i·d, q·s + j·d] w[o,c,i,j], for each group k of channels; x is padded."""
    seen = windows(padded(x, padding), w.shape[2:], stride, dilation)
    y: NDArray = np.einsum("nkcpqij,kocij->nkopq", grouped(seen, 1, groups), grouped(w, 0, groups))
    y = y.reshape(len(x), len(w), *y.shape[3:])
    return y if b is None else y + b.astype(y.dtype)[:, None, None]


def conv2d_input(
    g: NDArray, w: NDArray, *, input_size: Pair, stride: Pair, padding: Pads, dilation: Pair, groups: int
) -> NDArray:
    """dx[n, c, p·s + i·d, q·s + j·d] += Σ_o g[n,o,p,q] w[o,c,i,j], over all places and taps: each y to what it saw."""
    dx = padded(np.zeros((len(g), groups * w.shape[1], *input_size), np.result_type(g, w)), padding)
    seen = windows(dx, w.shape[2:], stride, dilation)
    terms = np.einsum("nkopq,kocij->nkcpqij", grouped(g, 1, groups), grouped(w, 0, groups)).reshape(seen.shape)
    for i, j in np.ndindex(w.shape[2:]):  # windows overlap; under one tap, all their elements are different ones
        seen[..., i, j] += terms[..., i, j]
    return cropped(dx, padding)


def conv2d_weight(
    x: NDArray, g: NDArray, *, kernel_size: Pair, stride: Pair, padding: Pads, dilation: Pair, groups: int
) -> NDArray:
    """dw[o,c,i,j] = Σ_npq g[n,o,p,q] x[n, c, p·s + i·d, q·s + j·d], for each group k of channels; x is padded."""
    seen = windows(padded(x, padding), kernel_size, stride, dilation)
    dw: NDArray = np.einsum("nkopq,nkcpqij->kocij", grouped(g, 1, groups), grouped(seen, 1, groups))
    return dw.reshape(g.shape[1], x.shape[1] // groups, *kernel_size)


def max_pool2d(
    x: NDArray, *, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil_mode: bool
) -> tuple[NDArray, NDArray]:
    """y[n,c,p,q] = max_ij x[n, c, p·s + i·d, q·s + j·d], and the number i·KW + j of the tap that it came from.

    The first of equal maxima wins. A NaN wins over all numbers, the last one over other NaNs. Padding never wins.
    """
    size, taps = (x.shape[2], x.shape[3]), math.prod(kernel_size)
    out = pooled_size(size, kernel_size, stride, padding, dilation, ceil_mode)
    pads = border(size, out, kernel_size, stride, padding, dilation)  # so wide that the last window is whole
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    seen, inside = (
        windows(plane, kernel_size, stride, dilation).reshape(*x.shape[:2], *out, taps)
        for plane in (padded(x, pads, lowest), padded(np.ones(x.shape, bool), pads, False))
    )
    first_maximum = np.argmax(inside & (seen == np.max(seen, axis=-1, keepdims=True)), axis=-1)
    last_nan = taps - 1 - np.argmax(np.isnan(seen)[..., ::-1], axis=-1)
    winner = np.where(np.isnan(seen).any(axis=-1), last_nan, first_maximum)
    y = np.take_along_axis(seen, winner[..., None], axis=-1)[..., 0]
    return y, winner.astype(np.min_scalar_type(taps - 1))


def window_put(
    g: NDArray, winner: NDArray, *, input_size: Pair, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair
) -> NDArray:
    """dx[n, c, p·s + i·d, q·s + j·d] += g[n,c,p,q], for the tap with i·KW + j = winner[n,c,p,q]."""
    pads = border(input_size, (g.shape[2], g.shape[3]), kernel_size, stride, padding, dilation)
    dx = padded(np.zeros((*g.shape[:2], *input_size), g.dtype), pads)
    seen = windows(dx, kernel_size, stride, dilation)
    for tap, (i, j) in enumerate(np.ndindex(kernel_size)):
        seen[..., i, j] += np.where(winner == tap, g, 0)
    return cropped(dx, pads)


def relu(x: NDArray) -> NDArray:
    """y = max(x, 0)"""
    return np.maximum(x, 0)


def gate(x: NDArray, of: NDArray) -> NDArray:
    """y = 0 where `of` is at most 0, else x"""
    return np.where(of <= 0, 0, x)


def normalize(
    x: NDArray, w: NDArray, b: NDArray, *, axes: tuple[int, ...], along: tuple[int, ...], eps: float, centred: bool
) -> tuple[NDArray, NDArray, NDArray]:
    """y = w z + b, z = (x - m) / √(v + ε), m and v the mean and variance over some axes; m = 0 if not `centred`."""
    mean = np.mean(x, axes, keepdims=True) * centred
    variance = np.mean(np.square(x - mean), axes, keepdims=True)
    shape = [n if a in along else 1 for a, n in enumerate(x.shape)]
    y = (x - mean) / np.sqrt(variance + eps) * w.reshape(shape) + b.reshape(shape)
    return y, mean, variance


def normalize_back(
    g: NDArray,
    x: NDArray,
    w: NDArray,
    mean: NDArray,
    variance: NDArray,
    *,
    axes: tuple[int, ...],
    along: tuple[int, ...],
    eps: float,
    centred: bool,
    wanted: Sequence[bool],
) -> tuple[NDArray | None, NDArray | None, NDArray | None]:
    """dx = (g w - mean(g w) - z mean(g w z)) / √(v + ε),  dw = Σ g z,  db = Σ g; mean(g w) only if `centred`."""
    z = (x - mean) / np.sqrt(variance + eps)
    h = g * w.reshape([n if a in along else 1 for a, n in enumerate(x.shape)])
    change = h - z * np.mean(h * z, axes, keepdims=True) - np.mean(h, axes, keepdims=True) * centred
    others = tuple(a for a in range(x.ndim) if a not in along)
    return change / np.sqrt(variance + eps), np.asarray(np.sum(g * z, others)), np.asarray(np.sum(g, others))


def scale_channels(x: NDArray, w: NDArray, b: NDArray) -> NDArray:
    """y[n,c,…] = w[c] x[n,c,…] + b[c]"""
    column = -1, *(1,) * (x.ndim - 2)
    return x * w.reshape(column) + b.reshape(column)


def gelu(x: NDArray) -> NDArray:
    """y = x Φ(x), with Φ the normal distribution"""
    return np.asarray(x * ndtr(x))


def gelu_slope(x: NDArray) -> NDArray:
    """y = Φ(x) + x φ(x), with Φ the normal distribution and φ(x) = exp(-x²/2) / √(2π) its density"""
    return np.asarray(ndtr(x) + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi))


def channel_sums(g: NDArray) -> NDArray:
    """y[c] = Σ_nhw g[n,c,h,w]"""
    return np.asarray(np.sum(g, axis=(0, 2, 3)))


def matmul(a: NDArray, b: NDArray, *, keep_order: bool = False) -> NDArray:
    """y[…,n,m] = Σ_k a[…,n,k] b[…,k,m]; `keep_order` is about how y lies in memory, which is no matter here."""
    return np.asarray(np.einsum("...nk,...km->...nm", a, b))


def class_losses(x: NDArray, t: NDArray) -> NDArray:
    """y[n] = -ln softmax(x)[n, t[n]] = ln Σ_k exp(x[n,k] - x[n, t[n]])"""
    return np.asarray(np.logaddexp.reduce(x - np.take_along_axis(x, t[:, None], axis=1), axis=1))


def class_losses_input(g: NDArray, x: NDArray, t: NDArray) -> NDArray:
    """dx[n,k] = g[n] (softmax(x)[n,k] - [k = t[n]]), with softmax(x)[n,k] = exp(x[n,k] - ln Σ_j exp x[n,j])"""
    softmax = np.exp(x - np.logaddexp.reduce(x, axis=1, keepdims=True))
    return np.asarray(g[:, None] * (softmax - (np.arange(x.shape[1]) == t[:, None])))


def sigmoid(x: NDArray) -> NDArray:
    """y = 1 / (1 + exp(-x))"""
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-x)))


def silu(x: NDArray) -> NDArray:
    """y = x s, s = sigmoid(x)"""
    return np.asarray(x * sigmoid(x))


def silu_slope(x: NDArray) -> NDArray:
    """y = s + x s (1 - s), s = sigmoid(x), 1 - s = sigmoid(-x)"""
    return np.asarray(sigmoid(x) * (1 + x * sigmoid(-x)))


def softplus(x: NDArray, limit: float) -> NDArray:
    """y = ln(1 + exp(x)), x above the limit"""
    return np.asarray(np.where(x > limit, x, np.maximum(x, 0) + np.log1p(np.exp(-np.absolute(x)))))


def hardswish(x: NDArray) -> NDArray:
    """y = x min(max(x + 3, 0), 6) / 6, 0 at -∞"""
    return np.asarray(np.maximum(x, -3) * (np.clip(x + 3, 0, 6) / 6))


def hardswish_slope(x: NDArray) -> NDArray:
    """y = x / 3 + 1/2 between -3 and 3, 0 below, 1 above"""
    zero, one = x.dtype.type(0), x.dtype.type(1)
    return np.asarray(np.where(x <= -3, zero, np.where(x >= 3, one, x / 3 + x.dtype.type(0.5))))


def softmax(x: NDArray, axis: int) -> NDArray:
    """y = exp x / Σ exp x, shifted so that nothing overflows"""
    e = np.exp(x - np.max(x, axis=axis, keepdims=True, initial=-np.inf))
    return np.asarray(e / np.sum(e, axis=axis, keepdims=True))


def log_softmax(x: NDArray, axis: int) -> NDArray:
    """y = x - ln Σ exp x, shifted so that nothing overflows"""
    if not x.size:
        return np.empty_like(x)
    shifted = x - np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    return np.asarray(shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True)))


def attend(q: NDArray, k: NDArray, v: NDArray, mask: NDArray, *, scale: float, causal: bool) -> tuple[NDArray, NDArray]:
    """y = p v, p = softmax(scale q kᵀ + mask), 0 where no key is seen; kept: the largest score t, 1 / Σ exp(s - t)"""
    s = _scores(q, k, mask, scale, causal)
    top = np.max(s, axis=3, keepdims=True, initial=-np.inf)
    top = np.where(np.isneginf(top), 0, top)
    e = np.exp(s - top)
    total = np.sum(e, axis=3, keepdims=True)
    inverse = np.divide(1, total, out=np.zeros_like(total), where=total != 0)
    return (e * inverse) @ v, np.concatenate((top, inverse), axis=3)


def attend_back(
    g: NDArray,
    q: NDArray,
    k: NDArray,
    v: NDArray,
    mask: NDArray,
    kept: NDArray,
    *,
    scale: float,
    causal: bool,
) -> tuple[NDArray, NDArray, NDArray]:
    """dq = scale s k, dk = scale sᵀ q, dv = pᵀ g, with s = p (h - Σ p h) and h = g vᵀ"""
    p = np.exp(_scores(q, k, mask, scale, causal) - kept[..., :1]) * kept[..., 1:]
    h = g @ np.swapaxes(v, 2, 3)
    s = q.dtype.type(scale) * (p * (h - np.sum(p * h, axis=3, keepdims=True)))
    return s @ k, np.swapaxes(s, 2, 3) @ q, np.swapaxes(p, 2, 3) @ g


def _scores(q: NDArray, k: NDArray, mask: NDArray, scale: float, causal: bool) -> NDArray:
    s = q.dtype.type(scale) * (q @ np.swapaxes(k, 2, 3)) + mask
    return np.where(np.tri(q.shape[2], k.shape[2], dtype=bool), s, -np.inf).astype(s.dtype) if causal else s


def pick(holds: NDArray, a: Any, b: Any, out: NDArray) -> None:
    """out[k] = a[k] where holds[k], else b[k]; a and b may be single numbers"""
    out[...] = np.where(holds, a, b)


def add_rows(y: NDArray, places: NDArray, rows: NDArray) -> None:
    """y[places[k]] += rows[k], for each k, in place"""
    np.add.at(y, places, rows)


def descend(value: NDArray, gradient: NDArray, rate: float) -> None:
    """value -= rate · gradient, in place"""
    value -= rate * gradient


def descend_by_velocity(
    value: NDArray,
    gradient: NDArray,
    velocity: NDArray,
    rate: float,
    *,
    momentum: float,
    dampening: float,
    nesterov: bool,
    decay: float,
) -> None:
    """g += decay · value; v = momentum · v + (1 - dampening) g; value -= rate · v

    All in place but for g. Nesterov's steps are rate · (g + momentum · v).
    """
    gradient = gradient + decay * value if decay else gradient
    velocity[...] = momentum * velocity + (1 - dampening) * gradient
    value -= rate * (gradient + momentum * velocity if nesterov else velocity)


def adam(
    value: NDArray,
    gradient: NDArray,
    mean: NDArray,
    square: NDArray,
    largest: NDArray | None,
    *,
    rate: float,
    eps: float,
    new: tuple[float, float],
    decay: float,
    kept: float,
) -> None:
    """g += decay · value; m += new₀ (g - m); v = (1 - new₁) v + new₁ g²; value = kept · value - rate · m / (√v + eps)

    All in place but for g. If there is a largest v so far, it grows to v, and the root is of it.
    """
    gradient = gradient + decay * value if decay else gradient
    mean += new[0] * (gradient - mean)
    square[...] = (1 - new[1]) * square + new[1] * gradient**2
    if largest is not None:
        largest[...] = np.maximum(largest, square)
    value[...] = kept * value - rate * mean / (np.sqrt(square if largest is None else largest) + eps)


def random_words(generator: "np.random.Generator", count: int) -> NDArray:
    """The next `count` words of 32 bits of the generator, a Mersenne Twister MT19937."""
    return generator.integers(0, 2**32, count, dtype=np.uint32)


def at_step(t: int, batch: int, sizes: Sizes) -> int:
    """How many rows take the step t; the others keep their state."""
    return batch if sizes is None else sizes[t]


def rnn(
    x: NDArray, w_ih: NDArray, w_hh: NDArray, b: NDArray, h: NDArray, *, relu: bool, sizes: Sizes, keep: bool
) -> tuple[NDArray, NDArray]:
    """h[t+1] = f(W_ih x[t] + W_hh h[t] + b), with f = max(·, 0) or tanh: all h[1:], and the last once more.

    And z, of which z[t] is x[t], h[t], 1 side by side: what the weights and the bias are multiplied by.
    """
    states, ones = [h], np.ones((*x.shape[:2], 1), x.dtype)
    for t in range(len(x)):
        n, last = at_step(t, len(h), sizes), states[-1]
        a = x[t, :n] @ w_ih.T + last[:n] @ w_hh.T + b
        states.append(np.concatenate([np.maximum(a, 0) if relu else np.tanh(a), last[n:]]))
    z = np.concatenate([x, np.stack(states[:-1]), ones], 2)
    end = np.concatenate([0 * x[-1], states[-1], ones[-1]], 1)
    return np.stack([*states[1:], states[-1]]), np.concatenate([z, end[None]])


def rnn_back(g: NDArray, z: NDArray, w_hh: NDArray, *, relu: bool, sizes: Sizes) -> tuple[NDArray, NDArray]:
    """d[t] = f' (g[t] + W_hhᵀ d[t+1]), with f' = [h > 0] or 1 - h², the cotangent of W_ih x[t] + W_hh h[t] + b.

    And that of h[0], W_hhᵀ d[0]. g[T] is that of the state behind the last step.
    """
    steps, hidden = len(g) - 1, len(w_hh)
    d, dh, states = np.zeros_like(g[:-1]), g[steps].copy(), z[1:, :, -1 - hidden : -1]
    for t in reversed(range(steps)):
        n = at_step(t, g.shape[1], sizes)
        h, total = states[t, :n], dh[:n] + g[t, :n]
        d[t, :n] = np.where(h <= 0, 0, total) if relu else total * (1 - h * h)
        dh[:n] = d[t, :n] @ w_hh
    return d, dh


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
    """c[t+1] = f c[t] + i g, h[t+1] = o tanh(c[t+1]), i, f, o = σ(·), g = tanh(·) of W_ih x[t] + W_hh h[t] + b.

    With w_hr, h is that projected. All h[1:], and behind them the last h and, without w_hr, the last c; the last c; z
    as of `rnn`; the gates and the cell i f o g c of each step; and tanh(c[t+1]).
    """
    states, cells, gates, tanhs, ones = [h], [c], [], [], np.ones((*x.shape[:2], 1), x.dtype)
    for t in range(len(x)):
        n, last, cell = at_step(t, len(h), sizes), states[-1], cells[-1]
        i, f, g, o = np.split(x[t] @ w_ih.T + last @ w_hh.T + b, 4, 1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        new = f * cell + i * g
        shown = o * np.tanh(new) if w_hr is None else (o * np.tanh(new)) @ w_hr.T
        gates.append(np.stack([i, f, o, g, cell]))
        cells.append(np.concatenate([new[:n], cell[n:]]))
        states.append(np.concatenate([shown[:n], last[n:]]))
        tanhs.append(np.tanh(cells[-1]))
    z = np.concatenate([x, np.stack(states[:-1]), ones], 2)
    end = np.concatenate([0 * x[-1], states[-1], ones[-1]], 1)
    last = np.stack([*np.zeros((4, *c.shape), c.dtype), cells[-1]])
    y = np.stack([*states[1:], states[-1]] + ([cells[-1]] if w_hr is None else []))
    return y, cells[-1], np.concatenate([z, end[None]]), np.stack([*gates, last]), np.stack([*tanhs, tanhs[-1]])


def lstm_back(
    g: NDArray, gc: NDArray, gates: NDArray, tanhs: NDArray, w_hh: NDArray, w_hr: NDArray | None = None, *, sizes: Sizes
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """The cotangents d[t] of W_ih x[t] + W_hh h[t] + b, and of the first h and c, as the chain rule gives them.

    dh = g[t] + W_hhᵀ d[t+1] and dc += dh o (1 - tanh²c) give di = dc g i (1 - i), df = dc c f (1 - f),
    dg = dc i (1 - g²), do = dh tanh(c) o (1 - o); then dc = dc f. With w_hr, dh is the last result and w_hrᵀ dh counts.
    """
    steps, batch = len(g) - 1, g.shape[1]
    d, dh, dc, seen = np.zeros((steps, batch, len(w_hh)), g.dtype), g[steps].copy(), gc.copy(), np.zeros_like(g[:-1])
    for t in reversed(range(steps)):
        n = at_step(t, batch, sizes)
        (i, f, o, cell_in, c), tc = gates[t, :, :n], tanhs[t, :n]
        seen[t, :n] = dh[:n] + g[t, :n]
        total = seen[t, :n] if w_hr is None else seen[t, :n] @ w_hr
        cell = dc[:n] + total * o * (1 - tc * tc)
        parts = (
            cell * cell_in * i * (1 - i),
            cell * c * f * (1 - f),
            cell * i * (1 - cell_in**2),
            total * tc * o * (1 - o),
        )
        d[t, :n] = np.concatenate(parts, 1)
        dc[:n] = cell * f
        dh[:n] = d[t, :n] @ w_hh
    return d, dh, dc, seen[: 0 if w_hr is None else steps]


def gru(
    x: NDArray, w_ih: NDArray, w_hh: NDArray, b_ih: NDArray, b_hh: NDArray, h: NDArray, *, sizes: Sizes, keep: bool
) -> tuple[NDArray, NDArray, NDArray, NDArray, NDArray]:
    """h[t+1] = (1 - z) n + z h[t], r, z = σ(·), n = tanh(W_in x[t] + b_in + r u), u = W_hn h[t] + b_hn.

    All h[1:] and the last once more; x and a one side by side; h and a one; the gates r z n of each step; and u.
    """
    states, gates, seen, ones = [h], [], [], np.ones((len(x) + 1, len(h), 1), x.dtype)
    for t in range(len(x)):
        n, last = at_step(t, len(h), sizes), states[-1]
        (xr, xz, xn), (hr, hz, u) = np.split(x[t] @ w_ih.T + b_ih, 3, 1), np.split(last @ w_hh.T + b_hh, 3, 1)
        r, z = sigmoid(xr + hr), sigmoid(xz + hz)
        new = np.tanh(xn + r * u)
        gates.append(np.stack([r, z, new]))
        seen.append(u)
        states.append(np.concatenate([(new + z * (last - new))[:n], last[n:]]))
    y, with_one = np.stack([*states[1:], states[-1]]), np.concatenate([np.stack(states), ones], 2)
    return y, np.concatenate([x, ones[:-1]], 2), with_one, np.stack(gates), np.stack(seen)


def gru_back(
    g: NDArray, z: NDArray, gates: NDArray, seen: NDArray, w_hh: NDArray, *, sizes: Sizes
) -> tuple[NDArray, NDArray]:
    """The cotangents d[t], of n, r, z of the input's part and of u, and that of the first h.

    With dh = g[t] + what comes back: dn = dh (1 - z) (1 - n²), dr = dn u r (1 - r), dz = dh (h - n) z (1 - z) and
    du = dn r; to h[t] goes dh z + W_hhᵀ (dr, dz, du).
    """
    steps, batch, hidden = len(g) - 1, *g.shape[1:]
    d, dh = np.zeros((steps, batch, 4 * hidden), g.dtype), g[steps].copy()
    for t in reversed(range(steps)):
        size = at_step(t, batch, sizes)
        (r, z_t, new), u, h = gates[t, :, :size], seen[t, :size], z[t, :size, :-1]
        total = dh[:size] + g[t, :size]
        dn = total * (1 - z_t) * (1 - new * new)
        parts = dn, dn * u * r * (1 - r), total * (h - new) * z_t * (1 - z_t), dn * r
        d[t, :size] = np.concatenate(parts, 1)
        dh[:size] = total * z_t + d[t, :size, hidden:] @ w_hh
    return d, dh


def shuffled(steps: NDArray) -> NDArray:
    """The numbers from 0 on; in turn the k-th changes places with that `steps[k]` further on (Fisher & Yates)."""
    order = list(range(len(steps)))
    for k, step in enumerate(steps.tolist()):
        order[k], order[k + step] = order[k + step], order[k]
    return np.array(order, np.int64)
