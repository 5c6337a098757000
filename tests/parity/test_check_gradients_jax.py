"""`check_gradients` on functions of JAX."""

import jax
import numpy as np
import pytest

from tinygrad_cnn.gradcheck import GradientError, jax_function
from tinygrad_cnn.gradcheck.strategies import Real, arrays, check_gradients, dtypes, labels, shapes


@jax.custom_vjp
def wrong(x):
    return jax.numpy.sin(x)


wrong.defvjp(lambda x: (jax.numpy.sin(x), x), lambda x, g: (-g * jax.numpy.cos(x),))

test_softplus = check_gradients(arrays(shapes(), Real(), dtype=dtypes()), adapter=jax_function)(jax.nn.softplus)


@check_gradients(x=arrays((3, 4), Real()), t=labels((3,), 4), adapter=jax_function)
def test_labels(x, t):
    return -jax.numpy.take_along_axis(jax.nn.log_softmax(x), t[:, None], axis=1).sum()


def test_a_wrong_function_is_found_and_shrunk():
    test = check_gradients(arrays(shapes(), Real()), adapter=jax_function)(wrong)
    with pytest.raises(GradientError) as caught:
        test()
    assert caught.value.report.diagnoses[0].kind == "sign"
    assert np.array_equal(caught.value.report.smallest[0], 0.0)
