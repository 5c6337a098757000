"""`Function`: a derivative written by hand, with PyTorch's `ctx`. For scripts that have one already.

An `Op` states one rule per input, is checked when it is declared and tested by the registry's battery; a `Function`
is a forward and a backward procedure with a bag of notes between them, and nothing is known of it until it runs.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable
from functools import wraps
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import numpy as np

from tinygrad_cnn.autograd.hooks import RemovableHandle
from tinygrad_cnn.autograd.mode import no_grad
from tinygrad_cnn.autograd.nodes import AccumulateGrad, Node, alike
from tinygrad_cnn.autograd.packing import Packed
from tinygrad_cnn.autograd.packing import packed as packed_array
from tinygrad_cnn.core.graph import Alias, Edge
from tinygrad_cnn.core.mode import mode
from tinygrad_cnn.core.op import Op
from tinygrad_cnn.core.reduce import unbroadcast
from tinygrad_cnn.core.saved import FREED
from tinygrad_cnn.core.storage import clock, last_write, written_since
from tinygrad_cnn.core.tensor import Tensor
from tinygrad_cnn.core.types import Array, Shape
from tinygrad_cnn.core.watch import watch

__all__ = ["Function", "FunctionCtx", "once_differentiable"]

F = TypeVar("F", bound=Callable[..., Any])


class Saved(NamedTuple):
    """A tensor that `save_for_backward` keeps: with its array and place in the graph as they were then."""

    tensor: Any
    """None of an output, whose tensor would hold the node that holds this."""
    array: Array
    edge: Edge | None
    output: int | None
    wrap: Callable[[Array], Any]
    alias: Callable[[Array, Any], Any]


class FunctionCtx:
    """What `forward` tells `backward`: saved tensors, marks, and any attribute that is set on it.

    `needs_input_grad` says of each argument of `apply` whether its gradient is wanted.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> class Double(tg.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.factor = 2
    ...         return ctx.factor * x
    ...
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         return ctx.factor * g
    >>> x = tg.ones(2, requires_grad=True)
    >>> Double.apply(x).sum().backward()
    >>> x.grad
    tensor([2., 2.])
    """

    def __init__(self, name: str, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self._name = name
        self._given: tuple[Any, ...] = ()
        self._saved: tuple[Saved | None, ...] | None = None
        self._time = 0
        self._dirty: tuple[Any, ...] = ()
        self._constant: tuple[Any, ...] = ()
        self._materialize = True
        self._edges: tuple[Edge | None, ...] = ()
        """Where the arguments stood before `forward` wrote any of them."""
        self._ports: list[weakref.ref[Node] | None] = []

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors (or None) for `backward`, which finds them in `saved_tensors`.

        Inputs and outputs keep their place in the graph, so that what `backward` does with them can be
        differentiated again; writes in place are found. Anything else belongs in an attribute of `ctx`.
        """
        for k, value in enumerate(tensors):
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(
                    f"save_for_backward can only save tensors, but argument {k} is of type {type(value).__name__}; "
                    "set it as an attribute of ctx"
                )
        self._given = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """PyTorch's forward mode is not here; `func.jvp` differentiates `backward` instead."""
        raise NotImplementedError(
            "save_for_forward: forward-mode differentiation is not here; func.jvp needs backward alone"
        )

    def mark_dirty(self, *args: Any) -> None:
        """Say which inputs `forward` wrote in place; each of them must be returned."""
        self._dirty = args

    def mark_non_differentiable(self, *args: Any) -> None:
        """Say which outputs have no gradient, such as indices; `backward` still takes an argument for them."""
        self._constant = args

    def set_materialize_grads(self, value: bool) -> None:
        """Whether `backward` gets zeros (the default) or None for outputs that nothing used."""
        self._materialize = value

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What `save_for_backward` kept; RuntimeError if it was freed, or written in place since."""
        if self._saved is None:
            return self._given
        if self._saved is FREED and self._given is FREED:
            raise RuntimeError(
                f"{self._name}: trying to backward through the graph a second time; the saved tensors were freed by "
                "the first pass, pass retain_graph=True to it"
            )
        return tuple(None if saved is None else self._unpacked(k, saved) for k, saved in enumerate(self._saved))

    def _unpacked(self, k: int, saved: Saved) -> Any:
        if isinstance(saved.array, Packed):
            saved = saved._replace(array=saved.array.array(), tensor=None)
            return self._placed(saved)
        if written_since(saved.array, self._time):
            raise RuntimeError(
                f"{self._name}: saved tensor {k} of shape {saved.array.shape} has been modified by an in-place "
                f"operation at {last_write(saved.array)}; modify a clone() of it"
            )
        tensor = saved.tensor
        if (
            saved.output is None
            and tensor.array is saved.array
            and (tensor.edge is saved.edge or not tensor.requires_grad)
        ):
            return tensor
        return self._placed(saved)

    def _placed(self, saved: Saved) -> Any:
        """Another tensor of the array at its place in the graph."""
        if saved.output is None:
            return saved.alias(saved.array, saved.edge)
        port = self._ports[saved.output]
        node = None if port is None else port()
        return saved.wrap(saved.array) if node is None else saved.alias(saved.array, node)

    def _pack(self, outputs: tuple[Any, ...]) -> None:
        """Turn what `save_for_backward` was given into what may be kept as long as the graph."""
        places = {id(value): k for k, value in enumerate(outputs)}
        packed: list[Saved | None] = []
        for t in self._given:
            if t is None:
                packed.append(None)
                continue
            output = places.get(id(t))
            edge, array = t.edge if t.requires_grad else None, packed_array(t.array)
            held = None if output is not None or array is not t.array else t
            packed.append(Saved(held, array, edge, output, t.wrap, t.alias))
        self._saved, self._given, self._time = tuple(packed), (), clock.now

    def _free(self) -> None:
        if self._saved:
            self._saved = self._given = FREED


class FunctionMeta(type):
    """Lets `Function` say what is wrong when it is used in the way of PyTorch before 0.4."""

    def __init__(cls, name: str, bases: tuple[type, ...], fields: dict[str, Any], **options: Any) -> None:
        super().__init__(name, bases, fields, **options)
        for method in ("forward", "backward"):
            written = fields.get(method)
            if isinstance(written, FunctionType) and written.__code__.co_varnames[:1] == ("self",):
                raise RuntimeError(
                    f"{name}: {method} takes self, but a Function has no instances; write @staticmethod before it, and "
                    "ctx in the place of self"
                )

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            f"{cls.__name__}: a Function has no instances; make forward and backward static methods and call "
            f"{cls.__name__}.apply(...)"
        )


class Function(metaclass=FunctionMeta):
    """A function with a gradient of its own, as `torch.autograd.Function`: subclass it, and call `apply`.

    Either ``forward(ctx, *args)``, or ``forward(*args)`` and ``setup_context(ctx, inputs, output)``; and
    ``backward(ctx, *grad_outputs)``, which gets one gradient per output and returns one per input, None for what has
    none. All are static methods. `forward` runs unrecorded; `backward` is recorded if `create_graph` asks for it, so a
    backward of differentiable ops can be differentiated again. It gets and returns Tensors.

    `Op` is the native way: rules as data, one per input, computed only where they are needed, at array speed, and
    checked by the test battery. Use a `Function` for code that is written as one, or for what an `Op` cannot say:
    several differentiable outputs, or one computation that yields all gradients.

    Examples
    --------
    >>> from tinygrad_cnn import tensor
    >>> class Cube(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x ** 3
    ...     @staticmethod
    ...     def backward(ctx, grad_output):
    ...         (x,) = ctx.saved_tensors
    ...         return grad_output * 3 * x ** 2
    >>> x = tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)
    """

    generate_vmap_rule = False

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the output, a Tensor or a tuple of them. To be written."""
        raise NotImplementedError(
            "Function: forward is not written; define a static forward(ctx, *args), or forward(*args) together with "
            "setup_context(ctx, inputs, output)"
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Note what `backward` needs, if `forward` takes no `ctx`. May be written."""
        raise NotImplementedError("setup_context is not implemented")

    if TYPE_CHECKING:  # whoever writes one may name the gradients

        @staticmethod
        def backward(*args: Any, **kwargs: Any) -> Any: ...
    else:

        @staticmethod
        def backward(ctx, *grad_outputs):
            """Compute the gradients of the inputs. To be written, here or as `vjp`."""
            raise NotImplementedError(
                f"Function {ctx._name}: neither backward nor vjp is written, so it has no gradient; define a static "
                "backward(ctx, *grad_outputs)"
            )

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """Forward mode: never called here, `func.jvp` differentiates `backward` twice instead."""
        raise NotImplementedError("jvp: forward-mode differentiation is not here; func.jvp differentiates backward")

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        """Batching: never called here, `func.vmap` applies the Function to each sample."""
        raise NotImplementedError("vmap: Functions are not batched here; func.vmap applies them sample by sample")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Call `forward`, and record the call if an argument requires a gradient."""
        separate = cls.setup_context is not Function.setup_context
        if separate:
            bound = inspect.signature(cls.forward).bind(*args, **kwargs)
            bound.apply_defaults()
            args = bound.args
        needs = tuple(isinstance(a, Tensor) and a.requires_grad for a in args)
        recorded = mode.recording and any(needs)
        ctx = FunctionCtx(f"{cls.__name__}Backward", needs)
        ctx._edges = tuple(a.edge if recorded and needed else None for a, needed in zip(args, needs, strict=True))
        with no_grad():
            if separate:
                output = cls.forward(*args)
                cls.setup_context(ctx, args, output)
            else:
                output = cls.forward(ctx, *args, **kwargs)
        outputs = output if isinstance(output, tuple) else (output,)
        check_dirty(ctx, args, outputs, recorded)
        wrapped = record(cls, ctx, args, outputs) if recorded else tuple(fresh(ctx, v, args) for v in outputs)
        if not isinstance(output, tuple):
            return wrapped[0]
        return type(output)(*wrapped) if hasattr(output, "_fields") else wrapped


def check_dirty(ctx: FunctionCtx, args: tuple[Any, ...], outputs: tuple[Any, ...], recorded: bool) -> None:
    """RuntimeError if an input that was written in place is a leaf, or is not returned."""
    for value in ctx._dirty:
        if not any(value is out for out in outputs):
            raise RuntimeError(
                f"{ctx._name}: an input of shape {tuple(value.shape)} that forward marked dirty is not among its "
                "outputs; return every input that is written in place"
            )
        if recorded:
            value.records_write(ctx._name, args)  # not a leaf


def fresh(ctx: FunctionCtx, value: Any, args: tuple[Any, ...]) -> Any:
    """An output without a history: not the very tensor that came in, unless it was marked dirty and has none."""
    if not isinstance(value, Tensor) or (among(value, ctx._dirty) and not value.requires_grad):
        return value
    return value.detach() if value.requires_grad or among(value, args) else value


def among(value: Any, values: tuple[Any, ...]) -> bool:
    """Whether it is one of these objects; Tensors compare element by element, so `in` will not do."""
    return any(value is v for v in values)


def record(
    function: type[Function], ctx: FunctionCtx, args: tuple[Any, ...], outputs: tuple[Any, ...]
) -> tuple[Any, ...]:
    """The outputs, those with a gradient standing in the graph behind one node."""
    tensors = [(k, v) for k, v in enumerate(outputs) if isinstance(v, Tensor)]
    moving = [k for k, v in tensors if v.array_dtype.kind in "fc" and not among(v, ctx._constant)]
    if not moving:
        return tuple(fresh(ctx, v, args) for v in outputs)
    wrap, alias = outputs[moving[0]].wrap, outputs[moving[0]].alias
    forms = tuple((v.array_shape, v.array_dtype) if isinstance(v, Tensor) else None for v in outputs)
    node = FunctionNode(function, ctx, ctx._edges, forms, moving[0], [isinstance(a, Tensor) for a in args], wrap)
    places: dict[int, Node] = {moving[0]: node} if len(moving) == 1 else {k: Output(node, k) for k in moving}
    ctx._ports = [weakref.ref(places[k]) if k in places else None for k in range(len(outputs))]
    ctx._pack(outputs)
    results = []
    for k, value in enumerate(outputs):
        if k not in places:
            results.append(fresh(ctx, value, args))
        elif among(value, ctx._dirty):
            value.move_to(places[k])
            value.grad = None  # it was that of the value before
            results.append(value)
        else:
            results.append(alias(value.array, places[k]))
    return tuple(results)


class Parts:
    """The cotangents of several outputs of one node, by number: what its `Output` nodes send, added up."""

    def __init__(self, parts: dict[int, Array]) -> None:
        self.parts = parts

    def __add__(self, other: Parts) -> Parts:
        return Parts({**self.parts, **other.parts})  # each output sends once, its uses added up before


class OwnNode(Node):
    """A node that no op made, under a name of its own."""

    by_op = False

    def __init__(self, name: str, edges: tuple[Edge | None, ...], shape: Shape, dtype: Any) -> None:
        super().__init__(Op, edges, None, {}, shape, np.dtype(dtype))
        self.own_name = name

    def name(self) -> str:
        """Its name with "Backward"."""
        return f"{self.own_name}Backward"


class FunctionNode(OwnNode):
    """One recorded call of a `Function`. Attributes of its `ctx` can be read here, as in PyTorch."""

    def __init__(
        self,
        function: type[Function],
        ctx: FunctionCtx,
        edges: tuple[Edge | None, ...],
        forms: tuple[tuple[Shape, Any] | None, ...],
        first: int,
        tensors: list[bool],
        wrap: Callable[[Any], Any],
    ) -> None:
        shape, dtype = forms[first] or ((), None)
        super().__init__(function.__name__, edges, shape, dtype)
        self.function, self.ctx, self.forms, self.first, self.tensors = function, ctx, forms, first, tensors
        self.wrap = wrap

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or "ctx" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self.ctx, name)

    def derivatives(self, g: Any, alias: Alias | None, keep: bool) -> list[Any]:
        """Call `backward`, and check what it returns: a gradient per input, of its shape."""
        parts = g.parts if isinstance(g, Parts) else {self.first: g}
        returned = self.rule()(self.ctx, *(self.cotangent(k, parts.get(k)) for k in range(len(self.forms))))
        gradients = list(returned) if isinstance(returned, tuple) else [returned]
        wanted = len(self.edges)
        while len(gradients) > wanted and gradients[-1] is None:
            gradients.pop()
        if len(gradients) != wanted:
            raise RuntimeError(
                f"function {self.name()} returned an incorrect number of gradients (expected {wanted}, got "
                f"{len(gradients)}); backward returns one for each input of forward, None where there is none"
            )
        settled = [self.settled(k, d, recorded=alias is not None) for k, d in enumerate(gradients)]
        if not keep:
            self.ctx._free()
        return settled

    def parts(self, g: Any) -> tuple[Any, ...]:
        """The gradients of all outputs, None where there is none."""
        parts = g.parts if isinstance(g, Parts) else {self.first: g}
        return tuple(self.wrap(parts[k]) if k in parts else None for k in range(len(self.forms)))

    def whole(self, parts: tuple[Any, ...], g: Any) -> Any:
        """Those that are there, by the numbers of their outputs."""
        old = g.parts if isinstance(g, Parts) else {self.first: g}
        recorded = next(iter(old.values()))
        return Parts({k: alike(part, recorded) for k, part in enumerate(parts) if part is not None})

    def tensor_places(self) -> list[int]:
        """The numbers of the arguments that are tensors."""
        return [k for k, is_one in enumerate(self.tensors) if is_one]

    def rule(self) -> Callable[..., Any]:
        """`backward`, or `vjp` if that is what was written."""
        function = self.function
        if function.vjp is Function.vjp:
            return function.backward
        if function.backward is not Function.backward:
            raise RuntimeError(
                f"{function.__name__}: both backward and vjp are written; they mean the same, keep one of them"
            )
        return function.vjp

    def cotangent(self, k: int, given: Any) -> Any:
        """The gradient of an output as `backward` gets it: zeros, or None, if nothing used it."""
        form = self.forms[k]
        if given is not None:
            return self.wrap(given)
        if form is None or not self.ctx._materialize:
            return None
        return self.wrap(np.zeros(*form))

    def settled(self, k: int, d: Any, *, recorded: bool) -> Any:
        """A gradient that `backward` returned for input k, summed to its shape, in its dtype; or an error."""
        if d is None:
            return None
        if not isinstance(d, Tensor):
            raise RuntimeError(f"{self.name()}: expected a Tensor or None as gradient {k}, got {type(d).__name__}")
        if not self.tensors[k]:
            raise RuntimeError(
                f"function {self.name()} returned a gradient different than None at position {k + 1}, but the "
                "corresponding forward input was not a Tensor"
            )
        edge = self.edges[k]
        if edge is None:
            return None
        if watch.watcher is not None:
            watch.watcher.returned(self, k, d)
        value: Any = d if recorded else d.array
        if value.shape != edge.array_shape:
            if not spreads(edge.array_shape, value.shape):
                raise RuntimeError(
                    f"Function {self.name()} returned an invalid gradient at index {k} - got {list(value.shape)} but "
                    f"expected shape compatible with {list(edge.array_shape)}"
                )
            value = unbroadcast(value, edge.array_shape)
        return value if value.dtype == edge.array_dtype else value.astype(edge.array_dtype)


def spreads(shape: Shape, larger: Shape) -> bool:
    """Whether an array of this shape broadcasts to the larger one."""
    ends = larger[len(larger) - len(shape) :] if shape else ()
    return len(shape) <= len(larger) and all(n in (1, m) for n, m in zip(shape, ends, strict=True))


class Output(OwnNode):
    """One of several outputs of a `Function`: it hands its cotangent on to the common node."""

    def __init__(self, node: FunctionNode, k: int) -> None:
        shape, dtype = node.forms[k] or ((), None)
        super().__init__(node.own_name, (node,), shape, dtype)
        self.node, self.k = node, k

    @property
    def next_functions(self) -> tuple[tuple[Node | AccumulateGrad | None, int], ...]:
        """Those of the common node."""
        return self.node.next_functions

    def register_hook(self, fn: Callable[..., Any]) -> RemovableHandle:
        """Call `fn` once the common node has given the gradients of its inputs."""
        return self.node.register_hook(fn)

    def register_prehook(self, fn: Callable[..., Any]) -> RemovableHandle:
        """Call `fn` once the gradients of all outputs are there."""
        return self.node.register_prehook(fn)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or "node" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self.node, name)

    def derivatives(self, g: Any, alias: Alias | None, keep: bool) -> list[Any]:
        """The cotangent, marked with the number of the output."""
        return [Parts({self.k: g})]


class Refusal(OwnNode):
    """What `once_differentiable` gives its results as history: an error."""

    def __init__(self, value: Any, edges: tuple[Edge | None, ...]) -> None:
        super().__init__("OnceDifferentiable", edges, value.array_shape, value.array_dtype)

    def derivatives(self, g: Any, alias: Alias | None, keep: bool) -> list[Any]:
        """RuntimeError: there is no second derivative."""
        raise RuntimeError(
            "trying to differentiate twice a function that was marked with @once_differentiable; write its backward "
            "with differentiable ops of Tensors, and take the mark away"
        )


def once_differentiable(fn: F) -> F:
    """Mark a `backward` that leaves the graph, through NumPy, say: differentiating its result is an error.

    Examples
    --------
    >>> from tinygrad_cnn.autograd.function import once_differentiable
    >>> once_differentiable.__name__
    'once_differentiable'
    """

    @wraps(fn)
    def once(ctx: Any, *grad_outputs: Any) -> Any:
        with no_grad():
            outputs = fn(ctx, *grad_outputs)
        from_graph = [g for g in grad_outputs if isinstance(g, Tensor) and g.requires_grad]
        if not mode.recording or not from_graph:
            return outputs
        edges = tuple(g.edge for g in from_graph)

        def refused(value: Any) -> Any:
            return value.alias(value.array, Refusal(value, edges)) if isinstance(value, Tensor) else value

        return tuple(refused(v) for v in outputs) if isinstance(outputs, tuple) else refused(outputs)

    return cast(F, once)
