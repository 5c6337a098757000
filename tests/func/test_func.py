"""`func`: derivatives of functions against their formulas, and what is refused."""

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import func, nn
from tinygrad_cnn.core import engine
from tinygrad_cnn.func.trees import build, flatten

X = np.array([0.3, -1.2, 2.0])


def x():
    return tg.tensor(X, dtype=tg.float64)


def test_derivatives_of_sine_nest():
    f, expected = tg.sin, [np.cos(X[0]), -np.sin(X[0]), -np.cos(X[0]), np.sin(X[0])]
    for value in expected:
        f = func.grad(f)
        result = f(x()[0])
        assert result.item() == pytest.approx(value, rel=1e-12)
        assert not result.requires_grad


def test_all_jacobians_of_a_linear_map_are_its_matrix():
    a = np.random.default_rng(0).normal(size=(4, 3))
    matrix = tg.tensor(a, dtype=tg.float64)
    for transform in (func.jacrev, func.jacfwd, func.vmap(func.grad(lambda row, v: (row * v).sum(), 1), (0, None))):
        found = transform(matrix, x()) if transform is not func.jacrev and transform is not func.jacfwd else None
        found = transform(lambda v: matrix @ v)(x()) if found is None else found
        np.testing.assert_allclose(found.numpy(), a, rtol=1e-12)


def test_jvp_and_vjp_are_adjoint():
    u, v = np.random.default_rng(1).normal(size=(2, 3))
    y, vjp_fn = func.vjp(lambda a: (a * a).cumsum(0), x())
    _, pushed = func.jvp(lambda a: (a * a).cumsum(0), (x(),), (tg.tensor(u, dtype=tg.float64),))
    (pulled,) = vjp_fn(tg.tensor(v, dtype=tg.float64))
    assert np.dot(pushed.numpy(), v) == pytest.approx(np.dot(pulled.numpy(), u), rel=1e-12)
    assert not y.requires_grad
    np.testing.assert_allclose(vjp_fn(y)[0].numpy(), vjp_fn(y)[0].numpy())


def test_a_hessian_is_that_of_the_formula():
    np.testing.assert_allclose(func.hessian(lambda a: (a**3).sum())(x()).numpy(), np.diag(6 * X), rtol=1e-12)


def test_no_second_graph_is_recorded_for_plain_points(monkeypatch):
    recorded = []
    right = engine.gradients

    def watched(*args, create_graph, **kwargs):
        recorded.append(create_graph)
        return right(*args, create_graph=create_graph, **kwargs)

    monkeypatch.setattr(engine, "gradients", watched)
    func.grad(lambda a: (a * a).sum())(x())
    func.vmap(func.grad(lambda a: a * a))(x())
    assert recorded
    assert not any(recorded)
    func.grad(lambda a: (a * a).sum())(x().requires_grad_())
    assert recorded[-1]


def test_trees_are_put_together_as_they_were():
    tree = {"a": [1, (2, 3)], "b": {"c": 4}, "e": ()}
    leaves, shape = flatten(tree)
    assert leaves == [1, 2, 3, 4]
    assert build(leaves, shape) == tree


def test_functional_call_leaves_the_module_as_it_was_even_after_an_error():
    model = nn.Linear(2, 1)
    kept = dict(model.named_parameters())
    with pytest.raises(ValueError, match="linear"):
        func.functional_call(model, {"weight": tg.zeros(1, 3), "bias": tg.zeros(1)}, tg.ones(2))
    assert all(kept[name] is p for name, p in model.named_parameters())


def test_a_shared_parameter_is_given_once():
    first, second = nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)
    second.weight = first.weight
    model = nn.Sequential(first, second)
    given = {"0.weight": 2 * tg.eye(2)}
    assert func.functional_call(model, given, tg.ones(2)).tolist() == [4.0, 4.0]
    with pytest.raises(ValueError, match="tie_weights=False"):
        func.functional_call(model, {**given, "1.weight": tg.eye(2)}, tg.ones(2))
    untied = func.functional_call(model, {**given, "1.weight": tg.eye(2)}, tg.ones(2), tie_weights=False)
    assert untied.tolist() == [2.0, 2.0]


def test_randomness_of_vmap_is_asked_for():
    def noisy(a):
        return a + tg.rand(1)

    with pytest.raises(RuntimeError, match="randomness='different'"):
        func.vmap(noisy)(tg.zeros(4))
    different = func.vmap(noisy, randomness="different")(tg.zeros(4))
    same = func.vmap(noisy, randomness="same")(tg.zeros(4))
    assert len(set(different.flatten().tolist())) == 4
    assert len(set(same.flatten().tolist())) == 1


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: func.grad(lambda a: a * 2)(x()), RuntimeError, r"without dims, got shape torch.Size\(\[3\]\)"),
        (lambda: func.grad(lambda a: a)(tg.tensor(1)), RuntimeError, r"torch.int64 has no gradient; convert it"),
        (lambda: func.grad(lambda a: a)(3.0), TypeError, "expected Tensors"),
        (lambda: func.grad(lambda a: a, "0")(x()), RuntimeError, "argnums must be an int"),
        (lambda: func.jvp(lambda a: a, (x(),), (x()[:2],)), ValueError, "expected torch.Size"),
        (lambda: func.jvp(lambda a: tg.ones(1), (x(),), (x(),), strict=True), RuntimeError, "does not depend"),
        (lambda: func.vmap(lambda a: a, in_dims=((0, 0),))(x()), ValueError, "nested deeper"),
        (lambda: func.vmap(lambda a: a, in_dims=0.5)(x()), ValueError, "in_dims is 0.5"),
        (lambda: func.vmap(lambda a: a)(tg.zeros(0)), ValueError, "size 0"),
        (lambda: func.vmap(lambda a: a, chunk_size=0), ValueError, "chunk_size is 0"),
        (lambda: func.linearize, AttributeError, "use func.jvp"),
        (lambda: func.stack_module_state([]), RuntimeError, "at least one model"),
    ],
)
def test_what_does_not_fit_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
