"""The state of a student's lab host, judged from what was found there; nothing is asked of any host here."""

from __future__ import annotations

from grader.checks.practical import words
from grader.checks.verdict import Context, graded, result
from grader.facts.kept import Found, HostFacts, holds
from grader.lab.practical import HOST_FILE, Fact, HostQuestion
from grader.language import causes
from grader.language.bilingual import listed
from grader.results.result import CheckResult, Evidence, Outcome
from grader.submission.answers import Answer

_AGAIN = "`tdlab check --host lab1`"


def check_host(question: HostQuestion, answer: Answer, context: Context) -> CheckResult:
    """Give a part of the points for each fact that holds; what could not be looked at is ours."""
    lang = context.lang
    expected = listed((fact.means.say(lang) for fact in question.facts), lang)
    if not isinstance(answer.value, bytes):
        hint = causes.said(answer.note, lang) or words.LOOK_AT_HOST.say(lang, file=HOST_FILE)
        return result(question, Outcome.FAIL, expected=expected, hint=hint)
    try:
        facts = HostFacts.model_validate_json(answer.value)
    except ValueError as bad:
        cause = str(bad).splitlines()[0]
        hint = words.NOT_UNDERSTOOD.say(lang, file=HOST_FILE, cause=cause)
        return result(question, Outcome.INCONCLUSIVE, expected=expected, hint=hint)
    if facts.problem:
        hint = words.HOST_SILENT.say(lang, host=facts.host, cause=causes.said(facts.problem, lang))
        return result(question, Outcome.ERROR, expected=expected, hint=hint)
    return _judged(question, facts, expected, context)


def _judged(question: HostQuestion, facts: HostFacts, expected: str, context: Context) -> CheckResult:
    lang = context.lang
    held: list[bool] = []
    hints: list[str] = []
    seen: list[Evidence] = []
    for fact in (*question.needs, *question.facts):
        found = facts.about(fact)
        if found is not None and found.problem:
            hint = words.HOST_SILENT.say(
                lang, host=facts.host, cause=_shown(found, causes.said(found.problem, lang))
            )
            return result(question, Outcome.ERROR, expected=expected, hint=hint)
        answer = None if found is None else holds(fact, found)
        if found is None or answer is None:
            hints.append(words.LOOK_AGAIN.say(lang, file=HOST_FILE))
        else:
            seen.append(Evidence(source=HOST_FILE, seen=_shown(found)))
        means = fact.means.say(lang)
        if fact in question.needs:
            if answer is False:
                cause = words.NOT_HERE.say(lang, host=facts.host, cause=means, again=_AGAIN)
                return result(question, Outcome.SKIPPED, expected=expected, hint=cause, evidence=seen)
            continue
        held.append(answer is True)
        if answer is False:
            hints.append(words.NOT_SO.say(lang, host=facts.host, means=means))
    hint = " ".join((*dict.fromkeys(hints), question.hint.say(lang)))
    fraction = sum(held) / len(held)
    actual = _actual(question.facts, held, context)
    return graded(question, fraction, expected=expected, actual=actual, hint=hint, evidence=seen)


def _actual(facts: tuple[Fact, ...], held: list[bool], context: Context) -> str:
    return listed(
        (one.means.say(context.lang) for one, so in zip(facts, held, strict=True) if so), context.lang
    )


def _shown(found: Found, problem: str = "") -> str:
    said = ", ".join(f"{key} {value}" for key, value in found.seen.items()) or problem
    return f"{found.kind} {found.name}: {said}"
