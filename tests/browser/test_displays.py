"""Displays and reports in a real browser: whole at 400 pixels, dark where they should be, 0 as the page is."""

import io

import numpy as np
import pytest
from PIL import Image

import tinygrad_cnn as tg
from tinygrad_cnn import nn, teach
from tinygrad_cnn.cli import main, train
from tinygrad_cnn.core.op import registry
from tinygrad_cnn.datasets import Digits, load_sample
from tinygrad_cnn.gradcheck import gradcheck, numpy_pair
from tinygrad_cnn.gradcheck.planting import PLANTED, planted

SCROLLS = ".tg-scroll, figure, .tg-box"
"""What may be wider inside than it is: it scrolls by itself."""
TOO_WIDE = f"""
return [...document.querySelectorAll('body *')].filter((e) => {{
  const inside = e.parentElement.closest('{SCROLLS}, svg');
  return !inside && e.getBoundingClientRect().right > innerWidth + 1;
}}).map((e) => e.outerHTML.slice(0, 80))"""
LIGHT, DARK = (250, 249, 246), (20, 22, 26)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The pages of the command line, and one of notebook displays."""
    folder = tmp_path_factory.mktemp("pages")
    digits = load_sample()
    few = Digits(*(a[:n] for a, n in zip(digits, (640, 640, 500, 500), strict=True)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "load_sample", lambda: few)
        assert main(["train", "--epochs", "2", "--report", str(folder / "train.html")]) == 0
    with planted(registry["Tanh"], 0, PLANTED["factor 2"]):
        assert main(["gradcheck", "Tanh", "--html", str(folder / "gradcheck.html")]) == 1
    tg.manual_seed(0)
    images = tg.tensor(digits.train_images[:8, None]) / 255
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(4 * 26 * 26, 10))
    net(images)
    report = gradcheck(numpy_pair(np.sin, lambda g, x: g), [np.ones(9)], raise_exception=False, names=["<b>"])
    shown = [
        tg.tensor([[0.0, 1.0], [-1.0, 0.5]]), tg.randn(12, 10), tg.randn(200, 300), tg.arange(50), images, net, report,
        teach.show([images, tg.tensor(digits.train_labels[:8])]), teach.summary(net, (8, 1, 28, 28), verbose=0),
    ]  # fmt: skip
    body = "".join(x._repr_html_() for x in shown)
    for name, theme in (("plain", ""), ("light", " data-jp-theme-light=true"), ("dark", " data-jp-theme-light=false")):
        text = f"<!DOCTYPE html><meta charset=utf-8><title>n</title><body{theme}>{body}"
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", ["train", "gradcheck", "plain"])
@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_is_cut_off(page, pages, name, width):
    page.load((pages / f"{name}.html").as_uri(), width=width, phone=width == 400)
    assert page.run(TOO_WIDE) == []
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")


def test_a_table_of_a_report_is_a_list_on_a_telephone_and_says_the_same(page, pages):
    address = (pages / "gradcheck.html").as_uri()
    cells = "return [...document.querySelectorAll('.tg-stack td')].map((e) => e.innerText.trim())"
    page.load(address, width=1280)
    wide = page.run(cells)
    page.load(address, width=400, phone=True)
    assert page.run(cells) == wide
    assert page.run("return getComputedStyle(document.querySelector('.tg-stack tr:nth-child(2)')).display") == "block"
    assert page.run(
        "const e = document.querySelector('.tg-stack').parentElement; return e.scrollWidth <= e.clientWidth + 1"
    )


@pytest.mark.parametrize(
    ("name", "dark", "colour"),
    [
        ("plain", False, LIGHT), ("plain", True, DARK), ("light", True, LIGHT), ("dark", False, DARK),
        ("train", False, LIGHT), ("train", True, DARK), ("gradcheck", True, DARK),
    ],
)  # fmt: skip
def test_it_is_dark_where_its_surroundings_are(page, pages, name, dark, colour):
    page.load((pages / f"{name}.html").as_uri(), dark=dark)
    assert page.run("return getComputedStyle(document.querySelector('.tg')).backgroundColor") == f"rgb{colour}"


@pytest.mark.parametrize("dark", [False, True])
def test_zero_has_the_colour_of_the_page_as_it_is_drawn(page, pages, dark):
    page.load((pages / "plain.html").as_uri(), dark=dark)
    places = page.run(
        "return [...document.querySelectorAll('.tg-cells')[0].children].map((e) => {"
        "const b = e.getBoundingClientRect(); return [b.left + 4, b.top + 5]; })"
    )
    shown = np.asarray(Image.open(io.BytesIO(page.driver.get_screenshot_as_png())).convert("RGB")).astype(int)
    zero, one, minus, half = (shown[int(y), int(x)] for x, y in places)
    assert tuple(zero) == (DARK if dark else LIGHT)
    assert one[0] > one[2]  # orange
    assert minus[2] > minus[0]  # blue
    assert half[0] > half[2]
    said = page.run("return [...document.querySelectorAll('.tg-cells')[0].children].map((e) => e.textContent)")
    assert said == ["[0, 0] = 0.0", "[0, 1] = 1.0", "[1, 0] = −1.0", "[1, 1] = 0.5"]
