"""A lab's sample submissions: ``solution/`` must score full, each ``wrong-*/`` lose exactly what it names.

Their evidence was measured once, on some machine. :func:`materialise` makes copies whose evidence is a run of
this machine, in which right numbers are still right and wrong ones still wrong. They are written in the
author's variant of the lab: :mod:`grader.submission.translation` turns one into a given student's.
"""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field

from domains import document, scratch
from domains.document import Document
from domains.errors import UsageError
from grader.lab.lab import Lab
from grader.lab.questions import CodeQuestion, NumberQuestion, OrderQuestion, Part, QuestionId
from grader.language.bilingual import Bilingual
from grader.measure.run import Run
from grader.submission import evidence
from grader.submission.answers import ANSWERS_FILE
from grader.submission.evidence import PREDICTIONS_FILE, REPORT_FILE, Bundle, Missing, Seen

_WRONG_FILE = "wrong.yaml"
# Where the recorded evidence has no value to be wrong about, a wrong sample is wrong by this factor.
_FAR_OFF = 3.0
_DIGITS = 4


class WrongFile(Part):
    """``wrong.yaml``: the wrong idea of a sample, and the questions that it must lose."""

    about: Bilingual
    loses: Annotated[list[QuestionId], Field(min_length=1)]


@dataclass(frozen=True)
class Sample:
    """A sample submission, and the questions that it must lose (none for the solution)."""

    folder: Path
    loses: tuple[str, ...] = ()


def samples(lab: Lab) -> list[Sample]:
    """Return the solution and then the wrong samples; raises UsageError when something is missing."""
    solution = lab.folder / "solution"
    if not solution.is_dir():
        raise UsageError(
            f"{lab.folder} has no solution", remedy="a lab is proved by a solution/ that scores full"
        )
    found = [Sample(solution)]
    for folder in sorted(lab.folder.glob("wrong-*")):
        doc = document.read(folder / _WRONG_FILE)
        wrong = document.validate(doc, WrongFile)
        for index, question in enumerate(wrong.loses):
            if lab.question(question) is None:
                guess = document.nearest(question, [one.id for one in lab])
                remedy = f"did you mean {guess!r}?" if guess else None
                raise doc.error(("loses", index), f"unknown question {question!r}", remedy)
        found.append(Sample(folder, tuple(wrong.loses)))
    return found


def materialise(lab: Lab, run: Run, folder: Path) -> list[Path]:
    """Copy the samples into ``folder`` with ``run`` as their evidence; return the copies, the solution first.

    A number that depends on measures keeps its ratio to the right one, so that what was right stays right and
    what was wrong stays wrong; predictions keep their distance in time to the start of the run.
    """
    made = []
    for sample in samples(lab):
        copy = folder / sample.folder.name
        shutil.copytree(sample.folder, copy, dirs_exist_ok=True)
        before = recorded(copy)
        if before.run is not None:
            (copy / REPORT_FILE).write_text(run.to_json(), encoding="utf-8")
            _shift_predictions(copy / PREDICTIONS_FILE, before, run)
            _scale_numbers(lab, copy / ANSWERS_FILE, before, Bundle(run=run), sample.loses)
            _reorder(lab, copy / ANSWERS_FILE, Bundle(run=run), sample.loses)
        made.append(copy)
    return made


def record(lab: Lab, run: Run) -> None:
    """Make ``run`` the recorded evidence of the samples that ship with a lab, for its author."""
    with scratch.folder("samples") as folder:
        for copy in materialise(lab, run, folder):
            shutil.copytree(copy, lab.folder / copy.name, dirs_exist_ok=True)


def recorded(folder: Path) -> Bundle:
    """Return the evidence of a sample; raises UsageError when it cannot be read."""
    raw = [file.read_bytes() if file.exists() else None for file in _evidence_files(folder)]
    bundle = evidence.read(*raw)
    if bundle.problem or bundle.commitments_problem:
        raise UsageError(f"{folder}: {bundle.problem or bundle.commitments_problem}")
    return bundle


def _evidence_files(folder: Path) -> tuple[Path, Path]:
    return folder / REPORT_FILE, folder / PREDICTIONS_FILE


def _shift_predictions(file: Path, recorded: Bundle, run: Run) -> None:
    if not recorded.commitments or recorded.run is None:
        return
    later: timedelta = evidence.started(run) - evidence.started(recorded.run)
    moved = [one.model_copy(update={"time": one.time + later}) for one in recorded.commitments]
    file.write_text("".join(one.model_dump_json() + "\n" for one in moved), encoding="utf-8")


def _scale_numbers(lab: Lab, file: Path, old: Bundle, new: Bundle, loses: Collection[str]) -> None:
    doc = document.read(file)
    given = doc.data["answers"]
    text = file.read_text(encoding="utf-8").splitlines(keepends=True)
    for question in lab:
        if not isinstance(question, NumberQuestion) or question.id not in given:
            continue
        before, after = (evidence.expected(question.expect, bundle) for bundle in (old, new))
        if isinstance(after, Missing) or question.expect.value is not None:
            continue
        is_wrong = question.id in loses
        _replace_number(text, doc, question.id, kept(float(given[question.id]), before, after, is_wrong))
    file.write_text("".join(text), encoding="utf-8")


def kept(given: float, before: Seen | Missing, after: Seen, is_wrong: bool) -> float:
    """Return the number that is to a new right one what ``given`` was to the one before."""
    if not isinstance(before, Seen) or not before.value:
        return after.value * (_FAR_OFF if is_wrong else 1.0)
    if is_wrong and after.value and math.isclose(given * before.value, 1, rel_tol=0.05):
        # Divided the other way round: that mistake stays the mistake that it is.
        return 1 / after.value
    return after.value * given / before.value


def _reorder(lab: Lab, file: Path, bundle: Bundle, loses: Collection[str]) -> None:
    """Write what measures decide anew: the right order, or where the sample is to lose it the reverse."""
    doc = document.read(file)
    text = file.read_text(encoding="utf-8").splitlines(keepends=True)
    for question in lab:
        if not isinstance(question, OrderQuestion | CodeQuestion) or question.measured is None:
            continue
        if question.id not in doc.data["answers"]:
            continue
        where = doc.position(("answers", question.id))
        if isinstance(question, OrderQuestion):
            order = evidence.ranked(question, bundle)[:: -1 if question.id in loses else 1]
            before, listed, after = text[where.line - 1].partition("[")
            if not listed or "]" not in after:
                raise doc.error(("answers", question.id), "a sample's order is written on one line: [a, b]")
            text[where.line - 1] = f"{before}[{', '.join(order)}{after[after.index(']') :]}"
        elif ranked := evidence.by_measures(question.measured, question.items, bundle):
            named = ranked[-1 if question.id in loses else 0]
            text[where.line - 1] = f"{text[where.line - 1][: where.column - 1]}{named}\n"
    file.write_text("".join(text), encoding="utf-8")


def _replace_number(text: list[str], doc: Document, question: str, value: float) -> None:
    """Replace one plain number where it stands, and leave the comments around it alone."""
    where = doc.position(("answers", question))
    line, column = text[where.line - 1], where.column - 1
    match = re.compile(r"[-+0-9.eE]+").match(line, column)
    if match is None or not math.isfinite(value):
        raise doc.error(("answers", question), "a sample's number is written bare, without unit or quotes")
    text[where.line - 1] = f"{line[:column]}{float(f'{value:.{_DIGITS}g}')!r}{line[match.end() :]}"
