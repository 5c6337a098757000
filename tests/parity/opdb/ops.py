"""PyTorch's op_db on PyTorch and here: every sample, dtype, as function, method, in place, operator, with `out=`."""

import random
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch.testing._internal.common_methods_invocations import op_db

import tinygrad_cnn as tg
from tests.parity.opdb.exceptions import Evidence, excepted
from tests.parity.opdb.judge import (
    GRADIENT,
    SECOND,
    TOLERANCE,
    Case,
    Difference,
    array,
    brief,
    check_same,
    kind_of,
    leaves,
)
from tests.parity.opdb.translate import DTYPES, DTypeAbsent, NameAbsent, here, ours

UNDEFINED = {
    "empty",
    "empty_like",
    "empty_strided",
    "empty_permuted",
    "new_empty",
    "new_empty_strided",
    "resize_",
    "resize_as_",
}
"""Entries whose values are whatever the memory held: shapes and dtypes are compared."""

GAUGE = {
    "linalg.svd", "svd", "linalg.eigh", "symeig", "linalg.eig", "svd_lowrank", "pca_lowrank", "linalg.qr", "qr",
    "linalg.lstsq", "linalg.householder_product", "geqrf", "linalg.lu", "linalg.lu_factor", "ormqr",
}  # fmt: skip
"""Entries whose result is known up to signs or phases: where values differ, what PyTorch's own test makes of them is
compared (its `output_process_fn_grad`, that the choice of sign does not change)."""

ENTRIES = {f"{op.name}.{op.variant_test_name}" if op.variant_test_name else op.name: op for op in op_db}


class Call:
    """One call of a sample: its arguments copied for each library, what came out of each."""

    def __init__(self, sample: Any, grad: bool) -> None:
        self.sample = sample
        self.grad = grad

    def arguments(self, mine: bool) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
        """Fresh input, args and kwargs for a library."""
        s = self.sample
        convert = ours if mine else copied
        return convert(s.input, self.grad), convert(s.args, self.grad), convert(s.kwargs, self.grad)


def copied(value: Any, grad: bool) -> Any:
    """PyTorch's own argument, in memory of its own with the same strides."""
    if isinstance(value, torch.Tensor):
        if value.layout is not torch.strided or value.device.type != "cpu":
            return value
        t = value.detach()
        if t.is_contiguous():
            made = t.clone()
        else:
            storage = t.untyped_storage().clone()
            made = torch.empty(0, dtype=t.dtype).set_(storage, t.storage_offset(), t.shape, t.stride())
        if isinstance(value, torch.nn.Parameter):
            return torch.nn.Parameter(made, requires_grad=value.requires_grad)
        return made.requires_grad_() if grad and value.requires_grad else made
    if type(value) in (tuple, list):
        return type(value)(copied(v, grad) for v in value)
    if type(value) is dict:
        return {k: copied(v, grad) for k, v in value.items()}
    return value


Variant = tuple[str, Callable[..., Any], Any]
"""A name, PyTorch's function, and ours, or the exception that says that there is none."""


def found(function: Any, hint: str) -> Any:
    """Our counterpart, or the exception that says that there is none."""
    try:
        return here(function, hint)
    except NameAbsent as error:
        return error


def variants(op: Any) -> Iterator[Variant]:
    """How an entry can be called."""
    yield "function", op.op, found(op.op, op.name)
    seen = [op.op]
    named = [("method", op.method_variant), ("inplace", op.inplace_variant), ("operator", op.operator_variant)]
    named += [("inplace operator", op.inplace_operator_variant)]
    for alias in op.aliases:
        named += [(f"alias {alias.name}", alias.op)]
        named += [(f"alias method {alias.name}", alias.method_variant)]
        named += [(f"alias inplace {alias.name}", alias.inplace_variant)]
    for name, function in named:
        if callable(function) and not any(function is f for f in seen):
            seen.append(function)
            hint = f"Tensor.{getattr(function, '__name__', '')}"
            yield name, function, found(function, hint if "alias" not in name or "method" in name else name[6:])


def dtypes_of(op: Any) -> list[torch.dtype]:
    """Those that an entry and the package have, the package's widest first."""
    return [d for name in DTYPES if (d := getattr(torch, name)) in op.supported_dtypes("cpu")]


def absent_dtypes(op: Any) -> list[str]:
    """Those of an entry that the package does not have."""
    return sorted(str(d)[6:] for d in op.supported_dtypes("cpu") if str(d)[6:] not in DTYPES)


def seed() -> None:
    """Both generators, and those that samples are drawn from."""
    torch.manual_seed(0)
    tg.manual_seed(0)


def samples_of(op: Any, dtype: torch.dtype) -> list[Any]:
    """All samples of an entry in a dtype."""
    seed()
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  PyTorch's samples draw from it
    grad = dtype == torch.float64 and op.supports_autograd and dtype in op.supported_backward_dtypes("cpu")
    return list(op.sample_inputs("cpu", dtype, requires_grad=grad))


def run_entry(name: str, share: Callable[[str, int], bool] = lambda dtype, i: True) -> list[Case]:
    """All cases of an entry; of (dtype, sample) those that `share` takes."""
    op = ENTRIES[name]
    cases = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        ways = []
        for way in variants(op):
            if isinstance(way[2], NameAbsent):
                cases.append(Case(name, way[0], "", -1, "not found", str(way[2])))
            else:
                ways.append(way)
        cases += [Case(name, "", dtype, -1, "dtype absent", "the samples") for dtype in absent_dtypes(op)]
        if not any(way[0] == "function" for way in ways):
            return cases
        for dtype in dtypes_of(op):
            short = str(dtype)[6:]
            for i, sample in enumerate(samples_of(op, dtype)):
                if share(short, i):
                    for variant, result in run_sample(op, sample, ways, dtype == torch.float64, i == 0):
                        outcome, text, *evidence = result
                        if outcome == "not found":  # what a Python function of op_db calls
                            return [*cases, Case(name, "function", "", -1, outcome, text)]
                        cases.append(excepted(Case(name, variant, short, i, outcome, text), *evidence))
        cases += [excepted(Case(name, *rest)) for rest in run_errors(op, ways[0])]
    return cases


Found = tuple[str, str] | tuple[str, str, Evidence]
"""The class of a case, a few words, and what an exemption may look at."""


def run_sample(op: Any, sample: Any, ways: list[Variant], grad: bool, first: bool) -> Iterator[tuple[str, Found]]:
    """What came out of every variant of one sample."""
    tensor_first = isinstance(sample.input, torch.Tensor)
    for variant, theirs, mine in ways:
        in_place = "inplace" in variant
        if ("method" in variant or in_place) and not tensor_first:
            continue
        if "operator" in variant and (sample.kwargs or len(sample.args) != (0 if op.name in UNARY else 1)):
            continue
        yield variant, outcome(op, Call(sample, grad), theirs, mine, in_place=in_place, second=variant == "function")
        if variant == "function" and any(isinstance(t, torch.Tensor) and t.numel() > 1 for t in tensors(sample)):
            try:
                strided = sample.noncontiguous()
            except Exception:  # PyTorch cannot make such a copy of a sparse tensor
                continue
            yield "strided", outcome(op, Call(strided, grad), theirs, mine, in_place=False, second=False)
    if op.supports_out:
        for kind in ("same", "shape", "cast", "narrow", "grad") if first else ("same",):
            yield f"out {kind}", outcome_out(op, Call(sample, False), ways[0], kind)


UNSUPPORTED = re.compile("not implemented for|Unsupported dtype")
"""What PyTorch says of a dtype that it has no kernel for: no fault of the input."""

UNARY = {"neg", "bitwise_not", "abs"}


def tensors(sample: Any) -> list[Any]:
    """What is in a sample."""
    return list(leaves([sample.input, list(sample.args), sample.kwargs]))


def outcome(op: Any, call: Call, theirs: Any, mine: Any, *, in_place: bool, second: bool) -> Found:
    """The class of one call, and a few words."""
    want = attempt(call, theirs, mine=False, in_place=in_place)
    try:
        got = attempt(call, mine, mine=True, in_place=in_place)
    except (DTypeAbsent, NameAbsent) as error:
        return kind_of(error), str(error)
    if isinstance(got, Attempt) and isinstance(want, Attempt):
        try:
            compare(op, call, got, want, in_place=in_place, second=second)
        except Difference as difference:
            found = evidence(call, theirs, got, want)._replace(derivatives=difference.derivatives)
            return difference.outcome, difference.text, found
        except NameAbsent as error:  # in what PyTorch's test makes of the result
            return "not found", str(error)
        return "agree", ""
    return refusals(got, want)


def evidence(call: Call, theirs: Callable[..., Any], got: "Attempt", want: "Attempt") -> Evidence:
    """What an exemption may look at: both results, and what PyTorch makes of other arguments."""

    def again(change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
        torch.manual_seed(0)
        s = call.sample
        x, args, kwargs = (mapped(copied(value, False), change) for value in (s.input, s.args, s.kwargs))
        return theirs(x, *args, **kwargs)

    return Evidence(call.sample, got.result, want.result, again)


def mapped(value: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """Nested arguments, each tensor changed."""
    if type(value) in (tuple, list):
        return type(value)(mapped(v, change) for v in value)
    if type(value) is dict:
        return {k: mapped(v, change) for k, v in value.items()}
    return change(value.detach()) if isinstance(value, torch.Tensor) else value


def refusals(got: Any, want: Any) -> tuple[str, str]:
    """The class where at least one raised."""
    if isinstance(want, Exception):
        if isinstance(got, Exception):
            return errors_agree(got, want)
        unsupported = UNSUPPORTED.search(str(want)) or isinstance(want, (TypeError, NotImplementedError))
        return ("agree", "") if unsupported else ("accepted", f"PyTorch {brief(want)}")
    kind = kind_of(got)
    if kind not in ("not found", "dtype absent") and any(map(foreign, leaves(want.result))):
        kind = "dtype absent"
    return kind, brief(got)


def foreign(t: Any) -> bool:
    """Whether a result is a tensor of a kind that is not here."""
    return isinstance(t, torch.Tensor) and (str(t.dtype)[6:] not in DTYPES or t.layout is not torch.strided)


def errors_agree(got: Exception, want: Exception) -> tuple[str, str]:
    """The class where both raised."""
    kind = kind_of(got)
    if kind in ("not found", "dtype absent") or (kind == "signature" and not isinstance(got, type(want))):
        return kind, brief(got)
    if isinstance(got, type(want)) and kind in ("refused", "signature"):
        return "agree", ""
    if kind in ("NumPy's message", "bare exception"):
        return kind, f"{brief(got)}; PyTorch {brief(want)}"
    if isinstance(want, (TypeError, NotImplementedError)) or UNSUPPORTED.search(str(want)):
        return "agree", ""
    return "other exception", f"{brief(got)}; PyTorch {brief(want)}"


class Attempt:
    """What a library made of a call."""

    def __init__(self, result: Any, inputs: list[Any], input_: Any) -> None:
        self.result, self.inputs, self.input = result, inputs, input_


def attempt(call: Call, function: Any, *, mine: bool, in_place: bool) -> Any:
    """The result of a library, or its exception."""
    if mine:
        tg.manual_seed(0)
    else:
        torch.manual_seed(0)
    x, args, kwargs = call.arguments(mine)
    target = x
    try:
        if in_place:
            target = x.clone() if call.grad else x
            function_result = function(target, *args, **kwargs)
        else:
            function_result = function(x, *args, **kwargs)
    except (DTypeAbsent, NameAbsent):
        raise
    except Exception as error:
        return error
    return Attempt(function_result, list(leaves([x, list(args), kwargs])), target)


def compare(op: Any, call: Call, got: Attempt, want: Attempt, *, in_place: bool, second: bool) -> None:
    """Raise `Difference` unless the two agree, in all that is promised."""
    process = call.sample.output_process_fn_grad
    plain = "SampleInput.__init__" in getattr(process, "__qualname__", "")
    if op.name in UNDEFINED:
        same_form(got.result, want.result)
        return
    try:
        check_same(got.result, want.result)
    except Difference as difference:
        if op.name not in GAUGE or plain or difference.outcome != "wrong value":
            raise
        check_same(here(process)(got.result), process(want.result))
    if in_place:
        if (got.result is got.input) != (want.result is want.input):
            raise Difference("view or copy", "the result is not the tensor itself")
        check_same(got.input, want.input)
    check_sharing(got, want)
    if call.grad:
        check_gradients(got, want, (lambda y: y) if plain else process, second)


def same_form(got: Any, want: Any) -> None:
    """Shapes and dtypes alone."""
    if len(list(leaves(got))) != len(list(leaves(want))):
        raise Difference("wrong shape", "another number of results")
    for x, y in zip(leaves(got), leaves(want), strict=True):
        if isinstance(y, torch.Tensor):
            check_same(tg.zeros_like(x), torch.zeros_like(y))


def check_sharing(got: Attempt, want: Attempt) -> None:
    """Raise `Difference` if a result is a view of an input in one library, and a copy in the other."""
    results = [
        (x, y) for x, y in zip(leaves(got.result), leaves(want.result), strict=True) if isinstance(y, torch.Tensor)
    ]
    inputs = [(x, y) for x, y in zip(got.inputs, want.inputs, strict=True) if isinstance(y, torch.Tensor)]
    for x, y in results[:8]:
        if not y.numel():
            continue
        for a, b in inputs[:4]:
            if not b.numel() or b.layout is not torch.strided:
                continue
            shared = y.untyped_storage().data_ptr() == b.untyped_storage().data_ptr()
            if np.may_share_memory(array(x), array(a)) != shared:
                raise Difference("view or copy", "a copy, PyTorch: a view" if shared else "a view, PyTorch: a copy")


def cotangent(shape: Any, number: int) -> np.ndarray:
    """Fixed numbers of both signs."""
    size = int(np.prod(shape))
    return np.sin(np.arange(1, size + 1) * (1.3 + 0.1 * number)).reshape(tuple(shape))


def check_gradients(got: Attempt, want: Attempt, process: Any, second: bool) -> None:
    """Raise `Difference` unless first and second derivatives agree."""
    inputs = [
        (x, y) for x, y in zip(got.inputs, want.inputs, strict=True) if isinstance(y, torch.Tensor) and y.requires_grad
    ]
    xs, ys = [x for x, _ in inputs], [y for _, y in inputs]
    theirs = [y for y in leaves(process(want.result)) if isinstance(y, torch.Tensor)]
    mine = [x for x in leaves(here(process)(got.result)) if isinstance(x, tg.Tensor)]
    for x, y in zip(leaves(got.result), leaves(want.result), strict=True):
        if isinstance(y, torch.Tensor) and bool(x.requires_grad) != y.requires_grad:
            raise Difference("wrong gradient", f"requires_grad is {x.requires_grad}, PyTorch {y.requires_grad}")
    if not ys or not any(y.requires_grad for y in theirs):
        return
    try:
        b = derivatives(torch, theirs, ys, second)
    except (RuntimeError, NotImplementedError):
        if not second:
            return  # PyTorch has no derivative
        try:
            b = derivatives(torch, theirs, ys, second := False)
        except (RuntimeError, NotImplementedError):
            return
    first_b = [None if g is None else g for g in b]
    try:
        a = derivatives(tg, mine, xs, second)
    except Exception as error:
        kind = kind_of(error)
        raise Difference("wrong gradient" if kind == "signature" else kind, f"derivative: {brief(error)}") from error
    check_derivatives(a, first_b, ys, GRADIENT, "gradient")
    if not second:
        return
    try:
        bb = derivatives(torch, first_b, ys, False)
    except (RuntimeError, NotImplementedError):
        return  # PyTorch has no second derivative
    try:
        aa = derivatives(tg, a, xs, False)
    except Exception as error:
        kind = kind_of(error)
        raise Difference(
            "wrong second derivative" if kind == "signature" else kind, f"second derivative: {brief(error)}"
        ) from error
    check_derivatives(aa, bb, ys, SECOND, "second derivative")


def derivatives(library: Any, outs: list[Any], inputs: list[Any], create_graph: bool) -> list[Any]:
    """Derivatives of the outputs that have some, against fixed cotangents."""
    chosen = [(i, y) for i, y in enumerate(outs) if y is not None and y.requires_grad and y.dtype.is_floating_point]
    if not chosen:
        return [None] * len(inputs)
    cotangents = [library.from_numpy(cotangent(y.shape, i).astype(str(y.dtype)[6:])) for i, y in chosen]
    grads = library.autograd.grad(
        [y for _, y in chosen], inputs, cotangents, allow_unused=True, create_graph=create_graph
    )
    return list(grads)


def check_derivatives(a: list[Any], b: list[Any], inputs: list[Any], tolerance: float, name: str) -> None:
    """Raise `Difference` unless they agree; None is 0."""
    for i, (x, y, t) in enumerate(zip(a, b, inputs, strict=True)):
        if x is None and y is None:
            continue
        if y is not None and y.layout is not torch.strided:
            y = y.to_dense()
        y = torch.zeros_like(t) if y is None else y
        x = tg.zeros(tuple(t.shape), dtype=ours(y.dtype)) if x is None else x
        try:
            check_same(x, y, max(tolerance, TOLERANCE[str(y.dtype)[6:]]), name)
        except Difference as difference:
            raise Difference(difference.outcome, f"of input {i}: {difference.text}", (a, b)) from None


def outcome_out(op: Any, call: Call, way: Variant, kind: str) -> Found:
    """The class of a call with `out=`: of the right form, another shape or dtype, or one that requires a gradient."""
    want = attempt(call, way[1], mine=False, in_place=False)
    if isinstance(want, Exception):
        return "agree", ""
    parts = list(leaves(want.result))
    if not parts or not all(isinstance(t, torch.Tensor) and t.layout is torch.strided for t in parts):
        return "agree", ""
    outs = [target(t, kind) for t in parts]
    if any(o is None for o in outs):
        return "agree", ""

    single = isinstance(want.result, torch.Tensor)

    def calling(function: Any, given: list[Any]) -> Callable[..., Any]:
        return lambda *args, **kwargs: function(*args, **kwargs, out=as_given(given))

    def as_given(given: list[Any]) -> Any:
        return given[0] if single else tuple(given)

    outs_theirs = copied(outs, True)
    want = attempt(call, calling(way[1], outs_theirs), mine=False, in_place=False)
    try:
        outs_mine = ours(outs)
        got = attempt(call, calling(way[2], outs_mine), mine=True, in_place=False)
    except (DTypeAbsent, NameAbsent) as error:
        return kind_of(error), str(error)
    if isinstance(got, Exception) or isinstance(want, Exception):
        return refusals(got, want)
    try:
        if op.name in UNDEFINED:
            same_form(got.result, want.result)
            return "agree", ""
        bounds = [TOLERANCE.get(str(t.dtype)[6:], 0.0) for t in parts]
        process = call.sample.output_process_fn_grad if op.name in GAUGE else lambda y: y
        if want.result is None:  # of some functions of several results
            want.result = as_given(outs_theirs)
        check_same(here(process)(got.result), process(want.result), max(bounds))
        check_same(here(process)(as_given(outs_mine)), process(as_given(outs_theirs)), max(bounds))
        for x, o in zip(leaves(got.result), outs_mine, strict=True):
            if x is not o:
                raise Difference("view or copy", "the result is not out")
    except Difference as difference:
        return difference.outcome, difference.text, evidence(call, way[1], got, want)
    return "agree", ""


def target(t: torch.Tensor, kind: str) -> torch.Tensor | None:
    """A tensor to be given as `out`, or None where the kind says nothing."""
    if kind == "same":
        return torch.ones(t.shape, dtype=t.dtype)
    if kind == "shape":
        return torch.ones((0,) if t.numel() else (3,), dtype=t.dtype)
    if kind == "cast":
        wider = torch.float64 if t.dtype != torch.float64 else torch.float32
        return torch.ones(t.shape, dtype=wider)
    if kind == "narrow":
        return torch.ones(t.shape, dtype=torch.int64) if t.dtype.is_floating_point else None
    return torch.ones(t.shape, dtype=t.dtype, requires_grad=True) if t.dtype.is_floating_point else None


def run_errors(op: Any, way: Variant) -> Iterator[tuple[str, str, int, str, str]]:
    """What must raise, as PyTorch does."""
    seed()
    try:
        wrong = list(op.error_inputs("cpu"))
    except Exception:  # a device that this build of PyTorch does not have
        return
    for i, error in enumerate(wrong):
        call = Call(error.sample_input, True)
        want = attempt(call, way[1], mine=False, in_place=False)
        if not isinstance(want, Exception):
            continue
        try:
            got = attempt(call, way[2], mine=True, in_place=False)
        except (DTypeAbsent, NameAbsent) as absent:
            yield "error", "", i, kind_of(absent), str(absent)
            continue
        if isinstance(got, Exception):
            yield "error", "", i, *errors_agree(got, want)
        else:
            yield "error", "", i, "accepted", f"PyTorch {brief(want)}"
