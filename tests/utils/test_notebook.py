"""What a notebook shows of a DataLoader: how it makes batches, and samples, without a draw being used up."""

import numpy as np

import tinygrad_cnn as tg
from tests.display.reading import Reading
from tinygrad_cnn.datasets import load_sample
from tinygrad_cnn.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset
from tinygrad_cnn.utils.data.notebook import batch_shown


def test_a_loader_says_what_it_does_and_shows_samples_with_their_labels():
    digits = load_sample()
    data = TensorDataset(tg.tensor(digits.train_images[:100, None]), tg.tensor(digits.train_labels[:100]))
    text = Reading(DataLoader(data, batch_size=32, shuffle=True)._repr_html_()).text
    assert "data set TensorDataset, 100 samples · batches of 32, 4 batches · shuffled" in text
    for k, label in enumerate(digits.train_labels[:8]):
        assert f"[{k}] {label}" in text
    assert "in order · the last one whole" in Reading(DataLoader(data, 32, drop_last=True)._repr_html_()).text


def test_showing_a_loader_changes_no_random_number():
    class Noisy(Dataset):
        def __len__(self):
            return 20

        def __getitem__(self, k):
            return tg.randn(2) + np.random.rand()  # noqa: NPY002

    loader = DataLoader(Noisy(), batch_size=4, shuffle=True)
    tg.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002
    expected = next(iter(loader)).numpy()
    tg.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002
    loader._repr_html_()
    assert np.array_equal(next(iter(loader)).numpy(), expected)


def test_a_stream_an_empty_set_and_one_that_raises_say_so():
    class Stream(IterableDataset):
        def __iter__(self):
            return iter(range(3))

    class Broken(Dataset):
        def __len__(self):
            return 3

        def __getitem__(self, k):
            raise OSError("<b>no such file")

    assert "It is a stream" in Reading(DataLoader(Stream())._repr_html_()).text
    broken = DataLoader(Broken())._repr_html_()
    assert "Its first samples cannot be shown: OSError: <b>no such file" in Reading(broken).text
    assert "<b>no" not in broken
    assert "The data set is empty" in Reading(DataLoader([])._repr_html_()).text


def test_a_batch_of_any_structure_is_shown():
    html = batch_shown({"x": tg.zeros(2, 3), "pair": (tg.ones(2), ["<b>", "c"])})
    assert "<b>'" not in html
    text = Reading(html).text
    for part in ("['x'] (2, 3)", "['pair'][0] (2,)", "['pair'][1] <b> c"):
        assert part in text
