"""`nn.DataParallel` without a GPU, and the modules that programs import and do not use."""

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn


def test_a_parallel_module_is_the_module_under_another_name():
    net = nn.Linear(3, 2)
    parallel = nn.DataParallel(net)
    x = tg.randn(5, 3)
    assert np.array_equal(parallel(x).detach().numpy(), net(x).detach().numpy())
    assert list(parallel.state_dict()) == ["module.weight", "module.bias"]
    assert parallel.module is net
    parallel(x).sum().backward()
    assert net.weight.grad is not None
    assert str(parallel) == "DataParallel(\n  (module): Linear(in_features=3, out_features=2, bias=True)\n)"


@pytest.mark.parametrize("gpus", [{"device_ids": [0, 1]}, {"output_device": 0}])
def test_a_parallel_module_refuses_gpus(gpus):
    with pytest.raises(RuntimeError, match="there is no GPU"):
        nn.DataParallel(nn.Linear(3, 2), **gpus)


def test_a_layer_is_found_by_the_file_in_which_pytorch_defines_it():
    assert nn.modules.rnn.GRU is nn.GRU
    assert nn.modules.linear.NonDynamicallyQuantizableLinear is nn.Linear
    assert nn.modules.Module is nn.Module
    with pytest.raises(AttributeError):
        nn.modules.conv.Nothing
    with pytest.raises(AttributeError):
        nn.modules.nowhere


@pytest.mark.parametrize(
    ("module", "name"),
    [(nn.parallel, "DistributedDataParallel"), (nn.parallel, "data_parallel"), (tg.onnx, "export")],
)
def test_what_is_not_here_can_be_imported_around_and_says_so_when_used(module, name):
    with pytest.raises(AttributeError, match=f"{name} is not here: .*; .*"):
        getattr(module, name)
