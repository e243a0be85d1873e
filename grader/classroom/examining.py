"""What each archive says of itself, and whether that is verified: on all cores, for it takes longest."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from domains import process
from domains.errors import InfrastructureError
from grader.language.inert import inert, one_line
from grader.submission import manifest as manifests
from grader.submission import signature
from grader.submission.answers import ANSWERS_FILE
from grader.submission.archives import ArchiveRefused, read_packed
from grader.submission.manifest import MANIFEST_FILE, Manifest
from grader.submission.sources import LEFT_OUT_FILE, left_out, missing

# So many archives are looked at in the time that another process takes to start, and are sent it at once.
_PAYING, _AT_ONCE = 100, 16


@dataclass(frozen=True)
class Asked:
    """An archive to look at: where it is kept, and how it was handed in; without a file, nothing is there."""

    file: Path | None
    place: str
    is_zip: bool


@dataclass(frozen=True)
class Examined:
    """What was seen: changes to the :class:`~grader.classroom.roster.Attempt`, and the manifest, if any."""

    changes: Mapping[str, Any]
    manifest: Manifest | None = None


def each(asked: Iterable[Asked], lab: str, *, count: int, jobs: int) -> Iterator[Examined]:
    """Yield what is seen in each of ``count`` archives, in their order; ``jobs`` is 0 for as many as pay.

    Raises :class:`InfrastructureError` when the system ends a process that looks at them.
    """
    workers = min(jobs or len(os.sched_getaffinity(0)), count // _PAYING)
    if workers < 2:
        yield from map(partial(examined, lab=lab), asked)
        return
    with _pool(workers) as pool:
        try:
            yield from pool.map(partial(examined, lab=lab), asked, chunksize=_AT_ONCE)
        except BrokenProcessPool as gone:
            raise InfrastructureError(
                "a process that looks at archives was ended from outside",
                remedy="is there enough memory? With -j1 they are looked at one by one",
            ) from gone


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Lend processes that know what this one knows, and leave none behind, however this one ends."""
    pool = ProcessPoolExecutor(
        workers, multiprocessing.get_context("fork"), initializer=_begin, initargs=(os.getpid(),)
    )
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(parent: int) -> None:
    """Leave Ctrl-C to who started this process, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    process.end_with(parent)


def examined(one: Asked, lab: str) -> Examined:
    """Look at one archive; whatever breaks over it is said where it is graded, and stops no other."""
    if one.file is None:
        return Examined({})
    try:
        return _seen(one, one.file.read_bytes(), lab)
    except Exception as bad:  # noqa: BLE001 - ours, and the others still count
        return Examined(
            {"why": one_line(f"it could not be looked at: {type(bad).__name__}: {bad}", limit=400)}
        )


def _seen(one: Asked, raw: bytes, lab: str) -> Examined:
    name = Path(one.place).name
    try:
        files = read_packed(raw, None, is_zip=one.is_zip)
    except ArchiveRefused as bad:
        return Examined({"problem": one_line(f"{name}: {bad}", limit=400), "why": "it cannot be read"})
    changes: dict[str, Any] = {"why": signature.unverified(files, lab)}
    if ANSWERS_FILE not in files:
        changes["problem"] = _without_answers(name, files)
    manifest = manifests.parse(files.get(MANIFEST_FILE, b""))
    if not isinstance(manifest, Manifest):
        return Examined(changes)
    changes |= {"receipt": manifests.receipt_code(files[MANIFEST_FILE]), "signed_by": inert(manifest.student)}
    if not changes["why"]:
        changes["signer"] = signature.fingerprint(manifest.key)
    return Examined(changes | {"number": manifest.number}, manifest)


def _without_answers(name: str, files: Mapping[str, bytes]) -> str:
    """Return why there are no answers in what was handed in."""
    left = left_out(files.get(LEFT_OUT_FILE))
    why = left.get(ANSWERS_FILE) or missing(ANSWERS_FILE, files)
    if left and not files.keys() - {LEFT_OUT_FILE}:
        why = next(iter(left.values()))
    return one_line(f"{name}: {why}", limit=400)
