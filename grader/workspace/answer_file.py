"""The empty ``answers.yaml`` that a student starts from: each question as a comment above its place."""

from __future__ import annotations

import json
from collections.abc import Iterator

from grader.lab.asking import how, options, worth
from grader.lab.lab import Lab
from grader.lab.questions import (
    DomainQuestion,
    Question,
    TextQuestion,
    TranscriptQuestion,
    file_of,
)
from grader.language import Lang
from grader.language.bilingual import Bilingual
from grader.language.lines import wrapped

_WIDTH = 96

_HEAD = Bilingual(
    en=(
        "{title}: answers of {student}\n\n"
        "Write below each question, after its colon. Lines that begin with # are for reading only.\n"
        "The letters of the options are your own: tdlab sheet, in this folder, shows them too.\n"
        "tdlab check looks at what is here, tdlab submit hands it in; do both as often as you like."
    ),
    fr=(
        "{title} : réponses de {student}\n\n"
        "Écrivez sous chaque question, après les deux-points ; "
        "les lignes qui commencent par # sont là pour être lues.\n"
        "Les lettres des choix sont les vôtres : tdlab sheet, dans ce dossier, les montre aussi.\n"
        "tdlab check regarde ce qui est ici, tdlab submit le rend, autant de fois que vous voulez."
    ),
)
_BELOW = Bilingual(
    en="Write below; each line begins with four spaces.",
    fr="Écrivez en dessous ; chaque ligne commence par quatre espaces.",
)
_NOTHING_HERE = Bilingual(en="Nothing here.", fr="Rien ici.")


def text(lab: Lab, student: str, lang: Lang) -> str:
    """Return the file for a student; ``lab`` is in the student's variant."""
    head = _HEAD.say(lang, title=lab.title.say(lang), student=student)
    whose = json.dumps(student, ensure_ascii=False)
    lines = [*_comment(head, "# "), f"lab: {lab.slug}", f"lang: {lang}", f"student: {whose}", "answers:"]
    for part in lab.parts:
        lines += ["", *_comment(part.title.say(lang).upper())]
        for question in part.questions:
            lines += ["", *_question(question, lang)]
    return "\n".join(lines) + "\n"


def _question(question: Question, lang: Lang) -> Iterator[str]:
    yield from _comment(f"{question.id} ({worth(question, lang)}) {question.ask.say(lang)}")
    for name, option in options(question, lang):
        yield from _comment(option, f"  #   {name}  ", "  #      ")
    yield from _comment(_how(question, lang), "  # → ", "  #   ")
    if file_of(question):
        return
    if isinstance(question, TextQuestion):
        yield f"  {question.id}: >"
        yield ""
    else:
        yield f"  {question.id}:"


def _how(question: Question, lang: Lang) -> str:
    said = how(question, lang)
    match question:
        case TextQuestion():
            return f"{said} {_BELOW.say(lang)}"
        case DomainQuestion() | TranscriptQuestion():
            return f"{_NOTHING_HERE.say(lang)} {said}"
    return said


def _comment(said: str, first: str = "  # ", then: str | None = None) -> list[str]:
    """Return a text as comment lines; continuation lines stand below the first."""
    lines: list[str] = []
    for paragraph in said.split("\n"):
        mark = then or first if lines else first
        lines += [line.rstrip() for line in wrapped(paragraph, _WIDTH, first=mark, then=then or first)]
    return lines
