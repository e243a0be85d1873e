"""What a student is told, in the terminal; text of theirs goes in as text, never as markup."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from grader.language import Lang
from grader.language.bilingual import Bilingual
from grader.language.i18n import points
from grader.language.inert import one_line
from grader.language.lines import wrapped
from grader.submission.answers import ANSWERS_FILE
from grader.workspace import sayings
from grader.workspace.feedback import Feedback

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_STYLES = {
    "right": "green",
    "partly": "yellow",
    "wrong": "red",
    "waiting": "yellow",
    "broken": "magenta",
    "open": "dim",
    "not-here": "dim",
}
_IDS = 16
_NOTED = 50
_LEFT = 2


def print_feedback(told_all: Sequence[Feedback], lang: Lang, console: Console | None = None) -> None:
    """Print what a student is told of each question, and how many have an answer."""
    # It takes as long to import as all the rest: a question on the terminal does without.
    from rich.console import Console as Terminal
    from rich.text import Text

    console = console or Terminal(highlight=False)
    if told_all and told_all[0].seen == ANSWERS_FILE:
        # None of the answers can be read: that is one thing to put right, and it is said once.
        _print(console, Text(), told_all[0].next)
        return
    for one in told_all:
        head = Text(one.question.id.ljust(_IDS), style="bold")
        head.append(sayings.STATES[one.state].say(lang), style=_STYLES.get(one.state, ""))
        is_asked = one.state == "open" and bool(one.asked)
        # A text is only repeated so that its place is known; what a check saw is shown whole.
        said = one.asked if is_asked else one_line(one.seen, limit=_NOTED if one.state == "noted" else 200)
        _print(console, head, said, " " * _IDS, style="dim not bold" if is_asked else "default not bold")
        for told_of in _below(one, lang):
            _print(console, Text(" " * _LEFT), one_line(told_of), " " * (_LEFT + 2), style="dim")
    answered = sum(one.state != "open" for one in told_all)
    console.print()
    _print(console, Text(), sayings.CHECKED.say(lang, answered=answered, all=len(told_all)))


def _print(console: Console, head: Text, said: str, then: str = "", *, style: str = "") -> None:
    """Print a text behind its head, broken where no command is broken; rich breaks at any blank."""
    gap = "  " if head.plain.strip() and said else ""
    for number, line in enumerate(wrapped(said, console.width, first=head.plain + gap, then=then)):
        shown = head.copy() if number == 0 else head[:0]
        shown.append(line[len(shown.plain) :], style=style)
        console.print(shown, soft_wrap=True)


def _below(one: Feedback, lang: Lang) -> Iterator[str]:
    """Yield what stands below the line of a question that is not done yet."""
    if one.state in {"wrong", "partly"} and one.asked:
        yield sayings.ASKED.say(lang, how=one.asked)
    if one.state != "open" and one.next:
        yield f"→ {one.next}"
    if one.state not in {"right", "not-here"} and one.hints:
        prices = ", ".join(
            sayings.HINT_COSTS.say(lang, price=points(price, lang)) if price else sayings.FREE.say(lang)
            for price in one.hints
        )
        yield sayings.HINTS_LEFT.say(lang, prices=prices, question=one.question.id)


def agreed(
    lang: Lang, question: Bilingual, *, yes: bool, no_input: bool, default: bool = False, **values: object
) -> bool:
    """Ask on the terminal, in the student's language; where nobody can be asked it is no."""
    if yes:
        return True
    if no_input or not sys.stdin.isatty():
        click.echo(sayings.SAY_YES.say(lang), err=True)
        return False
    letters = sayings.YES_OR_NO.say(lang)
    shown = letters[0].upper() + "/n" if default else f"{letters[0]}/N"
    said = input_line(f"{question.say(lang, **values)} [{shown}] ")
    return said[0].casefold() in letters if said else default


def input_line(prompt: str) -> str:
    """Return what was typed, without blanks around it; a closed terminal says nothing."""
    click.echo(prompt, nl=False, err=True)
    return sys.stdin.readline().strip()
