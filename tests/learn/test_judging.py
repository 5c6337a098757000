"""A learner's functions are judged, and nothing else: what they raise, change or leave out is told in a sentence."""

import re

import numpy as np
import pytest

from tinygrad_cnn import learn
from tinygrad_cnn.learn.exercise import load
from tinygrad_cnn.learn.judging import check_source

TANH = load("tanh")


def answer(body, before=""):
    source = TANH.start().replace("...  # write this", body)
    return check_source(TANH, before + source, "/nowhere/tanh.py")


@pytest.mark.parametrize(
    ("body", "verdict", "said"),
    [
        ("raise ValueError('no')", "could not run", "raises ValueError in line 18: no"),
        ("return undefined", "could not run", "raises NameError in line 18"),
        ("exit()", "could not run", "leave `exit` out"),
        ("return g.sum(", "could not run", "line 18 is not Python"),
        ("return np.zeros(10**13)", "could not run", "more memory"),
        ("pass; ...", "not done yet", "line 18"),
        ("return g, g", "wrong", "2 gradients for 1 inputs"),
        ("x += 1; return g", "wrong", "modifies its input"),
        ("g *= 2; return g", "wrong", "modifies the cotangent"),
        ("return g[:2]", "wrong", "shape (2,)"),
        ("return 'a'", "wrong", "expected real numbers"),
        ("return g * (1 - np.tanh(x) ** 2) + np.random.rand() / 100", "wrong", "differs when it is computed again"),
        ("return None", "wrong", "Is `return` missing"),
        ("g * (1 - np.tanh(x) ** 2)", "wrong", "Is `return` missing"),
    ],
)
def test_what_cannot_be_right_is_told(body, verdict, said):
    result = answer(body)
    assert result.verdict == verdict
    assert said in " ".join([result.headline, *result.hints])


def test_a_forward_function_that_is_changed_does_not_pass():
    source = TANH.filled().replace("return np.tanh(x)", "return 0 * x", 1)
    source = source.replace("return g * (1 - y**2)", "return 0 * g")
    result = check_source(TANH, source, "/nowhere/tanh.py")
    assert (result.verdict, result.kind) == ("wrong", "forward")
    assert "it should be" in result.hints[1]


def test_only_the_learners_functions_are_asked():
    assert learn.check("tanh", {"forward": np.tanh}).headline == "it does not define the function `backward`."
    calls = []

    def backward(g, x):
        calls.append(x)
        return g

    assert learn.check("tanh", {"forward": TANH.hidden["forward"], "backward": backward}).verdict == "wrong"
    assert calls


def test_a_notebooks_test_raises_with_the_hints_that_are_allowed():
    names = {"forward": TANH.hidden["forward"], "backward": lambda g, x: -g * (1 - np.tanh(x) ** 2)}
    with pytest.raises(AssertionError, match="should be") as raised:
        learn.assert_right("tanh", names, hints=2)
    assert "What kind" not in str(raised.value)
    with pytest.raises(AssertionError, match="What kind of mistake: sign"):
        learn.assert_right("tanh", names)
    learn.assert_right("tanh", {**names, "backward": TANH.hidden["backward"]})


def test_a_result_is_read_again_as_it_was_written():
    result = answer("return g * (1 - x**2)")
    assert len(result.hints) == 4
    assert learn.Result.from_json(result.to_json()) == result


@pytest.mark.parametrize("text", ["[]", "{}", '{"exercise": "a", "verdict": "good", "headline": ""}', "nothing"])
def test_other_json_is_no_result(text):
    with pytest.raises(ValueError):
        learn.Result.from_json(text)


def test_values_that_differ_in_late_digits_are_shown_with_them():
    exercise = load("adam_step")
    source = exercise.filled().replace("np.sqrt(v_hat) + eps", "np.sqrt(v_hat + eps)")
    result = check_source(exercise, source, "/nowhere/adam_step.py")
    assert result.verdict == "wrong"
    (text,) = [hint for hint in result.hints if "; it should be " in hint]
    found, wanted = text.split(" is ", 1)[1].split("; it should be ", 1)
    assert found != wanted.removesuffix(".")


def test_numbers_at_the_smallest_input_are_those_of_paper_and_pencil():
    result = answer("return g * (1 - x**2)")
    smallest = float(re.search(r"fails: \[(.*?)\]", result.hints[1])[1])
    mine, right = map(
        float, re.search(r"with g = 1, .* is \[(.*?)\]; it should be \[(.*?)\]", result.hints[1]).groups()
    )
    assert mine == pytest.approx(1 - smallest**2, abs=1e-6)
    assert right == pytest.approx(1 / np.cosh(smallest) ** 2, abs=1e-6)


def test_a_forward_function_that_is_off_in_a_late_digit_is_shown_with_it():
    source = TANH.filled().replace("return np.tanh(x)", "return np.tanh(x) + 1e-8", 1)
    said = check_source(TANH, source, "/nowhere/tanh.py").hints[1]
    found, wanted = re.fullmatch(r"Its result is \[(.*)\]; it should be \[(.*)\]\.", said).groups()
    assert found != wanted


def test_of_many_elements_the_first_that_differs_is_told():
    exercise = load("variance")
    source = exercise.filled().replace("return ((x - mean) ** 2).mean(axis=1)", "return (x - mean) ** 2", 1)
    assert "has the shape (3, 4); it should have (3,)" in check_source(exercise, source, "/nowhere/v.py").hints[1]
    exercise = load("im2col")
    other = "first = forward\n\n\ndef forward(*a):\n    y = np.array(first(*a))\n    y.flat[5] += 1\n    return y\n\n\n"
    changed = exercise.filled().replace("def backward", other + "def backward", 1)
    said = check_source(exercise, changed, "/nowhere/i.py").hints[1]
    assert re.match(r"Its result at \(.*\) is .*; it should be ", said), said
