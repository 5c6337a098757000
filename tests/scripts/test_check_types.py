"""`scripts.check_types` reads what mypy reveals; that it finds nothing in the package, `.ci/run` sees."""

import pytest

from scripts import check_types

REVEALED = {
    "def [A <: Any] (input: A, dim: Any =) -> A": ["A"],
    "def (x: def (*Any, **Any) -> Any) -> builtins.int": ["builtins.int"],
    "def (x: int) -> def (y: Any) -> Any": ["Any"],
    "Overload(def (x: int) -> tuple[int, Any], def [F <: def (*Any) -> Any] (F) -> F)": ["tuple[int, Any]", "F"],
    "def (self: Any)": [],
    "builtins.int": [],
}


@pytest.mark.parametrize("text", REVEALED)
def test_results_are_what_stands_behind_the_last_arrow(text):
    assert list(check_types.returned(text)) == REVEALED[text]


def test_any_in_a_result_is_found_unless_it_is_listed(monkeypatch):
    names = [("a", "f", True), ("a", "g", True), ("a", "h", True), ("a", "value", False)]
    monkeypatch.setattr(check_types, "public", lambda: names)
    texts = ["def () -> Any", "def (x: Any) -> numpy.ndarray[tuple[Any, ...], numpy.dtype[Any]]", "def () -> list[Any]"]
    monkeypatch.setattr(check_types, "reveals", lambda names: texts)
    monkeypatch.setattr(check_types, "ANY", {"a h": "as listed"})
    assert list(check_types.any_left()) == ["Any: a.f gives Any"]


def test_a_callable_that_no_assertion_names_is_found(monkeypatch):
    monkeypatch.setattr(check_types, "public", lambda: [("a", "relu", True), ("a", "Tensor.nobody_asserts", True)])
    assert list(check_types.unasserted()) == ["a.Tensor.nobody_asserts"]


def test_a_line_without_its_error_and_an_error_elsewhere_are_found(monkeypatch, tmp_path):
    file = tmp_path / "misspelt.py"
    file.write_text("x.sqtr()  # error\nx.sqrt()\n")
    monkeypatch.setattr(check_types, "MISSPELT", file)
    monkeypatch.setattr(check_types, "mypy_errors", lambda *files: [(files[0], 1, "no sqtr")])
    monkeypatch.setattr(check_types, "pyright_errors", lambda *files: [(files[0], 2, "no sqrt")])
    assert list(check_types.misspelt()) == [
        "pyright: misspelt.py:1: 0 errors: x.sqtr()  # error",
        "pyright: misspelt.py:2: 1 errors: x.sqrt()",
    ]


def test_every_exception_still_has_something_to_except():
    names = [f"{path} {name}" for path, name, called in check_types.public() if called]
    unused = [pattern for pattern in check_types.ANY if not any(map(check_types.re.compile(pattern).search, names))]
    assert not unused
