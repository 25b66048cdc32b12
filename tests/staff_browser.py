"""A service in a thread and a browser without a screen, for tests of the staff page."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import uvicorn

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
PATIENCE_SECONDS = 30.0


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The app on a free port of this machine, once its bundle is open; gives its address."""
    config = uvicorn.Config(app, port=0, log_level="error", ws="none", lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_for(lambda: server.started)
        address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        wait_for(lambda: _is_ready(address))
        yield address
    finally:
        server.should_exit = True
        thread.join(PATIENCE_SECONDS)


def _is_ready(address: str) -> bool:
    try:
        with urlopen(f"{address}/readyz", timeout=5):
            return True
    except OSError:
        return False


def wait_for(holds: Callable[[], Any]) -> Any:
    """The first true value; fails after a time that no slow machine needs."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not (value := holds()):
        if time.monotonic() > until:
            pytest.fail("it did not happen")
        time.sleep(0.02)
    return value


class Page:
    """The page as a keyboard and an eye meet it: keys go where the focus is."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, address: str, width: int = 1280) -> None:
        self.resize(width)
        self.driver.get(address)
        wait_for(lambda: self.driver.execute_script("return document.querySelector('.line')"))
        self.driver.get_log("browser")  # forget what was said before

    def resize(self, width: int, *, dark: bool = False) -> None:
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})

    def press(self, *keys: str) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def tab_to(self, id_: str) -> None:
        """On with the tab key until the element has the focus; fails where it never gets it."""
        for _ in range(60):
            if self.focused() == id_:
                return
            self.press(TAB)
        pytest.fail(f"the tab key does not lead to {id_}")

    def focused(self) -> str:
        return self.driver.execute_script("return document.activeElement.id")

    def text(self, id_: str) -> str:
        return self.driver.execute_script(f"return document.getElementById('{id_}').innerText")

    def section(self, name: str) -> str:
        """A card of the brief or the verdict; empty where it is not shown."""
        script = f"return document.querySelector('.part.{name}')?.innerText ?? ''"
        return self.driver.execute_script(script)

    def is_shown(self, id_: str) -> bool:
        script = f"return document.getElementById('{id_}').checkVisibility()"
        return self.driver.execute_script(script)

    def ask(self, customer: str) -> str:
        """Type a customer into the field that has the focus; what the status says then."""
        before = self.text("status")
        self.press(customer, ENTER)
        done = ("problem", "status")
        wait_for(lambda: any(self.text(id_) not in ("", before, "Asking …") for id_ in done))
        return self.text("status")

    def console(self) -> list[str]:
        """What the browser complains of, refusals by the service aside."""
        lines = [line["message"] for line in self.driver.get_log("browser")]
        return [line for line in lines if "the server responded with a status of" not in line]

    def asked_addresses(self) -> list[str]:
        script = "return performance.getEntriesByType('resource').map((one) => one.name)"
        return [self.driver.current_url, *self.driver.execute_script(script)]


ENTER, TAB, ESCAPE, SPACE = "\ue007", "\ue004", "\ue00c", " "


@contextmanager
def browser() -> Iterator[Page]:
    """Chromium by its driver, with a profile of its own; skips where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("no browser: install Debian's packages chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for flag in (*FLAGS, f"--user-data-dir={Path(profile)}"):
            options.add_argument(flag)
        running = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
        try:
            yield Page(running)
        finally:
            running.quit()
