"""``tdlab start``: make a student's workspace of a lab."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from grader.language import LANGUAGES, Lang


@click.command("start")
@click.argument("lab")
@click.option("--student", help="Your name, as your teacher knows you; by default your user's name.")
@click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    help="Language of the workspace; by default that of LANG, else the lab's first.",
)
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the workspace; by default LAB-workspace, here.",
)
@click.option("--reopen", is_flag=True, help="Open a finished workspace again.")
@click.option("--json", "as_json", is_flag=True, help="Print the workspace (tdlab.workspace/1) to stdout.")
def command(
    lab: str, student: str | None, lang: Lang | None, into: Path | None, reopen: bool, as_json: bool
) -> int:
    """Make your workspace of LAB, with questions in your own variant; a second time it changes nothing."""
    from domains.errors import UsageError
    from grader.lab import lab as labs
    from grader.language import refusals
    from grader.workspace import closing, sayings, workspace

    found = labs.load(labs.find(lab))
    here = workspace.around(into or Path(f"{found.slug}-workspace"))
    # What is already there is of whoever started it; without --student nobody says otherwise.
    mine = here if here and here.written.slug == found.slug else None
    name = " ".join((student or (mine.identity.student if mine else getpass.getuser())).split())
    if not name or len(name) > 120 or not name.isprintable():
        raise UsageError(f"{student!r} is no name", remedy="write your name with --student")
    folder = mine.folder if mine and into is None else into or Path(f"{found.slug}-workspace")
    asked: Lang = lang or refusals.of_environment() or found.lang
    place, is_new = workspace.start(found, name, asked, folder)
    own: Lang = place.identity.lang
    if as_json:
        click.echo(place.identity.model_copy().model_dump_json(by_alias=True))
        return 0
    said = sayings.STARTED if is_new else sayings.FOUND
    click.echo(said.say(own, title=found.title.say(own), folder=place.folder))
    if reopen and closing.reopen(place):
        click.echo(sayings.REOPENED.say(own))
    if workspace.is_closed(place):
        click.echo(sayings.FINISHED.say(own, lab=found.slug))
        return 0
    click.echo(sayings.NEXT_STEPS.say(own, folder=place.folder, student=place.identity.student))
    return 0
