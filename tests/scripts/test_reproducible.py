"""The script that builds twice sees when the bytes differ, and copies what Git knows."""

from scripts import reproducible


def test_archives_that_differ_or_are_missing_are_named():
    one = {"a.whl": b"1", "b.tar.gz": b"2"}
    assert reproducible.differing(one, dict(one)) == []
    assert reproducible.differing(one, {**one, "a.whl": b"3"}) == ["a.whl"]
    assert reproducible.differing(one, {"a.whl": b"1"}) == ["b.tar.gz"]
    assert reproducible.differing({}, one) == ["a.whl", "b.tar.gz"]


def test_a_build_whose_bytes_change_fails(monkeypatch, tmp_path, capsys):
    counted = iter([b"1", b"2"])
    monkeypatch.setattr(reproducible, "built", lambda folder, mode: {"a.whl": next(counted)})
    monkeypatch.setattr("sys.argv", ["reproducible", "--out", str(tmp_path)])
    assert reproducible.main() == 1
    assert capsys.readouterr().err == "not the same when built again: a.whl\n"
    assert list(tmp_path.iterdir()) == []
