"""What a student is told, in the terminal; text of theirs goes in as text, never as markup."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from grader.language import Lang
from grader.language.inert import one_line
from grader.workspace import sayings
from grader.workspace.feedback import Feedback

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


def print_feedback(told: Sequence[Feedback], lang: Lang, console: Console | None = None) -> None:
    """Print what a student is told of each question, and how many have an answer."""
    console = console or Console(highlight=False)
    for one in told:
        line = Text(one.question.id.ljust(_IDS), style="bold")
        line.append(sayings.STATES[one.state].say(lang), style=_STYLES.get(one.state, ""))
        if one.state != "open" and one.seen:
            line.append(f"  {one_line(one.seen)}", style="default not bold")
        console.print(line)
        if one.state != "open" and one.next:
            console.print(Text(f"  → {one_line(one.next)}", style="dim"))
    answered = sum(one.state != "open" for one in told)
    console.print()
    console.print(Text(sayings.CHECKED.say(lang, answered=answered, all=len(told))))
