"""Changes to files: bytes anywhere, and, inside of zips, headers and checksums, which are made right again."""

import gzip
import re
import struct
import zipfile
import zlib
from functools import lru_cache
from io import BytesIO
from random import Random

from scripts.fuzz_readers.found import safetensors

NUMBERS = [
    0,
    1,
    -1,
    127,
    128,
    255,
    256,
    2**15,
    2**16 - 1,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**62,
    2**63 - 1,
    10**12,
    10**400,
]
DIGITS = re.compile(rb"-?\d+")
WORDS = [b"null", b"[]", b"{}", b'"x"', b"[[0]]", b"1e999", b"NaN", b"(", b")", b".", b"\x00", b"\xff" * 4, b"0" * 50]
OPCODES = b"0().]}lts\x85\x86\x87aeubRQcNqrhj\x88\x89KMJGXUTSBC\x80\x81\x8f\x90\x93\x94\x96\x8a\x8b"
MOST = 1 << 16


def changed(content: bytes, others: list[bytes], random: Random) -> bytes:
    """A file like this one, with one to four changes."""
    inside = random.random()
    try:
        if content.startswith(b"PK") and inside < 0.8:
            found = in_zip(content, others, random)
        elif content.startswith(b"\x1f\x8b") and inside < 0.6:
            found = gzip.compress(anywhere(gzip.decompress(content), others, random), 1, mtime=0)
        elif content.startswith(b"\x89PNG") and inside < 0.7:
            found = in_png(content, others, random)
        elif content[8:9] == b"{" and inside < 0.8:
            found = in_header(content, others, random)
        else:
            found = anywhere(content, others, random)
    except UNREADABLE:  # what was changed before
        found = anywhere(content, others, random)
    return found[:MOST]


UNREADABLE = zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, IndexError, RuntimeError, struct.error


def anywhere(content: bytes, others: list[bytes], random: Random) -> bytes:
    """One to four changes of bytes."""
    found = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        at = random.randrange(len(found) + 1)
        CHANGES[random.randrange(len(CHANGES))](found, at, others, random)
    return bytes(found)


def flip(found: bytearray, at: int, others: list[bytes], random: Random) -> None:
    """Another bit."""
    if at < len(found):
        found[at] ^= 1 << random.randrange(8)


def other_byte(found: bytearray, at: int, others: list[bytes], random: Random) -> None:
    """Another byte."""
    if at < len(found):
        found[at] = random.randrange(256)


def number(found: bytearray, at: int, others: list[bytes], random: Random) -> None:
    """A number of 1, 2, 4 or 8 bytes, in either order."""
    size = random.choice((1, 2, 4, 8))
    value = random.choice(NUMBERS) % (1 << 8 * size)
    found[at : at + size] = value.to_bytes(size, random.choice(("little", "big")))


def digits(found: bytearray, at: int, others: list[bytes], random: Random) -> None:
    """Another number where digits stand."""
    places = list(DIGITS.finditer(found, max(0, at - 100), at + 100))
    if places:
        place = random.choice(places)
        found[place.start() : place.end()] = str(random.choice(NUMBERS)).encode()


def word(found: bytearray, at: int, others: list[bytes], random: Random) -> None:
    """A word of JSON or of Python, put in or in the place of something."""
    found[at : at + random.choice((0, 0, 1, 4))] = random.choice(WORDS)


def opcode(found: bytearray, at: int, others: list[bytes], random: Random) -> None:
    """An instruction of pickles, once or often."""
    found[at:at] = bytes([random.choice(OPCODES)]) * random.choice((1, 1, 1, 3, 500))


def cut(found: bytearray, at: int, others: list[bytes], random: Random) -> None:
    """Without a part."""
    del found[at : at + random.choice((1, 2, 4, 16, len(found)))]


def repeat(found: bytearray, at: int, others: list[bytes], random: Random) -> None:
    """A part again, once or often."""
    part = bytes(found[at : at + random.randrange(1, 40)])
    found[at:at] = part * random.choice((1, 2, 200))


def move(found: bytearray, at: int, others: list[bytes], random: Random) -> None:
    """A part of the same file elsewhere."""
    start = random.randrange(len(found) + 1)
    found[at:at] = bytes(found[start : start + random.randrange(1, 60)])


def splice(found: bytearray, at: int, others: list[bytes], random: Random) -> None:
    """The rest, or a part, of another file."""
    other = random.choice(others)
    start = random.randrange(len(other) + 1)
    found[at : at + random.choice((0, 20, len(found)))] = other[start : start + random.choice((30, MOST))]


CHANGES = (flip, other_byte, number, digits, word, opcode, cut, repeat, move, splice)


@lru_cache(maxsize=1000)
def members_of(content: bytes) -> dict[str, bytes]:
    """What is in a zip."""
    with zipfile.ZipFile(BytesIO(content)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def in_zip(content: bytes, others: list[bytes], random: Random) -> bytes:
    """A zip with a member changed, added, without one, or with two changed for each other."""
    members = dict(members_of(content))
    names = list(members)
    name = random.choice(names[:1] * 3 + names)
    what = random.random()
    if what < 0.85:
        members[name] = anywhere(members[name], others, random)
    elif what < 0.9:
        del members[name]
    elif what < 0.95:
        other = random.choice(names)
        members[name], members[other] = members[other], members[name]
    else:
        members[random.choice(("x", "structure.json", "__about__.npy", "archive/data.pkl"))] = members[name]
    return packed(members, random.random() < 0.1)


def packed(members: dict[str, bytes], compressed: bool) -> bytes:
    """A zip of these; ten times as fast as `zipfile`."""
    parts, entries, at = [], [], 0
    for name, content in members.items():
        engine = zlib.compressobj(1, wbits=-15)
        body = engine.compress(content) + engine.flush() if compressed else content
        said = name.encode()
        sizes = zlib.crc32(content), len(body), len(content), len(said)
        head = struct.pack("<5H3L", 20, 0x800, 8 * compressed, 0, 0, *sizes[:3])
        parts += [b"PK\x03\x04", head, struct.pack("<2H", len(said), 0), said, body]
        entries += [b"PK\x01\x02\x14\x00", head, struct.pack("<5H2L", len(said), 0, 0, 0, 0, 0, at), said]
        at += 30 + len(said) + len(body)
    directory = b"".join(entries)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, len(members), len(members), len(directory), at, 0)
    return b"".join([*parts, directory, end])


def in_header(content: bytes, others: list[bytes], random: Random) -> bytes:
    """A .safetensors with another header, of the length that it says."""
    size = int.from_bytes(content[:8], "little")
    return safetensors(anywhere(content[8 : 8 + size], others, random), content[8 + size :])


def in_png(content: bytes, others: list[bytes], random: Random) -> bytes:
    """A PNG with chunks changed, and checksums that fit."""
    chunks, at = [], 8
    while at + 12 <= len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + size]))
        at += 12 + size
    if not chunks:
        raise ValueError("no chunks")
    which = random.randrange(len(chunks))
    kind, inside = chunks[which]
    what = random.random()
    if kind == b"IDAT" and what < 0.3:
        inside = zlib.compress(anywhere(zlib.decompressobj().decompress(inside, MOST), others, random))
    elif what < 0.8:
        inside = anywhere(inside, others, random)
    else:
        kind = random.choice((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"eXIf", b"zTXt", b"iTXt", b"acTL", b"fdAT", b"IEND"))
        chunks.insert(which, (kind, inside))
    chunks[which] = kind, inside
    found = content[:8]
    for kind, inside in chunks:
        found += struct.pack(">I", len(inside)) + kind + inside + struct.pack(">I", zlib.crc32(kind + inside))
    return found
