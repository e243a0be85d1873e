"""A markbook: the folder that holds a class's submissions, what the checks said, and the marks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from domains import files
from domains.errors import UsageError
from grader.classroom.policy import Policy
from grader.classroom.roster import Roster
from grader.lab import lab as labs
from grader.lab.lab import Lab
from grader.language import Lang
from grader.measure.run import Record
from grader.results import ledger, store
from grader.results.ledger import Cause
from grader.results.result import Grade, SubmissionGrade
from grader.review import decisions
from grader.review.decisions import DECISIONS_FILE, Decided
from grader.submission import submission
from grader.submission.submission import Submission

MARKBOOK_FILE, ROSTER_FILE = "markbook.json", "roster.json"
CHECKED_FILE, GRADE_FILE, LEDGER_FILE = "checked.json", "grade.json", "ledger.jsonl"


class Description(Record):
    """What ``markbook.json`` holds."""

    schema_: Literal["tdlab.markbook/1"] = Field(default="tdlab.markbook/1", alias="schema")
    lab: str
    lab_folder: str
    policy: Policy
    # What the checks say is in each student's own language, unless the teacher named one.
    lang: Lang | None = None


@dataclass(frozen=True)
class Markbook:
    """A class graded by a lab; see the files beside ``markbook.json``."""

    folder: Path
    lab: Lab
    roster: Roster
    policy: Policy
    lang: Lang | None = None

    def grade(self) -> Grade:
        """Return the newest marks: after the teacher's decisions and the policy for lateness."""
        return store.whole(self.folder / GRADE_FILE)

    def checked(self) -> Grade:
        """Return what the checks said, before any decision."""
        return store.whole(self.folder / CHECKED_FILE)

    def places(self) -> list[tuple[str, Path]]:
        """Return each student's key with the archive that counts; who has none is left out."""
        chosen = [(one.key, one.chosen()) for one in self.roster.students]
        return [(key, self.folder / one.kept) for key, one in chosen if one and one.kept]

    def submission(self, student: str) -> Submission:
        """Return what a student handed in; raises :class:`UsageError` when it is not there."""
        known = self.roster.student(student)
        chosen = known.chosen() if known else None
        if chosen is None or not chosen.kept:
            raise UsageError(f"{self.folder} holds no submission of {student}")
        shown = Path(chosen.place).name
        return submission.load(self.lab, self.folder / chosen.kept, student, shown=shown, handed_in=True)


def begin(folder: Path, lab: Lab, policy: Policy, lang: Lang | None = None) -> None:
    """Write what a markbook is of; a folder in which this was done is one, even when grading was killed."""
    folder.mkdir(parents=True, exist_ok=True)
    described = Description(lab=lab.slug, lab_folder=str(lab.folder), policy=policy, lang=lang)
    files.write_whole(folder / MARKBOOK_FILE, described.model_dump_json(by_alias=True, indent=1) + "\n")


def refuse_another(folder: Path, lab: Lab) -> None:
    """Raise :class:`UsageError` where a folder holds the marks of another lab: they would be written over."""
    try:
        kept = Description.model_validate_json((folder / MARKBOOK_FILE).read_bytes())
    except (OSError, ValidationError):
        return
    if kept.lab != lab.slug:
        remedy = "name another folder with --into"
        raise UsageError(f"{folder} is a markbook of {kept.lab}, not of {lab.slug}", remedy=remedy)


def complete(folder: Path, lab: Lab, roster: Roster, policy: Policy, lang: Lang | None) -> Markbook:
    """Write who is in a markbook, and return it."""
    begin(folder, lab, policy, lang)
    files.write_whole(folder / ROSTER_FILE, roster.model_dump_json(by_alias=True, indent=1) + "\n")
    return Markbook(folder, lab, roster, policy, lang)


def open_markbook(folder: Path) -> Markbook:
    """Return the markbook in a folder; raises :class:`UsageError` when there is none."""
    try:
        described = Description.model_validate_json((folder / MARKBOOK_FILE).read_bytes())
        roster = Roster.model_validate_json((folder / ROSTER_FILE).read_bytes())
    except (OSError, ValidationError) as bad:
        raise _no_markbook(folder, bad) from bad
    place = Path(described.lab_folder)
    lab = labs.load(place if place.is_dir() else labs.find(described.lab))
    return Markbook(folder, lab, roster, described.policy, described.lang)


def _no_markbook(folder: Path, bad: OSError | ValidationError) -> UsageError:
    make = "make one with `tdlab grade LAB CLASS --into FOLDER`"
    if not folder.exists():
        return UsageError(f"{folder} does not exist", remedy=f"name a markbook, or {make}")
    if isinstance(bad, ValidationError):
        remedy = "put it back from a copy, or grade the class again into a new folder"
        return UsageError(
            f"{folder} is a markbook whose {MARKBOOK_FILE} or {ROSTER_FILE} is damaged", remedy=remedy
        )
    if (folder / MARKBOOK_FILE).is_file():
        remedy = "run the same `tdlab grade … --into` again: what was read is kept"
        return UsageError(f"{folder} is a markbook in which grading did not come to its end", remedy=remedy)
    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    for near in (folder.parent, *inside):
        if (near / MARKBOOK_FILE).is_file():
            return UsageError(f"{folder} is no markbook", remedy=f"did you mean {near}?")
    return UsageError(f"{folder} is no markbook", remedy=make)


def settle(markbook: Markbook, now: datetime, cause: Cause = "decided") -> Grade:
    """Apply decisions and the policy for lateness to what the checks said; write the marks and what changed.

    ``now`` carries a time zone and is when the ledger says that it was, for ``cause``.
    """
    write_marks(markbook, now, cause)
    return markbook.grade()


def write_marks(markbook: Markbook, now: datetime, cause: Cause) -> None:
    """Do what :func:`settle` does, with one submission at a time in memory."""
    head = store.head(markbook.folder / CHECKED_FILE)
    store.write(markbook.folder / GRADE_FILE, head, _settled(markbook))
    marks = store.lines(markbook.folder / GRADE_FILE)
    ledger.append_changed(markbook.folder / LEDGER_FILE, head, marks, now, cause)


def _settled(markbook: Markbook) -> Iterator[SubmissionGrade | bytes]:
    held = Decided(decisions.read(markbook.folder / DECISIONS_FILE))
    checked = store.lines(markbook.folder / CHECKED_FILE)
    for student, raw in zip(markbook.roster.students, checked, strict=True):
        chosen = student.chosen()
        late = chosen.late if chosen else 0.0
        if held or late:
            one = SubmissionGrade.model_validate_json(raw)
            yield markbook.policy.penalised(held.to(one), late)
        else:
            # Most of a class: nothing of it changes, and to read it takes as long as to grade a text.
            yield raw
