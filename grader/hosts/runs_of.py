"""The folder of many hosts' runs: its plan, one command at a time, and what it showed so far."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import filelock

from domains import files
from domains.errors import UsageError
from grader.hosts import document, plan, turns
from grader.hosts.document import HostsReport
from grader.hosts.plan import Plan
from grader.hosts.turns import Say


def settled(folder: Path, wanted: Plan | None, *, resume: bool) -> Plan:
    """Return the plan to carry out: a new one, or that of the runs in ``folder`` when they go on.

    Raises :class:`UsageError` when there are runs that would be lost, or that were asked for something else.
    """
    if not resume:
        if (folder / plan.FILE).exists():
            raise UsageError(
                f"{folder} holds runs already", remedy=f"go on with them: --resume {folder}   or name another"
            )
        if wanted is None:
            raise UsageError("nothing says which hosts", remedy="give --hosts GROUP -i INVENTORY")
        plan.write(folder, wanted)
        return wanted
    held = plan.read(folder)
    if wanted is not None and wanted != held:
        raise UsageError(
            f"the runs in {folder} were asked for something else",
            remedy=f"go on with them as they were asked: tdlab bench --resume {folder}",
        )
    return held


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let no second command work in a folder; raises :class:`UsageError`."""
    lock = filelock.FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise UsageError(f"another tdlab is at work in {folder}", remedy="wait until it has ended") from None
    try:
        yield
    finally:
        lock.release()


def measured(made: Plan, folder: Path, *, at_once: int, against: str | None, say: Say) -> HostsReport:
    """Measure what is missing, and write ``hosts.json``."""
    found = turns.measure(made, folder, at_once=at_once, say=say)
    report = document.report(made, found, at_once=at_once, against=against)
    files.write_whole(folder / document.FILE, report.to_json())
    return report
