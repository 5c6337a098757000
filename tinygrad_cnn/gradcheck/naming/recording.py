"""A function of NumPy arrays run on values that write down every op, each with the expression that asked for it.

The values behave as arrays do, by NumPy's meaning of the methods (a Tensor's are PyTorch's). They hand over to the
package's ops, and are recorded through `__record__` as Tensors are. Nothing here knows of derivatives.
"""

from __future__ import annotations

import ast
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn import ops
from tinygrad_cnn.core.indexing import PutItem, SetItem
from tinygrad_cnn.core.types import NDArray, Shape
from tinygrad_cnn.numpy_protocol import FUNCTIONS, PLAIN, UFUNCS, WITHOUT_GRADIENT, of_method
from tinygrad_cnn.ops.decompositions import Cholesky
from tinygrad_cnn.ops.solving import Solve
from tinygrad_cnn.program.source import PACKAGE, Place, place_of


class CannotRecord(TypeError):
    """Something was done to a recorded value that cannot be written down."""


class Step:
    """What is done to values and is no op of the registry; it has the few attributes that are asked for."""

    broadcasts = variadic = False
    aux: tuple[str, ...] = ()
    rules: tuple[Any, ...] = ()

    def __init__(self, name: str, forward: Callable[..., Any], rule: Callable[..., Any] | None = None) -> None:
        self.name, self.forward, self.rule = name, forward, rule


class Entry:
    """One line of the list: an op on earlier entries, its value, and where it was asked for."""

    __slots__ = (
        "args", "at", "aux", "caller", "depth", "i", "k", "name", "op", "options", "owner", "part", "text", "tracked",
        "value",
    )  # fmt: skip

    def __init__(self, i: int, op: Any, args: list[Entry], options: dict[str, Any], value: Any, tracked: bool) -> None:
        self.i, self.op, self.args, self.options = i, op, args, options
        self.value, self.tracked = value, tracked
        self.part = "forward"
        """"input", "forward", or of the backward pass "seed", "cot", "rule" (inside of a derivative) or "edge"."""
        self.owner: Entry | None = None
        """Of a part of the backward pass, the entry whose derivative it belongs to; `k` is the number of the input."""
        self.k: int | None = None
        self.aux: list[Entry] = []
        self.at: Place | None = None
        self.caller: Place | None = None
        self.depth = 0
        self.name = ""
        self.text = ""

    @property
    def shape(self) -> Shape:
        return np.shape(self.value)

    @property
    def ndim(self) -> int:
        return int(np.ndim(self.value))

    @property
    def size(self) -> int:
        return int(np.size(self.value))

    @property
    def op_name(self) -> str:
        return "" if self.op is None else str(self.op.name)

    def __repr__(self) -> str:
        return f"<{self.i}: {self.op_name or self.part} {self.shape}>"


class Tape:
    """The list, and what is being recorded now."""

    def __init__(self, entries: Sequence[Entry] = ()) -> None:
        self.entries = list(entries)
        self.part = "forward"
        self.owner: Entry | None = None
        self.k: int | None = None
        self.patch: tuple[int, str, Any] | None = None
        """The number of an entry, an option of its op, and another value for it."""

    def add(self, op: Any, args: list[Entry], options: dict[str, Any], value: Any, tracked: bool) -> Entry:
        """Write an entry down."""
        e = Entry(len(self.entries), op, args, options, value, tracked)
        e.part, e.owner, e.k = self.part, self.owner, self.k
        if e.part in ("forward", "learner"):
            e.at, e.caller, e.depth = where()
        elif e.owner is not None:
            e.at, e.caller = e.owner.at, e.owner.caller
        self.entries.append(e)
        return e

    def entry(self, value: Any) -> Entry:
        """The entry of a recorded value; of anything else a new one, a constant."""
        if isinstance(value, Recorded):
            return value.entry
        if isinstance(value, (list, tuple)) and any(isinstance(v, Recorded) for v in value):
            return self.entry(ops.stack([self.recorded(v) for v in value]))
        return self.add(None, [], {}, value, False)

    def recorded(self, value: Any) -> Recorded:
        """The value as one that records."""
        return value if isinstance(value, Recorded) else Recorded(self.entry(value), self)

    def apply(self, op: Any, inputs: Sequence[Any], options: dict[str, Any]) -> Any:
        """Compute, and write it down."""
        args = [self.entry(v) for v in inputs]
        if self.patch is not None and self.patch[0] == len(self.entries):
            options = {**options, self.patch[1]: self.patch[2]}
        value = op.forward(*(a.value for a in args), **options)
        aux: Sequence[Any] = ()
        if isinstance(value, tuple):
            value, *aux = value
        tracked = any(a.tracked for a in args) and (isinstance(op, Step) or op.differentiable)
        e = self.add(op, args, options, np.asarray(value), tracked)
        if not aux:
            return Recorded(e, self)
        e.aux = [self.entry(a) for a in aux]
        return (Recorded(e, self), *(Recorded(a, self) for a in e.aux))


def where() -> tuple[Place | None, Place | None, int]:
    """The learner's expression that is evaluated, the one that called its function, if there is one, and the depth."""
    frames: list[Any] = []
    frame: Any = sys._getframe(2)
    while frame is not None and frame.f_code is not RUN:
        if not frame.f_code.co_filename.startswith((PACKAGE, "<frozen ", NUMPY)):
            frames.append(frame)
        frame = frame.f_back
    called = len(frames) > 1 and frames[0].f_code.co_name not in INNER
    return place_of(frames[0]) if frames else None, place_of(frames[1]) if called else None, len(frames)


INNER = ("<genexpr>", "<listcomp>", "<dictcomp>", "<setcomp>")
NUMPY = str(np.__path__[0])

CONSTANT_OF = {np.zeros_like: np.zeros, np.empty_like: np.zeros, np.ones_like: np.ones}


class Recorded:
    """A value that writes down what is done to it; behaves as an array."""

    __array_priority__ = 1000
    __slots__ = ("entry", "tape")
    __hash__ = object.__hash__

    def __init__(self, entry: Entry, tape: Tape) -> None:
        self.entry, self.tape = entry, tape

    @staticmethod
    def __record__(op: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
        tape = next(v.tape for v in inputs if isinstance(v, Recorded))
        return tape.apply(op, inputs, options)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        out = options.pop("out", None)
        if method == "at" and ufunc in AT and len(inputs) == 3 and inputs[0] is self:
            index = unrecorded(inputs[1])
            added = PutItem.apply(self.tape.recorded(inputs[2]), index=index, shape=self.shape)
            self.entry = UFUNCS[ufunc](self, added).entry
            return None
        result = self._ufunc(ufunc, method, inputs, options)
        if out is None:
            return result
        if len(out) == 1 and isinstance(out[0], Recorded):
            out[0].entry = result.entry
            return out[0]
        raise CannotRecord(f"numpy.{ufunc.__name__}: writes into a plain array")

    def _ufunc(self, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
        if method == "__call__" and not options:
            if ufunc in UFUNCS:
                return UFUNCS[ufunc](*inputs)
            if ufunc in WITHOUT_GRADIENT:
                return self.plainly(ufunc.__name__, ufunc, inputs)
        if method != "__call__":
            result = of_method(ufunc, method, inputs, dict(options))
            if result is not NotImplemented:
                return result
        raise CannotRecord(f"numpy.{ufunc.__name__} {method} {sorted(options)}")

    def __array_function__(self, function: Any, kinds: Any, args: Any, options: Any) -> Any:
        if function in CONSTANT_OF:
            return self.tape.recorded(CONSTANT_OF[function](self.shape))
        if function is np.full_like:
            return self.tape.recorded(np.zeros(self.shape)) + args[1]
        if function is np.copy:
            return self.copy()
        if function in LINALG:
            return LINALG[function](self.tape, *args, **options)
        if function in (np.convolve, np.correlate):
            return self._convolved(function, *args, **options)
        if function in FUNCTIONS:
            return FUNCTIONS[function](*args, **options)
        if function in PLAIN:
            return function(*(unrecorded(a) for a in args), **{k: unrecorded(a) for k, a in options.items()})
        if function.__name__ == "sliding_window_view":
            x = self.tape.recorded(args[0])
            places = function(np.arange(x.size).reshape(x.shape), *args[1:], **options)
            return self.tape.apply(TAKE, [x], {"places": np.array(places), "shape": x.shape})
        raise CannotRecord(f"numpy.{function.__name__} cannot be recorded")

    def _convolved(self, function: Any, a: Any, v: Any, mode: str | None = None) -> Any:
        """``np.convolve`` and ``np.correlate``, as windows times the kernel."""
        x, k = self.tape.recorded(a), self.tape.recorded(v)
        n, m = x.size, k.size
        if m > n:
            raise CannotRecord(f"numpy.{function.__name__}: a kernel longer than the array")
        if function is np.convolve:
            k = k[::-1]
        padded = np.zeros(n + 2 * (m - 1), int) - 1
        padded[m - 1 : m - 1 + n] = np.arange(n)
        places = np.lib.stride_tricks.sliding_window_view(padded, m)
        mode = mode or ("full" if function is np.convolve else "valid")
        first = {"full": 0, "valid": m - 1, "same": (m - 1) // 2}[mode]
        length = {"full": n + m - 1, "valid": n - m + 1, "same": n}[mode]
        longer: Any = ops.cat([x, self.tape.recorded(np.zeros(1))])
        shape = (n + 1,)
        windows = self.tape.apply(TAKE, [longer], {"places": places[first : first + length] % shape[0], "shape": shape})
        return windows @ k

    def plainly(self, name: str, function: Callable[..., Any], inputs: Sequence[Any]) -> Recorded:
        """A function that is constant between jumps: its result does not depend on anything any more."""
        args = [self.tape.entry(v) for v in inputs]
        value = np.asarray(function(*(a.value for a in args)))
        return Recorded(self.tape.add(Step(name, function), args, {}, value, False), self.tape)

    def __getitem__(self, index: Any) -> Any:
        return ops.getitem(self, unrecorded(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        index = unrecorded(index)
        new = self.tape.recorded(value)
        more = added_to(self.entry, index, new.entry)
        if more is None:
            self.entry = SetItem.apply(self, new, index=index).entry
        else:  # `x[index] += more`
            put: Any = PutItem.apply(Recorded(more, self.tape), index=index, shape=self.shape)
            whole: Any = self
            self.entry = (whole + put if new.entry.op_name == "Add" else whole - put).entry

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __len__(self) -> int:
        return len(self.entry.value)

    def __bool__(self) -> bool:
        return bool(self.entry.value)

    def __index__(self) -> int:
        return int(self.entry.value.__index__())

    def __int__(self) -> int:
        return int(float(self))

    def __float__(self) -> float:
        if self.entry.tracked:
            raise CannotRecord("a recorded value is turned into a number, and its history lost")
        return float(self.entry.value)

    def __neg__(self) -> Any:
        return np.negative(self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return np.absolute(self)

    def __invert__(self) -> Any:
        return np.logical_not(self)

    shape = property(lambda s: np.shape(s.entry.value))
    ndim = property(lambda s: np.ndim(s.entry.value))
    size = property(lambda s: np.size(s.entry.value))
    dtype = property(lambda s: np.asarray(s.entry.value).dtype)
    array_shape, array_dtype = shape, dtype
    T = property(lambda s: np.transpose(s))
    mT = property(lambda s: np.swapaxes(s, -1, -2))
    flat = property(lambda s: np.reshape(s, -1))

    @property
    def whole(self) -> Any:
        """Itself, as an array for type checkers."""
        return self

    def reshape(self, *shape: Any, order: Any = "C") -> Any:
        if order == "F":
            wanted = np.empty(self.shape).reshape(*shape).shape
            places = np.arange(self.size).reshape(self.shape).reshape(wanted, order="F")
            return self.tape.apply(TAKE, [self], {"places": places, "shape": self.shape})
        return ops.reshape(self.whole, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> Any:
        return np.transpose(self.whole, (axes[0] if len(axes) == 1 else axes) or None)

    def copy(self, order: Any = "C") -> Any:
        return Recorded(self.entry, self.tape)

    def astype(self, dtype: Any, *args: Any, **options: Any) -> Any:
        if self.entry.tracked and np.dtype(dtype).kind == "f":
            return self
        return self.plainly("astype", lambda x: np.asarray(x).astype(dtype), [self])

    def flatten(self, order: Any = "C") -> Any:
        return self.reshape(-1, order=order)

    ravel = flatten

    def fill(self, value: Any) -> None:
        self[...] = value

    def item(self) -> Any:
        return self if self.entry.tracked else self.entry.value.item()

    def tolist(self) -> Any:
        return [self[i] for i in range(len(self))] if self.ndim else self.item()


def added_to(old: Entry, index: Any, new: Entry) -> Entry | None:
    """What was added to a part of an array, if that is all that a value to be written there is."""
    if new.op_name not in ("Add", "Sub") or len(new.args) != 2:
        return None
    part, more = new.args
    if part.op_name != "GetItem" or part.args[0] is not old or more.shape != part.shape:
        return None
    return more if same_index(part.options["index"], index) else None


def same_index(a: Any, b: Any) -> bool:
    """Whether two indices are the same."""
    first, second = (q if isinstance(q, tuple) else (q,) for q in (a, b))
    if len(first) != len(second):
        return False
    return all(type(p) is type(q) and bool(np.all(p == q)) for p, q in zip(first, second, strict=True))


AT = (np.add, np.subtract)
METHODS = (
    "sum mean max min var std prod cumsum cumprod repeat swapaxes squeeze clip argmax argmin dot take diagonal trace "
    "round argsort nonzero any all"
)
OPERATORS = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide, "pow": np.power,
    "matmul": np.matmul, "mod": np.remainder, "floordiv": np.floor_divide, "and": np.bitwise_and,
    "or": np.bitwise_or, "xor": np.bitwise_xor,
}  # fmt: skip
COMPARISONS = {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
}  # fmt: skip


def _method(name: str) -> Any:
    return lambda s, *args, **options: getattr(np, name)(s, *args, **options)


def _operator(ufunc: Any, flipped: bool = False) -> Any:
    if flipped:
        return lambda s, other: ufunc(other, s)
    return lambda s, other: ufunc(s, other)


def _in_place(ufunc: Any) -> Any:
    def write(s: Any, other: Any) -> Any:
        result = s.tape.recorded(ufunc(s, other))
        if result.shape != s.shape:
            raise CannotRecord("a value is written into one of another shape")
        s.entry = result.entry
        return s

    return write


for _name in METHODS.split():
    setattr(Recorded, _name, _method(_name))
for _name, _ufunc in OPERATORS.items():
    setattr(Recorded, f"__{_name}__", _operator(_ufunc))
    setattr(Recorded, f"__r{_name}__", _operator(_ufunc, flipped=True))
    setattr(Recorded, f"__i{_name}__", _in_place(_ufunc))
for _name, _ufunc in COMPARISONS.items():
    setattr(Recorded, f"__{_name}__", _operator(_ufunc))


def unrecorded(value: Any) -> Any:
    """Recorded values as their arrays, in tuples and lists, too."""
    if isinstance(value, Recorded):
        return value.entry.value
    return type(value)(map(unrecorded, value)) if isinstance(value, (tuple, list)) else value


def take(x: NDArray, *, places: NDArray, shape: Shape) -> NDArray:
    """The elements at these places."""
    return x.reshape(-1)[places]


def put(g: NDArray, *, places: NDArray, shape: Shape) -> NDArray:
    """The elements added up at their places."""
    total = np.zeros(int(np.prod(shape)))
    np.add.at(total, places.reshape(-1), g.reshape(-1))
    return total.reshape(shape)


PUT = Step("Put", put)
TAKE = Step("Take", take, lambda g, node: g.tape.apply(PUT, [g], dict(node.options)))
"""What only moves elements: it is found out where each goes."""


# ---- matrices: the ops' own rules ask whether one is regular, which a recorded value cannot tell --------------------


def solved(tape: Tape, a: Any, b: Any) -> Any:
    """``np.linalg.solve``, of one vector, too."""
    b = tape.recorded(b)
    if b.ndim > 1:
        return tape.apply(Solve, [a, b], {})[0]
    return ops.reshape(tape.apply(Solve, [a, ops.reshape(b, (-1, 1))], {})[0], (-1,))


def with_sign(tape: Tape, a: Any) -> Any:
    """``np.linalg.slogdet``: the sign has no derivative."""
    result = np.linalg.slogdet(unrecorded(a))
    return type(result)(result[0], tape.apply(LOGDET, [a], {}))


def _of_inverse(g: Recorded, node: Entry) -> Any:
    back = np.swapaxes(Recorded(node, g.tape).whole, -1, -2)
    return -(back @ g @ back)


def _of_logarithm(g: Recorded, node: Entry) -> Any:
    back = g.tape.apply(INVERSE, [Recorded(node.args[0], g.tape)], {})
    return g[..., None, None] * np.swapaxes(back, -1, -2)


INVERSE = Step("Inv", np.linalg.inv, _of_inverse)
LOGDET = Step("Slogdet", lambda a: np.linalg.slogdet(a)[1], _of_logarithm)
DET = Step("Det", np.linalg.det, lambda g, node: _of_logarithm(g * Recorded(node, g.tape), node))
LINALG: dict[Any, Callable[..., Any]] = {
    np.linalg.inv: lambda tape, a: tape.apply(INVERSE, [a], {}),
    np.linalg.solve: solved,
    np.linalg.det: lambda tape, a: tape.apply(DET, [a], {}),
    np.linalg.slogdet: with_sign,
    np.linalg.cholesky: lambda tape, a: tape.apply(Cholesky, [a], {})[0],
}
"""By NumPy's functions; each is given the list that is being written, and NumPy's arguments."""


# ---- NumPy as the learner's function sees it ----------------------------------------------------------------------


class Numpy:
    """NumPy, but what it makes can be written into, and the writes are recorded."""

    def __init__(self, tape: Callable[[], Tape]) -> None:
        self._tape = tape

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def zeros(self, *args: Any, **options: Any) -> Any:
        return self._tape().recorded(np.zeros(*args, **options))

    empty = zeros

    def ones(self, *args: Any, **options: Any) -> Any:
        return self._tape().recorded(np.ones(*args, **options))

    def full(self, shape: Any, value: Any, *args: Any, **options: Any) -> Any:
        if isinstance(value, Recorded):
            blank: Any = np.zeros(shape)
            return blank + value
        return self._tape().recorded(np.full(shape, value, *args, **options))

    def eye(self, *args: Any, **options: Any) -> Any:
        return self._tape().recorded(np.eye(*args, **options))

    def zeros_like(self, x: Any, *args: Any, **options: Any) -> Any:
        return self._tape().recorded(np.zeros(np.shape(unrecorded(x))))

    empty_like = zeros_like

    def array(self, x: Any, *args: Any, **options: Any) -> Any:
        if isinstance(x, Recorded):
            return Recorded(x.entry, x.tape)
        if isinstance(x, (list, tuple)) and _holds(x):
            return self._stacked(x)
        return np.array(x, *args, **options)

    def asarray(self, x: Any, *args: Any, **options: Any) -> Any:
        return x if isinstance(x, Recorded) else self.array(x, *args, **options)

    def _stacked(self, x: Any) -> Any:
        parts = [self._stacked(v) if isinstance(v, (list, tuple)) else v for v in x]
        return ops.stack([self._tape().recorded(v) for v in parts])


def _holds(x: Any) -> bool:
    return any(_holds(v) if isinstance(v, (list, tuple)) else isinstance(v, Recorded) for v in x)


def number(value: Any = 0.0) -> Any:
    """``float`` as the learner's function sees it: what is recorded stays so."""
    return value if isinstance(value, Recorded) else float(value)


class Seen:
    """A learner's function, and those of its own that it calls, with `Numpy` in the place of NumPy."""

    def __init__(self, function: Callable[..., Any], options: Mapping[str, Any] | None = None) -> None:
        self.tape: Tape | None = None
        self.options = dict(options or {})
        self._numpy = Numpy(self._current)
        self._done: dict[int, Any] = {}
        self._spaces: dict[int, dict[str, Any]] = {}
        self.function = self._copied(function)

    def _current(self) -> Tape:
        if self.tape is None:
            raise CannotRecord("nothing is being recorded")
        return self.tape

    def _copied(self, function: Any) -> Any:
        if isinstance(function, types.MethodType):
            return types.MethodType(self._copied(function.__func__), function.__self__)
        if not isinstance(function, types.FunctionType) or not _own(function):
            return function
        if id(function) in self._done:
            return self._done[id(function)]
        old = function.__globals__
        space = self._spaces.get(id(old))
        if space is None:
            space = self._spaces[id(old)] = dict(old)
        cells = function.__closure__
        new_cells = None if cells is None else tuple(types.CellType() for _ in cells)
        new = types.FunctionType(function.__code__, space, function.__name__, function.__defaults__, new_cells)
        new.__kwdefaults__ = function.__kwdefaults__
        self._done[id(function)] = new
        for cell, new_cell in zip(cells or (), new_cells or (), strict=True):
            try:
                new_cell.cell_contents = self._replaced(cell.cell_contents)
            except ValueError:  # not yet assigned
                continue
        for name in _names(function.__code__):
            if name in old:
                space[name] = self._replaced(old[name])
            elif name == "float":
                space[name] = number
        return new

    def _replaced(self, value: Any) -> Any:
        return self._numpy if value is np else self._copied(value)

    def run(self, tape: Tape, inputs: Sequence[Any]) -> Any:
        """What the function returns, recorded."""
        self.tape = tape
        try:
            return self.function(*inputs, **self.options)
        finally:
            self.tape = None


RUN = Seen.run.__code__
"""What is called beyond it is no learner's code."""


def _own(function: types.FunctionType) -> bool:
    file = function.__code__.co_filename
    return not file.startswith((PACKAGE, NUMPY, "<frozen "))


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from _names(inner)


def operand(text: str, position: int) -> str | None:
    """The text of one side of a product or sum, or of one argument of a call, of an expression."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        return None
    if isinstance(tree, ast.BinOp) and position < 2:
        return ast.get_source_segment(text.strip(), tree.right if position else tree.left)
    if isinstance(tree, ast.Call) and position < len(tree.args) and not isinstance(tree.func, ast.Attribute):
        return ast.get_source_segment(text.strip(), tree.args[position])
    return None
