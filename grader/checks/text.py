"""A short text: right, wrong or partly right alone where that is certain, or for the teacher."""

from __future__ import annotations

from grader.checks import words
from grader.checks.reading.finding import State
from grader.checks.reading.judging import Judgement, Why, judge
from grader.checks.verdict import Context, graded, result
from grader.lab.questions import TextQuestion
from grader.lab.written import prose
from grader.language import Lang
from grader.language.bilingual import Bilingual, listed
from grader.results.result import CheckResult, Evidence, Outcome
from grader.submission.answers import Answer

_WHY: dict[Why, Bilingual] = {
    Why.EMPTY: words.A_TEXT,
    Why.COPIED: words.QUESTION_COPIED,
    Why.OFF_TOPIC: words.WHY_OFF_TOPIC,
    Why.ALL_IDEAS: words.WHY_ALL,
    Why.SOME_IDEAS: words.WHY_PART,
    Why.WRONG_IDEA: words.WHY_WRONG,
    Why.DENIED: words.WHY_DENIED,
    Why.LONG: words.WHY_LONG,
    Why.HEDGED: words.WHY_BOTH_WAYS,
    Why.BOTH: words.WHY_HEDGED,
    Why.UNCLEAR_DENIAL: words.WHY_NEGATED,
    Why.UNCLEAR_REST: words.WHY_SOME,
    Why.SOUP: words.WHY_SOUP,
    Why.OF_MARKS: words.WHY_OF_MARKS,
}

_MOST_REMEMBERED = 8192
_REMEMBERED: dict[tuple[int, str], tuple[TextQuestion, Judgement]] = {}


def check_text(question: TextQuestion, answer: Answer, context: Context) -> CheckResult:
    """Mark a text alone where that is certain; what is not, the teacher reads, with why."""
    lang = context.lang
    expected = listed((idea.means.say(lang) for idea in question.ideas), lang)
    text = prose(answer.value)
    if text is None:
        hint = words.A_TEXT.say(lang)
        return result(question, Outcome.FAIL, expected=expected, actual=answer.value, hint=hint)
    found = _judged(question, text)
    evidence = _evidence(found)
    if found.alone:
        hint = feedback(question, found, lang)
        return graded(question, found.fraction, expected=expected, actual=text, hint=hint, evidence=evidence)
    hint = words.FOR_REVIEW.say(lang, why=reason(question, found, lang))
    return result(
        question, Outcome.INCONCLUSIVE, expected=expected, actual=text, hint=hint, evidence=evidence
    )


def _judged(question: TextQuestion, text: str) -> Judgement:
    """Judge a text, or remember how it was judged: a class gives many equal answers.

    By the question's identity, since a rubric takes longer to compare than a short text to read.
    """
    key = (id(question), text)
    held = _REMEMBERED.get(key)
    if held is None or held[0] is not question:
        if len(_REMEMBERED) >= _MOST_REMEMBERED:
            _REMEMBERED.clear()
        held = _REMEMBERED[key] = (question, judge(question, text))
    return held[1]


def reason(question: TextQuestion, found: Judgement, lang: Lang) -> str:
    """Return in one sentence why a text was judged as it was."""
    return _WHY[found.why].say(lang, found=len(found.said()), all=len(question.ideas))


def feedback(question: TextQuestion, found: Judgement, lang: Lang) -> str:
    """Return what helps the student: the answer to a wrong idea, or why nothing counts, or the hint."""
    held = set(found.said_wrong())
    if held:
        return " ".join(one.feedback.say(lang) for one in question.wrong_ideas if one.id in held)
    if found.why in {Why.EMPTY, Why.COPIED}:
        return reason(question, found, lang)
    missing = [one.means.say(lang) for one in question.ideas if one.id not in found.said()]
    if found.why is Why.SOME_IDEAS and missing:
        return f"{words.IS_MISSING.say(lang, ideas='; '.join(missing))} {question.hint.say(lang)}"
    return question.hint.say(lang)


def _evidence(found: Judgement) -> tuple[Evidence, ...]:
    kinds = (("idea", found.ideas), ("wrong idea", found.wrong_ideas))
    state = {State.SAID: "said", State.DENIED: "denied"}
    return tuple(
        Evidence(source=f"{kind} {one.id}", seen=f"{state[one.state]}: {one.words}")
        for kind, ideas in kinds
        for one in ideas
    )
