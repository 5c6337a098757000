"""What is checked: a function and its vector-Jacobian product, whoever wrote them.

Adapters for functions of our Tensors, plain NumPy pairs, PyTorch and JAX. To the checker all of them are the same
two methods on arrays; nothing here judges.
"""

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from inspect import signature
from types import ModuleType, NoneType
from typing import Any, Protocol, runtime_checkable

import numpy as np

from tinygrad_cnn import autograd
from tinygrad_cnn.autograd.functional import cotangent
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.gradcheck.problems import MODIFIED, Misbehaves, ReturnedArray, WrongType
from tinygrad_cnn.gradcheck.trees import Named, aligned, leaves, rebuilt
from tinygrad_cnn.tensor import Tensor

__all__ = ["Checked", "cached_pair", "jax_function", "numpy_pair", "tensor_function", "torch_function"]

NOT_RECORDED = "gradcheck: no output requires a gradient; the function leaves the graph (detach, numpy, no_grad?)"

BFLOAT16 = (
    "gradcheck: {} is bfloat16, of which NumPy has no numbers and whose 8 bits leave no difference to compare; check "
    "the same function in float32 or float64"
)

SPARSE = (
    "gradcheck: {} is sparse, and has no derivative where it stores nothing; check the function of the values that it "
    "stores, and let it return a dense tensor"
)

CONSTANTS = (NoneType, bool, int, float, complex)
"""What may be among the outputs, and has no derivative: a count, the value of a loss."""

Arrays = tuple[NDArray, ...]
Gradients = tuple[NDArray | None, ...]


@runtime_checkable
class Checked(Protocol):
    """A function and its vector-Jacobian product, on arrays.

    ``inputs`` are all arguments of the function: those with a derivative as ndarrays, the others as they are.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_cnn.gradcheck import Checked, numpy_pair
    >>> isinstance(numpy_pair(np.sin, lambda g, x: g * np.cos(x)), Checked)
    True
    """

    def evaluate(self, inputs: Sequence[Any]) -> Arrays:
        """The outputs, all of them, as arrays that share no memory with the inputs."""
        ...

    def vjp(self, inputs: Sequence[Any], cotangents: Sequence[NDArray | None]) -> Gradients:
        """One gradient per input, None where there is none; a cotangent is None where an output has no derivative."""
        ...


class Adapter:
    """What the adapters have in common: a name, and which inputs have a derivative."""

    batched: str = "one after another through the same function"
    """How `vjp_batch` computes, for the report."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.name = name_of(function)

    def unpack(self, inputs: Sequence[Any]) -> tuple[list[Any], list[int]]:
        """The arguments for `evaluate`, and the places of those that have a derivative."""
        return list(inputs), [k for k, a in enumerate(inputs) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]

    def evaluate(self, inputs: Sequence[Any]) -> Arrays:
        """The outputs, as arrays."""
        raise NotImplementedError

    def vjp(self, inputs: Sequence[Any], cotangents: Sequence[NDArray | None]) -> Gradients:
        """One gradient per input, None where there is none."""
        raise NotImplementedError

    def over(self, function: Callable[..., Any]) -> "Adapter":
        """The same kind of adapter, of another function that is called the same."""
        adapter = type(self)(function)
        adapter.name = self.name
        return adapter

    def flatten(self, tree: Any) -> tuple[list[Named], Callable[[Iterable[Any]], Any]]:
        """The leaves of an argument with their places in it, and what makes such an argument of other leaves."""
        return list(leaves(tree)), lambda values: rebuilt(tree, values)

    def moves(self, leaf: Any) -> bool:
        """Whether something in an argument has a derivative."""
        return isinstance(leaf, np.ndarray) and leaf.dtype.kind in "fc"

    def is_complex(self, value: Any) -> bool:
        """Whether an array, or what the framework has for it, is of complex numbers."""
        return np.iscomplexobj(value)

    def pairs(self, value: Any) -> Any:
        """Complex numbers as pairs of real ones, along a last axis."""
        return np.stack([np.real(value), np.imag(value)], axis=-1)

    def from_pairs(self, value: Any) -> Any:
        """The complex numbers of such pairs."""
        return value[..., 0] + 1j * value[..., 1]

    def cotangent_arrays(self, given: Any) -> list[NDArray]:
        """Cotangents in any structure, as arrays; complex ones as pairs."""
        found = [v for _, v in self.flatten(given)[0] if not isinstance(v, CONSTANTS)]
        return [np.asarray(self.pairs(v) if self.is_complex(v) else v) for v in found]

    def vjp_batch(self, inputs: Sequence[Any], batch: Sequence[Sequence[NDArray | None]]) -> list[Gradients]:
        """The gradients for several cotangents, as the framework gives them for a batch."""
        return [self.vjp(inputs, cotangents) for cotangents in batch]


class Recorded(Adapter):
    """A function of tensors that are recorded: its gradient is one, too."""

    grad: Callable[..., Any]
    """What gives the gradients of some outputs, as ``torch.autograd.grad`` does."""

    def moves(self, leaf: Any) -> bool:
        """Tensors that require a gradient do."""
        return bool(getattr(leaf, "requires_grad", False))

    def leaf(self, a: NDArray) -> Any:
        """A tensor that requires a gradient."""
        raise NotImplementedError

    def tensor(self, v: NDArray) -> Any:
        """A cotangent as `grad` takes it."""
        return v

    def evaluate(self, inputs: Sequence[Any]) -> Arrays:
        """The values of the outputs."""
        return tuple(np.array(y.detach().numpy()) for y in self.outputs(self._tensors(inputs)))

    def vjp(self, inputs: Sequence[Any], cotangents: Sequence[NDArray | None]) -> Gradients:
        """The gradients of one backward pass."""
        return self.vjps(inputs, [cotangents])[0]

    def vjps(
        self,
        inputs: Sequence[Any],
        batch: Sequence[Sequence[NDArray | None]],
        *,
        seen: Callable[[Arrays], None] | None = None,
        **options: Any,
    ) -> list[Gradients]:
        """One forward pass, whose values are shown, and one backward pass through its graph for each cotangent."""
        tensors = self._tensors(inputs)
        outputs = self.outputs(tensors)
        _check_unchanged(tensors, inputs)
        if seen is not None:
            seen(tuple(y.detach().numpy() for y in outputs))
        moving = [t for t, a in zip(tensors, inputs, strict=True) if isinstance(a, np.ndarray)]
        options = {"allow_unused": True, "retain_graph": len(batch) > 1, **options}
        results = []
        for cotangents in batch:
            pairs = [(y, v) for y, v in zip(outputs, cotangents, strict=True) if v is not None and y.requires_grad]
            if not pairs:
                raise Misbehaves(NOT_RECORDED)
            found = self.grad([y for y, _ in pairs], moving, [self.tensor(v) for _, v in pairs], **options)
            results.append(_by_input(found, inputs))
        return results

    def outputs(self, tensors: Sequence[Any]) -> list[Any]:
        """What the function returns for tensors, as a list."""
        raise NotImplementedError

    def cotangents(self, tensors: Sequence[Any], given: Any, draw: Callable[[NDArray], NDArray]) -> list[Any]:
        """The cotangents of the floating outputs: those that are given, or else drawn."""
        if given is None:
            return [self.leaf(draw(y.detach().numpy())) for y in self._floating(tensors)]
        found = [v for _, v in leaves(given) if not isinstance(v, CONSTANTS)]
        return [self.pairs(v.detach()).clone().requires_grad_() if self.is_complex(v) else v for v in found]

    def cotangent_arrays(self, given: Any) -> list[NDArray]:
        """The same as arrays."""
        found = [v.detach() if hasattr(v, "detach") else v for _, v in leaves(given)]
        return super().cotangent_arrays(found)

    def gradient(self, inputs: Sequence[Any], cotangents: Sequence[Any]) -> "Adapter | None":
        """The gradients as a function of inputs and cotangents; None if they are 0, and not recorded."""
        count, wanted = len(inputs), [k for k, a in enumerate(inputs) if self.moves(a)]

        def gradients(given: Sequence[Any], v: Sequence[Any]) -> list[Any]:
            pairs = [(y, w) for y, w in zip(self._floating(given), v, strict=True) if y.requires_grad]
            if not pairs:
                return []
            ys, ws = zip(*pairs, strict=True)
            found = self.grad(ys, [given[k] for k in wanted], ws, create_graph=True, allow_unused=True)
            return [g for g in found if g is not None]

        def gradient(*arguments: Any) -> tuple[Any, ...]:
            return tuple(g for g in gradients(arguments[:count], arguments[count:]) if g.requires_grad)

        first = gradients(inputs, cotangents)
        zero = first and not any(g.requires_grad or np.any(g.detach().numpy()) for g in first)
        return None if zero else self.over(gradient)

    def recorded(self, inputs: Sequence[Any]) -> list[bool]:
        """Of each output, whether it has a history."""
        return [y.requires_grad for y in self.outputs(self._tensors(inputs))]

    def _tensors(self, inputs: Sequence[Any]) -> list[Any]:
        return [self.leaf(a) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a for a in inputs]

    def _floating(self, tensors: Sequence[Any]) -> list[Any]:
        return [y for y in self.outputs(tensors) if y.is_floating_point()]


class TensorFunction(Recorded):
    """A function of our Tensors; its VJP is the backward pass."""

    batched = "one after another through one recorded graph"
    forward = "the derivative of the backward pass"
    grad = staticmethod(autograd.grad)

    def leaf(self, a: NDArray) -> Tensor:
        """A Tensor that requires a gradient."""
        return Tensor(a, requires_grad=True)

    def unpack(self, inputs: Sequence[Any]) -> tuple[list[Any], list[int]]:
        """Tensors that require a gradient become arrays; everything else stays."""
        values = [Tensor(a) if isinstance(a, np.ndarray) else a for a in inputs]
        wanted = [k for k, a in enumerate(values) if isinstance(a, Tensor) and a.requires_grad]
        return [a.detach().numpy() if k in wanted else a for k, a in enumerate(values)], wanted

    def vjp_batch(self, inputs: Sequence[Any], batch: Sequence[Sequence[NDArray | None]]) -> list[Gradients]:
        """One forward pass, and one backward pass through its graph for each of the cotangents."""
        return self.vjps(inputs, batch)

    def jvp(self, inputs: Sequence[Any], directions: Sequence[NDArray]) -> list[NDArray]:
        """Ju of each output: the backward pass is linear in the cotangents, and Ju is its derivative by them."""
        tensors = self._tensors(inputs)
        ys = self.outputs(tensors)
        moving = [t for t, a in zip(tensors, inputs, strict=True) if isinstance(a, np.ndarray)]
        recorded = [y for y in ys if y.requires_grad]
        vs = [Tensor(cotangent(y.shape, y.dtype), requires_grad=True) for y in recorded]
        found = autograd.grad(recorded, moving, vs, create_graph=True, allow_unused=True)
        products = [
            (g * u.astype(g.dtype.dtype)).sum() for g, u in zip(found, directions, strict=True) if g is not None
        ]
        slopes = iter(autograd.grad(products, vs, allow_unused=True, materialize_grads=True) if products else [])
        return [next(slopes).numpy() if y.requires_grad else np.zeros(y.shape) for y in ys]

    def outputs(self, tensors: Sequence[Any]) -> list[Tensor]:
        """What the function returns for Tensors, as a list."""
        return _listed(self.function(*tensors), Tensor, "a Tensor or a tuple of Tensors")


class NumpyPair(Adapter):
    """A function of arrays and its VJP, both written by hand, and its JVP, if it has one."""

    forward = "the jvp"

    def __init__(
        self, function: Callable[..., Any], vjp: Callable[..., Any], jvp: Callable[..., Any] | None = None
    ) -> None:
        super().__init__(function)
        self.written, self.written_jvp = vjp, jvp
        """The VJP and the JVP as they were written."""
        self.takes_pairs = False
        self._returned: Any = None
        """What the function has returned, as a tree of dtypes: cotangents are given in that structure."""

    @property
    def is_real(self) -> bool:
        """Whether no number that it takes or gives is complex."""
        return not self.takes_pairs and all(kind is None or kind.kind != "c" for _, kind in leaves(self._returned))

    def moves(self, leaf: Any) -> bool:
        """Numbers of NumPy's do, too, if they are complex: then they are no part of a list that is an array."""
        return super().moves(leaf) or isinstance(leaf, np.complexfloating)

    def unpack(self, inputs: Sequence[Any]) -> tuple[list[Any], list[int]]:
        """Arrays (and NumPy's numbers) of a floating dtype have a derivative; Python's numbers are constants."""
        values = [np.asarray(a) if isinstance(a, np.generic) or _is_array(a) else a for a in inputs]
        return super().unpack(values)

    def evaluate(self, inputs: Sequence[Any]) -> Arrays:
        """The outputs of the function, complex ones as pairs: unless complex steps are taken with a real function."""
        complex_step = any(isinstance(a, np.ndarray) and a.dtype.kind == "c" for a in inputs)
        returned, self._returned = self._returned, None
        outputs = self._call(inputs)
        if complex_step:
            self._returned = returned
            return tuple(outputs)
        return tuple(self.pairs(y) if self.is_complex(y) else y for y in outputs)

    def vjp(self, inputs: Sequence[Any], cotangents: Sequence[NDArray | None]) -> Gradients:
        """What the hand-written VJP returns, one per input."""
        if self._returned is None:
            self._call(inputs)
        kinds = [kind for _, kind in leaves(self._returned)]
        given = iter(cotangents)
        parts = [None if kind is None else self._like(next(given), kind) for kind in kinds]
        result = self.written(rebuilt(self._returned, parts), *inputs)
        gradients = tuple(result) if isinstance(result, (tuple, list)) else (result,)
        if len(gradients) != len(inputs):
            raise Misbehaves(
                f"gradcheck: the vjp returns {len(gradients)} gradients for {len(inputs)} inputs; "
                "expected one per input, None where there is none"
            )
        return tuple(None if g is None else np.asarray(g) for g in gradients)

    def jvp(self, inputs: Sequence[Any], directions: Sequence[NDArray]) -> list[NDArray]:
        """What the hand-written JVP returns, for one direction per array."""
        given = iter(directions)
        tangents = [next(given) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else None for a in inputs]
        result = self.written_jvp(tangents[0] if len(tangents) == 1 else tuple(tangents), *inputs)  # type: ignore[misc]
        outputs = zip(leaves(self._returned), aligned(self._returned, result), strict=True)
        slopes = [(kind, np.asarray(u)) for (_, kind), u in outputs if kind is not None]
        return [self.pairs(u) if kind.kind == "c" else u for kind, u in slopes]

    def _like(self, cotangent: NDArray | None, dtype: Any) -> NDArray | None:
        """A cotangent, of complex numbers if the output is of these."""
        return self.from_pairs(cotangent) if cotangent is not None and dtype.kind == "c" else cotangent

    def _call(self, inputs: Sequence[Any]) -> list[NDArray]:
        kinds = (np.ndarray, np.generic, int, float, complex)
        result = self.function(*inputs)
        if isinstance(result, np.ndarray):
            self._returned = result.dtype
            return [np.array(result)]
        outputs = [np.array(y) for y in _listed(result, kinds, "an array or a tuple of arrays")]
        of_each = iter(outputs)
        self._returned = rebuilt(
            result, (next(of_each).dtype if isinstance(y, kinds) else None for _, y in leaves(result))
        )
        return outputs


class TorchFunction(Recorded):
    """A function of PyTorch tensors; its VJP is ``torch.autograd.grad``, batched with ``is_grads_batched``."""

    batched = "at once (torch.autograd.grad, is_grads_batched)"
    forward = "torch.autograd.forward_ad"

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._torch = _optional("torch", "torch_function")
        self.grad = self._torch.autograd.grad

    def is_complex(self, value: Any) -> bool:
        """Whether a tensor is of complex numbers."""
        return isinstance(value, self._torch.Tensor) and value.is_complex()

    def pairs(self, value: Any) -> Any:
        """Complex numbers as pairs of real ones, along a last axis."""
        return self._torch.view_as_real(value.resolve_conj())

    def from_pairs(self, value: Any) -> Any:
        """The complex numbers of such pairs."""
        return self._torch.view_as_complex(value.contiguous())

    def leaf(self, a: NDArray) -> Any:
        """A tensor that requires a gradient, whose elements lie as those of the array do."""
        t = self._torch.from_numpy(np.array(a))  # a fifth of what `torch.tensor` takes for a few elements
        if not a.flags.c_contiguous and min(a.strides) > 0:
            strides = [s // a.itemsize for s in a.strides]
            t = self._torch.empty_strided(a.shape, strides, dtype=t.dtype).copy_(t)
        return t.requires_grad_()

    def unpack(self, inputs: Sequence[Any]) -> tuple[list[Any], list[int]]:
        """Tensors that require a gradient become arrays; everything else stays."""
        wanted = [k for k, a in enumerate(inputs) if self.moves(a)]
        for k in wanted:
            self._check_dtype(inputs[k], f"input {k}")
        return [a.detach().numpy() if k in wanted else a for k, a in enumerate(inputs)], wanted

    def tensor(self, v: NDArray) -> Any:
        """A cotangent as `grad` takes it."""
        return self._torch.as_tensor(v)

    def _check_dtype(self, a: Any, what: str) -> None:
        if a.layout != self._torch.strided:
            raise WrongType(SPARSE.format(what))
        if a.dtype == self._torch.bfloat16:
            raise WrongType(BFLOAT16.format(what))

    def vjp_batch(self, inputs: Sequence[Any], batch: Sequence[Sequence[NDArray | None]]) -> list[Gradients]:
        """The gradients of a batch of cotangents, at once."""
        stacked = [None if vs[0] is None else np.stack([np.asarray(v) for v in vs]) for vs in zip(*batch, strict=True)]
        found = self.vjps(inputs, [stacked], is_grads_batched=True)[0]
        return [tuple(None if g is None else g[b] for g in found) for b in range(len(batch))]

    def jvp(self, inputs: Sequence[Any], directions: Sequence[NDArray]) -> list[NDArray]:
        """Ju of each output, in PyTorch's forward mode."""
        forward_ad, given = self._torch.autograd.forward_ad, iter(directions)
        with forward_ad.dual_level():
            duals = [
                forward_ad.make_dual(t, self._torch.tensor(next(given).astype(a.dtype)))
                if isinstance(a, np.ndarray)
                else t
                for t, a in zip(self._tensors(inputs), inputs, strict=True)
            ]
            pairs = [forward_ad.unpack_dual(y) for y in self.outputs(duals)]
            return [
                np.zeros(p.primal.shape) if p.tangent is None else np.array(p.tangent.detach().numpy()) for p in pairs
            ]

    def outputs(self, tensors: Sequence[Any]) -> list[Any]:
        """What the function returns for tensors, as a list; complex ones as pairs."""
        outputs = _listed(self.function(*tensors), self._torch.Tensor, "a torch.Tensor or a tuple of them")
        for k, y in enumerate(outputs):
            self._check_dtype(y, f"output {k}")
        return [self.pairs(y) if y.is_complex() else y for y in outputs]


class JaxFunction(Adapter):
    """A function of JAX arrays; its VJP is ``jax.vjp``, batched with ``jax.vmap``."""

    batched = "at once (jax.vmap of jax.vjp)"
    forward = "jax.jvp"

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._jax = _optional("jax", "jax_function")

    def flatten(self, tree: Any) -> tuple[list[Named], Callable[[Iterable[Any]], Any]]:
        """The leaves as JAX has them: what it knows as a pytree has its own."""
        found, structure = self._jax.tree_util.tree_flatten_with_path(tree)
        return [(self._jax.tree_util.keystr(path), leaf) for path, leaf in found], structure.unflatten

    def moves(self, leaf: Any) -> bool:
        """Arrays of inexact numbers do."""
        arrays = (self._jax.Array, np.ndarray, np.complexfloating)
        return isinstance(leaf, arrays) and bool(self._jax.numpy.issubdtype(leaf.dtype, self._jax.numpy.inexact))

    def pairs(self, value: Any) -> Any:
        """Complex numbers as pairs of real ones, along a last axis."""
        return self._jax.numpy.stack([value.real, value.imag], axis=-1)

    def unpack(self, inputs: Sequence[Any]) -> tuple[list[Any], list[int]]:
        """Arrays of a floating dtype have a derivative, at the precision JAX is set to."""
        x64 = self._jax.config.jax_enable_x64
        for k, a in enumerate(inputs):
            if getattr(a, "dtype", None) == self._jax.numpy.bfloat16:
                raise WrongType(BFLOAT16.format(f"input {k}"))
        values = [np.asarray(a) if self._is_plain(a) else a for a in inputs]
        values = [
            a.astype(np.float32) if not x64 and isinstance(a, np.ndarray) and a.dtype == np.float64 else a
            for a in values
        ]
        return super().unpack(values)

    def _is_plain(self, a: Any) -> bool:
        """Whether NumPy has such arrays: it has none of random keys."""
        is_array = isinstance(a, (self._jax.Array, np.ndarray, np.generic))
        return is_array and not self._jax.numpy.issubdtype(a.dtype, self._jax.dtypes.extended)

    def evaluate(self, inputs: Sequence[Any]) -> Arrays:
        """The values of the outputs."""
        arguments = [self._jax.numpy.asarray(a) if isinstance(a, np.ndarray) else a for a in inputs]
        return tuple(np.array(y) for y in self.outputs(arguments))

    def outputs(self, arguments: Sequence[Any]) -> list[Any]:
        """What the function returns for JAX arrays, as a list; complex ones as pairs."""
        found = self._jax.tree_util.tree_leaves(self.function(*arguments))
        outputs = [y for y in found if not isinstance(y, CONSTANTS)]
        _check_kinds(outputs or found or [None], self._jax.Array, "a JAX array or a tuple of them")
        return [self.pairs(y) if np.iscomplexobj(y) else y for y in outputs]

    def vjp(self, inputs: Sequence[Any], cotangents: Sequence[NDArray | None]) -> Gradients:
        """The gradients that ``jax.vjp`` gives."""
        return self.vjps(inputs, [cotangents])[0]

    def vjps(self, inputs: Sequence[Any], batch: Sequence[Sequence[NDArray | None]]) -> list[Gradients]:
        """The same for several cotangents, from one forward pass."""
        pull, given, wanted = self._pull(inputs)
        return [_placed(pull(self._shaped(given, cotangents)), wanted, len(inputs)) for cotangents in batch]

    def vjp_batch(self, inputs: Sequence[Any], batch: Sequence[Sequence[NDArray | None]]) -> list[Gradients]:
        """The gradients of a batch of cotangents, at once."""
        pull, given, wanted = self._pull(inputs)
        each = [self._shaped(given, cotangents) for cotangents in batch]
        stacked = self._jax.tree_util.tree_map(lambda *vs: self._jax.numpy.stack(vs), *each)
        found = self._jax.vmap(pull)(stacked)
        return [_placed([g[b] for g in found], wanted, len(inputs)) for b in range(len(batch))]

    def jvp(self, inputs: Sequence[Any], directions: Sequence[NDArray]) -> list[NDArray]:
        """Ju of each output, by ``jax.jvp``."""
        some, values, _ = self._of_arrays(inputs)
        tangents = [self._jax.numpy.asarray(u, a.dtype) for u, a in zip(directions, values, strict=True)]
        slopes = self._jax.jvp(some, values, tangents)[1]
        return [np.zeros(u.shape) if u.dtype == self._jax.dtypes.float0 else np.array(u) for u in slopes]

    def _pull(self, inputs: Sequence[Any]) -> tuple[Any, Any, list[int]]:
        some, values, wanted = self._of_arrays(inputs)
        y, pull = self._jax.vjp(some, *values)
        return pull, y, wanted

    def _of_arrays(self, inputs: Sequence[Any]) -> tuple[Callable[..., list[Any]], list[Any], list[int]]:
        """The outputs as a function of the inputs that have a derivative, these, and their places."""
        wanted = [k for k, a in enumerate(inputs) if self._is_plain(a) and a.dtype.kind == "f"]

        def some(*given: Any) -> list[Any]:
            arguments = [self._jax.numpy.asarray(a) if isinstance(a, np.ndarray) else a for a in inputs]
            for k, a in zip(wanted, given, strict=True):
                arguments[k] = a
            return self.outputs(arguments)

        return some, [self._jax.numpy.asarray(inputs[k]) for k in wanted], wanted

    def cotangents(self, inputs: Sequence[Any], given: Any, draw: Callable[[NDArray], NDArray]) -> list[NDArray]:
        """The cotangents of the floating outputs: those that are given, or else drawn."""
        if given is not None:
            return self.cotangent_arrays(given)
        return [draw(y) for y in self.evaluate(self.unpack(inputs)[0]) if y.dtype.kind == "f"]

    def gradient(self, inputs: Sequence[Any], cotangents: Sequence[Any]) -> "Adapter":
        """The gradients as a function of inputs and cotangents."""
        count = len(inputs)

        def gradient(*arguments: Any) -> list[Any]:
            some, values, _ = self._of_arrays(arguments[:count])
            _, pull = self._jax.vjp(lambda *given: [y for y in some(*given) if y.dtype.kind == "f"], *values)
            return list(pull(list(arguments[count:])))

        return self.over(gradient)

    def _shaped(self, outputs: Sequence[Any], cotangents: Sequence[NDArray | None]) -> list[Any]:
        zero = self._jax.dtypes.float0
        return [
            np.zeros(y.shape, zero) if v is None else self._jax.numpy.asarray(v)
            for y, v in zip(outputs, cotangents, strict=True)
        ]


class Pushed:
    """A function whose gradient is taken from its JVP, one element after another: what judges that, judges the JVP."""

    def __init__(self, thing: Any) -> None:
        if not hasattr(thing, "jvp") or getattr(thing, "written_jvp", thing) is None:
            raise WrongType(f"gradcheck: {name_of(thing)} has no jvp, and check_backward_ad=False leaves nothing else")
        self.thing, self.name, self.unpack, self.evaluate = thing, name_of(thing), thing.unpack, thing.evaluate

    def vjp(self, inputs: Sequence[Any], cotangents: Sequence[NDArray | None]) -> Gradients:
        """⟨v, Jeᵢ⟩ for every element i."""
        places = [k for k, a in enumerate(inputs) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
        found: list[NDArray | None] = [None] * len(inputs)
        for k in places:
            gradient = np.zeros(inputs[k].size, inputs[k].dtype)
            for i in range(gradient.size):
                directions = [np.zeros(inputs[j].shape, inputs[j].dtype) for j in places]
                directions[places.index(k)].reshape(-1)[i] = 1
                pairs = zip(cotangents, self.thing.jvp(inputs, directions), strict=True)
                gradient[i] = sum(float(np.sum(v * u)) for v, u in pairs if v is not None)
            found[k] = gradient.reshape(inputs[k].shape)
        return tuple(found)


class CachedPair(NumpyPair):
    """A pair in which the forward function hands what it kept, its cache, to the backward function."""

    def __init__(self, forward: Callable[..., Any], backward: Callable[..., Any]) -> None:
        super().__init__(lambda *inputs: self._run(inputs)[0], self._gradients)
        self.name = name_of(forward)
        self._forward, self._backward = forward, backward
        self._moving: list[int] = []
        """The places of the arrays among the inputs: what is written down in their place is of another class."""

    def unpack(self, inputs: Sequence[Any]) -> tuple[list[Any], list[int]]:
        """Arrays of a floating dtype have a derivative."""
        values, self._moving = super().unpack(inputs)
        return values, self._moving

    def _run(self, inputs: Sequence[Any]) -> tuple[Any, Any]:
        """The output and the cache."""
        returned = self._forward(*inputs)
        if not (isinstance(returned, tuple) and len(returned) == 2):
            found = f"a tuple of {len(returned)}" if isinstance(returned, tuple) else type(returned).__name__
            raise WrongType(f"gradcheck: {self.name} returns {found}; expected (out, cache)")
        return returned

    def _gradients(self, g: Any, *inputs: Any) -> tuple[Any, ...]:
        """What the backward function returns, one per input; inputs that are no arrays may be left out."""
        found = self._backward(g, self._run(inputs)[1])
        if isinstance(found, dict):
            return self._by_name(found, len(inputs))
        gradients = tuple(found) if isinstance(found, (tuple, list)) else (found,)
        if len(gradients) in (len(inputs), len(self._moving)):
            places = range(len(inputs)) if len(gradients) == len(inputs) else self._moving
            of_each = dict(zip(places, gradients, strict=True))
            return tuple(of_each.get(k) for k in range(len(inputs)))
        raise Misbehaves(
            f"gradcheck: {name_of(self._backward)} returns {len(gradients)} gradients for {len(self._moving)} arrays; "
            "expected one per array"
        )

    def _by_name(self, found: dict[str, Any], count: int) -> tuple[Any, ...]:
        """The gradients of a dictionary, where that of ``w`` is called ``dw`` or ``w``."""
        names = list(signature(self._forward).parameters)[:count]
        known = {key: name for name in names for key in (name, f"d{name}")}
        strangers = [key for key in found if key not in known]
        if strangers:
            expected = ", ".join(f"d{name}" for name in names)
            raise Misbehaves(
                f"gradcheck: {name_of(self._backward)} returns a gradient {strangers[0]!r}, which is of no input of "
                f"{self.name}; expected {expected}"
            )
        of_each = {known[key]: g for key, g in found.items()}
        return tuple(of_each.get(name) for name in names)


def tensor_function(function: Callable[..., Any]) -> TensorFunction:
    """A function of our Tensors, as `gradcheck` takes it: the default for a plain callable.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> from tinygrad_cnn.gradcheck import gradcheck, tensor_function
    >>> x = tg.tensor([0.5], dtype=tg.float64, requires_grad=True)
    >>> bool(gradcheck(tensor_function(tg.sin), x))
    True
    """
    return TensorFunction(function)


def numpy_pair(
    function: Callable[..., Any], vjp: Callable[..., Any], jvp: Callable[..., Any] | None = None
) -> NumpyPair:
    """A function of arrays and its hand-written VJP, as `gradcheck` takes them.

    Parameters
    ----------
    function : ``f(*arrays)``, returns an array or a tuple of arrays
    vjp : ``vjp(g, *arrays)``, returns one gradient per input (None: there is none); ``g`` is the cotangent, a tuple
        of them if f returns a tuple, and in general of the structure of what f returns. Of complex inputs the gradient
        is PyTorch's, ∂L/∂Re z + i ∂L/∂Im z; of complex outputs so is ``g``
    jvp : ``jvp(u, *arrays)``, if there is one, returns the derivative along ``u`` as f returns its values; ``u`` is a
        tuple if f takes several arrays. It is compared with the VJP

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_cnn.gradcheck import gradcheck
    >>> bool(gradcheck(numpy_pair(np.sin, lambda g, x: g * np.cos(x)), [np.array([0.5, 2.0])]))
    True
    """
    return NumpyPair(function, vjp, jvp)


def cached_pair(forward: Callable[..., Any], backward: Callable[..., Any]) -> CachedPair:
    """A pair in the form that course assignments have, as `gradcheck` takes it.

    Parameters
    ----------
    forward : ``forward(x, w, ...)``, returns ``(out, cache)``; the cache may be anything
    backward : ``backward(dout, cache)``, returns one gradient per array, in the order of the inputs, or a dictionary
        with the gradient of ``w`` under ``"dw"``. Inputs that are no floating arrays need none

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_cnn.gradcheck import gradcheck
    >>> def forward(x, w):
    ...     return x @ w, (x, w)
    >>> def backward(dout, cache):
    ...     x, w = cache
    ...     return dout @ w.T, x.T @ dout
    >>> bool(gradcheck(cached_pair(forward, backward), [np.eye(2, 3), np.ones((3, 2))]))
    True
    """
    return CachedPair(forward, backward)


def torch_function(function: Callable[..., Any]) -> TorchFunction:
    """A function of PyTorch tensors, as `gradcheck` takes it; needs PyTorch."""
    return TorchFunction(function)


def jax_function(function: Callable[..., Any]) -> JaxFunction:
    """A function of JAX arrays, as `gradcheck` takes it; needs JAX."""
    return JaxFunction(function)


def name_of(function: Any) -> str:
    """A short name: the op of an `apply`, the function's own, that of what an adapter made of it, or its class."""
    owner = getattr(function, "__self__", None)
    if isinstance(owner, type) and getattr(function, "__name__", "") == "apply":
        return owner.__name__
    return str(getattr(function, "__name__", getattr(function, "name", type(function).__name__)))


def same(a: NDArray, b: NDArray) -> bool:
    """Whether two arrays are equal, NaN too: asked without NaN first, which is four times as fast."""
    return np.array_equal(a, b) or np.array_equal(a, b, equal_nan=a.dtype.kind in "fc" and b.dtype.kind in "fc")


def unpacked(thing: Any, inputs: Sequence[Any]) -> tuple[list[Any], list[int]]:
    """The arguments of what is checked, and the places of those with a derivative; all arrays, if it does not say."""
    unpack = getattr(thing, "unpack", None) or Adapter(lambda: None).unpack
    values, checked = unpack(inputs)
    return values, checked


class Narrowed:
    """What is checked, in some of its inputs only: `unpack` says in which."""

    def __init__(self, thing: Checked, unpack: Callable[[Sequence[Any]], tuple[list[Any], list[int]]]) -> None:
        self.name, self.unpack = name_of(thing), unpack
        self.evaluate, self.vjp = thing.evaluate, thing.vjp


def _listed(result: Any, kinds: Any, expected: str) -> list[Any]:
    """What a function returned, as a list of things of these kinds: what there is in its structure beside constants."""
    outputs = [y for _, y in leaves(result) if isinstance(y, kinds) or not isinstance(y, CONSTANTS)]
    _check_kinds(outputs or [result], kinds, expected)
    return outputs


def _check_kinds(outputs: Iterable[Any], kinds: Any, expected: str) -> None:
    for y in outputs:
        if not isinstance(y, kinds):
            wrong = ReturnedArray if isinstance(y, np.ndarray) else WrongType
            raise wrong(f"gradcheck: the function returned {type(y).__name__}; expected {expected}")


def _check_unchanged(tensors: Sequence[Any], inputs: Sequence[Any]) -> None:
    """The tensors still hold what the arrays do that they were made of."""
    for t, a in zip(tensors, inputs, strict=True):
        if isinstance(a, np.ndarray) and hasattr(t, "detach") and not same(t.detach().numpy(), a):
            raise Misbehaves(MODIFIED)


def _is_array(value: Any) -> bool:
    """Whether a list is one of numbers, in lists or not."""
    return isinstance(value, list) and all(_is_array(v) or isinstance(v, (int, float, np.generic)) for v in value)


def _by_input(gradients: Iterable[Any], inputs: Sequence[Any]) -> Gradients:
    """The gradients of the leaves, which stand for the arrays among the inputs; None for the other inputs."""
    found = iter(gradients)
    of_each = [next(found) if isinstance(a, np.ndarray) else None for a in inputs]
    return tuple(None if g is None else np.array(g.detach().numpy()) for g in of_each)


def _optional(module: str, wanted_by: str) -> ModuleType:
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(f"{wanted_by}: {module} is not installed; pip install {module}") from error


def _placed(gradients: Sequence[Any], wanted: Sequence[int], count: int) -> Gradients:
    found = dict(zip(wanted, gradients, strict=True))
    return tuple(np.array(found[k]) if k in found else None for k in range(count))
