"""The page of `tinygrad-cnn train --report`: what a network learned, to look at; it needs nothing else."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from tinygrad_cnn import nn
from tinygrad_cnn.autograd import no_grad
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.datasets import Digits
from tinygrad_cnn.display import (
    confusion_table,
    document,
    figure,
    heat_map,
    largest,
    legend,
    line_chart,
    picture,
    row,
)
from tinygrad_cnn.teach.networks import normalised
from tinygrad_cnn.teach.summary import summary
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.version import __version__

MISTAKES = 24
"""So many wrong answers are shown, the surest first."""

MAPS = 32
"""So many filters, and maps of a layer, are shown."""


def report_page(
    net: nn.Sequential, digits: Digits, history: Mapping[str, Sequence[float]], facts: Mapping[str, Any]
) -> str:
    """The page: `history` has numbers by epoch, `facts` what the record of the run says."""
    chances = probabilities(net, normalised(digits.test_images))
    answers = chances.argmax(1)
    right = float(np.mean(answers == digits.test_labels))
    recipe = f"{facts['optimizer']}, batches of {facts['batch_size']}, learning rate {facts['lr']:g}"
    about = (
        f"{facts['parameters']:,} parameters, {facts['training_images']:,} training images, {facts['epochs']} epochs, "
        f"{recipe}, seed {facts['seed']}, {facts['seconds']:.1f} s"
    )
    first = next((k for k, part in enumerate(net) if isinstance(part, nn.Conv2d)), None)
    body = f"""<header>
<h1>What <em>{escape(str(facts["model"]))}</em> learned</h1>
<p class="tg-lead">Of {len(answers):,} digits that it had not seen, it reads <b>{right:.2%}</b> right.</p>
<p class="tg-facts">{escape(about)}; tinygrad-cnn {__version__}, NumPy {np.__version__},
Python {platform.python_version()}</p>
</header>
<main>
<h2>How it went</h2>
{_curves(history)}
<h2>Which digits it confuses</h2>
{_confusion(digits, answers)}
<h2>The mistakes it was surest of</h2>
{_mistakes(digits, chances)}
<h2>What it looks for</h2>
{_filters(net, first)}
<h2>What it sees in one digit</h2>
{_maps(net, digits)}
<h2>The network</h2>
{summary(net, (1, 1, 28, 28), mode="eval", verbose=0).table()}
</main>"""
    return document(f"What {facts['model']} learned", body)


@no_grad()
def probabilities(net: nn.Sequential, images: NDArray) -> NDArray:
    """Of each image, the probability of each digit."""
    net.eval()
    parts = [net(Tensor(images[k : k + 500])).softmax(1).numpy() for k in range(0, len(images), 500)]
    return np.concatenate(parts)


def _curves(history: Mapping[str, Sequence[float]]) -> str:
    if not history["loss"]:
        return "<p>It was not trained for a whole epoch.</p>"
    loss = line_chart({"loss": history["loss"]}, x_label="epoch", y_label="mean cross-entropy")
    accuracy = line_chart(
        {"training": history["training accuracy"], "test": history["test accuracy"]},
        x_label="epoch",
        y_label="share that is right",
        percent=True,
    )
    return row(
        [
            figure(loss, "The loss over the training images, as each epoch went."),
            figure(
                accuracy, "Training: while it learned, on shifted images if the model has them. Test: after each epoch."
            ),
        ]
    )


def _confusion(digits: Digits, answers: NDArray) -> str:
    counts = np.zeros((10, 10), np.int64)
    np.add.at(counts, (digits.test_labels, answers), 1)
    return confusion_table(counts)


def _mistakes(digits: Digits, chances: NDArray) -> str:
    answers = chances.argmax(1)
    wrong = np.flatnonzero(answers != digits.test_labels)
    if not len(wrong):
        return "<p>There is none.</p>"
    surest = wrong[np.argsort(-chances[wrong, answers[wrong]], kind="stable")][:MISTAKES]
    figures = [
        figure(
            picture(digits.test_images[k], ink=True, width=84, titles=False, label=f"test image {k}"),
            f"<b>{digits.test_labels[k]}</b> taken for <b>{answers[k]}</b><br>{chances[k, answers[k]]:.1%} sure",
        )
        for k in surest
    ]
    told = f"{len(wrong)} of {len(answers):,} answers are wrong; here are the {len(surest)} it was surest of."
    return f"<p>{told}</p>{row(figures)}"


def _filters(net: nn.Sequential, first: int | None) -> str:
    if first is None:
        return "<p>It has no convolution.</p>"
    weight = net.get_parameter(f"{first}.weight").detach().numpy()
    limit = largest(weight)
    figures = [
        figure(
            heat_map(kernel[0], limit=limit, width=84, numbers=False, ticks=False, index=(k, 0), label=f"filter {k}"),
            f"filter {k}",
        )
        for k, kernel in enumerate(weight[:MAPS])
    ]
    told = (
        f"<p>The weights of layer {first}: where a filter is orange it wants ink, where it is blue it wants none.</p>"
    )
    return f'{told}{row(figures)}<p class="tg-note">{legend(limit)}; all filters have one scale</p>'


@no_grad()
def _maps(net: nn.Sequential, digits: Digits) -> str:
    """One digit, and what each convolution and pooling makes of it."""
    image = digits.test_images[0]
    x = Tensor(normalised(image[None]))
    head = figure(picture(image, ink=True, width=112, label="the digit"), f"the digit, a {digits.test_labels[0]}")
    parts = [head]
    for k, part in enumerate(net):
        x = part(x)
        if x.ndim != 4 or isinstance(part, nn.ReLU):
            continue
        maps = x.numpy()[0]
        limit = largest(maps)
        figures = [
            figure(
                heat_map(m, limit=limit, width=84, ticks=False, numbers=False, titles=False, label=f"map {c}"),
                f"map {c}",
            )
            for c, m in enumerate(maps[:MAPS])
        ]
        size = " × ".join(map(str, maps.shape))
        parts.append(f"<h3>after layer {k}, {escape(type(part).__name__)}: {size}</h3>{row(figures)}")
        parts.append(f'<p class="tg-note">{legend(limit)}; all maps of a layer have one scale</p>')
    return "".join(parts)
