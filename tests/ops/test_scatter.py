"""Scatter and gather at their edges: single numbers, empty indices, and the derivatives of the largest and smallest."""

import numpy as np
import pytest

import tinygrad_cnn as tg


def test_a_single_number_is_read_and_written_as_one_row():
    x, zero = tg.tensor(3.0), tg.tensor(0)
    assert tg.gather(x, 0, zero).tolist() == 3.0
    assert tg.scatter(x, 0, zero, tg.tensor(5.0)).shape == ()
    assert tg.scatter_add(x, 0, tg.tensor([0, 0]), tg.tensor([1.0, 2.0])).tolist() == 6.0
    assert tg.scatter_reduce(x, 0, zero, tg.tensor(5.0), "mean").tolist() == 4.0
    assert tg.index_select(x, 0, tg.tensor([0])).shape == ()


def test_an_empty_index_reads_nothing_and_changes_nothing():
    x, empty = tg.tensor([1.0, 2.0]), tg.empty(2, 0, dtype=tg.int64)
    assert tg.gather(x, 0, empty).shape == (2, 0)
    for changed in (tg.scatter(x, 0, empty, 5.0), tg.scatter_add(x, 0, empty, tg.empty(2, 0))):
        assert changed is not x
        assert changed.tolist() == [1, 2]


def test_the_largest_share_the_gradient():
    x = tg.tensor([3.0, 1.0, 7.0], requires_grad=True)
    src = tg.tensor([3.0, 3.0, 2.0], requires_grad=True)
    y = tg.scatter_reduce(x, 0, tg.tensor([0, 0, 1]), src, "amax")
    assert y.tolist() == [3, 2, 7]
    y.sum().backward()
    assert np.allclose(x.grad, [1 / 3, 0, 1])
    assert np.allclose(src.grad, [1 / 3, 1 / 3, 1])
    without = tg.scatter_reduce(x, 0, tg.tensor([0, 0, 1]), src, "amin", include_self=False)
    assert without.tolist() == [3, 2, 7]


def test_integers_are_reduced_as_integers():
    x, index = tg.tensor([5, -1, 4]), tg.tensor([0, 0, 1])
    src = tg.tensor([1, 1, -4])
    assert tg.scatter_reduce(x, 0, index, src, "mean").tolist() == [2, -3, 4]
    assert tg.scatter_reduce(x, 0, index, src, "amax", include_self=False).tolist() == [1, -4, 4]


def test_slices_are_reduced():
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]])
    source = tg.tensor([[5.0, 1.0], [7.0, 1.0]])
    index = tg.tensor([0, 0])
    assert tg.index_reduce(x, 0, index, source, "amax").tolist() == [[7, 2], [3, 4]]
    assert tg.index_reduce(x, 0, index, source, "mean", include_self=False).tolist() == [[6, 1], [3, 4]]
    assert tg.index_reduce(x, 0, index, source, "prod").tolist() == [[35, 2], [3, 4]]
    with pytest.raises(ValueError, match="index_reduce: reduce is 'sum'"):
        tg.index_reduce(x, 0, index, source, "sum")


def test_wrong_parts_and_signs_are_explained():
    with pytest.raises(TypeError, match="tensor_split: got 'abc'; expected how many parts"):
        tg.hsplit(tg.ones(2, 2), "abc")
    with pytest.raises(RuntimeError, match="neg: input has dtype bool"):
        tg.neg(tg.tensor([True]))


def test_what_does_not_fit_is_explained():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="scatter: the inputs have dtypes"):
        tg.scatter(x, 0, tg.tensor([0]), tg.tensor([1.0], dtype=tg.float64))
    with pytest.raises(TypeError, match="cat: got one Tensor"):
        tg.cat(x)
    with pytest.raises(RuntimeError, match="cat: tensor 0 has no dims"):
        tg.cat([tg.tensor(1.0), tg.tensor(2.0)])
    assert tg.cat([tg.empty(0), tg.ones(2, 1)], 1).shape == (2, 1)


def test_the_derivative_of_a_scattered_product_is_the_product_of_the_others_also_at_zeros():
    x = tg.tensor([2.0, 3.0, 5.0], dtype=tg.float64, requires_grad=True)
    src = tg.tensor([0.0, 4.0, 7.0, 0.0, 6.0], dtype=tg.float64, requires_grad=True)
    y = tg.scatter_reduce(x, 0, tg.tensor([0, 0, 0, 1, 1]), src, "prod")
    assert y.tolist() == [0.0, 0.0, 5.0]
    first = tg.autograd.grad(y.sum(), [x, src], create_graph=True)
    assert [g.tolist() for g in first] == [[0.0, 0.0, 1.0], [56.0, 0.0, 0.0, 18.0, 0.0]]
    (second,) = tg.autograd.grad(first[1][0], [src])
    assert second.tolist() == [0.0, 14.0, 8.0, 0.0, 0.0]
    (alone,) = tg.autograd.grad(
        tg.scatter_reduce(x, 0, tg.tensor([0]), src[1:2], "prod", include_self=False).sum(), [x]
    )
    assert alone.tolist() == [0.0, 1.0, 1.0]


def test_polynomials_have_the_dtype_of_their_arguments_together_also_of_numbers_and_integers():
    single, whole = tg.ones(2), tg.ones(2, dtype=tg.int64)
    for x, n in ((single, whole), (whole, single), (whole, whole), (1, whole), (1.5, single), (single, 2)):
        for name in ("legendre_polynomial_p", "chebyshev_polynomial_t", "shifted_chebyshev_polynomial_t"):
            y = getattr(tg.special, name)(x, n)
            assert isinstance(y, tg.Tensor)
            assert y.dtype == tg.float32
