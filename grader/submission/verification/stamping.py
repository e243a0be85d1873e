"""Make evidence that was recorded elsewhere that of a workspace: for samples, and classes made of them."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from grader.measure import moment
from grader.measure.run import Run, Stamp
from grader.submission import evidence, history
from grader.submission.evidence import PREDICTIONS_FILE, REPORT_FILE
from grader.submission.history import HISTORY_FILE, Event
from grader.submission.verification import provenance


def stamp(folder: Path, lab: str, student: str, nonce: str) -> None:
    """Stamp all evidence in a folder and write the history that goes with it.

    Predictions that came before the run stay before it, and late ones after it.
    """
    report = folder / REPORT_FILE
    lines: list[bytes] = []
    file = folder / PREDICTIONS_FILE
    commitments = evidence.read(None, file.read_bytes() if file.is_file() else None).commitments
    run = Run.model_validate_json(report.read_bytes()) if report.is_file() else None
    began = evidence.started(run) if run else None
    predicted = [
        Event(what="predicted", time=one.time, about=one.question, sha256=one.sha256) for one in commitments
    ]
    early = [one for one in predicted if began is None or one.time.replace(microsecond=0) <= began]
    for event in early:
        _add(lines, event, nonce)
    own = Stamp(lab=lab, student=student, nonce=nonce, after=_head(lines, nonce))
    if run is not None and began is not None:
        report.write_text(run.model_copy(update={"stamp": own}).to_json(), encoding="utf-8")
        _measured(lines, folder, report, began + provenance.least_time(run), nonce)
    for event in predicted:
        if event not in early:
            _add(lines, event, nonce)
    for other in sorted((folder / "evidence").rglob("*.json")):
        if other != report:
            _measured(lines, folder, other, _stamped(other, own), nonce)
    if lines:
        (folder / HISTORY_FILE).write_bytes(b"".join(line + b"\n" for line in lines))


def _stamped(file: Path, own: Stamp) -> datetime:
    """Put the stamp into a result of an experiment; return when it was kept."""
    data: dict[str, Any] = json.loads(file.read_bytes())
    if "experiment" in data:
        data["stamp"] = own.model_dump()
        file.write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    began = moment.read(str(data.get("started") or data.get("time")))
    return began + timedelta(seconds=float(data.get("seconds") or 0))


def _measured(lines: list[bytes], folder: Path, file: Path, time: datetime, nonce: str) -> None:
    about, sha256 = file.relative_to(folder).as_posix(), hashlib.sha256(file.read_bytes()).hexdigest()
    _add(lines, Event(what="measured", time=time, about=about, sha256=sha256), nonce)


def _add(lines: list[bytes], event: Event, nonce: str) -> None:
    chained = event.model_copy(update={"previous": _head(lines, nonce)})
    lines.append(chained.model_dump_json(exclude_defaults=True).encode())


def _head(lines: list[bytes], nonce: str) -> str:
    return history.line_hash(lines[-1]) if lines else history.first_hash(nonce)
