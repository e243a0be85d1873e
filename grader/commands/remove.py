"""``tdlab remove``: what was deployed goes, and nothing else."""

from __future__ import annotations

from pathlib import Path

import click

from grader.commands import deploy
from grader.language import Lang


@click.command("remove")
@click.argument("lab")
@click.option("--work", is_flag=True, help="Remove workspaces too in which students have written.")
@click.option("--check", is_flag=True, help="Only say which machines would change.")
@deploy.with_room_options
def command(
    lab: str,
    file: Path,
    vault: Path | None,
    limit: str | None,
    forks: int,
    as_json: bool,
    lang: Lang,
    work: bool,
    check: bool,
) -> int:
    """Remove what was put on the machines for LAB; what students wrote stays, unless --work."""
    made = deploy.planned(lab, file, vault, limit)
    more = {"fleet_remove_work": work}
    return deploy.run(made, "remove.yml", forks, lang, as_json=as_json, check=check, more=more)
