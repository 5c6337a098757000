"""The results as a table, a page and plots."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import COMPILED, FAST, MINE, OTHERS, OURS


def line(row: dict[str, Any]) -> str:
    """One case in one line."""
    times = "  ".join(f"{n} {t['median']:.2f}" for n, t in row["times"].items())
    head = f"{row['case']:14s} batch {row['batch']:3d}, {row['threads']} thread(s)"
    ratios = ", ".join(f"{r:.2f}" for r in row.get("ratios", {}).values())
    return f"{head}: {times} ms; ratio {ratios}"


def geometric_mean(rows: list[dict[str, Any]], name: str) -> float:
    """Of the ratios of PyTorch's better format to ours."""
    ratios = [row["ratios"][name] for row in rows if name in row.get("ratios", {})]
    return float(np.exp(np.mean(np.log(ratios)))) if ratios else float("nan")


def summary(result: dict[str, Any]) -> str:
    """The figures that the goals name, for each set of kernels."""
    lines = []
    for name in MINE:
        rows = [row for row in result["cases"] if name in row.get("ratios", {})]
        if rows:
            slower = sum(row["ratios"][name] < 1 for row in rows)
            mean = geometric_mean(rows, name)
            lines.append(
                f"{name}: geometric mean of the ratios to PyTorch {mean:.2f}, slower in {slower} of {len(rows)}"
            )
    return "; ".join(lines)


def over(other: dict[str, Any]) -> str:
    """A peer's time over ours, for each set of kernels, and in ms."""
    return f"{', '.join(f'{ratio:.1f}' for ratio in other['ratios'].values())} ({other['median']:.2f} ms)"


def kernels_table(rows: list[dict[str, Any]]) -> str:
    """What each kernel reaches of the machine, and why where that is little."""
    return table(
        ["kernel", "of", "ms", "of the peak product", "of the copying bandwidth", "below 60 % and 50 % because of"],
        [
            [k["kernel"], k["set"], f"{k['ms']:.2f}"]
            + [f"{100 * k[limit]:.0f} %" if limit in k else "" for limit in ("gemm", "copy")]
            + [k.get("reason", "")]
            for k in rows
        ],
    )


def table(heads: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    return "\n".join("| " + " | ".join(r) + " |" for r in (heads, ["---"] * len(heads), *rows))


OWN, WITH_AVX2 = "speed", "speed-avx2"
"""The names of the pages: with all that the processor has, and with AVX2 alone on one that has AVX-512."""


def page(result: dict[str, Any], name: str = OWN) -> str:
    """The generated page: every table, no interpretation."""
    m, rows = result["machine"], result["cases"]
    parts = [
        f"<!-- Written by `python -m benchmarks{' --features avx2' * (name != OWN)} --out docs`; do not edit. -->",
        "# Speed: the tables" + ", with AVX2 alone" * (name != OWN),
        f"{m['processors']} processors ({m.get('name', 'unnamed')}, {m.get('features', 'not noted')}), {m['system']}, "
        f"Python {m['python']}, {', '.join(m['blas'])}; "
        + ", ".join(f"{n} {v}" for n, v in m["packages"].items())
        + ". One training step (forward, backward, SGD), float32, the peers taking turns; medians in ms, with the "
        "quartiles of ours. The ratio is that of the better of PyTorch's two formats to ours: above 1 we are faster. "
        f"`{OURS}` computes with NumPy alone, `{COMPILED}` with the kernels of the extra `fast`.",
        summary(result) + ".",
        f"![ratios]({name}-ratios.png)",
        table(
            ["network", "batch", "threads", *MINE, "quartiles", *FAST, *(f"ratio of {n}" for n in MINE)],
            [
                [
                    *(r["case"], str(r["batch"]), str(r["threads"])),
                    *(f"{r['times'][n]['median']:.2f}" if n in r["times"] else "" for n in MINE),
                    "; ".join(
                        f"{r['times'][n]['low']:.2f} to {r['times'][n]['high']:.2f}" for n in MINE if n in r["times"]
                    ),
                    *(f"{r['times'][n]['median']:.2f}" if n in r["times"] else "" for n in FAST),
                    *(f"{r['ratios'][n]:.2f}" if n in r.get("ratios", {}) else "" for n in MINE),
                ]
                for r in rows
            ],
        ),
        "## The other peers: their time over ours, in turns with ours",
        f"Over {' and '.join(MINE)}. JAX uses as many threads as the machine has processors. A peer that could not run "
        "is named with its error.",
        table(
            ["network", "batch", "threads", *OTHERS],
            [
                [r["case"], str(r["batch"]), str(r["threads"])]
                + [
                    over(r["others"][n])
                    if n in r.get("others", {})
                    else r.get("failed", {}).get(n, "not installed").replace("|", "/")
                    for n in OTHERS
                ]
                for r in rows
                if "others" in r or "failed" in r
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
        f"The product of two 512² matrices reaches {result['kernels'][0]['peak']['gemm']:.0f} GFLOP/s, copying "
        f"{result['kernels'][0]['peak']['copy']:.0f} GB/s.",
        kernels_table(result["kernels"][1:]),
    ]
    if result.get("programs"):
        parts += [
            "## Other networks: PyTorch's time in its better format over ours",
            programs_table(result["programs"]),
        ]
    if "playback" in result:
        played = result["playback"]
        keys = list(dict.fromkeys(key for row in played for key in row["us"]))
        parts += [
            "## Steps that are played back, µs, one thread",
            "MLP 2-16-16-1 of 32 points; 40 ops on 8 elements and back; LeNet-5 of one image; LSTM of one sequence of "
            "20 steps. [What that is](compile.md).",
            table(
                ["", *keys], [[r["name"], *(f"{r['us'][k]:.0f}" if k in r["us"] else "" for k in keys)] for r in played]
            ),
        ]
    if "growth" in result:
        parts += [
            f"![the machine's limits]({name}-limits.png)",
            "## Growth of cost: one convolution 32@3×3, forward and both gradients",
            table(
                ["kernels", "along", "sizes", "ms", "exponent"],
                [
                    [
                        kernels,
                        n,
                        ", ".join(map(str, g["sizes"])),
                        ", ".join(f"{t:.2f}" for t in g["ms"]),
                        f"{g['exponent']:.2f}",
                    ]
                    for kernels, axes in result["growth"].items()
                    for n, g in axes.items()
                ],
            ),
            f"![growth]({name}-growth.png)",
            "## Memory: the peak of a step above the process before it, MiB",
            table(
                ["network", "batch", *MINE, *FAST],
                [
                    [r["case"], str(r["batch"])] + [f"{r[n]:.1f}" if n in r else "" for n in (*MINE, *FAST)]
                    for r in result["memory"]
                ],
            ),
            f"Over {result['leak']['steps']:,} steps, from the first tenth of them on, the process grew by "
            + " and ".join(f"{v:.2f} MiB ({kit})" for kit, v in result["leak"]["MiB"].items())
            + ".",
        ]
    return "\n\n".join(parts) + "\n"


def programs_table(rows: list[dict[str, Any]]) -> str:
    """Training steps and inference of the other networks, and the geometric means."""
    kits = list(rows[0]["step"]["ratios"])
    columns = [(what, kit) for what in ("step", "infer") for kit in kits]
    lines = [
        [row["name"], str(row["batch"]), str(row["threads"])]
        + [f"{row[what]['ratios'][kit]:.2f}" for what, kit in columns]
        for row in rows
    ]
    for threads in sorted({row["threads"] for row in rows}):
        found = [[row[what]["ratios"][kit] for row in rows if row["threads"] == threads] for what, kit in columns]
        means = [f"{float(np.exp(np.mean(np.log(ratios)))):.2f} (least {min(ratios):.2f})" for ratios in found]
        lines.append(["geometric mean", "", str(threads), *means])
    words = {"step": "training", "infer": "inference"}
    return table(["network", "batch", "threads", *(f"{words[what]}, {kit}" for what, kit in columns)], lines)


def write(result: dict[str, Any], folder: Path, name: str = OWN) -> None:
    """The numbers, the page and the plots, whose files begin with this name."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / f"{name}.md").write_text(page(result, name))
    plots(result, folder, name)


def plots(result: dict[str, Any], folder: Path, name: str = OWN) -> None:
    """Bars of ratios, lines of growth, and the kernels under the machine's roof."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    rows = [r for r in result["cases"] if "ratios" in r]
    figure, axes = plt.subplots(figsize=(11, 4.8))
    labels = list(dict.fromkeys((r["case"], r["batch"]) for r in rows))
    bars = [(n, t) for n in MINE for t in sorted({r["threads"] for r in rows}) if any(n in r["ratios"] for r in rows)]
    colours = ("#9ecae1", "#3182bd", "#fdae6b", "#e6550d")
    for k, (peer, threads) in enumerate(bars):
        heights = {(r["case"], r["batch"]): r["ratios"].get(peer, 0) for r in rows if r["threads"] == threads}
        places = np.arange(len(labels)) + 0.2 * k
        label = f"{peer}, {threads} thread{'s' * (threads > 1)}"
        axes.bar(places, [heights.get(at, 0) for at in labels], 0.2, label=label, color=colours[k % len(colours)])
    axes.axhline(1, color="black", lw=1)
    axes.set_xticks(np.arange(len(labels)) + 0.3, [f"{c}\n{b}" for c, b in labels], rotation=60, fontsize=8)
    axes.set_ylabel("PyTorch's better format / ours")
    axes.set_title("Above the line we are faster")
    axes.legend()
    figure.tight_layout()
    figure.savefig(folder / f"{name}-ratios.png", dpi=110)
    plt.close(figure)
    if "growth" not in result:
        return
    along = list(next(iter(result["growth"].values())))
    figure, panels = plt.subplots(1, len(along), figsize=(11, 3.6))
    for axes, what in zip(panels, along, strict=True):
        for kernels, measured in result["growth"].items():
            g = measured[what]
            axes.loglog(g["sizes"], g["ms"], "o-", label=f"{kernels}: exponent {g['exponent']:.2f}")
        axes.set_xlabel(what)
        axes.set_ylabel("ms")
        axes.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(folder / f"{name}-growth.png", dpi=110)
    plt.close(figure)
    peak = result["kernels"][0]["peak"]
    figure, axes = plt.subplots(figsize=(7, 4.5))
    intensities = np.logspace(0, 3, 50)
    axes.loglog(
        intensities,
        np.minimum(peak["gemm"], intensities * peak["copy"]),
        color="black",
        label="this machine; blue NumPy, orange Numba",
    )
    for k in result["kernels"][1:]:
        if "gemm" in k:
            colour = "tab:orange" if k["set"] == "numba" else "tab:blue"
            axes.loglog(k["intensity"], k["gemm"] * peak["gemm"], "o", color=colour)
            axes.annotate(k["kernel"], (k["intensity"], k["gemm"] * peak["gemm"]), fontsize=5, color=colour)
    axes.set_xlabel("operations per byte moved at least")
    axes.set_ylabel("GFLOP/s, one thread")
    axes.legend()
    figure.tight_layout()
    figure.savefig(folder / f"{name}-limits.png", dpi=110)
    plt.close(figure)
