"""Beginners' mistakes: what is said names the op, the shapes, the cause and the fix. Without one nothing is said."""

import gc
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import tinygrad_cnn as tg
from scripts import mistakes_page
from tests.beginners import MISTAKES
from tinygrad_cnn import nn, optim
from tinygrad_cnn.nn import functional as F
from tinygrad_cnn.nn import mistakes as notes

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def _no_notes_of_others():
    """What other tests have left in lists is not to be warned of here."""
    notes.UNLISTED.clear()
    notes.REPLACED.clear()


@pytest.fixture(autouse=True, scope="module")
def _nothing_of_others_is_alive():
    """Once: where thousands of tests were before, a collection takes a second."""
    gc.collect()


def test_there_are_enough_and_each_has_a_title_of_its_own():
    assert len(MISTAKES) >= 100
    assert len({m.title for m in MISTAKES}) == len(MISTAKES)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: m.title)
def test_a_mistake_is_answered_by_its_cause_and_its_fix(mistake):
    kind, said = mistakes_page.answer(mistake)
    assert kind is not None, "nothing was said"
    assert issubclass(kind, mistake.kind), f"{kind.__name__}: {said}"
    for words in mistake.says:
        assert words in said


def test_the_page_shows_what_is_said():
    assert mistakes_page.PAGE.read_text(encoding="utf-8") == mistakes_page.page(), (
        "docs/reference/mistakes.md is out of date; run python -m scripts.mistakes_page"
    )


def test_a_name_that_is_misspelt_is_suggested():
    program = "import tinygrad_cnn as tg; tg.zeroes(3)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "Did you mean: 'zeros'?" in done.stderr


# ---- no false alarms ---------------------------------------------------------------------------------------


class Net(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.first, self.out = nn.Linear(3, 3), nn.Linear(3, 1)
        self.layers = layers

    def forward(self, x):
        x = self.first(x)
        for layer in self.layers.values() if isinstance(self.layers, dict) else self.layers:
            x = layer(x)
        return self.out(x)


def trained(net, optimizer, steps, before=None, after=None):
    for _ in range(steps):
        if before:
            before()
        F.mse_loss(net(tg.ones(4, 3)), tg.ones(4, 1)).backward()
        optimizer.step()
        if after:
            after()


def zeroed_by_data(net):
    for p in net.parameters():
        if p.grad is not None:
            p.grad.data.zero_()


def zeroed_by_arrays(net):
    for p in net.parameters():
        if p.grad is not None:
            p.grad.numpy()[:] = 0


def zeroed_in_place(net):
    for p in net.parameters():
        if p.grad is not None:
            p.grad.zero_()


def forgotten(net):
    for p in net.parameters():
        p.grad = None


WAYS = {
    "data": zeroed_by_data,
    "arrays": zeroed_by_arrays,
    "zero_": zeroed_in_place,
    "None": forgotten,
    "module": lambda net: net.zero_grad(),
    "module in place": lambda net: net.zero_grad(set_to_none=False),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", ["before", "after"])
def test_gradients_may_be_set_back_in_any_way(way, place):
    net = nn.Linear(3, 1)
    trained(net, optim.SGD(net.parameters(), lr=0.01), 60, **{place: lambda: WAYS[way](net)})


def test_gradients_may_be_gathered_over_several_batches():
    net = nn.Linear(3, 1)
    optimizer = optim.SGD(net.parameters(), lr=0.01)
    for step in range(200):
        F.mse_loss(net(tg.ones(4, 3)), tg.ones(4, 1)).backward()
        if step % 4 == 3:
            optimizer.step()
            zeroed_by_data(net)


def test_two_networks_may_leave_gradients_in_each_other():
    """As a GAN does: the step of one adds to the gradients of the other, which are set back before its own."""
    one, other = nn.Linear(3, 3), nn.Linear(3, 1)
    first, second = optim.SGD(one.parameters(), lr=0.01), optim.SGD(other.parameters(), lr=0.01)
    for _ in range(60):
        zeroed_by_data(other)
        other(one(tg.ones(4, 3)).detach()).mean().backward()
        second.step()
        zeroed_by_data(one)
        (-other(one(tg.ones(4, 3)))).mean().backward()
        first.step()


def test_gradients_that_are_written_by_hand_are_nobodys_sum():
    w = nn.Parameter(tg.ones(3))
    optimizer = optim.SGD([w], lr=0.01)
    w.grad = tg.ones(3)
    for step in range(60):
        w.grad.copy_(tg.full((3,), float(step)))
        optimizer.step()


def test_a_warning_of_gradients_left_comes_once():
    net = nn.Linear(3, 1)
    with pytest.warns(tg.MistakeWarning, match="zero_grad") as caught:
        trained(net, optim.SGD(net.parameters(), lr=1e-4), 200)
    assert len(caught) == 1
    assert Path(caught[0].filename) == Path(__file__), "the line is the user's"


def test_zero_grad_once_before_the_loop_is_not_enough():
    net = nn.Linear(3, 1)
    optimizer = optim.SGD(net.parameters(), lr=1e-4)
    optimizer.zero_grad()
    with pytest.warns(tg.MistakeWarning, match="zero_grad"):
        trained(net, optimizer, 40)


@pytest.mark.parametrize("kind", [list, tuple])
def test_layers_in_a_plain_container_are_missed(kind):
    net = Net(kind([nn.Linear(3, 3), nn.Linear(3, 3)]))
    with pytest.warns(tg.MistakeWarning, match=rf"Net\.layers is a plain {kind.__name__} of 2"):
        trained(net, optim.SGD(net.parameters(), lr=0.01), 1)


def test_layers_in_a_plain_dict_are_missed():
    net = Net({"a": nn.Linear(3, 3), "b": nn.Linear(3, 3)})
    with pytest.warns(tg.MistakeWarning, match="plain dict of 2"):
        trained(net, optim.SGD(net.parameters(), lr=0.01), 1)


def shared(layers):
    net = Net(layers)
    net.also = nn.ModuleList(layers)
    return net, net.parameters()


def hidden(layers):
    return (net := Net(layers[:1])), net.parameters()


def optimised_otherwise(layers):
    net = Net(layers)
    return net, [*net.parameters(), *(p for layer in layers for p in layer.parameters())]


def frozen(layers):
    for layer in layers:
        layer.requires_grad_(False)
    return (net := Net(layers)), net.parameters()


def of_another(layers):
    """As a head that uses the layers of a body, which lists them, and is not trained."""
    net = Net(layers)
    net.__dict__["_body"] = nn.Sequential(*layers)
    return net, net.parameters()


@pytest.mark.parametrize("made", [shared, hidden, optimised_otherwise, frozen, of_another])
def test_layers_in_a_plain_list_may_be_meant(made):
    net, parameters = made([nn.Linear(3, 3), nn.Linear(3, 3)])
    optimizer = optim.SGD(parameters, lr=0.01)
    trained(net, optimizer, 30, before=optimizer.zero_grad)


def test_a_second_optimiser_may_have_the_layers():
    layers = [nn.Linear(3, 3), nn.Linear(3, 3)]
    net = Net(layers)
    first = optim.SGD(net.parameters(), lr=0.01)
    second = optim.SGD([p for layer in layers for p in layer.parameters()], lr=0.01)
    trained(net, first, 30, before=lambda: (first.zero_grad(), second.zero_grad()), after=second.step)


def test_layers_may_be_replaced_if_the_optimiser_knows():
    net = Net([])
    optimizer = optim.SGD(net.parameters(), lr=0.01)
    net.out = nn.Linear(3, 1)
    optimizer.add_param_group({"params": net.out.parameters()})
    trained(net, optimizer, 30, before=optimizer.zero_grad)


def test_layers_may_be_replaced_before_the_optimiser_is_made():
    net = Net([])
    net.out = nn.Linear(3, 1)
    optimizer = optim.SGD(net.parameters(), lr=0.01)
    trained(net, optimizer, 30, before=optimizer.zero_grad)


def test_a_layer_may_be_wrapped_after_the_optimiser_was_made():
    net = Net([])
    optimizer = optim.SGD(net.parameters(), lr=0.01)
    net.out = nn.Sequential(net.out, nn.Linear(1, 1).requires_grad_(False))
    trained(net, optimizer, 30, before=optimizer.zero_grad)


def test_a_parameter_that_is_infinite_from_the_beginning_is_meant():
    mask = nn.Parameter(tg.tensor([float("-inf")]))
    w = nn.Parameter(tg.ones(3))
    optimizer = optim.SGD([mask, w], lr=0.01)
    for _ in range(30):
        optimizer.zero_grad()
        (w * w).sum().backward()
        optimizer.step()


def test_numbers_may_be_kept():
    net, kept, graphs = nn.Linear(3, 1), [], []
    optimizer = optim.SGD(net.parameters(), lr=0.01)
    for step in range(1600):
        optimizer.zero_grad()
        loss = F.mse_loss(net(tg.ones(4, 3)), tg.ones(4, 1))
        loss.backward()
        optimizer.step()
        kept.append((loss.item(), loss.detach(), [{"step": step, "numbers": [str(step), object(), object()]}]))
        graphs = [*graphs[-20:], loss]  # a few of the last


def test_a_running_sum_of_losses_keeps_their_graphs():
    def summed(net):
        total, optimizer = 0.0, optim.SGD(net.parameters(), lr=0.001)
        for _ in range(1600):
            optimizer.zero_grad()
            loss = F.mse_loss(net(tg.ones(4, 3)), tg.ones(4, 1))
            loss.backward()
            optimizer.step()
            total = total + loss

    with pytest.warns(tg.MistakeWarning, match=r"nodes of graphs .*total \+= loss\.item\(\)"):
        summed(nn.Linear(3, 1))


SILENT = {
    "log_softmax": lambda x: F.cross_entropy(F.log_softmax(x, 1), tg.tensor([0, 1])),
    "softmax of another dim": lambda x: F.cross_entropy(F.softmax(x, 0), tg.tensor([0, 1])),
    "the logarithm of softmax": lambda x: F.nll_loss(F.softmax(x, 1).log(), tg.tensor([0, 1])),
    "sigmoid": lambda x: F.binary_cross_entropy(x.sigmoid(), tg.ones(2, 3)),
    "teacher and pupil": lambda x: F.mse_loss(F.log_softmax(x, 1), F.log_softmax(x.detach() + 1, 1)),
    "some labels ignored": lambda x: F.cross_entropy(x, tg.tensor([0, -100])),
    "a sum of nothing": lambda x: F.cross_entropy(x, tg.tensor([-100, -100]), reduction="sum"),
    "no labels at all": lambda x: F.cross_entropy(x[:0], tg.tensor([], dtype=tg.int64)),
    "the gradient of a leaf without one": lambda x: tg.ones(2, requires_grad=True).grad,
    "the gradient of a constant": lambda x: (2 * tg.ones(2)).grad,
    "a view of a constant": lambda x: tg.ones(2)[0].grad,
}


@pytest.mark.parametrize("case", SILENT)
def test_what_is_right_says_nothing(case):
    SILENT[case](tg.tensor(np.arange(6.0).reshape(2, 3), dtype=tg.float32, requires_grad=True))


def test_a_gradient_that_is_retained_may_be_asked_for_at_any_time():
    y = 2 * tg.ones(3, requires_grad=True)
    y.retain_grad()
    assert y.grad is None
    y.sum().backward()
    assert y.grad.tolist() == [1.0, 1.0, 1.0]


def test_filters_turn_the_warnings_off():
    logits = tg.zeros(2, 3, requires_grad=True).softmax(1)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=tg.MistakeWarning)
        F.cross_entropy(logits, tg.tensor([0, 1]))
    with pytest.raises(tg.MistakeWarning, match="softmax"):
        F.cross_entropy(logits, tg.tensor([0, 1]))
