"""Whether evidence was made in the workspace that it was handed in with, and by this student.

Each run carries a stamp (lab, student, the workspace's nonce, where the history stood); the history is a
chain of hashes that names each file of the evidence by its own. Students own their machines: what does not
fit is *detected*, never prevented, and says "unverified" with the reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from domains.errors import InputError
from grader.measure import moment
from grader.measure.run import Run, Stamp
from grader.submission import evidence, history
from grader.submission import identity as identities
from grader.submission.evidence import PREDICTIONS_FILE, REPORT_FILE, Bundle
from grader.submission.history import HISTORY_FILE, Chain, Event
from grader.submission.identity import WORKSPACE_FILE, Identity

# Clocks are set while people work: by less than this.
_CLOCK = timedelta(minutes=2)


@dataclass(frozen=True)
class Given:
    """What there is to hold a submission's evidence against.

    ``student`` is whose variant was answered (None: the author's), ``workspace`` and ``history`` are raw
    files, ``files`` those of the evidence by name. A lab's own samples are nobody's, and never verified;
    what was handed in (``handed_in``) is somebody's, also where it does not say whose.
    """

    lab: str
    student: str | None
    workspace: bytes | None
    history: bytes
    files: Mapping[str, bytes]
    handed_in: bool = False


def held(bundle: Bundle, given: Given) -> Bundle:
    """Return the evidence with what the history says of it; raises nothing for what a student wrote."""
    events = history.parse(given.history)
    return replace(
        bundle,
        unverified=None if given.student is None and not given.handed_in else unverified(bundle, given),
        given_up=frozenset(one.about for one in events if one.what == "unpredicted"),
        hints=_hints(events),
    )


def unverified(bundle: Bundle, given: Given) -> dict[str, str]:
    """Return the files of the evidence that are not verified, each with the reason."""
    identity = _identity(given)
    if identity is None:
        return dict.fromkeys(
            [*given.files, *([PREDICTIONS_FILE] if bundle.commitments else [])],
            f"there is no readable {WORKSPACE_FILE}: nobody knows in which workspace it was made",
        )
    chain = history.chain(given.history, identity.nonce)
    found = {}
    for name, raw in given.files.items():
        if reason := next(_reasons(name, identity, chain, raw, bundle), None):
            found[name] = reason
    if bundle.commitments and (reason := _of_predictions(identity, chain, bundle)):
        found[PREDICTIONS_FILE] = reason
    return found


def _identity(given: Given) -> Identity | None:
    try:
        return None if given.workspace is None else identities.parse(given.workspace)
    except InputError:
        return None


def _hints(events: Sequence[Event]) -> dict[str, frozenset[int]]:
    """Return which hints were asked for, by question; an event is about ``QUESTION#NUMBER``."""
    found: dict[str, frozenset[int]] = {}
    for one in events:
        question, _, number = one.about.rpartition("#")
        if one.what == "hint" and number.isascii() and number.isdigit():
            found[question] = found.get(question, frozenset()) | {int(number[:4])}
    return found


def _reasons(name: str, identity: Identity, chain: Chain, raw: bytes, bundle: Bundle) -> Iterator[str]:
    if not identity.nonce:
        yield "its workspace has no nonce"
    told = _told(name, raw, bundle)
    if told is not None:
        yield from _of_stamp(told, identity)
    if chain.problem:
        yield chain.problem
    sha256 = hashlib.sha256(raw).hexdigest()
    measured = [
        at
        for at, one in enumerate(chain.events)
        if (one.what, one.about, one.sha256) == ("measured", name, sha256)
    ]
    if not measured:
        yield f"{HISTORY_FILE} does not know this file: it was changed, or is of another time"
        return
    if told is None:
        return
    before = (history.first_hash(identity.nonce), *chain.hashes[: measured[0]])
    if told.stamp is not None and told.stamp.after not in before:
        yield f"{HISTORY_FILE} does not hold the moment at which it was begun"
    yield from _of_times(told, identity, chain.events[measured[0]].time)


@dataclass(frozen=True)
class _Told:
    """What a file says of itself: its stamp, when it began, and the shortest time that it can have taken."""

    stamp: Stamp | None
    began: datetime | None
    least: timedelta


def _told(name: str, raw: bytes, bundle: Bundle) -> _Told | None:
    """Return what a run or an experiment says of itself; None for a file of another kind."""
    if name == REPORT_FILE:
        run = bundle.run
        return None if run is None else _Told(run.stamp, evidence.started(run), least_time(run))
    if not name.startswith("evidence/experiments/"):
        return None
    import json

    try:
        data = json.loads(raw)
        stamp = data.get("stamp")
        seconds = float(data.get("seconds") or 0)
        began = moment.read(str(data.get("started")))
        least = timedelta(seconds=max(0.0, seconds))
        return _Told(Stamp.model_validate(stamp) if stamp else None, began, least)
    except (ValueError, AttributeError, TypeError, ValidationError, OverflowError, RecursionError):
        return _Told(None, None, timedelta())


def _of_stamp(told: _Told, identity: Identity) -> Iterator[str]:
    stamp = told.stamp
    if stamp is None:
        yield "it carries no stamp: it was measured outside of a workspace"
    elif stamp.student != identity.student:
        yield f"it carries the stamp of another student, {stamp.student[:60]}"
    elif stamp.lab != identity.lab:
        yield f"it carries the stamp of another lab, {stamp.lab[:60]}"
    elif stamp.nonce != identity.nonce:
        yield "it carries the stamp of another workspace of this student"


def _of_times(told: _Told, identity: Identity, kept: datetime) -> Iterator[str]:
    if told.began is None:
        yield "it does not say when it began"
        return
    # Differences, and no sums: the first day of the year 1 has none before it.
    if identity.started - told.began > _CLOCK:
        yield f"it began at {told.began.isoformat()}, before the workspace was started"
    # Times are written to the second.
    if kept - told.began < told.least - timedelta(seconds=2):
        took = max(0.0, (kept - told.began).total_seconds())
        yield f"it took {took:.0f} s, and what it holds takes at least {told.least.total_seconds():.0f} s"


def least_time(run: Run) -> timedelta:
    """Return how long a run takes at the very least: each round sends for some seconds, both ways."""
    measured = sum(cell.status == "measured" for cell in run.cells)
    rounds, seconds = (_whole(run.workload.get(key)) for key in ("repeats", "seconds"))
    return timedelta(seconds=min(measured * rounds * 2 * seconds, 10**6))


def _whole(value: Any) -> int:
    return min(value, 10**4) if isinstance(value, int) and value > 0 else 0


def _of_predictions(identity: Identity, chain: Chain, bundle: Bundle) -> str | None:
    """Return why the commitments are not verified: each must be in the history before the run began."""
    if chain.problem:
        return chain.problem
    known: dict[tuple[str, str], int] = {}
    for at, event in enumerate(chain.events):
        if event.what == "predicted":
            known.setdefault((event.about, event.sha256), at)
    stamp = bundle.run.stamp if bundle.run else None
    # A run may have begun before the first line of all.
    moments = (history.first_hash(identity.nonce), *chain.hashes)
    begun = moments.index(stamp.after) if stamp and stamp.after in moments else None
    for one in bundle.commitments:
        place = known.get((one.question, one.sha256))
        if place is None:
            return f"{HISTORY_FILE} does not know the prediction of {one.question}"
        is_early = bundle.run is not None and one.time <= evidence.started(bundle.run)
        if begun is not None and place >= begun and is_early:
            return f"the prediction of {one.question} comes after the measure in {HISTORY_FILE}"
    return None
