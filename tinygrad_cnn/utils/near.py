"""The name that was perhaps meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def near(name: str, names: Iterable[str]) -> str:
    """ "did you mean tanh?" of the names that are nearly this one; empty if none is.

    Examples
    --------
    >>> from tinygrad_cnn.utils.near import near
    >>> near("tahn", ["tanh", "relu"])
    'did you mean tanh?'
    >>> near("tahn", ["relu"])
    ''
    """
    written = {n.lower(): n for n in names}
    found = [written[n] for n in get_close_matches(name.lower(), written, n=3, cutoff=0.6)]
    return f"did you mean {' or '.join(found)}?" if found else ""
