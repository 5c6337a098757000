"""What a notebook shows of a module: its layers, the shapes of its first call, its parameters."""

import copy
import pickle

import pytest

import tinygrad_cnn as tg
from tests.display.reading import Reading
from tinygrad_cnn import nn
from tinygrad_cnn.nn.hooks import FIRST_CALL, SHAPES
from tinygrad_cnn.teach.networks import lenet


def table(module):
    return Reading(module._repr_html_()).tables[0]


def test_layers_are_listed_by_path_with_their_parameters():
    rows = table(lenet())
    assert rows[0] == ["module", "layer", "parameters"]
    assert rows[2] == ["0", "Conv2d(1, 6, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2))", str(6 * 25 + 6)]
    assert [row[0] for row in rows[2:]] == [str(k) for k in range(12)]
    text = Reading(lenet()._repr_html_()).text
    assert "61,706 parameters · 247 kB · in training mode" in text
    assert "Shapes stand here once the module was called." in text


def test_after_a_first_call_the_shapes_are_there():
    net = lenet().eval()
    net(tg.zeros(3, 1, 28, 28))
    net(tg.zeros(1, 1, 28, 28))
    rows = table(net)
    assert rows[0] == ["module", "layer", "in", "out", "parameters"]
    assert [row[2:4] for row in rows[1:4]] == [
        ["(3, 1, 28, 28)", "(3, 10)"], ["(3, 1, 28, 28)", "(3, 6, 28, 28)"], ["(3, 6, 28, 28)", "(3, 6, 28, 28)"],
    ]  # fmt: skip
    assert "in eval mode" in Reading(net._repr_html_()).text


def test_the_first_call_leaves_nothing_behind_and_an_error_is_no_call():
    layer = nn.Linear(3, 2)
    with pytest.raises(RuntimeError):
        layer(tg.zeros(4, 5))
    assert vars(layer)["_call_hooks"] is FIRST_CALL
    layer(tg.zeros(4, 3))
    assert "_call_hooks" not in vars(layer)
    assert SHAPES[layer] == ([(4, 3)], [(4, 2)])


def test_a_copy_and_a_pickle_note_their_own_first_call():
    layer = nn.Linear(3, 2)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert vars(other)["_call_hooks"] is FIRST_CALL
        other(tg.zeros(5, 3))
        assert SHAPES[other] == ([(5, 3)], [(5, 2)])
    assert layer not in SHAPES


def test_hooks_take_the_place_of_the_first_call():
    layer, seen = nn.Linear(3, 2), []
    layer.register_forward_hook(lambda *call: seen.append(call))
    layer(tg.zeros(1, 3))
    assert len(seen) == 1
    handle = nn.modules.module.register_module_forward_hook(lambda *call: seen.append(call))
    try:
        nn.Linear(3, 2)(tg.zeros(1, 3))
    finally:
        handle.remove()
    assert len(seen) == 2


def test_shared_and_frozen_parameters_say_so_and_count_once():
    a = nn.Linear(3, 3)
    net = nn.ModuleDict({"<b>": a.requires_grad_(False), "b": nn.Linear(3, 3)})
    net["b"].weight = a.weight
    html = net._repr_html_()
    assert "<b></code>" not in html
    rows = Reading(html).tables[0]
    assert rows[2][-1] == "12 frozen"
    assert rows[3][-1] == "3 (shared)"
    assert "15 parameters · 3 of them trained" in Reading(html).text


def test_a_lazy_layer_does_not_know_its_size():
    assert table(nn.LazyLinear(3))[1][-1] == "?"
    assert table(nn.Sequential())[1][-1] == ""
    layer = nn.LazyLinear(3)
    layer(tg.zeros(2, 4))
    assert table(layer)[1][1:] == ["Linear(in_features=4, out_features=3, bias=True)", "(2, 4)", "(2, 3)", "15"]
