"""Functions of JAX: pytrees, modules that are pytrees, second order, JVPs, complex numbers."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from tinygrad_cnn.gradcheck import GradientError, gradcheck, gradgradcheck, jax_function

RANDOM = np.random.default_rng(4)
X = RANDOM.normal(size=(4, 3))


@pytest.fixture(autouse=True)
def _double():
    with jax.enable_x64(True):
        yield


def failing(report):
    return {e.name for e in report.entries if e.verdict.value == "fail"}


@jax.tree_util.register_pytree_with_keys_class
class Dense:
    """A module as Equinox has them: its arrays are leaves, its activation belongs to the structure."""

    def __init__(self, weight, bias, activation=jnp.tanh):
        self.weight, self.bias, self.activation = weight, bias, activation

    def tree_flatten_with_keys(self):
        key = jax.tree_util.GetAttrKey
        return ((key("weight"), self.weight), (key("bias"), self.bias)), self.activation

    @classmethod
    def tree_unflatten(cls, activation, parts):
        return cls(*parts, activation)

    def __call__(self, x, *, scale=1.0):
        return scale * self.activation(x @ self.weight + self.bias)


class Held(Dense):
    """The same, and its bias does not learn."""

    def __call__(self, x, *, scale=1.0):
        return scale * self.activation(x @ self.weight + jax.lax.stop_gradient(self.bias))


jax.tree_util.register_pytree_with_keys_class(Held)


def dense(kind=Dense):
    return kind(jnp.asarray(RANDOM.normal(size=(3, 2))), jnp.asarray(RANDOM.normal(size=2)))


def test_a_module_that_is_a_pytree_is_checked_by_the_names_of_its_leaves():
    report = gradcheck(jax_function(dense()), jnp.asarray(X), kwargs={"scale": 2.0})
    assert {e.name for e in report.entries} == {"weight", "bias", "input 0"}
    assert failing(gradcheck(dense(Held), jnp.asarray(X), raise_exception=False)) == {"bias"}
    assert {e.name for e in gradcheck(lambda m, x: m(x), [dense(), jnp.asarray(X)]).entries} == {
        "input 0.weight",
        "input 0.bias",
        "input 1",
    }


class State(NamedTuple):
    mean: object
    steps: object


def test_pytrees_in_and_out():
    def apply(parameters, state, x):
        y = jnp.tanh(x @ parameters["dense"]["kernel"]) * state.mean
        return {"y": y, "none": None}, State(y.mean(0), state.steps + 1)

    given = [{"dense": {"kernel": RANDOM.normal(size=(3, 2))}}, State(RANDOM.normal(size=2), jnp.asarray(3)), X]
    report = gradcheck(jax_function(apply), given, check_batched_grad=True, check_forward_ad=True)
    assert {e.name for e in report.entries} == {"input 0['dense']['kernel']", "input 1.mean", "input 2"}
    assert gradgradcheck(jax_function(apply), given)


@jax.custom_vjp
def cubed(x):
    return x**3


cubed.defvjp(lambda x: (x**3, x), lambda x, g: (3 * g * x * jax.lax.stop_gradient(x),))


def test_second_order_finds_what_jax_finds():
    assert gradcheck(jax_function(cubed), X)
    assert not gradgradcheck(jax_function(cubed), X, raise_exception=False)
    with pytest.raises(AssertionError):
        check_grads(cubed, (X,), order=2, modes=["rev"])
    assert gradgradcheck(jax_function(lambda a, b: jnp.sin(a) @ b), [X, X.T.copy()])
    assert gradgradcheck(jax_function(jnp.sin), X, np.ones((4, 3)))


@jax.custom_jvp
def wrong_jvp(x):
    return jnp.sin(x)


@wrong_jvp.defjvp
def _(primals, tangents):
    return jnp.sin(primals[0]), 2 * tangents[0] * jnp.cos(primals[0])


def test_jvps_of_jax():
    assert gradcheck(jax_function(jnp.sin), X, check_forward_ad=True, check_backward_ad=False)
    report = gradcheck(
        jax_function(wrong_jvp), X, check_forward_ad=True, check_backward_ad=False, raise_exception=False
    )
    assert len({e.place for e in report.entries if e.verdict.value == "fail"}) > 1
    assert report.notes[-1] == "what is judged is Ju by jax.jvp; no gradient was asked for"
    with pytest.raises(GradientError, match=r"jax\.jvp raises TypeError"):
        gradcheck(jax_function(cubed), X, check_forward_ad=True)


@jax.custom_vjp
def squared(z):
    return z * z


squared.defvjp(lambda z: (z * z, z), lambda z, g: (2 * g * jnp.conj(z),))


def test_complex_numbers_have_the_convention_of_jax():
    z = X + 1j * X[::-1]
    assert gradcheck(jax_function(lambda z: z * z), z, check_forward_ad=True, check_batched_grad=True)
    assert gradcheck(jax_function(lambda z: (jnp.abs(z), jnp.conj(z))), z)
    assert gradgradcheck(jax_function(jnp.exp), z)
    assert failing(gradcheck(jax_function(squared), z, raise_exception=False)) == {"input 0 (re, im)"}  # PyTorch's


def test_arrays_say_themselves_that_a_function_is_jaxs():
    assert gradcheck(jnp.tanh, jnp.asarray(X))
    assert gradcheck(lambda x: {"y": 2 * x}, jnp.asarray(X), grad_outputs={"y": X})
