"""Every public name that was there stays, with its signature: `public_names.txt` lists those of f90e067.

A name may be added; one that goes, or changes its parameters, breaks the programs of those who use it.
"""

from pathlib import Path

from scripts import public_names

FROZEN = Path(__file__).with_name("public_names.txt")


def test_every_public_name_stays_with_its_signature():
    missing = set(FROZEN.read_text(encoding="utf-8").splitlines()) - set(public_names.lines())
    assert not sorted(missing)
