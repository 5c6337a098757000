"""A learner's file runs in a process of its own, which ends at its limits, with all that it has started."""

import os
import sys
import time

import pytest

from tinygrad_cnn import learn
from tinygrad_cnn.learn import apart
from tinygrad_cnn.learn.exercise import ExerciseError, load

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have no such limit")


def file_with(folder, body):
    path = folder / "tanh.py"
    path.write_text(load("tanh").start().replace("...  # write this", body))
    return path


def test_an_endless_loop_is_ended_with_what_it_has_started(tmp_path):
    body = f"""import subprocess, sys
    child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
    open({str(tmp_path / "child")!r}, "w").write(str(child.pid))
    while True:
        pass"""
    result = learn.check_file(file_with(tmp_path, body), seconds=2.5)
    assert result.verdict == "could not run"
    assert result.headline == "it was stopped after 2.5 s; is there a loop without end?"
    assert not _runs(int((tmp_path / "child").read_text()))


def _runs(pid):
    for _ in range(50):
        try:
            os.kill(pid, 0)
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":  # it has ended, and nobody has asked for it
                    return False
        except OSError:
            return False
        time.sleep(0.1)
    return True


@LINUX
def test_memory_is_limited_and_what_was_printed_is_told(tmp_path):
    body = """print("before")
    kept = [np.ones(2**23) for _ in range(200)]
    return g * kept[0].sum()"""
    result = learn.check_file(file_with(tmp_path, body), memory=0.25)
    assert result.headline == "it asks for more memory than it may have."
    assert result.printed.startswith("before")
    assert result.student == tmp_path.name
    assert result.seconds > 0


def test_a_process_that_ends_itself_is_no_right_answer(tmp_path):
    result = learn.check_file(file_with(tmp_path, "import os; os._exit(0)"))
    assert result.headline == "it ended the process (status 0) before it was judged."


def test_where_memory_cannot_be_limited_the_result_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(apart, "can_limit_memory", lambda: False)
    monkeypatch.setattr(apart, "_run", lambda *a: learn.Result("tanh", "right", "right."))
    result = learn.check_file(file_with(tmp_path, "return g"), student="Ada")
    assert result.notes == ("Memory is not limited: this system has no such limit.",)
    assert result.student == "Ada"


def test_a_file_that_names_no_exercise_is_refused(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("x = 1\n")
    with pytest.raises(ExerciseError, match="does not say which exercise"):
        learn.check_file(path)
    with pytest.raises(ExerciseError, match="cannot be read"):
        learn.check_file(tmp_path / "nowhere.py")
