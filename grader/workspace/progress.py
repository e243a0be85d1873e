"""How far a student is: from what lies in the workspace, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from grader.checks import settling
from grader.experiments.result import Result
from grader.lab.questions import ExperimentQuestion, PredictionQuestion
from grader.language import Lang, causes
from grader.language.i18n import moment, points
from grader.submission import history
from grader.submission.evidence import REPORT_FILE
from grader.submission.submission import Submission
from grader.workspace import feedback, hints, sayings
from grader.workspace.workspace import Workspace, is_closed


@dataclass(frozen=True)
class Progress:
    """Counts and lists by question id; ``submitted`` are the receipts, newest last.

    ``measures`` are the experiments that the lab asks for, each with the status of its result ("" without
    one); ``measured`` says whether there is a run of `tdlab bench`, and is None where the lab asks for none;
    ``unreadable`` why the answers cannot be read, if so.
    """

    lab: str
    student: str
    answered: tuple[str, ...]
    open: tuple[str, ...]
    committed: tuple[str, ...]
    uncommitted: tuple[str, ...]
    measured: bool | None
    measures: tuple[tuple[str, str], ...]
    hints: tuple[tuple[str, float], ...]
    finished: bool
    submitted: tuple[tuple[str, str], ...]
    unreadable: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "lab": self.lab,
            "student": self.student,
            "answered": list(self.answered),
            "open": list(self.open),
            "unreadable": self.unreadable or None,
            "committed": list(self.committed),
            "uncommitted": list(self.uncommitted),
            "measured": bool(self.measured),
            "measures": [{"name": name, "status": status or None} for name, status in self.measures],
            "hints": [{"question": question, "costs": cost} for question, cost in self.hints],
            "finished": self.finished,
            "submitted": [{"receipt": code, "time": time} for code, time in self.submitted],
        }

    def told(self, lang: Lang) -> list[str]:
        """Return it in lines."""
        every = len(self.answered) + len(self.open)
        lines = [sayings.ANSWERED.say(lang, answered=len(self.answered), all=every)]
        if self.unreadable:
            lines = [sayings.CANNOT_BE_READ.say(lang, problem=causes.said(self.unreadable, lang))]
        elif self.open:
            lines.append(sayings.OPEN.say(lang, questions=", ".join(self.open)))
        if self.uncommitted:
            lines.append(sayings.UNCOMMITTED.say(lang, questions=", ".join(self.uncommitted)))
        lines += self._measures_told(lang)
        if self.hints:
            cost = points(sum(price for _, price in self.hints), lang)
            named = ", ".join(dict.fromkeys(question for question, _ in self.hints))
            lines.append(sayings.HINTS_TAKEN.say(lang, questions=named, cost=cost))
        if self.finished:
            lines.append(sayings.FINISHED.say(lang, lab=self.lab))
        if not self.submitted:
            lines.append(sayings.NEVER_SUBMITTED.say(lang))
        for code, time in self.submitted[-1:]:
            count = len(self.submitted)
            lines.append(sayings.SUBMITTED.say(lang, count=count, time=moment(time, lang), code=code))
        return lines

    def _measures_told(self, lang: Lang) -> list[str]:
        """Say what is measured and what is not; a run and the experiments are different commands."""
        told = []
        for text, status in ((sayings.MEASURED, "measured"), (sayings.CANNOT, "skipped"), (sayings.LEFT, "")):
            names = [name for name, found in self.measures if found == status]
            if (self.measured, status) in {(True, "measured"), (False, "")}:
                names.insert(0, "`tdlab bench`")
            if names:
                told.append(text.say(lang, measures=", ".join(names)))
        if any(not found for _, found in self.measures):
            told.append(sayings.HOW_MEASURED.say(lang, lab=self.lab))
        return told


def look(place: Workspace) -> Progress:
    """Look into a workspace."""
    given = place.submission()
    broken = given.answers.problem or ""
    told = feedback.look(given, place.lab.slug, place.identity.lang)
    committed = {one.question for one in given.evidence.commitments}
    predictions = [one.id for one in place.lab if isinstance(one, PredictionQuestion)]
    asks_for_a_run = any(REPORT_FILE in settling.rests_on(one) for one in place.lab)
    return Progress(
        lab=place.lab.slug,
        student=place.identity.student,
        answered=tuple(one.question.id for one in told if one.state != "open" and not broken),
        open=tuple(one.question.id for one in told if one.state == "open" or broken),
        unreadable=broken,
        committed=tuple(one for one in predictions if one in committed),
        uncommitted=tuple(one for one in predictions if one not in committed),
        measured=given.evidence.run is not None if asks_for_a_run else None,
        measures=tuple(_experiments(place, given).items()),
        hints=tuple((one.id, hint.costs) for one in place.lab for hint in hints.taken(place, one)),
        finished=is_closed(place),
        submitted=tuple(
            (one.receipt, one.time.isoformat()) for one in history.events(place.folder, "submitted")
        ),
    )


def _experiments(place: Workspace, given: Submission) -> dict[str, str]:
    """Return the experiments that a lab asks for, in its order, and what became of each."""
    asked = [one for one in place.lab if isinstance(one, ExperimentQuestion)]
    return {one.experiment: _status(given.answer(one).value) for one in asked}


def _status(raw: object) -> str:
    """Return the status of an experiment's result; one that cannot be read is as good as none."""
    try:
        found = Result.model_validate_json(raw).status if isinstance(raw, bytes) else ""
    except ValidationError:
        return ""
    return "" if found == "error" else found
