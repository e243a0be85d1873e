"""What tests with real things share: a browser, an emulated lab host."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from benchmarks import _lab_host
from benchmarks._lab_host import LabHost

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


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, libvirt_daemon: None) -> Iterator[LabHost]:
    """Have an emulated host up for all tests of the session that ask for one; nothing of it is left."""
    with _lab_host.up(tmp_path_factory.mktemp("state")) as made:
        yield made
