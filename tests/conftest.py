"""What all tests share: a folder of their own for all that tdlab keeps, and a libvirt daemon that answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from domains import daemon

# No deadline for an example: how long it takes tells of the machine, and machines that run guests are busy.
settings.register_profile("tdlab", deadline=None)
settings.load_profile("tdlab")


@pytest.fixture(scope="session")
def libvirt_daemon() -> Iterator[None]:
    """Have a libvirt daemon; one that the tests had to start is stopped after them."""
    started = daemon.ensure_running()
    yield
    if started:
        daemon.stop_started()


@pytest.fixture
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep this test's notes of past runs away from the user's; the cache stays shared, for it is content."""
    folder = tmp_path / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    return folder
