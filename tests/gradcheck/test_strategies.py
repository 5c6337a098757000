"""The two drivers of one sampler draw valid samples, and Hypothesis shrinks them."""

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from tinygrad_cnn.gradcheck.strategies import drawn, samples
from tinygrad_cnn.ops import registry
from tinygrad_cnn.ops.domain import AwayFrom
from tinygrad_cnn.ops.draw import RandomDraw


@pytest.mark.parametrize("name", [name for name, op in registry.items() if op.__module__.startswith("tinygrad_cnn.")])
def test_both_drivers_draw_what_an_op_accepts(name):
    op = registry[name]

    @settings(max_examples=5)
    @given(samples(op), st.integers(0, 99))
    def run(sample, seed):
        for inputs, options in (sample, op.sample(RandomDraw(np.random.default_rng(seed)))):
            y = op.forward(*inputs, **options)
            assert np.all(np.isfinite(np.asarray(y[0] if op.aux else y)))

    run()


def test_failing_samples_shrink():
    small = find(samples(registry["Matmul"]), lambda sample: sample.inputs[0].ndim == 3)
    assert small.inputs[0].size <= 2


def test_a_sampler_of_ones_own():
    @given(drawn(lambda draw: draw.array((2, 3), AwayFrom((1.0,), gap=0.25))))
    def run(x):
        assert x.shape == (2, 3)
        assert np.all(np.abs(x - 1) >= 0.25)

    run()
