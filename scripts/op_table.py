"""Write the table of ops into docs/ops.md from the registry; with --check, fail if it is out of date."""

import sys
from pathlib import Path

import tinygrad_cnn  # noqa: F401  fills the registry
from tinygrad_cnn.core.op import registry

PAGE = Path(__file__).parent.parent / "docs" / "ops.md"
START, END = "<!-- ops: made by scripts/op_table.py -->", "<!-- /ops -->"


def table() -> str:
    """One row per op: its family, its mathematics, where it has kinks."""
    rows = ["| op | family | what it computes, and its derivatives | kinks |", "|---|---|---|---|"]
    ours = {name: op for name, op in registry.items() if op.__module__.startswith("tinygrad_cnn.")}
    families = {name: op.__module__.rpartition(".")[2] for name, op in ours.items()}
    for name in sorted(ours, key=lambda name: (families[name], name)):
        formula = " ".join(ours[name].formula().split()).replace("|", "\\|")
        kinks = "; ".join(kink.where for kink in ours[name].kinks)
        rows.append(f"| `{name}` | {families[name]} | {formula} | {kinks} |")
    return "\n".join(rows)


def main() -> int:
    """Renew the table, or compare it."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    new = f"{before}{START}\n{table()}\n{END}{after}"
    if "--check" in sys.argv:
        if new != text:
            print("docs/ops.md: the op table is out of date; run python scripts/op_table.py")
            return 1
        return 0
    PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
