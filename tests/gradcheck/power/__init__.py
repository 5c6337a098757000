"""Wrong gradients of our own, over many kinds of functions: what a checker must notice, beside the right ones."""

from itertools import chain

from tests.gradcheck.power import (
    cotangents,
    elementwise,
    layers,
    linalg,
    products,
    reductions,
    second,
    sequences,
    weak,
    windows,
)
from tests.gradcheck.power.case import Wrong

FAMILIES: dict[str, list[Wrong]] = {
    "elementwise": elementwise.CASES,
    "reductions": reductions.CASES,
    "products and places": products.CASES,
    "windows": windows.CASES,
    "layers and losses": layers.CASES,
    "linear algebra": linalg.CASES,
    "sequences": sequences.CASES,
    "weak and single": weak.CASES,
    "some cotangents": cotangents.CASES,
    "second order": second.CASES,
}

CASES = list(chain.from_iterable(FAMILIES.values()))
