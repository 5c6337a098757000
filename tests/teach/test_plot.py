"""Pictures with matplotlib: what they draw is what was given, with titles, labels and scales."""

import sys

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn, teach
from tinygrad_cnn.teach import plot

pytest.importorskip("matplotlib")


@pytest.fixture
def net():
    tg.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 32, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32 * 13 * 13, 10))


def pictures(figure):
    """The images of a figure, without those of the bars."""
    return [np.asarray(ax.images[0].get_array()) for ax in figure.axes if ax.images]


def labels(figure):
    found = [figure.get_suptitle()]
    for ax in figure.axes:
        found += [ax.get_title(), ax.get_xlabel(), ax.get_ylabel()]
    return found


def test_history_has_a_panel_for_losses_and_one_for_accuracies(tmp_path):
    figure = teach.plot_history({"loss": [2.0, 1.0], "test accuracy": [0.5, 0.75]}, path=tmp_path / "h.png")
    loss, accuracy = figure.axes
    assert loss.lines[0].get_ydata().tolist() == [2.0, 1.0]
    assert accuracy.lines[0].get_xdata().tolist() == [1, 2]
    assert {"epoch", "loss", "accuracy", "training: loss"} <= set(labels(figure))
    assert (tmp_path / "h.png").read_bytes().startswith(b"\x89PNG")
    rows = teach.plot_history([{"loss": 2.0}, {"loss": 1.0, "late": 3.0}]).axes[0]
    assert [line.get_label() for line in rows.lines] == ["loss", "late"]
    assert np.isnan(rows.lines[1].get_ydata()[0])


def test_filters_are_the_weights_on_one_scale(net):
    figure = teach.plot_filters(net[0])
    weight = net[0].weight.detach().numpy()
    shown = pictures(figure)
    assert len(shown) == 32
    assert all(np.array_equal(a, b[0]) for a, b in zip(shown, weight, strict=True))
    limit = np.abs(weight).max()
    assert {ax.images[0].get_clim() for ax in figure.axes if ax.images} == {(-limit, limit)}
    assert "filters, 32 × 1 × 3 × 3" in labels(figure)
    assert "value; 0 is white" in labels(figure)
    assert "the first 4 of 32 maps" in teach.plot_filters(weight, most=4).get_suptitle()


def test_feature_maps_are_the_articles_32_of_26_by_26(net):
    image = tg.rand(1, 28, 28)
    shown = pictures(teach.plot_feature_maps(net, image))
    expected = net[0](image[None]).detach().numpy()[0]
    assert np.array(shown).shape == (32, 26, 26)
    assert np.array_equal(np.array(shown), expected)
    pooled = teach.plot_feature_maps(net, image.numpy(), layer="1")
    assert np.array(pictures(pooled)).shape == (32, 13, 13)
    assert pooled.get_suptitle() == "feature maps of 1, 32 × 13 × 13"
    assert len(pictures(teach.plot_feature_maps(expected[:3]))) == 3


def test_confusion_counts_each_pair():
    true, answers = np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 2, 2, 0])
    figure = teach.plot_confusion(true, tg.tensor(answers), names=["cat", "dog", "cow"])
    axes = figure.axes[0]
    said = {(round(t.get_position()[1]), round(t.get_position()[0])): int(t.get_text()) for t in axes.texts}
    assert said == {(0, 0): 1, (0, 1): 1, (1, 1): 1, (2, 2): 2, (2, 0): 1}
    assert [t.get_text() for t in axes.get_yticklabels()] == ["cat", "dog", "cow"]
    assert {"answer", "true class", "share of the true class", "answers: 66.67% of 6 right"} <= set(labels(figure))
    import matplotlib.figure

    ax = matplotlib.figure.Figure().subplots()
    assert teach.plot_confusion([[1, 0], [0, 1]], ax=ax) is ax.figure


def test_saliency_is_the_slope_of_the_logit(net):
    image = tg.rand(28, 28).double()
    figure = teach.plot_saliency(net.double(), image, 3)
    shown = pictures(figure)[1]
    direction = np.random.default_rng(0).normal(size=(28, 28))
    h = 1e-6
    ends = [net(tg.tensor(image.numpy() + s * h * direction)[None, None])[0, 3].item() for s in (1, -1)]
    assert (ends[0] - ends[1]) / (2 * h) == pytest.approx(float((shown * direction).sum()), rel=1e-5)
    assert "∂ logit 3 / ∂ pixel" in labels(figure)


def test_a_landscape_has_the_loss_in_its_middle_and_changes_nothing(net):
    x, y = tg.rand(8, 1, 28, 28), tg.arange(8)
    before = [p.detach().numpy().copy() for p in net.parameters()]
    loss = nn.CrossEntropyLoss()
    places = np.linspace(-1, 1, 3)
    found = plot._landscape(net, loss, x, y, places, np.random.default_rng(0))
    assert found[1, 1] == loss(net(x), y).item()
    assert len({*found.ravel()}) == 9
    figure = teach.plot_landscape(net, loss, x, y, steps=3)
    assert {"loss", "along the first direction", "loss landscape"} <= set(labels(figure))
    assert all(np.array_equal(p.detach().numpy(), w) for p, w in zip(net.parameters(), before, strict=True))
    a = plot._direction(before[0], np.random.default_rng(0))
    for k in range(32):
        assert np.linalg.norm(a[k]) == pytest.approx(np.linalg.norm(before[0][k]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda net: teach.plot_history({}), "nothing to draw"),
        (lambda net: teach.plot_history([1, 2]), "no dict of lists"),
        (lambda net: teach.plot_filters(np.zeros((3, 3))), r"shape \(3, 3\); expected \(out, in"),
        (lambda net: teach.plot_feature_maps(np.zeros((3, 3))), r"expected \(C, H, W\)"),
        (
            lambda net: teach.plot_feature_maps(net, tg.rand(1, 28, 28), "conv"),
            "no layer is called 'conv'; there are 0, 1",
        ),
        (lambda net: teach.plot_feature_maps(net, tg.rand(1, 28, 28), "3"), "no layer gives maps"),
        (lambda net: teach.plot_feature_maps(net, tg.rand(5, 1, 28, 28)), "expected one image"),
        (lambda net: teach.plot_confusion(np.zeros((2, 3))), r"expected \(classes, classes\)"),
        (lambda net: teach.plot_confusion([1, 2], [1]), "expected two vectors alike"),
        (lambda net: teach.plot_confusion([[1]], names=["a", "b"]), "2 names for 1 classes"),
        (lambda net: teach.plot_saliency(net, tg.rand(28, 28), 10), "there are classes 0 to 9"),
        (lambda net: teach.plot_saliency(nn.Identity(), tg.rand(28, 28)), "must give logits"),
        (lambda net: teach.plot_landscape(nn.ReLU(), None, 0, 0), "no parameters"),
        (lambda net: teach.plot_landscape(net, None, 0, 0, steps=1), "at least 3"),
    ],
)
def test_wrong_use_says_what_was_expected(net, call, message):
    with pytest.raises(ValueError, match=message):
        call(net)


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"plot_history: matplotlib .* pip install 'tinygrad-cnn\[plot\]'"):
        teach.plot_history({"loss": [1.0]})
