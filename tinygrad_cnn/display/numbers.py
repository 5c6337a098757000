"""How numbers are written for readers: four digits, a true minus, 10⁻⁸; and exactly, where they want to know."""

import math
from typing import Any

__all__ = ["exact", "in_bytes", "many", "number", "raised", "shape_of"]

DIGITS = 4
"""So many digits of a number are shown."""

MINUS = "−"


def number(x: Any) -> str:
    """A number in four digits: 0.4112, −3, 1.2·10⁻⁸; whole numbers up to a million as they are.

    >>> number(-0.41123), number(3.0), number(1.2e-8), number(12345), number(float("nan"))
    ('−0.4112', '3', '1.2·10⁻⁸', '12345', 'nan')
    """
    value = x.item() if hasattr(x, "item") else x
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int) and abs(value) < 10**6:
        return str(value).replace("-", MINUS)
    if not math.isfinite(value):
        return str(float(value)).replace("inf", "∞").replace("-", MINUS)
    size = abs(value)
    if value == 0:
        return "0"
    if 1e-3 <= size < 1e5:
        places = max(0, DIGITS - 1 - math.floor(math.log10(size)))
        text = f"{value:.{places}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        mantissa, power = f"{value:.{DIGITS - 1}e}".split("e")
        mantissa = mantissa.rstrip("0").rstrip(".")
        text = f"{mantissa}·10{raised(int(power))}"
    return text.replace("-", MINUS)


def exact(x: Any) -> str:
    """A number with all its digits: the shortest text that its own dtype reads as the same number."""
    floats = hasattr(x, "dtype") and x.dtype.kind == "f"
    return str(x if floats or not hasattr(x, "item") else x.item()).replace("-", MINUS)


def raised(power: int) -> str:
    """An exponent: ⁻⁸."""
    return str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def in_bytes(count: int) -> str:
    """A size of memory: 640 bytes, 12.3 kB, 4.5 MB."""
    if count < 1000:
        return many(count, "byte")
    for unit, size in (("kB", 1e3), ("MB", 1e6), ("GB", 1e9)):
        if count < 999.5 * size or unit == "GB":
            return f"{count / size:.3g} {unit}" if count < 999.5 * size else f"{count / size:,.0f} {unit}"
    raise AssertionError("GB is the last unit")


def many(count: int, noun: str) -> str:
    """1 sample, 2 samples, 5,000 samples."""
    return f"{count:,} {noun}" + ("" if count == 1 else "es" if noun.endswith(("ch", "s", "x")) else "s")


def shape_of(shape: Any) -> str:
    """A shape as readers write it: 64 × 8 × 26 × 26; of no axes, ()."""
    return " × ".join(str(n) for n in shape) or "()"
