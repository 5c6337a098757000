"""What files say in JSON, and what stands in them as keys: parsed only after it is clear what that can cost."""

import json
import sys
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.utils.reading import Allowance, FileError, shown

DEEPEST = 1000
"""Lists and objects inside each other; the parser calls itself for each."""
BLOCK = 1 << 16
ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
LIST, OBJECT, TEXT, NUMBER = 96, 260, 70, 48
"""Bytes of memory that each takes, with its place in what it stands in."""


def parsed(text: bytes | memoryview, allowance: Allowance) -> Any:
    """The value of a JSON text in UTF-8.

    Raises
    ------
    FileError
        If it is none, is nested more than 1,000 deep, or would take more memory than the allowance has.
    """
    found = counted(memoryview(text))
    if found.deepest > DEEPEST:
        raise FileError(f"its JSON is nested more than {DEEPEST:,} deep")
    allowance.take(LIST * found.lists + OBJECT * found.objects + TEXT * found.texts + NUMBER * found.commas)
    try:
        decoded = str(text, "utf-8")
    except UnicodeDecodeError:
        raise FileError("its JSON is no text in UTF-8") from None
    width = 4 if found.escapes else max(1, sys.getsizeof(decoded) // max(1, len(decoded)))
    allowance.take(sys.getsizeof(decoded) + min(width, 4) * found.letters)
    try:
        return json.loads(decoded)
    except RecursionError:
        raise FileError("its JSON is nested too deep") from None
    except ValueError:
        raise FileError("its JSON is damaged") from None


class Counts(NamedTuple):
    """What a JSON text has: how deep its brackets are nested, how many there are, and how much stands in texts."""

    deepest: int = 0
    lists: int = 0
    objects: int = 0
    commas: int = 0
    texts: int = 0
    letters: int = 0
    escapes: bool = False


def counted(text: memoryview) -> Counts:
    """The counts of a JSON text, which is looked at block by block and need not be right."""
    found, inside, depth, at = Counts(), 0, 0, 0
    while at < len(text):
        block = bytes(text[at : at + BLOCK])
        cut = len(block) - len(block.rstrip(b"\\"))
        if cut % 2 and at + len(block) < len(text):
            block = block[:-1]  # an escape belongs to one block
        at += len(block)
        plain = block.replace(b"\\\\", b"__").replace(b'\\"', b"__")
        parts = plain.split(b'"')
        bare = b"".join(parts[inside::2])
        texts = len(parts) // 2 + 1
        inside = (inside + len(parts) - 1) % 2
        signs = np.frombuffer(bare.translate(None, ALL_BUT_BRACKETS), np.uint8)
        opens = (signs == ord("[")) | (signs == ord("{"))
        depths = depth + np.cumsum(np.where(opens, 1, -1))
        if signs.size:
            depth = int(depths[-1])
        found = Counts(
            max(found.deepest, int(depths.max(initial=0))),
            found.lists + bare.count(b"["),
            found.objects + bare.count(b"{"),
            found.commas + bare.count(b","),
            found.texts + texts,
            found.letters + len(plain) - len(bare),
            found.escapes or b"\\u" in plain,
        )
    return found


class Keys:
    """Says of each key of a dict and each element of a set whether it may be one.

    Python's hash of a tuple is made anew each time, from all that is in it, however often one part is; and a file can
    choose numbers and tuples whose hashes are all the same, which makes a dict search through all of them. So tuples
    may not be large, and there may not be many such keys.
    """

    FEW = 4096
    PLAIN = 1 << 60
    """Whole numbers below it have different hashes."""

    def __init__(self, allowance: Allowance) -> None:
        self.allowance, self.left = allowance, self.FEW

    def check(self, key: Any) -> Any:
        """The key; FileError if it may not be one."""
        if isinstance(key, (str, bool)) or (type(key) is int and -self.PLAIN < key < self.PLAIN):
            return key
        if isinstance(key, (list, dict, set, bytearray, np.ndarray)):
            raise FileError(f"{shown(key)} cannot be a key")
        if isinstance(key, (int, tuple, frozenset)):
            self.left -= 1
            if self.left < 0:
                raise FileError(f"more than {self.FEW:,} keys are tuples or large numbers")
            self.check_small(key)
        return key

    def check_small(self, key: Any) -> None:
        """FileError if the parts of a key are many."""
        parts, count = [key], 0
        while parts:
            part = parts.pop()
            if isinstance(part, (tuple, frozenset)):
                parts.extend(part)
            elif isinstance(part, (list, dict, set, bytearray, np.ndarray)):
                raise FileError(f"{shown(part)} cannot be in a key")
            count += 1 + (part.bit_length() // 64 if isinstance(part, int) else 0)
            if count + len(parts) > 1000:
                raise FileError("a key has more than 1,000 parts")
        self.allowance.take(8 * count)
