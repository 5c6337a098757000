"""PyTorch's own optim_db against the package: none differs, no more are refused than `opdb/counts.json` allows."""

import pytest

from tests.parity.opdb.count import DATABASES, check_entry


@pytest.mark.parametrize("entry", DATABASES["optim_db"].ENTRIES)
def test_an_entry_agrees_with_pytorch(entry):
    check_entry("optim_db", entry)
