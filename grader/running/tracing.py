"""Exits by hardware reason, once for each cell of a run, after its last round.

A line of the journal for each cell says what was seen, or why it cannot be had. A cell whose tracing broke is
traced again with --resume; its samples are safe either way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from domains.errors import TdlabError
from domains.host import Host
from domains.lifecycle import Domain
from domains.render import Owner
from grader.measure import exit_reasons
from grader.measure.run import ExitReasons
from grader.running.journal import Journal

KIND = exit_reasons.NAME


def due(journal: Journal) -> set[str]:
    """Return the cells that ran under KVM and whose exits were not counted by reason yet."""
    ran: dict[str, Any] = {}
    for line in journal.lines("cell"):
        ran |= {line["cell"]: line["ran"]} if "ran" in line else {}
    done = {line["cell"] for line in journal.lines(KIND) if not line["again"]}
    return {cell for cell, facts in ran.items() if facts.get("accelerator") == "kvm"} - done


def trace(
    journal: Journal,
    host: Host,
    owner: Owner,
    guests: Mapping[str, Domain],
    linked: Callable[[Domain], AbstractContextManager[None]],
    *,
    refused: str | None,
    believed: bool,
    say: Callable[[str], None],
) -> None:
    """Count the exits of the paused guests (by cell) that are due, one after the other, each ``linked``.

    ``refused`` says why a host's exits cannot be counted by reason, or is None; ``believed`` whether KVM's
    own counters are any good there, to compare with.
    """
    waiting = due(journal)
    for cell in [cell for cell in guests if cell in waiting]:
        if refused:
            journal.add(KIND, cell=cell, again=False, cause=refused)
            continue
        try:
            with linked(guests[cell]):
                found = exit_reasons.measure(host, guests[cell], owner=owner, believed=believed)
        except TdlabError as broken:
            say(f"{cell}: exits were not counted by reason, {broken.problem}")
            journal.add(KIND, cell=cell, again=True, cause=broken.problem)
            continue
        journal.add(KIND, cell=cell, again=False, found=found.model_dump(mode="json"))
        say(f"{cell}: {told(found)}")


def told(found: ExitReasons) -> str:
    """Return the three most frequent reasons in one line, and a disagreement with KVM's counter."""
    most = ", ".join(f"{one.name} {one.per_mb:.4g}" for one in found.reasons[:3])
    said = f"exits per MB by reason: {most}"
    if found.agrees is False:
        said += f"; the tracepoint saw {found.traced} exits, and KVM counted {found.counted}"
    return said


def read(journal: Journal) -> tuple[dict[str, ExitReasons], dict[str, str]]:
    """Return what a journal holds by cell: the exits by reason, and why some cells have none."""
    found: dict[str, ExitReasons] = {}
    missing: dict[str, str] = {}
    for line in journal.lines(KIND):
        if "found" in line:
            found[line["cell"]] = ExitReasons.model_validate(line["found"])
        else:
            missing[line["cell"]] = line["cause"]
    return found, {cell: cause for cell, cause in missing.items() if cell not in found}
