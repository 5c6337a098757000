"""Drawings of arrays: their colours, titles and texts say the numbers of the array."""

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from tinygrad_cnn.datasets import load_sample
from tinygrad_cnn.display import (
    confusion_table,
    document,
    exact,
    fragment,
    heat_map,
    in_bytes,
    largest,
    legend,
    line_chart,
    looks_like_image,
    number,
    numbers_table,
    picture,
    png,
    pooled,
    ticks,
)

SVG = "{http://www.w3.org/2000/svg}"


def pixels(address):
    """What Pillow reads in a picture that stands in a page."""
    body = base64.b64decode(address.removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(body)).convert("RGB"))


def titles(svg):
    return [t.text for t in ElementTree.fromstring(svg).iter(f"{SVG}title")]


def of_class(svg, name):
    return [e for e in ElementTree.fromstring(svg).iter() if name in e.get("class", "").split()]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (-0.0, "0"), (1.0, "1"), (-3, "−3"), (0.41123, "0.4112"), (99999.4, "99999"), (123456.0, "1.235·10⁵"),
        (1234567, "1.235·10⁶"), (-1.5e-8, "−1.5·10⁻⁸"), (0.001, "0.001"), (float("-inf"), "−∞"), (True, "True"),
        (np.float32(0.1), "0.1"), (9.9996, "10"),
    ],
)  # fmt: skip
def test_numbers_have_four_digits_and_a_true_minus(value, text):
    assert number(value) == text


def test_the_shown_number_is_the_number_to_four_digits():
    for value in np.random.default_rng(0).normal(size=500) * 10.0 ** np.arange(-9, 9).repeat(28)[:500]:
        text = (
            number(value).replace("−", "-").replace("·10", "e").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
        )
        assert float(text) == pytest.approx(value, rel=5.1e-4)


def test_an_exact_number_reads_as_the_same():
    for value in np.random.default_rng(0).normal(size=50).astype(np.float32):
        assert np.float32(exact(value).replace("−", "-")) == value
    assert exact(np.int64(-3)) == "−3"


def test_sizes_of_memory_have_units():
    assert [in_bytes(n) for n in (1, 640, 1000, 12_345, 999_499, 4_500_000)] == [
        "1 byte", "640 bytes", "1 kB", "12.3 kB", "999 kB", "4.5 MB",
    ]  # fmt: skip


def test_every_cell_of_a_map_says_its_number():
    a = np.random.default_rng(1).normal(size=(5, 7)).astype(np.float32)
    said = titles(heat_map(a, index=(2,)))
    assert len(said) == 35
    for title in said:
        place, value = title.split(" = ")
        _, r, c = map(int, place.strip("[]").split(","))
        assert np.float32(value.replace("−", "-")) == a[r, c]


def test_zero_has_the_colour_of_the_page_and_colours_are_alike_about_it():
    a = np.array([[-2.0, -1.0, 0.0, 1.0, 2.0]])
    light, dark = (pixels(of_class(heat_map(a), f"tg-{kind}")[0].get("href"))[0] for kind in ("light", "dark"))
    assert bytes(light[2]).hex() == "faf9f6"
    assert bytes(dark[2]).hex() == "14161a"
    assert [bytes(light[k]).hex() for k in (0, 4)] == ["1f4b99", "a04a00"]
    assert light[1][2] > light[1][0]  # blue is negative
    assert light[3][0] > light[3][2]  # orange is positive


def test_without_the_style_only_the_light_picture_shows():
    svg = heat_map(np.eye(2))
    assert of_class(svg, "tg-dark")[0].get("display") == "none"
    assert of_class(svg, "tg-light")[0].get("display") is None


def test_small_maps_have_their_numbers_in_the_cells_and_large_ones_do_not():
    a = np.arange(6.0).reshape(2, 3)
    assert [t.text for t in of_class(heat_map(a), "tg-n")] == ["0", "1", "2", "3", "4", "5"]
    assert not of_class(heat_map(np.zeros((20, 20))), "tg-n")


def test_what_is_no_number_is_grey_and_does_not_set_the_scale():
    a = np.array([[np.nan, 1.0, np.inf, -np.inf]])
    shown = pixels(of_class(heat_map(a), "tg-light")[0].get("href"))[0]
    assert bytes(shown[0]).hex() == "9a9a9a"
    assert bytes(shown[1]).hex() == bytes(shown[2]).hex() == "a04a00"
    assert bytes(shown[3]).hex() == "1f4b99"
    assert largest(a) == 1
    assert "±1" in legend(1.0)
    assert legend(0.0) == '<span class="tg-legend">all 0</span>'


def test_a_large_map_shows_of_each_block_the_largest_magnitude():
    a = np.random.default_rng(2).normal(size=(130, 70))
    a[0, 0] = np.nan
    small, block = pooled(a)
    assert block == (3, 2)
    assert small.shape == (44, 35)
    for r in range(44):
        for c in range(35):
            part = a[3 * r : 3 * r + 3, 2 * c : 2 * c + 2].ravel()
            part = part[~np.isnan(part)]
            assert small[r, c] == part[np.argmax(np.abs(part))]
    assert not titles(heat_map(a))  # 1,540 cells are too many


@pytest.mark.parametrize("shape", [(), (1,), (0,), (3, 0), (1, 1), (2000,)])
def test_maps_of_all_shapes_are_well_formed(shape):
    ElementTree.fromstring(heat_map(np.ones(shape)))


def test_names_are_escaped():
    for svg in (heat_map(np.eye(2), label='<b>"&</script>'), picture(np.eye(9), label='<b>"&</script>')):
        assert "<b>" not in svg
        assert ElementTree.fromstring(svg).get("aria-label").startswith('<b>"&</script>: ')
    assert "<b>" not in confusion_table([[1]], ["<b>"]) + numbers_table([["<b>"]], ["<b>"])
    assert "<title>&lt;b&gt;</title>" in document("<b>", "")


def test_a_picture_is_the_image_pixel_for_pixel():
    digit = load_sample().train_images[0]
    svg = picture(digit)
    assert np.array_equal(pixels(ElementTree.fromstring(svg).find(f"{SVG}image").get("href"))[..., 0], digit)
    assert [int(t.split(" = ")[1]) for t in titles(svg)] == digit.ravel().tolist()
    light, dark = (
        pixels(of_class(picture(digit, ink=True), f"tg-{k}")[0].get("href"))[..., 0] for k in ("light", "dark")
    )
    assert np.array_equal(light, 255 - digit)
    assert np.array_equal(dark, digit)


def test_colours_of_a_picture_are_red_green_and_blue():
    image = np.random.default_rng(0).random((3, 9, 11))
    shown = pixels(ElementTree.fromstring(picture(image)).find(f"{SVG}image").get("href"))
    assert np.array_equal(shown, np.rint(image * 255).astype(np.uint8).transpose(1, 2, 0))


def test_grey_bytes_with_a_palette_are_its_colours():
    colours = np.random.default_rng(0).integers(0, 256, (256, 3)).astype(np.uint8)
    numbers = np.arange(12).reshape(3, 4)
    assert np.array_equal(pixels(png(numbers, colours)), colours[numbers])


def test_digits_look_like_images_and_weights_do_not():
    digits = load_sample()
    random = np.random.default_rng(0)
    images = (digits.train_images[:8, None] / 255).astype(np.float32)
    assert looks_like_image(digits.train_images[0])
    assert looks_like_image(images)
    assert looks_like_image((images - 0.1307) / 0.3081)
    y, x = np.mgrid[:32, :32] / 31
    assert looks_like_image(np.stack([x, y, x * y]))
    assert not looks_like_image(random.normal(size=(28, 28)))
    assert not looks_like_image(random.normal(size=(16, 1, 3, 3)))
    assert not looks_like_image(np.zeros((28, 28)))
    assert not looks_like_image(np.eye(3))
    assert not looks_like_image(np.arange(400).reshape(20, 20))
    assert not looks_like_image(np.full((20, 20), np.nan))
    assert not looks_like_image(random.random((64, 10)))  # probabilities


def test_a_curve_says_each_number():
    svg = line_chart({"training": [0.5, 0.75], "<b>": [0.25, 0.5]}, x_label="epoch", y_label="accuracy", percent=True)
    assert titles(svg) == [
        "training, epoch 1: 50.00%", "training, epoch 2: 75.00%", "<b>, epoch 1: 25.00%", "<b>, epoch 2: 50.00%",
    ]  # fmt: skip
    heights = [float(e.get("cy")) for e in of_class(svg, "tg-dot")]
    assert heights[0] == heights[3]
    assert heights[1] < heights[0] < heights[2]
    ElementTree.fromstring(line_chart({"loss": [float("nan"), 1.0, 1.0]}, x_label="x", y_label="y"))
    with pytest.raises(ValueError, match="line_chart: there is nothing to draw"):
        line_chart({"loss": []}, x_label="x", y_label="y")


def test_ticks_are_round_and_reach_over_the_range():
    for low, high in [(0.0, 1.0), (0.13, 2.4), (-5.0, 1e4), (3.0, 3.0), (0.0, 0.0)]:
        found = ticks(low, high)
        assert found[0] <= low
        assert found[-1] >= high
        assert 2 <= len(found) <= 7


def test_a_confusion_table_has_the_counts():
    counts = np.array([[8, 2], [0, 5]])
    table = ElementTree.fromstring(confusion_table(counts, ["cat", "dog"]))
    cells = [[td.text for td in tr.iter("td")] for tr in table.iter("tr")][1:]
    assert cells == [["8", "2", "80.0%"], ["·", "5", "100.0%"]]


def test_pages_need_nothing_else_and_style_is_whole():
    for text in (document("t", heat_map(np.eye(3))), fragment(heat_map(np.eye(3)))):
        assert not re.search(
            r"(https?:)?//(?!www\.w3\.org/2000/svg)", text.replace("data:image/png;base64,", "").split("iVBOR")[0]
        )
        assert "@DARK@" not in text
        assert "@LIGHT@" not in text
        css = re.search(r"<style>(.*?)</style>", text, re.S)[1]
        assert css.count("{") == css.count("}") > 50
