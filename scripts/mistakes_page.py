"""Write docs/reference/mistakes.md: each mistake of tests/beginners as a program, and what the package says to it.

python -m scripts.mistakes_page
"""

import re
import sys
import warnings
from itertools import groupby
from pathlib import Path

import tinygrad_cnn as tg
from tests.beginners import MISTAKES, Mistake

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "mistakes.md"
HEAD = """# Mistakes, by symptom

<!-- made by scripts/mistakes_page.py of the catalogue in tests/beginners, in which each of them is a test -->

{count} mistakes that beginners make, and what is said to each. Look for what you see:

{contents}

Every program begins with these lines:

```py
import numpy as np
import tinygrad_cnn as tg
from tinygrad_cnn import Op, nn, optim, transforms
from tinygrad_cnn.autograd import Function, gradcheck, gradgradcheck
from tinygrad_cnn.nn import functional as F
from tinygrad_cnn.utils.data import DataLoader, Dataset, TensorDataset, random_split
```

A `MistakeWarning` is for what runs and is almost surely wrong. It costs nothing until it happens, and obeys the filters
of Python's `warnings`:

```py
import warnings

warnings.simplefilter("error", tg.MistakeWarning)  # stop there
warnings.simplefilter("ignore", tg.MistakeWarning)  # or say nothing
```

Some mistakes cannot be told from what is meant, and nothing is said of them: a network that is evaluated in training
mode (some leave dropout on to see how sure a network is), a `detach()` in the middle (a GAN needs it), and a loss that
grows as long as its numbers are finite. A list of a single layer is taken for meant.
"""


def answer(mistake: Mistake) -> tuple[type[Warning] | type[Exception] | None, str]:
    """What is said when the mistake is made: the error, or the first warning of its kind; None if nothing is."""
    tg.manual_seed(0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            mistake.make()
        except Exception as error:
            return type(error), str(error)
    fitting = [w for w in caught if issubclass(w.category, mistake.kind)]
    return (fitting[0].category, str(fitting[0].message)) if fitting else (None, "")


def steady(said: str) -> str:
    """The message without what differs from run to run and from machine to machine: places, addresses, counts."""
    said = re.sub(r"\S*[/\\]tests[/\\]beginners[/\\]\w+\.py, line \d+", "train.py, line 5", said)
    said = re.sub(r"\bat 0x[0-9a-f]+", "at 0x7f…", said)
    said = re.sub(r"\(line\s+\d+\)", "(line 5)", re.sub(r"\bline \d+:", "line 10:", said))
    said = re.sub(r"(unexpected keyword argument '\w+')\. Did you mean '\w+'\?", r"\1", said)  # from Python 3.13 on
    return re.sub(r"left \d+ nodes", "left 2500 nodes", said).replace("_.<locals>.", "")


def shown(mistake: Mistake) -> str:
    """A mistake as a section of the page."""
    kind, said = answer(mistake)
    name = "nothing" if kind is None else kind.__name__
    lines = "\n".join(line.rstrip() for line in f"{name}: {steady(said)}".splitlines()[:3])
    return f"### {mistake.title}\n\n```py\n{mistake.program}\n```\n\n```text\n{lines}\n```\n"


def anchor(symptom: str) -> str:
    """How Markdown names the place of a heading."""
    return re.sub(r"[^a-z0-9 -]", "", symptom.lower()).replace(" ", "-")


def page() -> str:
    """The whole page."""
    groups = [(symptom, list(found)) for symptom, found in groupby(MISTAKES, key=lambda m: m.symptom)]
    contents = "\n".join(f"- [{symptom}](#{anchor(symptom)}): {len(found)}" for symptom, found in groups)
    parts = [HEAD.format(count=len(MISTAKES), contents=contents)]
    for symptom, found in groups:
        parts += [f"## {symptom}\n", *map(shown, found)]
    return "\n".join(parts)


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
