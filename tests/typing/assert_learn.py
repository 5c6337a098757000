"""What every public callable of `learn` returns; read by type checkers, not run.

mypy --strict tests/typing/assert_learn.py
pyright tests/typing/assert_learn.py
"""

from typing import Any, assert_type

from tinygrad_cnn import learn
from tinygrad_cnn.learn.bugs import Bug
from tinygrad_cnn.learn.exercise import Wrong


def exercises(wrong: Wrong) -> None:
    exercise = learn.load("tanh")
    assert_type(exercise, learn.Exercise)
    assert_type(learn.exercises(), list[learn.Exercise])
    assert_type(learn.Exercise("tanh", exercise.path, "", {}), learn.Exercise)
    assert_type(exercise.start(2), str)
    assert_type(exercise.filled(), str)
    assert_type(exercise.wrong_source(wrong), str)
    assert_type(exercise.inputs(0), list[Any])
    assert_type(exercise.wrongs, tuple[Wrong, ...])


def results(names: dict[str, Any]) -> None:
    result = learn.check("tanh", names)
    assert_type(result, learn.Result)
    assert_type(learn.check_file("tanh.py", seconds=5), learn.Result)
    assert_type(learn.assert_right("tanh", names), None)
    assert_type(result.told(2), str)
    assert_type(result.to_json(), str)
    assert_type(learn.Result.from_json(""), learn.Result)
    assert_type(learn.class_page([result]), str)
    assert_type(learn.find_the_bug("Ada"), list[Bug])
