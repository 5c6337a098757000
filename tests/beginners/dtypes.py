"""Dtypes and values: integers, float64, strings, objects."""

import numpy as np

import tinygrad_cnn as tg
from tests.beginners.case import mistake
from tinygrad_cnn import nn

DTYPES = "Dtypes do not fit"


@mistake(DTYPES, "Integers given to a layer", RuntimeError, "linear", "int64", "float32", ".float()")
def _():
    nn.Linear(3, 2)(tg.tensor([[1, 2, 3]]))


@mistake(DTYPES, "Bytes of pictures given to a convolution", RuntimeError, "conv2d", "uint8", "float32", ".float()")
def _():
    nn.Conv2d(1, 1, 3)(tg.zeros(1, 1, 8, 8, dtype=tg.uint8))


@mistake(DTYPES, "NumPy's float64 given to a layer", RuntimeError, "linear", "float64", "float32", ".float()")
def _():
    nn.Linear(3, 2)(tg.from_numpy(np.zeros((4, 3))))


@mistake(DTYPES, "NumPy's float64 given to a convolution", RuntimeError, "conv2d", "float64", "float32", ".float()")
def _():
    nn.Conv2d(1, 1, 3)(tg.from_numpy(np.zeros((1, 1, 8, 8))))


@mistake(DTYPES, "NumPy's float64 given to an LSTM", RuntimeError, "LSTM", "float64", "float32", ".float()")
def _():
    nn.LSTM(3, 2)(tg.from_numpy(np.zeros((4, 1, 3))))


@mistake(DTYPES, "Words given as floats", RuntimeError, "embedding", "float32", ".long()")
def _():
    nn.Embedding(10, 3)(tg.tensor([1.0, 2.0]))


@mistake(DTYPES, "Floats as an index", IndexError, "getitem", "float32", ".long()")
def _():
    tg.zeros(4)[tg.tensor([0.0, 1.0])]


@mistake(DTYPES, "A product of two dtypes", RuntimeError, "matmul", "float32", "float64", ".float()")
def _():
    tg.zeros(2, 3) @ tg.zeros(3, 2, dtype=tg.float64)


@mistake(DTYPES, "Floats added in place to integers", RuntimeError, "add_", "float32", "int64", ".float()")
def _():
    x = tg.tensor([1, 2])
    x += 0.5


@mistake(DTYPES, "Dicts among numbers", TypeError, "Tensor", "object", "number")
def _():
    tg.tensor(np.array([{}, []], dtype=object))


@mistake(DTYPES, "None among numbers", TypeError, "tensor", "None")
def _():
    tg.tensor([1.0, None])


@mistake(DTYPES, "The negative of a mask", RuntimeError, "neg", "bool", "~")
def _():
    -tg.tensor([True, False])


@mistake(DTYPES, "and of two masks", RuntimeError, "bool", "&", "|")
def _():
    x = tg.tensor([1.0, 2.0])
    x[(x > 0) and (x < 2)]


@mistake(DTYPES, "A dtype by a wrong name", TypeError, "'float31' is no dtype", "float64")
def _():
    tg.zeros(2, dtype="float31")


@mistake(DTYPES, "A layer's size as a string", TypeError, "Linear", "in_features", "'3'")
def _():
    nn.Linear("3", 2)


@mistake(DTYPES, "Half a size: a division with one stroke", TypeError, "Linear", "out_features", "2.5", "//")
def _():
    nn.Linear(5, 5 / 2)


@mistake(DTYPES, "A GPU that is not there", RuntimeError, "cuda", "cpu")
def _():
    nn.Linear(3, 2).to("cuda")
