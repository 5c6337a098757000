"""The page of PyTorch's names is true: every name has a status, and what is not here says what is nearest."""

from pathlib import Path

import pytest

from scripts.pytorch_names import DIFFERS, PAGE, names, page

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.fixture(scope="module")
def every():
    return list(names())


def test_the_page_is_up_to_date(every):
    assert (DOCS / PAGE).read_text(encoding="utf-8") == page(every), "run python scripts/pytorch_names.py"


def test_what_is_not_here_says_what_is_nearest(every):
    assert [f"{n.namespace}.{n.name}" for n in every if n.status == "not here" and len(n.note) < 12] == []


def test_what_is_said_to_differ_is_a_name_of_pytorch(every):
    differing = {f"{n.namespace}.{n.name}" for n in every if n.status == "differs"}
    assert set(DIFFERS) - differing == set()


def test_most_of_a_tutorials_names_are_here(every):
    """A page that finds nothing would be true, too."""
    here = {f"{n.namespace}.{n.name}" for n in every if n.status != "not here"}
    for name in (
        "torch.matmul",
        "torch.Tensor.add_",
        "torch.nn.LSTM",
        "torch.nn.functional.mse_loss",
        "torch.optim.Adam",
    ):
        assert name in here
    assert len(here) > 1000
