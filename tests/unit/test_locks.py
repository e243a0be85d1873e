"""One tdlab at a time at what several share."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from domains import locks, process
from domains.errors import DeadlineExceeded

HOLDS = """
import sys, filelock, signal
lock = filelock.FileLock(sys.argv[1])
lock.acquire()
print("held", flush=True)
signal.pause()
"""


def test_who_waits_too_long_is_told_for_what_and_what_to_do(tmp_path: Path) -> None:
    with process.started([sys.executable, "-c", HOLDS, tmp_path / "lock"]) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(DeadlineExceeded, match=r"waited 0\.1 s for the image, which another") as late,
            locks.held(tmp_path / "lock", "the image", 0.1),
        ):
            pass
        assert f"fuser {tmp_path / 'lock'}" in str(late.value.remedy)
        os.kill(other.pid, signal.SIGKILL)
        with locks.held(tmp_path / "lock", "the image", 20):
            pass


def test_a_lock_is_given_back_however_the_block_ends(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), locks.held(tmp_path / "lock", "it", 0):
        raise RuntimeError
    with locks.held(tmp_path / "lock", "it", 0):
        pass
