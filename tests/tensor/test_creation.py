"""Making tensors and choosing dtypes."""

import numpy as np
import pytest

import tinygrad_cnn as tg


def test_constants_and_ranges():
    assert tg.full((2,), 3).tolist() == [3, 3]
    assert tg.full((2,), 3).dtype == np.int64
    assert tg.full((), 3.0).dtype == np.float32
    assert tg.empty(2, 0).shape == (2, 0)
    assert tg.eye(2, 3).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert tg.linspace(0, 1, 5).tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert tg.arange(1, 6, 2).tolist() == [1, 3, 5]
    assert tg.ones([2, 3]).shape == tg.zeros((2, 3)).shape == (2, 3)


def test_likes_take_shape_and_dtype():
    x = tg.zeros(2, 3, dtype=tg.float64)
    for make in (tg.zeros_like, tg.ones_like, tg.rand_like, tg.randn_like, lambda t: tg.full_like(t, 2)):
        assert make(x).shape == (2, 3)
        assert make(x).dtype == np.float64
    assert tg.zeros_like(x, dtype=tg.int64).dtype == np.int64
    assert tg.full_like(x, 2).tolist() == [[2] * 3] * 2


def test_draws_come_from_their_distributions():
    tg.manual_seed(0)
    u, z, k = tg.rand(40000).numpy(), tg.randn(40000).numpy(), tg.randint(-1, 3, (40000,)).numpy()
    assert abs(u.mean() - 0.5) < 0.01
    assert u.min() >= 0
    assert u.max() < 1
    assert abs(z.mean()) < 0.02
    assert abs(z.std() - 1) < 0.02
    assert sorted(set(k.tolist())) == [-1, 0, 1, 2]
    assert sorted(tg.randperm(50).tolist()) == list(range(50))


def test_a_generator_is_a_stream_of_its_own():
    a = tg.Generator().manual_seed(5)
    first = tg.rand(3, generator=a).tolist()
    tg.rand(9)
    assert tg.rand(3, generator=tg.Generator().manual_seed(5)).tolist() == first
    assert a.initial_seed() == 5
    assert a.seed() == a.initial_seed() != 5


def test_sharing_and_copying():
    array = np.zeros(2)
    assert np.shares_memory(tg.from_numpy(array).numpy(), array)
    assert np.shares_memory(tg.as_tensor(array).numpy(), array)
    assert not np.shares_memory(tg.tensor(array).numpy(), array)
    x = tg.tensor([1.0])
    assert tg.as_tensor(x) is x
    assert tg.as_tensor(x, tg.float64).dtype == np.float64
    assert tg.tensor(array.astype(">f8")).numpy().dtype.isnative


def test_equality():
    assert tg.equal(tg.ones(2), [1.0, 1.0])
    assert not tg.equal(tg.ones(2), tg.ones(3))
    assert tg.allclose(tg.ones(2), tg.ones(2) + 1e-7)
    assert not tg.allclose(tg.ones(2), tg.ones(2) + 1e-3)
    assert tg.allclose([float("nan")], [float("nan")], equal_nan=True)


def test_the_default_dtype_can_be_chosen():
    try:
        tg.set_default_dtype(tg.float64)
        assert tg.get_default_dtype() == np.float64
        assert {t.dtype for t in (tg.zeros(1), tg.tensor(1.5), tg.rand(1), tg.tensor([1]) / 2)} == {np.dtype("f8")}
    finally:
        tg.set_default_dtype(tg.float32)
    assert tg.zeros(1).dtype == np.float32


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: tg.from_numpy([1]), TypeError, r"from_numpy: expected a NumPy array, got list; use tensor\(\)"),
        (lambda: tg.zeros(2.5), TypeError, r"zeros: size \(2\.5,\) must be made of integers"),
        (lambda: tg.arange(0, 5, 0), ValueError, "arange: step is 0"),
        (lambda: tg.randint(3, 3, (1,)), ValueError, "randint: low 3 must be less than high 3"),
        (lambda: tg.set_default_dtype(tg.int64), TypeError, "set_default_dtype: int64 is not a floating dtype"),
        (lambda: tg.tensor(np.array(["a"])), TypeError, "Tensor: dtype <U1 is not supported"),
        (lambda: tg.tensor([1j]), TypeError, "Tensor: dtype complex128 is not supported"),
        (lambda: tg.zeros(()).__len__(), TypeError, "len: a tensor without dims has no length"),
        (lambda: iter(tg.zeros(())), TypeError, "iter: a tensor without dims cannot be iterated over"),
        (lambda: [1][tg.tensor(0.0)], TypeError, "index: a tensor of dtype torch.float32 cannot be an index"),
    ],
)
def test_wrong_arguments_are_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "dtype"),
    [
        (lambda: tg.tensor(1, dtype=tg.int64) + tg.tensor([1], dtype=tg.int32), np.int32),
        (lambda: tg.tensor([1], dtype=tg.uint8) + tg.tensor([1], dtype=tg.int64), np.int64),
        (lambda: tg.tensor([True]) + tg.tensor([True]), np.bool_),
        (lambda: tg.tensor([True]) * 2, np.int64),
        (lambda: tg.tensor([1], dtype=tg.uint8) * 2.0, np.float32),
        (lambda: tg.tensor([1.0], dtype=tg.float16) * tg.tensor([2], dtype=tg.int64), np.float16),
        (lambda: tg.tensor([1.0]) * np.float64(2.0), np.float32),
        (lambda: tg.tensor(2.0) * tg.tensor(3.0, dtype=tg.float64), np.float64),
        (lambda: 2.0 * tg.tensor([1]), np.float32),
    ],
)
def test_promotion_is_pytorchs(call, dtype):
    assert call().dtype == dtype


def test_a_tensor_among_numbers_is_one_whatever_its_shape():
    one = tg.tensor([1.5], requires_grad=True)
    assert tg.tensor([one, 2]).tolist() == [1.5, 2.0]
    assert tg.tensor([[one], [tg.tensor([[3.0]])]]).shape == (2, 1)
    assert not tg.tensor([one]).requires_grad
    assert tg.tensor([[1, 2], tg.tensor([3, 4])]).tolist() == [[1, 2], [3, 4]]
    with pytest.raises(ValueError, match=r"shape \(2,\) among numbers; .* use stack"):
        tg.tensor([tg.ones(2), tg.ones(2)])


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        ([np.float64(1), 2.0], tg.float64),
        ([np.float32(1), 2.0], tg.float32),
        ([tg.tensor(1.0, dtype=tg.float64), 2], tg.float64),
        ([tg.tensor(1), 2.5], tg.float32),
        ([np.array([1.0, 2.0])], tg.float64),
        ([True, tg.tensor(2)], tg.int64),
    ],
)
def test_elements_bring_their_dtype_and_python_floats_take_the_default(data, dtype):
    assert tg.tensor(data).dtype == dtype
