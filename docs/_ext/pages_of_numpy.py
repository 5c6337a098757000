"""Writes the page of NumPy's functions that take a Tensor, from the tables that answer them."""

from pathlib import Path
from typing import Any

from made import at_the_beginning, keep
from sphinx.application import Sphinx

from tinygrad_cnn.numpy_protocol import FUNCTIONS, PLAIN, UFUNCS, WITHOUT_GRADIENT

PAGE = Path(__file__).parent.parent / "reference" / "numpy.md"
TEXT = """# NumPy functions that take a Tensor

You can call NumPy's functions with a Tensor. Those of the first two lists are recorded: the result is a Tensor with a
gradient. Those of the third have no derivative, and those of the fourth give NumPy's own results. Any other refuses a
Tensor that requires a gradient, and says so; `x.detach().numpy()` gives the array.

The arguments are NumPy's, but for `out`, `where` and `order`, which are refused.

```python
import numpy as np
import tinygrad_cnn as tg

x = tg.tensor([1.0, 4.0], requires_grad=True)
np.sum(np.sqrt(x)).backward()
print(x.grad)  # tensor([0.5000, 0.2500])
```
"""


def named(functions: Any) -> str:
    """Functions as code, by name."""
    names = {f if isinstance(f, str) else getattr(f, "__name__", str(f)) for f in functions}
    return ", ".join(f"`{name}`" for name in sorted(names))


def write(app: Sphinx) -> None:
    """Write the page."""
    without = set(WITHOUT_GRADIENT)
    parts = [
        TEXT,
        "## Universal functions, recorded\n\n" + named(u for u in UFUNCS if u not in without),
        "## Other functions, recorded\n\n" + named(FUNCTIONS),
        "## Without a derivative\n\n" + named(without),
        "## NumPy's own result\n\n" + named(PLAIN),
    ]
    keep(PAGE, "\n\n".join(parts) + "\n")


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    return at_the_beginning(app, write)
