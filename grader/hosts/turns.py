"""Measure the hosts of a plan, in turn or side by side: a process for each, bounded in time."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from domains import process, wait
from domains.errors import DeadlineExceeded, UsageError
from domains.process import Child
from grader.hosts.plan import Named, Plan
from grader.hosts.worker import Ended
from grader.measure import run as runs
from grader.measure.run import Run
from grader.running import interruption, tracing
from grader.running import journal as journals

LOG = "log.txt"
_REPORT = "report.json"
# A guest of TCG's on a slow machine boots within two minutes or not at all; a transfer may be tried again.
_FOR_ALL_SECONDS, _BOOT_SECONDS, _SLACK_SECONDS = 420, 140, 60
# After a signal a run takes its guests down, each within a few seconds.
_GRACE_SECONDS = 60
_LOOK_SECONDS = 0.2

Say = Callable[[str, str], None]


@dataclass(frozen=True)
class Turn:
    """How it went with one host: its run as far as it came, and why it came no further."""

    named: Named
    run: Run | None
    cause: str | None = None
    remedy: str | None = None
    seconds: float = 0.0
    interrupted: bool = False
    word: str = ""  # a stable word for the cause, where it is known
    late: bool = False


def measure(plan: Plan, folder: Path, *, at_once: int, say: Say, seconds: float | None = None) -> list[Turn]:
    """Measure all hosts that are not measured yet, ``at_once`` of them side by side, and return all.

    ``say`` is given a host's name and a line of its progress. ``seconds`` bounds each host, in place of what
    the matrix should take at most. Hosts that work on this machine's processors come last, one by one:
    starting the others would be measured with them.
    """
    limit = seconds or longest(plan)
    far = [one for one in plan.hosts if not one.way.is_near]
    near = [one for one in plan.hosts if one.way.is_near]
    with interruption.noted() as stopped:
        turns = _Turns(plan, folder, limit, say, stopped)
        found = turns.all(far, at_once) + turns.all(near, 1)
    by_name = {one.named.name: one for one in found}
    return [by_name[one.name] for one in plan.hosts]


def longest(plan: Plan) -> float:
    """Return how many seconds one host may take: several times what it should."""
    work = plan.workload
    once = 2 * (work.seconds + work.warmup + _SLACK_SECONDS) + work.pings * 0.002 + _SLACK_SECONDS
    return _FOR_ALL_SECONDS + len(plan.cells) * (_BOOT_SECONDS + work.repeats * once)


def finished(plan: Plan, folder: Path, one: Named) -> Run | None:
    """Return the run of a host that has nothing left to do, or None."""
    found, journal = _run(folder / one.folder), journals.left(folder / one.folder)
    if found is None or {cell.id for cell in found.cells} != {cell.id for cell in plan.cells}:
        return None
    if journal and tracing.due(journal):
        return None
    states = {cell.status for cell in found.cells}
    return found if "measured" in states and "error" not in states else None


def _run(folder: Path) -> Run | None:
    try:
        return runs.read(folder / _REPORT)
    except UsageError:
        return None


@dataclass(frozen=True)
class _Turns:
    """What all hosts of a command have in common."""

    plan: Plan
    folder: Path
    limit: float
    say: Say
    stopped: threading.Event

    def all(self, hosts: Sequence[Named], at_once: int) -> list[Turn]:
        with ThreadPoolExecutor(max_workers=max(1, at_once)) as workers:
            going = [workers.submit(self.one, host) for host in hosts]
            return [one.result() for one in going]

    def one(self, host: Named) -> Turn:
        """Measure one host, unless that is done; what breaks here is no fault of the host's."""
        try:
            if done := finished(self.plan, self.folder, host):
                self.say(host.name, "measured before")
                return Turn(host, done)
            return self._interrupted(host, 0.0) if self.stopped.is_set() else self._measured(host)
        except OSError as why:
            cause = f"{self.folder / host.folder} cannot be used: {why.strerror}"
            return Turn(host, None, cause, "make room there, then use --resume")

    def _measured(self, host: Named) -> Turn:
        """Measure one host by a process of its own."""
        began = time.monotonic()
        place = self.folder / host.folder
        place.mkdir(exist_ok=True)
        # What is there of a run before may be older than what this one finds.
        (place / _REPORT).unlink(missing_ok=True)
        with (
            (place / LOG).open("a", encoding="utf-8", errors="backslashreplace") as log,
            process.started(_words(self.folder, host.name)) as child,
        ):

            def told(line: str) -> None:
                log.write(line + "\n")
                log.flush()
                self.say(host.name, line)

            said, late = self._attend(child, told)
        seconds = time.monotonic() - began
        if self.stopped.is_set() and child.returncode:
            return self._interrupted(host, seconds)
        return _ended(host, self._found(host), said, late, seconds, place / LOG, self.limit)

    def _found(self, host: Named) -> Run | None:
        """Return a host's run as far as it came: its process may have ended before it wrote a report."""
        from grader import report
        from grader.running import summary

        place = self.folder / host.folder
        if found := _run(place):
            return found
        journal = journals.left(place)
        if journal is None:
            return None
        made = summary.summarise(journal, self.plan.matrix())
        report.write(made, place)
        return made

    def _attend(self, child: Child, told: Callable[[str], None]) -> tuple[str, bool]:
        """Pass on what a process says until it ends; return its last word, and whether it took too long."""
        last: list[str] = []
        readers = [
            threading.Thread(target=_each, args=(child.stderr, told)),
            threading.Thread(target=_each, args=(child.stdout, last.append)),
        ]
        for one in readers:
            one.start()
        end = time.monotonic() + self.limit
        while child.poll() is None and not self.stopped.wait(_LOOK_SECONDS) and time.monotonic() < end:
            pass
        late = child.poll() is None and not self.stopped.is_set()
        if child.poll() is None:
            _stop(child)
        for one in readers:
            one.join()
        return last[-1] if last else "", late

    def _interrupted(self, host: Named, seconds: float) -> Turn:
        found = self._found(host)
        cause = "it was stopped; what was measured is kept"
        return Turn(host, found, cause, "use --resume", seconds, interrupted=True)


def _words(folder: Path, name: str) -> list[str]:
    return [sys.executable, "-m", "grader.hosts.worker", str(folder), name, str(os.getpid())]


def _each(stream: object, take: Callable[[str], None]) -> None:
    with contextlib.suppress(ValueError, OSError):  # closed while it was read
        for line in stream:  # type: ignore[attr-defined]
            # Read on where the terminal is gone: a process that nobody reads would wait for ever.
            with contextlib.suppress(OSError):
                take(line.rstrip("\n"))


def _stop(child: Child) -> None:
    """Have a run end its guests, or, where it hangs, end it."""
    with contextlib.suppress(DeadlineExceeded, ProcessLookupError):
        child.send_signal(signal.SIGTERM)
        wait.until(lambda: child.poll() is not None, waiting_for="the end of a run", deadline=_GRACE_SECONDS)
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _ended(
    host: Named, run: Run | None, said: str, late: bool, seconds: float, log: Path, limit: float
) -> Turn:
    if late:
        cause = f"it was not done within {limit:.0f} s, and was given up: it hangs"
        return Turn(host, run, cause, f"look at {log}; then use --resume", seconds, word="hung", late=True)
    try:
        ended = Ended.model_validate_json(said)
    except ValidationError:
        return Turn(host, run, "its run broke, which is our fault", f"look at {log}, and report it", seconds)
    if ended.state != "measured":
        return Turn(host, run, ended.cause, ended.remedy, seconds, word=ended.word)
    if run is None:
        return Turn(host, None, "its run left no report", f"look at {log}, and report it", seconds)
    bad = [cell for cell in run.cells if cell.status == "error"]
    measured = any(cell.status == "measured" for cell in run.cells)
    if measured and not bad:
        return Turn(host, run, seconds=seconds)
    # The first that broke says most; where nothing could be measured, why that was.
    first = bad[0] if bad else run.cells[0]
    cause = f"{first.id}: {first.cause}"
    return Turn(host, run, cause, first.remedy, seconds, word="other" if bad else "unable")
