"""How files of others are opened, and how what is in them is quoted."""

import io
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_cnn.utils.reading import Allowance, FileError, Limits, contents, expect, opened, refusing, rest_of, shown


def test_the_bytes_of_a_file_are_read_whole(tmp_path):
    for size in (0, 1, 70_000, 300_000):
        (tmp_path / "a").write_bytes(bytes(range(256)) * (size // 256) + b"x" * (size % 256))
        assert contents(tmp_path / "a") == (tmp_path / "a").read_bytes()
        assert contents(tmp_path / "a", Limits(file=size)) == (tmp_path / "a").read_bytes()
        if size:
            with pytest.raises(FileError, match=rf"at most {size - 1:,} are read"):
                contents(tmp_path / "a", Limits(file=size - 1))


class Endless(io.RawIOBase):
    """A file without end that counts what is asked of it."""

    asked = 0

    def read(self, size=-1):
        self.asked += size
        return bytes(size)


def test_no_more_is_read_than_one_byte_beyond_the_limit():
    endless = Endless()
    with pytest.raises(FileError, match="at most 200,000 are read"):
        rest_of(endless, 0, Limits(file=200_000))
    assert endless.asked <= 200_001


def test_folders_and_missing_files_are_errors_of_the_system(tmp_path):
    with pytest.raises(IsADirectoryError):
        opened(tmp_path)
    with pytest.raises(FileNotFoundError):
        opened(tmp_path / "none")


def test_an_allowance_is_six_times_the_file_and_more():
    allowance = Allowance(100, Limits(objects=50))
    allowance.take(650)
    with pytest.raises(FileError, match=r"larger limits\.objects"):
        allowance.take(1)


@given(st.recursive(st.one_of(st.text(), st.integers(), st.floats(), st.binary(), st.none()), st.lists))
def test_what_is_quoted_is_short_and_one_line(value):
    assert len(shown(value)) < 250
    assert shown(value).isprintable()


def test_short_values_are_quoted_as_they_are_and_others_by_their_type():
    assert [shown(v) for v in ("a", 3, True, None, 2.5)] == ["'a'", "3", "True", "None", "2.5"]
    assert shown("x" * 100) == "'" + "x" * 60 + "'…"
    assert shown(10**5000) == "a number of 16610 bits"
    assert shown([1]) == "a list"
    with pytest.raises(FileError, match="dict expected, list found"):
        expect(dict, [])


class OwnError(FileError):
    """Of a room."""


@pytest.mark.parametrize(
    "error", [KeyError("secret"), TypeError("secret"), EOFError("secret"), RecursionError("secret")]
)
def test_words_that_are_not_ours_are_left_out(error):
    with (
        pytest.raises(OwnError, match=rf"^here: the file is damaged \({type(error).__name__}\)$"),
        refusing(OwnError, "here"),
    ):
        raise error


def test_what_is_of_the_kind_already_passes_and_what_is_no_fault_of_the_file_too():
    with pytest.raises(OwnError, match=r"^ours$"), refusing(OwnError, "here"):
        raise OwnError("ours")
    with pytest.raises(OwnError, match=r"^here: said$"), refusing(OwnError, "here"):
        raise FileError("said")
    with pytest.raises(OwnError, match="more memory than there is"), refusing(OwnError, "here"):
        raise MemoryError
    with pytest.raises(pickle.PicklingError), refusing(OwnError, "here"):
        raise pickle.PicklingError
