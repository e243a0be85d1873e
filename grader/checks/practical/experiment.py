"""The result of an experiment that the student ran: valid, in agreement with itself, and its claims hold."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator

from pydantic import ValidationError

from grader.checks.practical import words
from grader.checks.practical.claims import Judged, judge
from grader.checks.verdict import Context, graded, result
from grader.experiments.result import Measured, Result
from grader.lab.practical import ExperimentQuestion
from grader.language import causes
from grader.language.bilingual import Bilingual, listed
from grader.measure import moment
from grader.results.result import CheckResult, Evidence, Outcome
from grader.submission.answers import Answer

# A median is kept with six decimals, its samples too.
_ROUNDING = 1e-3


def check_experiment(question: ExperimentQuestion, answer: Answer, context: Context) -> CheckResult:
    """Give the points for a result whose claims hold; what the host cannot do is not gradable there."""
    lang, file = context.lang, question.file
    if not isinstance(answer.value, bytes):
        cause = causes.said(answer.note, lang) or words.FILE_IS_MISSING.say(lang, file=file)
        return _ended(question, context, Outcome.FAIL, _measure_it(question, context, cause))
    try:
        found = Result.model_validate_json(answer.value)
        moment.read(found.started)
    except ValueError as bad:
        hint = words.NOT_UNDERSTOOD.say(lang, file=file, cause=_first(bad))
        return _ended(question, context, Outcome.INCONCLUSIVE, hint)
    if (found.lab, found.experiment) != (context.lab, question.experiment):
        cause = words.OF_ANOTHER.say(lang, file=file, lab=found.lab, name=found.experiment)
        return _ended(question, context, Outcome.FAIL, _measure_it(question, context, cause))
    if found.status == "error":
        hint = words.MEASURING_BROKE.say(lang, cause=causes.said(found.cause or "?", lang))
        return _ended(question, context, Outcome.ERROR, hint)
    if found.status == "skipped":
        return _not_here(question, context, found.host, found.cause or "?")
    if problem := next(_contradictions(found), None):
        hint = words.CONTRADICTS.say(lang, file=file, cause=causes.said(problem, lang))
        return _ended(question, context, Outcome.INCONCLUSIVE, hint)
    return _judged(question, context, found)


def _judged(question: ExperimentQuestion, context: Context, found: Result) -> CheckResult:
    lang = context.lang
    judged = [judge(one, found, lang) for one in question.claims]
    possible = [one for one in judged if one.holds != "not-here"]
    if not possible:
        return _not_here(question, context, found.host, judged[0].how)
    if lost := next((one for one in possible if one.holds == "lost"), None):
        hint = words.CONTRADICTS.say(lang, file=question.file, cause=causes.said(lost.how, lang))
        return _ended(question, context, Outcome.INCONCLUSIVE, hint)
    actual = listed((one.how for one in possible), lang)
    evidence = [Evidence(source=question.file, seen=f"{one.claim.id}: {one.how}") for one in possible]
    if unsure := [one for one in possible if one.holds == "open"]:
        hint = _said(words.CLAIM_OPEN, unsure, context)
        return _ended(question, context, Outcome.INCONCLUSIVE, hint, actual, evidence)
    fails = [one for one in possible if one.holds == "no"]
    return graded(
        question,
        1 - len(fails) / len(possible),
        expected=_expected(question, context),
        actual=actual,
        hint=_said(words.CLAIM_FAILS, fails, context),
        evidence=evidence,
    )


def _said(text: Bilingual, judged: list[Judged], context: Context) -> str:
    lang = context.lang
    return " ".join(text.say(lang, means=one.claim.means.say(lang), how=one.how) for one in judged)


def _contradictions(found: Result) -> Iterator[str]:
    """Yield where a result does not agree with itself."""
    for key in found.asked.keys() & found.ran.keys():
        if found.asked[key] != found.ran[key]:
            yield f"{key}: asked {found.asked[key]!r}, ran {found.ran[key]!r}"
    for name, one in found.measurements.items():
        if name in found.not_measurable:
            yield f"{name} is measured, and said not to be measurable"
        if problem := _disagrees(one):
            yield f"{name}: {problem}"
        if found.emulator and not one.emulator:
            yield f"{name} was measured on {found.emulator}, and does not say so"


def _disagrees(one: Measured) -> str | None:
    samples = one.samples
    if not samples or not all(map(math.isfinite, (*samples, one.median))):
        return "no finite samples"
    median = statistics.median(samples)
    if not math.isclose(median, one.median, rel_tol=_ROUNDING, abs_tol=1e-6):
        return f"its median is {one.median:g}, its samples say {median:g}"
    low, high = one.ci95 or (median, median)
    slack = _ROUNDING * max(map(abs, samples)) + 1e-6
    if not min(samples) - slack <= low <= high <= max(samples) + slack:
        return f"the interval {low:g} to {high:g} is not one of its samples"
    return None


def _not_here(question: ExperimentQuestion, context: Context, host: str, cause: str) -> CheckResult:
    again = f"`tdlab measure {context.lab} {question.experiment} --host lab1`"
    hint = words.NOT_HERE.say(context.lang, host=host, cause=causes.said(cause, context.lang), again=again)
    return _ended(question, context, Outcome.SKIPPED, hint)


def _measure_it(question: ExperimentQuestion, context: Context, cause: str) -> str:
    return words.MEASURE_IT.say(context.lang, cause=cause, lab=context.lab, name=question.experiment)


def _ended(
    question: ExperimentQuestion,
    context: Context,
    outcome: Outcome,
    hint: str,
    actual: str = "",
    evidence: list[Evidence] | None = None,
) -> CheckResult:
    expected = _expected(question, context)
    return result(question, outcome, expected=expected, actual=actual, hint=hint, evidence=evidence or ())


def _expected(question: ExperimentQuestion, context: Context) -> str:
    return listed((one.means.say(context.lang) for one in question.claims), context.lang)


def _first(bad: ValueError) -> str:
    if isinstance(bad, ValidationError):
        first = bad.errors()[0]
        path = ".".join(str(step) for step in first["loc"])
        return f"{path}: {first['msg']}" if path else first["msg"]
    return str(bad).splitlines()[0]
