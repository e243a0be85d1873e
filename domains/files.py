"""Writing files so that a crash at any moment leaves the old or the new one, or all lines but the last."""

from __future__ import annotations

import os
import re
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


def is_leftover(file: Path, *, of: str | None = None) -> bool:
    """Say whether a file is what a killed :func:`write_whole` left (``of`` a file of this name)."""
    match = re.fullmatch(r"\.(.+)\.[0-9a-f]{8}", file.name)
    return match is not None and of in {None, match[1]}


def append_line(file: Path, line: str) -> None:
    """Add a line to a file, making it and its folder; the line is on disk when this returns.

    What a full disk or a crash left half-written before is ended first, so that it swallows no other line.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+b") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - 1))
        is_torn = stream.read(1) not in {b"", b"\n"}
        stream.write(b"\n" * is_torn + line.encode() + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
