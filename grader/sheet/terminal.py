"""A sheet in the terminal: Markdown drawn by rich, at any width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from grader.lab.asking import how, worth
from grader.lab.lab import Lab
from grader.lab.questions import ChoiceQuestion, ChoicesQuestion
from grader.language import Lang
from grader.sheet import words
from grader.sheet.source import Asked, Piece, Prose

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


def print_sheet(pieces: Sequence[Piece], lab: Lab, lang: Lang, *, own: bool, console: Console) -> None:
    """Print a sheet; ``own`` says that the letters are those of whoever reads it."""
    from rich.markdown import Markdown
    from rich.rule import Rule

    for one, following in zip(pieces, (*pieces[1:], None), strict=True):
        if isinstance(one, Prose):
            console.print(Markdown(one.markdown, justify="left", code_theme="ansi_dark"))
        else:
            console.print(*_question(one, lab, lang), sep="\n")
            if not isinstance(following, Asked):
                console.print(Rule(style="yellow"))
        console.print()
    if not own and any(isinstance(question, ChoiceQuestion | ChoicesQuestion) for question in lab):
        console.print(Markdown(words.NOT_OWN.say(lang)))


def _question(asked: Asked, lab: Lab, lang: Lang) -> Iterator[RenderableType]:
    from rich.markdown import Markdown
    from rich.padding import Padding
    from rich.rule import Rule
    from rich.text import Text

    question = asked.question
    head = Text.assemble((question.id, "bold"), (f"  {worth(question, lang)}", "not bold"))
    yield Rule(head, align="left", style="yellow")
    yield Markdown(question.ask.say(lang), justify="left")
    if isinstance(question, ChoiceQuestion | ChoicesQuestion):
        for letter, option in question.options.items():
            yield Padding(Markdown(f"**{letter}** {option.say(lang)}", justify="left"), (0, 0, 0, 2))
    yield Text(f"→ {how(lab.slug, question, lang)}", style="cyan")
