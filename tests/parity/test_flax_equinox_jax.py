"""Modules of Equinox and Flax, which are pytrees: their parameters by name, in training and evaluation mode."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tinygrad_cnn.gradcheck import gradcheck, gradgradcheck

RANDOM = np.random.default_rng(12)
X = RANDOM.normal(size=(3, 2))
BOTH = ("training", "evaluation")


@pytest.fixture(autouse=True)
def _double():
    with jax.enable_x64(True):
        yield


def failing(report):
    return {e.name for e in report.entries if e.verdict.value == "fail"}


def checked(report):
    return {e.name for e in report.entries}


@jax.custom_vjp
def wrong_tanh(x):
    return jnp.tanh(x)


wrong_tanh.defvjp(lambda x: (jnp.tanh(x),) * 2, lambda y, g: (g * (1 - y),))


def test_modules_of_equinox():
    equinox = pytest.importorskip("equinox", reason="Equinox is not installed")
    keys = jax.random.split(jax.random.key(0), 3)
    x = jnp.asarray(X[0])
    mlp = equinox.nn.MLP(2, 1, 3, 1, activation=jnp.tanh, key=keys[0])
    layers = {f"layers[{k}].{name}" for k in (0, 1) for name in ("weight", "bias")}
    assert checked(gradcheck(mlp, x)) == {*layers, "input 0"}
    assert gradgradcheck(mlp, x, fast_mode=True)
    wrong = equinox.nn.MLP(2, 1, 3, 1, activation=wrong_tanh, key=keys[0])
    found = failing(gradcheck(wrong, x, raise_exception=False))
    assert found == {"layers[0].weight", "layers[0].bias", "input 0"}

    dropping = equinox.nn.Sequential([equinox.nn.Linear(2, 4, key=keys[1]), equinox.nn.Dropout(0.5)])
    report = gradcheck(dropping, x, kwargs={"key": keys[2]}, modes=BOTH)
    weights = {mode: [e for e in report.entries if e.name == f"{mode}: layers[0].weight"] for mode in BOTH}
    assert {e.numeric == 0 for e in weights["training"]} == {True, False}  # some were dropped
    assert {e.numeric == 0 for e in weights["evaluation"]} == {False}
    assert report.notes[:2] == ("Sequential in training mode", "Sequential in evaluation mode")

    norm, state = equinox.nn.make_with_state(equinox.nn.BatchNorm)(2, "batch", mode="batch")

    def batch(norm, x):
        return jax.vmap(norm, axis_name="batch", in_axes=(0, None), out_axes=(0, None))(x, state)

    assert checked(gradcheck(batch, [norm, jnp.asarray(X)])) == {"input 0.weight", "input 0.bias", "input 1"}


def test_modules_of_flax_nnx():
    nnx = pytest.importorskip("flax.nnx", reason="Flax is not installed")

    class Net(nnx.Module):
        def __init__(self, activation=jnp.tanh):
            random = nnx.Rngs(0)
            self.linear = nnx.Linear(2, 2, rngs=random, param_dtype=jnp.float64)
            self.norm = nnx.BatchNorm(2, rngs=random, param_dtype=jnp.float64, dtype=jnp.float64)
            self.norm.mean.set_value(jnp.zeros(2))
            self.norm.var.set_value(jnp.ones(2))  # in float64, too
            self.dropout = nnx.Dropout(0.25, rngs=random)
            self.activation = activation

        def __call__(self, x):
            return self.activation(self.dropout(self.norm(self.linear(x))))

    net, x = Net(), jnp.asarray(X)
    report = gradcheck(net, x, modes=BOTH, fast_mode=True)
    learnt = {"linear.kernel", "linear.bias", "norm.scale", "norm.bias"}
    names = {e.name.removesuffix(".value") for e in report.entries}
    assert names >= {f"{mode}: {name}" for mode in BOTH for name in (*learnt, "input 0")}
    assert not np.any(net.norm.mean.get_value())  # it is as it was
    assert net.dropout.deterministic is False
    wrong = failing(gradcheck(Net(wrong_tanh), x, raise_exception=False, modes=["evaluation"], explain=False))
    assert {name.removesuffix(".value") for name in wrong} >= {"linear.kernel", "norm.scale", "input 0"}


def test_modules_of_flax_linen():
    linen = pytest.importorskip("flax.linen", reason="Flax is not installed")

    class Net(linen.Module):
        @linen.compact
        def __call__(self, x, train=True):
            x = linen.Dense(4, param_dtype=jnp.float64)(x)
            norm = linen.BatchNorm(use_running_average=not train, param_dtype=jnp.float64, dtype=jnp.float64)
            return jnp.tanh(norm(x))

    net, x = Net(), jnp.asarray(X)
    variables = net.init(jax.random.key(0), x)
    report = gradcheck(lambda v, x: net.apply(v, x, mutable=["batch_stats"]), [variables, x])
    assert "input 0['params']['Dense_0']['kernel']" in checked(report)
    assert gradcheck(lambda v, x: net.apply(v, x, train=False), [variables, x])


def test_a_pytree_without_modes_says_so():
    tree = jax.tree_util.Partial(lambda w, x: jnp.tanh(w * x), jnp.ones(2))
    assert gradcheck(tree, jnp.asarray(X))
    with pytest.raises(TypeError, match="has neither train\\(\\) and eval\\(\\) nor Equinox's inference mode"):
        gradcheck(tree, jnp.asarray(X), modes=BOTH)


def test_counts_among_the_outputs_have_no_derivative():
    assert gradcheck(lambda x: {"y": jnp.sin(x), "steps": 3, "loss": 0.5}, jnp.asarray(X))
    with pytest.raises(TypeError, match="the function returned int; expected a JAX array"):
        gradcheck(lambda x: 3, jnp.asarray(X))
