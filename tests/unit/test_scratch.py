"""A run's own folders: gone with it, or swept once it was killed."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path

import pytest

from domains import process, scratch
from domains.paths import SHIPPED

HOLDS = """
import signal
from domains import scratch
with scratch.folder("held") as place:
    (place / "secret").write_text("x")
    print(place, flush=True)
    signal.pause()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This test's own temporary folder, in which no folder is too young to be swept."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(scratch, "_UNCLAIMED_SECONDS", -1)
    return tmp_path


def test_a_folder_is_this_users_alone_and_gone_afterwards(temporary: Path) -> None:
    with scratch.folder("work") as place:
        assert place.parent == temporary
        assert place.stat().st_mode & 0o777 == 0o700
        (place / "inside").mkdir()
        assert scratch.sweep() == []
    assert list(temporary.iterdir()) == []


def test_what_a_killed_run_left_is_swept_and_nothing_that_is_in_use(temporary: Path) -> None:
    env = {"PYTHONPATH": str(SHIPPED), "TMPDIR": str(temporary)}
    with process.started([sys.executable, "-c", HOLDS], env=env) as other:
        assert other.stdout is not None
        place = Path(other.stdout.readline().strip())
        assert place.parent == temporary
        assert scratch.sweep() == []
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
        assert (place / "secret").exists()
        assert scratch.sweep() == [place]
    assert list(temporary.iterdir()) == []


def test_only_folders_of_this_kind_are_swept(temporary: Path) -> None:
    (temporary / "tdlab-scratch-link-1").symlink_to(temporary / "work")
    (temporary / "work").mkdir()
    (temporary / "tdlab-scratch-file-1").touch()
    assert scratch.sweep() == []
    assert len(list(temporary.iterdir())) == 3


def test_one_that_was_just_made_may_not_be_claimed_yet(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (temporary / "tdlab-scratch-new-1").mkdir()
    monkeypatch.setattr(scratch, "_UNCLAIMED_SECONDS", 60)
    assert scratch.sweep() == []
