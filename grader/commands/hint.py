"""``tdlab hint``: a hint, after its price."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from grader.lab.basis import Hint
    from grader.lab.questions import Question
    from grader.workspace.workspace import Workspace


@click.command("hint")
@click.argument("question")
@click.option(
    "--workspace",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Folder of your answers (by default this one).",
)
@click.option("--yes", is_flag=True, help="Take it at its price, without asking.")
@click.option("--no-input", is_flag=True, help="Never ask: say the price, and give nothing that costs.")
def command(question: str, workspace: Path, yes: bool, no_input: bool) -> int:
    """Give the next hint for QUESTION: first its price, then, if you want it, the hint.

    Hints that were given before are shown again, and cost nothing more.
    """
    from domains.errors import EXIT_CHECKS_FAILED, EXIT_DONE
    from grader.workspace import hints, sayings, terminal
    from grader.workspace import workspace as workspaces

    place = workspaces.find(workspace)
    lang = place.identity.lang
    asked = hints.asked(place, question)
    for hint in hints.taken(place, asked):
        click.echo(sayings.HINT_BEFORE.say(lang, text=hint.text.say(lang)))
    left = hints.left(place, asked)
    if not left:
        none = sayings.NO_MORE_HINTS if asked.hints else sayings.NO_HINT
        click.echo(none.say(lang, question=question), err=True)
        return EXIT_DONE
    workspaces.require_open(place)
    number, hint = left[0]
    _say_price(place, asked, hint, len(left) - 1)
    if hint.costs and not terminal.agreed(lang, sayings.HINT_NOW, yes=yes, no_input=no_input):
        return EXIT_CHECKS_FAILED
    click.echo(hints.take(place, asked, number).text.say(lang))
    return EXIT_DONE


def _say_price(place: Workspace, asked: Question, hint: Hint, after: int) -> None:
    from grader.lab.asking import worth
    from grader.language.i18n import points
    from grader.workspace import sayings

    lang = place.identity.lang
    price = points(hint.costs, lang)
    many = sayings.LAST_HINT, sayings.ONE_MORE_HINT, sayings.MORE_HINTS
    left = many[min(after, 2)].say(lang, count=after)
    said = sayings.HINT_PRICE.say(lang, price=price, worth=worth(asked, lang), question=asked.id, after=left)
    click.echo(said if hint.costs else sayings.HINT_FREE.say(lang), err=True)
