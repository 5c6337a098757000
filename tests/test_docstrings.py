"""Every public function, class and method of `Tensor` has a docstring with an example; `test_docs.py` runs them."""

import importlib
import inspect

import pytest

import tinygrad_cnn as tg
from scripts.public_names import PATHS, WITHOUT_LIST

DOWNLOADED = "its files are downloaded"
INSIDE = "a part of its module, which users do not call"
WITHOUT_EXAMPLE = {
    "tinygrad_cnn": {"of_tensors": INSIDE},
    "tinygrad_cnn.datasets": dict.fromkeys(
        ("CIFAR10", "CIFAR100", "FashionMNIST", "KMNIST", "MNIST", "load_full"), DOWNLOADED
    ),
    "tinygrad_cnn.gradcheck": {"torch_function": "needs PyTorch", "jax_function": "needs JAX"},
    "tinygrad_cnn.special": {"ArrayLike": "a type"},
    "tinygrad_cnn.autograd.function": dict.fromkeys(
        (
            *("FunctionMeta", "FunctionNode", "Output", "OwnNode", "Parts", "Refusal", "Saved"),
            *("among", "check_dirty", "fresh", "record", "spreads"),
        ),
        INSIDE,
    ),
    "tinygrad_cnn.autograd.functional": dict.fromkeys(
        (
            *("Tracked", "check_dependent", "check_scalar", "check_strategy", "cotangent", "directions"),
            *("gradient_of", "matrices", "outputs_of", "pulled", "pushed", "separate", "settled", "tensors_of"),
            "zeros_or_error",
        ),
        INSIDE,
    ),
    "tinygrad_cnn.random": dict.fromkeys(
        ("DefaultGenerator", "box_muller", "draw_in_this_thread_from", "integer_bounds", "rounding_to"), INSIDE
    ),
    "tinygrad_cnn.testing": dict.fromkeys(("allowed", "difference", "elements", "first", "is_sequence"), INSIDE),
    "tinygrad_cnn.transforms.functional": dict.fromkeys(
        ("array_of", "channels_first", "kind_of", "modes_of", "pair", "per_channel"), INSIDE
    ),
}
"""By path, the names without an example, and why. A name that gets one leaves the list; none may come in."""
WITHOUT_EXAMPLE_AT_MOST = 53
INSIDE_A_TENSOR = {
    *("accumulate", "alias", "arithmetic", "assign", "become", "current", "move_to", "records_write", "retain"),
    *("seen_view", "sharing", "turn", "wrap", "write"),
}
"""How the micro-framework of `core` is built: methods of `Tensor` that PyTorch does not have."""
FIELDS_OF_A_TENSOR = {"array_dtype", "array_shape", "base", "edge"}
"""Its attributes without an example, for the same reason."""


def named_in(path):
    """The callables that a public path lists, or defines where it has no list."""
    module = importlib.import_module(path)
    if (listed := getattr(module, "__all__", None)) is not None and path in PATHS:
        return {name: value for name in listed if callable(value := getattr(module, name))}
    values = vars(module).items()
    return {k: v for k, v in values if k[0] != "_" and callable(v) and getattr(v, "__module__", "") == module.__name__}


def has_example(value):
    return ">>> " in (inspect.getdoc(value) or "")


@pytest.mark.parametrize("path", [*PATHS, *(f"tinygrad_cnn.{path}" for path in WITHOUT_LIST)])
def test_every_public_callable_has_an_example(path):
    without = {name for name, value in named_in(path).items() if not has_example(value)}
    assert without == set(WITHOUT_EXAMPLE.get(path, {}))


def test_the_list_of_names_without_an_example_does_not_grow():
    assert sum(map(len, WITHOUT_EXAMPLE.values())) <= WITHOUT_EXAMPLE_AT_MOST


def test_every_public_callable_has_a_docstring():
    silent = [
        f"{path}.{name}"
        for path in (*PATHS, *(f"tinygrad_cnn.{path}" for path in WITHOUT_LIST))
        for name, value in named_in(path).items()
        if not inspect.getdoc(value)
    ]
    assert not silent


def test_every_method_and_property_of_a_tensor_has_an_example():
    members = {n: inspect.getattr_static(tg.Tensor, n) for n in dir(tg.Tensor) if n[0] != "_"}
    methods = {n for n, v in members.items() if callable(getattr(tg.Tensor, n)) or isinstance(v, property)}
    without = {n for n in methods if not has_example(members[n])}
    assert without == INSIDE_A_TENSOR | FIELDS_OF_A_TENSOR


def test_a_method_in_place_shows_its_own_call():
    """Its example is made of its function's: `tg.exp(x)` becomes `x.exp_()`."""
    made = {n: m for n in dir(tg.Tensor) if n[-1] == "_" != n[0] and hasattr(m := getattr(tg.Tensor, n), "__wrapped__")}
    assert len(made) > 100
    for name, method in made.items():
        assert f".{method.__name__}(" in method.__doc__, name
        assert method.__doc__.startswith("In place: "), name
