"""A real Chromium for the tests of pages. Without one they are skipped, or fail if TINYGRAD_CNN_BROWSER is 1."""

import base64
import functools
import http.server
import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

HOW = (
    "needs Chromium, its driver and selenium: apt-get install chromium chromium-driver, "
    "pip install --group browser; TINYGRAD_CNN_BROWSER=1 makes this a failure"
)


def missing(reason):
    """Leave a test out, or fail where the browser was promised."""
    if os.environ.get("TINYGRAD_CNN_BROWSER") == "1":
        pytest.fail(f"{reason}: {HOW}")
    pytest.skip(f"{reason}: {HOW}")


KINDS = {"Float32Array": "f4", "Float64Array": "f8", "BigInt64Array": "i8", "Int32Array": "i4", "Uint8Array": "u1"}


class Page:
    """A page in the browser: `run` is a script that returns, `wait` one that awaits."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, path, at=None, **looks):
        """The page of a stepper, at a step."""
        self.load(Path(path).as_uri() + (f"#{at + 1}" if at is not None else ""), **looks)
        self.wait(
            "while (typeof stepper === 'undefined') await new Promise((go) => setTimeout(go, 20));"  # a slow machine
            "await stepper.ready; await stepper.settled"
        )
        return self

    def load(self, address, width=1440, height=900, dark=False, phone=False):
        """Any page."""
        self.driver.get("about:blank")
        metrics = {"width": width, "height": height, "deviceScaleFactor": 2 if phone else 1, "mobile": phone}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
        self.driver.get(address)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def wait(self, script, *arguments):
        found = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1], given = [...arguments].slice(0, -1);"
            f"(async () => {{ {script} }})().then((v) => done([v ?? null]), (e) => done(String(e.stack)))",
            *arguments,
        )
        assert isinstance(found, list), found
        return found[0]

    def until(self, condition):
        """Wait up to five seconds for something to be true."""
        self.wait(f"for (let k = 0; k < 100 && !({condition}); k++) await new Promise((r) => setTimeout(r, 50))")
        assert self.run(f"return Boolean({condition})"), condition

    def go(self, n):
        self.wait("await stepper.go(given[0], { quiet: true })", n)

    def press(self, *keys):
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def press_with(self, held, key):
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).key_down(held).send_keys(key).key_up(held).perform()

    def click(self, selector):
        event = "new MouseEvent('click', { bubbles: true, cancelable: true })"  # parts of a drawing have no click()
        self.run(f"document.querySelector(arguments[0]).dispatchEvent({event})", selector)

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0])?.textContent ?? null", selector)

    def array(self, expression):
        """The array that an expression of the page gives, byte by byte."""
        found = self.run(
            f"const a = {expression}; if (!a) return null;"
            "const b = new Uint8Array(a.buffer, a.byteOffset, a.byteLength); let s = '';"
            "for (let i = 0; i < b.length; i += 32768) s += String.fromCharCode(...b.subarray(i, i + 32768));"
            "return [btoa(s), a.constructor.name]"
        )
        if found is None:
            return None
        return np.frombuffer(base64.b64decode(found[0]), KINDS[found[1]])

    def errors(self):
        return [line["message"] for line in self.driver.get_log("browser") if line["level"] == "SEVERE"]


@pytest.fixture(scope="session")
def driver():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    chromedriver = shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        missing("no browser")
    try:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
    except ImportError:
        missing("no selenium")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "window-size=1440,900"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    made = webdriver.Chrome(options=options, service=Service(chromedriver))
    made.set_script_timeout(120)
    yield made
    made.quit()


@pytest.fixture
def page(driver):
    made = Page(driver)
    yield made
    assert made.errors() == []


SITE = Path(__file__).parents[2] / "docs" / "_build" / "html"


@pytest.fixture(scope="session")
def site():
    """The address of the site, served on this machine."""
    if not (SITE / "index.html").is_file():
        missing("the site is not built")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(SITE))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
