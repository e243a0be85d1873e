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
_SEVERAL = Bilingual(
    en="Letters in brackets, such as [a, b].", fr="Des lettres entre crochets, comme [a, b]."
)
_NUMBER = Bilingual(en="A number, in {unit}.", fr="Un nombre, en {unit}.")
_PLAIN_NUMBER = Bilingual(en="A number.", fr="Un nombre.")
_TIMES = Bilingual(en="How many times: a number, such as 2.5.", fr="Combien de fois : un nombre, comme 2,5.")
_TEXT = Bilingual(en="One or two sentences.", fr="Une ou deux phrases.")
_TEXT_EACH = Bilingual(en="One sentence for each.", fr="Une phrase pour chacun.")
_SHORT = Bilingual(en="A short answer.", fr="Une réponse courte.")
_FILE = Bilingual(en="A file of its own: {file}.", fr="Un fichier à part : {file}.")
_PREDICTION = Bilingual(
    en="Before measuring: `tdlab predict {id} VALUE`; then the same value in answers.yaml.",
    fr="Avant de mesurer : `tdlab predict {id} VALEUR` ; puis la même valeur dans answers.yaml.",
)

_ORDER = Bilingual(
    en="This list, put in order: [{items}].", fr="Cette liste, remise dans l’ordre : [{items}]."
)
_TRANSCRIPT = Bilingual(
    en="A file of its own, {file}: the command after a $, such as `$ {example}`, then what it printed.",
    fr="Un fichier à part, {file} : la commande après un $, comme `$ {example}`, puis ce qu’elle affiche.",
)
_HOST = Bilingual(
    en="Nothing to write: `tdlab check --host NAME` looks at your lab host (localhost: this machine).",
    fr="Rien à écrire : `tdlab check --host NOM` examine votre machine de TD (localhost : cette machine).",
)
_EXPERIMENT = Bilingual(
    en="Nothing to write: `tdlab measure {name}` keeps the result in your evidence.",
    fr="Rien à écrire : `tdlab measure {name}` garde le résultat dans vos preuves.",
)


def how(question: Question, lang: Lang) -> str:
    """Say in one sentence what an answer to a question looks like."""
    if isinstance(question, FileQuestion):
        return _handed_in(question, lang)
    match question:
        case ChoiceQuestion():
            return _ONE.say(lang)
        case ChoicesQuestion():
            return _SEVERAL.say(lang)
        case OrderQuestion():
            return _ORDER.say(lang, items=", ".join(question.items))
        case NumberQuestion():
            return _number(question.unit, lang)
        case TextQuestion(pairs=pairs):
            return _text(len(pairs.of) if pairs else 1, lang)
        case PredictionQuestion():
            return _PREDICTION.say(lang, id=question.id)
        case CodeQuestion(file=str() as file):
            return _FILE.say(lang, file=file)
        case CodeQuestion():
            return _SHORT.say(lang)


def _number(unit: str, lang: Lang) -> str:
    if unit == "times":
        return _TIMES.say(lang)
    shown = unit_shown(unit)
    return _NUMBER.say(lang, unit=shown) if shown else _PLAIN_NUMBER.say(lang)


def _text(about: int, lang: Lang) -> str:
    return (_TEXT_EACH if about > 2 else _TEXT).say(lang)


def _handed_in(question: FileQuestion, lang: Lang) -> str:
    match question:
        case DomainQuestion():
            return _FILE.say(lang, file=question.file)
        case TranscriptQuestion():
            return _TRANSCRIPT.say(lang, file=question.file, example=question.example)
        case HostQuestion():
            return _HOST.say(lang)
        case ExperimentQuestion():
            return _EXPERIMENT.say(lang, name=question.experiment)


def options(question: Question, lang: Lang) -> list[tuple[str, str]]:
    """Return what there is to choose from or to put in order, each with what it stands for."""
    match question:
        case ChoiceQuestion() | ChoicesQuestion():
            return [(letter, option.say(lang)) for letter, option in question.options.items()]
        case OrderQuestion():
            labels = question.labels
            return [(item, labels[item].say(lang)) for item in question.items if item in labels]
    return []


def worth(question: Question, lang: Lang) -> str:
    """Return the points of a question as people write them: 1.5 takes no plural in French."""
    one = question.points < 2 if lang == "fr" else question.points == 1
    return (_ONE_POINT if one else _POINTS).say(lang, points=points(question.points, lang))
