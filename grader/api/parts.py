"""What single tests said of a question, and how that becomes the question's one result."""

from __future__ import annotations

from collections.abc import Sequence

from grader.checks.verdict import result
from grader.lab.questions import Asked
from grader.language import Lang
from grader.language.inert import inert
from grader.measure.run import Record
from grader.results.result import CheckResult, Evidence, Outcome

_LITTLE = 1e-9


class Part(Record):
    """What one test said; ``points`` is its share of the question's (None: an equal share of the rest).

    ``earned`` is what was awarded; None means all where it passed, and nothing where it failed.
    ``waits`` says that it was skipped because nobody named a lab host, and for no other reason.
    """

    test: str
    outcome: Outcome
    points: float | None = None
    earned: float | None = None
    hint: str = ""
    expected: str = ""
    actual: str = ""
    evidence: tuple[Evidence, ...] = ()
    waits: bool = False


class Said(Record):
    """A part, and whose it is; ``hints`` are those of the question that the student asked for."""

    lab: str
    student: str
    question: str
    lang: Lang = "en"
    hints: tuple[int, ...] = ()
    part: Part


class Ended(Exception):
    """A fixture ends a test with an outcome of its own: nothing was answered, or it cannot be graded here."""

    def __init__(
        self, outcome: Outcome, hint: str, *, actual: str = "", evidence: Sequence[Evidence] = ()
    ) -> None:
        super().__init__(hint)
        self.outcome = outcome
        self.hint = hint
        self.actual = actual
        self.evidence = tuple(evidence)


def ended(found: CheckResult) -> Ended:
    """Return what ends a test as a result of a question says."""
    return Ended(found.outcome, found.hint, actual=found.actual, evidence=found.evidence)


def broken(question: Asked, why: str) -> CheckResult:
    """Return the ERROR of a question whose tests could not say anything: ours, or the lab's author's."""
    return result(question, Outcome.ERROR, hint=f"no result: {why}")


def merged(question: Asked, parts: Sequence[Part], lang: Lang) -> CheckResult:
    """Return the result of a question from those of its tests.

    One ERROR makes an ERROR, else one INCONCLUSIVE leaves it to the teacher: points of a part are no grade.
    A test that was skipped takes its share out of the maximum; it never passes.
    """
    if not parts:
        return broken(question, "the lab has no test for it")
    for outcome in (Outcome.ERROR, Outcome.INCONCLUSIVE):
        if found := [one for one in parts if one.outcome is outcome]:
            return _told(question, outcome, parts, _hints(found), 0.0, question.points)
    shares = _shares(question, parts)
    if isinstance(shares, str):
        return broken(question, shares)
    graded = [(one, share) for one, share in zip(parts, shares, strict=True) if not _is_skipped(one)]
    skipped = [one for one in parts if _is_skipped(one)]
    if not graded:
        return _told(question, Outcome.SKIPPED, parts, _hints(skipped), 0.0, question.points)
    earned = sum(_earned(one, share) for one, share in graded)
    most = sum(share for _, share in graded)
    lacking = [one for one, share in graded if _earned(one, share) < share - _LITTLE]
    right = Outcome.PASS if not lacking else Outcome.PARTIAL if earned > 0 else Outcome.FAIL
    hints = [*_hints(lacking), *([question.hint.say(lang)] if lacking and not any(_hints(lacking)) else [])]
    return _told(question, right, parts, [*hints, *_hints(skipped)], earned, most)


def _told(
    question: Asked, outcome: Outcome, parts: Sequence[Part], hints: Sequence[str], earned: float, most: float
) -> CheckResult:
    found = result(
        question,
        outcome,
        fraction=earned / question.points,
        expected="\n".join(dict.fromkeys(one.expected for one in parts if one.expected)),
        actual="\n".join(dict.fromkeys(one.actual for one in parts if one.actual)),
        hint="\n".join(dict.fromkeys(hints)),
        evidence=list(dict.fromkeys(seen for one in parts for seen in one.evidence)),
    )
    return found.model_copy(update={"max": round(most, 4), "expected": inert(found.expected)})


def _shares(question: Asked, parts: Sequence[Part]) -> list[float] | str:
    """Return the points of each test, or why they do not make the question's."""
    declared = sum(one.points for one in parts if one.points is not None)
    open_ = sum(one.points is None for one in parts)
    left = question.points - declared
    if left < -_LITTLE or (open_ == 0) != (abs(left) <= _LITTLE):
        return f"its tests declare {declared:g} points, and the question has {question.points:g}"
    return [left / open_ if one.points is None else one.points for one in parts]


def _earned(part: Part, share: float) -> float:
    if part.earned is not None:
        return min(max(part.earned, 0.0), share)
    return share if part.outcome is Outcome.PASS else 0.0


def _is_skipped(part: Part) -> bool:
    return part.outcome is Outcome.SKIPPED


def _hints(parts: Sequence[Part]) -> list[str]:
    return [one.hint for one in parts if one.hint]
