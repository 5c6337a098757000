"""The results as a table, a page and plots."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import FAST, OTHERS, OURS


def line(row: dict[str, Any]) -> str:
    """One case in one line."""
    times = "  ".join(f"{n} {t['median']:.2f}" for n, t in row["times"].items())
    head = f"{row['case']:14s} batch {row['batch']:3d}, {row['threads']} thread(s)"
    return f"{head}: {times} ms; ratio {row.get('ratio', 0):.2f}"


def geometric_mean(rows: list[dict[str, Any]]) -> float:
    """Of our ratios to PyTorch's better format."""
    ratios = [row["ratio"] for row in rows if "ratio" in row]
    return float(np.exp(np.mean(np.log(ratios)))) if ratios else float("nan")


def summary(result: dict[str, Any]) -> str:
    """The figures that the goals name."""
    rows = result["cases"]
    slower = sum(row.get("ratio", 1) < 1 for row in rows)
    return f"geometric mean of the ratios to PyTorch: {geometric_mean(rows):.2f}; slower in {slower} of {len(rows)}"


def table(heads: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    return "\n".join("| " + " | ".join(r) + " |" for r in (heads, ["---"] * len(heads), *rows))


def page(result: dict[str, Any]) -> str:
    """The generated page: every table, no interpretation."""
    m, rows = result["machine"], result["cases"]
    parts = [
        "<!-- Written by `python -m benchmarks --out docs`; do not edit. -->",
        "# Speed: the tables",
        f"{m['processors']} processors, {m['system']}, Python {m['python']}, {', '.join(m['blas'])}; "
        + ", ".join(f"{n} {v}" for n, v in m["packages"].items())
        + ". One training step (forward, backward, SGD), float32, the peers taking turns; medians in ms, with the "
        "quartiles of ours. The ratio is that of the better of PyTorch's two formats to ours: above 1 we are faster.",
        summary(result).capitalize() + ".",
        "![ratios](speed-ratios.png)",
        table(
            ["network", "batch", "threads", "ours", "quartiles", "calls", *FAST, "ratio"],
            [
                [
                    r["case"],
                    str(r["batch"]),
                    str(r["threads"]),
                    f"{r['times'][OURS]['median']:.2f}",
                    f"{r['times'][OURS]['low']:.2f} to {r['times'][OURS]['high']:.2f}",
                    str(r["times"][OURS]["n"]),
                    *(f"{r['times'][n]['median']:.2f}" if n in r["times"] else "" for n in FAST),
                    f"{r.get('ratio', float('nan')):.2f}",
                ]
                for r in rows
            ],
        ),
        "## The other peers: their time over ours, in turns with ours",
        "JAX uses as many threads as the machine has processors. A peer that could not run is named with its error.",
        table(
            ["network", "batch", "threads", *OTHERS],
            [
                [r["case"], str(r["batch"]), str(r["threads"])]
                + [
                    f"{r['times'][n]['ratio']:.1f} ({r['times'][n]['median']:.2f} ms)"
                    if n in r["times"]
                    else r.get("failed", {}).get(n, "not installed").replace("|", "/")
                    for n in OTHERS
                ]
                for r in rows
                if any(n in r["times"] for n in OTHERS) or "failed" in r
            ],
        ),
    ]
    small = result["small"]
    names = list(small["chain"])
    parts += [
        "## Small graphs, µs, one thread",
        table(
            ["", *names],
            [
                ["40 multiplies and adds on 8 elements, forward", *(f"{small['forward'][n]:.0f}" for n in names)],
                ["the same and backward", *(f"{small['chain'][n]:.0f}" for n in names)],
                ["a step of a 2-16-16-1 MLP, batch 100", *(f"{small['mlp'][n]:.0f}" for n in names)],
            ],
        ),
        f"A recorded op costs {small['over_numpy']:.2f} µs above NumPy's own.",
        "## Kernels against the machine, batch 64, one thread",
        f"The product of two 1024² matrices reaches {result['kernels'][0]['peak']['gemm']:.0f} GFLOP/s, copying "
        f"{result['kernels'][0]['peak']['copy']:.0f} GB/s.",
        table(
            ["kernel", "ms", "of the peak product", "of the copying bandwidth"],
            [
                [k["kernel"], f"{k['ms']:.2f}"]
                + [f"{100 * k[limit]:.0f} %" if limit in k else "" for limit in ("gemm", "copy")]
                for k in result["kernels"][1:]
            ],
        ),
    ]
    if "growth" in result:
        parts += [
            "![the machine's limits](speed-limits.png)",
            "## Growth of cost: one convolution 32@3×3, forward and both gradients",
            table(
                ["along", "sizes", "ms", "exponent"],
                [
                    [n, ", ".join(map(str, g["sizes"])), ", ".join(f"{t:.2f}" for t in g["ms"]), f"{g['exponent']:.2f}"]
                    for n, g in result["growth"].items()
                ],
            ),
            "![growth](speed-growth.png)",
            "## Memory: the peak of a step above the process before it, MiB",
            table(
                ["network", "batch", OURS, *FAST],
                [
                    [r["case"], str(r["batch"])] + [f"{r[n]:.1f}" for n in (OURS, *FAST) if n in r]
                    for r in result["memory"]
                ],
            ),
            f"Over {result['leak']['steps']:,} steps the process grew by {result['leak']['MiB']:.2f} MiB, from "
            "the first tenth of them on.",
        ]
    return "\n\n".join(parts) + "\n"


def write(result: dict[str, Any], folder: Path) -> None:
    """speed.json, speed.md and the plots."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "speed.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "speed.md").write_text(page(result))
    plots(result, folder)


def plots(result: dict[str, Any], folder: Path) -> None:
    """Bars of ratios, lines of growth, and the kernels under the machine's roof."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    rows = [r for r in result["cases"] if "ratio" in r]
    figure, axes = plt.subplots(figsize=(10, 4.5))
    colours = {1: "tab:blue", 2: "tab:orange"}
    labels = list(dict.fromkeys((r["case"], r["batch"]) for r in rows))
    for shift, threads in enumerate(sorted({r["threads"] for r in rows})):
        heights = {(r["case"], r["batch"]): r["ratio"] for r in rows if r["threads"] == threads}
        places = np.arange(len(labels)) + 0.4 * shift
        axes.bar(
            places, [heights.get(k, 0) for k in labels], 0.4, label=f"{threads} thread(s)", color=colours.get(threads)
        )
    axes.axhline(1, color="black", lw=1)
    axes.set_xticks(np.arange(len(labels)) + 0.2, [f"{c}\n{b}" for c, b in labels], rotation=60, fontsize=8)
    axes.set_ylabel("PyTorch's better format / ours")
    axes.set_title("Above the line we are faster")
    axes.legend()
    figure.tight_layout()
    figure.savefig(folder / "speed-ratios.png", dpi=110)
    plt.close(figure)
    if "growth" not in result:
        return
    figure, panels = plt.subplots(1, 3, figsize=(11, 3.6))
    for axes, (name, g) in zip(panels, result["growth"].items(), strict=True):
        axes.loglog(g["sizes"], g["ms"], "o-")
        axes.set_title(f"{name}: exponent {g['exponent']:.2f}")
        axes.set_xlabel(name)
        axes.set_ylabel("ms")
    figure.tight_layout()
    figure.savefig(folder / "speed-growth.png", dpi=110)
    plt.close(figure)
    peak = result["kernels"][0]["peak"]
    figure, axes = plt.subplots(figsize=(7, 4.5))
    intensities = np.logspace(0, 3, 50)
    axes.loglog(intensities, np.minimum(peak["gemm"], intensities * peak["copy"]), color="black", label="this machine")
    for k in result["kernels"][1:]:
        if "gemm" in k:
            axes.loglog(k["intensity"], k["gemm"] * peak["gemm"], "o")
            axes.annotate(k["kernel"], (k["intensity"], k["gemm"] * peak["gemm"]), fontsize=6)
    axes.set_xlabel("operations per byte moved at least")
    axes.set_ylabel("GFLOP/s, one thread")
    axes.legend()
    figure.tight_layout()
    figure.savefig(folder / "speed-limits.png", dpi=110)
    plt.close(figure)
