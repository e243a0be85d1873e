"""How each kind of question is to be answered: one sentence under it, on the sheet and in answers.yaml."""

from __future__ import annotations

from grader.lab.questions import (
    ChoiceQuestion,
    ChoicesQuestion,
    CodeQuestion,
    DomainQuestion,
    ExperimentQuestion,
    FileQuestion,
    HostQuestion,
    NumberQuestion,
    OrderQuestion,
    PredictionQuestion,
    Question,
    TextQuestion,
    TranscriptQuestion,
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
_SHORT = Bilingual(en="A short answer.", fr="Une réponse courte.")
_FILE = Bilingual(en="A file: {file}.", fr="Un fichier : {file}.")
_PREDICTION = Bilingual(
    en="Before measuring: `tdlab predict {lab} {id} VALUE`; then the same value in answers.yaml.",
    fr="Avant de mesurer : `tdlab predict {lab} {id} VALEUR` ; puis la même valeur dans answers.yaml.",
)

_ORDER = Bilingual(en="A list, in order: [{items}].", fr="Une liste, dans l’ordre : [{items}].")
_TRANSCRIPT = Bilingual(
    en="A file, {file}: the command after a $, such as `$ {example}`, and below it what it printed.",
    fr="Un fichier, {file} : la commande après un $, par exemple `$ {example}`, puis ce qu’elle affiche.",
)
_HOST = Bilingual(
    en="Nothing to write: `tdlab check --host NAME` looks at your lab host (localhost: this machine).",
    fr="Rien à écrire : `tdlab check --host NOM` examine votre machine de TD (localhost : cette machine).",
)
_EXPERIMENT = Bilingual(
    en="Nothing to write: in your workspace, `tdlab measure {lab} {name}` keeps the result there.",
    fr="Rien à écrire : dans votre espace de travail, `tdlab measure {lab} {name}` y garde le résultat.",
)


def how(lab: str, question: Question, lang: Lang) -> str:
    """Say in one sentence what an answer to a question looks like; ``lab`` is the lab's slug."""
    if isinstance(question, FileQuestion):
        return _handed_in(lab, question, lang)
    match question:
        case ChoiceQuestion():
            return _ONE.say(lang)
        case ChoicesQuestion():
            return _SEVERAL.say(lang)
        case OrderQuestion():
            return _ORDER.say(lang, items=", ".join(question.items))
        case NumberQuestion():
            unit = unit_shown(question.unit)
            return _NUMBER.say(lang, unit=unit) if unit else _PLAIN_NUMBER.say(lang)
        case TextQuestion():
            return _TEXT.say(lang)
        case PredictionQuestion():
            return _PREDICTION.say(lang, lab=lab, id=question.id)
        case CodeQuestion(file=str() as file):
            return _FILE.say(lang, file=file)
        case CodeQuestion():
            return _SHORT.say(lang)


def _handed_in(lab: str, question: FileQuestion, lang: Lang) -> str:
    match question:
        case DomainQuestion():
            return _FILE.say(lang, file=question.file)
        case TranscriptQuestion():
            return _TRANSCRIPT.say(lang, file=question.file, example=question.example)
        case HostQuestion():
            return _HOST.say(lang)
        case ExperimentQuestion():
            return _EXPERIMENT.say(lang, lab=lab, name=question.experiment)


def worth(question: Question, lang: Lang) -> str:
    """Return the points of a question as people write them: 1.5 takes no plural in French."""
    one = question.points < 2 if lang == "fr" else question.points == 1
    return (_ONE_POINT if one else _POINTS).say(lang, points=points(question.points, lang))
