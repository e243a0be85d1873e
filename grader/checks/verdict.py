"""The results that checks give, one function an outcome; what others wrote is made inert here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.checks import words
from grader.lab.questions import Asked
from grader.language import Lang, causes
from grader.language.inert import inert
from grader.results.result import CheckResult, Evidence, Outcome
from grader.submission.evidence import REPORT_FILE, Bundle, Missing, Why

# Longer than any honest short answer: what is longer is cut where it is kept, never where it is judged.
_KEPT = 2000


@dataclass(frozen=True)
class Context:
    """What a check may look at beside the question and its answer."""

    lab: str
    lang: Lang
    evidence: Bundle


def result(
    question: Asked,
    outcome: Outcome,
    *,
    fraction: float = 0.0,
    expected: str = "",
    actual: object = "",
    hint: str = "",
    evidence: Sequence[Evidence] = (),
) -> CheckResult:
    """Return the result of a question; ``fraction`` (0 to 1) is the part of its points that is given."""
    return CheckResult(
        id=question.id,
        outcome=outcome,
        points=round(question.points * fraction, 4),
        max=question.points,
        expected=expected,
        actual=inert(actual, limit=_KEPT),
        hint=inert(hint, limit=_KEPT),
        evidence=tuple(Evidence(source=one.source, seen=inert(one.seen, limit=_KEPT)) for one in evidence),
    )


def graded(
    question: Asked,
    fraction: float,
    *,
    expected: str,
    actual: object,
    hint: str,
    evidence: Sequence[Evidence] = (),
) -> CheckResult:
    """Return PASS, PARTIAL or FAIL by the fraction of the points; a right answer needs no hint."""
    outcome = Outcome.PASS if fraction >= 1 else Outcome.PARTIAL if fraction > 0 else Outcome.FAIL
    said = "" if outcome is Outcome.PASS else hint
    return result(
        question,
        outcome,
        fraction=min(1.0, max(0.0, fraction)),
        expected=expected,
        actual=actual,
        hint=said,
        evidence=evidence,
    )


def without_value(question: Asked, missing: Missing, context: Context, actual: object = "") -> CheckResult:
    """Return the result of a question whose expected value cannot be had, by whose fault it is."""
    outcome, text = {
        Why.NOT_BROUGHT: (Outcome.FAIL, words.MEASURE_FIRST),
        # A damaged file, or one of another tdlab: this program cannot say whose fault it is.
        Why.UNREADABLE: (Outcome.INCONCLUSIVE, words.UNREADABLE),
        Why.HOST_CANNOT: (Outcome.SKIPPED, words.HOST_CANNOT),
        Why.CONTRADICTS_ITSELF: (Outcome.INCONCLUSIVE, words.UNVERIFIED),
        Why.COUNTER_LOST: (Outcome.ERROR, words.COUNTER_LOST),
    }[missing.why]
    hint = text.say(context.lang, cause=causes.said(missing.cause, context.lang), lab=context.lab)
    seen = (Evidence(source=REPORT_FILE, seen=causes.said(missing.cause, context.lang)),)
    return result(question, outcome, actual=actual, hint=hint, evidence=seen)


def of_nobody(question: Asked, context: Context, file: str, cause: str, answer: object) -> CheckResult:
    """Return the result of a question of which nobody can say what its letters meant: it costs no point.

    The teacher sees what was answered.
    """
    actual = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer or ""
    hint = words.WHOSE_UNKNOWN.say(context.lang, cause=causes.said(cause, context.lang))
    seen = (Evidence(source=file, seen=cause),)
    return result(question, Outcome.INCONCLUSIVE, actual=actual, hint=hint, evidence=seen)


def unreadable(question: Asked, context: Context, file: str, problem: str) -> CheckResult:
    """Return the result of a question whose answers are there but cannot be read, which is the student's."""
    hint = words.ANSWERS_BROKEN.say(context.lang, problem=causes.said(problem, context.lang))
    return result(question, Outcome.FAIL, hint=hint, evidence=(Evidence(source=file, seen=problem),))
