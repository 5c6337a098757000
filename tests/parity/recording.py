"""How numbers of PyTorch are written down for tests that run without it: ``RECORD=1 pytest`` of the files here."""

import json
import os
import warnings
from pathlib import Path
from typing import Any

import torch


def record_if_asked(kinds: dict[str, Any], path: Path) -> None:
    """Write what PyTorch gives for all cases of these kinds, to ten digits."""
    if "RECORD" not in os.environ:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = {kind: [function(torch, *case) for case in cases] for kind, (function, cases) in kinds.items()}
    rounded = json.dumps(made, default=float)
    text = json.dumps(json.loads(rounded, parse_float=lambda s: float(f"{float(s):.10g}")), separators=(",", ":"))
    path.write_text(text.replace("]],", "]],\n") + "\n", encoding="utf-8")
