"""What an emulated host was doing when it no longer answered: kept before it is ended."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from domains import files, process
from domains.emulated import registry
from domains.emulated.registry import Record
from domains.errors import DeadlineExceeded

_LOOKS = ("info cpus", "info registers -a", "info lapic 0", "info lapic 1", "info pic")
_SECONDS = 10
_KEPT = 3


def keep(record: Record) -> Path | None:
    """Write what QEMU says of a host's processors, twice, into the host's folder; return the file.

    None where nothing could be had or kept: QEMU hangs as well, there is no virsh, or the disk is full: that
    must not keep the host from being restored. What it takes is bounded.
    """
    if process.found("virsh") is None:
        return None
    said: list[str] = []
    # The first look that QEMU does not answer is the last.
    with contextlib.suppress(DeadlineExceeded):
        said += (_look(record.plan.domain_name, words) for _ in range(2) for words in _LOOKS)
    if not any(said):
        return None
    folder = registry.folder(record.plan.name)
    file = folder / f"hang-{time.strftime('%Y%m%d-%H%M%S')}.txt"
    try:
        for old in sorted(folder.glob("hang-*.txt"))[: -(_KEPT - 1)]:
            old.unlink(missing_ok=True)
        files.write_whole(file, "\n".join(said))
    except OSError:
        return None
    return file


def _look(domain: str, words: str) -> str:
    argv = ["virsh", "-c", "qemu:///system", "qemu-monitor-command", domain, "--hmp", words]
    found = process.run(argv, timeout=_SECONDS, check=False)
    return f"### {words}\n{found.stdout}" if found.status == 0 else ""
