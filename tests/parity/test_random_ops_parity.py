"""Every way to draw numbers beside PyTorch's: each dtype, few and many, from the common generator and from a given one.

What must agree: the numbers, their dtype and shape, the generator's place afterwards; or the exception's class.
"""

import warnings

import numpy as np
import pytest
import torch

import tinygrad_cnn as tg

FLOATS = ("float64", "float32", "float16")
INTEGERS = ("int64", "int32", "int16", "int8", "uint8", "bool")
SHAPES = ((), (1,), (3,), (15,), (16,), (17,), (40,), (4, 5), (7, 300))
NEAR = {"float64": 1e-11, "float32": 3e-5, "float16": 2e-3}


def filled(name, *args):
    """A method that fills a tensor."""
    return lambda n, shape, dtype, **g: getattr(n.zeros(shape, dtype=dtype), name)(*args, **g)


def made(name, *args):
    """A function of a size."""
    return lambda n, shape, dtype, **g: getattr(n, name)(*args, shape, dtype=dtype, **g)


def like(name, *args):
    return lambda n, shape, dtype, **g: getattr(n, name)(n.zeros(shape, dtype=dtype), *args, **g)


def of(name, value, *args):
    """A function of a tensor of parameters."""
    return lambda n, shape, dtype, **g: getattr(n, name)(n.full(shape, value, dtype=dtype), *args, **g)


def layer(name, **options):
    """A function of nn.functional, whose generator is the common one."""
    return lambda n, shape, dtype, **g: getattr(n.nn.functional, name)(n.full(shape, -2.0, dtype=dtype), **options)


def of_probabilities(n, shape, dtype, **g):
    return n.zeros(shape, dtype=dtype).bernoulli_(n.full(shape, 0.3), **g)


def of_exact_probabilities(n, shape, dtype, **g):
    return n.zeros(shape, dtype=dtype).bernoulli_(n.full(shape, 0.3, dtype=n.float64), **g)


def with_rows(shape):
    return (*shape, 7)[-2:]


def choices(count, replacement):
    def make(n, shape, dtype, **g):
        rows = with_rows(shape)
        weights = np.random.default_rng(0).uniform(0.1, 1, rows) + np.arange(7)
        return n.tensor(weights, dtype=dtype).multinomial(count, replacement, **g)

    return make


def fill_weights(name, *args):
    def fill(n, shape, dtype, **g):
        return getattr(n.nn.init, name)(n.zeros((*shape, 4, 6)[-4:], dtype=dtype), *args, **g)

    return fill


REAL = {
    "rand": made("rand"), "randn": made("randn"), "rand_like": like("rand_like"), "randn_like": like("randn_like"),
    "uniform_": filled("uniform_"), "uniform_ between": filled("uniform_", -2, 3),
    "normal_": filled("normal_"), "normal_ elsewhere": filled("normal_", 2, 0.5),
    "normal_ of 0": filled("normal_", 2, 0),
    "exponential_": filled("exponential_"), "exponential_ of a rate": filled("exponential_", 2.5),
    "log_normal_": filled("log_normal_"), "log_normal_ elsewhere": filled("log_normal_", 0.5, 0.3),
    "cauchy_": filled("cauchy_"), "cauchy_ elsewhere": filled("cauchy_", 1, 0.5),
}  # fmt: skip
"""For floats alone; integers are refused."""
ANY = {
    "geometric_": filled("geometric_", 0.2), "bernoulli_": filled("bernoulli_"),
    "bernoulli_ of a number": filled("bernoulli_", 0.3), "bernoulli_ of a tensor": of_probabilities,
    "bernoulli_ of an exact tensor": of_exact_probabilities,
    "random_": filled("random_"), "random_ to 2": filled("random_", 2), "random_ to 7": filled("random_", 7),
    "random_ from -3": filled("random_", -3, 7), "random_ from -100": filled("random_", -100, 100),
    "random_ from 0 to all": filled("random_", 0, None), "random_ from 3 to all": filled("random_", 3, None),
    "random_ of 64 bits": filled("random_", -(2**63), None), "random_ of many": filled("random_", 0, 2**30),
    "random_ of more": filled("random_", -(2**40), 2**41), "random_ in vain": filled("random_", 3, 3),
    "randint": lambda n, shape, dtype, **g: n.randint(0, 2, shape, dtype=dtype, **g),
    "randint of many": lambda n, shape, dtype, **g: n.randint(-5, 2**30, shape, dtype=dtype, **g),
    "randint_like": like("randint_like", 2), "randint_like from": like("randint_like", 0, 2),
    "bernoulli": of("bernoulli", 1), "bernoulli of a number": of("bernoulli", 0, 0.4),
    "randperm": lambda n, shape, dtype, **g: n.randperm(int(np.prod(shape)) % 127, dtype=dtype, **g),
}  # fmt: skip
OF_PARAMETERS = {
    "bernoulli": of("bernoulli", 0.3), "method bernoulli": lambda n, s, d, **g: n.full(s, 0.3, dtype=d).bernoulli(**g),
    "method bernoulli of a number": lambda n, s, d, **g: n.full(s, 0.3, dtype=d).bernoulli(p=0.4, **g),
    "normal of tensors": lambda n, s, d, **g: n.normal(n.full(s, 0.3, dtype=d), n.full(s, 0.7, dtype=d), **g),
    "normal of means": of("normal", 0.3), "normal of means and a number": of("normal", 0.3, 0.7),
    "normal of a number and deviations": lambda n, s, d, **g: n.normal(0.7, n.full(s, 0.3, dtype=d), **g),
    "normal of numbers": lambda n, s, d, **g: n.normal(0.7, 0.2, s, dtype=d, **g),
    "normal of names": lambda n, s, d, **g: n.normal(mean=0.7, std=0.2, size=s, dtype=d, **g),
    "poisson of few": of("poisson", 0.9), "poisson of many": of("poisson", 30.0),
    **{f"multinomial {k} {r}": choices(k, r) for k in (1, 2, 5) for r in (True, False)},
    **{
        f"init {name}": fill_weights(name, *args)
        for name, *args in (
            ("uniform_", -1, 2), ("normal_", 1, 2), ("xavier_uniform_",), ("xavier_normal_",), ("kaiming_uniform_",),
            ("kaiming_normal_",), ("trunc_normal_",), ("trunc_normal_", 1, 2, 0.5, 3), ("orthogonal_", 2.0),
        )
    },
    "init sparse_": lambda n, s, d, **g: n.nn.init.sparse_(n.zeros((*s, 9, 4)[-2:], dtype=d), 0.3, **g),
}  # fmt: skip
IN_LAYERS = {
    **{
        name: layer(name, p=0.3, training=True)
        for name in ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout")
    },
    **{
        f"{name} of {ndim} dims": lambda n, s, d, name=name, ndim=ndim, **g: getattr(n.nn.functional, name)(
            n.ones((*s, *(3,) * ndim)[-ndim:], dtype=d), 0.3, True
        )
        for name in ("dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout")
        for ndim in (2, 3, 4, 5)
    },
    "rrelu": layer("rrelu", training=True),
    "gumbel_softmax": lambda n, s, d, **g: n.nn.functional.gumbel_softmax(n.ones((*s, 3), dtype=d)),
}
WITHOUT_FLOAT16 = {"rrelu"}
"""What PyTorch refuses in float16, and the package computes."""
TIES = {"multinomial 2 False", "multinomial 5 False"}
"""In float16 several quotients are the same, and which of them PyTorch's topk gives first is an accident."""


def turned(name, *args):
    """Into memory that lies in another order."""

    def fill(n, shape, dtype, **g):
        return getattr(n.zeros((6, 3, 5)[: len(shape) + 1], dtype=dtype).transpose(0, -1), name)(*args, **g)

    return fill


def stepped(name, *args):
    return lambda n, shape, dtype, **g: getattr(n.zeros((9, 8), dtype=dtype)[::2, 1::3], name)(*args, **g)


WRITES = {
    f"{name} {make.__name__}": make(name, *args)
    for make in (turned, stepped)
    for name, *args in (
        ("uniform_",), ("normal_", 1, 2), ("exponential_",), ("cauchy_",), ("log_normal_",), ("geometric_", 0.3),
        ("random_", 9), ("bernoulli_", 0.3),
    )
}  # fmt: skip


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", WRITES)
def test_numbers_drawn_into_other_layouts(name, dtype):
    compare(WRITES[name], dtype, shapes=((), (1,), (1, 1)))


def test_probabilities_of_another_layout():
    def draw(n, shape, dtype, **g):
        return n.zeros(5, 4).t().bernoulli_(n.linspace(0, 1, 20).reshape(4, 5), **g)

    compare(draw, "float32", shapes=((),))


@pytest.mark.parametrize("name", ["bernoulli", "poisson", "normal of means", "normal of tensors"])
def test_what_is_drawn_has_the_derivative_0(name):
    makes = {
        "bernoulli": lambda n, p: n.bernoulli(p), "poisson": lambda n, p: n.poisson(p),
        "normal of means": lambda n, p: n.normal(p, 1.0), "normal of tensors": lambda n, p: n.normal(p, p),
    }  # fmt: skip
    for n in (tg, torch):
        p = n.tensor([0.2, 0.7], requires_grad=True)
        drawn = makes[name](n, p)
        assert drawn.requires_grad
        drawn.sum().backward()
        assert p.grad.tolist() == [0, 0]


def outcome(n, draw, shape, dtype, generator):
    n.manual_seed(5)
    given = {"generator": n.Generator().manual_seed(3)} if generator else {}
    try:
        drawn = draw(n, shape, getattr(n, dtype), **given)
        return drawn.detach().numpy(), n.rand(3).numpy(), n.rand(3, **given).numpy()
    except Exception as error:
        return error


def compare(draw, dtype, generators=(False, True), shapes=SHAPES):
    for shape in shapes:
        for generator in generators:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ours, theirs = (outcome(n, draw, shape, dtype, generator) for n in (tg, torch))
            where = f"shape {shape}, {'a' if generator else 'no'} generator"
            if isinstance(theirs, Exception):
                assert isinstance(ours, type(theirs)), f"{where}: PyTorch raises {theirs!r}, here: {ours!r}"
                continue
            assert not isinstance(ours, Exception), f"{where}: {ours!r}"
            for k, (a, b) in enumerate(zip(ours, theirs, strict=True)):
                assert (a.dtype, a.shape) == (b.dtype, b.shape), where
                near = NEAR.get(str(a.dtype), 0) if k == 0 else 0
                np.testing.assert_allclose(a.astype(float), b.astype(float), rtol=near, atol=near, err_msg=where)


@pytest.mark.parametrize("dtype", FLOATS + INTEGERS)
@pytest.mark.parametrize("name", REAL | ANY)
def test_numbers_drawn_into_each_dtype(name, dtype):
    compare((REAL | ANY)[name], dtype)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", OF_PARAMETERS)
def test_numbers_drawn_with_parameters(name, dtype):
    if dtype == "float16" and name in TIES:
        drawn = OF_PARAMETERS[name](tg, (4,), tg.float16)
        assert all(len(set(row)) == len(row) for row in drawn.tolist())
    else:
        compare(OF_PARAMETERS[name], dtype)


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS])
@pytest.mark.parametrize("name", IN_LAYERS)
def test_numbers_drawn_in_layers(name, dtype):
    if dtype == "float16" and name in WITHOUT_FLOAT16:
        assert IN_LAYERS[name](tg, (3,), tg.float16).dtype == tg.float16
    else:
        compare(IN_LAYERS[name], dtype, generators=(False,))


@pytest.mark.parametrize("dtype", FLOATS[:2])
@pytest.mark.parametrize(
    ("count", "chance"), [(20, 0.3), (20, 0.9), (500, 0.3), (500, 0.8), (0, 0.5), (9, 0.0), (9, 1.0)]
)
def test_binomial(count, chance, dtype):
    def draw(n, shape, dtype, **g):
        return n.binomial(n.full(shape, count, dtype=dtype), n.full(shape, chance, dtype=dtype), **g)

    compare(draw, dtype)


WRONG = [
    lambda n: n.zeros(3).uniform_(3, 1), lambda n: n.zeros(3).normal_(0, -1), lambda n: n.zeros(3).cauchy_(0, 0),
    lambda n: n.zeros(3).log_normal_(0, 0), lambda n: n.zeros(3).geometric_(0), lambda n: n.zeros(3).geometric_(1),
    lambda n: n.zeros(3).exponential_(0), lambda n: n.zeros(3).bernoulli_(2), lambda n: n.zeros(3).random_(0),
    lambda n: n.bernoulli(n.ones(3) * 2), lambda n: n.poisson(-n.ones(3)), lambda n: n.poisson(n.ones(3).long()),
    lambda n: n.randint(0, 300, (3,), dtype=n.uint8), lambda n: n.randint(3, 3, (2,)), lambda n: n.randperm(-1),
    lambda n: n.randperm(300, dtype=n.uint8), lambda n: n.normal(n.zeros(2), -n.ones(2)),
    lambda n: n.binomial(n.ones(2), n.ones(2).double()), lambda n: n.zeros(3).bernoulli_(n.ones(3).long()),
    lambda n: n.normal(n.zeros(2).long(), 1.0),
]  # fmt: skip


@pytest.mark.parametrize("call", WRONG)
def test_wrong_parameters_raise_what_pytorch_raises(call):
    with pytest.raises(Exception) as theirs:
        call(torch)
    with pytest.raises(theirs.type):
        call(tg)
