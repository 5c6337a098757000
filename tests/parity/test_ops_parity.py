"""The doors and methods against PyTorch: values, gradients, conventions at ties, dtypes, errors."""

import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as TF
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn import nn

F = nn.functional


def both(function, *arrays, out=None):
    """Values and gradients of one function on our tensors and on PyTorch's agree."""
    ours = [tg.Tensor(a.copy(), requires_grad=a.dtype.kind == "f") for a in arrays]
    theirs = [torch.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    y, t = function(tg, F, *ours), function(torch, TF, *theirs)
    np.testing.assert_allclose(y.detach().numpy(), t.detach().numpy(), rtol=1e-9, atol=1e-11)
    assert str(y.dtype) == str(t.dtype)
    if not t.requires_grad:
        assert not y.requires_grad
        return
    v = np.random.default_rng(0).normal(size=y.shape)
    y.backward(v)
    t.backward(torch.tensor(v))
    for a, b in zip(ours, theirs, strict=True):
        if b.requires_grad and b.grad is not None:
            np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-8, atol=1e-10, equal_nan=True)


X = np.random.default_rng(1).normal(size=(3, 4))
POSITIVE = np.abs(X) + 0.5
TIES = np.array([[0.0, 1.0, 1.0, -1.0], [2.0, 2.0, 2.0, 0.0], [0.0, 0.0, -1.0, -1.0]])
IMAGES = np.random.default_rng(2).normal(size=(2, 4, 9, 8))

UNARY = [
    *(
        [
            "exp",
            "expm1",
            "sin",
            "cos",
            "tan",
            "sinh",
            "cosh",
            "tanh",
            "sigmoid",
            "erf",
            "abs",
            "sign",
            "square",
            "neg",
            "relu",
        ]
    ),
    *(["log", "log1p", "sqrt", "rsqrt", "reciprocal"]),
    *(["arcsin", "arccos", "arctan", "asin", "acos", "atan"]),
]


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("data", ["smooth", "ties"])
def test_element_wise(name, data):
    x = X if data == "smooth" else TIES
    if name in ["log", "log1p", "sqrt", "rsqrt", "reciprocal"]:
        x = POSITIVE
    if name in ["arcsin", "arccos", "asin", "acos"]:
        x = np.tanh(X)
    both(lambda m, f, t: getattr(m, name)(t), x)


@pytest.mark.parametrize(
    "function",
    [
        lambda m, f, x: f.leaky_relu(x, 0.2),
        lambda m, f, x: f.elu(x, 1.5),
        lambda m, f, x: f.selu(x),
        lambda m, f, x: f.gelu(x),
        lambda m, f, x: f.gelu(x, approximate="tanh"),
        lambda m, f, x: f.silu(x),
        lambda m, f, x: f.softplus(x, 2.0, 1.0),
        lambda m, f, x: f.hardtanh(x, -1.0, 1.0),
        lambda m, f, x: x.clamp(-1.0, 1.0),
        lambda m, f, x: m.clamp(x, min=0.0),
        lambda m, f, x: x**2,
        lambda m, f, x: x**0,
        lambda m, f, x: x**3.0,
        lambda m, f, x: 2.0**x,
        lambda m, f, x: m.maximum(x, x * 0 + 1),
        lambda m, f, x: m.minimum(x, x * 0),
        lambda m, f, x: m.where(x > 0, x, x * 2),
        lambda m, f, x: x.masked_fill(x > 0, 5.0),
        lambda m, f, x: x.max(),
        lambda m, f, x: x.min(),
        lambda m, f, x: x.max(1)[0],
        lambda m, f, x: x.min(dim=0).values,
        lambda m, f, x: x.amax(1),
        lambda m, f, x: x.amin((0, 1), keepdim=True),
        lambda m, f, x: x.prod(1),
        lambda m, f, x: x.prod(),
        lambda m, f, x: x.sum(dim=(0, -1)),
        lambda m, f, x: x.mean(1, keepdim=True),
        lambda m, f, x: x.var(1),
        lambda m, f, x: x.std(0, correction=0),
        lambda m, f, x: x.logsumexp(1),
        lambda m, f, x: x.norm(),
        lambda m, f, x: m.norm(x, 1, dim=1),
        lambda m, f, x: m.norm(x * 0, 2, dim=1),
        lambda m, f, x: m.norm(x, float("inf"), dim=1),
        lambda m, f, x: x.cumsum(1),
        lambda m, f, x: x.argmax(1),
        lambda m, f, x: x.argmin(),
        lambda m, f, x: (x > 0).any(1),
        lambda m, f, x: (x > 0).all(),
        lambda m, f, x: x.softmax(1),
        lambda m, f, x: x.log_softmax(0),
        lambda m, f, x: x.reshape(2, -1),
        lambda m, f, x: x.t().flip(0),
        lambda m, f, x: x.roll(2),
        lambda m, f, x: x.roll((1, -1), (0, 1)),
        lambda m, f, x: x.unsqueeze(0).expand(2, -1, -1),
        lambda m, f, x: x.repeat(2, 1, 2),
        lambda m, f, x: m.cat([x, x * 2], dim=1),
        lambda m, f, x: m.stack([x, x * 2], dim=-1),
        lambda m, f, x: x.split(3, dim=1)[1],
        lambda m, f, x: x.chunk(3, 1)[1],
        lambda m, f, x: x.unbind(1)[2],
        lambda m, f, x: x.tril(-1),
        lambda m, f, x: x.triu(1),
        lambda m, f, x: x.diagonal(1),
        lambda m, f, x: f.pad(x, (1, 2, 0, 1), value=3.0),
        lambda m, f, x: f.pad(x, (-1, 2)),
        lambda m, f, x: f.pad(x[None], (2, 1), mode="reflect"),
        lambda m, f, x: f.pad(x[None], (2, 1), mode="replicate"),
        lambda m, f, x: f.pad(x[None], (2, 1), mode="circular"),
        lambda m, f, x: x[1:, [0, 0, 2]],
        lambda m, f, x: x[x > 0],
        lambda m, f, x: x[..., None, -1],
        lambda m, f, x: x.gather(1, m.tensor([[0, 0], [1, 2], [3, 3]])),
        lambda m, f, x: x.scatter_add(0, m.tensor([[0, 0, 1, 2], [2, 2, 1, 1], [0, 1, 2, 0]]), x * 3),
        lambda m, f, x: x.index_select(1, m.tensor([3, 0, 0])),
        lambda m, f, x: x.sort(1, descending=True)[0],
        lambda m, f, x: x.topk(2, dim=0).values,
        lambda m, f, x: x @ x.T,
        lambda m, f, x: x[0] @ x.T,
        lambda m, f, x: m.einsum("ij,kj->ik", x, x),
        lambda m, f, x: m.einsum("...i->...", x),
        lambda m, f, x: m.einsum("ii->i", x[:, :3]),
        lambda m, f, x: m.einsum("ii", x[:, :3]),
        lambda m, f, x: m.outer(x[0], x[1]),
        lambda m, f, x: m.dot(x[0], x[1]),
        lambda m, f, x: f.embedding(m.tensor([0, 2, 0]), x, padding_idx=0),
        lambda m, f, x: f.layer_norm(x, (4,), x[0], x[1]),
        lambda m, f, x: x % (x[0] ** 2 + 0.3),
        lambda m, f, x: m.full_like(x, -7.5) % (x**2 + 0.3),
        lambda m, f, x: x.remainder(-0.4),
        lambda m, f, x: m.add(x, x, alpha=3) + m.sub(x, 2, alpha=0.5),
    ],
)
@pytest.mark.parametrize("x", [X, TIES], ids=["smooth", "ties"])
def test_methods_and_functions(function, x):
    both(function, x)


pairs = st.one_of(st.integers(1, 3), st.tuples(st.integers(1, 3), st.integers(1, 3)))
padding = st.one_of(st.integers(0, 2), st.tuples(st.integers(0, 2), st.integers(0, 2)))


@settings(max_examples=60)
@given(
    stride=pairs,
    pads=padding,
    dilation=pairs,
    groups=st.sampled_from([1, 2, 4]),
    bias=st.booleans(),
    kernel=st.integers(1, 3),
)
def test_convolution(stride, pads, dilation, groups, bias, kernel):
    random = np.random.default_rng(3)
    w, b = random.normal(size=(4, 4 // groups, kernel, 2)), random.normal(size=4)
    both(
        lambda m, f, x, w, b: f.conv2d(x, w, b if bias else None, stride, pads, dilation, groups) + 0 * b.sum(),
        IMAGES, w, b,
    )  # fmt: skip


@pytest.mark.parametrize("kernel", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
def test_same_padding(kernel, dilation):
    w = np.random.default_rng(4).normal(size=(2, 4, kernel, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # PyTorch says that it copies
        both(lambda m, f, x, w: f.conv2d(x, w, padding="same", dilation=dilation), IMAGES, w)


@settings(max_examples=40)
@given(stride=pairs, pads=padding, dilation=pairs, groups=st.sampled_from([1, 2]))
def test_transposed_convolution(stride, pads, dilation, groups):
    w = np.random.default_rng(5).normal(size=(4, 3, 3, 2))
    both(lambda m, f, x, w: f.conv_transpose2d(x, w, None, stride, pads, 0, groups, dilation), IMAGES, w)


def test_convolution_in_one_dimension():
    random = np.random.default_rng(6)
    both(
        lambda m, f, x, w, b: f.conv1d(x, w, b, 2, 1, 2, 2),
        random.normal(size=(2, 4, 11)), random.normal(size=(6, 2, 3)), random.normal(size=6),
    )  # fmt: skip


@settings(max_examples=60)
@given(
    kernel=st.integers(2, 3), stride=st.one_of(st.none(), pairs), pads=st.integers(0, 1), dilation=st.integers(1, 2),
    ceil=st.booleans(), ties=st.booleans(), include=st.booleans(), divisor=st.one_of(st.none(), st.integers(1, 5)),
)  # fmt: skip
def test_pooling(kernel, stride, pads, dilation, ceil, ties, include, divisor):
    x = np.round(IMAGES) if ties else IMAGES
    both(lambda m, f, x: f.max_pool2d(x, kernel, stride, pads, dilation, ceil), x)
    _, ours = F.max_pool2d(tg.Tensor(x), kernel, stride, pads, dilation, ceil, return_indices=True)
    _, theirs = TF.max_pool2d(torch.tensor(x), kernel, stride, pads, dilation, ceil, return_indices=True)
    np.testing.assert_array_equal(np.asarray(ours), theirs.numpy())
    both(lambda m, f, x: f.avg_pool2d(x, kernel, stride, pads, ceil, include, divisor), x)


@pytest.mark.parametrize("size", [1, 3, (4, 2), (None, 5)])
def test_adaptive_average_pooling(size):
    both(lambda m, f, x: f.adaptive_avg_pool2d(x, size), IMAGES)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["classes", "probabilities", "images", "one row"])
def test_cross_entropy(reduction, smoothing, weighted, kind):
    random = np.random.default_rng(7)
    shape = {"classes": (5, 3), "probabilities": (5, 3), "images": (2, 3, 4), "one row": (3,)}[kind]
    x = random.normal(size=shape) * 5
    weight = np.array([0.5, 2.0, 1.0])

    def loss(m, f, x):
        w = m.tensor(weight) if weighted else None
        if kind == "probabilities":
            t = m.tensor(np.random.default_rng(8).dirichlet(np.ones(3), 5))
            return f.cross_entropy(x, t, w, reduction=reduction, label_smoothing=smoothing)
        labels = {"classes": [0, 2, 1, 1, 0], "images": [[0, 1, 2, 1], [2, 2, 1, 0]], "one row": 2}[kind]
        return f.cross_entropy(x, m.tensor(labels), w, ignore_index=1, reduction=reduction, label_smoothing=smoothing)

    both(loss, x)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_nll(reduction):
    both(lambda m, f, x: f.nll_loss(f.log_softmax(x, 1), m.tensor([0, 3, 1]), reduction=reduction), X)


def test_the_mean_over_nothing_is_nan_as_in_pytorch():
    with pytest.warns(tg.MistakeWarning, match="the mean of no loss is NaN"):
        both(lambda m, f, x: f.cross_entropy(x, m.tensor([1, 1, 1]), ignore_index=1), X)


@pytest.mark.parametrize("training", [True, False])
def test_batch_norm(training):
    random = np.random.default_rng(9)
    mean, var = random.normal(size=4), random.uniform(0.5, 2, size=4)

    def norm(m, f, x, w, b):
        return f.batch_norm(x, m.tensor(mean), m.tensor(var), w, b, training, 0.3)

    both(norm, IMAGES, random.normal(size=4), random.normal(size=4))


NUMBERS = [
    lambda m: m.tensor([1, 2]),
    lambda m: m.tensor([1.0, 2.0]),
    lambda m: m.tensor([1.0, 2.0], dtype=m.float64),
    lambda m: m.tensor([True, False]),
    lambda m: m.tensor(2),
    lambda m: m.tensor(2.0),
    lambda m: m.tensor(2.0, dtype=m.float64),
    lambda m: 3,
    lambda m: 2.5,
    lambda m: m.tensor([1, 2], dtype=m.uint8),
    lambda m: m.tensor([1, 2], dtype=m.float16),
]


@pytest.mark.parametrize("a", range(len(NUMBERS)))
@pytest.mark.parametrize("b", range(len(NUMBERS)))
@pytest.mark.parametrize("op", ["add", "mul", "truediv"])
def test_dtypes_of_results(a, b, op):
    x, y = NUMBERS[a], NUMBERS[b]
    if not isinstance(x(torch), torch.Tensor) and not isinstance(y(torch), torch.Tensor):
        return
    name = f"__{op}__" if isinstance(x(torch), torch.Tensor) else f"__r{op}__"
    first, second = (x, y) if name == f"__{op}__" else (y, x)
    with np.errstate(all="ignore"):
        ours, theirs = getattr(first(tg), name)(second(tg)), getattr(first(torch), name)(second(torch))
    assert str(ours.dtype) == str(theirs.dtype)
    np.testing.assert_allclose(np.asarray(ours), theirs.numpy())


def test_second_derivatives():
    w = np.random.default_rng(10).normal(size=(2, 4, 3, 3))
    results = []
    for m, f, make in ((tg, F, tg.Tensor), (torch, TF, torch.tensor)):
        x, k = make(IMAGES.copy(), requires_grad=True), make(w.copy(), requires_grad=True)
        y = f.max_pool2d(f.conv2d(x, k, padding=1), 2).tanh().sum()
        (gx,) = m.autograd.grad(y, x, create_graph=True)
        gx.square().sum().backward()
        results.append((np.asarray(x.grad.detach()), np.asarray(k.grad.detach())))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-10)
