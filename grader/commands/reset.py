"""``tdlab reset``: the lab host, or a workspace's own files, as they were in the beginning."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from grader.workspace.workspace import Workspace


@click.command("reset")
@click.argument("workspace", type=click.Path(path_type=Path), default=Path())
@click.option("--question", "questions", multiple=True, metavar="ID", help="The place of this answer.")
@click.option("--domains", is_flag=True, help="The domains that you wrote.")
@click.option("--host", "host_name", metavar="NAME", help="The emulated lab host, if not the usual one.")
@click.option("--yes", is_flag=True, help="Put the lab host back without asking.")
@click.option("--no-input", is_flag=True, help="Never ask.")
def command(
    workspace: Path,
    questions: tuple[str, ...],
    domains: bool,
    host_name: str | None,
    yes: bool,
    no_input: bool,
) -> int:
    """Put your lab host back, or with --question or --domains files of WORKSPACE (this folder).

    What you wrote is moved to a dated folder in backup/, and never deleted.
    """
    from grader.workspace import hints, restoring, sayings
    from grader.workspace import workspace as workspaces

    place = workspaces.find(workspace)
    workspaces.require_open(place)
    if not questions and not domains:
        return _host(place, host_name, yes, no_input)
    kept = [file for one in questions for file in restoring.question(place, hints.asked(place, one))]
    kept += restoring.domains(place) if domains else []
    lang = place.identity.lang
    for file in kept:
        click.echo(sayings.PUT_BACK.say(lang, kept=file))
    if not kept:
        click.echo(sayings.NOTHING_TO_PUT_BACK.say(lang))
    return 0


def _host(place: Workspace, name: str | None, yes: bool, no_input: bool) -> int:
    """Put an emulated lab host back to its checkpoint, after asking: guests there end."""
    from domains.emulated import plan, registry
    from domains.errors import EXIT_CHECKS_FAILED, UsageError
    from grader.commands import host
    from grader.submission import history
    from grader.submission.history import Event
    from grader.workspace import sayings, terminal

    lang, asked = place.identity.lang, name or plan.DEFAULT_NAME
    if asked not in {one.name for one in registry.all_hosts()}:
        raise UsageError(
            sayings.NO_HOST.say(lang, host=asked),
            remedy="see `tdlab host list`; for files of yours: --question ID, or --domains",
        )
    if not terminal.agreed(lang, sayings.RESET_HOST, yes=yes, no_input=no_input, host=asked):
        return EXIT_CHECKS_FAILED
    host.put_back(asked)
    history.add(place.folder, Event(what="reset", time=history.now(), about=f"host {asked}"))
    return 0
