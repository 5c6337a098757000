"""What is checked: a function and its vector-Jacobian product, whoever wrote them.

Adapters for functions of our Tensors, plain NumPy pairs, PyTorch and JAX. To the checker all of them are the same
two methods on arrays; nothing here judges.
"""

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, Protocol, runtime_checkable

import numpy as np

from tinygrad_cnn import autograd
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.gradcheck.problems import MODIFIED, Misbehaves, ReturnedArray, WrongType
from tinygrad_cnn.tensor import Tensor

__all__ = ["Checked", "jax_function", "numpy_pair", "tensor_function", "torch_function"]

NOT_RECORDED = "gradcheck: no output requires a gradient; the function leaves the graph (detach, numpy, no_grad?)"

BFLOAT16 = (
    "gradcheck: {} is bfloat16, of which NumPy has no numbers and whose 8 bits leave no difference to compare; check "
    "the same function in float32 or float64"
)

Arrays = tuple[NDArray, ...]
Gradients = tuple[NDArray | None, ...]


@runtime_checkable
class Checked(Protocol):
    """A function and its vector-Jacobian product, on arrays.

    ``inputs`` are all arguments of the function: those with a derivative as ndarrays, the others as they are.
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

    def vjp(self, inputs: Sequence[Any], cotangents: Sequence[NDArray | None]) -> Gradients:
        """One gradient per input, None where there is none."""
        raise NotImplementedError

    def vjp_batch(self, inputs: Sequence[Any], batch: Sequence[Sequence[NDArray | None]]) -> list[Gradients]:
        """The gradients for several cotangents, as the framework gives them for a batch."""
        return [self.vjp(inputs, cotangents) for cotangents in batch]


class TensorFunction(Adapter):
    """A function of our Tensors; its VJP is the backward pass."""

    batched = "one after another through one recorded graph"

    def unpack(self, inputs: Sequence[Any]) -> tuple[list[Any], list[int]]:
        """Tensors that require a gradient become arrays; everything else stays."""
        values = [Tensor(a) if isinstance(a, np.ndarray) else a for a in inputs]
        wanted = [k for k, a in enumerate(values) if isinstance(a, Tensor) and a.requires_grad]
        return [a.detach().numpy() if k in wanted else a for k, a in enumerate(values)], wanted

    def evaluate(self, inputs: Sequence[Any]) -> Arrays:
        """The values of the outputs."""
        return tuple(np.array(y.detach().numpy()) for y in self.outputs(self._tensors(inputs)))

    def vjp(self, inputs: Sequence[Any], cotangents: Sequence[NDArray | None]) -> Gradients:
        """The gradients of one backward pass."""
        return self.vjps(inputs, [cotangents])[0]

    def vjp_batch(self, inputs: Sequence[Any], batch: Sequence[Sequence[NDArray | None]]) -> list[Gradients]:
        """One forward pass, and one backward pass through its graph for each of the cotangents."""
        return self.vjps(inputs, batch)

    def vjps(self, inputs: Sequence[Any], batch: Sequence[Sequence[NDArray | None]]) -> list[Gradients]:
        """The same: nothing is faster than one cotangent after another."""
        tensors = self._tensors(inputs)
        outputs = self.outputs(tensors)
        if any(
            isinstance(a, np.ndarray) and not same(t.detach().numpy(), a) for t, a in zip(tensors, inputs, strict=True)
        ):
            raise Misbehaves(MODIFIED)
        leaves = [t for t, a in zip(tensors, inputs, strict=True) if isinstance(a, np.ndarray)]
        results = []
        for cotangents in batch:
            pairs = [
                (y, v)
                for y, v in zip(outputs, cotangents, strict=True)
                if v is not None and isinstance(y, Tensor) and y.requires_grad
            ]
            if not pairs:
                raise Misbehaves(NOT_RECORDED)
            ys, vs = zip(*pairs, strict=True)
            found = autograd.grad(ys, leaves, vs, allow_unused=True, retain_graph=len(batch) > 1)
            results.append(_by_input(found, inputs))
        return results

    def recorded(self, inputs: Sequence[Any]) -> list[bool]:
        """Of each output, whether it has a history."""
        return [y.requires_grad for y in self.outputs(self._tensors(inputs))]

    def jvp(self, inputs: Sequence[Any], directions: Sequence[NDArray]) -> list[NDArray]:
        """Ju of each output: the backward pass is linear in the cotangents, and Ju is its derivative by them."""
        tensors = self._tensors(inputs)
        ys = self.outputs(tensors)
        leaves = [t for t, a in zip(tensors, inputs, strict=True) if isinstance(a, np.ndarray)]
        moving = [y for y in ys if y.requires_grad]
        vs = [Tensor(np.zeros(y.shape, y.dtype), requires_grad=True) for y in moving]
        found = autograd.grad(moving, leaves, vs, create_graph=True, allow_unused=True)
        products = [
            (g * u.astype(g.dtype.dtype)).sum() for g, u in zip(found, directions, strict=True) if g is not None
        ]
        slopes = iter(autograd.grad(products, vs, allow_unused=True, materialize_grads=True) if products else [])
        return [next(slopes).numpy() if y.requires_grad else np.zeros(y.shape) for y in ys]

    def _tensors(self, inputs: Sequence[Any]) -> list[Any]:
        return [Tensor(a, requires_grad=True) if isinstance(a, np.ndarray) else a for a in inputs]

    def outputs(self, tensors: Sequence[Any]) -> list[Tensor]:
        """What the function returns for Tensors, as a list."""
        return _listed(self.function(*tensors), Tensor, "a Tensor or a tuple of Tensors")


class NumpyPair(Adapter):
    """A function of arrays and its VJP, both written by hand."""

    def __init__(self, function: Callable[..., Any], vjp: Callable[..., Any]) -> None:
        super().__init__(function)
        self.written = vjp
        """The VJP as it was written."""

    def unpack(self, inputs: Sequence[Any]) -> tuple[list[Any], list[int]]:
        """Arrays (and NumPy's numbers) of a floating dtype have a derivative; Python's numbers are constants."""
        values = [np.asarray(a) if isinstance(a, (np.generic, list)) else a for a in inputs]
        return super().unpack(values)

    def evaluate(self, inputs: Sequence[Any]) -> Arrays:
        """The outputs of the function."""
        kinds = (np.ndarray, np.generic, int, float, complex)
        return tuple(np.array(y) for y in _listed(self.function(*inputs), kinds, "an array or a tuple of arrays"))

    def vjp(self, inputs: Sequence[Any], cotangents: Sequence[NDArray | None]) -> Gradients:
        """What the hand-written VJP returns, one per input."""
        several = isinstance(self.function(*inputs), (tuple, list)) if len(cotangents) == 1 else True
        given: Any = tuple(cotangents) if several else cotangents[0]
        result = self.written(given, *inputs)
        gradients = tuple(result) if isinstance(result, (tuple, list)) else (result,)
        if len(gradients) != len(inputs):
            raise Misbehaves(
                f"gradcheck: the vjp returns {len(gradients)} gradients for {len(inputs)} inputs; "
                "expected one per input, None where there is none"
            )
        return tuple(None if g is None else np.asarray(g) for g in gradients)


class TorchFunction(Adapter):
    """A function of PyTorch tensors; its VJP is ``torch.autograd.grad``, batched with ``is_grads_batched``."""

    batched = "at once (torch.autograd.grad, is_grads_batched)"

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._torch = _optional("torch", "torch_function")

    def unpack(self, inputs: Sequence[Any]) -> tuple[list[Any], list[int]]:
        """Tensors that require a gradient become arrays; everything else stays."""
        wanted = [k for k, a in enumerate(inputs) if getattr(a, "requires_grad", False)]
        for k in wanted:
            self._check_dtype(inputs[k], f"input {k}")
        return [a.detach().numpy().copy() if k in wanted else a for k, a in enumerate(inputs)], wanted

    def evaluate(self, inputs: Sequence[Any]) -> Arrays:
        """The values of the outputs."""
        outputs = self._call(self._tensors(inputs))
        for k, y in enumerate(outputs):
            self._check_dtype(y, f"output {k}")
        return tuple(np.array(y.detach().numpy()) for y in outputs)

    def _check_dtype(self, a: Any, what: str) -> None:
        if a.dtype == self._torch.bfloat16:
            raise WrongType(BFLOAT16.format(what))

    def vjp(self, inputs: Sequence[Any], cotangents: Sequence[NDArray | None]) -> Gradients:
        """The gradients of one backward pass."""
        return self.vjps(inputs, [cotangents])[0]

    def vjps(self, inputs: Sequence[Any], batch: Sequence[Sequence[NDArray | None]]) -> list[Gradients]:
        """One forward pass, and one backward pass through its graph for each of the cotangents."""
        return self._gradients(inputs, batch, batched=False)

    def vjp_batch(self, inputs: Sequence[Any], batch: Sequence[Sequence[NDArray | None]]) -> list[Gradients]:
        """The gradients of a batch of cotangents, at once."""
        stacked = [None if vs[0] is None else np.stack([np.asarray(v) for v in vs]) for vs in zip(*batch, strict=True)]
        found = self._gradients(inputs, [stacked], batched=True)[0]
        return [tuple(None if g is None else g[b] for g in found) for b in range(len(batch))]

    def _gradients(
        self, inputs: Sequence[Any], batch: Sequence[Sequence[NDArray | None]], batched: bool
    ) -> list[Gradients]:
        tensors = self._tensors(inputs)
        leaves = [t for t, a in zip(tensors, inputs, strict=True) if isinstance(a, np.ndarray)]
        outputs = self._call(tensors)
        results = []
        for cotangents in batch:
            pairs = [(y, v) for y, v in zip(outputs, cotangents, strict=True) if v is not None and y.requires_grad]
            if not pairs:
                raise Misbehaves(NOT_RECORDED)
            ys, vs = zip(*((y, self._torch.tensor(v)) for y, v in pairs), strict=True)
            options = {"allow_unused": True, "retain_graph": len(batch) > 1, "is_grads_batched": batched}
            results.append(_by_input(self._torch.autograd.grad(ys, leaves, vs, **options), inputs))
        return results

    def _tensors(self, inputs: Sequence[Any]) -> list[Any]:
        return [
            self._torch.tensor(a).requires_grad_() if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a
            for a in inputs
        ]

    def _call(self, tensors: Sequence[Any]) -> list[Any]:
        return _listed(self.function(*tensors), self._torch.Tensor, "a torch.Tensor or a tuple of them")


class JaxFunction(Adapter):
    """A function of JAX arrays; its VJP is ``jax.vjp``, batched with ``jax.vmap``."""

    batched = "at once (jax.vmap of jax.vjp)"

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._jax = _optional("jax", "jax_function")

    def unpack(self, inputs: Sequence[Any]) -> tuple[list[Any], list[int]]:
        """Arrays of a floating dtype have a derivative, at the precision JAX is set to."""
        x64 = self._jax.config.jax_enable_x64
        for k, a in enumerate(inputs):
            if getattr(a, "dtype", None) == self._jax.numpy.bfloat16:
                raise WrongType(BFLOAT16.format(f"input {k}"))
        values = [np.asarray(a) if isinstance(a, (self._jax.Array, np.ndarray, np.generic)) else a for a in inputs]
        values = [
            a.astype(np.float32) if not x64 and isinstance(a, np.ndarray) and a.dtype == np.float64 else a
            for a in values
        ]
        return super().unpack(values)

    def evaluate(self, inputs: Sequence[Any]) -> Arrays:
        """The values of the outputs."""
        result = self.function(*(self._jax.numpy.asarray(a) if isinstance(a, np.ndarray) else a for a in inputs))
        return tuple(np.array(y) for y in _listed(result, self._jax.Array, "a JAX array or a tuple of them"))

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

    def _pull(self, inputs: Sequence[Any]) -> tuple[Any, Any, list[int]]:
        wanted = [k for k, a in enumerate(inputs) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]

        def some(*given: Any) -> Any:
            arguments = list(inputs)
            for k, a in zip(wanted, given, strict=True):
                arguments[k] = a
            return self.function(*arguments)

        y, pull = self._jax.vjp(some, *(self._jax.numpy.asarray(inputs[k]) for k in wanted))
        return pull, y, wanted

    def _shaped(self, outputs: Any, cotangents: Sequence[NDArray | None]) -> Any:
        several = isinstance(outputs, (tuple, list))
        zero = self._jax.dtypes.float0
        filled = [
            np.zeros(y.shape, zero) if v is None else self._jax.numpy.asarray(v)
            for y, v in zip(outputs if several else [outputs], cotangents, strict=True)
        ]
        return type(outputs)(filled) if several else filled[0]


def tensor_function(function: Callable[..., Any]) -> TensorFunction:
    """A function of our Tensors, as `gradcheck` takes it: the default for a plain callable."""
    return TensorFunction(function)


def numpy_pair(function: Callable[..., Any], vjp: Callable[..., Any]) -> NumpyPair:
    """A function of arrays and its hand-written VJP, as `gradcheck` takes them.

    Parameters
    ----------
    function : ``f(*arrays)``, returns an array or a tuple of arrays
    vjp : ``vjp(g, *arrays)``, returns one gradient per input (None: there is none); ``g`` is the cotangent, a tuple
        of them if f returns a tuple

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_cnn.gradcheck import gradcheck
    >>> bool(gradcheck(numpy_pair(np.sin, lambda g, x: g * np.cos(x)), [np.array([0.5, 2.0])]))
    True
    """
    return NumpyPair(function, vjp)


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
    """What a function returned, as a list of things of these kinds."""
    outputs = list(result) if isinstance(result, (tuple, list)) else [result]
    for y in outputs:
        if not isinstance(y, kinds):
            wrong = ReturnedArray if isinstance(y, np.ndarray) else WrongType
            raise wrong(f"gradcheck: the function returned {type(y).__name__}; expected {expected}")
    return outputs


def _by_input(gradients: Iterable[Any], inputs: Sequence[Any]) -> Gradients:
    """The gradients of the leaves, which stand for the arrays among the inputs; None for the other inputs."""
    found = iter(gradients)
    of_each = [next(found) if isinstance(a, np.ndarray) else None for a in inputs]
    return tuple(None if g is None else g.detach().numpy() for g in of_each)


def _optional(module: str, wanted_by: str) -> ModuleType:
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(f"{wanted_by}: {module} is not installed; pip install {module}") from error


def _placed(gradients: Sequence[Any], wanted: Sequence[int], count: int) -> Gradients:
    found = dict(zip(wanted, gradients, strict=True))
    return tuple(np.array(found[k]) if k in found else None for k in range(count))
