"""A submission: what a student handed in, read into memory once; nothing of it is ever run."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from domains.errors import UsageError
from grader.lab import variants
from grader.lab.lab import Lab
from grader.lab.parameters import Value
from grader.lab.questions import ExperimentQuestion, HostQuestion, Question, file_of
from grader.language import Lang
from grader.language.inert import inert
from grader.submission import answers, evidence, identity
from grader.submission.answers import ANSWERS_FILE, Answer, Answers
from grader.submission.evidence import PREDICTIONS_FILE, REPORT_FILE, Bundle
from grader.submission.history import HISTORY_FILE
from grader.submission.identity import WORKSPACE_FILE
from grader.submission.sources import SUFFIXES, Source, missing, open_source
from grader.submission.verification import provenance
from grader.submission.verification.provenance import Given

_CAPS = {
    WORKSPACE_FILE: 4 * 1024,
    ANSWERS_FILE: 64 * 1024,
    REPORT_FILE: 8 * 1024 * 1024,
    PREDICTIONS_FILE: 256 * 1024,
    HISTORY_FILE: 1024 * 1024,
}
_OTHER_CAP = 64 * 1024
# What tdlab itself writes into the evidence is longer than what a student writes.
_EVIDENCE_CAP = 512 * 1024


@dataclass(frozen=True)
class Submission:
    """All that grading needs to know of one student, already in memory."""

    student: str
    answers: Answers
    evidence: Bundle
    files: Mapping[str, Answer]
    # The questions as this student was asked them, by id.
    questions: Mapping[str, Question]
    # What is said to this student is said in it, also where the answers cannot be read.
    lang: Lang
    # Why nobody can say which variant was answered, or None: then no answer is wrong for sure.
    whose: str | None = None
    # The student's values of what the lab declares under ``variants:``, by name.
    own: Mapping[str, Value] = field(default_factory=dict)
    # Handed in without a name: it is read as the author's variant, and nobody knows whether it is.
    is_nameless: bool = False

    def answer(self, question: Question) -> Answer:
        """Return what was answered to a question: its entry in the answers, or its file's bytes."""
        if file := file_of(question):
            return self.files.get(file, Answer())
        return self.answers.to(question.id)

    def is_unreadable(self, question: Question) -> bool:
        """Say whether answers that cannot be read take the one to a question with them.

        They take no file, as long as it is known whose variant it was made for.
        """
        is_apart = bool(file_of(question)) and self.answer(question).value is not None
        return self.answers.problem is not None and bool(self.whose or self.is_nameless or not is_apart)


def load(lab: Lab, place: Path, student: str, *, shown: str = "", handed_in: bool = False) -> Submission:
    """Read one submission, from a folder or an archive (``shown``: the name by which the student knows it).

    ``handed_in`` says that it is no sample of the lab's, but somebody's, also where it does not say whose.

    What is missing, damaged or out of bounds becomes a problem that the checks report to the student.
    Raises OSError when a file is there and cannot be read, which is ours.
    """
    asked = {file: _cap(one) for one in lab if (file := file_of(one))}
    caps = {**asked, **_CAPS}
    source = open_source(place, caps, shown)
    raw, problem = source.read(ANSWERS_FILE, caps[ANSWERS_FILE])
    if raw is None:
        given = Answers(problem=problem or missing(ANSWERS_FILE, source.names()))
    else:
        given = answers.readable(raw, lab.slug, [question.id for question in lab])
    files = {}
    for name in sorted(asked):
        content, refused = source.read(name, caps[name])
        files[name] = Answer(content, note=refused or "")
    written = source.read(WORKSPACE_FILE, caps[WORKSPACE_FILE])
    own, whose = identity.of(*written, lab.slug, given.student)
    mine = variants.drawn(lab, own)
    brought = {name: one.value for name, one in files.items() if name.startswith("evidence/") and one.value}
    bundle = _evidence(source, Given(lab.slug, own, written[0], b"", brought, handed_in))
    asked_of = {one.id: one for one in mine}
    is_nameless = handed_in and own is None
    lang = given.lang or identity.language(written[0]) or lab.lang
    return Submission(student, given, bundle, files, asked_of, lang, whose, mine.values, is_nameless)


def is_sample(lab: Lab, place: Path) -> bool:
    """Say whether a submission is one of the lab's own: nobody's, where all others are somebody's.

    What else lies in the lab's folder was handed in, and put there by somebody who keeps all in one place.
    """
    where = place.resolve()
    is_named = where.name == "solution" or where.name.startswith("wrong-")
    return is_named and place.is_dir() and where.parent == lab.folder.resolve()


def _cap(question: Question) -> int:
    is_ours = isinstance(question, HostQuestion | ExperimentQuestion)
    return _EVIDENCE_CAP if is_ours else _OTHER_CAP


def _evidence(source: Source, given: Given) -> Bundle:
    """Return the evidence; that of a student is held against the history of the workspace it is from."""
    report, report_problem = source.read(REPORT_FILE, _CAPS[REPORT_FILE])
    predictions, predictions_problem = source.read(PREDICTIONS_FILE, _CAPS[PREDICTIONS_FILE])
    events, _ = source.read(HISTORY_FILE, _CAPS[HISTORY_FILE])
    bundle = evidence.read(report, predictions)
    bundle = replace(
        bundle,
        problem=bundle.problem or report_problem,
        commitments_problem=bundle.commitments_problem or predictions_problem,
    )
    brought = {REPORT_FILE: report} if report is not None else {}
    return provenance.held(bundle, replace(given, history=events or b"", files={**brought, **given.files}))


def students(places: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    """Name each submission after its folder or archive; equal names are told apart by where they are."""
    resolved = list(dict.fromkeys(place.resolve() for place in places))
    names = [_without_suffix(place) for place in resolved]
    seen: set[str] = set()
    for place, named in zip(resolved, names, strict=True):
        if not place.is_dir() and not (place.is_file() and place.name.lower().endswith(SUFFIXES)):
            raise UsageError(
                f"{place} is not a submission",
                remedy=f"name a folder that holds answers.yaml, or an archive ({', '.join(SUFFIXES)})",
            )
        name = inert(_shortest_name(named, names))
        # Names that differ only in what was made inert are still two students, and so is "zoe (2)".
        numbered = (f"{name} ({number})" for number in itertools.count(2))
        free = next(one for one in itertools.chain([name], numbered) if one not in seen)
        seen.add(free)
        yield free, place


def _without_suffix(place: Path) -> Path:
    suffix = next((one for one in SUFFIXES if place.name.lower().endswith(one)), "")
    return place.with_name(place.name[: -len(suffix)] or place.name) if suffix and place.is_file() else place


def _shortest_name(place: Path, among: Sequence[Path]) -> str:
    """Return the shortest end of a path that no other path has."""
    for length in range(1, len(place.parts)):
        end = place.parts[-length:]
        if sum(other.parts[-length:] == end for other in among) == 1:
            return "/".join(end)
    return place.as_posix()
