"""PyTorch's optim_db, run on PyTorch and here: the same parameters and losses; parameters and state after ten steps."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch.testing._internal.common_optimizers import OptimizerErrorEnum, optim_db

import tinygrad_cnn as tg
from tests.parity.opdb.exceptions import Evidence, excepted
from tests.parity.opdb.judge import Case, Difference, brief, check_same, kind_of
from tests.parity.opdb.ops import Found, copied, errors_agree
from tests.parity.opdb.translate import DTypeAbsent, NameAbsent, here, ours

STEPS = 10
TOLERANCE = {"float64": 1e-9, "float32": 2e-5}
ENTRIES = {info.optim_cls.__name__: info for info in optim_db}


def run_entry(name: str, share: Callable[[str, int], bool] = lambda dtype, i: True) -> list[Case]:
    """All cases of an optimiser."""
    info = ENTRIES[name]
    cases = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            mine = here(info.optim_cls, f"optim.{name}")
        except NameAbsent as error:
            return [Case(name, "optimiser", "", -1, "not found", str(error))]
        for dtype in ("float64", "float32"):
            for i, sample in enumerate(info.optim_inputs_func("cpu")):
                if share(dtype, i):
                    for flag in (None, *(f for f in ("foreach", "fused") if f in info.supported_impls)):
                        outcome, text, *evidence = run_sample(info, mine, sample, dtype, flag)
                        cases.append(excepted(Case(name, flag or "steps", dtype, i, outcome, text), *evidence))
        cases += [excepted(Case(name, *rest)) for rest in run_errors(info, mine)]
    return cases


def run_sample(info: Any, mine: Any, sample: Any, dtype: str, flag: str | None) -> Found:
    """The class of one configuration, and a few words."""
    given = dict(sample.kwargs, **({flag: True} if flag else {}))
    try:
        want = trained(torch, info.optim_cls, copied(given, True), dtype, info.only_supports_sparse_grads)
    except Exception as error:
        want = error
    try:
        if info.only_supports_sparse_grads:
            raise DTypeAbsent("sparse_coo")
        got = trained(tg, mine, ours(given), dtype, False)
    except Exception as error:
        got = error
    if isinstance(want, Exception):
        if isinstance(got, Exception):
            return errors_agree(got, want)
        return "accepted", f"PyTorch {brief(want)}"
    if isinstance(got, Exception):
        return kind_of(got), brief(got)
    try:
        check_same(got, want, TOLERANCE)
    except Difference as difference:

        def again(change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
            """PyTorch's own plain steps: without the flag, with numbers for options that are tensors."""
            numbers = {k: v.item() if isinstance(v, torch.Tensor) else v for k, v in sample.kwargs.items()}
            return trained(torch, info.optim_cls, copied(numbers, True), dtype, False, change)

        return difference.outcome, difference.text, Evidence(sample, got, want, again)
    return "agree", ""


def trained(
    library: Any,
    cls: Any,
    kwargs: dict[str, Any],
    dtype: str,
    sparse: bool,
    change: Callable[[torch.Tensor], torch.Tensor] = lambda p: p,
) -> Any:
    """The parameters and the optimiser's state after some steps; from parameters that are changed before."""
    shapes = ((3, 2), (4, 3))
    start = [np.cos(np.arange(np.prod(s)) + 1.0).reshape(s).astype(dtype) for s in shapes]
    start = [change(torch.from_numpy(s)).numpy() for s in start]
    goal = [library.from_numpy(np.sin(3 * s)) for s in start]
    params = [library.from_numpy(s.copy()).requires_grad_() for s in start]
    optimiser = cls(params, **kwargs)

    def closure() -> Any:
        optimiser.zero_grad()
        loss = sum(((p - g) ** 4).sum() + ((p - g) * p).sum() for p, g in zip(params, goal, strict=True))
        loss.backward()
        if sparse:
            for p in params:
                p.grad = p.grad.to_sparse()
        return loss

    losses = [optimiser.step(closure) for _ in range(STEPS)]
    state = optimiser.state_dict()["state"]
    return [params, [loss.detach() for loss in losses], {k: dict(sorted(v.items())) for k, v in sorted(state.items())}]


def regrouped(params: Any, made: dict[int, Any], convert: Callable[[Any], Any] = lambda p: p) -> Any:
    """Parameters and groups, in containers of their own; the same parameter stays one."""
    if isinstance(params, torch.Tensor):
        return made.setdefault(id(params), convert(params))
    if isinstance(params, list | tuple):
        return type(params)(regrouped(p, made, convert) for p in params)
    if isinstance(params, dict):
        return {k: regrouped(v, made, convert) for k, v in params.items()}
    return params


def ours_once(params: Any, made: dict[int, Any]) -> Any:
    """The same for the package."""
    return regrouped(params, made, ours)


def run_errors(info: Any, mine: Any) -> Iterator[tuple[str, str, int, str, str]]:
    """What must raise, as PyTorch does."""
    for dtype in (torch.float32,):
        for i, error in enumerate(info.optim_error_inputs_func(device="cpu", dtype=dtype)):
            outcomes: list[Any] = []
            theirs = error.optimizer_error_input.params
            for cls, convert, containers in ((mine, ours, ours_once), (info.optim_cls, copied, regrouped)):
                try:
                    params = containers(theirs, {})  # an optimiser writes into its groups
                    optimiser = cls(params, **convert(error.optimizer_error_input.kwargs, True))
                    if error.error_on == OptimizerErrorEnum.STEP_ERROR:
                        optimiser.step()
                    outcomes.append(None)
                except Exception as raised:
                    outcomes.append(raised)
            got, want = outcomes
            if isinstance(want, Exception):
                if isinstance(got, Exception):
                    yield "error", "", i, *errors_agree(got, want)
                else:
                    yield "error", "", i, "accepted", f"PyTorch {brief(want)}"
