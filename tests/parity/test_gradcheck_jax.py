"""The checker on functions of JAX: right ones pass at either precision, wrong ones are found."""

import jax
import numpy as np
import pytest

from tinygrad_cnn.gradcheck import Verdict, gradcheck, jax_function

X = np.array([[0.5, -1.0, 2.0], [0.1, 0.7, -0.3]])


@pytest.mark.parametrize("x64", [True, False])
@pytest.mark.parametrize("f", [jax.nn.softplus, lambda x: (x @ x.T, jax.numpy.argmax(x)), lambda x: jax.numpy.sin(x)])
def test_functions_of_jax_pass_at_either_precision(f, x64):
    with jax.enable_x64(x64):
        report = gradcheck(jax_function(f), [X], check_batched_grad=True)
    assert report.dtypes == {0: "float64" if x64 else "float32"}
    assert "a batch of cotangents, at once (jax.vmap of jax.vjp), gives the same" in report.notes


def test_a_wrong_rule_of_jax_is_found():
    @jax.custom_vjp
    def f(x):
        return jax.numpy.tanh(x)

    f.defvjp(lambda x: (f(x), x), lambda x, g: (g * (1 - x**2),))
    report = gradcheck(jax_function(f), [X], raise_exception=False)
    assert report.verdict is Verdict.FAIL
    with pytest.raises(TypeError, match="the function returned float; expected a JAX array or a tuple of them"):
        gradcheck(jax_function(lambda x: 1.0), [X])


def test_bfloat16_is_answered_in_a_sentence():
    with pytest.raises(TypeError, match=r"gradcheck: input 0 is bfloat16, .* check the same function in float32"):
        gradcheck(jax_function(jax.numpy.sin), [jax.numpy.ones(3, jax.numpy.bfloat16)])
