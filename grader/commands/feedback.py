"""``tdlab feedback``: a page for each student of a class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from domains.errors import EXIT_DONE, UsageError
from domains.phases import phase
from grader.commands.timings import with_timings
from grader.language import LANGUAGES, Lang

if TYPE_CHECKING:
    from grader.classroom.markbook import Markbook
    from grader.results.result import SubmissionGrade


@click.command("feedback")
@click.argument("markbook", type=click.Path(path_type=Path))
@click.argument("students", nargs=-1)
@click.option("--into", type=click.Path(path_type=Path), required=True, metavar="FOLDER", help="Where to.")
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language, instead of each student's own.")
@click.option("--without-answers", is_flag=True, help="Keep what a right answer holds to yourself.")
@click.option("--force", is_flag=True, help="Overwrite what is there.")
@click.option("--json", "as_json", is_flag=True, help="Print the files (tdlab.feedback/1) to stdout.")
@with_timings
def command(
    markbook: Path,
    students: tuple[str, ...],
    into: Path,
    lang: Lang | None,
    without_answers: bool,
    force: bool,
    as_json: bool,
) -> int:
    """Write a page for every student of MARKBOOK (or for STUDENTS), to be given back to them.

    Each holds that student's work alone: no hidden check, no rubric, nobody else's data, and no script.
    """
    import json

    from grader.classroom.markbook import open_markbook
    from grader.export import formats
    from grader.export.documents import file_names
    from grader.export.rows import Export
    from grader.report.feedback import pages

    with phase("open the markbook"):
        book = open_markbook(markbook)
        wanted = _wanted(book, students)
    with phase("make the pages"):
        made = {
            f"{name}.html": pages.of(book, one, lang, with_answers=not without_answers).encode()
            for name, one in zip(file_names([one.student for one in wanted]), wanted, strict=True)
        }
    with phase("write the pages"):
        written = formats.write(Export(made, is_folder=True), into, force=force)
    if as_json:
        rows = [
            {"student": one.student, "file": str(place)} for one, place in zip(wanted, written, strict=True)
        ]
        click.echo(json.dumps({"schema": "tdlab.feedback/1", "pages": rows}, ensure_ascii=False, indent=1))
    else:
        click.echo(f"{into} ({len(written)} pages)")
    return EXIT_DONE


def _wanted(book: Markbook, students: tuple[str, ...]) -> list[SubmissionGrade]:
    """Return the grades of the students that were named, or of all."""
    graded = {one.student: one for one in book.grade().submissions}
    for name in students:
        if name not in graded:
            raise UsageError(
                f"{book.folder} has no student {name!r}", remedy="names are those of its grade.json"
            )
    return [graded[one] for one in students] or list(graded.values())
