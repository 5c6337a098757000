"""Batches in a notebook, and many images as one picture with their names."""

import sys

import numpy as np
import pytest

import tinygrad_cnn as tg
from tests.display.reading import Reading
from tinygrad_cnn import nn
from tinygrad_cnn.datasets import load_sample
from tinygrad_cnn.teach import sheet, show


def test_a_batch_shows_its_images_with_their_labels():
    digits = load_sample()
    batch = [tg.tensor(digits.train_images[:4, None]), tg.tensor(digits.train_labels[:4])]
    text = Reading(show(batch)._repr_html_()).text
    for k in range(4):
        assert f"[{k}] {digits.train_labels[k]}" in text
    assert repr(show(batch)) == repr(batch)


def test_arrays_dicts_and_modules_are_shown_too():
    html = show(np.arange(3), {"<b>": np.ones(2), "name": "x"}, nn.Linear(2, 3))._repr_html_()
    assert "<b>'" not in html
    text = Reading(html).text
    for part in ("Tensor (3,)", "['<b>'] (2,)", "in_features=2"):
        assert part in text
    assert "'text'" not in Reading(show("text")._repr_html_()).text


def test_a_sheet_has_each_image_at_its_place():
    images = np.random.default_rng(0).random((5, 8, 8))
    whole = np.asarray(sheet(images, columns=3, zoom=2, value_range=(0, 1)))
    for k, image in enumerate(images):
        x, y = 6 + k % 3 * 22, 6 + k // 3 * 22
        shown = whole[y : y + 16 : 2, x : x + 16 : 2]
        assert np.array_equal(shown, np.repeat(np.rint(255 * image).astype(np.uint8)[..., None], 3, axis=2))


def test_names_and_titles_take_their_room():
    images = tg.rand(4, 1, 8, 8)
    plain, named = sheet(images, columns=2), sheet(images, ["a long name"] * 4, columns=2, rows=["x", "y"], title="t")
    assert named.width > plain.width
    assert named.height > plain.height
    assert len(np.unique(np.asarray(named).reshape(-1, 3), axis=0)) > 20


def test_wrong_images_and_a_missing_pillow_are_said(monkeypatch):
    with pytest.raises(ValueError, match="there are no images"):
        sheet([])
    with pytest.raises(ValueError, match=r"an image has shape \(3, 4, 4\)"):
        sheet([np.zeros((3, 4, 4))])
    monkeypatch.setitem(sys.modules, "PIL.ImageDraw", None)
    with pytest.raises(ImportError, match=r"sheet: Pillow .* 'tinygrad-cnn\[cli\]'"):
        sheet([np.zeros((4, 4))])
