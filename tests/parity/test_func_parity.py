"""`autograd.functional` and `func`: the same calls in PyTorch and here."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tests.parity.both import check_same, leaf, outcome_kind

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # PyTorch's forward mode says so


def points(t, **options):
    return (
        t.tensor([[0.3, -1.2, 2.0]], dtype=t.float64, **options),
        t.tensor([0.7, 0.2, -0.4], dtype=t.float64, **options),
    )


def curved(a, b):
    return (a.exp() * b + b * b, (a * b).sum())


def number(a, b):
    return (a.sin() * b * b).sum()


AF = {
    "jacobian of two by two": lambda t, f, x: f.jacobian(curved, x),
    "jacobian of one": lambda t, f, x: f.jacobian(lambda a: a**3, x[1]),
    "jacobian of a tuple of one": lambda t, f, x: f.jacobian(lambda a: (a**3,), x[1]),
    "jacobian by a tuple of one": lambda t, f, x: f.jacobian(lambda a: a**3, (x[1],)),
    "jacobian of a number": lambda t, f, x: f.jacobian(number, x),
    "jacobian, vectorized": lambda t, f, x: f.jacobian(curved, x, vectorize=True),
    "jacobian, constant": lambda t, f, x: f.jacobian(lambda a: t.ones(2, dtype=t.float64), x[1]),
    "jacobian, constant, strict": lambda t, f, x: f.jacobian(lambda a: t.ones(2), x[1], strict=True),
    "jacobian, partly constant, strict": lambda t, f, x: f.jacobian(lambda a, b: a * 2, x, strict=True),
    "jacobian, create_graph": lambda t, f, x: f.jacobian(lambda a: a**3, x[1], create_graph=True),
    "jacobian, forward": lambda t, f, x: f.jacobian(curved, x, strategy="forward-mode"),
    "jacobian, forward, graph": lambda t, f, x: f.jacobian(
        curved, x, vectorize=True, strategy="forward-mode", create_graph=True
    ),
    "jacobian, strict and vectorized": lambda t, f, x: f.jacobian(curved, x, vectorize=True, strict=True),
    "jacobian, other strategy": lambda t, f, x: f.jacobian(curved, x, strategy="sideways"),
    "jacobian at a number": lambda t, f, x: f.jacobian(number, 3.0),
    "jacobian at a list": lambda t, f, x: f.jacobian(number, list(x)),
    "jacobian of a float": lambda t, f, x: f.jacobian(lambda a: 3.0, x[1]),
    "jacobian of a list": lambda t, f, x: f.jacobian(lambda a: [a, a], x[1]),
    "jacobian of integers": lambda t, f, x: f.jacobian(lambda a: a * 2, t.tensor([1])),
    "hessian": lambda t, f, x: f.hessian(number, x),
    "hessian of one": lambda t, f, x: f.hessian(lambda a: (a**3).sum(), x[1]),
    "hessian of a linear function": lambda t, f, x: f.hessian(lambda a: a.sum(), x[1]),
    "hessian, strict, linear": lambda t, f, x: f.hessian(lambda a: a.sum(), x[1], strict=True),
    "hessian of one element": lambda t, f, x: f.hessian(lambda a: (a**3).sum().reshape(1, 1), x[1]),
    "hessian of several": lambda t, f, x: f.hessian(lambda a: a**3, x[1]),
    "hessian of a tuple": lambda t, f, x: f.hessian(lambda a: (a.sum(), a.sum()), x[1]),
    "vjp": lambda t, f, x: f.vjp(curved, x, (t.ones(1, 3, dtype=t.float64) * 2, t.tensor(3.0, dtype=t.float64))),
    "vjp without v": lambda t, f, x: f.vjp(number, x),
    "vjp without v of several": lambda t, f, x: f.vjp(lambda a: a**2, x[1]),
    "vjp of another shape": lambda t, f, x: f.vjp(lambda a: a**2, x[1], t.ones(2)),
    "vjp of another number": lambda t, f, x: f.vjp(curved, x, x[0]),
    "jvp": lambda t, f, x: f.jvp(curved, x, x),
    "jvp of a linear function": lambda t, f, x: f.jvp(lambda a: a * 2, x[1], x[1]),
    "jvp of a constant": lambda t, f, x: f.jvp(lambda a: t.ones(2, dtype=t.float64), x[1], x[1]),
    "jvp of a constant, strict": lambda t, f, x: f.jvp(lambda a: t.ones(2), x[1], x[1], strict=True),
    "jvp without v": lambda t, f, x: f.jvp(lambda a: a**2, x[1]),
    "jvp without v of one": lambda t, f, x: f.jvp(lambda a: a**2, x[1][:1]),
    "vhp": lambda t, f, x: f.vhp(number, x, x),
    "hvp": lambda t, f, x: f.hvp(number, x, x),
    "hvp of a linear function": lambda t, f, x: f.hvp(lambda a: a.sum(), x[1], x[1]),
    "hvp of a linear function, strict": lambda t, f, x: f.hvp(lambda a: a.sum(), x[1], x[1], strict=True),
    "vhp of several": lambda t, f, x: f.vhp(lambda a: a**2, x[1], x[1]),
    "vhp, create_graph": lambda t, f, x: f.vhp(number, points(t, requires_grad=True), x, create_graph=True),
    "jvp, create_graph": lambda t, f, x: f.jvp(curved, points(t, requires_grad=True), x, create_graph=True),
}


@pytest.mark.parametrize("name", AF)
def test_functional_is_as_in_pytorch(name):
    check_same(lambda t: AF[name](t, t.autograd.functional, points(t)))


def test_a_forward_mode_jacobian_has_the_same_numbers():
    ours = tg.autograd.functional.jacobian(curved, points(tg), vectorize=True, strategy="forward-mode")
    theirs = torch.autograd.functional.jacobian(curved, points(torch))
    for a, b in zip(ours, theirs, strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_allclose(x.numpy(), y.numpy(), rtol=1e-12)


def test_functional_derivatives_go_on_in_the_graph_of_the_caller():
    def program(t):
        x = leaf(t, [0.3, 1.2])
        jacobian = t.autograd.functional.jacobian(lambda a: a**3, x, create_graph=True)
        (second,) = t.autograd.grad(jacobian.sum(), x)
        _, product = t.autograd.functional.hvp(lambda a: (a**4).sum(), x, x.detach(), create_graph=True)
        (third,) = t.autograd.grad(product.sum(), x)
        return jacobian, second, product, third

    check_same(program)


# ---- func --------------------------------------------------------------------------------------------------------


def nested(p, x):
    return (p["w"] * x).sin().sum() + p["b"][0] * p["b"][1].sum()


def parameters(t):
    one = t.tensor(2.0, dtype=t.float64)
    return {"w": points(t)[1], "b": [one, points(t)[0]]}


FUNC = {
    "grad": lambda t, f, x: f.grad(number)(*x),
    "grad by both": lambda t, f, x: f.grad(number, argnums=(0, 1))(*x),
    "grad by the last": lambda t, f, x: f.grad(number, argnums=-1)(*x),
    "grad of a keyword": lambda t, f, x: f.grad(lambda a, k: (a * k).sum())(x[1], k=x[1]),
    "third derivative": lambda t, f, x: f.grad(f.grad(f.grad(t.sin)))(x[1][0]),
    "grad with aux": lambda t, f, x: aux_leaves(
        f.grad(lambda a: ((a**2).sum(), (a, {"k": a + 1})), has_aux=True)(x[1])
    ),
    "grad and value": lambda t, f, x: f.grad_and_value(number)(*x),
    "grad and value, aux": lambda t, f, x: f.grad_and_value(lambda a: ((a**2).sum(), a), has_aux=True)(x[1]),
    "grad by a tree": lambda t, f, x: tuple(tree_leaves(f.grad(nested)(parameters(t), x[1]))),
    "grad of several": lambda t, f, x: f.grad(lambda a: a * 2)(x[1]),
    "grad of one element": lambda t, f, x: f.grad(lambda a: a.sum().reshape(1))(x[1]),
    "grad of a float": lambda t, f, x: f.grad(lambda a: 3.0)(x[1]),
    "grad of a constant": lambda t, f, x: f.grad(lambda a: t.tensor(1.0, dtype=t.float64))(x[1]),
    "grad out of range": lambda t, f, x: f.grad(number, argnums=2)(*x),
    "grad without aux": lambda t, f, x: f.grad(lambda a: a.sum(), has_aux=True)(x[1]),
    "vjp": lambda t, f, x: vjp_of(f, curved, x, lambda y: (y[0] * 2, y[1])),
    "vjp of one": lambda t, f, x: vjp_of(f, lambda a: a**2, x[1:], lambda y: y),
    "vjp with aux": lambda t, f, x: f.vjp(lambda a: (a**2, a + 1), x[1], has_aux=True)[2],
    "vjp of another shape": lambda t, f, x: vjp_of(f, lambda a: a**2, x[1:], lambda y: y[:2]),
    "vjp of another structure": lambda t, f, x: vjp_of(f, curved, x, lambda y: y[0]),
    "jvp": lambda t, f, x: f.jvp(curved, x, x),
    "jvp with aux": lambda t, f, x: f.jvp(lambda a: (a**2, a + 1), x[1:], x[1:], has_aux=True),
    "jvp, lists": lambda t, f, x: f.jvp(lambda a: a**2, [x[1]], [x[1]]),
    "jvp, one tangent": lambda t, f, x: f.jvp(curved, x, x[:1]),
    "jvp of another shape": lambda t, f, x: f.jvp(lambda a: a**2, x[1:], x[:1]),
    "jacrev": lambda t, f, x: f.jacrev(curved)(*x),
    "jacrev by both": lambda t, f, x: f.jacrev(curved, argnums=(0, 1))(*x),
    "jacrev with aux": lambda t, f, x: f.jacrev(lambda a: (a**2, a + 1), has_aux=True)(x[1]),
    "jacfwd": lambda t, f, x: f.jacfwd(curved)(*x),
    "jacfwd by both": lambda t, f, x: f.jacfwd(curved, argnums=(0, 1))(*x),
    "jacfwd with aux": lambda t, f, x: f.jacfwd(lambda a: (a**2, a + 1), has_aux=True)(x[1]),
    "jacrev of jacrev": lambda t, f, x: f.jacrev(f.jacrev(lambda a: a**3))(x[1]),
    "jacfwd of jacfwd": lambda t, f, x: f.jacfwd(f.jacfwd(lambda a: a**3))(x[1]),
    "jacrev of jacfwd": lambda t, f, x: f.jacrev(f.jacfwd(lambda a: a**3))(x[1]),
    "hessian": lambda t, f, x: f.hessian(number)(*x),
    "hessian by both": lambda t, f, x: f.hessian(number, argnums=(0, 1))(*x),
    "vmap": lambda t, f, x: f.vmap(lambda a, b: (a * b).sum(), in_dims=(1, 0))(x[0], x[1]),
    "vmap, out_dims": lambda t, f, x: f.vmap(lambda a: (a * x[1], a), out_dims=(1, 0))(x[1]),
    "vmap, dict": lambda t, f, x: f.vmap(lambda d: d["a"] * d["b"], in_dims=({"a": 0, "b": None},))(
        {"a": x[1], "b": x[0]}
    ),
    "vmap of vmap": lambda t, f, x: f.vmap(f.vmap(lambda a, b: a * b, in_dims=(None, 0)), in_dims=(0, None))(
        x[1], x[1]
    ),
    "vmap of grad": lambda t, f, x: f.vmap(f.grad(lambda a, b: (a * b).sin().sum()), in_dims=(None, 0))(x[1], x[1]),
    "vmap of jacrev": lambda t, f, x: f.vmap(f.jacrev(lambda a: a**2))(x[0]),
    "vmap, negative dim": lambda t, f, x: f.vmap(lambda a: a.sum(), in_dims=-1)(x[0]),
    "vmap, all None": lambda t, f, x: f.vmap(lambda a: a, in_dims=None)(x[0]),
    "vmap, no dims": lambda t, f, x: f.vmap(lambda a: a)(x[1][0]),
    "vmap, sizes": lambda t, f, x: f.vmap(lambda a, b: a)(x[0], x[1]),
    "vmap, out of range": lambda t, f, x: f.vmap(lambda a: a, in_dims=2)(x[0]),
    "vmap, dims of another number": lambda t, f, x: f.vmap(lambda a: a, in_dims=(0, 0))(x[0]),
    "vmap of a float": lambda t, f, x: f.vmap(lambda a: 3.0)(x[1]),
    "vmap over a float": lambda t, f, x: f.vmap(lambda a, b: a * b)(x[1], 3.0),
    "vmap, random": lambda t, f, x: f.vmap(lambda a: a + t.randn(2))(x[1]),
    "vmap, randomness": lambda t, f, x: f.vmap(lambda a: a, randomness="none")(x[1]),
}


def tree_leaves(tree):
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, (list, tuple)) else None
    return [tree] if parts is None else [leaf for part in parts for leaf in tree_leaves(part)]


def aux_leaves(result):
    return tuple(tree_leaves(result))


def vjp_of(f, function, x, cotangent):
    output, vjp_fn = f.vjp(function, *x)
    return output, vjp_fn(cotangent(output))


@pytest.mark.parametrize("name", FUNC)
def test_func_is_as_in_pytorch(name):
    check_same(lambda t: FUNC[name](t, t.func, points(t)))


def test_func_goes_on_in_the_graph_of_the_caller():
    def program(t):
        x, w = leaf(t, [0.3, 1.2]), leaf(t, [2.0, 5.0])
        slope = t.func.grad(lambda a: (a**3 * w).sum())(x)
        (gx, gw) = t.autograd.grad(slope.sum(), [x, w])
        inner = t.func.grad(lambda a: (a**3 * w).sum())(x.detach())
        (gw2,) = t.autograd.grad(inner.sum(), [w])
        with t.no_grad():
            unrecorded = t.func.grad(lambda a: (a**3 * w).sum())(x)
        rows = t.func.jacrev(lambda a: a**3 * w)(x)
        (gr,) = t.autograd.grad(rows.sum(), [w])
        return slope, gx, gw, inner, gw2, unrecorded, rows, gr, x.grad, w.grad

    check_same(program)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 4), st.integers(1, 3), st.booleans(), st.integers(0, 2**31))
def test_per_sample_gradients_of_a_network_agree(n, features, bias, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, features)), rng.normal(size=(n, 2))
    weights = [rng.normal(size=(4, features)), rng.normal(size=4), rng.normal(size=(2, 4)), rng.normal(size=2)]

    def program(t):
        model = t.nn.Sequential(t.nn.Linear(features, 4, bias=bias), t.nn.Tanh(), t.nn.Linear(4, 2)).double()
        names = [name for name, _ in model.named_parameters()]
        values = [t.tensor(w, dtype=t.float64) for w in (weights if bias else weights[:1] + weights[2:])]

        def loss(params, buffers, sample, target):
            out = t.func.functional_call(model, (params, buffers), (sample.unsqueeze(0),))
            return ((out - target.unsqueeze(0)) ** 2).mean()

        per_sample = t.func.vmap(t.func.grad(loss), in_dims=(None, None, 0, 0))
        found = per_sample(dict(zip(names, values, strict=True)), {}, t.tensor(x), t.tensor(y))
        return tuple(found[name] for name in names)

    check_same(program)


def test_functional_call_is_as_in_pytorch():
    def program(t):
        model = t.nn.Sequential(t.nn.Linear(2, 2), t.nn.BatchNorm1d(2)).double()
        before = [p.detach().numpy().copy() for p in model.parameters()]
        ones = {name: t.ones(*p.shape, dtype=t.float64, requires_grad=True) for name, p in model.named_parameters()}
        stats = {
            "1.running_mean": t.zeros(2, dtype=t.float64),
            "1.running_var": t.ones(2, dtype=t.float64),
            "1.num_batches_tracked": t.tensor(0),
        }
        x = t.tensor([[1.0, 2.0], [3.0, -1.0]], dtype=t.float64)
        y = t.func.functional_call(model, (ones, stats), x)
        (y**2).sum().backward()
        same = all(np.array_equal(a, p.detach().numpy()) for a, p in zip(before, model.parameters(), strict=True))
        call = t.func.functional_call
        errors = (
            outcome_kind(lambda: call(model, {"0.weights": x}, x)),
            outcome_kind(lambda: call(model, {"0.weight": x}, x, strict=True)),
            outcome_kind(lambda: call(model, (ones, ones), x)),
        )
        return y + 1, ones["1.weight"].grad, stats["1.running_mean"], same, [p.grad for p in model.parameters()], errors

    check_same(program)


def test_an_ensemble_of_stacked_models_agrees():
    def program(t):
        models = [t.nn.Linear(3, 2).double() for _ in range(4)]
        for k, model in enumerate(models):
            with t.no_grad():
                model.weight.fill_(k + 1.0)
                model.bias.fill_(k / 2)
        params, buffers = t.func.stack_module_state(models)
        x = t.tensor([[1.0, 2.0, 3.0]], dtype=t.float64)

        def call(p, b, v):
            return t.func.functional_call(models[0], (p, b), (v,))

        return t.func.vmap(call, in_dims=(0, 0, None))(params, buffers, x), params["bias"], len(buffers)

    check_same(program)
