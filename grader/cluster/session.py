"""Grade a class on a cluster: a bounded number of batches under way, each grade kept once, as it arrives.

A worker that is lost loses nothing: Dask gives its batches to others. A batch over which workers die again
and again is taken apart, and each submission of it tried alone while nothing else runs, so that only the one
which does it can be blamed: it is an ERROR, ours, and costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from domains.errors import InfrastructureError
from grader.api import session as api_session
from grader.cluster import arrivals, connection, words
from grader.cluster.address import Local, Remote
from grader.cluster.arrivals import Arrivals
from grader.cluster.batches import Batch, Class, Share
from grader.cluster.connection import KVM, Cluster
from grader.cluster.worker import Job, as_it_is, packed
from grader.grading import gradebook
from grader.grading.class_items import Row
from grader.grading.grading import neutral_environment
from grader.grading.judging import chosen, lost
from grader.grading.spool import ENDED
from grader.lab.lab import Lab, lab_hash
from grader.language import Lang
from grader.language.inert import one_line
from grader.results.result import CheckResult, SubmissionGrade
from grader.results.score import submission_grade

if TYPE_CHECKING:
    from distributed import Future

Say = Callable[[str], None]

# For each thread of the workers: one that is graded, and one that waits.
_WAITING = 2
_SCRATCH = ".workers"
_LOOK_SECONDS = 2.0
# Without any worker for so long, none will come back by itself.
_NOBODY_SECONDS = 90.0


@contextmanager
def class_graded(
    lab: Lab,
    rows: Sequence[Row],
    *,
    where: Local | Remote,
    folder: Path,
    say: Say,
    lang: Lang | None = None,
    host: str | None = None,
) -> Iterator[Iterator[bytes]]:
    """Grade a class on a cluster; give each row's grade as JSON, the same as that of a session here.

    What arrives is kept in ``folder`` until the block ends well, and not graded again when it does not.
    Raises :class:`InfrastructureError` when there is nobody left to grade.
    """
    job = Job(lab.slug, str(lab.folder), lab_hash(lab.folder), gradebook.grader_hash(), lang)
    with arrivals.opened(folder, job.lab_hash, job.grader_hash) as arrived:
        given = Class(lab, rows, lang, arrived)
        shares = _shares(lab, host)
        boots = any(one.host for one in shares)
        with (
            neutral_environment(),
            connection.opened(where, job.grader_hash, folder / _SCRATCH, boots=boots) as cluster,
        ):
            say(words.WORKERS.say(lang or "en", count=cluster.threads()))
            run = _Run(cluster, job, arrived, lab.folder)
            seen = cluster.sees_files
            with _lasting():
                run.grade([_Lane(given.batches(one, sees_files=seen), one) for one in shares])
        for number in sorted(run.poisoned):
            say(words.POISONED.say(lang or "en", name=one_line(rows[number].student, limit=200)))
        if given.resumed:
            say(words.RESUMED.say(lang or "en", count=len(given.resumed)))
        yield (_whole(lab, row, number, given, shares) for number, row in enumerate(rows))


def _shares(lab: Lab, host: str | None) -> list[Share]:
    """Return what can be judged anywhere, and what needs a worker that boots guests."""
    booting = api_session.booting(lab) if host else ()
    if not booting:
        return [Share()]
    others = tuple(one.id for one in lab if one.id not in booting)
    return [*([Share(others)] if others else []), Share(booting, host)]


def _whole(lab: Lab, row: Row, number: int, given: Class, shares: Sequence[Share]) -> bytes:
    """Return the grade of a submission from its shares; what has not arrived is ours."""
    found = [given.grade(number, share) for share in shares]
    if len(found) == 1 and found[0] is not None:
        return found[0]
    results: dict[str, CheckResult] = {}
    unverified = ""
    for share, raw in zip(shares, found, strict=True):
        if raw is None:
            results |= {one.id: lost(one, ENDED) for one in chosen(lab, share.only)}
            continue
        grade = SubmissionGrade.model_validate_json(raw)
        unverified = unverified or grade.unverified
        results |= {one.id: one for one in grade.questions}
    whole = submission_grade(row.student, [results[one.id] for one in lab])
    return whole.model_copy(update={"unverified": unverified}).model_dump_json(by_alias=True).encode()


@dataclass
class _Lane:
    """Batches of one kind, of which only so many are under way as there is somebody for them."""

    batches: Iterator[Batch]
    share: Share
    width: int = 0

    @property
    def resource(self) -> str:
        return KVM if self.share.host else ""


class _Run:
    """One grading: what is under way, and what came of it."""

    def __init__(self, cluster: Cluster, job: Job, arrived: Arrivals, lab: Path) -> None:
        self._cluster = cluster
        self._job = job
        self._arrived = arrived
        # Whoever does not see our folders is sent the lab, once.
        sent = None if cluster.sees_files else cluster.client.submit(as_it_is, packed(lab))
        self._lab: Future | None = sent
        self._running: dict[Future, tuple[Batch, _Lane]] = {}
        self._suspects: list[tuple[Batch, _Lane]] = []
        self._looked, self._seen = 0.0, time.monotonic()
        self.poisoned: set[int] = set()

    def grade(self, lanes: list[_Lane]) -> None:
        """Have all batches graded; then those over which workers died, one submission at a time."""
        self._through(lanes)
        while self._suspects:
            batch, lane = self._suspects.pop()
            for one in batch.alone():
                self._through([replace(lane, batches=iter([one]))], is_last=True)

    def _through(self, lanes: list[_Lane], *, is_last: bool = False) -> None:
        while True:
            self._look(lanes)
            for lane in lanes:
                self._fill(lane)
            if not self._running:
                return
            for future in self._cluster.finished(self._running, _LOOK_SECONDS):
                self._take(future, *self._running.pop(future), is_last=is_last)

    def _fill(self, lane: _Lane) -> None:
        under_way = sum(one is lane for _, one in self._running.values())
        while under_way < max(1, lane.width) and (batch := next(lane.batches, None)) is not None:
            job = replace(self._job, host=batch.share.host, only=batch.share.only)
            future = self._cluster.submit(job, batch.sent, self._lab, lane.resource)
            self._running[future] = batch, lane
            under_way += 1

    def _take(self, future: Future, batch: Batch, lane: _Lane, *, is_last: bool) -> None:
        """Keep what a batch gave, or find out what kept it from giving anything."""
        from distributed import KilledWorker

        try:
            grades: list[bytes | None] = future.result()
        except KilledWorker:
            if is_last:
                self.poisoned.update(batch.numbers)
            else:
                self._suspects.append((batch, lane))
            return
        except InfrastructureError as broken:
            raise _stopped(broken.problem) from broken
        pairs = list(zip(batch.numbers, batch.keys, grades, strict=True))
        self.poisoned.update(number for number, _, raw in pairs if raw is None)
        self._arrived.add((key, raw) for _, key, raw in pairs if raw is not None)

    def _look(self, lanes: list[_Lane]) -> None:
        """See now and then how many workers there are; raises when there has long been none."""
        now = time.monotonic()
        if self._looked and now < self._looked + _LOOK_SECONDS:
            return
        self._looked = now
        for lane in lanes:
            lane.width = _WAITING * self._cluster.threads(lane.resource)
        waiting = [lane for lane in lanes if any(one is lane for _, one in self._running.values())]
        if all(lane.width for lane in waiting):
            self._seen = now
        elif now > self._seen + _NOBODY_SECONDS:
            raise _stopped(f"there has been no worker for {_NOBODY_SECONDS:.0f} s")


@contextmanager
def _lasting() -> Iterator[None]:
    """Say what it means when the scheduler does not outlast the block."""
    from distributed import CancelledError
    from distributed.comm import CommClosedError

    try:
        yield
    except (CancelledError, CommClosedError) as gone:
        raise _stopped("the cluster is gone: its scheduler does not answer any more") from gone


def _stopped(why: str) -> InfrastructureError:
    return InfrastructureError(
        why, remedy="what has arrived is kept: run it again, and it goes on from there"
    )
