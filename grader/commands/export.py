"""``tdlab export``: the marks of a class in the formats of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from domains.errors import EXIT_DONE, EXIT_PARTLY_DONE
from grader.language import LANGUAGES, Lang

if TYPE_CHECKING:
    from grader.export.formats import By
    from grader.export.rows import Export, Notice

# Here rather than in grader.export.formats, which --help must not import; a test holds the two together.
FORMATS = (
    *("moodle", "moodle-feedback", "moodle-gradebook", "gradescope", "nbgrader", "junit"),
    *("csv", "json", "prairielearn", "check50", "lti"),
)
_MOST = 12


@click.command("export")
@click.argument("markbook", type=click.Path(path_type=Path))
@click.option("--format", "name", type=click.Choice(FORMATS), required=True, help="Whose format.")
@click.option("--out", type=click.Path(path_type=Path), help="File or folder, instead of MARKBOOK/exports/….")
@click.option(
    "--worksheet",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Moodle's grading worksheet as it was downloaded: filled in, or asked for addresses.",
)
@click.option(
    "--by",
    type=click.Choice(["email", "idnumber", "username", "id"]),
    default="email",
    show_default=True,
    help="What Moodle's gradebook is matched on.",
)
@click.option("--provisional", is_flag=True, help="Let marks out in which something is still open.")
@click.option("--force", is_flag=True, help="Overwrite what is there.")
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language of feedback, instead of each student's.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done (tdlab.export/1) to stdout.")
def command(
    markbook: Path,
    name: str,
    out: Path | None,
    worksheet: Path | None,
    by: By,
    provisional: bool,
    force: bool,
    lang: Lang | None,
    as_json: bool,
) -> int:
    """Export the marks of MARKBOOK, the folder that `tdlab grade LAB CLASS --into` made.

    Marks in which something is open are left empty and named; exit code 4 says that there are some.
    """
    from datetime import UTC, datetime

    from grader.classroom.markbook import open_markbook
    from grader.export import formats
    from grader.export.rows import sheet_of
    from grader.report.feedback import pages

    book = open_markbook(markbook)
    sheet = sheet_of(book, datetime.now(UTC), provisional=provisional)
    wishes = formats.Wishes(lambda row: pages.of(book, row.grade, lang), worksheet, by)
    export = formats.FORMATS[name](sheet, wishes)
    target = out or markbook / "exports" / (name if export.is_folder else next(iter(export.files)))
    written = formats.write(export, target, force=force)
    if as_json:
        click.echo(_told(name, written, export))
    else:
        _say(target, len(written), len(sheet.rows), export)
    return EXIT_PARTLY_DONE if export.left else EXIT_DONE


def _told(name: str, written: list[Path], export: Export) -> str:
    import json

    def listed(notices: tuple[Notice, ...]) -> list[dict[str, str]]:
        return [{"student": one.student, "why": one.why} for one in notices]

    told = {
        "schema": "tdlab.export/1",
        "format": name,
        "files": [str(one) for one in written],
        "left": listed(export.left),
        "notes": listed(export.notes),
    }
    return json.dumps(told, ensure_ascii=False, indent=1)


def _say(target: Path, files: int, students: int, export: Export) -> None:
    click.echo(f"{target}" + (f" ({files} files)" if export.is_folder else ""))
    if export.left:
        click.echo(f"without a mark: {len(export.left)} (students in the markbook: {students})", err=True)
        _list(export.left)
    if export.notes:
        click.echo(f"to be known: {len(export.notes)}", err=True)
        _list(export.notes)


def _list(notices: tuple[Notice, ...]) -> None:
    from grader.language.inert import one_line

    for one in notices[:_MOST]:
        click.echo(f"  {one_line(one.student)}: {one_line(one.why)}", err=True)
    if len(notices) > _MOST:
        click.echo(f"  … and {len(notices) - _MOST} more: --json names all", err=True)
