"""A number with a unit, right within a tolerance; the expected one comes from the student's own measures."""

from __future__ import annotations

from grader.checks import words
from grader.checks.verdict import Context, graded, result, without_value
from grader.lab.questions import NumberQuestion, Tolerance
from grader.lab.units import readings, unit_shown
from grader.language import causes
from grader.language.bilingual import decimal
from grader.results.result import CheckResult, Evidence, Outcome
from grader.submission.answers import Answer
from grader.submission.evidence import REPORT_FILE, Missing, Seen, expected


def within(value: float, target: float, tolerance: Tolerance) -> bool:
    """Say whether a value is close enough to what was expected."""
    return abs(value - target) <= tolerance.absolute + tolerance.relative * abs(target) + 1e-12


def check_number(question: NumberQuestion, answer: Answer, context: Context) -> CheckResult:
    """Compare a number with what the student's own evidence says; an inverted ratio is named as such."""
    target = expected(question.expect, context.evidence)
    if isinstance(target, Missing):
        return without_value(question, target, context, answer.value if answer.value is not None else "")
    lang, unit = context.lang, unit_shown(question.unit)
    wanted = _wanted(question, target, context)
    seen = (Evidence(source=REPORT_FILE, seen=target.how),) if target.how else ()
    numbers = None if answer.value is None else readings(answer.value, question.unit)
    if not isinstance(numbers, list):
        hint = causes.said(answer.note, lang) or words.NO_ANSWER.say(lang)
        if isinstance(numbers, str):
            hint = words.WRONG_UNIT.say(lang, given=numbers, unit=unit)
        elif answer.value is not None:
            hint = words.NOT_A_NUMBER.say(lang, unit=unit)
        actual = "" if answer.value is None else answer.value
        return result(question, Outcome.FAIL, expected=wanted, actual=actual, hint=hint, evidence=seen)
    right = any(within(number, target.value, question.tolerance) for number in numbers)
    inverted = any(number and within(1 / number, target.value, question.tolerance) for number in numbers)
    hint = (words.INVERTED if question.expect.ratio and inverted else question.hint).say(lang)
    shown = f"{decimal(numbers[0], lang)} {unit}".strip()
    return graded(question, float(right), expected=wanted, actual=shown, hint=hint, evidence=seen)


def _wanted(question: NumberQuestion, target: Seen, context: Context) -> str:
    tolerance = question.tolerance
    margin = (
        f"{tolerance.relative * 100:g} %" if tolerance.relative else decimal(tolerance.absolute, context.lang)
    )
    return f"{decimal(target.value, context.lang)} {unit_shown(question.unit)}".strip() + f" ± {margin}"
