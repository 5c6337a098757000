"""However a parameter, a buffer or a module is registered, changed or taken out, its attribute follows."""

import copy
import gc
import pickle
import weakref

import pytest

from tinygrad_cnn import nn, ones, zeros
from tinygrad_cnn.nn.entries import Entries


class Bag:
    """Any object with attributes."""


def kept():
    bag = Bag()
    return bag, Entries(bag, {"a": 1, "b": 2})


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda e: e.__setitem__("c", 3), {"a": 1, "b": 2, "c": 3}),
        (lambda e: e.__delitem__("a"), {"b": 2}),
        (lambda e: e.pop("a"), {"b": 2}),
        (lambda e: e.pop("none", None), {"a": 1, "b": 2}),
        (lambda e: e.popitem(), {"b": 2}),
        (lambda e: e.clear(), {}),
        (lambda e: e.update({"a": 5}, c=3), {"a": 5, "b": 2, "c": 3}),
        (lambda e: e.setdefault("c", 3), {"a": 1, "b": 2, "c": 3}),
        (lambda e: e.setdefault("a", 3), {"a": 1, "b": 2}),
        (lambda e: e.__ior__({"b": 7}), {"a": 1, "b": 7}),
    ],
)
def test_every_way_to_write_changes_the_attributes(write, expected):
    bag, entries = kept()
    write(entries)
    assert dict(entries) == vars(bag) == expected


def test_taking_out_what_is_no_entry_leaves_attributes_alone():
    bag, entries = kept()
    bag.other = 3
    assert entries.pop("other", None) is None
    with pytest.raises(KeyError, match="other"):
        entries.pop("other")
    assert bag.other == 3


def test_programs_may_write_into_the_dicts_themselves():
    layer = nn.Linear(2, 3)
    plain = zeros(3, 2)
    layer._parameters["weight"] = plain
    assert layer.weight is plain
    del layer._parameters["weight"]
    assert not hasattr(layer, "weight")
    layer.weight = plain
    assert layer.weight is plain
    assert list(layer._parameters) == ["bias"]


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_has_entries_of_its_own(copied):
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    state = net[0].__getstate__()
    assert type(state["_parameters"]) is dict
    assert "weight" not in state
    other = copied(net)
    other[0] = nn.Identity()
    assert isinstance(net[0], nn.Linear)
    assert isinstance(getattr(other, "0"), nn.Identity)
    layer = copied(net[0])
    layer.weight = nn.Parameter(ones(3, 2))
    assert layer._parameters["weight"] is layer.weight
    assert layer.weight is not net[0].weight is net[0]._parameters["weight"]


def test_a_state_of_plain_attributes_is_taken_back():
    class Copied(nn.Linear):
        def __getstate__(self):
            return self.__dict__.copy()

        def __setstate__(self, state):
            self.__dict__.update(state)

    layer = copy.deepcopy(Copied(2, 3))
    layer.weight = nn.Parameter(ones(3, 2))
    assert layer._parameters["weight"] is layer.weight
    del layer.weight
    assert not hasattr(layer, "weight")


def test_slots_of_a_subclass_are_kept():
    class Slotted(nn.Linear):
        __slots__ = ("extra",)

    layer = Slotted(2, 3)
    layer.extra = 5
    other = copy.deepcopy(layer)
    assert (other.extra, other.weight.shape) == (5, (3, 2))


def test_a_module_can_be_made_anew():
    layer = nn.Linear(2, 3)
    layer.__init__(4, 5)
    assert layer.weight.shape == (5, 4)
    assert list(layer._parameters) == ["weight", "bias"]


def test_a_module_is_freed_with_its_last_user():
    gc.disable()
    try:
        layer = nn.Linear(2, 3)
        seen = weakref.ref(layer)
        del layer
        assert seen() is None
    finally:
        gc.enable()
