"""`python -m benchmarks sweep`: every public function beside PyTorch's, one thread, at 10³, 10⁵ and 10⁷ elements.

Ours and PyTorch's take turns, and the least time of each counts. Printed are the ratio of ours to PyTorch's, above 1
where ours is slower, and last all above `LIMIT`. How the arguments are made is in `arguments`.
"""

import argparse
import gc
import json
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial, reduce
from pathlib import Path
from typing import Any

import numpy as np

import tinygrad_cnn as tg
from benchmarks.arguments import KINDS
from benchmarks.measure import exponent
from tinygrad_cnn.core.types import NDArray

SIZES = (10**3, 10**5, 10**7)
LIMIT = 3.0
"""From this ratio on a function is listed."""
SECONDS = 0.05
"""How long a pair is measured, if not `REPEAT` times."""
LONGEST = 10.0
"""What would take longer, by the time of the size before, is not run."""
DOUBTED = 2.0
"""What is slower is measured once more: the machine may have been busy."""


def cases(only: str = "") -> Iterator[tuple[str, str]]:
    """Kind and name of everything that is timed."""
    for kind, given in KINDS.items():
        for name in dict.fromkeys(given.names.split()):
            if only in f"{name} {kind}":
                yield kind, name


def found(library: Any, name: str) -> Callable[..., Any]:
    """A function, by its path, of either library."""
    function: Callable[..., Any] = reduce(getattr, name.split("."), library)
    return function


def converted(given: Any, tensor: Callable[[NDArray], Any]) -> Any:
    """The arguments with tensors for arrays."""
    if isinstance(given, np.ndarray):
        return tensor(given)
    if isinstance(given, (list, tuple)) and not all(isinstance(x, (int, float)) for x in given):
        return type(given)(converted(x, tensor) for x in given)
    return given


def call(library: Any, name: str, arguments: Any, slope: bool, **keywords: Any) -> Callable[[], Any]:
    """The call to time: forward, or also back from the sum of what comes out to the floating inputs."""
    tensor = library.from_numpy if library is not tg else lambda x: tg.tensor(x)
    given = converted(arguments, lambda x: tensor(x.copy()))
    function = partial(found(library, name), **keywords)
    if not slope:
        return lambda: function(*given)
    leaves = [x for x in _leaves(given) if x.dtype == library.float32]
    for leaf in leaves:
        leaf.requires_grad_(True)

    def both_ways() -> None:
        out = function(*given)
        first = next(x for x in _leaves(out if isinstance(out, (tuple, list)) else (out,)) if x.requires_grad)
        first.backward(library.ones_like(first))
        for leaf in leaves:
            leaf.grad = None

    return both_ways


def _leaves(given: Any) -> Iterator[Any]:
    for x in given:
        if isinstance(x, (list, tuple)):
            yield from _leaves(x)
        elif hasattr(x, "requires_grad_"):
            yield x


def least(ours: Callable[[], Any], theirs: Callable[[], Any], seconds: float) -> tuple[float, float]:
    """The least time of each, in turns; short calls many at a time."""
    loops = []
    for function in (ours, theirs):
        function()
        start = time.perf_counter()
        function()
        loops.append(max(1, min(50, int(2e-4 / max(time.perf_counter() - start, 1e-7)))))
    best = [float("inf")] * 2
    end = time.perf_counter() + seconds
    for turn in range(200):
        for k, function in enumerate((ours, theirs)):
            start = time.perf_counter()
            for _ in range(loops[k]):
                function()
            best[k] = min(best[k], (time.perf_counter() - start) / loops[k])
        if turn >= 2 and time.perf_counter() > end:
            break
    return best[0], best[1]


def measured(kind: str, name: str, sizes: tuple[int, ...], slope: bool) -> list[dict[str, Any]]:
    """A row for each size: the two times in seconds and their ratio."""
    import torch

    given = KINDS[kind]
    out: list[dict[str, Any]] = []
    for n in (n for n in sizes if n <= given.most):
        if out and max(out[-1]["ours"], out[-1]["theirs"]) * n / out[-1]["size"] > LONGEST:
            break
        arguments = given.arguments(n, np.random.default_rng(0))
        pair = [call(library, name, arguments, slope, **(given.keywords or {})) for library in (tg, torch)]
        ours, theirs = least(pair[0], pair[1], SECONDS)
        if ours > DOUBTED * theirs:
            again = least(pair[0], pair[1], 3 * SECONDS)
            ours, theirs = min(ours, again[0]), min(theirs, again[1])
        out.append({"size": n, "ours": ours, "theirs": theirs, "ratio": ours / theirs})
    return out


def line(name: str, kind: str, rows: list[dict[str, Any]]) -> str:
    """A line of the table, with how fast the ratio grows."""
    cells = "  ".join(f"{row['size']:.0e} {1e6 * row['ours']:9.1f} µs ×{row['ratio']:6.2f}" for row in rows)
    return f"{name:45s} {kind:30s} {cells}  growth {growth(rows):+.2f}"


def growth(rows: list[dict[str, Any]]) -> float:
    """The exponent of our time in the size less that of PyTorch's."""
    sizes = [row["size"] for row in rows]
    if len(sizes) < 2:
        return 0.0
    return exponent(sizes, [r["ours"] for r in rows]) - exponent(sizes, [r["theirs"] for r in rows])


def main(given: list[str] | None = None) -> None:
    """Measure, print as it goes, and list what is too slow."""
    import torch

    parser = argparse.ArgumentParser(prog="python -m benchmarks sweep", description=__doc__)
    parser.add_argument("--only", default="", help="names or kinds with this in them")
    parser.add_argument("--backward", action="store_true", help="forward and backward")
    parser.add_argument("--kernels", default="numpy", help="the set of kernels")
    parser.add_argument("--sizes", type=float, nargs="+", default=list(SIZES))
    parser.add_argument("--above", type=float, default=0, help="print only what is slower than so many times")
    parser.add_argument("--out", type=Path, default=None, help="write all rows as JSON here")
    chosen = parser.parse_args(given)
    warnings.simplefilter("ignore")
    tg.set_num_threads(1)
    torch.set_num_threads(1)
    tg.set_kernels(chosen.kernels)
    table: list[dict[str, Any]] = []
    for kind, name in cases(chosen.only):
        try:
            rows = measured(kind, name, tuple(int(n) for n in chosen.sizes), chosen.backward)
        except StopIteration:  # nothing to differentiate
            continue
        except Exception as error:  # told, and the sweep goes on
            print(f"{name} ({kind}): {type(error).__name__}: {str(error).splitlines()[0][:120]}", flush=True)
            continue
        table.append({"name": name, "kind": kind, "rows": rows, "growth": growth(rows)})
        if any(row["ratio"] >= chosen.above for row in rows):
            print(line(name, kind, rows), flush=True)
        gc.collect()
        if chosen.out is not None:
            chosen.out.write_text(json.dumps(table, indent=1) + "\n")
    slow = [one for one in table if any(row["ratio"] > LIMIT for row in one["rows"])]
    slow.sort(key=lambda one: -max(row["ratio"] for row in one["rows"]))
    print(f"\n{len(table)} calls; {len(slow)} more than {LIMIT:g} times as long as PyTorch's:")
    for one in slow:
        print(line(one["name"], one["kind"], one["rows"]))


if __name__ == "__main__":
    main()
