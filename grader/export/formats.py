"""The formats by name, and what each needs; and how an export gets onto the disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from domains.errors import UsageError
from domains.files import write_whole
from grader.export import documents, tables, worksheet
from grader.export.moodle_zip import feedback_zip
from grader.export.rows import Export, Row, Sheet

By = Literal["email", "idnumber", "username", "id"]


@dataclass(frozen=True)
class Wishes:
    """What some formats need beside the class: Moodle's worksheet, what to match on, a student's page."""

    page: Callable[[Row], str]
    worksheet: Path | None = None
    by: By = "email"


def _moodle(sheet: Sheet, wishes: Wishes) -> Export:
    if wishes.worksheet is None:
        raise UsageError(
            "Moodle takes back only the worksheet that it gave",
            remedy="download the grading worksheet of the assignment, and name it: --worksheet FILE",
        )
    return worksheet.filled(sheet, worksheet.read(wishes.worksheet))


def _gradebook(sheet: Sheet, wishes: Wishes) -> Export:
    # The number in a folder that Moodle made is the participant's in one assignment, and no user's.
    is_moodles = any("_assignsubmission_" in row.folder for row in sheet.rows)
    if wishes.worksheet is not None and wishes.by != "id":
        keys = worksheet.keys(sheet.rows, worksheet.read(wishes.worksheet), wishes.by)
    elif wishes.by == "email":
        keys = {row.student: row.email for row in sheet.rows}
    elif wishes.by == "username" or is_moodles:
        raise UsageError(
            f"the class does not say the {wishes.by} of its students",
            remedy="name a grading worksheet that has it, or an email, as a column: --worksheet FILE",
        )
    else:
        keys = {row.student: row.id for row in sheet.rows}
    return tables.gradebook(sheet, wishes.by, keys)


def _junit(sheet: Sheet, _wishes: Wishes) -> Export:
    from grader.report.junit import grade_text

    return Export({f"{sheet.lab.slug}.junit.xml": grade_text(sheet.grade).encode()})


FORMATS: Mapping[str, Callable[[Sheet, Wishes], Export]] = {
    "moodle": _moodle,
    "moodle-feedback": lambda sheet, wishes: feedback_zip(sheet, wishes.page),
    "moodle-gradebook": _gradebook,
    "gradescope": lambda sheet, _: documents.gradescope(sheet),
    "nbgrader": lambda sheet, _: tables.nbgrader(sheet),
    "junit": _junit,
    "csv": lambda sheet, _: tables.plain_csv(sheet),
    "json": lambda sheet, _: documents.plain_json(sheet),
    "prairielearn": lambda sheet, _: documents.prairielearn(sheet),
    "check50": lambda sheet, _: documents.check50(sheet),
    "lti": lambda sheet, _: documents.lti(sheet),
}


def write(export: Export, out: Path, *, force: bool) -> list[Path]:
    """Write an export's file to ``out``, or its files below it, and return them.

    Nothing is written when one of them is there already, unless ``force``. Raises :class:`UsageError`.
    """
    places = {out / name if export.is_folder else out: raw for name, raw in export.files.items()}
    there = [place for place in places if place.exists()]
    if out.is_dir() and not export.is_folder:
        raise UsageError(f"{out} is a folder", remedy="name a file with --out")
    if there and not force:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise UsageError(
            f"{there[0]}{more} is there already", remedy="overwrite with --force, or name another --out"
        )
    for place, raw in places.items():
        place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(place, raw)
    return list(places)
