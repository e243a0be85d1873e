"""One tdlab at a time at what several share: each makes it once, and the others wait for that."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import filelock

from domains.errors import DeadlineExceeded


@contextlib.contextmanager
def held(file: Path, waiting_for: str, seconds: float) -> Iterator[None]:
    """Hold a lock file for the length of a ``with`` block, once nobody else does; it goes with its process.

    Raises :class:`DeadlineExceeded` when another process has it for longer than ``seconds``.
    """
    lock = filelock.FileLock(file, timeout=seconds)
    try:
        lock.acquire()
    except filelock.Timeout as late:
        raise DeadlineExceeded(
            f"{waiting_for}, which another tdlab is at",
            seconds,
            remedy=f"if that one hangs, end it (fuser {file} names it), then try again",
        ) from late
    try:
        yield
    finally:
        lock.release()
