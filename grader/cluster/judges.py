"""A worker's judges: processes that it starts, asks and replaces; one that breaks leaves the worker whole."""

from __future__ import annotations

import contextlib
import json
import select
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from domains import process
from domains.errors import InfrastructureError
from domains.paths import SHIPPED
from grader.grading.class_items import Row

_START_SECONDS = 180.0
# One that judges what needs no host, and one that boots guests.
_MOST = 2
_NAMES = {"lab_hash": "lab", "grader_hash": "tdlab"}


class Judge:
    """A process that judges, as long as it lives."""

    def __init__(self, child: process.Child, held: contextlib.ExitStack) -> None:
        self._child = child
        self._held = held

    def is_alive(self) -> bool:
        """Return whether it can be asked."""
        return self._child.poll() is None

    def graded(self, row: Row, only: tuple[str, ...]) -> bytes | None:
        """Return a submission's grade as JSON; None when the process ended over it."""
        try:
            _say(self._child, {"row": asdict(row), "only": only})
            found = _answer(self._child)
        except OSError:
            found = None
        if found is None:
            self.end()
            return None
        graded: str = found["graded"]
        return graded.encode()

    def end(self) -> None:
        """Be rid of the process."""
        self._held.close()


class _Mine(threading.local):
    """The judges of a thread, by what they judge by; they end with the worker at the latest."""

    def __init__(self) -> None:
        self.judges: dict[str, Judge] = {}


_MINE = _Mine()


def lent(order: Mapping[str, Any], pinned: Mapping[str, str]) -> Judge:
    """Return this thread's judge for an order; one is started where none lives.

    Raises :class:`InfrastructureError` when it does not start, or has not the ``pinned`` hashes.
    """
    known, name = _MINE.judges, json.dumps([order, pinned])
    if name in known and known[name].is_alive():
        return known[name]
    for stale in [one for one in known if one == name or len(known) >= _MOST][:1]:
        known.pop(stale).end()
    known[name] = _started(order, pinned)
    return known[name]


def _started(order: Mapping[str, Any], pinned: Mapping[str, str]) -> Judge:
    with contextlib.ExitStack() as held:
        # Its modules are tdlab's own, wherever the worker was started.
        env = {"PYTHONPATH": str(SHIPPED), "PYTHONSAFEPATH": "1"}
        words = [sys.executable, "-m", "grader.cluster.judge"]
        child = held.enter_context(process.started(words, env=env, cwd=Path("/"), stdin=True))
        has = _begun(child, order)
        for what, wanted in pinned.items():
            if has[what] != wanted:
                raise InfrastructureError(f"it grades by another {_NAMES[what]} than the one that asks")
        return Judge(child, held.pop_all())


def _begun(child: process.Child, order: Mapping[str, Any]) -> dict[str, Any]:
    """Tell a judge what to judge by, and return what it says that it has."""
    _say(child, order)
    assert child.stdout is not None  # noqa: S101  it was started with one
    if select.select([child.stdout], [], [], _START_SECONDS)[0] and (found := _answer(child)):
        if "trouble" not in found:
            return found
        why = found["trouble"]
    else:
        child.kill()
        _, said = child.communicate()
        why = (said.strip().splitlines() or ["it does not say why"])[-1]
    raise InfrastructureError(f"its judge does not start: {why}")


def _say(child: process.Child, what: Mapping[str, Any]) -> None:
    assert child.stdin is not None  # noqa: S101  it was started with one
    child.stdin.write(json.dumps(what) + "\n")
    child.stdin.flush()


def _answer(child: process.Child) -> dict[str, Any] | None:
    """Return the next line of a judge; None when there is none, or only half of one."""
    assert child.stdout is not None  # noqa: S101  it was started with one
    line = child.stdout.readline()
    if not line.endswith("\n"):
        return None
    found: dict[str, Any] = json.loads(line)
    return found
