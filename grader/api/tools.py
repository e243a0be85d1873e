"""The small tools that a test is given: measures of the student's own run, partial credit, words."""

from __future__ import annotations

from typing import Any

from grader.api.case import Case
from grader.api.marking import LabFault
from grader.api.parts import Ended, ended
from grader.checks import words
from grader.checks.verdict import without_value
from grader.lab.questions import Expect, Measure, Ratio
from grader.language import causes
from grader.language.bilingual import both
from grader.results.result import Evidence, Outcome
from grader.submission.evidence import REPORT_FILE, Missing, Seen, expected


class Measures:
    """Values of the student's own run; what cannot be had ends the test by whose fault that is.

    Not brought is FAIL, what the host cannot do is SKIPPED, what contradicts itself or is not verified is
    left to the teacher, and what the measuring lost is ERROR.
    """

    def __init__(self, case: Case) -> None:
        self._case = case

    def __call__(self, wanted: Measure | Ratio | None = None, **keys: Any) -> Seen:
        """Return a median, or a ratio of two; ``metric="exits_per_mb", nic="e1000"`` stands for a Measure."""
        asked = Measure.model_validate(keys) if wanted is None else wanted
        if why := (self._case.student.given.evidence.unverified or {}).get(REPORT_FILE):
            raise Ended(
                Outcome.INCONCLUSIVE,
                words.UNVERIFIED.say(self._case.lang, cause=causes.said(why, self._case.lang)),
            )
        found = self.try_(asked)
        if isinstance(found, Missing):
            raise ended(without_value(self._case.question, found, self._case.context))
        self._case.told.evidence.append(Evidence(source=REPORT_FILE, seen=found.how))
        return found

    def try_(self, wanted: Measure | Ratio) -> Seen | Missing:
        """Return a value, or why it cannot be had, and end nothing."""
        expect = Expect(measure=wanted) if isinstance(wanted, Measure) else Expect(ratio=wanted)
        return expected(expect, self._case.student.given.evidence)


class Award:
    """Partial credit: ``award(points, reason)`` adds points; they stand if the test fails later."""

    def __init__(self, case: Case) -> None:
        self._case = case

    def __call__(self, points: float, reason: str = "") -> None:
        """Give points for what is right so far; ``reason`` is the hint where they are not all."""
        if points < 0:
            raise LabFault(f"award({points:g}): points are given, never taken")
        told = self._case.told
        told.earned = (told.earned or 0.0) + points
        if reason:
            told.reasons.append(reason)


class Note:
    """What the result says beside its outcome."""

    def __init__(self, case: Case) -> None:
        self._told = case.told

    def __call__(self, *, expected: str = "", actual: str = "", source: str = "", seen: str = "") -> None:
        """Set what was expected and seen; ``source`` and ``seen`` add a piece of evidence for the teacher."""
        self._told.expected = expected or self._told.expected
        self._told.actual = actual or self._told.actual
        if seen:
            self._told.evidence.append(Evidence(source=source, seen=seen))


class Say:
    """Choose between two languages: ``say(en="…", fr="…")`` is the text in the student's own."""

    def __init__(self, case: Case) -> None:
        self._lang = case.lang

    def __call__(self, en: str, fr: str) -> str:
        """Return the text in the student's language."""
        return both(en, fr).say(self._lang)
