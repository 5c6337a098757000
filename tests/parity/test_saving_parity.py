"""Files between PyTorch and here: what torch.save writes is read, and safetensors goes both ways."""

import io
from collections import OrderedDict

import numpy as np
import pytest
import safetensors.torch
import torch

import tinygrad_cnn as tg


def network(t):
    return t.nn.Sequential(
        t.nn.Conv2d(2, 4, 3), t.nn.BatchNorm2d(4), t.nn.ReLU(), t.nn.Flatten(), t.nn.Linear(36, 3), t.nn.LSTM(3, 2)
    )


def from_torch(value):
    buffer = io.BytesIO()
    torch.save(value, buffer)
    buffer.seek(0)
    return tg.load(buffer)


def same(ours, theirs):
    assert str(ours.dtype) == str(theirs.dtype)
    np.testing.assert_array_equal(ours.detach().numpy(), theirs.detach().numpy())


def test_a_state_dict_that_pytorch_saved_is_loaded():
    theirs, ours = network(torch), network(tg)
    saved = from_torch(theirs.state_dict())
    assert type(saved) is OrderedDict
    result = ours.load_state_dict(saved)
    assert repr(result) == "<All keys matched successfully>"
    for name, value in theirs.state_dict().items():
        same(ours.state_dict()[name], value)


def test_a_checkpoint_that_pytorch_saved_goes_on_here():
    def step(t, model, optimiser):
        optimiser.zero_grad()
        x = t.tensor(np.linspace(-1, 1, 12).reshape(4, 3), dtype=t.float64)
        (model(x) ** 2).mean().backward()
        optimiser.step()

    def made(t):
        model = t.nn.Sequential(t.nn.Linear(3, 4), t.nn.Tanh(), t.nn.Linear(4, 1)).double()
        optimiser = t.optim.Adam(model.parameters(), lr=0.1)
        return model, optimiser, t.optim.lr_scheduler.StepLR(optimiser, 2)

    theirs, ours = made(torch), made(tg)
    step(torch, *theirs[:2])
    saved = from_torch({"parts": [part.state_dict() for part in theirs], "epoch": 1, "loss": 0.25})
    for part, state in zip(ours, saved["parts"], strict=True):
        part.load_state_dict(state)
    for _ in range(3):
        step(torch, *theirs[:2])
        step(tg, *ours[:2])
    for a, b in zip(ours[0].parameters(), theirs[0].parameters(), strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-9)


@pytest.mark.parametrize("dtype", "float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 bool".split())
def test_tensors_of_every_dtype_and_form_are_read(dtype):
    kind = getattr(torch, dtype)
    base = torch.arange(24).reshape(2, 3, 4).to(kind)
    for value in (base, base.permute(2, 0, 1), base[1:, :, ::2], base[0, 0, 0], base[:0], base.expand(2, 2, 3, 4)):
        same(from_torch(value), value)


def test_other_values_are_read():
    value = {
        "shared": (x := torch.zeros(3), x),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "leaf": torch.ones(2, requires_grad=True),
        "size": torch.Size([1, 2]),
        "dtype": torch.float16,
        "device": torch.device("cpu"),
        "plain": [1, -2.5, 2**70, "é", b"x", None, True, (1,), {3: 4}, {5}],
    }
    found = from_torch(value)
    assert found["shared"][0] is found["shared"][1]
    assert type(found["parameter"]) is tg.nn.Parameter
    assert found["leaf"].requires_grad
    for name in ("size", "dtype", "device", "plain"):
        assert repr(found[name]) == repr(value[name])


@pytest.mark.parametrize("value", [network(torch), np.ones(2), torch.ones(2).bfloat16(), torch.ones(2) * 1j, print])
def test_what_is_no_data_is_refused_as_weights_only_does_or_by_name(value):
    with pytest.raises(RuntimeError, match="not loaded"):
        from_torch(value)


def test_the_older_format_is_refused():
    buffer = io.BytesIO()
    torch.save({"a": torch.ones(1)}, buffer, _use_new_zipfile_serialization=False)
    buffer.seek(0)
    with pytest.raises(RuntimeError, match=r"before 1\.6"):
        tg.load(buffer)


def test_errors_are_of_pytorch_s_kind(tmp_path):
    (tmp_path / "rubbish").write_bytes(b"PK\x03\x04rubbish")
    (tmp_path / "empty").write_bytes(b"")
    for path in ("missing", "rubbish", "empty"):
        kinds = []
        for t in (torch, tg):
            with pytest.raises(Exception) as caught:
                t.load(tmp_path / path)
            kinds.append(caught.value)
        assert isinstance(kinds[1], type(kinds[0])), kinds


def test_a_state_dict_goes_to_pytorch_and_back_by_safetensors(tmp_path):
    ours, theirs = network(tg), network(torch)
    tg.io.save_file(ours.state_dict(), tmp_path / "ours.safetensors", {"from": "here"})
    theirs.load_state_dict(safetensors.torch.load_file(tmp_path / "ours.safetensors"))
    for name, value in theirs.state_dict().items():
        same(ours.state_dict()[name], value)
    with torch.no_grad():
        for p in theirs.parameters():
            p.mul_(2)
    safetensors.torch.save_file(theirs.state_dict(), tmp_path / "theirs.safetensors", {"from": "there"})
    ours.load_state_dict(tg.io.load_file(tmp_path / "theirs.safetensors"))
    for name, value in theirs.state_dict().items():
        same(ours.state_dict()[name], value)
