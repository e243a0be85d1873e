"""``tdlab collect``: what a room handed in, brought back and ready to be graded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.commands import deploy
from grader.language import Lang

if TYPE_CHECKING:
    from grader.fleet.collecting import Archive
    from grader.fleet.plan import Plan


@click.command("collect")
@click.argument("lab")
@click.option("--into", type=click.Path(path_type=Path), metavar="FOLDER", help="Where to (LAB-class).")
@click.option("--submit", is_flag=True, help="Hand in for those who have not: what lies in their workspace.")
@deploy.with_room_options
def command(
    lab: str,
    file: Path,
    vault: Path | None,
    limit: str | None,
    forks: int,
    as_json: bool,
    lang: Lang,
    into: Path | None,
    submit: bool,
) -> int:
    """Bring back what the students of LAB handed in, into a folder for `tdlab grade LAB FOLDER --into …`."""
    from grader.fleet import collecting

    made = deploy.planned(lab, file, vault, limit)
    place = (into or Path(f"{made.lab.slug}-class")).resolve()
    with collecting.arriving(made, place) as come:
        more = {"tdlab_into": str(come), "fleet_collect_submits": submit}
        status = deploy.run(made, "collect.yml", forks, lang, as_json=as_json, more=more)
    found = collecting.examined(made, place)
    if as_json:
        told = {"schema": "tdlab.collected/1", "lab": made.lab.slug, "into": str(place)}
        archives = [{**one.__dict__, "verified": not one.why} for one in found]
        click.echo(json.dumps({**told, "archives": archives}, ensure_ascii=False))
    else:
        _show(made, found, place, lang)
    return status


def _show(made: Plan, found: list[Archive], place: Path, lang: Lang) -> None:
    from grader.fleet import telling
    from grader.language.inert import one_line

    for one in found:
        if one.before:
            names = {"file": one.file, "before": one.before}
            click.echo(one_line(f"  {one.student}: {telling.OTHER_ARCHIVE.say(lang, **names)}"))
        if one.why:
            click.echo(one_line(f"  {one.student}: {telling.UNVERIFIED.say(lang, why=one.why)} ({one.file})"))
    have = {one.student for one in found}
    every = [student for one in made.assigned for student in one.machine.students]
    if missing := [student for student in every if student not in have]:
        click.echo(one_line(telling.NOTHING_FROM.say(lang, names=", ".join(missing))))
    click.echo(telling.COLLECTED.say(lang, archives=len(found), students=len(have), folder=place))
    click.echo(telling.GRADE_NOW.say(lang, lab=made.lab.slug, folder=place))
