"""Functions of NumPy at a point, for the tests of what judges them there."""

from tinygrad_cnn.gradcheck import numpy_pair
from tinygrad_cnn.gradcheck.functions import unpacked
from tinygrad_cnn.gradcheck.point import Point


def no_gradient(g, *inputs):
    """A VJP that nobody asks."""
    raise AssertionError("this gradient was not to be asked for")


def point(function, *inputs, vjp=no_gradient):
    """The point at which a function and its VJP are checked."""
    adapter = numpy_pair(function, vjp)
    return Point(adapter, *unpacked(adapter, inputs))
