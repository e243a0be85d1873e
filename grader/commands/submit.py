"""``tdlab submit``: hand a workspace in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from grader.workspace.hand_in import Receipt
    from grader.workspace.workspace import Workspace


@click.command("submit")
@click.argument("workspace", type=click.Path(path_type=Path), default=Path())
@click.option("--json", "as_json", is_flag=True, help="Print the receipt (tdlab.receipt/1) to stdout.")
def command(workspace: Path, as_json: bool) -> int:
    """Make one signed archive of WORKSPACE (this folder) and print a receipt; repeat it at any time."""
    from grader.workspace import hand_in
    from grader.workspace import workspace as workspaces

    place = workspaces.find(workspace)
    workspaces.require_open(place)
    show(place, hand_in.submit(place), as_json=as_json)
    return 0


def show(place: Workspace, receipt: Receipt, *, as_json: bool) -> None:
    """Print a receipt, and on stderr how many questions have no answer."""
    import json

    from grader.language import causes
    from grader.workspace import feedback, sayings

    lang = place.identity.lang
    if as_json:
        told = {
            "schema": "tdlab.receipt/1",
            "lab": place.lab.slug,
            "student": place.identity.student,
            "archive": str(receipt.archive),
            "receipt": receipt.code,
            "number": receipt.number,
            "time": receipt.time.isoformat(),
        }
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
        return
    told_of = sayings.HANDED_IN.say(
        lang, archive=receipt.archive, files=receipt.files, number=receipt.number, code=receipt.code
    )
    click.echo(told_of)
    given = place.submission()
    still = sum(one.state == "open" for one in feedback.look(given, place.lab.slug, lang))
    if given.answers.problem:
        click.echo(
            sayings.CANNOT_BE_READ.say(lang, problem=causes.said(given.answers.problem, lang)), err=True
        )
    elif still:
        click.echo(sayings.STILL_OPEN.say(lang, count=still), err=True)
