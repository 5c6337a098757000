"""What ends in ``_copy`` gives what the function without the ending gives, in memory of its own."""

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.ops import copies

X = tg.arange(12.0).reshape(3, 4)
ARGUMENTS = {
    "as_strided_copy": ((2, 2), (1, 2), 3),
    "expand_copy": (2, 3, 4),
    "narrow_copy": (1, 1, 2),
    "permute_copy": (1, 0),
    "select_copy": (0, 1),
    "split_copy": (2,),
    "split_with_sizes_copy": ((1, 2),),
    "transpose_copy": (0, 1),
    "unfold_copy": (1, 2, 1),
    "unsqueeze_copy": (1,),
    "view_copy": (4, 3),
}


@pytest.mark.parametrize("name", copies.__all__)
def test_a_copy_has_the_values_of_the_view(name):
    args = ARGUMENTS.get(name, ())
    found = getattr(tg, name)(X, *args)
    known = {"alias_copy": lambda x: x, "unfold_copy": tg.Tensor.unfold, "view_copy": tg.Tensor.view}
    view = known.get(name) or getattr(tg, name.removesuffix("_copy"))
    expected = view(X, *args)
    if not isinstance(found, tuple):
        found, expected = (found,), (expected,)
    for a, b in zip(found, expected, strict=True):
        assert tg.equal(a, b)
        assert np.may_share_memory(b.numpy(), X.numpy())
        assert not np.may_share_memory(a.numpy(), X.numpy())


def test_a_copy_writes_into_out_of_its_dtype():
    out = tg.zeros(4, 3)
    assert tg.t_copy(X, out=out) is out
    assert tg.equal(out, X.t())
    with pytest.raises(RuntimeError, match="t: out has dtype float64, the result float32"):
        tg.t_copy(X, out=out.double())


def test_a_diagonal_can_be_replaced():
    x = tg.zeros(2, 3, 4, requires_grad=True)
    src = tg.ones(4, 1, requires_grad=True)
    y = tg.diagonal_scatter(x, src, -1, 0, 1)
    assert tg.equal(tg.diagonal(y, -1, 0, 1), src)
    y.sum().backward()
    assert x.grad.sum().item() == 20
    with pytest.raises(ValueError, match=r"diagonal_scatter: src has shape \(3,\); the diagonal has shape \(4, 2\)"):
        tg.diagonal_scatter(x, tg.ones(3))


def test_few_singular_values_are_those_of_the_whole_matrix():
    a = tg.randn(8, 2, dtype=tg.float64) @ tg.randn(2, 6, dtype=tg.float64)
    for given in (a, a.t()):
        u, s, v = tg.svd_lowrank(given, 2)
        assert tg.allclose(u * s @ v.t(), given)
        assert tg.allclose(s, tg.linalg.svdvals(given)[:2])
        assert tg.allclose(tg.svd_lowrank(given, 2, M=given / 2)[1], s / 2)
    u, s, v = tg.pca_lowrank(a, 2)
    assert tg.allclose(u * s @ v.t(), a - a.mean(0))
    assert tg.allclose(tg.pca_lowrank(a, 2, center=False)[1], tg.linalg.svdvals(a)[:2])
    with pytest.raises(ValueError, match="pca_lowrank: q is 7; it must lie between 0 and 6"):
        tg.pca_lowrank(a, 7)
    with pytest.raises(ValueError, match="pca_lowrank: niter is -1"):
        tg.pca_lowrank(a, 2, niter=-1)
