"""``tdlab regrade``: grade a class again from what is kept of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from domains.errors import EXIT_DONE, EXIT_INFRASTRUCTURE, UsageError
from grader.commands.cluster_options import elsewhere, with_cluster_options
from grader.commands.timings import with_timings
from grader.language import LANGUAGES, Lang


@click.command("regrade")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would move, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the difference (tdlab.regrade/1) to stdout.")
@click.option("--history", "student", metavar="STUDENT", help="Show how a student's mark came about.")
@click.option("-j", "--jobs", type=click.IntRange(0, 256), default=0, help="Workers (0: as many as pay).")
@with_cluster_options
@with_timings
@click.option("--lang", type=click.Choice(LANGUAGES), default="en", help="Language.")
def command(
    folder: Path, dry_run: bool, as_json: bool, student: str | None, jobs: int, lang: Lang, **how: Any
) -> int:
    """Grade the class of FOLDER again after its lab or tdlab has changed, and say who has moved and why.

    All comes from what FOLDER keeps: no VM is started. The teacher's decisions stay. With --cluster, Dask's
    workers do it, as they do for `tdlab grade --into`: the same marks.
    """
    from datetime import UTC, datetime

    from grader.desk import regrading, told

    if student is not None:
        return _history(folder, student, as_json, lang)
    found = regrading.regrade(
        folder, datetime.now(UTC), jobs=jobs, dry_run=dry_run, elsewhere=elsewhere(how, jobs)
    )
    if as_json:
        click.echo(found.model_dump_json(by_alias=True, indent=1))
    else:
        click.echo("\n".join(told.difference(found, lang)))
    return EXIT_INFRASTRUCTURE if found.errors else EXIT_DONE


def _history(folder: Path, student: str, as_json: bool, lang: Lang) -> int:
    import json

    from domains import document
    from grader.classroom.markbook import open_markbook
    from grader.desk import regrading, told

    book = open_markbook(folder)
    entries = regrading.history(folder, student)
    if not entries:
        known = [one.key for one in book.roster.students]
        guess = document.nearest(student, known)
        remedy = f"did you mean {guess!r}?" if guess else "tdlab grade --into names the students"
        raise UsageError(f"the ledger holds no student {student!r}", remedy=remedy)
    if as_json:
        rows = [one.model_dump(mode="json", by_alias=True) for one in entries]
        head = {"schema": "tdlab.history/1", "student": student}
        click.echo(json.dumps(head | {"entries": rows}, ensure_ascii=False, indent=1))
    else:
        click.echo("\n".join(told.history(entries, lang)))
    return EXIT_DONE
