"""Recurrent layers: `RNN`, `LSTM` and `GRU` over whole sequences, and their cells for single steps."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.errors import ArgumentError, DTypeError
from tinygrad_cnn.nn import functional as F
from tinygrad_cnn.nn import init
from tinygrad_cnn.nn.module import Module
from tinygrad_cnn.nn.parameter import Parameter
from tinygrad_cnn.nn.utils.rnn import PackedSequence
from tinygrad_cnn.ops.recurrence import GATES, STEPS, State, Weights
from tinygrad_cnn.ops.recurrent import recurrent
from tinygrad_cnn.ops.told import made
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.tensor.creation import empty
from tinygrad_cnn.torch_names.device import check_device

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell", "RNNCellBase"]

Sequences = TypeVar("Sequences", Tensor, PackedSequence)
"""What a recurrent layer takes: padded sequences or packed ones. It gives the same."""

PARTS = "weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"


class RNNBase(Module):
    """What the recurrent layers share: sizes, parameters, and the walk through layers, directions and time.

    Parameters are named ``weight_ih_l0``, ``weight_hh_l0``, ``bias_ih_l0``, ``bias_hh_l0``, the second layer's end in
    ``l1``, those of the direction backwards in ``_reverse``. All begin evenly in ±1/√hidden_size.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.RNNBase("GRU", 3, 4)
    >>> [name for name, _ in layer.named_parameters()]
    ['weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0']
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        layer = type(self).__name__
        check_device(layer, device)
        _check_settings(layer, input_size, hidden_size, num_layers, dropout, proj_size)
        for name, value in (("bias", bias), ("batch_first", batch_first)):
            if not isinstance(value, bool):
                raise DTypeError(f"{layer}: {name} should be of type bool, got: {type(value).__name__}")
        self.mode, self.input_size, self.hidden_size = mode, input_size, hidden_size
        self.num_layers, self.bias, self.batch_first = num_layers, bias, batch_first
        self.dropout, self.bidirectional, self.proj_size = float(dropout), bidirectional, proj_size
        gates, out = GATES[mode] * hidden_size, proj_size or hidden_size
        for k in range(num_layers):
            features = input_size if k == 0 else out * (2 if bidirectional else 1)
            sizes = [(gates, features), (gates, out), (gates,), (gates,), (proj_size, hidden_size)]
            for end in self._ends(k):
                for name, size in zip(PARTS, sizes, strict=True):
                    if (bias or "bias" not in name) and (proj_size or name != "weight_hr"):
                        self.register_parameter(name + end, Parameter(empty(size, dtype=dtype)))
        self.reset_parameters()

    def _ends(self, layer: int) -> list[str]:
        return [f"_l{layer}", f"_l{layer}_reverse"][: 2 if self.bidirectional else 1]

    def reset_parameters(self) -> None:
        """Begin anew."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def flatten_parameters(self) -> None:
        """Nothing: that PyTorch moves the weights to one piece of memory is for GPUs."""

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        ends = [end for k in range(self.num_layers) for end in self._ends(k)]
        return [[self._parameters[name + e] for name in PARTS if name + e in self._parameters] for e in ends]  # type: ignore[misc]

    def _weights(self, end: str) -> tuple[Any, ...]:
        return tuple(self._parameters.get(name + end) for name in PARTS)

    def _state_sizes(self) -> list[int]:
        return [self.proj_size or self.hidden_size] + [self.hidden_size] * (self.mode == "LSTM")

    def forward(self, input: Sequences, hx: Any = None) -> tuple[Sequences, Tensor | tuple[Tensor, Tensor]]:
        """Outputs of all time steps, and the state behind the last one.

        Shapes: input (time, batch, input_size), or (batch, time, …) if `batch_first`, or (time, input_size), or a
        PackedSequence; a state is (layers · directions, batch, hidden_size), by default zeros; the outputs
        are (time, batch, directions · hidden_size) in the form of the input.
        """
        if isinstance(input, PackedSequence):
            order, back = input.sorted_indices, input.unsorted_indices
            sizes = tuple(np.asarray(input.batch_sizes).tolist())
            state = self._state(input.data, hx, sizes[0], batched=True)
            state = state if order is None or hx is None else tuple(s[:, order] for s in state)
            data, state = self._through_layers(input.data, sizes, state)
            state = state if back is None else tuple(s[:, back] for s in state)
            return PackedSequence(data, input.batch_sizes, order, back), self._given_back(state)
        if input.ndim not in (2, 3):
            raise ValueError(
                f"{type(self).__name__}: Expected input to be 2D or 3D, got {input.ndim}D tensor instead, of shape "
                f"{tuple(input.shape)}"
            )
        if input.dtype != self.weight_ih_l0.dtype:
            raise ArgumentError(
                f"{type(self).__name__}: input has dtype {input.dtype}, the weights {self.weight_ih_l0.dtype}; convert "
                "one of them, with .float()"
            )
        batched = input.ndim == 3
        x = input if batched else ops.unsqueeze(input, 1)
        if batched and self.batch_first:
            x = ops.transpose(x, 0, 1)
        if not x.shape[0]:
            raise ArgumentError(f"{type(self).__name__}: input has shape {tuple(input.shape)}, no time steps")
        state = self._state(x, hx, x.shape[1], batched)
        y, state = self._through_layers(x, None, state)
        if not batched:
            return y[:, 0], self._given_back(tuple(s[:, 0] for s in state))
        return (ops.transpose(y, 0, 1) if self.batch_first else y), self._given_back(state)

    if TYPE_CHECKING:  # mypy does not hand a type variable of `forward` on by itself
        __call__ = forward  # type: ignore[assignment]

    def _through_layers(self, x: Any, sizes: tuple[int, ...] | None, state: State) -> tuple[Any, State]:
        last = []
        directions = 2 if self.bidirectional else 1
        for k in range(self.num_layers):
            outputs = []
            for d, end in enumerate(self._ends(k)):
                place = k * directions + d
                begin = tuple(s if s.ndim == 2 else s[place] for s in state)
                y, final = recurrent(self.mode, x, begin, self._weights(end), sizes, backwards=d == 1)
                outputs.append(y)
                last.append(final)
            x = outputs[0] if directions == 1 else ops.cat(outputs, -1)
            if self.dropout and self.training and k < self.num_layers - 1:
                x = F.dropout(x, self.dropout)
        if len(last) == 1:
            return x, last[0]
        return x, tuple(ops.cat(list(parts)) for parts in zip(*last, strict=True))

    def _given_back(self, state: State) -> Any:
        return state if self.mode == "LSTM" else state[0]

    def _state(self, x: Any, hx: Any, batch: int, batched: bool) -> State:
        """The state to begin with, checked: each part (layers · directions, batch, size), or zeros for all of them."""
        layer = type(self).__name__
        if x.shape[-1] != self.input_size:
            raise ArgumentError(
                f"{layer}: input.size(-1) must be equal to input_size. Expected {self.input_size}, got {x.shape[-1]} "
                f"(an input of shape {tuple(x.shape)})"
            )
        count = self.num_layers * (2 if self.bidirectional else 1)
        sizes = self._state_sizes()
        if hx is None:
            return tuple(made(np.zeros, (batch, n), np.dtype(x.dtype)) for n in sizes)
        parts = _parts(layer, hx, len(sizes))
        for part, size in zip(parts, sizes, strict=True):
            expected = (count, batch, size) if batched else (count, size)
            if tuple(part.shape) != expected:
                first = (
                    "" if self.batch_first or not batched else "; without batch_first the batch is dim 1 of the input"
                )
                raise ArgumentError(f"{layer}: Expected hidden size {expected}, got {tuple(part.shape)}{first}")
        return parts if batched else tuple(ops.unsqueeze(part, 1) for part in parts)

    def extra_repr(self) -> str:
        """The configuration, what is not default."""
        text = f"{self.input_size}, {self.hidden_size}"
        text += f", proj_size={self.proj_size}" * (self.proj_size != 0)
        text += f", num_layers={self.num_layers}" * (self.num_layers != 1)
        text += f", bias={self.bias}" * (self.bias is not True)
        text += f", batch_first={self.batch_first}" * (self.batch_first is not False)
        text += f", dropout={self.dropout}" * (self.dropout != 0)
        return text + f", bidirectional={self.bidirectional}" * (self.bidirectional is not False)


def _parts(layer: str, hx: Any, count: int) -> State:
    """The parts of a state: one tensor, or the pair (h, c) of an LSTM."""
    if count == 1:
        if not isinstance(hx, Tensor):
            raise ArgumentError(f"{layer}: the state is {type(hx).__name__}; expected a tensor")
        return (hx,)
    if isinstance(hx, Tensor) or len(hx) != count:
        raise ArgumentError(f"{layer}: the state must be the pair (h_0, c_0)")
    return tuple(hx)


def _check_settings(
    layer: str, input_size: Any, hidden_size: Any, num_layers: Any, dropout: Any, proj_size: int
) -> None:
    if isinstance(dropout, bool) or not isinstance(dropout, (int, float)) or not 0 <= dropout <= 1:
        raise ValueError(f"{layer}: dropout should be a number in range [0, 1], not {dropout!r}")
    for name, value in (("input_size", input_size), ("hidden_size", hidden_size), ("num_layers", num_layers)):
        if not isinstance(value, (int, np.integer)):
            raise TypeError(f"{layer}: {name} should be of type int, got: {type(value).__name__}")
        if value <= 0:
            raise ValueError(f"{layer}: {name} must be greater than zero, not {value}")
    if proj_size < 0 or proj_size >= hidden_size:
        raise ValueError(f"{layer}: proj_size {proj_size} must be from 0 to hidden_size {hidden_size} - 1")
    if dropout > 0 and num_layers == 1:
        warnings.warn(
            f"{layer}: dropout works between layers, after all but the last; with dropout={dropout} expected "
            "num_layers greater than 1",
            stacklevel=4,
        )


def _refuse_projection(layer: str) -> NoReturn:
    raise ValueError(f"{layer}: proj_size argument is only supported for LSTM")


class RNN(RNNBase):
    """The simple recurrence ``h' = tanh(W_ih x + b_ih + W_hh h + b_hh)``, or with ReLU, in several layers.

    Input (time, batch, input_size), state (layers, batch, hidden_size); all dtypes must be equal. ValueError for
    other sizes.

    Examples
    --------
    >>> from tinygrad_cnn import nn, zeros
    >>> y, h = nn.RNN(4, 8, num_layers=2, batch_first=True)(zeros(3, 5, 4))
    >>> y.shape, h.shape
    (torch.Size([3, 5, 8]), torch.Size([2, 3, 8]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        if "proj_size" in kwargs:
            _refuse_projection("RNN")
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNN: Unknown nonlinearity {nonlinearity!r}. Select from 'tanh' or 'relu'.")
        super().__init__(
            f"RNN_{nonlinearity.upper()}",
            input_size,
            hidden_size,
            num_layers,
            bias=bias,
            batch_first=batch_first,
            dropout=dropout,
            bidirectional=bidirectional,
            device=device,
            dtype=dtype,
            **kwargs,
        )
        self.nonlinearity = nonlinearity

    if TYPE_CHECKING:

        def forward(self, input: Sequences, hx: Tensor | None = None) -> tuple[Sequences, Tensor]: ...

        __call__ = forward


class LSTM(RNNBase):
    """Long short-term memory: gates decide what a cell forgets, takes up and shows; see `recurrence.lstm_step`.

    The state is the pair (h, c). With `proj_size` h is projected to that size (Sak et al. 2014).

    Input (time, batch, input_size), states (layers, batch, hidden_size); all dtypes must be equal. ValueError for
    other sizes.

    Examples
    --------
    >>> from tinygrad_cnn import nn, zeros
    >>> y, (h, c) = nn.LSTM(4, 8, bidirectional=True)(zeros(5, 3, 4))
    >>> y.shape, h.shape, c.shape
    (torch.Size([5, 3, 16]), torch.Size([2, 3, 8]), torch.Size([2, 3, 8]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "LSTM",
            input_size,
            hidden_size,
            num_layers,
            bias=bias,
            batch_first=batch_first,
            dropout=dropout,
            bidirectional=bidirectional,
            proj_size=proj_size,
            device=device,
            dtype=dtype,
        )

    if TYPE_CHECKING:

        def forward(
            self, input: Sequences, hx: tuple[Tensor, Tensor] | None = None
        ) -> tuple[Sequences, tuple[Tensor, Tensor]]: ...

        __call__ = forward


class GRU(RNNBase):
    """Gated recurrent unit: a reset and an update gate; see `recurrence.gru_step`.

    Input (time, batch, input_size), state (layers, batch, hidden_size); all dtypes must be equal. ValueError for
    other sizes.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> layer = tg.nn.GRU(3, 4, batch_first=True)
    >>> y, h = layer(tg.zeros(2, 5, 3))
    >>> y.shape, h.shape
    (torch.Size([2, 5, 4]), torch.Size([1, 2, 4]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        if "proj_size" in kwargs:
            _refuse_projection("GRU")
        super().__init__(
            "GRU",
            input_size,
            hidden_size,
            num_layers,
            bias=bias,
            batch_first=batch_first,
            dropout=dropout,
            bidirectional=bidirectional,
            device=device,
            dtype=dtype,
            **kwargs,
        )

    if TYPE_CHECKING:

        def forward(self, input: Sequences, hx: Tensor | None = None) -> tuple[Sequences, Tensor]: ...

        __call__ = forward


class RNNCellBase(Module):
    """What the cells share: their parameters, which begin evenly in ±1/√hidden_size.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> cell = tg.nn.RNNCellBase(3, 4, True, 1)
    >>> [name for name, _ in cell.named_parameters()]
    ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh']
    """

    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        check_device(type(self).__name__, device)
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        gates = num_chunks * hidden_size
        self.weight_ih = Parameter(empty(gates, input_size, dtype=dtype))
        self.weight_hh = Parameter(empty(gates, hidden_size, dtype=dtype))
        self.register_parameter("bias_ih", Parameter(empty(gates, dtype=dtype)) if bias else None)
        self.register_parameter("bias_hh", Parameter(empty(gates, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Begin anew."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def _step(self, mode: str, input: Tensor, state: State | None) -> State:
        """One step of (batch, input_size), or of (input_size,)."""
        cell = type(self).__name__
        if input.ndim not in (1, 2):
            raise ValueError(f"{cell}: Expected input to be 1D or 2D, got {input.ndim}D instead")
        if input.shape[-1] != self.input_size:
            raise ArgumentError(
                f"{cell}: input has inconsistent input_size: got {input.shape[-1]} expected {self.input_size}"
            )
        expected = (*input.shape[:-1], self.hidden_size)
        if state is None:
            state = (Tensor.sharing(made(np.zeros, expected, np.dtype(input.dtype))),) * (2 if mode == "LSTM" else 1)
        for part in state:
            if part.ndim not in (1, 2):
                raise ValueError(f"{cell}: Expected hidden to be 1D or 2D, got {part.ndim}D instead")
            if tuple(part.shape) != expected:
                raise ArgumentError(f"{cell}: the state has shape {tuple(part.shape)}; expected {expected}")
        weights = Weights(self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh, one_bias=mode != "GRU")
        return STEPS[mode](F.linear(input, weights.weight_ih, weights.bias_ih), state, weights)

    def extra_repr(self) -> str:
        """The configuration, what is not default."""
        text = f"{self.input_size}, {self.hidden_size}" + f", bias={self.bias}" * (self.bias is not True)
        kind = getattr(self, "nonlinearity", "tanh")
        return text + f", nonlinearity={kind}" * (kind != "tanh")


class RNNCell(RNNCellBase):
    """One step of `RNN`: input (batch, input_size) and state (batch, hidden_size) to the next state.

    All dtypes must be equal; the state is zeros if it is left out.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.RNNCell(3, 4)(tg.zeros(2, 3)).shape
    torch.Size([2, 4])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        if self.nonlinearity not in ("tanh", "relu"):
            raise ArgumentError(f"RNNCell: Unknown nonlinearity: {self.nonlinearity}; it must be 'tanh' or 'relu'")
        return self._step(f"RNN_{self.nonlinearity.upper()}", input, None if hx is None else (hx,))[0]


class LSTMCell(RNNCellBase):
    """One step of `LSTM`: input and the pair (h, c) to the next pair.

    Input (batch, input_size), states (batch, hidden_size), zeros if they are left out. All dtypes must be equal.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> h, c = tg.nn.LSTMCell(3, 4)(tg.zeros(2, 3))
    >>> h.shape, c.shape
    (torch.Size([2, 4]), torch.Size([2, 4]))
    """

    mode = "LSTM"

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        h, c = self._step(self.mode, input, None if hx is None else tuple(hx))
        return h, c


class GRUCell(RNNCellBase):
    """One step of `GRU`.

    Input (batch, input_size), state (batch, hidden_size), zeros if it is left out. All dtypes must be equal.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.nn.GRUCell(3, 4)(tg.zeros(2, 3)).shape
    torch.Size([2, 4])
    """

    mode = "GRU"

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._step(self.mode, input, None if hx is None else (hx,))[0]
