"""The empty ``answers.yaml`` that a student starts from: each question as a comment above its place."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator

from grader.lab.lab import Lab
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

_WIDTH = 96

_HEAD = Bilingual(
    en=(
        "{title}: answers of {student}\n\n"
        "Write below each question, after its colon. Lines that begin with # are for reading only.\n"
        "The letters of the options are your own: on the sheet they stand in another order.\n"
        "tdlab check looks at what is here, tdlab submit hands it in; do both as often as you like."
    ),
    fr=(
        "{title} : réponses de {student}\n\n"
        "Écrivez sous chaque question, après les deux-points. Les lignes qui commencent par # sont à lire.\n"
        "Les lettres des choix sont les vôtres : sur la feuille, elles sont dans un autre ordre.\n"
        "tdlab check regarde ce qui est ici, tdlab submit le rend ; faites l'un et l'autre autant que voulu."
    ),
)
_POINTS = Bilingual(en="({points} points)", fr="({points} points)")
_ONE = Bilingual(en="One letter.", fr="Une lettre.")
_SEVERAL = Bilingual(en="Several letters: [a, b].", fr="Plusieurs lettres : [a, b].")
_NUMBER = Bilingual(en="A number, in {unit}.", fr="Un nombre, en {unit}.")
_PLAIN_NUMBER = Bilingual(en="A number.", fr="Un nombre.")
_TEXT = Bilingual(
    en="One or two sentences, on the lines below and indented like the example.",
    fr="Une ou deux phrases, sur les lignes qui suivent, décalées comme dans l'exemple.",
)
_FILE = Bilingual(en="Nothing here: write {file}.", fr="Rien ici : écrivez {file}.")
_PREDICTION = Bilingual(
    en="Before measuring: tdlab predict {lab} {id} VALUE; then the same value here.",
    fr="Avant de mesurer : tdlab predict {lab} {id} VALEUR ; puis la même valeur ici.",
)


def text(lab: Lab, student: str, lang: Lang) -> str:
    """Return the file for a student; ``lab`` is in the student's variant."""
    head = _HEAD.say(lang, title=lab.title.say(lang), student=student)
    whose = json.dumps(student, ensure_ascii=False)
    lines = [*_comment(head, ""), f"lab: {lab.slug}", f"lang: {lang}", f"student: {whose}", "answers:"]
    for part in lab.parts:
        lines += ["", *_comment(part.title.say(lang).upper())]
        for question in part.questions:
            lines += ["", *_question(lab, question, lang)]
    return "\n".join(lines) + "\n"


def _question(lab: Lab, question: Question, lang: Lang) -> Iterator[str]:
    worth = _POINTS.say(lang, points=points(question.points, lang))
    yield from _comment(f"{question.id} {worth} {question.ask.say(lang)}")
    if isinstance(question, ChoiceQuestion | ChoicesQuestion):
        for letter, option in question.options.items():
            yield from _comment(f"{letter}  {option.say(lang)}", "  #   ")
    yield from _comment(_how(lab, question, lang), "  # → ")
    if isinstance(question, DomainQuestion):
        return
    if isinstance(question, TextQuestion):
        yield f"  {question.id}: >"
        yield ""
    else:
        yield f"  {question.id}:"


def _how(lab: Lab, question: Question, lang: Lang) -> str:
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
            return _PREDICTION.say(lang, lab=lab.slug, id=question.id)


def _comment(said: str, indent: str = "  # ") -> list[str]:
    """Return a text as comment lines; continuation lines stand below the first."""
    mark = indent or "# "
    lines: list[str] = []
    for paragraph in said.split("\n"):
        wrapped = textwrap.wrap(paragraph, _WIDTH - len(mark)) or [""]
        lines += [f"{mark}{line}".rstrip() for line in wrapped]
    return lines
