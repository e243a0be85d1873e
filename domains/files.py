"""Writing files so that a crash at any moment leaves the old one or the new one."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_whole(file: Path, content: str | bytes) -> None:
    """Write a file beside its place and rename it: a reader sees all of it or what was there before.

    Text is written as UTF-8 with its line ends as they are. The folder must exist; raises OSError and then
    leaves nothing of its own behind.
    """
    raw = content.encode() if isinstance(content, str) else content
    # A name of its own for each writer: two of them must not share a half-written file.
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        with beside.open("xb") as new:
            new.write(raw)
            new.flush()
            # Without this a power cut can leave the new name with no content behind it.
            os.fsync(new.fileno())
        beside.replace(file)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
