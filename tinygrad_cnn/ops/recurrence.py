"""The mathematics of recurrent layers, composed of ops: one step of each kind, and how a layer walks through time.

The ops of `recurrent` compute the same at once, and are replaced by this where their derivatives are differentiated.

A state is a tuple of arrays (rows, hidden): (h,), of an LSTM (h, c). The part of a step that depends on the input alone
is computed for all time steps by one product of matrices, before the walk.
"""

from collections.abc import Callable, Sequence
from typing import Any

from tinygrad_cnn.ops.elementwise import sigmoid, tanh
from tinygrad_cnn.ops.linalg import linear, matmul
from tinygrad_cnn.ops.piecewise import relu
from tinygrad_cnn.ops.shape import cat, chunk

State = tuple[Any, ...]
Step = Callable[[Any, State, Any], State]
"""``step(x, state, weights)`` gives the next state; x is the input's part, weights are those of the state's part."""


class Weights:
    """The weights of one layer in one direction, as a step wants them: those of the state transposed, once.

    Where the two biases are only ever added (`one_bias`) they are made one, which goes with the input's part.
    """

    __slots__ = ("bias_hh", "bias_ih", "projection", "weight_hh", "weight_ih")

    def __init__(
        self,
        weight_ih: Any,
        weight_hh: Any,
        bias_ih: Any = None,
        bias_hh: Any = None,
        projection: Any = None,
        *,
        one_bias: bool = False,
    ) -> None:
        self.weight_ih, self.weight_hh = weight_ih, weight_hh.T
        joined = one_bias and bias_ih is not None
        self.bias_ih = bias_ih + bias_hh if joined else bias_ih
        self.bias_hh = None if joined else bias_hh
        self.projection = None if projection is None else projection.T


def from_state(h: Any, w: Weights) -> Any:
    """``W_hh h + b_hh``"""
    y = matmul(h, w.weight_hh)
    return y if w.bias_hh is None else y + w.bias_hh


def tanh_step(x: Any, state: State, w: Weights) -> State:
    """``h' = tanh(W_ih x + b_ih + W_hh h + b_hh)`` (Elman 1990)"""
    return (tanh(x + from_state(state[0], w)),)


def relu_step(x: Any, state: State, w: Weights) -> State:
    """The same with max(0, ·) in place of tanh (Le, Jaitly, Hinton 2015)."""
    return (relu(x + from_state(state[0], w)),)


def lstm_step(x: Any, state: State, w: Weights) -> State:
    """``c' = f c + i g,  h' = o tanh(c')`` with gates i, f, o = σ(·), g = tanh(·) (Hochreiter & Schmidhuber 1997)"""
    h, c = state
    i, f, g, o = chunk(x + from_state(h, w), 4, -1)
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    h = sigmoid(o) * tanh(c)
    return (h if w.projection is None else matmul(h, w.projection)), c


def gru_step(x: Any, state: State, w: Weights) -> State:
    """``h' = (1 - z) n + z h`` with r, z = σ(·), n = tanh(W_in x + b_in + r (W_hn h + b_hn)) (Cho et al. 2014)"""
    (h,) = state
    size = h.shape[-1]
    y = from_state(h, w)
    r, z = chunk(sigmoid(x[..., : 2 * size] + y[..., : 2 * size]), 2, -1)
    n = tanh(x[..., 2 * size :] + r * y[..., 2 * size :])
    return (n + z * (h - n),)


STEPS: dict[str, Step] = {"RNN_TANH": tanh_step, "RNN_RELU": relu_step, "LSTM": lstm_step, "GRU": gru_step}
GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}


def walk(
    step: Step, data: Any, sizes: Sequence[int], state: State, weights: Weights, backwards: bool
) -> tuple[Any, State]:
    """Carry a state through packed time steps, or `backwards` from the last one.

    Parameters
    ----------
    data : (rows, features), the rows of the first time step, then those of the second, and so on
    sizes : the number of rows of each time step; they do not grow, since the longest sequences come first
    state : before the first step, of all sequences

    Returns
    -------
    The output of every row, (rows, hidden), and the state behind the last step of every sequence.
    """
    x = linear(data, weights.weight_ih, weights.bias_ih)
    ends = [sum(sizes[: k + 1]) for k in range(len(sizes))] if len(set(sizes)) > 1 else None
    bounds = [(k * n, k * n + n) for k, n in enumerate(sizes)] if ends is None else _between(ends)
    now = tuple(s[: sizes[-1]] for s in state) if backwards else state
    outputs, finished = [], []
    for low, high in reversed(bounds) if backwards else bounds:
        rows, n = now[0].shape[0], high - low
        if n < rows:  # some sequences have ended
            finished.append(tuple(s[n:] for s in now))
            now = tuple(s[:n] for s in now)
        elif n > rows:  # backwards, some begin here
            now = tuple(cat([s, first[rows:n]]) for s, first in zip(now, state, strict=True))
        now = step(x[low:high], now, weights)
        outputs.append(now[0])
    if finished:
        now = tuple(cat(list(parts)) for parts in zip(now, *reversed(finished), strict=True))
    return cat(outputs[::-1] if backwards else outputs), now


def _between(ends: list[int]) -> list[tuple[int, int]]:
    return list(zip([0, *ends[:-1]], ends, strict=True))
