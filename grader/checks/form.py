"""Whether an answer can be read as what its question asks for, whatever it says."""

from __future__ import annotations

from grader.checks import words
from grader.checks.choice import chosen_one, chosen_some
from grader.checks.order import ordered
from grader.lab.questions import (
    ChoiceQuestion,
    ChoicesQuestion,
    NumberQuestion,
    OrderQuestion,
    PredictionQuestion,
    Question,
    TextQuestion,
)
from grader.lab.units import readings, unit_shown
from grader.lab.written import prose
from grader.language import Lang
from grader.submission.answers import Answer
from grader.submission.predictions import is_senseless, plain


def problem(question: Question, answer: Answer, lang: Lang) -> str | None:
    """Return what is to be written instead, or None when the answer can be read."""
    match question:
        case ChoiceQuestion():
            options = ", ".join(question.options)
            return None if chosen_one(question, answer) else words.ONE_OF.say(lang, options=options)
        case ChoicesQuestion():
            options = ", ".join(question.options)
            return None if chosen_some(question, answer) else words.SOME_OF.say(lang, options=options)
        case OrderQuestion():
            items = ", ".join(question.items)
            return None if ordered(question, answer) else words.AN_ORDER.say(lang, items=items)
        case TextQuestion():
            return words.A_TEXT.say(lang) if prose(answer.value) is None else None
        case NumberQuestion():
            return _number(answer.value, question.unit, lang)
        case PredictionQuestion(unit=str() as unit):
            return _number(answer.value, unit, lang) or _negative(question, answer.value, lang)
    return None


def _negative(question: PredictionQuestion, value: object, lang: Lang) -> str | None:
    number = plain(question, value)
    is_wrong = isinstance(number, float) and is_senseless(question, number)
    return words.NEGATIVE.say(lang) if is_wrong else None


def _number(value: object, unit: str, lang: Lang) -> str | None:
    numbers = readings(value, unit)
    if isinstance(numbers, str):
        return words.WRONG_UNIT.say(lang, given=numbers, unit=unit_shown(unit))
    return words.NOT_A_NUMBER.say(lang, unit=unit_shown(unit)) if numbers is None else None
