"""``tdlab finish``: look once more, hand in, and close the workspace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.commands import submit

if TYPE_CHECKING:
    from grader.workspace.workspace import Workspace


@click.command("finish")
@click.argument("workspace", type=click.Path(path_type=Path), default=Path())
@click.option("--yes", is_flag=True, help="Hand in without asking, whatever is still open.")
@click.option("--no-input", is_flag=True, help="Never ask: say what is open, and hand in only with --yes.")
@click.option("--json", "as_json", is_flag=True, help="Print the receipt (tdlab.receipt/1) to stdout.")
def command(workspace: Path, yes: bool, no_input: bool, as_json: bool) -> int:
    """Say what is still open in WORKSPACE (this folder), hand it in, and close it.

    A closed workspace stays as it was handed in; `tdlab start LAB --reopen` opens it again.
    """
    from domains.errors import EXIT_CHECKS_FAILED
    from grader.workspace import closing, sayings
    from grader.workspace import workspace as workspaces

    place = workspaces.find(workspace)
    lang = place.identity.lang
    if not workspaces.is_closed(place) and not _agreed(place, yes, no_input):
        return EXIT_CHECKS_FAILED
    submit.show(place, closing.finish(place), as_json=as_json)
    click.echo(sayings.FINISHED.say(lang, lab=place.lab.slug), err=True)
    return 0


def _agreed(place: Workspace, yes: bool, no_input: bool) -> bool:
    """Say what is not done, and ask whether it is to be handed in like this."""
    from grader.language import causes
    from grader.workspace import closing, sayings, terminal

    lang, loose = place.identity.lang, closing.loose_ends(place)
    if loose.broken:
        click.echo(sayings.CANNOT_BE_READ.say(lang, problem=causes.said(loose.broken, lang)), err=True)
    for said, questions in (
        (sayings.LOOSE_ANSWERS, loose.answers),
        (sayings.LOOSE_PREDICTIONS, loose.predictions),
        (sayings.LOOSE_MEASURES, loose.measures),
    ):
        if questions:
            click.echo(said.say(lang, questions=", ".join(questions)), err=True)
    if not loose:
        click.echo(sayings.NOTHING_LOOSE.say(lang), err=True)
    return terminal.agreed(lang, sayings.FINISH_NOW, yes=yes, no_input=no_input, default=not loose)
