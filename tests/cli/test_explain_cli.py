"""``tinygrad-cnn explain script.py``, as it is called."""

import json
import re
import subprocess
import sys

import pytest

SCRIPT = """
import sys
import tinygrad_cnn as tg
print("hello from the script", sys.argv[1:])
w = tg.tensor([1.0, -2.0], requires_grad=True)
for step in range(3):
    loss = (w * (step + 2)).tanh().sum()
    loss.backward()
raise SystemExit(7)
"""


@pytest.fixture
def explained(tmp_path, monkeypatch):
    pytest.importorskip("tinygrad_cnn.teach.script")
    (tmp_path / "lesson.py").write_text(SCRIPT)

    def call(*words, text=None):
        if text is not None:
            (tmp_path / "lesson.py").write_text(text)
        command = [sys.executable, "-m", "tinygrad_cnn", "explain", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)

    return call


def data(path):
    text = path.read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1])


def test_it_writes_a_page_of_the_first_backward(explained, tmp_path):
    done = explained("lesson.py")
    assert done.returncode == 0, done.stderr
    assert "hello from the script []" in done.stdout
    found = data(tmp_path / "lesson.html")
    assert [op["name"] for op in found["ops"]] == ["Mul", "Tanh", "Sum"]
    assert found["ops"][0]["where"][0]["line"] == 7
    assert found["files"][0]["name"] == "lesson.py"


def test_another_backward_another_file_and_arguments(explained, tmp_path):
    done = explained("lesson.py", "--call", "3", "--out", "third.html", "--args", "--rate", "2")
    assert done.returncode == 0, done.stderr
    assert "['--rate', '2']" in done.stdout
    labels = [value["label"] for value in data(tmp_path / "third.html")["values"]]
    assert "4" in labels  # w * (2 + 2)


@pytest.mark.parametrize(
    ("words", "text", "message"),
    [
        (["nothing.py"], None, "there is no file nothing.py"),
        (["lesson.py", "--out", "no/where.html"], None, "there is no folder no"),
        (["lesson.py", "--call", "9"], None, "it calls backward() 3 times; choose one of them with --call"),
        (["lesson.py"], "x = 1", "it ended without calling backward(); call loss.backward() in it"),
        (["lesson.py"], "x = 1\nx / 0", "it raised ZeroDivisionError: division by zero, line 2; mend that first"),
        (["lesson.py"], "x = (", "it raised SyntaxError"),
        (["lesson.py", "--timeout", "3"], "while True: pass", "within 3 s; --timeout waits longer"),
        (
            ["lesson.py"],
            "import tinygrad_cnn as tg\ntg.ones(()).backward()",
            "it raised RuntimeError: backward: the output",
        ),
    ],
)
def test_what_cannot_be_explained_is_said_in_a_sentence(explained, words, text, message):
    done = explained(*words, text=text)
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr
