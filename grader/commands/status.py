"""``tdlab status``: how far a student is in a workspace."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("status")
@click.argument("workspace", type=click.Path(path_type=Path), default=Path())
@click.option("--json", "as_json", is_flag=True, help="Print it (tdlab.status/1) to stdout.")
def command(workspace: Path, as_json: bool) -> int:
    """Say how far you are in WORKSPACE (this folder): answers, predictions, measures, what was handed in."""
    import json
    import shutil

    from grader.language.lines import wrapped
    from grader.workspace import progress
    from grader.workspace import workspace as workspaces

    place = workspaces.find(workspace)
    seen = progress.look(place)
    if as_json:
        click.echo(json.dumps({"schema": "tdlab.status/1"} | seen.as_json(), ensure_ascii=False, indent=1))
    else:
        width = shutil.get_terminal_size().columns
        for line in seen.told(place.identity.lang):
            click.echo("\n".join(wrapped(line, width, then="  ")))
    return 0
