"""A prediction: right when it was committed before measuring, whatever its value."""

from __future__ import annotations

from grader.checks import words
from grader.checks.verdict import Context, result, without_value
from grader.lab.questions import PredictionQuestion
from grader.lab.units import unit_shown
from grader.language import causes
from grader.language.bilingual import decimal
from grader.results.result import CheckResult, Evidence, Outcome
from grader.submission import evidence
from grader.submission.answers import Answer
from grader.submission.evidence import PREDICTIONS_FILE, REPORT_FILE, Seen, commitment_hash
from grader.submission.predictions import plain


def check_prediction(question: PredictionQuestion, answer: Answer, context: Context) -> CheckResult:
    """Give all points for a prediction committed before the run began, and show the measure beside it."""
    lang, bundle = context.lang, context.evidence
    predicted = plain(question, answer.value)
    if predicted is None:
        hint = words.NOT_A_NUMBER.say(lang, unit=unit_shown(question.unit or ""))
        if question.items:
            hint = words.AN_ORDER.say(lang, items=", ".join(question.items))
        return _failed(question, context, answer.value, hint)
    if question.id in bundle.given_up:
        return _failed(question, context, answer.value, words.GIVEN_UP.say(lang))
    if bundle.run is None:
        return without_value(question, evidence.no_run(bundle), context, answer.value)
    mine = [one for one in bundle.commitments if one.question == question.id]
    same = [one for one in mine if one.sha256 == commitment_hash(context.lab, question.id, predicted)]
    if not same and bundle.commitments_problem:
        return _failed(question, context, answer.value, causes.said(bundle.commitments_problem, lang))
    if not same:
        hint = (words.COMMITTED_OTHER if mine else words.NOT_COMMITTED).say(lang)
        return _failed(question, context, answer.value, hint)
    first = min(same, key=lambda one: one.time)
    # A run's start is written to the second: what was committed within it is not seen to be late.
    if first.time.replace(microsecond=0) > evidence.started(bundle.run):
        hint = words.COMMITTED_LATE.say(lang, time=first.time.isoformat(), started=bundle.run.started)
        return _failed(question, context, answer.value, hint)
    committed = Evidence(source=PREDICTIONS_FILE, seen=f"{first.time.isoformat()} {first.sha256}")
    value = _shown(question, predicted, context)
    measured = evidence.expected(question.measured, bundle) if question.measured else None
    seen = [committed]
    if isinstance(measured, Seen):
        found = _shown(question, measured.value, context)
        seen.append(Evidence(source=REPORT_FILE, seen=measured.how))
        value = words.PREDICTED.say(lang, value=value, measured=found)
    expected = words.ANY_PREDICTION.say(lang)
    return result(question, Outcome.PASS, fraction=1.0, expected=expected, actual=value, evidence=seen)


def _shown(question: PredictionQuestion, value: float | list[str], context: Context) -> str:
    if isinstance(value, list):
        return " < ".join(value)
    return f"{decimal(value, context.lang)} {unit_shown(question.unit or '')}".strip()


def _failed(question: PredictionQuestion, context: Context, actual: object, hint: str) -> CheckResult:
    expected = words.ANY_PREDICTION.say(context.lang)
    return result(question, Outcome.FAIL, expected=expected, actual=actual, hint=hint)
