"""Scatter and gather at their edges: single numbers, empty indices, and the derivatives of the largest and smallest."""

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.gradcheck import Verdict, gradgradcheck


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


def empty(*shape):
    return tg.zeros(*shape, dtype=tg.float64, requires_grad=True)


EMPTY = {
    "an index that takes nothing": lambda x, v: x[:, [], :],
    "an integer apart from arrays": lambda x, v: x[None, 0, None, [0, 1]],
    "nothing, an integer apart from arrays": lambda x, v: x[None, 0, None, np.zeros((0, 1), np.int64)],
    "a mask of nothing": lambda x, v: x[tg.zeros(3, dtype=tg.bool)],
    "index_put": lambda x, v: x.index_put((tg.zeros(0, dtype=tg.int64),), v),
    "index_put added": lambda x, v: x.index_put((tg.zeros(0, dtype=tg.int64),), v, accumulate=True),
    "index_add": lambda x, v: x.index_add(0, tg.zeros(0, dtype=tg.int64), v),
    "index_copy": lambda x, v: x.index_copy(0, tg.zeros(0, dtype=tg.int64), v),
    "index_fill": lambda x, v: x.index_fill(0, tg.zeros(0, dtype=tg.int64), 2.0),
    "index_reduce": lambda x, v: x.index_reduce(0, tg.zeros(0, dtype=tg.int64), v, "amax"),
    "index_select": lambda x, v: x.index_select(1, tg.zeros(0, dtype=tg.int64)),
    "gather": lambda x, v: x.gather(1, tg.zeros(3, 0, 4, dtype=tg.int64)),
    "scatter": lambda x, v: x.scatter(0, tg.zeros(0, 2, 4, dtype=tg.int64), v),
    "scatter_add": lambda x, v: x.scatter_add(0, tg.zeros(0, 2, 4, dtype=tg.int64), v),
    "scatter_reduce": lambda x, v: x.scatter_reduce(0, tg.zeros(0, 2, 4, dtype=tg.int64), v, "sum"),
    "masked_scatter": lambda x, v: x.masked_scatter(tg.zeros(3, 2, 4, dtype=tg.bool), v),
    "masked_fill": lambda x, v: x.masked_fill(tg.zeros(3, 2, 4, dtype=tg.bool), 2.0),
    "masked_select": lambda x, v: x.masked_select(tg.zeros(3, 2, 4, dtype=tg.bool)),
    "put": lambda x, v: x.put(tg.zeros(0, dtype=tg.int64), v.reshape(-1)),
    "put added": lambda x, v: x.put(tg.zeros(0, dtype=tg.int64), v.reshape(-1), accumulate=True),
    "take": lambda x, v: x.take(tg.zeros(0, dtype=tg.int64)),
    "take_along_dim": lambda x, v: x.take_along_dim(tg.zeros(3, 0, 4, dtype=tg.int64), 1),
    "slice_scatter": lambda x, v: x.slice_scatter(v, 0, 1, 1),
    "nothing written to": lambda x, v: v.scatter_add(1, tg.zeros(0, 0, 4, dtype=tg.int64), v),
    "nothing selected to": lambda x, v: v.select_scatter(v.select(1, 0) * 2, 1, 1),
    "nothing on the diagonal": lambda x, v: v.diagonal_scatter(v.diagonal() * 2),
}


@pytest.mark.parametrize("name", EMPTY)
def test_what_is_written_or_read_nowhere_has_derivatives_to_second_order(name):
    x = tg.tensor(np.random.default_rng(0).standard_normal((3, 2, 4)), requires_grad=True)
    v = empty(0, 2, 4)
    y = EMPTY[name](x, v)
    cotangent = tg.ones_like(y).requires_grad_()
    first = tg.autograd.grad(y, (x, v), cotangent, create_graph=True, allow_unused=True, materialize_grads=True)
    assert [g.shape for g in first] == [x.shape, v.shape]
    recorded = [g for g in first if g.requires_grad]
    second = tg.autograd.grad(
        recorded, cotangent, [tg.ones_like(g) for g in recorded], retain_graph=True, allow_unused=True
    )
    assert all(g is None or g.shape == y.shape for g in second)
    for back in recorded:
        (again,) = tg.autograd.grad(back, cotangent, tg.ones_like(back), retain_graph=True, allow_unused=True)
        assert again is None or again.shape == y.shape
    report = gradgradcheck(EMPTY[name], (x, v), raise_exception=False)
    assert report.verdict is not Verdict.FAIL or "no output has a derivative" in report.problem
