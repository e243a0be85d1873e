"""``tdlab new``: make a new lab that already holds."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("new")
@click.argument("lab")
@click.option("--title", "title_fr", help="The title in French; by default it is made of the name.")
@click.option("--title-en", help="The title in English; by default the French one.")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder that gets it; by default labs/ where there is one, else this folder.",
)
def command(lab: str, title_fr: str | None, title_en: str | None, into: Path | None) -> int:
    """Make the lab LAB (its name): sheets, questions, a solution, a wrong sample, a check; with comments."""
    from grader.authoring import starting

    place = into or (Path("labs") if Path("labs").is_dir() else Path())
    made = starting.make(lab, place, title_fr=title_fr, title_en=title_en)
    shown = place / made.slug
    click.echo(f"{shown} is there: edit {shown / 'lab.yaml'}, then run `tdlab verify {shown}`.")
    return 0
