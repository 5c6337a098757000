"""Files that somebody else wrote: how every reader opens them, what they may cost, and what is said of them.

A file is opened only if it is a regular one, read up to a limit, and quoted in a message only in part. What is made of
it is counted while it is made (`Allowance`), so that a small file cannot fill the memory. No reader opens, unpacks or
quotes a file in another way.
"""

import gc
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, BinaryIO, NamedTuple, TypeAlias

__all__ = ["FileError", "Limits"]

Path_: TypeAlias = str | os.PathLike[str]
CHUNK = 1 << 16


class FileError(ValueError):
    """A file is not what it should be: a pipe or a device, too large, damaged, or of another format.

    The readers raise a class of their own room, each of which is one of these: `io.ModelFileError`,
    `datasets.DatasetError`, `teach.ImageError`.

    Examples
    --------
    >>> from tinygrad_cnn import io
    >>> issubclass(io.ModelFileError, io.FileError)
    True
    """


class Limits(NamedTuple):
    """What the reading of one file may take. Give larger ones for a file that you know.

    Attributes
    ----------
    file : the bytes of the file
    unpacked : the bytes that its compressed parts unpack to, all together
    elements : the elements of one array; one that shows the same memory many times has many
    pixels : the pixels of a picture
    objects : the bytes of memory that lists, dicts, texts and tensors may take beyond 6 times the file
    regular : whether pipes, devices and the like are refused

    Examples
    --------
    >>> from tinygrad_cnn.io import Limits
    >>> Limits(pixels=1_000_000), Limits().file
    (Limits(pixels=1000000), 4294967296)
    """

    file: int = 4 << 30
    unpacked: int = 1 << 30
    elements: int = 1 << 31
    pixels: int = 50_000_000
    objects: int = 48 << 20
    regular: bool = True

    def __repr__(self) -> str:
        """What is another limit than usual."""
        usual, given = self._field_defaults, self._asdict().items()
        return f"Limits({', '.join(f'{name}={value}' for name, value in given if value != usual[name])})"


LIMITS = Limits()


class Allowance:
    """The memory that objects made from one file may still take: bytes are taken from it before they are used.

    It bounds the time, too: whatever a file makes its reader do again and again takes from it each time.
    """

    __slots__ = ("left",)

    def __init__(self, size: int, limits: Limits) -> None:
        self.left = 6 * size + limits.objects  # the file is in memory, too, and what it holds besides

    def take(self, cost: int) -> None:
        """Use so many bytes; FileError if there are not as many."""
        self.left -= cost
        if self.left < 0:
            raise too_costly()


def too_costly() -> FileError:
    """What is said where an allowance is used up."""
    return FileError(
        "its contents would take far more memory than the file; if you trust it, give larger limits.objects"
    )


def shown(value: object, most: int = 60) -> str:
    """A value from a file for a message: a short text or number as it is, a long one in part, all else by its type."""
    if isinstance(value, str):
        return repr(value) if len(value) <= most else f"{value[:most]!r}…"
    if value is None or type(value) in (bool, float):
        return repr(value)
    if type(value) is int:
        return repr(value) if value.bit_length() <= 128 else f"a number of {value.bit_length()} bits"
    return f"a {type(value).__name__}"


def expect(kind: type[Any], value: object) -> Any:
    """A value from a file, which must be of this kind."""
    if not isinstance(value, kind):
        raise FileError(f"{kind.__name__} expected, {type(value).__name__} found")
    return value


def opened(path: Path_, limits: Limits = LIMITS) -> BinaryIO:
    """A file for reading.

    Raises
    ------
    OSError
        If it cannot be opened, or is a folder.
    FileError
        If it is no regular file, or larger than the limit.
    """
    later = getattr(os, "O_NONBLOCK", 0) if limits.regular else 0  # a pipe that nobody writes would not let us go on
    flags = os.O_RDONLY | later | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)

    def checked(name: Path_, _: int) -> int:
        """A descriptor, which is the file object's from the moment of return: an interrupt finds one owner, not two."""
        handle = os.open(name, flags)
        try:
            found = os.fstat(handle)
            if stat.S_ISDIR(found.st_mode):
                raise IsADirectoryError(21, "is a folder", os.fspath(path))
            if limits.regular and not stat.S_ISREG(found.st_mode):
                raise FileError("is a pipe or a device, not a regular file; give limits with regular=False to read it")
            check_size(found.st_size, limits)
        except BaseException:
            os.close(handle)
            raise
        return handle

    try:
        return open(path, "rb", opener=checked)
    except FileError:  # it is a ValueError, too
        raise
    except ValueError as error:  # a name with a null character, or that the system cannot spell
        raise FileError(f"{shown(os.fspath(path))} is no name of a file ({error})") from None


def check_size(size: int, limits: Limits) -> None:
    """FileError if a file has more bytes than the limit."""
    if size > limits.file:
        raise FileError(f"has {size:,} bytes or more; at most {limits.file:,} are read (limits.file)")


def contents(path: Path_, limits: Limits = LIMITS) -> bytes:
    """The bytes of a file; see `opened`."""
    with opened(path, limits) as file:
        return rest_of(file, os.fstat(file.fileno()).st_size, limits)


def rest_of(file: IO[bytes], expected: int, limits: Limits) -> bytes:
    """What is left in an open file: at most one byte more than the limit is read of it, however much there is."""
    parts: list[bytes] = []
    size, ask = 0, min(expected, limits.file) + 1
    while part := file.read(min(ask, limits.file + 1 - size)):
        parts.append(part)
        size += len(part)
        check_size(size, limits)
        ask = max(CHUNK, size // 2)
    return b"".join(parts)


@contextmanager
def refusing(kind: type[FileError], what: str) -> Iterator[None]:
    """Whatever goes wrong with a file inside is one kind of error, which begins with `what`.

    The words of an error that is not our own are left out: they may quote what stands in the file, whole.
    """
    try:
        yield
    except kind:
        raise
    except FileError as error:
        raise kind(f"{what}: {error}") from None
    except MemoryError:
        raise kind(f"{what}: needs more memory than there is") from None
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, EOFError) as error:
        raise kind(f"{what}: the file is damaged ({type(error).__name__})") from None


@contextmanager
def without_collecting() -> Iterator[None]:
    """No search for cycles while many objects are made from a file: it looks through them again and again.

    Of 200,000 tuples inside each other the search took four fifths of the time.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
