"""What programs import and ask for although it does nothing here, or is not here; more in tests/parity."""

import importlib

import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import jit, nn
from tinygrad_cnn.testing import assert_allclose
from tinygrad_cnn.utils import _pytree


def test_what_is_scripted_or_traced_is_itself():
    net = nn.Linear(2, 2)
    with pytest.warns(UserWarning, match="jit.script: nothing is compiled here, it is called as it is"):
        assert jit.script(net) is net
    with pytest.warns(UserWarning, match="jit.trace"):
        assert jit.trace(net, tg.ones(1, 2)) is net
    with pytest.raises(AttributeError, match=r"torch\.jit\.ScriptModule is not here: nothing is compiled here"):
        jit.ScriptModule


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("tinygrad_cnn.distributed", "there is one process"),
        ("tinygrad_cnn.fft", "no complex tensors|no spectra"),
        ("tinygrad_cnn.autograd.profiler", "use tinygrad_cnn.profiler"),
        ("tinygrad_cnn.sparse", "no sparse tensors"),
    ],
)
def test_an_import_of_what_is_not_here_gives_the_reason(module, reason):
    with pytest.raises(ModuleNotFoundError, match=f"No module named '{module}': .*({reason})"):
        importlib.import_module(module)
    parent, _, name = module.rpartition(".")
    with pytest.raises(ImportError, match=reason):
        exec(f"from {parent} import {name}", {})


def test_an_import_of_what_nobody_knows_is_pythons_own():
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'tinygrad_cnn\.nonsense'$"):
        importlib.import_module("tinygrad_cnn.nonsense")
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'nonsense_of_nobody'$"):
        importlib.import_module("nonsense_of_nobody")
    with pytest.raises(ImportError, match="cannot import name"):
        exec("from tinygrad_cnn import nonsense", {})


def test_the_version_is_ours_and_the_names_are_of_pytorchs():
    assert tg.__version__ == tg.version.__version__ == "0.1.0"
    assert tg.torch_names.__version__ == "2.13.0"
    assert tg.version.cuda is None


def test_mixed_precision_is_off():
    with pytest.warns(UserWarning, match="GradScaler is enabled, but CUDA is not available"):
        scaler = tg.amp.GradScaler()
    w = tg.ones(2, requires_grad=True)
    optimizer = tg.optim.SGD([w], lr=0.5)
    with pytest.warns(UserWarning, match="Disabling autocast"), tg.autocast("cuda"):
        loss = w.sum()
    assert scaler.scale(loss) is loss
    loss.backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    assert w.tolist() == [0.5, 0.5]
    assert (scaler.get_scale(), scaler.state_dict(), scaler.is_enabled()) == (1.0, {}, False)
    with pytest.warns(UserWarning, match="there is no mixed precision here"):
        tg.autocast("cpu")
    assert not tg.amp.is_autocast_available("cpu")
    with pytest.warns(FutureWarning, match=r"torch.cuda.amp.custom_fwd\(args...\)` is deprecated"):
        assert tg.cuda.amp.custom_fwd(abs) is abs
    with pytest.raises(RuntimeError, match="foo"):
        tg.autocast("foo")


def test_float16_gradients_are_not_scaled_down():
    w = tg.ones(2, dtype=tg.float16, requires_grad=True)
    scaler = tg.amp.GradScaler("cpu", init_scale=8.0)
    scaler.scale(w.sum()).backward()
    with pytest.raises(ValueError, match="Attempting to unscale FP16 gradients"):
        scaler.unscale_(tg.optim.SGD([w], lr=0.1))


def test_trees_are_mapped():
    tree = {"a": [1, (2,)], "b": None}
    leaves, spec = _pytree.tree_flatten(tree)
    assert leaves == [1, 2, None]
    assert repr(spec) == "TreeSpec(dict, ['a', 'b'], [TreeSpec(list, None, [*, TreeSpec(tuple, None, [*])]), *])"
    assert (spec.num_nodes, spec.num_children, len(spec.children())) == (6, 2, 2)
    assert _pytree.tree_map(str, tree) == {"a": ["1", ("2",)], "b": "None"}
    assert _pytree.tree_map_(str, tree) is tree
    with pytest.raises(ValueError, match="already registered"):
        _pytree.register_pytree_node(list, list, list)
    with pytest.raises(ValueError, match="has length 1 but the spec refers to a pytree that holds 3 items"):
        _pytree.tree_unflatten([1], spec)


def test_the_older_comparison_warns():
    with pytest.warns(FutureWarning, match="use assert_close"):
        assert_allclose(tg.ones(2), tg.ones(2, dtype=tg.float64))
    with pytest.warns(FutureWarning), pytest.raises(AssertionError, match="1 of 1 elements differ"):
        assert_allclose(1.0, 1.001)
