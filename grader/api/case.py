"""One student and one question, as a test gets to see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import get_args

from grader.api.marking import LabFault, Mark
from grader.api.parts import Ended
from grader.checks import words
from grader.checks.verdict import Context
from grader.lab.lab import Lab
from grader.lab.questions import CodeQuestion, Unit
from grader.lab.units import readings, unit_shown
from grader.language import Lang, causes
from grader.results.result import Evidence, Outcome
from grader.submission.answers import Answer
from grader.submission.submission import Submission


@dataclass(frozen=True)
class Student:
    """Whose submission is judged: the lab, what was handed in, the language of hints, a lab host's name."""

    lab: Lab
    given: Submission
    lang: Lang
    host: str | None = None


@dataclass
class Told:
    """What a test said beside its outcome; ``earned`` is None until something is awarded.

    ``unseen`` says that it asked for a lab host where none is named, and so cannot have seen a guest.
    """

    earned: float | None = None
    reasons: list[str] = field(default_factory=list)
    expected: str = ""
    actual: str = ""
    evidence: list[Evidence] = field(default_factory=list)
    unseen: bool = False


@dataclass(frozen=True)
class Case:
    """One test of one question of one student."""

    student: Student
    question: CodeQuestion
    mark: Mark
    told: Told = field(default_factory=Told)

    @property
    def lang(self) -> Lang:
        """The language in which the student is told."""
        return self.student.lang

    @property
    def context(self) -> Context:
        """What the declarative checks look at beside question and answer."""
        return Context(self.student.lab.slug, self.lang, self.student.given.evidence)

    def answer(self) -> Answer:
        """Return the answer as it was handed in, which may be empty."""
        return self.student.given.answer(self.question)


class StudentAnswer:
    """The student's answer; reading it as what it is not ends the test as FAIL, with a hint."""

    def __init__(self, case: Case) -> None:
        self._case = case

    @property
    def value(self) -> object:
        """The answer as plain data (text, number, list, mapping), or the bytes of the question's file."""
        found = self._case.answer()
        if found.value is None or (isinstance(found.value, str) and not found.value.strip()):
            raise self._wrong(
                causes.said(found.note, self._case.lang) or words.NO_ANSWER.say(self._case.lang)
            )
        if not self._case.told.actual and not isinstance(found.value, bytes):
            self._case.told.actual = str(found.value)
        return found.value

    def text(self) -> str:
        """Return the answer as text; a number counts as text too."""
        value = self.value
        if isinstance(value, bytes):
            try:
                return value.decode()
            except UnicodeDecodeError as bad:
                file = self._case.question.file
                raise self._wrong(words.NOT_TEXT.say(self._case.lang, file=file)) from bad
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self._wrong(words.A_TEXT.say(self._case.lang))
        return str(value)

    def numbers(self, unit: str) -> list[float]:
        """Return what the answer can mean in a unit of lab.yaml: 1,424 has two readings."""
        if unit not in get_args(Unit):
            raise LabFault(f"{unit} is no unit of lab.yaml ({', '.join(get_args(Unit))})")
        found = readings(self.value, unit)
        if isinstance(found, str):
            raise self._wrong(words.WRONG_UNIT.say(self._case.lang, given=found, unit=unit_shown(unit)))
        if found is None:
            raise self._wrong(words.NOT_A_NUMBER.say(self._case.lang, unit=unit_shown(unit)))
        return found

    def number(self, unit: str) -> float:
        """Return the answer in a unit, by its first reading."""
        return self.numbers(unit)[0]

    @staticmethod
    def _wrong(hint: str) -> Ended:
        return Ended(Outcome.FAIL, hint)


class Workspace(Mapping[str, bytes]):
    """The files of the submission that the lab names, read-only and in memory; there is no path to them."""

    def __init__(self, case: Case) -> None:
        self._files = case.student.given.files
        self._lang = case.lang

    def __getitem__(self, name: str) -> bytes:
        """Return a file's bytes; one that was not handed in ends the test as FAIL."""
        if name not in self._files:
            named = ", ".join(sorted(self._files)) or "none"
            raise LabFault(f"no question of the lab names the file {name} (named: {named})")
        found = self._files[name]
        if not isinstance(found.value, bytes):
            raise Ended(
                Outcome.FAIL,
                causes.said(found.note, self._lang) or words.FILE_MISSING.say(self._lang, file=name),
            )
        return found.value

    def __iter__(self) -> Iterator[str]:
        return (name for name, found in self._files.items() if isinstance(found.value, bytes))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return name in set(self)

    def text(self, name: str) -> str:
        """Return a file as text; what is no UTF-8 ends the test as FAIL."""
        try:
            return self[name].decode()
        except UnicodeDecodeError as bad:
            raise Ended(Outcome.FAIL, words.NOT_TEXT.say(self._lang, file=name)) from bad
