"""One option of several, or several of them."""

from __future__ import annotations

from grader.checks import words
from grader.checks.verdict import Context, graded, result
from grader.lab.questions import ChoiceQuestion, ChoicesQuestion
from grader.lab.written import letters
from grader.results.result import CheckResult, Outcome
from grader.submission.answers import Answer


def check_choice(question: ChoiceQuestion, answer: Answer, context: Context) -> CheckResult:
    """Say whether the one right option was chosen; a wrong one gets the feedback written for it."""
    lang = context.lang
    expected = f"{question.right}: {question.options[question.right].say(lang)}"
    chosen = chosen_one(question, answer)
    if chosen is None:
        hint = words.ONE_OF.say(lang, options=", ".join(question.options))
        return result(question, Outcome.FAIL, expected=expected, actual=answer.value, hint=_at(answer, hint))
    hint = question.feedback.get(chosen, question.hint).say(lang)
    actual = f"{chosen}: {question.options[chosen].say(lang)}"
    return graded(question, float(chosen == question.right), expected=expected, actual=actual, hint=hint)


def check_choices(question: ChoicesQuestion, answer: Answer, context: Context) -> CheckResult:
    """Give a part of the points for each right tick; a wrong one takes it back, and all give nothing."""
    lang = context.lang
    expected = ", ".join(question.right)
    chosen = chosen_some(question, answer)
    if chosen is None:
        hint = words.SOME_OF.say(lang, options=", ".join(question.options))
        return result(question, Outcome.FAIL, expected=expected, actual=answer.value, hint=_at(answer, hint))
    right = set(question.right)
    wrong_ticks = chosen - right
    # A wrong tick weighs what makes "all of them" worth nothing, and never less than a right one.
    others = len(question.options) - len(right)
    weight = max(1.0, len(right) / others) if others else 1.0
    fraction = (len(chosen & right) - weight * len(wrong_ticks)) / len(right)
    feedback = [question.feedback[one].say(lang) for one in sorted(wrong_ticks) if one in question.feedback]
    if not wrong_ticks:
        feedback.append(words.NOT_TICKED.say(lang, count=len(right - chosen)))
    hint = " ".join(feedback) or question.hint.say(lang)
    return graded(question, fraction, expected=expected, actual=", ".join(sorted(chosen)), hint=hint)


def chosen_one(question: ChoiceQuestion, answer: Answer) -> str | None:
    """Return the option that was chosen, or None when the answer names none."""
    chosen = letters(answer.value, question.options) or set()
    return chosen.pop() if len(chosen) == 1 else None


def chosen_some(question: ChoicesQuestion, answer: Answer) -> set[str] | None:
    """Return the options that were ticked, or None when the answer names something else."""
    return letters(answer.value, question.options)


def _at(answer: Answer, hint: str) -> str:
    return f"{answer.where}: {hint}" if answer.where else hint
