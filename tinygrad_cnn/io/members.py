"""The members of a zip, read strictly: each stands in one place, under one name, and is as long as it says.

Python's `zipfile` reads much more (encryption, several disks, other compressions) and raises a dozen kinds of errors
when a file is odd; model files need none of it. The names and places are read from the directory at the end; a
member's bytes are looked at when it is asked for, and are not copied unless they are compressed.
"""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple

from tinygrad_cnn.utils.reading import FileError, Limits, shown

STORED, DEFLATED = 0, 8
END, WHERE_END_64, END_64 = struct.Struct("<4s4H2LH"), struct.Struct("<4sLQL"), struct.Struct("<4sQ2H2L4Q")
ENTRY, LOCAL = struct.Struct("<4s6H3L5H2L"), struct.Struct("<4s5H3L2H")
ENCRYPTED, UTF8 = 1, 0x800
FULL = 0xFFFFFFFF
"""A size or place that stands in the extra field, in 64 bits."""


class Member(NamedTuple):
    """Where a member stands, and what the directory says of it."""

    at: int
    packed: int
    size: int
    crc: int
    method: int


class Members:
    """What is in a zip, by name.

    Raises
    ------
    FileError
        If it is no zip, or one that no writer of model files makes: encrypted, on several disks, with two members of
        one name or in one place.
    """

    def __init__(self, content: bytes, limits: Limits) -> None:
        self.content, self.limits, self.unpacked = content, limits, 0
        count, size, start = directory(content)
        self.members: dict[str, Member] = {}
        self.read_directory(count, start, start + size)
        self.check_places(start)

    def __contains__(self, name: str) -> bool:
        return name in self.members

    def names(self) -> list[str]:
        """The names of the members, in the directory's order."""
        return list(self.members)

    def compressed(self) -> bool:
        """Whether any member is."""
        return any(member.method != STORED for member in self.members.values())

    def read_directory(self, count: int, at: int, end: int) -> None:
        """The members that the directory names."""
        for _ in range(count):
            if at + ENTRY.size > end:
                raise FileError("the directory of the zip ends early")
            mark, _, _, flags, method, _, _, crc, packed, size, name_, extra_, comment_, _, _, _, place = (
                ENTRY.unpack_from(self.content, at)
            )
            after = at + ENTRY.size + name_
            if mark != b"PK\x01\x02" or after + extra_ + comment_ > end:
                raise FileError("the directory of the zip is damaged")
            name = str(self.content[at + ENTRY.size : after], "utf-8" if flags & UTF8 else "cp437")
            if FULL in (packed, size, place):
                size, packed, place = in_64_bits(self.content[after : after + extra_], size, packed, place)
            if flags & ENCRYPTED or method not in (STORED, DEFLATED):
                raise FileError(f"the member {shown(name)} is encrypted, or compressed in another way than deflate")
            if method == STORED and packed != size:
                raise FileError(f"the member {shown(name)} has {size} bytes in {packed}")
            if name in self.members:
                raise FileError(f"two members have the name {shown(name)}")
            self.members[name] = Member(place, packed, size, crc, method)
            at = after + extra_ + comment_
        if at != end:
            raise FileError("the directory of the zip is longer than it says")

    def check_places(self, end: int) -> None:
        """FileError if two members overlap, or one reaches into the directory."""
        free = 0
        for at, packed in sorted((member.at, member.packed) for member in self.members.values()):
            if at < free or at + LOCAL.size + packed > end:
                raise FileError("members of the zip overlap, or lie outside of it")
            free = at + LOCAL.size + packed

    def read(self, name: str) -> memoryview:
        """The bytes of a member; FileError if there is none, or it is not as the directory says."""
        member = self.members.get(name)
        if member is None:
            raise FileError(f"the zip has no member {shown(name)}")
        head = LOCAL.unpack_from(self.content, member.at)
        start = member.at + LOCAL.size
        if head[0] != b"PK\x03\x04" or head[2] & ENCRYPTED or head[3] != member.method:
            raise FileError(f"the member {shown(name)} is not where the directory of the zip says")
        name_, extra_ = head[-2:]
        spelled = self.content[start : start + name_]
        if spelled != name.encode("utf-8") and spelled != name.encode("cp437", "replace"):
            raise FileError(f"the member {shown(name)} has two names")
        start += name_ + extra_
        content = memoryview(self.content)[start : start + member.packed]
        if member.method == DEFLATED:
            content = self.inflated(name, member, content)
        if len(content) != member.size or zlib.crc32(content) != member.crc:
            raise FileError(f"the member {shown(name)} is damaged (its CRC is another one)")
        return content

    def inflated(self, name: str, member: Member, packed: memoryview) -> memoryview:
        """The bytes of a compressed member, never more than it says, nor than all may be."""
        self.unpacked += member.size
        if self.unpacked > self.limits.unpacked:
            most = self.limits.unpacked
            raise FileError(f"unpacks to {self.unpacked:,} bytes or more; at most {most:,} are made (limits.unpacked)")
        engine = zlib.decompressobj(-15)
        try:
            content = engine.decompress(packed, member.size + 1)
        except zlib.error as error:
            raise FileError(f"the member {shown(name)} is damaged ({error})") from None
        if not engine.eof or engine.unused_data:
            raise FileError(f"the member {shown(name)} does not unpack to {member.size} bytes")
        return memoryview(content)


def directory(content: bytes) -> tuple[int, int, int]:
    """How many members the directory at the end has, its size, and where it begins."""
    at = content.rfind(b"PK\x05\x06", max(0, len(content) - END.size - 0xFFFF))
    if at < 0 or at + END.size > len(content):
        raise FileError("no zip, or cut off")
    _, disk, first, here, count, size, start, comment_ = END.unpack_from(content, at)
    whole = at + END.size + comment_ == len(content)
    where = at - WHERE_END_64.size
    if where >= 0 and content.startswith(b"PK\x06\x07", where):
        _, _, place, _ = WHERE_END_64.unpack_from(content, where)
        if place != where - END_64.size or not content.startswith(b"PK\x06\x06", place):
            raise FileError("the end of the zip is damaged")
        at = place
        _, _, _, _, disk, first, here, count, size, start = END_64.unpack_from(content, at)
    if not whole or disk or first or here != count or start + size != at or count * ENTRY.size > size:
        raise FileError("the end of the zip is damaged")
    return count, size, start


def in_64_bits(extra: bytes, *numbers: int) -> list[int]:
    """The numbers, of which those that are full stand in the extra field."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            wide = extra[at + 4 : at + 4 + size]
            found = iter(struct.unpack(f"<{len(wide) // 8}Q", wide[: len(wide) // 8 * 8]))
            return [next(found, FULL) if number == FULL else number for number in numbers]
        at += 4 + size
    return list(numbers)


@contextmanager
def new_zip(buffer: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """A zip to write into. One that is broken off is forgotten: to close it would raise an error of its own instead."""
    archive = zipfile.ZipFile(buffer, "w")
    try:
        yield archive
    except BaseException:
        archive.fp = None
        raise
    archive.close()
