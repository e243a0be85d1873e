"""A lab's samples as a student would hand them in: the student's own letters, and evidence that shows all.

Samples are written in their author's letters, and their evidence was measured on some machine that may not
have had all that the lab asks for. What was not measured there is filled in, and named.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domains import document
from grader.checks.choice import chosen_one, chosen_some
from grader.lab import variants
from grader.lab.lab import Lab
from grader.lab.questions import ChoiceQuestion, ChoicesQuestion, Question
from grader.language import Lang
from grader.proof import filling
from grader.submission import samples, submission
from grader.submission.answers import ANSWERS_FILE, Answer
from grader.submission.samples import Sample
from grader.submission.submission import Submission

Letters = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Master:
    """A sample in its author's letters, with evidence that shows all; ``folder`` is a copy of ours."""

    sample: Sample
    folder: Path
    lang: Lang
    answers: Mapping[str, Any]


@dataclass(frozen=True)
class Paper:
    """A sample as one student hands it in; ``lab`` is in the student's variant."""

    lab: Lab
    letters: Letters
    folder: Path
    submission: Submission


def masters(lab: Lab, into: Path) -> tuple[list[Master], tuple[str, ...]]:
    """Copy the samples, the solution first, and fill in their evidence; also return what was filled in."""
    run, filled = filling.complete(lab, samples.samples(lab)[0].folder)
    if run is None:
        copies = [Path(shutil.copytree(one.folder, into / one.folder.name)) for one in samples.samples(lab)]
    else:
        copies = samples.materialise(lab, run, into)
    found = []
    for sample, folder in zip(samples.samples(lab), copies, strict=True):
        data = document.read(folder / ANSWERS_FILE).data
        found.append(Master(sample, folder, data.get("lang", "en"), data["answers"]))
    return found, filled


def letters(lab: Lab, drawn: Lab) -> Letters:
    """Return for each choice which letter the student has for each of the author's."""
    found = {}
    for written, mine in zip(lab, drawn, strict=True):
        options, own = getattr(written, "options", None), getattr(mine, "options", None)
        if options and own:
            shown = {(text.fr, text.en): letter for letter, text in own.items()}
            found[written.id] = {letter: shown[text.fr, text.en] for letter, text in options.items()}
    return found


def handed_in(lab: Lab, master: Master, student: str, into: Path) -> Paper:
    """Write a sample as a student's submission into an empty folder, and read it as a grader does."""
    drawn = variants.drawn(lab, student)
    known = letters(lab, drawn)
    into.mkdir(parents=True)
    for file in master.folder.rglob("*"):
        if file.is_file() and file.name not in {ANSWERS_FILE, "wrong.yaml"}:
            copy = into / file.relative_to(master.folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
    answers = {question.id: _own(question, known, master.answers) for question in lab}
    given = {key: value for key, value in answers.items() if key in master.answers}
    head = {"lab": lab.slug, "lang": master.lang, "student": student, "answers": given}
    # JSON is YAML, and needs no care with quotes.
    (into / ANSWERS_FILE).write_text(json.dumps(head, ensure_ascii=False), encoding="utf-8")
    return Paper(drawn, known, into, submission.load(lab, into, student))


def _own(question: Question, known: Letters, answers: Mapping[str, Any]) -> Any:
    """Return the author's answer to a question in the student's letters."""
    value = answers.get(question.id)
    mine = known.get(question.id, {})
    if isinstance(question, ChoiceQuestion):
        one = chosen_one(question, Answer(value))
        return mine[one] if one else value
    if isinstance(question, ChoicesQuestion):
        several = chosen_some(question, Answer(value))
        return sorted(mine[one] for one in several) if several else value
    return value
