"""What a notebook shows of a tensor is true of it: its numbers, its shape, where it came from."""

import numpy as np
import pytest

import tinygrad_cnn as tg
from tests.display.reading import Reading
from tinygrad_cnn import nn
from tinygrad_cnn.datasets import load_sample


def read(x):
    return Reading(x._repr_html_())


def as_number(text):
    return float(text.replace("−", "-"))


def test_every_number_of_a_matrix_is_there_exactly():
    x = tg.randn(4, 5)
    shown = read(x)
    assert [as_number(t.split(" = ")[1]) for t in shown.titles] == pytest.approx(x.numpy().ravel().tolist(), rel=1e-7)
    rows = shown.tables[0][1:]
    assert np.array_equal(np.array([[as_number(c) for c in row[1:]] for row in rows], np.float32), x.numpy())
    assert [row[0] for row in rows] == [f"[{k}, :]" for k in range(4)]


def test_what_it_is_stands_above():
    x = tg.ones(2, 3, requires_grad=True)
    y = x * 2
    assert "Tensor (2, 3) float32 · 6 elements · 24 bytes · requires_grad" in read(x).text
    assert f"grad_fn {y.grad_fn.name()}" in read(y).text
    y.sum().backward()
    assert ".grad is there, largest magnitude 2" in read(x).text
    assert "Parameter (3,)" in read(nn.Parameter(tg.zeros(3))).text
    assert "int64" in read(tg.arange(3)).text


def test_one_number_is_written_large_and_exactly_in_its_title():
    shown = read(tg.tensor(0.1))
    assert [f["title"] for tag, f in shown.tags if f.get("class") == "tg-big"] == ["0.1"]


def test_a_digit_is_an_image_and_weights_are_a_map():
    digits = tg.tensor(load_sample().train_images[:20, None]) / 255
    shown = read(digits)
    assert "black is 0, white is 1; the first 16 of 20 images; index it to read the numbers of one" in shown.text
    assert sum(tag == "svg" for tag, _ in shown.tags) == 16
    one = read(digits[0])
    assert len(one.titles) == 784
    assert [as_number(t.split(" = ")[1]) for t in one.titles] == pytest.approx(
        digits[0].numpy().ravel().tolist(), rel=1e-6
    )
    assert one.titles[29].startswith("[0, 1, 1] = ")
    assert "±" in read(tg.randn(28, 28)).text


def test_a_large_tensor_is_summarised_and_says_so():
    x = tg.randn(300, 500)
    shown = read(x)
    assert "a cell shows the number of largest magnitude of 40 numbers (5 × 8)" in shown.text
    values = x.numpy().astype(np.float64)
    for word, value in (("min", values.min()), ("max", values.max()), ("mean", values.mean())):
        assert as_number(shown.text.split(f"{word} ")[1].split(",")[0]) == pytest.approx(value, rel=1e-3)
    assert len(x._repr_html_()) < 60_000
    assert "..." in shown.text  # the text that print shows


def test_planes_of_a_tensor_of_more_axes_have_their_places():
    shown = read(tg.randn(3, 2, 4, 4))
    for place in np.ndindex(3, 2):
        assert f"[{place[0]}, {place[1]}]" in shown.text
    assert "the first 16 of 64" in read(tg.randn(2, 32, 26, 26)).text
    assert shown.titles[17].startswith("[0, 1, 0, 1] = ")


def test_what_is_no_number_is_counted():
    x = tg.tensor([[1.0, float("nan")], [float("inf"), float("nan")]])
    assert "2 elements are nan, the first at [0, 1]" in read(x).text
    assert "1 element is infinite, the first at [1, 0]" in read(x).text


@pytest.mark.parametrize("shape", [(0,), (0, 3), (), (1,), (11,), (5000,), (1, 1, 1, 1), (2, 3, 0), (20, 1), (1, 20)])
@pytest.mark.parametrize("dtype", [tg.float32, tg.float16, tg.int64, tg.bool, tg.uint8])
def test_all_shapes_and_dtypes_are_shown(shape, dtype):
    read(tg.ones(shape, dtype=dtype))


def test_a_vector_goes_on_from_row_to_row():
    x = tg.arange(25)
    shown = read(x)
    assert shown.titles == [f"[{k}] = {k}" for k in range(25)]


def test_an_uninitialized_parameter_has_nothing_to_show():
    assert "no shape and no values" in Reading(nn.LazyLinear(3).weight._repr_html_()).text
