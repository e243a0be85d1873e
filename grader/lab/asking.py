"""How each kind of question is to be answered: one sentence under it, on the sheet and in answers.yaml."""

from __future__ import annotations

from grader.lab.questions import (
    ChoiceQuestion,
    ChoicesQuestion,
    DomainQuestion,
    NumberQuestion,
    PredictionQuestion,
    Question,
    TextQuestion,
)
from grader.lab.units import unit_shown
from grader.language import Lang
from grader.language.bilingual import Bilingual
from grader.language.i18n import points

_ONE_POINT = Bilingual(en="{points} point", fr="{points} point")
_POINTS = Bilingual(en="{points} points", fr="{points} points")

_ONE = Bilingual(en="One letter.", fr="Une lettre.")
_SEVERAL = Bilingual(en="Several letters: [a, b].", fr="Plusieurs lettres : [a, b].")
_NUMBER = Bilingual(en="A number, in {unit}.", fr="Un nombre, en {unit}.")
_PLAIN_NUMBER = Bilingual(en="A number.", fr="Un nombre.")
_TEXT = Bilingual(en="One or two sentences.", fr="Une ou deux phrases.")
_FILE = Bilingual(en="A file: {file}.", fr="Un fichier : {file}.")
_PREDICTION = Bilingual(
    en="Before measuring: tdlab predict {lab} {id} VALUE; then the same value in answers.yaml.",
    fr="Avant de mesurer : tdlab predict {lab} {id} VALEUR ; puis la même valeur dans answers.yaml.",
)


def how(lab: str, question: Question, lang: Lang) -> str:
    """Say in one sentence what an answer to a question looks like; ``lab`` is the lab's slug."""
    match question:
        case ChoiceQuestion():
            return _ONE.say(lang)
        case ChoicesQuestion():
            return _SEVERAL.say(lang)
        case NumberQuestion():
            unit = unit_shown(question.unit)
            return _NUMBER.say(lang, unit=unit) if unit else _PLAIN_NUMBER.say(lang)
        case TextQuestion():
            return _TEXT.say(lang)
        case DomainQuestion():
            return _FILE.say(lang, file=question.file)
        case PredictionQuestion():
            return _PREDICTION.say(lang, lab=lab, id=question.id)


def worth(question: Question, lang: Lang) -> str:
    """Return the points of a question as people write them: 1.5 takes no plural in French."""
    one = question.points < 2 if lang == "fr" else question.points == 1
    return (_ONE_POINT if one else _POINTS).say(lang, points=points(question.points, lang))
