"""What runs in a worker: it takes a batch of submissions and has them judged by a process of its own."""

from __future__ import annotations

import contextlib
import io
import signal
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from domains.errors import InfrastructureError, TdlabError
from grader.cluster import judges
from grader.grading import limits
from grader.grading.class_items import Row
from grader.language import Lang

# A submission whose judge ends is tried so often in all; then it is an ERROR.
TRIES = 3


@dataclass(frozen=True)
class Job:
    """What a class is graded by; ``lab`` is a folder that the worker sees too, unless it is sent along."""

    slug: str
    lab: str
    lab_hash: str
    grader_hash: str
    lang: Lang | None = None
    host: str | None = None
    only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sent:
    """A submission on its way: its row, and its bytes for workers that do not see where it lies."""

    row: Row
    content: bytes | None = None


def dask_setup(_worker: object) -> None:
    """Leave Ctrl-C to who started this worker, and ends it (Dask calls this in workers that are ours)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def grader_hash() -> str:
    """Return the hash of the code that this worker grades by."""
    from grader.grading import gradebook

    return gradebook.grader_hash()


def packed(lab: Path) -> bytes:
    """Return a lab's folder as an archive for workers that do not see it."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(lab.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                archive.write(file, file.relative_to(lab).as_posix())
    return made.getvalue()


def as_it_is(content: bytes) -> bytes:
    """Return what it is given: Dask does a task again when the worker that kept its result is lost."""
    return content


def graded(job: Job, batch: list[Sent], lab: bytes | None = None) -> list[bytes | None]:
    """Return the grade (JSON) of each submission; None for one whose judge ended every time that it tried.

    Raises :class:`InfrastructureError` when this worker cannot grade at all.
    """
    from distributed import get_worker

    worker = get_worker()
    try:
        own = Path(worker.local_directory)
        order = {
            "lab": str(_unpacked(job, lab, own)) if lab is not None else job.lab,
            "lang": job.lang,
            "host": job.host,
            "network": job.host is not None,
        }
        with tempfile.TemporaryDirectory(prefix="tdlab-batch-", dir=own) as scratch:
            return [_tried(job, order, _row(one, Path(scratch))) for one in batch]
    except (TdlabError, OSError) as bad:
        # Not as it is: errors with fields of their own do not travel.
        raise InfrastructureError(f"the worker {worker.address}: {bad}") from None


def _row(one: Sent, scratch: Path) -> Row:
    if one.content is None:
        return one.row
    place = scratch / Path(one.row.place).name
    place.write_bytes(one.content)
    return replace(one.row, place=str(place))


def _tried(job: Job, order: dict[str, Any], row: Row) -> bytes | None:
    for _ in range(TRIES):
        began = time.monotonic()
        if (found := judges.lent(order, _pinned(job)).graded(row, job.only)) is not None:
            return found
        if time.monotonic() - began >= limits.A_SUBMISSION:
            # It was ended for taking too long, and would be again.
            return None
    return None


def _pinned(job: Job) -> dict[str, str]:
    return {"lab_hash": job.lab_hash, "grader_hash": job.grader_hash}


_UNPACKING = threading.Lock()


def _unpacked(job: Job, lab: bytes, own: Path) -> Path:
    """Return the folder of a lab that was sent; its name is the lab's."""
    around = own / f"tdlab-lab-{job.lab_hash[:20]}"
    with _UNPACKING:
        if not around.is_dir():
            with _beside(around) as made, zipfile.ZipFile(io.BytesIO(lab)) as archive:
                archive.extractall(made / job.slug)
    return around / job.slug


@contextlib.contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """Lend a new folder, and give it its name when it is whole."""
    made = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=folder.parent))
    yield made
    made.rename(folder)
