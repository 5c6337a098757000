"""`python -m benchmarks [--quick] [--out DIR]`: all peers that are installed, on the same work, in one run.

`python -m benchmarks sweep` is another command: every public function beside PyTorch's. `python -m benchmarks kernels`
is a third: what each kernel reaches of the machine's peak product or copying bandwidth. `python -m benchmarks runtimes`
is a fourth: inference beside onnxruntime, and the digits beside scikit-learn.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

import tinygrad_cnn as tg
from benchmarks import beside, features, limits, memory, playback, report, runtimes, sweep
from benchmarks.measure import alternately, best
from benchmarks.networks import NETWORKS, Work, work
from benchmarks.peers import FAST, MINE, OTHERS, OURS, Peer, installed
from benchmarks.programs import PROGRAMS


def agreeing(given: Work, builders: dict[str, Callable[[Work], Peer]]) -> dict[str, Peer]:
    """The peers, built, after a check that each computes our loss and our gradients."""
    built = {name: build(given) for name, build in builders.items()}
    loss, gradients = built[OURS].gradients()
    for name, peer in built.items():
        other_loss, others = peer.gradients()
        np.testing.assert_allclose(other_loss, loss, rtol=1e-4, err_msg=name)
        for k, (mine, other) in enumerate(zip(gradients, others, strict=True)):
            error = float(np.linalg.norm(other - mine) / np.linalg.norm(mine))
            if error > 0.01:  # float32: where rounding moves a value across relu's kink, single gradients differ
                raise AssertionError(
                    f"{name}: the gradient of parameter {k} differs from ours by {error:.1e} of its norm"
                )
    return built


def set_threads(n: int) -> None:
    """The same number for every library that can be told."""
    tg.set_num_threads(n)
    if "PyTorch" in installed(FAST):
        import torch

        torch.set_num_threads(n)


def compare(case: str, batch: int, threads: int, quick: bool, others: bool) -> dict[str, Any]:
    """One case: the timings of all peers and our ratio to the better of PyTorch's formats."""
    set_threads(threads)
    mine = installed(MINE)
    builders = {**mine, **installed(FAST)}
    built = agreeing(work(case, batch), builders)
    least, seconds = (5, 0.3) if quick else (15, 1.5)
    times = alternately({n: p.step for n, p in built.items()}, least=least, most=300, seconds=seconds)
    rival = [times[n]["median"] for n in FAST if n in times]
    row: dict[str, Any] = {"case": case, "batch": batch, "threads": threads, "times": times}
    if rival:
        row["ratios"] = {n: min(rival) / times[n]["median"] for n in mine}
    if others:
        for name, build in installed(OTHERS).items():
            try:
                built = agreeing(work(case, batch), {**mine, name: build})
            except Exception as error:  # a peer that cannot run here is reported, not hidden
                row.setdefault("failed", {})[name] = f"{type(error).__name__}: {error}".splitlines()[0][:200]
                continue
            least = 15 if best(built[name].step, 1) < 0.5 else 3  # the calls are counted in the results
            turns = alternately({n: p.step for n, p in built.items()}, least=least, most=60, seconds=0.5)
            ratios = {n: turns[name]["median"] / turns[n]["median"] for n in mine}
            row.setdefault("others", {})[name] = {**turns[name], "ratios": ratios}
    return row


def programs(quick: bool) -> list[dict[str, Any]]:
    """The other networks, training and inference, with one thread and with two as a user gets them."""
    rows: list[dict[str, Any]] = []
    if "PyTorch" not in installed(FAST):
        return rows
    kits = [package for name, (package, _) in MINE.items() if name in installed(MINE)]
    for threads in sorted({1, min(2, os.cpu_count() or 1)}):
        set_threads(threads)
        for name, (_, batches) in PROGRAMS.items():
            for batch in batches[-1:] if quick else batches:
                row = {**beside.beside(name, batch, kits, *((3, 0.1) if quick else (7, 0.4))), "threads": threads}
                rows.append(row)
                shown = {what: {k: round(r, 2) for k, r in row[what]["ratios"].items()} for what in ("step", "infer")}
                print(f"{name} {batch}, {threads} thread(s): {shown}", flush=True)
    return rows


def main() -> None:
    """Run, and write JSON, a page with tables, and plots."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer cases and calls: a minute in all")
    parser.add_argument("--no-others", action="store_true", help="PyTorch eager only")
    parser.add_argument("--features", default="own", help="avx2: as on a processor without AVX-512")
    parser.add_argument(
        "--out", type=Path, default=None, help="write speed.md, or speed-avx2.md, its numbers and plots here"
    )
    chosen = parser.parse_args()
    features.restrict_to(chosen.features)
    quick = chosen.quick
    result: dict[str, Any] = {"machine": machine(), "cases": []}
    page = report.WITH_AVX2 if chosen.features == "avx2" else report.OWN
    if chosen.out is not None:
        chosen.out.mkdir(parents=True, exist_ok=True)
    for threads in sorted({1, min(2, os.cpu_count() or 1)}):
        for case in NETWORKS:
            for batch in (1, 64) if quick else (1, 16, 64, 256):
                others = not (quick or chosen.no_others) and batch in (1, 64) and threads > 1
                row = compare(case, batch, threads, quick, others)
                result["cases"].append(row)
                print(report.line(row), flush=True)
                if chosen.out is not None:  # so that a run that is interrupted is not lost
                    (chosen.out / f"{page}.partial.json").write_text(json.dumps(result, indent=1) + "\n")
    result["programs"] = programs(quick)
    set_threads(1)
    result["small"] = limits.small_graphs(50 if quick else 500)
    print(json.dumps(result["small"], indent=1))
    result["playback"] = playback.playback(20 if quick else 60)
    print(json.dumps(result["playback"], indent=1))
    result["kernels"] = limits.kernels()
    if not quick:
        result["growth"] = limits.growth()
        result["memory"] = [
            {"case": c, "batch": b, **{n: memory.of_step(n, c, b) for n in (*installed(MINE), *installed(FAST))}}
            for c in NETWORKS
            for b in (1, 64)
        ]
        result["memory"] += [
            {"case": c, "batch": b, **{n: memory.of_step(n, c, b) for n in (*installed(MINE), *installed(FAST))}}
            for c, (_, batches) in PROGRAMS.items()
            for b in batches[-1:]
        ]
        result["leak"] = {"steps": 10_000, "MiB": {kit: memory.growth(10_000, kit) for kit in limits.SETS}}
    print(report.summary(result))
    if chosen.out is not None:
        report.write(result, chosen.out, page)
        (chosen.out / f"{page}.partial.json").unlink()


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    peers = {**MINE, **FAST, **OTHERS}
    names = dict.fromkeys(peers[name][0] for name in installed(peers))
    blas = [
        f"OpenBLAS {b['version']}, {b['architecture']}" for b in threadpool_info() if b["internal_api"] == "openblas"
    ]
    return {
        "processors": os.cpu_count(),
        "features": features.in_use(),
        "name": processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "blas": blas[:1],
        "packages": {n: version(n) for n in names},
    }


def kernels(arguments: list[str]) -> None:
    """Print the table of the kernels alone."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks kernels")
    parser.add_argument("--features", default="own", help="avx2: as on a processor without AVX-512")
    features.restrict_to(parser.parse_args(arguments).features)
    set_threads(1)
    peak, *rows = limits.kernels()
    print(
        f"{processor()}, {features.in_use()}, one thread, 64 images: the product of two 512² matrices reaches", end=" "
    )
    print(f"{peak['peak']['gemm']:.0f} GFLOP/s, copying {peak['peak']['copy']:.0f} GB/s.\n")
    print(report.kernels_table(rows))


def processor() -> str:
    """What the processor calls itself (Linux)."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "a processor")


if __name__ == "__main__":
    if sys.argv[1:2] == ["sweep"]:
        sweep.main(sys.argv[2:])
    elif sys.argv[1:2] == ["kernels"]:
        kernels(sys.argv[2:])
    elif sys.argv[1:2] == ["runtimes"]:
        runtimes.main(sys.argv[2:])
    else:
        main()
