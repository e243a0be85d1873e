"""``tdlab submit``: hand a workspace in."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("submit")
@click.argument("workspace", type=click.Path(path_type=Path), default=Path())
@click.option("--json", "as_json", is_flag=True, help="Print the receipt (tdlab.receipt/1) to stdout.")
def command(workspace: Path, as_json: bool) -> int:
    """Make one signed archive of WORKSPACE (this folder) and print a receipt; repeat it at any time."""
    import json

    from grader.workspace import feedback, hand_in, sayings
    from grader.workspace import workspace as workspaces

    place = workspaces.find(workspace)
    lang = place.identity.lang
    receipt = hand_in.submit(place)
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
        return 0
    told_of = sayings.HANDED_IN.say(
        lang, archive=receipt.archive, files=receipt.files, number=receipt.number, code=receipt.code
    )
    click.echo(told_of)
    still = sum(one.state == "open" for one in feedback.look(place.submission(), place.lab.slug, lang))
    if still:
        click.echo(sayings.STILL_OPEN.say(lang, count=still), err=True)
    return 0
