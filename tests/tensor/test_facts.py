"""What a tensor says of itself, the tensors it makes, the older constructors, and questions about dtypes."""

import numpy as np
import pytest

import tinygrad_cnn as tg

X = tg.arange(12.0).view(3, 4)


def test_memory_is_described_in_elements():
    assert (X.element_size(), X.itemsize, X.nbytes, X.nelement(), X.ndimension()) == (4, 4, 48, 12, 2)
    assert X.stride() == (4, 1)
    assert X.t().stride() == (1, 4)
    assert X.stride(0) == 4
    assert X[1:, 2].storage_offset() == 6
    assert X[1:, 2].data_ptr() == X.data_ptr() + 24
    assert X.is_contiguous()
    assert not X.t().is_contiguous()
    assert X.get_device() == -1


def test_kinds_of_numbers():
    assert X.is_floating_point()
    assert tg.is_floating_point(X)
    assert not X.long().is_floating_point()
    assert not tg.is_complex(X)
    assert X.is_signed()
    assert not X.byte().is_signed()
    assert X.is_same_size(X * 2)
    assert 3.0 in X
    assert 99 not in X
    assert tg.is_tensor(X)
    assert not tg.is_tensor(np.ones(2))
    assert tg.numel(X) == 12


def test_older_names_of_types():
    assert X.type() == "torch.FloatTensor"
    assert X.type("torch.LongTensor").dtype is tg.int64
    assert X.type(tg.DoubleTensor).dtype is tg.float64
    assert X.type(tg.int32).type() == "torch.IntTensor"
    assert X.type_as(X.double()).dtype is tg.float64
    assert isinstance(X, tg.FloatTensor)
    assert not isinstance(X, tg.LongTensor)
    assert tg.typename(X) == "torch.FloatTensor"
    with pytest.raises(ValueError, match=r"'torch\.Foo' names no type"):
        X.type("torch.Foo")


def test_older_constructors_take_sizes_or_lists():
    assert tg.Tensor(2, 3).shape == (2, 3)
    assert tg.Tensor(4).shape == (4,)
    assert tg.Tensor([1, 2]).dtype is tg.float32
    assert tg.Tensor(tg.Size([2])).tolist() == [2.0]
    assert tg.Tensor().shape == (0,)
    assert tg.FloatTensor([1, 2]).tolist() == [1.0, 2.0]
    assert tg.LongTensor([[1, 2]]).dtype is tg.int64
    assert tg.LongTensor(2, 3).shape == (2, 3)
    assert tg.BoolTensor([1, 0]).tolist() == [True, False]
    with pytest.raises(TypeError, match="expected sizes, or one list"):
        tg.FloatTensor([1], [2])
    try:
        tg.set_default_tensor_type("torch.DoubleTensor")
        assert tg.zeros(1).dtype is tg.float64
    finally:
        tg.set_default_tensor_type(tg.FloatTensor)
    with pytest.raises(TypeError, match="no floating type"):
        tg.set_default_tensor_type(tg.LongTensor)


def test_others_of_its_kind():
    x = X.double()
    assert x.new_zeros(2, 3).dtype is tg.float64
    assert x.new_ones((2,)).tolist() == [1.0, 1.0]
    assert x.new_empty(2).shape == (2,)
    assert x.new_full((2,), 7).tolist() == [7.0, 7.0]
    assert x.new_tensor([1, 2]).dtype is tg.float64
    assert x.new_tensor([1, 2], dtype=tg.int64, device="cpu").dtype is tg.int64
    assert x.new_zeros(1, requires_grad=True).requires_grad
    assert x.new([1, 2]).tolist() == [1.0, 2.0]
    with pytest.raises(RuntimeError, match=r"new_zeros: device"):
        x.new_zeros(1, device="cuda")


def test_limits_of_dtypes():
    assert tg.finfo(tg.float32).eps == np.finfo(np.float32).eps
    assert tg.finfo().bits == 32
    assert tg.finfo(tg.float64).tiny == np.finfo(np.float64).tiny
    assert (tg.iinfo(tg.uint8).min, tg.iinfo(tg.uint8).max) == (0, 255)
    with pytest.raises(TypeError, match="use iinfo"):
        tg.finfo(tg.int64)
    with pytest.raises(TypeError, match="use finfo"):
        tg.iinfo(tg.float32)


def test_promotion_can_be_asked():
    assert tg.result_type(tg.tensor([1]), 1.5) is tg.float32
    assert tg.result_type(tg.tensor([1.0]), tg.tensor(1.0, dtype=tg.float64)) is tg.float32
    assert tg.promote_types(tg.int64, tg.float16) is tg.float16
    assert tg.promote_types(tg.uint8, tg.int8) is tg.int16
    assert tg.can_cast(tg.int64, tg.float32)
    assert not tg.can_cast(tg.float32, tg.int64)


def test_switches_without_an_effect_remember_what_was_asked():
    tg.set_float32_matmul_precision("high")
    assert tg.get_float32_matmul_precision() == "high"
    tg.set_float32_matmul_precision("highest")
    with pytest.raises(ValueError, match="'highest', 'high' or 'medium'"):
        tg.set_float32_matmul_precision("low")
    tg.use_deterministic_algorithms(True)
    assert tg.are_deterministic_algorithms_enabled()
    tg.use_deterministic_algorithms(False)
    assert tg.get_num_interop_threads() == 1
    with pytest.raises(ValueError, match="use set_num_threads"):
        tg.set_num_interop_threads(2)


def test_what_needs_a_gpu_or_another_dtype_is_refused():
    with pytest.raises(RuntimeError, match="pin_memory"):
        X.pin_memory()
    with pytest.raises(RuntimeError, match="pin_memory"):
        tg.zeros(1, pin_memory=True)
    with pytest.raises(TypeError, match="half"):
        X.bfloat16()
    with pytest.raises(AttributeError, match="real and imaginary"):
        _ = tg.complex64


def test_python_functions_can_be_applied_in_place():
    assert tg.arange(3.0).apply_(lambda v: v * 2 + 1).tolist() == [1, 3, 5]
    with pytest.raises(RuntimeError, match="no derivative"):
        tg.ones(1, requires_grad=True).apply_(abs)


def test_draws_in_place():
    tg.manual_seed(0)
    x = tg.zeros(1000)
    assert set(x.random_(3).tolist()) == {0.0, 1.0, 2.0}
    assert set(x.random_(-1, 1).tolist()) == {-1.0, 0.0}
    assert set(x.bernoulli_(0.5).tolist()) == {0.0, 1.0}
    assert x.bernoulli_(tg.zeros(1000)).sum() == 0
    assert abs(x.exponential_(2.0).mean().item() - 0.5) < 0.1
    for call in (lambda: x.bernoulli_(2.0), lambda: x.exponential_(0), lambda: x.random_(0)):
        with pytest.raises(ValueError, match="must"):
            call()


def test_random_tensors_take_pytorchs_arguments():
    assert tg.rand(size=(2, 3), dtype=tg.float64, device="cpu").dtype is tg.float64
    assert tg.randn((), device=tg.device("cpu"), requires_grad=True).requires_grad
    assert tg.randint(3, (4,)).max() < 3
    assert tg.randint(low=2, high=3, size=(2, 2)).tolist() == [[2, 2], [2, 2]]
    assert tg.randint(0, 9, (2,), dtype=tg.float32).dtype is tg.float32
    assert tg.randint_like(X, 5).dtype is tg.float32
    assert tg.randint_like(X, 5, 6).unique().tolist() == [5.0]
    assert tg.rand_like(X, dtype=tg.float64).dtype is tg.float64
    assert tg.randperm(4, dtype=tg.int32, device="cpu").dtype is tg.int32
    for call in (lambda: tg.randint(3, 3, (1,)), lambda: tg.randperm(-1)):
        with pytest.raises(RuntimeError, match="must be"):
            call()
    for call in (lambda: tg.randint(3, 4), lambda: tg.randint(size=(1,)), lambda: tg.randint(1, 2, 3, (1,))):
        with pytest.raises(TypeError, match="randint"):
            call()
    with pytest.raises(RuntimeError, match="rand: device"):
        tg.rand(2, device="cuda")


def test_resizing_keeps_the_first_elements():
    x = tg.arange(6.0)
    assert x.resize_(2, 2).tolist() == [[0, 1], [2, 3]]
    assert x.resize_((5,)).tolist()[:4] == [0, 1, 2, 3]
    with pytest.raises(RuntimeError, match="reshape"):
        tg.ones(2, requires_grad=True).resize_(1)
    assert tg.zeros(2, 2).put_(tg.tensor([1, 2]), tg.tensor([5.0, 6.0])).tolist() == [[0, 5], [6, 0]]


def test_results_can_be_written_into_a_tensor():
    out = tg.zeros(3, 4)
    assert tg.mul(X, 2, out=out) is out
    assert tg.equal(out, X * 2)
    assert tg.matmul(X, X.t(), out=tg.empty(0)).shape == (3, 3)
    assert tg.rand(2, 2, out=out[:2, :2]).shape == (2, 2)
    values, places = tg.empty(3), tg.empty(3, dtype=tg.int64)
    assert tg.max(X, 1, out=(values, places)).values is values
    assert places.tolist() == [3, 3, 3]
    for call, error, message in (
        (lambda: tg.mul(X, 2, out=tg.zeros(2)), UserWarning, r"mul: out has shape \(2,\), the result \(3, 4\)"),
        (lambda: tg.mm(X, X.t(), out=tg.zeros(3, 3).double()), RuntimeError, "mm: out has dtype float64, the result f"),
        (lambda: tg.mul(X, 2, out=tg.zeros(1).expand(3, 4)), RuntimeError, "share their place"),
        (lambda: tg.mul(X, 2, out=3), TypeError, "mul: out is int"),
        (lambda: tg.max(X, 1, out=values), TypeError, "a tuple of 2 tensors"),
        (lambda: tg.mul(X, 2.5, out=tg.zeros(3, 4, dtype=tg.int64)), RuntimeError, "does not fit"),
        (lambda: tg.mul(tg.ones(2, requires_grad=True), 2, out=tg.zeros(2)), RuntimeError, "cannot carry a gradient"),
    ):
        with pytest.raises(error, match=message):
            call()


def test_what_is_made_takes_the_dtype_of_out_and_sums_are_computed_in_it():
    out = tg.zeros(3, dtype=tg.float64)
    assert tg.linspace(0, 1, 3, out=out) is out
    assert out[1] == 0.5
    assert tg.ones(2, out=tg.empty(0, dtype=tg.int64)).dtype is tg.int64
    assert tg.cumsum(tg.tensor([0.5, 0.7]), 0, out=tg.empty(2, dtype=tg.int64)).tolist() == [0, 0]
    with pytest.raises(RuntimeError, match="zeros: out has dtype float64"):
        tg.zeros(2, dtype=tg.float32, out=out)


def test_a_number_is_refused_where_pytorch_takes_a_tensor():
    for call in (lambda: tg.maximum(2, X), lambda: tg.maximum(X, 2), lambda: tg.eq(2, X), lambda: tg.fmod(2, X)):
        with pytest.raises(TypeError, match="is the number 2; expected a Tensor or an array"):
            call()
    assert tg.eq(X, 2).any()


def test_a_tensor_without_dims_is_formatted_as_its_number():
    loss = tg.tensor(17.0)
    assert (f"{loss}", f"{loss:.2f}", f"{loss!r}") == ("17.0", "17.00", "tensor(17.)")
    assert f"{tg.tensor(3, requires_grad=False)} {tg.tensor(True)}" == "3 True"
    assert f"{tg.ones(1)}" == "tensor([1.])"
    assert f"{tg.nn.Parameter(tg.tensor(2.0))}" == "Parameter containing:\ntensor(2., requires_grad=True)"
    with pytest.raises(TypeError, match="unsupported format string"):
        f"{tg.ones(2):.2f}"
