"""The strict reader of zips beside Python's: what both read is the same, and what is odd is refused."""

import contextlib
import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_cnn.io.members import Members, new_zip
from tinygrad_cnn.utils.reading import LIMITS, FileError

NAMES = st.text(st.characters(exclude_characters="\0/\\", exclude_categories=["Cs"]), min_size=1, max_size=5)
CONTENTS = st.dictionaries(NAMES, st.binary(max_size=50), max_size=4)


def written(members, method=zipfile.ZIP_STORED, comment=b""):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as out:
        out.comment = comment
        for name, content in members.items():
            out.writestr(zipfile.ZipInfo(name), content, method)
    return buffer.getvalue()


@given(CONTENTS, st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]), st.binary(max_size=20))
def test_what_python_writes_is_read(members, method, comment):
    if b"PK" in comment:
        return
    found = Members(written(members, method, comment), LIMITS)
    assert {name: bytes(found.read(name)) for name in found.names()} == members


@given(CONTENTS.filter(len), st.data())
def test_a_changed_byte_is_refused_or_changes_no_content(members, data):
    content = bytearray(written(members, data.draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))))
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = Members(bytes(content), LIMITS)
        read = {name: bytes(found.read(name)) for name in found.names()}
    except (FileError, UnicodeDecodeError):
        return
    assert sorted(read.values()) == sorted(members.values())


@given(CONTENTS, st.integers(1, 200))
def test_every_cut_is_refused(members, size):
    content = written(members)
    with pytest.raises(FileError):
        Members(content[: max(0, len(content) - size)], LIMITS)


def test_files_with_sizes_in_64_bits_are_read():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out, out.open("a", "w", force_zip64=True) as member:
        member.write(b"content")
    assert bytes(Members(buffer.getvalue(), LIMITS).read("a")) == b"content"


def test_more_than_65535_members_are_read():
    members = {str(k): b"" for k in range(70_000)}
    assert Members(written(members), LIMITS).names() == list(members)


def test_what_is_stored_is_not_copied():
    content = written({"a": bytes(1000)})
    assert np.shares_memory(np.frombuffer(Members(content, LIMITS).read("a"), "u1"), np.frombuffer(content, "u1"))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(method):
    with pytest.raises(FileError, match="compressed in another way than deflate"):
        Members(written({"a": b"x" * 100}, method), LIMITS)
    with pytest.raises(FileError, match="no member 'b'"):
        Members(written({"a": b""}), LIMITS).read("b")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, OSError])
def test_what_breaks_off_a_zip_is_what_is_raised(error):
    def broken_off():
        with new_zip(io.BytesIO()) as archive:
            members.append(archive.open("half", "w"))
            raise error

    members = []
    with pytest.raises(error):
        broken_off()
    with contextlib.suppress(AttributeError):  # Python's own, of a zip that is gone
        members[0].close()
    with new_zip(whole := io.BytesIO()) as archive:
        archive.writestr("a", b"1")
    assert zipfile.ZipFile(whole).read("a") == b"1"
