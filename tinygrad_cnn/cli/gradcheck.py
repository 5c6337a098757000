"""`tinygrad-cnn gradcheck`: is the gradient of this function, of this op, or of every op right?"""

import argparse
import importlib.util
import inspect
import io
import json
import math
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from tinygrad_cnn.cli.display import fail
from tinygrad_cnn.cli.gradcheck_display import print_outcome, print_table, progress_for
from tinygrad_cnn.cli.html import page
from tinygrad_cnn.cli.options import SEEDS, clipped, number, whole
from tinygrad_cnn.cli.outputs import check_outputs, is_stdout, told_beside, write_output
from tinygrad_cnn.cli.targets import (
    TheirError,
    UsageError,
    all_ours,
    check_takes,
    first_line,
    folder_importable,
    load,
    parameters,
    their_trace,
)
from tinygrad_cnn.core.op import Op
from tinygrad_cnn.core.types import NDArray, Shape
from tinygrad_cnn.gradcheck.check import gradcheck, gradgradcheck
from tinygrad_cnn.gradcheck.functions import cached_pair, numpy_pair
from tinygrad_cnn.gradcheck.problems import CannotJudge, OutsideDomain, ReturnedArray, WrongStep
from tinygrad_cnn.gradcheck.report import Report
from tinygrad_cnn.gradcheck.sweep import SAMPLES, Outcome, check_op, gradcheck_trial, own_ops, ratios, shape_text
from tinygrad_cnn.gradcheck.verdicts import SEVERITY, Verdict
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.version import __version__

STATUS = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 3}

LOW, HIGH = -2.0, 2.0
"""Inputs are drawn from here, unless the user says otherwise."""

FARTHEST, FARTHEST32 = 1e100, 1e30
"""Inputs are drawn from between minus this and this; the second is for float32."""

MOST_ELEMENTS = 50_000_000

MOST_AXES = 32
"""Of an array that NumPy can still index in every way."""

PICTURES = ("png", "svg", "pdf")

EPILOG = """\
examples:
  tinygrad-cnn gradcheck mymodule:loss --shape 2,3 --shape 3
  tinygrad-cnn gradcheck layers.py:forward --vjp layers.py:backward --shape 4,5
  tinygrad-cnn gradcheck layers.py:affine_forward --backward layers.py:affine_backward --shape 4,5 --shape 5,3
  tinygrad-cnn gradcheck Conv2D --samples 10
  tinygrad-cnn gradcheck --all --html report.html

exit status: 0 every gradient is right, 1 one is wrong, 3 it cannot be decided, 2 the command is wrong
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.formatter_class, parser.epilog = argparse.RawDescriptionHelpFormatter, EPILOG
    parser.add_argument(
        "target", nargs="?", metavar="TARGET", help="module:function, path/to/file.py:function, or an op such as Conv2D"
    )
    parser.add_argument("--all", action="store_true", help="check every op")
    parser.add_argument(
        "--shape", action="append", type=shape, metavar="N,M", help="of an input; once for each ('()' for a number)"
    )
    parser.add_argument(
        "--vjp", metavar="TARGET", help="vjp(g, *arrays) of a NumPy function; without it, functions take Tensors"
    )
    parser.add_argument(
        "--backward",
        metavar="TARGET",
        help="backward(dout, cache) of a NumPy function that returns (out, cache), as in course assignments",
    )
    parser.add_argument(
        "--samples", type=whole(1, 100_000), metavar="N", help=f"points to check at (ops: {SAMPLES}, functions: 1)"
    )
    parser.add_argument(
        "--low", type=number(-FARTHEST, FARTHEST), help=f"inputs are drawn from here (default: {LOW:g})"
    )
    parser.add_argument("--high", type=number(-FARTHEST, FARTHEST), help=f"to here (default: {HIGH:g})")
    parser.add_argument("--dtype", choices=["float64", "float32"], default="float64", help="(default: float64)")
    parser.add_argument(
        "--order", type=int, choices=[1, 2], default=1, help="2: of the gradient, as a function, the gradient"
    )
    parser.add_argument("--fast", action="store_true", help="judge random projections in place of every entry")
    parser.add_argument("--eps", type=number(1e-100, 1e100), help="the largest step of the differences")
    parser.add_argument("--atol", type=number(0.0, 1e100), help="absolute tolerance")
    parser.add_argument("--rtol", type=number(0.0, 1e100), help="relative tolerance (default: 1e-05)")
    parser.add_argument(
        "--seed", type=whole(0, SEEDS), default=0, help="the same seed draws the same numbers (default: 0)"
    )
    parser.add_argument("--json", metavar="FILE", help="write the reports here; - for standard output")
    parser.add_argument(
        "--html", metavar="FILE", help="write a page that needs nothing else here; - for standard output"
    )
    parser.add_argument("--plot", metavar="FILE", help="draw the worst report (.png, .svg or .pdf; needs matplotlib)")


def shape(text: str) -> Shape:
    """A parser of shapes: 2,3 or 2x3 or (2, 3); () for a number."""
    inner = text.strip().removeprefix("(").removesuffix(")").replace("x", ",").replace("×", ",")
    parts = [part.strip() for part in inner.split(",")]
    parts = parts[:-1] if parts[-1] == "" else parts
    shown = clipped(repr(text))
    if not all(re.fullmatch("[0-9]{1,20}", part) for part in parts):
        raise argparse.ArgumentTypeError(f"{shown} is no shape; write whole numbers as in 2,3 or () for a number")
    if len(parts) > MOST_AXES:
        raise argparse.ArgumentTypeError(f"{shown} has {len(parts)} axes; the most are {MOST_AXES}")
    found = tuple(int(part) for part in parts)
    if 0 in found:
        raise argparse.ArgumentTypeError(f"{shown} has no elements, so there is nothing to check")
    if math.prod(found) > MOST_ELEMENTS:
        raise argparse.ArgumentTypeError(f"{shown} has more than {MOST_ELEMENTS:,} elements")
    return found


def run(args: argparse.Namespace) -> int:
    """Check, show, write; the exit status is that of the verdict."""
    with told_beside(args.json, args.html, args.plot) as out:  # also what a function prints, for each of its curves
        try:
            _check_options(args)
            with folder_importable():
                start = perf_counter()
                outcomes = _outcomes(args, out)
                seconds = perf_counter() - start
        except UsageError as error:
            return fail(str(error))
        except TheirError as error:
            print(error.trace, end="", file=sys.stderr)
            return fail(str(error))
        if args.all:
            print_table(outcomes, seconds, out)
            for outcome in outcomes:
                if outcome.verdict is not Verdict.PASS:
                    print_outcome(outcome, again(args, outcome), out)
        else:
            print_outcome(outcomes[0], "", out)
        for option, content in _contents(args, outcomes, seconds).items():
            write_output(f"--{option}", getattr(args, option), content)
    return STATUS[worst(outcomes)]


def worst(outcomes: Sequence[Outcome]) -> Verdict:
    """Fail if one fails, else inconclusive if one is."""
    return max((o.verdict for o in outcomes), key=SEVERITY.__getitem__)


def again(args: argparse.Namespace, outcome: Outcome) -> str:
    """The command that checks this op alone, at the same points and in the same way."""
    usual = argparse.ArgumentParser(add_help=False)
    add_arguments(usual)
    words = ["tinygrad-cnn", "gradcheck", outcome.name, "--seed", str(args.seed), "--samples", str(_samples(args))]
    for name in ("order", "dtype", "eps", "atol", "rtol", "fast"):
        value = getattr(args, name)
        if value != usual.get_default(name):
            words += [f"--{name}"] if value is True else [f"--{name}", str(value)]
    return shlex.join(words)


def _check_options(args: argparse.Namespace) -> None:
    """UsageError for options that do not go together, or cannot be served later."""
    if args.all and args.target is not None:
        raise UsageError(f"gradcheck: {args.target!r} and --all were both given; leave out one of them")
    if not args.all and args.target is None:
        raise UsageError(
            "gradcheck: nothing to check was named; give module:function, the name of an op such as Conv2D, or --all"
        )
    if args.all and args.plot is not None:
        raise UsageError("gradcheck: --plot draws one report; with --all, write a page with --html")
    target = "--all" if args.all else args.target or repr("")
    if ":" not in target:
        _check_drawn_by_itself(args, target)
    low, high = _range(args)
    if not low < high:
        raise UsageError(f"gradcheck: --low {low:g} is not below --high {high:g}")
    if args.dtype == "float32" and max(abs(low), abs(high)) > FARTHEST32:
        raise UsageError(f"gradcheck: with float32, --low and --high must lie within {FARTHEST32:g} of 0")
    if sum(map(math.prod, args.shape or [])) > MOST_ELEMENTS:
        raise UsageError(f"gradcheck: the inputs of these --shape have more than {MOST_ELEMENTS:,} elements")
    if args.vjp is not None and args.backward is not None:
        raise UsageError("gradcheck: --vjp and --backward were both given; leave out one of them")
    if _by_hand(args) and args.order == 2:
        option = "vjp" if args.backward is None else "backward"
        raise UsageError(f"gradcheck: --order 2 needs a recorded gradient: a function of Tensors, without --{option}")
    if args.plot is not None and not is_stdout(args.plot) and _picture_kind(args.plot) not in PICTURES:
        raise UsageError(f"gradcheck: --plot {args.plot}: the name must end with .png, .svg or .pdf")
    outputs = {f"--{option}": getattr(args, option) for option in ("json", "html", "plot")}
    inputs = {f"--{option}" * (option != "target"): _file_of(args, option) for option in ("target", "vjp", "backward")}
    check_outputs(outputs, inputs, "nothing was checked")


def _check_can_draw(args: argparse.Namespace) -> None:
    if args.plot is not None and importlib.util.find_spec("matplotlib") is None:
        raise UsageError("gradcheck: --plot needs matplotlib; install it with pip install 'tinygrad-cnn[plot]'")


def _check_drawn_by_itself(args: argparse.Namespace, what: str) -> None:
    for option in ("shape", "vjp", "backward", "low", "high"):
        if getattr(args, option) is not None:
            raise UsageError(
                f"gradcheck: --{option} is for functions; {what} draws inputs of its own: leave --{option} out"
            )


def _file_of(args: argparse.Namespace, option: str) -> str | None:
    """The file of Python that an option names, if it names one."""
    return (getattr(args, option) or "").rpartition(":")[0] or None


def _picture_kind(path: str) -> str:
    return "png" if is_stdout(path) else Path(path).suffix[1:].lower()


def _range(args: argparse.Namespace) -> tuple[float, float]:
    return LOW if args.low is None else args.low, HIGH if args.high is None else args.high


def _samples(args: argparse.Namespace, default: int = SAMPLES) -> int:
    return default if args.samples is None else args.samples


def _options(args: argparse.Namespace) -> dict[str, Any]:
    """The options of `gradcheck`."""
    chosen = {name: getattr(args, name) for name in ("eps", "atol", "rtol")}
    return {"fast_mode": args.fast, **{name: value for name, value in chosen.items() if value is not None}}


def _outcomes(args: argparse.Namespace, out: Any) -> list[Outcome]:
    if args.all:
        return _all(args, out)
    target = load(args.target)
    if isinstance(target, type) and issubclass(target, Op):
        _check_drawn_by_itself(args, args.target)
        return [_op(args, target)]
    return [_function(args, target)]


def _all(args: argparse.Namespace, out: Any) -> list[Outcome]:
    ops = own_ops()
    display = progress_for(out)
    display.start(len(ops))
    outcomes = []
    try:
        for op in ops:
            display.begin(op.name)
            outcomes.append(_op(args, op))
            display.end(outcomes[-1])
    finally:
        display.stop()
    return outcomes


def _op(args: argparse.Namespace, op: type[Op]) -> Outcome:
    if args.plot is not None and not op.differentiable:
        raise UsageError(f"gradcheck: {op.name} has no derivative, so there is nothing to draw; leave --plot out")
    _check_can_draw(args)
    try:
        outcome = check_op(
            op, samples=_samples(args), seed=args.seed, order=args.order, dtype=args.dtype, **_options(args)
        )
    except NotImplementedError as error:
        raise UsageError(f"gradcheck: {error}; write sample(draw), a class method that returns a Sample") from None
    except Exception as error:
        raise _raised(args, error, "when its sample(draw) is called") from error
    for report in outcome.reports:
        if report.raised is WrongStep:
            raise UsageError(report.problem)
    return outcome


def _function(args: argparse.Namespace, function: Callable[..., Any]) -> Outcome:
    _check_can_draw(args)
    shapes = args.shape or []
    names = parameters(function, len(shapes)) or [f"input {k}" for k in range(len(shapes))]
    if not shapes:
        wanted = parameters(function)
        inputs = f": {', '.join(wanted)}" if wanted else ""
        raise UsageError(f"gradcheck: {args.target}: give the --shape of each input{inputs}")
    given = f"{len(shapes)} --shape" + ("" if len(shapes) == 1 else "s")
    check_takes(args.target, function, len(shapes), given)
    checked = _checked(args, function, len(shapes))
    start = perf_counter()
    reports = [_report(args, checked, names, n) for n in range(_samples(args, 1))]
    inputs = ", ".join(f"{name} {shape_text(s)}" for name, s in zip(names, shapes, strict=True))
    low, high = _range(args)
    return Outcome(
        name=args.target,
        family="NumPy pair" if _by_hand(args) else "function",
        formula=next(iter((inspect.getdoc(function) or "").splitlines()), ""),
        domain=tuple((name, f"Drawn between {low:g} and {high:g}.") for name in names),
        samples=(f"{inputs}; {args.dtype}",) * len(reports),
        trials=(gradcheck_trial(reports, args.order),),
        reports=tuple(reports),
        ratios=tuple(r for report in reports for r in ratios(report)),
        seconds=perf_counter() - start,
    )


def _by_hand(args: argparse.Namespace) -> bool:
    """Whether the derivative is a function of NumPy's arrays, too."""
    return args.vjp is not None or args.backward is not None


def _checked(args: argparse.Namespace, function: Callable[..., Any], count: int) -> Any:
    """The function with its hand-written derivative, if it has one, as `gradcheck` takes it."""
    if args.vjp is not None:
        vjp = load(args.vjp)
        if isinstance(vjp, type):
            raise UsageError(f"gradcheck: --vjp {args.vjp} names a class; give a function vjp(g, *arrays)")
        check_takes(args.vjp, vjp, count + 1, f"the cotangent and {count} inputs")
        return numpy_pair(function, vjp)
    if args.backward is not None:
        backward = load(args.backward)
        if isinstance(backward, type):
            raise UsageError(f"gradcheck: --backward {args.backward} names a class; give a function of (dout, cache)")
        check_takes(args.backward, backward, 2, "the cotangent and the cache")
        return cached_pair(function, backward)
    return function


def _report(args: argparse.Namespace, checked: Any, names: Sequence[str], n: int) -> Report:
    """The report at point n."""
    low, high = _range(args)
    random = np.random.default_rng([args.seed, n])
    arrays: list[NDArray] = [random.uniform(low, high, s).astype(args.dtype) for s in args.shape]
    inputs = arrays if _by_hand(args) else [Tensor(a, requires_grad=True) for a in arrays]
    many = [f"cotangent {k}" for k in range(100)] if args.order == 2 else []
    checker = gradcheck if args.order == 1 else gradgradcheck
    try:
        report = checker(
            checked, inputs, raise_exception=False, seed=args.seed + n, names=[*names, *many], **_options(args)
        )
    except (Exception, SystemExit) as error:
        shapes = ", ".join(f"{name} {shape_text(a.shape)}" for name, a in zip(names, arrays, strict=True))
        where = f"(inputs: {shapes}, {args.dtype}, between {low:g} and {high:g})"
        raise _raised(args, error, f"{where}; check --shape, --low, --high and --dtype") from error
    if report.raised is OutsideDomain:
        hint = f"Inputs were drawn between {low:g} and {high:g}; --low and --high choose another range."
        return replace(report, notes=(*report.notes, hint))
    if report.raised is not None:
        raise _refused(args, report.error())
    return report


def _refused(args: argparse.Namespace, error: Exception) -> UsageError:
    """There is nothing to check, or no derivative to be had."""
    numpy = not _by_hand(args) and isinstance(error, ReturnedArray)
    hint = "; for a function of NumPy arrays, name its VJP with --vjp or --backward" if numpy else ""
    return UsageError(f"gradcheck: {args.target}: {str(error).removeprefix('gradcheck: ')}{hint}")


def _raised(args: argparse.Namespace, error: BaseException, context: str = "") -> BaseException:
    """What to raise in place of what was raised while the function or the op was called."""
    if isinstance(error, CannotJudge):
        return _refused(args, error)
    trace = their_trace(error)
    if trace is None:
        return error
    what = "ends the program" if isinstance(error, SystemExit) else f"raises {first_line(error)}"
    message = f"gradcheck: {args.target} {what} {context}".rstrip()
    return UsageError(message) if all_ours(error) else TheirError(message, trace)


def record(args: argparse.Namespace, outcomes: Sequence[Outcome], seconds: float) -> dict[str, Any]:
    """What --json writes."""
    names = ("target", "vjp", "backward", "samples", "seed", "dtype", "order", "fast", "eps", "atol", "rtol")
    return {
        "tool": f"tinygrad-cnn {__version__}",
        "verdict": worst(outcomes).value,
        "seconds": seconds,
        "options": {name: getattr(args, name) for name in names},
        "results": [o.to_data(every_report=not args.all) for o in outcomes],
    }


def _contents(args: argparse.Namespace, outcomes: Sequence[Outcome], seconds: float) -> dict[str, bytes]:
    """What each option that names a file asks for."""
    contents = {}
    if args.json is not None:
        indent = None if args.all else 1
        text = json.dumps(record(args, outcomes, seconds), indent=indent, allow_nan=False)
        contents["json"] = f"{text}\n".encode()
    if args.html is not None:
        commands = {o.name: again(args, o) for o in outcomes} if args.all else {}
        contents["html"] = page(outcomes, seconds, commands).encode()
    if args.plot is not None:
        contents["plot"] = _picture(outcomes[0].report, args.plot)
    return contents


def _picture(report: Report | None, path: str) -> bytes:
    assert report is not None, "_op refuses what has none"
    written = io.BytesIO()
    report.plot().savefig(written, format=_picture_kind(path), dpi=120)
    return written.getvalue()
