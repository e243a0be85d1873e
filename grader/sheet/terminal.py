"""A sheet in the terminal: Markdown drawn by rich, at any width."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.lab.asking import how, options, worth
from grader.lab.lab import Lab
from grader.lab.questions import ChoiceQuestion, ChoicesQuestion
from grader.language import Lang
from grader.sheet import words
from grader.sheet.source import Asked, Piece, Prose

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

# A blank of a command while lines are broken: no author writes this character, and rich breaks nothing at it.
_HELD = "\ue000"
# Lists and quotations are set in by a few columns.
_MARGIN = 6
_COMMAND = re.compile(r"^ *```.*?^ *```|(`+)[^`\n]+\1", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class _Whole:
    """A text, drawn with commands that no line breaks: what stands in backticks and fits on a line."""

    text: str
    make: Callable[[str], RenderableType]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for segment in console.render(self.make(_held(self.text, options.max_width)), options):
            yield segment._replace(text=segment.text.replace(_HELD, " "))


def _held(text: str, width: int) -> str:
    """Return Markdown in which commands within a line have no blanks to break at; blocks stay as they are."""

    def held(found: re.Match[str]) -> str:
        fits = found[1] and len(found[0]) <= width - _MARGIN
        return found[0].replace(" ", _HELD) if fits else found[0]

    return _COMMAND.sub(held, text)


def _markdown(text: str) -> _Whole:
    from rich.markdown import Markdown

    return _Whole(text, lambda held: Markdown(held, justify="left", code_theme="ansi_dark"))


def print_sheet(pieces: Sequence[Piece], lab: Lab, lang: Lang, *, own: bool, console: Console) -> None:
    """Print a sheet; ``own`` says that the letters are those of whoever reads it."""
    from rich.rule import Rule

    for one, following in zip(pieces, (*pieces[1:], None), strict=True):
        if isinstance(one, Prose):
            console.print(_markdown(one.markdown))
        else:
            console.print(*_question(one, lang), sep="\n")
            if not isinstance(following, Asked):
                console.print(Rule(style="yellow"))
        console.print()
    if not own and any(isinstance(question, ChoiceQuestion | ChoicesQuestion) for question in lab):
        console.print(_markdown(words.NOT_OWN.say(lang)))


def _question(asked: Asked, lang: Lang) -> Iterator[RenderableType]:
    from rich.markdown import Markdown
    from rich.padding import Padding
    from rich.rule import Rule
    from rich.text import Text

    question = asked.question
    head = Text.assemble((question.id, "bold"), (f"  {worth(question, lang)}", "not bold"))
    yield Rule(head, align="left", style="yellow")
    yield _markdown(question.ask.say(lang))
    for name, option in options(question, lang):
        yield Padding(_markdown(f"**{name}** {option}"), (0, 0, 0, 2))
    yield _Whole(f"→ {how(question, lang)}", lambda held: Markdown(held, justify="left", style="cyan"))
