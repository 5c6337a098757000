"""What programs ask for beside tensors and layers: mixed precision, trees, what is scripted; beside PyTorch."""

import importlib
import warnings
from collections import OrderedDict, defaultdict, deque, namedtuple

import pytest

from tests.parity.both import check_same, leaf

Point = namedtuple("Point", "x y")


def room(t, name):
    return importlib.import_module(f"{t.__name__}.{name}")


def with_warnings(program):
    """A program's result, with the categories of the warnings that it gives."""

    def run(t):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            result = program(t)
        return result, [(w.category.__name__, str(w.message)) for w in said]

    return run


AMP = {
    "a scaler for a GPU": lambda t: t.amp.GradScaler().is_enabled(),
    "of old": lambda t: t.cuda.amp.GradScaler().state_dict(),
    "off": lambda t: t.amp.GradScaler(enabled=False).get_scale(),
    "autocast for a GPU": lambda t: t.autocast("cuda", dtype=t.float16).__enter__() is not None,
    "autocast of old": lambda t: t.cuda.amp.autocast().__enter__() is not None,
    "autocast off": lambda t: t.amp.autocast("cpu", enabled=False).__enter__() is not None,
    "autocast to float32": lambda t: t.amp.autocast("cpu", dtype=t.float32).__enter__() is not None,
    "an unknown device": lambda t: t.amp.autocast("foo"),
    "no string": lambda t: t.amp.autocast(3),
    "small growth": lambda t: t.amp.GradScaler("cpu", growth_factor=0.5),
    "no backoff": lambda t: t.amp.GradScaler("cpu", backoff_factor=1.0),
    "a state": lambda t: sorted(t.amp.GradScaler("cpu", init_scale=8.0).state_dict().items()),
    "no state": lambda t: t.amp.GradScaler("cpu").load_state_dict({}),
    "a step before": lambda t: t.amp.GradScaler("cpu").step(t.optim.SGD([leaf(t, [1.0])], lr=1.0)),
    "an update before": lambda t: t.amp.GradScaler("cpu").update(),
    "no tensor": lambda t: t.amp.GradScaler("cpu").scale(3),
}


@pytest.mark.parametrize("name", AMP)
def test_mixed_precision_without_a_gpu(name):
    check_same(with_warnings(AMP[name]))


def scaled_steps(t):
    w = leaf(t, [1.0, 2.0])
    optimizer = t.optim.SGD([w], lr=0.1)
    scaler = t.amp.GradScaler("cpu", init_scale=8.0, growth_interval=2)
    seen = []
    for k in range(6):
        optimizer.zero_grad()
        loss = scaler.scale((w * w).sum() * (float("inf") if k == 3 else 1.0))
        loss.backward()
        if k % 2:
            scaler.unscale_(optimizer)
        seen.append(w.grad.clone())
        scaler.step(optimizer)
        scaler.update(4.0 if k == 4 else None)
        seen += [w.detach().clone(), scaler.get_scale(), loss.item()]
    other = t.amp.GradScaler("cpu")
    other.load_state_dict(scaler.state_dict())
    return seen, sorted(other.state_dict().items()), other.get_growth_factor(), other.get_growth_interval()


def unscaled_twice(t):
    w = leaf(t, [1.0])
    optimizer, scaler = t.optim.SGD([w], lr=0.1), t.amp.GradScaler("cpu")
    scaler.scale(w.sum()).backward()
    scaler.unscale_(optimizer)
    scaler.unscale_(optimizer)


def stepped_twice(t):
    w = leaf(t, [1.0])
    optimizer, scaler = t.optim.SGD([w], lr=0.1), t.amp.GradScaler("cpu")
    scaler.scale(w.sum()).backward()
    scaler.step(optimizer)
    scaler.step(optimizer)


def several_losses(t):
    scaler = t.amp.GradScaler("cpu", init_scale=4.0)
    return scaler.scale([t.ones(1), (t.ones(2), t.ones(3))])


def decorated(t):
    @t.autocast("cuda", enabled=False)
    def function(x):
        """Twice."""
        return 2 * x

    return function(leaf(t, [1.0])), function.__name__, function.__doc__


@pytest.mark.parametrize("program", [scaled_steps, unscaled_twice, stepped_twice, several_losses, decorated])
def test_a_scaler_on_the_cpu(program):
    check_same(program)


TREES = {
    "numbers": {"a": [1, 2, (3,)], "b": 4, "c": None},
    "a leaf": 5,
    "nothing": [],
    "named": [Point(1, [2]), OrderedDict(b=1, a=2)],
    "others": (deque([1, 2], maxlen=3), defaultdict(list, x=[1])),
}
ASKED = {
    "flatten": lambda p, tree: p.tree_flatten(tree)[0],
    "back": lambda p, tree: p.tree_unflatten(*p.tree_flatten(tree)) == tree,
    "leaves": lambda p, tree: (p.tree_leaves(tree), p.tree_structure(tree).num_leaves),
    "map": lambda p, tree: p.tree_map(lambda leaf: (leaf, 1), tree),
    "of two": lambda p, tree: p.tree_map(lambda a, b: (a, b), tree, tree),
    "some": lambda p, tree: p.tree_map_only(int, lambda leaf: leaf * 10, tree),
    "all": lambda p, tree: (p.tree_all(lambda v: v is None, tree), p.tree_any(lambda v: v is None, tree)),
    "up to": lambda p, tree: p.tree_map(lambda leaf: len(leaf), tree, is_leaf=lambda v: isinstance(v, (list, deque))),
    "equal": lambda p, tree: (
        p.tree_structure(tree) == p.tree_structure(p.tree_map(lambda v: 0, tree)),
        p.tree_structure(tree) == p.tree_structure([tree]),
    ),
    "wrong number": lambda p, tree: p.tree_unflatten([1, 2, 3, 4, 5, 6, 7], p.tree_structure(tree)),
    "other structure": lambda p, tree: p.tree_map(lambda a, b: a, [tree, tree], [tree]),
    "no spec": lambda p, tree: p.tree_unflatten([1], tree),
}


def as_plain(value):
    if isinstance(value, dict):
        return [type(value).__name__, *((k, as_plain(v)) for k, v in value.items())]
    if isinstance(value, (list, tuple, deque)):
        return (type(value).__name__, *map(as_plain, value))
    return value


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("tree", TREES)
def test_trees(tree, asked):
    check_same(lambda t: as_plain(ASKED[asked](room(t, "utils._pytree"), TREES[tree])))


def test_a_container_of_ones_own():
    def program(t):
        class Pair:
            def __init__(self, a, b):
                self.a, self.b = a, b

        trees = room(t, "utils._pytree")
        trees.register_pytree_node(Pair, lambda p: ([p.a, p.b], None), lambda parts, _: Pair(*parts))
        doubled = trees.tree_map(lambda v: 2 * v, {"p": Pair(1, [2])})
        return doubled["p"].a, doubled["p"].b

    check_same(program)


JIT = {
    "is_scripting": lambda t: (t.jit.is_scripting(), t.jit.is_tracing()),
    "ignored": lambda t: t.jit.ignore(lambda x: -x)(-1),
    "ignored with options": lambda t: t.jit.ignore(drop=False)(lambda x: -x)(-1),
    "exported": lambda t: (t.jit.export(lambda x: -x)(-2), t.jit.unused(lambda x: -x)(-3)),
    "if traced": lambda t: t.jit.script_if_tracing(lambda x: -x)(-1),
    "annotated": lambda t: t.jit.annotate(list[int], [1]),
}


@pytest.mark.parametrize("name", JIT)
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_what_a_program_says_to_the_compiler(name):
    check_same(JIT[name])


CLOSE = {
    "equal": lambda t: t.testing.assert_allclose(t.ones(2), t.ones(2)),
    "other dtypes": lambda t: t.testing.assert_allclose(t.ones(2), t.ones(2, dtype=t.float64)),
    "NaN": lambda t: t.testing.assert_allclose(t.tensor([float("nan")]), t.tensor([float("nan")])),
    "near": lambda t: t.testing.assert_allclose(t.ones(2), t.ones(2) * (1 + 5e-5)),
    "too far": lambda t: t.testing.assert_allclose(t.ones(2), t.ones(2) * (1 + 5e-4)),
    "a list": lambda t: t.testing.assert_allclose([1.0, 2.0], [1.0, 2.0]),
    "one tolerance": lambda t: t.testing.assert_allclose(t.ones(2), t.ones(2), rtol=0.1),
    "another shape": lambda t: t.testing.assert_allclose(t.ones(1), 1.0),
}


@pytest.mark.parametrize("name", CLOSE)
@pytest.mark.filterwarnings("ignore:.*assert_allclose:FutureWarning")
def test_the_older_comparison(name):
    check_same(CLOSE[name])
