"""`assert_close` accepts and rejects what PyTorch's does."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn.testing import assert_close

DTYPES = "float16 float32 float64 int32 bool".split()


def outcome(call):
    try:
        call()
    except Exception as error:
        return type(error)
    return None


@given(
    st.lists(
        st.sampled_from([0.0, 1.0, -2.0, np.nan, np.inf, 1e-5, 1 + 1e-7, 1 + 1e-6, 1 + 1e-4]), min_size=1, max_size=4
    ),
    st.lists(
        st.sampled_from([0.0, 1.0, -2.0, np.nan, np.inf, 1e-5, 1 + 1e-7, 1 + 1e-6, 1 + 1e-4]), min_size=1, max_size=4
    ),
    st.sampled_from(DTYPES),
    st.sampled_from(DTYPES),
    st.booleans(),
    st.booleans(),
    st.sampled_from([{}, {"rtol": 1e-3, "atol": 0.0}, {"rtol": 0.0, "atol": 1e-2}]),
    st.sampled_from([lambda v: v, lambda v: [v], lambda v: {"a": v, "b": 1.0}, lambda v: (v, 2)]),
)
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
def test_the_same_is_accepted(x, y, p, q, equal_nan, check_dtype, tolerances, wrap):
    given_ = {"equal_nan": equal_nan, "check_dtype": check_dtype, **tolerances}
    a, b = np.array(x).astype(p), np.array(y).astype(q)
    for make, there in ((tg.tensor, torch.tensor), (np.array, np.array), (lambda v: v.tolist(), lambda v: v.tolist())):
        ours = outcome(lambda m=make: assert_close(wrap(m(a)), wrap(m(b)), **given_))
        theirs = outcome(lambda m=there: torch.testing.assert_close(wrap(m(a)), wrap(m(b)), **given_))
        assert ours == theirs


@pytest.mark.parametrize(
    "pair",
    [
        ("a", "a"),
        (1, 1.0),
        ([1.0], [1.0, 2.0]),
        ({"a": 1.0}, {"b": 1.0}),
        ([1.0], {"a": 1.0}),
        (np.ones(2), [1.0, 1.0]),
        (np.ones((2, 1)), np.ones(2)),
        (None, None),
    ],
)
def test_kinds_that_do_not_match(pair):
    assert outcome(lambda: assert_close(*pair)) == outcome(lambda: torch.testing.assert_close(*pair))
