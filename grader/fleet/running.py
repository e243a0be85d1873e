"""Run a playbook on a plan: the board follows it, and a log without secrets is kept."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import filelock

from domains import many_hosts
from domains.errors import InfrastructureError, UsageError
from domains.phases import phase
from grader.fleet import board, causes, notes, objects, secrets, students
from grader.fleet.board import Board, Row
from grader.fleet.causes import Cause
from grader.fleet.plan import RELAY_PORT, Plan, known_hosts
from grader.running import interruption

# An archive of 32 MiB, the largest that is taken, comes back in base64 where root is not who logs in.
_MOST_COLLECTED = 48 * 2**20
_NAMED = re.compile(r'"(?:file|tdlab_record)": "([^"/]+)"')
# How many logs of a lab are kept.
_KEPT = 20


def run(
    plan: Plan,
    playbook: str,
    *,
    forks: int,
    on_change: Callable[[Board, Row | None], None] = lambda _board, _row: None,
    check: bool = False,
    more: Mapping[str, Any] | None = None,
) -> tuple[Board, Path]:
    """Run a playbook on all machines of a plan; return where each is in the end, and the log.

    ``more`` are variables for the playbook. What the machines say of their students' keys is noted.
    """
    rows = board.fresh((one.machine.name, one.machine.students) for one in plan.assigned)
    wants = {one.machine.name: one.wants for one in plan.assigned} if playbook == "deploy.yml" else {}
    seen = Board(rows, wants)
    log = _log(plan.home / "logs", playbook)
    with alone(plan.home), interruption.noted() as stopped, _logged(plan, log) as logged:
        inventories = plan.write(more=more)
        many_hosts.play(
            playbook,
            inventories,
            forks=forks,
            known_hosts=known_hosts(),
            on_event=lambda event: on_change(seen, seen.take(logged(event))),
            is_cancelled=stopped.is_set,
            check=check,
            vault=plan.inventory.vault,
            most_output=_MOST_COLLECTED if playbook == "collect.yml" else many_hosts.MOST_OUTPUT,
        )
    objects.sweep(plan.store, plan.sent | _needed(plan.home.parent))
    seen.close(Cause(causes.INTERRUPTED, "") if stopped.is_set() else None)
    if not check:
        seats = {one.machine.name: [seat.slug for seat in one.seats] for one in plan.assigned}
        students.note_keys(plan.home, seats, rows.values())
        if playbook == "remove.yml":
            students.forget_keys(plan.home, seats, rows.values())
    notes.noted(plan.home, rows.values())
    return seen, log


@contextlib.contextmanager
def _logged(plan: Plan, log: Path) -> Iterator[Callable[[dict[str, Any]], dict[str, Any]]]:
    """Give what logs an event of Ansible's, times its task, and returns it without secrets."""
    hidden = secrets.of((one.machine.variables for one in plan.assigned), plan.inventory.hidden)
    with (
        log.open("x", encoding="utf-8", errors="backslashreplace") as stream,
        phase("Ansible"),
        contextlib.ExitStack() as task,
    ):

        def logged(event: dict[str, Any]) -> dict[str, Any]:
            if said := event.get("stdout"):
                stream.write(secrets.shown(str(said), hidden) + "\n")
            shown: dict[str, Any] = secrets.cleared(event, hidden)
            if shown.get("event") == "playbook_on_task_start":
                task.close()
                task.enter_context(phase(str(shown["event_data"]["task"])))
            return shown

        yield logged


@contextlib.contextmanager
def relayed(plan: Plan, name: str) -> Iterator[dict[str, Any]]:
    """Have a machine pass the objects on for the length of a ``with`` block; yield what the others must know.

    Raises :class:`InfrastructureError` when that machine cannot.
    """
    alone = plan.only(name)
    seen, log = run(alone, "relay.yml", forks=1)
    if cause := seen.rows[name].cause:
        raise InfrastructureError(
            f"{name} cannot pass anything on: {cause.told('en')}",
            remedy=f"deploy without --relay; log: {log}",
        )
    address = str(alone.assigned[0].machine.variables.get("ansible_host", name))
    at = f"[{address}]" if ":" in address else address
    try:
        yield {"fleet_files_relay": f"rsync://{at}:{RELAY_PORT}/objects"}
    finally:
        run(alone, "relay.yml", forks=1, more={"fleet_relay_ends": True})


@contextlib.contextmanager
def alone(home: Path) -> Iterator[None]:
    """Let no second command work on the machines of a lab at once; one command may ask for it again."""
    home.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(home / ".lock", is_singleton=True)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        raise UsageError(
            f"another tdlab works on the machines of {home.name}", remedy="wait until it has ended"
        ) from None
    try:
        yield
    finally:
        lock.release()


def _needed(homes: Path) -> set[str]:
    """Return the objects that the last run of each lab sent: it may have to be repeated."""
    texts = (file.read_text(encoding="utf-8") for file in homes.glob("*/inventory.json"))
    return {name for text in texts for name in _NAMED.findall(text)}


def _log(folder: Path, playbook: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for old in sorted(folder.glob("*.log"))[: -_KEPT + 1]:
        old.unlink()
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    return folder / f"{moment}-{Path(playbook).stem}.log"
