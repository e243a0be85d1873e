"""Measure inside a workspace: predict first, and what is found lands in the evidence by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from domains import files
from domains.errors import UsageError
from grader.lab.questions import PredictionQuestion
from grader.measure.run import Stamp
from grader.submission import history
from grader.submission.evidence import PREDICTIONS_FILE, read
from grader.submission.history import Event
from grader.workspace import sayings
from grader.workspace.workspace import Workspace, require_open

RUNS = "runs"


def begin(place: Workspace, told: Iterable[PredictionQuestion], *, without_predicting: bool) -> Stamp:
    """Return the stamp of a measurement that is about to begin, which would answer the predictions ``told``.

    Raises :class:`UsageError` while one of them is open, unless they are given up.
    """
    require_open(place)
    still = open_predictions(place, told)
    if still and not without_predicting:
        raise UsageError(*_refusal(place, still))
    identity = place.identity
    return Stamp(
        lab=identity.lab, student=identity.student, nonce=identity.nonce, after=history.head(place.folder)
    )


def keep(
    place: Workspace, name: str, content: str, told: Iterable[PredictionQuestion], *, is_measured: bool
) -> str:
    """Put what was measured into the evidence as ``evidence/NAME`` and into the history; say where it is.

    ``told`` are the predictions that it answers: those still open are given up now, and not before, since a
    measurement that broke has told nothing. Nor does one that broke replace one that did not.
    """
    about, lang = f"evidence/{name}", place.identity.lang
    file = place.folder / about
    if not is_measured and file.exists():
        return sayings.NOT_REPLACED.say(lang, file=file)
    for question in open_predictions(place, told) if is_measured else ():
        history.add(place.folder, Event(what="unpredicted", time=history.now(), about=question.id))
    file.parent.mkdir(parents=True, exist_ok=True)
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    # The history first: killed in between, the file that is there is still one that the history knows.
    history.add(place.folder, Event(what="measured", time=history.now(), about=about, sha256=sha256))
    files.write_whole(file, content)
    return sayings.KEPT.say(lang, file=file)


def folder_of_run(place: Workspace, command: str, now: datetime | None = None) -> Path:
    """Return where a run of this workspace is kept with all its rounds; it is not handed in."""
    stamp = (now or datetime.now()).strftime("%Y%m%d-%H%M%S")
    return place.folder / RUNS / f"{command}-{stamp}"


def open_predictions(
    place: Workspace, among: Iterable[PredictionQuestion] | None = None
) -> list[PredictionQuestion]:
    """Return the predictions that are neither committed nor given up."""
    file = place.folder / PREDICTIONS_FILE
    committed = {
        one.question for one in read(None, file.read_bytes() if file.is_file() else None).commitments
    }
    given_up = {one.about for one in history.events(place.folder, "unpredicted")}
    asked = [one for one in place.lab if isinstance(one, PredictionQuestion)] if among is None else among
    return [one for one in asked if one.id not in committed | given_up]


def _refusal(place: Workspace, still: list[PredictionQuestion]) -> tuple[str]:
    lang = place.identity.lang
    lines = [sayings.PREDICT_FIRST.say(lang)]
    for question in still:
        lines.append(f"  {question.id}: {question.ask.say(lang)}")
        value = " ".join(question.items) if question.items else sayings.VALUE.say(lang)
        lines.append(f"    tdlab predict {question.id} {value}")
    lines.append(sayings.WITHOUT_PREDICTING.say(lang))
    return ("\n".join(lines),)
