"""Model files: each reader reads what each writer wrote, and what is no network is refused in one line."""

import json

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn, optim
from tinygrad_cnn.io import ModelFileError, load_model, save_file, save_model, save_npz

FACTS = {"model": "linear", "classes": ["no", "yes"], "epochs": 3}


def net():
    tg.manual_seed(1)
    return nn.Linear(3, 2)


def same(state, other):
    return state.keys() == other.keys() and all(np.array_equal(state[k].numpy(), other[k].numpy()) for k in state)


@pytest.mark.parametrize("name", ["m", "m.tg", "m.pt", "m.npz", "m.NPZ", "m.safetensors"])
def test_what_is_saved_in_any_format_is_read_by_the_one_reader(tmp_path, name):
    layer = net()
    save_model(tmp_path / name, layer, **FACTS)
    found = load_model(tmp_path / name)
    assert same(found.state, layer.state_dict())
    assert found.facts == FACTS
    assert found.module is None


@pytest.mark.parametrize("name", ["m.tg", "m.npz"])
def test_load_reads_what_save_model_wrote(tmp_path, name):
    layer = net()
    save_model(tmp_path / name, layer, **FACTS)
    found = tg.load(tmp_path / name)
    assert same(found.pop("state_dict"), layer.state_dict())
    assert found == FACTS


WRITERS = {
    "a state_dict": lambda layer, path: tg.save(layer.state_dict(), path),
    "a dict with one": lambda layer, path: tg.save({"state_dict": layer.state_dict(), "epoch": 3}, path),
    "a dict with a module": lambda layer, path: tg.save({"state_dict": layer}, path),
    "a module": lambda layer, path: tg.save(layer, path),
    "an npz": lambda layer, path: save_npz(path, layer.state_dict(), {}),
    "safetensors": lambda layer, path: save_file(layer.state_dict(), path),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_what_other_writers_wrote_is_read(tmp_path, writer):
    layer = net()
    WRITERS[writer](layer, tmp_path / "m")
    found = load_model(tmp_path / "m")
    assert same(found.state, layer.state_dict())
    assert (found.module is not None) == ("module" in writer)


def test_training_goes_on_from_a_file(tmp_path):
    x, y = tg.randn(8, 3), tg.randn(8, 2)

    def step(layer, optimiser):
        optimiser.zero_grad()
        nn.functional.mse_loss(layer(x), y).backward()
        optimiser.step()

    layer = net()
    optimiser = optim.Adam(layer.parameters())
    step(layer, optimiser)
    save_model(tmp_path / "m", layer, optimizer=optimiser.state_dict(), rng=tg.get_rng_state())
    step(layer, optimiser)

    found, other = load_model(tmp_path / "m"), nn.Linear(3, 2)
    other.load_state_dict(found.state)
    again = optim.Adam(other.parameters())
    again.load_state_dict(found.facts["optimizer"])
    tg.set_rng_state(found.facts["rng"])
    step(other, again)
    assert same(other.state_dict(), layer.state_dict())


def header(text):
    return len(text).to_bytes(8, "little") + text.encode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"rubbish, and more of it", "model file"),
        (header(json.dumps({"__metadata__": {"facts": "[1]"}})), "facts in its header"),
        (header(json.dumps({"__metadata__": {"facts": "{"}})), "facts in its header"),
        (header(json.dumps({"__metadata__": ["facts"]})), "not texts by name"),
        (header("{" * 50), "model file"),
    ],
)
def test_what_is_no_model_file_is_refused(tmp_path, content, words):
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(ModelFileError, match=words):
        load_model(tmp_path / "m")


@pytest.mark.parametrize("value", [[1, 2], {"a": 1}, {"state_dict": {"a": 1}}, 3.0])
def test_a_file_without_a_state_dict_is_refused(tmp_path, value):
    tg.save(value, tmp_path / "m")
    with pytest.raises(ModelFileError, match="no state_dict"):
        load_model(tmp_path / "m")


def test_what_the_format_cannot_hold_is_refused_and_nothing_is_written(tmp_path):
    for name in ("m.npz", "m.safetensors"):
        with pytest.raises(TypeError):
            save_model(tmp_path / name, net(), optimizer=tg.ones(2))
    assert list(tmp_path.iterdir()) == []
