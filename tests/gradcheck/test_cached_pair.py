"""Pairs in the form of course assignments: (out, cache) forward, (dout, cache) backward, checked as they are."""

import numpy as np
import pytest

from tinygrad_cnn.cli import main
from tinygrad_cnn.gradcheck import GradientError, cached_pair, gradcheck
from tinygrad_cnn.gradcheck.strategies import Real, arrays, check_gradients

random = np.random.default_rng(3)
X, W, B = (random.standard_normal(shape) for shape in ((4, 2, 3), (6, 5), (5,)))


def affine_forward(x, w, b):
    out = x.reshape(len(x), -1) @ w + b
    return out, (x, w, b)


def affine_backward(dout, cache):
    x, w, _ = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)


def averaged(dout, cache):
    dx, dw, db = affine_backward(dout, cache)
    return dx, dw, db / 4


def test_a_right_pair_passes_and_a_wrong_one_is_named():
    assert gradcheck(cached_pair(affine_forward, affine_backward), [X, W, B])
    report = gradcheck(cached_pair(affine_forward, averaged), [X, W, B], names=["x", "w", "b"], raise_exception=False)
    assert not report
    assert report.function == "affine_forward"
    assert {e.name for e in report.entries if e.verdict.value == "fail"} == {"b"}
    assert report.diagnoses[0].kind in ("mean for sum", "factor")


def strided(x, w, options):
    s = options["stride"]
    return np.array([np.sum(x[s * i : s * i + 3] * w) for i in range(3)]), (x, w, s)


def strided_backward(dout, cache, assign=False):
    x, w, s = cache
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i in range(3):
        window = slice(s * i, s * i + 3)
        dx[window] = dout[i] * w + (0 if assign else dx[window])
        dw += dout[i] * x[window]
    return dx, dw


@pytest.mark.parametrize("form", [tuple, lambda g: {"dx": g[0], "dw": g[1]}, lambda g: {"w": g[1], "x": g[0]}])
def test_inputs_that_are_no_arrays_need_no_gradient(form):
    inputs = [random.standard_normal(7), random.standard_normal(3), {"stride": 2}]
    assert gradcheck(cached_pair(strided, lambda *a: form(strided_backward(*a))), inputs)
    assert (
        gradcheck(cached_pair(strided, lambda *a: (*form(strided_backward(*a)), None)), inputs) if form is tuple else 1
    )
    wrong = cached_pair(strided, lambda *a: form(strided_backward(*a, assign=True)))
    report = gradcheck(wrong, inputs, raise_exception=False)
    assert not report
    assert report.diagnoses[0].kind == "overwritten"


def test_a_gradient_that_a_dictionary_leaves_out_is_0():
    pair = cached_pair(affine_forward, lambda d, cache: {"dx": affine_backward(d, cache)[0], "db": d.sum(axis=0)})
    report = gradcheck(pair, [X, W, B], names=["x", "w", "b"], raise_exception=False)
    assert {e.name for e in report.entries if e.verdict.value == "fail"} == {"w"}


def test_several_outputs_have_several_cotangents():
    def forward(x):
        return (np.sin(x), 3 * x), x

    def backward(douts, x):
        return douts[0] * np.cos(x) + 3 * douts[1]

    assert gradcheck(cached_pair(forward, backward), [random.standard_normal(3)])


@pytest.mark.parametrize(
    ("forward", "backward", "said"),
    [
        (lambda x, w, b: x.sum(), affine_backward, r"returns \w+; expected \(out, cache\)"),
        (lambda x, w, b: (x, w, b), affine_backward, r"returns a tuple of 3; expected \(out, cache\)"),
        (affine_forward, lambda d, c: affine_backward(d, c)[:2], "returns 2 gradients for 3 arrays"),
        (
            affine_forward,
            lambda d, c: {"dv": d},
            "a gradient 'dv', which is of no input of affine_forward; expected dx, dw",
        ),
    ],
)
def test_what_is_no_such_pair_is_told(forward, backward, said):
    with pytest.raises((GradientError, TypeError), match=said):
        gradcheck(cached_pair(forward, backward), [X, W, B])


def test_pytests_decorator_takes_a_pair():
    def forward(x, s):
        return x * s, (x, s)

    def backward(dout, cache):
        x, s = cache
        return dout * s, (dout * x).sum(axis=0)

    drawn = check_gradients(arrays((2, 3), Real()), arrays((3,), Real()))
    drawn(cached_pair(forward, backward))()
    with pytest.raises(GradientError):
        drawn(cached_pair(forward, lambda d, cache: (d, backward(d, cache)[1])))()


LAYERS = """
def forward(x, w):
    return x @ w, (x, w)

def backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout

def wrong(dout, cache):
    x, w = cache
    return dout @ w.T, -x.T @ dout

def alone(dout):
    return dout

class Layer:
    pass
"""


@pytest.fixture
def layers(tmp_path, monkeypatch):
    (tmp_path / "layers.py").write_text(LAYERS)
    monkeypatch.chdir(tmp_path)


def command(backward, *more):
    return main(["gradcheck", "layers.py:forward", "--backward", f"layers.py:{backward}", "--shape", "2,3", *more])


@pytest.mark.usefixtures("layers")
def test_the_command_line_takes_a_pair(capsys):
    assert command("backward", "--shape", "3,4") == 0
    assert command("wrong", "--shape", "3,4") == 1
    assert "wrong sign" in capsys.readouterr().out


@pytest.mark.usefixtures("layers")
@pytest.mark.parametrize(
    ("backward", "more", "said"),
    [
        ("backward", ["--vjp", "layers.py:wrong"], "--vjp and --backward were both given"),
        (
            "backward",
            ["--order", "2"],
            "--order 2 needs a recorded gradient: a function of Tensors, without --backward",
        ),
        ("alone", [], "was given the cotangent and the cache"),
        ("Layer", [], "--backward layers.py:Layer names a class"),
    ],
)
def test_wrong_use_of_the_option_is_one_sentence(backward, more, said, capsys):
    assert command(backward, "--shape", "3,4", *more) == 2
    assert said in capsys.readouterr().err
