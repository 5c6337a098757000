"""Verdicts of right gradients against the scale of the inputs, from 10⁻³⁰ to 10³⁰ as the dtype holds: a page of maps.

    python -m scripts.verdict_maps --write docs/verdict-maps.md
    python -m scripts.verdict_maps --only functional --torch

Every op of the registry, functions of `nn.functional` and functions of one formula, each on inputs of size 1 times the
scale. A right gradient passes where that can be told, and is inconclusive elsewhere; it fails nowhere. With `--torch`
the formulas and `nn.functional` are those of PyTorch. The state is written after every row, and a later run goes on.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from scripts.false_failures import OPS, category
from tinygrad_cnn.core.op import registry
from tinygrad_cnn.gradcheck import Report, gradcheck, torch_function
from tinygrad_cnn.gradcheck.drawing import RandomDraw
from tinygrad_cnn.nn import functional
from tinygrad_cnn.tensor import Tensor

EXPONENTS = {"formulas": range(-30, 31, 3), "functional": range(-30, 31, 10), "ops": range(-30, 31, 10)}
"""Of the scales, by the kind of the row."""
DTYPES = "float64", "float32", "float16"
LETTERS = {
    "pass": "o",
    "inconclusive": "?",
    "fail": "F",
    "not finite": ".",
    "nothing to check": "-",
    "clipped": "c",
    "refused": "x",
}
"""In the maps; where the dtype does not hold the scale there is a blank."""
CLIPPED = {"BinaryCrossEntropy": 1e-11}
"""Ops that clip their derivative below this size, as PyTorch does: there the checker rightly says that it is wrong."""

KINDS = tuple(EXPONENTS)
Function = Callable[..., Any]
Row = tuple[list[Any], Function, list[bool]]
"""The inputs, the function of them, and which of them have a derivative."""


def hilbert(n: int) -> Any:
    """The worst conditioned matrix of its size that anybody uses."""
    return 1.0 / (np.arange(n)[:, None] + np.arange(n) + 1)


X = np.array([0.7, -1.3, 0.45])
"""What most functions of one formula are checked at, times the scale."""

FORMULAS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "x": (X, lambda x: x * 1),
    "x²": (X, lambda x: x * x),
    "x³ + x": (X, lambda x: x**3 + x),
    "1 / x": (X, lambda x: 1 / x),
    "1 / x²": (X, lambda x: x**-2.0),
    "1 / (1 + x²)": (X, lambda x: 1 / (1 + x * x)),
    "√|x|": (X, lambda x: x.abs() ** 0.5),
    "|x|^1.5": (X, lambda x: x.abs() ** 1.5),
    "|x|": (X, lambda x: x.abs()),
    "|x - 1|": (X, lambda x: (x - 1).abs()),
    "ln |x|": (X, lambda x: x.abs().log()),
    "x ln |x|": (X, lambda x: x * x.abs().log()),
    "ln(1 + |x|)": (X, lambda x: x.abs().log1p()),
    "eˣ": (X, lambda x: x.exp()),
    "eˣ - 1": (X, lambda x: x.expm1()),
    "exp(-1 / |x|)": (X, lambda x: (-1 / x.abs()).exp()),
    "exp(-x²)": (X, lambda x: (-(x * x)).exp()),
    "sin x": (X, lambda x: x.sin()),
    "sin x / x": (X, lambda x: x.sin() / x),
    "x sin(1 / x)": (X, lambda x: x * (1 / x).sin()),
    "cos x": (X, lambda x: x.cos()),
    "tan x": (X, lambda x: x.tan()),
    "tanh x": (X, lambda x: x.tanh()),
    "tanh(10¹⁴ x)": (X, lambda x: (x * 1e14).tanh()),
    "arctan x": (X, lambda x: x.atan()),
    "σ(x)": (X, lambda x: x.sigmoid()),
    "√(1 + x²)": (X, lambda x: (1 + x * x).sqrt()),
    "√(10⁻²⁰ + x²)": (X, lambda x: (1e-20 + x * x).sqrt()),
    "erf x": (X, lambda x: x.erf()),
    "⌊x⌋ + x": (X, lambda x: x.floor() + x),
    "x - ⌊x⌋": (X, lambda x: x.frac()),
    "max(x, 0)": (X, lambda x: x.clamp(min=0)),
    "max(x, 0) at 0": (X * 0, lambda x: x.clamp(min=0)),
    "the largest of three": (X, lambda x: x.amax(0)),
    "the largest of three, tied": (X * 0 + 1, lambda x: x.amax(0)),
    "x₀ x₁ x₂": (X, lambda x: x.prod(0)),
    "‖x‖": (X, lambda x: (x * x).sum().sqrt()),
    "x / ‖x‖": (X, lambda x: x / (x * x).sum().sqrt()),
    "variance": (X, lambda x: x.var(0)),
    "standard deviation": (X, lambda x: x.std(0)),
    "ln Σ eˣ": (X, lambda x: x.logsumexp(0)),
    "softmax": (X, lambda x: x.softmax(0)),
    "ln softmax": (X, lambda x: x.log_softmax(0)),
    "running products": (X, lambda x: x.cumprod(0)),
    "determinant": (np.array([[2.0, 1], [0.5, -1.5]]), lambda x: x.det()),
    "inverse": (np.array([[2.0, 1], [0.5, -1.5]]), lambda x: x.inverse()),
    "inverse of Hilbert's 7×7": (hilbert(7), lambda x: x.inverse()),
}
"""Functions of one formula, of our Tensors or PyTorch's, and where they are checked."""

GENTLE = [
    "relu", "relu6", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus", "softsign", "tanhshrink", "hardtanh",
    "hardswish", "hardsigmoid", "hardshrink", "softshrink", "leaky_relu", "logsigmoid", "sigmoid", "tanh",
]  # fmt: skip
LABELS = np.array([2, 0])
Call = Callable[..., Any]
FUNCTIONAL: dict[str, tuple[list[tuple[int, ...]], Call]] = {
    **{name: ([(2, 3)], lambda F, L, x, name=name: getattr(F, name)(x)) for name in GENTLE},
    "threshold": ([(2, 3)], lambda F, L, x: F.threshold(x, 0.1, 0.5)),
    "glu": ([(2, 4)], lambda F, L, x: F.glu(x, -1)),
    "prelu": ([(2, 3), (3,)], lambda F, L, x, w: F.prelu(x, w)),
    "softmax": ([(2, 3)], lambda F, L, x: F.softmax(x, -1)),
    "softmin": ([(2, 3)], lambda F, L, x: F.softmin(x, -1)),
    "log_softmax": ([(2, 3)], lambda F, L, x: F.log_softmax(x, -1)),
    "normalize": ([(2, 3)], lambda F, L, x: F.normalize(x, dim=-1)),
    "layer_norm": ([(2, 4), (4,), (4,)], lambda F, L, x, w, b: F.layer_norm(x, (4,), w, b)),
    "rms_norm": ([(2, 4), (4,)], lambda F, L, x, w: F.rms_norm(x, (4,), w)),
    "group_norm": ([(2, 4, 2)], lambda F, L, x: F.group_norm(x, 2)),
    "instance_norm": ([(2, 2, 3)], lambda F, L, x: F.instance_norm(x)),
    "batch_norm": ([(4, 2), (2,), (2,)], lambda F, L, x, w, b: F.batch_norm(x, None, None, w, b, training=True)),
    "local_response_norm": ([(1, 4, 3)], lambda F, L, x: F.local_response_norm(x, 2)),
    "pairwise_distance": ([(2, 3), (2, 3)], lambda F, L, x, y: F.pairwise_distance(x, y)),
    "cosine_similarity": ([(2, 3), (2, 3)], lambda F, L, x, y: F.cosine_similarity(x, y, dim=-1)),
    "pdist": ([(3, 2)], lambda F, L, x: F.pdist(x)),
    "mse_loss": ([(2, 3), (2, 3)], lambda F, L, x, y: F.mse_loss(x, y)),
    "l1_loss": ([(2, 3), (2, 3)], lambda F, L, x, y: F.l1_loss(x, y)),
    "smooth_l1_loss": ([(2, 3), (2, 3)], lambda F, L, x, y: F.smooth_l1_loss(x, y)),
    "huber_loss": ([(2, 3), (2, 3)], lambda F, L, x, y: F.huber_loss(x, y)),
    "kl_div": ([(2, 3), (2, 3)], lambda F, L, x, y: F.kl_div(x, y.abs(), reduction="sum")),
    "cross_entropy": ([(2, 3)], lambda F, L, x: F.cross_entropy(x, L)),
    "nll_loss": ([(2, 3)], lambda F, L, x: F.nll_loss(x, L)),
    "binary_cross_entropy_with_logits": (
        [(2, 3), (2, 3)], lambda F, L, x, y: F.binary_cross_entropy_with_logits(x, y.sigmoid()),
    ),
    "poisson_nll_loss": ([(2, 3), (2, 3)], lambda F, L, x, y: F.poisson_nll_loss(x, y)),
    "gaussian_nll_loss": (
        [(2, 3)] * 3, lambda F, L, x, y, v: F.gaussian_nll_loss(x, y, v.abs(), eps=1e-38),
    ),
    "soft_margin_loss": ([(2, 3)], lambda F, L, x: F.soft_margin_loss(x, x.detach().sign())),
    "multi_margin_loss": ([(2, 3)], lambda F, L, x: F.multi_margin_loss(x, L)),
    "triplet_margin_loss": ([(2, 3)] * 3, lambda F, L, x, y, z: F.triplet_margin_loss(x, y, z)),
    "margin_ranking_loss": ([(3,), (3,)], lambda F, L, x, y: F.margin_ranking_loss(x, y, y.detach().sign())),
    "cosine_embedding_loss": (
        [(2, 3), (2, 3)], lambda F, L, x, y: F.cosine_embedding_loss(x, y, x.detach().sign()[:, 0]),
    ),
    "linear": ([(2, 3), (2, 3), (2,)], lambda F, L, x, w, b: F.linear(x, w, b)),
    "bilinear": ([(2, 2), (2, 3), (1, 2, 3)], lambda F, L, x, y, w: F.bilinear(x, y, w)),
    "embedding": ([(3, 2)], lambda F, L, w: F.embedding(L, w)),
    "conv1d": ([(1, 2, 5), (2, 2, 3)], lambda F, L, x, w: F.conv1d(x, w, padding=1)),
    "conv2d": ([(1, 1, 4, 4), (2, 1, 3, 3)], lambda F, L, x, w: F.conv2d(x, w, padding=1)),
    "conv3d": ([(1, 1, 3, 3, 2), (1, 1, 2, 2, 2)], lambda F, L, x, w: F.conv3d(x, w)),
    "conv_transpose1d": ([(1, 2, 3), (2, 1, 3)], lambda F, L, x, w: F.conv_transpose1d(x, w, stride=2)),
    "conv_transpose2d": ([(1, 1, 3, 3), (1, 1, 2, 2)], lambda F, L, x, w: F.conv_transpose2d(x, w)),
    "max_pool1d": ([(1, 2, 6)], lambda F, L, x: F.max_pool1d(x, 2)),
    "max_pool2d": ([(1, 1, 4, 4)], lambda F, L, x: F.max_pool2d(x, 2)),
    "avg_pool1d": ([(1, 2, 6)], lambda F, L, x: F.avg_pool1d(x, 2)),
    "avg_pool2d": ([(1, 1, 4, 4)], lambda F, L, x: F.avg_pool2d(x, 2)),
    "lp_pool1d": ([(1, 2, 6)], lambda F, L, x: F.lp_pool1d(x, 2.0, 2)),
    "adaptive_avg_pool1d": ([(1, 2, 5)], lambda F, L, x: F.adaptive_avg_pool1d(x, 3)),
    "adaptive_avg_pool2d": ([(1, 1, 4, 3)], lambda F, L, x: F.adaptive_avg_pool2d(x, 2)),
    "adaptive_max_pool2d": ([(1, 1, 4, 3)], lambda F, L, x: F.adaptive_max_pool2d(x, 2)),
    "interpolate": ([(1, 1, 3, 3)], lambda F, L, x: F.interpolate(x, scale_factor=2, mode="bilinear")),
    "pad": ([(1, 1, 4)], lambda F, L, x: F.pad(x, (2, 1), mode="reflect")),
    "pixel_shuffle": ([(1, 4, 2, 1)], lambda F, L, x: F.pixel_shuffle(x, 2)),
    "unfold": ([(1, 1, 3, 3)], lambda F, L, x: F.unfold(x, 2)),
    "fold": ([(1, 4, 4)], lambda F, L, x: F.fold(x, (3, 3), 2)),
    "grid_sample": (
        [(1, 1, 3, 3), (1, 2, 2, 2)], lambda F, L, x, g: F.grid_sample(x, g / 4, align_corners=False),
    ),
    "affine_grid": ([(1, 2, 3)], lambda F, L, x: F.affine_grid(x, [1, 1, 2, 2], align_corners=False)),
    "scaled_dot_product_attention": ([(2, 3)] * 3, lambda F, L, q, k, v: F.scaled_dot_product_attention(q, k, v)),
}  # fmt: skip
"""Functions of `nn.functional`: the shapes of their inputs, and a call with the module and labels of two classes."""


def rows(of_torch: bool) -> Iterator[tuple[str, str, Row]]:
    """The kind, the name, the inputs and the function of every row."""
    for name, (x, func) in FORMULAS.items():
        yield "formulas", name, ([x], func, [True])
    module, labels = (functional, Tensor(LABELS)) if not of_torch else _of_torch()
    for name, (shapes, call) in FUNCTIONAL.items():
        random = np.random.default_rng(len(name))
        inputs = [random.standard_normal(shape) for shape in shapes]
        yield "functional", name, (inputs, lambda *a, call=call: call(module, labels, *a), [True] * len(inputs))
    for name in [] if of_torch else OPS:
        yield "ops", name, op_row(name)


def _of_torch() -> tuple[Any, Any]:
    torch = import_module("torch")
    return torch.nn.functional, torch.tensor(LABELS)


def op_row(name: str) -> Row:
    """An op on a sample of its own that is not empty."""
    op = registry[name]
    samples = (op.sample(RandomDraw(np.random.default_rng(seed))) for seed in range(100))
    inputs, options = next(s for s in samples if all(np.size(a) for a in s.inputs))

    def func(*tensors: Any) -> Any:
        y = op.apply(*tensors, **options)
        return y[0] if op.aux else y

    arrays = [np.asarray(a) for a in inputs]
    ruled = [op.variadic or op.rules[k] is not None for k in range(len(arrays))]
    return arrays, func, [rule and a.dtype.kind == "f" for rule, a in zip(ruled, arrays, strict=True)]


@np.errstate(all="ignore")
def verdict(row: Row, scale: float, dtype: str, of_torch: bool) -> str:
    """The letter of one check, a blank if the dtype does not hold the scale."""
    info = np.finfo(dtype)
    if not float(info.tiny) <= scale <= float(info.max) / 8:
        return " "
    inputs, func, wanted = row
    scaled = [(a * scale).astype(dtype) if a.dtype.kind == "f" else a for a in inputs]
    checked: Any = func
    if of_torch:
        torch = import_module("torch")
        given: list[Any] = [torch.tensor(a, requires_grad=w) for a, w in zip(scaled, wanted, strict=True)]
        checked = torch_function(func)
    else:
        given = [Tensor(a, requires_grad=w) for a, w in zip(scaled, wanted, strict=True)]
    try:
        report: Report = gradcheck(checked, given, raise_exception=False, explain=False)
    except Exception:  # an op may refuse a dtype in any way
        return LETTERS["refused"]
    return LETTERS[category(report)]


def off(func: Function, factor: float) -> Function:
    """The same function, whose gradients are off by a factor."""

    def wrong(*tensors: Any) -> Any:
        between = [t.clone() if t.requires_grad else t for t in tensors]
        for t in between:
            if t.requires_grad:
                t.register_hook(lambda g: g * factor)
        return func(*between)

    return wrong


def page(maps: dict[str, dict[str, list[str]]], of_torch: bool, factor: float = 1.0) -> str:
    """The maps as Markdown."""
    kind_of = "right gradients" if factor == 1 else f"gradients {factor} times the right ones"
    title = f"Verdicts of {kind_of} at every scale" + (", PyTorch's functions" if of_torch else "")
    command = "python -m scripts.verdict_maps" + (" --torch" if of_torch else "")
    command += "" if factor == 1 else f" --off {factor}"
    counts = Counter(letter for kind in maps.values() for row in kind.values() for text in row for letter in text)
    names = {letter: name for name, letter in LETTERS.items()}
    lines = [
        f"# {title}",
        "",
        f"Each row is a function, each letter a check of its gradient by `gradcheck`. Written by `{command}`.",
        "From left to right the inputs grow from 10⁻³⁰ to 10³⁰, by 10³ for formulas and by 10¹⁰ for the others; the "
        "size 1 stands between two `|`.",
        "`o`: the gradient passes. `?`: inconclusive, nothing can be told. `F`: the gradient is called wrong. `.`: a "
        "value or a derivative is no finite number.",
        "`c`: the op clips its derivative there, as PyTorch does, and the checker says that it is not the derivative.",
        "`-`: nothing to check. `x`: the function refuses the dtype. Blank: the dtype does not hold the scale.",
        "bfloat16 is not checked: NumPy has no such numbers, and 8 bits leave nothing to compare; check in float32.",
        "",
        "| what | checks |",
        "|---|---|",
        *(f"| {names[letter]} | {counts[letter]:,} |" for letter in LETTERS.values() if counts[letter]),
    ]
    for kind, found in maps.items():
        width = max(map(len, found))
        lines += ["", f"## {kind.capitalize()} ({len(found)})", "", "```"]
        lines.append(" ".join(["".ljust(width), *(d.ljust(len(EXPONENTS[kind]) + 2) for d in DTYPES)]).rstrip())
        for name, texts in found.items():
            split = [f"{t[: len(t) // 2]}|{t[len(t) // 2]}|{t[len(t) // 2 + 1 :]}" for t in texts]
            lines.append(" ".join([name.ljust(width), *split]).rstrip())
        lines.append("```")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Draw the maps, or go on with them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=KINDS, help=", ".join(KINDS))
    parser.add_argument("--torch", action="store_true", help="PyTorch's functions, by `torch_function`")
    parser.add_argument("--off", type=float, default=1.0, help="a factor that every gradient is wrong by")
    parser.add_argument("--state", type=Path, help="a file to go on from")
    parser.add_argument("--write", type=Path, help="the page; printed if it is not given")
    options = parser.parse_args()
    maps: dict[str, dict[str, list[str]]] = {}
    if options.state is not None and options.state.exists():
        maps = json.loads(options.state.read_text(encoding="utf-8"))
    for kind, name, (inputs, func, wanted) in rows(options.torch):
        row = (inputs, func if options.off == 1 else off(func, options.off), wanted)
        found = maps.setdefault(kind, {})
        if kind not in options.only or name in found:
            continue
        found[name] = ["".join(verdict(row, 10.0**k, d, options.torch) for k in EXPONENTS[kind]) for d in DTYPES]
        if name in CLIPPED:
            small = sum(10.0**k < CLIPPED[name] for k in EXPONENTS[kind])
            found[name] = [
                text[:small].replace(LETTERS["fail"], LETTERS["clipped"]) + text[small:] for text in found[name]
            ]
        print(name, *found[name], sep=" | ", flush=True)
        if options.state is not None:
            options.state.write_text(json.dumps(maps), encoding="utf-8")
    text = page({kind: found for kind, found in maps.items() if found}, options.torch, options.off)
    if options.write is None:
        print(text)
    else:
        options.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
