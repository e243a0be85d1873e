"""Folders that one run needs: gone when it ends, and swept by a later one when it was killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_PREFIX = "tdlab-scratch-"
# Between making a folder and claiming it lies far less.
_UNCLAIMED_SECONDS = 60


@contextlib.contextmanager
def folder(what: str) -> Iterator[Path]:
    """Lend an empty folder that only this user may look into."""
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{what}-") as made:
        place = Path(made)
        claim = _opened(place)
        try:
            # The kernel gives it back when the last process that has it ends, however it ends.
            fcntl.flock(claim, fcntl.LOCK_EX)
            yield place
        finally:
            os.close(claim)


def sweep() -> list[Path]:
    """Remove the folders of this user's runs that were killed, and return them."""
    found = sorted(Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"))
    return [place for place in found if _is_removed(place)]


def _is_removed(place: Path) -> bool:
    try:
        status = place.lstat()
        if status.st_uid != os.geteuid() or time.time() - status.st_ctime < _UNCLAIMED_SECONDS:
            return False
        claim = _opened(place)
    except OSError:
        return False
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(place)
    except BlockingIOError:
        return False
    finally:
        os.close(claim)
    return True


def _opened(place: Path) -> int:
    """Return a descriptor of a folder, and never of what a link leads to."""
    return os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
