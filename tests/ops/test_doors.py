"""What users call: compositions against NumPy's own functions, options against definitions, and every error."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn import ops

R = np.random.default_rng(0)
X, Y, Z = R.normal(size=(3, 4)), R.normal(size=(3, 4)), R.normal(size=(2, 3, 4))
SQUARE = R.normal(size=(4, 4))
LABELS = np.array([2, 0, 3])
IMAGE = R.normal(size=(2, 3, 7, 6))


def log_softmax(x):
    return x - np.log(np.exp(x).sum(1, keepdims=True))


SAME = {
    "pow of two arrays": (lambda: ops.pow(np.abs(X), Y), lambda: np.abs(X) ** Y),
    "pow of a number and an array": (lambda: ops.pow(2.0, Y), lambda: 2.0**Y),
    "softplus": (lambda: ops.softplus(X, beta=2), lambda: np.log1p(np.exp(2 * X)) / 2),
    "softplus is linear far out": (lambda: ops.softplus(np.array([25.0, 1e6])), lambda: np.array([25.0, 1e6])),
    "gelu": (lambda: ops.gelu(X), lambda: X * np.vectorize(lambda t: (1 + math.erf(t / math.sqrt(2))) / 2)(X)),
    "gelu by tanh is near": (lambda: np.abs(ops.gelu(X, "tanh") - ops.gelu(X)) < 1e-3, lambda: np.ones((3, 4), bool)),
    "square": (lambda: ops.square(X), lambda: X**2),
    "reciprocal": (lambda: ops.reciprocal(X), lambda: 1 / X),
    "leaky_relu": (lambda: ops.leaky_relu(X, 0.1), lambda: np.maximum(X, 0.1 * X)),
    "elu": (lambda: ops.elu(X, 2.0), lambda: np.where(X > 0, X, 2 * np.expm1(X))),
    "hardtanh": (lambda: ops.hardtanh(X, -0.5, 0.25), lambda: np.clip(X, -0.5, 0.25)),
    "clamp": (lambda: ops.clamp(X, max=0.1), lambda: np.minimum(X, 0.1)),
    "masked_fill": (lambda: ops.masked_fill(X, X > 0, 9.0), lambda: np.where(X > 0, 9.0, X)),
    "max with an array": (lambda: ops.max(X, Y), lambda: np.maximum(X, Y)),
    "max along a dim": (lambda: ops.max(X, 1).indices, lambda: np.argmax(X, 1)),
    "min along a dim": (lambda: ops.min(X, -2, keepdim=True).values, lambda: X.min(0, keepdims=True)),
    "max of a number": (lambda: ops.max(tg.tensor(3.0), 0).values.numpy(), lambda: 3.0),
    "sum in another dtype": (lambda: ops.sum(np.ones(3, np.uint8), dtype=np.float64), lambda: 3.0),
    "norm": (lambda: ops.norm(X, "fro"), lambda: np.linalg.norm(X)),
    "norm of order -inf": (lambda: ops.norm(X, -math.inf, 1), lambda: np.abs(X).min(1)),
    "movedim": (lambda: ops.movedim(Z, 0, -1), lambda: np.moveaxis(Z, 0, -1)),
    "unflatten": (lambda: ops.unflatten(X, 1, (2, -1)), lambda: X.reshape(3, 2, 2)),
    "flatten some": (lambda: ops.flatten(IMAGE, 1, 2), lambda: IMAGE.reshape(2, 21, 6)),
    "flatten of a number": (lambda: ops.flatten(np.array(3.0)), lambda: np.array([3.0])),
    "squeeze": (lambda: ops.squeeze(Z[:1, :, :1], -1), lambda: Z[:1, :, 0]),
    "unsqueeze at the end": (lambda: ops.unsqueeze(X, -1), lambda: X[..., None]),
    "expand with -1": (lambda: ops.expand(X[:, :1], 2, -1, 4), lambda: np.broadcast_to(X[:, :1], (2, 3, 4))),
    "repeat": (lambda: ops.repeat(X, 2, 1, 3), lambda: np.tile(X, (2, 1, 3))),
    "roll flat": (lambda: ops.roll(X, 5), lambda: np.roll(X, 5)),
    "roll two dims": (lambda: ops.roll(X, (1, -2), (0, 1)), lambda: np.roll(X, (1, -2), (0, 1))),
    "cat": (lambda: ops.cat([Z, Z[:, :1]], -2), lambda: np.concatenate([Z, Z[:, :1]], 1)),
    "stack": (lambda: ops.stack([X, Y], -1), lambda: np.stack([X, Y], -1)),
    "split by sizes": (lambda: ops.split(X, [1, 0, 3], 1)[2], lambda: X[:, 1:]),
    "split by size": (lambda: [p.shape[0] for p in ops.split(X, 2)], lambda: [2, 1]),
    "split of nothing": (lambda: [p.shape[0] for p in ops.split(X[:0], 2)], lambda: [0]),
    "chunk": (lambda: [p.shape[1] for p in ops.chunk(X, 3, 1)], lambda: [2, 2]),
    "unbind": (lambda: ops.unbind(X, 1)[3], lambda: X[:, 3]),
    "pad": (lambda: ops.pad(X, (1, 2), value=7), lambda: np.pad(X, ((0, 0), (1, 2)), constant_values=7)),
    "pad by cropping": (lambda: ops.pad(X, (-1, 1, 0, -2)), lambda: np.pad(X[:1, 1:], ((0, 0), (0, 1)))),
    "pad by reflection": (lambda: ops.pad(X, (3, 2, 1, 0), "reflect"), lambda: np.pad(X, ((1, 0), (3, 2)), "reflect")),
    "pad by the edge": (lambda: ops.pad(X, (5, 0), "replicate"), lambda: np.pad(X, ((0, 0), (5, 0)), "edge")),
    "pad around": (lambda: ops.pad(X, (4, 1), "circular"), lambda: np.pad(X, ((0, 0), (4, 1)), "wrap")),
    "diagonal": (lambda: ops.diagonal(Z, 1, 2, 0), lambda: np.diagonal(Z, 1, 2, 0)),
    "index_select": (lambda: ops.index_select(X, 1, np.array([3, -1, 0])), lambda: X[:, [3, 3, 0]]),
    "one_hot": (lambda: ops.one_hot(LABELS), lambda: np.eye(4)[LABELS]),
    "embedding": (lambda: ops.embedding(LABELS, SQUARE), lambda: SQUARE[LABELS]),
    "embedding with padding": (lambda: ops.embedding(LABELS, SQUARE, -1), lambda: SQUARE[LABELS]),
    "sort descending": (lambda: ops.sort(X, 0, True).values, lambda: -np.sort(-X, 0)),
    "sort of a number": (lambda: ops.sort(np.array(1.0)).values, lambda: 1.0),
    "topk smallest": (lambda: ops.topk(X, 2, 0, largest=False).indices, lambda: np.argsort(X, 0)[:2]),
    "masked_select": (lambda: ops.masked_select(X, X[:1] > 0), lambda: X[:, X[0] > 0].ravel()),
    "matmul of vectors": (lambda: ops.matmul(X[0], Y[0]), lambda: X[0] @ Y[0]),
    "matmul of a vector and matrices": (lambda: ops.matmul(X[:, 0], Z), lambda: X[:, 0] @ Z),
    "matmul of matrices and a vector": (lambda: ops.matmul(Z, X[0]), lambda: Z @ X[0]),
    "mm": (lambda: ops.mm(X, SQUARE), lambda: X @ SQUARE),
    "bmm": (lambda: ops.bmm(Z, Z.swapaxes(1, 2)), lambda: Z @ Z.swapaxes(1, 2)),
    "dot": (lambda: ops.dot(X[0], Y[0]), lambda: np.dot(X[0], Y[0])),
    "outer": (lambda: ops.outer(X[0], Y[:, 0]), lambda: np.outer(X[0], Y[:, 0])),
    "linear without bias": (lambda: ops.linear(Z, Y), lambda: Z @ Y.T),
    "linear to a number": (lambda: ops.linear(Z, Y[0], np.array(2.0)), lambda: Z @ Y[0] + 2),
    "einsum": (lambda: ops.einsum("ij,kj->ik", X, Y), lambda: X @ Y.T),
    "einsum without an arrow": (lambda: ops.einsum("ba,bc", X, Y), lambda: X.T @ Y),
    "einsum of a trace": (lambda: ops.einsum("ii", SQUARE), lambda: np.trace(SQUARE)),
    "einsum of a diagonal": (lambda: ops.einsum("ii->i", [SQUARE]), lambda: np.diag(SQUARE)),
    "einsum with dots": (lambda: ops.einsum("...ij,jk->...ik", Z, SQUARE), lambda: Z @ SQUARE),
    "einsum with dots and no arrow": (lambda: ops.einsum("...a,a", Z, X[0]), lambda: Z @ X[0]),
    "softmax in another dtype": (lambda: ops.softmax(np.zeros(2, np.float32), 0, np.float64), lambda: np.full(2, 0.5)),
    "log_softmax": (lambda: ops.log_softmax(X, 1, np.float64), lambda: log_softmax(X)),
    "cross_entropy": (lambda: ops.cross_entropy(X, LABELS), lambda: -log_softmax(X)[range(3), LABELS].mean()),
    "cross_entropy of one row": (lambda: ops.cross_entropy(X[0], np.array(2)), lambda: -log_softmax(X[:1])[0, 2]),
    "cross_entropy of one row, none": (
        lambda: ops.cross_entropy(X[0], np.array(2), reduction="none"),
        lambda: -log_softmax(X[:1])[0, 2],
    ),
    "cross_entropy with ignored rows": (
        lambda: ops.cross_entropy(X, np.array([2, -100, 3])),
        lambda: -log_softmax(X)[[0, 2], [2, 3]].mean(),
    ),
    "cross_entropy with weights": (
        lambda: ops.cross_entropy(X, LABELS, np.array([1.0, 2, 3, 4])),
        lambda: -(log_softmax(X)[range(3), LABELS] * [3, 1, 4]).sum() / 8,
    ),
    "cross_entropy of each row": (
        lambda: ops.cross_entropy(X, LABELS, reduction="none"),
        lambda: -log_softmax(X)[range(3), LABELS],
    ),
    "cross_entropy with smooth labels": (
        lambda: ops.cross_entropy(X, LABELS, label_smoothing=0.2, reduction="sum"),
        lambda: -(log_softmax(X) * (0.8 * np.eye(4)[LABELS] + 0.05)).sum(),
    ),
    "cross_entropy with smooth labels, mean and each": (
        lambda: [
            ops.cross_entropy(X, LABELS, label_smoothing=0.2),
            ops.cross_entropy(X, LABELS, label_smoothing=0.2, reduction="none").mean(),
        ],
        lambda: [-(log_softmax(X) * (0.8 * np.eye(4)[LABELS] + 0.05)).sum() / 3] * 2,
    ),
    "cross_entropy with probabilities": (
        lambda: ops.cross_entropy(X, np.full((3, 4), 0.25)),
        lambda: -log_softmax(X).mean(),
    ),
    "cross_entropy with smooth probabilities of each": (
        lambda: ops.cross_entropy(X, np.eye(4)[LABELS], label_smoothing=0.2, reduction="none"),
        lambda: -(log_softmax(X) * (0.8 * np.eye(4)[LABELS] + 0.05)).sum(1),
    ),
    "cross_entropy of images": (
        lambda: ops.cross_entropy(Z.transpose(2, 1, 0)[None], np.array([[[0, 1], [2, 3], [1, 1]]])),
        lambda: ops.cross_entropy(Z.transpose(1, 0, 2).reshape(6, 4), np.array([0, 1, 2, 3, 1, 1])),
    ),
    "cross_entropy of only ignored rows": (lambda: ops.cross_entropy(X, np.full(3, -100)), lambda: math.nan),
    "nll_loss": (lambda: ops.nll_loss(log_softmax(X), LABELS), lambda: -log_softmax(X)[range(3), LABELS].mean()),
    "nll_loss of one row": (lambda: ops.nll_loss(X[0], np.array(2), reduction="none"), lambda: -X[0, 2]),
    "nll_loss summed": (lambda: ops.nll_loss(X, LABELS, reduction="sum"), lambda: -X[range(3), LABELS].sum()),
    "layer_norm": (
        lambda: ops.layer_norm(X, (4,), np.full(4, 2.0), np.ones(4), 0.0),
        lambda: (X - X.mean(1, keepdims=True)) / X.std(1, keepdims=True) * 2 + 1,
    ),
    "batch_norm": (
        lambda: ops.batch_norm(IMAGE, None, np.ones(3), 0.0),
        lambda: (IMAGE - IMAGE.mean((0, 2, 3), keepdims=True)) / IMAGE.std((0, 2, 3), keepdims=True) + 1,
    ),
    "dropout of nothing": (lambda: ops.dropout(X, 0.0, R), lambda: X),
    "dropout of all": (lambda: ops.dropout(X, 1.0, R), lambda: X * 0),
    "conv2d of one image": (
        lambda: ops.conv2d(IMAGE[0], np.ones((1, 3, 1, 1)), np.array([2.0])),
        lambda: IMAGE[0].sum(0, keepdims=True) + 2,
    ),
    "conv1d": (
        lambda: ops.conv1d(X[:, None], np.array([[[1.0, 10.0]]]), stride=2, padding=(1,)),
        lambda: np.stack([10 * X[:, 0], X[:, 1] + 10 * X[:, 2], X[:, 3]], 1)[:, None],
    ),
    "conv_transpose2d of one image": (
        lambda: ops.conv_transpose2d(X[None], np.ones((1, 1, 2, 2)), np.array([1.0]), stride=2),
        lambda: np.kron(X, np.ones((2, 2)))[None] + 1,
    ),
    "max_pool2d of one image": (
        lambda: ops.max_pool2d(IMAGE[0], 7, padding=(0, 3), stride=(1, 9), return_indices=True)[0].shape,
        lambda: (3, 1, 1),
    ),
    "max_pool2d": (
        lambda: ops.max_pool2d(IMAGE[:, :, :6], (3, 2)),
        lambda: IMAGE[:, :, :6].reshape(2, 3, 2, 3, 3, 2).max((3, 5)),
    ),
    "avg_pool2d of one image": (
        lambda: ops.avg_pool2d(IMAGE[0, :, :6], 2),
        lambda: IMAGE[0, :, :6].reshape(3, 3, 2, 3, 2).mean((2, 4)),
    ),
    "avg_pool2d with a divisor": (
        lambda: ops.avg_pool2d(IMAGE, (7, 6), divisor_override=1)[..., 0, 0],
        lambda: IMAGE.sum((2, 3)),
    ),
    "adaptive_avg_pool2d": (
        lambda: ops.adaptive_avg_pool2d(IMAGE[:, :, :6], (3, None)),
        lambda: IMAGE[:, :, :6].reshape(2, 3, 3, 2, 6).mean(3),
    ),
    "adaptive_avg_pool2d to one": (
        lambda: ops.adaptive_avg_pool2d(IMAGE, 1),
        lambda: IMAGE.mean((2, 3), keepdims=True),
    ),
}


@pytest.mark.filterwarnings("ignore:.*the mean of no loss:tinygrad_cnn.MistakeWarning")
@pytest.mark.parametrize("name", SAME)
def test_values(name):
    found, expected = (side() for side in SAME[name])
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@given(st.integers(1, 9), st.integers(1, 9))
def test_adaptive_windows_are_those_of_their_definition(n, parts):
    x = np.arange(n, dtype=float).reshape(1, 1, n) ** 2
    expected = [np.mean(x[0, 0, k * n // parts : math.ceil((k + 1) * n / parts)]) for k in range(parts)]
    np.testing.assert_allclose(ops.adaptive_avg_pool2d(x, (1, parts))[0, 0], expected)


W = np.zeros((4, 3, 3, 3))
ERRORS = [
    (lambda: ops.add(X, Z[:, :, :3]), ValueError, r"add: shapes \(3, 4\) and \(2, 3, 3\) do not broadcast; from the"),
    (lambda: ops.max(X, np.ones(3)), ValueError, r"max: shapes \(3, 4\) and \(3,\) do not broadcast"),
    (lambda: ops.sum(X, 1.0), TypeError, r"sum: dim must be an integer, several of them or None, not 1\.0"),
    (lambda: ops.sum(X, True), TypeError, "sum: dim must be an integer, not True"),
    (lambda: ops.sum(X, 2), IndexError, "sum: dim 2 is out of range; the input has dims -2 to 1"),
    (lambda: ops.cumsum(np.array(1.0), 1), IndexError, r"cumsum: dim 1 is out of range; the input has dims -1 to 0"),
    (lambda: ops.mean(X, (0, -2)), ValueError, r"mean: dim \(0, -2\) names one dim twice"),
    (lambda: ops.argmax(X[:0]), ValueError, r"argmax: input of shape \(0, 4\) has no elements"),
    (lambda: ops.norm(X, "max"), ValueError, "norm: p is 'max'; it must be a number, 'fro' or, of matrices, 'nuc'"),
    (lambda: ops.gelu(X, "exact"), ValueError, "gelu: approximate is 'exact'; it must be 'none' or 'tanh'"),
    (lambda: ops.hardtanh(X, 1, 0), ValueError, "hardtanh: min_val 1 is larger than max_val 0"),
    (lambda: ops.clamp(X), ValueError, "clamp: both min and max are None; give at least one of them"),
    (lambda: ops.reshape(X, -1, -1), ValueError, r"reshape: shape \(-1, -1\) is not valid; at most one size may be -1"),
    (lambda: ops.reshape(X, 5, -1), ValueError, r"reshape: cannot work out -1 in \(5, -1\) .* \(3, 4\) \(12 elements"),
    (lambda: ops.reshape(X, 5), ValueError, r"reshape: input of shape \(3, 4\) has 12 elements, shape \(5,\) has 5"),
    (lambda: ops.permute(X, 0), ValueError, r"permute: dims \(0,\) name 1 of the input's 2 dims; name every one once"),
    (lambda: ops.t(Z), ValueError, r"t: input has shape \(2, 3, 4\); expected at most 2 dims, use \.mT or permute"),
    (lambda: ops.flatten(X, 1, 0), ValueError, "flatten: start_dim 1 comes after end_dim 0"),
    (lambda: ops.expand(X, 3, 5), ValueError, r"expand: input of shape \(3, 4\) cannot be expanded to \(3, 5\); only"),
    (lambda: ops.broadcast_to(X, (4,)), ValueError, r"broadcast_to: input of shape \(3, 4\) is larger than \(4,\)"),
    (lambda: ops.repeat(X, 2), ValueError, r"repeat: repeats \(2,\) for an input of shape \(3, 4\); give one number"),
    (lambda: ops.roll(X, (1, 2), 0), ValueError, "roll: 2 shifts for 1 dims; give one shift per dim"),
    (lambda: ops.cat([]), ValueError, "cat: got no tensors; expected at least one"),
    (lambda: ops.cat([X, Z]), ValueError, r"cat: tensor 1 has shape \(2, 3, 4\), tensor 0 has \(3, 4\); they may"),
    (lambda: ops.stack([]), ValueError, r"stack: expected one or more tensors of one shape, got shapes \[\]"),
    (lambda: ops.split(X, 0), ValueError, "split: the size of a part is 0; it must be at least 1"),
    (lambda: ops.split(X, [1, 1]), ValueError, r"split: sections \[1, 1\] do not add up to 3, the size of dim 0"),
    (lambda: ops.chunk(X, 0), ValueError, "chunk: chunks is 0; it must be at least 1"),
    (lambda: ops.pad(X, (1,)), ValueError, r"pad: 1 widths for an input of shape \(3, 4\); give \(before, after\)"),
    (lambda: ops.pad(X, (-3, -2)), ValueError, r"pad: widths \(-3, -2\) take more than the 4 elements"),
    (lambda: ops.pad(X, (1, 1), "mirror"), ValueError, "pad: mode is 'mirror'; it must be 'constant', 'reflect'"),
    (lambda: ops.pad(X, (4, 0), "reflect"), ValueError, r"pad: widths \(4, 0\) are too large for mode 'reflect' on a"),
    (lambda: ops.tril(X[0]), ValueError, r"tril: input has shape \(4,\); expected at least 2 dims"),
    (lambda: ops.diagonal(X, 0, 1, -1), ValueError, "diagonal: dim1 and dim2 are both 1; they must differ"),
    (lambda: ops.getitem(X, (0, 0, 0)), IndexError, r"getitem: .*input of shape \(3, 4\), index \(0, 0, 0\)"),
    (lambda: ops.getitem(X, "a"), IndexError, r"getitem: an index of dtype <U1 .*expected integers, slices"),
    (lambda: ops.setitem(X, 0, np.ones(3)), ValueError, r"setitem: .*index 0, value of shape \(3,\)"),
    (lambda: ops.gather(X, 0, np.zeros((1, 5), int)), ValueError, r"gather: index has shape \(1, 5\), input \(3, 4\);"),
    (lambda: ops.scatter_add(X, 0, np.zeros((2, 4), int), X[:1]), ValueError, r"scatter_add: src has shape \(1, 4\)"),
    (lambda: ops.scatter_add(X, 1, np.full((1, 1), 4), X), IndexError, "scatter_add: index contains 4; valid are 0"),
    (lambda: ops.index_select(X, 0, np.array([3])), IndexError, "index_select: index contains 3; valid are -3 to 2"),
    (lambda: ops.index_select(X, 0, np.zeros((1, 1), int)), ValueError, r"index_select: index has shape \(1, 1\); exp"),
    (lambda: ops.one_hot(X), TypeError, r"one_hot: input has dtype float64; expected integers, convert it with .long"),
    (lambda: ops.one_hot(np.array([-1])), IndexError, "one_hot: input contains -1"),
    (lambda: ops.embedding(LABELS, SQUARE, 4), ValueError, "embedding: padding_idx 4 is out of range for 4 rows"),
    (lambda: ops.embedding(LABELS, X[0]), ValueError, r"embedding: weight has shape \(4,\); expected 2 dims"),
    (lambda: ops.topk(X, 5), ValueError, r"topk: k is 5, out of range: dim -1 of shape \(3, 4\) has not so many"),
    (lambda: ops.masked_select(X, np.ones(3, bool)), ValueError, "masked_select: shapes"),
    (lambda: ops.matmul(np.array(2.0), X), ValueError, r"matmul: shapes \(\) and \(3, 4\); each needs at least 1 dim"),
    (lambda: ops.matmul(X, X), ValueError, r"matmul: shapes .* the last dim of the first is 4, the second to last"),
    (lambda: ops.matmul(X, X[:, 0]), ValueError, "the only dim of the second is 3; they must be equal"),
    (lambda: ops.matmul(Z, Z[[0, 0, 0]].swapaxes(1, 2)), ValueError, r"matmul: the batch dims \(2,\) and \(3,\)"),
    (lambda: ops.mm(X, X[0]), ValueError, r"mm: mat2 has shape \(4,\); expected 2 dims, \(k, m\)"),
    (lambda: ops.bmm(Z, Z[:1].swapaxes(1, 2)), ValueError, r"bmm: batch sizes of \(2, 3, 4\) and \(1, 4, 3\) differ"),
    (lambda: ops.dot(X, X), ValueError, r"dot: input has shape \(3, 4\); expected 1 dims, \(n,\)"),
    (lambda: ops.outer(X[0], X), ValueError, r"outer: vec2 has shape \(3, 4\)"),
    (lambda: ops.linear(X, SQUARE, np.ones(3)), ValueError, r"linear: bias has shape \(3,\); weight \(4, 4\) expects"),
    (lambda: ops.einsum("ij", X, X), ValueError, "einsum: 'ij' names 1 operands, got 2"),
    (lambda: ops.einsum("i1", X), ValueError, "einsum: 'i1' in 'i1' is not made of letters and one '...'"),
    (lambda: ops.einsum("ijk", X), ValueError, r"einsum: operand 0 has shape \(3, 4\); 'ijk' in 'ijk' names another"),
    (lambda: ops.einsum("ij,jk", X, X), ValueError, r"einsum: 'j' of 'ij,jk' is 4 and, in operand 1 of shape"),
    (lambda: ops.einsum("ij->ii", X), ValueError, "einsum: the output of 'ij->ii' must name letters of the operands"),
    (lambda: ops.softmax(X, 2), IndexError, "softmax: dim 2 is out of range"),
    (lambda: ops.cross_entropy(LABELS, LABELS), TypeError, r"cross_entropy: input has dtype int64; expected a float"),
    (lambda: ops.cross_entropy(X, LABELS * 1.0), TypeError, r"cross_entropy: target has dtype float64; expected integ"),
    (lambda: ops.cross_entropy(X, LABELS, reduction="avg"), ValueError, "cross_entropy: reduction is 'avg'; it must"),
    (lambda: ops.cross_entropy(X, LABELS, label_smoothing=2), ValueError, "label_smoothing is 2; it must be between"),
    (lambda: ops.cross_entropy(np.array(1.0), LABELS), ValueError, "cross_entropy: input is a number; expected logits"),
    (lambda: ops.cross_entropy(X, LABELS[:2]), ValueError, r"cross_entropy: input has shape \(3, 4\), target \(2,\)"),
    (lambda: ops.cross_entropy(X, LABELS, np.ones(3)), ValueError, r"weight has shape \(3,\); 4 classes expect \(4,\)"),
    (lambda: ops.cross_entropy(X, LABELS + 1), IndexError, "target contains 4; 4 classes expect labels 0 to 3"),
    (lambda: ops.nll_loss(LABELS, LABELS), TypeError, "nll_loss: input has dtype int64"),
    (lambda: ops.nll_loss(X, LABELS, reduction="avg"), ValueError, "nll_loss: reduction is 'avg'"),
    (lambda: ops.nll_loss(X, LABELS[:1]), ValueError, r"nll_loss: input has shape \(3, 4\), target \(1,\); expected"),
    (lambda: ops.layer_norm(X, (3,)), ValueError, r"layer_norm: input has shape \(3, 4\); normalized_shape \(3,\)"),
    (lambda: ops.layer_norm(X, (4,), np.ones(3)), ValueError, r"layer_norm: weight has shape \(3,\); expected \(4,\)"),
    (lambda: ops.batch_norm(X[0], None, None), ValueError, r"batch_norm: input has shape \(4,\); expected 2 or 3 or 4"),
    (lambda: ops.batch_norm(X[:1], None, None), ValueError, r"batch_norm: input \(1, 4\) has one value"),
    (lambda: ops.batch_norm(X, np.ones(3), None), ValueError, r"batch_norm: weight has shape \(3,\); input \(3, 4\)"),
    (lambda: ops.dropout(X, -0.1, R), ValueError, r"dropout: p is -0\.1; a probability is between 0 and 1"),
    (lambda: ops.conv2d(IMAGE, W[0]), ValueError, r"conv2d: weight has shape \(3, 3, 3\); expected 4 dims, \(O, C"),
    (lambda: ops.conv2d(IMAGE, W, groups=3), ValueError, "conv2d: 4 outputs cannot be divided into groups=3"),
    (lambda: ops.conv2d(IMAGE, W, groups=0), ValueError, "conv2d: groups is 0; it must be an integer of at least 1"),
    (lambda: ops.conv2d(IMAGE, W, np.ones(3)), ValueError, r"conv2d: bias has shape \(3,\); weight .* expects \(4,\)"),
    (lambda: ops.conv2d(IMAGE, W, stride=(1, 1, 1)), ValueError, "conv2d: stride must be an integer or a pair of"),
    (lambda: ops.conv2d(IMAGE, W, stride=1.5), TypeError, r"conv2d: stride must be an integer or a pair .* not 1\.5"),
    (lambda: ops.conv2d(IMAGE, W, dilation=4), ValueError, "conv2d: the kernel reaches over 9 elements but dim 2 of"),
    (lambda: ops.conv2d(IMAGE, W, padding="full"), ValueError, "conv2d: padding is 'full'; it must be 'same', 'valid'"),
    (lambda: ops.conv2d(IMAGE, W, None, 2, "same"), ValueError, r"conv2d: padding='same' needs stride 1, not \(2, 2\)"),
    (lambda: ops.conv1d(X, W[0], stride=(1, 1)), TypeError, r"conv1d: stride must be an integer, not \(1, 1\)"),
    (lambda: ops.conv1d(X[0], W[0]), ValueError, r"conv1d: input has shape \(4,\); expected 2 or 3 dims"),
    (lambda: ops.conv_transpose2d(IMAGE, W), ValueError, "conv_transpose2d: input has 3 channels but weight .* exp"),
    (lambda: ops.conv_transpose2d(IMAGE, W[:3], output_padding=1), ValueError, "output_padding .* must be smaller"),
    (lambda: ops.conv_transpose2d(IMAGE[..., :1, :1], W[:3], padding=2), ValueError, "the result of input .* would"),
    (lambda: ops.max_pool2d(X, 2), ValueError, r"max_pool2d: input has shape \(3, 4\); expected 4 dims, \(N, C, H, W"),
    (lambda: ops.max_pool2d(IMAGE, 2, padding=2), ValueError, r"max_pool2d: padding \(2, 2\) is over half of"),
    (lambda: ops.max_pool2d(IMAGE, 8), ValueError, r"max_pool2d: a window of \(8, 8\) .* does not fit into input"),
    (lambda: ops.avg_pool2d(IMAGE, 2, divisor_override=0), ValueError, "avg_pool2d: divisor_override is 0; it"),
    (lambda: ops.adaptive_avg_pool2d(IMAGE, -1), ValueError, "adaptive_avg_pool2d: output_size is .*at least 0"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), ERRORS)
def test_errors_name_the_op_the_shapes_and_the_fix(call, error, message):
    with pytest.raises(error, match=message):
        call()
