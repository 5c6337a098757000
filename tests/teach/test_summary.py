"""The table of a network's layers: shapes, parameters, products and kept bytes, each counted in another way."""

import math

import numpy as np
import pytest

import tinygrad_cnn as tg
from tests.display.reading import Reading
from tinygrad_cnn import nn
from tinygrad_cnn.teach.networks import lenet
from tinygrad_cnn.teach.summary import summary


def of(model, *args, **kwargs):
    return summary(model, *args, verbose=0, **kwargs)


def rows(found):
    return {layer.path: layer for layer in found.layers}


def counted(*factors):
    """Products, one by one: so many loops inside each other."""
    return sum(1 for _ in np.ndindex(*factors))


def test_lenet_is_counted_as_by_hand():
    found = of(lenet(), (2, 1, 28, 28))
    layers = rows(found)
    assert layers["0"].output_shape == ((2, 6, 28, 28),)
    assert layers["3"].input_shape == ((2, 6, 14, 14),)
    assert layers["3"].params == 16 * 6 * 25 + 16
    assert layers["3"].mult_adds == counted(2, 16, 10, 10, 6, 5, 5)
    assert layers["7"].mult_adds == counted(2, 120, 400)
    assert found.total_params == found.trainable_params == 61_706
    assert found.total_param_bytes == 4 * 61_706
    assert found.total_mult_adds == sum(layer.mult_adds for layer in found.layers)
    assert layers["0"].kept_bytes == 2 * 28 * 28 * 4  # the image
    assert layers["1"].kept_bytes == 2 * 6 * 28 * 28 * 4  # the output, whose sign the rule needs
    assert layers["2"].kept_bytes == 2 * 6 * 14 * 14  # a byte for each winner
    assert layers["9"].kept_bytes == 0  # its input is what the layer before keeps


def test_what_is_kept_is_what_the_graph_holds():
    net = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Tanh(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(27, 4)
    )
    y = net(tg.zeros(2, 1, 8, 8))
    owned = {id(root(p.detach().numpy())) for p in [*net.parameters(), *net.buffers()]}
    found, waiting, seen = {}, [y.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or id(node) in seen or not hasattr(node, "op"):
            continue
        seen.add(id(node))
        waiting += node.edges
        for array in [a for a in node.saved or () if isinstance(a, np.ndarray)]:
            found[id(root(array))] = root(array)
    expected = sum(a.nbytes for key, a in found.items() if key not in owned)
    assert of(net, (2, 1, 8, 8)).total_kept_bytes == expected


def root(array):
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


@pytest.mark.parametrize(
    ("layer", "sizes", "products"),
    [
        (nn.Conv2d(4, 6, 3, groups=2), (2, 4, 8, 8), (2, 6, 6, 6, 2, 3, 3)),
        (nn.Conv1d(2, 3, 3, stride=2), (1, 2, 9), (3, 4, 2, 3)),
        (nn.Conv3d(2, 3, 2), (1, 2, 4, 4, 4), (3, 3, 3, 3, 2, 2, 2, 2)),
        (nn.ConvTranspose2d(2, 3, 3), (1, 2, 5, 5), (2, 5, 5, 3, 3, 3)),
        (nn.Linear(5, 7), (2, 3, 5), (2, 3, 7, 5)),
        (nn.RNN(3, 4), (5, 2, 3), (5, 2, 4, 7)),
    ],
)
def test_products_are_those_of_the_sums(layer, sizes, products):
    found = of(layer, sizes)
    assert found.total_mult_adds == counted(*products)
    assert found.total_params == sum(p.numel() for p in layer.parameters())


def test_functions_in_forward_count_for_the_module_that_calls_them():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.line = nn.Linear(3, 3)

        def forward(self, x, y):
            return self.line(self.line(x)) @ y.T

    found = of(Net(), [(2, 3), (5, 3)])
    assert rows(found)[""].mult_adds == 2 * 5 * 3
    assert rows(found)["line"].mult_adds == 2 * (2 * 3 * 3)
    assert rows(found)["line"].calls == 2
    assert "Linear ×2" in str(found)
    assert found.input_size == ((2, 3), (5, 3))


def test_every_line_fits_a_terminal():
    net = nn.TransformerEncoder(nn.TransformerEncoderLayer(64, 4, 128, batch_first=True), 2)
    text = str(of(net, (8, 20, 64)))
    assert max(map(len, text.splitlines())) <= 80
    assert "layers.1.linear2" in text


def test_what_is_deeper_is_added_to_what_is_shown():
    net = nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, 32), 2)
    whole, cut = of(net, (3, 2, 16)), of(net, (3, 2, 16), depth=2)
    assert [layer.path for layer in cut.layers] == ["", "layers", "layers.0", "layers.1"]
    for name in ("params", "mult_adds", "kept_bytes"):
        assert sum(getattr(x, name) for x in cut.layers) == sum(getattr(x, name) for x in whole.layers)
    assert cut.layers[2].params == sum(p.numel() for p in net.layers[0].parameters())


def test_shared_and_frozen_parameters_count_once():
    a = nn.Linear(3, 3).requires_grad_(False)
    found = of(nn.Sequential(a, nn.ReLU(), a), (1, 3))
    assert (found.total_params, found.trainable_params) == (12, 0)
    assert found.total_kept_bytes == 0
    assert found.total_mult_adds == 18
    assert "12 frozen" in str(found)


def test_the_network_and_the_random_numbers_are_as_they_were():
    net = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(), nn.Linear(3, 2))
    calls = []
    net[2].register_forward_hook(lambda *call: calls.append(call))
    before = {name: b.numpy().copy() for name, b in net.named_buffers()}
    hooks = net[2].__dict__["_call_hooks"]
    tg.manual_seed(1)
    expected = tg.rand(3).tolist()
    tg.manual_seed(1)
    found = of(net, input_data=tg.ones(4, 3), mode="train")
    assert tg.rand(3).tolist() == expected
    assert all(np.array_equal(b.numpy(), before[name]) for name, b in net.named_buffers())
    assert net.training
    assert net[2].__dict__["_call_hooks"] is hooks
    assert len(calls) == 1
    assert all(p.grad is None for p in net.parameters())
    assert "in training mode" in str(found)
    assert "in eval mode" in str(of(net.train(), (4, 3), mode="eval"))
    assert net.training


def test_inputs_may_be_given_in_all_the_ways_of_torchinfo():
    embedding = nn.Embedding(10, 4)
    assert of(embedding, (2, 3), dtypes=[tg.long]).layers[0].output_shape == ((2, 3, 4),)
    assert of(embedding, input_data=np.zeros((2, 3), np.int64)).layers[0].output_shape == ((2, 3, 4),)
    assert of(nn.Linear(3, 2), (3,), batch_dim=0).layers[0].output_shape == ((1, 2),)
    assert of(nn.Linear(3, 2), input_data={"input": tg.zeros(5, 3)}).layers[0].output_shape == ((5, 2),)
    assert of(nn.LazyLinear(2), (4, 3)).total_params == 8


def test_it_prints_unless_asked_not_to(capsys):
    found = summary(nn.Linear(3, 2), (1, 3))
    assert capsys.readouterr().out == f"{found}\n"
    summary(nn.Linear(3, 2), (1, 3), verbose=0)
    assert capsys.readouterr().out == ""
    assert repr(found) == str(found)
    shown = Reading(found._repr_html_())
    assert shown.tables[0][1] == ["(whole)", "Linear", "(1, 3)", "(1, 2)", "8", "6", "12 bytes"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: of(lenet(), (1, 28, 28)),
            r"cannot be run on an input of shape \(1, 28, 28\): .* is it \(1, 1, 28, 28\)",
        ),
        (lambda: of(lenet()), "give the input_size"),
        (lambda: of(lenet(), (1,), tg.zeros(1)), "give the input_size"),
        (lambda: of(lenet(), (1, "a")), "must be whole numbers"),
        (lambda: of(lenet(), (1, 1, 28, 28), mode="test"), 'must be "train", "eval" or None'),
        (lambda: of(lenet(), (1, 1, 28, 28), dtypes=[]), "1 inputs and 0 dtypes"),
    ],
)
def test_wrong_use_says_what_to_do(call, message):
    with pytest.raises((ValueError, RuntimeError), match=message):
        call()


def test_no_module_is_no_network():
    with pytest.raises(TypeError, match="expected a Module"):
        of(math.sin, (1, 2))
