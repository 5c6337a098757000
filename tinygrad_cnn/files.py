"""The one writer of this package: what it writes is there whole, or not at all. What stands in files is not known here.

A new file is written in the folder of the old one and takes its place by a rename, so a kill, a full disk or an
interrupt at any moment leaves the old file. On Linux the new file has no name until it is whole, so nothing stays
behind but when a kill comes between two calls of the system; where a file system cannot do that, any kill while it is
written can leave ``.….tg-part``, which nobody reads.
"""

import errno
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["check_writable", "same_file", "write_atomically"]

PART = ".tg-part"
"""Names of unfinished files end so. They are short, whatever the target is called."""

KINDS = {
    stat.S_IFIFO: "is a pipe, not a file",
    stat.S_IFCHR: "is a device, not a file",
    stat.S_IFBLK: "is a device, not a file",
    stat.S_IFSOCK: "is a socket, not a file",
}


def write_atomically(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file, or replace it whole; a failure leaves what was there as it was.

    A file that is replaced keeps its permissions, its owner and its extended attributes, and a link goes on pointing to
    it: what is replaced is the file at the end of the links. Another hard link to the old file keeps the old content.

    Raises
    ------
    IsADirectoryError
        If there is a folder of this name.
    PermissionError
        If the file is write-protected, or belongs to another user and cannot stay theirs.
    OSError
        If it is a device, a pipe or a socket, the folder cannot be written, or the disk is full.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from tinygrad_cnn.files import write_atomically
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "x.txt"
    >>> write_atomically(file, b"whole")
    >>> file.read_bytes()
    b'whole'
    """
    target, old = _found(path)
    with _new_file(target.parent) as part:
        part.be_like(old, target)
        part.write(content)
        part.replace(target)


def check_writable(path: str | os.PathLike[str]) -> None:
    """OSError if `write_atomically` could not write there, found out without touching the target."""
    target, old = _found(path)
    with _new_file(target.parent) as part:
        part.be_like(old, target)


def same_file(a: str | os.PathLike[str], b: str | os.PathLike[str]) -> bool:
    """Whether two names, of files that are there or would be made, are one file: also by links and other folders."""
    (first, old), (second, other) = _found(a), _found(b)
    if old is not None or other is not None:
        return old is not None and other is not None and os.path.samestat(old, other)
    return first.name == second.name and os.path.samefile(first.parent, second.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, as far as the system can be asked for it."""
    if hasattr(os, "O_DIRECTORY"):
        with suppress(OSError):
            number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(number)
            finally:
                os.close(number)


def remove_strays(folder: Path, seconds: float = 0.0) -> None:
    """Remove unfinished files that a killed process left, which nobody has written to for so many seconds."""
    with suppress(OSError):  # a folder that cannot be read
        for path in folder.glob(f".*{PART}"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime >= seconds:
                    path.unlink()


def _found(path: str | os.PathLike[str]) -> tuple[Path, os.stat_result | None]:
    """The file at the end of the links, and what is known of it if it is there; OSError if it is no regular file."""
    name = os.fspath(path)
    if not name:
        raise FileNotFoundError(errno.ENOENT, "an empty name", name)
    try:
        old = os.stat(name)
    except FileNotFoundError:
        old = None
    if old is not None and stat.S_ISDIR(old.st_mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder", name)
    if old is not None and not stat.S_ISREG(old.st_mode):
        raise OSError(errno.EINVAL, KINDS.get(stat.S_IFMT(old.st_mode), "is not a file"), name)
    target = Path(name)
    while target.is_symlink():  # stat has found their end
        target = target.parent / os.readlink(target)
    return target, old


@contextmanager
def _new_file(folder: Path) -> Iterator["_Part"]:
    part = _Part(folder)
    try:
        part.open()
        yield part
    finally:
        part.discard()


class _Part:
    """A new file in a folder, which takes another's place when it is whole."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.number = folder, -1
        self.name: Path | None = None

    def open(self) -> None:
        """Make it, with the rights that any new file has here."""
        if hasattr(os, "O_TMPFILE") and os.path.isdir("/proc/self/fd"):
            with suppress(OSError):  # this file system has no files without a name
                self.number = os.open(self.folder, os.O_TMPFILE | os.O_WRONLY, 0o666)
        if self.number < 0:
            self.name = self._new_name()
            self.number = os.open(self.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)

    def be_like(self, old: os.stat_result | None, target: Path) -> None:
        """Take over what a replaced file shall keep, before there is anything in the new one that may not be read."""
        if old is None or os.name != "posix":
            return
        if not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, "is write-protected", str(target))
        new = os.fstat(self.number)
        if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
            try:
                os.fchown(self.number, old.st_uid, old.st_gid)
            except PermissionError:
                raise PermissionError(errno.EPERM, "belongs to another user or group", str(target)) from None
        os.fchmod(self.number, stat.S_IMODE(old.st_mode) & ~(stat.S_ISUID | stat.S_ISGID))
        if hasattr(os, "listxattr"):
            with suppress(OSError):  # a file system without them; those that only root may set
                for name in os.listxattr(target):
                    with suppress(OSError):
                        os.setxattr(self.number, name, os.getxattr(target, name))

    def write(self, content: bytes) -> None:
        """Write it all to the disk."""
        with open(self.number, "wb", closefd=False) as file:
            file.write(content)
        os.fsync(self.number)

    def replace(self, target: Path) -> None:
        """Take the target's place, also on the disk."""
        if self.name is None:
            self.name = self._new_name()
            descriptor = f"/proc/self/fd/{self.number}"
            os.link(descriptor, self.name, src_dir_fd=self.number)  # with it Python follows that link
        self._close()  # Windows renames no open files
        os.replace(self.name, target)
        self.name = None
        sync_folder(self.folder)

    def discard(self) -> None:
        """Leave nothing behind; after `replace` there is nothing."""
        self._close()
        if self.name is not None:
            self.name.unlink(missing_ok=True)

    def _close(self) -> None:
        """Close it, and never twice, whatever interrupts: its number may be another file's by then."""
        number, self.number = self.number, -1
        if number >= 0:
            os.close(number)

    def _new_name(self) -> Path:
        return self.folder / f".{secrets.token_hex(6)}{PART}"
