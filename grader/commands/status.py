"""``tdlab status``: how far a student is in a workspace; and, with an inventory, how far a whole room is."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import click

from grader.commands import room


@click.command("status")
@click.argument("workspace", type=click.Path(path_type=Path), default=Path(), metavar="[WORKSPACE|LAB]")
@click.option("--json", "as_json", is_flag=True, help="Print it (tdlab.status/1) to stdout.")
@click.pass_context
def command(ctx: click.Context, /, workspace: Path, as_json: bool, **of_room: Any) -> int:
    """Say how far you are in WORKSPACE (this folder): answers, predictions, measures, what was handed in.

    With -i FILE it is `tdlab room LAB -i FILE`: how far the students of a room are.
    """
    if of_room["file"] is not None:
        asked = ctx.get_parameter_source("workspace") is click.core.ParameterSource.COMMANDLINE
        lab = str(workspace) if asked else _deployed()
        status: int = ctx.invoke(room.command, lab=lab, as_json=as_json, **of_room)
        return status
    for param in ctx.command.params:
        given = ctx.get_parameter_source(param.name or "") is click.core.ParameterSource.COMMANDLINE
        if given and param.name in of_room:
            raise click.UsageError(f"{param.opts[0]} is of a room: name its inventory with -i FILE.")
    _show(workspace, as_json=as_json)
    return 0


def _show(workspace: Path, *, as_json: bool) -> None:
    import json
    import shutil

    from grader.language.lines import wrapped
    from grader.workspace import progress
    from grader.workspace import workspace as workspaces

    place = workspaces.find(workspace)
    seen = progress.look(place)
    if as_json:
        click.echo(json.dumps({"schema": "tdlab.status/1"} | seen.as_json(), ensure_ascii=False, indent=1))
        return
    width = shutil.get_terminal_size().columns
    for line in seen.told(place.identity.lang):
        click.echo("\n".join(wrapped(line, width, then="  ")))


def _deployed() -> str:
    """Return the lab that was deployed from here; raises :class:`click.UsageError` unless it is one."""
    from grader.fleet import plan

    labs = plan.deployed()
    if len(labs) != 1:
        known = f" ({', '.join(labs)})" if labs else ""
        raise click.UsageError(f"{len(labs)} labs were deployed from here{known}: tdlab status LAB -i FILE.")
    return labs[0]


def _optional(param: click.Parameter) -> click.Parameter:
    made = copy.copy(param)
    made.required = False
    return made


command.params += [_optional(param) for param in room.command.params if param.name not in {"lab", "as_json"}]
