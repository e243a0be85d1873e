"""Tables for spreadsheets: our own CSV, nbgrader's, and the one that Moodle's gradebook imports."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from grader.export.rows import Export, Notice, Row, Sheet
from grader.language.inert import no_formula
from grader.results.score import GRADED, OUT_OF

# nbgrader's own exporter writes these, in this order.
_NBGRADER = (
    "assignment",
    "duedate",
    "timestamp",
    "student_id",
    "last_name",
    "first_name",
    "email",
    "raw_score",
    "late_submission_penalty",
    "score",
    "max_score",
)


def plain_csv(sheet: Sheet) -> Export:
    """Return one row a student: the mark, what it is made of, and the points of each question."""
    known = {one.id: None for row in sheet.rows for one in row.grade.questions}
    head = ["student", "name", "id", "email", "handed_in", "mark", "out_of", "score", "max"]
    head += ["late_seconds", "penalty", "unverified", "waiting", "errors"]
    head += [f"part:{part.id}" for part in sheet.lab.parts] + list(known)
    rows = [[*_facts(sheet, row), *_parts(sheet, row), *_points(row, known)] for row in sheet.rows]
    return Export({f"{sheet.lab.slug}.csv": table(head, rows)}, sheet.unfinished(), sheet.remarks())


def _facts(sheet: Sheet, row: Row) -> list[object]:
    grade = row.grade
    when = row.handed_in.isoformat() if row.handed_in else ""
    facts: list[object] = [row.student, row.name, row.id, row.email, when]
    facts += [two(sheet.mark(row)), OUT_OF, grade.score, grade.max]
    facts += [grade.late, grade.penalty, grade.unverified, " ".join(row.waiting), " ".join(row.broken)]
    return facts


def _parts(sheet: Sheet, row: Row) -> list[object]:
    return [score if out_of else "" for score, out_of in (sheet.part(one, row) for one in sheet.lab.parts)]


def _points(row: Row, known: Mapping[str, None]) -> list[object]:
    """Return the points of each question; empty, and not 0, where it could not be graded."""
    own = {one.id: one for one in row.grade.questions}
    return [own[one].points if one in own and own[one].outcome in GRADED else "" for one in known]


def nbgrader(sheet: Sheet) -> Export:
    """Return the CSV of ``nbgrader export``, quoted; a score is out of what could be graded of it.

    Raw scores are before the late penalty, as nbgrader's are. The class knows whole names: they stand in
    ``last_name``.
    """
    rows = []
    for row in sheet.rows:
        given = sheet.mark(row) is not None
        grade = row.grade
        when = row.handed_in.isoformat(sep=" ", timespec="seconds") if row.handed_in else ""
        points = (
            [round(grade.score + grade.penalty, 4), grade.penalty, grade.score] if given else ["", "", ""]
        )
        rows.append([sheet.lab.slug, "", when, row.student, row.name, "", row.email, *points, grade.max])
    name = f"{sheet.lab.slug}.nbgrader.csv"
    return Export({name: table(_NBGRADER, rows)}, sheet.unfinished(), sheet.remarks())


def gradebook(sheet: Sheet, by: str, keys: Mapping[str, str]) -> Export:
    """Return the CSV that Moodle's gradebook imports, matched on ``by``; ``keys`` gives it by student.

    One unknown user fails the whole import, and an empty cell takes away a mark that is there: who has no
    key or no mark is left out, and named.
    """
    left = list(sheet.unfinished())
    rows = []
    for row in sheet.rows:
        value = sheet.mark(row)
        if value is None:
            continue
        if key := keys.get(row.student, ""):
            rows.append([key, two(value)])
        else:
            left.append(
                Notice(row.shown, f"no {by} is known: left out, for one unknown user fails the import")
            )
    title = f"{sheet.lab.slug} /{OUT_OF}"
    name = f"{sheet.lab.slug}.gradebook.csv"
    return Export({name: table([by, title], rows)}, tuple(left), sheet.remarks())


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    """Return CSV (RFC 4180, UTF-8) whose cells a spreadsheet takes for text; numbers stay numbers."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow([no_formula(one) for one in head])
    for row in rows:
        writer.writerow([one if isinstance(one, int | float) else no_formula(one) for one in row])
    return text.getvalue().encode()


def two(value: float | None) -> float | str:
    """Return a mark as it is exported, or nothing."""
    return "" if value is None else round(value, 2)
