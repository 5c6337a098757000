"""Functions of nn.functional against direct definitions, in place and not, and what they refuse; without PyTorch."""

import itertools
import math

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.nn import functional as F

R = np.random.default_rng(0)
X, Y = R.normal(size=(3, 4)), R.normal(size=(3, 4))
SLOPES = np.array([0.1, 0.2, 0.3, 0.4])
P, T = R.uniform(0.05, 0.95, size=(3, 4)), R.uniform(0, 1, size=(3, 4))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def clipped(x):
    return np.clip(x, 0, 6)


DEFINITIONS = {
    "relu6": (lambda: F.relu6(tg.tensor(9 * X)), clipped(9 * X)),
    "prelu": (lambda: F.prelu(tg.tensor(X), tg.tensor(SLOPES)), np.where(X > 0, X, X * SLOPES)),
    "celu": (lambda: F.celu(tg.tensor(X), 2.0), np.where(X > 0, X, 2 * np.expm1(X / 2))),
    "mish": (lambda: F.mish(tg.tensor(X)), X * np.tanh(np.log1p(np.exp(X)))),
    "hardsigmoid": (lambda: F.hardsigmoid(tg.tensor(3 * X)), clipped(3 * X + 3) / 6),
    "hardswish": (lambda: F.hardswish(tg.tensor(3 * X)), 3 * X * clipped(3 * X + 3) / 6),
    "hardshrink": (lambda: F.hardshrink(tg.tensor(X)), np.where(np.abs(X) > 0.5, X, 0)),
    "softshrink": (lambda: F.softshrink(tg.tensor(X)), np.sign(X) * np.maximum(np.abs(X) - 0.5, 0)),
    "tanhshrink": (lambda: F.tanhshrink(tg.tensor(X)), X - np.tanh(X)),
    "softsign": (lambda: F.softsign(tg.tensor(X)), X / (1 + np.abs(X))),
    "logsigmoid": (lambda: F.logsigmoid(tg.tensor(X)), np.log(sigmoid(X))),
    "threshold": (lambda: F.threshold(tg.tensor(X), 0.1, 7.0), np.where(X > 0.1, X, 7.0)),
    "glu": (lambda: F.glu(tg.tensor(X)), X[:, :2] * sigmoid(X[:, 2:])),
    "softmin": (lambda: F.softmin(tg.tensor(X), 1), np.exp(-X) / np.exp(-X).sum(1, keepdims=True)),
    "binary_cross_entropy": (
        lambda: F.binary_cross_entropy(tg.tensor(P), tg.tensor(T)),
        -(T * np.log(P) + (1 - T) * np.log(1 - P)).mean(),
    ),
    "with logits and positive weight": (
        lambda: nn.BCEWithLogitsLoss(pos_weight=tg.tensor(2.0), reduction="sum")(tg.tensor(X), tg.tensor(T)),
        -(2 * T * np.log(sigmoid(X)) + (1 - T) * np.log(1 - sigmoid(X))).sum(),
    ),
    "huber_loss": (
        lambda: F.huber_loss(tg.tensor(X), tg.tensor(Y), delta=0.5),
        np.where(np.abs(X - Y) < 0.5, (X - Y) ** 2 / 2, 0.5 * (np.abs(X - Y) - 0.25)).mean(),
    ),
    "kl_div": (lambda: F.kl_div(tg.tensor(X), tg.tensor(T), reduction="batchmean"), (T * (np.log(T) - X)).sum() / 3),
    "hinge_embedding_loss": (
        lambda: F.hinge_embedding_loss(tg.tensor(X), tg.tensor(np.sign(Y)), reduction="none"),
        np.where(Y > 0, X, np.maximum(0, 1 - X)),
    ),
    "triplet_margin_loss": (
        lambda: F.triplet_margin_loss(tg.tensor(X), tg.tensor(Y), tg.tensor(T), eps=0.0),
        np.maximum(0, np.linalg.norm(X - Y, axis=1) - np.linalg.norm(X - T, axis=1) + 1).mean(),
    ),
    "multi_margin_loss": (
        lambda: F.multi_margin_loss(tg.tensor(X), tg.tensor([2, 0, 3])),
        sum(max(0, 1 - X[n, t] + X[n, k]) for n, t in enumerate([2, 0, 3]) for k in range(4) if k != t) / 12,
    ),
    "normalize": (lambda: F.normalize(tg.tensor(X)), X / np.linalg.norm(X, axis=1, keepdims=True)),
    "cosine_similarity": (
        lambda: F.cosine_similarity(tg.tensor(X), tg.tensor(Y)),
        (X * Y).sum(1) / np.linalg.norm(X, axis=1) / np.linalg.norm(Y, axis=1),
    ),
    "pdist": (
        lambda: F.pdist(tg.tensor(X)),
        [np.linalg.norm(X[i] - X[j]) for i, j in itertools.combinations(range(3), 2)],
    ),
    "interpolate to the nearest": (
        lambda: F.interpolate(tg.tensor(X[None]), size=6),
        X[None][:, :, [0, 0, 1, 2, 2, 3]],
    ),
    "interpolate between centres": (
        lambda: F.interpolate(tg.tensor(X[None]), size=7, mode="linear", align_corners=True),
        [[np.interp(np.linspace(0, 3, 7), range(4), row) for row in X]],
    ),
    "pixel_shuffle": (
        lambda: F.pixel_shuffle(tg.tensor(np.arange(4.0).reshape(1, 4, 1, 1)), 2),
        [[[[0.0, 1.0], [2.0, 3.0]]]],
    ),
    "rms_norm": (lambda: F.rms_norm(tg.tensor(X), (4,), eps=0.1), X / np.sqrt((X**2).mean(1, keepdims=True) + 0.1)),
    "adaptive_max_pool1d": (
        lambda: F.adaptive_max_pool1d(tg.tensor(X), 3),
        np.stack([X[:, 0:2].max(1), X[:, 1:3].max(1), X[:, 2:4].max(1)], 1),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DEFINITIONS)
def test_definitions(name):
    call, expected = DEFINITIONS[name]
    np.testing.assert_allclose(call().numpy(), expected, rtol=1e-6, atol=1e-12)


def test_folding_what_was_unfolded_counts_each_pixel_as_often_as_windows_meet_it():
    x = tg.tensor(R.normal(size=(2, 3, 5, 4)))
    counts = F.fold(F.unfold(tg.ones(2, 3, 5, 4, dtype=tg.float64), 3, padding=1), (5, 4), 3, padding=1)
    np.testing.assert_allclose(
        F.fold(F.unfold(x, 3, padding=1), (5, 4), 3, padding=1).numpy(), (x * counts).numpy(), rtol=1e-12
    )


def test_unpooling_puts_the_maxima_back():
    x = tg.tensor(R.normal(size=(2, 3, 6, 4)))
    values, places = F.max_pool2d(x, 2, return_indices=True)
    back = F.max_unpool2d(values, places, 2).numpy()
    np.testing.assert_array_equal(back[back != 0], x.numpy()[back != 0])
    assert (back != 0).sum() == values.numel()


def test_sampling_an_image_where_it_is_gives_it_back():
    x = tg.tensor(R.normal(size=(2, 3, 4, 5)))
    identity = tg.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]] * 2, dtype=tg.float64)
    for corners in (True, False):
        grid = F.affine_grid(identity, (2, 3, 4, 5), align_corners=corners)
        np.testing.assert_allclose(F.grid_sample(x, grid, align_corners=corners).numpy(), x.numpy(), atol=1e-12)


def test_ctc_sums_over_all_alignments():
    x = F.log_softmax(tg.tensor(R.normal(size=(4, 1, 3))), -1)
    probabilities = np.exp(x.numpy()[:, 0])

    def read(path):
        return [k for k, _ in itertools.groupby(path) if k != 0]

    paths = [path for path in itertools.product(range(3), repeat=4) if read(path) == [1, 2]]
    total = sum(math.prod(probabilities[t, k] for t, k in enumerate(path)) for path in paths)
    loss = F.ctc_loss(x, tg.tensor([[1, 2]]), [4], [2], reduction="sum")
    assert loss.item() == pytest.approx(-math.log(total), rel=1e-9)


def test_logits_of_any_size_have_a_finite_loss_and_the_right_gradient():
    x = tg.tensor([-1000.0, 0.0, 1000.0], requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(x, tg.tensor([1.0, 0.5, 0.0]), reduction="sum")
    loss.backward()
    assert loss.item() == pytest.approx(2000 + math.log(2))
    np.testing.assert_allclose(x.grad.numpy(), [-1, 0, 1])


def test_in_place_the_input_takes_the_value():
    x = tg.tensor(X)
    assert F.relu(x, inplace=True) is x
    np.testing.assert_array_equal(x.numpy(), np.maximum(X, 0))
    leaf = tg.tensor(X, requires_grad=True)
    y = leaf * 2
    nn.ELU(inplace=True)(y)
    y.sum().backward()
    np.testing.assert_allclose(leaf.grad.numpy(), 2 * np.where(X > 0, 1, np.exp(2 * X)), rtol=1e-12)
    with pytest.raises(RuntimeError, match="leaf"):
        F.relu_(leaf)
    with pytest.raises(TypeError, match=r"relu: inplace=True writes into a Tensor, not into ndarray"):
        F.relu(X, inplace=True)


def test_in_place_a_view_writes_into_what_it_shows():
    leaf = tg.tensor(X, requires_grad=True)
    base = leaf * 2
    F.relu_(base[0])
    np.testing.assert_array_equal(base.detach().numpy(), np.stack([2 * np.maximum(X[0], 0), 2 * X[1], 2 * X[2]]))
    base.sum().backward()
    np.testing.assert_array_equal(leaf.grad.numpy(), np.stack([2.0 * (X[0] > 0), 2 + 0 * X[0], 2 + 0 * X[0]]))


def test_warnings():
    with pytest.warns(UserWarning, match="mse_loss: input has shape"):
        assert F.mse_loss(tg.ones(3, 1), tg.zeros(3), reduction="none").shape == (3, 3)
    with pytest.warns(UserWarning, match="softmax: which dim"):
        F.softmax(tg.ones(2, 2))
    with pytest.warns(UserWarning, match="size_average and reduce are deprecated; use reduction='sum'"):
        assert F.l1_loss(tg.ones(4), tg.zeros(4), size_average=False).item() == 4


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: F.binary_cross_entropy(tg.tensor([2.0]), tg.tensor([1.0])), ValueError, "apply sigmoid first"),
        (lambda: F.glu(tg.ones(3)), RuntimeError, "glu: dim -1 .* only an even number halves"),
        (lambda: F.interpolate(tg.ones(1, 1, 4, 4), 2, antialias=True), ValueError, "antialias is for the modes"),
        (lambda: F.grid_sample(tg.ones(1, 1, 1, 2, 2), tg.ones(1, 1, 1, 1, 3), "bicubic", align_corners=True),
         ValueError, "is for images"),
        (lambda: F.ctc_loss(tg.ones(2, 1, 3), tg.ones(1, 1).long(), [5], [1]), RuntimeError, "1 and the 2 steps"),
        (lambda: nn.ConvTranspose2d(1, 1, 3, padding_mode="reflect"), ValueError, "has only 'zeros'"),
        (lambda: nn.Linear(1, 1, device="cuda"), RuntimeError, "Linear: device: there is no 'cuda' device"),
        (lambda: nn.SyncBatchNorm, AttributeError, "nn.SyncBatchNorm is not here: there is one process"),
        (lambda: F.conv_tbc, AttributeError, "nn.functional.conv_tbc is not here"),
    ],
)  # fmt: skip
def test_what_is_refused_is_explained(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


@pytest.mark.parametrize("dim", [0, -1])
def test_the_hard_sample_of_gumbel_softmax_is_one_hot_and_has_the_gradient_of_the_soft_one(dim):
    logits = tg.tensor(np.random.default_rng(0).standard_normal((4, 5)), requires_grad=True)
    weights = tg.tensor(np.random.default_rng(1).standard_normal((4, 5)))
    found = []
    for hard in (False, True):
        tg.manual_seed(3)
        y = F.gumbel_softmax(logits, tau=0.7, hard=hard, dim=dim)
        found.append((y.detach().numpy(), *(g.numpy() for g in tg.autograd.grad((y * weights).sum(), logits))))
    (soft, of_soft), (hard, of_hard) = found
    np.testing.assert_allclose(hard, soft == soft.max(axis=dim, keepdims=True), atol=1e-12)
    np.testing.assert_allclose(of_hard, of_soft, rtol=1e-12)


@pytest.mark.parametrize("other", [True, tg.tensor([True]), np.array([True])])
@pytest.mark.parametrize("number", [1.5, 2])
def test_a_bool_is_no_part_of_a_difference(number, other):
    """As in PyTorch: True is no 1 here, and a mask is turned by ~."""
    x = tg.tensor([number])
    for difference in (lambda: x - other, lambda: tg.sub(x, other), lambda: x.sub_(other), lambda: other - x):
        with pytest.raises(TypeError, match="sub: is not defined for bool"):
            difference()
    assert (x + other).tolist() == [number + 1]
