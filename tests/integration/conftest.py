"""What tests of pages share: a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start Chromium without a window; where there is none, skip, or fail where it is required."""
    from playwright.sync_api import sync_playwright

    from domains.setup import browser as browsers

    program = browsers.find()
    if program is None:
        why = f"no Chromium on this machine (the package {browsers.PACKAGE})"
        pytest.fail(why) if browsers.is_required() else pytest.skip(why)
    quiet = ["--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=program, args=quiet)
        yield made
        made.close()
