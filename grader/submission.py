"""A submission on disk: only regular files inside its folder are read, each up to a cap; nothing is run."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from domains.errors import UsageError
from grader import answers, evidence
from grader.answers import ANSWERS_FILE, Answer, Answers
from grader.bilingual import inert
from grader.evidence import PREDICTIONS_FILE, REPORT_FILE, Bundle
from grader.lab import Lab
from grader.questions import DomainQuestion, Question

_CAPS = {ANSWERS_FILE: 64 * 1024, REPORT_FILE: 8 * 1024 * 1024, PREDICTIONS_FILE: 256 * 1024}
_OTHER_CAP = 64 * 1024


@dataclass(frozen=True)
class Submission:
    """All that grading needs to know of one student, already in memory."""

    student: str
    answers: Answers
    evidence: Bundle
    files: Mapping[str, Answer]

    def answer(self, question: Question) -> Answer:
        """Return what was answered to a question: its entry in the answers, or its file's bytes."""
        if isinstance(question, DomainQuestion):
            return self.files.get(question.file, Answer())
        return self.answers.to(question.id)


def load(lab: Lab, folder: Path, student: str) -> Submission:
    """Read one submission.

    What is missing, damaged or out of bounds becomes a problem that the checks report to the student.
    Raises OSError when a file is there and cannot be read, which is ours.
    """
    raw, problem = _bytes(folder, ANSWERS_FILE)
    if raw is None:
        given = Answers(problem=problem or f"{ANSWERS_FILE} is missing")
    else:
        given = answers.readable(raw, lab.slug, [question.id for question in lab])
    report, report_problem = _bytes(folder, REPORT_FILE)
    predictions, predictions_problem = _bytes(folder, PREDICTIONS_FILE)
    bundle = evidence.read(report, predictions)
    bundle = Bundle(
        bundle.run,
        bundle.problem or report_problem,
        bundle.commitments,
        bundle.commitments_problem or predictions_problem,
    )
    names = sorted({question.file for question in lab if isinstance(question, DomainQuestion)})
    files = {}
    for name in names:
        content, refused = _bytes(folder, name)
        files[name] = Answer(content, note=refused or "")
    return Submission(student, given, bundle, files)


def students(folders: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    """Name each submission after its folder; folders of one name are told apart by where they are."""
    resolved = list(dict.fromkeys(folder.resolve() for folder in folders))
    seen: Counter[str] = Counter()
    for folder in resolved:
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a submission", remedy="name a folder that holds answers.yaml")
        name = inert(_shortest_name(folder, resolved))
        # Names that differ only in what was made inert are still two students.
        seen[name] += 1
        yield name if seen[name] == 1 else f"{name} ({seen[name]})", folder


def _shortest_name(folder: Path, among: Sequence[Path]) -> str:
    """Return the shortest end of a path that no other path has."""
    for length in range(1, len(folder.parts)):
        end = folder.parts[-length:]
        if sum(other.parts[-length:] == end for other in among) == 1:
            return "/".join(end)
    return folder.as_posix()


def _bytes(folder: Path, name: str) -> tuple[bytes | None, str | None]:
    """Return a file's bytes, or None and why it is not to be read (no reason: it is simply not there)."""
    place = folder
    for step in Path(name).parts:
        place = place / step
        try:
            mode = place.lstat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return None, None
        if stat.S_ISLNK(mode):
            return None, f"{name}: links are not followed; hand in the file itself"
    # A FIFO or a device would hang or never end; O_NOFOLLOW holds even if the file changes just now.
    if not stat.S_ISREG(mode):
        return None, f"{name} is not a regular file"
    cap = _CAPS.get(name, _OTHER_CAP)
    with os.fdopen(os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as stream:
        raw = stream.read(cap + 1)
    if len(raw) > cap:
        return None, f"{name} is larger than {cap:,} bytes"
    return raw, None
