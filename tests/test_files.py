"""What is written is there whole or not at all, and is the same file for everybody else: rights, owner, links."""

import errno
import os
import signal
import socket
import stat
import subprocess
import sys
import threading

import pytest

from tinygrad_cnn import files
from tinygrad_cnn.files import check_writable, same_file, write_atomically

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has other rights, and no pipes in folders")
root = pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root gives files away")


@pytest.fixture(params=["without a name", "with a name"])
def either(request, monkeypatch):
    """Both ways to make a new file: Linux' own, and that of all other systems."""
    if request.param == "with a name":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    elif not hasattr(os, "O_TMPFILE"):
        pytest.skip("this system has no files without a name")


def names(folder):
    return sorted(os.listdir(folder))


@pytest.mark.usefixtures("either")
def test_a_file_is_written_and_replaced(tmp_path):
    for content in (b"first", b"", b"x" * 1_000_001):
        write_atomically(tmp_path / "a", content)
        assert (tmp_path / "a").read_bytes() == content
    assert names(tmp_path) == ["a"]


@posix
@pytest.mark.usefixtures("either")
@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_a_new_file_has_the_rights_that_open_gives(tmp_path, umask):
    before = os.umask(umask)
    try:
        write_atomically(tmp_path / "ours", b"")
        with open(tmp_path / "theirs", "wb"):
            pass
    finally:
        os.umask(before)
    assert os.stat(tmp_path / "ours").st_mode == os.stat(tmp_path / "theirs").st_mode


@posix
@pytest.mark.usefixtures("either")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755, 0o4755])
def test_a_replaced_file_keeps_its_rights_but_not_those_of_a_program(tmp_path, mode):
    file = tmp_path / "a"
    file.write_bytes(b"old")
    file.chmod(mode)
    check_writable(file)
    write_atomically(file, b"new")
    assert stat.S_IMODE(file.stat().st_mode) == mode & 0o777
    assert file.read_bytes() == b"new"


@posix
@root
@pytest.mark.usefixtures("either")
def test_a_replaced_file_keeps_its_owner(tmp_path):
    file = tmp_path / "a"
    file.write_bytes(b"old")
    os.chown(file, 1234, 4321)
    write_atomically(file, b"new")
    assert (file.stat().st_uid, file.stat().st_gid) == (1234, 4321)


@posix
@pytest.mark.usefixtures("either")
def test_what_cannot_stay_its_owners_is_refused(tmp_path, monkeypatch):
    file = tmp_path / "a"
    file.write_bytes(b"old")
    true = os.fstat

    def another(number):
        found = list(true(number))
        found[stat.ST_UID] += 1
        return os.stat_result(found)

    def refused(*_):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "fstat", another)
    monkeypatch.setattr(os, "fchown", refused)
    for write in (check_writable, lambda path: write_atomically(path, b"new")):
        with pytest.raises(PermissionError, match="belongs to another user"):
            write(file)
    assert names(tmp_path) == ["a"]
    assert file.read_bytes() == b"old"


@posix
@pytest.mark.usefixtures("either")
def test_a_write_protected_file_is_refused(tmp_path, monkeypatch):
    file = tmp_path / "a"
    file.write_bytes(b"old")
    file.chmod(0o444)
    monkeypatch.setattr(os, "access", lambda path, mode: bool(os.stat(path).st_mode & 0o200))  # as for all but root
    with pytest.raises(PermissionError, match="write-protected"):
        write_atomically(file, b"new")
    assert file.read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="this system has no extended attributes")
def test_a_replaced_file_keeps_its_attributes(tmp_path):
    file = tmp_path / "a"
    file.write_bytes(b"old")
    try:
        os.setxattr(file, "user.note", b"mine")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    write_atomically(file, b"new")
    assert os.getxattr(file, "user.note") == b"mine"


@posix
@pytest.mark.usefixtures("either")
def test_a_link_goes_on_pointing_to_what_is_replaced(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "file").write_bytes(b"old")
    (tmp_path / "far" / "second").symlink_to("file")
    link = tmp_path / "link"
    link.symlink_to("far/second")
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert (tmp_path / "far" / "second").is_symlink()
    assert (tmp_path / "far" / "file").read_bytes() == b"new"
    assert names(tmp_path / "far") == ["file", "second"]


@posix
def test_a_link_to_nothing_yet_makes_what_it_points_to(tmp_path):
    (tmp_path / "link").symlink_to("file")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"new"


@posix
def test_links_in_a_circle_are_refused(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links"):
        write_atomically(tmp_path / "a", b"")


@posix
def test_another_hard_link_keeps_the_old_content(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    os.link(tmp_path / "a", tmp_path / "b")
    write_atomically(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"
    assert (tmp_path / "b").read_bytes() == b"old"


def fifo(folder):
    os.mkfifo(folder / "it")
    return folder / "it"


def listening(folder):
    here = os.getcwd()
    os.chdir(folder)  # the name of a socket may be 100 bytes long
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("it")
    os.chdir(here)
    return folder / "it"


@posix
@pytest.mark.parametrize(("make", "said"), [(fifo, "is a pipe"), (listening, "is a socket")])
def test_what_is_no_file_is_refused_and_stays(tmp_path, make, said):
    path = make(tmp_path)
    before = path.lstat()
    for write in (check_writable, lambda path: write_atomically(path, b"new")):
        with pytest.raises(OSError, match=said):
            write(path)
    assert os.path.samestat(before, path.lstat())
    assert names(tmp_path) == ["it"]


@posix
def test_a_device_is_refused_and_stays():
    there, terminal = os.openpty()
    name = os.ttyname(terminal)
    try:
        before = os.stat(name)
        with pytest.raises(OSError, match="is a device"):
            write_atomically(name, b"new")
        assert os.path.samestat(before, os.stat(name))
    finally:
        os.close(there)
        os.close(terminal)


@pytest.mark.usefixtures("either")
def test_names_as_long_as_the_system_allows(tmp_path):
    for name in ("a" * 255, "é" * 127, "a" * 250 + ".npz"):
        write_atomically(tmp_path / name, b"old")
        write_atomically(tmp_path / name, b"new")
        assert (tmp_path / name).read_bytes() == b"new"
    assert len(names(tmp_path)) == 3
    with pytest.raises(OSError):  # each system has its own words
        write_atomically(tmp_path / ("a" * 300), b"")


@pytest.mark.parametrize("path", ["", ".", "none/file", "file/under"])
def test_what_names_no_place_for_a_file_is_an_oserror(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_bytes(b"old")
    for write in (check_writable, lambda path: write_atomically(path, b"new")):
        with pytest.raises(OSError):  # each system has its own words
            write(path)
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"


@pytest.mark.usefixtures("either")
@pytest.mark.parametrize("call", ["fsync", "replace", "link"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_at_any_step_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, call, error):
    file = tmp_path / "a"
    file.write_bytes(b"old")
    asked = []

    def broken(*args, **options):
        asked.append(args)
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(os, call, broken)
        if call == "link" and not hasattr(os, "O_TMPFILE"):
            write_atomically(file, b"old")  # it is not needed
        else:
            with pytest.raises(type(error)):
                write_atomically(file, b"new")
            assert asked
    assert file.read_bytes() == b"old"
    assert names(tmp_path) == ["a"]
    write_atomically(file, b"new")
    assert file.read_bytes() == b"new"


@posix
def test_one_file_has_many_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "other").symlink_to("folder")
    (tmp_path / "a").write_bytes(b"")
    os.link("a", "hard")
    (tmp_path / "soft").symlink_to("a")
    (tmp_path / "dangling").symlink_to("folder/new")
    same = [("a", "./a"), ("a", tmp_path / "a"), ("a", "folder/../a"), ("a", "hard"), ("a", "soft"), ("soft", "hard")]
    same += [("folder/new", "other/new"), ("dangling", "folder/new"), ("new", "./new")]
    for one, other in same:
        assert same_file(one, other), (one, other)
        assert same_file(other, one)
    for one, other in [("a", "new"), ("new", "folder/new"), ("a", "folder/a"), ("new", "newer")]:
        assert not same_file(one, other), (one, other)


KILLED = """
import sys
from tinygrad_cnn.files import write_atomically
old, new = b"a" * 300_000, b"b" * 300_000
print("begun", flush=True)
while True:
    write_atomically(sys.argv[1], old)
    write_atomically(sys.argv[1], new)
"""


@posix
@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="a kill can leave an unfinished file on this system")
def test_a_kill_at_any_moment_leaves_a_whole_file(tmp_path):
    file = tmp_path / "a"
    for k in range(12):
        command = [sys.executable, "-c", KILLED, str(file)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "begun\n"
            threading.Event().wait(0.003 * k + 0.01)
            process.send_signal(signal.SIGKILL)
        for found in tmp_path.iterdir():  # also what was killed between its naming and its taking the place of the old
            assert found == file or found.suffix == files.PART
            assert found.read_bytes() in (b"a" * 300_000, b"b" * 300_000)


def test_many_at_once_each_write_whole_files(tmp_path):
    file = tmp_path / "a"
    contents = [bytes([k]) * 50_000 for k in range(8)]
    failed = []

    def often(content):
        try:
            for _ in range(30):
                write_atomically(file, content)
                assert file.read_bytes() in contents
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=often, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert names(tmp_path) == ["a"]


def test_no_descriptor_stays_open(tmp_path):
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("this system does not list them")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        write_atomically(tmp_path / "a", b"x")
        with pytest.raises(OSError):
            write_atomically(tmp_path, b"x")
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_descriptor_is_never_closed_twice(tmp_path, monkeypatch):
    closed, close = [], os.close

    def interrupted(number):
        closed.append(number)
        close(number)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "close", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a", b"1")
    monkeypatch.undo()
    assert len(closed) == len(set(closed)) == 1
