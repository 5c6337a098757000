"""The programs beyond plain networks train, and compute what PyTorch computes."""

import numpy as np
import pytest

import tinygrad_cnn as tg
from benchmarks.beside import check_agreement, geometric_mean, running
from benchmarks.programs import PROGRAMS


@pytest.mark.usefixtures("given_back")
@pytest.mark.parametrize("name", PROGRAMS)
def test_training_steps_lower_the_loss(name):
    run = running(tg, name, 4, kernels="numpy")
    before, _ = run.gradients()
    outputs = run.infer()
    for _ in range(10):
        run.step()
    after, gradients = run.gradients()
    assert outputs.shape[0] in (4, 8)
    assert all(np.isfinite(g).all() for g in gradients)
    assert after < before


@pytest.mark.usefixtures("given_back")
@pytest.mark.parametrize("name", PROGRAMS)
def test_loss_and_gradients_are_pytorchs(name):
    pytest.importorskip("torch")
    check_agreement(name, 3, ["numpy"])


def test_a_geometric_mean():
    assert geometric_mean([1.0, 4.0]) == pytest.approx(2)
