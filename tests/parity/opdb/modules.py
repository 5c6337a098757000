"""PyTorch's module_db, run on PyTorch and here: the same state, the same inputs; results, buffers, derivatives."""

import random
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch.testing._internal.common_modules import module_db
from torch.testing._internal.common_utils import noncontiguous_like

import tinygrad_cnn as tg
from tests.parity.opdb.exceptions import Evidence, excepted
from tests.parity.opdb.judge import Case, Difference, brief, check_same, kind_of, leaves
from tests.parity.opdb.ops import Attempt, Found, check_gradients, copied, errors_agree, mapped, refusals
from tests.parity.opdb.translate import DTypeAbsent, NameAbsent, here, ours

ENTRIES = {info.name: info for info in module_db}


def run_entry(name: str, share: Callable[[str, int], bool] = lambda dtype, i: True) -> list[Case]:
    """All cases of a module."""
    info = ENTRIES[name]
    cases = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            mine = here(info.module_cls, name)
        except NameAbsent as error:
            return [Case(name, "module", "", -1, "not found", str(error))]
        for dtype in (torch.float64, torch.float32):
            for training in (True, False) if info.train_and_eval_differ else (True,):
                for i, sample in enumerate(samples_of(info, dtype, training)):
                    if sample.forward_input is not None and share(str(dtype)[6:], i):
                        for variant in ("train" if training else "eval", "strided"):
                            outcome, text, *evidence = run_sample(
                                info, mine, sample, dtype, training, variant == "strided"
                            )
                            variant_name = variant if training or variant == "eval" else "eval strided"
                            case = Case(name, variant_name, str(dtype)[6:], i, outcome, text)
                            cases.append(excepted(case, *evidence))
        cases += [excepted(Case(name, *rest)) for rest in run_errors(info, mine)]
    return cases


def samples_of(info: Any, dtype: torch.dtype, training: bool) -> list[Any]:
    """All samples of a module in a dtype."""
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  PyTorch's samples draw from it
    grad = dtype == torch.float64
    return list(info.module_inputs_func(info, device="cpu", dtype=dtype, requires_grad=grad, training=training))


def run_sample(info: Any, mine: Any, sample: Any, dtype: torch.dtype, training: bool, strided: bool) -> Found:
    """The class of one sample, and a few words."""
    made, given = sample.constructor_input, sample.forward_input
    args, kwargs = (spread(given.args), spread(given.kwargs)) if strided else (given.args, given.kwargs)
    torch.manual_seed(0)
    theirs = info.module_cls(*made.args, **made.kwargs).to(dtype).train(training)
    if info.is_lazy:
        with torch.no_grad():
            theirs(*copied(args, False), **copied(kwargs, False))
    state = {k: v.clone() for k, v in theirs.state_dict().items()}
    want = forward(torch, theirs, copied(args, True), copied(kwargs, True))
    try:
        module = mine(*ours(made.args), **ours(made.kwargs)).to(ours(dtype)).train(training)
        if info.is_lazy:
            with tg.no_grad():
                module(*ours(args, False), **ours(kwargs, False))
        if list(module.state_dict()) != list(state):
            return "wrong value", f"state {list(module.state_dict())}, PyTorch {list(state)}"[:150]
        module.load_state_dict(ours(state))
        got = forward(tg, module, ours(args), ours(kwargs))
    except (NameAbsent, DTypeAbsent) as error:
        return kind_of(error), str(error)
    except Exception as error:
        return kind_of(error), brief(error)
    if isinstance(got, Exception) or isinstance(want, Exception):
        return refusals(got, want)
    try:
        check_same(got.result, want.result)
        check_same(dict(module.state_dict()), dict(theirs.state_dict()))
        if dtype == torch.float64:
            check_gradients(got, want, lambda y: y, True)
    except Difference as difference:

        def again(change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
            theirs.load_state_dict(state)
            result = forward(torch, theirs, mapped(args, change), mapped(kwargs, change))
            return result.result if isinstance(result, Attempt) else result

        seen = Evidence(sample, got.result, want.result, again, difference.derivatives, args[:1])
        return difference.outcome, difference.text, seen
    return "agree", ""


def forward(library: Any, module: Any, args: Any, kwargs: Any) -> Any:
    """A forward pass, or its exception."""
    library.manual_seed(1)
    try:
        result = module(*args, **kwargs)
    except Exception as error:
        return error
    inputs = [*leaves([list(args), kwargs]), *(p for _, p in module.named_parameters())]
    return Attempt(result, inputs, None)


def spread(value: Any) -> Any:
    """The tensors in nested arguments, not contiguous."""
    if type(value) in (tuple, list):
        return type(value)(spread(v) for v in value)
    if type(value) is dict:
        return {k: spread(v) for k, v in value.items()}
    if isinstance(value, torch.Tensor) and value.layout is torch.strided:
        return noncontiguous_like(value)
    return value


def run_errors(info: Any, mine: Any) -> Iterator[tuple[str, str, int, str, str]]:
    """What must raise."""
    if info.module_error_inputs_func is None:
        return
    wrong = list(
        info.module_error_inputs_func(info, device="cpu", dtype=torch.float64, requires_grad=False, training=False)
    )
    for i, error in enumerate(wrong):
        made, given = error.module_error_input.constructor_input, error.module_error_input.forward_input
        outcomes: list[Any] = []
        for library in (torch, tg):
            try:
                if library is torch:
                    module = info.module_cls(*made.args, **made.kwargs).double().eval()
                    outcomes.append(
                        None
                        if given is None
                        else forward(torch, module, copied(given.args, False), copied(given.kwargs, False))
                    )
                else:
                    module = mine(*ours(made.args), **ours(made.kwargs)).double().eval()
                    outcomes.append(
                        None if given is None else forward(tg, module, ours(given.args), ours(given.kwargs))
                    )
            except Exception as raised:
                outcomes.append(raised)
        want, got = outcomes
        if isinstance(want, Exception):
            if isinstance(got, Exception):
                yield "error", "", i, *errors_agree(got, want)
            else:
                yield "error", "", i, "accepted", f"PyTorch {brief(want)}"
