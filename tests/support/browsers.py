"""A real browser, and what it finds wrong with a page."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest


def chromium() -> Iterator:
    """Headless Chromium that reports its console and its requests; skipped where there is none."""
    paths = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if not all(paths):
        reason = "needs chromium and chromedriver (Debian: chromium, chromium-driver)"
        if os.environ.get("CI"):
            pytest.fail(f"CI installs a browser, but it is not there: {reason}")
        pytest.skip(reason)
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = paths[0]
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(paths[1]))
    yield driver
    driver.quit()


def wait_until(browser, script: str) -> None:
    """Wait until a script in the page gives something true."""
    from selenium.webdriver.support.wait import WebDriverWait

    WebDriverWait(browser, 60).until(lambda _: browser.execute_script(script))


def faults(browser, file: Path, width: int = 1200, until: str = "return true") -> list[str]:
    """What is wrong with a page: console errors, broken images, requests, what sticks out.

    It is looked at when the script ``until`` gives something true.
    """
    for kind in ("browser", "performance"):
        browser.get_log(kind)
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(file.as_uri())
    wait_until(browser, until)
    console = [entry["message"] for entry in browser.get_log("browser")]
    images = browser.execute_script(
        "return [...document.images].filter(i => !(i.complete && i.naturalWidth > 0 && i.alt))"
        ".map(i => 'broken image: ' + i.alt)"
    )
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [e["params"]["request"]["url"] for e in events
             if e["method"] == "Network.requestWillBeSent"]  # fmt: skip
    foreign = [
        url for url in asked if url != file.as_uri() and not url.startswith(("data:", "blob:"))
    ]
    wide = browser.execute_script(
        "return document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    return console + images + foreign + (["wider than the window"] if wide else [])
