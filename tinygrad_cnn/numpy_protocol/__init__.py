"""What NumPy's functions mean when they are given a Tensor (NEP 13, NEP 18): the op, or a plain result.

This is how a derivative written in NumPy's notation records itself, and how users call ``np.exp(tensor)``. A function
takes the arguments that NumPy's takes, but for those that no op has (`out`, `where`, `order`): these are refused.
"""

from tinygrad_cnn.numpy_protocol.dispatch import FUNCTIONS
from tinygrad_cnn.numpy_protocol.plain import PLAIN
from tinygrad_cnn.numpy_protocol.ufuncs import UFUNCS, WITHOUT_GRADIENT, of_method, with_dtype

__all__ = ["FUNCTIONS", "PLAIN", "UFUNCS", "WITHOUT_GRADIENT", "of_method", "with_dtype"]
