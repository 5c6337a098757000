"""Recurrent layers as ops: all time steps of one layer, in one direction.

An op has one output: the outputs of all steps with the last state behind them, which `recurrent` takes apart. The walk
back through time (`walk_back`) leaves the cotangents d of all sums W_ih x + W_hh h + b. Those of the inputs are
products with them, and `together` gives them in one go. Where these are to be differentiated, the rules take its place:
those of the steps of `recurrence`, one op after another (`replaced`), found once for all inputs (`part`).
"""

import math
import weakref
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from tinygrad_cnn.core import engine
from tinygrad_cnn.core.checks import shape_of
from tinygrad_cnn.core.domain import AwayFrom, Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.op import Kink, Op, Sample
from tinygrad_cnn.core.shape import Cast
from tinygrad_cnn.core.tensor import Tensor
from tinygrad_cnn.core.types import Array, NDArray
from tinygrad_cnn.kernels.chosen import chosen
from tinygrad_cnn.kernels.recurrent import flat
from tinygrad_cnn.ops.recurrence import STEPS, State, Weights, walk
from tinygrad_cnn.ops.shape import cat
from tinygrad_cnn.ops.untracked import is_tracked

Sizes = tuple[int, ...] | None
"""Of packed sequences, the number of rows of each time step."""
Parts = dict[str, Callable[[], Array]]
"""The cotangent of each input, by its name, computed when it is asked for."""


# ---- how rows lie ----------------------------------------------------------------------------------------------------


def inside(sizes: tuple[int, ...]) -> NDArray:
    """Which rows of a padded array (time, batch, …) packed sequences have."""
    return np.arange(max(sizes)) < np.array(sizes)[:, None]


def padded(x: NDArray, sizes: Sizes, backwards: bool) -> NDArray:
    """As (time, batch, features), in the order of the walk; packed rows with zeros beside them."""
    if sizes is not None:
        rows, there = x, inside(sizes)
        x = np.zeros((*there.shape, rows.shape[-1]), rows.dtype)
        x[there] = rows
    return x[::-1] if backwards else x


def packed(x: NDArray, sizes: Sizes, backwards: bool) -> NDArray:
    """The inverse of `padded`."""
    x = x[::-1] if backwards else x
    return x if sizes is None else x[inside(sizes)]


def walked(sizes: Sizes, backwards: bool) -> Sizes:
    """The sizes in the order of the walk."""
    return sizes[::-1] if sizes and backwards else sizes


def joined(y: NDArray, last: int, sizes: Sizes, backwards: bool) -> NDArray:
    """What a kernel gives, all states and `last` ones more, as the output of an op: rows of packed sequences packed."""
    if sizes is None and not backwards:
        return y
    states, ends = packed(y[:-last], sizes, backwards), y[-last:]
    return np.concatenate([states, ends if sizes is None else ends.reshape(-1, ends.shape[-1])])


def parted(g: NDArray, last: int, sizes: Sizes, backwards: bool) -> NDArray:
    """The inverse of `joined`, of a cotangent."""
    if sizes is None and not backwards:
        return g
    rows = last if sizes is None else last * max(sizes)
    states = padded(g[:-rows], sizes, backwards)
    return np.concatenate([states, g[-rows:].reshape(last, *states.shape[1:])])


# ---- what rules share ------------------------------------------------------------------------------------------------

_found: dict[tuple[int, int], tuple[Any, Any, dict[int, Array]]] = {}
"""By cotangent and call: what the rules have not asked for yet. It is forgotten with the cotangent."""


def part(i: int, op: Any, g: Array, inputs: tuple[Any, ...], kept: tuple[NDArray, ...], **options: Any) -> Array:
    """The cotangent of input i; what is found for all of them is kept for the rules of the others."""
    if not isinstance(g, Tensor):
        found: Array = list(op.walk_back(g, inputs, kept, **options).values())[i]()
        return found
    key = id(g), id(kept[0])
    reference, call, parts = _found.get(key, (None, None, {}))
    if reference is None or reference() is not g or call is not kept[0] or i not in parts:
        parts = replaced(op, g, inputs, options)
        _found[key] = weakref.ref(g, lambda gone: _found.pop(key, None)), kept[0], parts
    return parts.pop(i)


def those(wanted: list[bool], parts: Parts) -> list[Array | None]:
    """The cotangents that are wanted, in the order of the inputs."""
    return [find() if asked else None for find, asked in zip(parts.values(), wanted, strict=True)]


def replaced(op: Any, g: Array, inputs: tuple[Any, ...], options: dict[str, Any]) -> dict[int, Array]:
    """The cotangents of all inputs, recorded: the derivatives of `steps`, of which the op is made.

    Each input takes part through an identity of its own, so that a path from one input to another does not count.
    """
    own = [Cast.apply(x, dtype=x.array_dtype) if isinstance(x, Tensor) else x for x in inputs]
    places = {k: x.edge for k, x in enumerate(own) if is_tracked(x)}
    y = steps(op, *own, **options)
    found = engine.gradients(op.label, [y], [g], list(places.values()), retain_graph=True, create_graph=True)
    return {k: found[edge] for k, edge in places.items()}


def steps(op: Any, *inputs: Array, sizes: Sizes = None, backwards: bool = False, relu: bool = False) -> Array:
    """What the op computes, composed of other ops, step by step: its definition."""
    named = dict(zip(op.names, inputs, strict=True))
    state = tuple(named[name] for name in ("h", "c") if name in named)
    weights = Weights(
        named["w_ih"], named["w_hh"], named.get("b", named.get("b_ih")), named.get("b_hh"), named.get("w_hr")
    )
    y, last = one_by_one("RNN_RELU" if relu else op.step, named["x"], state, weights, sizes, backwards)
    if op is ProjectedLSTM:
        return cat([np.reshape(part, (-1,)) for part in (y, *last)])
    return cat([y, *(part if sizes else part[None] for part in last)])


def one_by_one(mode: str, x: Any, state: State, weights: Weights, sizes: Sizes, backwards: bool) -> tuple[Any, State]:
    """`recurrent`, composed of other ops."""
    if sizes is not None:
        return walk(STEPS[mode], x, sizes, state, weights, backwards)
    steps, batch, features = shape_of(x)
    y, last = walk(STEPS[mode], np.reshape(x, (-1, features)), [batch] * steps, state, weights, backwards)
    return np.reshape(y, (steps, batch, -1)), last


def from_sums(d: NDArray, z: NDArray, w_ih: NDArray, sizes: Sizes, backwards: bool) -> Parts:
    """The cotangents of what makes the sums W_ih x + W_hh h + b from theirs, d: products with x, h and 1, and W_ih."""
    inputs, there = w_ih.shape[1], walked(sizes, backwards)
    lying = cache(lambda: flat(d, None))
    of_steps = lying if sizes is None else cache(lambda: flat(d, there))
    whole = cache(lambda: chosen.matmul(of_steps().T, flat(z[: len(d)], there)))
    return {
        "x": lambda: packed(of_input(lying(), w_ih, len(d)), sizes, backwards),
        "w_ih": lambda: whole()[:, :inputs],
        "w_hh": lambda: whole()[:, inputs:-1],
        "b": lambda: whole()[:, -1],
    }


def of_input(d: NDArray, w: NDArray, steps: int) -> NDArray:
    """W_ihᵀ d of all rows of all steps (rows, gates), as (T, B, I)."""
    return chosen.matmul(d, w).reshape(steps, -1, w.shape[1])


def sequences(
    draw: Draw, gates: int, biases: int, states: int = 1, projected: bool = False
) -> tuple[Any, dict[str, Any]]:
    """Inputs of a layer of so many gates, biases and states, and options: padded or packed, forwards or backwards."""
    steps, inputs, hidden = draw.integer(1, 3), draw.integer(1, 2), draw.integer(1, 2)
    counts = sorted(draw.integers(1, 3, steps), reverse=True)
    sizes = tuple(counts) if draw.boolean() else None
    batch, size = counts[0], 1 if projected else hidden
    shapes: list[Any] = [(sum(counts), inputs) if sizes else (steps, batch, inputs)]
    shapes += [(gates * hidden, inputs), (gates * hidden, size), *[(gates * hidden,)] * biases, (batch, size)]
    shapes += [(batch, hidden)] * (states - 1) + [(size, hidden)] * projected
    options = {"sizes": sizes, "backwards": draw.boolean()}
    return tuple(draw.array(shape, Real()) for shape in shapes), options


class RNN(Op):
    """h_t = f(W_ih x_t + W_hh h_{t-1} + b), f = tanh or relu; y = h_1 … h_T, and h_T again

    d_t = f' (g_t + W_hhᵀ d_{t+1}); dx_t = W_ihᵀ d_t, dW_ih = Σ d_t x_tᵀ, dW_hh = Σ d_t h_{t-1}ᵀ, db = Σ d_t,
    dh_0 = W_hhᵀ d_1 (Elman 1990). `sizes` says how many rows of packed sequences each step has; `backwards` begins at
    the last step. Without `keep` nothing is kept that a rule needs.
    """

    promotes = True
    aux = ("z",)
    step = "RNN_TANH"
    names = "x", "w_ih", "w_hh", "b", "h"
    kinks = (
        Kink(
            "W_ih x + b = 0",
            ([[[1.0]]], [[1.0]], [[1.0]], [-1.0], [[0.0]]),
            ([[[0.0]]], [[0.0]], [[0.0]], [0.0], [[0.0]]),
            {"relu": True},
        ),
    )

    def forward(
        *inputs: Array,
        relu: bool = False, sizes: Sizes = None, backwards: bool = False, keep: bool = True,
    ) -> tuple[Array, Array]:  # fmt: skip
        x, w_ih, w_hh, b, h = inputs
        x, there = padded(x, sizes, backwards), walked(sizes, backwards)
        y, z = chosen.rnn(x, w_ih, w_hh, b, h, relu=relu, sizes=there, keep=keep)
        return joined(y, 1, sizes, backwards), z

    def walk_back(
        g: Array, inputs: Any, kept: Any, *, relu: bool = False, sizes: Sizes = None, backwards: bool = False
    ) -> Parts:
        (_, w_ih, w_hh, *_), (z,) = inputs, kept
        g, there = parted(g, 1, sizes, backwards), walked(sizes, backwards)
        d, dh = chosen.rnn_back(g, z, w_hh, relu=relu, sizes=there)
        return {**from_sums(d, z, w_ih, sizes, backwards), "h": lambda: dh}

    def together(
        g: Array, wanted: Any, inputs: Any, z: Array, *,
        relu: bool = False, sizes: Sizes = None, backwards: bool = False,
    ) -> Any:  # fmt: skip
        return those(wanted, RNN.walk_back(g, inputs, (z,), relu=relu, sizes=sizes, backwards=backwards))

    def d_inputs(
        g: Array, inputs: Any, z: Array, i: int, *,
        relu: bool = False, sizes: Sizes = None, backwards: bool = False,
    ) -> Array:  # fmt: skip
        return part(i, RNN, g, inputs, (z,), relu=relu, sizes=sizes, backwards=backwards)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        relu = draw.boolean()
        inputs, options = sequences(draw, 1, 1)
        if relu:  # no sum near 0: the biases outweigh the rest
            x, w_ih, w_hh, b, h = inputs
            inputs = x / 16, w_ih / 4, w_hh / 32, draw.array(b.shape, AwayFrom((0.0,), 2.0)), h / 4
        return Sample(inputs, {**options, "relu": relu})


class LSTM(Op):
    """c_t = f c_{t-1} + i g, h_t = o tanh(c_t), with gates i, f, o = σ(·), g = tanh(·); y = all h, h_T and c_T

    The gates are of W_ih x_t + W_hh h_{t-1} + b.
    With dh = g_t + W_hhᵀ d_{t+1} and dc += dh o (1 - tanh²c_t): di = dc g i (1 - i), df = dc c f (1 - f),
    dg = dc i (1 - g²), do = dh tanh(c_t) o (1 - o), and dc = dc f (Hochreiter & Schmidhuber 1997). The rules and the
    options are those of `RNN`, and dc_0 = dc.
    """

    promotes = True
    aux = ("z", "gates", "tanhs")
    step = "LSTM"
    names = "x", "w_ih", "w_hh", "b", "h", "c"

    def forward(
        *inputs: Array,
        sizes: Sizes = None, backwards: bool = False, keep: bool = True,
    ) -> tuple[Array, Array, Array, Array]:  # fmt: skip
        x, w_ih, w_hh, b, h, c = inputs
        x, there = padded(x, sizes, backwards), walked(sizes, backwards)
        y, _, z, gates, tanhs = chosen.lstm(x, w_ih, w_hh, b, h, c, sizes=there, keep=keep)
        return joined(y, 2, sizes, backwards), z, gates, tanhs

    def walk_back(g: Array, inputs: Any, kept: Any, *, sizes: Sizes = None, backwards: bool = False) -> Parts:
        (_, w_ih, w_hh, *_), (z, gates, tanhs) = inputs, kept
        g, there = parted(g, 2, sizes, backwards), walked(sizes, backwards)
        d, dh, dc, _ = chosen.lstm_back(g[:-1], g[-1], gates, tanhs, w_hh, sizes=there)
        return {**from_sums(d, z, w_ih, sizes, backwards), "h": lambda: dh, "c": lambda: dc}

    def together(
        g: Array, wanted: Any, inputs: Any, z: Array, gates: Array, tanhs: Array, *,
        sizes: Sizes = None, backwards: bool = False,
    ) -> Any:  # fmt: skip
        return those(wanted, LSTM.walk_back(g, inputs, (z, gates, tanhs), sizes=sizes, backwards=backwards))

    def d_inputs(
        g: Array, inputs: Any, z: Array, gates: Array, tanhs: Array, i: int, *,
        sizes: Sizes = None, backwards: bool = False,
    ) -> Array:  # fmt: skip
        return part(i, LSTM, g, inputs, (z, gates, tanhs), sizes=sizes, backwards=backwards)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return Sample(*sequences(draw, 4, 1, 2))


class ProjectedLSTM(Op):
    """As `LSTM`, with h_t = W_hr (o tanh(c_t)); y = all h, h_T and c_T, in one row        dW_hr = Σ dh_t (o tanh(c_t))ᵀ

    Where `LSTM` has dh, it is W_hrᵀ dh here (Sak et al. 2014).
    """

    promotes = True
    aux = ("z", "gates", "tanhs")
    step = "LSTM"
    names = "x", "w_ih", "w_hh", "b", "h", "c", "w_hr"

    def forward(
        *inputs: Array,
        sizes: Sizes = None, backwards: bool = False, keep: bool = True,
    ) -> tuple[Array, Array, Array, Array]:  # fmt: skip
        x, w_ih, w_hh, b, h, c, w_hr = inputs
        x, there = padded(x, sizes, backwards), walked(sizes, backwards)
        y, last, z, gates, tanhs = chosen.lstm(x, w_ih, w_hh, b, h, c, w_hr, sizes=there, keep=keep)
        return np.concatenate([joined(y, 1, sizes, backwards).reshape(-1), last.reshape(-1)]), z, gates, tanhs

    def walk_back(g: Array, inputs: Any, kept: Any, *, sizes: Sizes = None, backwards: bool = False) -> Parts:
        (_, w_ih, w_hh, *_, w_hr), (z, gates, tanhs) = inputs, kept
        there, steps, c = walked(sizes, backwards), len(gates) - 1, gates[0, 4]
        states = g[: g.size - c.size].reshape((-1, len(w_hr)) if sizes else (-1, len(c), len(w_hr)))
        d, dh, dc, seen = chosen.lstm_back(
            parted(states, 1, sizes, backwards),
            g[g.size - c.size :].reshape(c.shape),
            gates,
            tanhs,
            w_hh,
            w_hr,
            sizes=there,
        )
        shown = gates[:steps, 2] * tanhs[:steps]
        return {
            **from_sums(d, z, w_ih, sizes, backwards),
            "h": lambda: dh,
            "c": lambda: dc,
            "w_hr": lambda: chosen.matmul(flat(seen, there).T, flat(shown, there)),
        }

    def together(
        g: Array, wanted: Any, inputs: Any, z: Array, gates: Array, tanhs: Array, *,
        sizes: Sizes = None, backwards: bool = False,
    ) -> Any:  # fmt: skip
        return those(wanted, ProjectedLSTM.walk_back(g, inputs, (z, gates, tanhs), sizes=sizes, backwards=backwards))

    def d_inputs(
        g: Array, inputs: Any, z: Array, gates: Array, tanhs: Array, i: int, *,
        sizes: Sizes = None, backwards: bool = False,
    ) -> Array:  # fmt: skip
        return part(i, ProjectedLSTM, g, inputs, (z, gates, tanhs), sizes=sizes, backwards=backwards)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return Sample(*sequences(draw, 4, 1, 2, projected=True))


class GRU(Op):
    """h_t = (1 - z) n + z h_{t-1}, with r, z = σ(·), n = tanh(W_in x_t + b_in + r u); y = all h, and h_T again

    u = W_hn h_{t-1} + b_hn.
    With dh what comes back to h_t: dn = dh (1 - z) (1 - n²), dr = dn u r (1 - r), dz = dh (h_{t-1} - n) z (1 - z) and
    du = dn r; h_{t-1} gets dh z + W_hhᵀ (dr, dz, du) (Cho et al. 2014). The rules and the options are those of `RNN`.
    """

    promotes = True
    aux = ("xs", "z", "gates", "seen")
    step = "GRU"
    names = "x", "w_ih", "w_hh", "b_ih", "b_hh", "h"

    def forward(
        *inputs: Array,
        sizes: Sizes = None, backwards: bool = False, keep: bool = True,
    ) -> tuple[Array, Array, Array, Array, Array]:  # fmt: skip
        x, w_ih, w_hh, b_ih, b_hh, h = inputs
        x, there = padded(x, sizes, backwards), walked(sizes, backwards)
        y, xs, z, gates, seen = chosen.gru(x, w_ih, w_hh, b_ih, b_hh, h, sizes=there, keep=keep)
        return joined(y, 1, sizes, backwards), xs, z, gates, seen

    def walk_back(g: Array, inputs: Any, kept: Any, *, sizes: Sizes = None, backwards: bool = False) -> Parts:
        (_, w_ih, w_hh, *_), (xs, z, gates, seen) = inputs, kept
        g, there = parted(g, 1, sizes, backwards), walked(sizes, backwards)
        d, dh = chosen.gru_back(g, z, gates, seen, w_hh, sizes=there)
        hidden = len(w_ih) // 3  # d has the gates in the order n, r, z, u
        lying = cache(lambda: flat(d, None))
        of_steps = lying if sizes is None else cache(lambda: flat(d, there))
        of_x = cache(lambda: np.roll(chosen.matmul(of_steps()[:, : 3 * hidden].T, flat(xs, there)), -hidden, 0))
        of_h = cache(lambda: chosen.matmul(of_steps()[:, hidden:].T, flat(z[: len(d)], there)))
        by_gate = np.roll(w_ih, hidden, 0)
        return {
            "x": lambda: packed(of_input(lying()[:, : 3 * hidden], by_gate, len(d)), sizes, backwards),
            "w_ih": lambda: of_x()[:, :-1],
            "w_hh": lambda: of_h()[:, :-1],
            "b_ih": lambda: of_x()[:, -1],
            "b_hh": lambda: of_h()[:, -1],
            "h": lambda: dh,
        }

    def together(
        g: Array, wanted: Any, inputs: Any, xs: Array, z: Array, gates: Array, seen: Array, *,
        sizes: Sizes = None, backwards: bool = False,
    ) -> Any:  # fmt: skip
        return those(wanted, GRU.walk_back(g, inputs, (xs, z, gates, seen), sizes=sizes, backwards=backwards))

    def d_inputs(
        g: Array, inputs: Any, xs: Array, z: Array, gates: Array, seen: Array, i: int, *,
        sizes: Sizes = None, backwards: bool = False,
    ) -> Array:  # fmt: skip
        return part(i, GRU, g, inputs, (xs, z, gates, seen), sizes=sizes, backwards=backwards)

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        return Sample(*sequences(draw, 3, 2))


# ---- layers ----------------------------------------------------------------------------------------------------------


def recurrent(
    mode: str, x: Any, state: State, weights: tuple[Any, ...], sizes: Sizes = None, backwards: bool = False
) -> tuple[Any, State]:
    """One layer in one direction: the outputs of all steps, and the state behind the last of each, (1, batch, hidden).

    Parameters
    ----------
    mode : "RNN_TANH", "RNN_RELU", "LSTM" or "GRU"
    x : (time, batch, features), or, of packed sequences, (rows, features), `sizes` rows for each step
    state : (h,), of an LSTM (h, c), each (batch, hidden)
    weights : W_ih, W_hh, b_ih, b_hh and the projection W_hr; the last three may be None
    """
    w_ih, w_hh, b_ih, b_hh, w_hr = weights
    if np.dtype(x.dtype).kind != "f":  # the kernels are of floats that NumPy has
        y, last = one_by_one(mode, x, state, Weights(*weights, one_bias=mode != "GRU"), sizes, backwards)
        return y, tuple(part[None] for part in last)
    none = np.zeros(len(w_ih), np.dtype(x.dtype)) if b_ih is None else None
    keep = any(is_tracked(value) for value in (x, *state, *weights))
    options = {"sizes": sizes, "backwards": backwards, "keep": keep}
    if mode == "GRU":
        y = GRU.apply(x, w_ih, w_hh, *((none, none) if b_ih is None else (b_ih, b_hh)), *state, **options)[0]
    else:
        b = none if b_ih is None else b_ih + b_hh
        if w_hr is not None:
            return unstacked(ProjectedLSTM.apply(x, w_ih, w_hh, b, *state, w_hr, **options)[0], x, state)
        if mode == "LSTM":
            y = LSTM.apply(x, w_ih, w_hh, b, *state, **options)[0]
        else:
            y = RNN.apply(x, w_ih, w_hh, b, *state, relu=mode == "RNN_RELU", **options)[0]
    count, batch = shape_of(x)[0], shape_of(state[0])[0]
    if sizes is None:
        return y[:count], tuple(y[count + k : count + k + 1] for k in range(len(state)))
    return y[:count], tuple(y[None, count + k * batch : count + (k + 1) * batch] for k in range(len(state)))


def unstacked(y: Any, x: Any, state: State) -> tuple[Any, State]:
    """The parts of what `ProjectedLSTM` gives."""
    h, c = (shape_of(part) for part in state)
    lead, first = shape_of(x)[:-1], math.prod(shape_of(x)[:-1]) * h[1]
    second = first + math.prod(h)
    parts = (y[:first], (*lead, h[1])), (y[first:second], (1, *h)), (y[second:], (1, *c))
    outputs, *last = (np.reshape(part, shape) for part, shape in parts)
    return outputs, tuple(last)
